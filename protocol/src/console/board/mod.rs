//! What boards show: the snapshot of a channel, its events (`d` with `k`), its state lane. Ids are plain strings here: they
//! are written by us and read by pages.
mod device;
mod gates;
mod items;
mod lists;
mod overview;
#[cfg(test)]
mod tests;

pub use device::{Desired, DeviceEvent, DeviceSnapshot, HistoryItem, LastTap, OrderItem, OrderState, Reported};
pub use gates::{Change, GateRow, GatesEvent, GatesSnapshot, Heat, Load, LoadMap, ModeAck, ModeChange, TapItem};
pub use lists::{
    AlarmCode, AlarmEvent, AlarmItem, AlarmState, ApprovalEvent, ApprovalItem, ApprovalState, AuditEvent, AuditItem, Listing, Severity,
};
pub use overview::{
    Alarms, Figures, Latency, Money, Online, OverviewEvent, OverviewSnapshot, Remote, Series, StationFigures, StationRow, keys,
};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A name in each language: `{"zh-CN": "天府广场", "en": "Tianfu Square"}`.
pub type Names = BTreeMap<String, String>;

/// Has a device a link?
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Link {
    /// Never seen.
    #[default]
    Unknown,
    /// Connected.
    Online,
    /// Not connected.
    Offline,
}
