//! What has no commit of its own and must still be known afterwards: counted faults of the outside world, one event per
//! source, code and minute, and what a person did or saw without changing anything (a sign-in, a refused one, a look at a
//! customer's journeys, a verification). What changes something stands in its own entity's events, with who and why.
use crate::entity::EntityKind;
use crate::fingerprint::{Fingerprint, Fingerprinter};
use crate::id::UserId;
use crate::machine::{Context, Decision, Machine, RefusalCode, Reply};
use crate::time::Timestamp;
use compact_str::CompactString;
use serde::{Deserialize, Serialize};

/// Longest text of a note's field, in bytes.
pub const NOTE_BYTES_MAX: usize = 1024;

/// What may be asked of the audit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Command {
    /// Keep the count of one fault in one minute.
    Fault(Fault),
    /// Keep what somebody did or saw.
    Note(Note),
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

/// What somebody did or saw. No personal data, no secrets: ids and codes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// Who.
    pub by: UserId,
    /// What, such as `session.login`, `session.refused`, `medium.find`.
    pub op: CompactString,
    /// Whom or what it concerns, such as `account/a1`.
    pub target: CompactString,
    /// What else is to be known.
    pub detail: CompactString,
}

/// What can have happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// Faults were counted.
    Counted(Fault),
    /// Something was done or seen.
    Noted(Note),
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
        let event = match command {
            Command::Fault(fault) => Event::Counted(fault.clone()),
            Command::Note(note) if !note.fits() => {
                return Decision::refuse(RefusalCode::BadArgs, format!("a note's text has at most {NOTE_BYTES_MAX} bytes"));
            }
            Command::Note(note) => Event::Noted(note.clone()),
        };
        Decision::Commit { events: vec![event], reply: Reply::Done }
    }

    fn apply(&mut self, _event: &Event, _at: Timestamp) {
        self.events += 1;
    }

    fn fingerprint(command: &Command) -> Fingerprint {
        match command {
            Command::Fault(fault) => {
                let print = Fingerprinter::new("audit.fault").text(&fault.source).text(&fault.code).number(fault.minute.0);
                print.number(i64::try_from(fault.count).unwrap_or(i64::MAX)).finish()
            }
            Command::Note(Note { by, op, target, detail }) => {
                Fingerprinter::new("audit.note").text(by.as_str()).text(op).text(target).text(detail).finish()
            }
        }
    }

    fn event_name(event: &Event) -> &'static str {
        match event {
            Event::Counted(_) => "audit.counted",
            Event::Noted(_) => "audit.noted",
        }
    }
}

impl Note {
    fn fits(&self) -> bool {
        [&self.op, &self.target, &self.detail].iter().all(|text| text.len() <= NOTE_BYTES_MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Actor, id};

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

    #[test]
    fn a_note_says_who_did_what_to_whom_and_is_bounded() {
        let mut audit = Actor::<Audit>::new("n1");
        let note = Note { by: id("li"), op: "medium.find".into(), target: "account/a1".into(), detail: "".into() };
        assert_eq!(audit.ask(Command::Note(note.clone())), Reply::Done);
        assert_eq!(audit.events, [Event::Noted(note.clone())]);
        for other in [Note { by: id("wang"), ..note.clone() }, Note { target: "account/a2".into(), ..note.clone() }] {
            assert_ne!(Audit::fingerprint(&Command::Note(note.clone())), Audit::fingerprint(&Command::Note(other)));
        }
        let long = Note { detail: "x".repeat(NOTE_BYTES_MAX + 1).into(), ..note };
        assert!(matches!(audit.ask(Command::Note(long)), Reply::Refused(refusal) if refusal.code == RefusalCode::BadArgs));
        assert_eq!(audit.state.events, 1, "what is refused is no event");
    }
}
