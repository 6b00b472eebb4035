//! A doubtful record (存疑): what a gate says of a tap and what is known contradict each other. It posts nothing until a person
//! has decided. Accepted, it is owed to the account of its medium and posted there once; rejected, it leaves no charge. An
//! account that cannot take it any more gives it back, and it is open again.
//!
//! It does not know what a record costs, nor who may decide.
use crate::account::{self, Accepted, Doubt};
use crate::device::By;
use crate::entity::{EntityKey, EntityKind};
use crate::fingerprint::{Fingerprint, Fingerprinter};
use crate::id::{CommandId, StationId, TapId};
use crate::machine::{Context, Decision, Machine, Owed, OwedWhat, Recipient, RefusalCode, Reply};
use crate::mutant::{Mutant, planted};
use crate::tap::Record;
use crate::time::{Millis, Timestamp};
use compact_str::{CompactString, format_compact};
use serde::{Deserialize, Serialize};

#[cfg(test)]
mod tests;

/// What is doubtful, and what speaks for and against it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Case {
    /// The gate's record.
    pub record: Record,
    /// The gate's station.
    pub station: StationId,
    /// Why it is doubtful.
    pub doubt: Doubt,
    /// What the gate said first under this number, as far as it was still at hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<Box<Record>>,
    /// Another tap that it collides with: of the same medium at the same moment, with the same counter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other: Option<TapId>,
    /// Process clock minus the gate's, as it was known when the record came.
    #[serde(default)]
    pub clock: Millis,
    /// Is that so wrong that it was added to the record's time?
    #[serde(default)]
    pub corrected: bool,
    /// When the record came.
    pub since: Timestamp,
}

impl Case {
    /// Its name: `{device}.{epoch}.{seq}`; of an altered copy the hash of its meaning follows, as there may be several.
    #[must_use]
    pub fn name(&self) -> CompactString {
        let TapId { device, epoch, seq } = &self.record.tap;
        match self.doubt {
            Doubt::KeyReused => format_compact!("{device}.{epoch}.{seq}.{:08x}", print_of(&self.record)),
            _ => format_compact!("{device}.{epoch}.{seq}"),
        }
    }
    /// The entity.
    #[must_use]
    pub fn key(&self) -> EntityKey {
        EntityKey::new(EntityKind::Doubtful, &self.name())
    }
    /// The command id under which it is opened.
    #[must_use]
    pub fn opening(&self) -> CommandId {
        CommandId::of(format_args!("doubtful/{}", self.name()))
    }
    /// When the rider was there: the gate's time, put right where its clock is known to be wrong; never after it was heard.
    #[must_use]
    pub fn travelled(&self) -> Timestamp {
        let clock = if self.corrected { self.clock } else { Millis(0) };
        (self.record.at + clock).min(self.since)
    }
    /// The tap as which it counts once it is accepted. What took somebody else's number has one of its own: the hash of its
    /// meaning, far above every number that a gate reaches.
    #[must_use]
    pub fn counts_as(&self) -> TapId {
        let seq = match self.doubt {
            Doubt::KeyReused => (1 << 62) | (u64::from(print_of(&self.record)) << 24) | (self.record.tap.seq & 0xff_ffff),
            _ => self.record.tap.seq,
        };
        TapId { seq, ..self.record.tap.clone() }
    }
}

/// A short hash of what a record means: enough to tell copies of one number apart.
#[must_use]
pub fn print_of(record: &Record) -> u32 {
    u32::try_from(record.fingerprint().0 & u128::from(u32::MAX)).unwrap_or(0)
}

/// What may be asked of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Command {
    /// A gate tells of it; the same again changes nothing.
    Open(Box<Case>),
    /// A person decides.
    Decide {
        /// Accept, or reject.
        accept: bool,
        /// Who and why.
        by: By,
    },
    /// The account has answered what was owed to it.
    Struck {
        /// Did it take the record? Otherwise its refusal.
        refused: Option<CompactString>,
    },
    /// A deadline is reached.
    Tick,
}

/// What can have happened to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// `doubtful.opened`
    Opened(Box<Case>),
    /// `doubtful.accepted`: a person takes it for true; it is now owed to its account.
    Accepted {
        /// Who and why.
        by: By,
        /// What is owed is sent again after this.
        owed_again: Millis,
    },
    /// `doubtful.rejected`: a person does not; it posts nothing.
    Rejected {
        /// Who and why.
        by: By,
    },
    /// `doubtful.posted`: its account has it.
    Posted,
    /// `doubtful.returned`: its account cannot take it; it is open again.
    Returned {
        /// Why.
        hint: CompactString,
    },
}

/// Where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Nobody has decided.
    Open,
    /// Accepted; its account has not answered yet.
    Accepted,
    /// Accepted, and posted.
    Posted,
    /// Rejected.
    Rejected,
}

impl State {
    /// Every state.
    pub const ALL: &'static [Self] = &[Self::Open, Self::Accepted, Self::Posted, Self::Rejected];
    /// The name on the wire: what is accepted and what is posted too differ in `posted_at` alone.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Accepted | Self::Posted => "accepted",
            Self::Rejected => "rejected",
        }
    }
}

/// A doubtful record; no entry = never told of.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Doubtful {
    /// What is known of it.
    pub entry: Option<Entry>,
}

/// What is known of a doubtful record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// What it is.
    pub case: Case,
    /// Where it stands.
    pub state: State,
    /// When the desk heard of it.
    pub opened_at: Timestamp,
    /// Who decided, and why.
    pub by: Option<By>,
    /// When it was decided.
    pub decided_at: Option<Timestamp>,
    /// When its account had it.
    pub posted_at: Option<Timestamp>,
    /// Why its account gave it back, the last time.
    pub returned: Option<CompactString>,
    /// How often it was accepted: each time it goes to the account under an id of its own.
    pub accepted: u32,
    /// When what is owed is sent again.
    pub owed_due: Option<Timestamp>,
}

impl Machine for Doubtful {
    const KIND: EntityKind = EntityKind::Doubtful;
    type Command = Command;
    type Event = Event;
    type Memory = ();

    fn decide(&self, context: &Context<'_>, _memory: &(), command: &Command) -> Decision<Event> {
        match (command, &self.entry) {
            (Command::Open(case), None) => commit(Event::Opened(case.clone())),
            (Command::Open(_) | Command::Tick, _) => unchanged(),
            (_, None) => Decision::refuse(RefusalCode::NotFound, format!("no doubtful record {}", context.me.id)),
            (Command::Decide { accept, by }, Some(entry)) => entry.decide(context, *accept, by),
            (Command::Struck { refused }, Some(entry)) => entry.struck(refused.as_ref()),
        }
    }

    fn apply(&mut self, event: &Event, at: Timestamp) {
        if let Event::Opened(case) = event {
            self.entry = Some(Entry::new(case, at));
        }
        let Some(entry) = &mut self.entry else { return };
        match event {
            Event::Opened(_) => {}
            Event::Accepted { by, owed_again } => {
                entry.decided(State::Accepted, by, at);
                entry.accepted += 1;
                entry.owed_due = Some(at + *owed_again);
            }
            Event::Rejected { by } => entry.decided(State::Rejected, by, at),
            Event::Posted => (entry.state, entry.posted_at, entry.owed_due) = (State::Posted, Some(at), None),
            Event::Returned { hint } => {
                (entry.state, entry.owed_due, entry.returned) = (State::Open, None, Some(hint.clone()));
            }
        }
    }

    fn owed(&self, me: &EntityKey) -> Vec<Owed> {
        self.entry.as_ref().and_then(|entry| entry.owed(me)).into_iter().collect()
    }

    fn deadline(&self) -> Option<Timestamp> {
        self.entry.as_ref().and_then(|entry| entry.owed_due)
    }

    fn tick() -> Option<Command> {
        Some(Command::Tick)
    }

    fn fingerprint(command: &Command) -> Fingerprint {
        match command {
            // Whatever was noticed beside it: the record and the doubt are what it means.
            Command::Open(case) => Fingerprinter::new("doubtful.open").part(case.record.fingerprint()).number(case.doubt as i64).finish(),
            Command::Decide { accept, by } => by.fingerprint(Fingerprinter::new("doubtful.decide")).number(i64::from(*accept)).finish(),
            Command::Struck { refused } => Fingerprinter::new("doubtful.struck").maybe(refused.as_deref()).finish(),
            Command::Tick => Fingerprinter::new("doubtful.tick").finish(),
        }
    }

    fn event_name(event: &Event) -> &'static str {
        match event {
            Event::Opened(_) => "doubtful.opened",
            Event::Accepted { .. } => "doubtful.accepted",
            Event::Rejected { .. } => "doubtful.rejected",
            Event::Posted => "doubtful.posted",
            Event::Returned { .. } => "doubtful.returned",
        }
    }
}

const fn unchanged() -> Decision<Event> {
    Decision::Ask { otherwise: Reply::Done }
}
fn commit(event: Event) -> Decision<Event> {
    Decision::Commit { events: vec![event], reply: Reply::Done }
}

impl Entry {
    fn new(case: &Case, at: Timestamp) -> Self {
        Self {
            case: case.clone(),
            state: State::Open,
            opened_at: at,
            by: None,
            decided_at: None,
            posted_at: None,
            returned: None,
            accepted: 0,
            owed_due: None,
        }
    }

    /// Decided once. Who says the same again changes nothing; who says otherwise is told who has decided.
    fn decide(&self, context: &Context<'_>, accept: bool, by: &By) -> Decision<Event> {
        let owed_again = context.world.settings.owed_again;
        match self.state {
            State::Open => {}
            _ if planted(Mutant::DoubtDecidedTwice) => {}
            State::Accepted | State::Posted if accept => return unchanged(),
            State::Rejected if !accept => return unchanged(),
            state => {
                let who = self.by.as_ref().map_or_else(String::new, |by| format!(" by {}", by.user));
                return Decision::refuse(RefusalCode::WrongState, format!("already {}{who}", state.name()));
            }
        }
        if accept && self.case.record.medium.is_none() {
            return Decision::refuse(RefusalCode::WrongState, "a record without a medium concerns no account: it can only be rejected");
        }
        let by = by.clone();
        commit(if accept || planted(Mutant::RejectedPosted) { Event::Accepted { by, owed_again } } else { Event::Rejected { by } })
    }

    fn struck(&self, refused: Option<&CompactString>) -> Decision<Event> {
        match (self.state, refused) {
            (State::Accepted, None) => commit(Event::Posted),
            (State::Accepted, Some(hint)) => commit(Event::Returned { hint: hint.clone() }),
            _ => unchanged(),
        }
    }

    fn decided(&mut self, state: State, by: &By, at: Timestamp) {
        (self.state, self.by, self.decided_at) = (state, Some(by.clone()), Some(at));
        self.returned = None;
    }

    fn owed(&self, me: &EntityKey) -> Option<Owed> {
        if self.state != State::Accepted || planted(Mutant::AcceptedNotOwed) {
            return None;
        }
        let (record, by) = (self.case.record.clone(), self.by.clone()?);
        let to = Recipient::OwnerOf(record.medium.as_ref()?.token.clone());
        let (station, doubt) = (self.case.station.clone(), self.case.doubt);
        let accepted = Accepted { record, station, at: self.case.travelled(), doubt, tap: self.case.counts_as(), by };
        let command = account::Command::Accept(Box::new(accepted));
        let id = CommandId::of(format_args!("accept/{}/{}", me.id, self.accepted));
        Some(Owed { id, to, what: OwedWhat::Command(Box::new(command.into())), since: self.decided_at.unwrap_or_default() })
    }
}
