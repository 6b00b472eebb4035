//! Which command ids have had an answer: 48 hours of them over all partitions, asked in every commit and almost always
//! in vain.
//!
//! The ids of the present segment are in a map that was sized beforehand (a growing one pauses for 50–100 ms). When the
//! segment ends, the map is handed to a thread that writes it as one sorted run into the keyspace of its day; until that
//! is durable the map goes on answering. Days are dropped as a whole. After a crash the maps of segments that had not
//! been written are rebuilt from the records. An id is known by 128 bits of hash; whoever finds one compares the whole.
use std::sync::Arc;
use std::thread::JoinHandle;

use crossbeam_channel::{Receiver, Sender, bounded};
use fjall::{Database, Keyspace};
use tongdao_domain::time::{Millis, Timestamp};
use xxhash_rust::xxh3::xxh3_128;

use super::index::QuickMap;
use super::store::{command_options, fault};
use crate::contract::JournalError;
use crate::record::Place;

/// Answers by command id are kept this long.
pub(crate) const KEPT: Millis = Millis::hours(48);
/// Ended segments and days that wait for the thread at most.
const WORK_MAX: usize = 1024;
const DAY_MS: i64 = 86_400_000;
const NAME: &str = "commands-";

type Hash = [u64; 2];
type Recent = QuickMap<Hash, u64>;

/// The hash of a command id.
pub(crate) fn hash_of(command_id: &str) -> Hash {
    let hash = xxh3_128(command_id.as_bytes());
    [(hash >> 64) as u64, hash as u64]
}

/// The ids of one ended segment.
struct Sealed {
    segment: u32,
    day: i64,
    ids: Recent,
}

enum Work {
    Index(Arc<Sealed>),
    Drop(Keyspace),
}

/// A segment whose ids are durable in the index.
pub(crate) struct Indexed {
    pub(crate) segment: u32,
    day: i64,
    keyspace: Keyspace,
}

/// The command index; the writer owns it.
pub(crate) struct Commands {
    current: Recent,
    capacity: usize,
    sealed: Vec<Arc<Sealed>>,
    /// Oldest first.
    days: Vec<(i64, Keyspace)>,
    /// None while it is dropped.
    work: Option<Sender<Work>>,
    done: Receiver<Result<Indexed, JournalError>>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Commands {
    fn drop(&mut self) {
        drop(self.work.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Commands {
    /// Opens the index. `capacity` = ids of a segment.
    pub(crate) fn open(db: &Database, capacity: usize) -> Result<Self, JournalError> {
        let (work, todo) = bounded(WORK_MAX);
        let (finished, done) = bounded(WORK_MAX);
        let db_of_thread = db.clone();
        let thread = std::thread::Builder::new().name("journal-index".into()).spawn(move || run(&db_of_thread, &todo, &finished));
        let thread = thread.map_err(|source| JournalError::Io { what: "index thread did not start", source: Box::new(source) })?;
        let (work, thread) = (Some(work), Some(thread));
        Ok(Self { current: sized(capacity), capacity, sealed: Vec::new(), days: open_days(db)?, work, done, thread })
    }

    /// Where the first commit with that id may lie, newest first. The caller compares the whole id.
    pub(crate) fn find(&self, hash: Hash) -> Result<Option<Place>, JournalError> {
        let recent = std::iter::once(&self.current).chain(self.sealed.iter().rev().map(|sealed| &sealed.ids));
        if let Some(packed) = recent.into_iter().find_map(|ids| ids.get(&hash)) {
            return Ok(Some(Place::unpacked(*packed)));
        }
        for (_, keyspace) in self.days.iter().rev() {
            if let Some(value) = keyspace.get(key(hash)).map_err(fault("command index could not be read"))? {
                return Ok(value[..].try_into().ok().map(u64::from_be_bytes).map(Place::unpacked));
            }
        }
        Ok(None)
    }

    /// Notes an id of the present segment.
    pub(crate) fn insert(&mut self, hash: Hash, place: Place) {
        self.current.insert(hash, place.packed());
    }

    /// The present segment ends; days whose answers are all older than 48 h at `now` go.
    pub(crate) fn seal(&mut self, segment: u32, now: Timestamp) {
        let ids = std::mem::replace(&mut self.current, sized(self.capacity));
        let sealed = Arc::new(Sealed { segment, day: now.0.div_euclid(DAY_MS), ids });
        self.sealed.push(Arc::clone(&sealed));
        self.ask(Work::Index(sealed));
        let oldest = (now - KEPT).0.div_euclid(DAY_MS);
        let expired = self.days.iter().take_while(|(day, _)| *day < oldest).count();
        let expired: Vec<_> = self.days.drain(..expired).collect();
        for (_, keyspace) in expired {
            self.ask(Work::Drop(keyspace));
        }
    }

    fn ask(&self, work: Work) {
        if let Some(thread) = &self.work {
            let _ = thread.send(work);
        }
    }

    /// Takes in what the index thread has finished; returns the newest segment of it.
    ///
    /// # Errors
    /// What the thread could not write.
    pub(crate) fn finished(&mut self) -> Result<Option<u32>, JournalError> {
        let mut newest = None;
        while let Ok(indexed) = self.done.try_recv() {
            newest = Some(self.take_in(indexed?)).max(newest);
        }
        Ok(newest)
    }

    fn take_in(&mut self, indexed: Indexed) -> u32 {
        self.sealed.retain(|sealed| sealed.segment != indexed.segment);
        if !self.days.iter().any(|(day, _)| *day == indexed.day) {
            self.days.push((indexed.day, indexed.keyspace));
            self.days.sort_by_key(|(day, _)| *day);
        }
        indexed.segment
    }

    /// Waits until every ended segment is durable in the index; returns the newest.
    #[cfg(test)]
    fn drain(&mut self) -> Result<Option<u32>, JournalError> {
        let mut newest = None;
        while !self.sealed.is_empty() {
            let Ok(indexed) = self.done.recv() else { break };
            newest = Some(self.take_in(indexed?)).max(newest);
        }
        Ok(newest)
    }
}

fn sized(capacity: usize) -> Recent {
    Recent::with_capacity_and_hasher(capacity, foldhash::fast::FixedState::default())
}

fn key(hash: Hash) -> [u8; 16] {
    let mut key = [0; 16];
    key[..8].copy_from_slice(&hash[0].to_be_bytes());
    key[8..].copy_from_slice(&hash[1].to_be_bytes());
    key
}

fn open_days(db: &Database) -> Result<Vec<(i64, Keyspace)>, JournalError> {
    let names = db.list_keyspace_names();
    let mut days: Vec<i64> = names.iter().filter_map(|name| name.strip_prefix(NAME)?.parse().ok()).collect();
    days.sort_unstable();
    days.into_iter().map(|day| Ok((day, day_keyspace(db, day)?))).collect()
}

fn day_keyspace(db: &Database, day: i64) -> Result<Keyspace, JournalError> {
    db.keyspace(&format!("{NAME}{day}"), command_options).map_err(fault("command index could not be opened"))
}

/// Drops the whole index, to be rebuilt from the records.
pub(crate) fn drop_all(db: &Database) -> Result<(), JournalError> {
    for (_, keyspace) in open_days(db)? {
        db.delete_keyspace(keyspace).map_err(fault("command index could not be dropped"))?;
    }
    Ok(())
}

fn run(db: &Database, todo: &Receiver<Work>, finished: &Sender<Result<Indexed, JournalError>>) {
    for work in todo {
        match work {
            Work::Index(sealed) => {
                if finished.send(index(db, &sealed)).is_err() {
                    return;
                }
            }
            Work::Drop(keyspace) => {
                if let Err(fault) = db.delete_keyspace(keyspace) {
                    tracing::warn!(%fault, "a day of the command index could not be dropped");
                }
            }
        }
    }
}

fn index(db: &Database, sealed: &Sealed) -> Result<Indexed, JournalError> {
    let mut sorted: Vec<([u8; 16], u64)> = sealed.ids.iter().map(|(hash, place)| (key(*hash), *place)).collect();
    sorted.sort_unstable();
    let keyspace = day_keyspace(db, sealed.day)?;
    let mut run = keyspace.start_ingestion().map_err(fault("command index could not be written"))?;
    for (key, place) in sorted {
        run.write(key, place.to_be_bytes()).map_err(fault("command index could not be written"))?;
    }
    run.finish().map_err(fault("command index could not be written"))?;
    Ok(Indexed { segment: sealed.segment, day: sealed.day, keyspace })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(dir: &std::path::Path) -> (Database, Commands) {
        let db = Database::builder(dir).open().expect("opened");
        let commands = Commands::open(&db, 16).expect("opened");
        (db, commands)
    }

    const fn place(seq: u64) -> Place {
        Place { partition: 3, seq }
    }

    #[test]
    fn ids_are_found_before_while_and_after_their_segment_is_indexed() {
        let dir = tempfile::tempdir().expect("a folder");
        let (db, mut commands) = open(dir.path());
        commands.insert(hash_of("a"), place(1));
        assert_eq!(commands.find(hash_of("a")).expect("readable"), Some(place(1)));
        commands.seal(0, Timestamp(0));
        assert_eq!(commands.find(hash_of("a")).expect("readable"), Some(place(1)));
        assert_eq!(commands.drain().expect("written"), Some(0));
        assert_eq!(commands.find(hash_of("a")).expect("readable"), Some(place(1)));
        assert_eq!(commands.find(hash_of("b")).expect("readable"), None);
        drop(commands);
        let again = Commands::open(&db, 16).expect("opened");
        assert_eq!(again.find(hash_of("a")).expect("readable"), Some(place(1)), "it outlives the process");
    }

    #[test]
    fn days_go_as_a_whole_after_48_hours_and_not_before() {
        let dir = tempfile::tempdir().expect("a folder");
        let (_db, mut commands) = open(dir.path());
        let end_of_day = DAY_MS - 1;
        commands.insert(hash_of("a"), place(1));
        commands.seal(0, Timestamp(end_of_day));
        commands.drain().expect("written");
        commands.seal(1, Timestamp(end_of_day) + KEPT);
        assert!(commands.find(hash_of("a")).expect("readable").is_some());
        commands.seal(2, Timestamp(end_of_day) + KEPT + Millis(1));
        commands.drain().expect("written");
        assert_eq!(commands.find(hash_of("a")).expect("readable"), None);
    }
}
