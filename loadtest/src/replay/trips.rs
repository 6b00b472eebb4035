//! Moments for each ride of a flow. Riders come out in the bursts of trains: a train arrives at a platform every few minutes,
//! its riders reach the gates within a minute or two. How long a ride takes is drawn once for a pair of stations, since flows
//! know no distances; riders of the pair differ a little.
//!
//! Counts are kept exactly: as many come out in an hour, from each station, as the flow says.
use super::flows::{Flow, Flows};
use super::{HOUR_MS, HOURS, MINUTE_MS};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

/// Half of all pairs are closer than this, in minutes: with the spread below, the entries that come of the Bengaluru metro's
/// exits are, hour by hour, within 2 % of the entries that it counted.
const MEDIAN_MIN: f64 = 30.0;
/// Spread of the logarithm.
const SPREAD: f64 = 0.4;
/// No ride is shorter or longer, in minutes.
const RIDE_MIN: std::ops::RangeInclusive<f64> = 6.0..=90.0;
/// Who comes out where he went in has turned round, in minutes.
const TURNED_ROUND_MIN: std::ops::Range<f64> = 3.0..15.0;
/// Riders of one pair differ by so much.
const DIFFER: f64 = 0.1;
/// From the train to the gates, in milliseconds.
const WALK_MS: std::ops::Range<i64> = 20_000..110_000;
/// Seconds between trains, and at the hours at which most ride.
const HEADWAY_S: i64 = 480;
const HEADWAY_BUSY_S: i64 = 240;
/// An hour is busy when it has this share of the day's riders.
const BUSY: f64 = 0.06;

/// A ride; moments are milliseconds since midnight of the day, below 0 on the evening before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trip {
    /// Index of the station where it begins.
    pub from: u16,
    /// Index of the station where it ends.
    pub to: u16,
    /// The tap at the entry.
    pub enters_ms: i64,
    /// The tap at the exit.
    pub leaves_ms: i64,
}

/// What the moments of an hour depend on.
struct Timetable {
    seed: u64,
    headway_ms: [i64; HOURS],
    /// Riders who come out, by station and hour.
    leaving: Vec<[u32; HOURS]>,
}

/// Random numbers that belong to a thing, whatever else there is.
fn random_of(seed: u64, what: u64, a: u16, b: u16, c: u8) -> ChaCha8Rng {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    key[8..16].copy_from_slice(&what.to_le_bytes());
    key[16..18].copy_from_slice(&a.to_le_bytes());
    key[18..20].copy_from_slice(&b.to_le_bytes());
    key[20] = c;
    ChaCha8Rng::from_seed(key)
}

const OF_FLOW: u64 = 1;
const OF_PAIR: u64 = 2;
const OF_PLATFORM: u64 = 3;

/// All rides of a day, by the moment at which they begin.
#[must_use]
pub fn trips(flows: &Flows, seed: u64) -> Vec<Trip> {
    let table = Timetable::of(flows, seed);
    let mut trips: Vec<Trip> = flows.flows.iter().flat_map(|flow| table.ride(*flow)).collect();
    trips.sort_by_key(|trip| (trip.enters_ms, trip.leaves_ms, trip.from, trip.to));
    trips
}

impl Timetable {
    fn of(flows: &Flows, seed: u64) -> Self {
        let mut leaving = vec![[0; HOURS]; flows.stations.len()];
        let mut hours = [0_u64; HOURS];
        for flow in &flows.flows {
            hours[usize::from(flow.hour)] += u64::from(flow.riders);
            leaving[usize::from(flow.to)][usize::from(flow.hour)] += flow.riders;
        }
        let all = flows.riders() as f64;
        let headway_ms = hours.map(|riders| 1_000 * if riders as f64 >= BUSY * all { HEADWAY_BUSY_S } else { HEADWAY_S });
        Self { seed, headway_ms, leaving }
    }

    fn ride(&self, flow: Flow) -> impl Iterator<Item = Trip> {
        let mut random = random_of(self.seed, OF_FLOW, flow.from, flow.to, flow.hour);
        let ride_min = self.pair_min(flow);
        let trains = self.trains(flow);
        let mut trips = Vec::with_capacity(flow.riders as usize);
        for _ in 0..flow.riders {
            let leaves_ms = trains.leaves_ms(&mut random);
            let differs = random.random_range(1.0 - DIFFER..1.0 + DIFFER);
            let took =
                if flow.from == flow.to { milliseconds(random.random_range(TURNED_ROUND_MIN)) } else { milliseconds(ride_min * differs) };
            trips.push(Trip { from: flow.from, to: flow.to, enters_ms: leaves_ms - took, leaves_ms });
        }
        trips.into_iter()
    }

    /// How long a pair of stations is apart, in minutes; the same both ways.
    fn pair_min(&self, flow: Flow) -> f64 {
        let (near, far) = (flow.from.min(flow.to), flow.from.max(flow.to));
        let mut random = random_of(self.seed, OF_PAIR, near, far, 0);
        // Twelve even numbers add up to a normal one, nearly.
        let normal = (0..12).map(|_| random.random::<f64>()).sum::<f64>() - 6.0;
        (MEDIAN_MIN * (SPREAD * normal).exp()).clamp(*RIDE_MIN.start(), *RIDE_MIN.end())
    }

    /// The trains by which the riders of a flow come: from stations before theirs in the list at one platform, else at the other.
    fn trains(&self, flow: Flow) -> Trains {
        let headway_ms = self.headway_ms[usize::from(flow.hour)];
        let mut random = random_of(self.seed, OF_PLATFORM, flow.to, u16::from(flow.from > flow.to), 0);
        let phase_ms = random.random_range(0..headway_ms);
        Trains { begins_ms: i64::from(flow.hour) * HOUR_MS, headway_ms, phase_ms, slope: self.slope(flow) }
    }

    /// How the stream out of a station rises or falls within the hour: its strength at both ends.
    fn slope(&self, flow: Flow) -> (f64, f64) {
        let hours = &self.leaving[usize::from(flow.to)];
        let at = |hour: usize| f64::from(hours.get(hour).copied().unwrap_or(0));
        let hour = usize::from(flow.hour);
        let before = hour.checked_sub(1).map_or(0.0, at);
        ((before + at(hour)) / 2.0, (at(hour) + at(hour + 1)) / 2.0)
    }
}

/// Trains of an hour at a platform.
struct Trains {
    begins_ms: i64,
    headway_ms: i64,
    phase_ms: i64,
    /// How strong the stream is as the hour begins and ends.
    slope: (f64, f64),
}

impl Trains {
    /// The moment at which a rider comes out: some train's arrival and the walk from it, within the hour.
    fn leaves_ms(&self, random: &mut ChaCha8Rng) -> i64 {
        let walk = random.random_range(WALK_MS);
        let first = self.begins_ms - walk;
        let wanted = first + share_ms(sloped(random.random(), self.slope));
        let train = wanted - (wanted - self.phase_ms).rem_euclid(self.headway_ms);
        walk + if train < first { train + self.headway_ms } else { train }
    }
}

/// Where in the hour somebody comes, from 0 to 1, if the stream changes evenly between two strengths.
fn sloped(even: f64, (first, last): (f64, f64)) -> f64 {
    let (sum, change) = (first + last, last - first);
    if sum <= 0.0 || change.abs() < 1e-9 * sum {
        return even;
    }
    // The mass up to x is (first x + change x²/2) of sum/2.
    ((first * first + change * sum * even).max(0.0).sqrt() - first) / change
}

/// A share of an hour in milliseconds, below the whole.
fn share_ms(share: f64) -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "at most an hour")]
    let ms = (share * HOUR_MS as f64) as i64;
    ms.clamp(0, HOUR_MS - 1)
}

fn milliseconds(minutes: f64) -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "minutes of one ride")]
    let ms = (minutes * MINUTE_MS as f64) as i64;
    ms
}
