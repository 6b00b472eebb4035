//! Runs a load: connects, ramps, warms up, measures, waits for the last answers.
use super::arrivals::Arrivals;
use super::media::{Media, tag, untag};
use super::report::{Cost, Latency, Report};
use super::tally::Tally;
use super::{Mode, Plan};
use crate::fleet::{Fleet, Notice};
use crate::gate::{Fact, Repeat, Rider};
use crate::process::Sample;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use std::io;
use std::time::Duration;
use tongdao_protocol::gate::PassageOutcome;

/// After the last tap, answers are waited for this long beyond the gates' deadline.
const DRAIN_US: u64 = 2_000_000;
/// A gate that lost its connection in the last moment has this long to come back.
const RECOVER_US: u64 = 10_000_000;
const SECOND_US: u64 = 1_000_000;
/// Taps that are given out before the network is looked at again, at most.
const BURST_MAX: usize = 64;

/// How it goes, once a second.
#[derive(Debug, Clone, Copy)]
pub struct Progress {
    /// Since the start of the load, in seconds.
    pub at_s: u64,
    /// Is this being measured?
    pub measured: bool,
    /// Answers in the last second.
    pub taps_per_s: u64,
    /// Half of them came within, in milliseconds.
    pub p50_ms: f64,
    /// 99 of 100 came within, in milliseconds.
    pub p99_ms: f64,
    /// Gates online.
    pub online: usize,
    /// Taps that gates decided alone, in the measured time so far.
    pub alone: u64,
}

/// A load on its way.
pub struct Run<'a> {
    fleet: &'a mut Fleet,
    media: &'a mut Media,
    plan: &'a Plan,
    random: ChaCha8Rng,
    tally: Tally,
    notices: Vec<Notice>,
    /// Closed loop: gates that may tap once more.
    ready: Vec<u32>,
    started_us: u64,
    left_out: u64,
    late_max_us: u64,
}

impl<'a> Run<'a> {
    /// Prepares a load for these gates, whose deadline is `deadline_ms`, and these media.
    pub fn new(fleet: &'a mut Fleet, media: &'a mut Media, plan: &'a Plan, deadline_ms: i64) -> Self {
        let tally = Tally { deadline_ms, ..Tally::default() };
        let random = ChaCha8Rng::seed_from_u64(plan.seed);
        Self { fleet, media, plan, random, tally, notices: Vec::new(), ready: Vec::new(), started_us: 0, left_out: 0, late_max_us: 0 }
    }

    /// Runs it to its end; the progress is told once a second.
    ///
    /// # Errors
    /// When the gates do not all connect in time, or the system refuses sockets.
    pub fn run(mut self, progress: &mut dyn FnMut(&Progress)) -> io::Result<Report> {
        self.connect()?;
        self.started_us = self.now_us();
        let measured = self.started_us + micros(self.plan.ramp + self.plan.warm_up);
        self.tally.measured_us = measured..measured + micros(self.plan.measured);
        match self.plan.mode {
            Mode::Closed { in_flight } => self.ready = self.gates_by_turns(in_flight),
            Mode::Open { .. } => {}
        }
        self.load(measured, progress)?;
        let samples = (Sample::of(std::process::id()), self.server());
        self.load_until_end(progress)?;
        let report = self.report(samples);
        self.drain()?;
        self.finish(report)
    }

    fn now_us(&self) -> u64 {
        self.fleet.clock().ns() / 1_000
    }
    fn server(&self) -> Option<Sample> {
        self.plan.server_pid.and_then(Sample::of)
    }

    fn connect(&mut self) -> io::Result<()> {
        let until = self.now_us() + micros(self.plan.connect_within);
        while self.fleet.online() < self.fleet.len() {
            self.fleet.turn(Duration::from_millis(100), &mut self.notices)?;
            self.take_notices();
            if self.now_us() > until {
                let why = self.tally.faults.lost_why.as_deref().unwrap_or("no answer");
                let (online, all) = (self.fleet.online(), self.fleet.len());
                return Err(io::Error::other(format!("only {online} of {all} gates could connect: {why}")));
            }
        }
        self.tally.faults.lost = 0;
        Ok(())
    }

    fn gates_by_turns(&self, in_flight: usize) -> Vec<u32> {
        let gates = u32::try_from(self.fleet.len()).unwrap_or(u32::MAX);
        (0..in_flight).flat_map(|_| (0..gates).rev()).collect()
    }

    fn load(&mut self, until_us: u64, progress: &mut dyn FnMut(&Progress)) -> io::Result<()> {
        match self.plan.mode {
            Mode::Closed { .. } => self.closed(until_us, progress),
            Mode::Open { rate } => self.open(rate, until_us, progress),
        }
    }
    fn load_until_end(&mut self, progress: &mut dyn FnMut(&Progress)) -> io::Result<()> {
        self.load(self.tally.measured_us.end, progress)
    }

    /// Each gate taps again as soon as it was answered.
    fn closed(&mut self, until_us: u64, progress: &mut dyn FnMut(&Progress)) -> io::Result<()> {
        let all = self.ready.len();
        let ramp_us = micros(self.plan.ramp);
        let mut next_second = self.now_us() + SECOND_US;
        loop {
            let now = self.now_us();
            if now >= until_us {
                return Ok(());
            }
            let gone = now - self.started_us;
            let held_back = if gone < ramp_us { share(all, ramp_us - gone, ramp_us) } else { 0 };
            while self.ready.len() > held_back {
                let Some(gate) = self.ready.pop() else { break };
                if !self.tap(gate, now) {
                    self.ready.push(gate);
                    break;
                }
            }
            self.turn(Duration::from_millis(50))?;
            self.tell(&mut next_second, progress);
        }
    }

    /// Taps come when they are due, whatever the server does.
    fn open(&mut self, rate: f64, until_us: u64, progress: &mut dyn FnMut(&Progress)) -> io::Result<()> {
        let now = self.now_us();
        let ramp_s = if now < self.started_us + micros(self.plan.ramp) { self.plan.ramp.as_secs_f64() } else { 0.0 };
        let mut arrivals = Arrivals::new(rate, ramp_s, now);
        let mut due = arrivals.next_us(&mut self.random);
        let mut next_second = now + SECOND_US;
        while due < until_us {
            let mut burst = 0;
            let mut now = self.now_us();
            while due <= now && due < until_us && burst < BURST_MAX {
                self.late_max_us = self.late_max_us.max(now - due);
                let gate = self.random.random_range(0..u32::try_from(self.fleet.len()).unwrap_or(u32::MAX));
                self.tap(gate, due);
                due = arrivals.next_us(&mut self.random);
                burst += 1;
                now = if burst == BURST_MAX { now } else { self.now_us() };
            }
            self.turn(Duration::from_micros(due.saturating_sub(self.now_us())))?;
            self.tell(&mut next_second, progress);
        }
        Ok(())
    }

    /// A rider taps; false = every medium is at a gate already.
    fn tap(&mut self, gate: u32, due_us: u64) -> bool {
        let Some(medium) = self.media.step_up(self.plan.exits, &mut self.random) else {
            self.left_out += 1;
            return false;
        };
        let Some((shown, direction)) = self.media.shown(medium) else { return false };
        let repeat = if self.plan.repeats == 0.0 || !self.random.random_bool(self.plan.repeats) {
            Repeat::No
        } else if self.random.random_bool(0.5) {
            Repeat::AtOnce
        } else {
            Repeat::AfterAnswer
        };
        let passage = (PassageOutcome::Passed, self.plan.walk_ms);
        let rider = Rider { direction, medium: shown.clone(), passage, repeat, tag: tag(due_us, medium) };
        self.fleet.tap(gate, &rider, &mut self.notices);
        true
    }

    fn turn(&mut self, wait: Duration) -> io::Result<()> {
        self.fleet.turn(wait, &mut self.notices)?;
        self.take_notices();
        Ok(())
    }

    fn take_notices(&mut self) {
        let now = self.now_us();
        let mut notices = std::mem::take(&mut self.notices);
        for notice in notices.drain(..) {
            self.tally.enter(&notice, now);
            if let Notice::Gate(gate, fact @ (Fact::Decided { tag, .. } | Fact::Alone { tag, .. })) = notice {
                self.media.step_away(untag(tag).1, fact);
                if matches!(self.plan.mode, Mode::Closed { .. }) {
                    self.ready.push(gate);
                }
            }
        }
        self.notices = notices;
    }

    fn tell(&mut self, next_second: &mut u64, progress: &mut dyn FnMut(&Progress)) {
        let now = self.now_us();
        if now < *next_second {
            return;
        }
        let passed = 1 + (now - *next_second) / SECOND_US;
        *next_second += passed * SECOND_US;
        let recent = &mut self.tally.recent;
        let told = Progress {
            at_s: (now - self.started_us) / SECOND_US,
            measured: self.tally.measured_us.contains(&now),
            taps_per_s: recent.len() / passed,
            p50_ms: recent.ms(0.5),
            p99_ms: recent.ms(0.99),
            online: self.fleet.online(),
            alone: self.tally.counts.alone,
        };
        recent.clear();
        progress(&told);
    }

    /// The figures at the end of the measured time, given the samples from its start.
    fn report(&self, (generator, server): (Option<Sample>, Option<Sample>)) -> Report {
        let seconds = self.plan.measured.as_secs_f64();
        let taps = self.tally.answered_in_time.max(1) as f64;
        let spent = |from: Option<Sample>, to: Option<Sample>| Some(to?.cpu_s - from?.cpu_s);
        let generator = spent(generator, Sample::of(std::process::id())).unwrap_or(0.0);
        let server_spent = spent(server, self.server());
        let cost = Cost {
            generator_us_per_tap: generator * 1e6 / taps,
            generator_cores: generator / seconds,
            server_us_per_tap: server_spent.map(|spent| spent * 1e6 / taps),
            server_cores: server_spent.map(|spent| spent / seconds),
            server_rss_max_mib: self.server().map(|sample| sample.rss_max_kib as f64 / 1024.0),
        };
        let load = match self.plan.mode {
            Mode::Closed { in_flight } => format!("closed loop, {in_flight} at a time"),
            Mode::Open { rate } => format!("open loop, {rate} taps/s"),
        };
        let (gates, media) = (self.fleet.len(), self.media.len());
        Report { load, gates, media, seconds, taps_per_s: self.tally.answered_in_time as f64 / seconds, cost, ..Report::default() }
    }

    /// Waits for the answers that are still to come, and for gates that are just reconnecting.
    fn drain(&mut self) -> io::Result<()> {
        let deadline_us = self.tally.deadline_ms.unsigned_abs() * 1_000;
        let (answers, gates) = (self.now_us() + deadline_us + DRAIN_US, self.now_us() + RECOVER_US);
        loop {
            let now = self.now_us();
            let wait_for_answers = now < answers && self.fleet.unanswered() > 0;
            let wait_for_gates = now < gates && self.fleet.online() < self.fleet.len();
            if !wait_for_answers && !wait_for_gates {
                return Ok(());
            }
            self.turn(Duration::from_millis(20))?;
        }
    }

    fn finish(mut self, mut report: Report) -> io::Result<Report> {
        report.offline_at_end = self.fleet.len() - self.fleet.online();
        let unanswered = self.fleet.unanswered() as u64;
        self.fleet.close(&mut self.notices);
        let latencies = &self.tally.latencies;
        report.latency = Latency::from(latencies);
        (report.repeated_same, report.modes, report.left_out) = (self.tally.repeated, self.tally.modes, self.left_out);
        report.generator_late_max_ms = self.late_max_us as f64 / 1e3;
        report.counts = self.tally.counts;
        report.counts.unanswered += unanswered;
        report.faults = self.tally.faults;
        Ok(report)
    }
}

fn micros(length: Duration) -> u64 {
    u64::try_from(length.as_micros()).unwrap_or(u64::MAX)
}

/// `part / whole` of `all`, rounded down.
fn share(all: usize, part: u64, whole: u64) -> usize {
    usize::try_from(all as u64 * part / whole.max(1)).unwrap_or(all)
}
