//! A travel account: media, money, journeys. Journeys and fares are a pure function of its taps; a late fact computes
//! them anew and posts the difference; nothing posted is rewritten.
mod adjust;
mod apply;
mod denied;
mod doubt;
mod event;
mod facts;
mod limits;
mod machine;
mod manage;
mod post;
mod shadow;
mod state;
mod tap;
mod view;

use crate::device::By;
use crate::id::{StationId, TapId, Token};
use crate::money::{Amount, Currency};
use crate::tap::{MediumKind, Passage, Record, Reference, Tap};
use crate::time::{Millis, Timestamp};
use compact_str::CompactString;
use serde::{Deserialize, Serialize};

pub use denied::{Denied, Telling};
pub use doubt::{Accepted, Doubt, Doubted, outcome_of};
pub use event::{Change, Event, Tail};
pub use facts::EARLY_MAX;
pub use limits::{ClassLimits, Spent, WalletLimits};
pub use manage::MEDIA_MAX;
pub use post::{FACTS_MAX, paid};
pub use shadow::{Compared, Shadow};
pub use state::{Account, EarlyPassage, Holder, LinkedMedium, Posted, reference};
pub use view::{PostingState, PostingView, View};

/// Class of a digital-RMB wallet: 4 is the anonymous one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "u8", try_from = "u8")]
pub enum WalletClass {
    /// No limits.
    One,
    /// 500,000 balance.
    Two,
    /// 20,000 balance.
    Three,
    /// 10,000 balance; anonymous.
    Four,
}
impl From<WalletClass> for u8 {
    fn from(class: WalletClass) -> u8 {
        match class {
            WalletClass::One => 1,
            WalletClass::Two => 2,
            WalletClass::Three => 3,
            WalletClass::Four => 4,
        }
    }
}
impl TryFrom<u8> for WalletClass {
    type Error = String;
    fn try_from(n: u8) -> Result<Self, String> {
        match n {
            1 => Ok(Self::One),
            2 => Ok(Self::Two),
            3 => Ok(Self::Three),
            4 => Ok(Self::Four),
            _ => Err(format!("a wallet class is 1, 2, 3 or 4, not {n}")),
        }
    }
}

/// What kind of correction the service desk makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AdjustKind {
    /// The rider came in here without a tap.
    AddEntry,
    /// The rider went out here without a tap.
    AddExit,
    /// Collect the overstay.
    Overstay,
    /// Close the open journey without charge.
    Waive,
}

/// What may be asked of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Command {
    /// Open it. The same again changes nothing; a contradiction is refused (`CONTRADICTS`).
    Open {
        /// Wallet class.
        class: WalletClass,
        /// Passenger class, such as `adult`: a key of the fare table.
        passenger_class: CompactString,
        /// Opening balance.
        balance: Amount,
        /// Its currency.
        currency: Currency,
        /// Who and why.
        by: By,
    },
    /// Take a medium that was claimed for it. The same again changes nothing.
    Link {
        /// The medium.
        token: Token,
        /// Its kind.
        kind: MediumKind,
        /// Who and why.
        by: By,
    },
    /// Let a medium go.
    Unlink {
        /// The medium.
        token: Token,
        /// Who and why.
        by: By,
    },
    /// Add money.
    Credit {
        /// How much; more than nothing.
        amount: Amount,
        /// Who and why.
        by: By,
    },
    /// No taps any more.
    Freeze {
        /// Who and why.
        by: By,
    },
    /// Taps again.
    Unfreeze {
        /// Who and why.
        by: By,
    },
    /// The service desk corrects a journey.
    Adjust {
        /// How.
        kind: AdjustKind,
        /// Where.
        station: StationId,
        /// When the rider was there; the time of the command where none is given.
        at: Option<Timestamp>,
        /// Who and why.
        by: By,
    },
    /// A tap that its gate has checked.
    Tap {
        /// The tap.
        tap: Tap,
        /// The gate's station.
        station: StationId,
        /// By the process clock: nothing is decided after this.
        decide_by: Timestamp,
    },
    /// What the rider did after a decision of this account.
    Passage {
        /// The tap.
        tap: TapId,
        /// From the decision.
        reference: Reference,
        /// What happened.
        outcome: Passage,
        /// When, by the gate's clock.
        at: Timestamp,
    },
    /// The gate's own account of a tap: a fact, never refused for money.
    Record {
        /// The record.
        record: Record,
        /// The gate's station.
        station: StationId,
        /// To be added to the gate's time: its clock is known to be wrong.
        clock: Millis,
    },
    /// The deny list has taken what was owed to it.
    Struck {
        /// Id of what was owed.
        owed: crate::id::CommandId,
    },
    /// A person has accepted a doubtful record: from now on it is the truth.
    Accept(Box<Accepted>),
    /// A deadline is reached: a journey without exit, for instance.
    Tick,
}

/// How an account took a gate's record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordOutcome {
    /// Taken as the truth about the tap.
    Taken,
    /// It contradicts what is known: kept as doubtful (存疑), posts nothing.
    Doubtful,
    /// No account has the medium.
    UnknownMedium,
}

#[cfg(test)]
mod tests;
