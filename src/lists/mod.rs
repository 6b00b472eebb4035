//! The deny list on the front runtime: follows it, serves it whole to gates that fetch it (`serve`), knows which gates have it
//! (`rollout`) and has it noted in the journal when the last of them does. It decides nothing and keeps nothing of its own:
//! after a restart all of it is read from the journal again.
mod rollout;
mod serve;

use crate::boards::{Follow, Presence};
use rollout::Rollout;
use serve::Body;
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tongdao_actors::door::Door;
use tongdao_actors::request::Lane;
use tongdao_domain::deny::{self, Command, DenyList, Reached};
use tongdao_domain::device::{self, Device, Entry};
use tongdao_domain::entity::EntityKey;
use tongdao_domain::gate::{self, Gate};
use tongdao_domain::id::{CommandId, DeviceId};
use tongdao_domain::machine::{Event, Machine as _};
use tongdao_domain::world::World;
use tongdao_journal::contract::FeedItem;
use tongdao_telemetry::{ListBehind, ListMade, ListReached};

/// How often it is looked whether the last gate has the newest version; the time that counts is that of its commit.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// See the module; clones are the same.
#[derive(Clone)]
pub struct Lists(Arc<Mutex<State>>);

struct State {
    list: DenyList,
    rollout: Rollout,
    devices: HashMap<DeviceId, Entry>,
    /// Gates that stand in a station.
    gates: BTreeSet<DeviceId>,
    /// Whole lists that were asked for, newest last.
    bodies: VecDeque<Body>,
}

impl Lists {
    /// As the journal has it; nothing may be committed before it follows.
    pub fn new<'a>(world: &World, list: DenyList, gates: impl IntoIterator<Item = (&'a DeviceId, &'a Gate)>) -> Self {
        let let_in = |device: &DeviceId| world.devices.get(device).is_some_and(|entry| !entry.revoked);
        let standing: BTreeSet<DeviceId> = world.gates.keys().cloned().collect();
        let acks = gates.into_iter().filter(|(device, _)| standing.contains(*device) && let_in(device));
        let rollout = Rollout::new(acks.map(|(device, gate)| (device.clone(), gate.list)), list.newest.as_ref(), &list.reached);
        let state = State { list, rollout, devices: world.devices.clone(), gates: standing, bodies: VecDeque::new() };
        Self(Arc::new(Mutex::new(state)))
    }
    /// For those who tell committed events.
    pub fn following(&self) -> Box<dyn Follow> {
        Box::new(Following(self.clone()))
    }
    /// Looks every second whether the last gate has the newest version, and has that noted.
    pub fn keep(&self, door: Door, is_connected: Presence) {
        let lists = self.clone();
        tokio::spawn(async move {
            let mut every = tokio::time::interval(LOOK_EVERY);
            loop {
                every.tick().await;
                lists.look(&door, &is_connected).await;
            }
        });
    }
    async fn look(&self, door: &Door, is_connected: &Presence) {
        let reached = {
            let state = self.state();
            ListBehind { gates: state.rollout.behind() }.emit();
            state.rollout.reached(|gate| is_connected(gate))
        };
        for reached in reached {
            let id = CommandId::of(format_args!("deny/reached/{}/{}", reached.scope.name(), reached.version));
            if let Err(busy) = door.ask(EntityKey::deny_list(), id, Command::Reached(reached), Lane::Rest).await {
                tracing::debug!(%busy, "who has the deny list is noted with the next look");
            }
        }
    }
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Following(Lists);

impl Follow for Following {
    fn event(&mut self, feed: &FeedItem, event: &Event) {
        match event {
            Event::Deny(event) => self.0.state().listed(feed, event),
            Event::Device(event) => self.0.state().registered(feed, event),
            Event::Gate(gate::Event::StateReported(twin)) => {
                // A will was written when the connection began: it says nothing of now.
                if let (true, Some(version), Ok(device)) = (twin.online, twin.list(), DeviceId::new(&feed.entity.id)) {
                    self.0.state().rollout.says(&device, version, feed.at);
                }
            }
            _ => {}
        }
    }
}

impl State {
    fn listed(&mut self, feed: &FeedItem, event: &deny::Event) {
        self.list.apply(event, feed.at);
        match event {
            deny::Event::VersionMade { delta, count, since, .. } => {
                self.rollout.made(delta.to, *since);
                ListMade { version: delta.to, tokens: *count, add: delta.add.len(), remove: delta.remove.len() }.emit();
            }
            deny::Event::Reached(reached) => {
                self.rollout.noted(reached);
                let Reached { version, scope, gates, took, .. } = reached;
                let took = Duration::from_millis(u64::try_from(took.0).unwrap_or(0));
                ListReached { version: *version, scope: scope.name(), gates: *gates, took }.emit();
            }
            _ => {}
        }
    }
    fn registered(&mut self, feed: &FeedItem, event: &device::Event) {
        let Ok(id) = DeviceId::new(&feed.entity.id) else { return };
        let mut device = Device { entry: self.devices.remove(&id) };
        device.apply(event, feed.at);
        if self.gates.contains(&id) && !matches!(event, device::Event::Rotated { .. }) {
            self.rollout.registered(&id, device.entry.as_ref().is_some_and(|entry| !entry.revoked));
        }
        self.devices.extend(device.entry.map(|entry| (id, entry)));
    }
}
