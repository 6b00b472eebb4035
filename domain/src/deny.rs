//! The deny list (黑名单): tokens that no gate lets through, alone or not. One machine for the whole network. A token stands on it
//! while anybody has a cause: a person by hand, or the account that owns it. What gates hear are versions: at most one in
//! a while, each with its difference to the one before and the hash of the whole.
//!
//! Not here: why an account denies its media (`account/denied.rs`), who has which version (the gates say so themselves), how
//! a list reaches a gate (the gateway).
use crate::device::By;
use crate::id::{AccountId, Token};
use crate::time::{Millis, Timestamp};
use compact_str::CompactString;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};

mod delta;
mod hash;
mod held;
mod machine;
mod next;
#[cfg(test)]
mod tests;
mod view;

pub use delta::{Delta, Fold, fold};
pub use hash::{ListHash, hash_of};
pub use held::{Held, Next};
pub use view::{DenyView, Way};

/// The one list there is.
pub const NETWORK: &str = "network";

/// Limits of the list; each is a setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// A new version at most this often.
    pub version_every: Millis,
    /// After the first change a version waits this long for others that belong to it.
    pub gather: Millis,
    /// Tokens on the list, at most; one more is refused.
    pub tokens_max: usize,
    /// A version is told as a difference up to so many bytes, as a full list beyond.
    pub delta_bytes_max: usize,
    /// What waits fills a version of that size each time; with more than this many of them waiting, all goes into one.
    pub versions_behind_max: usize,
    /// Versions whose difference is kept for gates that were away.
    pub deltas_kept_max: usize,
    /// Tokens in those differences, at most.
    pub delta_tokens_kept_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            version_every: Millis::seconds(60),
            gather: Millis(500),
            tokens_max: 100_000,
            delta_bytes_max: 65_536,
            versions_behind_max: 8,
            deltas_kept_max: 4_096,
            delta_tokens_kept_max: 20_000,
        }
    }
}

/// Tokens in one command by hand, at most.
pub const TOKENS_PER_COMMAND_MAX: usize = 1_000;

/// Why an account's media are on the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// The account is frozen.
    Frozen,
    /// The account owes money.
    Debt,
    /// The medium is lost.
    Lost,
    /// Another medium has taken its place.
    Replaced,
    /// It is suspected of being a clone.
    Suspected,
}
impl Why {
    /// The stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Frozen => "frozen",
            Self::Debt => "debt",
            Self::Lost => "lost",
            Self::Replaced => "replaced",
            Self::Suspected => "suspected",
        }
    }
}

/// Who denies a token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// A person.
    Desk(By),
    /// The account that owns it.
    Account(AccountId, Why),
}

/// A token that is on the list, or is still in the newest version.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Row", into = "Row")]
pub struct Entry {
    /// Who denies it, and since when; nobody = it goes with the next version.
    pub causes: Vec<(Cause, Timestamp)>,
    /// Is it in the newest version?
    pub published: bool,
}

/// An entry as it is stored: a row without names.
type Row = (Vec<(Cause, Timestamp)>, bool);

impl From<Row> for Entry {
    fn from((causes, published): Row) -> Self {
        Self { causes, published }
    }
}
impl From<Entry> for Row {
    fn from(entry: Entry) -> Self {
        (entry.causes, entry.published)
    }
}

impl Entry {
    /// Is it denied?
    #[must_use]
    pub fn listed(&self) -> bool {
        !self.causes.is_empty()
    }
    /// The person who denies it.
    #[must_use]
    pub fn desk(&self) -> Option<&By> {
        self.causes.iter().find_map(|(cause, _)| if let Cause::Desk(by) = cause { Some(by) } else { None })
    }
}

/// What may be asked of the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Command {
    /// A person denies tokens; those that they deny already stay as they are.
    Add {
        /// Which; at most [`TOKENS_PER_COMMAND_MAX`].
        tokens: Vec<Token>,
        /// Who and why.
        by: By,
    },
    /// A person denies them no longer. Refused where an account alone does: it is the account that has to be put right.
    Remove {
        /// Which.
        tokens: Vec<Token>,
        /// Who and why.
        by: By,
    },
    /// What has changed of an account's media.
    Account {
        /// The account.
        account: AccountId,
        /// It denies these.
        deny: Vec<(Token, Why)>,
        /// It denies these no longer.
        allow: Vec<Token>,
    },
    /// Gates have the newest version.
    Reached(Reached),
    /// A version is due.
    Tick,
}

/// What can have happened to the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// `deny.listed`: a person denies tokens.
    Listed {
        /// Which.
        tokens: Vec<Token>,
        /// Who and why.
        by: By,
        /// When the next version is made, where this makes one necessary.
        due: Timestamp,
    },
    /// `deny.unlisted`: a person denies them no longer.
    Unlisted {
        /// Which.
        tokens: Vec<Token>,
        /// Who and why.
        by: By,
        /// When the next version is made, where this makes one necessary.
        due: Timestamp,
    },
    /// `deny.account`: what an account denies has changed.
    Account {
        /// The account.
        account: AccountId,
        /// It denies these.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        deny: Vec<(Token, Why)>,
        /// It denies these no longer.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        allow: Vec<Token>,
        /// When the next version is made, where this makes one necessary.
        due: Timestamp,
    },
    /// `deny.version`: this is what gates are told.
    VersionMade {
        /// The difference to the version before.
        delta: Delta,
        /// Tokens in it.
        count: u64,
        /// Since when the oldest change in it has waited.
        since: Timestamp,
        /// Differences that are kept no longer, oldest first.
        #[serde(default, skip_serializing_if = "is_zero")]
        forgotten: u32,
        /// When the rest of what waits is due.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        due: Option<Timestamp>,
    },
    /// `deny.reached`: gates have a version.
    Reached(Reached),
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the shape that serde asks for")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// Which gates have a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Every gate that had a link.
    Connected,
    /// Every gate there is.
    All,
}
impl Scope {
    /// The stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Connected => "connected",
            Self::All => "all",
        }
    }
}

/// The last of some gates has said that it has a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reached {
    /// The version.
    pub version: u64,
    /// Which gates.
    pub scope: Scope,
    /// How many they are.
    pub gates: u32,
    /// When the last of them said so, by the process clock.
    pub at: Timestamp,
    /// Since the oldest change in the version was made.
    pub took: Millis,
}

/// The newest version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// Its number; grows by one.
    pub number: u64,
    /// When it was made.
    pub at: Timestamp,
    /// Since when the oldest change in it had waited.
    pub since: Timestamp,
    /// Tokens in it.
    pub count: u64,
    /// Over all of its tokens.
    pub hash: ListHash,
}

/// The deny list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DenyList {
    /// Tokens that are denied, or are still in the newest version.
    pub entries: BTreeMap<Token, Entry>,
    /// Those of them whose next version differs from the newest, and since when.
    pub pending: BTreeMap<Token, Timestamp>,
    /// When the next version is made.
    pub due: Option<Timestamp>,
    /// The newest version; none = none yet.
    pub newest: Option<Version>,
    /// The differences that made the last versions, oldest first and without a gap.
    pub deltas: VecDeque<Delta>,
    /// By scope: the newest version that all those gates had.
    pub reached: BTreeMap<Scope, Reached>,
}

impl DenyList {
    /// Number of the newest version; 0 = none yet.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.newest.as_ref().map_or(0, |newest| newest.number)
    }
    /// The tokens of the newest version, in order.
    pub fn published(&self) -> impl Iterator<Item = &Token> {
        self.entries.iter().filter(|(_, entry)| entry.published).map(|(token, _)| token)
    }
    /// Tokens that are denied now, in a version or not yet.
    #[must_use]
    pub fn listed(&self) -> usize {
        self.entries.len() - self.pending.keys().filter(|token| self.entries.get(*token).is_some_and(|entry| !entry.listed())).count()
    }
}

/// A text for those who ask why a token is denied.
#[must_use]
pub fn in_words(cause: &Cause) -> CompactString {
    match cause {
        Cause::Desk(by) => compact_str::format_compact!("by {}: {}", by.user, by.reason),
        Cause::Account(account, why) => compact_str::format_compact!("account {account}: {}", why.name()),
    }
}
