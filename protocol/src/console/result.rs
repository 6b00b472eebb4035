//! What operations answer in the `result` of an `ack`.
use crate::console::board::AuditItem;
use crate::gate::{Direction, Shown};
use crate::money::Money;
use crate::time::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An operation that has nothing to say beside "done".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Nothing {}

/// `station.mode`, `station.release`, `gate.service`: which change, and how many gates will acknowledge it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Changed {
    /// Id of the change.
    pub id: String,
    /// How many gates it concerns.
    pub of: u32,
    /// Its revision.
    pub rev: u64,
}

/// `journey.adjust`: what was charged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Adjusted {
    /// The amount; 0 where nothing was.
    pub fare: Money,
}

/// `device.command`: the order's id; its life is shown by `device:{device}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Ordered {
    /// Id of the order.
    pub id: String,
}

/// `device.add`, `device.rotate`: the secret, told this once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Secret {
    /// The device's password; null where the command was done before and nobody knows it any more: rotate makes another.
    pub secret: Option<String>,
}

/// `user.add`: the generated password, told this once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Password {
    /// The password; null where the command was done before and nobody knows it any more: `tongdao user passwd` makes another.
    pub password: Option<String>,
}

/// `audit.search`: newest first. A page may have nothing on it and still have a `next`: so much was looked at and nothing found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AuditPage {
    /// What was found.
    pub items: Vec<AuditItem>,
    /// Where to go on; null = the whole time was searched.
    pub next: Option<String>,
}

/// `audit.verify`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Verified {
    /// Nothing was altered.
    pub ok: bool,
    /// Records that were read.
    pub records: u64,
    /// The first fault: where it is and what it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
    /// It stopped here, because one request reads only so much: ask again from this moment on. Absent = all was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upto: Option<Time>,
}

/// `medium.find`: the account of a medium, in plain words.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Found {
    /// The account.
    pub account: String,
    /// Wallet class, `1` to `4`.
    pub class: String,
    /// Passenger class.
    pub passenger_class: String,
    /// `open` or `frozen`.
    pub state: String,
    /// Prepaid balance; negative = debt.
    pub balance: Money,
    /// Held for the open journey.
    pub held: Money,
    /// The journey that the rider is in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub journey: Option<FoundJourney>,
    /// Taps that are kept, newest first.
    pub taps: Vec<FoundTap>,
    /// Journeys, newest first.
    pub journeys: Vec<FoundJourney>,
    /// Postings, newest first.
    pub postings: Vec<FoundPosting>,
}

/// A tap of a found medium.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FoundTap {
    /// `{device}/{epoch}/{seq}`.
    pub id: String,
    /// The gate.
    pub device: String,
    /// Its station.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub station: Option<String>,
    /// Which way.
    pub direction: Direction,
    /// When, by the gate's clock.
    pub at: Time,
    /// What it was told.
    pub result: Shown,
    /// The gate's code, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// What was charged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fare: Option<Money>,
    /// What the rider did, as far as is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passage: Option<String>,
}

/// A journey of a found medium.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FoundJourney {
    /// Its reference.
    pub id: String,
    /// Where it began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry: Option<Stop>,
    /// Where it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit: Option<Stop>,
    /// What it cost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fare: Option<Money>,
    /// `open`, `closed`, `missing_exit`, `missing_entry`, `overstay`, `adjusted`, `waived` ….
    pub state: String,
    /// What its price comes from; absent while it is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<FoundRule>,
}

/// What the price of a journey comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FoundRule {
    /// `ladder`, `flat`, `zones` or `matrix` (the published fare, by that kind of table), `same_station`,
    /// `same_station_refused`, `overstay`, `transfer`, `cap`, `missing_exit`, `missing_entry` or `waived`.
    pub kind: String,
    /// The cap, by its name in the table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cap: Option<String>,
    /// The fare table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
    /// Since when the version of it counts that was used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Time>,
}

/// One end of a journey.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Stop {
    /// The station.
    pub station: String,
    /// When.
    pub at: Time,
}

/// A posting of a found medium's account.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FoundPosting {
    /// Its reference.
    #[serde(rename = "ref")]
    pub reference: String,
    /// The command that caused it.
    pub command_id: String,
    /// How much; negative = charged.
    pub amount: Money,
    /// `pending`, `final`, `provisional` or `void`.
    pub state: String,
    /// When.
    pub at: Time,
}
