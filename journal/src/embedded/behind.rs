//! The thread that takes durable groups into the store, behind the writer: nothing that the store does (sorting, syncing,
//! its locks) makes a commit wait. What it has not taken in yet is in the front log.
use std::sync::atomic::Ordering;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use crossbeam_channel::{Receiver, Sender, bounded};
use fjall::{OwnedWriteBatch, PersistMode};

use super::Shared;
use super::store::fault;
use crate::contract::JournalError;

/// Batches that wait, at most; then the writer waits, too.
const BATCHES_MAX: usize = 256;
/// The store's own log is synced after so much, so that a file of the front log can be used again.
const SYNC_BYTES: usize = 2 << 20;

/// One batch for the store.
pub(crate) struct Batch {
    /// Counts up by one.
    pub(crate) number: u64,
    /// The newest group in it or before it.
    pub(crate) group: u64,
    pub(crate) items: OwnedWriteBatch,
    /// About how much it holds.
    pub(crate) bytes: usize,
    /// Everything up to it is to be synced.
    pub(crate) sync: bool,
}

/// How far the store is.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    reached: Mutex<Reached>,
    moved: Condvar,
}

#[derive(Debug, Clone, Copy, Default)]
struct Reached {
    /// Number of the last batch that readers see.
    taken: u64,
    /// Last group that is durable in the store.
    durable: u64,
    failed: bool,
}

impl Progress {
    fn reached(&self) -> MutexGuard<'_, Reached> {
        self.reached.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, change: impl FnOnce(&mut Reached)) {
        change(&mut self.reached());
        self.moved.notify_all();
    }

    fn wait(&self, until: impl Fn(&Reached) -> bool) -> Result<(), JournalError> {
        let mut reached = self.reached();
        while !until(&reached) {
            if reached.failed {
                return Err(stopped());
            }
            reached = self.moved.wait(reached).unwrap_or_else(PoisonError::into_inner);
        }
        Ok(())
    }

    /// Number of the last batch that readers see.
    pub(crate) fn taken(&self) -> u64 {
        self.reached().taken
    }

    /// Waits until readers see a batch.
    ///
    /// # Errors
    /// The store takes nothing in any more.
    pub(crate) fn wait_taken(&self, batch: u64) -> Result<(), JournalError> {
        self.wait(|reached| reached.taken >= batch)
    }

    /// Waits until a group is durable in the store.
    ///
    /// # Errors
    /// As above.
    pub(crate) fn wait_durable(&self, group: u64) -> Result<(), JournalError> {
        self.wait(|reached| reached.durable >= group)
    }
}

/// The writer's end of the thread.
pub(crate) struct Behind {
    /// None once it is closed.
    batches: Option<Sender<Batch>>,
    thread: Option<JoinHandle<bool>>,
}

impl Behind {
    /// Starts the thread.
    pub(crate) fn start(shared: Arc<Shared>) -> Result<Self, JournalError> {
        let (batches, waiting) = bounded(BATCHES_MAX);
        let thread = std::thread::Builder::new().name("journal-store".into()).spawn(move || run(&shared, &waiting));
        let thread = thread.map_err(|source| JournalError::Io { what: "store thread did not start", source: Box::new(source) })?;
        Ok(Self { batches: Some(batches), thread: Some(thread) })
    }

    /// Hands a batch over; where the thread has failed, the process is about to end.
    pub(crate) fn hand(&self, batch: Batch) -> Result<(), JournalError> {
        self.batches.as_ref().and_then(|batches| batches.send(batch).ok()).ok_or_else(stopped)
    }

    /// Waits until the store has taken in everything; true: all of it is durable there.
    pub(crate) fn close(&mut self) -> bool {
        drop(self.batches.take());
        self.thread.take().is_some_and(|thread| thread.join().unwrap_or(false))
    }
}

impl Drop for Behind {
    /// The thread holds the store and its lock.
    fn drop(&mut self) {
        self.close();
    }
}

fn stopped() -> JournalError {
    JournalError::Io { what: "store failed", source: "it takes nothing in any more".into() }
}

/// A batch that fails, or that the store panics over, is a failed write.
fn run(shared: &Shared, waiting: &Receiver<Batch>) -> bool {
    let work = std::panic::AssertUnwindSafe(|| take_in(shared, waiting));
    let panicked = || Err(JournalError::Io { what: "store failed", source: "it panicked".into() });
    let Err(fault) = std::panic::catch_unwind(work).unwrap_or_else(|_| panicked()) else { return true };
    shared.closed.store(true, Ordering::Release);
    shared.writable.store(false, Ordering::Release);
    shared.progress.set(|reached| reached.failed = true);
    (shared.settings.fatal)(&fault);
    false
}

fn take_in(shared: &Shared, waiting: &Receiver<Batch>) -> Result<(), JournalError> {
    let (mut unsynced, mut group) = (0, 0);
    for batch in waiting {
        batch.items.commit().map_err(fault("write failed"))?;
        unsynced += batch.bytes;
        group = batch.group;
        shared.progress.set(|reached| reached.taken = batch.number);
        if batch.sync || unsynced >= SYNC_BYTES {
            sync(shared, group, PersistMode::SyncData)?;
            unsynced = 0;
        }
    }
    sync(shared, group, PersistMode::SyncAll)
}

fn sync(shared: &Shared, group: u64, mode: PersistMode) -> Result<(), JournalError> {
    shared.store.db.persist(mode).map_err(fault("store could not be synced"))?;
    shared.progress.set(|reached| reached.durable = reached.durable.max(group));
    Ok(())
}
