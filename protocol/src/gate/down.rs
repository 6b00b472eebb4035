//! What a gate is told, beside the decision: mode, acknowledgement of records.
use super::decision::Outcome;
use super::words::{Service, StationMode};
use crate::text::{Id, Path, Text};
use crate::time::Time;
use crate::wire::wire;
use tongdao_domain::{gate, station};

wire! {
    /// A sequence that was refused.
    #[derive(Copy, Eq)]
    Rejected {
        /// Which.
        seq = "seq": u64,
        /// Why.
        code = "code": Outcome,
    }
}

wire! {
    /// `down/records_ack`: what of the gate's records is durable.
    #[derive(Eq)]
    RecordsAck {
        /// Boot counter of the gate.
        epoch = "epoch": u64,
        /// Everything up to here is durable; the gate may forget it.
        upto = "upto": u64,
        /// Sequences that are missing, as inclusive ranges.
        missing = "missing": Vec<(u64, u64)>,
        /// Sequences that were refused.
        rejected = "rejected": Vec<Rejected>,
    }
}

impl From<gate::RecordsAck> for RecordsAck {
    fn from(ack: gate::RecordsAck) -> Self {
        let rejected = ack.rejected.into_iter().map(|(seq, code)| Rejected { seq, code: Outcome(code) });
        Self { epoch: ack.epoch, upto: ack.upto, missing: ack.missing, rejected: rejected.collect() }
    }
}

wire! {
    /// `down/mode` (retained): service of the gate and modes of its station. A gate applies only a higher `rev` and answers
    /// `up/ack`.
    #[derive(Eq)]
    Mode {
        /// Id of the change, for the acknowledgement.
        id = "id": Path,
        /// Grows per station with each change.
        rev = "rev": u64,
        /// What the gate is there for.
        service = "service": Service,
        /// Modes of the station; none = normal.
        station_mode = "station_mode": Vec<StationMode>,
        /// User id, or `alarm` or `schedule`.
        issued_by = "issued_by": Id,
        /// The reason given.
        reason = "reason": Text,
        /// Since when it counts.
        from = "from": Time,
        /// Until when.
        #[serde(skip_serializing_if = "Option::is_none")]
        until = "until": Option<Time>,
    }
}

impl Mode {
    /// What the retained `down/mode` of a gate says; `None` while nothing was ever set at its station.
    #[must_use]
    pub fn of(station: &station::Station, service: station::Service) -> Option<Self> {
        let change = station.last_change.as_ref()?;
        let alarm = !station.alarms.is_empty();
        let (issued_by, reason) = match &change.by {
            Some(by) => (by.user.as_str(), by.reason.as_str()),
            None if alarm => ("alarm", "alarm at a gate"),
            None => ("schedule", "end of the time set"),
        };
        Some(Self {
            id: Path::from(&change.id),
            rev: station.rev,
            service: service.into(),
            station_mode: station.modes.iter().map(|mode| (*mode).into()).collect(),
            issued_by: Id::new(issued_by).unwrap_or_default(),
            reason: Text::cut(reason),
            from: change.from.into(),
            until: station.until.map(Into::into),
        })
    }
}
