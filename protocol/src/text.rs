//! Bounded texts on the wire. Every text a device can send has a limit and, where it is an id, an alphabet.
use crate::card;
use crate::payload::Notes;
use crate::wire::{Wire, deserialize_by_wire, text_visitor};
use compact_str::CompactString;
use schemars::JsonSchema;
use serde::{Deserializer, Serialize};
use std::borrow::Cow;
use tongdao_domain::id::{AccountId, COMMAND_ID_BYTES_MAX, CommandId, DeviceId, ID_BYTES_MAX, SiteId, StationId, Token, UserId};

/// Longest word in what a person says, where it is no Chinese sentence: longer ones are pictures or keys.
const WORD_MAX: usize = 128;

macro_rules! text {
    ($($(#[$doc:meta])* $name:ident, $limit:literal, $expected:literal, $pattern:literal, $fits:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize)]
        #[serde(transparent)]
        pub struct $name(CompactString);

        impl $name {
            /// Checks and wraps the text; `None` where it does not fit.
            #[must_use]
            pub fn new(text: &str) -> Option<Self> {
                Self::fits(text).then(|| Self(CompactString::new(text)))
            }
            /// Would the text fit?
            #[must_use]
            pub fn fits(text: &str) -> bool {
                let fits: fn(&str) -> bool = $fits;
                fits(text)
            }
            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
            /// The text, taken out.
            #[must_use]
            pub fn into_inner(self) -> CompactString {
                self.0
            }
        }
        impl<'de> Wire<'de> for $name {
            const EXPECTED: &'static str = $expected;
            fn read<D: Deserializer<'de>>(source: D, _: &Notes) -> Result<Self, D::Error> {
                source.deserialize_str(text_visitor(Self::new))
            }
        }
        deserialize_by_wire!($name);
        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({"type": "string", "pattern": $pattern, "maxLength": $limit})
            }
        }
    )*};
}

fn is_id(text: &str) -> bool {
    DeviceId::new(text).is_ok()
}
/// Whatever [`CommandId::new`] takes, in one pass: it is looked at twice for each decision.
fn is_path(text: &str) -> bool {
    let mut part = 0;
    let fits = text.bytes().all(|byte| match byte {
        b'/' => std::mem::take(&mut part) > 0,
        b'.' | b'_' | b'-' => {
            part += 1;
            part <= ID_BYTES_MAX
        }
        _ => {
            part += 1;
            part <= ID_BYTES_MAX && byte.is_ascii_alphanumeric()
        }
    });
    fits && part > 0 && text.len() <= COMMAND_ID_BYTES_MAX
}
fn is_graphic(text: &str) -> bool {
    !text.is_empty() && text.len() <= 256 && text.bytes().all(|b| b.is_ascii_graphic())
}
fn is_name(text: &str) -> bool {
    (1..=128).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
}
fn is_digest(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

text! {
    /// An identifier.
    Id, 64, "an id of 1 to 64 characters A-Z a-z 0-9 . _ -", "^[A-Za-z0-9._-]{1,64}$", is_id;
    /// Ids joined with `/`: a command id, a reference.
    Path, 256, "ids of A-Z a-z 0-9 . _ - joined with / (at most 256 characters)", "^[A-Za-z0-9._-]{1,64}(/[A-Za-z0-9._-]{1,64})*$",
        is_path;
    /// What a medium shows: printable ASCII without spaces.
    Code, 256, "1 to 256 printable ASCII characters without spaces", "^[!-~]{1,256}$", is_graphic;
    /// The name of an alarm: its code and its source joined with a dot.
    Name, 128, "1 to 128 characters A-Z a-z 0-9 . _ -", "^[A-Za-z0-9._-]{1,128}$", is_name;
    /// SHA-256 in lower-case hexadecimal.
    Digest, 64, "SHA-256 as 64 digits 0-9 a-f", "^[0-9a-f]{64}$", is_digest;
    /// Why a person does something.
    Reason, 256, "a reason of 1 to 256 characters that is not blank, without a card number or a picture", "^(?=[\\s\\S]*\\S)[\\s\\S]{1,256}$",
        |text| Note::fits(text) && !text.trim().is_empty();
    /// What a person says beside: words, never a card number, and nothing that could be a picture.
    Note, 256, "a text of at most 256 characters, without a card number or a picture", "^[\\s\\S]{0,256}$",
        |text| Text::fits(text) && !card::stands_in(text) && text.split_whitespace().all(|word| !word.is_ascii() || word.len() <= WORD_MAX);
    /// Free text of a person or a device.
    Text, 256, "a text of at most 256 characters", "^[\\s\\S]{0,256}$", |text| text.chars().nth(256).is_none();
}

impl From<Path> for CommandId {
    fn from(path: Path) -> Self {
        Self::of(format_args!("{}", path.as_str()))
    }
}
impl From<&CommandId> for Path {
    fn from(id: &CommandId) -> Self {
        Self(CompactString::new(id.as_str()))
    }
}

/// A domain's identifier is read as it is, and is an [`Id`] where only the wire is meant.
macro_rules! domain_ids {
    ($($id:ty),*) => {$(
        impl<'de> Wire<'de> for $id {
            const EXPECTED: &'static str = <Id as Wire<'static>>::EXPECTED;
            fn read<D: Deserializer<'de>>(source: D, _: &Notes) -> Result<Self, D::Error> {
                source.deserialize_str(text_visitor(|text| Self::new(text).ok()))
            }
        }
        impl From<&$id> for Id {
            fn from(id: &$id) -> Self {
                Self(CompactString::new(id.as_str()))
            }
        }
    )*};
}
domain_ids!(AccountId, DeviceId, SiteId, StationId, Token, UserId);

impl From<Reason> for CompactString {
    fn from(reason: Reason) -> Self {
        reason.0
    }
}

impl Text {
    /// The text, cut to the limit.
    #[must_use]
    pub fn cut(text: &str) -> Self {
        Self(text.chars().take(256).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn texts_have_limits_in_characters_and_codes_in_ascii() {
        assert!(Text::fits(&"图".repeat(256)) && !Text::fits(&"图".repeat(257)));
        assert_eq!(Text::cut(&"图".repeat(300)).as_str().chars().count(), 256);
        assert!(Code::fits("t1.1772438400.c2ln+/=") && !Code::fits("") && !Code::fits("a b") && !Code::fits("图"));
        assert!(Id::fits("g-1_a.b") && !Id::fits("g/1") && !Id::fits(&"g".repeat(65)));
        assert!(Name::fits("gates_offline.tianfu") && !Name::fits("") && !Name::fits(&"g".repeat(129)) && !Name::fits("a/b"));
        assert!(Digest::fits(&"0a".repeat(32)) && !Digest::fits(&"0A".repeat(32)) && !Digest::fits("0a"));
        assert!(!Note::fits(&format!("see {}", "iVBORw0KGgo".repeat(12))) && Note::fits(&"图".repeat(256)));
        assert!(Note::fits("") && Note::fits("图") && !Note::fits("4111111111111111") && !Reason::fits("card 4111 1111 1111 1111"));
        assert!(Reason::fits("图") && !Reason::fits(" \n") && !Reason::fits("") && !Reason::fits(&"图".repeat(257)));
    }

    #[test]
    fn an_id_of_the_wire_is_any_id_of_the_domain() {
        let device = DeviceId::new("g-1_a.b").expect("an id");
        assert_eq!(Id::from(&device).as_str(), device.as_str());
        assert_eq!(crate::console::strict::from_value::<DeviceId>(&"g-1_a.b".into()), Ok(device));
        assert!(crate::console::strict::from_value::<DeviceId>(&"g/1".into()).is_err());
    }

    proptest! {
        #[test]
        fn a_path_is_what_a_command_id_is(text in "[a-zA-Z0-9._/ é-]{0,70}(/[a-z]{60,70}){0,4}") {
            prop_assert_eq!(Path::fits(&text), CommandId::new(&text).is_ok());
        }
    }
}
