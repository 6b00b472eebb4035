//! `tongdao doubtful …`: records of gates that contradict what is known, and what a person decides of them.
use super::Who;
use clap::Subcommand;
use serde::{Deserialize, Serialize};

/// `tongdao doubtful …`
#[derive(Debug, Clone, Subcommand, Serialize, Deserialize)]
pub enum DoubtfulCommand {
    /// Doubtful records in the order of their names, one a line.
    List {
        /// Only those of a station's gates.
        #[arg(long)]
        station: Option<String>,
        /// open, accepted, rejected, or all.
        #[arg(long, default_value = "open")]
        state: String,
        /// Only those of this code: key_reused, twin, at, direction, medium, record, too_old, ahead, currency, unknown_medium ….
        #[arg(long)]
        doubt: Option<String>,
        /// So many at most.
        #[arg(long, value_name = "N")]
        limit: Option<usize>,
        /// Only what comes behind this name.
        #[arg(long, value_name = "RECORD")]
        after: Option<String>,
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
    },
    /// What speaks for and against one of them.
    Show {
        /// Its name.
        record: String,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// It is true: post it to the account of its medium, once.
    Accept {
        /// Its name.
        record: String,
        /// Who and why.
        #[command(flatten)]
        who: Who,
    },
    /// It is not true: it leaves no charge.
    Reject {
        /// Its name.
        record: String,
        /// Who and why.
        #[command(flatten)]
        who: Who,
    },
}
