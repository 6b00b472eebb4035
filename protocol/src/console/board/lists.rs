//! `alarms`, `approvals`, `audit`: newest first, at most 200; an event carries the whole item.
use crate::time::Time;
use crate::wire::wire_enum;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tongdao_domain::{alarm, approval};

wire_enum! {
    /// What is wrong.
    AlarmCode = alarm::AlarmCode {
        GatesOffline = "gates_offline", GateFault = "gate_fault", EmergencyButton = "emergency_button", Fire = "fire",
        Intrusion = "intrusion", Door = "door", Tamper = "tamper", JournalReserve = "journal_reserve", ClockStep = "clock_step",
        Quarantine = "quarantine", DoubtfulMany = "doubtful_many",
    }
}
wire_enum! {
    /// How bad it is.
    Severity = alarm::Severity { Warning = "warning", Minor = "minor", Major = "major", Critical = "critical" }
}
wire_enum! {
    /// Where an alarm stands.
    AlarmState = alarm::State { Raised = "raised", Acked = "acked", Snoozed = "snoozed", Cleared = "cleared" }
}
wire_enum! {
    /// Where an approval stands.
    ApprovalState = approval::State {
        Pending = "pending", Approved = "approved", Rejected = "rejected", Expired = "expired", Done = "done",
    }
}

/// The snapshot of a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "{T}List")]
pub struct Listing<T> {
    /// The position it stands at.
    pub rev: u64,
    /// When it was taken.
    pub at: Time,
    /// Newest first.
    pub items: Vec<T>,
}

/// An alarm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AlarmItem {
    /// Its name, `{code}.{source}`.
    pub alarm: String,
    /// Its revision, for `if_rev`.
    pub rev: u64,
    /// What is wrong.
    pub code: AlarmCode,
    /// How bad.
    pub severity: Severity,
    /// Where: a station, a device or `node`.
    pub source: String,
    /// The station it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub station: Option<String>,
    /// The site it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<String>,
    /// How often it was told since it began.
    pub count: u64,
    /// Where it stands.
    pub state: AlarmState,
    /// Who has taken it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Devices that the cause is there at.
    pub devices: Vec<String>,
    /// When it began.
    pub since: Time,
    /// When it last changed.
    pub changed_at: Time,
    /// Until when it is put off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snoozed_until: Option<Time>,
    /// Can a person end it?
    pub clearable: bool,
}

/// An event of `alarms`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "k", rename_all = "snake_case")]
pub enum AlarmEvent {
    /// It is new or has changed.
    Alarm(AlarmItem),
}

/// A command that waits for a second person, or waited.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ApprovalItem {
    /// Its id.
    pub approval: String,
    /// The operation.
    pub op: String,
    /// Its arguments.
    pub args: Value,
    /// SHA-256 over both: what an approver sends back.
    pub digest: String,
    /// Why it is asked for.
    pub reason: String,
    /// Who asks.
    pub by: String,
    /// When.
    pub asked_at: Time,
    /// Nobody can approve it from this moment on.
    pub expires_at: Time,
    /// The station it concerns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub station: Option<String>,
    /// Where it stands.
    pub state: ApprovalState,
    /// Who decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_by: Option<String>,
    /// When it was decided, or expired.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_at: Option<Time>,
    /// What the decider noted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The code of the refusal that the command met when it was run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
}

/// An event of `approvals`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "k", rename_all = "snake_case")]
pub enum ApprovalEvent {
    /// It is new or has changed.
    Approval(ApprovalItem),
}

/// Something that a person did or saw, or faults of the outside world that were counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AuditItem {
    /// Its place in the journal: `{partition}/{seq}`.
    pub id: String,
    /// When it was committed.
    pub at: Time,
    /// Who; absent for counted faults.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// What: the event's name (`station.modes_set`) or the noted operation (`session.login`).
    pub op: String,
    /// Whom or what it concerns: `station/tianfu`.
    pub target: String,
    /// The station it concerns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub station: Option<String>,
    /// The site it concerns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<String>,
    /// The reason given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What else is to be known, such as `count 3`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The command that caused it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command_id: Option<String>,
}

/// An event of `audit`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "k", rename_all = "snake_case")]
pub enum AuditEvent {
    /// It is new.
    Audit(AuditItem),
}
