//! `device:{device}`: what a device should be and what it says it is.
use super::Link;
use crate::console::op::DeviceKind;
use crate::gate::{Direction, Service, Shown, StationMode};
use crate::time::Time;
use crate::wire::wire_enum;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use tongdao_domain::gate;

wire_enum! {
    /// Where an order is in its life.
    OrderState = gate::OrderState { Queued = "queued", Sent = "sent", Done = "done", Failed = "failed", Expired = "expired" }
}

/// The snapshot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DeviceSnapshot {
    /// Revision of its entry in the registry, for `if_rev` of `device.rotate` and `device.revoke`.
    pub rev: u64,
    /// Revision of its orders, for `if_rev` of `device.command`.
    pub orders_rev: u64,
    /// When it was taken.
    pub at: Time,
    /// The device.
    pub device: String,
    /// What it is.
    pub kind: DeviceKind,
    /// Its site.
    pub site: String,
    /// Its station, where it stands in one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub station: Option<String>,
    /// Let in no more.
    pub revoked: bool,
    /// Has it a link?
    pub online: bool,
    /// The same, with "never seen".
    pub link: Link,
    /// What it does, in its own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// Its firmware.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub firmware: Option<String>,
    /// What it should be.
    pub desired: Desired,
    /// What it says it is; absent = it never said anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reported: Option<Reported>,
    /// Codes of its faults.
    pub faults: Vec<String>,
    /// When something was last heard of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_seen: Option<Time>,
    /// Orders that wait and the last few that ended, newest first.
    pub commands: Vec<OrderItem>,
    /// Its last tap.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<LastTap>,
    /// What happened to it, newest first, at most 100.
    pub history: Vec<HistoryItem>,
}

/// What a device should be.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Desired {
    /// What it should do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<Service>,
    /// Revision of the mode it should obey.
    pub mode: u64,
    /// The station's modes.
    pub modes: Vec<StationMode>,
}

/// What a device says it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Reported {
    /// What it does.
    pub service: String,
    /// Revision of the mode it obeys.
    pub mode: u64,
    /// Versions of what it holds.
    pub versions: BTreeMap<String, String>,
    /// When it said so, by its own clock.
    pub at: Time,
}

/// An order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OrderItem {
    /// Its id.
    pub id: String,
    /// What.
    pub command: String,
    /// Its arguments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub args: Option<Value>,
    /// Where it is in its life.
    pub state: OrderState,
    /// Since when.
    pub at: Time,
    /// Not to be done after this.
    pub expires_at: Time,
    /// Who gave it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// In the device's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// The last tap of a gate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LastTap {
    /// Which way.
    pub direction: Direction,
    /// What it was told.
    pub result: Shown,
    /// The gate's code.
    pub code: String,
    /// When.
    pub at: Time,
}

/// Something that happened to a device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HistoryItem {
    /// When.
    pub at: Time,
    /// `online`, `offline`, `state`, `fault`, `alarm`, `mode`, `command`, `added`, `rotated` or `revoked`.
    pub k: String,
    /// What goes with it: a code, a service, who did it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// An event of the channel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "k", rename_all = "snake_case")]
pub enum DeviceEvent {
    /// The twin has changed: everything of the snapshot but `commands`, `history`.
    Twin {
        /// Revision of its entry in the registry.
        rev: u64,
        /// Revision of its orders.
        orders_rev: u64,
        /// Has it a link?
        online: bool,
        /// The same, with "never seen".
        link: Link,
        /// Let in no more.
        revoked: bool,
        /// What it does, in its own words.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        service: Option<String>,
        /// Its firmware.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        firmware: Option<String>,
        /// What it should be.
        desired: Desired,
        /// What it says it is.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reported: Option<Reported>,
        /// Codes of its faults.
        faults: Vec<String>,
    },
    /// An order is new or has gone on.
    Command(OrderItem),
    /// Something happened.
    History {
        /// What.
        item: HistoryItem,
    },
}
