//! A group on disk: what one fsync made durable, and the hash chain over it.
//!
//! `chain = blake3(chain of the group before ‖ number ‖ list ‖ all records in order)`. The list names each record's
//! partition, number of events and checksum, so that the first altered, missing or foreign record can be named.
use tongdao_domain::time::Timestamp;
use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::wire::{Reader, put_signed, put_varint};

/// The version written now.
const VERSION: u8 = 1;
/// Before the number in the key; the start looks for it in what is left of a torn batch.
pub(crate) const KEY_PREFIX: &[u8; 6] = b"td-grp";
/// A hash of the chain.
pub(crate) type Chain = [u8; 32];

/// One line of a group's list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) partition: u16,
    pub(crate) events: u64,
    pub(crate) checksum: u64,
}

/// A stored group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Group {
    pub(crate) number: u64,
    /// The segment that all its records lie in.
    pub(crate) segment: u32,
    /// The newest moment in the journal, as of this group.
    pub(crate) newest_at: Timestamp,
    /// Events committed since the beginning, as of this group.
    pub(crate) events: u64,
    pub(crate) lines: Vec<Line>,
    pub(crate) chain: Chain,
}

/// The key of a group.
pub(crate) fn key(number: u64) -> [u8; 14] {
    let mut key = [0; 14];
    key[..6].copy_from_slice(KEY_PREFIX);
    key[6..].copy_from_slice(&number.to_be_bytes());
    key
}

/// The number in a group's key.
pub(crate) fn number_of(key: &[u8]) -> Option<u64> {
    key.strip_prefix(KEY_PREFIX)?.try_into().ok().map(u64::from_be_bytes)
}

/// Adds one group to the chain.
pub(crate) fn chained(before: &Chain, number: u64, lines: &[Line], records: impl IntoIterator<Item = impl AsRef<[u8]>>) -> Chain {
    let mut list = Vec::with_capacity(lines.len() * 12);
    put_lines(&mut list, lines);
    let mut hasher = blake3::Hasher::new();
    hasher.update(before).update(&number.to_le_bytes()).update(&list);
    for record in records {
        hasher.update(record.as_ref());
    }
    *hasher.finalize().as_bytes()
}

fn put_lines(out: &mut Vec<u8>, lines: &[Line]) {
    put_varint(out, lines.len() as u64);
    for line in lines {
        put_varint(out, u64::from(line.partition));
        put_varint(out, line.events);
        out.extend_from_slice(&line.checksum.to_le_bytes());
    }
}

impl Group {
    /// The stored bytes.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(64 + self.lines.len() * 12);
        out.push(VERSION);
        out.extend_from_slice(&[0; 8]);
        put_varint(&mut out, u64::from(self.segment));
        put_signed(&mut out, self.newest_at.0);
        put_varint(&mut out, self.events);
        put_lines(&mut out, &self.lines);
        out.extend_from_slice(&self.chain);
        let checksum = xxh3_64_with_seed(&out[9..], self.number);
        out[1..9].copy_from_slice(&checksum.to_le_bytes());
        out
    }

    /// Reads the group of that number.
    ///
    /// # Errors
    /// What is wrong with the bytes, in words.
    pub(crate) fn decode(number: u64, bytes: &[u8]) -> Result<Self, &'static str> {
        let mut reader = Reader(bytes);
        if reader.byte() != Some(VERSION) {
            return Err("the group has a version that this program does not know");
        }
        if reader.array().map(u64::from_le_bytes) != Some(xxh3_64_with_seed(reader.0, number)) {
            return Err("the group does not match its checksum");
        }
        Self::fields(number, reader).ok_or("the group has a field that makes no sense")
    }

    fn fields(number: u64, mut reader: Reader<'_>) -> Option<Self> {
        let segment = u32::try_from(reader.varint()?).ok()?;
        let newest_at = Timestamp(reader.signed()?);
        let events = reader.varint()?;
        let count = usize::try_from(reader.varint()?).ok().filter(|count| *count <= reader.0.len())?;
        let lines = (0..count).map(|_| line(&mut reader)).collect::<Option<Vec<_>>>()?;
        let chain = reader.array()?;
        reader.end()?;
        Some(Self { number, segment, newest_at, events, lines, chain })
    }
}

fn line(reader: &mut Reader<'_>) -> Option<Line> {
    let partition = u16::try_from(reader.varint()?).ok()?;
    Some(Line { partition, events: reader.varint()?, checksum: u64::from_le_bytes(reader.array()?) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group() -> Group {
        let lines = vec![Line { partition: 3, events: 2, checksum: 7 }, Line { partition: 0, events: 1, checksum: 8 }];
        let chain = chained(&[0; 32], 9, &lines, [b"a", b"b"]);
        Group { number: 9, segment: 1, newest_at: Timestamp(-4), events: 300, lines, chain }
    }

    #[test]
    fn a_group_comes_back_and_flipped_bits_are_seen() {
        let bytes = group().encode();
        assert_eq!(Group::decode(9, &bytes), Ok(group()));
        assert!(Group::decode(8, &bytes).is_err(), "another place");
        for bit in 0..bytes.len() * 8 {
            let mut bad = bytes.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert!(Group::decode(9, &bad).is_err(), "bit {bit}");
        }
    }

    #[test]
    fn the_chain_sees_number_list_records_and_what_was_before() {
        let Group { lines, chain, .. } = group();
        assert_ne!(chained(&[1; 32], 9, &lines, [b"a", b"b"]), chain);
        assert_ne!(chained(&[0; 32], 8, &lines, [b"a", b"b"]), chain);
        assert_ne!(chained(&[0; 32], 9, &lines[..1], [b"a", b"b"]), chain);
        assert_ne!(chained(&[0; 32], 9, &lines, [b"a", b"c"]), chain);
        assert_eq!(chained(&[0; 32], 9, &lines, [b"ab"]), chain, "one stretch of bytes is the same as its parts");
    }

    #[test]
    fn keys_carry_the_number() {
        assert_eq!(number_of(&key(77)), Some(77));
        assert_eq!(number_of(b"td-grp"), None);
        assert!(key(255) < key(256));
    }
}
