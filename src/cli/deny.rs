//! `tongdao deny …`
use super::{Who, content};
use crate::exit;
use clap::Subcommand;
use serde::{Deserialize, Serialize};

/// `tongdao deny …`
#[derive(Debug, Clone, Subcommand, Serialize, Deserialize)]
pub enum DenyCommand {
    /// Put tokens on the deny list: no gate lets them through.
    Add {
        /// The tokens.
        #[arg(required_unless_present = "file")]
        tokens: Vec<String>,
        /// A file with a token a line; on its way to the server: its content.
        #[arg(long)]
        file: Option<String>,
        /// Who and why.
        #[command(flatten)]
        who: Who,
    },
    /// Take tokens off that a person has put there.
    Remove {
        /// The tokens.
        #[arg(required_unless_present = "file")]
        tokens: Vec<String>,
        /// A file with a token a line; on its way to the server: its content.
        #[arg(long)]
        file: Option<String>,
        /// Who and why.
        #[command(flatten)]
        who: Who,
    },
    /// The newest version, which gates have it, and how long it took.
    Status {
        /// Who denies this token.
        #[arg(long)]
        token: Option<String>,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
}

impl DenyCommand {
    /// Files become their content.
    ///
    /// # Errors
    /// A file that cannot be read (exit 65).
    pub fn read(mut self) -> Result<Self, exit::Failure> {
        if let Self::Add { file: Some(file), .. } | Self::Remove { file: Some(file), .. } = &mut self {
            *file = content(file)?;
        }
        Ok(self)
    }
}
