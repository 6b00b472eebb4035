//! What a gate sends: tap, passage, records, alarm.
use super::words::{AlarmKind, By, Direction, MediumKind, PassageOutcome, RecordPassage, Shown};
use crate::card;
use crate::payload::PayloadError;
use crate::text::{Code, Id, Path};
use crate::time::Time;
use crate::wire::wire;
use tongdao_domain::id::{DeviceId, TapId, Token};
use tongdao_domain::time::Millis;
use tongdao_domain::{gate, station, tap};

/// Records in one batch, at most.
pub const RECORDS_MAX: usize = 150;
/// Longest time that a gate may give for an answer.
const DEADLINE_MS_MAX: u64 = 86_400_000;
const SENT_TOKEN: &str =
    "an id of 1 to 64 characters A-Z a-z 0-9 . _ - (for kind qr: the whole code, its part before the first dot being one)";

wire! {
    /// A medium as the gate read it.
    #[derive(Eq)]
    Medium {
        /// What was presented.
        kind = "kind": MediumKind,
        /// The imported `medium_token`; for `qr` the whole code, whose part before the first dot is the medium.
        token = "token": Code,
        /// A hard wallet's counter.
        #[serde(skip_serializing_if = "Option::is_none")]
        counter = "counter": Option<u64>,
        /// A medium's signature.
        #[serde(skip_serializing_if = "Option::is_none")]
        signature = "signature": Option<Code>,
    }
}

impl Medium {
    /// A medium that shows nothing but its token; `None` where that is no token.
    #[must_use]
    pub fn new(kind: MediumKind, token: &str) -> Option<Self> {
        Some(Self { kind, token: Code::new(token)?, counter: None, signature: None })
    }
    /// In the domain's words.
    ///
    /// # Errors
    /// [`PayloadError`] when the token is no id.
    pub fn into_domain(self) -> Result<tap::Medium, PayloadError> {
        let shown = self.token.as_str();
        let (token, qr) = match self.kind {
            MediumKind::Qr => (shown.split('.').next().unwrap_or_default(), Some(shown.into())),
            _ => (shown, None),
        };
        Ok(tap::Medium {
            kind: self.kind.into(),
            token: Token::new(token)
                .ok()
                .filter(|_| !card::is_number(token))
                .ok_or_else(|| PayloadError::bad("medium.token", SENT_TOKEN))?,
            qr,
            counter: self.counter,
            signature: self.signature.map(Code::into_inner),
        })
    }
}

impl From<&tap::Medium> for Medium {
    fn from(medium: &tap::Medium) -> Self {
        let code = |text: &str| Code::new(text).unwrap_or_default();
        Self {
            kind: medium.kind.into(),
            token: code(medium.qr.as_deref().unwrap_or(medium.token.as_str())),
            counter: medium.counter,
            signature: medium.signature.as_deref().map(code),
        }
    }
}

wire! {
    /// `up/tap`: a medium was presented; answered by `down/decision`.
    #[derive(Eq)]
    Tap {
        /// Boot counter of the gate.
        epoch = "epoch": u64,
        /// +1 per tap without gaps within an epoch.
        seq = "seq": u64,
        /// Which way.
        direction = "direction": Direction,
        /// What was presented.
        medium = "medium": Medium,
        /// When, by the gate's clock.
        at = "at": Time,
        /// The gate decides alone this long after `at`, in milliseconds.
        #[schemars(range(max = 86_400_000))]
        deadline_ms = "deadline_ms": u64,
        /// `rev` of the mode that the gate obeys; 0 = none yet.
        mode = "mode": u64,
        /// Version of its deny list; 0 = none yet.
        list_version = "list_version": u64,
    }
}

impl Tap {
    /// In the domain's words.
    ///
    /// # Errors
    /// [`PayloadError`] when the token is no id or the deadline longer than a day.
    pub fn into_domain(self, device: &DeviceId) -> Result<tap::Tap, PayloadError> {
        let bad_deadline = || PayloadError::bad("deadline_ms", "a whole number from 0 to 86400000");
        let deadline = i64::try_from(self.deadline_ms).ok().filter(|_| self.deadline_ms <= DEADLINE_MS_MAX).ok_or_else(bad_deadline)?;
        Ok(tap::Tap {
            id: TapId { device: device.clone(), epoch: self.epoch, seq: self.seq },
            direction: self.direction.into(),
            medium: self.medium.into_domain()?,
            at: self.at.0,
            deadline: Millis(deadline),
            mode: self.mode,
            list_version: self.list_version,
        })
    }
}

impl From<&tap::Tap> for Tap {
    fn from(tap: &tap::Tap) -> Self {
        Self {
            epoch: tap.id.epoch,
            seq: tap.id.seq,
            direction: tap.direction.into(),
            medium: (&tap.medium).into(),
            at: tap.at.into(),
            deadline_ms: u64::try_from(tap.deadline.0).unwrap_or(0),
            mode: tap.mode,
            list_version: tap.list_version,
        }
    }
}

wire! {
    /// `up/passage`: what the rider did.
    #[derive(Eq)]
    Passage {
        /// Boot counter of the gate.
        epoch = "epoch": u64,
        /// The tap's; an intrusion without a tap takes its own.
        seq = "seq": u64,
        /// From the decision; absent where the gate decided alone.
        #[serde(skip_serializing_if = "Option::is_none")]
        reference = "ref": Option<Path>,
        /// What happened.
        outcome = "outcome": PassageOutcome,
        /// When, by the gate's clock.
        at = "at": Time,
    }
}

impl Passage {
    /// As a command for the gate.
    #[must_use]
    pub fn into_domain(self, device: &DeviceId) -> gate::Command {
        gate::Command::Passage {
            tap: TapId { device: device.clone(), epoch: self.epoch, seq: self.seq },
            reference: self.reference.map(|path| tap::Reference(path.into_inner())),
            outcome: self.outcome.into(),
            at: self.at.0,
        }
    }
}

wire! {
    /// One line of the gate's own account of its taps.
    #[derive(Eq)]
    Record {
        /// The tap's sequence.
        seq = "seq": u64,
        /// Which way.
        direction = "direction": Direction,
        /// What was presented; null for an intrusion.
        medium = "medium": Option<Medium>,
        /// When, by the gate's clock.
        at = "at": Time,
        /// `rev` of the mode that the gate obeyed; 0 = none yet.
        mode = "mode": u64,
        /// Who decided.
        by = "by": By,
        /// What the gate did.
        shown = "shown": Shown,
        /// What the rider did.
        passage = "passage": RecordPassage,
    }
}

impl Record {
    /// In the domain's words.
    ///
    /// # Errors
    /// [`PayloadError`] when the token is no id.
    pub fn into_domain(self, device: &DeviceId, epoch: u64) -> Result<tap::Record, PayloadError> {
        Ok(tap::Record {
            tap: TapId { device: device.clone(), epoch, seq: self.seq },
            direction: self.direction.into(),
            medium: self.medium.map(Medium::into_domain).transpose()?,
            at: self.at.0,
            mode: self.mode,
            by: self.by.into(),
            shown: self.shown.into(),
            passage: self.passage.0.map(Into::into),
        })
    }
}

impl From<&tap::Record> for Record {
    fn from(record: &tap::Record) -> Self {
        Self {
            seq: record.tap.seq,
            direction: record.direction.into(),
            medium: record.medium.as_ref().map(Into::into),
            at: record.at.into(),
            mode: record.mode,
            by: record.by.into(),
            shown: record.shown.into(),
            passage: RecordPassage(record.passage.map(Into::into)),
        }
    }
}

wire! {
    /// `up/records`: the gate's own account of every sequence; answered by `down/records_ack`.
    #[derive(Eq)]
    Records {
        /// Boot counter of the gate.
        epoch = "epoch": u64,
        /// Sequence of the first; the records themselves say which they are.
        first_seq = "first_seq": u64,
        /// At most 150, in any order; one that comes twice is taken once.
        #[schemars(length(max = 150))]
        records = "records": Vec<Record>,
    }
}

impl Records {
    /// As a command for the gate.
    ///
    /// # Errors
    /// [`PayloadError`] when there are too many, or a token is no id.
    pub fn into_domain(self, device: &DeviceId) -> Result<gate::Command, PayloadError> {
        if self.records.len() > RECORDS_MAX {
            return Err(PayloadError::bad("records", "a list of at most 150 records"));
        }
        let epoch = self.epoch;
        let records = self.records.into_iter().map(|record| record.into_domain(device, epoch)).collect::<Result<_, _>>()?;
        Ok(gate::Command::Records { epoch, first_seq: self.first_seq, records })
    }
}

wire! {
    /// `up/alarm`: on a button or fire line the gate has opened by itself already.
    #[derive(Eq)]
    Alarm {
        /// The alarm's own id at the gate.
        id = "id": Id,
        /// What it is.
        kind = "kind": AlarmKind,
        /// On or off.
        on = "on": bool,
        /// Since when, by the gate's clock.
        at = "at": Time,
    }
}

impl Alarm {
    /// As a command for the gate's station.
    #[must_use]
    pub fn into_domain(self, device: &DeviceId) -> station::Command {
        station::Command::Alarm { device: device.clone(), alarm: self.id.into_inner(), kind: self.kind.into(), on: self.on, at: self.at.0 }
    }
}
