//! The result of a run, for people and for programs.
use super::room::Faults;
use crate::load::report::Latency;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;

/// Every console was cut off at once and came back.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Storm {
    /// Until the last one followed again, in milliseconds.
    pub all_back_ms: f64,
    /// From connecting to following again.
    pub following: Latency,
    /// Channels that went on where they had been.
    pub recovered: u64,
    /// Channels that began anew, because too much had passed.
    pub whole: u64,
    /// Tap to answer at the gates meanwhile.
    pub tap_to_answer: Latency,
}

/// Consoles that never read.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Slow {
    /// How many.
    pub consoles: usize,
    /// Those that the server has ended.
    pub dropped: usize,
    /// How.
    pub how: BTreeMap<String, usize>,
}

/// Processor time and memory.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Cost {
    /// Processor time of the server per tap before the consoles came, in microseconds.
    pub server_us_per_tap_alone: Option<f64>,
    /// What the consoles add, per delivered event, in microseconds.
    pub server_us_per_event: Option<f64>,
    /// Memory of the server per console that follows, in KiB.
    pub server_kib_per_console: Option<f64>,
    /// Processors that the server kept busy.
    pub server_cores: Option<f64>,
    /// Processors that the generator kept busy.
    pub generator_cores: f64,
    /// Highest resident memory of the server, in MiB.
    pub server_rss_max_mib: Option<f64>,
}

/// What a run has shown.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Report {
    /// Consoles that read.
    pub consoles: usize,
    /// Their channels, as they were asked for.
    pub channels: Vec<String>,
    /// Stations over which they were spread.
    pub stations: usize,
    /// Measured time, in seconds.
    pub seconds: f64,
    /// Taps answered a second.
    pub taps_per_s: f64,
    /// Events delivered a second, at all consoles together.
    pub events_per_s: f64,
    /// Events in one message, in the mean.
    pub events_per_message: f64,
    /// Values of the state lane a second, at all consoles together.
    pub states_per_s: f64,
    /// Bytes a second, at all consoles together.
    pub bytes_per_s: f64,
    /// From the moment a tap was due to its event on a console.
    pub tap_to_console: Latency,
    /// From the moment a tap was due to its answer at the gate.
    pub tap_to_answer: Latency,
    /// The same before the consoles came.
    pub tap_to_answer_alone: Latency,
    /// From connecting to following every channel.
    pub following: Latency,
    /// Until the last console followed, in milliseconds.
    pub all_following_ms: f64,
    /// Storms.
    pub storms: Vec<Storm>,
    /// Consoles that never read.
    pub slow: Slow,
    /// Processor time and memory.
    pub cost: Cost,
    /// How late the generator itself was at worst, in milliseconds.
    pub generator_late_max_ms: f64,
    /// Consoles that did not follow at the end.
    pub missing_at_end: usize,
    /// What should not happen.
    pub faults: Faults,
}

impl Report {
    /// The promises that were broken, in words; none = a good run.
    #[must_use]
    pub fn broken(&self) -> Vec<String> {
        let mut all: Vec<String> = self.faults.broken.iter().map(|(what, count)| format!("{count} times: {what}")).collect();
        all.extend(self.faults.refused.iter().map(|(code, count)| format!("{count} subscriptions were refused: {code}")));
        let count = |count: usize, what: &str| (count > 0).then(|| format!("{count} {what}"));
        all.extend(count(self.missing_at_end, "consoles did not follow at the end"));
        all.extend(count(self.slow.consoles - self.slow.dropped, "consoles that never read were kept"));
        all
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let channels = self.channels.join(", ");
        writeln!(
            f,
            "{} consoles on {channels} ({} stations), {:.0} taps/s, {:.1} s",
            self.consoles, self.stations, self.taps_per_s, self.seconds
        )?;
        writeln!(
            f,
            "  delivered    {:.0} events/s ({:.1} in a message), {:.0} states/s, {:.0} KiB/s",
            self.events_per_s,
            self.events_per_message,
            self.states_per_s,
            self.bytes_per_s / 1024.0
        )?;
        line(f, "tap→console", &self.tap_to_console)?;
        line(f, "tap→answer", &self.tap_to_answer)?;
        line(f, "… alone", &self.tap_to_answer_alone)?;
        line(f, "following", &self.following)?;
        writeln!(f, "               the last after {:.0} ms", self.all_following_ms)?;
        self.cost_line(f)?;
        self.storm_lines(f)?;
        self.fault_lines(f)
    }
}

fn line(f: &mut fmt::Formatter<'_>, what: &str, latency: &Latency) -> fmt::Result {
    let Latency { p50_ms, p90_ms, p99_ms, p999_ms, max_ms } = latency;
    writeln!(f, "  {what:<12} p50 {p50_ms:.2}   p90 {p90_ms:.2}   p99 {p99_ms:.2}   p99.9 {p999_ms:.2}   max {max_ms:.1} ms")
}

impl Report {
    fn cost_line(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cost = &self.cost;
        write!(f, "  cost         generator {:.2} cores", cost.generator_cores)?;
        let known = [
            (cost.server_cores, "server", "cores"),
            (cost.server_us_per_tap_alone, "alone", "µs/tap"),
            (cost.server_us_per_event, "consoles", "µs/event"),
            (cost.server_kib_per_console, "and", "KiB each"),
            (cost.server_rss_max_mib, "at most", "MiB"),
        ];
        for (value, what, unit) in known {
            if let Some(value) = value {
                write!(f, "   {what} {value:.2} {unit}")?;
            }
        }
        writeln!(f, "   generator late at most {:.1} ms", self.generator_late_max_ms)
    }

    fn storm_lines(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, storm) in (1..).zip(&self.storms) {
            writeln!(
                f,
                "  storm {n}      all back after {:.0} ms: {} went on, {} anew; one p99 {:.0} ms; gates meanwhile p99 {:.2} ms",
                storm.all_back_ms, storm.recovered, storm.whole, storm.following.p99_ms, storm.tap_to_answer.p99_ms
            )?;
        }
        Ok(())
    }

    fn fault_lines(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.slow.consoles > 0 {
            let how: Vec<String> = self.slow.how.iter().map(|(how, count)| format!("{how}: {count}")).collect();
            writeln!(f, "  never read   {} of {} dropped ({})", self.slow.dropped, self.slow.consoles, how.join(", "))?;
        }
        for (why, count) in &self.faults.lost {
            writeln!(f, "  lost         {why}: {count}")?;
        }
        self.broken().iter().try_for_each(|what| writeln!(f, "  BROKEN       {what}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_broken_promise_is_named() {
        let mut report = Report::default();
        assert!(report.broken().is_empty());
        report.faults.broken.insert("an event is missing", 2);
        report.faults.refused.insert("FORBIDDEN".into(), 1);
        report.slow = Slow { consoles: 3, dropped: 1, how: BTreeMap::new() };
        report.missing_at_end = 4;
        assert_eq!(report.broken().len(), 4, "{:?}", report.broken());
        assert!(report.to_string().contains("BROKEN       2 times: an event is missing"), "{report}");
    }

    #[test]
    fn a_lost_connection_breaks_no_promise() {
        let mut report = Report::default();
        report.faults.lost.insert("closed with 4001".into(), 5);
        assert!(report.broken().is_empty() && report.to_string().contains("closed with 4001: 5"));
    }
}
