//! Live taps in an open loop beside something else: riders arrive at a rate whatever the server does, and how long they wait is
//! measured from when their tap was due. The something else is the caller's, who lets this take its turns.
use super::arrivals::Arrivals;
use super::media::{Media, tag, untag};
use super::report::Latency;
use super::tally::Tally;
use crate::fleet::{Fleet, Notice};
use crate::gate::{Fact, Repeat, Rider};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use std::io;
use std::time::Duration;
use tongdao_protocol::gate::PassageOutcome;

/// Taps that are given out before the network is looked at again, at most.
const BURST_MAX: usize = 64;

/// See the module.
pub struct Live {
    /// The gates that riders tap at.
    pub fleet: Fleet,
    media: Media,
    random: ChaCha8Rng,
    arrivals: Arrivals,
    due_us: u64,
    tally: Tally,
    notices: Vec<Notice>,
    deadline_ms: i64,
}

impl Live {
    /// Gates whose riders arrive so many a second, from now on.
    #[must_use]
    pub fn new(fleet: Fleet, media: Media, rate: f64, deadline_ms: i64, seed: u64) -> Self {
        let now_us = fleet.clock().ns() / 1_000;
        let (mut random, mut arrivals) = (ChaCha8Rng::seed_from_u64(seed), Arrivals::new(rate, 0.0, now_us));
        let due_us = arrivals.next_us(&mut random);
        let tally = Tally { deadline_ms, measured_us: 0..u64::MAX, ..Tally::default() };
        Self { fleet, media, random, arrivals, due_us, tally, notices: Vec::new(), deadline_ms }
    }

    /// Connects every gate before the first tap.
    ///
    /// # Errors
    /// When they do not all connect within this.
    pub fn connect(&mut self, within: Duration, rate: f64) -> io::Result<()> {
        let until = self.now_us() + u64::try_from(within.as_micros()).unwrap_or(u64::MAX);
        while self.fleet.online() < self.fleet.len() {
            self.fleet.turn(Duration::from_millis(50), &mut self.notices)?;
            if self.now_us() > until {
                let why =
                    self.notices.iter().rev().find_map(|notice| if let Notice::Lost(_, why) = notice { Some(why.clone()) } else { None });
                let (online, all) = (self.fleet.online(), self.fleet.len());
                return Err(io::Error::other(format!("only {online} of {all} gates could connect: {}", why.unwrap_or_default())));
            }
        }
        self.notices.clear();
        self.arrivals = Arrivals::new(rate, 0.0, self.now_us());
        self.due_us = self.arrivals.next_us(&mut self.random);
        Ok(())
    }

    /// By the fleet's clock.
    #[must_use]
    pub fn now_us(&self) -> u64 {
        self.fleet.clock().ns() / 1_000
    }

    /// Gives out what is due and looks at the network, waiting at most this long.
    ///
    /// # Errors
    /// When the system refuses sockets.
    pub fn turn(&mut self, wait: Duration) -> io::Result<()> {
        for _ in 0..BURST_MAX {
            if self.due_us > self.now_us() {
                break;
            }
            self.tap();
            self.due_us = self.arrivals.next_us(&mut self.random);
        }
        let wait = wait.min(Duration::from_micros(self.due_us.saturating_sub(self.now_us())));
        self.fleet.turn(wait, &mut self.notices)?;
        let now = self.now_us();
        let mut notices = std::mem::take(&mut self.notices);
        for notice in notices.drain(..) {
            self.tally.enter(&notice, now);
            if let Notice::Gate(_, fact @ (Fact::Decided { tag, .. } | Fact::Alone { tag, .. })) = notice {
                self.media.step_away(untag(tag).1, fact);
            }
        }
        self.notices = notices;
        Ok(())
    }

    fn tap(&mut self) {
        let gate = self.random.random_range(0..u32::try_from(self.fleet.len()).unwrap_or(u32::MAX).max(1));
        let Some(medium) = self.media.step_up(0.5, &mut self.random) else { return };
        let Some((shown, direction)) = self.media.shown(medium) else { return };
        let (medium, tag) = (shown.clone(), tag(self.due_us, medium));
        let rider = Rider { direction, medium, passage: (PassageOutcome::Passed, 0), repeat: Repeat::No, tag };
        self.fleet.tap(gate, &rider, &mut self.notices);
    }

    /// What was measured since the last time, and begins anew.
    pub fn take(&mut self) -> Stretch {
        let recent = &self.tally.recent;
        let latency = Latency::from(recent);
        let (taps, alone) = (recent.len(), self.tally.counts.alone);
        self.tally.recent.clear();
        self.tally.counts = super::tally::Counts::default();
        Stretch { taps, alone, latency }
    }

    /// Promises that were broken, in words.
    #[must_use]
    pub fn broken(&self) -> Vec<String> {
        self.tally.faults.broken(&[])
    }

    /// The gates' deadline, in milliseconds.
    #[must_use]
    pub const fn deadline_ms(&self) -> i64 {
        self.deadline_ms
    }
}

/// A stretch of live taps.
#[derive(Debug, Clone, Default, serde::Serialize)]
pub struct Stretch {
    /// Answers in time.
    pub taps: u64,
    /// Taps that gates had to decide alone.
    pub alone: u64,
    /// How long the answers took.
    pub latency: Latency,
}

impl Stretch {
    /// The 99th percentile beside another stretch's.
    #[must_use]
    pub fn p99_beside(&self, baseline: &Self) -> f64 {
        if baseline.latency.p99_ms > 0.0 { self.latency.p99_ms / baseline.latency.p99_ms } else { 0.0 }
    }
}

impl std::fmt::Display for Stretch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Latency { p50_ms, p99_ms, p999_ms, max_ms, .. } = &self.latency;
        write!(
            f,
            "{} taps   p50 {p50_ms:.2}   p99 {p99_ms:.2}   p99.9 {p999_ms:.2}   max {max_ms:.1} ms   decided alone {}",
            self.taps, self.alone
        )
    }
}
