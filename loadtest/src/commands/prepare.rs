//! `tongdao-loadtest prepare`: writes everything that a bench needs: a site, its fares, devices, accounts and a config.
//!
//! The bench site is one station with a ladder of distances, so every ride costs its lowest fare, like the fixed fare of
//! what it is compared with. The secrets are made from the device ids: the site is for benches on loopback and nothing else.
use clap::Args;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// Site id of the bench.
const SITE: &str = "bench";

/// Arguments of `prepare`.
#[derive(Debug, Clone, Args)]
pub struct Prepare {
    /// Folder to write to; it is made.
    #[arg(long)]
    out: PathBuf,
    /// Gates.
    #[arg(long, default_value_t = 500)]
    gates: usize,
    /// Stations over which the gates are spread, on one line.
    #[arg(long, default_value_t = 1)]
    stations: usize,
    /// Media, each with an account of its own.
    #[arg(long, default_value_t = 20_000)]
    media: usize,
    /// Opening balance of each account.
    #[arg(long, default_value = "1000000.00")]
    balance: String,
    /// Port of the MQTT listener in the config.
    #[arg(long, default_value_t = 1883)]
    port: u16,
    /// Port of the HTTP listener in the config.
    #[arg(long, default_value_t = 8080)]
    http_port: u16,
}

/// Writes the files and says how to go on.
///
/// # Errors
/// When the folder cannot be written to.
pub fn run(args: &Prepare) -> io::Result<u8> {
    std::fs::create_dir_all(args.out.join("sites"))?;
    std::fs::create_dir_all(args.out.join("fares"))?;
    let write = |name: &str, text: String| std::fs::write(args.out.join(name), text);
    write("sites/bench.toml", site(args.gates, args.stations.max(1)))?;
    write("fares/bench.toml", FARES.to_owned())?;
    write("devices.csv", devices(args.gates))?;
    write("accounts.csv", accounts(args.media, &args.balance))?;
    let out = std::path::absolute(&args.out)?;
    write("bench.toml", config(&out, args.port, args.http_port))?;
    let out = args.out.display();
    writeln!(io::stdout(), "{} gates, {} media. Go on with:", args.gates, args.media)?;
    writeln!(io::stdout(), "  tongdao device import {out}/devices.csv --config {out}/bench.toml --by bench --reason bench")?;
    writeln!(io::stdout(), "  tongdao account import {out}/accounts.csv --config {out}/bench.toml --by bench --reason bench")?;
    writeln!(io::stdout(), "  tongdao serve --config {out}/bench.toml &")?;
    writeln!(
        io::stdout(),
        "  tongdao-loadtest gates --addr 127.0.0.1:{} --site bench --devices {out}/devices.csv --accounts {out}/accounts.csv",
        args.port
    )?;
    writeln!(io::stdout(), "and with consoles:")?;
    writeln!(
        io::stdout(),
        "  echo \"bench,$(tongdao user add bench --roles manager --config {out}/bench.toml --by bench --reason bench)\" > {out}/users.csv"
    )?;
    writeln!(
        io::stdout(),
        "  tongdao-loadtest consoles --addr 127.0.0.1:{} --http 127.0.0.1:{} --site-file {out}/sites/bench.toml --devices {out}/devices.csv --accounts {out}/accounts.csv --users {out}/users.csv",
        args.port,
        args.http_port
    )?;
    Ok(0)
}

/// Id of the n-th gate of the bench.
fn gate(n: usize) -> String {
    format!("g{n:05}")
}

const FARES: &str = r#"# One price for the bench.
currency = "CNY"

[[versions]]
from = 2020-01-01T00:00:00+08:00
stay_minutes_max = 240
overstay = { surcharge = "highest", refuse = true }
same_station = "lowest"
missing_exit = "highest"
missing_entry = "highest"

[versions.ladder]
steps = [{ up_to_m = 100_000, fare = "2.00" }]
beyond = { every_m = 20_000, add = "1.00" }

[versions.classes]
adult = 100
"#;

/// Id of the n-th station of the bench.
fn station(n: usize) -> String {
    if n == 0 { SITE.to_owned() } else { format!("bench-{n}") }
}

/// The gates go to the stations in turn; ten metres lie between neighbours, so that every ride is a short one.
fn site(gates: usize, stations: usize) -> String {
    let mut text = String::from("# For benches only.\nid = \"bench\"\nfares = \"bench\"\n");
    for n in 0..stations {
        let _ = write!(text, "\n[[stations]]\nid = \"{}\"\ngates = [\n", station(n));
        for n in (n..gates).step_by(stations) {
            let _ = writeln!(text, "  {{ device = \"{}\", service = \"both\" }},", gate(n));
        }
        text += "]\n";
    }
    for n in 1..stations {
        let _ = write!(text, "\n[[tracks]]\nfrom = \"{}\"\nto = \"{}\"\ndistance_m = 10\n", station(n - 1), station(n));
    }
    text
}

fn devices(gates: usize) -> String {
    let mut text = String::from("device_id,kind,site,secret\n");
    for n in 0..gates {
        let _ = writeln!(text, "{0},gate,{SITE},bench-{0}", gate(n));
    }
    text
}

fn accounts(media: usize, balance: &str) -> String {
    let mut text = String::from("account_id,class,passenger_class,balance,medium_kind,medium_token\n");
    for n in 0..media {
        let _ = writeln!(text, "a{n:07},1,adult,{balance},card,m{n:07}");
    }
    text
}

fn config(out: &Path, port: u16, http_port: u16) -> String {
    let out = out.display();
    format!(
        r#"# For benches only. Like what it is compared with, the bench looks neither at the aisle nor at a medium that taps twice.
data_dir = "{out}/data"
sites = ["{out}/sites/bench.toml"]

[listen]
mqtt = "127.0.0.1:{port}"
http = "127.0.0.1:{http_port}"

[gate]
riders_max = 0
retap_window_ms = 0

[gateway]
messages_per_second = 100_000    # one gate of the bench taps like a hundred
messages_burst = 100_000
"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files;

    #[test]
    fn what_it_writes_is_what_the_server_reads() {
        let folder = tempfile::tempdir().expect("a folder");
        let out = folder.path().join("bench");
        let args = Prepare { out: out.clone(), gates: 3, stations: 2, media: 10, balance: "5.00".into(), port: 1, http_port: 2 };
        assert_eq!(run(&args).expect("written"), 0);
        let site = files::site(&out.join("sites/bench.toml")).expect("a site");
        let gates = files::gates(&out.join("devices.csv"), SITE).expect("devices");
        let placed: Vec<_> = files::placed(&site, gates).into_iter().map(|(station, gate)| (station, gate.device)).collect();
        assert_eq!(placed, [(0, "g00000".to_owned()), (0, "g00002".to_owned()), (1, "g00001".to_owned())]);
        assert_eq!(files::media(&out.join("accounts.csv")).expect("accounts").len(), 10);
        let fares = std::fs::read_to_string(out.join("fares/bench.toml")).expect("fares");
        tongdao_protocol::site::parse_fares(&fares).expect("a fare table");
        let config = std::fs::read_to_string(out.join("bench.toml")).expect("a config");
        let config: toml::Value = toml::from_str(&config).expect("TOML");
        assert_eq!(config["gate"]["riders_max"].as_integer(), Some(0));
    }
}
