//! What every device sends and is told: state, acknowledgement, command, config.
use crate::payload::PayloadError;
use crate::text::{Id, Path, Text};
use crate::time::Time;
use crate::wire::{wire, wire_enum};
use crate::{payload::Notes, wire::Wire};
use compact_str::CompactString;
use schemars::JsonSchema;
use serde::{Deserializer, Serialize};
use std::collections::BTreeMap;
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
    /// [`PayloadError`] when it names too many faults.
    pub fn into_domain(self) -> Result<domain::Twin, PayloadError> {
        if self.faults.len() > FAULTS_MAX {
            return Err(PayloadError::bad("faults", "a list of at most 64 fault codes"));
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
            detail: self.detail.unwrap_or_default().into_inner(),
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
        /// Grows with each change.
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
    /// The parameters that the settings give.
    #[must_use]
    pub fn of(version: u64, settings: &Settings) -> Self {
        let ms = |length: tongdao_domain::time::Millis| u64::try_from(length.0).unwrap_or(0);
        Self {
            version,
            retap_window_ms: ms(settings.retap_window),
            no_passage_ms: ms(settings.no_passage),
            riders_max: settings.riders_max,
            records_max: settings.records_per_batch_max as u64,
        }
    }
}
