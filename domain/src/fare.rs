//! Fares as data: tables with versions by effective date. Nothing about a city's prices or policies is in code.
//!
//! A table is *what* is charged; which taps make a journey is the business of [`crate::journey`].
mod past;
mod price;
mod scheme;
mod when;

use crate::money::{Amount, Currency};
use crate::time::{Calendar, Day, Millis, Timestamp};
use compact_str::CompactString;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

pub use past::{Cap, Limit, Past, Pays, Period, Relief, Ride, Since, Transfer};
pub use price::{Judge, Left, Rule, Stay};
pub use scheme::{Location, Pairs, Places, Scheme, Trip};
pub use when::{Days, Window};

/// A fare table: its versions by effective date.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct FareTable {
    /// What its amounts are in.
    #[serde(default)]
    pub currency: Currency,
    /// How the network that it was made for counts its days; none = as the site says.
    #[serde(default)]
    pub calendar: Option<Calendar>,
    /// Oldest first; a tap is priced by the newest that was in effect at its time.
    pub versions: Vec<FareVersion>,
}

impl FareTable {
    /// The version in effect at a time of travel; before the first one counts, the first.
    #[must_use]
    pub fn at(&self, at: Timestamp) -> Option<&FareVersion> {
        self.versions.iter().rev().find(|version| version.from <= at).or(self.versions.first())
    }
}

/// One version of a fare table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FareVersion {
    /// Since when it counts.
    pub from: Timestamp,
    /// How a ride is priced.
    pub scheme: Scheme,
    /// Passenger classes and the per cent of the published fare they pay; a class that is not named pays all of it.
    pub classes: BTreeMap<CompactString, Decimal>,
    /// Longest stay between entry and exit, inclusive; none = no limit.
    pub stay_max: Option<Millis>,
    /// What a longer stay costs.
    pub overstay: Overstay,
    /// What entry and exit at one station cost.
    pub same_station: SameStation,
    /// What a journey costs whose exit is missing when its business day is over.
    pub missing_exit: Charge,
    /// What an exit costs that no entry is known of (such as one that a gate decided alone).
    pub missing_entry: Charge,
    /// What is special about it: what a table leaves out is as if it were not there.
    #[serde(default)]
    pub more: More,
}

/// What a fare version may have beside its prices.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct More {
    /// Other prices at some hours: by the entry, the first whose windows hold; else the version's own.
    pub rush: Vec<Rush>,
    /// Classes that pay another share at some hours: by the entry, the first that fits.
    pub concessions: Vec<Concession>,
    /// Public holidays, local days.
    pub holidays: BTreeSet<Day>,
    /// Zones and groups of stations.
    pub places: Places,
    /// What entry and exit at one station cost by the length of the stay, shortest first; each bound is exclusive. A longer stay
    /// is as [`FareVersion::same_station`] says.
    pub same_station_within: Vec<(Millis, Charge)>,
    /// Too long a stay costs the surcharge alone, not the ride as well.
    pub overstay_replaces_ride: bool,
    /// Further rides that follow soon.
    pub transfers: Vec<Transfer>,
    /// At most so much in a while.
    pub caps: Vec<Cap>,
}

/// Other prices at some hours.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rush {
    /// When, by the entry.
    pub windows: Vec<Window>,
    /// What a ride costs then.
    pub scheme: Scheme,
}

/// A class that pays another share at some hours.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Concession {
    /// The passenger class.
    pub class: CompactString,
    /// When, by the entry.
    pub windows: Vec<Window>,
    /// The share in per cent of the published fare.
    pub percent: Decimal,
}

/// A ladder of distances.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ladder {
    /// Rungs by growing distance; at least one.
    pub steps: Vec<Step>,
    /// Above the last rung; none = the last rung's fare for any distance.
    pub beyond: Option<Beyond>,
}

/// A rung.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Up to this many metres, inclusive.
    pub up_to_m: u32,
    /// The published fare.
    pub fare: Amount,
}

/// Above the last rung.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Beyond {
    /// Per started length in metres …
    pub every_m: u32,
    /// … this is added.
    pub add: Amount,
}

/// A charge that is not the price of a known ride.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Charge {
    /// Nothing.
    Free,
    /// The table's lowest fare.
    Lowest,
    /// The highest single fare from the station.
    Highest,
    /// A fixed amount, the same for every passenger class.
    Fixed(Amount),
}

/// What too long a stay costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overstay {
    /// On top of the ride.
    pub surcharge: Charge,
    /// The exit is refused (`OVERSTAY`) until the service desk has collected the surcharge; else the exit pays both.
    pub refuse: bool,
}

/// What entry and exit at one station are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SameStation {
    /// The exit is refused (`SAME_STATION`).
    Refuse,
    /// It costs this.
    Pays(Charge),
}

impl Ladder {
    /// The published fare of a distance.
    #[must_use]
    pub fn fare(&self, metres: u32) -> Amount {
        if let Some(step) = self.steps.iter().find(|step| metres <= step.up_to_m) {
            return step.fare;
        }
        let Some(last) = self.steps.last() else { return Amount::ZERO };
        match &self.beyond {
            Some(beyond) => last.fare + beyond.started(metres - last.up_to_m),
            None => last.fare,
        }
    }
}

impl Beyond {
    fn started(&self, metres: u32) -> Amount {
        let times = metres.div_ceil(self.every_m.max(1));
        Amount::rounded(self.add.decimal() * Decimal::from(times))
    }
}

impl FareVersion {
    /// A share of a published fare by passenger class, rounded half up to the fen.
    #[must_use]
    pub fn for_class(&self, published: Amount, passenger_class: &str) -> Amount {
        share(published, self.classes.get(passenger_class))
    }
    /// Does it name a passenger class?
    #[must_use]
    pub fn knows(&self, passenger_class: &str) -> bool {
        self.classes.contains_key(passenger_class) || self.more.concessions.iter().any(|one| one.class == passenger_class)
    }
    /// Does one tap open and close the journey?
    #[must_use]
    pub fn is_flat(&self) -> bool {
        matches!(self.scheme, Scheme::Flat(_))
    }
    /// Is a stay of this length too long? The limit itself is not.
    #[must_use]
    pub fn overstayed(&self, stay: Millis) -> bool {
        self.stay_max.is_some_and(|max| stay > max)
    }
    /// Every scheme of it: its own first.
    pub fn schemes(&self) -> impl Iterator<Item = &Scheme> {
        std::iter::once(&self.scheme).chain(self.more.rush.iter().map(|rush| &rush.scheme))
    }
    /// What a station belongs to; empty = nothing of its own.
    fn group(&self, station: &str) -> &str {
        self.more.places.get(station).map_or("", |place| &place.group)
    }
    /// Does a station lie in one of these zones, both ends included?
    fn lies_within(&self, station: &str, (low, high): (u8, u8)) -> bool {
        self.more.places.get(station).is_some_and(|place| place.zones.iter().any(|zone| (low..=high).contains(zone)))
    }
}

fn share(published: Amount, percent: Option<&Decimal>) -> Amount {
    match percent {
        Some(percent) if *percent != Decimal::ONE_HUNDRED => published.percent(*percent),
        _ => published,
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::testing::id;

    /// Chengdu's published ladder with its policies.
    pub(crate) fn chengdu() -> FareVersion {
        let rungs = [(4, 2), (8, 3), (12, 4), (18, 5), (24, 6), (32, 7), (40, 8), (50, 9), (70, 10)];
        let steps = rungs.map(|(km, yuan)| Step { up_to_m: km * 1000, fare: Amount::from_fen(yuan * 100) });
        let beyond = Some(Beyond { every_m: 20_000, add: Amount::from_fen(100) });
        FareVersion {
            from: Timestamp(0),
            scheme: Scheme::Ladder(Ladder { steps: steps.into(), beyond }),
            classes: [("adult", 100), ("stored_value", 90), ("pupil", 50)].map(|(class, per_cent)| (class.into(), per_cent.into())).into(),
            stay_max: Some(Millis::minutes(240)),
            overstay: Overstay { surcharge: Charge::Highest, refuse: true },
            same_station: SameStation::Pays(Charge::Lowest),
            missing_exit: Charge::Highest,
            missing_entry: Charge::Highest,
            more: More::default(),
        }
    }

    fn published(version: &FareVersion, metres: u32) -> Amount {
        let (from, to) = (id("s0"), id("s1"));
        version.scheme.published(&Places::new(), &Trip { from: &from, to: &to, metres: Some(metres) })
    }

    #[test]
    fn the_chengdu_ladder_at_every_boundary_to_the_metre() {
        let table = chengdu();
        let yuan = |metres| published(&table, metres).fen() / 100;
        let rungs = [4, 8, 12, 18, 24, 32, 40, 50, 70, 90, 110, 130];
        for (n, km) in rungs.into_iter().enumerate() {
            let (metres, fare) = (km * 1000, n as i64 + 2);
            assert_eq!((yuan(metres - 1), yuan(metres), yuan(metres + 1)), (fare, fare, fare + 1), "at {km} km");
        }
        assert_eq!((yuan(0), yuan(1)), (2, 2));
        assert_eq!(table.scheme.lowest(&Places::new(), &id("s0")), Amount::from_fen(200));
    }

    #[test]
    fn classes_pay_their_share_rounded_half_up_to_the_fen() {
        let table = chengdu();
        let pays = |fen, class| table.for_class(Amount::from_fen(fen), class).fen();
        assert_eq!([pays(500, "adult"), pays(500, "stored_value"), pays(500, "pupil"), pays(500, "unheard_of")], [500, 450, 250, 500]);
        assert_eq!([pays(205, "pupil"), pays(203, "stored_value"), pays(201, "pupil")], [103, 183, 101]);
    }

    #[test]
    fn the_stay_limit_is_inclusive_to_the_millisecond() {
        let table = chengdu();
        assert!(!table.overstayed(Millis::minutes(240)));
        assert!(table.overstayed(Millis(Millis::minutes(240).0 + 1)));
        assert!(!FareVersion { stay_max: None, ..table }.overstayed(Millis::hours(100)));
    }

    #[test]
    fn a_tap_is_priced_by_the_version_in_effect_at_its_time() {
        let flat = |from, fen| FareVersion { from: Timestamp(from), scheme: Scheme::Flat(Amount::from_fen(fen)), ..chengdu() };
        let table = FareTable { currency: Currency::CNY, calendar: None, versions: vec![flat(1000, 200), flat(2000, 300)] };
        let price = |at| table.at(Timestamp(at)).map(|version| published(version, 1).fen());
        assert_eq!([price(0), price(1999), price(2000)], [Some(200), Some(200), Some(300)]);
        assert_eq!(FareTable::default().at(Timestamp(0)), None);
    }

    #[test]
    fn a_ladder_without_beyond_ends_at_its_last_rung() {
        let ladder = Ladder { steps: vec![Step { up_to_m: 10, fare: Amount::from_fen(100) }], beyond: None };
        assert_eq!(ladder.fare(u32::MAX), Amount::from_fen(100));
        assert_eq!(Ladder { steps: vec![], beyond: None }.fare(1), Amount::ZERO);
    }
}
