//! Time as the machines see it: milliseconds since 1970-01-01T00:00:00Z, given from outside, and the business day.
use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::{Add, Sub};

/// A length of time in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default)]
#[serde(transparent)]
pub struct Millis(pub i64);

impl Millis {
    /// Whole seconds.
    #[must_use]
    pub const fn seconds(n: i64) -> Self {
        Self(n * 1000)
    }
    /// Whole minutes.
    #[must_use]
    pub const fn minutes(n: i64) -> Self {
        Self(n * 60_000)
    }
    /// Whole hours.
    #[must_use]
    pub const fn hours(n: i64) -> Self {
        Self(n * 3_600_000)
    }
    /// Its length, whichever way.
    #[must_use]
    pub const fn abs(self) -> Self {
        Self(self.0.saturating_abs())
    }
}

impl Sub for Millis {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

/// A moment: milliseconds since the Unix epoch, UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

impl Add<Millis> for Timestamp {
    type Output = Self;
    fn add(self, length: Millis) -> Self {
        Self(self.0.saturating_add(length.0))
    }
}
impl Sub<Millis> for Timestamp {
    type Output = Self;
    fn sub(self, length: Millis) -> Self {
        Self(self.0.saturating_sub(length.0))
    }
}
impl Sub for Timestamp {
    type Output = Millis;
    fn sub(self, earlier: Self) -> Millis {
        Millis(self.0.saturating_sub(earlier.0))
    }
}

const DAY_MS: i64 = 86_400_000;

/// A calendar day as days since 1970-01-01, in the local time of whoever made it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Day(pub i32);

impl fmt::Display for Day {
    /// `YYYY-MM-DD`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.civil();
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

impl Day {
    /// Year, month and day (Howard Hinnant's `civil_from_days`).
    fn civil(self) -> (i64, i64, i64) {
        let z = i64::from(self.0) + 719_468;
        let era = z.div_euclid(146_097);
        let doe = z.rem_euclid(146_097);
        let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
        let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
        let mp = (5 * doy + 2) / 153;
        let day = doy - (153 * mp + 2) / 5 + 1;
        let month = if mp < 10 { mp + 3 } else { mp - 9 };
        (yoe + era * 400 + i64::from(month <= 2), month, day)
    }
    /// The year it lies in.
    #[must_use]
    pub fn year(self) -> i32 {
        i32::try_from(self.civil().0).unwrap_or(i32::MAX)
    }
    /// Its place in the week, 0 = Monday.
    #[must_use]
    pub fn of_week(self) -> u8 {
        // 1970-01-01 was a Thursday.
        u8::try_from((self.0.rem_euclid(7) + 3) % 7).unwrap_or(0)
    }
    /// The day of a date; none where there is no such date.
    #[must_use]
    pub fn of_date(year: i32, month: u8, day: u8) -> Option<Self> {
        let (y, m, d) = (i64::from(year) - i64::from(month <= 2), i64::from(month), i64::from(day));
        let yoe = y.rem_euclid(400);
        let doy = (153 * (if m > 2 { m - 3 } else { m + 9 }) + 2) / 5 + d - 1;
        let days = y.div_euclid(400) * 146_097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719_468;
        let found = Self(i32::try_from(days).ok()?);
        (found.civil() == (i64::from(year), m, d)).then_some(found)
    }
}

/// How a network counts its days: a fixed offset from UTC and the hour at which the business day (运营日) switches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Calendar {
    /// Local time minus UTC.
    pub utc_offset: Millis,
    /// The business day begins this long after local midnight.
    pub business_day_starts: Millis,
}

impl Calendar {
    /// Asia/Shanghai (UTC+8, no summer time since 1991), business day from 02:00.
    pub const SHANGHAI: Self = Self { utc_offset: Millis::hours(8), business_day_starts: Millis::hours(2) };

    /// The local calendar day: what limits per day and year roll on.
    #[must_use]
    pub fn local_day(&self, at: Timestamp) -> Day {
        Day(i32::try_from((at + self.utc_offset).0.div_euclid(DAY_MS)).unwrap_or(i32::MAX))
    }
    /// The time since local midnight.
    #[must_use]
    pub fn local_clock(&self, at: Timestamp) -> Millis {
        Millis((at + self.utc_offset).0.rem_euclid(DAY_MS))
    }
    /// The business day: what journeys and settlement roll on.
    #[must_use]
    pub fn business_day(&self, at: Timestamp) -> Day {
        self.local_day(at - self.business_day_starts)
    }
    /// The first moment after the business day.
    #[must_use]
    pub fn business_day_end(&self, day: Day) -> Timestamp {
        Timestamp((i64::from(day.0) + 1) * DAY_MS) - self.utc_offset + self.business_day_starts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_business_day_switches_at_two_in_shanghai() {
        let c = Calendar::SHANGHAI;
        let two = Timestamp(1_767_204_000_000); // 2025-12-31T18:00:00Z = 2026-01-01T02:00+08:00
        assert_eq!(c.business_day(two).to_string(), "2026-01-01");
        assert_eq!(c.business_day(two - Millis(1)).to_string(), "2025-12-31");
        assert_eq!(c.local_day(two - Millis(1)).to_string(), "2026-01-01");
        assert_eq!(c.business_day_end(c.business_day(two - Millis(1))), two);
        assert_eq!(c.local_day(two).year(), 2026);
    }

    #[test]
    fn days_print_as_dates() {
        assert_eq!(Day(0).to_string(), "1970-01-01");
        assert_eq!(Day(19_782).to_string(), "2024-02-29");
        assert_eq!(Day(-1).to_string(), "1969-12-31");
        assert_eq!([Day(0), Day(4), Day(-1)].map(Day::of_week), [3, 0, 2], "Thursday, Monday, Wednesday");
    }

    #[test]
    fn dates_are_days() {
        for day in [Day(0), Day(-1), Day(19_782), Day(20_458)] {
            let (year, month, of_month) = day.civil();
            let date =
                (i32::try_from(year).expect("a year"), u8::try_from(month).expect("a month"), u8::try_from(of_month).expect("a day"));
            assert_eq!(Day::of_date(date.0, date.1, date.2), Some(day));
        }
        assert_eq!([Day::of_date(2025, 2, 29), Day::of_date(2025, 13, 1), Day::of_date(2025, 0, 1)], [None; 3]);
    }
}
