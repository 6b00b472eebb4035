//! Hours of the week by a network's own clock: when a fare or a concession counts.
use crate::time::{Calendar, Day, Millis, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Days of the week; public holidays are a day of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Days(u8);

impl Days {
    /// Every day, public holidays included.
    pub const ALL: Self = Self(0xff);
    /// The bit of public holidays.
    const HOLIDAY: u8 = 7;

    /// From one day of the week to another, both included; 0 = Monday … 6 = Sunday, 7 = public holidays. A range may run over
    /// Sunday; public holidays are in none but their own.
    #[must_use]
    pub fn range(from: u8, to: u8) -> Self {
        if from >= Self::HOLIDAY || to >= Self::HOLIDAY {
            return Self(1 << Self::HOLIDAY);
        }
        let length = (to + 7 - from) % 7;
        Self((0..=length).fold(0, |days, n| days | 1 << ((from + n) % 7)))
    }
    /// Both together.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
    const fn holds(self, day: u8) -> bool {
        self.0 & (1 << day) != 0
    }
}

/// A span of hours on some days, local time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// On these days.
    pub days: Days,
    /// Since local midnight, inclusive.
    pub from: Millis,
    /// Since local midnight, exclusive; 24:00 at most.
    pub until: Millis,
}

impl Window {
    /// Is this moment in it?
    #[must_use]
    pub fn holds(&self, calendar: Calendar, holidays: &BTreeSet<Day>, at: Timestamp) -> bool {
        let day = calendar.local_day(at);
        let of_week = if holidays.contains(&day) { Days::HOLIDAY } else { day.of_week() };
        let clock = calendar.local_clock(at);
        self.days.holds(of_week) && self.from <= clock && clock < self.until
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::MORNING;

    #[test]
    fn a_window_holds_from_its_first_moment_to_before_its_last() {
        // MORNING is a Monday, 08:00 in Shanghai.
        let window = Window { days: Days::range(0, 4), from: Millis::hours(8), until: Millis::hours(9) };
        let holds = |after: Millis| window.holds(Calendar::SHANGHAI, &BTreeSet::new(), MORNING + after);
        assert!(holds(Millis(0)) && holds(Millis(3_599_999)));
        assert!(!holds(Millis(-1)) && !holds(Millis::hours(1)));
        assert!(holds(Millis::hours(4 * 24)), "a Friday");
        assert!(!holds(Millis::hours(5 * 24)), "a Saturday");
    }

    #[test]
    fn a_public_holiday_is_no_day_of_the_week() {
        let at_eight = |days| Window { days, from: Millis::hours(8), until: Millis::hours(9) };
        let holidays = BTreeSet::from([Calendar::SHANGHAI.local_day(MORNING)]);
        let holds = |days| at_eight(days).holds(Calendar::SHANGHAI, &holidays, MORNING);
        assert!(!holds(Days::range(0, 6)));
        assert!(holds(Days::range(7, 7)) && holds(Days::ALL) && holds(Days::range(5, 6).and(Days::range(7, 7))));
    }

    #[test]
    fn ranges_of_days_may_run_over_sunday() {
        assert_eq!(Days::range(5, 0), Days::range(5, 6).and(Days::range(0, 0)));
        assert_eq!(Days::range(0, 6).and(Days::range(7, 7)), Days::ALL);
    }
}
