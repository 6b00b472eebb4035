//! A journal that takes its time: for overload tests, where the bottleneck must not be the processor that makes the load.
//! Each commit is handed on this much later than the one before; order and contract are those of the journal behind it.
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use tongdao_domain::entity::{EntityKey, EntityKind};
use tongdao_domain::time::Timestamp;
use tongdao_journal::contract::{CellIndex, Commit, FeedItem, Journal, JournalError, Loaded, OutcomeSink, Status, Ticket};

type Handed = (CellIndex, Ticket, Box<Commit>);

/// Commits that wait at most.
const QUEUE_MAX: usize = 4096;

/// The decorated journal.
pub(crate) struct Slow {
    journal: Arc<dyn Journal>,
    queue: Mutex<Option<Sender<Handed>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Slow {
    /// The journal itself where `each` is zero.
    pub(crate) fn around(journal: Arc<dyn Journal>, each: Duration) -> std::io::Result<Arc<dyn Journal>> {
        if each.is_zero() {
            return Ok(journal);
        }
        let (queue, handed) = bounded(QUEUE_MAX);
        let behind = Arc::clone(&journal);
        let thread = thread::Builder::new().name("slow".into()).spawn(move || hand_on(&behind, &handed, each))?;
        Ok(Arc::new(Self { journal, queue: Mutex::new(Some(queue)), thread: Mutex::new(Some(thread)) }))
    }
}

#[expect(clippy::disallowed_methods, reason = "slowness is what this is for")]
fn hand_on(journal: &Arc<dyn Journal>, handed: &Receiver<Handed>, each: Duration) {
    for (cell, ticket, mut commit) in handed {
        thread::sleep(each);
        while let Err(back) = journal.submit(cell, ticket, *commit) {
            commit = back;
            thread::sleep(each);
        }
    }
}

impl Journal for Slow {
    fn submit(&self, cell: CellIndex, ticket: Ticket, commit: Commit) -> Result<(), Box<Commit>> {
        let commit = Box::new(commit);
        match &*self.queue.lock().unwrap_or_else(PoisonError::into_inner) {
            None => Err(commit),
            Some(queue) => queue.try_send((cell, ticket, commit)).map_err(|error| match error {
                TrySendError::Full((.., commit)) | TrySendError::Disconnected((.., commit)) => commit,
            }),
        }
    }
    fn close(&self) {
        drop(self.queue.lock().unwrap_or_else(PoisonError::into_inner).take());
        if let Some(thread) = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take() {
            let _ = thread.join();
        }
        self.journal.close();
    }
    fn partitions(&self) -> u16 {
        self.journal.partitions()
    }
    fn register(&self, cell: CellIndex, sink: Arc<dyn OutcomeSink>, follows: &[EntityKind]) {
        self.journal.register(cell, sink, follows);
    }
    fn load(&self, entity: &EntityKey) -> Result<Loaded, JournalError> {
        self.journal.load(entity)
    }
    fn checkpoint(&self, entity: &EntityKey, version: u64, state: Vec<u8>) {
        self.journal.checkpoint(entity, version, state);
    }
    fn due(&self, until: Timestamp, limit: usize) -> Result<Vec<(Timestamp, EntityKey)>, JournalError> {
        self.journal.due(until, limit)
    }
    fn feed(&self, partition: u16, from_seq: u64, limit: usize) -> Result<Vec<FeedItem>, JournalError> {
        self.journal.feed(partition, from_seq, limit)
    }
    fn entities(&self, kind: EntityKind) -> Result<Vec<EntityKey>, JournalError> {
        self.journal.entities(kind)
    }
    fn newest_at(&self) -> Timestamp {
        self.journal.newest_at()
    }
    fn status(&self) -> Status {
        self.journal.status()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tongdao_journal::memory::Memory;
    use tongdao_journal::testing::{Remembering, commit};

    #[test]
    fn it_keeps_the_order_and_hands_everything_on_before_it_closes() {
        let memory = Arc::new(Memory::automatic(4));
        let slow = Slow::around(memory.clone(), Duration::from_micros(1)).expect("a thread");
        slow.register(0, Remembering::new(), &[]);
        for n in 0..50 {
            slow.submit(0, n, commit(&format!("account/a{n}"), &format!("c{n}")).build()).expect("room");
        }
        slow.close();
        assert_eq!(memory.status().events, 50);
        assert!(slow.submit(0, 50, commit("account/late", "late").build()).is_err());
    }
}
