//! The frames of `tongdao.v1.json`. A console's frame is read strictly; an operation's arguments are read later, so that a
//! mistake in them is an answer to that command and not the end of the connection. A server's frame is written whole by
//! [`encode`], or put together from parts that were written once for all subscribers ([`event`], [`state`], [`batch`]).
use super::codes::ErrorBody;
use super::role::{Role, Scope};
use super::strict::{BadArgs, Json, from_value, json};
use crate::payload::Notes;
use crate::text::{Code as ChannelName, Id, Path, Text};
use crate::time::Time;
use crate::wire::{WHOLE_MAX, Wire, deserialize_by_wire, wire};
use schemars::JsonSchema;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

#[cfg(test)]
mod tests;

/// A console's own id of a frame: a text or a number; the answer echoes it as it came.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum FrameId {
    /// A whole number.
    Number(u64),
    /// A text.
    Text(Id),
}
impl<'de> Wire<'de> for FrameId {
    const EXPECTED: &'static str = "an id of 1 to 64 characters A-Z a-z 0-9 . _ -, or a whole number";
    fn read<D: Deserializer<'de>>(source: D, _: &Notes) -> Result<Self, D::Error> {
        match Value::deserialize(source)? {
            Value::String(text) => Id::new(&text).map(Self::Text),
            Value::Number(number) => number.as_u64().filter(|number| *number <= WHOLE_MAX).map(Self::Number),
            _ => None,
        }
        .ok_or_else(|| D::Error::custom("no id"))
    }
}
deserialize_by_wire!(FrameId);
impl From<u64> for FrameId {
    fn from(number: u64) -> Self {
        Self::Number(number)
    }
}
impl From<Id> for FrameId {
    fn from(id: Id) -> Self {
        Self::Text(id)
    }
}

wire! {
    /// `sub`: subscribe; with the last position that was seen, to go on from there.
    #[derive(Eq)]
    Sub {
        /// The console's own id for the answer, which echoes it.
        id = "id": FrameId,
        /// The channel.
        ch = "ch": ChannelName,
        /// The board instance that `seq` counts in.
        #[serde(skip_serializing_if = "Option::is_none")]
        epoch = "epoch": Option<Id>,
        /// The last event that was seen.
        #[serde(skip_serializing_if = "Option::is_none")]
        seq = "seq": Option<u64>,
    }
}
wire! {
    /// `unsub`: nothing more of this channel.
    #[derive(Eq)]
    Unsub {
        /// The console's own id for the answer, which echoes it.
        id = "id": FrameId,
        /// The channel.
        ch = "ch": ChannelName,
    }
}
wire! {
    /// `cmd`: a command.
    Cmd {
        /// The console's own id for the answer, which echoes it.
        id = "id": FrameId,
        /// The key of idempotence: the same again gets the same answer.
        command_id = "command_id": Path,
        /// The operation.
        op = "op": Id,
        /// Its arguments.
        args = "args": Json,
        /// The revision that was shown; refused with `STALE_REV` where there is a newer one.
        #[serde(skip_serializing_if = "Option::is_none")]
        if_rev = "if_rev": Option<u64>,
        /// Not to be done after this many milliseconds.
        ttl_ms = "ttl_ms": u64,
        /// W3C trace context.
        #[serde(skip_serializing_if = "Option::is_none")]
        traceparent = "traceparent": Option<Text>,
    }
}
wire! {
    /// `relay` (both ways): handed on to the others of a channel, never stored. Over 64 KiB in parts.
    Relay {
        /// The channel.
        ch = "ch": ChannelName,
        /// Who sent it; the server sets it.
        #[serde(skip_serializing_if = "Option::is_none")]
        from = "from": Option<Id>,
        /// For whom alone.
        #[serde(skip_serializing_if = "Option::is_none")]
        to = "to": Option<Id>,
        /// What.
        d = "d": Json,
        /// Number of this part, from 1.
        #[serde(skip_serializing_if = "Option::is_none")]
        part = "part": Option<u32>,
        /// How many parts there are.
        #[serde(skip_serializing_if = "Option::is_none")]
        of = "of": Option<u32>,
    }
}
wire! {
    /// `beat`: the console is alive; `active` says that a person used it since the last one.
    #[derive(Eq)]
    ClientBeat {
        /// Somebody is there.
        #[serde(skip_serializing_if = "Option::is_none")]
        active = "active": Option<bool>,
    }
}

/// What a console sends.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "t", rename_all = "snake_case")]
pub enum ClientFrame {
    /// Subscribe.
    Sub(Sub),
    /// Unsubscribe.
    Unsub(Unsub),
    /// A command.
    Cmd(Cmd),
    /// To the others of a channel.
    Relay(Relay),
    /// Alive.
    Beat(ClientBeat),
}

impl ClientFrame {
    /// Reads a frame.
    ///
    /// # Errors
    /// [`BadArgs`]: what cannot be taken; the connection is closed with 4501.
    pub fn read(text: &[u8]) -> Result<Self, BadArgs> {
        const WORDS: &str = "one of sub unsub cmd relay beat";
        let mut frame = json(text)?;
        let fields = frame.as_object_mut().ok_or_else(|| BadArgs::bad("", "a JSON object"))?;
        let word = fields.remove("t").ok_or_else(|| BadArgs::missing("t", WORDS))?;
        match word.as_str().unwrap_or_default() {
            "sub" => from_value(&frame).map(Self::Sub),
            "unsub" => from_value(&frame).map(Self::Unsub),
            "cmd" => from_value(&frame).map(Self::Cmd),
            "relay" => from_value(&frame).map(Self::Relay),
            "beat" => from_value(&frame).map(Self::Beat),
            _ => Err(BadArgs::bad("t", WORDS)),
        }
    }
}

wire! {
    /// The body of `POST /api/v1/commands`: the same door as `cmd`.
    CommandBody {
        /// The key of idempotence.
        command_id = "command_id": Path,
        /// The operation.
        op = "op": Id,
        /// Its arguments.
        args = "args": Json,
        /// The revision that was shown.
        #[serde(skip_serializing_if = "Option::is_none")]
        if_rev = "if_rev": Option<u64>,
        /// Not to be done after this many milliseconds.
        ttl_ms = "ttl_ms": u64,
    }
}

/// `hello`: the first frame of a connection.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Hello {
    /// The connection.
    pub conn: String,
    /// The node.
    pub node: String,
    /// A `beat` comes at least this often.
    pub heartbeat_ms: u64,
    /// The server's clock.
    pub now: Time,
    /// Who is signed in.
    pub user: String,
    /// What they may do.
    pub roles: Vec<Role>,
    /// Where.
    pub scope: Scope,
    /// What this connection may use.
    pub limits: ConnectionLimits,
}

/// What one connection may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ConnectionLimits {
    /// Longest message of the console, in bytes.
    pub message_bytes: u64,
    /// Subscriptions at one time.
    pub subscriptions: u64,
    /// Commands a second.
    pub commands_per_s: u64,
}

/// `sub`: the answer. It comes once more, unasked and with a snapshot, where other rights show other items of the channel:
/// what was shown before is to be replaced. Either the events since the position that was named, or the state as it is now, or why not.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SubReply {
    /// The console's own id.
    pub id: FrameId,
    /// The channel.
    pub ch: String,
    /// The board instance that `seq` counts in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epoch: Option<String>,
    /// The position after `events` or `snapshot`: the next event is this plus 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
    /// The events since the named position are here and none is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovered: Option<bool>,
    /// Those events, as whole `event` frames.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub events: Option<Vec<Value>>,
    /// The state at `seq`; begins `{rev, at}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snapshot: Option<Value>,
    /// Why there is no subscription.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorBody>,
}

/// `unsub`: the subscription is over; without `id` the server ended it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct UnsubReply {
    /// The console's own id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<FrameId>,
    /// The channel.
    pub ch: String,
    /// Why the server ended it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorBody>,
}

/// `event`: something has happened; `seq` is exactly 1 more than the last one of the channel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "EventFrame")]
pub struct Event {
    /// The channel.
    pub ch: String,
    /// Its position.
    pub seq: u64,
    /// When it was committed.
    pub at: Time,
    /// The command that caused it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// What: `{k: "…", …}`.
    pub d: Value,
}

/// `state`: of these values only the newest counts; one may be left out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "StateFrame")]
pub struct State {
    /// The channel.
    pub ch: String,
    /// Which value.
    pub key: String,
    /// The value.
    pub d: Value,
}

/// `batch`: several frames at once, in order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Batch {
    /// Whole frames.
    #[schemars(with = "Vec<Value>")]
    pub items: Vec<ServerFrame>,
}

/// `ack`: the answer to a command.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Ack {
    /// The console's own id.
    pub id: FrameId,
    /// Done?
    pub ok: bool,
    /// What it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<Value>,
    /// Why it is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorBody>,
    /// The effect is visible in this channel …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ch: Option<String>,
    /// … at this position.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
}

impl Ack {
    /// Done.
    #[must_use]
    pub fn done(id: impl Into<FrameId>, result: Value) -> Self {
        Self { id: id.into(), ok: true, result: Some(result), error: None, ch: None, seq: None }
    }
    /// Refused.
    #[must_use]
    pub fn refused(id: impl Into<FrameId>, error: impl Into<ErrorBody>) -> Self {
        Self { id: id.into(), ok: false, result: None, error: Some(error.into()), ch: None, seq: None }
    }
}

/// `beat`: the server is alive; the position of each subscribed channel shows what was missed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Beat {
    /// The server's clock.
    pub now: Time,
    /// Channel → position.
    pub positions: BTreeMap<String, u64>,
}

/// `rights`: roles or scope of the user have changed. Before it come the ends of the subscriptions that they no longer cover,
/// and new snapshots of the lists of which they show other items.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Rights {
    /// What they may do now.
    pub roles: Vec<Role>,
    /// Where.
    pub scope: Scope,
}

/// `error`: a frame that asks for no answer of its own was understood, and nothing came of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ErrorFrame {
    /// The word in `t` of what was sent.
    pub of: String,
    /// The channel that it named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ch: Option<String>,
    /// Why nothing came of it.
    pub error: ErrorBody,
}

/// `lock`: after a while without a person the page is locked; nothing is shown or sent until the password unlocks it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Lock {
    /// Locked?
    pub on: bool,
}

/// `bye`: the server closes the connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Bye {
    /// The close code that follows.
    pub code: u16,
    /// Why.
    pub reason: String,
    /// Connect again after this; absent where that is of no use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_ms: Option<u64>,
}

impl Bye {
    /// Says why the connection ends.
    #[must_use]
    pub fn of(close: super::close::Close, retry_ms: u64) -> Self {
        Self { code: close.code(), reason: close.reason().to_owned(), retry_ms: close.come_back().then_some(retry_ms) }
    }
}

/// What a server sends.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "t", rename_all = "snake_case")]
pub enum ServerFrame {
    /// First.
    Hello(Hello),
    /// The answer to `sub`.
    Sub(SubReply),
    /// The end of a subscription.
    Unsub(UnsubReply),
    /// Something has happened.
    Event(Event),
    /// A newest value.
    State(State),
    /// Several frames.
    Batch(Batch),
    /// The answer to `cmd`.
    Ack(Ack),
    /// Alive.
    Beat(Beat),
    /// Other rights.
    Rights(Rights),
    /// Nothing came of a frame.
    Error(ErrorFrame),
    /// Locked or unlocked.
    Lock(Lock),
    /// The end.
    Bye(Bye),
    /// From another of the channel.
    Relay(Relay),
}

/// A frame as text.
#[must_use]
pub fn encode(frame: &impl Serialize) -> String {
    serde_json::to_string(frame).unwrap_or_default()
}

#[derive(Serialize)]
struct EventText<'a, D> {
    t: &'static str,
    ch: &'a str,
    seq: u64,
    at: Time,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<&'a str>,
    d: D,
}

/// An `event` frame as text: written once for all subscribers.
#[must_use]
pub fn event(ch: &str, seq: u64, at: Time, cause: Option<&str>, d: impl Serialize) -> String {
    encode(&EventText { t: "event", ch, seq, at, cause, d })
}

#[derive(Serialize)]
struct StateText<'a, D> {
    t: &'static str,
    ch: &'a str,
    key: &'a str,
    d: D,
}

/// A `state` frame as text: written once for all subscribers.
#[must_use]
pub fn state(ch: &str, key: &str, d: impl Serialize) -> String {
    encode(&StateText { t: "state", ch, key, d })
}

/// A `batch` of frames that are text already; one alone stays as it is.
#[must_use]
pub fn batch<'a>(items: impl IntoIterator<Item = &'a str, IntoIter: ExactSizeIterator>) -> String {
    let mut items = items.into_iter();
    if items.len() == 1 {
        return items.next().unwrap_or_default().to_owned();
    }
    let mut text = String::from(r#"{"t":"batch","items":["#);
    for (n, item) in items.enumerate() {
        if n > 0 {
            text.push(',');
        }
        text.push_str(item);
    }
    text.push_str("]}");
    text
}
