//! The answer to a tap. It is written by hand, because it is the hot path: one buffer, no tree, no second copy; that it
//! says the same as the wire type is tested.
use super::words::Shown;
use crate::money::Money;
use crate::payload::Notes;
use crate::text::{Path, Text};
use crate::time::{self, Time};
use crate::wire::{Wire, deserialize_by_wire, text_visitor, wire};
use schemars::JsonSchema;
use serde::{Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use std::io::Write as _;
use tongdao_domain::code::Code;
use tongdao_domain::money::{Amount, Currency};
use tongdao_domain::tap::TapDecision;

/// Room for a decision of usual length, in bytes.
const USUAL_BYTES: usize = 512;

/// A stable outcome code, such as `OK` or `INSUFFICIENT`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Outcome(pub Code);

impl Serialize for Outcome {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(self.0.name())
    }
}
impl<'de> Wire<'de> for Outcome {
    const EXPECTED: &'static str = "an outcome code, such as OK or INSUFFICIENT";
    fn read<D: Deserializer<'de>>(source: D, _: &Notes) -> Result<Self, D::Error> {
        source.deserialize_str(text_visitor(|name| Code::ALL.iter().find(|code| code.name() == name).map(|code| Self(*code))))
    }
}
deserialize_by_wire!(Outcome);
impl JsonSchema for Outcome {
    fn schema_name() -> Cow<'static, str> {
        "Outcome".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let names: Vec<&str> = Code::ALL.iter().map(|code| code.name()).collect();
        let numbers: Vec<String> = Code::ALL.iter().map(|code| format!("{} {}", code.name(), code.number())).collect();
        schemars::json_schema!({"type": "string", "enum": names, "description": format!("Numbers for displays: {}", numbers.join(", "))})
    }
}

wire! {
    /// What the rider reads.
    #[derive(Eq)]
    Messages {
        /// In Chinese.
        zh_cn = "zh-CN": Text,
        /// In English.
        en = "en": Text,
    }
}

wire! {
    /// `down/decision`: the answer to a tap.
    #[derive(Eq)]
    Decision {
        /// Boot counter of the gate.
        epoch = "epoch": u64,
        /// The tap's sequence.
        seq = "seq": u64,
        /// What the gate is to do.
        result = "result": Shown,
        /// Why.
        code = "code": Outcome,
        /// The fare of the journey that this exit closed.
        #[serde(skip_serializing_if = "Option::is_none")]
        fare = "fare": Option<Money>,
        /// What is left on the account.
        #[serde(skip_serializing_if = "Option::is_none")]
        balance = "balance": Option<Money>,
        /// The journey this tap belongs to.
        #[serde(skip_serializing_if = "Option::is_none")]
        journey = "journey": Option<Path>,
        /// To be given back with the passage; absent where nothing can pass.
        #[serde(skip_serializing_if = "Option::is_none")]
        reference = "ref": Option<Path>,
        /// When it was decided, by the server's clock.
        decided_at = "decided_at": Time,
        /// A gate ignores the answer after this, by its own clock: the tap's `at` + `deadline_ms`.
        expires_at = "expires_at": Time,
        /// What the rider reads.
        messages = "messages": Messages,
        /// Not sent by this version.
        #[serde(skip_serializing_if = "Option::is_none")]
        signature = "signature": Option<Text>,
    }
}

impl From<&TapDecision> for Decision {
    fn from(decision: &TapDecision) -> Self {
        let money = |amount: Option<Amount>| amount.map(|amount| Money::of(amount, decision.currency));
        Self {
            epoch: decision.tap.epoch,
            seq: decision.tap.seq,
            result: shown(decision.code),
            code: Outcome(decision.code),
            fare: money(decision.fare),
            balance: money(decision.balance),
            journey: decision.journey.as_deref().and_then(Path::new),
            reference: decision.reference.as_ref().and_then(|reference| Path::new(&reference.0)),
            decided_at: decision.decided_at.into(),
            expires_at: decision.expires_at.into(),
            messages: Messages { zh_cn: Text::cut(decision.code.message_zh()), en: Text::cut(decision.code.message_en()) },
            signature: None,
        }
    }
}

const fn shown(code: Code) -> Shown {
    if code.opens() { Shown::Open } else { Shown::Deny }
}

/// Writes a decision at the end of the buffer: byte for byte what encoding [`Decision`] gives.
pub fn encode_decision(decision: &TapDecision, out: &mut Vec<u8>) {
    out.reserve(USUAL_BYTES);
    number(out, b"{\"epoch\":", decision.tap.epoch);
    number(out, b",\"seq\":", decision.tap.seq);
    text(out, b",\"result\":\"", shown(decision.code).name());
    text(out, b",\"code\":\"", decision.code.name());
    money(out, b",\"fare\":", decision.fare, decision.currency);
    money(out, b",\"balance\":", decision.balance, decision.currency);
    path(out, b",\"journey\":\"", decision.journey.as_deref());
    path(out, b",\"ref\":\"", decision.reference.as_ref().map(|reference| reference.0.as_str()));
    out.extend_from_slice(b",\"decided_at\":\"");
    time::write(decision.decided_at, out);
    out.extend_from_slice(b"\",\"expires_at\":\"");
    time::write(decision.expires_at, out);
    text(out, b"\",\"messages\":{\"zh-CN\":\"", decision.code.message_zh());
    text(out, b",\"en\":\"", decision.code.message_en());
    out.extend_from_slice(b"}}");
}

fn number(out: &mut Vec<u8>, key: &[u8], mut n: u64) {
    out.extend_from_slice(key);
    let mut digits = [b'0'; 20];
    let mut first = digits.len() - 1;
    while n >= 10 {
        digits[first] = b'0' + u8::try_from(n % 10).unwrap_or(0);
        n /= 10;
        first -= 1;
    }
    digits[first] = b'0' + u8::try_from(n).unwrap_or(0);
    out.extend_from_slice(&digits[first..]);
}

/// Our own words, which need no escapes.
fn text(out: &mut Vec<u8>, key: &[u8], value: &str) {
    out.extend_from_slice(key);
    out.extend_from_slice(value.as_bytes());
    out.push(b'"');
}

/// Ids joined with `/` need no escapes; anything else is left out, as in the wire type.
fn path(out: &mut Vec<u8>, key: &[u8], value: Option<&str>) {
    if let Some(value) = value.filter(|value| Path::fits(value)) {
        text(out, key, value);
    }
}

fn money(out: &mut Vec<u8>, key: &[u8], amount: Option<Amount>, currency: Currency) {
    if let Some(amount) = amount {
        out.extend_from_slice(key);
        // Writing into a Vec cannot fail.
        let _ = write!(out, "{{\"amount\":\"{amount}\",\"currency\":\"{currency}\"}}");
    }
}
