//! Who rides. Somebody who came out at a station may go in again there after a while, and anywhere after some hours; nobody
//! is ever in two places. So a day needs fewer media than rides, and each of them makes journeys that somebody could make.
use super::MINUTE_MS;
use super::trips::Trip;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

/// Before somebody goes in again where he came out.
pub const REST_HERE_MS: i64 = 20 * MINUTE_MS;
/// Before he may go in anywhere else: he walked or took a bus.
pub const REST_ELSEWHERE_MS: i64 = 120 * MINUTE_MS;

#[derive(Debug, Clone, Copy)]
struct Outside {
    since_ms: i64,
    rider: u32,
}

/// Those who are outside, the longest there first.
#[derive(Default)]
struct Crowd {
    at: Vec<VecDeque<Outside>>,
    anywhere: VecDeque<Outside>,
    /// Since when each rider is outside; `None` = on the way. Both queues may still name somebody who has gone.
    since_ms: Vec<Option<i64>>,
}

impl Crowd {
    fn comes_out(&mut self, rider: u32, station: u16, at_ms: i64) {
        let outside = Outside { since_ms: at_ms, rider };
        self.since_ms[rider as usize] = Some(at_ms);
        self.at[usize::from(station)].push_back(outside);
        self.anywhere.push_back(outside);
    }

    fn goes_in(&mut self, station: u16, at_ms: i64) -> u32 {
        let here = first(&mut self.at[usize::from(station)], &self.since_ms, at_ms - REST_HERE_MS);
        let rider = here.or_else(|| first(&mut self.anywhere, &self.since_ms, at_ms - REST_ELSEWHERE_MS)).unwrap_or_else(|| {
            self.since_ms.push(None);
            u32::try_from(self.since_ms.len() - 1).unwrap_or(u32::MAX)
        });
        self.since_ms[rider as usize] = None;
        rider
    }
}

/// The first of a queue who is still outside, if he has been there since this moment or longer.
fn first(queue: &mut VecDeque<Outside>, since_ms: &[Option<i64>], until_ms: i64) -> Option<u32> {
    while let Some(outside) = queue.front().copied() {
        if since_ms[outside.rider as usize] != Some(outside.since_ms) {
            queue.pop_front();
        } else if outside.since_ms <= until_ms {
            queue.pop_front();
            return Some(outside.rider);
        } else {
            return None;
        }
    }
    None
}

/// A rider for each trip, by its index, and how many riders there are. The trips are in the order in which they begin.
#[must_use]
pub fn riders(trips: &[Trip], stations: usize) -> (Vec<u32>, usize) {
    let mut crowd = Crowd { at: vec![VecDeque::new(); stations], ..Crowd::default() };
    let mut on_the_way: BinaryHeap<Reverse<(i64, u32, u16)>> = BinaryHeap::new();
    let mut riders = Vec::with_capacity(trips.len());
    for trip in trips {
        while let Some(Reverse((at_ms, rider, station))) = on_the_way.peek().copied().filter(|Reverse((at, ..))| *at <= trip.enters_ms) {
            on_the_way.pop();
            crowd.comes_out(rider, station, at_ms);
        }
        let rider = crowd.goes_in(trip.from, trip.enters_ms);
        on_the_way.push(Reverse((trip.leaves_ms, rider, trip.to)));
        riders.push(rider);
    }
    (riders, crowd.since_ms.len())
}
