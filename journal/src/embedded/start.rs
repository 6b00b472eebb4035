//! The start: lock, look for tears, open, compare with what was acknowledged, replay what is not rolled up.
//!
//! Everything that is read here is checked; the first thing that does not fit is named and the start is refused.
use std::collections::VecDeque;
use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64};
use std::sync::{Arc, Mutex, RwLock};
use std::time::Instant;

use crossbeam_channel::Receiver;
use fjall::{PersistMode, Readable, Snapshot};
use tongdao_domain::time::Timestamp;
use tongdao_telemetry::JournalOpened;

use super::behind::{Behind, Progress};
use super::commands::{self, Commands, hash_of};
use super::front::{self, Front};
use super::group::Group;
use super::head::Head;
use super::index::Index;
use super::mark::{Mark, MarkFile};
use super::meta::{self, Loss};
use super::scan::scan;
use super::store::{Memory, Store, checked, damaged, event_key, fault, io};
use super::writer::{Pending, Position, Request, Rolling, Writer, put_records};
use super::{Settings, Shared};
use crate::contract::JournalError;
use crate::record::{Place, Record};
use crate::sinks::Sinks;

/// The store's folder within the journal's.
const STORE: &str = "store";

/// A store that is open and complete, and what was found on the way.
pub(crate) struct Opened {
    pub(crate) store: Store,
    pub(crate) last: Option<Group>,
    pub(crate) lock: File,
    pub(crate) torn_bytes: u64,
    pub(crate) partitions: u16,
    pub(crate) acknowledged: Mark,
    mark: MarkFile,
    /// A loss was accepted: everything derived is to be made again.
    rebuild: bool,
}

/// Opens a journal's folder and makes sure that what was acknowledged is there. `partitions` = none: as it was made.
pub(crate) fn open(settings: &Settings, partitions: Option<u16>) -> Result<Opened, JournalError> {
    let dir = &settings.dir;
    std::fs::create_dir_all(dir).map_err(io("folder could not be made"))?;
    let lock = lock(dir)?;
    let folder = dir.join(STORE);
    let (mark_file, mark) = open_mark(dir, folder.exists(), settings.accept_loss)?;
    clear_unfinished(&folder, mark)?;
    let log = front::read(dir)?;
    let tail = scan(&folder, synced(&log, mark), settings.accept_loss)?;
    tail.cut()?;
    let store = open_store(&folder, settings)?;
    let partitions = meta::check(&store, partitions)?;
    let last = take_in(&store, &log, settings.accept_loss)?;
    // What is cut off the store's own log stands in the front log.
    let torn_bytes = if log.groups.is_empty() { tail.torn_bytes + log.torn_bytes } else { log.torn_bytes };
    if let Some((path, at)) =
        log.torn_at.as_ref().filter(|_| !settings.accept_loss && last.as_ref().map_or(0, |group| group.number) < mark.group)
    {
        return Err(damaged(format!("{} byte {at}", path.display()), "the front log is unreadable there"));
    }
    let rebuild = compare(&store, last.as_ref(), mark, torn_bytes, settings.accept_loss)?;
    let opened = Opened { store, last, lock, torn_bytes, partitions, acknowledged: mark, mark: mark_file, rebuild };
    opened.note_torn()?;
    Ok(opened)
}

/// The group up to which the store must be whole by itself: what the front log holds may be missing there.
fn synced(log: &front::Contents, mark: Mark) -> u64 {
    log.groups.first().map_or(mark.group, |first| mark.group.min(first.group.number - 1))
}

/// Takes into the store what only the front log has; returns the last group.
fn take_in(store: &Store, log: &front::Contents, accept_loss: bool) -> Result<Option<Group>, JournalError> {
    let mut last = store.last_group(&store.db.snapshot())?;
    let mut taken = false;
    for found in &log.groups {
        let (before, chain) = last.as_ref().map_or((0, [0; 32]), |group| (group.number, group.chain));
        if found.group.number != before + 1 {
            continue;
        }
        if !found.continues(&chain) {
            if accept_loss {
                break;
            }
            return Err(damaged(format!("front log group {}", found.group.number), "it does not go on from the group before"));
        }
        let mut batch = store.db.batch();
        put_records(&mut batch, store, (found.group.number, &found.encoded), (found.group.segment, &found.starts), found.records());
        batch.commit().map_err(fault("front log could not be taken in"))?;
        last = Some(found.group.clone());
        taken = true;
    }
    if taken {
        store.db.persist(PersistMode::SyncAll).map_err(fault("front log could not be taken in"))?;
        store.read_starts()?;
    }
    Ok(last)
}

/// A store whose making was cut short holds nothing and cannot be opened: it is made anew.
fn clear_unfinished(folder: &Path, mark: Mark) -> Result<(), JournalError> {
    if !folder.exists() || folder.join("version").exists() {
        return Ok(());
    }
    if mark.group > 0 {
        return Err(damaged(folder.display(), "the store's version file is missing"));
    }
    std::fs::remove_dir_all(folder).map_err(io("unfinished store could not be removed"))
}

fn lock(dir: &Path) -> Result<File, JournalError> {
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(dir.join("lock")).map_err(io("lock failed"))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(JournalError::Locked { dir: dir.display().to_string() }),
        Err(TryLockError::Error(source)) => Err(io("lock failed")(source)),
    }
}

fn open_mark(dir: &Path, has_store: bool, accept_loss: bool) -> Result<(MarkFile, Mark), JournalError> {
    match MarkFile::open(dir) {
        Err(JournalError::Damaged { .. }) if !has_store || accept_loss => Ok((MarkFile::create(dir)?, Mark::default())),
        opened => opened,
    }
}

/// The store panics on some kinds of damage; that is damage, too.
fn open_store(folder: &Path, settings: &Settings) -> Result<Store, JournalError> {
    let memory = Memory { cache_bytes: settings.cache_bytes, memtable_bytes: settings.memtable_bytes };
    let opening = std::panic::AssertUnwindSafe(|| Store::open(folder, memory));
    std::panic::catch_unwind(opening).unwrap_or_else(|_| Err(damaged(folder.display(), "the store cannot read its own files")))
}

/// True: the journal is shorter than acknowledged, and that was accepted.
fn compare(store: &Store, last: Option<&Group>, mark: Mark, torn: u64, accept_loss: bool) -> Result<bool, JournalError> {
    let found = last.map_or(0, |group| group.number);
    if found >= mark.group {
        if mark.group > 0 && store.group(&store.db.snapshot(), mark.group)?.chain != mark.chain && !accept_loss {
            return Err(damaged(format!("group {}", mark.group), "it is not the group that was acknowledged under this number"));
        }
        return Ok(false);
    }
    if !accept_loss {
        return Err(JournalError::Shorter { found, acknowledged: mark.group });
    }
    tracing::error!(found, acknowledged = mark.group, "acknowledged groups are lost, and that was accepted");
    let mut batch = store.db.batch().durability(Some(PersistMode::SyncAll));
    meta::note_loss(&mut batch, store, &Loss { acknowledged: mark.group, found, truncated_bytes: torn });
    meta::put(&mut batch, store, meta::LOW, 0);
    meta::put(&mut batch, store, meta::INDEXED, 0);
    batch.commit().map_err(fault("loss could not be noted"))?;
    Ok(true)
}

impl Opened {
    fn note_torn(&self) -> Result<(), JournalError> {
        if self.torn_bytes == 0 {
            return Ok(());
        }
        let mut batch = self.store.db.batch().durability(Some(PersistMode::SyncAll));
        let before = meta::number(&self.store, meta::TRUNCATED)?;
        meta::put(&mut batch, &self.store, meta::TRUNCATED, before + self.torn_bytes);
        batch.commit().map_err(fault("torn tail could not be noted"))
    }

    /// Key by key: the store's own way of clearing leaves a number in the log that it uses again after a restart, and
    /// [`scan`] takes that for damage.
    fn empty(&self, keyspace: &fjall::Keyspace) -> fjall::Result<()> {
        for item in self.store.db.snapshot().iter(keyspace) {
            keyspace.remove(item.key()?)?;
        }
        Ok(())
    }

    /// Forgets everything that is derived from the records, and records that no group speaks of.
    fn make_room(&self) -> Result<(), JournalError> {
        for keyspace in [&self.store.heads, &self.store.states, &self.store.due] {
            self.empty(keyspace).map_err(fault("derived facts could not be cleared"))?;
        }
        commands::drop_all(&self.store.db)
    }
}

/// Opens a journal and makes its writer. `partitions` = none: as it was made.
#[expect(clippy::disallowed_methods, reason = "how long a start took is told, never decided by")]
pub(crate) fn start(mut settings: Settings, partitions: Option<u16>, requests: Receiver<Request>) -> Result<Writer, JournalError> {
    let begun = Instant::now();
    let opened = open(&settings, partitions)?;
    settings.partitions = opened.partitions;
    if opened.rebuild {
        opened.make_room()?;
        front::remove(&settings.dir)?;
    }
    let commands = Commands::open(&opened.store.db, settings.segment_commits_max)?;
    let mut replay = Replay::new(&settings, &opened, commands)?;
    replay.run()?;
    let found = Mark { group: replay.at.group, chain: replay.at.chain };
    if opened.rebuild {
        opened.mark.reset(found)?;
    } else {
        opened.mark.write(found)?;
    }
    let Replay { commands, index, at, rolling, .. } = replay;
    let truncated = meta::number(&opened.store, meta::TRUNCATED)?;
    JournalOpened { events: at.events, truncated_bytes: opened.torn_bytes, took: begun.elapsed() }.emit();
    let front = Front::create(&settings.dir, settings.front_bytes)?;
    let shared = Arc::new(Shared {
        settings,
        store: opened.store,
        index: Mutex::new(index),
        sinks: RwLock::new(Sinks::default()),
        newest_at: AtomicI64::new(at.newest_at.0),
        events: AtomicU64::new(at.events),
        groups: AtomicU64::new(at.group),
        acknowledged: AtomicU64::new(at.group),
        handed: AtomicU64::new(0),
        progress: Progress::default(),
        truncated: AtomicU64::new(truncated),
        torn_bytes: opened.torn_bytes,
        writable: AtomicBool::new(true),
        closed: AtomicBool::new(false),
        lock: opened.lock,
    });
    let behind = Behind::start(Arc::clone(&shared))?;
    let (mark, kept, group) = (opened.mark, VecDeque::new(), Pending::default());
    Ok(Writer { shared, requests, commands, mark, front, behind, kept, at, rolling, group })
}

struct Replay<'a> {
    store: &'a Store,
    snapshot: Snapshot,
    accept_loss: bool,
    /// First segment whose heads are not all stored.
    low: u32,
    /// First segment whose command ids are not all indexed.
    indexed: u32,
    commands: Commands,
    index: Index,
    rolling: Rolling,
    at: Position,
}

impl<'a> Replay<'a> {
    fn new(settings: &Settings, opened: &'a Opened, commands: Commands) -> Result<Self, JournalError> {
        let store = &opened.store;
        let segment = |name| Ok(u32::try_from(meta::number(store, name)?).unwrap_or(u32::MAX));
        let last = opened.last.as_ref();
        let at = Position {
            next: vec![1; usize::from(settings.partitions)],
            segment: 0,
            segment_commits: 0,
            begins: true,
            group: last.map_or(0, |group| group.number),
            chain: last.map_or([0; 32], |group| group.chain),
            events: last.map_or(0, |group| group.events),
            newest_at: last.map_or(Timestamp::default(), |group| group.newest_at),
            batch: 0,
        };
        Ok(Self {
            store,
            snapshot: store.db.snapshot(),
            accept_loss: settings.accept_loss,
            low: segment(meta::LOW)?,
            indexed: segment(meta::INDEXED)?,
            commands,
            index: Index::default(),
            rolling: Rolling::default(),
            at,
        })
    }

    fn run(&mut self) -> Result<(), JournalError> {
        let count = self.store.segment_count();
        for segment in self.low.min(self.indexed)..count {
            self.at.segment = segment;
            self.at.begins = false;
            self.at.segment_commits = 0;
            self.segment(segment)?;
            if segment + 1 < count {
                self.end_segment(segment);
            }
        }
        let sum: u64 = self.at.next.iter().map(|next| next - 1).sum();
        if sum != self.at.events {
            return Err(damaged("the partitions", format!("they hold {sum} events, the last group counts {}", self.at.events)));
        }
        Ok(())
    }

    fn end_segment(&mut self, segment: u32) {
        if segment >= self.indexed {
            self.commands.seal(segment, self.at.newest_at);
        }
        if segment >= self.low {
            self.rolling.segments.push_back((segment, self.index.take_dirtied()));
        }
    }

    fn segment(&mut self, segment: u32) -> Result<(), JournalError> {
        let missing = || damaged(format!("segment {segment}"), "the segment's start is missing or has other partitions");
        let starts = self.store.start_of(segment).filter(|starts| starts.len() == self.at.next.len()).ok_or_else(missing)?;
        let ends = self.store.start_of(segment + 1);
        for (partition, first) in starts.iter().enumerate() {
            let from = Place { partition: u16::try_from(partition).unwrap_or(u16::MAX), seq: *first };
            let next = self.partition(segment, from)?;
            if let Some(end) = ends.as_ref().and_then(|ends| ends.get(partition)).filter(|end| **end != next) {
                let what = format!("the record is missing; the segment after begins at {end}");
                return Err(damaged(Place { seq: next, ..from }, what));
            }
            self.at.next[partition] = next;
        }
        Ok(())
    }

    fn partition(&mut self, segment: u32, from: Place) -> Result<u64, JournalError> {
        let mut next = from.seq;
        for item in self.store.records(&self.snapshot, segment, from) {
            let (place, bytes) = item?;
            let record = checked(&bytes, place)?;
            if record.group > self.at.group {
                self.orphan(segment, place)?;
                continue;
            }
            if place.seq != next {
                return Err(damaged(Place { seq: next, ..place }, "the record is missing"));
            }
            self.take(segment, place, &record)?;
            next += record.event_count;
        }
        Ok(next)
    }

    /// A record of a group that is not there: it goes where a loss was accepted.
    fn orphan(&self, segment: u32, place: Place) -> Result<(), JournalError> {
        if !self.accept_loss {
            return Err(damaged(place, "the record belongs to a group that is missing"));
        }
        self.store.events.remove(event_key(segment, place)).map_err(fault("record could not be removed"))
    }

    fn take(&mut self, segment: u32, place: Place, record: &Record<'_>) -> Result<(), JournalError> {
        self.at.segment_commits += 1;
        if segment >= self.indexed {
            self.commands.insert(hash_of(record.command_id), place);
        }
        if segment < self.low {
            return Ok(());
        }
        let entity = record.entity();
        let known = self.index.get(&entity).cloned();
        let head = known.map_or_else(|| self.store.head(&self.snapshot, &entity), |head| Ok(Some(head)))?;
        let mut head = head.unwrap_or_else(|| Head { etag: crate::contract::Etag { version: 0, nonce: 0 }, ..Head::new(record.etag) });
        if head.etag.version >= record.etag.version {
            return Ok(());
        }
        if head.etag.version != record.version_before() {
            let what = format!("{entity} goes from version {} to {}", head.etag.version, record.version_before());
            return Err(damaged(place, what));
        }
        head.advance(record.etag, place.seq, record.deadline);
        self.index.apply(entity, head, segment);
        Ok(())
    }
}
