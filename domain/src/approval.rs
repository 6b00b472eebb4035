//! Four eyes (双人复核): a command that one person asks for and another lets through. It keeps the command as opaque text
//! with the hash of its content; approving binds to that hash. An approved command is run under its own command id, and
//! stays `approved` until its outcome is known, so that a crash between the two loses nothing. It does not know what the
//! command means.
use crate::device::By;
use crate::entity::EntityKind;
use crate::fingerprint::{Fingerprint, Fingerprinter};
use crate::id::{CommandId, StationId, UserId};
use crate::machine::{Context, Decision, Machine, RefusalCode, Reply};
use crate::mutant::{Mutant, planted};
use crate::time::Timestamp;
use compact_str::CompactString;
use serde::{Deserialize, Serialize};

#[cfg(test)]
mod tests;

/// Longest arguments that are kept, in bytes.
pub const ARGS_BYTES_MAX: usize = 16 * 1024;
/// Length of a digest: SHA-256 in hexadecimal.
pub const DIGEST_BYTES: usize = 64;

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// The operation, such as `station.release`.
    pub op: CompactString,
    /// Its arguments as JSON text.
    pub args: String,
    /// The command id under which it runs once it is approved.
    pub command_id: CommandId,
    /// SHA-256 over operation and arguments, in lower-case hexadecimal.
    pub digest: CompactString,
    /// Who asks, and why.
    pub by: By,
    /// Nobody can approve it from this moment on.
    pub expires_at: Timestamp,
    /// The station it concerns, for whoever may see it.
    pub station: Option<StationId>,
    /// The revision that was shown to who asks, where they said so: it must be the same when the command runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rev: Option<u64>,
}

impl Asked {
    /// The same command, asked for again: only when it expires is counted from another moment.
    #[must_use]
    pub fn is_again(&self, other: &Self) -> bool {
        let Self { op, args, command_id, digest, by, expires_at: _, station, rev } = self;
        (op, args, command_id, digest) == (&other.op, &other.args, &other.command_id, &other.digest)
            && (by, station, rev) == (&other.by, &other.station, &other.rev)
    }
}

/// What may be asked of an approval.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Command {
    /// Ask for it.
    Request(Asked),
    /// Let it through; never by who asked.
    Approve {
        /// The digest that the approver saw.
        digest: CompactString,
        /// Who and why.
        by: By,
    },
    /// Do not let it through; who asked may take it back so.
    Reject {
        /// The digest that was seen.
        digest: CompactString,
        /// Who and why.
        by: By,
    },
    /// The command was run: this was its outcome.
    Ran {
        /// The stable code of a refusal; none = done.
        refused: Option<CompactString>,
    },
    /// A deadline is reached.
    Tick,
}

/// What can have happened to an approval.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// It was asked for.
    Requested(Asked),
    /// Another person let it through.
    Approved {
        /// Who and why.
        by: By,
    },
    /// It was not let through.
    Rejected {
        /// Who and why.
        by: By,
    },
    /// Nobody decided in time.
    Expired,
    /// The command was run.
    Ran {
        /// The stable code of a refusal; none = done.
        refused: Option<CompactString>,
    },
}

/// Where an approval stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It waits for a second person.
    Pending,
    /// Let through; its command is on its way.
    Approved,
    /// Not let through.
    Rejected,
    /// Nobody decided in time.
    Expired,
    /// Let through and run.
    Done,
}

impl State {
    /// The name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
            Self::Expired => "expired",
            Self::Done => "done",
        }
    }
}

/// An approval; no entry = never asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// What is known of it.
    pub entry: Option<Entry>,
}

/// What is known of an approval.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// What was asked for.
    pub asked: Asked,
    /// Where it stands.
    pub state: State,
    /// When it was asked for.
    pub asked_at: Timestamp,
    /// Who decided, and why.
    pub decided_by: Option<By>,
    /// When it was decided, or expired.
    pub decided_at: Option<Timestamp>,
    /// Code of the refusal that the command met when it was run.
    pub refused: Option<CompactString>,
}

impl Approval {
    /// What was let through and whose command has not yet been run for certain.
    #[must_use]
    pub fn to_run(&self) -> Option<&Asked> {
        let waits = |entry: &&Entry| entry.state == State::Approved && !planted(Mutant::ApprovedForgotten);
        self.entry.as_ref().filter(waits).map(|entry| &entry.asked)
    }
}

impl Machine for Approval {
    const KIND: EntityKind = EntityKind::Approval;
    type Command = Command;
    type Event = Event;
    type Memory = ();

    fn decide(&self, context: &Context<'_>, _memory: &(), command: &Command) -> Decision<Event> {
        match (command, &self.entry) {
            (Command::Request(asked), None) => request(context, asked),
            (Command::Request(asked), Some(entry)) if entry.asked.is_again(asked) => unchanged(),
            (Command::Request(_), Some(_)) => Decision::refuse(RefusalCode::Contradicts, "another command waits under this approval"),
            (Command::Tick, None) => unchanged(),
            (_, None) => Decision::refuse(RefusalCode::NotFound, format!("no approval {}", context.me.id)),
            (Command::Approve { digest, by }, Some(entry)) => entry.approve(context, digest, by),
            (Command::Reject { digest, by }, Some(entry)) => entry.reject(context, digest, by),
            (Command::Ran { refused }, Some(entry)) => entry.ran(refused.as_ref()),
            (Command::Tick, Some(entry)) if entry.state == State::Pending && entry.overdue(context) => commit(Event::Expired),
            (Command::Tick, Some(_)) => unchanged(),
        }
    }

    fn apply(&mut self, event: &Event, at: Timestamp) {
        match (event, &mut self.entry) {
            (Event::Requested(asked), entry) => {
                let asked = asked.clone();
                *entry = Some(Entry { asked, state: State::Pending, asked_at: at, decided_by: None, decided_at: None, refused: None });
            }
            (Event::Approved { by }, Some(entry)) => entry.decided(State::Approved, Some(by), at),
            (Event::Rejected { by }, Some(entry)) => entry.decided(State::Rejected, Some(by), at),
            (Event::Expired, Some(entry)) => entry.decided(State::Expired, None, at),
            (Event::Ran { refused }, Some(entry)) => {
                entry.state = State::Done;
                entry.refused.clone_from(refused);
            }
            (_, None) => {}
        }
    }

    fn deadline(&self) -> Option<Timestamp> {
        self.entry.as_ref().filter(|entry| entry.state == State::Pending).map(|entry| entry.asked.expires_at)
    }

    fn tick() -> Option<Command> {
        Some(Command::Tick)
    }

    fn fingerprint(command: &Command) -> Fingerprint {
        match command {
            Command::Request(asked) => {
                let print = asked.by.fingerprint(Fingerprinter::new("approval.request")).text(&asked.digest).text(&asked.op);
                let print = print.text(&asked.args).text(asked.command_id.as_str());
                print.text(asked.station.as_ref().map_or("", StationId::as_str)).finish()
            }
            Command::Approve { digest, by } => by.fingerprint(Fingerprinter::new("approval.approve")).text(digest).finish(),
            Command::Reject { digest, by } => by.fingerprint(Fingerprinter::new("approval.reject")).text(digest).finish(),
            Command::Ran { refused } => {
                Fingerprinter::new("approval.ran").text(refused.as_ref().map_or("", CompactString::as_str)).finish()
            }
            Command::Tick => Fingerprinter::new("approval.tick").finish(),
        }
    }

    fn event_name(event: &Event) -> &'static str {
        match event {
            Event::Requested(_) => "approval.requested",
            Event::Approved { .. } => "approval.approved",
            Event::Rejected { .. } => "approval.rejected",
            Event::Expired => "approval.expired",
            Event::Ran { .. } => "approval.ran",
        }
    }
}

const fn unchanged() -> Decision<Event> {
    Decision::Ask { otherwise: Reply::Done }
}
fn commit(event: Event) -> Decision<Event> {
    Decision::Commit { events: vec![event], reply: Reply::Done }
}

fn request(context: &Context<'_>, asked: &Asked) -> Decision<Event> {
    let longest = context.world.settings.approval_ttl_max;
    if asked.args.len() > ARGS_BYTES_MAX {
        return Decision::refuse(RefusalCode::BadArgs, format!("args: at most {ARGS_BYTES_MAX} bytes"));
    }
    let hexadecimal = asked.digest.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if asked.digest.len() != DIGEST_BYTES || !hexadecimal {
        return Decision::refuse(RefusalCode::BadArgs, "digest: SHA-256 in lower-case hexadecimal");
    }
    if asked.expires_at <= context.now || asked.expires_at > context.now + longest {
        let hint = format!("expires_at: in the future, at most {} minutes from now", longest.0 / 60_000);
        return Decision::refuse(RefusalCode::BadArgs, hint);
    }
    commit(Event::Requested(asked.clone()))
}

impl Entry {
    fn overdue(&self, context: &Context<'_>) -> bool {
        context.now >= self.asked.expires_at
    }

    /// What stands against any decision now: another content, another state, or the time.
    fn undecidable(&self, context: &Context<'_>, digest: &str) -> Option<Decision<Event>> {
        if self.asked.digest != digest {
            return Some(Decision::refuse(RefusalCode::Contradicts, "digest: the command is another than the one you saw"));
        }
        if self.state != State::Pending && !planted(Mutant::DecidedTwice) {
            return Some(Decision::refuse(RefusalCode::WrongState, format!("already {}", self.how_it_ended())));
        }
        (self.overdue(context) && !planted(Mutant::ApprovesLate))
            .then(|| Decision::refuse(RefusalCode::WrongState, "already expired: ask again"))
    }

    fn how_it_ended(&self) -> String {
        match &self.decided_by {
            Some(by) => format!("{} by {}", self.state.name(), by.user),
            None => self.state.name().to_owned(),
        }
    }

    fn decided_so_by(&self, states: &[State], user: &UserId) -> bool {
        states.contains(&self.state) && self.decided_by.as_ref().is_some_and(|by| by.user == *user)
    }

    fn approve(&self, context: &Context<'_>, digest: &str, by: &By) -> Decision<Event> {
        if by.user == self.asked.by.user && !planted(Mutant::ApprovesOwn) {
            return Decision::refuse(RefusalCode::Forbidden, "who asks does not approve: a second person must");
        }
        if self.asked.digest == digest && self.decided_so_by(&[State::Approved, State::Done], &by.user) {
            return unchanged();
        }
        self.undecidable(context, digest).unwrap_or_else(|| commit(Event::Approved { by: by.clone() }))
    }

    fn reject(&self, context: &Context<'_>, digest: &str, by: &By) -> Decision<Event> {
        if self.asked.digest == digest && self.decided_so_by(&[State::Rejected], &by.user) {
            return unchanged();
        }
        self.undecidable(context, digest).unwrap_or_else(|| commit(Event::Rejected { by: by.clone() }))
    }

    fn ran(&self, refused: Option<&CompactString>) -> Decision<Event> {
        match self.state {
            State::Approved => commit(Event::Ran { refused: refused.cloned() }),
            State::Done => unchanged(),
            _ => Decision::refuse(RefusalCode::WrongState, format!("not approved but {}", self.how_it_ended())),
        }
    }

    fn decided(&mut self, state: State, by: Option<&By>, at: Timestamp) {
        (self.state, self.decided_by, self.decided_at) = (state, by.cloned(), Some(at));
    }
}
