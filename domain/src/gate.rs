//! A gate: what it says of itself, what it was told, and its own account of its taps. It checks what a gate knows (mode,
//! service, riders in the aisle, deadline) and passes the tap on to the account that the medium belongs to.
use crate::account;
use crate::code::Code;
use crate::device::By;
use crate::id::{CommandId, TapId};
use crate::tap::{Passage, Record, Reference, Tap};
use crate::time::Timestamp;
use compact_str::CompactString;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a device says of itself (`up/state`, retained; also its will).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Twin {
    /// Is it connected, by its own word or its will.
    pub online: bool,
    /// What it does, by its own word.
    pub service: CompactString,
    /// Its firmware.
    pub firmware: CompactString,
    /// Versions of what it holds (lists, fares, …).
    pub versions: BTreeMap<CompactString, CompactString>,
    /// Codes of its present faults.
    pub faults: Vec<CompactString>,
    /// When it said so, by its own clock.
    pub at: Timestamp,
}

/// A `down/command`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceOrder {
    /// Its id, echoed by `up/ack`.
    pub id: CommandId,
    /// What to do: `restart`, `maintain`, `resume`, `config`, `test_print`.
    pub command: CompactString,
    /// Arguments, as JSON text (opaque here).
    pub args: CompactString,
    /// Not done after this.
    pub expires_at: Timestamp,
    /// Who and why.
    pub by: By,
}

/// How a device's order or mode ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AckResult {
    /// Done.
    Done,
    /// Tried and failed.
    Failed,
    /// Too late.
    Expired,
    /// The device cannot.
    Unsupported,
}

/// What may be asked of a gate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Command {
    /// A tap, and when it was received by the process clock.
    Tap {
        /// The tap.
        tap: Tap,
        /// When the gateway read it.
        received: Timestamp,
    },
    /// The router found no account for the tap's medium: the gate refuses it.
    Unresolved {
        /// The tap.
        tap: Tap,
    },
    /// What a rider did; passed on to the account where it carries a reference.
    Passage {
        /// The tap (an intrusion takes a sequence of its own).
        tap: TapId,
        /// From the decision; none where the gate decided alone.
        reference: Option<Reference>,
        /// What happened.
        outcome: Passage,
        /// When, by the gate's clock.
        at: Timestamp,
    },
    /// The gate's own account of its taps: one commit of watermark and gaps.
    Records {
        /// The boot they belong to.
        epoch: u64,
        /// Sequence of the first.
        first_seq: u64,
        /// At most 150.
        records: Vec<Record>,
    },
    /// The answer of an account to an owed record strikes it off.
    Struck {
        /// Id of what was owed.
        owed: CommandId,
        /// How the account took it.
        outcome: account::RecordOutcome,
    },
    /// What it says of itself.
    State(Twin),
    /// It acknowledges a mode or an order.
    Ack {
        /// Id of the mode change or the order.
        id: CommandId,
        /// How it ended.
        result: AckResult,
        /// In the device's words.
        detail: CompactString,
        /// When, by the device's clock.
        at: Timestamp,
    },
    /// Tell it to do something.
    Order(DeviceOrder),
    /// A deadline is reached.
    Tick,
}

/// What can have happened to a gate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// It refused a tap by what a gate knows.
    TapRefused {
        /// The tap.
        tap: Tap,
        /// Why.
        code: Code,
    },
    /// Somebody went through without a tap, or a passage without a reference.
    Passed {
        /// The sequence.
        tap: TapId,
        /// What happened.
        outcome: Passage,
        /// When.
        at: Timestamp,
    },
    /// A batch of its own account was taken: these are new, in order; each is now owed to its account.
    RecordsTaken {
        /// The boot.
        epoch: u64,
        /// The new ones among them.
        records: Vec<Record>,
        /// Sequences that came again with another meaning.
        rejected: Vec<(u64, Code)>,
    },
    /// An owed record reached its account (or will never: doubtful).
    RecordStruck {
        /// Id of what was owed.
        owed: CommandId,
        /// How the account took it.
        outcome: account::RecordOutcome,
    },
    /// What it said of itself.
    StateReported(Twin),
    /// It acknowledged a mode.
    ModeAcked {
        /// Id of the change.
        id: CommandId,
        /// Its revision, where known.
        rev: u64,
        /// How it ended.
        result: AckResult,
        /// When, by its clock.
        at: Timestamp,
    },
    /// It was told to do something.
    Ordered(DeviceOrder),
    /// An order ended.
    OrderEnded {
        /// Which.
        id: CommandId,
        /// How.
        result: AckResult,
        /// In the device's words.
        detail: CompactString,
    },
}

/// The answer to a batch of records: `down/records_ack`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordsAck {
    /// The boot.
    pub epoch: u64,
    /// Everything up to here is durable; the gate may forget it.
    pub upto: u64,
    /// Sequences that are missing, as inclusive ranges.
    pub missing: Vec<(u64, u64)>,
    /// Sequences that were refused, with why.
    pub rejected: Vec<(u64, Code)>,
}

/// A gate. (State; its checks are in `decide`.)
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gate {
    /// What it last said of itself; none = never since it was added.
    pub twin: Option<Twin>,
}
