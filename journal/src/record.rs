//! One commit as it is stored: a version byte, a checksum over place and content, then the fields.
//!
//! The checksum covers the key under which the record lies, so that records that changed places are seen as damaged.
//! Every version ever written stays readable; golden files prove it.
use tongdao_domain::entity::{EntityKey, EntityKind};
use tongdao_domain::fingerprint::Fingerprint;
use tongdao_domain::id::CommandId;
use tongdao_domain::time::Timestamp;
use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::contract::{Commit, Etag, FeedItem};
use crate::wire::{Reader, put_bytes, put_maybe, put_signed, put_varint};

/// The version written now.
pub(crate) const VERSION: u8 = 1;
const HEADER_BYTES: usize = 9;

/// Where a record lies: its partition and the number of its first event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// Logical partition.
    pub partition: u16,
    /// Number of the first event within the partition, from 1.
    pub seq: u64,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "partition {} sequence {}", self.partition, self.seq)
    }
}

impl Place {
    /// As one number: 16 bits of partition, 48 bits of sequence (enough for 9,000 years at 1,000 events a second).
    pub(crate) fn packed(self) -> u64 {
        u64::from(self.partition) << 48 | self.seq & 0xffff_ffff_ffff
    }
    /// What [`Place::packed`] made.
    pub(crate) fn unpacked(number: u64) -> Self {
        Self { partition: (number >> 48) as u16, seq: number & 0xffff_ffff_ffff }
    }
}

/// A stored commit, borrowed from its bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Record<'a> {
    pub(crate) group: u64,
    pub(crate) kind: EntityKind,
    pub(crate) id: &'a str,
    pub(crate) etag: Etag,
    pub(crate) at: Timestamp,
    pub(crate) command_id: &'a str,
    pub(crate) fingerprint: Fingerprint,
    pub(crate) reply: &'a [u8],
    pub(crate) deadline: Option<Timestamp>,
    pub(crate) event_count: u64,
    events: Reader<'a>,
}

/// Appends the record of a commit; the checksum is returned, too, for the group's list.
pub(crate) fn encode(out: &mut Vec<u8>, place: Place, group: u64, commit: &Commit) -> u64 {
    let start = out.len();
    out.push(VERSION);
    out.extend_from_slice(&[0; 8]);
    put_varint(out, group);
    out.push(commit.entity.kind as u8);
    put_bytes(out, commit.entity.id.as_bytes());
    put_varint(out, commit.next.version);
    out.extend_from_slice(&commit.next.nonce.to_le_bytes());
    put_signed(out, commit.at.0);
    put_bytes(out, commit.command_id.as_str().as_bytes());
    out.extend_from_slice(&commit.fingerprint.0.to_le_bytes());
    put_bytes(out, &commit.reply);
    put_maybe(out, commit.deadline.map(|at| at.0));
    put_varint(out, commit.events.len() as u64);
    commit.events.iter().for_each(|event| put_bytes(out, event));
    let checksum = checksum(&out[start + HEADER_BYTES..], place);
    out[start + 1..start + HEADER_BYTES].copy_from_slice(&checksum.to_le_bytes());
    checksum
}

/// The checksum in a record's header, unchecked.
pub(crate) fn checksum_of(bytes: &[u8]) -> Option<u64> {
    bytes.get(1..HEADER_BYTES)?.try_into().ok().map(u64::from_le_bytes)
}

fn checksum(body: &[u8], place: Place) -> u64 {
    xxh3_64_with_seed(body, place.packed())
}

/// Reads the record that lies at a place.
///
/// # Errors
/// What is wrong with the bytes, in words.
pub(crate) fn decode(bytes: &[u8], place: Place) -> Result<Record<'_>, &'static str> {
    let mut reader = Reader(bytes);
    match reader.byte() {
        Some(VERSION) => {}
        Some(_) => return Err("the record has a version that this program does not know"),
        None => return Err("the record is empty"),
    }
    let stored = reader.array().map(u64::from_le_bytes);
    if stored != Some(checksum(reader.0, place)) {
        return Err("the record does not match its checksum");
    }
    fields(reader).ok_or("the record has a field that makes no sense")
}

fn fields(mut reader: Reader<'_>) -> Option<Record<'_>> {
    let group = reader.varint()?;
    let kind = EntityKind::from_number(reader.byte()?)?;
    let id = reader.text()?;
    let version = reader.varint()?;
    let nonce = u32::from_le_bytes(reader.array()?);
    let at = Timestamp(reader.signed()?);
    let command_id = reader.text()?;
    let fingerprint = Fingerprint(u128::from_le_bytes(reader.array()?));
    let reply = reader.bytes()?;
    let deadline = reader.maybe()?.map(Timestamp);
    let event_count = reader.varint()?;
    (event_count > 0 && event_count <= version).then_some(())?;
    let etag = Etag { version, nonce };
    let record = Record { group, kind, id, etag, at, command_id, fingerprint, reply, deadline, event_count, events: reader };
    (record.events().count() as u64 == event_count).then_some(record)
}

impl<'a> Record<'a> {
    /// Whose.
    pub(crate) fn entity(&self) -> EntityKey {
        EntityKey::new(self.kind, self.id)
    }
    /// The encoded events.
    pub(crate) fn events(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let mut rest = self.events;
        (0..self.event_count).map_while(move |_| rest.bytes())
    }
    /// The entity's version before it.
    pub(crate) fn version_before(&self) -> u64 {
        self.etag.version - self.event_count
    }
    /// Its events as a follower sees them.
    pub(crate) fn feed_items(&self, place: Place) -> Option<impl Iterator<Item = FeedItem> + use<'a>> {
        let command_id = CommandId::new(self.command_id).ok()?;
        let (entity, at, before) = (self.entity(), self.at, self.version_before());
        Some(self.events().enumerate().map(move |(n, event)| FeedItem {
            partition: place.partition,
            seq: place.seq + n as u64,
            at,
            entity: entity.clone(),
            version: before + n as u64 + 1,
            command_id: command_id.clone(),
            event: event.to_vec(),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::commit;

    const PLACE: Place = Place { partition: 7, seq: 1_000_000 };

    fn stored() -> Vec<u8> {
        let mut bytes = vec![];
        encode(&mut bytes, PLACE, 3, &commit("account/a1", "tap/g1/7/42").events(&["one", "two"]).deadline(-5).build());
        bytes
    }

    #[test]
    fn a_record_comes_back_as_it_was() {
        let bytes = stored();
        let record = decode(&bytes, PLACE).expect("readable");
        assert_eq!((record.group, record.entity().to_string(), record.etag.version), (3, "account/a1".into(), 2));
        assert_eq!((record.command_id, record.reply), ("tap/g1/7/42", &b"re:tap/g1/7/42"[..]));
        assert_eq!(record.deadline, Some(Timestamp(-5)));
        assert_eq!(record.events().collect::<Vec<_>>(), [b"one", b"two"]);
        let items: Vec<_> = record.feed_items(PLACE).expect("an id").collect();
        assert_eq!((items[1].seq, items[1].version, items[1].event.as_slice()), (1_000_001, 2, &b"two"[..]));
    }

    #[test]
    fn every_flipped_bit_is_seen() {
        let good = stored();
        for bit in 0..good.len() * 8 {
            let mut bad = good.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert!(decode(&bad, PLACE).is_err(), "bit {bit}");
        }
        assert!(decode(&good[..good.len() - 1], PLACE).is_err());
    }

    #[test]
    fn a_record_in_another_place_is_damaged() {
        assert!(decode(&stored(), Place { seq: 2, ..PLACE }).is_err());
        assert!(decode(&stored(), Place { partition: 8, ..PLACE }).is_err());
    }

    #[test]
    fn places_pack() {
        let place = Place { partition: u16::MAX, seq: (1 << 48) - 1 };
        assert_eq!(Place::unpacked(place.packed()), place);
        assert_eq!(Place::unpacked(PLACE.packed()), PLACE);
    }
}
