//! The result of a replay as one page of HTML that needs nothing else: figures, plots drawn by us, light and dark.
use super::plot::{Plot, Scale, escape};
use super::report::Report;
use super::series::{FIRST_US, STEPS, STEPS_PER_DECADE, Slice};
use super::{HOUR_MS, MINUTE_MS};
use crate::figures::{grouped, money};
use std::fmt::Write as _;

const STYLE: &str = include_str!("page.css");
/// Stations of the table.
const BUSIEST: usize = 12;
/// Height of a station's row in the map, in units of the plot.
const ROW: f64 = 10.0;

/// The page.
#[must_use]
pub fn page(report: &Report, title: &str) -> String {
    let (from, to) = report.span();
    let title = escape(title);
    let lead = format!(
        "{from} to {to} local time, {} times faster than life: {} taps at {} gates of {} stations in {}.",
        report.speed,
        grouped(report.taps),
        grouped(report.gates as u64),
        report.stations,
        length(report.seconds)
    );
    let parts = [tiles(report), throughput(report), latencies(report), processor(report), gates(report), tables(report)].concat();
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>{title}</title><style>{STYLE}</style></head>\n<body><h1>{title}</h1><p class=\"lead\">{lead}</p>{parts}</body></html>\n"
    )
}

fn length(seconds: f64) -> String {
    if seconds < 120.0 { format!("{seconds:.0} seconds") } else { format!("{:.1} minutes", seconds / 60.0) }
}

/// Three digits, about.
fn length_ms(ms: f64) -> String {
    match ms {
        ..10.0 => format!("{ms:.2} ms"),
        ..100.0 => format!("{ms:.1} ms"),
        _ => format!("{ms:.0} ms"),
    }
}

fn tiles(report: &Report) -> String {
    let latency = &report.latency;
    let tiles = [
        (grouped(report.taps), "taps"),
        (format!("{:.0}", report.peak_taps_per_s), "taps a second at the busiest"),
        (length_ms(latency.p50_ms), "half of the answers within"),
        (length_ms(latency.p99_ms), "99 of 100 within"),
        (length_ms(latency.max_ms), "all within"),
        (grouped(report.counts.alone), "taps that gates decided alone"),
    ];
    let tile = |(figure, what): &(String, &str)| format!("<div class=\"tile\"><b>{figure}</b><span>{what}</span></div>");
    format!("<div class=\"tiles\">{}</div>", tiles.iter().map(tile).collect::<String>())
}

fn section(title: &str, note: &str, key: &str, body: &str) -> String {
    format!("<section><h2>{title}</h2><p class=\"note\">{note}</p>{key}{body}</section>")
}

/// The riders' time along a plot, in hours of the local day.
struct Along<'a> {
    report: &'a Report,
    from: f64,
    each: f64,
}

impl<'a> Along<'a> {
    fn of(report: &'a Report) -> Self {
        let from = (report.from_ms + report.offset_ms).rem_euclid(24 * HOUR_MS) as f64 / HOUR_MS as f64;
        Self { report, from, each: report.slice_s * report.speed / 3_600.0 }
    }
    fn scale(&self) -> Scale {
        Scale::even(self.from, self.from + self.each * self.report.slices.len().max(1) as f64)
    }
    /// Each slice with the hour at which it begins.
    fn slices(&self) -> impl Iterator<Item = (f64, &'a Slice)> {
        let (from, each) = (self.from, self.each);
        self.report.slices.iter().enumerate().map(move |(n, slice)| (from + each * n as f64, slice))
    }
    fn hours(scale: Scale) -> Vec<(f64, String)> {
        let length = scale.to - scale.from;
        let step = [1.0 / 60.0, 1.0 / 12.0, 0.25, 0.5, 1.0, 2.0, 3.0].into_iter().find(|step| length / step <= 12.0).unwrap_or(6.0);
        let first = (scale.from / step).ceil();
        let times = (0..16).map(|n| (first + f64::from(n)) * step).take_while(|at| *at <= scale.to + 1e-9);
        times.map(|at| (at, clock(at))).collect()
    }
}

fn clock(hours: f64) -> String {
    #[expect(clippy::cast_possible_truncation, reason = "an hour of a day")]
    let minutes = (hours * 60.0).round() as i64;
    format!("{:02}:{:02}", minutes.div_euclid(60).rem_euclid(24), minutes.rem_euclid(60))
}

fn throughput(report: &Report) -> String {
    let along = Along::of(report);
    let rate = |count: u64| count as f64 / report.slice_s.max(0.001);
    let most = report.slices.iter().map(|slice| rate(slice.taps)).fold(1.0, f64::max);
    let mut plot = Plot::new(240.0, along.scale(), Scale::even(0.0, most * 1.05));
    plot.rules(|value| format!("{value:.0}"));
    plot.below(&Along::hours(along.scale()));
    plot.steps("area", along.each, along.slices().map(|(at, slice)| (at, rate(slice.taps))));
    let alone = report.counts.alone > 0;
    if alone {
        plot.steps("area bad", along.each, along.slices().map(|(at, slice)| (at, rate(slice.alone))));
    }
    let key = if alone {
        "<div class=\"key\"><span><i></i>taps</span><span><i class=\"two\"></i>of them decided by the gate alone</span></div>"
    } else {
        ""
    };
    let note = format!(
        "A second of the run, over the riders' day: {:.0} in the mean, {:.0} at the busiest.",
        report.taps_per_s, report.peak_taps_per_s
    );
    section("Taps a second", &note, key, &plot.svg(&note))
}

fn latencies(report: &Report) -> String {
    let along = Along::of(report);
    let scale = Scale::decades(FIRST_US / 1e3, (report.latency.max_ms * 1.1).clamp(10.0, 10_000.0));
    let mut plot = Plot::new(300.0, along.scale(), scale);
    let edge = |step: usize| FIRST_US / 1e3 * 10_f64.powf(step as f64 / STEPS_PER_DECADE as f64);
    let cells = along.slices().flat_map(|(at, slice)| {
        let all = f64::from(slice.latencies.iter().sum::<u32>().max(1));
        let width = along.each;
        let cell = move |(step, count): (usize, &u32)| {
            // A logarithm, so that the few slow ones are seen beside the many.
            let strength = if *count == 0 { 0.0 } else { 1.0 + (f64::from(*count) / all).max(1e-4).log10() / 4.0 };
            ([at, at + width, edge(step), edge(step + 1)], strength.max(0.01 * f64::from(u8::from(*count > 0))))
        };
        slice.latencies.iter().enumerate().take(STEPS).map(cell)
    });
    plot.map(cells);
    plot.rules(|value| if value < 1.0 { format!("{value} ms") } else { format!("{value:.0} ms") });
    plot.below(&Along::hours(along.scale()));
    let known = |slice: &Slice, value: f64| (slice.answered > 0).then_some(value);
    plot.line("line", along.slices().map(|(at, slice)| (at + along.each / 2.0, known(slice, slice.p50_ms))));
    plot.line("line two", along.slices().map(|(at, slice)| (at + along.each / 2.0, known(slice, slice.p99_ms))));
    let note =
        "From the moment a tap was due to its answer at the gate, on a scale of decades. The deeper the colour, the more of the answers.";
    let key = format!(
        "<div class=\"key\"><span><i></i>half within</span><span><i class=\"two\"></i>99 of 100 within</span><span>few {} many</span></div>",
        swatches()
    );
    section("Latency", note, &key, &plot.svg("Latencies of the answers over the day: half and 99 of 100 within"))
}

fn swatches() -> String {
    "<i class=\"swatch\"></i>".repeat(super::plot::SHADES)
}

fn processor(report: &Report) -> String {
    if report.slices.iter().all(|slice| slice.server_cores.is_none()) {
        return String::new();
    }
    let along = Along::of(report);
    let most = report.slices.iter().filter_map(|slice| slice.server_cores).fold(0.1, f64::max);
    let mut plot = Plot::new(160.0, along.scale(), Scale::even(0.0, most * 1.1));
    plot.rules(|value| format!("{value:.1}"));
    plot.below(&Along::hours(along.scale()));
    plot.line("line", along.slices().map(|(at, slice)| (at + along.each / 2.0, slice.server_cores)));
    let cost = &report.cost;
    let note = format!(
        "Processors that the server kept busy: {:.2} in the mean, {:.0} µs a tap, at most {:.0} MiB of memory.",
        cost.server_cores.unwrap_or(0.0),
        cost.server_us_per_tap.unwrap_or(0.0),
        cost.server_rss_max_mib.unwrap_or(0.0)
    );
    section("The server's processors", &note, "", &plot.svg(&note))
}

fn gates(report: &Report) -> String {
    let loads = &report.station_loads;
    let columns = loads.iter().map(|load| load.per_gate_minute.len()).max().unwrap_or(1);
    let along = Along::of(report);
    let each = report.column_minutes as f64 * MINUTE_MS as f64 / HOUR_MS as f64;
    let x = Scale::even(along.from, along.from + each * columns as f64);
    let rows = loads.len().max(1) as f64;
    let mut plot = Plot::new(ROW * rows + 40.0, x, Scale::even(0.0, rows));
    let most = loads.iter().flat_map(|load| &load.per_gate_minute).fold(0.1_f32, |most, load| most.max(*load));
    for (row, load) in loads.iter().enumerate() {
        plot.name(rows - row as f64 - 0.5, load.station.get(..13).unwrap_or(&load.station));
    }
    plot.map(loads.iter().enumerate().flat_map(|(row, load)| {
        let bottom = rows - row as f64 - 1.0;
        let cell = move |(n, value): (usize, &f32)| {
            let left = along.from + each * n as f64;
            ([left, left + each, bottom + 0.06, bottom + 0.94], f64::from(*value / most))
        };
        load.per_gate_minute.iter().enumerate().map(cell)
    }));
    plot.below(&Along::hours(x));
    let note = format!(
        "Taps a gate and minute of the riders' own time, in steps of {} minutes; stations by their taps, the busiest first. The deepest colour is {most:.1}.",
        report.column_minutes
    );
    let key = format!("<div class=\"key\"><span>0 {} {most:.1}</span></div>", swatches());
    section("Load of the gates", &note, &key, &format!("<div class=\"small\">{}</div>", plot.svg(&note)))
}

fn tables(report: &Report) -> String {
    format!("<div class=\"columns\">{}{}</div>", busiest(report), outcome(report))
}

fn busiest(report: &Report) -> String {
    let mut rows = String::from(
        "<table><tr><th>Station</th><th class=\"num\">Gates</th><th class=\"num\">Taps</th><th class=\"num\">Most at one gate in a minute</th></tr>",
    );
    for load in report.station_loads.iter().take(BUSIEST) {
        let (station, taps) = (escape(&load.station), grouped(load.taps));
        let _ = write!(
            rows,
            "<tr><td>{station}</td><td class=\"num\">{}</td><td class=\"num\">{taps}</td><td class=\"num\">{}</td></tr>",
            load.gates, load.busiest_minute
        );
    }
    section("The busiest stations", "Minutes of the riders' time.", "", &(rows + "</table>"))
}

fn outcome(report: &Report) -> String {
    let (books, counts) = (&report.books, &report.counts);
    let mut rows: Vec<(String, String)> = counts.codes.iter().map(|(code, count)| (format!("answers {code}"), grouped(*count))).collect();
    let figures = [
        ("let in", grouped(books.entries)),
        ("let out", grouped(books.exits)),
        ("fares named at the exits", money(books.fares)),
        ("let through by a gate alone", grouped(books.without_answer)),
        ("inside at the end", grouped(books.inside_at_end)),
        ("turned away in the end", grouped(books.turned_away)),
        ("tapped again", grouped(report.taps_repeated)),
        ("answered after the gate had decided", grouped(counts.late)),
        ("connections lost", grouped(report.faults.lost)),
        ("records not acknowledged", grouped(report.records_kept as u64)),
        ("the generator was late by at most", format!("{:.1} ms", report.generator_late_max_ms)),
    ];
    rows.extend(figures.map(|(what, figure)| (what.to_owned(), figure)));
    let mut table = String::from("<table>");
    for (what, figure) in rows {
        let _ = write!(table, "<tr><td>{what}</td><td class=\"num\">{figure}</td></tr>");
    }
    table += "</table>";
    let broken = report.broken();
    let verdict = if broken.is_empty() {
        "<span class=\"good\">No promise was broken.</span>".to_owned()
    } else {
        format!("<span class=\"alarm\">{}</span>", escape(&broken.join(" · ")))
    };
    section("What the gates have seen", &verdict, "", &table)
}

#[cfg(test)]
mod tests {
    use super::super::report::tests::example;
    use super::*;

    #[test]
    fn the_page_needs_nothing_else_and_shows_everything() {
        let html = page(&example(), "A <day>");
        for part in [
            "Taps a second",
            "Latency",
            "processors",
            "Load of the gates",
            "busiest stations",
            "No promise was broken",
            "prefers-color-scheme: dark",
        ] {
            assert!(html.contains(part), "{part}");
        }
        assert!(!html.contains("http") && !html.contains("src=") && !html.contains("<script"), "nothing from elsewhere");
        assert!(html.contains("A &lt;day&gt;") && html.contains("a&lt;b") && !html.contains("a<b"), "texts do no harm");
        assert!(!html.contains("NaN") && !html.contains("inf"));
        assert_eq!(html.matches("<svg").count(), html.matches("</svg>").count());
    }

    #[test]
    fn a_run_of_nothing_is_a_page_too() {
        let html = page(&Report { speed: 1.0, slice_s: 1.0, ..Report::default() }, "nothing");
        assert!(!html.contains("NaN") && html.ends_with("</html>\n"));
    }

    #[test]
    fn hours_are_written_as_a_clock() {
        assert_eq!((clock(7.25), clock(24.5), clock(-0.5)), ("07:15".into(), "00:30".into(), "23:30".into()));
        assert!(Along::hours(Scale::even(8.0, 8.01)).len() <= 16);
    }
}
