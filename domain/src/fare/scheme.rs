//! How the published price of a ride is found: by distance, by zones, by pair of stations, or one price for all.
use super::Ladder;
use crate::id::StationId;
use crate::money::Amount;
use compact_str::CompactString;
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;
use std::collections::BTreeMap;

/// How a ride is priced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scheme {
    /// By distance.
    Ladder(Ladder),
    /// One price; the entry tap opens and closes the journey (bus).
    Flat(Amount),
    /// By the zones of entry and exit.
    Zones(Pairs<u8>),
    /// By the stations of entry and exit.
    Matrix(Pairs<StationId>),
}

/// Prices of ordered pairs of places.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pairs<P: Ord>(BTreeMap<P, BTreeMap<P, Amount>>);

impl<P: Ord> Default for Pairs<P> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<P: Ord + Clone> Pairs<P> {
    /// Sets the price from one place to another, in this direction alone.
    pub fn set(&mut self, from: &P, to: &P, fare: Amount) -> Option<Amount> {
        self.0.entry(from.clone()).or_default().insert(to.clone(), fare)
    }
    /// The price from one place to another.
    #[must_use]
    pub fn get(&self, from: &P, to: &P) -> Option<Amount> {
        self.0.get(from)?.get(to).copied()
    }
    /// Prices from a place.
    fn from(&self, from: &P) -> impl Iterator<Item = Amount> {
        self.0.get(from).into_iter().flat_map(BTreeMap::values).copied()
    }
    fn all(&self) -> impl Iterator<Item = Amount> {
        self.0.values().flat_map(BTreeMap::values).copied()
    }
}

/// Where a station lies, as fares see it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Location {
    /// Its zones: a station on a boundary lies in both, and the cheaper counts.
    pub zones: SmallVec<[u8; 2]>,
    /// What it belongs to, such as `bus`: transfers and caps may ask.
    pub group: CompactString,
}

/// Where stations lie.
pub type Places = BTreeMap<StationId, Location>;

/// From where to where, and how far.
#[derive(Debug, Clone, Copy)]
pub struct Trip<'a> {
    /// Entry.
    pub from: &'a StationId,
    /// Exit.
    pub to: &'a StationId,
    /// The shortest way in metres, where it is known.
    pub metres: Option<u32>,
}

fn zones<'a>(places: &'a Places, station: &StationId) -> &'a [u8] {
    places.get(station).map_or(&[], |place| &place.zones)
}

impl Scheme {
    /// The published fare; where it is not known, the dearest of the scheme.
    #[must_use]
    pub fn published(&self, places: &Places, trip: &Trip<'_>) -> Amount {
        self.known(places, trip).unwrap_or_else(|| self.dearest())
    }

    /// The published fare, where the scheme has one.
    #[must_use]
    pub fn known(&self, places: &Places, trip: &Trip<'_>) -> Option<Amount> {
        match self {
            Self::Flat(fare) => Some(*fare),
            Self::Ladder(ladder) => trip.metres.map(|metres| ladder.fare(metres)),
            Self::Matrix(pairs) => pairs.get(trip.from, trip.to),
            Self::Zones(pairs) => {
                let to = zones(places, trip.to);
                let both = zones(places, trip.from).iter().flat_map(|from| to.iter().map(move |to| (from, to)));
                both.filter_map(|(from, to)| pairs.get(from, to)).min()
            }
        }
    }

    /// The lowest published fare from a station.
    #[must_use]
    pub fn lowest(&self, places: &Places, station: &StationId) -> Amount {
        match self {
            Self::Flat(fare) => *fare,
            Self::Ladder(ladder) => ladder.fare(0),
            Self::Matrix(pairs) => pairs.from(station).min().or_else(|| pairs.all().min()).unwrap_or_default(),
            Self::Zones(pairs) => {
                let here = zones(places, station).iter().flat_map(|zone| pairs.from(zone)).min();
                here.or_else(|| pairs.all().min()).unwrap_or_default()
            }
        }
    }

    /// The highest published fare from a station, as far as the scheme itself knows where one can go: for a ladder the network
    /// is needed.
    #[must_use]
    pub fn highest(&self, places: &Places, station: &StationId) -> Option<Amount> {
        match self {
            Self::Flat(fare) => Some(*fare),
            Self::Ladder(_) => None,
            Self::Matrix(pairs) => pairs.from(station).max(),
            // From a boundary every ride costs the cheaper of two.
            Self::Zones(pairs) => zones(places, station).iter().filter_map(|zone| pairs.from(zone).max()).min(),
        }
    }

    /// What is never exceeded, as far as the scheme names fares: a ladder's last rung.
    #[must_use]
    pub fn dearest(&self) -> Amount {
        match self {
            Self::Flat(fare) => *fare,
            Self::Ladder(ladder) => ladder.steps.last().map_or(Amount::ZERO, |step| step.fare),
            Self::Matrix(pairs) => pairs.all().max().unwrap_or_default(),
            Self::Zones(pairs) => pairs.all().max().unwrap_or_default(),
        }
    }

    /// The word for it.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Ladder(_) => "ladder",
            Self::Flat(_) => "flat",
            Self::Zones(_) => "zones",
            Self::Matrix(_) => "matrix",
        }
    }
}
