//! What the journal knows of an entity beside its events: newest commit, deadline, which events no state covers yet.
use smallvec::SmallVec;
use tongdao_domain::entity::{EntityKey, EntityKind};
use tongdao_domain::time::Timestamp;
use xxhash_rust::xxh3::xxh3_64;

use crate::contract::Etag;
use crate::wire::{Reader, put_maybe, put_varint};

/// The version written now.
const VERSION: u8 = 1;

/// A commit whose events are in no written state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Uncovered {
    /// Number of its first event in the entity's partition.
    pub(crate) seq: u64,
    /// The entity's version after it.
    pub(crate) version: u64,
}

/// The head of an entity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) etag: Etag,
    pub(crate) deadline: Option<Timestamp>,
    /// Version of the newest written state; 0 = none.
    pub(crate) covered: u64,
    /// Commits after that state, oldest first.
    pub(crate) uncovered: SmallVec<[Uncovered; 2]>,
    /// The deadline under which the entity stands in the stored timers.
    pub(crate) stored_deadline: Option<Timestamp>,
}

impl Head {
    /// Of an entity that is about to make its first commit.
    pub(crate) fn new(etag: Etag) -> Self {
        Self { etag, deadline: None, covered: 0, uncovered: SmallVec::new(), stored_deadline: None }
    }

    /// Takes a commit.
    pub(crate) fn advance(&mut self, etag: Etag, seq: u64, deadline: Option<Timestamp>) {
        self.etag = etag;
        self.deadline = deadline;
        self.uncovered.push(Uncovered { seq, version: etag.version });
    }

    /// Takes a written state; false: it is older than the one there is or newer than the head.
    #[must_use]
    pub(crate) fn cover(&mut self, version: u64) -> bool {
        if version <= self.covered || version > self.etag.version {
            return false;
        }
        self.covered = version;
        self.uncovered.retain(|commit| commit.version > version);
        true
    }

    /// The stored bytes.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(48 + self.uncovered.len() * 6);
        out.push(VERSION);
        out.extend_from_slice(&[0; 8]);
        put_varint(&mut out, self.etag.version);
        out.extend_from_slice(&self.etag.nonce.to_le_bytes());
        put_maybe(&mut out, self.deadline.map(|at| at.0));
        put_varint(&mut out, self.covered);
        put_varint(&mut out, self.uncovered.len() as u64);
        for commit in &self.uncovered {
            put_varint(&mut out, commit.seq);
            put_varint(&mut out, commit.version);
        }
        let checksum = xxh3_64(&out[9..]);
        out[1..9].copy_from_slice(&checksum.to_le_bytes());
        out
    }

    /// Reads a stored head.
    ///
    /// # Errors
    /// What is wrong with the bytes, in words.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, &'static str> {
        let mut reader = Reader(bytes);
        if reader.byte() != Some(VERSION) {
            return Err("the head has a version that this program does not know");
        }
        if reader.array().map(u64::from_le_bytes) != Some(xxh3_64(reader.0)) {
            return Err("the head does not match its checksum");
        }
        Self::fields(reader).ok_or("the head has a field that makes no sense")
    }

    fn fields(mut reader: Reader<'_>) -> Option<Self> {
        let etag = Etag { version: reader.varint()?, nonce: u32::from_le_bytes(reader.array()?) };
        let deadline = reader.maybe()?.map(Timestamp);
        let covered = reader.varint()?;
        let count = reader.varint().filter(|count| *count <= reader.0.len() as u64)?;
        let commit = |reader: &mut Reader<'_>| Some(Uncovered { seq: reader.varint()?, version: reader.varint()? });
        let uncovered = (0..count).map(|_| commit(&mut reader)).collect::<Option<_>>()?;
        reader.end()?;
        Some(Self { etag, deadline, covered, uncovered, stored_deadline: deadline })
    }
}

/// The key of an entity in `heads` and `states`.
pub(crate) fn entity_key(entity: &EntityKey) -> SmallVec<[u8; 64]> {
    let mut key = SmallVec::with_capacity(1 + entity.id.len());
    key.push(entity.kind as u8);
    key.extend_from_slice(entity.id.as_bytes());
    key
}

/// The entity of such a key.
pub(crate) fn entity_of(key: &[u8]) -> Option<EntityKey> {
    let (kind, id) = key.split_first()?;
    Some(EntityKey::new(EntityKind::from_number(*kind)?, std::str::from_utf8(id).ok()?))
}

/// The key of a timer: moments sort as numbers.
pub(crate) fn due_key(at: Timestamp, entity: &EntityKey) -> SmallVec<[u8; 96]> {
    let mut key = SmallVec::new();
    key.extend_from_slice(&(at.0 ^ i64::MIN).to_be_bytes());
    key.extend_from_slice(&entity_key(entity));
    key
}

/// The timer of such a key.
pub(crate) fn due_of(key: &[u8]) -> Option<(Timestamp, EntityKey)> {
    let mut reader = Reader(key);
    let at = i64::from_be_bytes(reader.array()?) ^ i64::MIN;
    Some((Timestamp(at), entity_of(reader.0)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::entity;

    fn head() -> Head {
        let mut head = Head::new(Etag { version: 0, nonce: 0 });
        for version in [2, 3, 7] {
            head.advance(Etag { version, nonce: 9 }, version * 10, Some(Timestamp(-version.cast_signed())));
        }
        head
    }

    #[test]
    fn a_head_comes_back_and_flipped_bits_are_seen() {
        let mut head = head();
        head.stored_deadline = head.deadline;
        let bytes = head.encode();
        assert_eq!(Head::decode(&bytes), Ok(head));
        for bit in 0..bytes.len() * 8 {
            let mut bad = bytes.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert!(Head::decode(&bad).is_err(), "bit {bit}");
        }
    }

    #[test]
    fn a_state_covers_what_is_not_after_it() {
        let mut head = head();
        assert!(!head.cover(8), "newer than the head");
        assert!(head.cover(3));
        assert!(!head.cover(2), "older than what there is");
        assert_eq!(head.uncovered.as_slice(), [Uncovered { seq: 70, version: 7 }]);
    }

    #[test]
    fn timers_sort_by_moment_then_entity() {
        let (a, b) = (entity("account/a"), entity("gate/b"));
        assert!(due_key(Timestamp(-1), &b) < due_key(Timestamp(0), &a));
        assert!(due_key(Timestamp(5), &a) < due_key(Timestamp(5), &b));
        assert_eq!(due_of(&due_key(Timestamp(-3), &b)), Some((Timestamp(-3), b)));
        assert_eq!(entity_of(&entity_key(&a)), Some(a));
    }
}
