//! The commit pipeline of one entity, as pure code: the actor shell and the simulation drive the very same.
//!
//! A command is decided on the *tentative* state and its events are applied there at once, so that the next command can be
//! decided without waiting; the *confirmed* state follows when the commit is durable, and only then does anything leave:
//! the answer, the events, what is owed, a forward that was decided behind it. Both states take each event, so the straight
//! path never clones one. When an outcome says that a decision must not stand, the pipeline *settles*: it takes no decision
//! until every commit in the journal's hands has come back, and then decides again, in order of arrival, what is not durable
//! yet. So no outcome of an older attempt can be mistaken for one of a newer.
//!
//! Idempotence is not the machine's business: a command whose id is in flight goes to the journal as a question behind the
//! first (a barrier), and every commit is checked there against all ids ever answered.
//!
//! It is no actor: it has no clock, no queue of its own threads, no I/O. `R` is the caller's token for where an answer goes.
mod effect;
mod flight;
mod outcome;
mod owed;
mod replay;
#[cfg(test)]
mod tests;

pub use effect::{Effect, Env, Limits, ReplayError, Request};
pub use replay::restore;

use crate::codec;
use crate::contract::{Bytes, Commit, Etag, Expected, Loaded, Ticket};
use flight::{Flight, Pending, Step, busy};
use owed::Reminders;
use serde::Serialize;
use smallvec::SmallVec;
use std::collections::VecDeque;
use tongdao_domain::entity::EntityKey;
use tongdao_domain::fingerprint::{Fingerprint, Fingerprinter};
use tongdao_domain::id::CommandId;
use tongdao_domain::machine::{Context, Decision, Machine, Notice, RefusalCode, Remark, Reply};
use tongdao_domain::mutant::{Mutant, planted};
use tongdao_domain::time::Timestamp;

/// A state is written along after one event for each of so many bytes that it had the last time.
const STATE_BYTES_AN_EVENT: u64 = 1024;

/// Where the pipeline stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Nothing read yet, nothing asked.
    Asleep,
    /// Waiting for the journal to read the entity.
    Loading,
    /// Decides at once.
    Ready,
    /// Waiting for the outcomes of what is in the journal's hands; afterwards decides again, from the journal where
    /// `reload` says so.
    Settling {
        /// The state in memory cannot be trusted.
        reload: bool,
    },
}

/// What has happened to one pipeline since it was made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counters {
    /// Commits with events that became durable.
    pub committed: u64,
    /// Answers that the journal knew already.
    pub duplicates: u64,
    /// Times that tentative events were dropped.
    pub rollbacks: u64,
    /// Times that the state was read again.
    pub reloads: u64,
    /// Commands answered `BUSY`.
    pub busy: u64,
}

/// The observable state of a pipeline, for `/debug/actors`.
#[derive(Debug, Clone, Serialize)]
pub struct Observation {
    /// Which entity.
    pub entity: String,
    /// Where it stands.
    pub phase: Phase,
    /// Confirmed version.
    pub version: u64,
    /// Decided and not durable.
    pub in_flight: usize,
    /// Not decided yet.
    pub waiting: usize,
    /// Sent and not struck off.
    pub owed: usize,
    /// Events since the newest written state.
    pub since_checkpoint: u64,
    /// When its next deadline is.
    pub deadline: Option<Timestamp>,
    /// What has happened.
    pub counters: Counters,
}

/// The commit pipeline of one entity.
#[derive(Debug)]
pub struct Pipeline<M: Machine, R> {
    me: EntityKey,
    limits: Limits,
    phase: Phase,
    confirmed: M,
    confirmed_etag: Option<Etag>,
    tentative: M,
    tentative_etag: Option<Etag>,
    memory: M::Memory,
    /// Boxed, so that an entity at rest holds next to nothing and a tap allocates nothing large.
    in_flight: VecDeque<Box<Flight<M, R>>>,
    waiting: VecDeque<Pending<M, R>>,
    /// Commits in the journal's hands.
    outstanding: usize,
    last_ticket: Ticket,
    /// Moment of the newest commit: commits of an entity never go back in time.
    last_at: Timestamp,
    /// Version of the newest written state, and the same with those in flight.
    state_at: u64,
    state_planned: u64,
    /// Length of the state that was written last.
    state_bytes: u64,
    reminders: Reminders,
    counters: Counters,
}

impl<M: Machine, R> Pipeline<M, R> {
    /// A pipeline that has read nothing yet; the first command or tick asks for it.
    #[must_use]
    pub fn new(me: EntityKey, limits: Limits) -> Self {
        Self {
            me,
            limits,
            phase: Phase::Asleep,
            confirmed: M::default(),
            confirmed_etag: None,
            tentative: M::default(),
            tentative_etag: None,
            memory: M::Memory::default(),
            in_flight: VecDeque::new(),
            waiting: VecDeque::new(),
            outstanding: 0,
            last_ticket: 0,
            last_at: Timestamp::default(),
            state_at: 0,
            state_planned: 0,
            state_bytes: 0,
            reminders: Reminders::default(),
            counters: Counters::default(),
        }
    }

    /// The same entity with nothing in memory but the commands that have no answer yet, in order of arrival: after a panic.
    /// Call [`Self::tick`] so that it is read again. Outcomes of tickets up to [`Self::last_ticket`] must not be given to it.
    #[must_use]
    pub fn reborn(mut self) -> Self {
        let mut again = Self::new(self.me, self.limits);
        (again.last_ticket, again.last_at, again.counters) = (self.last_ticket, self.last_at, self.counters);
        again.counters.reloads += 1;
        for mut flight in self.in_flight.drain(..) {
            // What is in the journal's hands may still be written.
            flight.pending.unknown |= flight.ticket.is_some();
            again.waiting.push_back(flight.pending);
        }
        again.waiting.append(&mut self.waiting);
        again
    }

    /// The newest ticket that it has given out.
    #[must_use]
    pub fn last_ticket(&self) -> Ticket {
        self.last_ticket
    }

    /// Takes a command. Its answer comes as [`Effect::Reply`], or from whom it is forwarded to.
    pub fn submit(&mut self, request: Request<M, R>, env: &Env<'_>, effects: &mut Vec<Effect<M, R>>) {
        if self.in_flight.len() + self.waiting.len() >= self.limits.pending_max {
            return self.answer_busy(request, env, effects);
        }
        effects.extend(self.notice(&request.command_id, &Notice::Arrived(&request.command), env).map(Effect::Remark));
        self.enqueue(Pending { request, unknown: false }, env, effects);
        self.tell_wake(env, effects);
    }

    /// Takes the entity as the journal has it and goes on with what was waiting.
    ///
    /// # Errors
    /// [`ReplayError`]: the entity must be quarantined. Call [`Self::load_failed`] so that nobody waits for it.
    pub fn loaded(&mut self, loaded: &Loaded, env: &Env<'_>, effects: &mut Vec<Effect<M, R>>) -> Result<(), ReplayError> {
        debug_assert!(self.phase == Phase::Loading && self.outstanding == 0, "loaded without having asked");
        let replayed = replay::replay::<M>(loaded)?;
        self.confirmed = replayed.state;
        self.confirmed_etag = loaded.etag;
        self.last_at = self.last_at.max(replayed.last_at);
        self.state_at = replayed.state_at;
        self.resume();
        self.remind(env, effects);
        self.decide_waiting(env, effects);
        self.tell_wake(env, effects);
        Ok(())
    }

    /// The entity cannot be read: all that waits is answered `BUSY`, the next command asks again.
    pub fn load_failed(&mut self, env: &Env<'_>, effects: &mut Vec<Effect<M, R>>) {
        self.phase = Phase::Asleep;
        while let Some(pending) = self.waiting.pop_front() {
            self.answer_busy(pending.request, env, effects);
        }
    }

    /// A moment that [`Effect::WakeAt`] named has come, or the journal's due timers name this entity.
    pub fn tick(&mut self, env: &Env<'_>, effects: &mut Vec<Effect<M, R>>) {
        self.reminders.fired();
        match self.phase {
            Phase::Asleep => self.ask_load(effects),
            Phase::Ready => self.remind(env, effects),
            Phase::Loading | Phase::Settling { .. } => {}
        }
        self.tell_wake(env, effects);
    }

    /// The answer to a forwarded command has left: a fact for the machine's memory.
    pub fn answered(&mut self, command_id: &CommandId, reply: &Reply, env: &Env<'_>) {
        let _ = self.notice(command_id, &Notice::Answered(reply), env);
    }

    /// The state as far as it is durable.
    #[must_use]
    pub fn confirmed(&self) -> &M {
        &self.confirmed
    }

    /// The newest durable commit that it knows of; none = never committed, or not read yet.
    #[must_use]
    pub fn etag(&self) -> Option<Etag> {
        self.confirmed_etag
    }

    /// Nothing in flight, nothing waiting: it may be dropped without loss.
    #[must_use]
    pub fn idle(&self) -> bool {
        self.in_flight.is_empty() && self.waiting.is_empty() && matches!(self.phase, Phase::Asleep | Phase::Ready)
    }

    /// Commands without an answer: in flight and waiting.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.in_flight.len() + self.waiting.len()
    }

    /// What was sent and is not known to be struck off.
    #[must_use]
    pub fn owed(&self) -> usize {
        self.reminders.outstanding()
    }

    /// Has it been read from the journal, and is what it shows not known to be out of date?
    #[must_use]
    pub fn is_loaded(&self) -> bool {
        self.phase == Phase::Ready
    }

    /// The machine's own next deadline.
    #[must_use]
    pub fn deadline(&self) -> Option<Timestamp> {
        self.confirmed.deadline()
    }

    /// The confirmed state, encoded, with its version, where it is newer than the newest written one. The caller writes it
    /// ([`crate::contract::Journal::checkpoint`]); losing it loses nothing.
    pub fn checkpoint(&mut self) -> Option<(u64, Vec<u8>)> {
        let version = self.confirmed_etag?.version;
        if version <= self.state_at {
            return None;
        }
        let state = codec::encode(&self.confirmed).ok()?;
        self.state_at = version;
        self.state_planned = self.state_planned.max(version);
        Some((version, state))
    }

    /// What `/debug/actors` shows of it.
    #[must_use]
    pub fn observe(&self) -> Observation {
        let version = self.confirmed_etag.map_or(0, |etag| etag.version);
        Observation {
            entity: self.me.to_string(),
            phase: self.phase,
            version,
            in_flight: self.in_flight.len(),
            waiting: self.waiting.len(),
            owed: self.reminders.outstanding(),
            since_checkpoint: version.saturating_sub(self.state_at),
            deadline: self.confirmed.deadline(),
            counters: self.counters,
        }
    }

    fn enqueue(&mut self, pending: Pending<M, R>, env: &Env<'_>, effects: &mut Vec<Effect<M, R>>) {
        if self.phase == Phase::Ready {
            return self.decide(pending, env, effects);
        }
        self.waiting.push_back(pending);
        if self.phase == Phase::Asleep {
            self.ask_load(effects);
        }
    }

    fn ask_load(&mut self, effects: &mut Vec<Effect<M, R>>) {
        self.phase = Phase::Loading;
        effects.push(Effect::Load);
    }

    /// Tentative is confirmed again, and decisions may be taken.
    fn resume(&mut self) {
        self.tentative = self.confirmed.clone();
        self.tentative_etag = self.confirmed_etag;
        self.state_planned = self.state_at;
        self.phase = Phase::Ready;
    }

    fn decide_waiting(&mut self, env: &Env<'_>, effects: &mut Vec<Effect<M, R>>) {
        while let Some(pending) = self.waiting.pop_front() {
            self.decide(pending, env, effects);
        }
        // Room for four of them is more than the rest of an idle entity.
        self.waiting = VecDeque::new();
    }

    fn decide(&mut self, pending: Pending<M, R>, env: &Env<'_>, effects: &mut Vec<Effect<M, R>>) {
        let id = &pending.request.command_id;
        if self.in_flight.iter().any(|flight| flight.is_commit() && flight.pending.request.command_id == *id) {
            return self.ask(pending, Step::Barrier, env, effects);
        }
        self.decide_first(pending, env, effects);
    }

    /// Decides the oldest command of its id; younger ones may be in flight.
    fn decide_first(&mut self, pending: Pending<M, R>, env: &Env<'_>, effects: &mut Vec<Effect<M, R>>) {
        let decision = self.judge(&pending, env);
        self.follow(decision, pending, env, effects);
    }

    /// Decides a command again whose place in flight was `index`: what is passed on keeps that place.
    fn decide_in_place(&mut self, index: usize, pending: Pending<M, R>, env: &Env<'_>, effects: &mut Vec<Effect<M, R>>) {
        match self.judge(&pending, env) {
            Decision::Forward { to, command } => {
                self.in_flight.insert(index, Box::new(Flight { pending, step: Step::Forward { to, command }, ticket: None }));
            }
            other => self.follow(other, pending, env, effects),
        }
    }

    fn judge(&self, pending: &Pending<M, R>, env: &Env<'_>) -> Decision<M::Event> {
        // As every refusal it asks for the answer that the id has had: a command that moved the revision on is told so again.
        if let Some(shown) = pending.request.if_rev.filter(|shown| self.tentative.rev() != Some(*shown)) {
            return match self.tentative.rev() {
                Some(rev) => Decision::refuse(RefusalCode::StaleRev, format!("decided on revision {shown}, there is {rev}")),
                None => Decision::refuse(RefusalCode::BadArgs, "if_rev: there are no revisions of this"),
            };
        }
        let context = Context { me: &self.me, command_id: &pending.request.command_id, world: env.world, now: env.now };
        self.tentative.decide(&context, &self.memory, &pending.request.command)
    }

    fn follow(&mut self, decision: Decision<M::Event>, pending: Pending<M, R>, env: &Env<'_>, effects: &mut Vec<Effect<M, R>>) {
        match decision {
            Decision::Commit { events, reply } if !events.is_empty() => {
                let (id, print) = (pending.request.command_id.clone(), M::fingerprint(&pending.request.command));
                self.commit(pending, Writing { id, print, events, reply: Some(reply) }, env, effects);
            }
            Decision::Before { id, events } => {
                debug_assert!(!events.is_empty(), "nothing that could be durable before");
                let print = Fingerprinter::new("before").text(id.as_str()).finish();
                self.commit(pending, Writing { id, print, events, reply: None }, env, effects);
            }
            Decision::Commit { reply: otherwise, .. } | Decision::Ask { otherwise } => {
                self.ask(pending, Step::Question { otherwise }, env, effects);
            }
            Decision::Forward { to, command } => self.pass_on(pending, Step::Forward { to, command }, effects),
            Decision::Misrouted => self.pass_on(pending, Step::Misrouted, effects),
        }
    }

    fn commit(&mut self, mut pending: Pending<M, R>, writing: Writing<M>, env: &Env<'_>, effects: &mut Vec<Effect<M, R>>) {
        let Writing { id, print, events, reply } = writing;
        let Some((encoded, answer)) = encode_step::<M>(&events, reply.as_ref().unwrap_or(&Reply::Done)) else {
            debug_assert!(false, "an event or reply that cannot be encoded");
            return self.answer_busy(pending.request, env, effects);
        };
        if planted(Mutant::AnswerBeforeCommit)
            && let Some(reply) = &reply
            && let Some(to) = pending.request.reply_to.take()
        {
            effects.push(Effect::Reply { to, command_id: pending.request.command_id.clone(), reply: reply.clone() });
        }
        let at = env.now.max(self.last_at);
        self.last_at = at;
        events.iter().for_each(|event| self.tentative.apply(event, at));
        let version = self.tentative_etag.map_or(0, |etag| etag.version) + events.len() as u64;
        let next = Etag { version, nonce: env.nonce };
        let expected = self.tentative_etag.map_or(Expected::Absent, Expected::Etag);
        self.tentative_etag = Some(next);
        let state = self.state_for(version);
        let commit = Commit {
            entity: self.me.clone(),
            expected,
            next,
            command_id: id,
            fingerprint: print,
            reply: answer,
            events: encoded,
            state,
            deadline: self.tentative.deadline(),
            at,
        };
        self.hand_over(pending, Step::Events { events, reply, expected, next, at }, commit, effects);
    }

    fn ask(&mut self, pending: Pending<M, R>, step: Step<M>, env: &Env<'_>, effects: &mut Vec<Effect<M, R>>) {
        let commit = Commit {
            entity: self.me.clone(),
            expected: Expected::Any,
            next: self.tentative_etag.unwrap_or(Etag { version: 0, nonce: 0 }),
            command_id: pending.request.command_id.clone(),
            fingerprint: M::fingerprint(&pending.request.command),
            reply: Bytes::new(),
            events: SmallVec::new(),
            state: None,
            deadline: self.tentative.deadline(),
            at: env.now.max(self.last_at),
        };
        self.hand_over(pending, step, commit, effects);
    }

    fn hand_over(&mut self, pending: Pending<M, R>, step: Step<M>, commit: Commit, effects: &mut Vec<Effect<M, R>>) {
        self.last_ticket += 1;
        self.outstanding += 1;
        let ticket = self.last_ticket;
        self.in_flight.push_back(Box::new(Flight { pending, step, ticket: Some(ticket) }));
        effects.push(Effect::Commit { ticket, commit });
    }

    /// What leaves the entity without a commit of its own still waits for the commits that it was decided on.
    fn pass_on(&mut self, pending: Pending<M, R>, step: Step<M>, effects: &mut Vec<Effect<M, R>>) {
        self.in_flight.push_back(Box::new(Flight { pending, step, ticket: None }));
        self.release_passed_on(effects);
    }

    fn release_passed_on(&mut self, effects: &mut Vec<Effect<M, R>>) {
        while self.in_flight.front().is_some_and(|flight| !flight.is_commit()) {
            let Some(flight) = self.in_flight.pop_front() else { return };
            let Flight { pending: Pending { request, .. }, step, .. } = *flight;
            effects.push(match step {
                Step::Forward { to, command } => {
                    Effect::Forward { to, command_id: request.command_id, command, reply_to: request.reply_to }
                }
                _ => Effect::Misrouted { request },
            });
        }
    }

    /// The state goes along with the commit after so many events that a load would be slow without it.
    fn state_for(&mut self, version: u64) -> Option<Bytes> {
        // A large state (a gate that was without a link for a day) waits for more events: writing it takes as long as many taps.
        let due = self.limits.checkpoint_events.max(self.state_bytes / STATE_BYTES_AN_EVENT);
        if version.saturating_sub(self.state_planned) < due {
            return None;
        }
        let state = if planted(Mutant::StateBehind) { &self.confirmed } else { &self.tentative };
        let state = codec::encode(state).ok()?;
        self.state_planned = version;
        self.state_bytes = state.len() as u64;
        Some(Bytes::from_vec(state))
    }

    fn answer_busy(&mut self, request: Request<M, R>, env: &Env<'_>, effects: &mut Vec<Effect<M, R>>) {
        self.counters.busy += 1;
        let reply = busy::<M>(&request.command, env.now);
        self.answer(request, reply, env, effects);
    }

    fn answer(&mut self, request: Request<M, R>, reply: Reply, env: &Env<'_>, effects: &mut Vec<Effect<M, R>>) {
        let _ = self.notice(&request.command_id, &Notice::Answered(&reply), env);
        if let Some(to) = request.reply_to {
            effects.push(Effect::Reply { to, command_id: request.command_id, reply });
        }
    }

    fn notice(&mut self, command_id: &CommandId, notice: &Notice<'_, M::Command>, env: &Env<'_>) -> Option<Remark> {
        let context = Context { me: &self.me, command_id, world: env.world, now: env.now };
        M::notice(&mut self.memory, notice, &context)
    }

    /// A reached deadline becomes a command; what is owed and due is sent.
    fn remind(&mut self, env: &Env<'_>, effects: &mut Vec<Effect<M, R>>) {
        let again = env.world.settings.owed_again;
        self.send_owed(env, effects);
        let Some(deadline) = self.tentative.deadline() else { return };
        if !self.reminders.ticks(deadline, env.now, again) {
            return;
        }
        if let Some(command) = M::tick() {
            let version = self.tentative_etag.map_or(0, |etag| etag.version);
            let command_id = CommandId::of(format_args!("tick/{}/{version}/{}", self.me, deadline.0));
            let request = Request { command_id, command, if_rev: None, reply_to: None };
            self.decide(Pending { request, unknown: false }, env, effects);
        }
    }

    fn send_owed(&mut self, env: &Env<'_>, effects: &mut Vec<Effect<M, R>>) {
        let owed = self.confirmed.owed(&self.me);
        let due = self.reminders.due(owed, env.now, env.world.settings.owed_again);
        effects.extend(due.into_iter().map(Effect::Send));
    }

    fn tell_wake(&mut self, env: &Env<'_>, effects: &mut Vec<Effect<M, R>>) {
        if self.phase != Phase::Ready {
            return;
        }
        if let Some(wake) = self.reminders.wake(self.tentative.deadline(), env.world.settings.owed_again) {
            effects.push(Effect::WakeAt(wake));
        }
    }
}

/// Events on their way to the journal, and under which id.
struct Writing<M: Machine> {
    id: CommandId,
    print: Fingerprint,
    events: Vec<M::Event>,
    reply: Option<Reply>,
}

type Encoded = (SmallVec<[Bytes; 1]>, Bytes);

fn encode_step<M: Machine>(events: &[M::Event], reply: &Reply) -> Option<Encoded> {
    let events = events.iter().map(|event| codec::encode(event).map(Bytes::from_vec)).collect::<Result<_, _>>().ok()?;
    Some((events, Bytes::from_vec(codec::encode(reply).ok()?)))
}
