//! The connections of one cell: their mailboxes, their shared buffers, and what their links want done beyond the cell's
//! own door. It lives on the cell's thread and follows the cell's feed for them.
use crate::admit::Identity;
use crate::facts::Facts;
use crate::fault::Fault;
use crate::gateway::Shared;
use crate::link::{Act, Common, source_of};
use crate::packet::Version;
use crate::presence::Bell;
use std::cell::{OnceCell, RefCell};
use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tongdao_actors::cell::{Cell, Slot};
use tongdao_actors::request::{Busy, Request};
use tongdao_domain::code::Code;
use tongdao_domain::deny;
use tongdao_domain::device;
use tongdao_domain::gate::DeviceOrder;
use tongdao_domain::id::DeviceId;
use tongdao_domain::machine::{Event, Owed, OwedWhat, RefusalCode, Reply};
use tongdao_domain::station;
use tongdao_domain::time::Timestamp;
use tongdao_journal::contract::FeedItem;
use tongdao_telemetry::{
    AuditFault, ConnectRefused, DeadLetter, DecisionTimes, LinkClosed, LinkMeter, LinkOpened, PassageReported, Subscribed, TapMeter,
    UnknownField, decision_times_of,
};

/// Size of the cell's read buffer.
const INPUT_BYTES: usize = 16 * 1024;
/// Bytes of a new deny list that are written in one round, about.
const LIST_BYTES_AT_ONCE: usize = 256 * 1024;
/// A will that could not be taken is offered again after this long.
const WILL_AGAIN: Duration = Duration::from_millis(200);
/// … and at most so often.
const WILL_TRIES: usize = 50;

/// What a connection is told from elsewhere.
pub(crate) enum Note {
    /// The answer to a command.
    Answer(u64, Reply),
    /// The station's mode or the gate's service has changed.
    Mode,
    /// There is a new version of the deny list.
    List,
    /// An order is owed.
    Order(Box<DeviceOrder>),
    /// The registration is gone, or has another secret.
    Revoked,
    /// Take nothing more, and go when all is answered.
    Drain,
    /// Go now.
    Cut,
}

/// Where a connection is told.
pub(crate) struct Mailbox {
    /// Number of the connection.
    pub(crate) connection: u64,
    pub(crate) peer: IpAddr,
    /// Who was let in on it and has not left.
    device: RefCell<Option<DeviceId>>,
    /// Where its site's answers are timed; known once somebody is let in.
    times: OnceCell<Arc<DecisionTimes>>,
    pub(crate) bell: Arc<Bell>,
    /// Owns no memory while it is empty, which is nearly always.
    notes: RefCell<Vec<Note>>,
}

impl Mailbox {
    fn push(&self, note: Note) {
        let mut notes = self.notes.borrow_mut();
        if notes.capacity() == 0 {
            notes.reserve_exact(1);
        }
        notes.push(note);
        self.bell.ring();
    }
    pub(crate) fn take(&self) -> Vec<Note> {
        self.notes.take()
    }
}

/// Used by one turn at a time.
#[derive(Default)]
pub(crate) struct Buffers {
    pub(crate) input: Vec<u8>,
    pub(crate) out: Vec<u8>,
    pub(crate) acts: Vec<Act>,
    /// Acts that are being done.
    pub(crate) doing: Vec<Act>,
    pub(crate) body: Vec<u8>,
    pub(crate) topic: String,
    /// Packets that were read in this turn.
    pub(crate) packets: u64,
    /// When the turn began, by [`CellLinks::elapsed`].
    pub(crate) read: Duration,
}

/// The connections of a cell.
pub(crate) struct CellLinks {
    pub(crate) cell: Cell,
    pub(crate) common: Rc<Common>,
    pub(crate) shared: Arc<Shared>,
    pub(crate) buffers: RefCell<Buffers>,
    all: RefCell<HashMap<u64, Rc<Mailbox>>>,
    devices: RefCell<HashMap<DeviceId, Rc<Mailbox>>>,
    connecting: RefCell<HashMap<IpAddr, u32>>,
    /// For commands whose answer nobody waits for.
    nobody: Slot,
    started: Instant,
    taps: TapMeter,
    pub(crate) meter: LinkMeter,
    /// Only on cell 0.
    facts: Option<RefCell<Facts>>,
}

impl CellLinks {
    #[expect(clippy::disallowed_methods, reason = "how long taps take is measured, never decided by")]
    pub(crate) fn new(cell: Cell, shared: Arc<Shared>) -> Rc<Self> {
        let common = Rc::new(Common { config: shared.config.clone(), admission: shared.admission.clone(), lists: RefCell::default() });
        let facts = (cell.index() == 0).then(RefCell::default);
        let nobody = cell.register_slot(Rc::new(|_, _| {}));
        let codes: Vec<&'static str> = Code::ALL.iter().map(|code| code.name()).collect();
        let links = Rc::new(Self {
            cell,
            common,
            shared,
            buffers: RefCell::new(Buffers { input: vec![0; INPUT_BYTES], ..Buffers::default() }),
            all: RefCell::default(),
            devices: RefCell::default(),
            connecting: RefCell::default(),
            nobody,
            started: Instant::now(),
            taps: TapMeter::new(&codes),
            meter: LinkMeter::new(),
            facts,
        });
        let (feed, owed) = (Rc::downgrade(&links), Rc::downgrade(&links));
        links.cell.follow(Rc::new(move |item, event| {
            if let Some(links) = feed.upgrade() {
                links.followed(item, event);
                if let Event::Deny(deny::Event::VersionMade { .. }) = event {
                    drop(tokio::task::spawn_local(links.tell_list()));
                }
            }
        }));
        links.cell.follow_owed(Rc::new(move |device, owed_to_it| {
            if let Some(links) = owed.upgrade() {
                links.owed(device, owed_to_it);
            }
        }));
        links
    }
    /// Monotonic time, finer than the process clock.
    pub(crate) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// A connection was accepted; `None` = one too many.
    pub(crate) fn accepted(&self, peer: IpAddr) -> Option<Rc<Mailbox>> {
        let before = self.shared.connections.fetch_add(1, Ordering::AcqRel);
        let from_there = self.connecting.borrow().get(&peer).copied().unwrap_or(0);
        if before >= self.common.config.connections_max || from_there >= self.common.config.connecting_per_address_max {
            self.shared.left();
            self.refused(peer, Fault::Connections);
            return None;
        }
        self.connecting.borrow_mut().insert(peer, from_there + 1);
        let (connection, device) = (self.shared.number(), RefCell::default());
        let mailbox = Mailbox { connection, peer, device, times: OnceCell::new(), bell: Arc::default(), notes: RefCell::default() };
        let mailbox = Rc::new(mailbox);
        self.all.borrow_mut().insert(connection, mailbox.clone());
        Some(mailbox)
    }
    /// A connection has failed before its link began.
    pub(crate) fn refused(&self, peer: IpAddr, fault: Fault) {
        self.shared.refused(peer, fault, self.cell.now());
    }
    /// Where the answers to a connection's commands go.
    pub(crate) fn slot(&self, mailbox: &Rc<Mailbox>) -> Slot {
        let mailbox = mailbox.clone();
        self.cell.register_slot(Rc::new(move |cookie, reply| mailbox.push(Note::Answer(cookie, reply))))
    }
    /// The link is over: the device is no longer here, though the socket may linger.
    pub(crate) fn closing(&self, mailbox: &Mailbox, reason: &'static str) {
        let Some(device) = mailbox.device.borrow_mut().take() else {
            ConnectRefused { peer: &source_of(mailbox.peer), reason }.emit();
            return self.no_longer_connecting(mailbox.peer);
        };
        LinkClosed { device: device.as_str(), reason }.emit();
        self.shared.presence.release(&device, mailbox.connection);
        let mut devices = self.devices.borrow_mut();
        if devices.get(&device).is_some_and(|newest| newest.connection == mailbox.connection) {
            devices.remove(&device);
        }
    }
    fn no_longer_connecting(&self, peer: IpAddr) {
        let mut connecting = self.connecting.borrow_mut();
        match connecting.get_mut(&peer) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(connecting.remove(&peer)),
        }
    }
    /// The connection's task is over.
    pub(crate) fn gone(&self, mailbox: &Mailbox) {
        self.all.borrow_mut().remove(&mailbox.connection);
        self.shared.left();
    }
    /// Tells every connection of the cell.
    pub(crate) fn tell_all(&self, note: impl Fn() -> Note) {
        self.all.borrow().values().for_each(|mailbox| mailbox.push(note()));
    }

    /// Does what a link wants done, beyond submitting and closing.
    pub(crate) fn act(self: &Rc<Self>, act: Act, mailbox: &Rc<Mailbox>, now: Timestamp) {
        match act {
            Act::Tell(request) => drop(self.cell.submit(request, self.nobody.reply(0))),
            Act::Will(request) => drop(tokio::task::spawn_local(self.clone().offer(request))),
            Act::Opened { who, version } => self.opened(&who, version, mailbox),
            Act::FetchOwed => drop(tokio::task::spawn_local(self.clone().fetch_owed(mailbox.clone()))),
            Act::Fault { source, fault } => self.count(&source, fault),
            Act::DeadLetter(letter) => {
                let first = self.shared.letters.push(letter.clone());
                let crate::dead_letter::DeadLetter { topic, code, reason, length, sha256, .. } = &letter;
                DeadLetter { topic, code, reason, length: *length, hash: sha256, first }.emit();
            }
            Act::UnknownFields { message, count } => UnknownField { message, count: count as u64 }.emit(),
            Act::Subscribed { granted } => self.subscribed(mailbox, granted),
            Act::Passed { outcome } => PassageReported { outcome }.emit(),
            Act::TapAnswered { code, took } => self.taps.answered(code, took, mailbox.times.get().map(|times| &**times)),
            Act::Submit { .. } | Act::Close { .. } => debug_assert!(false, "done by the connection itself at {now:?}"),
        }
    }
    fn opened(&self, who: &Identity, version: Version, mailbox: &Rc<Mailbox>) {
        self.no_longer_connecting(mailbox.peer);
        let takeover = self.shared.presence.claim(&who.device, who.kind, mailbox.connection, mailbox.bell.clone());
        *mailbox.device.borrow_mut() = Some(who.device.clone());
        let _ = mailbox.times.set(decision_times_of(who.site.as_str()));
        self.devices.borrow_mut().insert(who.device.clone(), mailbox.clone());
        LinkOpened { device: who.device.as_str(), version: version.name(), takeover }.emit();
    }
    fn count(&self, source: &str, fault: Fault) {
        let first = self.shared.faults.count(source, fault, self.cell.now());
        AuditFault { source, code: fault.code(), first }.emit();
    }
    /// Offers a will until it is taken.
    async fn offer(self: Rc<Self>, request: Request) {
        for _ in 0..WILL_TRIES {
            match self.cell.door().send(request.clone()).await {
                Err(Busy::Full | Busy::TooOld) => {}
                Ok(Reply::Refused(refusal)) if refusal.code == RefusalCode::Busy => {}
                _ => return,
            }
            tokio::time::sleep(WILL_AGAIN).await;
        }
    }
    async fn fetch_owed(self: Rc<Self>, mailbox: Rc<Mailbox>) {
        let device = mailbox.device.borrow().clone();
        let Some(device) = device else { return };
        // A gate that cannot be asked now sends again by its own deadline.
        for owed in self.cell.device_owed(&device).await.unwrap_or_default() {
            self.owed(&device, &owed);
        }
    }

    fn owed(&self, device: &DeviceId, owed: &Owed) {
        if let (OwedWhat::DeviceCommand(order), Some(mailbox)) = (&owed.what, self.devices.borrow().get(device)) {
            mailbox.push(Note::Order(Box::new(order.clone())));
        }
    }
    fn subscribed(&self, mailbox: &Mailbox, granted: bool) {
        if let Some(device) = &*mailbox.device.borrow() {
            Subscribed { device: device.as_str(), granted }.emit();
        }
    }
    /// The connected gates that a change of a station concerns.
    fn concerned(&self, item: &FeedItem, event: &Event) -> HashSet<DeviceId> {
        let world = self.cell.world();
        let all = world.stations.get(item.entity.id.as_str()).map(|station| station.gates.as_slice());
        let gates = if let Event::Station(station::Event::ServiceSet { devices, .. }) = event { devices } else { all.unwrap_or_default() };
        gates.iter().filter(|gate| self.shared.presence.is_connected(gate)).cloned().collect()
    }
    fn followed(&self, item: &FeedItem, event: &Event) {
        if let Some(facts) = &self.facts {
            facts.borrow_mut().tell(&item.entity, event, item.at, || self.concerned(item, event));
        }
        match event {
            Event::Station(station::Event::ModesSet { .. }) => {
                let world = self.cell.world();
                let gates = world.stations.get(item.entity.id.as_str()).map(|station| station.gates.as_slice());
                self.tell(gates.unwrap_or_default(), || Note::Mode);
            }
            Event::Station(station::Event::ServiceSet { devices, .. }) => self.tell(devices, || Note::Mode),
            Event::Device(device::Event::Rotated { .. } | device::Event::Revoked { .. }) => {
                if let Ok(device) = DeviceId::new(&item.entity.id) {
                    self.tell(&[device], || Note::Revoked);
                }
            }
            _ => {}
        }
    }
    /// Tells every connection of a new version of the deny list, some at a time: their writes stand in the way of taps.
    async fn tell_list(self: Rc<Self>) {
        let config = &self.common.config;
        let bytes = self.common.lists.borrow_mut().newest(&self.cell.world(), config).len();
        let at_once = (LIST_BYTES_AT_ONCE / bytes.max(1)).clamp(1, config.list_links_at_once);
        let connections: Vec<u64> = self.all.borrow().keys().copied().collect();
        for some in connections.chunks(at_once) {
            let here: Vec<_> = some.iter().filter_map(|connection| self.all.borrow().get(connection).cloned()).collect();
            here.iter().for_each(|mailbox| mailbox.push(Note::List));
            tokio::time::sleep(Duration::from_millis(config.list_pause_ms)).await;
        }
    }
    fn tell(&self, devices: &[DeviceId], note: impl Fn() -> Note) {
        let here = self.devices.borrow();
        devices.iter().filter_map(|device| here.get(device)).for_each(|mailbox| mailbox.push(note()));
    }
}
