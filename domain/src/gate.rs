//! A gate: what it says of itself, what it was told, and its own account of its taps. It checks what a gate knows (mode,
//! service, riders in the aisle, deadline) and passes the tap on to the account that the medium belongs to.
use crate::account;
use crate::code::Code;
use crate::device::By;
use crate::doubtful::Case;
use crate::id::{CommandId, StationId, TapId};
use crate::tap::{Passage, Record, Reference, Tap};
use crate::time::{Millis, Timestamp};
use compact_str::CompactString;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

mod checks;
mod clock;
mod machine;
mod meaning;
mod memory;
mod orders;
mod prints;
mod ranges;
mod records;
#[cfg(test)]
mod tests;

pub use memory::GateMemory;
pub use prints::Prints;

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

impl Twin {
    /// The version of the deny list that it says it has; none = it says nothing of one.
    #[must_use]
    pub fn list(&self) -> Option<u64> {
        self.versions.get("list").and_then(|version| version.parse().ok())
    }
}

impl DeviceOrder {
    /// The same order, given again: only when it expires is counted from another moment.
    pub(crate) fn is_again(&self, other: &Self) -> bool {
        let Self { id, command, args, expires_at: _, by } = self;
        (id, command, args, by) == (&other.id, &other.command, &other.args, &other.by)
    }
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
        /// How the account took it; what was told to the desk is taken.
        outcome: account::RecordOutcome,
        /// Why it is doubtful.
        doubted: Option<account::Doubted>,
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
    /// The order went out on the device's link.
    OrderSent {
        /// Which.
        id: CommandId,
    },
    /// A deadline is reached.
    Tick,
}

/// What can have happened to a gate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// `tap.refused`: by what a gate knows.
    TapRefused {
        /// The tap.
        tap: Tap,
        /// Why.
        code: Code,
        /// Where it stands; none = in no station.
        station: Option<StationId>,
        /// Revision of the station's modes that was looked at.
        rev: u64,
    },
    /// `boot.seen`: the first tap or passage of a newer boot goes on; from now on an older boot is refused.
    BootSeen {
        /// The boot.
        epoch: u64,
    },
    /// `passage.reported`: somebody went through without a tap, or a passage without a reference.
    Passed {
        /// The sequence.
        tap: TapId,
        /// What happened.
        outcome: Passage,
        /// When, by the gate's clock.
        at: Timestamp,
    },
    /// `records.taken`: a batch of its own account was taken; each new record with a medium is now owed to its account.
    RecordsTaken {
        /// The boot.
        epoch: u64,
        /// Where the gate stands.
        station: StationId,
        /// The new ones among them, in order of arrival.
        records: Vec<Record>,
        /// Records that came again with another meaning: kept here as evidence (存疑), nowhere else.
        rejected: Vec<RejectedRecord>,
        /// The limits that were used.
        limits: RecordLimits,
        /// What is known of its clock: process clock minus the gate's.
        #[serde(default)]
        clock: Millis,
        /// Is that so wrong that the records' times are put right by it?
        #[serde(default)]
        corrected: bool,
    },
    /// `record.struck`: an owed record reached its account, or is doubtful and now owed to the desk.
    RecordStruck {
        /// The record's tap.
        tap: TapId,
        /// How the account took it.
        outcome: account::RecordOutcome,
        /// Why it is doubtful.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        doubted: Option<account::Doubted>,
    },
    /// `doubtful.told`: the desk has a doubtful record.
    CaseTold {
        /// Its name.
        name: CompactString,
    },
    /// `state.reported`: what it said of itself.
    StateReported(Twin),
    /// `mode.acked`: it acknowledged a mode.
    ModeAcked {
        /// Id of the change.
        id: CommandId,
        /// Its revision.
        rev: u64,
        /// How it ended.
        result: AckResult,
        /// In the device's words.
        detail: CompactString,
        /// When, by its clock.
        at: Timestamp,
    },
    /// `ack.noted`: it acknowledged something that is not, or no longer, waited for.
    AckNoted {
        /// Of what.
        id: CommandId,
        /// How it ended.
        result: AckResult,
        /// In the device's words.
        detail: CompactString,
        /// When, by its clock.
        at: Timestamp,
    },
    /// `order.queued`: it is to be told to do something.
    Ordered {
        /// What.
        order: DeviceOrder,
        /// Orders that ended and are no longer remembered.
        forgotten: Vec<CommandId>,
    },
    /// `order.sent`: the order went out on the device's link.
    OrderSent {
        /// Which.
        id: CommandId,
    },
    /// `order.ended`
    OrderEnded {
        /// Which.
        id: CommandId,
        /// How.
        result: AckResult,
        /// In the device's words.
        detail: CompactString,
    },
}

/// A record that came again with another meaning.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RejectedRecord {
    /// What came.
    pub record: Record,
    /// Why it is refused.
    pub code: Code,
    /// What came first under its number, as far as that was still at hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<Box<Record>>,
}

/// The limits that a batch was taken with; they stand in the event, so that a replay needs no settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordLimits {
    /// Boots whose book is closed by this batch: more than this many are not kept.
    pub forgotten: Vec<u64>,
    /// How many of the newest sequences keep the hash of their meaning.
    pub prints_kept: u32,
    /// What is owed is sent again after this.
    pub owed_again: Millis,
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

/// A gate.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gate {
    /// What it last said of itself; none = never.
    pub twin: Option<Twin>,
    /// When it last said so, by the process clock.
    pub reported_at: Timestamp,
    /// The highest boot that stands in its history.
    pub epoch: u64,
    /// Process clock minus its own, when it last said that it is online.
    #[serde(default)]
    pub clock: Millis,
    /// What has come of its own account of its taps, by boot; the last few boots.
    pub books: BTreeMap<u64, Book>,
    /// Records owed to their accounts, by boot and sequence.
    pub owed_records: BTreeMap<u64, BTreeMap<u64, OwedRecord>>,
    /// Doubtful records that the desk has not heard of yet, by their names.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub owed_cases: BTreeMap<CompactString, Box<Case>>,
    /// When what is owed is sent again; set while anything is owed to an account or to the desk.
    pub owed_due: Option<Timestamp>,
    /// The highest mode that it says it obeys.
    pub mode: Option<ModeAck>,
    /// The version of the deny list that it says it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list: Option<ListAck>,
    /// Orders that wait for the device, and the last few that ended, oldest first.
    pub orders: Vec<OrderView>,
    /// How often an order was given or ended: what people see of its orders is of this revision.
    #[serde(default)]
    pub orders_rev: u64,
}

/// What has come of a gate's own account of its taps within one boot.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Book {
    /// Sequences that have come, as inclusive ranges: sorted, disjoint, never touching.
    pub taken: Vec<(u64, u64)>,
    /// Hash of the meaning of the newest sequences, as it was kept at first; read and written no more.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub prints: BTreeMap<u64, u64>,
    /// Hash of the meaning of the newest sequences.
    #[serde(default, skip_serializing_if = "Prints::is_empty")]
    pub meanings: Prints,
    /// Altered copies that were told to the desk: sequence and hash of their meaning.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub copies: BTreeSet<(u64, u32)>,
    /// When the last batch came.
    pub last: Timestamp,
}

/// A record that its account has not taken yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwedRecord {
    /// The record.
    pub record: Record,
    /// Where the gate stands.
    pub station: StationId,
    /// Since when it is owed.
    pub since: Timestamp,
    /// What was known of the gate's clock when it came: process clock minus the gate's.
    #[serde(default)]
    pub clock: Millis,
    /// Is that so wrong that its time is put right by it?
    #[serde(default)]
    pub corrected: bool,
}

/// A mode that a gate says it obeys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModeAck {
    /// Id of the change.
    pub id: CommandId,
    /// Its revision.
    pub rev: u64,
    /// When it said so, by its clock.
    pub at: Timestamp,
}

/// A version of the deny list that a gate says it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListAck {
    /// The version; 0 = none yet.
    pub version: u64,
    /// When it first said so, by the process clock.
    pub at: Timestamp,
}

/// Where an order is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderState {
    /// Waits for the device's link.
    Queued,
    /// Went out; not acknowledged yet.
    Sent,
    /// Acknowledged: done.
    Done,
    /// Acknowledged: failed, or the device cannot.
    Failed,
    /// Too late.
    Expired,
}
impl OrderState {
    /// Is it still owed to the device?
    #[must_use]
    pub const fn open(self) -> bool {
        matches!(self, Self::Queued | Self::Sent)
    }
}

/// An order and where it is in its life.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderView {
    /// The order.
    pub order: DeviceOrder,
    /// Where it is.
    pub state: OrderState,
    /// Since when, by the process clock.
    pub at: Timestamp,
    /// In the device's words.
    pub detail: CompactString,
}
