//! The log: to standard error, as text for people or JSON lines for machines.
use crate::config::{Log, LogFormat};
use crate::exit::{CONFIG, Failure};
use std::io::IsTerminal as _;
use tracing_subscriber::EnvFilter;

/// Starts the log of this process.
///
/// # Errors
/// Exit 78 when `log.filter` cannot be read.
pub fn start(log: &Log) -> Result<(), Failure> {
    let builder = tracing_subscriber::fmt().with_env_filter(filter(log)?).with_writer(std::io::stderr);
    match log.format {
        LogFormat::Text => builder.with_ansi(std::io::stderr().is_terminal()).with_target(false).init(),
        LogFormat::Json => builder.json().init(),
    }
    Ok(())
}

/// What is logged.
///
/// # Errors
/// Exit 78 when `log.filter` cannot be read.
pub fn filter(log: &Log) -> Result<EnvFilter, Failure> {
    EnvFilter::try_new(&log.filter)
        .map_err(|fault| Failure::new(CONFIG, format!("config key `log.filter`: {fault}; such as `info` or `info,tongdao_journal=debug`")))
}
