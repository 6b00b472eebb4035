//! `tongdao fare`: rides priced by a fare table, recorded days under another one, a table out of a GTFS feed. None of it
//! needs a server.
use crate::cli::{FareArgs, FareCommand, Op};
use crate::config::Config;
use crate::exit::{DATA, Failure, OK, USAGE};
use crate::node;
use crate::ops::shadow::{self, Ask};
use crate::sites::SHIPPED_FARES;
use std::io::{Read as _, Write as _};
use std::path::Path;
use tongdao_protocol::gtfs::{self, Feed, Wanted};
use tongdao_protocol::{rides, site};

/// Does what the words ask; `config` is read only where the journal is.
///
/// # Errors
/// Exit 65 names file, line and fix; 64 a word that makes no sense.
pub fn run(args: FareArgs, config: impl FnOnce() -> Result<Config, Failure>) -> Result<u8, Failure> {
    match args {
        FareArgs { command: Some(FareCommand::Import { dir, out, from, media }), .. } => import(&dir, &out, &from, media.as_deref()),
        FareArgs { shadow: Some(name), from: Some(from), to: Some(to), instead_of, top, each, .. } => {
            let ask = Ask { table: table(&name)?, name, instead_of, from, to, top: top.into(), each };
            node::offline_or_server(&config()?, &Op::Shadow(ask.clone()), |config| shadow::files(config, ask))
        }
        FareArgs { table: Some(table), class, rides, .. } => price(&table, &class, rides.as_deref()),
        _ => Err(Failure::new(USAGE, "--table or --shadow names the fare table")),
    }
}

fn price(name: &str, class: &str, file: Option<&Path>) -> Result<u8, Failure> {
    let fares = site::parse_fares(&table(name)?).map_err(|fault| wrong(name, &fault))?;
    let file_name = file.map_or_else(|| "standard input".to_owned(), |path| path.display().to_string());
    let text = read(file).map_err(|fault| wrong(&file_name, &fault))?;
    let priced = rides::priced(&fares, class, &text).map_err(|fault| wrong(&file_name, &fault))?;
    // A reader that has enough is no fault.
    let _ = std::io::stdout().write_all(priced.as_bytes());
    Ok(OK)
}

fn import(dir: &Path, out: &Path, from: &str, media: Option<&str>) -> Result<u8, Failure> {
    if from.parse::<jiff::Timestamp>().is_err() {
        return Err(Failure::new(USAGE, format!("--from: {from:?}: wanted is RFC 3339, such as 2026-01-01T00:00:00+08:00")));
    }
    let mut feed = Feed::default();
    for name in gtfs::FILES {
        let path = dir.join(name);
        if path.exists() {
            feed.insert(name, std::fs::read_to_string(&path).map_err(|fault| wrong(&path.display().to_string(), &fault))?);
        }
    }
    let faults =
        |faults: Vec<gtfs::Fault>| faults.iter().map(|fault| dir.join(fault.to_string()).display().to_string()).collect::<Vec<_>>();
    let text = gtfs::fare_file(&feed, &Wanted { from, media }).map_err(|found| Failure::new(DATA, faults(found).join("\n")))?;
    let written = std::fs::File::create_new(out).and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|fault| wrong(&out.display().to_string(), &fault))?;
    Ok(OK)
}

fn wrong(file: &str, fault: &dyn std::fmt::Display) -> Failure {
    Failure::new(DATA, format!("{file}: {fault}"))
}

fn table(name: &str) -> Result<String, Failure> {
    let shipped = SHIPPED_FARES.iter().find(|(known, _)| *known == name).map(|(_, text)| (*text).to_owned());
    let read = || std::fs::read_to_string(name).map_err(|fault| wrong(name, &fault));
    if Path::new(name).exists() { read() } else { shipped.map_or_else(read, Ok) }
}

fn read(path: Option<&Path>) -> std::io::Result<String> {
    if let Some(path) = path {
        return std::fs::read_to_string(path);
    }
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text)?;
    Ok(text)
}
