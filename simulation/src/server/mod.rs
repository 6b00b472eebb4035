//! The server: what the actor shell, the router and the device gateway do around the pipelines, without threads and sockets.
//! Pipelines, machines and the store's contract are the product's own; only the waiting is made up.
mod actor;
mod route;

pub use actor::replay;

use crate::chance::Chance;
use crate::coverage::{Coverage, Kind};
use crate::message::{Down, Up};
use actor::{Act, Any};
use std::collections::{BTreeMap, BTreeSet};
use tongdao_domain::creditor::struck;
use tongdao_domain::deny::{self, DenyList, DenyView, Fold, Way};
use tongdao_domain::entity::{EntityKey, EntityKind};
use tongdao_domain::gate;
use tongdao_domain::id::{AccountId, CommandId, DeviceId, TapId, Token};
use tongdao_domain::machine::{Command, Event, Machine, Owed, OwedWhat, Refusal, RefusalCode, Reply};
use tongdao_domain::station;
use tongdao_domain::time::Timestamp;
use tongdao_domain::world::World;
use tongdao_journal::codec;
use tongdao_journal::contract::{Commit, FeedItem, Journal, Loaded, Outcome, Ticket};
use tongdao_journal::memory::{Fault, Memory};
use tongdao_journal::pipeline::Env;

/// Logical partitions of the store.
const PARTITIONS: u16 = 8;
/// Commits that wait for the store at most: little, so that it is met.
const QUEUE_MAX: usize = 64;

/// Where an answer goes.
#[derive(Debug, Clone)]
pub enum To {
    /// A gate's connection.
    Link {
        /// The gate.
        device: DeviceId,
        /// The connection; an answer to an earlier one is lost.
        connection: u64,
        /// Number of the message that waits for its acknowledgement; 0 = the answer itself is sent.
        n: u64,
    },
    /// Who owed it.
    Struck {
        /// A gate, or a doubtful record.
        creditor: EntityKey,
        /// What was owed.
        owed: CommandId,
    },
    /// The staff.
    Staff(u64),
}

/// What the server tells the outside.
#[derive(Debug)]
pub enum Told {
    /// A message for a gate.
    Down(DeviceId, u64, Down),
    /// An answer for the staff.
    Staff(u64, Reply),
    /// An event has become durable.
    Durable(FeedItem),
    /// Something is to happen later.
    Later(Timestamp, Inside),
}

/// What happens within one life of the server.
#[derive(Debug)]
pub enum Inside {
    /// The store writes a group.
    Write,
    /// The store syncs.
    Sync,
    /// An entity has been read.
    Loaded(EntityKey, u64, Box<Loaded>),
    /// A deadline of an entity.
    Wake(EntityKey, u64, Timestamp),
    /// A command reaches its entity.
    Command(EntityKey, CommandId, Box<Command>, Option<To>),
    /// The owner of a medium has been read.
    Owner(Token, Option<AccountId>),
    /// A committed event reaches the world.
    Follow(Box<FeedItem>),
    /// A refused submission comes back.
    Refused(Ticket),
    /// The journal's due timers are looked at.
    Due,
}

/// How bad the store is, in times per thousand commits.
#[derive(Debug, Clone, Copy, Default)]
pub struct StoreFaults {
    /// Neither written nor not written.
    pub unknown: u32,
    /// Refused.
    pub unavailable: u32,
    /// Of all syncs: slower than a gate waits.
    pub slow: u32,
}

struct Actor {
    pipeline: Any,
    generation: u64,
    wake: Option<Timestamp>,
}

/// The server and its journal.
pub struct Server {
    /// The store, which outlives every crash.
    pub journal: Memory,
    /// What it is up to.
    pub faults: StoreFaults,
    /// What has occurred.
    pub coverage: Coverage,
    /// Running at all?
    pub up: bool,
    /// Each crash begins another life.
    pub life: u64,
    /// Until when a tap might be decided, by what its gate's machine said last.
    pub decide_by: BTreeMap<TapId, Timestamp>,
    site: World,
    world: World,
    actors: BTreeMap<EntityKey, Actor>,
    links: BTreeMap<DeviceId, u64>,
    owners: BTreeMap<Token, AccountId>,
    asking: BTreeMap<Token, Vec<route::Routed>>,
    looked_twice: BTreeSet<CommandId>,
    tickets: BTreeMap<Ticket, (EntityKey, u64, Ticket)>,
    last_number: u64,
    told_upto: Vec<u64>,
    write_scheduled: bool,
    chance: Chance,
    told: Vec<Told>,
}

impl Server {
    /// A server in a city, with an empty journal.
    #[must_use]
    pub fn new(site: World, chance: Chance) -> Self {
        Self {
            journal: Memory::with_queue(PARTITIONS, QUEUE_MAX),
            faults: StoreFaults::default(),
            coverage: Coverage::default(),
            up: true,
            life: 1,
            decide_by: BTreeMap::new(),
            world: site.clone(),
            site,
            actors: BTreeMap::new(),
            links: BTreeMap::new(),
            owners: BTreeMap::new(),
            asking: BTreeMap::new(),
            looked_twice: BTreeSet::new(),
            tickets: BTreeMap::new(),
            last_number: 0,
            told_upto: vec![0; usize::from(PARTITIONS)],
            write_scheduled: false,
            chance,
            told: Vec::new(),
        }
    }

    /// What it has to tell since it was last asked.
    pub fn take_told(&mut self) -> Vec<Told> {
        std::mem::take(&mut self.told)
    }

    fn later(&mut self, now: Timestamp, low: i64, high: i64, what: Inside) {
        let at = self.chance.after(now, low, high);
        self.told.push(Told::Later(at, what));
    }

    fn number(&mut self) -> u64 {
        self.last_number += 1;
        self.last_number
    }

    /// Sends a command on its way through the server.
    pub fn command(&mut self, entity: EntityKey, command_id: CommandId, command: Command, to: Option<To>, now: Timestamp) {
        self.later(now, 0, 2, Inside::Command(entity, command_id, Box::new(command), to));
    }

    /// Something that was scheduled in this life happens.
    pub fn happen(&mut self, inside: Inside, now: Timestamp) {
        match inside {
            Inside::Write => self.write(now),
            Inside::Sync => self.sync(now),
            Inside::Loaded(entity, generation, loaded) => {
                self.with(&entity, Some(generation), now, |actor, env| actor.pipeline.loaded(&loaded, env));
            }
            Inside::Wake(entity, generation, at) => self.wake(&entity, generation, at, now),
            Inside::Command(entity, command_id, command, to) => {
                self.with(&entity, None, now, |actor, env| actor.pipeline.submit(command_id, *command, to, env));
            }
            Inside::Owner(token, owner) => self.resolved(&token, owner, now),
            Inside::Follow(item) => self.follow(&item),
            Inside::Refused(ticket) => self.outcome(ticket, Outcome::Unavailable, now),
            Inside::Due => self.due(now),
        }
    }

    /// Calls an entity's pipeline, waking the entity where it must, and carries out what comes out.
    fn with(&mut self, entity: &EntityKey, generation: Option<u64>, now: Timestamp, call: impl FnOnce(&mut Actor, &Env<'_>) -> Vec<Act>) {
        if !self.actors.contains_key(entity) && generation.is_none() {
            let actor = Actor { pipeline: Any::new(entity), generation: self.number(), wake: None };
            self.actors.insert(entity.clone(), actor);
        }
        let nonce = self.chance.number();
        let Some(actor) = self.actors.get_mut(entity) else { return };
        if generation.is_some_and(|generation| generation != actor.generation) {
            return;
        }
        let generation = actor.generation;
        let before = actor.pipeline.observe().counters;
        let acts = call(actor, &Env { world: &self.world, now, nonce });
        let after = actor.pipeline.observe().counters;
        self.coverage.add(Kind::Reloaded, after.reloads - before.reloads);
        self.coverage.add(Kind::RolledBack, after.rollbacks - before.rollbacks);
        self.coverage.add(Kind::Repeated, after.duplicates - before.duplicates);
        self.coverage.add(Kind::Busy, after.busy - before.busy);
        for act in acts {
            self.carry_out(entity, generation, act, now);
        }
    }

    fn carry_out(&mut self, entity: &EntityKey, generation: u64, act: Act, now: Timestamp) {
        match act {
            Act::Load => self.load(entity, generation, now),
            Act::Commit(ticket, commit) => self.submit(entity, generation, ticket, *commit, now),
            Act::Reply(to, command_id, reply) => self.answer(entity, to, &command_id, reply, now),
            Act::Forward { to, command_id, command, reply_to } => self.forward(to, command_id, command, reply_to, now),
            Act::Misrouted { command_id, command, reply_to } => self.misrouted(command_id, command, reply_to, now),
            Act::Send(owed) => self.send_owed(entity, owed, now),
            Act::WakeAt(at) => {
                if let Some(actor) = self.actors.get_mut(entity) {
                    actor.wake = at;
                }
                if let Some(at) = at {
                    self.told.push(Told::Later(at.max(now), Inside::Wake(entity.clone(), generation, at)));
                }
            }
        }
    }

    fn load(&mut self, entity: &EntityKey, generation: u64, now: Timestamp) {
        let loaded = self.journal.load(entity).unwrap_or_else(|error| panic!("{error}"));
        self.later(now, 1, 20, Inside::Loaded(entity.clone(), generation, Box::new(loaded)));
    }

    fn submit(&mut self, entity: &EntityKey, generation: u64, ticket: Ticket, commit: Commit, now: Timestamp) {
        let mine = self.number();
        self.tickets.insert(mine, (entity.clone(), generation, ticket));
        if !commit.events.is_empty() {
            self.order_fault();
        }
        match self.journal.submit(0, mine, commit) {
            Ok(()) if !self.write_scheduled => {
                self.write_scheduled = true;
                self.later(now, 0, 3, Inside::Write);
            }
            Ok(()) => {}
            Err(_) => self.later(now, 0, 0, Inside::Refused(mine)),
        }
    }

    fn order_fault(&mut self) {
        let StoreFaults { unknown, unavailable, .. } = self.faults;
        if self.chance.permille(unknown) {
            self.coverage.note(Kind::Unknown);
            let written = self.chance.permille(500);
            self.journal.inject(if written { Fault::UnknownWritten } else { Fault::UnknownLost });
        } else if self.chance.permille(unavailable) {
            self.coverage.note(Kind::Unavailable);
            self.journal.inject(Fault::Unavailable);
        }
    }

    fn write(&mut self, now: Timestamp) {
        let most = self.chance.between(1, 12);
        self.journal.write(usize::try_from(most).unwrap_or(1));
        self.write_scheduled = self.journal.queued() > 0;
        if self.write_scheduled {
            self.later(now, 0, 4, Inside::Write);
        }
        let slow = self.chance.permille(self.faults.slow);
        if slow {
            self.coverage.note(Kind::SlowSync);
            self.later(now, 251, 900, Inside::Sync);
        } else {
            self.later(now, 1, 6, Inside::Sync);
        }
    }

    fn sync(&mut self, now: Timestamp) {
        let outcomes = self.journal.sync();
        self.tell_durable(now);
        for (_, ticket, outcome) in outcomes {
            self.outcome(ticket, outcome, now);
        }
    }

    fn outcome(&mut self, ticket: Ticket, outcome: Outcome, now: Timestamp) {
        let Some((entity, generation, ticket)) = self.tickets.remove(&ticket) else { return };
        self.with(&entity, Some(generation), now, |actor, env| actor.pipeline.outcome(ticket, outcome, env));
    }

    /// Tells what has become durable and lets the world follow a little later.
    fn tell_durable(&mut self, now: Timestamp) {
        for partition in 0..PARTITIONS {
            let upto = self.told_upto[usize::from(partition)];
            let items = self.journal.feed(partition, upto + 1, usize::MAX).unwrap_or_else(|error| panic!("{error}"));
            for item in items {
                self.told_upto[usize::from(partition)] = item.seq;
                if matches!(item.entity.kind, EntityKind::Station | EntityKind::DenyList) && self.up {
                    self.later(now, 0, 5, Inside::Follow(Box::new(item.clone())));
                }
                self.told.push(Told::Durable(item));
            }
        }
    }

    fn follow(&mut self, item: &FeedItem) {
        let event = codec::decode_event(item.entity.kind, &item.event).unwrap_or_else(|error| panic!("{error}"));
        self.world.advance(&item.entity, &event, item.at);
        if let Event::Deny(deny::Event::VersionMade { delta, .. }) = &event {
            let links: Vec<DeviceId> = self.links.keys().cloned().collect();
            links.iter().for_each(|gate| self.send_list(gate, delta.to - 1));
        }
        let gates = self.world.stations.get(item.entity.id.as_str()).map(|station| station.gates.clone());
        for gate in gates.unwrap_or_default() {
            self.send_mode(&gate);
        }
    }

    /// What the gateway tells a gate that has this version of the deny list.
    fn send_list(&mut self, device: &DeviceId, have: u64) {
        let Some(connection) = self.links.get(device).copied() else { return };
        let view = &self.world.deny;
        let fold = match view.way_from(have, 4) {
            Way::There => Some(Fold::default()),
            Way::By(fold) => Some(fold),
            Way::Full => None,
        };
        let (to, hash) = (view.version(), view.hash());
        let down = fold.map_or(Down::ListFull, |Fold { add, remove }| Down::List {
            from: have,
            to,
            add: add.into_iter().collect(),
            remove: remove.into_iter().collect(),
            hash,
        });
        self.told.push(Told::Down(device.clone(), connection, down));
    }

    /// The whole list, as HTTP serves it: of the newest version that is committed.
    fn send_whole(&mut self, device: &DeviceId) {
        let list: DenyList = self.machine(&EntityKey::deny_list());
        let (Some(connection), Some(newest)) = (self.links.get(device), &list.newest) else { return };
        let down = Down::Whole { to: newest.number, tokens: list.published().cloned().collect(), hash: newest.hash };
        self.told.push(Told::Down(device.clone(), *connection, down));
    }

    fn send_mode(&mut self, device: &DeviceId) {
        if let (Some(connection), Some(mode)) = (self.links.get(device), self.world.gate_mode(device)) {
            self.told.push(Told::Down(device.clone(), *connection, Down::Mode(mode)));
        }
    }

    fn wake(&mut self, entity: &EntityKey, generation: u64, at: Timestamp, now: Timestamp) {
        if self.actors.get(entity).is_some_and(|actor| actor.wake == Some(at)) {
            self.with(entity, Some(generation), now, |actor, env| actor.pipeline.tick(env));
        }
    }

    fn due(&mut self, now: Timestamp) {
        let due = self.journal.due(now, 64).unwrap_or_else(|error| panic!("{error}"));
        for (_, entity) in due {
            if !self.actors.contains_key(&entity) {
                self.with(&entity, None, now, |actor, env| actor.pipeline.tick(env));
            }
        }
    }

    /// A gate has connected: it hears its mode, and what is owed to it.
    pub fn connect(&mut self, device: &DeviceId, connection: u64, now: Timestamp) {
        self.links.insert(device.clone(), connection);
        self.send_mode(device);
        self.with(&EntityKey::gate(device), None, now, |actor, env| actor.pipeline.tick(env));
    }

    /// A gate's connection has ended: its will speaks.
    pub fn disconnect(&mut self, device: &DeviceId, connection: u64, now: Timestamp) {
        if self.links.get(device) != Some(&connection) {
            return;
        }
        self.links.remove(device);
        let twin = gate::Twin {
            online: false,
            service: "both".into(),
            firmware: "sim".into(),
            versions: BTreeMap::new(),
            faults: Vec::new(),
            at: now,
        };
        let id = CommandId::of(format_args!("state/{device}/{connection:x}/will"));
        self.command(EntityKey::gate(device), id, gate::Command::State(twin).into(), None, now);
    }

    /// A message of a gate, as the device gateway understands it.
    pub fn hear(&mut self, device: &DeviceId, connection: u64, up: Up, now: Timestamp) {
        let n = self.number();
        let link = |n| Some(To::Link { device: device.clone(), connection, n });
        let gate = EntityKey::gate(device);
        let (entity, id, command, to) = match up {
            Up::Tap(tap) => (gate, tap.id.tap_command(), gate::Command::Tap { tap, received: now }.into(), link(0)),
            Up::Passage { n, tap, reference, outcome, at } => {
                (gate, tap.passage_command(), gate::Command::Passage { tap, reference, outcome, at }.into(), link(n))
            }
            Up::Records { epoch, records } => {
                let first_seq = records.first().map_or(0, |record| record.tap.seq);
                let id = CommandId::of(format_args!("records/{device}/{connection:x}/{n}"));
                (gate, id, gate::Command::Records { epoch, first_seq, records }.into(), link(0))
            }
            Up::ListRequest(have) => return self.send_list(device, have),
            Up::Fetch => return self.send_whole(device),
            Up::State { n: message, twin } => {
                if let Some(have) = twin.list().filter(|have| *have != self.world.deny.version()) {
                    self.send_list(device, have);
                }
                let id = CommandId::of(format_args!("state/{device}/{connection:x}/{n}"));
                (gate, id, gate::Command::State(twin).into(), link(message))
            }
            Up::Ack { n, id, at } => {
                let command = gate::Command::Ack { id: id.clone(), result: gate::AckResult::Done, detail: "".into(), at };
                (gate, CommandId::of(format_args!("ack/{device}/{id}")), command.into(), link(n))
            }
            Up::Alarm { n, alarm, on, at } => {
                let Some((station, _)) = self.world.station_of(device) else { return };
                let id = CommandId::of(format_args!("alarm/{device}/{alarm}/{}", if on { "on" } else { "off" }));
                let kind = station::AlarmKind::EmergencyButton;
                (station.into(), id, station::Command::Alarm { device: device.clone(), alarm, kind, on, at }.into(), link(n))
            }
        };
        self.command(entity, id, command, to, now);
    }

    fn answer(&mut self, from: &EntityKey, to: To, command_id: &CommandId, reply: Reply, now: Timestamp) {
        match to {
            To::Staff(cookie) => self.told.push(Told::Staff(cookie, reply)),
            To::Struck { creditor, owed } => self.strike(creditor, &owed, &reply, now),
            To::Link { device, connection, n } => {
                let gate = EntityKey::gate(&device);
                if *from != gate
                    && let Some(actor) = self.actors.get_mut(&gate)
                {
                    actor.pipeline.answered(command_id, &reply, &Env { world: &self.world, now, nonce: 0 });
                }
                let down = match reply {
                    Reply::Tap(decision) => Down::Decision(decision),
                    Reply::Records(ack) => Down::RecordsAck(ack),
                    Reply::Refused(Refusal { code: RefusalCode::Busy, .. }) => return,
                    _ if n > 0 => Down::Acknowledged(n),
                    _ => return,
                };
                self.told.push(Told::Down(device, connection, down));
            }
        }
    }

    /// An answer strikes off what was owed; one that is busy is asked again.
    pub(super) fn strike(&mut self, creditor: EntityKey, owed: &CommandId, reply: &Reply, now: Timestamp) {
        if let Some((id, command)) = struck(&creditor, owed, reply) {
            self.command(creditor, id, command, None, now);
        }
    }

    fn send_owed(&mut self, entity: &EntityKey, owed: Owed, now: Timestamp) {
        match owed.what {
            OwedWhat::Command(command) => {
                let to = To::Struck { creditor: entity.clone(), owed: owed.id.clone() };
                self.forward(owed.to, owed.id, *command, Some(to), now);
            }
            OwedWhat::DeviceCommand(order) => {
                let Ok(device) = DeviceId::new(&entity.id) else { return };
                if let Some(connection) = self.links.get(&device) {
                    self.told.push(Told::Down(device, *connection, Down::Order(order)));
                }
            }
        }
    }

    /// Everything in memory is gone; of what the store had written, some groups turn out to be there.
    pub fn crash(&mut self, now: Timestamp) {
        self.coverage.note(Kind::Crashed);
        let unsynced = self.journal.unsynced();
        let keep = self.chance.index(unsynced + 1);
        self.coverage.add(Kind::TailLost, (unsynced - keep) as u64);
        self.coverage.add(Kind::TailKept, keep as u64);
        self.up = false;
        self.life += 1;
        self.check_replay();
        self.actors.clear();
        self.links.clear();
        self.owners.clear();
        self.asking.clear();
        self.looked_twice.clear();
        self.tickets.clear();
        self.write_scheduled = false;
        self.journal.crash(keep);
        self.tell_durable(now);
    }

    /// It is back: the world is what the site file and the feed say.
    pub fn restart(&mut self, now: Timestamp) {
        self.up = true;
        self.world = self.site.clone();
        self.world.deny = DenyView::of(&self.machine(&EntityKey::deny_list()));
        for entity in self.journal.entities(EntityKind::Station).unwrap_or_default() {
            for (at, event) in self.history(&entity) {
                let event: station::Event = codec::decode(&event).unwrap_or_else(|error| panic!("{error}"));
                self.world.advance(&entity, &Event::Station(event), at);
            }
        }
        self.later(now, 0, 100, Inside::Due);
    }

    /// Every event of an entity, by the feed alone.
    #[must_use]
    pub fn history(&self, entity: &EntityKey) -> Vec<(Timestamp, Vec<u8>)> {
        let feed = self.journal.feed(entity.partition(PARTITIONS), 1, usize::MAX).unwrap_or_default();
        feed.into_iter().filter(|item| item.entity == *entity).map(|item| (item.at, item.event)).collect()
    }

    /// An entity's machine, by the feed alone.
    #[must_use]
    pub fn machine<M: Machine>(&self, entity: &EntityKey) -> M {
        replay(&self.history(entity))
    }

    /// Drops an idle entity from memory, or only writes its state.
    pub fn passivate(&mut self, nth: usize, drop_it: bool) {
        let idle: Vec<EntityKey> = self.actors.iter().filter(|(_, actor)| actor.pipeline.idle()).map(|(key, _)| key.clone()).collect();
        let Some(key) = idle.get(nth % idle.len().max(1)).cloned() else { return };
        self.check_one(&key);
        let Some(actor) = self.actors.get_mut(&key) else { return };
        if let Some((version, state)) = actor.pipeline.checkpoint() {
            self.journal.checkpoint(&key, version, state);
        }
        if drop_it {
            self.coverage.note(Kind::Passivated);
            self.actors.remove(&key);
        }
    }

    /// Every confirmed state is the replay of its events.
    pub fn check_replay(&self) {
        self.actors.keys().for_each(|key| self.check_one(key));
    }

    fn check_one(&self, key: &EntityKey) {
        let Some(actor) = self.actors.get(key) else { return };
        let Some(etag) = actor.pipeline.loaded_etag() else { return };
        let mut history = self.history(key);
        history.truncate(usize::try_from(etag.version).unwrap_or(usize::MAX));
        assert_eq!(actor.pipeline.state(), actor::replayed(key.kind, &history), "the state of {key} is not the replay of its events");
    }

    /// Nothing is on its way.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        self.journal.queued() == 0 && self.tickets.is_empty() && self.actors.values().all(|actor| actor.pipeline.idle())
    }
}
