//! The process: command line, config, wiring. Read it as a table of contents.
#![expect(unreachable_pub, reason = "a program has no outside; `pub` marks what its other files use")]
mod admin;
mod backend;
mod cli;
mod config;
mod demo;
mod exit;
mod http;
mod logs;
mod node;
mod ops;
mod serve;
mod show;
mod sites;

use clap::Parser as _;
use cli::{Cli, Command, Op};
use config::Config;
use exit::{Failure, finish};
use std::process::ExitCode;

fn main() -> ExitCode {
    match Cli::try_parse() {
        Ok(cli) => finish(run(cli)),
        Err(usage) => {
            let _ = usage.print();
            ExitCode::from(if usage.use_stderr() { exit::USAGE } else { exit::OK })
        }
    }
}

fn run(cli: Cli) -> Result<u8, Failure> {
    if let Some(Command::Demo(args)) = &cli.command {
        return demo::run(args, cli.config.as_deref(), cli.data_dir.as_deref());
    }
    let config = Config::load(cli.config.as_deref(), cli.data_dir.as_deref())?;
    match cli.command.unwrap_or(Command::Serve) {
        Command::Serve | Command::Demo(_) => serve::run(&config),
        Command::CheckConfig => sites::check(&config),
        Command::Healthcheck => node::ask_server(&config, &Op::Healthcheck),
        Command::Verify => node::offline_or_server(&config, &Op::Verify, ops::verify_files),
        Command::Doctor { accept_loss } => node::offline_or_server(&config, &Op::Doctor, |config| ops::doctor_files(config, accept_loss)),
        Command::Op(args) => node::operate(&config, args.into_op()?),
    }
}
