//! How events, replies and states are written: one version byte, then MessagePack with field names, so that every version
//! ever written stays readable.
use serde::{Serialize, de::DeserializeOwned};

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
