//! Gates that tap while consoles look on: an open loop on a thread of its own, until it is stopped.
use super::sent::Sent;
use crate::clock::Clock;
use crate::fleet::{Fleet, Notice};
use crate::gate::{Fact, Repeat, Rider};
use crate::load::arrivals::Arrivals;
use crate::load::media::{Media, tag, untag};
use crate::load::tally::Latencies;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tongdao_protocol::gate::PassageOutcome;

/// Half of the riders leave, as far as there are any inside.
const EXITS: f64 = 0.5;
/// Taps that are given out before the network is looked at again, at most.
const BURST_MAX: usize = 64;
const IDLE_TURN: Duration = Duration::from_millis(20);

/// What others see of the traffic, and how they stop it.
#[derive(Default)]
pub struct Gauge {
    stop: AtomicBool,
    begin: AtomicBool,
    online: AtomicUsize,
    answered: AtomicU64,
    late_max_us: AtomicU64,
    latencies: Mutex<Latencies>,
}

impl Gauge {
    /// No more taps.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }
    /// The gates begin to tap.
    pub fn begin(&self) {
        self.begin.store(true, Ordering::Relaxed);
    }
    /// Gates that are connected and known.
    #[must_use]
    pub fn online(&self) -> usize {
        self.online.load(Ordering::Relaxed)
    }
    /// Taps that were answered in time so far.
    #[must_use]
    pub fn answered(&self) -> u64 {
        self.answered.load(Ordering::Relaxed)
    }
    /// How late the generator itself was at worst, in milliseconds.
    #[must_use]
    pub fn late_max_ms(&self) -> f64 {
        self.late_max_us.load(Ordering::Relaxed) as f64 / 1e3
    }
    /// From due to answered, since the last look.
    #[must_use]
    pub fn look(&self) -> Latencies {
        std::mem::take(&mut *self.latencies.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn answered_after(&self, us: u64) {
        self.answered.fetch_add(1, Ordering::Relaxed);
        self.latencies.lock().unwrap_or_else(PoisonError::into_inner).record(us);
    }
    fn was_late(&self, us: u64) {
        self.late_max_us.fetch_max(us, Ordering::Relaxed);
    }
}

/// See the module.
pub struct Traffic {
    fleet: Fleet,
    media: Media,
    rate: f64,
    random: ChaCha8Rng,
    sent: Arc<Sent>,
    gauge: Arc<Gauge>,
    notices: Vec<Notice>,
}

impl Traffic {
    /// These gates and media, at `rate` taps a second.
    #[must_use]
    pub fn new(fleet: Fleet, media: Media, rate: f64, seed: u64, sent: Arc<Sent>, gauge: Arc<Gauge>) -> Self {
        Self { fleet, media, rate, random: ChaCha8Rng::seed_from_u64(seed), sent, gauge, notices: Vec::new() }
    }

    /// Runs until it is stopped.
    ///
    /// # Errors
    /// When the system refuses sockets.
    pub fn run(mut self) -> io::Result<()> {
        while !self.gauge.begin.load(Ordering::Relaxed) && !self.stopped() {
            self.turn(IDLE_TURN)?;
        }
        if self.rate > 0.0 {
            self.tap_until_stopped()?;
        }
        while !self.stopped() {
            self.turn(IDLE_TURN)?;
        }
        self.fleet.close(&mut self.notices);
        Ok(())
    }

    fn stopped(&self) -> bool {
        self.gauge.stop.load(Ordering::Relaxed)
    }
    fn now_us(&self) -> u64 {
        now_us(self.fleet.clock())
    }

    fn tap_until_stopped(&mut self) -> io::Result<()> {
        let mut arrivals = Arrivals::new(self.rate, 0.0, self.now_us());
        let mut due = arrivals.next_us(&mut self.random);
        while !self.stopped() {
            for _ in 0..BURST_MAX {
                let now = self.now_us();
                if due > now {
                    break;
                }
                self.gauge.was_late(now - due);
                self.tap(due);
                due = arrivals.next_us(&mut self.random);
            }
            self.turn(Duration::from_micros(due.saturating_sub(self.now_us())))?;
        }
        Ok(())
    }

    /// A rider taps at any gate; none where every medium is at a gate already.
    fn tap(&mut self, due_us: u64) {
        let Some(medium) = self.media.step_up(EXITS, &mut self.random) else { return };
        let Some((shown, direction)) = self.media.shown(medium) else { return };
        let passage = (PassageOutcome::Passed, 0);
        let rider = Rider { direction, medium: shown.clone(), passage, repeat: Repeat::No, tag: tag(due_us, medium) };
        let gate = self.random.random_range(0..u32::try_from(self.fleet.len()).unwrap_or(u32::MAX).max(1));
        // It is noted before it is written to the socket: the event cannot come first.
        if let Some((_, seq)) = self.fleet.tap(gate, &rider, &mut self.notices) {
            self.sent.note(self.fleet.name(gate), seq, due_us);
        }
    }

    fn turn(&mut self, wait: Duration) -> io::Result<()> {
        self.fleet.turn(wait, &mut self.notices)?;
        self.gauge.online.store(self.fleet.online(), Ordering::Relaxed);
        let now = self.now_us();
        for notice in std::mem::take(&mut self.notices) {
            let Notice::Gate(_, fact @ (Fact::Decided { tag, .. } | Fact::Alone { tag, .. })) = notice else { continue };
            let (due_us, medium) = untag(tag);
            self.media.step_away(medium, fact);
            if matches!(fact, Fact::Decided { .. }) {
                self.gauge.answered_after(now.saturating_sub(due_us));
            }
        }
        Ok(())
    }
}

fn now_us(clock: Clock) -> u64 {
    clock.ns() / 1_000
}
