//! What happens at a gate, in the domain's words: a medium is presented, a decision is given, a rider passes, and the
//! gate gives its own account of it afterwards.
use crate::code::Code;
use crate::fingerprint::{Fingerprint, Fingerprinter};
use crate::id::{StationId, TapId, Token};
use crate::money::{Amount, Currency};
use crate::time::{Millis, Timestamp};
use compact_str::CompactString;
use serde::{Deserialize, Serialize};

/// Which way the rider wants to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Into the paid area.
    Entry,
    /// Out of it.
    Exit,
}

/// What kind of medium was presented.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MediumKind {
    /// A QR code on a phone.
    Qr,
    /// A face reference.
    Face,
    /// A digital-RMB wallet on a phone.
    Ecny,
    /// A digital-RMB hard wallet.
    EcnyHard,
    /// A bank card.
    Bank,
    /// A transit card.
    Card,
}

/// A medium as the gate read it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Medium {
    /// Its kind.
    pub kind: MediumKind,
    /// The medium: for a QR code the part before the first dot.
    pub token: Token,
    /// The whole QR string (`token.unixtime.signature`): evidence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub qr: Option<CompactString>,
    /// A hard wallet's counter: evidence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counter: Option<u64>,
    /// A medium's signature: evidence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<CompactString>,
}

/// A tap (过闸): the request for a decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tap {
    /// Its identity for ever.
    pub id: TapId,
    /// Which way.
    pub direction: Direction,
    /// What was presented.
    pub medium: Medium,
    /// When, by the gate's clock: the time of travel.
    pub at: Timestamp,
    /// The gate decides alone this long after `at`.
    pub deadline: Millis,
    /// `rev` of the mode that the gate obeys; 0 = none yet.
    pub mode: u64,
    /// Version of its deny list; 0 = none yet.
    pub list_version: u64,
}

impl Tap {
    /// In the gate's own clock: a decision later than this is ignored by the gate.
    #[must_use]
    pub fn expires_at(&self) -> Timestamp {
        self.at + self.deadline
    }
    /// What the tap means; deadline, mode and list version are circumstances, not meaning.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        let medium = &self.medium;
        Fingerprinter::new("tap")
            .number(self.direction as i64)
            .number(medium.kind as i64)
            .text(medium.qr.as_deref().unwrap_or(medium.token.as_str()))
            .number(medium.counter.map_or(-1, u64::cast_signed))
            .maybe(medium.signature.as_deref())
            .number(self.at.0)
            .finish()
    }
}

/// Handed out with a decision, given back with the passage report: `{account}/{number}`, so any node can take the report.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Reference(pub CompactString);

/// The answer to a tap.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TapDecision {
    /// Which tap.
    pub tap: TapId,
    /// The outcome; [`Code::opens`] says what the gate does.
    pub code: Code,
    /// The fare of the journey that this exit closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fare: Option<Amount>,
    /// What is left on the account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub balance: Option<Amount>,
    /// The currency of both.
    #[serde(default)]
    pub currency: Currency,
    /// The journey this tap belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub journey: Option<CompactString>,
    /// To be given back with the passage; absent where nothing can pass.
    #[serde(default, rename = "ref", skip_serializing_if = "Option::is_none")]
    pub reference: Option<Reference>,
    /// When it was decided, by the server's clock.
    pub decided_at: Timestamp,
    /// Until when it counts, by the gate's clock.
    pub expires_at: Timestamp,
}

impl TapDecision {
    /// A decision that carries no money: refusals, `BUSY`, `EXPIRED`.
    #[must_use]
    pub fn bare(tap: &Tap, code: Code, now: Timestamp) -> Self {
        Self::without_money(tap.id.clone(), code, now, tap.expires_at())
    }
    /// As [`TapDecision::bare`], where the tap itself is no longer at hand.
    #[must_use]
    pub fn without_money(tap: TapId, code: Code, decided_at: Timestamp, expires_at: Timestamp) -> Self {
        let currency = Currency::CNY;
        Self { tap, code, fare: None, balance: None, currency, journey: None, reference: None, decided_at, expires_at }
    }
}

/// What the rider did after the decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Passage {
    /// Went through.
    Passed,
    /// Did not go through in time.
    NotPassed,
    /// Went through with somebody behind (尾随).
    Tailgate,
    /// Walked back out.
    Reverse,
    /// Somebody went through without a tap.
    Intrusion,
}

impl Passage {
    /// What a report of it means: the same command id goes through the gate and on to the account, so both take this.
    #[must_use]
    pub fn fingerprint(self, reference: Option<&Reference>, at: Timestamp) -> Fingerprint {
        Fingerprinter::new("passage").maybe(reference.map(|reference| reference.0.as_str())).number(self as i64).number(at.0).finish()
    }
}

/// Who decided, as the gate tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DecidedBy {
    /// The server's answer was shown.
    Server,
    /// The gate decided alone.
    Gate,
}

/// What the gate did, as it tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shown {
    /// It opened.
    Open,
    /// It stayed shut.
    Deny,
}

/// One line of the gate's own account of its taps: the truth.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The tap it speaks of.
    pub tap: TapId,
    /// Which way.
    pub direction: Direction,
    /// What was presented; none for an intrusion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub medium: Option<Medium>,
    /// When, by the gate's clock.
    pub at: Timestamp,
    /// `rev` of the mode the gate obeyed.
    pub mode: u64,
    /// Who decided.
    pub by: DecidedBy,
    /// What the gate did.
    pub shown: Shown,
    /// What the rider did, as far as the gate knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passage: Option<Passage>,
}

impl Record {
    /// What the record means.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        let medium = self.medium.as_ref();
        Fingerprinter::new("record")
            .number(self.direction as i64)
            .maybe(medium.map(|m| m.qr.as_deref().unwrap_or(m.token.as_str())))
            .number(medium.map_or(-1, |m| m.kind as i64))
            .number(medium.and_then(|m| m.counter).map_or(-1, u64::cast_signed))
            .number(self.at.0)
            .number(self.by as i64)
            .number(self.shown as i64)
            .number(self.passage.map_or(-1, |p| p as i64))
            .finish()
    }
}

/// Where something happened, for machines that must not look it up again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The station the gate stands in.
    pub station: StationId,
}
