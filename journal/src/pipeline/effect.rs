//! What goes into the pipeline beside the command (time, world, a random number) and what comes out: effects that the
//! shell or the simulation carries out in order. Nothing in here acts.
use crate::contract::{Commit, Ticket};
use tongdao_domain::id::CommandId;
use tongdao_domain::machine::{Command, Machine, Owed, Recipient, Remark, Reply};
use tongdao_domain::time::Timestamp;
use tongdao_domain::world::World;

/// What the pipeline may look at beside its own state.
#[derive(Debug, Clone, Copy)]
pub struct Env<'a> {
    /// The cell's snapshot.
    pub world: &'a World,
    /// The process clock.
    pub now: Timestamp,
    /// Random, drawn anew for each call: half of the ETags that are picked in it.
    pub nonce: u32,
}

/// A command on its way to a machine. `R` is the caller's token for where the answer goes.
#[derive(Debug)]
pub struct Request<M: Machine, R> {
    /// The key of idempotence.
    pub command_id: CommandId,
    /// What is asked.
    pub command: M::Command,
    /// The revision that whoever asks was shown; refused where there is a newer one. None = whatever is there.
    pub if_rev: Option<u64>,
    /// Where the answer goes; none = nobody waits for it.
    pub reply_to: Option<R>,
}

#[expect(clippy::large_enum_variant, reason = "the commit is the hot variant; a box would cost an allocation a tap")]
/// Something to be done outside. Effects are carried out in the order in which they stand.
#[derive(Debug)]
pub enum Effect<M: Machine, R> {
    /// Read the entity from the journal, then call [`super::Pipeline::loaded`] or [`super::Pipeline::load_failed`].
    Load,
    /// Hand the commit to the journal, then call [`super::Pipeline::outcome`] exactly once with this ticket. A journal whose
    /// queue is full is an [`crate::contract::Outcome::Unavailable`]. Tickets are unique within one pipeline.
    Commit {
        /// Names it towards this pipeline.
        ticket: Ticket,
        /// The commit.
        commit: Commit,
    },
    /// The answer to a command: what justifies it is durable.
    Reply {
        /// Where to.
        to: R,
        /// To which command.
        command_id: CommandId,
        /// The answer.
        reply: Reply,
    },
    /// Another entity decides under the same command id and answers `reply_to` directly; its answer also comes back to
    /// [`super::Pipeline::answered`].
    Forward {
        /// Who decides.
        to: Recipient,
        /// The key of idempotence, unchanged.
        command_id: CommandId,
        /// What it is asked.
        command: Command,
        /// Where the answer goes.
        reply_to: Option<R>,
    },
    /// This entity is the wrong one for the command: the router looks again.
    Misrouted {
        /// The request as it came.
        request: Request<M, R>,
    },
    /// Something owed is to be sent (again).
    Send(Owed),
    /// Call [`super::Pipeline::tick`] at this moment; replaces every earlier one. `None` = no need to.
    WakeAt(Option<Timestamp>),
    /// The machine's memory has noticed something: for logs and metrics.
    Remark(Remark),
    /// These events are durable and in the confirmed state now.
    Released {
        /// The events of one commit.
        events: Vec<M::Event>,
        /// When.
        at: Timestamp,
    },
}

/// Bounds of one pipeline; each is a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Commands in flight and waiting, at most; one more is `BUSY`.
    pub pending_max: usize,
    /// Events after which a commit carries the state, so that a load never replays more.
    pub checkpoint_events: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { pending_max: 1024, checkpoint_events: 256 }
    }
}

/// Why an entity cannot be brought back from the journal.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// Its written state cannot be read.
    #[error("the state at version {version} cannot be read")]
    State {
        /// The version it stands for.
        version: u64,
        /// Why.
        #[source]
        source: crate::codec::CodecError,
    },
    /// One of its events cannot be read.
    #[error("the event that makes version {version} cannot be read")]
    Event {
        /// The version it makes.
        version: u64,
        /// Why.
        #[source]
        source: crate::codec::CodecError,
    },
    /// Events are missing.
    #[error("state and events end at version {found}, the newest commit has version {expected}")]
    Gap {
        /// What state and events come to.
        found: u64,
        /// What the newest commit says.
        expected: u64,
    },
}
