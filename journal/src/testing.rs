//! Commits made by hand and a sink that remembers, for tests of backends and of what stands on them. Not compiled into
//! the product.
use std::sync::{Arc, Mutex, PoisonError};

use tongdao_domain::entity::{EntityKey, EntityKind};
use tongdao_domain::fingerprint::Fingerprinter;
use tongdao_domain::id::CommandId;
use tongdao_domain::time::Timestamp;

use crate::contract::{Bytes, Commit, Etag, Expected, FeedItem, Outcome, OutcomeSink, Ticket};

/// The entity named like `account/a1`.
///
/// # Panics
/// When the text names no known kind.
#[must_use]
pub fn entity(name: &str) -> EntityKey {
    let (kind, id) = name.split_once('/').unwrap_or((name, ""));
    let kind = EntityKind::ALL.iter().find(|k| k.name() == kind);
    EntityKey::new(*kind.unwrap_or_else(|| panic!("no entity kind: {name}")), id)
}

/// A commit under construction; see [`commit`].
#[derive(Debug, Clone)]
pub struct CommitBuilder(Commit);

/// Begins the first commit of an entity: one event that is named like the command, answered with `re:{command}`.
///
/// # Panics
/// When the entity or the command id is none.
#[must_use]
pub fn commit(entity_name: &str, command: &str) -> CommitBuilder {
    CommitBuilder(Commit {
        entity: entity(entity_name),
        expected: Expected::Absent,
        next: Etag { version: 1, nonce: nonce(command) },
        command_id: CommandId::new(command).unwrap_or_else(|fault| panic!("{command}: {fault}")),
        fingerprint: Fingerprinter::new(command).finish(),
        reply: Bytes::from_slice(format!("re:{command}").as_bytes()),
        events: std::iter::once(Bytes::from_slice(command.as_bytes())).collect(),
        state: None,
        deadline: None,
        at: Timestamp(1_767_204_000_000),
    })
}

/// A question after the answer of a command id.
#[must_use]
pub fn question(entity_name: &str, command: &str) -> Commit {
    let mut commit = commit(entity_name, command).build();
    commit.expected = Expected::Any;
    commit.events.clear();
    commit
}

fn nonce(command: &str) -> u32 {
    command.bytes().fold(17, |sum, byte| sum.wrapping_mul(31).wrapping_add(u32::from(byte)))
}

impl CommitBuilder {
    /// Follows on this commit of the same entity.
    #[must_use]
    pub fn after(mut self, etag: Etag) -> Self {
        self.0.expected = Expected::Etag(etag);
        self.0.next.version = etag.version + self.0.events.len() as u64;
        self
    }
    /// Carries these events instead.
    #[must_use]
    pub fn events(mut self, events: &[&str]) -> Self {
        let before = self.0.next.version - self.0.events.len() as u64;
        self.0.events = events.iter().map(|event| Bytes::from_slice(event.as_bytes())).collect();
        self.0.next.version = before + events.len() as u64;
        self
    }
    /// Means something else under the same command id.
    #[must_use]
    pub fn meaning(mut self, what: &str) -> Self {
        self.0.fingerprint = Fingerprinter::new(what).finish();
        self
    }
    /// Carries the state after its events.
    #[must_use]
    pub fn state(mut self, state: &str) -> Self {
        self.0.state = Some(Bytes::from_slice(state.as_bytes()));
        self
    }
    /// Sets the next deadline, in milliseconds since the epoch.
    #[must_use]
    pub fn deadline(mut self, deadline: i64) -> Self {
        self.0.deadline = Some(Timestamp(deadline));
        self
    }
    /// Is made at this moment, in milliseconds since the epoch.
    #[must_use]
    pub fn at(mut self, at: i64) -> Self {
        self.0.at = Timestamp(at);
        self
    }
    /// The commit.
    #[must_use]
    pub fn build(self) -> Commit {
        self.0
    }
}

/// A sink that remembers all it was told.
#[derive(Debug, Default)]
pub struct Remembering {
    outcomes: Mutex<Vec<(Ticket, Outcome)>>,
    followed: Mutex<Vec<FeedItem>>,
    arrived: std::sync::Condvar,
}

impl Remembering {
    /// An empty one.
    #[must_use]
    pub fn new() -> Arc<Self> {
        Arc::default()
    }
    /// Waits until there are `n` outcomes and takes all there are.
    ///
    /// # Panics
    /// When they do not come within 30 seconds.
    pub fn take(&self, n: usize) -> Vec<(Ticket, Outcome)> {
        let guard = self.outcomes.lock().unwrap_or_else(PoisonError::into_inner);
        let patience = std::time::Duration::from_secs(30);
        let waited = self.arrived.wait_timeout_while(guard, patience, |outcomes| outcomes.len() < n);
        let (mut outcomes, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
        assert!(!timeout.timed_out(), "{n} outcomes awaited, {} came", outcomes.len());
        std::mem::take(&mut *outcomes)
    }
    /// All events it followed so far.
    pub fn followed_so_far(&self) -> Vec<FeedItem> {
        self.followed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl OutcomeSink for Remembering {
    fn outcomes(&self, outcomes: Vec<(Ticket, Outcome)>) {
        self.outcomes.lock().unwrap_or_else(PoisonError::into_inner).extend(outcomes);
        self.arrived.notify_all();
    }
    fn followed(&self, items: Arc<[FeedItem]>) {
        self.followed.lock().unwrap_or_else(PoisonError::into_inner).extend(items.iter().cloned());
    }
}
