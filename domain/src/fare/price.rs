//! The price of a journey by a version's policies: the one place that a gate's decision, a correction, the command line and
//! a shadow run all ask.
use super::{Charge, FareVersion, Past, Relief, Ride, SameStation, Scheme, Trip, Window, share};
use crate::id::{FareTableId, StationId};
use crate::money::Amount;
use crate::time::{Calendar, Millis, Timestamp};
use compact_str::CompactString;
use std::fmt;

/// By which rules something is priced.
#[derive(Debug, Clone, Copy)]
pub struct Judge<'a> {
    /// The table: totals go by it.
    pub table: &'a FareTableId,
    /// The version in effect.
    pub version: &'a FareVersion,
    /// How days are counted.
    pub calendar: Calendar,
    /// Passenger class.
    pub class: &'a str,
}

/// What an amount comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rule {
    /// The published fare, by this kind of scheme.
    Fare(&'static str),
    /// Entry and exit at one station.
    SameStation,
    /// Entry and exit at one station, which the gate does not allow.
    SameStationRefused,
    /// The stay was too long.
    Overstay,
    /// A transfer.
    Transfer,
    /// A cap, by its name.
    Cap(CompactString),
    /// No exit came.
    MissingExit,
    /// No entry is known.
    MissingEntry,
    /// A station's mode or the service desk waived it.
    Waived,
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fare(name) => f.write_str(name),
            Self::SameStation => f.write_str("same_station"),
            Self::SameStationRefused => f.write_str("same_station_refused"),
            Self::Overstay => f.write_str("overstay"),
            Self::Transfer => f.write_str("transfer"),
            Self::Cap(name) => write!(f, "cap:{name}"),
            Self::MissingExit => f.write_str("missing_exit"),
            Self::MissingEntry => f.write_str("missing_entry"),
            Self::Waived => f.write_str("waived"),
        }
    }
}

/// What leaving costs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    /// The ride.
    pub ride: Amount,
    /// What comes on top for too long a stay.
    pub surcharge: Amount,
    /// What it comes from.
    pub rule: Rule,
}

impl Left {
    /// Altogether.
    #[must_use]
    pub fn fare(&self) -> Amount {
        self.ride + self.surcharge
    }
}

impl<'a> Judge<'a> {
    fn holds(&self, windows: &[Window], at: Timestamp) -> bool {
        windows.iter().any(|window| window.holds(self.calendar, &self.version.more.holidays, at))
    }
    /// The scheme that counts for who enters at this moment.
    #[must_use]
    pub fn scheme(&self, at: Timestamp) -> &'a Scheme {
        let rush = self.version.more.rush.iter().find(|rush| self.holds(&rush.windows, at));
        rush.map_or(&self.version.scheme, |rush| &rush.scheme)
    }
    /// What the passenger class pays of a published fare at this moment.
    #[must_use]
    pub fn share(&self, published: Amount, at: Timestamp) -> Amount {
        let concessions = &self.version.more.concessions;
        let mut fits = concessions.iter().filter(|one| one.class == self.class && self.holds(&one.windows, at));
        share(published, fits.next().map(|one| &one.percent).or_else(|| self.version.classes.get(self.class)))
    }
    /// What a ride costs alone; one that ends where it began, the lowest fare.
    #[must_use]
    pub fn alone(&self, trip: &Trip<'_>, begun: Timestamp) -> Amount {
        if trip.from == trip.to {
            return self.lowest(trip.from, begun);
        }
        self.share(self.scheme(begun).published(&self.version.more.places, trip), begun)
    }
    /// The lowest fare from a station.
    #[must_use]
    pub fn lowest(&self, station: &StationId, at: Timestamp) -> Amount {
        self.share(self.scheme(at).lowest(&self.version.more.places, station), at)
    }
    /// What a policy charges at a station; `dearest` = the highest published fare from there by the network, where it is known.
    #[must_use]
    pub fn policy(&self, charge: Charge, station: &StationId, at: Timestamp, dearest: impl FnOnce(&Scheme) -> Option<Amount>) -> Amount {
        match charge {
            Charge::Free => Amount::ZERO,
            Charge::Fixed(amount) => amount,
            Charge::Lowest => self.lowest(station, at),
            Charge::Highest => {
                let scheme = self.scheme(at);
                let highest = scheme.highest(&self.version.more.places, station).or_else(|| dearest(scheme));
                self.share(highest.unwrap_or_else(|| scheme.dearest()), at)
            }
        }
    }

    /// What an entry holds: the lowest fare as it would be after all that was.
    #[must_use]
    pub fn hold(&self, past: &Past, station: &StationId, at: Timestamp) -> Amount {
        let trip = Trip { from: station, to: station, metres: Some(0) };
        past.price(self, &Ride { trip, begun: at, ended: at, fare: self.lowest(station, at) }).0
    }

    /// A ride with one tap: it counts from now on.
    pub fn flat(&self, past: &mut Past, station: &StationId, at: Timestamp) -> (Amount, Rule) {
        let trip = Trip { from: station, to: station, metres: Some(0) };
        self.take(past, &Ride { trip, begun: at, ended: at, fare: self.lowest(station, at) })
    }

    /// A ride of which the entry's moment is not known, such as where a missing entry is let pass: it counts from now on.
    pub fn arrive(&self, past: &mut Past, trip: &Trip<'_>, at: Timestamp) -> (Amount, Rule) {
        self.take(past, &Ride { trip: *trip, begun: at, ended: at, fare: self.alone(trip, at) })
    }

    /// What leaving costs, and it counts from now on. `stay.waived` = the stay is looked over (a station's time is waived);
    /// `dearest` as in [`Judge::policy`], from the station of the exit.
    pub fn leave(&self, past: &mut Past, trip: &Trip<'_>, stay: Stay, dearest: impl Fn(&Scheme) -> Option<Amount>) -> Left {
        let overstayed = !stay.waived && self.version.overstayed(stay.length());
        if overstayed {
            let surcharge = self.policy(self.version.overstay.surcharge, trip.to, stay.ended, &dearest);
            let replaced = self.version.more.overstay_replaces_ride;
            let ride = if replaced { Amount::ZERO } else { self.ride(past, trip, stay, &dearest).0 };
            return Left { ride, surcharge, rule: Rule::Overstay };
        }
        let (ride, rule) = self.ride(past, trip, stay, &dearest);
        Left { ride, surcharge: Amount::ZERO, rule }
    }

    fn ride(&self, past: &mut Past, trip: &Trip<'_>, stay: Stay, dearest: &impl Fn(&Scheme) -> Option<Amount>) -> (Amount, Rule) {
        let (begun, ended) = (stay.begun, stay.ended);
        if trip.from != trip.to {
            return self.take(past, &Ride { trip: *trip, begun, ended, fare: self.alone(trip, begun) });
        }
        let (charge, rule) = match (self.same_station(stay.length()), self.version.same_station) {
            (Some(charge), _) | (None, SameStation::Pays(charge)) => (charge, Rule::SameStation),
            (None, SameStation::Refuse) => (Charge::Lowest, Rule::SameStationRefused),
        };
        // Whatever is no fare is a penalty, and counts towards nothing.
        if charge != Charge::Lowest {
            return (self.policy(charge, trip.to, ended, dearest), rule);
        }
        let (fare, why) = self.take(past, &Ride { trip: *trip, begun, ended, fare: self.lowest(trip.from, begun) });
        (fare, if matches!(why, Rule::Fare(_)) { rule } else { why })
    }

    fn same_station(&self, stay: Millis) -> Option<Charge> {
        self.version.more.same_station_within.iter().find(|(bound, _)| stay < *bound).map(|(_, charge)| *charge)
    }

    fn take(&self, past: &mut Past, ride: &Ride<'_>) -> (Amount, Rule) {
        let (fare, relief) = past.take(self, ride);
        let rule = match relief {
            Relief::None => Rule::Fare(self.scheme(ride.begun).name()),
            Relief::Transfer => Rule::Transfer,
            Relief::Cap(name) => Rule::Cap(name),
        };
        (fare, rule)
    }
}

/// A stay between entry and exit.
#[derive(Debug, Clone, Copy)]
pub struct Stay {
    /// Entry.
    pub begun: Timestamp,
    /// Exit.
    pub ended: Timestamp,
    /// Its length does not matter: the station's time is waived.
    pub waived: bool,
}

impl Stay {
    fn length(self) -> Millis {
        self.ended - self.begun
    }
}
