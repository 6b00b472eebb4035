//! The keyspaces of the embedded journal and how they are read. Writing is the writer thread's alone.
//!
//! | keyspace | key | value |
//! |---|---|---|
//! | `events` | segment, partition, first sequence (big endian) | one record per commit |
//! | `groups` | number | list and hash chain of a group |
//! | `segments` | segment | first sequence of every partition in it |
//! | `heads` | entity | newest commit, deadline, uncovered commits; written when the entity's segment is rolled up |
//! | `states` | entity | newest written state |
//! | `due` | moment, entity | timers of entities that lie in `heads` only |
//! | `commands-{day}` | hash of a command id | place of its record; dropped as a whole |
//! | `meta` | name | format, partitions, lowest unrolled and unindexed segment, losses |
//!
//! A segment is a run of commits. Records of one segment lie beside each other, so that the store's sorted files never
//! overlap and compaction only moves them.
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

use fjall::compaction::Leveled;
use fjall::config::{FilterPolicy, PinningPolicy};
use fjall::{Database, Keyspace, KeyspaceCreateOptions, Readable, Snapshot};
use tongdao_domain::entity::EntityKey;

use super::group::{self, Group};
use super::head::{Head, entity_key};
use crate::contract::JournalError;
use crate::record::{self, Place, Record};
use crate::wire::{Reader, put_varint};

/// All keyspaces but the command index.
pub(crate) struct Store {
    pub(crate) db: Database,
    pub(crate) events: Keyspace,
    pub(crate) groups: Keyspace,
    pub(crate) segments: Keyspace,
    pub(crate) heads: Keyspace,
    pub(crate) states: Keyspace,
    pub(crate) due: Keyspace,
    pub(crate) meta: Keyspace,
    /// First sequence of every partition, by segment.
    starts: RwLock<Vec<Arc<[u64]>>>,
}

/// Turns a fault of the store into one of the journal: damage is told apart from failure.
pub(crate) fn fault(what: &'static str) -> impl Fn(fjall::Error) -> JournalError {
    move |source| match source {
        fjall::Error::Locked => JournalError::Locked { dir: String::new() },
        fjall::Error::Storage(ref inner) if !matches!(inner, fjall::LsmError::Io(_)) => damaged("the store", &source),
        fjall::Error::JournalRecovery(_) | fjall::Error::InvalidVersion(_) | fjall::Error::Unrecoverable => damaged("the store", &source),
        source => JournalError::Io { what, source: Box::new(source) },
    }
}

/// A fault of the file system.
pub(crate) fn io(what: &'static str) -> impl Fn(std::io::Error) -> JournalError {
    move |source| JournalError::Io { what, source: Box::new(source) }
}

/// Damage at a place.
pub(crate) fn damaged(place: impl ToString, what: impl ToString) -> JournalError {
    JournalError::Damaged { place: place.to_string(), what: what.to_string() }
}

/// Sorted files of records are about this large.
const FILE_BYTES: u64 = 8 << 20;

/// How the store uses memory.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Memory {
    pub(crate) cache_bytes: u64,
    pub(crate) memtable_bytes: u64,
}

fn append_only(memory: Memory) -> KeyspaceCreateOptions {
    // The disk takes a file at once when it is finished, and a commit's sync waits for that: so files are small.
    let small_files = Arc::new(Leveled::default().with_table_target_size(FILE_BYTES));
    KeyspaceCreateOptions::default()
        .max_memtable_size(memory.memtable_bytes)
        .filter_policy(FilterPolicy::disabled())
        .compaction_strategy(small_files)
}

fn small(memory: Memory) -> KeyspaceCreateOptions {
    KeyspaceCreateOptions::default().max_memtable_size(memory.memtable_bytes / 2)
}

/// Options of a keyspace of the command index: asked in vain almost always, so its filters stay in memory.
pub(crate) fn command_options() -> KeyspaceCreateOptions {
    KeyspaceCreateOptions::default()
        .filter_block_pinning_policy(PinningPolicy::all(true))
        .index_block_pinning_policy(PinningPolicy::all(true))
}

impl Store {
    /// Opens or makes the store in a folder that the caller has locked.
    pub(crate) fn open(dir: &Path, memory: Memory) -> Result<Self, JournalError> {
        // One worker: of several, the first spins while the others compact. There is little to compact here.
        let builder = Database::builder(dir).worker_threads(1).cache_size(memory.cache_bytes).max_journaling_size(256 << 20);
        let db = builder.open().map_err(fault("could not be opened"))?;
        let keyspace = |name, options: fn(Memory) -> KeyspaceCreateOptions| {
            db.keyspace(name, || options(memory)).map_err(fault("keyspace could not be opened"))
        };
        let (events, groups, segments) = (keyspace("events", append_only)?, keyspace("groups", append_only)?, keyspace("segments", small)?);
        let (heads, states, due, meta) =
            (keyspace("heads", small)?, keyspace("states", small)?, keyspace("due", small)?, keyspace("meta", small)?);
        let store = Self { db, events, groups, segments, heads, states, due, meta, starts: RwLock::default() };
        store.read_starts()?;
        Ok(store)
    }

    /// Reads where segments begin, as far as that is not known yet.
    pub(crate) fn read_starts(&self) -> Result<(), JournalError> {
        let known = self.segment_count() as usize;
        for (expected, item) in self.db.snapshot().iter(&self.segments).enumerate().skip(known) {
            let (key, value) = item.into_inner().map_err(fault("segments could not be read"))?;
            let place = || format!("segment {expected}");
            if key[..] != u32::try_from(expected).unwrap_or(u32::MAX).to_be_bytes() {
                return Err(damaged(place(), "the segment is missing"));
            }
            let starts = decode_starts(&value).ok_or_else(|| damaged(place(), "the segment's start makes no sense"))?;
            self.push_start(starts);
        }
        Ok(())
    }

    /// Adds a segment, once it is durable.
    pub(crate) fn push_start(&self, starts: Arc<[u64]>) {
        self.starts.write().unwrap_or_else(PoisonError::into_inner).push(starts);
    }

    /// Number of segments so far.
    pub(crate) fn segment_count(&self) -> u32 {
        u32::try_from(self.starts.read().unwrap_or_else(PoisonError::into_inner).len()).unwrap_or(u32::MAX)
    }

    /// First sequences of a segment, by partition.
    pub(crate) fn start_of(&self, segment: u32) -> Option<Arc<[u64]>> {
        self.starts.read().unwrap_or_else(PoisonError::into_inner).get(segment as usize).cloned()
    }

    /// The segment that holds a place, if it is written at all.
    pub(crate) fn segment_of(&self, place: Place) -> Option<u32> {
        let starts = self.starts.read().unwrap_or_else(PoisonError::into_inner);
        let begun = |start: &Arc<[u64]>| start.get(usize::from(place.partition)).is_some_and(|first| *first <= place.seq);
        let after = starts.partition_point(begun);
        u32::try_from(after.checked_sub(1)?).ok()
    }

    /// The stored bytes of a record.
    pub(crate) fn record(&self, snapshot: &Snapshot, place: Place) -> Result<fjall::UserValue, JournalError> {
        let missing = || damaged(place, "the record is missing");
        let segment = self.segment_of(place).ok_or_else(missing)?;
        let found = snapshot.get(&self.events, event_key(segment, place)).map_err(read_fault(place))?;
        found.ok_or_else(missing)
    }

    /// Every record of a partition within a segment, from a sequence on, in order.
    pub(crate) fn records(
        &self,
        snapshot: &Snapshot,
        segment: u32,
        from: Place,
    ) -> impl Iterator<Item = Result<(Place, fjall::UserValue), JournalError>> + use<> {
        let end = event_key(segment, Place { seq: u64::MAX, ..from });
        snapshot.range(&self.events, event_key(segment, from)..=end).map(move |item| {
            let (key, value) = item.into_inner().map_err(read_fault(from))?;
            let (_, place) = place_of(&key).ok_or_else(|| damaged(from, "a record's key makes no sense"))?;
            Ok((place, value))
        })
    }

    /// The place of the commit that holds an event: its own sequence or one before.
    pub(crate) fn commit_of(&self, snapshot: &Snapshot, segment: u32, event: Place) -> Result<Place, JournalError> {
        let first = event_key(segment, Place { seq: 0, ..event });
        match snapshot.range(&self.events, first..=event_key(segment, event)).next_back() {
            None => Ok(event),
            Some(item) => {
                let key = item.key().map_err(read_fault(event))?;
                place_of(&key).map(|(_, place)| place).ok_or_else(|| damaged(event, "a record's key makes no sense"))
            }
        }
    }

    /// A group.
    pub(crate) fn group(&self, snapshot: &Snapshot, number: u64) -> Result<Group, JournalError> {
        let place = || format!("group {number}");
        let found = snapshot.get(&self.groups, group::key(number)).map_err(fault("groups could not be read"))?;
        let bytes = found.ok_or_else(|| damaged(place(), "the group is missing"))?;
        Group::decode(number, &bytes).map_err(|what| damaged(place(), what))
    }

    /// The newest group, if there is one.
    pub(crate) fn last_group(&self, snapshot: &Snapshot) -> Result<Option<Group>, JournalError> {
        let Some(item) = snapshot.last_key_value(&self.groups) else { return Ok(None) };
        let key = item.key().map_err(fault("groups could not be read"))?;
        let number = group::number_of(&key).ok_or_else(|| damaged("groups", "a key makes no sense"))?;
        self.group(snapshot, number).map(Some)
    }

    /// The stored head of an entity.
    pub(crate) fn head(&self, snapshot: &Snapshot, entity: &EntityKey) -> Result<Option<Head>, JournalError> {
        let found = snapshot.get(&self.heads, entity_key(entity)).map_err(fault("heads could not be read"))?;
        found.map(|bytes| Head::decode(&bytes).map_err(|what| damaged(format!("head of {entity}"), what))).transpose()
    }

    /// The newest head, for the writer: what it wrote last, durable or not.
    pub(crate) fn newest_head(&self, entity: &EntityKey) -> Result<Option<Head>, JournalError> {
        let found = self.heads.get(entity_key(entity)).map_err(fault("heads could not be read"))?;
        found.map(|bytes| Head::decode(&bytes).map_err(|what| damaged(format!("head of {entity}"), what))).transpose()
    }
}

fn read_fault(place: Place) -> impl Fn(fjall::Error) -> JournalError {
    move |source| match fault("events could not be read")(source) {
        JournalError::Damaged { what, .. } => damaged(place, what),
        other => other,
    }
}

/// Reads a record's bytes, naming its place where they are damaged.
pub(crate) fn checked(bytes: &[u8], place: Place) -> Result<Record<'_>, JournalError> {
    record::decode(bytes, place).map_err(|what| damaged(place, what))
}

/// The key of a record.
pub(crate) fn event_key(segment: u32, place: Place) -> [u8; 14] {
    let mut key = [0; 14];
    key[..4].copy_from_slice(&segment.to_be_bytes());
    key[4..6].copy_from_slice(&place.partition.to_be_bytes());
    key[6..].copy_from_slice(&place.seq.to_be_bytes());
    key
}

/// Segment and place of a record's key.
pub(crate) fn place_of(key: &[u8]) -> Option<(u32, Place)> {
    let mut reader = Reader(key);
    let segment = u32::from_be_bytes(reader.array()?);
    let partition = u16::from_be_bytes(reader.array()?);
    let place = Place { partition, seq: u64::from_be_bytes(reader.array()?) };
    reader.end().map(|()| (segment, place))
}

/// The stored bytes of a segment's start.
pub(crate) fn encode_starts(starts: &[u64]) -> Vec<u8> {
    let mut out = Vec::with_capacity(1 + starts.len() * 5);
    out.push(1);
    starts.iter().for_each(|seq| put_varint(&mut out, *seq));
    out
}

fn decode_starts(bytes: &[u8]) -> Option<Arc<[u64]>> {
    let mut reader = Reader(bytes);
    (reader.byte()? == 1).then_some(())?;
    let mut starts = Vec::new();
    while reader.end().is_none() {
        starts.push(reader.varint()?);
    }
    Some(starts.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn event_keys_sort_by_segment_partition_sequence() {
        let key = |segment, partition, seq| event_key(segment, Place { partition, seq });
        assert!(key(1, 9, 9) < key(2, 0, 1) && key(1, 1, 900) < key(1, 2, 1) && key(1, 1, 255) < key(1, 1, 256));
        assert_eq!(place_of(&key(7, 3, 9)), Some((7, Place { partition: 3, seq: 9 })));
        assert_eq!(place_of(b"short"), None);
    }

    #[test]
    fn starts_come_back() {
        assert_eq!(decode_starts(&encode_starts(&[1, 300, u64::MAX])).as_deref(), Some(&[1, 300, u64::MAX][..]));
        assert_eq!(decode_starts(&[2, 1]), None);
    }
}
