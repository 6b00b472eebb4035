//! `tongdao-loadtest offline`: gates that were without a link for a day are plugged in again and pour in their records, out of
//! order, with copies and altered copies, cut in the middle if wished, while riders tap at other gates.
use super::{Target, raise_file_limit, site_and_gates};
use crate::files;
use crate::fleet::{Credentials, Fleet, Notice};
use crate::gate::{Alone, Fact, Habits, Mischief, Repeat, Rider};
use crate::load::live::{Live, Stretch};
use crate::load::media::Media;
use clap::Args;
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::time::Duration;
use tongdao_protocol::gate::{Direction, Medium, PassageOutcome};

/// From an entry of the day to its exit, in milliseconds.
const RIDE_MS: i64 = 20 * 60_000;
/// A gate whose cut connection comes back after this, in microseconds.
const CUT_US: u64 = 500_000;

/// Arguments of `offline`.
#[derive(Debug, Clone, Args)]
pub struct Offline {
    #[command(flatten)]
    target: Target,
    /// Accounts whose media tap (CSV, as `account import` takes it): one half live, one half in the day without a link.
    #[arg(long)]
    accounts: PathBuf,
    /// Gates at which riders tap meanwhile.
    #[arg(long, default_value_t = 50)]
    live: usize,
    /// Live taps a second at all of them together.
    #[arg(long, default_value_t = 1_000.0)]
    rate: f64,
    /// Gates that were without a link.
    #[arg(long, default_value_t = 1)]
    gates: usize,
    /// Records in the book of each.
    #[arg(long, default_value_t = 5_000)]
    records: usize,
    /// The day began so many minutes ago.
    #[arg(long, default_value_t = 600)]
    minutes: u32,
    /// Records in a hundred that come twice.
    #[arg(long, default_value_t = 10.0)]
    dup_percent: f64,
    /// Records in a hundred of which an altered copy follows.
    #[arg(long, default_value_t = 1.0)]
    altered_percent: f64,
    /// Cut every connection of these gates once in the middle.
    #[arg(long)]
    cut: bool,
    /// Seconds of live taps alone, before, to compare with.
    #[arg(long, default_value_t = 10.0)]
    seconds: f64,
    /// Seconds after which gates that are not done are told so.
    #[arg(long, default_value_t = 120.0)]
    within: f64,
    /// Seed of every random choice.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The result as JSON goes here, one line a run, appended.
    #[arg(long)]
    json: Option<PathBuf>,
}

/// What a run has shown.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Report {
    /// Gates that were without a link.
    pub gates: usize,
    /// Records in all their books.
    pub records: usize,
    /// Records that the server says are durable, gaps filled.
    pub kept: u64,
    /// Refusals of records by code; of each altered copy as often as it came.
    pub refused: BTreeMap<&'static str, u64>,
    /// Until the last gate heard that all its records are durable, in seconds.
    pub all_kept_s: Option<f64>,
    /// Live taps alone.
    pub baseline: Stretch,
    /// Live taps while the records came in.
    pub during: Stretch,
    /// The 99th percentile of the second beside the first.
    pub p99_ratio: f64,
    /// Promises that were broken, in words.
    pub broken: Vec<String>,
}

/// Runs it; the exit code is 0 when every promise was kept, 1 when not.
///
/// # Errors
/// When files cannot be read or the gates cannot connect.
pub fn run(args: &Offline) -> io::Result<u8> {
    raise_file_limit();
    let (site, mut gates) = site_and_gates(&args.target)?;
    let wanted = args.live + args.gates;
    if gates.len() < wanted || args.live == 0 {
        return Err(io::Error::other(format!("{wanted} gates are wanted, one of them live at least; the files give {}", gates.len())));
    }
    let mut media = files::media(&args.accounts)?;
    let days = media.split_off(media.len() / 2);
    let day_gates = gates.split_off(args.live);
    let (server, clock) = (args.target.server(site)?, args.target.clock()?);
    let habits = Habits { alone: Alone::Deny, ..Habits::default() };
    let fleet = Fleet::new(server.clone(), &habits, &gates, clock)?;
    let mut live = Live::new(fleet, Media::new(media), args.rate, habits.deadline_ms, args.seed);
    live.connect(Duration::from_secs(60), args.rate)?;
    stretch(&mut live, seconds(2.0))?;
    live.take();
    stretch(&mut live, seconds(args.seconds))?;
    let baseline = live.take();
    let mut day =
        Day::new(args, Fleet::new(server, &day_habits(args), &day_gates[..args.gates.min(day_gates.len())], clock)?, &days, &day_gates);
    let all_kept_s = day.pour_in(args, &mut live)?;
    let during = live.take();
    let report = day.report(args, &live, (baseline, during), all_kept_s);
    print(args, &report)?;
    Ok(u8::from(!report.broken.is_empty()))
}

fn day_habits(args: &Offline) -> Habits {
    let share = |percent: f64| percent.clamp(0.0, 100.0) / 100.0;
    let mischief = Mischief { repeated: share(args.dup_percent), altered: share(args.altered_percent), seed: args.seed };
    Habits { alone: Alone::Open, passage: false, mischief: Some(mischief), ..Habits::default() }
}

fn stretch(live: &mut Live, length: Duration) -> io::Result<()> {
    let until = live.now_us() + u64::try_from(length.as_micros()).unwrap_or(0);
    while live.now_us() < until {
        live.turn(Duration::from_millis(20))?;
    }
    Ok(())
}

/// Gates that had a day without a link.
struct Day {
    fleet: Fleet,
    upto: Vec<u64>,
    refused: BTreeMap<&'static str, u64>,
    notices: Vec<Notice>,
}

impl Day {
    /// Pulls their plugs and lets them live through a day of entries and exits.
    fn new(args: &Offline, mut fleet: Fleet, media: &[Medium], gates: &[Credentials]) -> Self {
        let (mut notices, count) = (Vec::new(), gates.len().min(args.gates));
        let start = fleet.clock().ms() - i64::from(args.minutes) * 60_000;
        let step = (i64::from(args.minutes) * 60_000 - RIDE_MS).max(1) / i64::try_from(args.records.max(1)).unwrap_or(1);
        let share = media.len() / count.max(1);
        for gate in 0..u32::try_from(count).unwrap_or(0) {
            fleet.unplug(gate, &mut notices);
            let mine = &media[gate as usize * share..][..share];
            for (n, at) in (0..args.records).zip((0..).map(|n| start + n * step)) {
                let Some(medium) = mine.get(n % mine.len().max(1)) else { continue };
                // Each medium goes in and out by turns, a round of all of them apart.
                let direction = if (n / mine.len().max(1)).is_multiple_of(2) { Direction::Entry } else { Direction::Exit };
                let rider =
                    Rider { direction, medium: medium.clone(), passage: (PassageOutcome::Passed, 0), repeat: Repeat::No, tag: n as u64 };
                fleet.lived(gate, &rider, at);
            }
        }
        Self { fleet, upto: vec![0; count], refused: BTreeMap::new(), notices }
    }

    /// Plugs them in and lets everything take its course; how long it took until all was durable.
    fn pour_in(&mut self, args: &Offline, live: &mut Live) -> io::Result<Option<f64>> {
        let (started, gates) = (live.now_us(), u32::try_from(self.upto.len()).unwrap_or(0));
        (0..gates).for_each(|gate| self.fleet.plug_in(gate));
        let until = started + u64::try_from(seconds(args.within).as_micros()).unwrap_or(u64::MAX);
        let (wanted, mut cut_at) = (args.records as u64, None);
        while live.now_us() < until {
            self.fleet.turn(Duration::ZERO, &mut self.notices)?;
            self.take_notices();
            live.turn(Duration::from_millis(1))?;
            let kept: u64 = self.upto.iter().sum();
            let heard = self.upto.iter().any(|upto| *upto > 0) || self.fleet.online() == self.upto.len();
            if args.cut && cut_at.is_none() && heard && live.now_us() > started + CUT_US / 5 {
                (0..gates).for_each(|gate| self.fleet.unplug(gate, &mut self.notices));
                cut_at = Some(live.now_us());
            }
            if cut_at.is_some_and(|at| at > 0 && live.now_us() > at + CUT_US) {
                (0..gates).for_each(|gate| self.fleet.plug_in(gate));
                cut_at = Some(0);
            }
            let cut_done = !args.cut || cut_at == Some(0);
            if kept == wanted * self.upto.len() as u64 && cut_done {
                return Ok(Some((live.now_us() - started) as f64 / 1e6));
            }
        }
        Ok(None)
    }

    fn take_notices(&mut self) {
        for notice in self.notices.drain(..) {
            match notice {
                Notice::Gate(gate, Fact::RecordsKept { upto }) => {
                    if let Some(known) = self.upto.get_mut(gate as usize) {
                        *known = upto.max(*known);
                    }
                }
                Notice::Gate(_, Fact::RecordRefused { code }) => *self.refused.entry(code.name()).or_default() += 1,
                _ => {}
            }
        }
    }

    fn report(self, args: &Offline, live: &Live, (baseline, during): (Stretch, Stretch), all_kept_s: Option<f64>) -> Report {
        let mut broken = live.broken();
        if all_kept_s.is_none() {
            broken.push(format!("records are not durable after {} s: {:?} of {}", args.within, self.upto, args.records));
        }
        Report {
            gates: self.upto.len(),
            records: args.records * self.upto.len(),
            kept: self.upto.iter().sum(),
            refused: self.refused,
            all_kept_s,
            p99_ratio: during.p99_beside(&baseline),
            baseline,
            during,
            broken,
        }
    }
}

fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds.clamp(0.0, 86_400.0)).unwrap_or_default()
}

fn print(args: &Offline, report: &Report) -> io::Result<()> {
    let mut out = io::stdout();
    writeln!(out, "{} gates without a link, {} records, {} durable", report.gates, report.records, report.kept)?;
    match report.all_kept_s {
        Some(took) => writeln!(out, "  all durable  after {took:.2} s")?,
        None => writeln!(out, "  all durable  NO")?,
    }
    report.refused.iter().try_for_each(|(code, count)| writeln!(out, "  refused      {code}: {count}"))?;
    writeln!(out, "  before       {}", report.baseline)?;
    writeln!(out, "  meanwhile    {}", report.during)?;
    writeln!(out, "  p99          {:.2} times", report.p99_ratio)?;
    report.broken.iter().try_for_each(|what| writeln!(out, "  BROKEN       {what}"))?;
    super::append(args.json.as_ref(), report)
}
