//! Four eyes: what needs a second person waits in the journal; another person lets it through, bound to what they saw; then
//! it runs under its own command id. A crash between the two is made good at the next start.
use super::desk::adjustment;
use super::{Answer, Channel, Job, ask_as, done, refused, state_of};
use crate::console::rights::{self, Ask};
use crate::console::{Caller, Console};
use sha2::{Digest as _, Sha256};
use std::time::Duration;
use tongdao_actors::state::EntityState;
use tongdao_domain::account::Account;
use tongdao_domain::approval::{Approval, Asked, Command, Entry};
use tongdao_domain::entity::{EntityKey, EntityKind};
use tongdao_domain::id::{CommandId, StationId};
use tongdao_domain::machine::{Context, Decision, Machine as _};
use tongdao_domain::time::Timestamp;
use tongdao_protocol::console::codes::{Code, ErrorBody};
use tongdao_protocol::console::op::{ApprovalArgs, JourneyAdjustArgs, Op};
use tongdao_protocol::console::result::Nothing;
use tongdao_protocol::time::Time;

/// What was let through and could not be run is tried again after this.
const RUN_AGAIN: Duration = Duration::from_secs(1);

impl Job<'_> {
    /// Leaving an emergency, and a waiver above the limit.
    pub(super) async fn needs_a_second_person(&self, op: &Op) -> Result<bool, ErrorBody> {
        match op {
            Op::StationRelease(args) => self.is_in_emergency(&args.station).await,
            Op::JourneyAdjust(args) => self.gives_much(args).await,
            _ => Ok(false),
        }
    }

    /// Where it is not, the station itself says so at once.
    async fn is_in_emergency(&self, station: &StationId) -> Result<bool, ErrorBody> {
        Ok(matches!(self.state(&station.into()).await?, EntityState::Station(station) if station.in_emergency()))
    }

    /// Would the rider have more than the limit afterwards that they have not now? The account itself says what would happen.
    async fn gives_much(&self, args: &JourneyAdjustArgs) -> Result<bool, ErrorBody> {
        let (before, world) = (self.account(&args.account).await?, &self.console.backend().world);
        let (me, now) = (EntityKey::from(&args.account), self.console.now());
        // Sent again after it was done, it gives nothing any more.
        let done = before.view(args.account.as_str(), now, world);
        if done.is_some_and(|view| view.postings.iter().any(|posting| posting.command_id == self.command_id)) {
            return Ok(false);
        }
        let context = Context { me: &me, command_id: &self.command_id, world, now };
        let Decision::Commit { events, .. } = before.decide(&context, &Default::default(), &adjustment(args, &self.by)) else {
            return Ok(false);
        };
        let mut after = before.clone();
        events.iter().for_each(|event| after.apply(event, now));
        let free = |account: &Account| account.balance - account.held();
        Ok(free(&after) - free(&before) > world.settings.waive_above)
    }

    /// What this command id already asks a second person for, whatever has become of it.
    pub(super) async fn asked_for_before(&self) -> Result<Option<Asked>, ErrorBody> {
        Ok(approval(self.console, &self.approval_id()).await?.entry.map(|entry| entry.asked))
    }

    /// The first answer again, word for word; another command under the same id is none.
    pub(super) fn still_waits(&self, op: &Op, asked: &Asked) -> ErrorBody {
        if asked.digest != op.digest() || asked.by.user != self.by.user {
            return Code::KeyReused.into();
        }
        waits(&self.approval_id(), asked)
    }

    /// The same command id asks for the same approval, however often it comes.
    pub(super) async fn ask_for_a_second_person(&self, op: &Op) -> Answer {
        self.is_fresh(op, self.if_rev).await?;
        let id = self.approval_id();
        let asked = Asked {
            op: op.name().into(),
            args: op.args_text(),
            command_id: self.command_id.clone(),
            digest: op.digest().into(),
            by: self.by.clone(),
            expires_at: self.console.now() + self.console.backend().world.settings.approval_ttl_max,
            station: station_of(op).cloned(),
            rev: self.if_rev,
        };
        let command_id = CommandId::of(format_args!("approval/{id}/asked"));
        ask_as(self.console, key(&id), command_id, Command::Request(asked.clone()).into()).await?;
        Err(waits(&id, &asked))
    }

    fn approval_id(&self) -> String {
        let hash = Sha256::digest(self.command_id.as_str());
        hash.iter().take(12).map(|byte| format!("{byte:02x}")).collect()
    }

    /// Nothing newer stands there than what was shown to who asked.
    async fn is_fresh(&self, op: &Op, shown: Option<u64>) -> Result<(), ErrorBody> {
        let (Some(shown), Some(station)) = (shown, station_of(op)) else { return Ok(()) };
        match self.state(&station.into()).await?.rev() {
            Some(rev) if rev != shown => Err(ErrorBody::new(Code::StaleRev).with("rev", rev)),
            _ => Ok(()),
        }
    }

    /// Only by who could do it themself, and only while nothing newer stands there than what was shown when it was asked for:
    /// what is let through is what was seen. It is let through once that is committed; whoever follows what is committed then runs
    /// it, so that nothing depends on this request any more.
    pub(super) async fn approve(&self, caller: &Caller, args: &ApprovalArgs) -> Answer {
        let entry = self.waiting(caller, args.id.as_str()).await?;
        let op = stored(&entry.asked)?;
        rights::may(caller, &self.console.backend().world, Ask::Command(&op))?;
        // One that is let through already is asked for its answer, whatever has become of the station since.
        if entry.decided_at.is_none() {
            self.is_fresh(&op, entry.asked.rev).await?;
        }
        self.ask(key(args.id.as_str()), Command::Approve { digest: args.digest.as_str().into(), by: self.by.clone() }).await?;
        done(&Nothing {}, Some(Channel::Approvals))
    }

    pub(super) async fn reject(&self, caller: &Caller, args: &ApprovalArgs) -> Answer {
        self.waiting(caller, args.id.as_str()).await?;
        self.ask(key(args.id.as_str()), Command::Reject { digest: args.digest.as_str().into(), by: self.by.clone() }).await?;
        done(&Nothing {}, Some(Channel::Approvals))
    }

    /// What is out of scope does not exist.
    async fn waiting(&self, caller: &Caller, id: &str) -> Result<Entry, ErrorBody> {
        let not_found = || refused(Code::NotFound, "no such approval");
        let entry = approval(self.console, id).await?.entry.ok_or_else(not_found)?;
        let covered = |station: &StationId| caller.scope.covers_station(&self.console.backend().world, station);
        if entry.asked.station.as_ref().is_none_or(covered) { Ok(entry) } else { Err(not_found()) }
    }
}

fn key(id: &str) -> EntityKey {
    EntityKey::new(EntityKind::Approval, id)
}

fn waits(id: &str, asked: &Asked) -> ErrorBody {
    ErrorBody::needs_approval(id).with("expires_at", Time(asked.expires_at).to_string())
}

fn station_of(op: &Op) -> Option<&StationId> {
    match op {
        Op::StationRelease(args) => Some(&args.station),
        Op::JourneyAdjust(args) => Some(&args.station),
        _ => None,
    }
}

fn stored(asked: &Asked) -> Result<Op, ErrorBody> {
    Op::from_text(&asked.op, &asked.args).map_err(|error| ErrorBody::from(&error))
}

async fn approval(console: &Console, id: &str) -> Result<Approval, ErrorBody> {
    match state_of(console, &key(id)).await? {
        EntityState::Approval(approval) => Ok(approval),
        _ => Err(Code::Internal.into()),
    }
}

/// Runs what was let through and not yet run, and notes its outcome; a second time it changes nothing.
async fn run_approved(console: &Console, id: &str) -> Result<(), ErrorBody> {
    let approval = approval(console, id).await?;
    let Some(asked) = approval.to_run().cloned() else { return Ok(()) };
    let approved_by = approval.entry.and_then(|entry| entry.decided_by).map(|by| by.user);
    let job = Job {
        console,
        by: asked.by.clone(),
        approved_by,
        command_id: asked.command_id.clone(),
        if_rev: asked.rev,
        until: Timestamp(i64::MAX),
    };
    let outcome = match stored(&asked) {
        Ok(op) => job.effect(&op).await,
        Err(error) => Err(error),
    };
    let refused = match outcome {
        Ok(_) => None,
        // Not an outcome: it stays to be run.
        Err(error) if error.retry => return Err(error),
        Err(error) => Some(error.code.name().into()),
    };
    let command_id = CommandId::of(format_args!("approval/{id}/ran"));
    ask_as(console, key(id), command_id, Command::Ran { refused }.into()).await.map(drop)
}

/// Runs what was let through, in a task of its own, until its outcome is known or the node goes down; then a start does.
pub fn run_in_its_own_time(console: Console, id: String) {
    tokio::spawn(async move {
        let mut draining = console.0.draining.subscribe();
        while let Err(error) = run_approved(&console, &id).await {
            tracing::warn!(approval = id, code = error.code.name(), "what was let through could not be run yet");
            if *draining.borrow() {
                return;
            }
            tokio::select! {
                () = tokio::time::sleep(RUN_AGAIN) => {}
                _ = draining.changed() => {}
            }
        }
    });
}

/// At a start: what was let through before and never run.
pub async fn resume(console: Console) {
    for key in console.backend().entities(EntityKind::Approval).await.unwrap_or_default() {
        if approval(&console, &key.id).await.is_ok_and(|approval| approval.to_run().is_some()) {
            run_in_its_own_time(console.clone(), key.id.to_string());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Backend as Store, Config};
    use crate::node;
    use tongdao_actors::cell::NoHook;
    use tongdao_domain::device::By;
    use tongdao_domain::station;
    use tongdao_domain::world::World;

    const SITE: &str =
        "id = \"t\"\nfares = \"flat-demo\"\n[[stations]]\nid = \"s1\"\nname = { en = \"One\" }\ngates = [{ device = \"g1\" }]\n";

    fn by(user: &str) -> By {
        By { user: user.parse().expect("an id"), reason: "drill".into() }
    }

    /// What two persons have decided stands in the journal, and nobody has run it: as after a crash between the two.
    #[tokio::test(flavor = "multi_thread")]
    async fn what_was_let_through_before_a_start_is_run_by_it_once_with_both_names() {
        let mut config = Config::default();
        (config.journal.backend, config.cells.count) = (Store::Memory, 1);
        let settings = config.console.clone();
        let mut world = World::default();
        crate::sites::add(&mut world, "test", SITE, None).expect("a site");
        let started = tokio::task::spawn_blocking(move || {
            let opened = node::open(&config).ok()?;
            node::start(&config, opened, world, std::sync::Arc::new(NoHook)).ok()
        });
        let (_node, backend) = started.await.expect("no panic").expect("a node");
        let console = Console::new(backend, &settings, ([127, 0, 0, 1], 0).into(), None);
        let station: StationId = "s1".parse().expect("an id");
        let id = |text: &str| CommandId::new(text).expect("an id");
        let op = Op::parse("station.release", &serde_json::json!({"station": "s1", "reason": "over"})).expect("an operation");
        let asked = Asked {
            op: op.name().into(),
            args: op.args_text(),
            command_id: id("c/1"),
            digest: op.digest().into(),
            by: by("li"),
            expires_at: console.now() + tongdao_domain::time::Millis::minutes(5),
            station: Some(station.clone()),
            rev: None,
        };
        let emergency = station::Command::Emergency { by: by("li") };
        ask_as(&console, (&station).into(), id("c/0"), emergency.into()).await.expect("an emergency");
        ask_as(&console, key("ap"), id("a/1"), Command::Request(asked).into()).await.expect("asked for");
        ask_as(&console, key("ap"), id("a/2"), Command::Approve { digest: op.digest().into(), by: by("wang") }.into())
            .await
            .expect("let through");

        resume(console.clone()).await;
        run_in_its_own_time(console.clone(), "ap".to_owned());
        let end = tokio::time::Instant::now() + Duration::from_secs(60);
        while approval(&console, "ap").await.expect("known").to_run().is_some() {
            assert!(tokio::time::Instant::now() < end, "never run");
            tokio::task::yield_now().await;
        }
        let EntityState::Station(after) = state_of(&console, &(&station).into()).await.expect("known") else { panic!("a station") };
        assert!(!after.in_emergency() && after.rev == 2, "once: {after:?}");
        let feed = console
            .backend()
            .journal
            .feed(EntityKey::from(&station).partition(console.backend().journal.partitions()), 1, 10)
            .expect("readable");
        let released = feed.iter().rfind(|item| item.command_id == id("c/1")).expect("under its own id");
        let event = tongdao_journal::codec::decode_event(EntityKind::Station, &released.event).expect("readable");
        let tongdao_domain::machine::Event::Station(station::Event::ModesSet { by: first, approved_by, .. }) = event else {
            panic!("modes")
        };
        assert_eq!(
            (first.map(|by| by.user.to_string()), approved_by.map(|user| user.to_string())),
            (Some("li".into()), Some("wang".into()))
        );
        assert_eq!(approval(&console, "ap").await.expect("known").entry.and_then(|entry| entry.refused), None);
    }
}
