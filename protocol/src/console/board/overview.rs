//! `overview:{site}` and `overview:all`: is the city well?
use super::Names;
use crate::gate::StationMode;
use crate::money::Money as Amount;
use crate::time::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Keys of the state lane.
pub mod keys {
    /// [`super::Figures`], each second.
    pub const FIGURES: &str = "figures";
    /// Station → [`super::StationFigures`]; only those that changed.
    pub const STATIONS: &str = "stations";
}

/// The snapshot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OverviewSnapshot {
    /// The position it stands at.
    pub rev: u64,
    /// When it was taken.
    pub at: Time,
    /// The figures of the last second.
    #[serde(flatten)]
    pub figures: Figures,
    /// A gate's deadline, for the histogram.
    pub deadline_ms: u32,
    /// Tickets waiting.
    pub waiting: u32,
    /// Customers being served.
    pub serving: u32,
    /// The remote centre.
    pub remote: Remote,
    /// Every station with its place on the map.
    pub stations: Vec<StationRow>,
    /// Tracks, as pairs of stations.
    pub links: Vec<(String, String)>,
    /// The last minutes.
    pub series: Series,
}

/// What changes each second; state lane `figures`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Figures {
    /// Taps a second.
    pub taps_s: f64,
    /// Half of the decisions of the last minute were faster, in milliseconds; null where there were none.
    pub p50_ms: Option<f64>,
    /// 99 of 100 were; null where there were none.
    pub p99_ms: Option<f64>,
    /// Refusals of the last minute by code.
    pub refusals: BTreeMap<String, u64>,
    /// Gates with a link.
    pub gates: Online,
    /// Alarms that are not over.
    pub alarms: Alarms,
    /// Money of the business day.
    pub money: Money,
    /// Decisions of the last minute by time.
    pub latency: Latency,
}

/// So many of so many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Online {
    /// With a link.
    pub online: u32,
    /// All.
    pub of: u32,
}

/// The remote centre.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "RemoteCounts")]
pub struct Remote {
    /// Waiting for an agent.
    pub waiting: u32,
    /// With an agent.
    pub active: u32,
}

/// Alarms that are not over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "AlarmCounts")]
pub struct Alarms {
    /// Nobody has taken them.
    pub raised: u32,
    /// Somebody knows, or has put them off.
    pub acked: u32,
}

/// Money of the business day.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "DayMoney")]
pub struct Money {
    /// `YYYY-MM-DD`; it switches at 02:00.
    pub business_day: String,
    /// What was charged.
    pub posted: Amount,
    /// Journeys that ended.
    pub journeys: u64,
}

/// A histogram of decisions by time.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Latency {
    /// Upper bounds of the buckets in milliseconds; the last bucket has none.
    pub bounds_ms: Vec<f64>,
    /// One count more than there are bounds.
    pub counts: Vec<u64>,
}

/// A station on the map.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StationRow {
    /// The station.
    pub station: String,
    /// Its name.
    pub name: Names,
    /// Its place, 0 to 1 from the left.
    pub x: f64,
    /// Its place, 0 to 1 from the top.
    pub y: f64,
    /// The line it lies on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<String>,
    /// What changes.
    #[serde(flatten)]
    pub figures: StationFigures,
}

/// What changes at a station; state lane `stations`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct StationFigures {
    /// Its modes; none = normal service.
    pub modes: Vec<StationMode>,
    /// Gates with a link.
    pub online: u32,
    /// Gates.
    pub of: u32,
    /// Taps a second.
    pub taps_s: f64,
    /// Alarms that are not over.
    pub alarms: u32,
}

/// The last minutes, one value a step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Series {
    /// The moment of the first value.
    pub t0: Time,
    /// Seconds between two values.
    pub step_s: u32,
    /// Taps a second, at most 300 values.
    pub taps: Vec<f64>,
    /// p99 in milliseconds, as many values; null where there was no tap.
    pub p99: Vec<Option<f64>>,
}

/// An event of the channel: what happens to stations as a whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "k", rename_all = "snake_case")]
pub enum OverviewEvent {
    /// A station's modes have changed.
    Mode {
        /// The station.
        station: String,
        /// Its modes.
        modes: Vec<StationMode>,
        /// Who set them; absent where an alarm or a deadline did.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<String>,
    },
}
