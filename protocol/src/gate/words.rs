//! The words of a gate's messages.
use crate::payload::Notes;
use crate::wire::{Wire, deserialize_by_wire, text_visitor, wire_enum};
use schemars::JsonSchema;
use serde::{Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use tongdao_domain::{station, tap};

wire_enum! {
    /// Which way the rider wants to go.
    Direction = tap::Direction { Entry = "entry", Exit = "exit" }
}
wire_enum! {
    /// What kind of medium was presented.
    MediumKind = tap::MediumKind { Qr = "qr", Face = "face", Ecny = "ecny", EcnyHard = "ecny_hard", Bank = "bank", Card = "card" }
}
wire_enum! {
    /// What the rider did.
    PassageOutcome = tap::Passage {
        Passed = "passed", NotPassed = "not_passed", Tailgate = "tailgate", Reverse = "reverse", Intrusion = "intrusion",
    }
}
wire_enum! {
    /// Who decided, as the gate tells it.
    By = tap::DecidedBy { Server = "server", Gate = "gate" }
}
wire_enum! {
    /// What the gate did.
    Shown = tap::Shown { Open = "open", Deny = "deny" }
}
wire_enum! {
    /// What a gate is there for.
    Service = station::Service {
        Entry = "entry", Exit = "exit", Both = "both", Open = "open", Closed = "closed", Paused = "paused", Maintenance = "maintenance",
    }
}
wire_enum! {
    /// A mode of the station; modes combine.
    StationMode = station::Mode {
        Closed = "closed", TrainFailure = "train_failure", TimeWaived = "time_waived", DateWaived = "date_waived",
        FareWaived = "fare_waived", OrderWaived = "order_waived", EntryWaived = "entry_waived", Emergency = "emergency",
    }
}
wire_enum! {
    /// What a button, a line or a sensor of the gate reports.
    AlarmKind = station::AlarmKind {
        EmergencyButton = "emergency_button", Fire = "fire", Intrusion = "intrusion", Door = "door", Tamper = "tamper",
    }
}

/// What the rider did, as far as the gate knows: an outcome or `none`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordPassage(pub Option<PassageOutcome>);

impl RecordPassage {
    const NONE: &'static str = "none";
    fn from_name(name: &str) -> Option<Self> {
        if name == Self::NONE { Some(Self(None)) } else { PassageOutcome::from_name(name).map(|outcome| Self(Some(outcome))) }
    }
}
impl Serialize for RecordPassage {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(self.0.map_or(Self::NONE, PassageOutcome::name))
    }
}
impl<'de> Wire<'de> for RecordPassage {
    const EXPECTED: &'static str = "one of passed not_passed tailgate reverse intrusion none";
    fn read<D: Deserializer<'de>>(source: D, _: &Notes) -> Result<Self, D::Error> {
        source.deserialize_str(text_visitor(Self::from_name))
    }
}
deserialize_by_wire!(RecordPassage);
impl JsonSchema for RecordPassage {
    fn schema_name() -> Cow<'static, str> {
        "RecordPassage".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"type": "string", "enum": ["passed", "not_passed", "tailgate", "reverse", "intrusion", "none"]})
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tongdao_domain::{station, tap};

    /// A word reads back as itself, and is the domain's own word by another name.
    macro_rules! same_words {
        ($($wire:ident, $domain:ty: $($word:literal)*;)*) => {$({
            for word in [$($word),*] {
                let read = $wire::from_name(word).expect(word);
                assert_eq!(read.name(), word);
                assert_eq!($wire::from(<$domain>::from(read)), read);
                assert_eq!(serde_json::to_value(read).expect("encodes"), word);
                assert_eq!(serde_json::to_value(<$domain>::from(read)).expect("encodes"), word, "the journal's word is the same");
            }
            for other in ["", "nothing", "ENTRY", " entry"] {
                assert_eq!($wire::from_name(other), None);
            }
        })*};
    }

    #[test]
    fn every_word_is_the_contract_s() {
        same_words! {
            Direction, tap::Direction: "entry" "exit";
            MediumKind, tap::MediumKind: "qr" "face" "ecny" "ecny_hard" "bank" "card";
            PassageOutcome, tap::Passage: "passed" "not_passed" "tailgate" "reverse" "intrusion";
            By, tap::DecidedBy: "server" "gate";
            Shown, tap::Shown: "open" "deny";
            Service, station::Service: "entry" "exit" "both" "open" "closed" "paused" "maintenance";
            StationMode, station::Mode: "closed" "train_failure" "time_waived" "date_waived" "fare_waived" "order_waived" "entry_waived"
                "emergency";
            AlarmKind, station::AlarmKind: "emergency_button" "fire" "intrusion" "door" "tamper";
        }
    }

    #[test]
    fn a_record_s_passage_may_be_none() {
        assert_eq!(serde_json::to_string(&RecordPassage(None)).expect("encodes"), "\"none\"");
        assert_eq!(serde_json::from_str::<RecordPassage>("\"none\"").expect("decodes"), RecordPassage(None));
        let passed = RecordPassage(Some(PassageOutcome::Passed));
        assert_eq!(serde_json::from_str::<RecordPassage>("\"passed\"").expect("decodes"), passed);
        assert!(serde_json::from_str::<RecordPassage>("null").is_err());
    }
}
