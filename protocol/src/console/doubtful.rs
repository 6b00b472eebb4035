//! A doubtful record on the wire: what the gate said, what stands against it, what was decided.
use super::result::FoundTap;
use crate::gate::Record;
use crate::time::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tongdao_domain::doubtful::Entry;
use tongdao_domain::id::TapId;

/// A doubtful record as `GET /api/v1/doubtful` lists it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DoubtfulItem {
    /// Its name: `{device}.{epoch}.{seq}`, and of an altered copy the hash of its meaning.
    pub record: String,
    /// The gate.
    pub device: String,
    /// The gate's boot.
    pub epoch: u64,
    /// The gate's station.
    pub station: String,
    /// Why it is doubtful: `key_reused twin at direction medium record too_old ahead currency unknown_medium`; more may come.
    pub doubt: String,
    /// `open accepted rejected`.
    pub state: String,
    /// What the gate said.
    pub said: Record,
    /// What the gate had said first under this number, as far as it was at hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<Record>,
    /// Another tap that it collides with, as `device/epoch/seq`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other: Option<String>,
    /// When the rider was there, by what is known of the gate's clock; so it counts when it is accepted.
    pub travelled_at: Time,
    /// Our clock minus the gate's, in milliseconds, as it was known when the record came.
    pub clock_ms: i64,
    /// Is the gate's clock so wrong that its time was put right?
    pub corrected: bool,
    /// When the record came.
    pub received_at: Time,
    /// When the desk heard of it.
    pub opened_at: Time,
    /// Who decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_by: Option<String>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When it was decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_at: Option<Time>,
    /// When the account had it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub posted_at: Option<Time>,
    /// Why the account gave it back after it was accepted; it is open again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub returned: Option<String>,
}

/// One doubtful record with what its medium's account says, as `GET /api/v1/doubtful/{id}` shows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DoubtfulEvidence {
    /// The record.
    #[serde(flatten)]
    pub item: DoubtfulItem,
    /// The account of its medium; absent where none has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The same tap as the account has it; absent where it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known: Option<FoundTap>,
    /// The account's other taps around that time, by time of travel.
    pub near: Vec<FoundTap>,
}

impl DoubtfulItem {
    /// A doubtful record as its machine has it.
    #[must_use]
    pub fn of(name: &str, entry: &Entry) -> Self {
        let case = &entry.case;
        let TapId { device, epoch, .. } = &case.record.tap;
        Self {
            record: name.to_owned(),
            device: device.to_string(),
            epoch: *epoch,
            station: case.station.to_string(),
            doubt: case.doubt.name().to_owned(),
            state: entry.state.name().to_owned(),
            said: Record::from(&case.record),
            first: case.first.as_deref().map(Record::from),
            other: case.other.as_ref().map(ToString::to_string),
            travelled_at: case.travelled().into(),
            clock_ms: case.clock.0,
            corrected: case.corrected,
            received_at: case.since.into(),
            opened_at: entry.opened_at.into(),
            decided_by: entry.by.as_ref().map(|by| by.user.to_string()),
            reason: entry.by.as_ref().map(|by| by.reason.to_string()),
            decided_at: entry.decided_at.map(Time),
            posted_at: entry.posted_at.map(Time),
            returned: entry.returned.as_ref().map(ToString::to_string),
        }
    }
}
