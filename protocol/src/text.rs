//! Bounded texts on the wire. Every text a device can send has a limit and, where it is an id, an alphabet.
use crate::payload::Notes;
use crate::wire::{Wire, deserialize_by_wire, text_visitor};
use compact_str::CompactString;
use schemars::JsonSchema;
use serde::{Deserializer, Serialize};
use std::borrow::Cow;
use tongdao_domain::id::{COMMAND_ID_BYTES_MAX, CommandId, DeviceId};

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
fn is_graphic(text: &str) -> bool {
    !text.is_empty() && text.len() <= 256 && text.bytes().all(|b| b.is_ascii_graphic())
}

text! {
    /// An identifier.
    Id, 64, "an id of 1 to 64 characters A-Z a-z 0-9 . _ -", "^[A-Za-z0-9._-]{1,64}$", is_id;
    /// Ids joined with `/`: a command id, a reference.
    Path, 256, "ids of A-Z a-z 0-9 . _ - joined with / (at most 256 characters)", "^[A-Za-z0-9._-]{1,64}(/[A-Za-z0-9._-]{1,64})*$",
        |text| text.len() <= COMMAND_ID_BYTES_MAX && CommandId::new(text).is_ok();
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
