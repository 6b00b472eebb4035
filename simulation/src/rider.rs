//! Riders: who they are, where they are, and what they truly did. The books are checked against this, not against what the
//! server believes.
use tongdao_domain::id::{AccountId, StationId, TapId, Token};
use tongdao_domain::tap::Direction;
use tongdao_domain::time::Timestamp;

/// What a rider truly did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    /// Went in.
    Entry(Place),
    /// Went out.
    Exit(Place),
    /// Went out without a tap: through the open gates of an emergency, or over the barrier.
    Left,
}

/// Where and when, by the gate's clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The tap.
    pub tap: TapId,
    /// Where.
    pub station: StationId,
    /// When, by the gate's clock.
    pub at: Timestamp,
    /// When, truly.
    pub truly: Timestamp,
}

/// A rider.
#[derive(Debug)]
pub struct RiderLife {
    /// The account; none = a medium that nobody owns.
    pub account: Option<AccountId>,
    /// What is held against the gate.
    pub token: Token,
    /// Where the rider is or wants out, by number of the station.
    pub station: usize,
    /// In the paid area?
    pub inside: bool,
    /// Rides that are still wanted today.
    pub rides_left: u32,
    /// Taps in vain for the present step.
    pub attempts: u32,
    /// Has jumped the barrier: stays away for the day.
    pub jumped: bool,
    /// What truly happened.
    pub stops: Vec<Stop>,
}

impl RiderLife {
    /// Somebody at home.
    #[must_use]
    pub fn new(account: Option<AccountId>, token: Token, station: usize, rides_left: u32) -> Self {
        Self { account, token, station, inside: false, rides_left, attempts: 0, jumped: false, stops: Vec::new() }
    }
    /// Which way the next tap goes.
    #[must_use]
    pub fn direction(&self) -> Direction {
        if self.inside { Direction::Exit } else { Direction::Entry }
    }
    /// Goes through a gate.
    pub fn passed(&mut self, direction: Direction, place: Place) {
        self.attempts = 0;
        self.inside = direction == Direction::Entry;
        self.stops.push(if self.inside { Stop::Entry(place) } else { Stop::Exit(place) });
    }
    /// Goes out without a tap.
    pub fn left(&mut self) {
        self.attempts = 0;
        self.inside = false;
        self.stops.push(Stop::Left);
    }
}
