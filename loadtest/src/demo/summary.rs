//! What a person sees of the demo: on a terminal a few lines that are drawn again in place once a second, in a log one line
//! every few seconds.
use super::trips::Trips;
use super::{ServerStats, Shown};
use crate::figures::{grouped, money};
use crate::fleet::{Fleet, Notice};
use crate::gate::Fact;
use crate::load::media::untag;
use crate::load::tally::Latencies;
use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write as _;
use std::io::{self, IsTerminal as _, Write as _};
use std::time::Duration;

/// How the summary is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Style {
    /// Live on a terminal, plain elsewhere.
    #[default]
    Auto,
    /// Drawn again in place.
    Live,
    /// One line every few seconds.
    Plain,
    /// Not at all.
    Silent,
}

const LIVE_EVERY_US: u64 = 1_000_000;
const PLAIN_EVERY_US: u64 = 5_000_000;
/// Columns of the curve of taps a second.
const CURVE: usize = 40;
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Figures for one look.
#[derive(Debug, Clone, Default)]
struct Look {
    hour: f64,
    speed: f64,
    running: Duration,
    taps_per_s: f64,
    p50_ms: f64,
    p99_ms: f64,
    online: usize,
    gates: usize,
    inside: usize,
    server: ServerStats,
}

/// See the module.
pub(super) struct Summary {
    style: Style,
    speed: f64,
    recent: Latencies,
    curve: VecDeque<u64>,
    answered: u64,
    opened: u64,
    refused: BTreeMap<&'static str, u64>,
    alone: u64,
    contradicted: u64,
    fares: i64,
    shown_us: u64,
    drawn_lines: usize,
}

impl Summary {
    pub(super) fn new(style: Style, speed: f64) -> Self {
        let style = match style {
            Style::Auto if io::stdout().is_terminal() => Style::Live,
            Style::Auto => Style::Plain,
            style => style,
        };
        Self {
            style,
            speed,
            recent: Latencies::default(),
            curve: VecDeque::new(),
            answered: 0,
            opened: 0,
            refused: BTreeMap::new(),
            alone: 0,
            contradicted: 0,
            fares: 0,
            shown_us: 0,
            drawn_lines: 0,
        }
    }

    /// A gate has done something.
    pub(super) fn enter(&mut self, notice: &Notice, fleet: &Fleet) {
        match notice {
            Notice::Gate(_, Fact::Decided { tag, code, fare, .. }) => {
                self.recent.record((fleet.clock().ns() / 1_000).saturating_sub(untag(*tag).0));
                self.answered += 1;
                self.fares += fare.unwrap_or(0);
                if code.opens() {
                    self.opened += 1;
                } else {
                    *self.refused.entry(code.name()).or_default() += 1;
                }
            }
            Notice::Gate(_, Fact::Alone { .. }) => self.alone += 1,
            Notice::Gate(_, Fact::Contradicted { .. }) => self.contradicted += 1,
            _ => {}
        }
    }

    /// Shows the figures, when it is time.
    pub(super) fn show(&mut self, fleet: &Fleet, trips: &Trips<'_>, source: &mut impl FnMut() -> ServerStats) -> io::Result<()> {
        let now = fleet.clock().ns() / 1_000;
        let every = if self.style == Style::Live { LIVE_EVERY_US } else { PLAIN_EVERY_US };
        if self.style == Style::Silent || now - self.shown_us < every {
            return Ok(());
        }
        let seconds = (now - self.shown_us) as f64 / 1e6;
        self.shown_us = now;
        let look = self.look(fleet, trips, source(), seconds);
        self.recent.clear();
        self.print(&look)
    }

    /// The last figures; what was drawn stays.
    pub(super) fn close(&mut self, fleet: &Fleet, trips: &Trips<'_>, server: ServerStats) -> io::Result<Shown> {
        if self.style != Style::Silent {
            let seconds = ((fleet.clock().ns() / 1_000 - self.shown_us) as f64 / 1e6).max(0.001);
            let look = self.look(fleet, trips, server, seconds);
            self.print(&look)?;
        }
        Ok(Shown { answered: self.answered, alone: self.alone, contradicted: self.contradicted })
    }

    fn look(&self, fleet: &Fleet, trips: &Trips<'_>, server: ServerStats, seconds: f64) -> Look {
        Look {
            hour: trips.hour(),
            speed: self.speed,
            running: trips.running(fleet),
            taps_per_s: self.recent.len() as f64 / seconds,
            p50_ms: self.recent.ms(0.5),
            p99_ms: self.recent.ms(0.99),
            online: server.devices_connected.unwrap_or(fleet.online()),
            gates: fleet.len(),
            inside: trips.inside(),
            server,
        }
    }

    fn print(&mut self, look: &Look) -> io::Result<()> {
        let mut out = io::stdout().lock();
        if self.style != Style::Live {
            writeln!(out, "{}", self.plain(look))?;
            return out.flush();
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rate of taps is small and not negative")]
        self.curve.push_back(look.taps_per_s as u64);
        while self.curve.len() > CURVE {
            self.curve.pop_front();
        }
        let text = self.live(look);
        // Back to the first line; each line is cleared before it is written.
        if self.drawn_lines > 0 {
            write!(out, "\x1b[{}A", self.drawn_lines)?;
        }
        for line in text.lines() {
            writeln!(out, "\x1b[2K{line}")?;
        }
        write!(out, "\x1b[J")?;
        self.drawn_lines = text.lines().count();
        out.flush()
    }

    fn plain(&self, look: &Look) -> String {
        let refused: u64 = self.refused.values().sum();
        format!(
            "{}  {:>5.0} taps/s  p50 {:.1} ms  p99 {:.1} ms  opened {}  refused {refused}{}  alone {}  posted {} CNY  journal {}  devices {}/{}",
            clock(look.hour),
            look.taps_per_s,
            look.p50_ms,
            look.p99_ms,
            self.opened,
            self.codes(" (", ", ", ")"),
            self.alone,
            money(self.posted(look)),
            look.server.journal_position,
            look.online,
            look.gates
        )
    }

    fn live(&self, look: &Look) -> String {
        let bold = |text: String| format!("\x1b[1m{text}\x1b[0m");
        let seconds = look.running.as_secs();
        let mut text = String::new();
        let city = format!("city time {} (×{:.0})", clock(look.hour), look.speed);
        let _ = writeln!(text, "{}   {city}   running {}:{:02}", bold("Tongdao".to_owned()), seconds / 60, seconds % 60);
        let _ = writeln!(text, "  taps/s    {}  {}", bold(format!("{:>7.0}", look.taps_per_s)), self.curve());
        let _ = writeln!(text, "  answered  p50 {:.1} ms   p99 {:.1} ms", look.p50_ms, look.p99_ms);
        let (opened, inside) = (grouped(self.opened), grouped(look.inside as u64));
        let _ = writeln!(text, "  opened    {}   riding now {inside}   decided alone {}", bold(opened), grouped(self.alone));
        let _ = writeln!(text, "  refused   {}", if self.refused.is_empty() { "none".to_owned() } else { self.codes("", "   ", "") });
        let _ = writeln!(text, "  posted    {} CNY", bold(money(self.posted(look))));
        let _ = writeln!(text, "  journal   {} events", bold(grouped(look.server.journal_position)));
        let _ = writeln!(text, "  devices   {} of {} connected", look.online, look.gates);
        text
    }

    fn posted(&self, look: &Look) -> i64 {
        look.server.money_posted.unwrap_or(self.fares)
    }

    fn codes(&self, before: &str, between: &str, after: &str) -> String {
        if self.refused.is_empty() {
            return String::new();
        }
        let codes: Vec<String> = self.refused.iter().map(|(code, count)| format!("{code} {}", grouped(*count))).collect();
        format!("{before}{}{after}", codes.join(between))
    }

    fn curve(&self) -> String {
        let most = self.curve.iter().max().copied().unwrap_or(0).max(1);
        let bar = |taps: &u64| BARS[usize::try_from(taps * (BARS.len() as u64 - 1) / most).unwrap_or(0).min(BARS.len() - 1)];
        self.curve.iter().map(bar).collect()
    }
}

fn clock(hour: f64) -> String {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "minutes of a day")]
    let minutes = (hour.rem_euclid(24.0) * 60.0) as u32;
    format!("{:02}:{:02}", minutes / 60, minutes % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary() -> Summary {
        let mut summary = Summary::new(Style::Plain, 60.0);
        summary.opened = 12_345;
        summary.refused = BTreeMap::from([("INSUFFICIENT", 7), ("UNKNOWN_MEDIUM", 1_002)]);
        summary.fares = 4_567_890;
        summary
    }

    fn look() -> Look {
        let server = ServerStats { journal_position: 98_765, ..ServerStats::default() };
        let running = Duration::from_secs(83);
        Look {
            hour: 8.25,
            speed: 60.0,
            running,
            taps_per_s: 241.4,
            p50_ms: 0.84,
            p99_ms: 2.45,
            online: 239,
            gates: 240,
            inside: 1_203,
            server,
        }
    }

    #[test]
    fn the_line_of_a_log_has_every_figure() {
        assert_eq!(
            summary().plain(&look()),
            "08:15    241 taps/s  p50 0.8 ms  p99 2.5 ms  opened 12345  refused 1009 (INSUFFICIENT 7, UNKNOWN_MEDIUM 1,002)  alone 0  posted 45,678.90 CNY  journal 98765  devices 239/240"
        );
    }

    #[test]
    fn the_live_block_keeps_its_height() {
        let (mut summary, look) = (summary(), look());
        let lines = summary.live(&look).lines().count();
        summary.refused.clear();
        assert_eq!(summary.live(&look).lines().count(), lines);
        assert!(summary.live(&look).contains("1:23"));
    }

    #[test]
    fn what_the_server_posted_counts_more_than_what_was_answered() {
        let mut look = look();
        look.server.money_posted = Some(-5);
        assert_eq!(money(summary().posted(&look)), "-0.05");
    }

    #[test]
    fn the_curve_grows_to_its_highest_bar() {
        let mut summary = summary();
        summary.curve = VecDeque::from([0, 50, 100]);
        assert_eq!(summary.curve(), "▁▄█");
    }
}
