//! `tongdao-loadtest consoles`: consoles that follow what gates do, and how soon they see it.
use super::{Target, raise_file_limit};
use crate::clock::Clock;
use crate::consoles::report::Report;
use crate::consoles::run::Run;
use crate::consoles::sent::Sent;
use crate::consoles::traffic::{Gauge, Traffic};
use crate::consoles::{Places, Plan, sign_in};
use crate::files;
use crate::fleet::{Credentials, Fleet};
use crate::gate::Habits;
use crate::load::media::Media;
use clap::Args;
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tongdao_protocol::site::SiteFile;

/// Arguments of `consoles`.
#[derive(Debug, Clone, Args)]
pub struct Consoles {
    #[command(flatten)]
    target: Target,
    /// Who signs in (user,password a line); consoles are theirs in turn.
    #[arg(long)]
    users: PathBuf,
    /// Consoles that read.
    #[arg(long, default_value_t = 20)]
    consoles: usize,
    /// Consoles that subscribe and then never read.
    #[arg(long, default_value_t = 0)]
    slow: usize,
    /// Channels of each; {station}, {site} and {device} stand for one of the site, in turn.
    #[arg(long, value_delimiter = ',', default_value = "gates:{station}")]
    channels: Vec<String>,
    /// Accounts whose media tap (CSV, as `account import` takes it); needed with a rate.
    #[arg(long)]
    accounts: Option<PathBuf>,
    /// Taps a second at all gates together, Poisson; 0 = none.
    #[arg(long, default_value_t = 1_000.0)]
    rate: f64,
    /// Gates; left out, all there are.
    #[arg(long)]
    gates: Option<usize>,
    /// Seconds of taps alone, before the consoles come.
    #[arg(long, default_value_t = 5.0)]
    before: f64,
    /// Seconds that are not measured, once all consoles follow.
    #[arg(long, default_value_t = 2.0)]
    warmup: f64,
    /// Seconds that are measured.
    #[arg(long, default_value_t = 10.0)]
    seconds: f64,
    /// So many times every console is cut off at once and comes back.
    #[arg(long, default_value_t = 0)]
    storms: usize,
    /// Seconds from one storm to the next.
    #[arg(long, default_value_t = 2.0)]
    storm_pause: f64,
    /// Seconds in which all consoles must follow.
    #[arg(long, default_value_t = 30.0)]
    follow_within: f64,
    /// Process id of the server: its processor time and memory are reported, too.
    #[arg(long)]
    server_pid: Option<u32>,
    /// Seed of every random choice.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The result as JSON goes here, one line a run, appended.
    #[arg(long)]
    json: Option<PathBuf>,
}

/// Runs it; the exit code is 0 when every promise was kept, 1 when not.
///
/// # Errors
/// When files cannot be read, nobody can sign in, or gates or consoles do not come.
pub fn run(args: &Consoles) -> io::Result<u8> {
    raise_file_limit();
    let report = report(args)?;
    write!(io::stdout(), "{report}")?;
    if let Some(path) = &args.json {
        let mut file = std::fs::OpenOptions::new().create(true).append(true).open(path)?;
        serde_json::to_writer(&mut file, &report)?;
        writeln!(file)?;
    }
    Ok(u8::from(!report.broken().is_empty()))
}

/// Runs it and gives the result back.
///
/// # Errors
/// As [`run`].
pub fn report(args: &Consoles) -> io::Result<Report> {
    let path = args.target.site_file.as_deref().ok_or_else(|| io::Error::other("name the site file: --site-file"))?;
    let site = files::site(path)?;
    let gates = gates(args, &site)?;
    let places = places(&site, &gates);
    let cookies: Vec<String> =
        sign_in::people(&args.users)?.iter().map(|person| sign_in::sign_in(http(args), person)).collect::<io::Result<_>>()?;
    let (clock, gauge) = (args.target.clock()?, Arc::<Gauge>::default());
    if args.rate <= 0.0 {
        return Run::start(plan(args), places, cookies, (clock, Arc::new(Sent::new(0, [])), gauge), None);
    }
    let (sent, traffic) = traffic(args, &site, &gates, clock, gauge.clone())?;
    Run::start(plan(args), places, cookies, (clock, sent, gauge), Some((gates.len(), traffic)))
}

fn gates(args: &Consoles, site: &SiteFile) -> io::Result<Vec<Credentials>> {
    let all = files::gates(&args.target.devices, site.id.as_str())?;
    let mut gates: Vec<_> = files::placed(site, all).into_iter().map(|(_, gate)| gate).collect();
    gates.truncate(args.gates.unwrap_or(usize::MAX));
    if gates.is_empty() { Err(io::Error::other("the files give no gate")) } else { Ok(gates) }
}

fn places(site: &SiteFile, gates: &[Credentials]) -> Places {
    let stations = site.stations.iter().filter(|station| !station.gates.is_empty());
    Places {
        site: site.id.as_str().to_owned(),
        stations: stations.map(|station| station.id.as_str().to_owned()).collect(),
        devices: gates.iter().map(|gate| gate.device.clone()).collect(),
    }
}

fn traffic(args: &Consoles, site: &SiteFile, gates: &[Credentials], clock: Clock, gauge: Arc<Gauge>) -> io::Result<(Arc<Sent>, Traffic)> {
    let accounts = args.accounts.as_deref().ok_or_else(|| io::Error::other("who taps? --accounts"))?;
    let media = Media::new(files::media(accounts)?);
    let habits = Habits { passage: false, records: false, ..Habits::default() };
    let fleet = Fleet::new(args.target.server(site.id.as_str().to_owned())?, &habits, gates, clock)?;
    let sent = Arc::new(Sent::new(fleet.epoch(), gates.iter().map(|gate| gate.device.as_str())));
    Ok((sent.clone(), Traffic::new(fleet, media, args.rate, args.seed, sent, gauge)))
}

/// Where consoles sign in: `--http`, else where a server listens that was told nothing.
fn http(args: &Consoles) -> SocketAddr {
    args.target.http.unwrap_or(SocketAddr::from(([127, 0, 0, 1], 8080)))
}

fn plan(args: &Consoles) -> Plan {
    let seconds = |seconds: f64| Duration::try_from_secs_f64(seconds.clamp(0.0, 86_400.0)).unwrap_or_default();
    Plan {
        address: http(args),
        consoles: args.consoles,
        slow: args.slow,
        channels: args.channels.clone(),
        before: if args.rate > 0.0 { seconds(args.before) } else { Duration::ZERO },
        warm_up: seconds(args.warmup),
        measured: seconds(args.seconds),
        storms: args.storms,
        storm_pause: seconds(args.storm_pause),
        follow_within: seconds(args.follow_within),
        server_pid: args.server_pid,
    }
}
