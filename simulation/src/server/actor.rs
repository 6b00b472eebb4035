//! One entity in the server's memory: the product's own pipeline around the product's own machine, with the type of the
//! machine put aside.
use super::To;
use tongdao_domain::account::Account;
use tongdao_domain::alarm::Alarm;
use tongdao_domain::approval::Approval;
use tongdao_domain::deny::DenyList;
use tongdao_domain::doubtful::Doubtful;
use tongdao_domain::entity::{EntityKey, EntityKind};
use tongdao_domain::gate::Gate;
use tongdao_domain::id::CommandId;
use tongdao_domain::machine::{Command, Machine, Owed, Recipient, Reply};
use tongdao_domain::medium::Medium;
use tongdao_domain::station::Station;
use tongdao_domain::time::Timestamp;
use tongdao_journal::codec;
use tongdao_journal::contract::{Commit, Etag, Loaded, Outcome, Ticket};
use tongdao_journal::pipeline::{Effect, Env, Limits, Observation, Pipeline, Request};

/// What the pipeline wants done.
#[derive(Debug)]
pub(super) enum Act {
    Load,
    Commit(Ticket, Box<Commit>),
    Reply(To, CommandId, Reply),
    Forward { to: Recipient, command_id: CommandId, command: Command, reply_to: Option<To> },
    Misrouted { command_id: CommandId, command: Command, reply_to: Option<To> },
    Send(Owed),
    WakeAt(Option<Timestamp>),
}

/// A pipeline around one of the machines.
#[derive(Debug)]
pub(super) enum Any {
    Account(Box<Pipeline<Account, To>>),
    Gate(Box<Pipeline<Gate, To>>),
    Station(Box<Pipeline<Station, To>>),
    Medium(Box<Pipeline<Medium, To>>),
    Alarm(Box<Pipeline<Alarm, To>>),
    Approval(Box<Pipeline<Approval, To>>),
    DenyList(Box<Pipeline<DenyList, To>>),
    Doubtful(Box<Pipeline<Doubtful, To>>),
}

macro_rules! each {
    ($any:expr, $pipeline:ident => $body:expr) => {
        match $any {
            Any::Account($pipeline) => $body,
            Any::Gate($pipeline) => $body,
            Any::Station($pipeline) => $body,
            Any::Medium($pipeline) => $body,
            Any::Alarm($pipeline) => $body,
            Any::Approval($pipeline) => $body,
            Any::DenyList($pipeline) => $body,
            Any::Doubtful($pipeline) => $body,
        }
    };
}

impl Any {
    /// A pipeline for the entity; small bounds, so that they are met.
    pub(super) fn new(key: &EntityKey) -> Self {
        let limits = Limits { pending_max: 64, checkpoint_events: 16 };
        match key.kind {
            EntityKind::Account => Self::Account(Box::new(Pipeline::new(key.clone(), limits))),
            EntityKind::Gate => Self::Gate(Box::new(Pipeline::new(key.clone(), limits))),
            EntityKind::Station => Self::Station(Box::new(Pipeline::new(key.clone(), limits))),
            EntityKind::Medium => Self::Medium(Box::new(Pipeline::new(key.clone(), limits))),
            EntityKind::Alarm => Self::Alarm(Box::new(Pipeline::new(key.clone(), limits))),
            EntityKind::Approval => Self::Approval(Box::new(Pipeline::new(key.clone(), limits))),
            EntityKind::DenyList => Self::DenyList(Box::new(Pipeline::new(key.clone(), limits))),
            EntityKind::Doubtful => Self::Doubtful(Box::new(Pipeline::new(key.clone(), limits))),
            EntityKind::Device | EntityKind::Audit | EntityKind::User => {
                panic!("no such entity in this city: {key}")
            }
        }
    }
    pub(super) fn submit(&mut self, command_id: CommandId, command: Command, reply_to: Option<To>, env: &Env<'_>) -> Vec<Act> {
        each!(self, pipeline => submit(pipeline, command_id, command, reply_to, env))
    }
    pub(super) fn loaded(&mut self, loaded: &Loaded, env: &Env<'_>) -> Vec<Act> {
        each!(self, pipeline => erased(|effects| {
            pipeline.loaded(loaded, env, effects).unwrap_or_else(|error| panic!("{error:?}"));
        }))
    }
    pub(super) fn outcome(&mut self, ticket: Ticket, outcome: Outcome, env: &Env<'_>) -> Vec<Act> {
        each!(self, pipeline => erased(|effects| pipeline.outcome(ticket, outcome, env, effects)))
    }
    pub(super) fn tick(&mut self, env: &Env<'_>) -> Vec<Act> {
        each!(self, pipeline => erased(|effects| pipeline.tick(env, effects)))
    }
    pub(super) fn answered(&mut self, command_id: &CommandId, reply: &Reply, env: &Env<'_>) {
        each!(self, pipeline => pipeline.answered(command_id, reply, env));
    }
    pub(super) fn idle(&self) -> bool {
        each!(self, pipeline => pipeline.idle())
    }
    pub(super) fn loaded_etag(&self) -> Option<Etag> {
        each!(self, pipeline => pipeline.etag())
    }
    pub(super) fn checkpoint(&mut self) -> Option<(u64, Vec<u8>)> {
        each!(self, pipeline => pipeline.checkpoint())
    }
    pub(super) fn observe(&self) -> Observation {
        each!(self, pipeline => pipeline.observe())
    }
    /// The confirmed state, encoded.
    pub(super) fn state(&self) -> Vec<u8> {
        each!(self, pipeline => encoded(pipeline.confirmed()))
    }
}

/// The state that the events alone make, encoded.
pub(super) fn replayed(kind: EntityKind, events: &[(Timestamp, Vec<u8>)]) -> Vec<u8> {
    match kind {
        EntityKind::Account => encoded(&replay::<Account>(events)),
        EntityKind::Gate => encoded(&replay::<Gate>(events)),
        EntityKind::Station => encoded(&replay::<Station>(events)),
        EntityKind::Medium => encoded(&replay::<Medium>(events)),
        EntityKind::Alarm => encoded(&replay::<Alarm>(events)),
        EntityKind::Approval => encoded(&replay::<Approval>(events)),
        EntityKind::DenyList => encoded(&replay::<DenyList>(events)),
        EntityKind::Doubtful => encoded(&replay::<Doubtful>(events)),
        EntityKind::Device | EntityKind::Audit | EntityKind::User => Vec::new(),
    }
}

/// The machine that the events make.
///
/// # Panics
/// Where one of them cannot be read: then the journal is broken.
pub fn replay<M: Machine>(events: &[(Timestamp, Vec<u8>)]) -> M {
    let mut machine = M::default();
    for (at, event) in events {
        machine.apply(&codec::decode(event).unwrap_or_else(|error| panic!("an unreadable event: {error}")), *at);
    }
    machine
}

fn encoded<M: Machine>(machine: &M) -> Vec<u8> {
    codec::encode(machine).unwrap_or_else(|error| panic!("an unwritable state: {error}"))
}

fn submit<M: Machine>(
    pipeline: &mut Pipeline<M, To>,
    command_id: CommandId,
    command: Command,
    reply_to: Option<To>,
    env: &Env<'_>,
) -> Vec<Act> {
    let Ok(command) = M::Command::try_from(command) else { panic!("a command for another kind of entity: {command_id}") };
    erased(|effects| pipeline.submit(Request { command_id, command, if_rev: None, reply_to }, env, effects))
}

fn erased<M: Machine>(act: impl FnOnce(&mut Vec<Effect<M, To>>)) -> Vec<Act> {
    let mut effects = Vec::new();
    act(&mut effects);
    effects.into_iter().filter_map(erase).collect()
}

fn erase<M: Machine>(effect: Effect<M, To>) -> Option<Act> {
    Some(match effect {
        Effect::Load => Act::Load,
        Effect::Commit { ticket, commit } => Act::Commit(ticket, Box::new(commit)),
        Effect::Reply { to, command_id, reply } => Act::Reply(to, command_id, reply),
        Effect::Forward { to, command_id, command, reply_to } => Act::Forward { to, command_id, command, reply_to },
        Effect::Misrouted { request } => {
            Act::Misrouted { command_id: request.command_id, command: request.command.into(), reply_to: request.reply_to }
        }
        Effect::Send(owed) => Act::Send(owed),
        Effect::WakeAt(at) => Act::WakeAt(at),
        Effect::Released { .. } | Effect::Remark(_) => return None,
    })
}
