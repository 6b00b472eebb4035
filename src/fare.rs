//! `tongdao fare`: rides priced by a fare table, without a server and without a clock.
use crate::cli::FareArgs;
use crate::exit::{DATA, Failure, OK};
use crate::sites::SHIPPED_FARES;
use std::io::{Read as _, Write as _};
use std::path::Path;
use tongdao_protocol::{rides, site};

/// Prices the rides of a file.
///
/// # Errors
/// Exit 65 names file, line and fix.
pub fn run(args: &FareArgs) -> Result<u8, Failure> {
    let wrong = |file: &str, fault: &dyn std::fmt::Display| Failure::new(DATA, format!("{file}: {fault}"));
    let table = site::parse_fares(&table(&args.table)?).map_err(|fault| wrong(&args.table, &fault))?;
    let name = args.rides.as_ref().map_or_else(|| "standard input".to_owned(), |path| path.display().to_string());
    let text = read(args.rides.as_deref()).map_err(|fault| wrong(&name, &fault))?;
    let priced = rides::priced(&table, &args.class, &text).map_err(|fault| wrong(&name, &fault))?;
    // A reader that has enough is no fault.
    let _ = std::io::stdout().write_all(priced.as_bytes());
    Ok(OK)
}

fn table(name: &str) -> Result<String, Failure> {
    let shipped = SHIPPED_FARES.iter().find(|(known, _)| *known == name).map(|(_, text)| (*text).to_owned());
    let read = || std::fs::read_to_string(name).map_err(|fault| Failure::new(DATA, format!("{name}: {fault}")));
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
