//! `tongdao-loadtest idle`: holds gates that do nothing and shows what one costs the server in memory.
use super::{Target, raise_file_limit};
use crate::files;
use crate::fleet::Fleet;
use crate::gate::Habits;
use crate::process::Sample;
use clap::Args;
use std::io::{self, Write as _};
use std::time::{Duration, Instant};

/// Arguments of `idle`.
#[derive(Debug, Clone, Args)]
pub struct Idle {
    #[command(flatten)]
    target: Target,
    /// Gates; left out, all there are.
    #[arg(long)]
    gates: Option<usize>,
    /// Seconds to hold them once all are connected.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Process id of the server.
    #[arg(long)]
    server_pid: u32,
}

/// Runs it; the exit code is 0 when all gates stayed connected, 1 when not.
///
/// # Errors
/// When files cannot be read, the gates cannot connect, or there is no such server.
#[expect(clippy::disallowed_methods, reason = "a load test measures")]
pub fn run(args: &Idle) -> io::Result<u8> {
    raise_file_limit();
    let site = match (&args.target.site, &args.target.site_file) {
        (Some(site), _) => site.clone(),
        (None, Some(file)) => files::site(file)?.id.as_str().to_owned(),
        (None, None) => return Err(io::Error::other("name the site: --site or --site-file")),
    };
    let mut gates = files::gates(&args.target.devices, &site)?;
    gates.truncate(args.gates.unwrap_or(usize::MAX));
    let sample = || Sample::of(args.server_pid).ok_or_else(|| io::Error::other(format!("no process {}", args.server_pid)));
    let before = sample()?;
    let mut fleet = Fleet::new(args.target.server(site)?, &Habits::default(), &gates, args.target.clock()?)?;
    let started = Instant::now();
    connect(&mut fleet, Duration::from_secs(30 + gates.len() as u64 / 200))?;
    let took = started.elapsed();
    let lost = hold(&mut fleet, Duration::from_secs(args.seconds))?;
    let after = sample()?;
    let bytes = after.rss_kib.saturating_sub(before.rss_kib) * 1024;
    writeln!(io::stdout(), "{} idle gates, connected in {:.1} s, {lost} lost", gates.len(), took.as_secs_f64())?;
    writeln!(io::stdout(), "  server memory   {} KiB before, {} KiB after", before.rss_kib, after.rss_kib)?;
    writeln!(io::stdout(), "  per gate        {:.2} KiB", bytes as f64 / 1024.0 / gates.len().max(1) as f64)?;
    Ok(u8::from(lost > 0))
}

#[expect(clippy::disallowed_methods, reason = "a load test measures")]
fn connect(fleet: &mut Fleet, within: Duration) -> io::Result<()> {
    let (started, mut notices) = (Instant::now(), Vec::new());
    while fleet.online() < fleet.len() {
        fleet.turn(Duration::from_millis(100), &mut notices)?;
        if started.elapsed() > within {
            let why = format!("only {} of {} gates could connect: {:?}", fleet.online(), fleet.len(), notices.last());
            return Err(io::Error::other(why));
        }
    }
    Ok(())
}

/// Holds the connections; returns how many were lost.
#[expect(clippy::disallowed_methods, reason = "a load test measures")]
fn hold(fleet: &mut Fleet, length: Duration) -> io::Result<u64> {
    let (started, mut notices) = (Instant::now(), Vec::new());
    let before = fleet.lost();
    while started.elapsed() < length {
        fleet.turn(Duration::from_millis(100), &mut notices)?;
        notices.clear();
    }
    Ok(fleet.lost() - before)
}
