//! The one thread that writes: takes what is queued, decides, syncs one group in the front log, notes the high-water mark,
//! tells the outcomes. The store takes the group in behind it. A failed write is never retried: the fatal hook ends the process.
use std::collections::VecDeque;
use std::ops::Range;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use crossbeam_channel::Receiver;
use fjall::OwnedWriteBatch;
use tongdao_domain::entity::EntityKey;
use tongdao_domain::time::Timestamp;
use tongdao_telemetry::{CheckpointWritten, CommitEnded, GroupCommitted};

use super::Shared;
use super::behind::{Batch, Behind};
use super::commands::{Commands, KEPT, hash_of};
use super::front::Front;
use super::group::{self, Chain, Group, Line, chained};
use super::head::{Head, due_key, entity_key};
use super::index::{Index, QuickMap};
use super::mark::{Mark, MarkFile};
use super::meta;
use super::read::encode_state;
use super::reserve::Space;
use super::store::{Store, checked, encode_starts, event_key};
use crate::contract::{CellIndex, Commit, FeedItem, JournalError, Outcome, Ticket};
use crate::judge::{FirstAnswer, Verdict, by_command, by_head};
use crate::record::{self, Place};
use crate::sinks::Told;

/// Heads that are rolled up with one group at most.
const ROLLED_PER_GROUP_MAX: usize = 512;

/// What the writer is asked.
#[expect(clippy::large_enum_variant, reason = "nearly all of them are commits, and a box for each costs more than the room")]
pub(crate) enum Request {
    /// A commit, answered to a cell.
    Commit { cell: CellIndex, ticket: Ticket, commit: Commit },
    /// A state outside of a commit.
    Checkpoint { entity: EntityKey, version: u64, state: Vec<u8> },
    /// Write what is queued, then stop.
    Close,
}

/// Where the history stands.
pub(crate) struct Position {
    /// Next sequence of each partition.
    pub(crate) next: Vec<u64>,
    pub(crate) segment: u32,
    /// Commits in that segment so far.
    pub(crate) segment_commits: usize,
    /// The segment's start is not written yet.
    pub(crate) begins: bool,
    pub(crate) group: u64,
    pub(crate) chain: Chain,
    pub(crate) events: u64,
    pub(crate) newest_at: Timestamp,
    /// Batches handed to the store since the start.
    pub(crate) batch: u64,
}

/// Ended segments whose heads are being stored, oldest first.
#[derive(Default)]
pub(crate) struct Rolling {
    pub(crate) segments: VecDeque<(u32, Vec<EntityKey>)>,
    /// Of the segment before: forgotten unless touched again.
    stored: Vec<EntityKey>,
    /// Number of the batch with the last of them.
    stored_by: u64,
}

/// The writer.
pub(crate) struct Writer {
    pub(crate) shared: Arc<Shared>,
    pub(crate) requests: Receiver<Request>,
    pub(crate) commands: Commands,
    pub(crate) mark: MarkFile,
    pub(crate) front: Front,
    pub(crate) behind: Behind,
    /// Groups that the store may not have taken in yet, oldest first.
    pub(crate) kept: VecDeque<Kept>,
    pub(crate) at: Position,
    pub(crate) rolling: Rolling,
    pub(crate) group: Pending,
}

/// The records of a group that is on its way into the store.
#[derive(Default)]
pub(crate) struct Kept {
    /// Number of its batch.
    batch: u64,
    arena: Vec<u8>,
    written: Vec<(Place, Range<usize>)>,
}

impl Kept {
    fn record(&self, place: Place) -> Option<&[u8]> {
        let range = self.written.iter().find_map(|(written, range)| (*written == place).then_some(range))?;
        self.arena.get(range.clone())
    }
}

/// The group under construction; its buffers are used again and again.
#[derive(Default)]
pub(crate) struct Pending {
    /// All records, one behind the other.
    kept: Kept,
    lines: Vec<Line>,
    /// Heads after this group, of entities it touches.
    touched: QuickMap<EntityKey, Head>,
    states: QuickMap<EntityKey, (u64, Vec<u8>)>,
    told: Vec<Told>,
    followed: Vec<FeedItem>,
    /// Facts for `meta`.
    facts: Vec<(&'static str, u64)>,
    inbox: Vec<Request>,
    closing: bool,
}

impl Writer {
    pub(crate) fn shared(&self) -> Arc<Shared> {
        Arc::clone(&self.shared)
    }

    /// Runs until it is closed or a write fails.
    #[expect(clippy::disallowed_methods, reason = "how long a group took is measured, never decided by")]
    pub(crate) fn run(mut self) {
        let mut begun = Instant::now();
        while self.take_requests(begun) {
            begun = Instant::now();
            if let Err(fault) = self.process() {
                self.shared.closed.store(true, Ordering::Release);
                self.shared.writable.store(false, Ordering::Release);
                (self.shared.settings.fatal)(&fault);
                return;
            }
            if self.group.closing && self.requests.is_empty() {
                return self.finish();
            }
        }
    }

    /// The store takes in what is left; then the front log holds nothing that counts.
    fn finish(&mut self) {
        if self.behind.close()
            && let Err(fault) = self.front.clear()
        {
            tracing::warn!(%fault, "the front log could not be cleared; the next start reads it again");
        }
    }

    /// Waits for work; false: nobody can send any more.
    #[expect(
        clippy::disallowed_methods,
        reason = "the gap between groups is a setting, off by default; this thread has nothing else to do"
    )]
    fn take_requests(&mut self, last_group: Instant) -> bool {
        if self.group.closing {
            self.group.inbox.extend(self.requests.try_iter().take(self.shared.settings.group_max));
            return true;
        }
        let Ok(first) = self.requests.recv() else { return false };
        let gap = self.shared.settings.gap;
        if !gap.is_zero() {
            std::thread::sleep(gap.saturating_sub(last_group.elapsed()));
        }
        self.group.inbox.push(first);
        self.group.inbox.extend(self.requests.try_iter().take(self.shared.settings.group_max - 1));
        true
    }

    fn process(&mut self) -> Result<(), JournalError> {
        self.check_reserve()?;
        self.take_in_indexed()?;
        let shared = self.shared();
        let mut inbox = std::mem::take(&mut self.group.inbox);
        let index = shared.index();
        for request in inbox.drain(..) {
            self.take(&index, request)?;
        }
        self.group.inbox = inbox;
        if self.group.kept.written.is_empty() && self.group.states.is_empty() {
            drop(index);
        } else {
            let rolled = self.choose_rolled(&index);
            drop(index);
            self.write(rolled)?;
        }
        self.tell();
        Ok(())
    }

    fn check_reserve(&mut self) -> Result<(), JournalError> {
        let shared = &self.shared;
        let was = shared.writable.load(Ordering::Relaxed);
        let space = Space::of(&shared.settings.dir)?;
        let writable = shared.settings.reserve.writable(was, space, shared.store.db.write_buffer_size());
        if writable != was {
            shared.writable.store(writable, Ordering::Release);
            tracing::warn!(writable, free_bytes = space.free, "the disk reserve of the journal");
        }
        Ok(())
    }

    fn take_in_indexed(&mut self) -> Result<(), JournalError> {
        if let Some(segment) = self.commands.finished()? {
            self.group.facts.push((meta::INDEXED, u64::from(segment) + 1));
        }
        Ok(())
    }

    fn take(&mut self, index: &Index, request: Request) -> Result<(), JournalError> {
        match request {
            Request::Commit { cell, ticket, commit } => {
                let outcome = match self.decide(index, commit) {
                    Err(JournalError::Damaged { place, what }) => {
                        tracing::error!(place, what, "a commit needs what is damaged and is not taken");
                        Outcome::Unavailable
                    }
                    decided => decided?,
                };
                self.group.told.push((cell, ticket, outcome));
            }
            Request::Checkpoint { entity, version, state } => self.cover(index, entity, version, state)?,
            Request::Close => self.group.closing = true,
        }
        Ok(())
    }

    fn decide(&mut self, index: &Index, commit: Commit) -> Result<Outcome, JournalError> {
        let hash = hash_of(commit.command_id.as_str());
        let first = match self.commands.find(hash)? {
            Some(place) => self.first_answer(place, &commit)?,
            None => None,
        };
        if let Some(outcome) = by_command(&commit, first) {
            return Ok(outcome);
        }
        if !self.shared.writable.load(Ordering::Relaxed) {
            return Ok(Outcome::Unavailable);
        }
        if !self.group.touched.contains_key(&commit.entity) {
            let known = index.get(&commit.entity).cloned();
            let head = known.map_or_else(|| self.shared.store.newest_head(&commit.entity), |head| Ok(Some(head)))?;
            if let Verdict::Tell(outcome) = by_head(&commit, head.as_ref().map(|head| head.etag)) {
                return Ok(outcome);
            }
            self.group.touched.insert(commit.entity.clone(), head.unwrap_or_else(|| Head::new(commit.next)));
        } else if let Verdict::Tell(outcome) = by_head(&commit, self.group.touched.get(&commit.entity).map(|head| head.etag)) {
            return Ok(outcome);
        }
        Ok(Outcome::Committed { seq: self.append(hash, commit) })
    }

    /// What was answered under the command id of the record at a place, if it is the same id and not older than 48 h.
    fn first_answer(&self, place: Place, commit: &Commit) -> Result<Option<FirstAnswer>, JournalError> {
        let here = std::iter::once(&self.group.kept).chain(self.kept.iter().rev()).find_map(|kept| kept.record(place));
        let stored;
        let bytes = match here {
            Some(bytes) => bytes,
            None => {
                stored = self.shared.store.record(&self.shared.store.db.snapshot(), place)?;
                &stored
            }
        };
        let record = checked(bytes, place)?;
        let same = record.command_id == commit.command_id.as_str() && record.at >= commit.at - KEPT;
        Ok(same.then(|| FirstAnswer { fingerprint: record.fingerprint, reply: record.reply.to_vec() }))
    }

    fn append(&mut self, hash: [u64; 2], commit: Commit) -> u64 {
        let partition = commit.entity.partition(self.shared.settings.partitions);
        let next = &mut self.at.next[usize::from(partition)];
        let place = Place { partition, seq: *next };
        let events = commit.events.len() as u64;
        *next += events;
        let group = &mut self.group;
        let start = group.kept.arena.len();
        let checksum = record::encode(&mut group.kept.arena, place, self.at.group + 1, &commit);
        group.kept.written.push((place, start..group.kept.arena.len()));
        group.lines.push(Line { partition, events, checksum });
        self.commands.insert(hash, place);
        self.at.newest_at = self.at.newest_at.max(commit.at);
        if self.shared.sinks.read().unwrap_or_else(PoisonError::into_inner).follows(commit.entity.kind) {
            group.follow(place, &commit);
        }
        group.advance(place.seq, commit);
        place.seq
    }

    fn cover(&mut self, index: &Index, entity: EntityKey, version: u64, state: Vec<u8>) -> Result<(), JournalError> {
        let known = self.group.touched.get(&entity).or_else(|| index.get(&entity)).cloned();
        let head = known.map_or_else(|| self.shared.store.newest_head(&entity), |head| Ok(Some(head)));
        match head {
            Err(JournalError::Damaged { place, what }) => tracing::error!(place, what, "a state could not be written"),
            head => {
                if let Some(mut head) = head?.filter(|_| self.shared.writable.load(Ordering::Relaxed))
                    && head.cover(version)
                {
                    self.group.touched.insert(entity.clone(), head);
                    self.group.states.insert(entity, (version, state));
                }
            }
        }
        Ok(())
    }

    /// Some heads of ended segments that are to be stored with this group.
    fn choose_rolled(&mut self, index: &Index) -> Vec<(EntityKey, Head)> {
        let mut rolled = Vec::new();
        while rolled.len() < ROLLED_PER_GROUP_MAX {
            let Some((segment, entities)) = self.rolling.segments.front_mut() else { break };
            let Some(entity) = entities.pop() else {
                self.group.facts.push((meta::LOW, u64::from(*segment) + 1));
                self.rolling.segments.pop_front();
                continue;
            };
            let head = self.group.touched.get(&entity).or_else(|| index.to_store(&entity)).cloned();
            if let Some(head) = head.filter(|_| !self.group.states.contains_key(&entity)) {
                rolled.push((entity.clone(), head));
            }
            self.rolling.stored.push(entity);
            self.rolling.stored_by = self.at.batch + 1;
        }
        rolled.sort_by(|(a, _), (b, _)| a.cmp(b));
        rolled.dedup_by(|(a, _), (b, _)| a == b);
        rolled
    }

    #[expect(clippy::disallowed_methods, reason = "how long a group took is measured, never decided by")]
    fn write(&mut self, rolled: Vec<(EntityKey, Head)>) -> Result<(), JournalError> {
        let shared = self.shared();
        let has_commits = !self.group.kept.written.is_empty();
        let begun = Instant::now();
        let items = self.group.kept.written.len() + 3 * (rolled.len() + self.group.states.len()) + 8;
        let mut batch = OwnedWriteBatch::with_capacity(shared.store.db.clone(), items);
        let (sync, fsync) = if has_commits { self.put_group(&mut batch)? } else { (false, Duration::ZERO) };
        let stored = self.put_heads(&mut batch, rolled);
        for (name, value) in self.group.facts.drain(..) {
            meta::put(&mut batch, &shared.store, name, value);
        }
        self.at.batch += 1;
        // About what a batch of heads and states is in the store's log.
        let bytes = self.group.kept.arena.len() + 256 * items;
        self.behind.hand(Batch { number: self.at.batch, group: self.at.group, items: batch, bytes, sync })?;
        if has_commits {
            let events = self.group.lines.iter().map(|line| line.events).sum();
            GroupCommitted { commits: self.group.kept.written.len() as u64, events, fsync, total: begun.elapsed() }.emit();
        }
        self.publish(stored, has_commits);
        Ok(())
    }

    /// Makes the group durable in the front log and puts it into a batch: whether a file of the log has been filled, and how long
    /// the sync took.
    #[expect(clippy::disallowed_methods, reason = "how long a sync took is measured, never decided by")]
    fn put_group(&mut self, batch: &mut OwnedWriteBatch) -> Result<(bool, Duration), JournalError> {
        let (shared, group) = (Arc::clone(&self.shared), &mut self.group);
        let (store, kept) = (&shared.store, &group.kept);
        let number = self.at.group + 1;
        let chain = chained(&self.at.chain, number, &group.lines, [&kept.arena]);
        let events = self.at.events + group.lines.iter().map(|line| line.events).sum::<u64>();
        let lines = std::mem::take(&mut group.lines);
        let stored = Group { number, segment: self.at.segment, newest_at: self.at.newest_at, events, lines, chain };
        let encoded = stored.encode();
        group.lines = stored.lines;
        let starts = if self.at.begins { encode_starts(&starts(&self.at.next, &group.lines)) } else { Vec::new() };
        if let Some(group) = self.front.awaits(kept.arena.len()) {
            shared.progress.wait_durable(group)?;
        }
        let began = Instant::now();
        let filled = self.front.append((number, &encoded), &starts, &kept.written, &kept.arena)?;
        let fsync = began.elapsed();
        (self.at.group, self.at.chain, self.at.events) = (number, chain, events);
        self.mark.write(Mark { group: number, chain })?;
        put_records(
            batch,
            store,
            (number, &encoded),
            (self.at.segment, &starts),
            kept.written.iter().map(|(place, range)| (*place, &kept.arena[range.clone()])),
        );
        Ok((filled, fsync))
    }

    /// States with their heads, heads of ended segments, and the timers of both.
    fn put_heads(&mut self, batch: &mut OwnedWriteBatch, rolled: Vec<(EntityKey, Head)>) -> Vec<(EntityKey, Head)> {
        let store = &self.shared.store;
        if !self.group.states.is_empty() {
            CheckpointWritten { states: self.group.states.len() as u64 }.emit();
        }
        let mut stored = rolled;
        for (entity, (version, state)) in self.group.states.drain() {
            batch.insert(&store.states, entity_key(&entity).as_slice(), encode_state(version, &state));
            if let Some(head) = self.group.touched.get(&entity) {
                stored.push((entity, head.clone()));
            }
        }
        for (entity, head) in &mut stored {
            batch.insert(&store.heads, entity_key(entity).as_slice(), head.encode());
            if head.stored_deadline != head.deadline {
                let key = |at| due_key(at, entity);
                head.stored_deadline.map(key).into_iter().for_each(|key| batch.remove(&store.due, key.as_slice()));
                head.deadline.map(key).into_iter().for_each(|key| batch.insert(&store.due, key.as_slice(), []));
            }
            head.stored_deadline = head.deadline;
        }
        stored
    }

    /// Lets readers see the group.
    fn publish(&mut self, stored: Vec<(EntityKey, Head)>, has_commits: bool) {
        let shared = self.shared();
        if has_commits && std::mem::take(&mut self.at.begins) {
            shared.store.push_start(starts(&self.at.next, &self.group.lines).into());
        }
        let mut index = shared.index();
        for (entity, head) in self.group.touched.drain() {
            index.apply(entity, head, self.at.segment);
        }
        for (entity, head) in &stored {
            index.stored(entity, head);
        }
        shared.handed.store(self.at.batch, Ordering::Release);
        self.at.segment_commits += self.group.kept.written.len();
        if self.at.segment_commits >= shared.settings.segment_commits_max {
            self.end_segment(&mut index);
        }
        drop(index);
        shared.newest_at.store(self.at.newest_at.0, Ordering::Release);
        shared.events.store(self.at.events, Ordering::Release);
        shared.groups.store(self.at.group, Ordering::Release);
        shared.acknowledged.store(self.at.group, Ordering::Release);
    }

    pub(crate) fn end_segment(&mut self, index: &mut Index) {
        let ended = self.at.segment;
        self.commands.seal(ended, self.at.newest_at);
        // What the store has not taken in yet is not looked for there.
        if self.shared.progress.taken() >= self.rolling.stored_by {
            for entity in self.rolling.stored.drain(..) {
                index.forget(&entity, ended.saturating_sub(1));
            }
        }
        self.rolling.segments.push_back((ended, index.take_dirtied()));
        self.at.segment = ended + 1;
        self.at.segment_commits = 0;
        self.at.begins = true;
    }

    /// Everything is durable: says so, and empties the buffers.
    fn tell(&mut self) {
        let group = &mut self.group;
        let sinks = self.shared.sinks.read().unwrap_or_else(PoisonError::into_inner);
        if !group.followed.is_empty() {
            sinks.tell_followed(&Arc::from(std::mem::take(&mut group.followed)));
        }
        count_others(&group.told);
        sinks.tell(std::mem::take(&mut group.told));
        drop(sinks);
        group.lines.clear();
        group.touched.clear();
        self.keep();
    }

    /// The group's records are looked up here until the store has them; then their buffers are used again.
    fn keep(&mut self) {
        if self.group.kept.written.is_empty() {
            return;
        }
        let taken = self.shared.progress.taken();
        let mut free = Kept::default();
        while self.kept.front().is_some_and(|kept| kept.batch <= taken) {
            free = self.kept.pop_front().unwrap_or_default();
        }
        free.arena.clear();
        free.written.clear();
        self.group.kept.batch = self.at.batch;
        self.kept.push_back(std::mem::replace(&mut self.group.kept, free));
    }
}

/// Counts the outcomes that left nothing on disk.
fn count_others(told: &[Told]) {
    let mut counts = [("question", 0), ("duplicate", 0), ("key_reused", 0), ("conflict", 0), ("unknown", 0), ("unavailable", 0)];
    for (_, _, outcome) in told {
        let kind = match outcome {
            Outcome::Committed { seq: 1.. } => continue,
            Outcome::Committed { .. } => 0,
            Outcome::Duplicate { .. } => 1,
            Outcome::KeyReused => 2,
            Outcome::Conflict { .. } => 3,
            Outcome::Unknown => 4,
            Outcome::Unavailable => 5,
        };
        counts[kind].1 += 1;
    }
    counts.into_iter().filter(|(_, count)| *count > 0).for_each(|(outcome, count)| CommitEnded { outcome, count }.emit());
}

/// Puts a group into a batch. Its own record comes first: the start finds its number even where the batch is torn.
pub(crate) fn put_records<'a>(
    batch: &mut OwnedWriteBatch,
    store: &Store,
    (number, encoded): (u64, &[u8]),
    (segment, starts): (u32, &[u8]),
    records: impl Iterator<Item = (Place, &'a [u8])>,
) {
    batch.insert(&store.groups, group::key(number), encoded);
    if !starts.is_empty() {
        batch.insert(&store.segments, segment.to_be_bytes(), starts);
    }
    for (place, bytes) in records {
        batch.insert(&store.events, event_key(segment, place), bytes);
    }
}

/// First sequences of the segment that a group begins: what comes next, less what the group itself has.
fn starts(next: &[u64], lines: &[Line]) -> Vec<u64> {
    let mut starts = next.to_vec();
    for line in lines {
        starts[usize::from(line.partition)] -= line.events;
    }
    starts
}

impl Pending {
    fn follow(&mut self, place: Place, commit: &Commit) {
        let before = commit.next.version - commit.events.len() as u64;
        self.followed.extend(commit.events.iter().enumerate().map(|(n, event)| FeedItem {
            partition: place.partition,
            seq: place.seq + n as u64,
            at: commit.at,
            entity: commit.entity.clone(),
            version: before + n as u64 + 1,
            command_id: commit.command_id.clone(),
            event: event.to_vec(),
        }));
    }

    /// The head of the entity must be among the touched already.
    fn advance(&mut self, seq: u64, commit: Commit) {
        let Some(head) = self.touched.get_mut(&commit.entity) else { return };
        head.advance(commit.next, seq, commit.deadline);
        if let Some(state) = commit.state
            && head.cover(commit.next.version)
        {
            self.states.insert(commit.entity, (commit.next.version, state.to_vec()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_starts_where_its_first_group_does() {
        let line = |partition, events| Line { partition, events, checksum: 0 };
        assert_eq!(starts(&[1, 5, 9], &[line(1, 2), line(2, 1), line(1, 2)]), [1, 1, 8]);
    }
}
