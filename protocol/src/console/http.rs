//! Bodies of the HTTP interface that are no frames. Refusals are [`super::codes::Problem`].
use super::board::{Link, Names};
use super::op::DeviceKind;
use super::role::{Role, Scope};
use crate::gate::{Service, StationMode};
use crate::payload::Notes;
use crate::text::{Id, Reason, Text};
use crate::time::Time;
use crate::wire::{Wire, deserialize_by_wire, wire};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// A password on its way in: never printed, never written.
#[derive(Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(transparent)]
pub struct Hidden(Text);

impl Hidden {
    /// What was typed.
    #[must_use]
    pub fn reveal(&self) -> &str {
        self.0.as_str()
    }
}
impl std::fmt::Debug for Hidden {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hidden(…)")
    }
}
impl<'de> Wire<'de> for Hidden {
    const EXPECTED: &'static str = Text::EXPECTED;
    fn read<D: Deserializer<'de>>(source: D, notes: &Notes) -> Result<Self, D::Error> {
        Text::read(source, notes).map(Self)
    }
}
deserialize_by_wire!(Hidden);

wire! {
    /// `POST /api/v1/login`.
    #[derive(Eq)]
    LoginBody {
        /// User id.
        user = "user": Id,
        /// Password.
        password = "password": Hidden,
    }
}
wire! {
    /// `POST /api/v1/unlock`.
    #[derive(Eq)]
    UnlockBody {
        /// Password.
        password = "password": Hidden,
    }
}

wire! {
    /// `POST /api/v1/tokens`: a token of one's own.
    #[derive(Eq)]
    TokenBody {
        /// What it is for; 1 to 64 characters.
        name = "name": Reason,
        /// How long it is good, in days.
        days = "days": u32,
        /// What it may do of what its user may; absent = all of it.
        #[serde(skip_serializing_if = "Option::is_none")]
        roles = "roles": Option<Vec<Role>>,
        /// Where, within its user's scope; absent = all of it.
        #[serde(skip_serializing_if = "Option::is_none")]
        scope = "scope": Option<Scope>,
    }
}

/// A token as `GET /api/v1/tokens` shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TokenItem {
    /// What it is called: `USER~ID`, which is no secret.
    pub token: String,
    /// Whose.
    pub user: String,
    /// What it is for.
    pub name: String,
    /// What it may do of what its user may; absent = all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub roles: Option<Vec<Role>>,
    /// Where, within its user's scope; absent = all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<Scope>,
    /// When it was made.
    pub made_at: Time,
    /// From this moment on it is no good.
    pub expires_at: Time,
    /// When it was last used, to about the hour; absent = never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used_at: Option<Time>,
}

/// The answer to `POST /api/v1/tokens`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TokenMade {
    /// What it is called.
    pub token: String,
    /// What its program says in `Authorization: Bearer …`; told once.
    pub value: String,
    /// From this moment on it is no good.
    pub expires_at: Time,
}

impl std::fmt::Debug for TokenMade {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "TokenMade({})", self.token)
    }
}

/// `GET /api/v1/me`; also the answer to a sign-in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Me {
    /// Who is signed in.
    pub user: String,
    /// What they may do.
    pub roles: Vec<Role>,
    /// Where.
    pub scope: Scope,
    /// The language they chose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
    /// The page is locked: the password unlocks it.
    pub locked: bool,
    /// The server runs a demo: what a page says about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub demo: Option<Value>,
}

/// `POST /api/v1/ws-tickets`: for the second value of `Sec-WebSocket-Protocol`; used once, soon.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WsTicket {
    /// The ticket.
    pub ticket: String,
    /// Of no use after this.
    pub expires_at: Time,
}

/// `GET /api/v1/boards/{channel}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BoardAnswer {
    /// The board instance that `seq` counts in.
    pub epoch: String,
    /// The position of the snapshot.
    pub seq: u64,
    /// The state; begins `{rev, at}`.
    pub snapshot: Value,
}

/// A page of a list, in the order of the items' ids: at most `limit` of them (100 where none is given, 500 at most). Where many
/// are not for the caller a page may be short, or empty, and still have a `next`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "{T}Page")]
pub struct Page<T> {
    /// What is on it.
    pub items: Vec<T>,
    /// The id that the next page begins behind; null = no more.
    pub next: Option<String>,
}

/// A station as `GET /api/v1/stations` shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StationItem {
    /// The station.
    pub station: String,
    /// Its site.
    pub site: String,
    /// Its name by language.
    pub name: Names,
    /// Its modes; none = normal service.
    pub modes: Vec<StationMode>,
    /// Its revision.
    pub rev: u64,
    /// Its gates, in the order of the site file.
    pub gates: Vec<String>,
}

/// A device as `GET /api/v1/devices` shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DeviceItem {
    /// The device.
    pub device: String,
    /// What it is.
    pub kind: DeviceKind,
    /// Its site.
    pub site: String,
    /// Its station; null where it stands in none.
    pub station: Option<String>,
    /// Let in no more.
    pub revoked: bool,
    /// Revision of this entry, for `if_rev`.
    pub rev: u64,
    /// When it was registered (again).
    pub added_at: Time,
    /// Has it a link?
    pub link: Link,
    /// What it should do; absent where it is no gate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub desired: Option<Service>,
    /// What it does, in its own words; absent = it never said anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// Its firmware.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub firmware: Option<String>,
    /// Versions of what it holds.
    pub versions: BTreeMap<String, String>,
    /// Revision of the mode that it obeys; 0 = none yet.
    pub mode: u64,
    /// Codes of its faults.
    pub faults: Vec<String>,
    /// Orders that it has not acknowledged.
    pub orders_open: u64,
    /// When something was last heard of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_seen: Option<Time>,
}

/// A user as `GET /api/v1/users` shows them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UserItem {
    /// User id.
    pub user: String,
    /// What they may do.
    pub roles: Vec<Role>,
    /// Where.
    pub scope: Scope,
    /// Revision, for `if_rev`.
    pub rev: u64,
    /// Let in no more.
    pub disabled: bool,
    /// When they were added (again).
    pub added_at: Time,
    /// Sessions on this node.
    pub sessions: u32,
    /// Tokens of their programs that are good now.
    #[serde(default)]
    pub tokens: u32,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::strict::{from_value, json};

    #[test]
    fn a_sign_in_is_read_strictly_and_its_password_is_not_quoted() {
        let read = |text: &str| json(text.as_bytes()).and_then(|value| from_value::<LoginBody>(&value));
        let body = read(r#"{"user":"li","password":"a canary"}"#).expect("good");
        assert_eq!(body.password.reveal(), "a canary");
        assert!(!format!("{body:?}").contains("canary"));
        let told = read(r#"{"user":"li","password":{"canary":1}}"#).expect_err("no text").to_string();
        assert!(told.starts_with("password: must be a text") && !told.contains("canary"), "{told}");
        assert!(read(r#"{"user":"li","password":"x","remember":true}"#).is_err());
    }
}
