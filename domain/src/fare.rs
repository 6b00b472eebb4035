//! Fares as data: tables with effective dates.
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// A fare table: its versions by effective date.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct FareTable {
    /// Oldest first; a tap is priced by the newest that was in effect at its time.
    pub versions: Vec<FareVersion>,
}

/// One version of a fare table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FareVersion {
    /// Since when it counts.
    pub from: Timestamp,
}
