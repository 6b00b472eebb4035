//! `tongdao-loadtest flows`: turns flows between stations into a day of taps, and writes everything that a replay needs.
use crate::replay::city::{City, SITE, Wish, files};
use crate::replay::flows::{self, Flows};
use clap::Args;
use std::io::{self, Write as _};
use std::path::PathBuf;

/// Arguments of `flows`.
#[derive(Debug, Clone, Args)]
pub struct FlowsArgs {
    /// Riders by hour, origin and destination: CSV or Parquet with Date, Hour, Origin…, Destination…, Ridership; the hour is
    /// that of the exit.
    #[arg(long)]
    flows: PathBuf,
    /// The day, as it stands in the file.
    #[arg(long)]
    day: String,
    /// Only riders who come out in these hours: from the first on, before the second.
    #[arg(long, default_value = "0-24")]
    hours: String,
    /// This share of every flow, up to 1.
    #[arg(long, default_value_t = 1.0)]
    share: f64,
    /// Folder to write to; it is made.
    #[arg(long)]
    out: PathBuf,
    /// Local time minus UTC.
    #[arg(long, default_value = "+05:30", allow_hyphen_values = true)]
    utc_offset: String,
    /// Price of every ride.
    #[arg(long, default_value = "2.00")]
    fare: String,
    /// Opening balance of each account.
    #[arg(long, default_value = "1000.00")]
    balance: String,
    /// Port of the MQTT listener in the config.
    #[arg(long, default_value_t = 1883)]
    port: u16,
    /// Port of the HTTP listener in the config.
    #[arg(long, default_value_t = 8080)]
    http_port: u16,
    /// Seed of every random choice.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// Writes the files and says how to go on.
///
/// # Errors
/// When the flows cannot be read or the folder cannot be written to.
pub fn run(args: &FlowsArgs) -> io::Result<u8> {
    let midnight = format!("{}T00:00:00{}", args.day, args.utc_offset);
    let midnight_ms = tongdao_protocol::time::parse(&midnight)
        .ok_or_else(|| {
            io::Error::other(format!("{midnight} is no moment: --day is a date such as 2025-08-12, --utc-offset such as +05:30"))
        })?
        .0;
    let wish = Wish {
        midnight_ms,
        utc_offset: args.utc_offset.clone(),
        fare: args.fare.clone(),
        balance: args.balance.clone(),
        seed: args.seed,
        port: args.port,
        http_port: args.http_port,
    };
    let flows = wanted(args)?;
    let city = City::of(&flows, &wish);
    let out = std::path::absolute(&args.out)?;
    for folder in ["sites", "fares"] {
        std::fs::create_dir_all(out.join(folder))?;
    }
    for (name, text) in files(&city, &wish, &out) {
        std::fs::write(out.join(name), text)?;
    }
    let mut taps = io::BufWriter::new(std::fs::File::create(out.join("taps.csv"))?);
    city.day.write(&mut taps)?;
    taps.flush()?;
    tell(args, &city)
}

fn wanted(args: &FlowsArgs) -> io::Result<Flows> {
    let wrong = || io::Error::other(format!("--hours {}: two hours, such as 7-10", args.hours));
    let (from, to) = args.hours.split_once('-').ok_or_else(wrong)?;
    let (from, to): (u8, u8) = from.parse().ok().zip(to.parse().ok()).filter(|(from, to)| from < to && *to <= 24).ok_or_else(wrong)?;
    let flows = flows::read(&args.flows, &args.day)?.within(from, to).share(args.share);
    if flows.flows.is_empty() {
        return Err(io::Error::other(format!("nobody comes out in the hours {} of {}", args.hours, args.day)));
    }
    Ok(flows)
}

fn tell(args: &FlowsArgs, city: &City) -> io::Result<u8> {
    let (out, mut to) = (args.out.display(), io::stdout());
    let (stations, gates) = (city.stations.len(), city.day.devices.len());
    writeln!(to, "{} rides of {} riders, {stations} stations, {gates} gates. Go on with:", city.trips, city.day.media.len())?;
    writeln!(to, "  tongdao device import {out}/devices.csv --config {out}/replay.toml --by replay --reason replay")?;
    writeln!(to, "  tongdao account import {out}/accounts.csv --config {out}/replay.toml --by replay --reason replay")?;
    writeln!(to, "  tongdao serve --config {out}/replay.toml &")?;
    writeln!(
        to,
        "  tongdao-loadtest replay --taps {out}/taps.csv --addr 127.0.0.1:{} --clock-from 127.0.0.1:{} --site-file {out}/sites/{SITE}.toml --devices {out}/devices.csv --speed 20 --html {out}/report.html",
        args.port, args.http_port
    )?;
    writeln!(to, "  tongdao verify --config {out}/replay.toml")?;
    Ok(0)
}
