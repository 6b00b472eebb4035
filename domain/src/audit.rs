//! Counted faults of the outside world: one event per source, code and minute.
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
