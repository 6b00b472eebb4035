//! The one generic actor: a mailbox around the pure commit pipeline of an entity. It gives the pipeline time, world and
//! chance, carries its effects out in order, and survives a panic of the machine by reading the entity again. It decides
//! nothing and awaits nothing.
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use actix::{Actor, ActorContext, Context, Handler};
use tongdao_domain::machine::{Recipient, Refusal, RefusalCode, Remark};
use tongdao_journal::contract::{JournalError, Loaded, Outcome, Ticket};
use tongdao_journal::pipeline::{Effect, Env, Limits, Pipeline, ReplayError, Request};
use tongdao_telemetry::{GateClockOff, Reloaded};

use crate::inner::Inner;
use crate::mail::{Address, Delivery, Mail, Question, ReplyTo};
use crate::request::{Busy, busy_reply};
use crate::resident::{Kind, Resident};
use crate::waiter::Waiter;

/// Panics in a row, without a command to blame and without a commit in between, until the entity goes into quarantine.
const PANICS_IN_A_ROW_MAX: u8 = 3;

/// What the pipeline wants done.
pub(crate) type Effects<M> = Vec<Effect<M, Waiter>>;

/// An entity that is awake.
pub(crate) struct EntityActor<M: Kind> {
    cell: Rc<Inner>,
    me: Rc<Resident>,
    pipeline: Pipeline<M, Waiter>,
    /// Questions that wait until it is read.
    asked: Vec<Question>,
    /// Outcomes up to this ticket belong to a life before a panic.
    stale: Ticket,
    /// A read is under way whose result counts.
    loading: bool,
    panics_in_a_row: u8,
}

// Nothing in it points into itself; the words of a machine are plain data.
impl<M: Kind> Unpin for EntityActor<M> {}

impl<M: Kind> Actor for EntityActor<M> {
    type Context = Context<Self>;
}

impl<M: Kind> EntityActor<M> {
    pub(crate) fn new(cell: Rc<Inner>, me: Rc<Resident>) -> Self {
        let pipeline = Pipeline::new(me.entity.clone(), Limits::default());
        Self { cell, me, pipeline, asked: Vec::new(), stale: 0, loading: false, panics_in_a_row: 0 }
    }

    fn work(&mut self, mail: Mail) {
        let mut effects = M::effects().take();
        self.think(mail, &mut effects);
        for effect in effects.drain(..) {
            self.carry_out(effect);
        }
        M::effects().set(effects);
        if !self.asked.is_empty() && self.pipeline.is_loaded() {
            self.tell_asked();
        }
    }

    /// Drives the pipeline; nothing leaves yet.
    fn think(&mut self, mail: Mail, effects: &mut Effects<M>) {
        let cell = Rc::clone(&self.cell);
        let world = cell.world();
        let env = Env { world: &world, now: cell.now(), nonce: rand::random() };
        match mail {
            Mail::Command(delivery) => self.command(delivery, &env, effects),
            Mail::Outcome { ticket, outcome } => self.outcome(ticket, outcome, &env, effects),
            Mail::Loaded(result) => self.loaded(*result, &env, effects),
            Mail::Tick => self.pipeline.tick(&env, effects),
            Mail::Answered { command_id, reply } => self.pipeline.answered(&command_id, &reply, &env),
            Mail::Ask(question) => {
                self.asked.push(question);
                if !self.pipeline.is_loaded() {
                    self.pipeline.tick(&env, effects);
                }
            }
            Mail::Checkpoint | Mail::Passivate => self.checkpoint(),
        }
    }

    fn command(&mut self, delivery: Delivery, env: &Env<'_>, effects: &mut Effects<M>) {
        let Delivery { command_id, command, if_rev, address } = delivery;
        let waiter = Waiter::new(&self.cell, command_id.clone(), address);
        match M::Command::try_from(command) {
            #[cfg(test)]
            Ok(_) if crate::tests::trapped(command_id.as_str()) => panic!("a trap for {command_id}, {waiter:?}"),
            Ok(command) => self.pipeline.submit(Request { command_id, command, if_rev, reply_to: Some(waiter) }, env, effects),
            Err(_) => {
                let reply = Refusal::reply(RefusalCode::BadArgs, "the command is for another kind of entity");
                effects.push(Effect::Reply { to: waiter, command_id, reply });
            }
        }
    }

    fn outcome(&mut self, ticket: Ticket, outcome: Outcome, env: &Env<'_>, effects: &mut Effects<M>) {
        if ticket > self.stale {
            let committed = matches!(outcome, Outcome::Committed { .. });
            self.pipeline.outcome(ticket, outcome, env, effects);
            if committed {
                self.panics_in_a_row = 0;
            }
        }
    }

    fn loaded(&mut self, result: Result<Loaded, JournalError>, env: &Env<'_>, effects: &mut Effects<M>) {
        if !std::mem::take(&mut self.loading) {
            return;
        }
        #[cfg(test)]
        assert!(!crate::tests::trapped(&self.me.entity.to_string()), "a trap");
        let fault = match result {
            Ok(loaded) => self.pipeline.loaded(&loaded, env, effects).err().map(|error| with_source::<ReplayError>(&error)),
            Err(error @ JournalError::Damaged { .. }) => Some(error.to_string()),
            Err(error) => {
                tracing::error!(entity = %self.me.entity, %error, "an entity could not be read");
                self.pipeline.load_failed(env, effects);
                self.asked.drain(..).for_each(|question| question.refuse(Busy::Unreadable));
                None
            }
        };
        if let Some(reason) = fault {
            self.quarantine(&reason);
            self.pipeline.load_failed(env, effects);
        }
    }

    fn carry_out(&mut self, effect: Effect<M, Waiter>) {
        match effect {
            Effect::Load => self.load(),
            Effect::Commit { ticket, commit } => self.cell.commit(&self.me, ticket, commit),
            Effect::Reply { to, command_id, reply } => {
                if let Some(address) = to.release() {
                    self.cell.answer(address, command_id, reply);
                }
            }
            Effect::Forward { to, command_id, command, reply_to } => {
                let address = self.passed_on(reply_to);
                self.cell.route(to, Delivery { command_id, command, if_rev: None, address });
            }
            Effect::Misrouted { request: Request { command_id, command, if_rev, reply_to } } => {
                let address = reply_to.and_then(Waiter::release).unwrap_or(Address::direct(ReplyTo::Nobody));
                self.cell.misrouted(Delivery { command_id, command: command.into(), if_rev, address });
            }
            Effect::Send(owed) => self.cell.send_owed(&self.me, owed),
            Effect::WakeAt(at) => self.cell.wake_at(&self.me, at),
            Effect::Remark(Remark::ClockOff(offset)) => GateClockOff { device: &self.me.entity.id, offset_ms: offset.0 }.emit(),
            Effect::Released { events, .. } => {
                events.iter().for_each(|event| M::tell(&self.cell, event));
                if self.me.dirty_since.get().is_none() {
                    self.me.dirty_since.set(Some(self.cell.turn_at()));
                }
            }
        }
    }

    /// The way back of a command that goes on to another entity; this one hears the answer for its memory.
    fn passed_on(&self, reply_to: Option<Waiter>) -> Address {
        let mut address = reply_to.and_then(Waiter::release).unwrap_or(Address::direct(ReplyTo::Nobody));
        address.via = Some(self.cell.via(&self.me));
        address
    }

    fn load(&mut self) {
        self.loading = true;
        if self.pipeline.etag().is_some() || self.stale > 0 {
            Reloaded { entity: &self.me.entity.to_string() }.emit();
        }
        if !self.cell.load(&self.me) {
            self.cell.send(&self.me, Mail::Loaded(Box::new(Err(JournalError::Io { what: "read queue is full", source: "full".into() }))));
        }
    }

    fn checkpoint(&mut self) {
        self.me.dirty_since.set(None);
        if let Some((version, state)) = self.pipeline.checkpoint() {
            self.cell.checkpoint(&self.me.entity, version, state);
        }
    }

    fn tell_asked(&mut self) {
        for question in self.asked.drain(..) {
            match question {
                Question::State(asker) => drop(asker.send(Ok(self.pipeline.confirmed().clone().into()))),
                Question::Owed(asker) => {
                    let mut owed = self.pipeline.confirmed().owed(&self.me.entity);
                    owed.retain(|owed| matches!(owed.to, Recipient::Device(_)));
                    drop(asker.send(Ok(owed)));
                }
            }
        }
    }

    fn quarantine(&mut self, reason: &str) {
        self.asked.drain(..).for_each(|question| question.refuse(Busy::Quarantined));
        self.cell.quarantine(&self.me, reason);
    }

    /// A letter for an entity whose history cannot be replayed.
    fn refuse(&self, mail: Mail) {
        match mail {
            Mail::Command(Delivery { command_id, command, address, .. }) => {
                let reply = busy_reply(&command, Busy::Quarantined, self.cell.now());
                self.cell.answered_one();
                self.cell.answer(address, command_id, reply);
            }
            Mail::Ask(question) => question.refuse(Busy::Quarantined),
            _ => {}
        }
    }

    /// After a panic: nothing in memory can be trusted but the commands themselves. Read the entity again and decide them
    /// anew; the one that was at work when it happened is answered and counted.
    fn recover(&mut self) {
        self.me.panics.set(self.me.panics.get() + 1);
        let blamed = self.cell.panicked(&self.me.entity);
        self.panics_in_a_row = if blamed { 0 } else { self.panics_in_a_row + 1 };
        let fresh = Pipeline::new(self.me.entity.clone(), Limits::default());
        self.pipeline = std::mem::replace(&mut self.pipeline, fresh).reborn();
        (self.stale, self.loading) = (self.pipeline.last_ticket(), false);
        if self.panics_in_a_row >= PANICS_IN_A_ROW_MAX {
            return self.give_up();
        }
        self.cell.send(&self.me, Mail::Tick);
    }

    fn give_up(&mut self) {
        self.quarantine("it panics whenever it is read");
        let mut effects = Effects::<M>::new();
        {
            let cell = Rc::clone(&self.cell);
            let world = cell.world();
            let env = Env { world: &world, now: cell.now(), nonce: 0 };
            let answered = catch_unwind(AssertUnwindSafe(|| self.pipeline.load_failed(&env, &mut effects)));
            if answered.is_err() {
                tracing::error!(entity = %self.me.entity, "panicked while it was given up");
            }
        }
        for effect in effects {
            self.carry_out(effect);
        }
    }

    fn show(&self) {
        self.me.loading.set(!self.pipeline.is_loaded());
        self.me.version.set(self.pipeline.etag().map_or(0, |etag| etag.version));
        self.me.in_flight.set(self.pipeline.pending());
        self.me.owed.set(self.pipeline.owed());
    }
}

impl<M: Kind> Handler<Mail> for EntityActor<M> {
    type Result = ();

    fn handle(&mut self, mail: Mail, context: &mut Context<Self>) {
        self.cell.taken(&self.me, &mail);
        if self.me.quarantined() {
            return self.refuse(mail);
        }
        let leave = matches!(mail, Mail::Passivate);
        if leave && !(self.me.letters.get() == 0 && self.pipeline.idle() && self.asked.is_empty()) {
            return;
        }
        if catch_unwind(AssertUnwindSafe(|| self.work(mail))).is_err() {
            self.recover();
        } else if leave {
            self.cell.retire(&self.me);
            context.stop();
        }
        self.show();
    }
}

fn with_source<E: std::error::Error>(error: &E) -> String {
    match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}
