//! Fares as data: tables with versions by effective date. Nothing about a city's prices or policies is in code.
//!
//! A table is *what* is charged; which taps make a journey is the business of [`crate::journey`].
use crate::money::{Amount, Currency};
use crate::time::{Millis, Timestamp};
use compact_str::CompactString;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A fare table: its versions by effective date.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct FareTable {
    /// What its amounts are in.
    #[serde(default)]
    pub currency: Currency,
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
}

/// How a ride is priced.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scheme {
    /// By distance.
    Ladder(Ladder),
    /// One price; the entry tap opens and closes the journey (bus).
    Flat(Amount),
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
        match self.classes.get(passenger_class) {
            Some(percent) if *percent != Decimal::ONE_HUNDRED => published.percent(*percent),
            _ => published,
        }
    }
    /// The published fare of a ride; a distance that is not known costs the last rung.
    #[must_use]
    pub fn published(&self, metres: Option<u32>) -> Amount {
        match &self.scheme {
            Scheme::Flat(fare) => *fare,
            Scheme::Ladder(ladder) => match metres {
                Some(metres) => ladder.fare(metres),
                None => ladder.steps.last().map_or(Amount::ZERO, |step| step.fare),
            },
        }
    }
    /// The published lowest fare: what an entry holds.
    #[must_use]
    pub fn lowest(&self) -> Amount {
        self.published(Some(0))
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
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

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
        }
    }

    #[test]
    fn the_chengdu_ladder_at_every_boundary_to_the_metre() {
        let table = chengdu();
        let yuan = |metres| table.published(Some(metres)).fen() / 100;
        let rungs = [4, 8, 12, 18, 24, 32, 40, 50, 70, 90, 110, 130];
        for (n, km) in rungs.into_iter().enumerate() {
            let (metres, fare) = (km * 1000, n as i64 + 2);
            assert_eq!((yuan(metres - 1), yuan(metres), yuan(metres + 1)), (fare, fare, fare + 1), "at {km} km");
        }
        assert_eq!((yuan(0), yuan(1)), (2, 2));
        assert_eq!(table.lowest(), Amount::from_fen(200));
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
        let table = FareTable { currency: Currency::CNY, versions: vec![flat(1000, 200), flat(2000, 300)] };
        let price = |at| table.at(Timestamp(at)).map(|version| version.lowest().fen());
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
