//! The result of a run, for people and for programs.
use super::tally::{Counts, Faults, Latencies};
use serde::Serialize;
use std::fmt;

/// Latencies in milliseconds, from the moment a tap was due to its answer.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Latency {
    /// Half of them.
    pub p50_ms: f64,
    /// 90 of 100.
    pub p90_ms: f64,
    /// 99 of 100.
    pub p99_ms: f64,
    /// 999 of 1000.
    pub p999_ms: f64,
    /// All.
    pub max_ms: f64,
}

impl From<&Latencies> for Latency {
    fn from(of: &Latencies) -> Self {
        Self { p50_ms: of.ms(0.5), p90_ms: of.ms(0.9), p99_ms: of.ms(0.99), p999_ms: of.ms(0.999), max_ms: of.ms_max() }
    }
}

/// Processor time and memory.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Cost {
    /// Processor time of the generator per tap, in microseconds.
    pub generator_us_per_tap: f64,
    /// Processor time of the server per tap, in microseconds.
    pub server_us_per_tap: Option<f64>,
    /// Processors that the generator kept busy.
    pub generator_cores: f64,
    /// Processors that the server kept busy.
    pub server_cores: Option<f64>,
    /// Highest resident memory of the server, in MiB.
    pub server_rss_max_mib: Option<f64>,
}

/// What a run has shown.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Report {
    /// Closed or open loop, in words.
    pub load: String,
    /// Gates.
    pub gates: usize,
    /// Media.
    pub media: usize,
    /// Measured time, in seconds.
    pub seconds: f64,
    /// Taps that were answered in the measured time, a second.
    pub taps_per_s: f64,
    /// Latencies of the answers in time.
    pub latency: Latency,
    /// What came of the taps.
    pub counts: Counts,
    /// Repeats that got the same answer.
    pub repeated_same: u64,
    /// Modes that gates applied.
    pub modes: u64,
    /// Taps that had to be left out because every medium was at a gate.
    pub left_out: u64,
    /// How late the generator itself was at worst, in milliseconds: above a few, it was the bottleneck.
    pub generator_late_max_ms: f64,
    /// Processor time and memory.
    pub cost: Cost,
    /// What should not happen.
    pub faults: Faults,
    /// Gates that were not connected at the end.
    pub offline_at_end: usize,
}

impl Report {
    /// The promises that were broken, in words; none = a good run.
    #[must_use]
    pub fn broken(&self) -> Vec<String> {
        self.faults.broken(&[(self.offline_at_end as u64, "gates were not connected at the end")])
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (latency, counts) = (&self.latency, &self.counts);
        writeln!(f, "{}, {} gates, {} media, {:.1} s", self.load, self.gates, self.media, self.seconds)?;
        writeln!(f, "  taps/s       {:.0}", self.taps_per_s)?;
        writeln!(
            f,
            "  latency ms   p50 {:.2}   p90 {:.2}   p99 {:.2}   p99.9 {:.2}   max {:.1}",
            latency.p50_ms, latency.p90_ms, latency.p99_ms, latency.p999_ms, latency.max_ms
        )?;
        writeln!(f, "  gates        opened {}   stayed shut {}   decided alone {}", counts.opened, counts.refused, counts.alone)?;
        let codes: Vec<String> = counts.codes.iter().map(|(code, count)| format!("{code} {count}")).collect();
        writeln!(f, "  answers      {}", if codes.is_empty() { "none".to_owned() } else { codes.join("   ") })?;
        writeln!(
            f,
            "  late {}   unanswered {}   repeats {} (all the same: {})   left out {}",
            counts.late,
            counts.unanswered,
            self.repeated_same,
            if self.faults.contradicted == 0 { "yes" } else { "NO" },
            self.left_out
        )?;
        self.cost_line(f)?;
        self.fault_lines(f)
    }
}

impl Report {
    fn cost_line(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cost = &self.cost;
        write!(f, "  cost         generator {:.1} µs/tap ({:.2} cores)", cost.generator_us_per_tap, cost.generator_cores)?;
        if let (Some(us), Some(cores), Some(rss)) = (cost.server_us_per_tap, cost.server_cores, cost.server_rss_max_mib) {
            write!(f, "   server {us:.1} µs/tap ({cores:.2} cores), at most {rss:.0} MiB")?;
        }
        writeln!(f, "   generator late at most {:.1} ms", self.generator_late_max_ms)
    }

    fn fault_lines(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let faults = &self.faults;
        if faults.lost > 0 {
            writeln!(f, "  connections  lost {} (last: {})", faults.lost, faults.lost_why.as_deref().unwrap_or("?"))?;
        }
        for (what, count) in &faults.refused {
            writeln!(f, "  refused      {what}: {count}")?;
        }
        for (code, count) in &faults.records_refused {
            writeln!(f, "  records      {code}: {count}")?;
        }
        if faults.stray > 0 {
            writeln!(f, "  stray        {} answers to unknown taps", faults.stray)?;
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
        report.faults.contradicted = 2;
        report.offline_at_end = 1;
        assert_eq!(report.broken(), ["2 taps got two different answers", "1 gates were not connected at the end"]);
        let text = report.to_string();
        assert!(text.contains("BROKEN       2 taps") && text.contains("all the same: NO"), "{text}");
    }

    #[test]
    fn being_busy_or_late_breaks_no_promise() {
        let counts = Counts { late: 5, alone: 5, unanswered: 2, ..Counts::default() };
        assert!(Report { counts, ..Report::default() }.broken().is_empty());
    }

    #[test]
    fn programs_read_the_same_figures() {
        let json = serde_json::to_value(Report { taps_per_s: 5.0, ..Report::default() }).expect("JSON");
        assert_eq!(json["taps_per_s"], 5.0);
        assert!(json["latency"]["p999_ms"].is_number() && json["faults"]["contradicted"].is_number());
    }
}
