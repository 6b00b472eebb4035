//! Four eyes: what needs a second person waits in the journal; another person lets it through, bound to what they saw; then
//! it runs under its own command id. A crash between the two is made good at the next start.
use super::desk::adjustment;
use super::{Answer, Channel, Job, ask_as, done, refused, state_of};
use crate::console::rights::{self, Ask};
use crate::console::{Caller, Console};
use sha2::{Digest as _, Sha256};
use tongdao_actors::state::EntityState;
use tongdao_domain::account::Account;
use tongdao_domain::approval::{Approval, Asked, Command, Entry};
use tongdao_domain::entity::{EntityKey, EntityKind};
use tongdao_domain::id::{CommandId, StationId};
use tongdao_domain::machine::{Context, Decision, Machine as _};
use tongdao_protocol::console::codes::{Code, ErrorBody};
use tongdao_protocol::console::op::{ApprovalArgs, JourneyAdjustArgs, Op};
use tongdao_protocol::console::result::Nothing;
use tongdao_protocol::time::Time;

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
        let context = Context { me: &me, command_id: &self.command_id, world, now };
        let Decision::Commit { events, .. } = before.decide(&context, &Default::default(), &adjustment(args, &self.by)) else {
            return Ok(false);
        };
        let mut after = before.clone();
        events.iter().for_each(|event| after.apply(event, now));
        let free = |account: &Account| account.balance - account.held();
        Ok(free(&after) - free(&before) > world.settings.waive_above)
    }

    /// The same command id asks for the same approval, however often it comes.
    pub(super) async fn ask_for_a_second_person(&self, op: &Op) -> Answer {
        let hash = Sha256::digest(self.command_id.as_str());
        let id: String = hash.iter().take(12).map(|byte| format!("{byte:02x}")).collect();
        let expires_at = self.console.now() + self.console.backend().world.settings.approval_ttl_max;
        let asked = Asked {
            op: op.name().into(),
            args: op.args_text(),
            command_id: self.command_id.clone(),
            digest: op.digest().into(),
            by: self.by.clone(),
            expires_at,
            station: station_of(op).cloned(),
        };
        let command_id = CommandId::of(format_args!("approval/{id}/asked"));
        ask_as(self.console, key(&id), command_id, Command::Request(asked).into()).await?;
        Err(ErrorBody::needs_approval(&id).with("expires_at", Time(expires_at).to_string()))
    }

    /// Only by who could do it themself.
    pub(super) async fn approve(&self, caller: &Caller, args: &ApprovalArgs) -> Answer {
        let entry = self.waiting(caller, args.id.as_str()).await?;
        let op = stored(&entry.asked)?;
        rights::may(caller, &self.console.backend().world, Ask::Command(&op))?;
        self.ask(key(args.id.as_str()), Command::Approve { digest: args.digest.as_str().into(), by: self.by.clone() }).await?;
        run_approved(self.console, args.id.as_str()).await?;
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
    let job = Job { console, by: asked.by.clone(), approved_by, command_id: asked.command_id.clone(), if_rev: None };
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

/// At a start: what was let through before and never run.
pub async fn resume(console: Console) {
    let keys = console.backend().entities(EntityKind::Approval).await.unwrap_or_default();
    for key in keys {
        if let Err(error) = run_approved(&console, &key.id).await {
            tracing::warn!(approval = %key.id, code = error.code.name(), "what was let through could not be run yet");
        }
    }
}
