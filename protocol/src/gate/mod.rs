//! What a gate sends and is told, beside what every device does ([`crate::device`]).
mod decision;
mod down;
mod list;
#[cfg(test)]
mod tests;
mod up;
mod words;

pub use decision::{Decision, Messages, Outcome, encode_decision};
pub use down::{Mode, RecordsAck, Rejected};
pub use list::{LISTS, List, ListDelta, ListFull, ListRequest, list_for};
pub use up::{Alarm, Medium, Passage, RECORDS_MAX, Record, Records, Tap};
pub use words::{AlarmKind, By, Direction, MediumKind, PassageOutcome, RecordPassage, Service, Shown, StationMode};
