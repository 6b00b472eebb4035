//! How a console's JSON is read: unknown fields, names that stand twice and deep nesting are errors, and an error names the
//! field, never a value.
use crate::payload::{Notes, PayloadError};
use crate::wire::{Name, Wire, deserialize_by_wire};
use schemars::JsonSchema;
use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::fmt;

/// Objects and lists within one another, at most.
pub const DEPTH_MAX: usize = 16;

/// A field that cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {problem}")]
pub struct BadArgs {
    /// Its path; empty = the whole.
    pub field: String,
    /// What is wrong.
    pub problem: Problem,
}

/// What is wrong with a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// It is not there.
    #[error("missing; send {0}")]
    Missing(&'static str),
    /// It holds something else.
    #[error("must be {0}")]
    Bad(&'static str),
    /// Nobody knows it.
    #[error("unknown; leave it out")]
    Unknown,
    /// It stands twice.
    #[error("stands twice")]
    Twice,
}

impl Problem {
    /// Its name in the parameters of an error.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Missing(_) => "missing",
            Self::Bad(_) => "bad",
            Self::Unknown => "unknown",
            Self::Twice => "twice",
        }
    }
    /// What the field must be, where that helps.
    #[must_use]
    pub const fn expected(self) -> Option<&'static str> {
        match self {
            Self::Missing(expected) | Self::Bad(expected) => Some(expected),
            Self::Unknown | Self::Twice => None,
        }
    }
}

impl BadArgs {
    /// A field whose content makes no sense.
    #[must_use]
    pub fn bad(field: impl Into<String>, expected: &'static str) -> Self {
        Self { field: field.into(), problem: Problem::Bad(expected) }
    }
    /// A field that is not there.
    #[must_use]
    pub fn missing(field: impl Into<String>, expected: &'static str) -> Self {
        Self { field: field.into(), problem: Problem::Missing(expected) }
    }
    fn unknown(field: impl Into<String>) -> Self {
        Self { field: field.into(), problem: Problem::Unknown }
    }
}

impl From<PayloadError> for BadArgs {
    fn from(error: PayloadError) -> Self {
        match error {
            PayloadError::Missing { field, expected } => Self::missing(field, expected),
            PayloadError::Bad { field, expected } => Self::bad(field, expected),
            PayloadError::Twice { field } => Self { field, problem: Problem::Twice },
            PayloadError::Unknown { field } => Self::unknown(field),
            PayloadError::ManyUnknown => Self::unknown("?"),
            PayloadError::TooLarge { .. } => Self::bad("", "at most 65536 bytes"),
            PayloadError::Malformed { .. } => Self::bad("", "JSON in UTF-8 and nothing after it"),
            PayloadError::NoObject => Self::bad("", "a JSON object"),
        }
    }
}

/// Any JSON whose names stand once and whose nesting is bounded.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Json(pub Value);

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(out)
    }
}
impl<'de> Wire<'de> for Json {
    const EXPECTED: &'static str = "JSON with each name once, at most 16 levels deep";
    fn read<D: Deserializer<'de>>(source: D, _: &Notes) -> Result<Self, D::Error> {
        Level(DEPTH_MAX).deserialize(source).map(Self)
    }
}
deserialize_by_wire!(Json);
impl JsonSchema for Json {
    fn schema_name() -> Cow<'static, str> {
        "Json".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"description": "Any JSON."})
    }
}

/// So many levels are left.
#[derive(Clone, Copy)]
struct Level(usize);

impl<'de> DeserializeSeed<'de> for Level {
    type Value = Value;
    fn deserialize<D: Deserializer<'de>>(self, source: D) -> Result<Value, D::Error> {
        source.deserialize_any(self)
    }
}
impl Level {
    fn deeper<E: serde::de::Error>(self) -> Result<Self, E> {
        self.0.checked_sub(1).map(Self).ok_or_else(|| E::custom("too deep"))
    }
}
impl<'de> Visitor<'de> for Level {
    type Value = Value;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }
    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_bool<E>(self, yes: bool) -> Result<Value, E> {
        Ok(yes.into())
    }
    fn visit_i64<E>(self, n: i64) -> Result<Value, E> {
        Ok(n.into())
    }
    fn visit_u64<E>(self, n: u64) -> Result<Value, E> {
        Ok(n.into())
    }
    fn visit_f64<E>(self, n: f64) -> Result<Value, E> {
        Ok(n.into())
    }
    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(text.into())
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let deeper = self.deeper()?;
        let mut items = Vec::new();
        while let Some(item) = list.next_element_seed(deeper)? {
            items.push(item);
        }
        Ok(items.into())
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let deeper = self.deeper()?;
        let mut fields = Map::new();
        while let Some(name) = map.next_key_seed(Name)? {
            let value = map.next_value_seed(deeper)?;
            if fields.insert(name.into_owned(), value).is_some() {
                return Err(A::Error::custom("twice"));
            }
        }
        Ok(fields.into())
    }
}

/// Reads a wire type out of JSON that was read before; unknown fields are errors.
///
/// # Errors
/// [`BadArgs`] names the first field that cannot be taken.
pub fn from_value<T: for<'de> Wire<'de>>(value: &Value) -> Result<T, BadArgs> {
    let notes = Notes::default();
    match T::read(value, &notes) {
        Ok(read) => notes.first_unknown().map_or(Ok(read), |name| Err(BadArgs::unknown(name))),
        Err(error) => Err(notes.refusal(&error).into()),
    }
}

/// Reads JSON of a console.
///
/// # Errors
/// [`BadArgs`] with an empty path where the text is too large, no JSON, too deep, or has a name twice.
pub fn json(text: &[u8]) -> Result<Value, BadArgs> {
    if text.len() > super::MESSAGE_BYTES_MAX {
        return Err(PayloadError::TooLarge { length: text.len() }.into());
    }
    let mut source = serde_json::Deserializer::from_slice(text);
    let read = Json::deserialize(&mut source).and_then(|json| source.end().map(|()| json.0));
    read.map_err(|error| match error.classify() {
        serde_json::error::Category::Data => BadArgs::bad("", Json::EXPECTED),
        _ => PayloadError::Malformed { line: error.line(), column: error.column() }.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::Ack;
    use proptest::prelude::*;

    fn told(text: &str) -> String {
        json(text.as_bytes()).and_then(|value| from_value::<Ack>(&value)).expect_err(text).to_string()
    }

    #[test]
    fn a_field_is_named_and_an_unknown_one_is_an_error() {
        let ack = |extra: &str| format!(r#"{{"id":"c","result":"done","at":"2026-03-02T08:00:00Z"{extra}}}"#);
        assert!(json(ack("").as_bytes()).and_then(|value| from_value::<Ack>(&value)).is_ok());
        assert_eq!(told(&ack(r#","lux":1"#)), "lux: unknown; leave it out");
        assert_eq!(told(&ack(r#","photo":{}"#)), "photo: unknown; leave it out");
        assert_eq!(told(&ack(r#","card6217":1"#)), "?: unknown; leave it out");
        assert_eq!(told(r#"{"id":"c"}"#), "result: missing; send one of done failed expired unsupported");
        assert_eq!(told(&ack("").replace("done", "over")), "result: must be one of done failed expired unsupported");
        assert_eq!(told("7"), ": must be a JSON object");
    }

    #[test]
    fn bombs_are_refused() {
        let deep = |levels: usize| format!("{}1{}", "[".repeat(levels), "]".repeat(levels));
        assert!(json(deep(DEPTH_MAX).as_bytes()).is_ok());
        for bad in [deep(DEPTH_MAX + 1), r#"{"a":1,"a":2}"#.into(), r#"{"b":[{"a":1,"\u0061":2}]}"#.into()] {
            assert_eq!(json(bad.as_bytes()), Err(BadArgs::bad("", Json::EXPECTED)), "{bad}");
        }
        assert!(json(" ".repeat(crate::console::MESSAGE_BYTES_MAX + 1).as_bytes()).is_err());
        for bad in ["", "{", "{}{}", "\u{fffd}", "nan", "[1,]"] {
            assert_eq!(json(bad.as_bytes()), Err(BadArgs::bad("", "JSON in UTF-8 and nothing after it")), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn what_is_read_is_what_serde_reads(text in r#"[\[\]{}:,"a-c0-9.\-etruflsn ]{0,24}"#) {
            if let Ok(value) = json(text.as_bytes()) {
                prop_assert_eq!(value, serde_json::from_str::<Value>(&text).expect("JSON"));
            }
        }
    }
}
