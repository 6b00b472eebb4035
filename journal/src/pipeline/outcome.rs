//! What an outcome of the journal means for the command behind it, and for those that were decided on top of it.
use super::flight::{Flight, Pending, Step, busy, key_reused};
use super::{Effect, Env, Phase, Pipeline};
use crate::codec;
use crate::contract::{Expected, Outcome, Ticket};
use tongdao_domain::id::CommandId;
use tongdao_domain::machine::{Machine, Reply};
use tongdao_domain::mutant::{Mutant, planted};

impl<M: Machine, R> Pipeline<M, R> {
    /// Takes the outcome of a commit that [`Effect::Commit`] handed over. Each ticket has exactly one.
    pub fn outcome(&mut self, ticket: Ticket, outcome: Outcome, env: &Env<'_>, effects: &mut Vec<Effect<M, R>>) {
        let Some(index) = self.in_flight.iter().position(|flight| flight.ticket == Some(ticket)) else {
            debug_assert!(false, "an outcome for a ticket that is not in flight");
            return;
        };
        self.outstanding -= 1;
        match outcome {
            Outcome::Committed { .. } => self.committed(index, env, effects),
            Outcome::Duplicate { reply } => self.duplicate(index, &reply, env, effects),
            Outcome::KeyReused => self.refused(index, |flight| key_reused::<M>(&flight.pending.request.command, env.now), env, effects),
            Outcome::Unavailable => {
                self.counters.busy += 1;
                self.refused(index, |flight| busy::<M>(&flight.pending.request.command, env.now), env, effects);
            }
            Outcome::Conflict { .. } => self.undecided(index, false),
            Outcome::Unknown if planted(Mutant::ResumeOnAGuess) => self.committed(index, env, effects),
            Outcome::Unknown => self.undecided(index, true),
        }
        self.go_on(env, effects);
    }

    fn committed(&mut self, index: usize, env: &Env<'_>, effects: &mut Vec<Effect<M, R>>) {
        let settling = matches!(self.phase, Phase::Settling { .. });
        match self.in_flight.get_mut(index) {
            // A question's answer was decided on what may not stand: it is decided again.
            Some(flight) if settling && !matches!(flight.step, Step::Events { .. }) => flight.ticket = None,
            Some(_) => self.release(index, env, effects),
            None => {}
        }
    }

    fn release(&mut self, index: usize, env: &Env<'_>, effects: &mut Vec<Effect<M, R>>) {
        let Some(flight) = self.in_flight.remove(index) else { return };
        let Flight { pending, step, .. } = *flight;
        match step {
            Step::Events { events, reply, expected, next, at } => {
                self.counters.committed += 1;
                let settling = matches!(self.phase, Phase::Settling { .. });
                if expected != self.confirmed_etag.map_or(Expected::Absent, Expected::Etag) {
                    // Durable on top of a commit whose own outcome is unknown here: the journal knows both.
                    self.settle(true);
                    return match reply {
                        Some(reply) => self.answer(pending.request, reply, env, effects),
                        None => self.put_back(index, pending),
                    };
                }
                events.iter().for_each(|event| self.confirmed.apply(event, at));
                self.confirmed_etag = Some(next);
                if next.version == self.state_planned {
                    self.state_at = next.version;
                }
                let owes = events.iter().any(M::owes);
                effects.push(Effect::Released { events, at });
                match reply {
                    Some(reply) => self.answer(pending.request, reply, env, effects),
                    None if settling => self.put_back(index, pending),
                    None => self.decide_in_place(index, pending, env, effects),
                }
                if owes {
                    self.send_owed(env, effects);
                }
            }
            Step::Question { otherwise } => self.answer(pending.request, otherwise, env, effects),
            Step::Barrier | Step::Forward { .. } | Step::Misrouted => self.decide_first(pending, env, effects),
        }
    }

    /// It is decided again with the others, in its order of arrival.
    fn put_back(&mut self, index: usize, pending: Pending<M, R>) {
        self.in_flight.insert(index, Box::new(Flight { pending, step: Step::Barrier, ticket: None }));
    }

    fn duplicate(&mut self, index: usize, reply: &[u8], env: &Env<'_>, effects: &mut Vec<Effect<M, R>>) {
        self.counters.duplicates += 1;
        // What had to be durable before the command is: it only is not in this state.
        if self.in_flight.get(index).is_some_and(|flight| matches!(flight.step, Step::Events { reply: None, .. })) {
            return self.undecided(index, true);
        }
        // An attempt that ended in Unknown may be the first one: what it wrote is not in this state.
        if self.in_flight.get(index).is_some_and(|flight| flight.pending.unknown) {
            self.settle(true);
        }
        let answer = |flight: &Flight<M, R>| match &flight.step {
            Step::Events { reply: Some(reply), .. } if planted(Mutant::OwnAnswerForDuplicate) => reply.clone(),
            _ => codec::decode::<Reply>(reply).unwrap_or_else(|_| busy::<M>(&flight.pending.request.command, env.now)),
        };
        self.refused(index, answer, env, effects);
    }

    /// Nothing was written: the command has this answer, and its tentative events must go.
    fn refused(&mut self, index: usize, answer: impl FnOnce(&Flight<M, R>) -> Reply, env: &Env<'_>, effects: &mut Vec<Effect<M, R>>) {
        let Some(flight) = self.in_flight.remove(index) else { return };
        if matches!(flight.step, Step::Events { .. }) {
            self.settle(false);
        }
        let reply = answer(&flight);
        self.answer(flight.pending.request, reply, env, effects);
    }

    /// Not known to be written: the journal is read again, then the command is decided again under the same id.
    fn undecided(&mut self, index: usize, unknown: bool) {
        if let Some(flight) = self.in_flight.get_mut(index) {
            flight.ticket = None;
            flight.pending.unknown |= unknown;
        }
        // A conflict that a dropped commit before it explains says nothing new.
        let explained = !unknown && matches!(self.phase, Phase::Settling { .. });
        if !explained {
            self.settle(true);
        }
    }

    fn settle(&mut self, reload: bool) {
        let already = self.phase == Phase::Settling { reload: true };
        if !matches!(self.phase, Phase::Settling { .. }) {
            self.counters.rollbacks += 1;
        }
        self.phase = Phase::Settling { reload: reload || already };
    }

    fn go_on(&mut self, env: &Env<'_>, effects: &mut Vec<Effect<M, R>>) {
        match self.phase {
            Phase::Settling { reload } if self.outstanding == 0 => self.settled(reload, env, effects),
            Phase::Settling { .. } => {}
            _ => self.release_passed_on(effects),
        }
        self.tell_wake(env, effects);
    }

    /// Nothing is in the journal's hands: what is left is decided again, before what came in meanwhile.
    fn settled(&mut self, reload: bool, env: &Env<'_>, effects: &mut Vec<Effect<M, R>>) {
        while let Some(mut flight) = self.in_flight.pop_back() {
            if flight.pending.unknown && planted(Mutant::NewIdAfterUnknown) {
                let again = format_args!("{}/again", flight.pending.request.command_id);
                flight.pending.request.command_id = CommandId::of(again);
            }
            self.waiting.push_front(flight.pending);
        }
        if reload {
            self.counters.reloads += 1;
            return self.ask_load(effects);
        }
        let kept = planted(Mutant::KeepTentative).then(|| self.tentative.clone());
        self.resume();
        if let Some(kept) = kept {
            self.tentative = kept;
        }
        self.decide_waiting(env, effects);
    }
}
