//! What can have happened to an account. An event carries all that was used and all that follows, so that applying it
//! needs nothing else: the world may have moved on when it is replayed.
use super::{AdjustKind, Doubt, WalletClass};
use crate::code::Code;
use crate::device::By;
use crate::fare::Past;
use crate::id::{CommandId, StationId, TapId, Token};
use crate::journey::Open;
use crate::ledger::{Legs, Posting};
use crate::money::{Amount, Currency};
use crate::tap::{MediumKind, Passage, Record, Tap};
use crate::time::{Millis, Timestamp};
use compact_str::CompactString;
use serde::{Deserialize, Serialize};

/// What can have happened to an account.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// `account.opened`
    Opened {
        /// Wallet class.
        class: WalletClass,
        /// Passenger class.
        passenger_class: CompactString,
        /// Its currency.
        currency: Currency,
        /// Opening balance, from funding to the rider.
        legs: Legs,
        /// Who and why.
        by: By,
    },
    /// `medium.linked`
    Linked {
        /// The medium.
        token: Token,
        /// Its kind.
        kind: MediumKind,
        /// Who and why.
        by: By,
    },
    /// `medium.unlinked`
    Unlinked {
        /// The medium.
        token: Token,
        /// Who and why.
        by: By,
    },
    /// `account.credited`
    Credited {
        /// From funding to the rider.
        legs: Legs,
        /// Who and why.
        by: By,
    },
    /// `account.frozen`
    Frozen {
        /// Who and why.
        by: By,
    },
    /// `account.unfrozen`
    Unfrozen {
        /// Who and why.
        by: By,
    },
    /// `tap.decided`: approved or refused by the server.
    TapDecided {
        /// The tap.
        tap: Tap,
        /// The gate's station.
        station: StationId,
        /// The answer.
        code: Code,
        /// Number of the reference that was handed to the gate; none where nothing can pass.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        number: Option<u64>,
        /// What this tap cost.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        fare: Option<Amount>,
        /// Revision of the station's modes that was looked at; 0 = none ever set.
        #[serde(default, skip_serializing_if = "is_zero")]
        mode_rev: u64,
        /// What it does to journeys and money.
        #[serde(default, skip_serializing_if = "Change::is_nothing")]
        change: Change,
    },
    /// `tap.repeated`: the same medium at the same gate again at once; the answer of the first, nothing posted.
    TapRepeated {
        /// The tap.
        tap: Tap,
        /// The gate's station.
        station: StationId,
        /// The answer that the first had.
        code: Code,
        /// The reference that the first had.
        number: u64,
        /// The fare that the first had.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        fare: Option<Amount>,
    },
    /// `tap.passed`: what a gate reported after a decision.
    PassageReported {
        /// The tap.
        tap: TapId,
        /// What happened.
        outcome: Passage,
        /// When, by the gate's clock.
        at: Timestamp,
        /// What it does to journeys and money.
        #[serde(default, skip_serializing_if = "Change::is_nothing")]
        change: Change,
    },
    /// `record.taken`: the gate's own account of a tap, taken as the truth.
    RecordTaken {
        /// The record.
        record: Record,
        /// The gate's station.
        station: StationId,
        /// Added to the gate's time: its clock was known to be wrong.
        #[serde(default, skip_serializing_if = "no_time")]
        clock: Millis,
        /// The tap of the same medium at another gate at the same moment: only one of the two is priced.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        twin: Option<TapId>,
        /// What it does to journeys and money.
        #[serde(default, skip_serializing_if = "Change::is_nothing")]
        change: Change,
    },
    /// `record.accepted`: a person has taken a doubtful record for true.
    RecordAccepted {
        /// The record.
        record: Record,
        /// The tap it stands for from now on: its own, or one of its own number where that is another's.
        tap: TapId,
        /// The gate's station.
        station: StationId,
        /// When the rider was there.
        at: Timestamp,
        /// What was in doubt.
        doubt: Doubt,
        /// The command that did it.
        command_id: CommandId,
        /// Who and why.
        by: By,
        /// What it does to journeys and money.
        #[serde(default, skip_serializing_if = "Change::is_nothing")]
        change: Change,
    },
    /// `record.doubted`: it contradicts what is known (存疑); posts nothing.
    RecordDoubted {
        /// The record.
        record: Record,
        /// The gate's station.
        station: StationId,
        /// What it contradicts.
        doubt: Doubt,
    },
    /// `journey.adjusted`: the service desk corrected a journey.
    Adjusted {
        /// How.
        kind: AdjustKind,
        /// Where.
        station: StationId,
        /// When the rider was there.
        at: Timestamp,
        /// The journey it concerns, by its entry; for an added entry or exit the tap that stands for it.
        tap: TapId,
        /// Its reference number.
        number: u64,
        /// What the rider paid by it; negative = got back.
        fare: Amount,
        /// The command that did it.
        command_id: CommandId,
        /// Who and why.
        by: By,
        /// What it does to journeys and money.
        change: Change,
    },
    /// `account.deny_told`: the deny list knows what this account denies.
    DenyTold {
        /// Which telling.
        number: u64,
    },
    /// `journey.closed`: no exit came until the business day was over.
    JourneyClosed {
        /// Journeys that had to end by then have ended.
        until: Timestamp,
        /// The command that did it.
        command_id: CommandId,
        /// What it does to journeys and money.
        change: Change,
    },
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the shape that serde asks for")]
const fn no_time(time: &Millis) -> bool {
    time.0 == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the shape that serde asks for")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// What an event does to journeys and money.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// Money that moves.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub postings: Vec<Posting>,
    /// The open journey afterwards.
    #[serde(default, skip_serializing_if = "Tail::is_unchanged")]
    pub tail: Tail,
    /// Taps that travelled before this are kept no longer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forget_before: Option<Timestamp>,
    /// What rides leave behind for the price of the next, where that has changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub past: Option<Box<Past>>,
    /// The same at the moment before which taps are forgotten, where that has changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<Box<Past>>,
}

impl Change {
    /// Does it change nothing?
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        self.postings.is_empty() && self.tail.is_unchanged() && self.forget_before.is_none() && self.past.is_none()
    }
}

/// The open journey after an event.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tail {
    /// As before.
    #[default]
    Unchanged,
    /// The event's own tap opens one.
    Opened {
        /// Held for it.
        hold: Amount,
        /// Without exit until then it closes by policy.
        closes_at: Timestamp,
    },
    /// None is open.
    Closed,
    /// It is this one.
    Is(Box<Open>),
}

impl Tail {
    /// Is it as before?
    #[must_use]
    pub fn is_unchanged(&self) -> bool {
        matches!(self, Self::Unchanged)
    }
}

impl Event {
    /// The stable name in exports.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Opened { .. } => "account.opened",
            Self::Linked { .. } => "medium.linked",
            Self::Unlinked { .. } => "medium.unlinked",
            Self::Credited { .. } => "account.credited",
            Self::Frozen { .. } => "account.frozen",
            Self::Unfrozen { .. } => "account.unfrozen",
            Self::TapDecided { .. } => "tap.decided",
            Self::TapRepeated { .. } => "tap.repeated",
            Self::PassageReported { .. } => "tap.passed",
            Self::RecordTaken { .. } => "record.taken",
            Self::RecordDoubted { .. } => "record.doubted",
            Self::RecordAccepted { .. } => "record.accepted",
            Self::Adjusted { .. } => "journey.adjusted",
            Self::DenyTold { .. } => "account.deny_told",
            Self::JourneyClosed { .. } => "journey.closed",
        }
    }
    /// What it does to journeys and money, where it can.
    #[must_use]
    pub const fn change(&self) -> Option<&Change> {
        match self {
            Self::TapDecided { change, .. }
            | Self::PassageReported { change, .. }
            | Self::RecordTaken { change, .. }
            | Self::RecordAccepted { change, .. }
            | Self::Adjusted { change, .. }
            | Self::JourneyClosed { change, .. } => Some(change),
            _ => None,
        }
    }
    /// Money that comes from outside: opening and credits.
    #[must_use]
    pub const fn funding(&self) -> Option<&Legs> {
        match self {
            Self::Opened { legs, .. } | Self::Credited { legs, .. } => Some(legs),
            _ => None,
        }
    }
    /// Every set of legs it carries; each sums to nothing.
    pub fn legs(&self) -> impl Iterator<Item = &Legs> {
        let postings = self.change().map_or(&[][..], |change| &change.postings);
        self.funding().into_iter().chain(postings.iter().map(|posting| &posting.legs))
    }
}
