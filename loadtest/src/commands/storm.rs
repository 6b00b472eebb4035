//! `tongdao-loadtest storm`: many gates lose their link at once and come back at once, while riders tap at others.
use super::{Target, raise_file_limit, site_and_gates};
use crate::files;
use crate::fleet::{Fleet, Notice};
use crate::gate::{Alone, Habits};
use crate::load::live::{Live, Stretch};
use crate::load::media::Media;
use clap::Args;
use serde::Serialize;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::time::Duration;

/// Arguments of `storm`.
#[derive(Debug, Clone, Args)]
pub struct Storm {
    #[command(flatten)]
    target: Target,
    /// Accounts whose media tap (CSV, as `account import` takes it).
    #[arg(long)]
    accounts: PathBuf,
    /// Gates at which riders tap meanwhile; they keep their link.
    #[arg(long, default_value_t = 50)]
    live: usize,
    /// Live taps a second at all of them together.
    #[arg(long, default_value_t = 1_000.0)]
    rate: f64,
    /// Gates that lose their link; left out, all others there are.
    #[arg(long)]
    gates: Option<usize>,
    /// Connections that are being made at the same time, at most.
    #[arg(long, default_value_t = 1_000)]
    at_once: usize,
    /// Seconds of live taps alone, before, to compare with.
    #[arg(long, default_value_t = 10.0)]
    seconds: f64,
    /// All must be back within so many seconds.
    #[arg(long, default_value_t = 30.0)]
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
    /// Gates that lost their link.
    pub gates: usize,
    /// How many of them were back in time.
    pub back: usize,
    /// Until the last of them was back, in seconds.
    pub all_back_s: Option<f64>,
    /// Attempts that the server turned away or that broke.
    pub broken_off: u64,
    /// Live taps alone.
    pub baseline: Stretch,
    /// Live taps while the gates came back.
    pub during: Stretch,
    /// The 99th percentile of the second beside the first.
    pub p99_ratio: f64,
    /// Promises that were broken, in words.
    pub broken: Vec<String>,
}

/// Runs it; the exit code is 0 when every promise was kept, 1 when not.
///
/// # Errors
/// When files cannot be read or the gates cannot connect at first.
pub fn run(args: &Storm) -> io::Result<u8> {
    raise_file_limit();
    let (site, mut gates) = site_and_gates(&args.target)?;
    if gates.len() <= args.live || args.live == 0 {
        return Err(io::Error::other(format!("{} live gates and some more are wanted; the files give {}", args.live, gates.len())));
    }
    let mut crowd = gates.split_off(args.live);
    crowd.truncate(args.gates.unwrap_or(usize::MAX));
    let (server, clock) = (args.target.server(site)?, args.target.clock()?);
    let habits = Habits { alone: Alone::Deny, ..Habits::default() };
    let mut live = Live::new(
        Fleet::new(server.clone(), &habits, &gates, clock)?,
        Media::new(files::media(&args.accounts)?),
        args.rate,
        habits.deadline_ms,
        args.seed,
    );
    live.connect(Duration::from_secs(60), args.rate)?;
    let mut crowd = Crowd { fleet: Fleet::new(server, &habits, &crowd, clock)?.at_once(args.at_once), notices: Vec::new(), broken_off: 0 };
    crowd.come(&mut live, 300.0)?.ok_or_else(|| io::Error::other("the gates could not connect at first"))?;
    crowd.hold(&mut live, 2.0)?;
    live.take();
    crowd.hold(&mut live, args.seconds)?;
    let baseline = live.take();
    crowd.broken_off = 0;
    crowd.go();
    let all_back_s = crowd.come(&mut live, args.within)?;
    let during = live.take();
    let report = crowd.report(args, &live, (baseline, during), all_back_s);
    print(args, &report)?;
    Ok(u8::from(!report.broken.is_empty()))
}

/// The gates that lose their link.
struct Crowd {
    fleet: Fleet,
    notices: Vec<Notice>,
    broken_off: u64,
}

impl Crowd {
    /// Every connection is gone, and every gate wants back at once.
    fn go(&mut self) {
        for gate in 0..u32::try_from(self.fleet.len()).unwrap_or(u32::MAX) {
            self.fleet.unplug(gate, &mut self.notices);
            self.fleet.plug_in(gate);
        }
        self.notices.clear();
    }

    /// Until all are online; how many seconds it took, none = too long.
    fn come(&mut self, live: &mut Live, within_s: f64) -> io::Result<Option<f64>> {
        let started = live.now_us();
        loop {
            self.turn(live)?;
            let took = (live.now_us() - started) as f64 / 1e6;
            if self.fleet.online() == self.fleet.len() {
                return Ok(Some(took));
            }
            if took > within_s {
                return Ok(None);
            }
        }
    }

    fn hold(&mut self, live: &mut Live, length_s: f64) -> io::Result<()> {
        let started = live.now_us();
        while ((live.now_us() - started) as f64) < length_s * 1e6 {
            self.turn(live)?;
        }
        Ok(())
    }

    fn turn(&mut self, live: &mut Live) -> io::Result<()> {
        self.fleet.turn(Duration::ZERO, &mut self.notices)?;
        self.broken_off += self.notices.drain(..).filter(|notice| matches!(notice, Notice::Lost(..))).count() as u64;
        live.turn(Duration::from_millis(1))
    }

    fn report(self, args: &Storm, live: &Live, (baseline, during): (Stretch, Stretch), all_back_s: Option<f64>) -> Report {
        let mut broken = live.broken();
        if all_back_s.is_none() {
            broken.push(format!("{} gates were not back within {} s", self.fleet.len() - self.fleet.online(), args.within));
        }
        Report {
            gates: self.fleet.len(),
            back: self.fleet.online(),
            all_back_s,
            broken_off: self.broken_off,
            p99_ratio: during.p99_beside(&baseline),
            baseline,
            during,
            broken,
        }
    }
}

fn print(args: &Storm, report: &Report) -> io::Result<()> {
    let mut out = io::stdout();
    writeln!(out, "{} gates lost their link, {} are back", report.gates, report.back)?;
    match report.all_back_s {
        Some(took) => writeln!(out, "  all back     after {took:.2} s, {} attempts broken off", report.broken_off)?,
        None => writeln!(out, "  all back     NO")?,
    }
    writeln!(out, "  before       {}", report.baseline)?;
    writeln!(out, "  meanwhile    {}", report.during)?;
    writeln!(out, "  p99          {:.2} times", report.p99_ratio)?;
    report.broken.iter().try_for_each(|what| writeln!(out, "  BROKEN       {what}"))?;
    super::append(args.json.as_ref(), report)
}
