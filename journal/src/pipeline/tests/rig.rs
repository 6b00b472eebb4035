//! One pipeline, a store in memory that can be told how to answer, and everything that came out.
use super::toy::{Ask, Toy, command_id};
use crate::codec;
use crate::contract::{Commit, Etag, Expected, Loaded, Outcome, Ticket};
use crate::pipeline::{Effect, Env, Limits, Phase, Pipeline, Request};
use std::collections::{HashMap, VecDeque};
use tongdao_domain::entity::{EntityKey, EntityKind};
use tongdao_domain::fingerprint::Fingerprint;
use tongdao_domain::id::CommandId;
use tongdao_domain::machine::{Machine, Reply};
use tongdao_domain::time::Timestamp;
use tongdao_domain::world::World;

/// A store of one entity, by the letter of the contract.
#[derive(Default)]
pub(super) struct Store {
    pub(super) etag: Option<Etag>,
    pub(super) events: Vec<(Timestamp, Vec<u8>)>,
    pub(super) state: Option<(u64, Vec<u8>)>,
    pub(super) answers: HashMap<CommandId, (Fingerprint, Vec<u8>)>,
    pub(super) deadline: Option<Timestamp>,
}

impl Store {
    pub(super) fn decide(&mut self, commit: Commit) -> Outcome {
        if let Some((fingerprint, reply)) = self.answers.get(&commit.command_id) {
            return if *fingerprint == commit.fingerprint { Outcome::Duplicate { reply: reply.clone() } } else { Outcome::KeyReused };
        }
        if commit.events.is_empty() {
            return Outcome::Committed { seq: 0 };
        }
        if commit.expected != self.etag.map_or(Expected::Absent, Expected::Etag) {
            return Outcome::Conflict { actual: self.etag };
        }
        self.etag = Some(commit.next);
        self.events.extend(commit.events.iter().map(|event| (commit.at, event.to_vec())));
        if let Some(state) = commit.state {
            self.state = Some((commit.next.version, state.to_vec()));
        }
        self.answers.insert(commit.command_id, (commit.fingerprint, commit.reply.to_vec()));
        self.deadline = commit.deadline;
        assert_eq!(self.events.len() as u64, commit.next.version, "versions count events");
        Outcome::Committed { seq: commit.next.version }
    }
    pub(super) fn load(&self) -> Loaded {
        let from = self.state.as_ref().map_or(0, |(version, _)| usize::try_from(*version).expect("small"));
        Loaded { etag: self.etag, state: self.state.clone(), events: self.events[from..].to_vec(), deadline: self.deadline }
    }
    /// The state by the events alone.
    pub(super) fn replay(&self) -> Toy {
        let mut toy = Toy::default();
        self.events.iter().for_each(|(at, event)| toy.apply(&codec::decode(event).expect("an event"), *at));
        toy
    }
}

pub(super) struct Rig {
    pub(super) pipeline: Pipeline<Toy, u32>,
    pub(super) store: Store,
    pub(super) world: World,
    pub(super) now: i64,
    /// Commits in the store's hands.
    pub(super) submitted: VecDeque<(Ticket, Commit)>,
    pub(super) loads: usize,
    pub(super) replies: Vec<(u32, Reply)>,
    pub(super) sent: Vec<CommandId>,
    pub(super) forwards: Vec<u32>,
    pub(super) misrouted: Vec<u32>,
    pub(super) wake: Option<Timestamp>,
    pub(super) released: usize,
    pub(super) nonce: u32,
}

impl Rig {
    /// Not loaded yet.
    pub(super) fn asleep() -> Self {
        Self {
            pipeline: Pipeline::new(EntityKey::new(EntityKind::Audit, "toy"), Limits { pending_max: 8, checkpoint_events: 4 }),
            store: Store::default(),
            world: World::default(),
            now: 1000,
            submitted: VecDeque::new(),
            loads: 0,
            replies: Vec::new(),
            sent: Vec::new(),
            forwards: Vec::new(),
            misrouted: Vec::new(),
            wake: None,
            released: 0,
            nonce: 0,
        }
    }
    /// Another writer with nonces of its own.
    pub(super) fn other() -> Self {
        Self { nonce: 1_000_000, ..Self::asleep() }
    }
    /// Loaded and idle.
    pub(super) fn ready() -> Self {
        let mut rig = Self::asleep();
        rig.tick();
        rig.load();
        rig
    }
    fn with(&mut self, act: impl FnOnce(&mut Pipeline<Toy, u32>, &Env<'_>, &mut Vec<Effect<Toy, u32>>)) {
        self.nonce += 1;
        let mut effects = Vec::new();
        let env = Env { world: &self.world, now: Timestamp(self.now), nonce: self.nonce };
        act(&mut self.pipeline, &env, &mut effects);
        effects.into_iter().for_each(|effect| self.carry_out(effect));
    }
    fn carry_out(&mut self, effect: Effect<Toy, u32>) {
        match effect {
            Effect::Load => self.loads += 1,
            Effect::Commit { ticket, commit } => self.submitted.push_back((ticket, commit)),
            Effect::Reply { to, reply, .. } => self.replies.push((to, reply)),
            Effect::Forward { reply_to, .. } => self.forwards.extend(reply_to),
            Effect::Misrouted { request } => self.misrouted.extend(request.reply_to),
            Effect::Send(owed) => self.sent.push(owed.id),
            Effect::WakeAt(wake) => self.wake = wake,
            Effect::Released { .. } => self.released += 1,
            Effect::Remark(_) => {}
        }
    }
    /// Asks under the id `id`; the answer goes to `to`.
    pub(super) fn ask(&mut self, to: u32, id: &str, command: Ask) {
        self.ask_if(to, id, command, None);
    }
    /// The same for somebody who was shown this revision.
    pub(super) fn ask_if(&mut self, to: u32, id: &str, command: Ask, if_rev: Option<u64>) {
        let request = Request { command_id: command_id(id), command, if_rev, reply_to: Some(to) };
        self.with(|pipeline, env, effects| pipeline.submit(request, env, effects));
    }
    pub(super) fn load(&mut self) {
        self.loads -= 1;
        let loaded = self.store.load();
        self.with(|pipeline, env, effects| pipeline.loaded(&loaded, env, effects).expect("a readable history"));
    }
    pub(super) fn tick(&mut self) {
        self.wake = None;
        self.with(|pipeline, env, effects| pipeline.tick(env, effects));
    }
    pub(super) fn fail_load(&mut self) {
        self.loads -= 1;
        self.with(|pipeline, env, effects| pipeline.load_failed(env, effects));
    }
    /// The store answers its oldest commit as it must.
    pub(super) fn step(&mut self) {
        let (ticket, commit) = self.submitted.pop_front().expect("a commit in flight");
        let outcome = self.store.decide(commit);
        self.tell(ticket, outcome);
    }
    /// The store answers its oldest commit with this instead, and has written it or not.
    pub(super) fn fail(&mut self, outcome: Outcome, written: bool) {
        let (ticket, commit) = self.submitted.pop_front().expect("a commit in flight");
        if written {
            let _ = self.store.decide(commit);
        }
        self.tell(ticket, outcome);
    }
    pub(super) fn tell(&mut self, ticket: Ticket, outcome: Outcome) {
        self.with(|pipeline, env, effects| pipeline.outcome(ticket, outcome, env, effects));
    }
    /// The process dies: what the store has not decided is lost with everything in memory.
    pub(super) fn crash(&mut self) {
        self.pipeline = Pipeline::new(EntityKey::new(EntityKind::Audit, "toy"), Limits { pending_max: 8, checkpoint_events: 4 });
        self.submitted.clear();
        self.loads = 0;
        self.wake = None;
    }
    /// Everything runs to its end without faults.
    pub(super) fn settle(&mut self) {
        for turn in 0.. {
            assert!(turn < 1000, "it never comes to rest");
            if self.loads == 0 && self.submitted.is_empty() {
                break;
            }
            if self.loads > 0 {
                self.load();
            } else {
                self.step();
            }
        }
        assert!(self.pipeline.idle());
        if self.pipeline.etag() == self.store.etag {
            assert_eq!(*self.pipeline.confirmed(), self.store.replay(), "confirmed is the replay of the journal");
        }
    }
    pub(super) fn phase(&self) -> Phase {
        self.pipeline.observe().phase
    }
    pub(super) fn sums(&self) -> Vec<(u32, i64)> {
        let fen = |reply: &Reply| if let Reply::Adjusted { fare } = reply { fare.fen() } else { -1 };
        self.replies.iter().map(|(to, reply)| (*to, fen(reply))).collect()
    }
}
