//! The journal in memory: deterministic, steppable, with faults to order. For tests and the simulation.
//!
//! It keeps the contract to the letter, "durable" included: a group is first *written* and then *synced*; only what is
//! synced is told, loaded or fed, and [`Memory::crash`] loses the rest. It is no cache and no product backend.
mod store;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tongdao_domain::entity::{EntityKey, EntityKind};
use tongdao_domain::mutant::{Mutant, planted};
use tongdao_domain::time::Timestamp;

use crate::contract::{CellIndex, Commit, FeedItem, Journal, JournalError, Loaded, Outcome, OutcomeSink, Status, Ticket};
use crate::judge::{FirstAnswer, Verdict, by_command, by_head};
use crate::sinks::{Sinks, Told};
use store::Store;

/// Commits that wait at most.
const QUEUE_MAX: usize = 65_536;

/// A fault to order, see [`Memory::inject`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The commit is written, its outcome is `Unknown`: cut after send.
    UnknownWritten,
    /// The commit is not written, its outcome is `Unknown`: cut before it arrived.
    UnknownLost,
    /// The commit is not written and `Unavailable`: disk reserve.
    Unavailable,
}

/// The journal in memory.
pub struct Memory {
    partitions: u16,
    automatic: bool,
    inner: Mutex<Inner>,
}

struct Inner {
    queue: VecDeque<(CellIndex, Ticket, Commit)>,
    queue_max: usize,
    /// What survives a crash and what everybody may see.
    durable: Store,
    /// Groups that are written but not synced: they survive a crash or do not.
    unsynced: Vec<Group>,
    faults: VecDeque<Fault>,
    writable: bool,
    closed: bool,
    groups: u64,
    sinks: Sinks,
}

#[derive(Default)]
struct Group {
    written: Vec<Commit>,
    told: Vec<(CellIndex, Ticket, Pending)>,
}

/// An outcome whose sequence is known once its group is durable.
enum Pending {
    Outcome(Outcome),
    Written(usize),
}

impl Memory {
    /// A journal that commits nothing by itself: see [`Memory::flush`].
    #[must_use]
    pub fn new(partitions: u16) -> Self {
        Self::with(partitions, QUEUE_MAX, false)
    }
    /// A journal that commits each submission at once, on the submitter's thread, as a group of its own.
    #[must_use]
    pub fn automatic(partitions: u16) -> Self {
        Self::with(partitions, QUEUE_MAX, true)
    }
    /// As [`Memory::new`], with a shorter queue.
    #[must_use]
    pub fn with_queue(partitions: u16, queue_max: usize) -> Self {
        Self::with(partitions, queue_max, false)
    }

    fn with(partitions: u16, queue_max: usize, automatic: bool) -> Self {
        let inner = Inner {
            queue: VecDeque::new(),
            queue_max,
            durable: Store::new(partitions),
            unsynced: Vec::new(),
            faults: VecDeque::new(),
            writable: true,
            closed: false,
            groups: 0,
            sinks: Sinks::default(),
        };
        Self { partitions, automatic, inner: Mutex::new(inner) }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Commits at most `n` of what is queued as one group: [`Memory::write`], then [`Memory::sync`]. Returns what was
    /// told, in order; registered sinks hear it, too.
    pub fn flush(&self, n: usize) -> Vec<(CellIndex, Ticket, Outcome)> {
        self.write(n);
        self.sync()
    }

    /// Writes at most `n` of what is queued as one group. Nothing is told and nothing of it can be seen before
    /// [`Memory::sync`]. Returns how many were taken from the queue.
    pub fn write(&self, n: usize) -> usize {
        let mut inner = self.inner();
        let count = inner.queue.len().min(n);
        let taken: Vec<_> = inner.queue.drain(..count).collect();
        if count > 0 {
            inner.unsynced.push(Group::default());
        }
        for (cell, ticket, commit) in taken {
            let pending = inner.take_one(commit);
            if let Some(group) = inner.unsynced.last_mut() {
                group.told.push((cell, ticket, pending));
            }
        }
        count
    }

    /// Makes all written groups durable and tells their outcomes.
    pub fn sync(&self) -> Vec<(CellIndex, Ticket, Outcome)> {
        let mut inner = self.inner();
        let groups = std::mem::take(&mut inner.unsynced);
        let (mut told, mut items) = (Vec::new(), Vec::new());
        let last = groups.len();
        for (index, group) in groups.into_iter().enumerate() {
            if planted(Mutant::ToldBeforeSync) && index > 0 && index + 1 == last {
                told.extend(group.told.into_iter().map(|(cell, ticket, pending)| (cell, ticket, pending.outcome(&[1; 64]))));
                continue;
            }
            inner.make_durable(group, &mut told, &mut items);
        }
        let sinks = inner.sinks.clone();
        drop(inner);
        sinks.tell_followed(&Arc::from(items));
        sinks.tell(told.clone());
        told
    }

    /// The process dies and comes back: the queue is lost, of the written groups the oldest `keep_groups` turn out to
    /// be on disk. Whoever waited for an outcome never hears one.
    pub fn crash(&self, keep_groups: usize) {
        let mut inner = self.inner();
        inner.queue.clear();
        inner.faults.clear();
        let groups = std::mem::take(&mut inner.unsynced);
        for group in groups.into_iter().take(keep_groups) {
            inner.make_durable(group, &mut Vec::new(), &mut Vec::new());
        }
    }

    /// Orders a fault for the next commit that is written and has no fault ordered yet; questions take none.
    pub fn inject(&self, fault: Fault) {
        self.inner().faults.push_back(fault);
    }

    /// False: every commit is `Unavailable` until it is true again.
    pub fn set_writable(&self, writable: bool) {
        self.inner().writable = writable;
    }

    /// Commits that wait for a group.
    #[must_use]
    pub fn queued(&self) -> usize {
        self.inner().queue.len()
    }

    /// Groups that are written but not synced.
    #[must_use]
    pub fn unsynced(&self) -> usize {
        self.inner().unsynced.len()
    }
}

impl Inner {
    /// Decides about one commit and adds it to the newest group where it is to be written.
    fn take_one(&mut self, commit: Commit) -> Pending {
        if let Some(outcome) = by_command(&commit, self.first_answer(&commit)) {
            return Pending::Outcome(outcome);
        }
        if !self.writable {
            return Pending::Outcome(Outcome::Unavailable);
        }
        match self.faults.pop_front() {
            Some(Fault::Unavailable) => return Pending::Outcome(Outcome::Unavailable),
            Some(Fault::UnknownLost) => return Pending::Outcome(Outcome::Unknown),
            Some(Fault::UnknownWritten) => {
                let _ = self.append(commit);
                return Pending::Outcome(Outcome::Unknown);
            }
            None => {}
        }
        self.append(commit)
    }

    fn append(&mut self, commit: Commit) -> Pending {
        let head = self.unsynced_commits().filter(|c| c.entity == commit.entity).last().map(|c| c.next);
        if let Verdict::Tell(outcome) = by_head(&commit, head.or_else(|| self.durable.head(&commit.entity))) {
            return Pending::Outcome(outcome);
        }
        let Some(group) = self.unsynced.last_mut() else { return Pending::Outcome(Outcome::Unavailable) };
        group.written.push(commit);
        Pending::Written(group.written.len() - 1)
    }

    fn unsynced_commits(&self) -> impl Iterator<Item = &Commit> {
        self.unsynced.iter().flat_map(|group| &group.written)
    }

    fn first_answer(&self, commit: &Commit) -> Option<FirstAnswer> {
        if planted(Mutant::IdPerEntity) && commit.entity.kind == EntityKind::Gate {
            return None;
        }
        let unsynced = self.unsynced_commits().find(|c| c.command_id == commit.command_id);
        unsynced
            .map(|c| FirstAnswer { fingerprint: c.fingerprint, reply: c.reply.to_vec() })
            .or_else(|| self.durable.first_answer(&commit.command_id, commit.at))
    }

    fn make_durable(&mut self, group: Group, told: &mut Vec<Told>, items: &mut Vec<FeedItem>) {
        self.groups += u64::from(!group.written.is_empty());
        let follows = |kind| self.sinks.follows(kind);
        let mut seqs = Vec::with_capacity(group.written.len());
        for commit in group.written {
            let followed = follows(commit.entity.kind);
            let written = self.durable.write(commit);
            seqs.push(written.seq);
            if followed {
                items.extend(self.durable.feed(written.partition, written.seq, written.events));
            }
        }
        told.extend(group.told.into_iter().map(|(cell, ticket, pending)| (cell, ticket, pending.outcome(&seqs))));
    }
}

impl Pending {
    fn outcome(self, seqs: &[u64]) -> Outcome {
        match self {
            Self::Outcome(outcome) => outcome,
            Self::Written(index) => seqs.get(index).map_or(Outcome::Unknown, |seq| Outcome::Committed { seq: *seq }),
        }
    }
}

impl Journal for Memory {
    fn partitions(&self) -> u16 {
        self.partitions
    }
    fn register(&self, cell: CellIndex, sink: Arc<dyn OutcomeSink>, follows: &[EntityKind]) {
        self.inner().sinks.register(cell, sink, follows);
    }
    fn submit(&self, cell: CellIndex, ticket: Ticket, commit: Commit) -> Result<(), Box<Commit>> {
        let mut inner = self.inner();
        if inner.closed || inner.queue.len() >= inner.queue_max {
            return Err(Box::new(commit));
        }
        inner.queue.push_back((cell, ticket, commit));
        drop(inner);
        if self.automatic {
            self.flush(usize::MAX);
        }
        Ok(())
    }
    fn load(&self, entity: &EntityKey) -> Result<Loaded, JournalError> {
        Ok(self.inner().durable.load(entity))
    }
    fn checkpoint(&self, entity: &EntityKey, version: u64, state: Vec<u8>) {
        self.inner().durable.checkpoint(entity, version, state);
    }
    fn due(&self, until: Timestamp, limit: usize) -> Result<Vec<(Timestamp, EntityKey)>, JournalError> {
        Ok(self.inner().durable.due(until, limit))
    }
    fn feed(&self, partition: u16, from_seq: u64, limit: usize) -> Result<Vec<FeedItem>, JournalError> {
        Ok(self.inner().durable.feed(partition, from_seq, limit))
    }
    fn entities(&self, kind: EntityKind) -> Result<Vec<EntityKey>, JournalError> {
        Ok(self.inner().durable.entities(kind))
    }
    fn newest_at(&self) -> Timestamp {
        self.inner().durable.newest_at()
    }
    fn status(&self) -> Status {
        let inner = self.inner();
        Status {
            events: inner.durable.events(),
            groups: inner.groups,
            queued: inner.queue.len(),
            writable: inner.writable && !inner.closed,
            durability: "memory",
            ..Status::default()
        }
    }
    fn close(&self) {
        self.inner().closed = true;
        self.flush(usize::MAX);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Remembering, commit, entity, question};

    fn told(outcomes: Vec<(CellIndex, Ticket, Outcome)>) -> Vec<Outcome> {
        outcomes.into_iter().map(|(_, _, outcome)| outcome).collect()
    }

    fn submit(journal: &Memory, commits: impl IntoIterator<Item = Commit>) {
        for (ticket, commit) in commits.into_iter().enumerate() {
            journal.submit(0, ticket as Ticket, commit).expect("room in the queue");
        }
    }

    #[test]
    fn nothing_is_seen_before_it_is_synced() {
        let journal = Memory::new(4);
        submit(&journal, [commit("account/a", "c1").build()]);
        assert_eq!(journal.write(10), 1);
        assert_eq!(journal.load(&entity("account/a")).expect("readable").etag, None);
        assert_eq!(told(journal.sync()), [Outcome::Committed { seq: 1 }]);
        assert_eq!(journal.load(&entity("account/a")).expect("readable").events.len(), 1);
    }

    #[test]
    fn a_crash_keeps_as_many_groups_as_it_is_told() {
        let journal = Memory::new(4);
        let first = commit("account/a", "c1").build();
        let second = commit("account/a", "c2").after(first.next).build();
        let third = commit("account/a", "c3").after(second.next).build();
        submit(&journal, [first.clone(), second.clone(), third]);
        assert_eq!((journal.write(1), journal.write(1)), (1, 1));
        assert_eq!((journal.unsynced(), journal.queued()), (2, 1));
        journal.crash(1);
        assert_eq!(journal.load(&first.entity).expect("readable").etag, Some(first.next));
        assert!(journal.flush(10).is_empty(), "nobody hears of what the crash cut off");
        submit(&journal, [first, second]);
        assert_eq!(told(journal.flush(10)), [Outcome::Duplicate { reply: b"re:c1".to_vec() }, Outcome::Committed { seq: 2 }]);
    }

    #[test]
    fn unknown_comes_with_and_without_the_write() {
        let journal = Memory::new(4);
        journal.inject(Fault::UnknownWritten);
        journal.inject(Fault::UnknownLost);
        let commits = [commit("account/a", "c1").build(), commit("account/b", "c2").build()];
        submit(&journal, commits.clone());
        assert_eq!(told(journal.flush(10)), [Outcome::Unknown, Outcome::Unknown]);
        submit(&journal, commits);
        assert!(matches!(told(journal.flush(10))[..], [Outcome::Duplicate { .. }, Outcome::Committed { seq: 1 }]));
    }

    #[test]
    fn unavailable_writes_nothing_and_still_answers_questions() {
        let journal = Memory::new(4);
        submit(&journal, [commit("account/a", "c1").build()]);
        journal.flush(1);
        journal.set_writable(false);
        submit(&journal, [commit("account/b", "c2").build(), question("account/a", "c1")]);
        assert!(matches!(told(journal.flush(10))[..], [Outcome::Unavailable, Outcome::Duplicate { .. }]));
        assert!(!journal.status().writable);
        journal.set_writable(true);
        journal.inject(Fault::Unavailable);
        submit(&journal, [commit("account/b", "c2").build(), commit("account/b", "c2").build()]);
        assert!(matches!(told(journal.flush(10))[..], [Outcome::Unavailable, Outcome::Committed { .. }]));
    }

    #[test]
    fn a_full_queue_gives_back() {
        let journal = Memory::with_queue(4, 1);
        submit(&journal, [commit("account/a", "c1").build()]);
        let second = commit("account/b", "c2").build();
        let back = journal.submit(0, 2, second.clone()).expect_err("no room");
        assert_eq!(back.command_id, second.command_id);
    }

    #[test]
    fn automatic_tells_at_once() {
        let (journal, sink) = (Memory::automatic(4), Remembering::new());
        journal.register(0, sink.clone(), &[EntityKind::Account]);
        submit(&journal, [commit("account/a", "c1").build()]);
        assert_eq!(sink.take(1), [(0, Outcome::Committed { seq: 1 })]);
        assert_eq!(sink.followed_so_far().len(), 1);
    }
}
