//! The export: every committed event as one line of JSON,
//! `{partition, seq, at, entity, version, command_id, event, d}`, with money and moments as they go over the wire.
//!
//! The names in `d` are a contract of their own: they do not follow the journal's encoding, which may change.
mod account;
mod deny;
mod doubtful;
mod gate;
mod site;
mod staff;
#[cfg(test)]
mod tests;

use crate::money::Money;
use crate::time::Time;
use serde::Serialize;
use serde_json::{Map, Value, json};
use tongdao_domain::device::By;
use tongdao_domain::entity::EntityKey;
use tongdao_domain::id::{CommandId, TapId};
use tongdao_domain::machine::Event;
use tongdao_domain::money::{Amount, Currency};
use tongdao_domain::tap::{Medium, Record};
use tongdao_domain::time::Timestamp;

/// A committed event.
#[derive(Debug, Clone, Copy)]
pub struct Item<'a> {
    /// Logical partition.
    pub partition: u16,
    /// Gapless number within the partition.
    pub seq: u64,
    /// When it was committed.
    pub at: Timestamp,
    /// Whose.
    pub entity: &'a EntityKey,
    /// The entity's version after it.
    pub version: u64,
    /// The command that caused it.
    pub command_id: &'a CommandId,
    /// What happened.
    pub event: &'a Event,
}

#[derive(Serialize)]
struct Line<'a> {
    partition: u16,
    seq: u64,
    at: Time,
    entity: String,
    version: u64,
    command_id: &'a str,
    event: &'static str,
    d: Value,
}

/// The line, without its end. Amounts are in CNY, the one currency that accounts are opened in.
#[must_use]
pub fn line(item: &Item<'_>) -> String {
    let (event, d) = described(item.entity, item.event);
    let line = Line {
        partition: item.partition,
        seq: item.seq,
        at: item.at.into(),
        entity: item.entity.to_string(),
        version: item.version,
        command_id: item.command_id.as_str(),
        event,
        d,
    };
    serde_json::to_string(&line).unwrap_or_default()
}

/// The event's stable name and what it says.
#[must_use]
pub fn described(entity: &EntityKey, event: &Event) -> (&'static str, Value) {
    match event {
        Event::Account(event) => account::described(entity, event),
        Event::Gate(event) => gate::described(event),
        Event::Station(event) => site::station(event),
        Event::Medium(event) => site::medium(event),
        Event::Device(event) => site::device(event),
        Event::Audit(event) => site::audit(event),
        Event::User(event) => staff::user(event),
        Event::Alarm(event) => staff::alarm(event),
        Event::Approval(event) => staff::approval(event),
        Event::Deny(event) => deny::described(event),
        Event::Doubtful(event) => doubtful::described(event),
    }
}

fn money(amount: Amount) -> Value {
    json!(Money::of(amount, Currency::CNY))
}
fn time(at: Timestamp) -> Value {
    json!(Time(at))
}
fn by(by: &By) -> Value {
    json!({"user": by.user.as_str(), "reason": by.reason.as_str()})
}
fn tap_id(tap: &TapId) -> Value {
    json!({"device": tap.device.as_str(), "epoch": tap.epoch, "seq": tap.seq})
}
fn medium(medium: &Medium) -> Value {
    json!(crate::gate::Medium::from(medium))
}
fn record(record: &Record) -> Value {
    let mut d = json!(crate::gate::Record::from(record));
    put(&mut d, "device", Some(record.tap.device.as_str()));
    put(&mut d, "epoch", Some(record.tap.epoch));
    d
}

/// Adds a field that may be absent.
fn put(d: &mut Value, name: &str, value: Option<impl Into<Value>>) {
    if let (Some(fields), Some(value)) = (d.as_object_mut(), value) {
        fields.insert(name.to_owned(), value.into());
    }
}
/// Adds all fields of another object.
fn join(d: &mut Value, other: Value) {
    if let (Some(fields), Value::Object(other)) = (d.as_object_mut(), other) {
        fields.extend::<Map<String, Value>>(other);
    }
}
