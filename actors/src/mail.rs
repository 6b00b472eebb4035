//! What passes between threads and actors inside the shell: plain data, `Send`.
use std::sync::Arc;

use tokio::sync::oneshot;
use tongdao_domain::entity::EntityKey;
use tongdao_domain::id::{AccountId, CommandId, DeviceId, Token};
use tongdao_domain::machine::{Command, Owed, Reply};
use tongdao_domain::time::Timestamp;
use tongdao_journal::contract::{FeedItem, JournalError, Loaded, Outcome, Ticket};

use crate::observe::ActorView;
use crate::request::{Busy, ReplySlot};
use crate::slots::Key;
use crate::state::EntityState;

/// Where the answer to a command goes.
#[derive(Debug)]
pub(crate) enum ReplyTo {
    /// A registered slot of some cell.
    Slot(ReplySlot),
    /// Somebody on another runtime who waits for this one answer.
    Once(oneshot::Sender<Reply>),
    /// The entity that owed this command: the answer strikes it off.
    Creditor(Box<Creditor>),
    /// Nobody waits.
    Nobody,
}

/// Who owed a command, and under which id.
#[derive(Debug, Clone)]
pub(crate) struct Creditor {
    pub(crate) entity: EntityKey,
    pub(crate) owed: CommandId,
}

/// The gate actor that passed a command on and wants to hear the answer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Via {
    pub(crate) cell: u32,
    pub(crate) resident: Key,
}

/// The way back, and what the way so far was.
#[derive(Debug)]
pub(crate) struct Address {
    pub(crate) to: ReplyTo,
    pub(crate) via: Option<Via>,
    /// The owner of the medium was read anew for it: a second misrouting ends the search.
    pub(crate) looked_again: bool,
}

impl Address {
    pub(crate) const fn direct(to: ReplyTo) -> Self {
        Self { to, via: None, looked_again: false }
    }
}

/// A command with its way back.
#[derive(Debug)]
pub(crate) struct Delivery {
    pub(crate) command_id: CommandId,
    pub(crate) command: Command,
    /// The revision that was shown; of whom it is passed on to none is known.
    pub(crate) if_rev: Option<u64>,
    pub(crate) address: Address,
}

/// A question to an actor that no command answers.
#[derive(Debug)]
pub(crate) enum Question {
    /// Its confirmed state.
    State(oneshot::Sender<Result<EntityState, Busy>>),
    /// What it owes to its device.
    Owed(oneshot::Sender<Result<Vec<Owed>, Busy>>),
}

impl Question {
    /// Nobody is left who wants to know it.
    pub(crate) fn refuse(self, busy: Busy) {
        match self {
            Self::State(asker) => drop(asker.send(Err(busy))),
            Self::Owed(asker) => drop(asker.send(Err(busy))),
        }
    }
}

/// What stands in the lanes of a cell's door.
#[expect(clippy::large_enum_variant, reason = "commands are nearly all of them; a box would cost an allocation each")]
#[derive(Debug)]
pub(crate) enum Knock {
    /// A command for an entity of this cell.
    Command { entity: EntityKey, delivery: Delivery, received: Timestamp },
    /// A question for one.
    Ask { entity: EntityKey, question: Question },
}

/// What an actor finds in its mailbox.
#[derive(Debug)]
pub(crate) enum Mail {
    Command(Delivery),
    Outcome { ticket: Ticket, outcome: Outcome },
    Loaded(Box<Result<Loaded, JournalError>>),
    Tick,
    Answered { command_id: CommandId, reply: Reply },
    Ask(Question),
    Checkpoint,
    Passivate,
}

impl actix::Message for Mail {
    type Result = ();
}

/// What comes into a cell beside its door: all of it answers to something this cell or a bounded queue has asked for, so
/// it needs no bound of its own.
#[derive(Debug)]
pub(crate) enum Note {
    /// Of one group of the journal.
    Outcomes(Vec<(Ticket, Outcome)>),
    /// Committed events of the kinds every cell follows.
    Followed(Arc<[FeedItem]>),
    /// Answers for slots of this cell, decided in another.
    Replies(Vec<(ReplySlot, Reply)>),
    /// The answer to a command that a gate of this cell passed on.
    Answered { resident: Key, command_id: CommandId, reply: Reply },
    /// An account of another cell says that a medium is not its own.
    Misrouted { token: Token, delivery: Delivery },
    /// An entity as the journal has it.
    Loaded { resident: Key, result: Box<Result<Loaded, JournalError>> },
    /// The owner of a medium, or that it could not be read.
    Owner { token: Token, owner: Result<Option<AccountId>, String> },
    /// Entities of this cell whose deadline has come.
    Due(Vec<EntityKey>),
    /// To be sent to a device by whoever holds its link.
    Owed { device: DeviceId, owed: Owed },
    /// Every actor of this cell, at most so many.
    Observe { limit: usize, answer: oneshot::Sender<Vec<ActorView>> },
    /// Tell when nothing is in flight and all states are written; told: how many commands the cell has ever delivered.
    Settle(oneshot::Sender<u64>),
}
