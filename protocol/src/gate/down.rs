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
        /// User id, or `station` where an alarm or a reached end did it.
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

impl From<&station::GateMode> for Mode {
    fn from(mode: &station::GateMode) -> Self {
        Self {
            id: Path::from(&mode.id),
            rev: mode.rev,
            service: mode.service.into(),
            station_mode: mode.modes.iter().map(|mode| (*mode).into()).collect(),
            issued_by: Id::new(&mode.issued_by).unwrap_or_default(),
            reason: Text::cut(&mode.reason),
            from: mode.from.into(),
            until: mode.until.map(Into::into),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payload::encode;
    use tongdao_domain::code::Code;
    use tongdao_domain::id::CommandId;
    use tongdao_domain::time::Timestamp;

    #[test]
    fn a_mode_is_what_the_world_says_of_the_gate() {
        let mode = station::GateMode {
            id: CommandId::new("op/1").expect("an id"),
            rev: 3,
            service: station::Service::Open,
            modes: [station::Mode::Emergency, station::Mode::Closed].into(),
            issued_by: "station".into(),
            reason: "火".repeat(300).into(),
            from: Timestamp(1_772_438_400_000),
            until: None,
        };
        let sent = Mode::from(&mode);
        assert_eq!((sent.rev, sent.service, sent.issued_by.as_str()), (3, Service::Open, "station"));
        assert_eq!(sent.station_mode, [StationMode::Closed, StationMode::Emergency]);
        assert_eq!(sent.reason.as_str().chars().count(), 256, "cut to what a device may be sent");
        assert!(!String::from_utf8_lossy(&encode(&sent)).contains("until"), "no end, no field");
    }

    #[test]
    fn an_acknowledgement_of_records_names_gaps_and_refusals() {
        let ack = gate::RecordsAck { epoch: 7, upto: 41, missing: vec![(42, 42), (50, 59)], rejected: vec![(43, Code::KeyReused)] };
        let text = String::from_utf8(encode(&RecordsAck::from(ack))).expect("UTF-8");
        assert_eq!(text, r#"{"epoch":7,"upto":41,"missing":[[42,42],[50,59]],"rejected":[{"seq":43,"code":"KEY_REUSED"}]}"#);
    }
}
