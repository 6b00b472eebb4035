//! How events, replies and states are written: one version byte, then MessagePack with field names, so that every version
//! ever written stays readable.
use serde::{Serialize, de::DeserializeOwned};
use tongdao_domain::entity::EntityKind;
use tongdao_domain::machine::Event;

/// The version written now.
pub const VERSION: u8 = 1;

/// Bytes that are no value of the wanted kind.
#[derive(Debug, thiserror::Error)]
pub enum CodecError {
    /// The first byte names a version that this program does not know.
    #[error("written by encoding version {0}, this program reads up to {VERSION}")]
    Version(u8),
    /// Nothing there.
    #[error("empty value")]
    Empty,
    /// The bytes do not hold what was expected.
    #[error("undecodable value")]
    Decode(#[from] rmp_serde::decode::Error),
    /// The value cannot be written.
    #[error("unencodable value")]
    Encode(#[from] rmp_serde::encode::Error),
}

/// Writes a value.
///
/// # Errors
/// [`CodecError::Encode`] where the value has a shape that MessagePack has not.
pub fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>, CodecError> {
    let mut bytes = Vec::with_capacity(128);
    bytes.push(VERSION);
    value.serialize(&mut rmp_serde::Serializer::new(&mut bytes).with_struct_map())?;
    Ok(bytes)
}

/// Reads a value of any version ever written.
///
/// # Errors
/// [`CodecError`] says what is wrong with the bytes.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, CodecError> {
    match bytes.split_first() {
        None => Err(CodecError::Empty),
        Some((&VERSION, rest)) => Ok(rmp_serde::from_slice(rest)?),
        Some((&version, _)) => Err(CodecError::Version(version)),
    }
}

/// Reads an event of an entity of that kind.
///
/// # Errors
/// [`CodecError`] says what is wrong with the bytes.
pub fn decode_event(kind: EntityKind, bytes: &[u8]) -> Result<Event, CodecError> {
    Ok(match kind {
        EntityKind::Account => Event::Account(decode(bytes)?),
        EntityKind::Gate => Event::Gate(decode(bytes)?),
        EntityKind::Station => Event::Station(decode(bytes)?),
        EntityKind::Medium => Event::Medium(decode(bytes)?),
        EntityKind::Device => Event::Device(decode(bytes)?),
        EntityKind::Audit => Event::Audit(decode(bytes)?),
        EntityKind::User => Event::User(decode(bytes)?),
        EntityKind::Alarm => Event::Alarm(decode(bytes)?),
        EntityKind::Approval => Event::Approval(decode(bytes)?),
        EntityKind::DenyList => Event::Deny(decode(bytes)?),
        EntityKind::Doubtful => Event::Doubtful(decode(bytes)?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use tongdao_domain::account;
    use tongdao_domain::device::By;
    use tongdao_domain::id::UserId;

    #[test]
    fn what_was_written_is_read_and_nonsense_is_told() {
        let bytes = encode(&vec![1_u8, 2]).expect("encodable");
        assert_eq!(bytes[0], VERSION);
        assert_eq!(decode::<Vec<u8>>(&bytes).expect("decodable"), [1, 2]);
        assert!(matches!(decode::<Vec<u8>>(&[]), Err(CodecError::Empty)));
        assert!(matches!(decode::<Vec<u8>>(&[9, 1]), Err(CodecError::Version(9))));
        assert!(matches!(decode::<String>(&bytes), Err(CodecError::Decode(_))));
    }

    #[test]
    fn events_are_read_by_the_kind_of_their_entity() {
        let frozen = account::Event::Frozen { by: By { user: UserId::new("ops").expect("an id"), reason: "lost".into() } };
        let bytes = encode(&frozen).expect("encodable");
        assert_eq!(decode_event(EntityKind::Account, &bytes).expect("decodable"), Event::Account(frozen));
        assert!(decode_event(EntityKind::Station, &bytes).is_err());
    }
}
