//! The riders of the demo: each sets out, enters, rides, leaves. What the gate says decides how it goes on: a full aisle or
//! a busy server is tried again, a refusal ends the trip.
use super::DemoConfig;
use super::city::City;
use super::day::{Day, pull_to_centre};
use crate::fleet::{Fleet, Notice};
use crate::gate::{Fact, Repeat, Rider};
use crate::load::media::{tag, untag};
use rand::seq::SliceRandom as _;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::time::Duration;
use tongdao_domain::code::Code;
use tongdao_protocol::gate::{Direction, Medium, MediumKind, PassageOutcome};

/// Incidents, so that a demo shows more than open gates.
const NOT_PASSED: f64 = 0.004;
const TAILGATE: f64 = 0.002;
const UNKNOWN: f64 = 0.004;
const FORGOT_TO_ENTER: f64 = 0.002;
const TWICE: f64 = 0.004;

/// A rider who did not pass tries again only after the gate has given up on the first attempt, in seconds.
const AGAIN_AFTER_S: f64 = 12.0;
/// A full aisle is tried again, at most so often.
const TRIES_MAX: u8 = 5;
/// Nothing is due: look at the network at least this often.
const WAIT_MAX_US: u64 = 20_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Home,
    Entering,
    Riding,
    Leaving,
}

struct Trip {
    medium: Medium,
    step: Step,
    from: usize,
    to: usize,
    tries: u8,
    passage: PassageOutcome,
}

/// See the module.
pub(super) struct Trips<'a> {
    city: &'a City,
    day: Day,
    random: ChaCha8Rng,
    trips: Vec<Trip>,
    /// Riders who are at home, the longest there first.
    home: VecDeque<u32>,
    /// What is due when, in microseconds: the rider goes on.
    due: BinaryHeap<Reverse<(u64, u32)>>,
    stranger: Option<Medium>,
    started_us: u64,
    turn: usize,
    inside: usize,
    /// Where a crowd gathers, and until when.
    crowd: Option<(usize, u64)>,
}

impl<'a> Trips<'a> {
    pub(super) fn new(city: &'a City, config: &DemoConfig) -> Self {
        // The last passenger's medium is left for a person to try.
        let riders = config.cast.passengers.len().saturating_sub(1);
        let trip =
            |medium: &Medium| Trip { medium: medium.clone(), step: Step::Home, from: 0, to: 0, tries: 0, passage: PassageOutcome::Passed };
        // Another order at each start: who rode when an earlier demo was stopped is still inside.
        let mut random = ChaCha8Rng::seed_from_u64(config.clock.ms().unsigned_abs());
        let mut home: Vec<u32> = (0..u32::try_from(riders).unwrap_or(u32::MAX)).collect();
        home.shuffle(&mut random);
        Self {
            city,
            day: Day::new(config.speed, config.start_hour, config.rides_per_day),
            random,
            trips: config.cast.passengers.iter().take(riders).map(|passenger| trip(&passenger.medium)).collect(),
            home: home.into(),
            due: BinaryHeap::new(),
            stranger: Medium::new(MediumKind::Card, "stranger"),
            started_us: config.clock.ns() / 1_000,
            turn: 0,
            inside: 0,
            crowd: None,
        }
    }

    /// City time of day in hours.
    pub(super) fn hour(&self) -> f64 {
        self.day.hour()
    }
    /// Riders between their gates.
    pub(super) const fn inside(&self) -> usize {
        self.inside
    }
    /// Time since the start.
    pub(super) fn running(&self, fleet: &Fleet) -> Duration {
        Duration::from_micros((fleet.clock().ns() / 1_000).saturating_sub(self.started_us))
    }

    /// For a while half of all riders set out from one station.
    pub(super) fn gather(&mut self, station: usize, until_us: u64) {
        self.crowd = Some((station, until_us));
    }

    /// Lets everybody go on whose time has come; returns how long nothing will be due.
    pub(super) fn move_on(&mut self, fleet: &mut Fleet, notices: &mut Vec<Notice>) -> Duration {
        let now = fleet.clock().ns() / 1_000;
        let riders = self.day.set_out(self.running(fleet).as_secs_f64(), &mut self.random);
        // The first minute of a fleet belongs to its connections.
        if fleet.online() * 2 > fleet.len() && self.city.is_ridable() {
            (0..riders).for_each(|_| self.set_out(now, fleet, notices));
        }
        while let Some(Reverse((at, rider))) = self.due.peek().copied().filter(|Reverse((at, _))| *at <= now) {
            self.due.pop();
            self.go_on(at, rider, fleet, notices);
        }
        let next = self.due.peek().map_or(WAIT_MAX_US, |Reverse((at, _))| at - now);
        Duration::from_micros(next.min(WAIT_MAX_US))
    }

    fn set_out(&mut self, now: u64, fleet: &mut Fleet, notices: &mut Vec<Notice>) {
        let (mut from, to) = self.city.trip(pull_to_centre(self.day.hour()), &mut self.random);
        match self.crowd {
            Some((_, until)) if until <= now => self.crowd = None,
            Some((station, _)) if station != to && self.random.random_bool(0.5) => from = station,
            _ => {}
        }
        if self.random.random_bool(UNKNOWN) {
            self.stranger_taps(from, fleet, notices);
        }
        let Some(rider) = self.home.pop_front() else { return };
        let forgot = self.random.random_bool(FORGOT_TO_ENTER);
        if let Some(trip) = self.trips.get_mut(rider as usize) {
            (trip.from, trip.to, trip.tries) = (from, to, 0);
            trip.step = if forgot { Step::Leaving } else { Step::Entering };
            self.tap(now, rider, fleet, notices);
        }
    }

    /// Somebody with a medium that nobody knows; no trip hangs on the answer.
    fn stranger_taps(&mut self, station: usize, fleet: &mut Fleet, notices: &mut Vec<Notice>) {
        let (Some(gate), Some(medium)) = (self.city.gate(station, true, self.turn), self.stranger.clone()) else { return };
        let tag = tag(fleet.clock().ns() / 1_000, u32::try_from(self.trips.len()).unwrap_or(u32::MAX));
        let rider = Rider { direction: Direction::Entry, medium, passage: (PassageOutcome::NotPassed, 0), repeat: Repeat::No, tag };
        fleet.tap(gate, &rider, notices);
    }

    fn go_on(&mut self, due: u64, rider: u32, fleet: &mut Fleet, notices: &mut Vec<Notice>) {
        let Some(trip) = self.trips.get_mut(rider as usize) else { return };
        match trip.step {
            Step::Home => self.home.push_back(rider),
            Step::Riding => {
                (trip.step, trip.tries) = (Step::Leaving, 0);
                self.tap(due, rider, fleet, notices);
            }
            Step::Entering | Step::Leaving => self.tap(due, rider, fleet, notices),
        }
    }

    fn tap(&mut self, due: u64, rider: u32, fleet: &mut Fleet, notices: &mut Vec<Notice>) {
        self.turn = self.turn.wrapping_add(1);
        let walk_ms = self.random.random_range(300..700);
        let (chance, twice) = (self.random.random::<f64>(), self.random.random_bool(TWICE));
        let Some(trip) = self.trips.get_mut(rider as usize) else { return };
        let entry = trip.step == Step::Entering;
        trip.passage = match chance {
            chance if chance < NOT_PASSED => PassageOutcome::NotPassed,
            chance if chance < NOT_PASSED + TAILGATE => PassageOutcome::Tailgate,
            _ => PassageOutcome::Passed,
        };
        let direction = if entry { Direction::Entry } else { Direction::Exit };
        let repeat = if twice { Repeat::AtOnce } else { Repeat::No };
        let tapping = Rider { direction, medium: trip.medium.clone(), passage: (trip.passage, walk_ms), repeat, tag: tag(due, rider) };
        let station = if entry { trip.from } else { trip.to };
        if let Some(gate) = self.city.gate(station, entry, self.turn) {
            fleet.tap(gate, &tapping, notices);
        }
    }

    /// A gate has done something.
    pub(super) fn enter(&mut self, notice: &Notice, fleet: &Fleet) {
        let now = fleet.clock().ns() / 1_000;
        match notice {
            Notice::Gate(_, Fact::Decided { tag, code, .. }) => self.shown(untag(*tag).1, code.opens(), Some(*code), now),
            Notice::Gate(_, Fact::Alone { tag, open }) => self.shown(untag(*tag).1, *open, None, now),
            _ => {}
        }
    }

    fn shown(&mut self, rider: u32, open: bool, code: Option<Code>, now: u64) {
        let Some(trip) = self.trips.get_mut(rider as usize) else { return };
        let passes = open && trip.passage != PassageOutcome::NotPassed;
        let again = matches!(code, Some(Code::AisleFull | Code::Busy | Code::Expired)) || code.is_none() && !open || open && !passes;
        // Somebody whom the server believes inside has ridden before this demo began, and now leaves.
        let enters = trip.step == Step::Entering && (passes || code == Some(Code::AlreadyIn));
        if enters {
            trip.step = Step::Riding;
            self.inside += 1;
            let ride = self.day.real_s(self.city.ride_s(trip.from, trip.to)) * self.random.random_range(0.9..1.3);
            self.due.push(Reverse((now + micros(ride.max(1.0)), rider)));
            return;
        }
        if again && trip.tries < TRIES_MAX {
            trip.tries += 1;
            let pause = if open { AGAIN_AFTER_S } else { self.random.random_range(0.5..1.5) };
            self.due.push(Reverse((now + micros(pause), rider)));
            return;
        }
        if trip.step == Step::Leaving {
            self.inside = self.inside.saturating_sub(usize::from(code != Some(Code::NoEntry)));
        }
        trip.step = Step::Home;
        self.due.push(Reverse((now + micros(AGAIN_AFTER_S), rider)));
    }
}

fn micros(seconds: f64) -> u64 {
    u64::try_from(Duration::try_from_secs_f64(seconds).unwrap_or_default().as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::cast::Cast;
    use crate::demo::city::tests::line;
    use std::net::SocketAddr;

    fn config() -> DemoConfig {
        DemoConfig::new(SocketAddr::from(([127, 0, 0, 1], 1)), line(), Cast::of(&line(), 5, 1))
    }

    /// One rider on the way into station 0, bound for station 2.
    fn entering<'a>(city: &'a City, config: &DemoConfig) -> Trips<'a> {
        let mut trips = Trips::new(city, config);
        trips.home.pop_front();
        let trip = &mut trips.trips[0];
        (trip.step, trip.from, trip.to) = (Step::Entering, 0, 2);
        trips
    }

    fn answered(trips: &mut Trips<'_>, code: Code) -> (Step, usize) {
        trips.shown(0, code.opens(), Some(code), 0);
        (trips.trips[0].step, trips.inside())
    }

    #[test]
    fn a_rider_enters_rides_leaves_and_goes_home() {
        let config = config();
        let city = City::new(&config.site, &config.cast).expect("a city");
        let mut trips = entering(&city, &config);
        assert_eq!(answered(&mut trips, Code::Ok), (Step::Riding, 1));
        let Reverse((at, rider)) = *trips.due.peek().expect("the end of the ride");
        assert!(rider == 0 && at >= 6_000_000, "a ride of seven minutes at sixty times its speed, not {at} µs");
        trips.trips[0].step = Step::Leaving;
        assert_eq!(answered(&mut trips, Code::Ok), (Step::Home, 0));
    }

    #[test]
    fn a_refusal_ends_the_trip_and_a_full_aisle_is_tried_again() {
        let config = config();
        let city = City::new(&config.site, &config.cast).expect("a city");
        let mut trips = entering(&city, &config);
        for _ in 0..TRIES_MAX {
            assert_eq!(answered(&mut trips, Code::AisleFull), (Step::Entering, 0));
        }
        assert_eq!(answered(&mut trips, Code::AisleFull), (Step::Home, 0), "not for ever");
        let mut trips = entering(&city, &config);
        assert_eq!(answered(&mut trips, Code::Insufficient), (Step::Home, 0));
    }

    #[test]
    fn who_is_believed_inside_leaves_where_he_wanted_to_go() {
        let config = config();
        let city = City::new(&config.site, &config.cast).expect("a city");
        let mut trips = entering(&city, &config);
        assert_eq!(answered(&mut trips, Code::AlreadyIn), (Step::Riding, 1));
    }

    #[test]
    fn who_does_not_pass_tries_again_once_the_gate_has_given_up() {
        let config = config();
        let city = City::new(&config.site, &config.cast).expect("a city");
        let mut trips = entering(&city, &config);
        trips.trips[0].passage = PassageOutcome::NotPassed;
        assert_eq!(answered(&mut trips, Code::Ok), (Step::Entering, 0));
        assert_eq!(trips.due.peek(), Some(&Reverse((12_000_000, 0))));
    }

    #[test]
    fn a_crowd_gathers_at_one_station_and_goes() {
        let config = DemoConfig { rides_per_day: 1e9, ..config() };
        let city = City::new(&config.site, &config.cast).expect("a city");
        let mut trips = Trips::new(&city, &config);
        trips.random = ChaCha8Rng::seed_from_u64(1);
        let mut fleet = Fleet::new(
            crate::fleet::Server { address: config.address, tls: None, version: crate::mqtt::Version::V5, site: "t".into(), http: None },
            &crate::gate::Habits::default(),
            city.credentials(),
            config.clock,
        )
        .expect("a fleet");
        trips.gather(2, 100);
        let mut from = |trips: &mut Trips<'_>, now| {
            let mut there = 0;
            for _ in 0..1_000 {
                trips.home = [0].into();
                trips.set_out(now, &mut fleet, &mut Vec::new());
                there += usize::from(trips.trips[0].from == 2);
            }
            there
        };
        let crowded = from(&mut trips, 50);
        let usual = from(&mut trips, 100);
        assert!(crowded > usual + 150 && trips.crowd.is_none(), "{crowded} against {usual}");
    }

    #[test]
    fn the_answer_to_a_stranger_belongs_to_no_rider() {
        let config = config();
        let city = City::new(&config.site, &config.cast).expect("a city");
        let mut trips = entering(&city, &config);
        trips.shown(5, false, Some(Code::UnknownMedium), 0);
        assert_eq!((trips.trips[0].step, trips.due.len()), (Step::Entering, 0));
    }
}
