//! Rides in CSV, priced by a fare table: the very code that prices taps, without taps, stations or a clock.
//!
//! Rows of one account are its journeys in the order of the file; rows without one stand alone. A ride without a moment is
//! priced by the newest version as if it began at its first moment.
use crate::file::FileError;
use crate::import::{cell, read};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;
use serde::Deserialize;
use std::collections::HashMap;
use tongdao_domain::fare::{FareTable, Judge, Past, Rule, Stay, Trip};
use tongdao_domain::id::{FareTableId, StationId};
use tongdao_domain::money::Amount;
use tongdao_domain::time::{Calendar, Millis, Timestamp};

const COLUMNS: &str = "origin,destination,distance_m,minutes[,at,account]";
/// Longest stay that is read, in minutes: ten years.
const MINUTES_MAX: u32 = 5_256_000;

#[derive(Deserialize)]
struct Cells {
    origin: String,
    destination: String,
    distance_m: String,
    minutes: String,
    at: Option<String>,
    account: Option<String>,
}

/// Prices the rides of a file for a passenger class: the same rows with `fare,rule`.
///
/// # Errors
/// [`FileError`] names the first line that cannot be read and the way out.
pub fn priced(table: &FareTable, class: &str, text: &str) -> Result<String, FileError> {
    if class != "adult" && !table.versions.iter().any(|version| version.knows(class)) {
        return Err(FileError::key("class", format!("the table has no passenger class {class:?}")));
    }
    let rows = read::<Cells>(text, COLUMNS, &["at", "account"])?;
    let optional: Vec<&str> = header(text).into_iter().filter(|name| ["at", "account"].contains(name)).collect();
    let mut out = csv::WriterBuilder::new().terminator(csv::Terminator::Any(b'\n')).from_writer(Vec::new());
    let head = ["origin", "destination", "distance_m", "minutes"].into_iter().chain(optional.iter().copied()).chain(["fare", "rule"]);
    let unwritable = |_| FileError::line(0, "cannot be written");
    out.write_record(head).map_err(unwritable)?;
    let mut pasts = Pasts::default();
    for (line, cells) in rows {
        let (fare, rule) = pasts.price(table, class, &cells, line)?;
        let more = optional.iter().map(|name| if *name == "at" { &cells.at } else { &cells.account });
        let given = [&cells.origin, &cells.destination, &cells.distance_m, &cells.minutes].into_iter().map(String::as_str);
        let more = more.map(|cell| cell.as_deref().unwrap_or_default());
        let (fare, rule) = (fare.to_string(), rule.to_string());
        out.write_record(given.chain(more).chain([fare.as_str(), rule.as_str()])).map_err(unwritable)?;
    }
    let bytes = out.into_inner().map_err(|_| FileError::line(0, "cannot be written"))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn header(text: &str) -> Vec<&str> {
    let first = text.strip_prefix('\u{feff}').unwrap_or(text).lines().next().unwrap_or_default();
    first.split(',').map(|name| name.trim().trim_matches('"')).collect()
}

/// What earlier rides of each account left behind.
#[derive(Default)]
struct Pasts(HashMap<String, (Timestamp, Past)>);

impl Pasts {
    fn price(&mut self, table: &FareTable, class: &str, cells: &Cells, line: u64) -> Result<(Amount, Rule), FileError> {
        let (from, to): (StationId, StationId) = (cell(line, "origin", &cells.origin)?, cell(line, "destination", &cells.destination)?);
        let metres = cell::<u32>(line, "distance_m", &cells.distance_m)?;
        let begun = cells.begun(line)?.or_else(|| table.versions.last().map(|version| version.from)).unwrap_or_default();
        let ended = begun + minutes(line, &cells.minutes)?;
        let (mut alone, id) = ((begun, Past::default()), cell::<FareTableId>(line, "table", "table")?);
        let account = cells.account.as_deref().filter(|account| !account.is_empty());
        let (last, past) = match account {
            Some(account) => self.0.entry(account.to_owned()).or_insert_with(|| (begun, Past::default())),
            None => &mut alone,
        };
        if begun < *last {
            return Err(FileError::line(line, "column at: the journeys of an account stand in their order"));
        }
        *last = begun;
        let version = table.at(ended).ok_or_else(|| FileError::line(line, "the table has no version"))?;
        let judge = Judge { table: &id, version, calendar: table.calendar.unwrap_or(Calendar::SHANGHAI), class };
        if version.is_flat() {
            return Ok(judge.flat(past, &from, begun));
        }
        let trip = Trip { from: &from, to: &to, metres: Some(metres) };
        let left = judge.leave(past, &trip, Stay { begun, ended, waived: false }, |_| None);
        Ok((left.fare(), left.rule))
    }
}

impl Cells {
    fn begun(&self, line: u64) -> Result<Option<Timestamp>, FileError> {
        let Some(at) = self.at.as_deref().filter(|at| !at.is_empty()) else { return Ok(None) };
        let wrong = || FileError::line(line, "column at: give date, time and offset, such as 2026-01-05T08:00:00+08:00");
        crate::time::parse(at).map(Some).ok_or_else(wrong)
    }
}

/// `240`, `240.5` or `240:01`.
fn minutes(line: u64, text: &str) -> Result<Millis, FileError> {
    let wrong = || FileError::line(line, "column minutes: give minutes such as 25, 25.5 or 25:30");
    let decimal = |text: &str| text.parse::<Decimal>().ok().filter(|n| !n.is_sign_negative() && *n <= MINUTES_MAX.into());
    let minutes = match text.split_once(':') {
        None => decimal(text).ok_or_else(wrong)?,
        Some((minutes, seconds)) => {
            let seconds = seconds.parse::<u32>().ok().filter(|n| *n < 60 && seconds.len() == 2).ok_or_else(wrong)?;
            decimal(minutes).ok_or_else(wrong)? + Decimal::from(seconds) / Decimal::from(60)
        }
    };
    (minutes * Decimal::from(60_000)).round().to_i64().map(Millis).ok_or_else(wrong)
}

#[cfg(test)]
mod tests;
