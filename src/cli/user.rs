//! `tongdao user …`: who may sign in, and the tokens of their programs.
use super::Who;
use clap::Subcommand;
use serde::{Deserialize, Serialize};

/// `tongdao user …`
#[derive(Debug, Clone, Subcommand, Serialize, Deserialize)]
pub enum UserCommand {
    /// Let somebody in; prints the generated password, once, alone on standard output.
    Add {
        /// User id.
        id: String,
        /// Roles, joined with commas: teller, lobby, remote_agent, supervisor, gate_operator, settlement, technician, manager,
        /// inspector, auditor, admin.
        #[arg(long, value_name = "ROLE[,ROLE]")]
        roles: String,
        /// `all`, `sites:ID[,ID]` or `stations:ID[,ID]`.
        #[arg(long, default_value = "all")]
        scope: String,
        /// Who and why.
        #[command(flatten)]
        who: Who,
    },
    /// Give a user another password and end their sessions; prints it, once, alone on standard output.
    Passwd {
        /// User id.
        id: String,
        /// Who and why.
        #[command(flatten)]
        who: Who,
    },
    /// Give a user other roles or another scope; sessions go on with them.
    Roles {
        /// User id.
        id: String,
        /// Roles, joined with commas.
        #[arg(long, value_name = "ROLE[,ROLE]")]
        roles: String,
        /// `all`, `sites:ID[,ID]` or `stations:ID[,ID]`.
        #[arg(long)]
        scope: String,
        /// Who and why.
        #[command(flatten)]
        who: Who,
    },
    /// Let a user in no more.
    Disable {
        /// User id.
        id: String,
        /// Who and why.
        #[command(flatten)]
        who: Who,
    },
    /// The users.
    List {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Tokens for programs.
    #[command(subcommand)]
    Token(TokenCommand),
}

/// `tongdao user token …`
#[derive(Debug, Clone, Subcommand, Serialize, Deserialize)]
pub enum TokenCommand {
    /// Make a token of a user; prints its value, once, alone on standard output.
    Add {
        /// User id.
        user: String,
        /// What it is for.
        #[arg(long)]
        name: String,
        /// How long it is good.
        #[arg(long, value_name = "DAYS", default_value_t = 90)]
        days: u32,
        /// What it may do of what its user may; without this all of it.
        #[arg(long, value_name = "ROLE[,ROLE]")]
        roles: Option<String>,
        /// Where, within its user's scope: `all`, `sites:ID[,ID]` or `stations:ID[,ID]`; without this all of it.
        #[arg(long)]
        scope: Option<String>,
        /// Who and why.
        #[command(flatten)]
        who: Who,
    },
    /// The tokens of a user, or of everybody.
    List {
        /// User id.
        user: Option<String>,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Revoke a token: what it has open is closed at once.
    Revoke {
        /// What it is called: USER~ID, as `list` shows it.
        token: String,
        /// Who and why.
        #[command(flatten)]
        who: Who,
    },
}
