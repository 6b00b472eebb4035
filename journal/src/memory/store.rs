//! What the memory backend holds of durable commits: the records and what is derived from them.
use std::collections::{BTreeMap, BTreeSet};

use tongdao_domain::entity::{EntityKey, EntityKind};
use tongdao_domain::id::CommandId;
use tongdao_domain::time::{Millis, Timestamp};

use crate::contract::{Commit, Etag, FeedItem, Loaded};
use crate::judge::FirstAnswer;

/// Answers by command id are kept this long.
const ANSWERS_KEPT: Millis = Millis::hours(48);

/// Ordered maps only: whoever walks them sees the same order in every run.
pub(super) struct Store {
    partitions: Vec<Vec<FeedItem>>,
    entities: BTreeMap<EntityKey, Entity>,
    answers: BTreeMap<CommandId, Answer>,
    by_age: BTreeSet<(Timestamp, CommandId)>,
    due: BTreeSet<(Timestamp, EntityKey)>,
    newest_at: Timestamp,
}

struct Entity {
    etag: Etag,
    deadline: Option<Timestamp>,
    state: Option<(u64, Vec<u8>)>,
    /// Every event: place in its partition.
    events: Vec<usize>,
}

struct Answer {
    fingerprint: tongdao_domain::fingerprint::Fingerprint,
    reply: Vec<u8>,
    at: Timestamp,
}

/// Where a commit has gone.
pub(super) struct Written {
    pub(super) partition: u16,
    pub(super) seq: u64,
    pub(super) events: usize,
}

impl Store {
    pub(super) fn new(partitions: u16) -> Self {
        Self {
            partitions: (0..partitions.max(1)).map(|_| Vec::new()).collect(),
            entities: BTreeMap::new(),
            answers: BTreeMap::new(),
            by_age: BTreeSet::new(),
            due: BTreeSet::new(),
            newest_at: Timestamp::default(),
        }
    }

    /// Applies a commit that was found good.
    pub(super) fn write(&mut self, commit: Commit) -> Written {
        let partition = commit.entity.partition(u16::try_from(self.partitions.len()).unwrap_or(1));
        let feed = &mut self.partitions[usize::from(partition)];
        let (first, events) = (feed.len(), commit.events.len());
        let before = commit.next.version - events as u64;
        feed.extend(commit.events.iter().enumerate().map(|(n, event)| FeedItem {
            partition,
            seq: (first + n) as u64 + 1,
            at: commit.at,
            entity: commit.entity.clone(),
            version: before + n as u64 + 1,
            command_id: commit.command_id.clone(),
            event: event.to_vec(),
        }));
        self.newest_at = self.newest_at.max(commit.at);
        self.remember_answer(&commit);
        self.advance(commit, first..first + events);
        Written { partition, seq: first as u64 + 1, events }
    }

    fn advance(&mut self, commit: Commit, places: std::ops::Range<usize>) {
        let fresh = || Entity { etag: commit.next, deadline: None, state: None, events: Vec::new() };
        let entity = self.entities.entry(commit.entity.clone()).or_insert_with(fresh);
        if let Some(old) = entity.deadline {
            self.due.remove(&(old, commit.entity.clone()));
        }
        if let Some(new) = commit.deadline {
            self.due.insert((new, commit.entity));
        }
        entity.etag = commit.next;
        entity.deadline = commit.deadline;
        entity.events.extend(places);
        if let Some(state) = commit.state {
            entity.state = Some((commit.next.version, state.to_vec()));
        }
    }

    fn remember_answer(&mut self, commit: &Commit) {
        let answer = Answer { fingerprint: commit.fingerprint, reply: commit.reply.to_vec(), at: commit.at };
        self.by_age.insert((commit.at, commit.command_id.clone()));
        self.answers.insert(commit.command_id.clone(), answer);
        let oldest = self.newest_at - ANSWERS_KEPT;
        while self.by_age.first().is_some_and(|(at, _)| *at < oldest) {
            self.forget_oldest_answer();
        }
    }

    fn forget_oldest_answer(&mut self) {
        let Some((at, id)) = self.by_age.pop_first() else { return };
        if self.answers.get(&id).is_some_and(|answer| answer.at == at) {
            self.answers.remove(&id);
        }
    }

    /// What the command id was answered, unless that is older than 48 h.
    pub(super) fn first_answer(&self, id: &CommandId, now: Timestamp) -> Option<FirstAnswer> {
        let answer = self.answers.get(id).filter(|answer| answer.at >= now - ANSWERS_KEPT)?;
        Some(FirstAnswer { fingerprint: answer.fingerprint, reply: answer.reply.clone() })
    }

    pub(super) fn head(&self, entity: &EntityKey) -> Option<Etag> {
        self.entities.get(entity).map(|entity| entity.etag)
    }

    pub(super) fn load(&self, key: &EntityKey) -> Loaded {
        let Some(entity) = self.entities.get(key) else { return Loaded::default() };
        let feed = &self.partitions[usize::from(self.partition_of(key))];
        let covered = entity.state.as_ref().map_or(0, |(version, _)| *version);
        let events = entity.events.iter().filter_map(|place| feed.get(*place)).filter(|item| item.version > covered);
        Loaded {
            etag: Some(entity.etag),
            state: entity.state.clone(),
            events: events.map(|item| (item.at, item.event.clone())).collect(),
            deadline: entity.deadline,
        }
    }

    fn partition_of(&self, key: &EntityKey) -> u16 {
        key.partition(u16::try_from(self.partitions.len()).unwrap_or(1))
    }

    /// Takes a state unless it is older than the one there is or newer than what is durable.
    pub(super) fn checkpoint(&mut self, key: &EntityKey, version: u64, state: Vec<u8>) {
        let Some(entity) = self.entities.get_mut(key) else { return };
        let old = entity.state.as_ref().map_or(0, |(version, _)| *version);
        if version > old && version <= entity.etag.version {
            entity.state = Some((version, state));
        }
    }

    pub(super) fn due(&self, until: Timestamp, limit: usize) -> Vec<(Timestamp, EntityKey)> {
        self.due.iter().take_while(|(at, _)| *at <= until).take(limit).cloned().collect()
    }

    pub(super) fn feed(&self, partition: u16, from_seq: u64, limit: usize) -> Vec<FeedItem> {
        let Some(feed) = self.partitions.get(usize::from(partition)) else { return Vec::new() };
        let skip = usize::try_from(from_seq.saturating_sub(1)).unwrap_or(usize::MAX);
        feed.iter().skip(skip).take(limit).cloned().collect()
    }

    pub(super) fn entities(&self, kind: EntityKind) -> Vec<EntityKey> {
        self.entities.keys().filter(|key| key.kind == kind).cloned().collect()
    }

    pub(super) fn newest_at(&self) -> Timestamp {
        self.newest_at
    }

    pub(super) fn events(&self) -> u64 {
        self.partitions.iter().map(|feed| feed.len() as u64).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{commit, entity};

    #[test]
    fn answers_are_forgotten_after_48_hours_and_not_before() {
        let mut store = Store::new(4);
        store.write(commit("account/a", "c1").at(1_000).build());
        let later = Timestamp(1_000) + ANSWERS_KEPT;
        let id = CommandId::new("c1").expect("an id");
        assert!(store.first_answer(&id, later).is_some());
        assert!(store.first_answer(&id, later + Millis(1)).is_none());
        store.write(commit("account/b", "c2").at(later.0 + 1).build());
        assert!(store.answers.len() == 1 && store.by_age.len() == 1, "nothing is kept for ever");
    }

    #[test]
    fn a_checkpoint_covers_its_events_and_never_goes_back() {
        let mut store = Store::new(4);
        let a = entity("account/a");
        store.write(commit("account/a", "c1").events(&["e1", "e2", "e3"]).build());
        store.checkpoint(&a, 4, b"future".to_vec());
        assert_eq!(store.load(&a).state, None);
        store.checkpoint(&a, 2, b"two".to_vec());
        store.checkpoint(&a, 1, b"one".to_vec());
        let loaded = store.load(&a);
        assert_eq!(loaded.state, Some((2, b"two".to_vec())));
        assert_eq!(loaded.events.len(), 1);
    }
}
