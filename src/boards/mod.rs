//! Boards: what staff see, made of committed events only. One task on the front runtime follows the feed, keeps a projection
//! of stations, gates and lists, and updates the channels of the hub; once a second it tells figures and looks after the
//! alarms. It decides nothing and asks machines for nothing but the alarms it keeps.
mod atlas;
pub mod audit;
mod device;
mod docket;
mod earlier;
mod follow;
mod gates;
mod keeper;
pub mod lists;
mod lives;
mod overview;
mod tapped;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

pub use atlas::Atlas;
pub use docket::Docket;
pub use follow::first_without;

use crate::console::Channel;
use crate::console::hub::{Handle, Hub};
use crate::exit::Failure;
use crate::lists::Lists;
use crate::node::{Opened, journal_failure};
use device::DeviceBoard;
use earlier::Earlier;
use follow::{Follower, feed, heads};
use gates::{GateNow, Gates};
use keeper::{Keeper, NodeFacts};
use lists::{Alarms, Approvals, Audit};
use lives::Lives;
use overview::{AllTimes, Overview};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tapped::Tapped;
use tokio::sync::{mpsc, oneshot};
use tongdao_actors::clock::Clock;
use tongdao_actors::door::Door;
use tongdao_actors::node::with_journal;
use tongdao_actors::request::Lane;
use tongdao_domain::account;
use tongdao_domain::alarm::Alarm;
use tongdao_domain::approval::Approval;
use tongdao_domain::deny::{self, DenyList};
use tongdao_domain::doubtful::{self, Doubtful};
use tongdao_domain::entity::{EntityKey, EntityKind};
use tongdao_domain::gate::{self, Gate};
use tongdao_domain::id::{CommandId, DeviceId, StationId};
use tongdao_domain::machine::{Command, Event, Machine};
use tongdao_domain::station;
use tongdao_domain::time::{Millis, Timestamp};
use tongdao_domain::world::World;
use tongdao_journal::contract::{FeedItem, Journal};
use tongdao_journal::pipeline::restore;
use tongdao_protocol::console::board::Link;
use tongdao_telemetry::decision_times;

/// Requests for a device's board that wait, at most.
const ASKS_MAX: usize = 256;
/// A second has so many parts. Each station is told its figures in one of them: what all stations tell at once lies before the
/// next tap on its way to every console.
const PARTS: usize = 20;
const PART: Duration = Duration::from_millis(1000 / PARTS as u64);
/// Device boards that nobody looks at are given up this often.
const TIDY_EVERY_S: usize = 60;

/// What boards are made with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// A gate without a link for this long is an alarm.
    pub offline_after: Millis,
    /// A gate's usual deadline, marked in the histogram.
    pub deadline_ms: u32,
    /// More doubtful records than this that nobody has decided are an alarm.
    pub doubtful_alarm_above: u64,
}

/// Somebody else who follows committed events; called on the boards' task.
pub trait Follow: Send + Sync + 'static {
    /// An event was committed.
    fn event(&mut self, feed: &FeedItem, event: &Event);
}

/// Says which devices have a link.
pub type Presence = Arc<dyn Fn(&DeviceId) -> bool + Send + Sync>;

/// Boards that are filled and follow, and are not shown yet.
pub struct Prepared {
    journal: Arc<dyn Journal>,
    follower: Follower,
    world: World,
    atlas: Atlas,
    clock: Clock,
    settings: Settings,
    gates: BTreeMap<DeviceId, GateNow>,
    alarms: Alarms,
    approvals: Approvals,
    lists: Lists,
    docket: Docket,
    heads: Vec<(u16, u64)>,
}

/// The running boards.
#[derive(Clone)]
pub struct Boards {
    asks: mpsc::Sender<(DeviceId, oneshot::Sender<bool>)>,
}

impl Boards {
    /// Opens the board of a device; false = no such device.
    pub async fn open_device(&self, device: &DeviceId) -> bool {
        let (answer, opened) = oneshot::channel();
        self.asks.send((device.clone(), answer)).await.is_ok() && opened.await.unwrap_or(false)
    }
}

/// Reads what there is and follows from there on, as the one who comes after the cells. Call it before the cells start:
/// nothing may be committed in between.
///
/// # Errors
/// The journal cannot be read.
pub fn prepare(opened: &Opened, place: usize, world: &World, atlas: Atlas, settings: Settings) -> Result<Prepared, Failure> {
    let (journal, clock) = (&opened.journal, opened.clock.clone());
    let world = with_journal(world.clone(), &**journal).map_err(|fault| Failure::caused(crate::exit::DATA, &fault))?;
    let (sink, mut follower) = feed(Arc::clone(journal));
    let read = |fault| journal_failure(&fault);
    journal.register(place, Arc::new(sink), EntityKind::ALL);
    let heads = heads(&**journal).map_err(read)?;
    follower.starts_at(heads.iter().copied());
    let mut gates: BTreeMap<DeviceId, GateNow> = world.gates.keys().map(|gate| (gate.clone(), GateNow::default())).collect();
    for (id, gate) in all::<Gate>(&**journal)? {
        let Ok(device) = DeviceId::new(&id) else { continue };
        let link = if gate.twin.is_some() { Link::Offline } else { Link::Unknown };
        gates.insert(device, GateNow { gate, link, last_tap_at: None });
    }
    let (mut alarms, mut approvals) = (Alarms::new(&world), Approvals::default());
    for (id, alarm) in all::<Alarm>(&**journal)? {
        alarms.load(&id, alarm);
    }
    for (id, approval) in all::<Approval>(&**journal)? {
        approvals.load(&id, approval);
    }
    let loaded = journal.load(&EntityKey::deny_list()).map_err(read)?;
    let list: DenyList = restore(&loaded).map_err(|fault| Failure::caused(crate::exit::DATA, &fault))?;
    let lists = Lists::new(&world, list, gates.iter().map(|(device, now)| (device, &now.gate)));
    let docket = Docket::default();
    for (id, doubtful) in all::<Doubtful>(&**journal)? {
        docket.load(&id, &doubtful);
    }
    let journal = Arc::clone(journal);
    Ok(Prepared { journal, follower, world, atlas, clock, settings, gates, alarms, approvals, lists, docket, heads })
}

/// Every entity of a kind, as the journal has it.
fn all<M: Machine>(journal: &dyn Journal) -> Result<Vec<(String, M)>, Failure> {
    let read = |fault| journal_failure(&fault);
    let keys = journal.entities(M::KIND).map_err(read)?;
    let one = |key: EntityKey| {
        let loaded = journal.load(&key).map_err(read)?;
        let state = restore(&loaded).map_err(|fault| Failure::caused(crate::exit::DATA, &fault))?;
        Ok((key.id.to_string(), state))
    };
    keys.into_iter().map(one).collect()
}

impl Prepared {
    /// The deny list, as gates fetch it.
    #[must_use]
    pub fn lists(&self) -> Lists {
        self.lists.clone()
    }

    /// The doubtful records; the same list goes on being kept.
    #[must_use]
    pub fn docket(&self) -> Docket {
        self.docket.clone()
    }

    /// Opens the channels and goes on following. Needs the front runtime.
    pub fn run(self, hub: &Hub, door: Door, presence: Presence, mut others: Vec<Box<dyn Follow>>) -> Boards {
        others.push(self.lists.following());
        self.lists.keep(door.clone(), Arc::clone(&presence));
        let now = self.clock.now();
        let (asks, asked) = mpsc::channel(ASKS_MAX);
        let deadline = self.settings.deadline_ms;
        let site_names: Vec<_> = self.world.sites.keys().cloned().map(Some).chain([None]).collect();
        let open = |site: Option<tongdao_domain::id::SiteId>| {
            let board = Overview::new(&self.world, &self.atlas, site.as_ref(), deadline, now);
            hub.open(Channel::Overview(site), board)
        };
        let overviews = site_names.into_iter().map(open).collect();
        let open = |id: &StationId| {
            (id.clone(), hub.open(Channel::Gates(id.clone()), Gates::new(&self.world, id, &self.gates, self.docket.open_at(id), now)))
        };
        let stations = self.world.stations.keys().map(open).collect();
        let (earlier, past) = mpsc::channel(4);
        earlier::read(Arc::clone(&self.journal), self.heads, self.world.sites.values().map(|site| site.calendar).collect(), now, earlier);
        let projector = Projector {
            hub: hub.clone(),
            door,
            presence,
            others,
            journal: self.journal,
            journal_full: Arc::default(),
            clock: self.clock,
            keeper: Keeper::new(self.settings.offline_after),
            times: AllTimes::default(),
            world: self.world,
            gates: self.gates,
            overviews,
            stations,
            docket: self.docket,
            doubtful_alarm_above: self.settings.doubtful_alarm_above,
            devices: BTreeMap::new(),
            lives: Lives::default(),
            alarms: hub.open(Channel::Alarms, self.alarms),
            approvals: hub.open(Channel::Approvals, self.approvals),
            audit: hub.open(Channel::Audit, Audit::default()),
            telling: Arc::new(tokio::sync::Semaphore::new(1)),
        };
        tokio::spawn(projector.run(self.follower, asked, past));
        Boards { asks }
    }
}

struct Projector {
    hub: Hub,
    door: Door,
    presence: Presence,
    others: Vec<Box<dyn Follow>>,
    journal: Arc<dyn Journal>,
    journal_full: Arc<AtomicBool>,
    clock: Clock,
    keeper: Keeper,
    times: AllTimes,
    world: World,
    gates: BTreeMap<DeviceId, GateNow>,
    overviews: Vec<Handle<Overview>>,
    stations: BTreeMap<StationId, Handle<Gates>>,
    docket: Docket,
    doubtful_alarm_above: u64,
    devices: BTreeMap<DeviceId, Handle<DeviceBoard>>,
    lives: Lives,
    alarms: Handle<Alarms>,
    approvals: Handle<Approvals>,
    audit: Handle<Audit>,
    /// One round of alarm commands at a time.
    telling: Arc<tokio::sync::Semaphore>,
}

impl Projector {
    async fn run(
        mut self,
        mut follower: Follower,
        mut asked: mpsc::Receiver<(DeviceId, oneshot::Sender<bool>)>,
        mut past: mpsc::Receiver<Earlier>,
    ) {
        // None is left out, however late: a row of a heat map is a second.
        let mut parts = tokio::time::interval(PART);
        let mut part = 0;
        loop {
            tokio::select! {
                heard = follower.heard() => {
                    let Some(heard) = heard else { return };
                    follower.events(heard).await.iter().for_each(|(item, event)| self.take(item, event));
                }
                _ = parts.tick() => {
                    self.beat_stations(part % PARTS);
                    if part.is_multiple_of(PARTS) {
                        self.beat(part / PARTS);
                    }
                    part += 1;
                }
                Some((device, answer)) = asked.recv() => {
                    let _ = answer.send(self.open_device(&device));
                }
                Some(earlier) = past.recv() => self.take_earlier(earlier),
            }
        }
    }

    /// A committed event.
    fn take(&mut self, feed: &FeedItem, event: &Event) {
        self.world.advance(&feed.entity, event, feed.at);
        match event {
            Event::Account(event) => self.account(feed, event),
            Event::Gate(of_gate) => self.gate(feed, of_gate, event),
            Event::Station(event) => self.station(feed, event),
            Event::Device(_) => self.registry(feed, event),
            Event::Alarm(alarm) => self.alarms.update(|board, out| board.take(feed, alarm, out)),
            Event::Approval(approval) => self.approvals.update(|board, out| board.take(feed, approval, out)),
            Event::Deny(deny::Event::VersionMade { .. }) => {
                self.stations.values().for_each(|board| board.update(|board, out| board.list_made(&self.world, feed, out)));
            }
            Event::Doubtful(doubtful) => self.doubtful(feed, doubtful),
            Event::Medium(_) | Event::Audit(_) | Event::User(_) | Event::Deny(_) => {}
        }
        if let Some(tap) = Tapped::of(event) {
            self.tapped(feed, &tap);
        } else {
            self.audit.update(|board, out| board.take(feed, event, out));
        }
        self.others.iter_mut().for_each(|other| other.event(feed, event));
    }

    fn tapped(&mut self, feed: &FeedItem, tap: &Tapped<'_>) {
        for overview in &self.overviews {
            overview.update(|board, _| board.tapped(tap));
        }
        if let Some(gate) = self.gates.get_mut(tap.device) {
            gate.last_tap_at = Some(feed.at);
        }
        if let Some(board) = tap.station.and_then(|station| self.stations.get(station)) {
            board.update(|board, out| board.tapped(tap, feed.at, &feed.command_id, out));
        }
        if let Some(board) = self.devices.get(tap.device) {
            board.update(|board, out| board.tapped(tap, feed.at, out));
        }
    }

    fn account(&mut self, feed: &FeedItem, event: &account::Event) {
        if event.change().is_some_and(|change| !change.postings.is_empty()) {
            self.overviews.iter().for_each(|overview| overview.update(|board, _| board.posted(event, feed.at)));
        }
    }

    fn doubtful(&self, feed: &FeedItem, event: &doubtful::Event) {
        let Some((station, open)) = self.docket.take(feed, event) else { return };
        if let Some(board) = self.stations.get(&station) {
            board.update(|board, out| board.doubtful(open, feed.at, &feed.command_id, out));
        }
    }

    fn gate(&mut self, feed: &FeedItem, event: &gate::Event, whole: &Event) {
        let Ok(device) = DeviceId::new(&feed.entity.id) else { return };
        let now = self.gates.entry(device.clone()).or_default();
        self.lives.take(&device, whole, feed.at, now.gate.twin.as_ref());
        now.gate.apply(event, feed.at);
        if let gate::Event::StateReported(twin) = event {
            now.link = if twin.online { Link::Online } else { Link::Offline };
        }
        self.gate_changed(&device, feed.at, Some(&feed.command_id));
        if let (Some(board), Some(now)) = (self.devices.get(&device), self.gates.get(&device)) {
            board.update(|board, out| board.take(&self.world, feed, whole, now, out));
        }
    }

    fn gate_changed(&self, device: &DeviceId, at: Timestamp, cause: Option<&CommandId>) {
        let Some(now) = self.gates.get(device) else { return };
        if let Some(board) = self.world.gates.get(device).and_then(|gate| self.stations.get(&gate.station)) {
            board.update(|board, out| board.gate(&self.world, device, now, at, cause, out));
        }
    }

    fn station(&mut self, feed: &FeedItem, event: &station::Event) {
        let Ok(id) = StationId::new(&feed.entity.id) else { return };
        let (rev, by) = match event {
            station::Event::ModesSet { rev, by, .. } => (*rev, by.as_ref().map(|by| by.user.as_str().to_owned())),
            station::Event::ServiceSet { rev, by, .. } => (*rev, Some(by.user.as_str().to_owned())),
            station::Event::Alarmed { device, .. } => return self.device_event(device, feed, &Event::Station(event.clone())),
        };
        if let Some(board) = self.stations.get(&id) {
            board.update(|board, out| board.modes_set(&self.world, feed.at, rev, &feed.command_id, out));
        }
        let Some(view) = self.world.stations.get(&id) else { return };
        let modes: Vec<_> = view.state.modes.iter().map(|mode| (*mode).into()).collect();
        for overview in &self.overviews {
            overview.update(|board, out| board.modes(&id, modes.clone(), by.clone(), feed.at, rev, out));
        }
        for device in &view.gates {
            if let (Some(board), Some(now)) = (self.devices.get(device), self.gates.get(device)) {
                board.update(|board, out| board.refresh(&self.world, now, feed.at, Some(&feed.command_id), out));
            }
        }
    }

    fn registry(&mut self, feed: &FeedItem, event: &Event) {
        if let Ok(device) = DeviceId::new(&feed.entity.id) {
            self.device_event(&device, feed, event);
        }
    }

    fn device_event(&mut self, device: &DeviceId, feed: &FeedItem, event: &Event) {
        self.lives.take(device, event, feed.at, None);
        let none = GateNow::default();
        if let Some(board) = self.devices.get(device) {
            let now = self.gates.get(device).unwrap_or(&none);
            board.update(|board, out| board.take(&self.world, feed, event, now, out));
        }
    }

    /// A second has passed for every station of this part.
    fn beat_stations(&self, part: usize) {
        let now = self.clock.now();
        for board in self.stations.values().skip(part).step_by(PARTS) {
            board.update(|board, out| board.beat(now, out));
        }
    }

    /// A second has passed.
    fn beat(&mut self, beats: usize) {
        let now = self.clock.now();
        self.look_at_links(now);
        self.look_at_journal();
        let recents = self.times.beat(decision_times());
        let mut online: BTreeMap<StationId, u32> = BTreeMap::new();
        for (device, gate) in &self.gates {
            if let (Link::Online, Some(view)) = (gate.link, self.world.gates.get(device)) {
                *online.entry(view.station.clone()).or_default() += 1;
            }
        }
        let station = |name: Option<&str>| name.and_then(|name| StationId::new(name).ok());
        let alarms: Vec<_> = self.alarms.update(|board, _| board.open().map(|(name, acked)| (station(name), acked)).collect());
        for overview in &self.overviews {
            overview.update(|board, out| board.beat(now, &recents, &online, &alarms, out));
        }
        self.keep_alarms(now);
        if beats.is_multiple_of(TIDY_EVERY_S) {
            let (gone, kept) = std::mem::take(&mut self.devices).into_iter().partition(|(_, board)| !board.update(|_, out| out.is_heard()));
            self.devices = kept;
            let gone: BTreeMap<_, Handle<DeviceBoard>> = gone;
            gone.keys().for_each(|device| self.hub.close(&Channel::Device(device.clone())));
        }
    }

    /// Whether the journal can be written to is asked on a thread that may wait: its figures wait for its locks, and those at
    /// times for its disk. What was heard counts from the next beat on.
    fn look_at_journal(&self) {
        let (journal, full) = (Arc::clone(&self.journal), Arc::clone(&self.journal_full));
        tokio::task::spawn_blocking(move || full.store(!journal.status().writable, Ordering::Relaxed));
    }

    /// A gate whose process died with its node never said good-bye: its link is what the gateway sees.
    fn look_at_links(&mut self, now: Timestamp) {
        let seen = |device: &DeviceId, gate: &GateNow| match (&gate.gate.twin, (self.presence)(device)) {
            (None, _) => Link::Unknown,
            (Some(twin), true) if twin.online => Link::Online,
            _ => Link::Offline,
        };
        let changed: Vec<_> = self.gates.iter().map(|(device, gate)| (device.clone(), gate.link, seen(device, gate))).collect();
        for (device, before, link) in changed {
            if before == link {
                continue;
            }
            if let Some(gate) = self.gates.get_mut(&device) {
                gate.link = link;
            }
            self.gate_changed(&device, now, None);
            if let (Some(board), Some(gate)) = (self.devices.get(&device), self.gates.get(&device)) {
                board.update(|board, out| board.refresh(&self.world, gate, now, None, out));
            }
        }
    }

    fn keep_alarms(&mut self, now: Timestamp) {
        let Ok(turn) = Arc::clone(&self.telling).try_acquire_owned() else { return };
        let journal_full = self.journal_full.load(Ordering::Relaxed);
        let facts = NodeFacts { journal_full, doubtful_many: self.docket.open() > self.doubtful_alarm_above };
        let (keeper, world, gates) = (&mut self.keeper, &self.world, &self.gates);
        let wanted = self.alarms.update(|board, _| keeper.wanted(world, gates, facts, board.all(), now));
        if wanted.is_empty() {
            return;
        }
        let door = self.door.clone();
        tokio::spawn(async move {
            for (entity, command) in wanted {
                let id = CommandId::of(format_args!("keeper/{:032x}", rand::random::<u128>()));
                if let Err(busy) = door.ask(entity.clone(), id, Command::Alarm(command), Lane::Rest).await {
                    tracing::debug!(%entity, %busy, "an alarm waits for the next round");
                }
            }
            drop(turn);
        });
    }

    fn open_device(&mut self, device: &DeviceId) -> bool {
        if self.devices.contains_key(device) {
            return true;
        }
        if !self.world.devices.contains_key(device) {
            return false;
        }
        let now = self.gates.get(device).cloned().unwrap_or_default();
        let board = DeviceBoard::new(&self.world, device, now, self.lives.of(device));
        self.devices.insert(device.clone(), self.hub.open(Channel::Device(device.clone()), board));
        true
    }

    fn take_earlier(&mut self, earlier: Earlier) {
        match earlier {
            Earlier::Events(events) => {
                for (at, event) in &events {
                    self.overviews.iter().for_each(|overview| overview.update(|board, _| board.add_earlier(event, *at)));
                }
            }
            Earlier::Audit(items) => self.audit.update(|board, _| board.load(items)),
            Earlier::Lives(lives) => {
                self.lives.merge(lives);
                self.devices.iter().for_each(|(device, board)| board.update(|board, _| board.load(self.lives.of(device))));
            }
        }
    }
}
