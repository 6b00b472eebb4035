//! The hash of a list: SHA-256 of its tokens in the order of their bytes, each followed by a line feed. An empty list is the
//! hash of nothing. The full list over HTTP is these very bytes, so `sha256sum` says the same.
use crate::id::Token;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt;

/// SHA-256 of a list.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ListHash(#[serde(with = "bytes")] pub [u8; 32]);

impl fmt::Display for ListHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
impl fmt::Debug for ListHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The hash of tokens that come in order.
pub fn hash_of<'a>(sorted: impl IntoIterator<Item = &'a Token>) -> ListHash {
    // Whole blocks at a time: a token alone is shorter than one, and a list has a hundred thousand of them.
    let (mut hash, mut buffer) = (Sha256::new(), Vec::with_capacity(8 * 1024));
    for token in sorted {
        buffer.extend_from_slice(token.as_str().as_bytes());
        buffer.push(b'\n');
        if buffer.len() > 7 * 1024 {
            hash.update(&buffer);
            buffer.clear();
        }
    }
    hash.update(&buffer);
    ListHash(hash.finalize().into())
}

/// As bytes where the format has them: 32 and a few, not 64.
mod bytes {
    use serde::de::{Error, SeqAccess, Visitor};
    use serde::{Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(hash: &[u8; 32], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(hash)
    }
    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<[u8; 32], D::Error> {
        struct Bytes;
        impl<'de> Visitor<'de> for Bytes {
            type Value = [u8; 32];
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("32 bytes")
            }
            fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<[u8; 32], E> {
                bytes.try_into().map_err(|_| E::invalid_length(bytes.len(), &self))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<[u8; 32], A::Error> {
                let mut hash = [0; 32];
                for (place, byte) in hash.iter_mut().enumerate() {
                    *byte = sequence.next_element()?.ok_or_else(|| A::Error::invalid_length(place, &self))?;
                }
                Ok(hash)
            }
        }
        deserializer.deserialize_bytes(Bytes)
    }
}
