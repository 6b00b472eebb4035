//! Bounded texts on the wire. Every text a device can send has a limit and, where it is an id, an alphabet.
use crate::payload::Notes;
use crate::wire::{Wire, deserialize_by_wire, text_visitor};
use compact_str::CompactString;
use schemars::JsonSchema;
use serde::{Deserializer, Serialize};
use std::borrow::Cow;
use tongdao_domain::id::{COMMAND_ID_BYTES_MAX, CommandId, DeviceId, ID_BYTES_MAX};

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

text! {
    /// An identifier.
    Id, 64, "an id of 1 to 64 characters A-Z a-z 0-9 . _ -", "^[A-Za-z0-9._-]{1,64}$", is_id;
    /// Ids joined with `/`: a command id, a reference.
    Path, 256, "ids of A-Z a-z 0-9 . _ - joined with / (at most 256 characters)", "^[A-Za-z0-9._-]{1,64}(/[A-Za-z0-9._-]{1,64})*$",
        is_path;
    /// What a medium shows: printable ASCII without spaces.
    Code, 256, "1 to 256 printable ASCII characters without spaces", "^[!-~]{1,256}$", is_graphic;
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
    }

    proptest! {
        #[test]
        fn a_path_is_what_a_command_id_is(text in "[a-zA-Z0-9._/ é-]{0,70}(/[a-z]{60,70}){0,4}") {
            prop_assert_eq!(Path::fits(&text), CommandId::new(&text).is_ok());
        }
    }
}
