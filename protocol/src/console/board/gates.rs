//! `gates:{station}`: a station's gates at work. State lane `load`.
use super::{Link, Names};
use crate::gate::{Direction, Service, Shown, StationMode};
use crate::time::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The snapshot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GatesSnapshot {
    /// The position it stands at.
    pub rev: u64,
    /// When it was taken.
    pub at: Time,
    /// The station.
    pub station: String,
    /// Its name.
    pub name: Names,
    /// Its modes; none = normal service.
    pub modes: Vec<StationMode>,
    /// Until when they count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Time>,
    /// The newest change of modes or services.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<Change>,
    /// Its gates, in the order of the site file.
    pub gates: Vec<GateRow>,
    /// The newest version of the deny list; 0 = none yet. A gate whose `list_version` is another is behind.
    #[serde(default)]
    pub list_version: u64,
    /// Records that are in doubt.
    pub doubtful: u64,
    /// Opens by gate and second.
    pub heat: Heat,
    /// The newest taps, at most 50, newest first.
    pub taps: Vec<TapItem>,
}

/// A change of modes or services and how far it has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Change {
    /// Its id.
    pub id: String,
    /// Its revision.
    pub rev: u64,
    /// How many gates it concerns.
    pub of: u32,
    /// How many have acknowledged it.
    pub acked: u32,
    /// Which have not.
    pub missing: Vec<String>,
    /// Since when it counts.
    pub from: Time,
    /// Who set it; `station` where an alarm or a deadline did.
    pub by: String,
    /// Why.
    pub reason: String,
    /// How long it took until all had acknowledged, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub took_ms: Option<u64>,
}

/// A gate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GateRow {
    /// The gate.
    pub device: String,
    /// What it does.
    pub service: Service,
    /// Has it a link?
    pub link: Link,
    /// The revision of the mode that it obeys; 0 = none yet.
    pub mode: u64,
    /// Version of its deny list; 0 = none yet.
    pub list_version: u64,
    /// Codes of its faults.
    pub faults: Vec<String>,
    /// Its last tap.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_tap_at: Option<Time>,
}

/// A tap.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TapItem {
    /// The gate.
    pub device: String,
    /// Which way.
    pub direction: Direction,
    /// What it was told.
    pub result: Shown,
    /// The gate's code.
    pub code: String,
    /// When it was committed.
    pub at: Time,
}

/// Opens by gate and second.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Heat {
    /// The second of the first row.
    pub t0: Time,
    /// Seconds between two rows.
    pub step_s: u32,
    /// Gates, in the order of the columns.
    pub of: Vec<String>,
    /// A row a second, at most 120, oldest first: opens by gate.
    pub rows: Vec<Vec<u32>>,
}

/// State lane `load`: gate → what it did in the last second. A gate that did nothing is left out.
pub type LoadMap = BTreeMap<String, Load>;

/// What a gate did in a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Load {
    /// Taps that opened it.
    pub open: u32,
    /// Taps that did not.
    pub deny: u32,
}

/// An event of the channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "k", rename_all = "snake_case")]
pub enum GatesEvent {
    /// A tap was decided.
    Tap(TapItem),
    /// Modes or services were set.
    Mode(ModeChange),
    /// A gate has acknowledged the change.
    ModeAck(ModeAck),
    /// A gate's row has changed: the whole row.
    Gate(GateRow),
    /// There is a new version of the deny list.
    List {
        /// The version.
        list_version: u64,
    },
    /// The number of records in doubt has changed.
    Doubtful {
        /// Records in doubt.
        doubtful: u64,
    },
}

/// Modes or services were set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ModeChange {
    /// The modes from now on.
    pub modes: Vec<StationMode>,
    /// Until when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Time>,
    /// The change.
    pub change: Change,
}

/// A gate has acknowledged the change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ModeAck {
    /// Id of the change.
    pub id: String,
    /// Its revision.
    pub rev: u64,
    /// The gate.
    pub device: String,
    /// How many have acknowledged it by now.
    pub acked: u32,
    /// How many there are.
    pub of: u32,
    /// How long it took until all had, in milliseconds; absent while some are missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub took_ms: Option<u64>,
}
