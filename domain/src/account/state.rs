//! The state of an account, and how events change it.
use super::WalletClass;
use super::limits::Spent;
use crate::id::Token;
use crate::journey::{Fact, Mark, Open, Passed};
use crate::money::{Amount, Currency};
use crate::tap::{MediumKind, Reference};
use crate::time::{Day, Timestamp};
use compact_str::{CompactString, format_compact};
use serde::{Deserialize, Serialize};

/// A travel account.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Account {
    /// What it was opened as; none = not opened.
    pub holder: Option<Holder>,
    /// Its media, by the order of their first link; their places never change.
    pub media: Vec<LinkedMedium>,
    /// No taps.
    pub frozen: bool,
    /// Prepaid balance; negative = debt.
    pub balance: Amount,
    /// What counts towards the limits of day and year.
    pub spent: Spent,
    /// The journey that the rider is in.
    pub open: Option<Open>,
    /// Taps by time of travel.
    pub facts: Vec<Fact>,
    /// Passages of taps that are not known (yet).
    pub early: Vec<EarlyPassage>,
    /// What the service desk said of journeys.
    pub marks: Vec<Mark>,
    /// What was posted for the journeys of the taps above, oldest first.
    pub posted: Vec<Posted>,
    /// The highest reference number handed out.
    pub numbered: u64,
    /// Journeys that had to end by then have ended.
    pub closed_until: Timestamp,
    /// Taps that travelled before this are kept no longer.
    pub kept_from: Timestamp,
    /// Facts that the server has not decided: a late tap may be one of them.
    pub undecided: u32,
}

/// What an account was opened as.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Wallet class.
    pub class: WalletClass,
    /// Passenger class.
    pub passenger_class: CompactString,
    /// Its currency.
    pub currency: Currency,
    /// The balance it was opened with.
    pub opening: Amount,
}

/// A medium of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkedMedium {
    /// The medium.
    pub token: Token,
    /// Its kind.
    pub kind: MediumKind,
    /// Let go again?
    pub unlinked: bool,
}

/// What was reported of a tap before the tap itself was known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EarlyPassage {
    /// The tap.
    pub tap: crate::id::TapId,
    /// What the rider did.
    pub passed: Passed,
    /// When.
    pub at: Timestamp,
}

/// A posting as the account remembers it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Posted {
    /// Number of its reference.
    pub number: u64,
    /// The journey it pays.
    pub journey: CompactString,
    /// The operator who receives it.
    pub operator: CompactString,
    /// What the rider pays; negative = gets back.
    pub amount: Amount,
    /// The local day it counts towards.
    pub day: Day,
    /// When it was posted, by the process clock.
    pub at: Timestamp,
}

/// `{account}/{number}`.
#[must_use]
pub fn reference(account: &str, number: u64) -> Reference {
    Reference(format_compact!("{account}/{number}"))
}

impl Account {
    /// What is held for the open journey.
    #[must_use]
    pub fn held(&self) -> Amount {
        self.open.as_ref().map_or(Amount::ZERO, |open| open.hold)
    }
    /// The place of a medium that is linked now.
    #[must_use]
    pub fn linked(&self, token: &Token) -> Option<usize> {
        self.media.iter().position(|medium| medium.token == *token && !medium.unlinked)
    }
}
