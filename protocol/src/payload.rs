//! A device's payload: what is refused and why. The reasons never quote a value, because a value may be what must not be
//! written down (a card number, a picture); they name the field and the way out.
use crate::wire::{Seed, Wire};
use compact_str::CompactString;
use smallvec::SmallVec;
use std::cell::RefCell;

/// Longest payload, in bytes.
pub const PAYLOAD_BYTES_MAX: usize = 64 * 1024;
/// Longest text in an unknown field that is still ignored, in characters.
pub const UNKNOWN_TEXT_CHARS_MAX: usize = 128;
/// Unknown fields that are ignored in one payload, at most.
pub const UNKNOWN_FIELDS_MAX: usize = 32;

/// A payload that was understood.
#[derive(Debug, Clone, PartialEq)]
pub struct Decoded<T> {
    /// What it says.
    pub message: T,
    /// Names of the fields that nobody knows here: ignored, to be counted. A name that could hold data reads `?`.
    pub unknown: SmallVec<[CompactString; 1]>,
}

/// Why a payload is refused. Safe to log: it quotes no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PayloadError {
    /// More than [`PAYLOAD_BYTES_MAX`].
    #[error("the payload has {length} bytes: send at most 65536")]
    TooLarge {
        /// Its length in bytes.
        length: usize,
    },
    /// No JSON.
    #[error("not valid JSON at line {line} column {column}: send one JSON object in UTF-8 and nothing after it")]
    Malformed {
        /// Where.
        line: usize,
        /// Where.
        column: usize,
    },
    /// JSON, but no object.
    #[error("the payload is no JSON object: send one object with the fields of this message")]
    NoObject,
    /// A field is not there.
    #[error("field `{field}` is missing: send {expected}")]
    Missing {
        /// Its path.
        field: String,
        /// What it must be.
        expected: &'static str,
    },
    /// A field holds something else.
    #[error("field `{field}` must be {expected}")]
    Bad {
        /// Its path.
        field: String,
        /// What it must be.
        expected: &'static str,
    },
    /// A field stands twice.
    #[error("field `{field}` stands twice: send each field once")]
    Twice {
        /// Its path.
        field: String,
    },
    /// An unknown field that could carry an image or a template.
    #[error("unknown field `{field}` holds more than a number, a boolean or 128 characters: leave it out")]
    Unknown {
        /// Its path; `?` where the name itself could hold data.
        field: String,
    },
    /// More than [`UNKNOWN_FIELDS_MAX`] unknown fields.
    #[error("more than 32 unknown fields: send only the fields of this message")]
    ManyUnknown,
}

impl PayloadError {
    /// The stable code for dead letters and the audit.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "payload_too_large",
            Self::Malformed { .. } => "malformed_json",
            Self::NoObject => "no_object",
            Self::Missing { .. } => "missing_field",
            Self::Bad { .. } => "bad_field",
            Self::Twice { .. } => "duplicate_field",
            Self::Unknown { .. } | Self::ManyUnknown => "unknown_field",
        }
    }
    /// A field whose content makes no sense for its message.
    #[must_use]
    pub fn bad(field: impl Into<String>, expected: &'static str) -> Self {
        Self::Bad { field: field.into(), expected }
    }
}

/// Reads a payload.
///
/// # Errors
/// [`PayloadError`] when it is too large, no JSON object, lacks a field, holds one that makes no sense or stands twice, or
/// holds an unknown one that is more than a number, a boolean or a short text.
pub fn decode<'de, T: Wire<'de>>(bytes: &'de [u8]) -> Result<Decoded<T>, PayloadError> {
    if bytes.len() > PAYLOAD_BYTES_MAX {
        return Err(PayloadError::TooLarge { length: bytes.len() });
    }
    let notes = Notes::default();
    let mut source = serde_json::Deserializer::from_slice(bytes);
    let read = serde::de::DeserializeSeed::deserialize(Seed::<T>::new(&notes), &mut source);
    match read.and_then(|message| source.end().map(|()| message)) {
        Ok(message) => Ok(Decoded { message, unknown: notes.0.into_inner().unknown }),
        Err(error) => Err(notes.refusal(&error)),
    }
}

/// Writes a payload.
///
/// # Panics
/// Never: a wire type has only text keys and cannot fail to encode.
#[must_use]
pub fn encode<T: serde::Serialize>(message: &T) -> Vec<u8> {
    serde_json::to_vec(message).unwrap_or_default()
}

/// What is noticed while a payload is read.
#[derive(Debug, Default)]
pub struct Notes(RefCell<Noticed>);

#[derive(Debug, Default)]
struct Noticed {
    unknown: SmallVec<[CompactString; 1]>,
    fault: Option<PayloadError>,
}

impl Notes {
    /// An unknown field was met; `false` when there are too many.
    pub(crate) fn unknown(&self, name: &str) -> bool {
        let mut noticed = self.0.borrow_mut();
        let room = noticed.unknown.len() < UNKNOWN_FIELDS_MAX;
        if room {
            noticed.unknown.push(harmless(name));
        } else {
            noticed.fault = Some(PayloadError::ManyUnknown);
        }
        room
    }
    /// Why reading stops; the first reason stays.
    pub(crate) fn blame(&self, fault: PayloadError) {
        self.0.borrow_mut().fault.get_or_insert(fault);
    }
    /// Reading a field failed: the reason names it, and what it stands in.
    pub(crate) fn inside(&self, outer: &str, expected: &'static str) {
        let mut noticed = self.0.borrow_mut();
        match &mut noticed.fault {
            None => noticed.fault = Some(PayloadError::bad(outer, expected)),
            Some(
                PayloadError::Missing { field, .. }
                | PayloadError::Bad { field, .. }
                | PayloadError::Twice { field }
                | PayloadError::Unknown { field },
            ) => *field = if field.starts_with('[') { format!("{outer}{field}") } else { format!("{outer}.{field}") },
            Some(_) => {}
        }
    }
    /// The first field that nobody knows.
    pub(crate) fn first_unknown(&self) -> Option<CompactString> {
        self.0.borrow().unknown.first().cloned()
    }
    /// Why it was not read.
    pub(crate) fn refusal(self, error: &serde_json::Error) -> PayloadError {
        use serde_json::error::Category;
        match error.classify() {
            Category::Data => self.0.into_inner().fault.unwrap_or(PayloadError::NoObject),
            _ => PayloadError::Malformed { line: error.line(), column: error.column() },
        }
    }
}

/// A field name that may be written down: letters and `_` only, so that it cannot hold a number or a picture.
pub(crate) fn harmless(name: &str) -> CompactString {
    let plain = name.len() <= 40 && name.bytes().all(|b| b.is_ascii_alphabetic() || b == b'_');
    CompactString::new(if plain && !name.is_empty() { name } else { "?" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::Ack;

    fn code(text: &str) -> &'static str {
        decode::<Ack>(text.as_bytes()).expect_err(text).code()
    }

    #[test]
    fn every_refusal_has_a_stable_code() {
        let ack = |extra: &str| format!(r#"{{"id":"c","result":"done","at":"2026-03-02T08:00:00Z"{extra}}}"#);
        let many: String = (0..=UNKNOWN_FIELDS_MAX).map(|n| format!(",\"f{n}\":1")).collect();
        let cases = [
            (" ".repeat(PAYLOAD_BYTES_MAX + 1), "payload_too_large"),
            ("{".to_owned(), "malformed_json"),
            (ack("") + "}", "malformed_json"),
            ("7".to_owned(), "no_object"),
            (r#"{"id":"c"}"#.to_owned(), "missing_field"),
            (ack("").replace("done", "over"), "bad_field"),
            (ack(r#","id":"d""#), "duplicate_field"),
            (ack(r#","photo":[]"#), "unknown_field"),
            (ack(&many), "unknown_field"),
        ];
        for (text, expected) in cases {
            assert_eq!(code(&text), expected, "{}", &text[..text.len().min(200)]);
        }
        assert_eq!(PayloadError::bad("records", "short").code(), "bad_field");
    }

    #[test]
    fn a_name_is_repeated_only_if_it_can_hold_no_data() {
        for name in ["lux", "Front_Door", "x"] {
            assert_eq!(harmless(name), name);
        }
        let long = "a".repeat(41);
        for name in ["", "card6217", "a b", "a.b", "图", long.as_str(), "a-b"] {
            assert_eq!(harmless(name), "?", "{name}");
        }
    }

    #[test]
    fn unknown_fields_of_all_objects_count_together() {
        let versions =
            r#"{"online":true,"service":"both","firmware":"1","versions":{},"faults":[],"at":"2026-03-02T08:00:00Z","a":1,"b":"x"}"#;
        let read = decode::<crate::device::State>(versions.as_bytes()).expect("good");
        assert_eq!(read.unknown.as_slice(), ["a", "b"]);
    }
}
