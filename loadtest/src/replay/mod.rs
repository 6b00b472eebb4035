//! Real days again: what riders did elsewhere, tapped at virtual gates against a real server, at its own pace or faster.
//!
//! [`flows`] reads how many rode from where to where in each hour; [`trips`] gives each ride its moments, [`riders`] says who
//! rides, [`city`] where they tap and what files a server needs for it; so flows become the same [`day`] of taps that a CSV
//! may hold. [`play`] taps it, [`series`] keeps what came of it over time, [`report`] and [`page`] show it.
//!
//! Everything before [`play`] is pure: the same file and seed give the same taps, byte for byte.
pub mod city;
pub mod day;
pub mod flows;
pub mod page;
pub mod play;
mod plot;
pub mod report;
pub mod riders;
pub mod series;
#[cfg(test)]
mod tests;
pub mod trips;

/// Milliseconds of an hour.
pub const HOUR_MS: i64 = 3_600_000;
/// Milliseconds of a minute.
pub const MINUTE_MS: i64 = 60_000;
/// Hours of a day.
pub const HOURS: usize = 24;
