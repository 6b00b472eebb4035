//! What goes wrong in the demo's city now and then, so that every page has something to show: a gate loses its network, a
//! station's switch dies, something in a gate breaks, a door alarm, a crowd, and once an emergency button. All but the
//! button mends itself; the emergency stays until two persons release it.
use super::city::City;
use super::trips::Trips;
use crate::fleet::{Fleet, Notice};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use tongdao_protocol::gate::AlarmKind;
use tongdao_protocol::text::Id;

/// Between two incidents, in seconds.
const PAUSE_S: std::ops::Range<f64> = 8.0..30.0;
/// How long an incident lasts, in seconds.
const LASTS_S: std::ops::Range<f64> = 20.0..75.0;
/// The emergency button is pressed only after this, in seconds: one looks at a running city first.
const EMERGENCY_AFTER_S: f64 = 180.0;
/// What can break in a gate.
const FAULTS: [&str; 4] = ["door_motor", "reader_dirty", "display_dark", "sensor_blocked"];

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// These gates of a station lose their network: one gate, or all behind a dead switch.
    Unplugged,
    Broken(usize),
    Alarm(Sensor),
    Crowd,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Sensor {
    Door,
    Tamper,
    Button,
}

impl From<Sensor> for AlarmKind {
    fn from(sensor: Sensor) -> Self {
        match sensor {
            Sensor::Door => Self::Door,
            Sensor::Tamper => Self::Tamper,
            Sensor::Button => Self::EmergencyButton,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Incident {
    kind: Kind,
    station: usize,
    gates: Vec<u32>,
}

/// See the module.
pub(super) struct Incidents {
    random: ChaCha8Rng,
    faults: Vec<Id>,
    started_us: u64,
    next_us: u64,
    /// What ends when.
    ends: BinaryHeap<Reverse<(u64, Incident)>>,
    emergency: bool,
}

impl Incidents {
    pub(super) fn new(seed: u64, now_us: u64) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let next_us = now_us + micros(random.random_range(PAUSE_S));
        let faults = FAULTS.iter().filter_map(|code| Id::new(code)).collect();
        Self { random, faults, started_us: now_us, next_us, ends: BinaryHeap::new(), emergency: false }
    }

    /// Lets happen what is due, and ends what has lasted long enough.
    pub(super) fn move_on(&mut self, city: &City, fleet: &mut Fleet, trips: &mut Trips<'_>, notices: &mut Vec<Notice>) {
        let now = fleet.clock().ns() / 1_000;
        while let Some(Reverse((at, _))) = self.ends.peek()
            && *at <= now
        {
            let Some(Reverse((_, incident))) = self.ends.pop() else { break };
            self.set(&incident, false, now, fleet, trips, notices);
        }
        if now >= self.next_us && city.len() > 0 {
            self.next_us = now + micros(self.random.random_range(PAUSE_S));
            let (incident, until) = (self.choose(city, now), now + micros(self.random.random_range(LASTS_S)));
            self.set(&incident, true, until, fleet, trips, notices);
            self.ends.push(Reverse((until, incident)));
        }
    }

    fn choose(&mut self, city: &City, now: u64) -> Incident {
        let station = self.random.random_range(0..city.len());
        let all = city.gates(station);
        let one = all.get(self.random.random_range(0..all.len().max(1))).copied().into_iter().collect();
        if !self.emergency && now - self.started_us > micros(EMERGENCY_AFTER_S) {
            self.emergency = true;
            return Incident { kind: Kind::Alarm(Sensor::Button), station, gates: one };
        }
        let (kind, gates) = match self.random.random_range(0..100) {
            0..35 => (Kind::Unplugged, one),
            35..43 => (Kind::Unplugged, all),
            43..65 => (Kind::Broken(self.random.random_range(0..self.faults.len().max(1))), one),
            65..75 => (Kind::Alarm(Sensor::Door), one),
            75..80 => (Kind::Alarm(Sensor::Tamper), one),
            _ => (Kind::Crowd, Vec::new()),
        };
        Incident { kind, station, gates }
    }

    fn set(&self, incident: &Incident, on: bool, until: u64, fleet: &mut Fleet, trips: &mut Trips<'_>, notices: &mut Vec<Notice>) {
        if incident.kind == Kind::Crowd && on {
            trips.gather(incident.station, until);
        }
        for gate in incident.gates.iter().copied() {
            match incident.kind {
                Kind::Unplugged if on => fleet.unplug(gate, notices),
                Kind::Unplugged => fleet.plug_in(gate),
                Kind::Broken(fault) => self.faults.get(fault).into_iter().for_each(|fault| fleet.fault(gate, fault, on, notices)),
                Kind::Alarm(sensor) => fleet.alarm(gate, sensor.into(), on, notices),
                Kind::Crowd => {}
            }
        }
    }
}

fn micros(seconds: f64) -> u64 {
    u64::try_from(std::time::Duration::from_secs_f64(seconds).as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::cast::Cast;
    use crate::demo::city::tests::line;

    fn kinds(from_us: u64) -> Vec<Incident> {
        let city = City::new(&line(), &Cast::of(&line(), 1, 1)).expect("a city");
        let mut incidents = Incidents::new(1, 0);
        (0..300).map(|_| incidents.choose(&city, from_us)).collect()
    }

    #[test]
    fn every_kind_comes_and_concerns_one_station() {
        let city = City::new(&line(), &Cast::of(&line(), 1, 1)).expect("a city");
        let seen = kinds(0);
        for kind in [Kind::Unplugged, Kind::Broken(0), Kind::Alarm(Sensor::Door), Kind::Alarm(Sensor::Tamper), Kind::Crowd] {
            assert!(seen.iter().any(|incident| incident.kind == kind), "{kind:?}");
        }
        assert!(seen.iter().all(|incident| incident.gates.iter().all(|gate| city.gates(incident.station).contains(gate))));
        assert!(seen.iter().any(|incident| incident.kind == Kind::Unplugged && incident.gates.len() > 1), "a switch dies");
    }

    #[test]
    fn the_emergency_comes_once_and_not_at_once() {
        let button = |seen: &[Incident]| seen.iter().filter(|incident| incident.kind == Kind::Alarm(Sensor::Button)).count();
        assert_eq!((button(&kinds(0)), button(&kinds(micros(EMERGENCY_AFTER_S) + 1))), (0, 1));
    }
}
