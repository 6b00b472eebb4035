//! The commit contract: what every backend promises and every caller may rely on.
//!
//! A submitted commit ends in exactly one [`Outcome`], delivered to the [`OutcomeSink`] of its cell, in the order of
//! submission for commits of one entity. `Committed` and `Duplicate` are told only when the events behind them are durable.
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;
use tongdao_domain::entity::{EntityKey, EntityKind};
use tongdao_domain::fingerprint::Fingerprint;
use tongdao_domain::id::CommandId;
use tongdao_domain::time::Timestamp;

/// Version of an entity's history plus a random nonce: after a split brain two sides can have the same version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Etag {
    /// Events of the entity so far.
    pub version: u64,
    /// Drawn anew for each commit.
    pub nonce: u32,
}

/// What the entity's newest commit must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Expected {
    /// It has never committed.
    Absent,
    /// Exactly this; may be one that is itself still in flight (chained commits).
    Etag(Etag),
    /// Not looked at: a question (no events).
    Any,
}

/// Encoded bytes of one event, reply or state.
pub type Bytes = SmallVec<[u8; 128]>;

/// One durable step of one entity.
#[derive(Debug, Clone)]
pub struct Commit {
    /// Whose.
    pub entity: EntityKey,
    /// What its newest commit must be.
    pub expected: Expected,
    /// What it is afterwards; for a question the same as before.
    pub next: Etag,
    /// The key of idempotence, known once in the whole journal.
    pub command_id: CommandId,
    /// What the command means.
    pub fingerprint: Fingerprint,
    /// The encoded answer, kept 48 h under the command id. Nothing is kept for a question.
    pub reply: Bytes,
    /// Encoded events; none = a question: it asks for the answer that this command id has had and stores nothing.
    pub events: SmallVec<[Bytes; 1]>,
    /// The encoded state after the events, where the caller thinks it time to write one.
    pub state: Option<Bytes>,
    /// When the entity's `Tick` is due next, as of after this commit.
    pub deadline: Option<Timestamp>,
    /// The moment of the commit by the process clock; never decreases for an entity.
    pub at: Timestamp,
}

/// How a commit ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Durable; `seq` is the first event's number in its partition. For a question: the command id is unknown.
    Committed {
        /// Number of the first event in the partition; 0 for a question.
        seq: u64,
    },
    /// The command id has had this answer, given by whichever entity; nothing was written.
    Duplicate {
        /// The encoded first answer.
        reply: Vec<u8>,
    },
    /// The command id was used with another meaning; nothing was written.
    KeyReused,
    /// The entity's newest commit is another; nothing was written.
    Conflict {
        /// What it is.
        actual: Option<Etag>,
    },
    /// Nobody knows whether it was written: reload, decide again, same command id.
    Unknown,
    /// Nothing was written and nothing will be for now (disk reserve, store away): answer `BUSY`.
    Unavailable,
}

/// Names a commit among all in flight of its cell; chosen by the caller, given back with the outcome.
pub type Ticket = u64;

/// Where outcomes go: the door of a cell. Called from the journal's thread with a whole group at once.
pub trait OutcomeSink: Send + Sync + 'static {
    /// Takes the outcomes of a group, in order. Must not block.
    fn outcomes(&self, outcomes: Vec<(Ticket, Outcome)>);
    /// Takes committed events of the kinds this sink follows, in order. Must not block. `gap` = read the feed again.
    fn followed(&self, items: Arc<[FeedItem]>);
    /// The outcomes of the group are with their cells. Whoever only watches begins here: a tap's answer does not wait for it.
    fn told(&self) {}
}

/// An entity as the journal has it: the newest written state and the events since.
#[derive(Debug, Clone, Default)]
pub struct Loaded {
    /// Newest commit; none = never committed.
    pub etag: Option<Etag>,
    /// Encoded state, where one was written, and the version it stands for.
    pub state: Option<(u64, Vec<u8>)>,
    /// Events after that state, with their moments.
    pub events: Vec<(Timestamp, Vec<u8>)>,
    /// When its `Tick` is due.
    pub deadline: Option<Timestamp>,
}

/// One committed event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedItem {
    /// Logical partition.
    pub partition: u16,
    /// Gapless number within the partition, from 1.
    pub seq: u64,
    /// When it was committed.
    pub at: Timestamp,
    /// Whose.
    pub entity: EntityKey,
    /// The entity's version after it.
    pub version: u64,
    /// The command that caused it.
    pub command_id: CommandId,
    /// Encoded event.
    pub event: Vec<u8>,
}

/// Which cell's sink a commit is answered to.
pub type CellIndex = usize;

/// A journal could not be read or opened.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// Another process holds it.
    #[error("the journal in {dir} is in use by another process")]
    Locked {
        /// Its folder.
        dir: String,
    },
    /// It is damaged: the place is named.
    #[error("the journal is damaged at {place}: {what}")]
    Damaged {
        /// Partition and sequence, or file.
        place: String,
        /// What is wrong.
        what: String,
    },
    /// It came back shorter than what was acknowledged.
    #[error(
        "the journal ends at group {found}, but group {acknowledged} was acknowledged; `tongdao doctor --accept-loss` goes on with what is there"
    )]
    Shorter {
        /// Last durable group found.
        found: u64,
        /// Last group acknowledged.
        acknowledged: u64,
    },
    /// It was made with other settings.
    #[error("the journal was made with {key} = {stored}, the config says {wanted}")]
    Mismatch {
        /// Which setting.
        key: &'static str,
        /// What it was made with.
        stored: String,
        /// What is wanted.
        wanted: String,
    },
    /// The operating system or the store failed.
    #[error("journal {what}")]
    Io {
        /// What was tried.
        what: &'static str,
        /// Why it failed.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// A backend.
pub trait Journal: Send + Sync + 'static {
    /// Number of logical partitions.
    fn partitions(&self) -> u16;
    /// Registers the door of a cell and the kinds of entity whose events it wants to follow. Called before the first submit.
    fn register(&self, cell: CellIndex, sink: Arc<dyn OutcomeSink>, follows: &[EntityKind]);
    /// Hands over a commit; the queue is bounded. `Err` gives it back: the queue is full.
    ///
    /// # Errors
    /// The commit itself, boxed, when the queue is full.
    fn submit(&self, cell: CellIndex, ticket: Ticket, commit: Commit) -> Result<(), Box<Commit>>;
    /// Reads an entity as of its newest durable commit. Blocks: call it off the cell's thread.
    ///
    /// # Errors
    /// [`JournalError`] when the store cannot be read or is damaged there.
    fn load(&self, entity: &EntityKey) -> Result<Loaded, JournalError>;
    /// Writes the state of an entity outside of a commit (passivation, checkpoint). Not awaited; losing it loses nothing.
    fn checkpoint(&self, entity: &EntityKey, version: u64, state: Vec<u8>);
    /// Entities whose deadline is at or before `until`, oldest first, at most `limit`. Blocks.
    ///
    /// # Errors
    /// [`JournalError`] when the store cannot be read.
    fn due(&self, until: Timestamp, limit: usize) -> Result<Vec<(Timestamp, EntityKey)>, JournalError>;
    /// Committed events of a partition from a sequence on, at most `limit`. Blocks.
    ///
    /// # Errors
    /// [`JournalError`] when the store cannot be read or is damaged there.
    fn feed(&self, partition: u16, from_seq: u64, limit: usize) -> Result<Vec<FeedItem>, JournalError>;
    /// Every entity of a kind that has ever committed. Blocks.
    ///
    /// # Errors
    /// [`JournalError`] when the store cannot be read.
    fn entities(&self, kind: EntityKind) -> Result<Vec<EntityKey>, JournalError>;
    /// The newest moment in it; the process clock never starts behind.
    fn newest_at(&self) -> Timestamp;
    /// Positions and health, for metrics and `/readyz`.
    fn status(&self) -> Status;
    /// Writes all that is queued, then stops; afterwards `submit` gives everything back.
    fn close(&self);
}

/// Positions and health of a journal.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Status {
    /// Events committed since the beginning, over all partitions.
    pub events: u64,
    /// Groups (one fsync each) since the beginning.
    pub groups: u64,
    /// Commits waiting for the writer.
    pub queued: usize,
    /// Durable groups that the store behind the front log has not taken in yet.
    pub behind: u64,
    /// Bytes on disk, where there is one.
    pub bytes: u64,
    /// Free bytes on that disk.
    pub free_bytes: u64,
    /// False: commits are `Unavailable` now (disk reserve).
    pub writable: bool,
    /// Torn tails that were cut off at starts, in bytes.
    pub truncated_bytes: u64,
    /// `local`, `replica` or `degraded`.
    pub durability: &'static str,
}
