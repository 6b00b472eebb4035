//! Moments on the wire: RFC 3339, written in UTC with milliseconds, read with any offset. Our own reader and writer because
//! a tap reads one moment and writes two on the hot path; both are tested against a calendar library.
use crate::payload::Notes;
use crate::wire::{Wire, text_visitor};
use schemars::JsonSchema;
use serde::{Deserializer, Serialize, Serializer};
use tongdao_domain::time::Timestamp;

const DAY_MS: i64 = 86_400_000;
/// `0000-01-01T00:00:00.000Z`, the first moment that can be written.
const FIRST_MS: i64 = -62_167_219_200_000;
/// `9999-12-31T23:59:59.999Z`, the last moment that can be written.
const LAST_MS: i64 = 253_402_300_799_999;
/// Length of a written moment in bytes.
const WRITTEN_BYTES: usize = 24;

/// A moment as it goes over the wire: RFC 3339 in UTC with milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(pub Timestamp);

impl From<Timestamp> for Time {
    fn from(at: Timestamp) -> Self {
        Self(at)
    }
}
impl From<Time> for Timestamp {
    fn from(time: Time) -> Self {
        time.0
    }
}
impl std::fmt::Display for Time {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(std::str::from_utf8(&digits(self.0)).unwrap_or_default())
    }
}
impl std::str::FromStr for Time {
    type Err = TimeError;
    fn from_str(text: &str) -> Result<Self, TimeError> {
        parse(text).map(Self).ok_or(TimeError)
    }
}
impl Serialize for Time {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(std::str::from_utf8(&digits(self.0)).unwrap_or_default())
    }
}
impl<'de> Wire<'de> for Time {
    const EXPECTED: &'static str = "a moment in RFC 3339, such as 2026-03-02T08:00:00.000Z";
    fn read<D: Deserializer<'de>>(source: D, _: &Notes) -> Result<Self, D::Error> {
        source.deserialize_str(text_visitor(|text| parse(text).map(Self)))
    }
}
crate::wire::deserialize_by_wire!(Time);
impl JsonSchema for Time {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Time".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string", "format": "date-time",
            "description": "RFC 3339; written in UTC with milliseconds, read with any offset"
        })
    }
}

/// A text is no moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a moment in RFC 3339, such as 2026-03-02T08:00:00.000Z")]
pub struct TimeError;

/// Reads RFC 3339 with any offset and any number of decimals; what is finer than a millisecond is cut off, a leap second
/// reads as the second before it. `None` where the text is something else.
#[must_use]
pub fn parse(text: &str) -> Option<Timestamp> {
    let bytes = text.as_bytes();
    let (head, rest) = bytes.split_at_checked(19)?;
    let marks = [(4, b'-'), (7, b'-'), (13, b':'), (16, b':')];
    if marks.iter().any(|(at, mark)| head[*at] != *mark) || !matches!(head[10], b'T' | b't') {
        return None;
    }
    let days = days_from_civil(number(&head[..4])?, number(&head[5..7])?, number(&head[8..10])?)?;
    let (hour, minute, second) = (number(&head[11..13])?, number(&head[14..16])?, number(&head[17..])?);
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let (fraction_ms, rest) = fraction(rest)?;
    let of_day = ((hour * 60 + minute) * 60 + second.min(59)) * 1000 + fraction_ms;
    Some(Timestamp(days * DAY_MS + of_day - offset_ms(rest)?))
}

/// All digits, at most four of them.
fn number(digits: &[u8]) -> Option<i64> {
    digits.iter().try_fold(0, |n, digit| digit.is_ascii_digit().then(|| n * 10 + i64::from(digit - b'0')))
}

/// `.123…` in milliseconds and what follows; nothing where no dot stands.
fn fraction(text: &[u8]) -> Option<(i64, &[u8])> {
    let Some((b'.', decimals)) = text.split_first() else { return Some((0, text)) };
    let length = decimals.iter().take_while(|digit| digit.is_ascii_digit()).count();
    let (decimals, rest) = decimals.split_at(length);
    let of = |at: usize, weight| decimals.get(at).map_or(0, |digit| i64::from(digit - b'0') * weight);
    (length > 0).then(|| (of(0, 100) + of(1, 10) + of(2, 1), rest))
}

/// `Z` or `±hh:mm`, and nothing after it.
fn offset_ms(text: &[u8]) -> Option<i64> {
    match text {
        [b'Z' | b'z'] => Some(0),
        [sign @ (b'+' | b'-'), clock @ ..] if clock.len() == 5 && clock[2] == b':' => {
            let (hours, minutes) = (number(&clock[..2])?, number(&clock[3..])?);
            let ms = (hours * 60 + minutes) * 60_000;
            (hours < 24 && minutes < 60).then_some(if *sign == b'-' { -ms } else { ms })
        }
        _ => None,
    }
}

/// Days since 1970-01-01 of a date that exists (Howard Hinnant, "chrono-compatible low-level date algorithms").
fn days_from_civil(year: i64, month: i64, day: i64) -> Option<i64> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let last = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 => 28 + i64::from(leap),
        _ => return None,
    };
    if day < 1 || day > last {
        return None;
    }
    let year = year - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    Some(era * 146_097 + day_of_era - 719_468)
}

/// Writes the moment; outside of the years 0000 to 9999 the nearest that can be written.
pub fn write(at: Timestamp, out: &mut Vec<u8>) {
    out.extend_from_slice(&digits(at));
}

fn digits(at: Timestamp) -> [u8; WRITTEN_BYTES] {
    let ms = at.0.clamp(FIRST_MS, LAST_MS);
    let (year, month, day) = civil_from_days(ms.div_euclid(DAY_MS));
    let of_day = ms.rem_euclid(DAY_MS);
    let mut out = *b"0000-00-00T00:00:00.000Z";
    put(&mut out[0..4], year);
    put(&mut out[5..7], month);
    put(&mut out[8..10], day);
    put(&mut out[11..13], of_day / 3_600_000);
    put(&mut out[14..16], of_day / 60_000 % 60);
    put(&mut out[17..19], of_day / 1000 % 60);
    put(&mut out[20..23], of_day % 1000);
    out
}

fn put(digits: &mut [u8], mut n: i64) {
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + u8::try_from(n % 10).unwrap_or(0);
        n /= 10;
    }
}

/// The date of a day since 1970-01-01 (same source as [`days_from_civil`]).
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let day_of_era = z.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day_of_year - (153 * shifted + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(at: i64) -> String {
        Time(Timestamp(at)).to_string()
    }

    #[test]
    fn moments_are_written_in_utc_with_milliseconds() {
        assert_eq!(written(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(written(1_772_438_400_007), "2026-03-02T08:00:00.007Z");
        assert_eq!(written(-1), "1969-12-31T23:59:59.999Z");
        assert_eq!(written(i64::MIN), "0000-01-01T00:00:00.000Z");
        assert_eq!(written(i64::MAX), "9999-12-31T23:59:59.999Z");
    }

    #[test]
    fn any_offset_and_any_number_of_decimals_is_read() {
        let eight = Some(Timestamp(1_772_438_400_000));
        for text in [
            "2026-03-02T08:00:00Z",
            "2026-03-02t08:00:00z",
            "2026-03-02T16:00:00+08:00",
            "2026-03-02T08:00:00.0009-00:00",
            "2026-03-01T22:30:00.0-09:30",
        ] {
            assert_eq!(parse(text), eight, "{text}");
        }
        assert_eq!(parse("2016-12-31T23:59:60Z"), parse("2016-12-31T23:59:59Z"), "a leap second");
        assert_eq!(parse("2026-03-02T08:00:00.1Z"), Some(Timestamp(1_772_438_400_100)));
    }

    #[test]
    fn everything_else_is_refused() {
        for text in [
            "",
            "2026-03-02",
            "2026-03-02T08:00:00",
            "2026-03-02 08:00:00Z",
            "2026-03-02T08:00Z",
            "2026-02-29T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-03-02T24:00:00Z",
            "2026-03-02T08:60:00Z",
            "2026-03-02T08:00:61Z",
            "2026-03-02T08:00:00.Z",
            "2026-03-02T08:00:00+0800",
            "2026-03-02T08:00:00+24:00",
            "2026-03-02T08:00:00+08:60",
            "2026-03-02T08:00:00ZZ",
            "+026-03-02T08:00:00Z",
            "2026-03-02T08:00:00,5Z",
            "二〇二六-03-02T08:00:00Z",
            "2026-00-10T08:00:00Z",
            "2026-03-00T08:00:00Z",
            "1772438400000",
            " 2026-03-02T08:00:00Z",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back_and_a_calendar_library_agrees(ms in FIRST_MS..=LAST_MS) {
            let text = written(ms);
            prop_assert_eq!(parse(&text), Some(Timestamp(ms)));
            prop_assert_eq!(text.parse::<jiff::Timestamp>().expect("valid").as_millisecond(), ms);
        }

        #[test]
        fn a_calendar_library_reads_the_same(
            date in (1i64..=9998, 0i64..=13, 0i64..=32),
            clock in (0i64..=25, 0i64..=61, 0i64..=60),
            decimals in proptest::option::of("[0-9]{1,9}"),
            offset in prop_oneof![Just("Z".to_owned()), (0i64..=23, 0i64..=59).prop_map(|(h, m)| format!("-{h:02}:{m:02}")),
                (0i64..=23, 0i64..=59).prop_map(|(h, m)| format!("+{h:02}:{m:02}"))],
        ) {
            let fraction = decimals.map(|d| format!(".{d}")).unwrap_or_default();
            let text = format!("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}{fraction}{offset}", date.0, date.1, date.2, clock.0, clock.1, clock.2);
            let theirs = text.parse::<jiff::Timestamp>().ok().map(|t| Timestamp(t.as_nanosecond().div_euclid(1_000_000) as i64));
            prop_assert_eq!(parse(&text), theirs, "{}", text);
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,40}") {
            let _ = parse(&text);
        }
    }
}
