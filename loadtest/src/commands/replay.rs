//! `tongdao-loadtest replay`: a recorded day of taps, at its own pace or faster, and whether the server kept its word.
use super::{Target, raise_file_limit};
use crate::files;
use crate::fleet::{Credentials, Fleet};
use crate::gate::Habits;
use crate::replay::day::{self, Day};
use crate::replay::page::page;
use crate::replay::play::{Plan, Play, Progress};
use crate::replay::report::Report;
use crate::replay::series::Load;
use clap::Args;
use std::collections::HashMap;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::time::Duration;

/// Arguments of `replay`.
#[derive(Debug, Clone, Args)]
pub struct Replay {
    #[command(flatten)]
    target: Target,
    /// The taps (CSV: at,device,direction,kind,token).
    #[arg(long)]
    taps: PathBuf,
    /// So many times faster than it was.
    #[arg(long, default_value_t = 1.0)]
    speed: f64,
    /// Ends after so many seconds, even if the day does not.
    #[arg(long)]
    seconds: Option<f64>,
    /// A gate decides alone after this.
    #[arg(long, default_value_t = 250)]
    deadline_ms: u32,
    /// Times that somebody taps who is not let through because nobody could say.
    #[arg(long, default_value_t = 4)]
    tries: u8,
    /// Seconds between two accounts of a gate.
    #[arg(long, default_value_t = 30.0)]
    records_every: f64,
    /// Process id of the server: its processor time and memory are reported, too.
    #[arg(long)]
    server_pid: Option<u32>,
    /// The result as JSON goes here.
    #[arg(long)]
    json: Option<PathBuf>,
    /// The result as one page of HTML goes here.
    #[arg(long)]
    html: Option<PathBuf>,
    /// Title of the page.
    #[arg(long, default_value = "A day replayed")]
    title: String,
    /// No progress lines.
    #[arg(long)]
    quiet: bool,
}

/// Runs it; the exit code is 0 when every promise was kept, 1 when not.
///
/// # Errors
/// When files cannot be read or the gates cannot connect.
pub fn run(args: &Replay) -> io::Result<u8> {
    if !(args.speed.is_finite() && (0.01..=10_000.0).contains(&args.speed)) {
        return Err(io::Error::other(format!("--speed {}: between 0.01 and 10000", args.speed)));
    }
    raise_file_limit();
    let day = day::read(&args.taps)?;
    let city = City::of(args, &day)?;
    let habits = Habits {
        deadline_ms: args.deadline_ms.into(),
        records_every_ms: i64::try_from(length(args.records_every).as_millis()).unwrap_or(30_000),
        ..Habits::default()
    };
    let mut fleet = Fleet::new(args.target.server(city.site)?, &habits, &city.credentials, args.target.clock()?)?;
    let plan = Plan {
        speed: args.speed,
        length: args.seconds.map(length),
        connect_within: Duration::from_secs(30 + city.credentials.len() as u64 / 200),
        tries_max: args.tries.max(1),
        server_pid: args.server_pid,
    };
    let load = Load::new(&day, &city.stations, &city.station_of);
    let mut report = Play::new(&mut fleet, &day, &plan, (&city.gates, load), habits.deadline_ms).run(&mut |progress| {
        if !args.quiet {
            let _ = writeln!(io::stderr(), "{}", line(progress, city.offset_ms));
        }
    })?;
    report.offset_ms = city.offset_ms;
    write(args, &report)?;
    Ok(u8::from(!report.broken().is_empty()))
}

/// The gates of a day among those of the site.
struct City {
    site: String,
    offset_ms: i64,
    /// Only gates of the day.
    credentials: Vec<Credentials>,
    /// By gate of the day: its gate in `credentials`, and its station.
    gates: Vec<u32>,
    station_of: Vec<usize>,
    stations: Vec<String>,
}

impl City {
    fn of(args: &Replay, day: &Day) -> io::Result<Self> {
        let path = args.target.site_file.as_deref().ok_or_else(|| io::Error::other("name the site: --site-file"))?;
        let file = files::site(path)?;
        let site = args.target.site.clone().unwrap_or_else(|| file.id.as_str().to_owned());
        let mut known: HashMap<String, (usize, Credentials)> = files::placed(&file, files::gates(&args.target.devices, &site)?)
            .into_iter()
            .map(|(station, gate)| (gate.device.clone(), (station, gate)))
            .collect();
        let stations = file.stations.iter().map(|station| station.id.as_str().to_owned()).collect();
        let offset_ms = file.utc_offset.0.0;
        let mut city = Self { site, offset_ms, credentials: Vec::new(), gates: Vec::new(), station_of: Vec::new(), stations };
        for device in &day.devices {
            let missing =
                || io::Error::other(format!("{}: gate {device} taps, but it is not in the site and devices files", args.taps.display()));
            let (station, gate) = known.remove(device).ok_or_else(missing)?;
            city.gates.push(u32::try_from(city.credentials.len()).unwrap_or(u32::MAX));
            city.credentials.push(gate);
            city.station_of.push(station);
        }
        Ok(city)
    }
}

fn length(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds.clamp(0.0, 864_000.0)).unwrap_or_default()
}

fn line(progress: &Progress, offset_ms: i64) -> String {
    let minutes = (progress.life_ms + offset_ms).div_euclid(60_000).rem_euclid(24 * 60);
    format!(
        "{:>6.0} s  {:02}:{:02}  {:>5.1} %  {:>6.0} taps/s   p99 {:>7.2} ms   decided alone {:>5}",
        progress.at_s,
        minutes / 60,
        minutes % 60,
        100.0 * progress.done,
        progress.taps_per_s,
        progress.p99_ms,
        progress.alone
    )
}

fn write(args: &Replay, report: &Report) -> io::Result<()> {
    write!(io::stdout(), "{report}")?;
    if let Some(path) = &args.json {
        std::fs::write(path, serde_json::to_vec(report)?)?;
    }
    if let Some(path) = &args.html {
        std::fs::write(path, page(report, &args.title))?;
    }
    Ok(())
}
