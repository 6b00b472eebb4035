//! The process: command line, config, wiring. Read it as a table of contents.
#![expect(unreachable_pub, reason = "a program has no outside; `pub` marks what its other files use")]
mod admin;
mod backend;
mod boards;
mod cli;
mod config;
mod console;
mod demo;
mod evidence;
mod exit;
mod fare;
mod gate_page;
mod http;
mod lists;
mod logs;
mod mqtt;
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
use tongdao_protocol::schema;

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
    let (file, folder) = (cli.config.as_deref(), cli.data_dir.as_deref());
    let config = || Config::load(file, folder);
    match cli.command.unwrap_or(Command::Serve) {
        Command::Serve => serve::run(&config()?),
        Command::Demo(args) => demo::run(&args, file, folder),
        Command::CheckConfig => sites::check(&config()?),
        Command::Openapi => Ok(printed(&schema::openapi())),
        Command::Asyncapi => Ok(printed(&schema::asyncapi())),
        Command::Healthcheck => node::ask_server(&config()?, &Op::Healthcheck),
        Command::Verify => node::offline_or_server(&config()?, &Op::Verify, ops::verify_files),
        Command::Doctor { accept_loss } => {
            node::offline_or_server(&config()?, &Op::Doctor, |config| ops::doctor_files(config, accept_loss))
        }
        Command::Fare(args) => fare::run(args, config),
        Command::Op(args) => node::operate(&config()?, args.into_op()?),
    }
}

/// A document of the contract, whole, on standard output; a reader that has enough is no fault.
fn printed(document: &str) -> u8 {
    let _ = std::io::Write::write_all(&mut std::io::stdout(), document.as_bytes());
    exit::OK
}
