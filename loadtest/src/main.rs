//! `tongdao-loadtest`: gate traffic and consoles against a running server.
use clap::{Parser, Subcommand};
use std::io::Write as _;
use std::process::ExitCode;
use tongdao_loadtest::commands::{consoles, flows, gates, idle, offline, prepare, replay, storm};

/// Exit code for what could not be run at all (sysexits: EX_UNAVAILABLE).
const UNAVAILABLE: u8 = 69;

/// Gate traffic against a server, with virtual gates that obey the gate's side of the contract.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Taps in a closed or an open loop; exit code 1 when the server broke a promise.
    Gates(Box<gates::Gates>),
    /// Gates that were without a link for a day pour in their records while riders tap elsewhere; exit code 1 as above.
    Offline(Box<offline::Offline>),
    /// Many gates lose their link and come back at once while riders tap elsewhere; exit code 1 as above.
    Storm(Box<storm::Storm>),
    /// Consoles that follow what gates do: tap to console, storms, slow readers; exit code 1 when the server broke a promise.
    Consoles(Box<consoles::Consoles>),
    /// A recorded day of taps, at its own pace or faster; exit code 1 when the server broke a promise.
    Replay(Box<replay::Replay>),
    /// Turns flows between stations into a day of taps, and writes everything that a replay needs.
    Flows(Box<flows::FlowsArgs>),
    /// Writes a bench site: site, fares, devices, accounts, config.
    Prepare(prepare::Prepare),
    /// Holds gates that do nothing and shows what one costs the server in memory.
    Idle(Box<idle::Idle>),
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Gates(args) => gates::run(&args),
        Command::Offline(args) => offline::run(&args),
        Command::Storm(args) => storm::run(&args),
        Command::Consoles(args) => consoles::run(&args),
        Command::Replay(args) => replay::run(&args),
        Command::Flows(args) => flows::run(&args),
        Command::Prepare(args) => prepare::run(&args),
        Command::Idle(args) => idle::run(&args),
    };
    match done {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "tongdao-loadtest: {error}");
            ExitCode::from(UNAVAILABLE)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Cli;
    use clap::CommandFactory as _;

    #[test]
    fn the_words_of_the_command_line_fit_together() {
        Cli::command().debug_assert();
    }
}
