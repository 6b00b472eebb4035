//! Gate traffic: riders who enter and leave, in a closed or an open loop, and what came of it.
pub mod arrivals;
pub mod live;
pub mod media;
pub mod report;
pub mod run;
pub mod tally;

use std::time::Duration;

/// When the next tap comes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Mode {
    /// As soon as an earlier one of the gate is answered: so many at a time at every gate.
    Closed {
        /// Taps at a time at a gate.
        in_flight: usize,
    },
    /// At this many taps a second, whatever the server does.
    Open {
        /// Taps a second at all gates together.
        rate: f64,
    },
}

/// A load to be run.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Closed or open loop.
    pub mode: Mode,
    /// The load rises from nothing to all of it within this, before the warm-up.
    pub ramp: Duration,
    /// Not measured.
    pub warm_up: Duration,
    /// Measured.
    pub measured: Duration,
    /// Share of exits among the taps, as far as riders are inside.
    pub exits: f64,
    /// Share of taps that are sent twice.
    pub repeats: f64,
    /// Time from opening to passing, in milliseconds.
    pub walk_ms: i64,
    /// Gates that do not connect within this end the run.
    pub connect_within: Duration,
    /// Seed of every random choice.
    pub seed: u64,
    /// Process id of the server, for its processor time.
    pub server_pid: Option<u32>,
}
