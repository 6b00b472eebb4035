//! Journeys as a pure function of what is known of an account's taps: [`facts`](fact) in, journeys out.
//!
//! The straight path extends the last step of the same walk that a late fact runs anew over everything, so both always
//! say the same. Journeys never change money themselves: the account posts the difference.
pub mod fact;
pub(crate) mod scene;
mod walk;

use crate::fare::Rule;
use crate::id::{StationId, TapId};
use crate::money::Amount;
use crate::time::{Day, Timestamp};
use compact_str::{CompactString, format_compact};
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

pub use fact::{Fact, Mark, MarkKind, Passed, Recorded, Standing, Told};
pub use walk::{Arrived, Ended, Rules, journeys};

/// Where a journey stands (or how it ended).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JourneyState {
    /// The rider is in.
    Open,
    /// Entry and exit, priced as a ride.
    Closed,
    /// Entry and exit, longer than the table allows.
    Overstay,
    /// Entry and exit at one station.
    SameStation,
    /// No exit until its business day was over, or another entry came first.
    MissingExit,
    /// An exit that no entry is known of.
    MissingEntry,
    /// Without charge: by a station's mode or by the service desk.
    Waived,
}

/// An end of a journey.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stop {
    /// The tap.
    pub tap: TapId,
    /// Where.
    pub station: StationId,
    /// When, by the gate's clock.
    pub at: Timestamp,
}

/// A part of a journey's price.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charged {
    /// The local day it counts towards.
    pub day: Day,
    /// Who receives it.
    pub operator: CompactString,
    /// How much; more than nothing.
    pub amount: Amount,
    /// Since when the version of the table counts that priced it.
    pub fares_from: Timestamp,
}

/// A journey.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Journey {
    /// The id of the tap that began it: stable when it is computed anew.
    pub id: CompactString,
    /// Where it began; none = unknown.
    pub entry: Option<Stop>,
    /// Where it ended; none = open or unknown.
    pub exit: Option<Stop>,
    /// Where it stands.
    pub state: JourneyState,
    /// By which rule it was priced; none = it is open, or there are no fares.
    pub rule: Option<Rule>,
    /// What it costs, by day and operator; none = nothing.
    pub charges: SmallVec<[Charged; 1]>,
}

impl Journey {
    /// What it costs altogether.
    #[must_use]
    pub fn fare(&self) -> Amount {
        self.charges.iter().map(|charged| charged.amount).sum()
    }
}

/// The id of the journey that a tap begins.
#[must_use]
pub fn journey_id(tap: &TapId) -> CompactString {
    format_compact!("{}/{}/{}", tap.device, tap.epoch, tap.seq)
}

/// The journey that the rider is in: what the next tap needs to know of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Open {
    /// Its entry.
    pub entry: Stop,
    /// Held for it.
    pub hold: Amount,
    /// Without exit until then it closes by policy.
    pub closes_at: Timestamp,
    /// Its overstay has been collected at the service desk.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub overstay_collected: bool,
}
