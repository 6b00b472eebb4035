//! The books at the quiet end, against a reference that was written independently: what each rider *did* at the gates, priced
//! by the published ladder.
use super::Oracle;
use crate::city::LINE;
use crate::rider::{Place, RiderLife, Stop};
use std::collections::BTreeMap;
use tongdao_domain::account::Account;
use tongdao_domain::time::Timestamp;

/// What a journey may cost in the end, in fen. More than one amount only where an emergency began or ended at that moment.
type Allowed = Vec<i64>;

/// The published fare for a distance, in fen: 2 yuan up to 4 km, then a yuan for each further step.
fn ladder(metres: u32) -> i64 {
    let steps = [4_000, 8_000, 12_000, 18_000, 24_000];
    let passed = steps.iter().filter(|step| metres > **step).count();
    200 + 100 * i64::try_from(passed).unwrap_or(0)
}

fn position(station: &str) -> u32 {
    LINE.iter().find(|(name, _)| *name == station).map_or(0, |(_, position)| *position)
}

fn ride(from: &str, to: &str) -> i64 {
    ladder(position(from).abs_diff(position(to)))
}

/// The dearest ride from a station.
fn highest_from(station: &str) -> i64 {
    LINE.iter().map(|(name, _)| ride(station, name)).max().unwrap_or(0)
}

fn journey_of(entry: &Place) -> String {
    format!("{}/{}/{}", entry.tap.device, entry.tap.epoch, entry.tap.seq)
}

impl Oracle {
    /// What a rider's journeys may cost. `closed` = the business day is over: journeys without exit are priced.
    fn expected(&self, rider: &RiderLife, closed: bool) -> BTreeMap<String, Allowed> {
        let mut journeys = BTreeMap::new();
        let mut entry: Option<&Place> = None;
        for stop in &rider.stops {
            match (stop, entry.take()) {
                (Stop::Entry(place), None) => entry = Some(place),
                (Stop::Exit(exit), Some(entry)) => {
                    journeys.insert(journey_of(entry), self.ridden(entry, exit));
                }
                (Stop::Left, Some(entry)) => {
                    journeys.insert(journey_of(entry), self.left(entry, closed));
                }
                impossible => panic!("nobody can do that: {impossible:?}"),
            }
        }
        assert!(entry.is_none(), "somebody is still in: {entry:?}");
        journeys
    }

    fn ridden(&self, entry: &Place, exit: &Place) -> Allowed {
        let fare = ride(entry.station.as_str(), exit.station.as_str());
        // A wrong clock may set the exit before or after an emergency: then either is right, by when the server heard of both.
        let by = |moment| self.emergency(exit.station.as_str(), moment);
        match by(exit.at).filter(|found| by(exit.truly) == Some(*found)) {
            Some(true) => vec![0],
            Some(false) => vec![fare],
            None => vec![0, fare],
        }
    }

    fn left(&self, entry: &Place, closed: bool) -> Allowed {
        let free = self.any_emergency(entry.at, Timestamp(i64::MAX));
        vec![if closed && !free { highest_from(entry.station.as_str()) } else { 0 }]
    }

    /// Every journey that was made is paid as it must be, every other not at all; the account agrees.
    pub fn check_books(&self, riders: &[RiderLife], account: impl Fn(&str) -> Account, closed: bool) {
        for rider in riders {
            let expected = self.expected(rider, closed);
            let Some(id) = rider.account.as_ref().map(|id| id.as_str()) else { continue };
            let paid = |journey: &str| self.paid.get(&(id.to_owned(), journey.to_owned())).copied().unwrap_or(0);
            for (journey, allowed) in &expected {
                assert!(allowed.contains(&paid(journey)), "journey {journey} of {id} is paid {} fen, not {allowed:?}", paid(journey));
            }
            let mut total = 0;
            for ((_, journey), paid) in self.paid.iter().filter(|((account, _), _)| account == id) {
                assert!(*paid == 0 || expected.contains_key(journey), "{id} paid {paid} fen for {journey}, which nobody rode");
                total += paid;
            }
            let balance = self.funded.get(id).copied().unwrap_or(0) - total;
            let account = account(id);
            assert_eq!(account.balance.fen(), balance, "the balance of {id}");
            assert!(!closed || account.open.is_none(), "{id} is in though the day is over");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reference_knows_the_published_ladder() {
        let yuan = |metres| ladder(metres) / 100;
        assert_eq!([0, 4_000, 4_001, 8_000, 8_001, 12_001, 18_000, 18_001].map(yuan), [2, 2, 3, 3, 4, 5, 5, 6]);
        assert_eq!((ride("s0", "s4"), ride("s3", "s2"), highest_from("s2")), (600, 300, 500));
    }
}
