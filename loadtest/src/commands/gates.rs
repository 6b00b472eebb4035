//! `tongdao-loadtest gates`: gate traffic, and whether the server kept its word.
use super::{Target, raise_file_limit};
use crate::files;
use crate::fleet::Fleet;
use crate::gate::{Alone, Habits};
use crate::load::media::Media;
use crate::load::report::Report;
use crate::load::run::{Progress, Run};
use crate::load::{Mode, Plan};
use clap::{Args, ValueEnum};
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::time::Duration;

/// Which loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Loop {
    /// A gate taps again as soon as it was answered.
    Closed,
    /// Riders arrive at a rate (Poisson), whatever the server does; latency counts from when a tap was due.
    Open,
}

/// What a gate does when no answer comes in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Policy {
    /// It lets the rider pass.
    Open,
    /// It stays shut.
    Deny,
}

/// Arguments of `gates`.
#[derive(Debug, Clone, Args)]
pub struct Gates {
    #[command(flatten)]
    target: Target,
    /// Accounts whose media tap (CSV, as `account import` takes it).
    #[arg(long)]
    accounts: PathBuf,
    /// Gates; left out, all there are.
    #[arg(long)]
    gates: Option<usize>,
    /// Media; left out, all there are.
    #[arg(long)]
    media: Option<usize>,
    /// Closed or open loop.
    #[arg(long, value_enum, default_value_t = Loop::Closed)]
    mode: Loop,
    /// Open loop: taps a second at all gates together.
    #[arg(long, default_value_t = 1_000.0)]
    rate: f64,
    /// Closed loop: taps at a time at a gate.
    #[arg(long, default_value_t = 1)]
    inflight: usize,
    /// The load rises within this many seconds.
    #[arg(long, default_value_t = 0.0)]
    ramp: f64,
    /// Seconds that are not measured.
    #[arg(long, default_value_t = 2.0)]
    warmup: f64,
    /// Seconds that are measured.
    #[arg(long, default_value_t = 10.0)]
    seconds: f64,
    /// Share of exits among the taps, 0 to 1, as far as riders are inside.
    #[arg(long, default_value_t = 0.5)]
    exits: f64,
    /// Taps in a hundred that are sent twice.
    #[arg(long, default_value_t = 0.0)]
    dup_percent: f64,
    /// The gates report passages.
    #[arg(long)]
    passage: bool,
    /// The gates give their own account of their taps.
    #[arg(long)]
    records: bool,
    /// Seconds between two accounts.
    #[arg(long, default_value_t = 30.0)]
    records_every: f64,
    /// A gate decides alone after this.
    #[arg(long, default_value_t = 250)]
    deadline_ms: u32,
    /// What it then does.
    #[arg(long, value_enum, default_value_t = Policy::Deny)]
    alone: Policy,
    /// From opening to passing.
    #[arg(long, default_value_t = 0)]
    walk_ms: u32,
    /// Process id of the server: its processor time and memory are reported, too.
    #[arg(long)]
    server_pid: Option<u32>,
    /// Seed of every random choice.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The result as JSON goes here, one line a run, appended.
    #[arg(long)]
    json: Option<PathBuf>,
    /// No progress lines.
    #[arg(long)]
    quiet: bool,
}

/// Runs it; the exit code is 0 when every promise was kept, 1 when not.
///
/// # Errors
/// When files cannot be read or the gates cannot connect.
pub fn run(args: &Gates) -> io::Result<u8> {
    raise_file_limit();
    let (site, mut credentials) = super::site_and_gates(&args.target)?;
    credentials.truncate(args.gates.unwrap_or(usize::MAX));
    let mut all = files::media(&args.accounts)?;
    all.truncate(args.media.unwrap_or(usize::MAX));
    let mut media = Media::new(all);
    check(args, credentials.len(), media.len())?;
    let habits = habits(args);
    let mut fleet = Fleet::new(args.target.server(site)?, &habits, &credentials, args.target.clock()?)?;
    let plan = plan(args, credentials.len());
    let report = Run::new(&mut fleet, &mut media, &plan, habits.deadline_ms).run(&mut |progress| {
        if !args.quiet {
            let _ = writeln!(io::stderr(), "{}", line(progress));
        }
    })?;
    print(args, &report)?;
    Ok(u8::from(!report.broken().is_empty()))
}

fn check(args: &Gates, gates: usize, media: usize) -> io::Result<()> {
    let wanted = args.gates.unwrap_or(1).max(1);
    if gates < wanted {
        return Err(io::Error::other(format!("{wanted} gates are wanted, the files give {gates}")));
    }
    let at_once = if args.mode == Loop::Closed { gates * args.inflight } else { gates };
    if media < 2 * at_once {
        return Err(io::Error::other(format!("{gates} gates need at least {} media, there are {media}", 2 * at_once)));
    }
    Ok(())
}

fn habits(args: &Gates) -> Habits {
    Habits {
        deadline_ms: i64::from(args.deadline_ms),
        alone: if args.alone == Policy::Open { Alone::Open } else { Alone::Deny },
        passage: args.passage,
        records: args.records,
        records_every_ms: i64::try_from(seconds(args.records_every).as_millis()).unwrap_or(30_000),
        mischief: None,
    }
}

fn plan(args: &Gates, gates: usize) -> Plan {
    Plan {
        mode: if args.mode == Loop::Open { Mode::Open { rate: args.rate } } else { Mode::Closed { in_flight: args.inflight.max(1) } },
        ramp: seconds(args.ramp),
        warm_up: seconds(args.warmup),
        measured: seconds(args.seconds),
        exits: args.exits,
        repeats: args.dup_percent.clamp(0.0, 100.0) / 100.0,
        walk_ms: i64::from(args.walk_ms),
        connect_within: Duration::from_secs(30 + gates as u64 / 200),
        seed: args.seed,
        server_pid: args.server_pid,
    }
}

fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds.clamp(0.0, 86_400.0)).unwrap_or_default()
}

fn line(progress: &Progress) -> String {
    format!(
        "{:>5} s {}  {:>7} taps/s   p50 {:>7.2} ms   p99 {:>7.2} ms   decided alone {:>6}   online {}",
        progress.at_s,
        if progress.measured { "     " } else { "(not)" },
        progress.taps_per_s,
        progress.p50_ms,
        progress.p99_ms,
        progress.alone,
        progress.online
    )
}

fn print(args: &Gates, report: &Report) -> io::Result<()> {
    write!(io::stdout(), "{report}")?;
    super::append(args.json.as_ref(), report)
}
