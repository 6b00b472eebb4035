//! The command line. An operation that speaks to a server is one value of [`Op`]: parsed here, sent over the admin socket
//! as JSON, run by the very same code whether a server runs or not.
mod deny;

use crate::exit;
use clap::{Args, Parser, Subcommand};
pub use deny::DenyCommand;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

mod doubtful;
mod user;

pub use doubtful::DoubtfulCommand;
pub use user::{TokenCommand, UserCommand};

/// Real-time channel orchestration for bank branches and transit networks.
#[derive(Debug, Parser)]
#[command(name = "tongdao", version, about, max_term_width = 110)]
pub struct Cli {
    /// Config file (TOML); what it leaves out has a default, what stands in the environment as TONGDAO__SECTION__KEY wins.
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Folder of journal and admin socket; wins over the config's `data_dir`.
    #[arg(long, global = true, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// What to do; without it: serve.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What the program can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the server (default).
    Serve,
    /// Run the server with a demo city and virtual gates in motion; nothing to install, nothing to configure.
    Demo(DemoArgs),
    /// Check config and site files, print the effective config with secrets masked.
    CheckConfig,
    /// Print the OpenAPI document of the HTTP interface.
    Openapi,
    /// Print the AsyncAPI document of MQTT and WebSocket.
    Asyncapi,
    /// Is the server ready? Exit 0 when it is.
    Healthcheck,
    /// Check the journal: hash chain, versions, sequence numbers, one outcome per tap, money. Exit 1 names the first fault.
    Verify,
    /// Tell the state of the journal; repair nothing without being told.
    Doctor {
        /// Go on with a journal that ends before what was acknowledged; the loss is kept in the audit.
        #[arg(long)]
        accept_loss: bool,
    },
    /// Price rides by a fare table: CSV in, CSV with `fare,rule` out; no clock, exact. Or run a table over recorded days, or read one
    /// from a GTFS feed.
    Fare(FareArgs),
    /// An operation on what the server keeps.
    #[command(flatten)]
    Op(OpArgs),
}

/// Settings of the demo.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Packs the arrivals closer and shortens the rides; the clock stays real.
    #[arg(long, default_value_t = 60.0, value_name = "FACTOR")]
    pub speed: f64,
    /// End by itself after this many seconds.
    #[arg(long, value_name = "SECONDS")]
    pub seconds: Option<u64>,
    /// Hour of the day at which the demo's day begins (local time of the city).
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u8).range(0..24))]
    pub from_hour: u8,
    /// Nothing goes wrong by itself.
    #[arg(long)]
    pub calm: bool,
}

/// `tongdao fare`
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct FareArgs {
    /// The fare table: a file, or the name of a shipped one.
    #[arg(long, value_name = "FILE", required_unless_present = "shadow")]
    pub table: Option<String>,
    /// Passenger class.
    #[arg(long, default_value = "adult", value_name = "CLASS")]
    pub class: String,
    /// The rides (`origin,destination,distance_m,minutes[,at,account]`); standard input where not given.
    #[arg(value_name = "RIDES")]
    pub rides: Option<PathBuf>,
    /// Another table over recorded days: what each journey would have cost. Reads the journal, writes nothing.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["table", "class", "rides"], requires_all = ["from", "to"])]
    pub shadow: Option<String>,
    /// First business day, such as 2026-03-02.
    #[arg(long, value_name = "DAY", requires = "shadow")]
    pub from: Option<String>,
    /// Last business day, included.
    #[arg(long, value_name = "DAY", requires = "shadow")]
    pub to: Option<String>,
    /// The table it stands in for, where sites use several.
    #[arg(long, value_name = "TABLE", requires = "shadow")]
    pub instead_of: Option<String>,
    /// So many of the biggest changes are told.
    #[arg(long, value_name = "N", default_value_t = 10, requires = "shadow")]
    pub top: u16,
    /// Every journey as CSV on standard output; the sums then go to standard error.
    #[arg(long, requires = "shadow")]
    pub each: bool,
    /// What else there is.
    #[command(subcommand)]
    pub command: Option<FareCommand>,
}

/// `tongdao fare …`
#[derive(Debug, Subcommand)]
pub enum FareCommand {
    /// Read a GTFS feed (Fares v2) into a fare file; what does not map is named with file and line and refused.
    Import {
        /// The folder of the feed.
        dir: PathBuf,
        /// The fare file; one that is there is not overwritten.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// Since when it counts (RFC 3339).
        #[arg(long, value_name = "MOMENT", default_value = "1970-01-01T00:00:00Z")]
        from: String,
        /// The fare medium whose prices count, where they differ by medium.
        #[arg(long, value_name = "ID")]
        media: Option<String>,
    },
}

/// Who does it and why; stands in the journal.
#[derive(Debug, Clone, Args, Serialize, Deserialize)]
pub struct Who {
    /// Your user id.
    #[arg(long)]
    pub by: String,
    /// Why.
    #[arg(long)]
    pub reason: String,
}

/// Operations as they stand on the command line.
#[derive(Debug, Subcommand)]
pub enum OpArgs {
    /// The device registry.
    #[command(subcommand)]
    Device(DeviceCommand),
    /// Travel accounts.
    #[command(subcommand)]
    Account(AccountCommand),
    /// Stations: modes and emergency.
    #[command(subcommand)]
    Station(StationCommand),
    /// Gates: what they do and what they are told.
    #[command(subcommand)]
    Gate(GateCommand),
    /// The deny list.
    #[command(subcommand)]
    Deny(DenyCommand),
    /// Doubtful records (存疑): what a person decides of them.
    #[command(subcommand)]
    Doubtful(DoubtfulCommand),
    /// Staff: who may sign in, with which roles and where.
    #[command(subcommand)]
    User(UserCommand),
    /// Every committed event as one JSON line, ordered within a partition.
    Export {
        /// Only `ndjson`.
        #[arg(long, default_value = "ndjson", value_parser = ["ndjson"])]
        format: String,
        /// From this moment on (RFC 3339, inclusive).
        #[arg(long)]
        from: Option<String>,
        /// Up to this moment (RFC 3339, exclusive).
        #[arg(long)]
        to: Option<String>,
    },
}

/// `tongdao device …`
#[derive(Debug, Clone, Subcommand, Serialize, Deserialize)]
pub enum DeviceCommand {
    /// Register a device; prints its secret, once, alone on standard output.
    Add {
        /// Device id; also its MQTT client id and user name.
        id: String,
        /// gate, kiosk, robot or display.
        #[arg(long)]
        kind: String,
        /// Site id.
        #[arg(long)]
        site: String,
        /// Who and why.
        #[command(flatten)]
        who: Who,
    },
    /// Give a device a new secret; prints it, once.
    Rotate {
        /// Device id.
        id: String,
        /// Who and why.
        #[command(flatten)]
        who: Who,
    },
    /// Let a device in no more.
    Revoke {
        /// Device id.
        id: String,
        /// Who and why.
        #[command(flatten)]
        who: Who,
    },
    /// The registered devices.
    List {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Register the devices of a CSV file (`device_id,kind,site,secret`).
    Import {
        /// The file; on its way to the server: its content.
        file: String,
        /// Who and why.
        #[command(flatten)]
        who: Who,
    },
}

/// `tongdao account …`
#[derive(Debug, Clone, Subcommand, Serialize, Deserialize)]
pub enum AccountCommand {
    /// Open the accounts of a CSV file (`account_id,class,passenger_class,balance,medium_kind,medium_token`).
    Import {
        /// The file; on its way to the server: its content.
        file: String,
        /// Who and why.
        #[command(flatten)]
        who: Who,
    },
    /// Show an account.
    Show {
        /// Account id.
        id: String,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Add money.
    Credit {
        /// Account id.
        id: String,
        /// How much, such as 20.00.
        amount: String,
        /// Who and why.
        #[command(flatten)]
        who: Who,
    },
    /// Correct a journey at the service desk.
    Adjust {
        /// Account id.
        id: String,
        /// add_entry, add_exit, overstay or waive.
        #[arg(long)]
        kind: String,
        /// Station id.
        #[arg(long)]
        station: String,
        /// When the rider was there (RFC 3339); now where not given.
        #[arg(long)]
        at: Option<String>,
        /// Who and why.
        #[command(flatten)]
        who: Who,
    },
    /// Take no taps of the account.
    Freeze {
        /// Account id.
        id: String,
        /// Who and why.
        #[command(flatten)]
        who: Who,
    },
    /// Take its taps again.
    Unfreeze {
        /// Account id.
        id: String,
        /// Who and why.
        #[command(flatten)]
        who: Who,
    },
    /// Give the account a medium.
    Link {
        /// Account id.
        id: String,
        /// The medium's token (a keyed hash).
        token: String,
        /// qr, face, ecny, ecny_hard, bank or card.
        #[arg(long)]
        kind: String,
        /// Who and why.
        #[command(flatten)]
        who: Who,
    },
    /// Take a medium from the account.
    Unlink {
        /// Account id.
        id: String,
        /// The medium's token.
        token: String,
        /// Who and why.
        #[command(flatten)]
        who: Who,
    },
}

/// `tongdao station …`
#[derive(Debug, Clone, Subcommand, Serialize, Deserialize)]
pub enum StationCommand {
    /// Set the modes of a station: closed, train_failure, time_waived, date_waived, fare_waived, order_waived, entry_waived; or none.
    Mode {
        /// Station id.
        station: String,
        /// Modes, joined with commas; `none` = normal service.
        modes: String,
        /// Until when (RFC 3339).
        #[arg(long)]
        until: Option<String>,
        /// Who and why.
        #[command(flatten)]
        who: Who,
    },
    /// All gates of the station open.
    Emergency {
        /// Station id.
        station: String,
        /// Who and why.
        #[command(flatten)]
        who: Who,
    },
    /// Leave the emergency. Where there are users it takes two of them.
    Release {
        /// Station id.
        station: String,
        /// The second person: another user, who may let others leave an emergency.
        #[arg(long)]
        approved_by: Option<String>,
        /// Who and why.
        #[command(flatten)]
        who: Who,
    },
    /// The stations and their modes.
    List {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
}

/// `tongdao gate …`
#[derive(Debug, Clone, Subcommand, Serialize, Deserialize)]
pub enum GateCommand {
    /// The gates, what they say and what they have acknowledged.
    List {
        /// Only those of a station.
        #[arg(long)]
        station: Option<String>,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Set what gates do: entry, exit, both, open, closed, paused or maintenance.
    Service {
        /// Gate ids, joined with commas.
        ids: String,
        /// The service.
        service: String,
        /// Who and why.
        #[command(flatten)]
        who: Who,
    },
    /// Tell a gate to do something: restart, maintain, resume, config or test_print.
    Command {
        /// Gate id.
        id: String,
        /// What.
        command: String,
        /// Arguments as a JSON object.
        #[arg(long)]
        args: Option<String>,
        /// Not done after this many seconds.
        #[arg(long, default_value_t = 60, value_name = "SECONDS")]
        ttl: u64,
        /// Who and why.
        #[command(flatten)]
        who: Who,
    },
}

/// An operation on its way to whoever runs it: a server behind its socket, or this very process.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Op {
    /// `device …`
    Device(DeviceCommand),
    /// `account …`
    Account(AccountCommand),
    /// `station …`
    Station(StationCommand),
    /// `gate …`
    Gate(GateCommand),
    /// `deny …`
    Deny(DenyCommand),
    /// `doubtful …`
    Doubtful(DoubtfulCommand),
    /// `user …`
    User(UserCommand),
    /// `export`
    Export {
        /// Inclusive, RFC 3339.
        from: Option<String>,
        /// Exclusive, RFC 3339.
        to: Option<String>,
    },
    /// `fare --shadow`
    Shadow(crate::ops::shadow::Ask),
    /// `verify`
    Verify,
    /// `doctor`
    Doctor,
    /// `healthcheck`
    Healthcheck,
}

impl OpArgs {
    /// Makes the operation ready for sending: files become their content.
    ///
    /// # Errors
    /// A file that cannot be read (exit 65).
    pub fn into_op(self) -> Result<Op, exit::Failure> {
        Ok(match self {
            Self::Device(DeviceCommand::Import { file, who }) => Op::Device(DeviceCommand::Import { file: content(&file)?, who }),
            Self::Account(AccountCommand::Import { file, who }) => Op::Account(AccountCommand::Import { file: content(&file)?, who }),
            Self::Device(command) => Op::Device(command),
            Self::Account(command) => Op::Account(command),
            Self::Station(command) => Op::Station(command),
            Self::Gate(command) => Op::Gate(command),
            Self::Deny(command) => Op::Deny(command.read()?),
            Self::User(command) => Op::User(command),
            Self::Doubtful(command) => Op::Doubtful(command),
            Self::Export { from, to, .. } => Op::Export { from, to },
        })
    }
}

fn content(file: &str) -> Result<String, exit::Failure> {
    std::fs::read_to_string(file).map_err(|fault| exit::Failure::new(exit::DATA, format!("{file}: {fault}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_contract_is_printed_without_a_server() {
        for (word, command) in [("openapi", Command::Openapi), ("asyncapi", Command::Asyncapi)] {
            let parsed = Cli::try_parse_from(["tongdao", word]).expect("parses").command.expect("a command");
            assert_eq!(std::mem::discriminant(&parsed), std::mem::discriminant(&command));
        }
    }

    #[test]
    fn what_changes_something_needs_a_name_and_a_reason() {
        let parse = |line: &str| Cli::try_parse_from(line.split(' '));
        assert!(parse("tongdao device add g1 --kind gate --site cd").is_err());
        assert!(parse("tongdao device add g1 --kind gate --site cd --by li --reason new").is_ok());
        assert!(parse("tongdao station emergency tianfu --by li --reason drill").is_ok());
        assert!(parse("tongdao account show a1 --json").is_ok());
        assert!(parse("tongdao deny add t1 t2").is_err() && parse("tongdao deny add --by li --reason lost").is_err());
        assert!(parse("tongdao deny add t1 t2 --by li --reason lost").is_ok() && parse("tongdao deny status").is_ok());
        assert!(parse("tongdao --config x.toml").expect("serve is the default").command.is_none());
    }

    #[test]
    fn operations_survive_the_socket() {
        let cli = Cli::try_parse_from("tongdao gate service g1,g2 paused --by li --reason test".split(' ')).expect("parses");
        let Some(Command::Op(args)) = cli.command else { panic!("an operation") };
        let sent = serde_json::to_string(&args.into_op().expect("an op")).expect("JSON");
        assert!(matches!(serde_json::from_str(&sent), Ok(Op::Gate(GateCommand::Service { ids, .. })) if ids == "g1,g2"));
    }
}
