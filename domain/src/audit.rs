//! Counted faults of the outside world: one event per source, code and minute.
use crate::entity::EntityKind;
use crate::fingerprint::{Fingerprint, Fingerprinter};
use crate::machine::{Context, Decision, Machine, Reply};
use crate::time::Timestamp;
use compact_str::CompactString;
use serde::{Deserialize, Serialize};

/// What may be asked of the audit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Command {
    /// Keep the count of one fault in one minute.
    Fault(Fault),
}

/// A fault and how often it came within its minute.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// Who caused it: a device id, or a network address where the device is unknown.
    pub source: CompactString,
    /// Stable code, such as `wrong_secret` or `foreign_topic`.
    pub code: CompactString,
    /// The minute it stands for.
    pub minute: Timestamp,
    /// How often.
    pub count: u64,
}

/// What can have happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// Faults were counted.
    Counted(Fault),
}

/// The audit of one node; keeps no state but how many events it has taken.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Audit {
    /// Events taken so far.
    pub events: u64,
}

impl Machine for Audit {
    const KIND: EntityKind = EntityKind::Audit;
    type Command = Command;
    type Event = Event;
    type Memory = ();

    fn decide(&self, _context: &Context<'_>, _memory: &(), command: &Command) -> Decision<Event> {
        let Command::Fault(fault) = command;
        Decision::Commit { events: vec![Event::Counted(fault.clone())], reply: Reply::Done }
    }

    fn apply(&mut self, _event: &Event, _at: Timestamp) {
        self.events += 1;
    }

    fn fingerprint(command: &Command) -> Fingerprint {
        let Command::Fault(fault) = command;
        let count = i64::try_from(fault.count).unwrap_or(i64::MAX);
        Fingerprinter::new("audit.fault").text(&fault.source).text(&fault.code).number(fault.minute.0).number(count).finish()
    }

    fn event_name(_event: &Event) -> &'static str {
        "audit.counted"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Actor;

    #[test]
    fn a_fault_is_an_event_with_its_count() {
        let mut audit = Actor::<Audit>::new("n1");
        let fault = Fault { source: "g1".into(), code: "foreign_topic".into(), minute: Timestamp(60_000), count: 7 };
        assert_eq!(audit.ask(Command::Fault(fault.clone())), Reply::Done);
        assert_eq!(audit.events, [Event::Counted(fault.clone())]);
        assert_eq!(audit.state.events, 1);
        let other = Fault { count: 8, ..fault.clone() };
        assert_ne!(Audit::fingerprint(&Command::Fault(fault)), Audit::fingerprint(&Command::Fault(other)));
    }
}
