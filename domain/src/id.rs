//! Identifiers: short strings of `[A-Za-z0-9._-]{1,64}`, checked once at the edge and trusted afterwards.
use compact_str::CompactString;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Longest identifier, in bytes.
pub const ID_BYTES_MAX: usize = 64;
/// Longest command id, in bytes (ids joined with `/`).
pub const COMMAND_ID_BYTES_MAX: usize = 256;

/// Why a string is no identifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// The string is empty.
    #[error("an id must not be empty")]
    Empty,
    /// The string is longer than the limit.
    #[error("an id has at most {limit} characters, this one has {length}")]
    TooLong {
        /// Its length in bytes.
        length: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// A character that no identifier may hold.
    #[error("an id holds only letters, digits, '.', '_' and '-', not {0:?}")]
    Character(char),
}

fn check(text: &str) -> Result<(), IdError> {
    if text.is_empty() {
        return Err(IdError::Empty);
    }
    if text.len() > ID_BYTES_MAX {
        return Err(IdError::TooLong { length: text.len(), limit: ID_BYTES_MAX });
    }
    match text.chars().find(|c| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))) {
        Some(c) => Err(IdError::Character(c)),
        None => Ok(()),
    }
}

macro_rules! id {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "CompactString", into = "CompactString")]
        pub struct $name(CompactString);

        impl $name {
            /// Checks and wraps the string.
            ///
            /// # Errors
            /// [`IdError`] when it is empty, longer than 64 bytes or holds another character than `[A-Za-z0-9._-]`.
            pub fn new(text: impl AsRef<str>) -> Result<Self, IdError> {
                check(text.as_ref())?;
                Ok(Self(CompactString::new(text.as_ref())))
            }
            /// The identifier as it goes over the wire.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
        impl TryFrom<CompactString> for $name {
            type Error = IdError;
            fn try_from(text: CompactString) -> Result<Self, IdError> {
                check(&text)?;
                Ok(Self(text))
            }
        }
        impl From<$name> for CompactString {
            fn from(id: $name) -> CompactString {
                id.0
            }
        }
        impl std::str::FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                Self::new(text)
            }
        }
    )*};
}

id! {
    /// A device: gate, kiosk, robot or display; also its MQTT client id.
    DeviceId,
    /// A site: one city's network or one group of branches; a topic level.
    SiteId,
    /// A station of a transit network.
    StationId,
    /// A travel account.
    AccountId,
    /// A medium: a keyed hash, never a card number and never a face.
    Token,
    /// A fare table (`config/fares/{id}.toml`).
    FareTableId,
    /// A member of staff, by user id only.
    UserId,
    /// A token of a program; the last part of its value's name.
    TokenId,
}

/// The id of a command: ids joined with `/`, at most 256 bytes; the key of idempotence.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CommandId(CompactString);

impl CommandId {
    /// Checks and wraps the string.
    ///
    /// # Errors
    /// [`IdError`] when it is empty, longer than 256 bytes, or one of its parts holds a foreign character.
    pub fn new(text: impl AsRef<str>) -> Result<Self, IdError> {
        let text = text.as_ref();
        if text.len() > COMMAND_ID_BYTES_MAX {
            return Err(IdError::TooLong { length: text.len(), limit: COMMAND_ID_BYTES_MAX });
        }
        text.split('/').try_for_each(check)?;
        Ok(Self(CompactString::new(text)))
    }
    /// Made by us from parts that are identifiers already.
    #[must_use]
    pub fn of(parts: fmt::Arguments<'_>) -> Self {
        use fmt::Write as _;
        let mut text = CompactString::const_new("");
        let _ = text.write_fmt(parts);
        debug_assert!(text.len() <= COMMAND_ID_BYTES_MAX, "command id too long: {text}");
        Self(text)
    }
    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
impl fmt::Display for CommandId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl fmt::Debug for CommandId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The identity of one tap for ever: device, boot counter, sequence within the boot.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TapId {
    /// The gate that saw the medium.
    pub device: DeviceId,
    /// Its boot counter.
    pub epoch: u64,
    /// +1 per tap without gaps within an epoch.
    pub seq: u64,
}

impl TapId {
    /// `tap/{device}/{epoch}/{seq}`: the live request for a decision.
    #[must_use]
    pub fn tap_command(&self) -> CommandId {
        CommandId::of(format_args!("tap/{self}"))
    }
    /// `passage/{device}/{epoch}/{seq}`: the report of what the rider did.
    #[must_use]
    pub fn passage_command(&self) -> CommandId {
        CommandId::of(format_args!("passage/{self}"))
    }
    /// `record/{device}/{epoch}/{seq}`: the gate's own account of the tap.
    #[must_use]
    pub fn record_command(&self) -> CommandId {
        CommandId::of(format_args!("record/{self}"))
    }
}
impl fmt::Display for TapId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.device, self.epoch, self.seq)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_hold_only_what_a_topic_level_may_hold() {
        assert!(DeviceId::new("gate-1.A_9").is_ok());
        assert_eq!(DeviceId::new(""), Err(IdError::Empty));
        assert_eq!(DeviceId::new("a/b"), Err(IdError::Character('/')));
        assert_eq!(DeviceId::new("门"), Err(IdError::Character('门')));
        assert!(matches!(DeviceId::new("x".repeat(65)), Err(IdError::TooLong { length: 65, limit: 64 })));
    }

    #[test]
    fn command_ids_join_ids_with_slashes() {
        let tap = TapId { device: DeviceId::new("g1").expect("an id"), epoch: 7, seq: 42 };
        assert_eq!(tap.tap_command().as_str(), "tap/g1/7/42");
        assert_eq!(tap.record_command().as_str(), "record/g1/7/42");
        assert!(CommandId::new("a//b").is_err());
        assert!(CommandId::new("tap/g1/7/42").is_ok());
    }
}
