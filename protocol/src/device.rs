//! What every device sends and is told: state, acknowledgement, command, config.
use crate::card;
use crate::payload::PayloadError;
use crate::text::{Id, Path, Text};
use crate::time::Time;
use crate::wire::{wire, wire_enum};
use crate::{payload::Notes, wire::Wire};
use compact_str::CompactString;
use schemars::JsonSchema;
use serde::{Deserializer, Serialize};
use std::collections::BTreeMap;
use tongdao_domain::fingerprint::Fingerprinter;
use tongdao_domain::gate as domain;
use tongdao_domain::world::Settings;

/// Versions that a state names, at most.
pub const VERSIONS_MAX: usize = 32;
/// Faults that a state names, at most.
pub const FAULTS_MAX: usize = 64;

wire! {
    /// `up/state` (retained), also the will with `online:false`: what a device says of itself.
    #[derive(Eq)]
    State {
        /// Connected?
        online = "online": bool,
        /// What it does, such as `both` or `paused`.
        service = "service": Id,
        /// Its firmware.
        firmware = "firmware": Id,
        /// Versions of what it holds, such as `{"list": 12}`.
        versions = "versions": Versions,
        /// Codes of its present faults.
        #[schemars(length(max = 64))]
        faults = "faults": Vec<Id>,
        /// When it says so, by its own clock.
        at = "at": Time,
    }
}

impl State {
    /// In the domain's words.
    ///
    /// # Errors
    /// [`PayloadError`] when it names too many faults, or a card number.
    pub fn into_domain(self) -> Result<domain::Twin, PayloadError> {
        if self.faults.len() > FAULTS_MAX {
            return Err(PayloadError::bad("faults", "a list of at most 64 fault codes"));
        }
        let said = [&self.service, &self.firmware].into_iter().chain(&self.faults).map(Id::as_str);
        if said.chain(self.versions.0.values().map(CompactString::as_str)).any(card::is_number) {
            return Err(PayloadError::bad("state", "codes and versions, no card number"));
        }
        Ok(domain::Twin {
            online: self.online,
            service: self.service.into_inner(),
            firmware: self.firmware.into_inner(),
            versions: self.versions.0,
            faults: self.faults.into_iter().map(Id::into_inner).collect(),
            at: self.at.0,
        })
    }
}
impl From<domain::Twin> for State {
    fn from(twin: domain::Twin) -> Self {
        let id = |text: CompactString| Id::new(&text).unwrap_or_default();
        Self {
            online: twin.online,
            service: id(twin.service),
            firmware: id(twin.firmware),
            versions: Versions(twin.versions),
            faults: twin.faults.into_iter().map(id).collect(),
            at: twin.at.into(),
        }
    }
}

/// Versions by name; a value is a text or a whole number.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, JsonSchema)]
#[serde(transparent)]
pub struct Versions(#[schemars(with = "BTreeMap<Id, VersionValue>")] pub BTreeMap<CompactString, CompactString>);

/// Only for the schema: a version is a text or a number.
#[derive(JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "describes the shape in the schema")]
enum VersionValue {
    Text(Id),
    Number(u64),
}

impl<'de> Wire<'de> for Versions {
    const EXPECTED: &'static str = "an object of at most 32 versions by name, each an id or a whole number";
    fn read<D: Deserializer<'de>>(source: D, _: &Notes) -> Result<Self, D::Error> {
        source.deserialize_map(VersionsVisitor)
    }
}
crate::wire::deserialize_by_wire!(Versions);

struct VersionsVisitor;
impl<'de> serde::de::Visitor<'de> for VersionsVisitor {
    type Value = Versions;
    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("versions by name")
    }
    fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Versions, A::Error> {
        use serde::de::Error as _;
        let mut versions = BTreeMap::new();
        while let Some(name) = map.next_key::<Id>()? {
            let VersionText(value) = map.next_value()?;
            if versions.len() == VERSIONS_MAX || versions.insert(name.into_inner(), value).is_some() {
                return Err(A::Error::custom("too many or twice"));
            }
        }
        Ok(Versions(versions))
    }
}

/// A version's value as text.
struct VersionText(CompactString);
impl<'de> serde::Deserialize<'de> for VersionText {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        source.deserialize_any(VersionTextVisitor)
    }
}
struct VersionTextVisitor;
impl serde::de::Visitor<'_> for VersionTextVisitor {
    type Value = VersionText;
    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an id or a whole number")
    }
    fn visit_u64<E>(self, n: u64) -> Result<VersionText, E> {
        Ok(VersionText(compact_str::format_compact!("{n}")))
    }
    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<VersionText, E> {
        Id::new(text).map(|id| VersionText(id.into_inner())).ok_or_else(|| E::custom("no id"))
    }
}

wire_enum! {
    /// How a command or a mode change ended at the device.
    AckResult = domain::AckResult { Done = "done", Failed = "failed", Expired = "expired", Unsupported = "unsupported" }
}

wire! {
    /// `up/ack`: the end of a command or a mode change.
    #[derive(Eq)]
    Ack {
        /// Id of the command or the mode change.
        id = "id": Path,
        /// How it ended.
        result = "result": AckResult,
        /// In the device's words.
        #[serde(skip_serializing_if = "Option::is_none")]
        detail = "detail": Option<Text>,
        /// When, by the device's clock.
        at = "at": Time,
    }
}

impl Ack {
    /// As a command for the gate.
    #[must_use]
    pub fn into_domain(self) -> domain::Command {
        domain::Command::Ack {
            id: self.id.into(),
            result: self.result.into(),
            // An end that is told must not be told for ever because of what is said beside it.
            detail: self.detail.filter(|detail| !card::stands_in(detail.as_str())).unwrap_or_default().into_inner(),
            at: self.at.0,
        }
    }
}

wire! {
    /// `down/command`: something to do, answered by `up/ack`.
    Command {
        /// Its id.
        id = "id": Path,
        /// `restart`, `maintain`, `resume`, `config` or `test_print`.
        command = "command": Id,
        /// Its arguments.
        args = "args": serde_json::Value,
        /// Not to be done after this.
        expires_at = "expires_at": Time,
    }
}

impl From<&domain::DeviceOrder> for Command {
    fn from(order: &domain::DeviceOrder) -> Self {
        Self {
            id: Path::from(&order.id),
            command: Id::new(&order.command).unwrap_or_default(),
            args: serde_json::from_str(&order.args).unwrap_or_else(|_| serde_json::Value::Object(serde_json::Map::new())),
            expires_at: order.expires_at.into(),
        }
    }
}

wire! {
    /// `down/config` (retained): a gate's parameters.
    #[derive(Eq)]
    Config {
        /// Another number where anything in it is different.
        version = "version": u64,
        /// The same medium within this gets the same answer; 0 = off.
        retap_window_ms = "retap_window_ms": u64,
        /// An authorised rider who has not passed after this is reported as `not_passed`.
        no_passage_ms = "no_passage_ms": u64,
        /// Authorised riders not yet passed, at most; 0 = off.
        riders_max = "riders_max": u32,
        /// Records in one batch, at most.
        records_max = "records_max": u64,
    }
}

impl Config {
    /// The parameters that the settings give; its version is made of them, so that it needs no store.
    #[must_use]
    pub fn of(settings: &Settings) -> Self {
        let ms = |length: tongdao_domain::time::Millis| u64::try_from(length.0).unwrap_or(0);
        let config = Self {
            version: 0,
            retap_window_ms: ms(settings.retap_window),
            no_passage_ms: ms(settings.no_passage),
            riders_max: settings.riders_max,
            records_max: settings.records_per_batch_max as u64,
        };
        let numbers = [config.retap_window_ms, config.no_passage_ms, config.riders_max.into(), config.records_max];
        let print = numbers.into_iter().fold(Fingerprinter::new("config"), Fingerprinter::count).finish();
        // Whole numbers of JSON go to 2^53 − 1; 0 means none.
        Self { version: u64::try_from(print.0 >> 76).unwrap_or(0).max(1), ..config }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payload::{decode, encode};
    use tongdao_domain::id::{CommandId, UserId};
    use tongdao_domain::time::Timestamp;

    fn state(versions: &str, faults: &str) -> Result<State, String> {
        let text = format!(
            r#"{{"online":false,"service":"paused","firmware":"2.4.1","versions":{versions},"faults":{faults},"at":"2026-03-02T08:00:00Z"}}"#
        );
        decode::<State>(text.as_bytes()).map(|read| read.message).map_err(|error| error.to_string())
    }

    #[test]
    fn versions_are_texts_or_whole_numbers_each_named_once() {
        let read = state(r#"{"list":12,"fares":"2026-01"}"#, "[]").expect("good").versions;
        assert_eq!(encode(&read), br#"{"fares":"2026-01","list":"12"}"#);
        let many = |n: usize| format!("{{{}}}", (0..n).map(|n| format!("\"v{n}\":{n}")).collect::<Vec<_>>().join(","));
        assert!(state(&many(VERSIONS_MAX), "[]").is_ok());
        for bad in [
            many(VERSIONS_MAX + 1).as_str(),
            r#"{"list":1,"list":2}"#,
            r#"{"list":-1}"#,
            r#"{"list":1.5}"#,
            r#"{"list":null}"#,
            r#"{"list":true}"#,
            r#"{"list":[1]}"#,
            r#"{"list":""}"#,
            r#"{"a b":1}"#,
            "[]",
            "null",
        ] {
            let told = state(bad, "[]").expect_err(bad);
            assert!(told.starts_with("field `versions` must be an object of at most 32 versions by name"), "{bad}: {told}");
        }
    }

    #[test]
    fn a_state_names_a_bounded_number_of_faults() {
        let faults = |n: usize| format!("[{}]", vec!["\"door\""; n].join(","));
        assert!(state("{}", &faults(FAULTS_MAX)).expect("good").into_domain().is_ok());
        let told = state("{}", &faults(FAULTS_MAX + 1)).expect("read").into_domain().expect_err("too many");
        assert_eq!(told.to_string(), "field `faults` must be a list of at most 64 fault codes");
    }

    #[test]
    fn a_twin_is_the_state_that_was_sent() {
        let sent = state(r#"{"list":12}"#, r#"["door","reader"]"#).expect("good");
        let twin = sent.clone().into_domain().expect("good");
        assert_eq!((twin.online, twin.service.as_str(), twin.faults.len()), (false, "paused", 2));
        assert_eq!(twin.at, Timestamp(1_772_438_400_000));
        assert_eq!(State::from(twin), sent);
    }

    #[test]
    fn an_acknowledgement_echoes_the_id_it_was_given() {
        let text = br#"{"id":"mode/tianfu/3","result":"failed","detail":"\u95e8\u5361\u4f4f","at":"2026-03-02T08:00:00Z"}"#;
        let ack = decode::<Ack>(text).expect("good").message.into_domain();
        let domain::Command::Ack { id, result, detail, at } = ack else { panic!("{ack:?}") };
        assert_eq!((id.as_str(), result, detail.as_str()), ("mode/tianfu/3", domain::AckResult::Failed, "门卡住"));
        assert_eq!(at, Timestamp(1_772_438_400_000));
        let long = format!(r#"{{"id":"c","result":"done","detail":"{}","at":"2026-03-02T08:00:00Z"}}"#, "x".repeat(257));
        let told = decode::<Ack>(long.as_bytes()).expect_err("long").to_string();
        assert_eq!(told, "field `detail` must be a text of at most 256 characters");
    }

    #[test]
    fn an_order_goes_out_with_its_arguments_as_json() {
        let order = |args: &str| domain::DeviceOrder {
            id: CommandId::new("c/1").expect("an id"),
            command: "restart".into(),
            args: args.into(),
            expires_at: Timestamp(1_772_438_460_000),
            by: tongdao_domain::device::By { user: UserId::new("li").expect("an id"), reason: "stuck".into() },
        };
        let sent = |args: &str| String::from_utf8(encode(&Command::from(&order(args)))).expect("UTF-8");
        let expected = r#"{"id":"c/1","command":"restart","args":{"soft":true},"expires_at":"2026-03-02T08:01:00.000Z"}"#;
        assert_eq!(sent(r#"{"soft":true}"#), expected);
        assert!(sent("").contains(r#""args":{}"#), "what is no JSON goes out as no arguments");
        assert!(!sent("{}").contains("stuck"), "who ordered it and why stays here");
    }

    #[test]
    fn a_config_says_what_the_settings_say_and_has_another_version_where_they_differ() {
        let config = Config::of(&Settings::default());
        assert_eq!((config.retap_window_ms, config.no_passage_ms, config.riders_max, config.records_max), (3000, 8000, 3, 150));
        assert!(config.version > 0 && config.version < 1 << 53);
        assert_eq!(Config::of(&Settings::default()), config);
        let other = Config::of(&Settings { riders_max: 2, ..Settings::default() });
        assert_ne!(other.version, config.version);
    }
}
