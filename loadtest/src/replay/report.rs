//! The result of a replay, for people and for programs.
use super::series::{Slice, StationLoad};
use crate::figures::{grouped, money};
use crate::load::report::{Cost, Latency};
use crate::load::tally::{Counts, Faults};
use serde::Serialize;
use std::fmt;
use tongdao_domain::time::Timestamp;
use tongdao_protocol::time::Time;

/// What the gates have seen, to hold against the ledger.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Books {
    /// Riders let in.
    pub entries: u64,
    /// Riders let out.
    pub exits: u64,
    /// Sum of the fares that the answers named at exits, in hundredths.
    pub fares: i64,
    /// Riders let in or out by a gate alone; the ledger has their fares from the gates' records.
    pub without_answer: u64,
    /// Riders who were not let in, or not let out, in the end.
    pub turned_away: u64,
    /// Exits that were not made because the rider had not been let in.
    pub stayed_out: u64,
    /// Riders inside at the end.
    pub inside_at_end: u64,
}

impl Books {
    /// A gate has opened, or stayed shut for good, on an answer or alone; the fare is that of the answer.
    pub fn enter(&mut self, exit: bool, open: bool, alone: bool, fare: Option<i64>) {
        self.without_answer += u64::from(open && alone);
        if !open {
            self.turned_away += 1;
        } else if exit {
            self.exits += 1;
            self.fares += fare.unwrap_or(0);
        } else {
            self.entries += 1;
        }
    }
}

/// What a replay has shown.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Report {
    /// First moment of the riders' time, in milliseconds since 1970.
    pub from_ms: i64,
    /// Last moment of it that was played.
    pub to_ms: i64,
    /// Local time of the site minus UTC, in milliseconds.
    pub offset_ms: i64,
    /// So many times faster than it was.
    pub speed: f64,
    /// How long it took, in seconds.
    pub seconds: f64,
    /// Gates.
    pub gates: usize,
    /// Stations.
    pub stations: usize,
    /// Riders, each with a medium.
    pub riders: usize,
    /// Taps in the file.
    pub taps_of_day: u64,
    /// Taps made, repeated ones counted.
    pub taps: u64,
    /// Of them, repeated by riders who were not let through.
    pub taps_repeated: u64,
    /// Taps a second, in the mean.
    pub taps_per_s: f64,
    /// Taps a second in the busiest slice.
    pub peak_taps_per_s: f64,
    /// From the moment a tap was due to its answer.
    pub latency: Latency,
    /// What came of the taps.
    pub counts: Counts,
    /// What the gates have seen.
    pub books: Books,
    /// Taps that gates still kept at the end, because their records were not acknowledged.
    pub records_kept: usize,
    /// Gates that were not connected at the end.
    pub offline_at_end: usize,
    /// How late the generator itself was at worst, in milliseconds: above a few, it was the bottleneck.
    pub generator_late_max_ms: f64,
    /// Processor time and memory.
    pub cost: Cost,
    /// What should not happen.
    pub faults: Faults,
    /// Length of a slice, in seconds.
    pub slice_s: f64,
    /// The run, slice by slice.
    pub slices: Vec<Slice>,
    /// Length of a column of the stations' load, in minutes of the riders' time.
    pub column_minutes: i64,
    /// The stations, the busiest first.
    pub station_loads: Vec<StationLoad>,
}

impl Report {
    /// The promises that were broken, in words; none = a good run.
    #[must_use]
    pub fn broken(&self) -> Vec<String> {
        let faults = &self.faults;
        faults.broken(&[
            (self.offline_at_end as u64, "gates were not connected at the end"),
            (self.records_kept as u64, "records were not acknowledged at the end"),
            (faults.records_refused.values().sum(), "records were refused"),
        ])
    }

    /// First and last moment in words, local time.
    #[must_use]
    pub fn span(&self) -> (String, String) {
        (minute(self.from_ms + self.offset_ms), minute(self.to_ms + self.offset_ms))
    }
}

/// `2025-08-12 03:00`.
fn minute(ms: i64) -> String {
    let text = Time(Timestamp(ms)).to_string();
    text.get(..16).unwrap_or(&text).replace('T', " ")
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (latency, counts, books, (from, to)) = (&self.latency, &self.counts, &self.books, self.span());
        writeln!(f, "{from} to {to}, {} times faster, {:.0} s", self.speed, self.seconds)?;
        writeln!(f, "  city         {} stations, {} gates, {} riders", self.stations, self.gates, grouped(self.riders as u64))?;
        writeln!(f, "  taps         {} of {}, {} of them again", grouped(self.taps), grouped(self.taps_of_day), self.taps_repeated)?;
        writeln!(f, "  taps/s       {:.0} in the mean, {:.0} at the busiest", self.taps_per_s, self.peak_taps_per_s)?;
        writeln!(
            f,
            "  latency ms   p50 {:.2}   p90 {:.2}   p99 {:.2}   p99.9 {:.2}   max {:.1}",
            latency.p50_ms, latency.p90_ms, latency.p99_ms, latency.p999_ms, latency.max_ms
        )?;
        let codes: Vec<String> = counts.codes.iter().map(|(code, count)| format!("{code} {count}")).collect();
        writeln!(f, "  answers      {}", if codes.is_empty() { "none".to_owned() } else { codes.join("   ") })?;
        writeln!(f, "  gates        decided alone {}   answered late {}   unanswered {}", counts.alone, counts.late, counts.unanswered)?;
        writeln!(
            f,
            "  seen         in {}   out {}   inside at the end {}",
            grouped(books.entries),
            grouped(books.exits),
            books.inside_at_end
        )?;
        writeln!(f, "               fares {}   turned away {}   stayed out {}", money(books.fares), books.turned_away, books.stayed_out)?;
        self.cost_lines(f)
    }
}

impl Report {
    fn cost_lines(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (cost, faults) = (&self.cost, &self.faults);
        write!(f, "  cost         generator {:.1} µs/tap ({:.2} cores)", cost.generator_us_per_tap, cost.generator_cores)?;
        if let (Some(us), Some(cores), Some(rss)) = (cost.server_us_per_tap, cost.server_cores, cost.server_rss_max_mib) {
            write!(f, "   server {us:.1} µs/tap ({cores:.2} cores), at most {rss:.0} MiB")?;
        }
        writeln!(f, "   generator late at most {:.1} ms", self.generator_late_max_ms)?;
        if faults.lost > 0 {
            writeln!(f, "  connections  lost {} (last: {})", faults.lost, faults.lost_why.as_deref().unwrap_or("?"))?;
        }
        faults.refused.iter().try_for_each(|(what, count)| writeln!(f, "  refused      {what}: {count}"))?;
        faults.records_refused.iter().try_for_each(|(code, count)| writeln!(f, "  records      {code}: {count}"))?;
        self.broken().iter().try_for_each(|what| writeln!(f, "  BROKEN       {what}"))
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::replay::series::STEPS;

    /// A small run in which everything happened.
    pub(in crate::replay) fn example() -> Report {
        let mut report =
            Report { speed: 20.0, seconds: 3.0, taps: 12_345, slice_s: 1.0, column_minutes: 5, to_ms: 3 * 60_000, ..Report::default() };
        for n in 0..3_u32 {
            let mut latencies = vec![0; STEPS];
            latencies[5 + n as usize] = 10 + n;
            let slice = Slice {
                taps: 10,
                answered: 9,
                opened: 8,
                alone: u64::from(n),
                p50_ms: 0.5,
                p99_ms: 2.0,
                max_ms: 9.0,
                server_cores: Some(0.4),
                latencies,
            };
            report.slices.push(slice);
        }
        let load = StationLoad { station: "a<b".into(), gates: 2, taps: 30, busiest_minute: 7, per_gate_minute: vec![0.5, 3.0] };
        report.station_loads.push(load);
        report.counts.codes.insert("OK", 26);
        report
    }

    #[test]
    fn the_books_count_riders_and_fares() {
        let mut books = Books::default();
        books.enter(false, true, true, None);
        books.enter(true, true, false, Some(200));
        books.enter(true, false, true, None);
        assert_eq!((books.entries, books.exits, books.fares, books.turned_away, books.without_answer), (1, 1, 200, 1, 1));
    }

    #[test]
    fn each_broken_promise_is_named() {
        let mut report = example();
        assert!(report.broken().is_empty());
        (report.records_kept, report.faults.contradicted) = (3, 1);
        assert_eq!(report.broken(), ["1 taps got two different answers", "3 records were not acknowledged at the end"]);
        assert!(report.to_string().contains("BROKEN       3 records"));
    }

    #[test]
    fn figures_are_easy_to_read() {
        assert_eq!(minute(0), "1970-01-01 00:00");
        assert!(example().to_string().contains("taps         12,345 of 0"));
    }

    #[test]
    fn programs_read_the_same_figures() {
        let json = serde_json::to_value(example()).expect("JSON");
        assert_eq!((json["slices"][1]["p99_ms"].as_f64(), json["station_loads"][0]["station"].as_str()), (Some(2.0), Some("a<b")));
    }
}
