//! A machine that adds up numbers: small enough to see at once whether an answer is right.
use compact_str::CompactString;
use serde::{Deserialize, Serialize};
use tongdao_domain::audit::{self, Fault};
use tongdao_domain::code::Code;
use tongdao_domain::entity::{EntityKey, EntityKind};
use tongdao_domain::fingerprint::{Fingerprint, Fingerprinter};
use tongdao_domain::gate;
use tongdao_domain::id::{CommandId, DeviceId, TapId, Token};
use tongdao_domain::machine::{self, Context, Decision, Machine, Notice, Owed, OwedWhat, Recipient, Refusal, RefusalCode, Remark, Reply};
use tongdao_domain::money::Amount;
use tongdao_domain::tap::{Direction, Medium, MediumKind, Tap, TapDecision};
use tongdao_domain::time::{Millis, Timestamp};

/// What the toy may be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ask {
    /// Add; the answer is the new sum. More than a hundred in all is refused without an event.
    Add(i64),
    /// The sum, without an event.
    Read,
    /// Somebody else decides.
    Pass,
    /// Somebody else decides once the sum is at least this.
    PassFrom(i64),
    /// The toy is the wrong one.
    Lost,
    /// Owe something from now on.
    Owe(&'static str),
    /// It is struck off.
    Strike(&'static str),
    /// A deadline at this moment.
    Until(i64),
    /// A tap: adds one, unless its deadline is past.
    Tap(Box<Tap>),
    /// A deadline is reached.
    Tick,
}

impl From<Ask> for machine::Command {
    fn from(ask: Ask) -> Self {
        match ask {
            Ask::Tap(tap) => Self::Gate(gate::Command::Unresolved { tap: *tap }),
            other => {
                let text = CompactString::new(format!("{other:?}"));
                Self::Audit(audit::Command::Fault(Fault { source: text, code: "toy".into(), minute: Timestamp(0), count: 1 }))
            }
        }
    }
}
impl TryFrom<machine::Command> for Ask {
    type Error = machine::Command;
    fn try_from(command: machine::Command) -> Result<Self, Self::Error> {
        Err(command)
    }
}

/// What can have happened to the toy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) enum Event {
    Added(i64),
    Owing(CompactString),
    Struck(CompactString),
    Until(Option<Timestamp>),
}
impl From<Event> for machine::Event {
    fn from(event: Event) -> Self {
        let source = CompactString::new(format!("{event:?}"));
        Self::Audit(audit::Event::Counted(Fault { source, code: "toy".into(), minute: Timestamp(0), count: 1 }))
    }
}

/// Volatile: which notices came.
#[derive(Debug, Default)]
pub(super) struct Memory {
    pub(super) arrived: usize,
    pub(super) answered: usize,
}

/// The toy.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Toy {
    pub(super) sum: i64,
    pub(super) owing: Vec<CompactString>,
    pub(super) until: Option<Timestamp>,
    pub(super) last_at: Timestamp,
}

impl Machine for Toy {
    const KIND: EntityKind = EntityKind::Audit;
    type Command = Ask;
    type Event = Event;
    type Memory = Memory;

    fn decide(&self, context: &Context<'_>, _memory: &Memory, ask: &Ask) -> Decision<Event> {
        let commit = |event, reply| Decision::Commit { events: vec![event], reply };
        match ask {
            Ask::Add(n) if self.sum + n > 100 => {
                Decision::Ask { otherwise: Refusal::reply(RefusalCode::WrongState, format!("the sum is {}", self.sum)) }
            }
            Ask::Add(n) => commit(Event::Added(*n), sum(self.sum + n)),
            Ask::Read => Decision::Ask { otherwise: sum(self.sum) },
            Ask::PassFrom(least) if self.sum < *least => {
                let id = command_id(&format!("least/{least}"));
                Decision::Before { id, events: vec![Event::Added(least - self.sum)] }
            }
            Ask::Pass | Ask::PassFrom(_) => {
                let to = Recipient::Entity(EntityKey::new(EntityKind::Audit, "other"));
                Decision::Forward { to, command: Ask::Add(self.sum).into() }
            }
            Ask::Lost => Decision::Misrouted,
            Ask::Owe(id) => commit(Event::Owing((*id).into()), Reply::Done),
            Ask::Strike(id) => commit(Event::Struck((*id).into()), Reply::Done),
            Ask::Until(at) => commit(Event::Until(Some(Timestamp(*at))), Reply::Done),
            Ask::Tap(tap) if context.now > tap.expires_at() => {
                Decision::Ask { otherwise: Reply::Tap(TapDecision::bare(tap, Code::Expired, context.now)) }
            }
            Ask::Tap(tap) => commit(Event::Added(1), Reply::Tap(TapDecision::bare(tap, Code::Ok, context.now))),
            Ask::Tick => match self.until {
                Some(until) if until <= context.now => commit(Event::Until(None), Reply::Done),
                _ => Decision::Ask { otherwise: Reply::Done },
            },
        }
    }
    fn apply(&mut self, event: &Event, at: Timestamp) {
        self.last_at = at;
        match event {
            Event::Added(n) => self.sum += n,
            Event::Owing(id) => self.owing.push(id.clone()),
            Event::Struck(id) => self.owing.retain(|owed| owed != id),
            Event::Until(until) => self.until = *until,
        }
    }
    fn notice(memory: &mut Memory, notice: &Notice<'_, Ask>, _context: &Context<'_>) -> Option<Remark> {
        match notice {
            Notice::Arrived(_) => memory.arrived += 1,
            Notice::Answered(_) => memory.answered += 1,
        }
        None
    }
    fn owed(&self, _me: &EntityKey) -> Vec<Owed> {
        let to = Recipient::Entity(EntityKey::new(EntityKind::Audit, "other"));
        let owed = |id: &CompactString| Owed {
            id: command_id(id),
            to: to.clone(),
            what: OwedWhat::Command(Box::new(Ask::Read.into())),
            since: self.last_at,
        };
        self.owing.iter().map(owed).collect()
    }
    fn owes(event: &Event) -> bool {
        matches!(event, Event::Owing(_))
    }
    fn deadline(&self) -> Option<Timestamp> {
        self.until
    }
    fn tick() -> Option<Ask> {
        Some(Ask::Tick)
    }
    fn rev(&self) -> Option<u64> {
        u64::try_from(self.sum).ok()
    }
    fn fingerprint(ask: &Ask) -> Fingerprint {
        match ask {
            Ask::Tap(tap) => tap.fingerprint(),
            other => Fingerprinter::new("toy").text(&format!("{other:?}")).finish(),
        }
    }
    fn event_name(_event: &Event) -> &'static str {
        "toy"
    }
}

/// The toy's answer to an addition.
pub(super) fn sum(n: i64) -> Reply {
    Reply::Adjusted { fare: Amount::from_fen(n) }
}

pub(super) fn command_id(text: &str) -> CommandId {
    CommandId::new(text).expect("an id")
}

/// A tap at `at` that its gate decides alone 250 ms later.
pub(super) fn tap(seq: u64, at: i64) -> Ask {
    let token = Token::new("m1").expect("a token");
    Ask::Tap(Box::new(Tap {
        id: TapId { device: DeviceId::new("g1").expect("an id"), epoch: 1, seq },
        direction: Direction::Entry,
        medium: Medium { kind: MediumKind::Card, token, qr: None, counter: None, signature: None },
        at: Timestamp(at),
        deadline: Millis(250),
        mode: 0,
        list_version: 0,
    }))
}
