//! What a rider's earlier rides do to the price of the next one: caps, free rides and transfers. A fold over complete
//! rides in the order of their ends; small, so that a tap needs no look at the rides themselves.
//!
//! Penalties (missing taps, overstays, fixed charges) are no rides: they count towards nothing and nothing caps them.
use super::{Judge, Trip};
use crate::id::FareTableId;
use crate::money::Amount;
use crate::mutant::{Mutant, planted};
use crate::time::{Calendar, Millis, Timestamp};
use compact_str::CompactString;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// At most this much is paid in a while.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cap {
    /// Its name: totals go by it, over all versions of a table.
    pub id: CompactString,
    /// How long the while is.
    pub per: Period,
    /// How much.
    pub limit: Limit,
    /// For these passenger classes; empty = for all.
    pub classes: Vec<CompactString>,
    /// Only rides within these zones, both ends included, count and are capped; none = all rides.
    pub zones: Option<(u8, u8)>,
    /// Only rides that begin in one of these groups count and are capped; empty = all rides.
    pub groups: Vec<CompactString>,
}

/// For how long a cap adds up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Period {
    /// One business day.
    Day,
    /// Business days from Monday to Sunday.
    Week,
    /// So many times 24 hours from the first ride; the first ride afterwards begins anew.
    Rolling(u16),
}

/// What is capped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// The sum: exactly this is paid, not a fen more.
    Amount(Amount),
    /// The number of paid rides; further ones are free.
    PaidRides(u32),
}

/// A further ride that follows soon.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transfer {
    /// So long after `since` it may begin at the latest, inclusive.
    pub within: Millis,
    /// From when the window runs.
    pub since: Since,
    /// So many in a row at most; none = any number.
    pub times_max: Option<u32>,
    /// From a group to a group; empty = from anywhere to anywhere.
    pub between: Vec<(CompactString, CompactString)>,
    /// What it costs.
    pub pays: Pays,
}

/// From when a transfer's window runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Since {
    /// From the entry of the first ride of the chain.
    FirstEntry,
    /// From the exit of the last ride.
    LastExit,
}

/// What a transfer costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pays {
    /// Nothing.
    Free,
    /// This share of the fare in per cent.
    Percent(Decimal),
    /// The fare less this.
    Off(Amount),
    /// What the fare is above the dearest ride of the chain.
    Difference,
}

/// A complete ride and what it would cost alone.
#[derive(Debug, Clone, Copy)]
pub struct Ride<'a> {
    /// From where to where.
    pub trip: Trip<'a>,
    /// Time of the entry.
    pub begun: Timestamp,
    /// Time of the exit.
    pub ended: Timestamp,
    /// The share of the passenger class.
    pub fare: Amount,
}

/// What brought a fare down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Relief {
    /// Nothing.
    None,
    /// A transfer.
    Transfer,
    /// This cap.
    Cap(CompactString),
}

/// What earlier rides left behind, by fare table.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Past(Vec<OfTable>);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct OfTable {
    table: FareTableId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    chain: Option<Chain>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    totals: Vec<Total>,
}

/// Rides that follow one another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Chain {
    begun: Timestamp,
    ended: Timestamp,
    group: CompactString,
    transfers: u32,
    dearest: Amount,
}

/// What was paid under a cap.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Total {
    cap: CompactString,
    /// Which while: its first business day, or the moment of its first ride.
    since: i64,
    spent: Amount,
    rides: u32,
}

impl Past {
    /// Has nothing been left behind?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What a ride costs after all that was, and why.
    #[must_use]
    pub fn price(&self, judge: &Judge<'_>, ride: &Ride<'_>) -> (Amount, Relief) {
        let known = self.0.iter().find(|known| known.table == *judge.table);
        let transfer = known.and_then(|known| known.chain.as_ref()).and_then(|chain| judge.transfer(chain, ride));
        let (fare, relief) = transfer.map_or((ride.fare, Relief::None), |(_, fare)| (fare, Relief::Transfer));
        let totals = known.map_or(&[][..], |known| &known.totals);
        judge.caps(ride).fold((fare, relief), |(fare, relief), cap| match cap.leaves(judge, totals, ride) {
            Some(left) if left < fare => (left, Relief::Cap(cap.id.clone())),
            _ => (fare, relief),
        })
    }

    /// The same, and it counts from now on.
    pub fn take(&mut self, judge: &Judge<'_>, ride: &Ride<'_>) -> (Amount, Relief) {
        let priced = self.price(judge, ride);
        if judge.version.more.transfers.is_empty() && judge.version.more.caps.is_empty() {
            return priced;
        }
        let place = self.0.iter().position(|known| known.table == *judge.table).unwrap_or_else(|| {
            self.0.push(OfTable { table: judge.table.clone(), chain: None, totals: Vec::new() });
            self.0.len() - 1
        });
        self.0[place].follow(judge, ride);
        judge.caps(ride).for_each(|cap| self.0[place].total(cap, judge, ride, priced.0));
        priced
    }
}

impl OfTable {
    fn follow(&mut self, judge: &Judge<'_>, ride: &Ride<'_>) {
        if judge.version.more.transfers.is_empty() {
            return;
        }
        let group = judge.version.group(ride.trip.to.as_str()).into();
        let chain = self.chain.as_ref().filter(|chain| judge.transfer(chain, ride).is_some());
        self.chain = Some(match chain {
            Some(chain) => {
                Chain { ended: ride.ended, group, transfers: chain.transfers + 1, dearest: chain.dearest.max(ride.fare), ..chain.clone() }
            }
            None => Chain { begun: ride.begun, ended: ride.ended, group, transfers: 0, dearest: ride.fare },
        });
    }

    fn total(&mut self, cap: &Cap, judge: &Judge<'_>, ride: &Ride<'_>, paid: Amount) {
        let place = self.totals.iter().position(|total| total.cap == cap.id).unwrap_or_else(|| {
            self.totals.push(Total { cap: cap.id.clone(), since: i64::MIN, spent: Amount::ZERO, rides: 0 });
            self.totals.len() - 1
        });
        let total = &mut self.totals[place];
        let since = cap.since(judge.calendar, Some(total), ride.begun);
        if since != total.since {
            (total.since, total.spent, total.rides) = (since, Amount::ZERO, 0);
        }
        total.spent += paid;
        total.rides += u32::from(!paid.is_zero() || planted(Mutant::FreeRidesCounted));
    }
}

impl Cap {
    /// What may still be paid; none = as much as it costs.
    fn leaves(&self, judge: &Judge<'_>, totals: &[Total], ride: &Ride<'_>) -> Option<Amount> {
        let total = totals.iter().find(|total| total.cap == self.id);
        let since = self.since(judge.calendar, total, ride.begun);
        let current = total.filter(|total| total.since == since);
        match self.limit {
            Limit::Amount(limit) => {
                let slack = if planted(Mutant::CapOneFenOver) { Amount::from_fen(1) } else { Amount::ZERO };
                Some((limit + slack - current.map_or(Amount::ZERO, |total| total.spent)).or_nothing())
            }
            Limit::PaidRides(rides) => current.is_some_and(|total| total.rides >= rides).then_some(Amount::ZERO),
        }
    }

    /// The while that a ride belongs to: by its entry, but never one before the newest that was begun.
    fn since(&self, calendar: Calendar, total: Option<&Total>, begun: Timestamp) -> i64 {
        let newest = total.map_or(i64::MIN, |total| total.since);
        let day = if planted(Mutant::CapByLocalDay) { calendar.local_day(begun) } else { calendar.business_day(begun) };
        match self.per {
            Period::Day => newest.max(day.0.into()),
            Period::Week => newest.max(i64::from(day.0) - i64::from(day.of_week())),
            Period::Rolling(days) => {
                let ends = newest.saturating_add(Millis::hours(24 * i64::from(days)).0);
                if newest > i64::MIN && begun.0 < ends { newest } else { begun.0 }
            }
        }
    }
}

impl<'a> Judge<'a> {
    /// The transfer that a ride is, and what it then costs: the cheapest where several would do.
    fn transfer(&self, chain: &Chain, ride: &Ride<'_>) -> Option<(&'a Transfer, Amount)> {
        let group = self.version.group(ride.trip.from.as_str());
        let fits = |transfer: &&Transfer| {
            let since = if transfer.since == Since::FirstEntry { chain.begun } else { chain.ended };
            let soon = ride.begun - since <= transfer.within || planted(Mutant::TransferForEver);
            let again = transfer.times_max.is_none_or(|most| chain.transfers < most);
            let between = transfer.between.is_empty() || transfer.between.iter().any(|(from, to)| *from == chain.group && to == group);
            soon && again && between
        };
        let priced = self.version.more.transfers.iter().filter(fits).map(|transfer| (transfer, transfer.pays.of(ride.fare, chain.dearest)));
        priced.min_by_key(|(_, fare)| *fare)
    }

    /// The caps that a ride counts towards.
    fn caps<'r>(&self, ride: &Ride<'r>) -> impl Iterator<Item = &'a Cap> + use<'a, 'r> {
        let (version, class) = (self.version, self.class);
        let (from, to) = (ride.trip.from, ride.trip.to);
        version.more.caps.iter().filter(move |cap| {
            let class = cap.classes.is_empty() || cap.classes.iter().any(|named| named == class);
            let group = cap.groups.is_empty() || cap.groups.iter().any(|named| named == version.group(from.as_str()));
            let within = cap.zones.is_none_or(|zones| version.lies_within(from.as_str(), zones) && version.lies_within(to.as_str(), zones));
            class && group && within
        })
    }
}

impl Pays {
    fn of(self, fare: Amount, dearest: Amount) -> Amount {
        match self {
            Self::Free => Amount::ZERO,
            Self::Percent(percent) => fare.percent(percent),
            Self::Off(off) => (fare - off).or_nothing(),
            Self::Difference => (fare - dearest).or_nothing(),
        }
    }
}
