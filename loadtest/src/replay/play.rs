//! Plays a day: each tap is made when it is due, whatever the server does. A rider who was not let through taps again a few
//! times; one who never got in does not come out. Where the server or a gate is slow, a rider waits for one tap before the next.
use super::day::{Day, Tap, direction};
use super::report::{Books, Report};
use super::series::{Load, Series};
use crate::fleet::{Fleet, Notice};
use crate::gate::{Fact, Repeat, Rider};
use crate::load::media::{tag, untag};
use crate::load::report::{Cost, Latency};
use crate::load::tally::Tally;
use crate::process::Sample;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::io;
use std::time::Duration;
use tongdao_domain::code::Code;
use tongdao_protocol::gate::PassageOutcome;

/// A rider who was not let through taps again after this, in milliseconds of his own time, but not sooner than …
const AGAIN_MS: f64 = 1_000.0;
/// … this, in microseconds.
const AGAIN_US_MIN: u64 = 100_000;
/// From the open gate to the other side, in milliseconds of the riders' time.
const WALK_MS: f64 = 1_200.0;
/// After the last tap, answers and acknowledgements of records are waited for at most this long, in microseconds.
const DRAIN_US: u64 = 60_000_000;
/// Taps that are given out before the network is looked at again, at most.
const BURST_MAX: usize = 64;
/// Nothing is due: the network is looked at at least this often.
const WAIT_MAX_US: u64 = 50_000;

/// How a day is played.
#[derive(Debug, Clone)]
pub struct Plan {
    /// So many times faster than it was.
    pub speed: f64,
    /// Ends after this, even if the day does not.
    pub length: Option<Duration>,
    /// Gates that do not connect within this end the run.
    pub connect_within: Duration,
    /// Times that somebody taps who is not let through.
    pub tries_max: u8,
    /// Process id of the server, for its processor time.
    pub server_pid: Option<u32>,
}

/// How it goes, once a slice.
#[derive(Debug, Clone, Copy)]
pub struct Progress {
    /// Seconds since the start.
    pub at_s: f64,
    /// The riders' time, in milliseconds since 1970.
    pub life_ms: i64,
    /// Share of the taps that were made.
    pub done: f64,
    /// Taps a second lately.
    pub taps_per_s: f64,
    /// 99 of 100 answers came within, in milliseconds, lately.
    pub p99_ms: f64,
    /// Taps that gates decided alone, so far.
    pub alone: u64,
}

/// Where a rider is.
#[derive(Debug, Clone, Copy, Default)]
struct Whereabouts {
    /// The tap that he waits for, and how often he has made it.
    at_gate: Option<(u32, u8)>,
    inside: bool,
    /// He was not let in, so he does not come out.
    stays_out: bool,
}

/// See the module.
pub struct Play<'a> {
    fleet: &'a mut Fleet,
    day: &'a Day,
    plan: &'a Plan,
    /// By gate of the day: gate of the fleet.
    gates: &'a [u32],
    riders: Vec<Whereabouts>,
    /// Taps of riders who still wait for an earlier one.
    held: HashMap<u32, VecDeque<(u64, u32)>>,
    /// Taps that are made once more: when, and which.
    again: BinaryHeap<Reverse<(u64, u32)>>,
    next: usize,
    tally: Tally,
    series: Series,
    load: Load,
    notices: Vec<Notice>,
    started_us: u64,
    late_max_us: u64,
    sent: u64,
    repeated: u64,
    books: Books,
}

impl<'a> Play<'a> {
    /// Prepares a day for these gates; `gates` names the fleet's gate of each of the day's.
    pub fn new(fleet: &'a mut Fleet, day: &'a Day, plan: &'a Plan, (gates, load): (&'a [u32], Load), deadline_ms: i64) -> Self {
        let riders = vec![Whereabouts::default(); day.media.len()];
        let tally = Tally { deadline_ms, measured_us: 0..u64::MAX, ..Tally::default() };
        Self {
            fleet,
            day,
            plan,
            gates,
            riders,
            held: HashMap::new(),
            again: BinaryHeap::new(),
            next: 0,
            tally,
            series: Series::new(0, 0),
            load,
            notices: Vec::new(),
            started_us: 0,
            late_max_us: 0,
            sent: 0,
            repeated: 0,
            books: Books::default(),
        }
    }

    /// Plays it to its end; the progress is told once a slice.
    ///
    /// # Errors
    /// When the gates do not all connect in time, or the system refuses sockets.
    pub fn run(mut self, progress: &mut dyn FnMut(&Progress)) -> io::Result<Report> {
        self.connect()?;
        self.started_us = self.now_us();
        self.series = Series::new(self.started_us, self.length_us());
        let begin = (Sample::of(std::process::id()), self.server());
        self.series.processor_from(begin.1.map(|sample| sample.cpu_s));
        let until = self.plan.length.map_or(u64::MAX, |length| self.started_us + micros(length));
        while let Some(due) = self.due().filter(|due| *due < until) {
            self.make(due.min(until))?;
            self.slice(progress);
        }
        let played_us = self.now_us() - self.started_us;
        self.drain(progress)?;
        self.finish(played_us, begin)
    }

    fn now_us(&self) -> u64 {
        self.fleet.clock().ns() / 1_000
    }
    fn server(&self) -> Option<Sample> {
        self.plan.server_pid.and_then(Sample::of)
    }

    fn length_us(&self) -> u64 {
        let (from, to) = self.day.span_ms();
        let whole = faster(to - from, self.plan.speed);
        self.plan.length.map_or(whole, |length| micros(length).min(whole))
    }

    fn connect(&mut self) -> io::Result<()> {
        let until = self.now_us() + micros(self.plan.connect_within);
        while self.fleet.online() < self.fleet.len() {
            self.turn(100_000)?;
            if self.now_us() > until {
                let why = self.tally.faults.lost_why.as_deref().unwrap_or("no answer");
                let (online, all) = (self.fleet.online(), self.fleet.len());
                return Err(io::Error::other(format!("only {online} of {all} gates could connect: {why}")));
            }
        }
        self.tally.faults.lost = 0;
        Ok(())
    }

    /// When the next tap is due, in microseconds.
    fn due(&self) -> Option<u64> {
        let first = self.day.taps.get(self.next).map(|tap| self.due_of(*tap));
        let again = self.again.peek().map(|Reverse((at, _))| *at);
        match (first, again) {
            (Some(first), Some(again)) => Some(first.min(again)),
            (first, again) => first.or(again),
        }
    }

    fn due_of(&self, tap: Tap) -> u64 {
        self.started_us + faster(tap.at_ms - self.day.span_ms().0, self.plan.speed)
    }

    /// Makes what is due, or waits for it.
    fn make(&mut self, due: u64) -> io::Result<()> {
        let now = self.now_us();
        if due > now {
            return self.turn((due - now).min(WAIT_MAX_US));
        }
        for _ in 0..BURST_MAX {
            let Some((due, tap)) = self.pop(now) else { break };
            self.late_max_us = self.late_max_us.max(now.saturating_sub(due));
            self.step_up(tap, due);
        }
        self.turn(0)
    }

    /// The next tap that is due by now.
    fn pop(&mut self, now: u64) -> Option<(u64, u32)> {
        if let Some(Reverse(first)) = self.again.peek().copied().filter(|Reverse((at, _))| *at <= now) {
            self.again.pop();
            return Some(first);
        }
        let tap = self.day.taps.get(self.next)?;
        let due = self.due_of(*tap);
        if due > now {
            return None;
        }
        self.next += 1;
        Some((due, u32::try_from(self.next - 1).unwrap_or(u32::MAX)))
    }

    /// A rider comes to a gate.
    fn step_up(&mut self, number: u32, due: u64) {
        let tap = self.day.taps[number as usize];
        let rider = &mut self.riders[tap.rider as usize];
        match rider.at_gate {
            Some((waits_for, _)) if waits_for != number => {
                self.held.entry(tap.rider).or_default().push_back((due, number));
                return;
            }
            Some(_) => self.repeated += 1,
            None if tap.exit && rider.stays_out => {
                rider.stays_out = false;
                self.books.stayed_out += 1;
                return;
            }
            None => rider.at_gate = Some((number, 1)),
        }
        self.tap(tap, due);
    }

    fn tap(&mut self, tap: Tap, due: u64) {
        let medium = self.day.media[tap.rider as usize].clone();
        let passage = (PassageOutcome::Passed, scaled(WALK_MS, self.plan.speed));
        let rider = Rider { direction: direction(tap), medium, passage, repeat: Repeat::No, tag: tag(due, tap.rider) };
        self.sent += 1;
        self.series.tapped();
        self.load.tapped(tap.gate, tap.at_ms);
        if let Some(gate) = self.gates.get(tap.gate as usize) {
            self.fleet.tap(*gate, &rider, &mut self.notices);
        }
    }

    fn turn(&mut self, wait_us: u64) -> io::Result<()> {
        self.fleet.turn(Duration::from_micros(wait_us), &mut self.notices)?;
        let now = self.now_us();
        let mut notices = std::mem::take(&mut self.notices);
        for notice in notices.drain(..) {
            self.tally.enter(&notice, now);
            match notice {
                Notice::Gate(_, Fact::Decided { tag, code, fare, .. }) => {
                    let (due, rider) = untag(tag);
                    self.series.answered(now.saturating_sub(due), code.opens());
                    self.shown(rider, code.opens(), Some(code), fare, now);
                }
                Notice::Gate(_, Fact::Alone { tag, open }) => {
                    self.series.alone();
                    self.shown(untag(tag).1, open, None, None, now);
                }
                Notice::Gate(..) | Notice::Lost(..) => {}
            }
        }
        // What riders have tapped meanwhile is looked at in the next turn.
        notices.append(&mut self.notices);
        self.notices = notices;
        Ok(())
    }

    /// A gate has opened for a rider, or not.
    fn shown(&mut self, number: u32, open: bool, code: Option<Code>, fare: Option<i64>, now: u64) {
        let Some(rider) = self.riders.get_mut(number as usize) else { return };
        let Some((waits_for, tries)) = rider.at_gate else { return };
        let exit = self.day.taps[waits_for as usize].exit;
        let again = matches!(code, None | Some(Code::Busy | Code::Expired | Code::AisleFull | Code::NotInService));
        if !open && again && tries < self.plan.tries_max {
            rider.at_gate = Some((waits_for, tries + 1));
            let pause = faster(scaled(AGAIN_MS, 1.0), self.plan.speed).max(AGAIN_US_MIN);
            self.again.push(Reverse((now + pause, waits_for)));
            return;
        }
        rider.at_gate = None;
        // Who is believed inside from an earlier run leaves where he would have left.
        let passes = open || code == Some(Code::AlreadyIn);
        match (exit, passes) {
            (false, true) => rider.inside = true,
            (false, false) => rider.stays_out = true,
            (true, _) => rider.inside = false,
        }
        self.books.enter(exit, open, code.is_none(), fare);
        if let Some((due, next)) = self.held.get_mut(&number).and_then(VecDeque::pop_front) {
            self.step_up(next, due.max(now));
        }
    }

    fn slice(&mut self, progress: &mut dyn FnMut(&Progress)) {
        let now = self.now_us();
        while self.series.is_over(now) {
            let recent = &mut self.tally.recent;
            let told = Progress {
                at_s: (now - self.started_us) as f64 / 1e6,
                life_ms: self.day.span_ms().0 + slower(now - self.started_us, self.plan.speed),
                done: self.next as f64 / self.day.taps.len().max(1) as f64,
                taps_per_s: recent.len() as f64 / self.series.seconds(),
                p99_ms: recent.ms(0.99),
                alone: self.tally.counts.alone,
            };
            recent.clear();
            self.series.end(self.server().map(|sample| sample.cpu_s));
            progress(&told);
        }
    }

    /// Waits for answers that are still to come, and until every record is acknowledged: then the ledger has all of it.
    fn drain(&mut self, progress: &mut dyn FnMut(&Progress)) -> io::Result<()> {
        let until = self.now_us() + DRAIN_US;
        while self.now_us() < until && (self.fleet.kept() > 0 || !self.again.is_empty()) {
            let due = self.again.peek().map_or(u64::MAX, |Reverse((at, _))| *at);
            if due <= self.now_us() {
                self.make(due)?
            } else {
                self.turn(20_000)?
            }
            self.slice(progress);
        }
        Ok(())
    }

    fn finish(mut self, played_us: u64, (generator, server): (Option<Sample>, Option<Sample>)) -> io::Result<Report> {
        let seconds = played_us as f64 / 1e6;
        let cost = self.cost(seconds, generator, server);
        let records_kept = self.fleet.kept();
        let offline_at_end = self.fleet.len() - self.fleet.online();
        self.fleet.close(&mut self.notices);
        let latencies = &self.tally.latencies;
        let latency = Latency::from(latencies);
        self.books.inside_at_end = self.riders.iter().filter(|rider| rider.inside).count() as u64;
        let (slice_s, slices) = self.series.into_slices();
        let (column_minutes, stations) = self.load.into_stations();
        let (from, to) = self.day.span_ms();
        Ok(Report {
            from_ms: from,
            offset_ms: 0,
            to_ms: to.min(from + slower(played_us, self.plan.speed)),
            speed: self.plan.speed,
            seconds,
            gates: self.gates.len(),
            stations: stations.len(),
            riders: self.day.media.len(),
            taps_of_day: self.day.taps.len() as u64,
            taps: self.sent,
            taps_repeated: self.repeated,
            taps_per_s: self.sent as f64 / seconds.max(0.001),
            peak_taps_per_s: slices.iter().map(|slice| slice.taps).max().unwrap_or(0) as f64 / slice_s,
            latency,
            counts: self.tally.counts,
            books: self.books,
            records_kept,
            offline_at_end,
            generator_late_max_ms: self.late_max_us as f64 / 1e3,
            cost,
            faults: self.tally.faults,
            slice_s,
            slices,
            column_minutes,
            station_loads: stations,
        })
    }

    fn cost(&self, seconds: f64, generator: Option<Sample>, server: Option<Sample>) -> Cost {
        let spent = |from: Option<Sample>, to: Option<Sample>| Some(to?.cpu_s - from?.cpu_s);
        let taps = self.sent.max(1) as f64;
        let own = spent(generator, Sample::of(std::process::id())).unwrap_or(0.0);
        let of_server = spent(server, self.server());
        Cost {
            generator_us_per_tap: own * 1e6 / taps,
            generator_cores: own / seconds.max(0.001),
            server_us_per_tap: of_server.map(|spent| spent * 1e6 / taps),
            server_cores: of_server.map(|spent| spent / seconds.max(0.001)),
            server_rss_max_mib: self.server().map(|sample| sample.rss_max_kib as f64 / 1024.0),
        }
    }
}

fn micros(length: Duration) -> u64 {
    u64::try_from(length.as_micros()).unwrap_or(u64::MAX)
}

/// Milliseconds of the riders' time in microseconds of the run.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a length of days at most, never below 0")]
fn faster(ms: i64, speed: f64) -> u64 {
    (ms.max(0) as f64 * 1_000.0 / speed) as u64
}

/// Microseconds of the run in milliseconds of the riders' time.
#[expect(clippy::cast_possible_truncation, reason = "a length of days at most")]
fn slower(us: u64, speed: f64) -> i64 {
    (us as f64 * speed / 1_000.0) as i64
}

/// Milliseconds of the riders' time in milliseconds of the run.
#[expect(clippy::cast_possible_truncation, reason = "a second or two")]
fn scaled(ms: f64, speed: f64) -> i64 {
    (ms / speed) as i64
}
