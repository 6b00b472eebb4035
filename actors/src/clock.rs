//! The one clock of the process: wall time at start, advanced monotonically, never behind the newest moment of the
//! journal. Not a source of randomness and not a timer; [`Slew`] is its pure core.
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tokio::sync::watch;
use tongdao_domain::time::{Millis, Timestamp};

/// Larger steps of the wall clock are not followed: they alarm and wait for a restart.
pub const STEP_MAX: Millis = Millis::seconds(60);
/// Smaller ones are made up for at this rate: one part in twenty, so a step of 60 s takes 20 minutes.
const SLEW_DIVISOR: i64 = 20;
/// Differences below this are noise of reading two clocks.
const NOISE: Millis = Millis(2);

/// What a look at the wall clock found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Drift {
    /// The two run together.
    None,
    /// The process clock runs faster or slower until they meet again.
    Slewing(Millis),
    /// The wall clock is away too far: an alarm; a restart takes it over.
    TooFar(Millis),
}

/// The pure core: process time as a function of elapsed time, and how it follows the wall clock without ever stepping.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slew {
    start: Timestamp,
    since: Millis,
    begun: Millis,
    goal: Millis,
}

impl Slew {
    /// Begins at `start` with nothing elapsed.
    #[must_use]
    pub const fn new(start: Timestamp) -> Self {
        Self { start, since: Millis(0), begun: Millis(0), goal: Millis(0) }
    }
    /// The time after `elapsed`; never decreases while `elapsed` does not.
    #[must_use]
    pub fn at(&self, elapsed: Millis) -> Timestamp {
        self.start + elapsed + self.correction(elapsed)
    }
    fn correction(&self, elapsed: Millis) -> Millis {
        let way = self.goal.0 - self.begun.0;
        let gone = (elapsed.0 - self.since.0).max(0) / SLEW_DIVISOR;
        Millis(self.begun.0 + way.signum() * gone.min(way.abs()))
    }
    /// Compares with the wall clock, which says that `wall_elapsed` has passed since the start, and corrects the course.
    pub fn compare(&mut self, elapsed: Millis, wall_elapsed: Millis) -> Drift {
        let now = self.correction(elapsed);
        let wanted = Millis(wall_elapsed.0 - elapsed.0);
        let away = Millis(wanted.0 - now.0);
        if away.0.abs() > STEP_MAX.0 {
            return Drift::TooFar(away);
        }
        (self.since, self.begun) = (elapsed, now);
        self.goal = if away.0.abs() <= NOISE.0 { now } else { wanted };
        if self.goal == now { Drift::None } else { Drift::Slewing(away) }
    }
}

enum Source {
    Real { started: Instant, wall: SystemTime, slew: RwLock<Slew>, overridden: bool },
    Manual(watch::Sender<Timestamp>),
}

/// A handle on the process clock; clones tell the same time.
#[derive(Clone)]
pub struct Clock(Arc<Source>);

impl std::fmt::Debug for Clock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Clock").field(&self.now()).finish()
    }
}

impl Clock {
    /// Starts the clock at the wall's time, or at `start` (`clock.start`), but never behind `newest` (of the journal).
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the process clock")]
    pub fn start(start: Option<Timestamp>, newest: Timestamp) -> Self {
        let wall = SystemTime::now();
        let begin = start.unwrap_or_else(|| Timestamp(millis(wall.duration_since(UNIX_EPOCH).unwrap_or_default())));
        let slew = RwLock::new(Slew::new(begin.max(newest)));
        Self(Arc::new(Source::Real { started: Instant::now(), wall, slew, overridden: start.is_some() }))
    }
    /// A clock that stands still until it is moved: for tests.
    #[must_use]
    pub fn manual(now: Timestamp) -> Self {
        Self(Arc::new(Source::Manual(watch::Sender::new(now))))
    }
    /// The time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        match &*self.0 {
            Source::Real { started, slew, .. } => slew.read().unwrap_or_else(PoisonError::into_inner).at(Millis(millis(started.elapsed()))),
            Source::Manual(now) => *now.borrow(),
        }
    }
    /// Was it started by `clock.start`? `/readyz?verbose` says so.
    #[must_use]
    pub fn overridden(&self) -> bool {
        matches!(&*self.0, Source::Real { overridden: true, .. })
    }
    /// Compares with the wall clock; called about once a second.
    #[expect(clippy::disallowed_methods, reason = "the process clock looks at the wall")]
    pub fn compare(&self) -> Drift {
        let Source::Real { started, wall, slew, .. } = &*self.0 else { return Drift::None };
        let wall_elapsed = match SystemTime::now().duration_since(*wall) {
            Ok(forward) => millis(forward),
            Err(backward) => -millis(backward.duration()),
        };
        slew.write().unwrap_or_else(PoisonError::into_inner).compare(Millis(millis(started.elapsed())), Millis(wall_elapsed))
    }
    /// Moves a manual clock forward; a real one is not moved.
    pub fn advance(&self, by: Millis) {
        if let Source::Manual(now) = &*self.0 {
            now.send_modify(|now| *now = *now + by);
        }
    }
    /// Tells when a manual clock is moved; nothing where the clock is real.
    pub(crate) fn watch(&self) -> Option<watch::Receiver<Timestamp>> {
        match &*self.0 {
            Source::Real { .. } => None,
            Source::Manual(now) => Some(now.subscribe()),
        }
    }
}

fn millis(length: Duration) -> i64 {
    i64::try_from(length.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp(1_000_000);

    #[test]
    fn a_step_forward_is_made_up_for_without_a_jump() {
        let mut slew = Slew::new(START);
        assert_eq!(slew.compare(Millis(1000), Millis(1000 + 500)), Drift::Slewing(Millis(500)));
        assert_eq!(slew.at(Millis(1000)), START + Millis(1000), "nothing at once");
        assert_eq!(slew.at(Millis(2000)), START + Millis(2050));
        assert_eq!(slew.at(Millis(60_000)), START + Millis(60_500), "arrived, and not beyond");
        assert_eq!(slew.compare(Millis(60_000), Millis(60_500)), Drift::None);
    }

    #[test]
    fn a_step_backward_never_turns_time_back() {
        let mut slew = Slew::new(START);
        let mut last = slew.at(Millis(0));
        for elapsed in 0..30_000 {
            if elapsed % 1000 == 0 {
                let _ = slew.compare(Millis(elapsed), Millis(elapsed - 1000));
            }
            assert!(slew.at(Millis(elapsed)) >= last);
            last = slew.at(Millis(elapsed));
        }
        assert_eq!(last, START + Millis(29_999 - 1000));
    }

    #[test]
    fn exactly_the_largest_step_is_followed_and_one_more_alarms() {
        let mut slew = Slew::new(START);
        assert_eq!(slew.compare(Millis(0), STEP_MAX), Drift::Slewing(STEP_MAX));
        let mut slew = Slew::new(START);
        assert_eq!(slew.compare(Millis(0), Millis(STEP_MAX.0 + 1)), Drift::TooFar(Millis(STEP_MAX.0 + 1)));
        assert_eq!(slew.at(Millis(5000)), START + Millis(5000), "not followed");
    }

    #[test]
    fn noise_is_not_followed() {
        let mut slew = Slew::new(START);
        assert_eq!(slew.compare(Millis(1000), Millis(1002)), Drift::None);
        assert_eq!(slew.at(Millis(9000)), START + Millis(9000));
    }

    #[test]
    fn the_clock_never_starts_behind_the_journal() {
        let newest = Timestamp(4_000_000_000_000);
        assert!(Clock::start(None, newest).now() >= newest);
        assert!(Clock::start(Some(START), newest).now() >= newest);
        let clock = Clock::start(Some(START), Timestamp(0));
        assert!(clock.overridden() && clock.now() >= START);
    }
}
