//! A station: its modes with their history, its alarms, the service of its gates. `rev` grows with each change; a gate
//! applies only a higher one.
use crate::device::By;
use crate::id::{CommandId, DeviceId};
use crate::time::Timestamp;
use compact_str::CompactString;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

mod history;
mod machine;
#[cfg(test)]
mod tests;

pub use history::NO_MODES;

/// Station modes combine; emergency wins over all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// No entries; exits free to leave at their fare.
    Closed,
    /// Trains do not run.
    TrainFailure,
    /// The stay limit is not looked at (时间免检).
    TimeWaived,
    /// The validity date is not looked at (日期免检).
    DateWaived,
    /// Nothing is deducted (车费免检).
    FareWaived,
    /// A missing entry is accepted (进出站次序免检).
    OrderWaived,
    /// Entries are not looked at.
    EntryWaived,
    /// All gates open, exits charge nothing (紧急放行).
    Emergency,
}

/// What a gate does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum Service {
    /// Takes entries.
    Entry,
    /// Takes exits.
    Exit,
    /// Takes both.
    #[default]
    Both,
    /// Stands open.
    Open,
    /// Stays shut.
    Closed,
    /// Takes no taps for a while.
    Paused,
    /// A technician works on it.
    Maintenance,
}

/// What a gate's button or sensor reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlarmKind {
    /// The emergency button.
    EmergencyButton,
    /// The fire line.
    Fire,
    /// Somebody went through without a tap.
    Intrusion,
    /// The door.
    Door,
    /// Somebody opened the housing.
    Tamper,
}
impl AlarmKind {
    /// The name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::EmergencyButton => "emergency_button",
            Self::Fire => "fire",
            Self::Intrusion => "intrusion",
            Self::Door => "door",
            Self::Tamper => "tamper",
        }
    }
    /// Does the station go into emergency by it?
    #[must_use]
    pub const fn opens_the_gates(self) -> bool {
        matches!(self, Self::EmergencyButton | Self::Fire)
    }
}

/// What may be asked of a station.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Command {
    /// Set its modes (emergency excluded); the empty set is normal service.
    SetModes {
        /// The modes.
        modes: BTreeSet<Mode>,
        /// Until when; then normal service again.
        until: Option<Timestamp>,
        /// Who and why.
        by: By,
    },
    /// All gates open. One person, no approval.
    Emergency {
        /// Who and why.
        by: By,
    },
    /// Leave the emergency; `WRONG_STATE` while an alarm is on.
    Release {
        /// Who and why.
        by: By,
        /// The second person, once users exist.
        approved_by: Option<crate::id::UserId>,
    },
    /// What a gate reports: it has acted already.
    Alarm {
        /// The gate.
        device: DeviceId,
        /// The alarm's own id at the gate.
        alarm: CompactString,
        /// What it is.
        kind: AlarmKind,
        /// On or off.
        on: bool,
        /// Since when, by the gate's clock.
        at: Timestamp,
    },
    /// Set what gates do.
    GateService {
        /// The gates; all stand in this station.
        devices: Vec<DeviceId>,
        /// What they do.
        service: Service,
        /// Who and why.
        by: By,
    },
    /// A deadline is reached.
    Tick,
}

/// What can have happened to a station.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// `station.modes_set`: its modes are these from now on (or from `from`, where an alarm acted before).
    ModesSet {
        /// Id of the change.
        id: CommandId,
        /// The new revision.
        rev: u64,
        /// The modes.
        modes: BTreeSet<Mode>,
        /// Since when they count.
        from: Timestamp,
        /// Until when.
        until: Option<Timestamp>,
        /// Who and why; none where a gate's alarm or a deadline did it.
        by: Option<By>,
        /// The second person of a release.
        approved_by: Option<crate::id::UserId>,
        /// History that ended before this is no longer kept.
        kept_from: Timestamp,
    },
    /// `station.alarmed`: a gate's alarm went on or off.
    Alarmed {
        /// The gate.
        device: DeviceId,
        /// The alarm's own id.
        alarm: CompactString,
        /// What it is.
        kind: AlarmKind,
        /// On or off.
        on: bool,
        /// Since when.
        at: Timestamp,
    },
    /// `station.service_set`: gates do this from now on.
    ServiceSet {
        /// Id of the change.
        id: CommandId,
        /// The new revision.
        rev: u64,
        /// The gates.
        devices: Vec<DeviceId>,
        /// What they do.
        service: Service,
        /// Who and why.
        by: By,
        /// Since when.
        from: Timestamp,
    },
}

/// One span of the mode history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModeSpan {
    /// Since when.
    pub from: Timestamp,
    /// Revision that began it.
    pub rev: u64,
    /// The modes.
    pub modes: BTreeSet<Mode>,
    /// When those that end by themselves end within it, told or not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

/// A station.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Station {
    /// The newest revision; 0 = nothing ever set.
    pub rev: u64,
    /// The present modes.
    pub modes: BTreeSet<Mode>,
    /// Until when they count.
    pub until: Option<Timestamp>,
    /// Every span, oldest first; the last is the present one.
    pub history: Vec<ModeSpan>,
    /// Gates whose service differs from the site file.
    pub services: BTreeMap<DeviceId, Service>,
    /// Alarms that are on: (gate, alarm id) → kind and since when.
    pub alarms: Vec<OpenAlarm>,
    /// The newest change: what the retained `down/mode` says.
    pub last_change: Option<LastChange>,
}

/// An alarm that is on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenAlarm {
    /// The gate.
    pub device: DeviceId,
    /// The alarm's own id.
    pub alarm: CompactString,
    /// What it is.
    pub kind: AlarmKind,
    /// Since when.
    pub at: Timestamp,
}

/// The newest change of modes or services.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastChange {
    /// Its id.
    pub id: CommandId,
    /// Its revision.
    pub rev: u64,
    /// Since when it counts.
    pub from: Timestamp,
    /// Who and why.
    pub by: Option<By>,
}

/// What the retained `down/mode` of a gate says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GateMode {
    /// Id of the change, echoed by `up/ack`.
    pub id: CommandId,
    /// Revision; a gate applies only a higher one. 0 = nothing was ever set.
    pub rev: u64,
    /// What the gate does; `open` in an emergency.
    pub service: Service,
    /// The station's modes.
    pub modes: BTreeSet<Mode>,
    /// A user id, or `station` where an alarm or a reached end did it.
    pub issued_by: CompactString,
    /// Why.
    pub reason: CompactString,
    /// Since when.
    pub from: Timestamp,
    /// Until when.
    pub until: Option<Timestamp>,
}
