//! One command in flight: decided on the tentative state, waiting for its outcome. It keeps the request, because whatever
//! is not durable may have to be decided again.
use super::Request;
use crate::contract::{Etag, Expected, Ticket};
use tongdao_domain::code::Code;
use tongdao_domain::machine::{Command, Machine, Recipient, Refusal, RefusalCode, Reply};
use tongdao_domain::tap::TapDecision;
use tongdao_domain::time::Timestamp;

/// A request that may have been in the journal's hands before.
#[derive(Debug)]
pub(super) struct Pending<M: Machine, R> {
    pub(super) request: Request<M, R>,
    /// An earlier attempt ended in `Unknown` and may still be written after the reload.
    pub(super) unknown: bool,
}

/// What was decided.
#[derive(Debug)]
pub(super) enum Step<M: Machine> {
    /// Events that are applied to the tentative state; without a reply the command is decided again once they are durable.
    Events { events: Vec<M::Event>, reply: Option<Reply>, expected: Expected, next: Etag, at: Timestamp },
    /// A question; the answer where the journal does not know the id.
    Question { otherwise: Reply },
    /// A question because the same id is in flight before it; decided afresh where the journal does not know the id.
    Barrier,
    /// To be forwarded once everything before it is durable.
    Forward { to: Recipient, command: Command },
    /// To be given back to the router once everything before it is durable.
    Misrouted,
}

/// A pending request with its decision.
#[derive(Debug)]
pub(super) struct Flight<M: Machine, R> {
    pub(super) pending: Pending<M, R>,
    pub(super) step: Step<M>,
    /// Its commit in the journal's hands; none = nothing was submitted (forwards), or the outcome has come and it waits
    /// to be decided again.
    pub(super) ticket: Option<Ticket>,
}

impl<M: Machine, R> Flight<M, R> {
    /// Could a second command with this id overtake it?
    pub(super) fn is_commit(&self) -> bool {
        matches!(self.step, Step::Events { .. } | Step::Question { .. } | Step::Barrier)
    }
}

/// The answer that is no outcome: try again.
pub(super) fn busy<M: Machine>(command: &M::Command, now: Timestamp) -> Reply {
    no_answer::<M>(command, now, Code::Busy, RefusalCode::Busy, "overloaded or out of disk; the same command may be sent again")
}

/// The answer to an id that stands for another meaning.
pub(super) fn key_reused<M: Machine>(command: &M::Command, now: Timestamp) -> Reply {
    let hint = "the command id stands for another command; use a new one";
    no_answer::<M>(command, now, Code::KeyReused, RefusalCode::KeyReused, hint)
}

fn no_answer<M: Machine>(command: &M::Command, now: Timestamp, code: Code, refusal: RefusalCode, hint: &str) -> Reply {
    match Into::<Command>::into(command.clone()).tap() {
        Some(tap) => Reply::Tap(TapDecision::bare(tap, code, now)),
        None => Refusal::reply(refusal, hint),
    }
}
