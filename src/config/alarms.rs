//! `[alarms]`: when something is an alarm, and how long a person may put one off.
use serde::{Deserialize, Serialize};

/// Alarms.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Alarms {
    /// A person puts an alarm off at most this long.
    pub snooze_max_h: i64,
    /// A gate without a link for this long is an alarm.
    pub offline_after_ms: i64,
    /// More doubtful records than this that nobody has decided are an alarm.
    pub doubtful_above: u64,
}

impl Default for Alarms {
    fn default() -> Self {
        Self { snooze_max_h: 24, offline_after_ms: 5000, doubtful_above: 100 }
    }
}
