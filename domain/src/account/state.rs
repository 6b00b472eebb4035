//! The state of an account, and how events change it.
use super::WalletClass;
use super::limits::Spent;
use crate::fare::Past;
use crate::id::{CommandId, TapId, Token};
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
    /// What the deny list is told of its media; none = there never was anything to tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub denied: Option<Box<super::Denied>>,
    /// What the rides of all taps left behind for the price of the next.
    #[serde(default, skip_serializing_if = "Past::is_empty")]
    pub past: Past,
    /// The same as it was before the first of the taps that are kept.
    #[serde(default, skip_serializing_if = "Past::is_empty")]
    pub base: Past,
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
    pub tap: TapId,
    /// What the rider did.
    pub passed: Passed,
    /// When.
    pub at: Timestamp,
}

/// A posting as the account remembers it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Row", into = "Row")]
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
    /// The command that caused it; none = the tap that was answered with this very number.
    pub cause: Option<CommandId>,
}

/// A posting as it is stored: a row without names.
type Row = (u64, CompactString, CompactString, Amount, Day, i64, Option<CommandId>);

impl From<Row> for Posted {
    fn from((number, journey, operator, amount, day, at, cause): Row) -> Self {
        Self { number, journey, operator, amount, day, at: Timestamp(at), cause }
    }
}
impl From<Posted> for Row {
    fn from(p: Posted) -> Self {
        (p.number, p.journey, p.operator, p.amount, p.day, p.at.0, p.cause)
    }
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

    /// What was spent on a local day.
    #[must_use]
    pub fn spent_on(&self, day: Day) -> Amount {
        match self.spent.day {
            Some(newest) if newest == day => self.spent.day_total,
            Some(newest) if newest > day => self.posted.iter().filter(|posted| posted.day == day).map(|posted| posted.amount).sum(),
            _ => Amount::ZERO,
        }
    }
    /// What was spent in the local year of a day.
    #[must_use]
    pub fn spent_in(&self, day: Day) -> Amount {
        let year = day.year();
        match self.spent.day.map(Day::year) {
            Some(newest) if newest == year => self.spent.year_total,
            Some(newest) if newest > year => {
                self.posted.iter().filter(|posted| posted.day.year() == year).map(|posted| posted.amount).sum()
            }
            _ => Amount::ZERO,
        }
    }
}
