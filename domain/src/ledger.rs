//! Double entry: every change of money is a balanced posting that an event carries. An operator's balance is a sum over
//! the feed, not an entity.
use crate::money::Amount;
use crate::mutant::{Mutant, planted};
use crate::time::{Day, Timestamp};
use compact_str::{CompactString, format_compact};
use serde::{Deserialize, Serialize};
use smallvec::{SmallVec, smallvec};

/// A side of a double entry; on the wire `rider`, `funding` or `operator:{name}`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "CompactString", into = "CompactString")]
pub enum LedgerAccount {
    /// The travel account whose event it is.
    Rider,
    /// Where money comes from when an account is opened or credited.
    Funding,
    /// The operator of a line or network.
    Operator(CompactString),
}
impl From<LedgerAccount> for CompactString {
    fn from(account: LedgerAccount) -> Self {
        match account {
            LedgerAccount::Rider => Self::const_new("rider"),
            LedgerAccount::Funding => Self::const_new("funding"),
            LedgerAccount::Operator(name) => format_compact!("operator:{name}"),
        }
    }
}
impl TryFrom<CompactString> for LedgerAccount {
    type Error = String;
    fn try_from(text: CompactString) -> Result<Self, String> {
        match text.as_str() {
            "rider" => Ok(Self::Rider),
            "funding" => Ok(Self::Funding),
            other => other
                .strip_prefix("operator:")
                .map(|name| Self::Operator(name.into()))
                .ok_or_else(|| format!("no ledger account: {other:?}")),
        }
    }
}

/// One leg of a posting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leg {
    /// Which side.
    pub account: LedgerAccount,
    /// Plus = it receives.
    pub amount: Amount,
}

/// The legs of one change of money; their sum is nothing.
pub type Legs = SmallVec<[Leg; 2]>;

/// Moves an amount from one side to the other.
#[must_use]
pub fn transfer(from: LedgerAccount, to: LedgerAccount, amount: Amount) -> Legs {
    let taken = if planted(Mutant::OneSidedPosting) { amount + Amount::from_fen(1) } else { amount };
    smallvec![Leg { account: from, amount: -taken }, Leg { account: to, amount }]
}

/// What the legs give to one side.
#[must_use]
pub fn received(legs: &[Leg], account: &LedgerAccount) -> Amount {
    legs.iter().filter(|leg| leg.account == *account).map(|leg| leg.amount).sum()
}

/// Do the legs sum to nothing?
#[must_use]
pub fn balanced(legs: &[Leg]) -> bool {
    legs.iter().map(|leg| leg.amount).sum::<Amount>().is_zero()
}

/// What an event does to the money of one journey. Nothing posted is rewritten: a correction is a further posting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Posting {
    /// Unique within the account; its reference is `{account}/{number}`.
    pub number: u64,
    /// The journey it pays: the id of the tap that began it.
    pub journey: CompactString,
    /// The local day whose limits it counts towards.
    pub day: Day,
    /// Since when the version of the fare table counts that priced it; none where no table was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fares_from: Option<Timestamp>,
    /// The rider pays the operator, or gets back.
    pub legs: Legs,
}

impl Posting {
    /// What the rider pays by it; negative = gets back.
    #[must_use]
    pub fn amount(&self) -> Amount {
        -received(&self.legs, &LedgerAccount::Rider)
    }
    /// The operator that receives it.
    #[must_use]
    pub fn operator(&self) -> Option<&CompactString> {
        self.legs.iter().find_map(|leg| match &leg.account {
            LedgerAccount::Operator(name) => Some(name),
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transfer_is_balanced_and_seen_from_both_sides() {
        let metro = LedgerAccount::Operator("cd".into());
        let legs = transfer(LedgerAccount::Rider, metro.clone(), Amount::from_fen(200));
        assert!(balanced(&legs));
        assert_eq!(received(&legs, &metro), Amount::from_fen(200));
        let posting = Posting { number: 1, journey: "g1/1/1".into(), day: Day(0), fares_from: None, legs };
        assert_eq!((posting.amount(), posting.operator().map(CompactString::as_str)), (Amount::from_fen(200), Some("cd")));
        assert!(!balanced(&posting.legs[..1]));
    }

    #[test]
    fn ledger_accounts_are_texts_on_the_wire() {
        for account in [LedgerAccount::Rider, LedgerAccount::Funding, LedgerAccount::Operator("cd".into())] {
            assert_eq!(LedgerAccount::try_from(CompactString::from(account.clone())), Ok(account));
        }
        assert!(LedgerAccount::try_from(CompactString::from("bank")).is_err());
    }
}
