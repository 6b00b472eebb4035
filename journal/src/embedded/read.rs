//! How the embedded journal is read beside its writer.
//!
//! An entity in memory is newer than its stored head; a snapshot that is taken after the index was read holds everything that
//! the index spoke of. A stored state may be ahead of what was read: look again.
use std::collections::BTreeSet;

use fjall::{Readable, Snapshot};
use tongdao_domain::entity::{EntityKey, EntityKind};
use tongdao_domain::time::Timestamp;
use xxhash_rust::xxh3::xxh3_64;

use super::Shared;
use super::head::{Head, due_of, entity_key, entity_of};
use super::store::{Store, checked, damaged, fault};
use crate::contract::{FeedItem, JournalError, Loaded};
use crate::record::Place;
use crate::wire::{Reader, put_varint};

const STATE_VERSION: u8 = 1;

/// The stored bytes of a state.
pub(crate) fn encode_state(version: u64, state: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(state.len() + 20);
    out.push(STATE_VERSION);
    out.extend_from_slice(&[0; 8]);
    put_varint(&mut out, version);
    out.extend_from_slice(state);
    let checksum = xxh3_64(&out[9..]);
    out[1..9].copy_from_slice(&checksum.to_le_bytes());
    out
}

/// Version and state.
pub(crate) fn decode_state(bytes: &[u8]) -> Result<(u64, Vec<u8>), &'static str> {
    let mut reader = Reader(bytes);
    if reader.byte() != Some(STATE_VERSION) {
        return Err("the state has a version that this program does not know");
    }
    if reader.array().map(u64::from_le_bytes) != Some(xxh3_64(reader.0)) {
        return Err("the state does not match its checksum");
    }
    let version = reader.varint().ok_or("the state has no version")?;
    Ok((version, reader.0.to_vec()))
}

/// Reads an entity as of its newest durable commit.
pub(crate) fn load(shared: &Shared, entity: &EntityKey) -> Result<Loaded, JournalError> {
    loop {
        let known = shared.index().get(entity).cloned();
        let snapshot = shared.snapshot()?;
        let head = match known {
            Some(head) => Some(head),
            // It may have come into memory since: then the stored head is old.
            None if shared.index().get(entity).is_some() => continue,
            None => shared.store.head(&snapshot, entity)?,
        };
        let Some(head) = head else { return Ok(Loaded::default()) };
        let state = state(&shared.store, &snapshot, entity)?;
        if state.as_ref().map_or(0, |(version, _)| *version) <= head.etag.version {
            return loaded(shared, &snapshot, entity, head, state);
        }
        std::thread::yield_now();
    }
}

fn state(store: &Store, snapshot: &Snapshot, entity: &EntityKey) -> Result<Option<(u64, Vec<u8>)>, JournalError> {
    let found = snapshot.get(&store.states, entity_key(entity)).map_err(fault("states could not be read"))?;
    found.map(|bytes| decode_state(&bytes).map_err(|what| damaged(format!("state of {entity}"), what))).transpose()
}

fn loaded(
    shared: &Shared,
    snapshot: &Snapshot,
    entity: &EntityKey,
    head: Head,
    state: Option<(u64, Vec<u8>)>,
) -> Result<Loaded, JournalError> {
    let covered = state.as_ref().map_or(0, |(version, _)| *version);
    if covered < head.covered {
        return Err(damaged(format!("state of {entity}"), "the state is missing"));
    }
    let partition = entity.partition(shared.settings.partitions);
    let mut events = Vec::with_capacity(head.uncovered.len());
    for commit in head.uncovered.iter().filter(|commit| commit.version > covered) {
        let place = Place { partition, seq: commit.seq };
        let bytes = shared.store.record(snapshot, place)?;
        let record = checked(&bytes, place)?;
        if record.entity() != *entity || record.etag.version != commit.version {
            return Err(damaged(place, format!("the record is not version {} of {entity}", commit.version)));
        }
        let skip = usize::try_from(covered.saturating_sub(record.version_before())).unwrap_or(usize::MAX);
        events.extend(record.events().skip(skip).map(|event| (record.at, event.to_vec())));
    }
    Ok(Loaded { etag: Some(head.etag), state, events, deadline: head.deadline })
}

/// Timers at or before a moment, oldest first.
pub(crate) fn due(shared: &Shared, until: Timestamp, limit: usize) -> Result<Vec<(Timestamp, EntityKey)>, JournalError> {
    let index = shared.index();
    let mut due = index.due(until, limit);
    let mut stored = 0;
    for item in shared.store.db.snapshot().iter(&shared.store.due) {
        let key = item.key().map_err(fault("timers could not be read"))?;
        let (at, entity) = due_of(&key).ok_or_else(|| damaged("timers", "a key makes no sense"))?;
        if at > until || stored == limit {
            break;
        }
        if index.get(&entity).is_none() {
            stored += 1;
            due.push((at, entity));
        }
    }
    due.sort();
    due.truncate(limit);
    Ok(due)
}

/// Every entity of a kind, by name.
pub(crate) fn entities(shared: &Shared, kind: EntityKind) -> Result<Vec<EntityKey>, JournalError> {
    let (mut found, snapshot) = {
        let index = shared.index();
        (index.entities(kind).cloned().collect::<BTreeSet<_>>(), shared.store.db.snapshot())
    };
    for item in snapshot.prefix(&shared.store.heads, [kind as u8]) {
        let key = item.key().map_err(fault("heads could not be read"))?;
        found.insert(entity_of(&key).ok_or_else(|| damaged("heads", "a key makes no sense"))?);
    }
    Ok(found.into_iter().collect())
}

/// Events of a partition from a sequence on.
pub(crate) fn feed(store: &Store, snapshot: &Snapshot, partition: u16, from_seq: u64, limit: usize) -> Result<Vec<FeedItem>, JournalError> {
    let from = Place { partition, seq: from_seq.max(1) };
    let mut items = Vec::new();
    let mut expected = None;
    let Some(first) = store.segment_of(from).filter(|_| limit > 0) else { return Ok(items) };
    for segment in first..store.segment_count() {
        let start = if segment == first { store.commit_of(snapshot, segment, from)? } else { Place { partition, seq: 0 } };
        for item in store.records(snapshot, segment, start) {
            let (place, bytes) = item?;
            if let Some(seq) = expected.filter(|seq| *seq != place.seq) {
                return Err(damaged(Place { partition, seq }, "the record is missing"));
            }
            let record = checked(&bytes, place)?;
            expected = Some(place.seq + record.event_count);
            let events = record.feed_items(place).ok_or_else(|| damaged(place, "the command id makes no sense"))?;
            items.extend(events.filter(|item| item.seq >= from.seq).take(limit - items.len()));
            if items.len() == limit {
                return Ok(items);
            }
        }
    }
    Ok(items)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_comes_back_and_flipped_bits_are_seen() {
        let bytes = encode_state(300, b"state");
        assert_eq!(decode_state(&bytes), Ok((300, b"state".to_vec())));
        for bit in 0..bytes.len() * 8 {
            let mut bad = bytes.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert!(decode_state(&bad).is_err(), "bit {bit}");
        }
    }
}
