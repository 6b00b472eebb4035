//! The embedded journal on fjall: one thread owns all commits, the fsync itself forms the groups. A group is durable and told
//! once it stands in the front log; another thread takes it into the store behind that.
//!
//! Reads go beside the writer, on snapshots, and see durable commits only. It is for one process on one disk; a lost
//! disk loses what was not shipped elsewhere.
mod behind;
mod commands;
pub(crate) mod front;
pub(crate) mod group;
pub(crate) mod head;
pub(crate) mod index;
pub(crate) mod mark;
pub(crate) mod meta;
pub(crate) mod read;
pub(crate) mod reserve;
mod scan;
pub(crate) mod start;
pub(crate) mod store;
#[cfg(test)]
mod tests;
mod writer;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{Sender, TrySendError, bounded};
use tongdao_domain::entity::{EntityKey, EntityKind};
use tongdao_domain::time::Timestamp;

use crate::contract::{CellIndex, Commit, FeedItem, Journal, JournalError, Loaded, OutcomeSink, Status, Ticket};
use crate::sinks::Sinks;
use index::Index;
pub use meta::Loss;
pub use reserve::{Reserve, Space};
use store::Store;
use writer::Request;

/// Called when the journal can no longer be written; afterwards nothing more is answered.
pub type FatalHook = Arc<dyn Fn(&JournalError) + Send + Sync>;

/// How an embedded journal is opened.
#[derive(Clone)]
pub struct Settings {
    /// Its folder.
    pub dir: PathBuf,
    /// Logical partitions; fixed at the first start.
    pub partitions: u16,
    /// Commits that wait for the writer at most.
    pub queue_max: usize,
    /// Commits of one group (one fsync) at most.
    pub group_max: usize,
    /// Least time between the beginnings of two groups; zero = none. Longer saves processor time at the price of latency.
    pub gap: Duration,
    /// How much of the disk stays free.
    pub reserve: Reserve,
    /// Commits of a segment: what is replayed at a start, one to three times this, and what is indexed at once.
    pub segment_commits_max: usize,
    /// Each of the two files of the front log, in bytes; one is written anew when the store has all of it.
    pub front_bytes: u64,
    /// Memory for blocks of the store, in bytes.
    pub cache_bytes: u64,
    /// Memory for what the store has not sorted yet, per keyspace, in bytes.
    pub memtable_bytes: u64,
    /// Goes on with what is there when the journal came back shorter than acknowledged or is damaged behind that.
    pub accept_loss: bool,
    /// What to do when it can no longer be written: a failed write is never retried.
    pub fatal: FatalHook,
}

impl Settings {
    /// The defaults, in a folder.
    #[must_use]
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self {
            dir: dir.into(),
            partitions: 64,
            queue_max: 8192,
            group_max: 1024,
            gap: Duration::ZERO,
            reserve: Reserve::default(),
            segment_commits_max: 262_144,
            front_bytes: 1 << 20,
            cache_bytes: 64 << 20,
            memtable_bytes: 8 << 20,
            accept_loss: false,
            fatal: Arc::new(abort),
        }
    }
}

/// The process must not go on answering: no destructor may run, nothing may be flushed on the way out.
fn abort(fault: &JournalError) {
    let source = std::error::Error::source(fault).map(|source| format!(": {source}")).unwrap_or_default();
    tongdao_telemetry::JournalFailed { error: fault }.emit();
    eprintln!("tongdao: {fault}{source}; the process ends here, nothing unacknowledged was told");
    std::process::abort();
}

/// A writer that panics is a failed write.
fn run_to_the_end(writer: writer::Writer) {
    let shared = writer.shared();
    if std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| writer.run())).is_err() {
        shared.closed.store(true, Ordering::Release);
        (shared.settings.fatal)(&JournalError::Io { what: "writer failed", source: "it panicked".into() });
    }
}

/// The embedded journal.
pub struct Embedded {
    shared: Arc<Shared>,
    queue: Sender<Request>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

/// What the writer and the readers share.
pub(crate) struct Shared {
    pub(crate) settings: Settings,
    pub(crate) store: Store,
    pub(crate) index: Mutex<Index>,
    pub(crate) sinks: RwLock<Sinks>,
    pub(crate) newest_at: AtomicI64,
    pub(crate) events: AtomicU64,
    pub(crate) groups: AtomicU64,
    pub(crate) acknowledged: AtomicU64,
    /// Number of the last batch that the index speaks of; the store may be behind.
    pub(crate) handed: AtomicU64,
    pub(crate) progress: behind::Progress,
    pub(crate) truncated: AtomicU64,
    /// Cut off at this start.
    pub(crate) torn_bytes: u64,
    pub(crate) writable: AtomicBool,
    pub(crate) closed: AtomicBool,
    /// Held as long as the journal is open: one process at a time.
    #[expect(dead_code, reason = "the lock is released when the file is closed")]
    lock: std::fs::File,
}

impl Shared {
    pub(crate) fn index(&self) -> MutexGuard<'_, Index> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A snapshot with everything that has been told.
    pub(crate) fn snapshot(&self) -> Result<fjall::Snapshot, JournalError> {
        self.progress.wait_taken(self.handed.load(Ordering::Acquire))?;
        Ok(self.store.db.snapshot())
    }
}

impl Embedded {
    /// Opens or makes a journal, replays what is not rolled up yet, and starts the writer.
    ///
    /// # Errors
    /// [`JournalError::Locked`] when another process holds it, [`JournalError::Shorter`] or [`JournalError::Damaged`]
    /// when acknowledged commits are missing or unreadable, [`JournalError::Mismatch`] when it was made with another
    /// number of partitions, [`JournalError::Io`] when the operating system fails.
    pub fn open(settings: Settings) -> Result<Self, JournalError> {
        let (queue, requests) = bounded(settings.queue_max);
        let writer = start::start(settings.clone(), Some(settings.partitions), requests)?;
        let shared = writer.shared();
        let thread = std::thread::Builder::new().name("journal".into()).spawn(move || run_to_the_end(writer));
        let thread = thread.map_err(|source| JournalError::Io { what: "writer did not start", source: Box::new(source) })?;
        Ok(Self { shared, queue, writer: Mutex::new(Some(thread)) })
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.shared
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        self.close();
    }
}

impl Journal for Embedded {
    fn partitions(&self) -> u16 {
        self.shared.settings.partitions
    }

    fn register(&self, cell: CellIndex, sink: Arc<dyn OutcomeSink>, follows: &[EntityKind]) {
        self.shared.sinks.write().unwrap_or_else(PoisonError::into_inner).register(cell, sink, follows);
    }

    fn submit(&self, cell: CellIndex, ticket: Ticket, commit: Commit) -> Result<(), Box<Commit>> {
        if self.shared.closed.load(Ordering::Acquire) {
            return Err(Box::new(commit));
        }
        self.queue.try_send(Request::Commit { cell, ticket, commit }).map_err(|refused| match refused {
            TrySendError::Full(Request::Commit { commit, .. }) | TrySendError::Disconnected(Request::Commit { commit, .. }) => {
                Box::new(commit)
            }
            _ => unreachable!("what was sent comes back"),
        })
    }

    fn load(&self, entity: &EntityKey) -> Result<Loaded, JournalError> {
        read::load(&self.shared, entity)
    }

    fn checkpoint(&self, entity: &EntityKey, version: u64, state: Vec<u8>) {
        let _ = self.queue.try_send(Request::Checkpoint { entity: entity.clone(), version, state });
    }

    fn due(&self, until: Timestamp, limit: usize) -> Result<Vec<(Timestamp, EntityKey)>, JournalError> {
        read::due(&self.shared, until, limit)
    }

    fn feed(&self, partition: u16, from_seq: u64, limit: usize) -> Result<Vec<FeedItem>, JournalError> {
        let snapshot = self.shared.snapshot()?;
        read::feed(&self.shared.store, &snapshot, partition, from_seq, limit)
    }

    fn entities(&self, kind: EntityKind) -> Result<Vec<EntityKey>, JournalError> {
        read::entities(&self.shared, kind)
    }

    fn newest_at(&self) -> Timestamp {
        Timestamp(self.shared.newest_at.load(Ordering::Acquire))
    }

    fn status(&self) -> Status {
        let shared = &self.shared;
        Status {
            events: shared.events.load(Ordering::Acquire),
            groups: shared.groups.load(Ordering::Acquire),
            queued: self.queue.len(),
            behind: shared.handed.load(Ordering::Acquire).saturating_sub(shared.progress.taken()),
            bytes: shared.store.db.disk_space().unwrap_or_default(),
            free_bytes: Space::of(&shared.settings.dir).map(|space| space.free).unwrap_or_default(),
            writable: shared.writable.load(Ordering::Acquire) && !shared.closed.load(Ordering::Acquire),
            truncated_bytes: shared.truncated.load(Ordering::Acquire),
            durability: "local",
        }
    }

    fn close(&self) {
        self.shared.closed.store(true, Ordering::Release);
        let thread = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            let _ = self.queue.send(Request::Close);
            let _ = thread.join();
        }
    }
}
