//! The shell driven through its own doors: real cells on real threads, a manual clock, the journal in memory. Nothing
//! sleeps; what must be waited for is asked for until it is there.
mod faults;
mod flow;
mod overload;
mod sleep;

use std::collections::HashSet;
use std::rc::Rc;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tongdao_domain::code::Code;
use tongdao_domain::entity::EntityKey;
use tongdao_domain::gate::{self, Twin};
use tongdao_domain::id::{CommandId, DeviceId, Token};
use tongdao_domain::machine::{Command, Reply};
use tongdao_domain::medium;
use tongdao_domain::station;
use tongdao_domain::tap::{Direction, Passage, Tap};
use tongdao_domain::testing::{MORNING, by, gate_of, id, link, rider, tap};
use tongdao_domain::time::Millis;
use tongdao_domain::world::World;
use tongdao_journal::contract::{FeedItem, Journal};
use tongdao_journal::memory::Memory;

use crate::cell::{Cell, CellHook, Slot};
use crate::clock::Clock;
use crate::door::Door;
use crate::limits::Limits;
use crate::node::{Node, NodeConfig};
use crate::observe::{ActorView, CellFigures};
use crate::request::{Busy, Lane, Request};

static TRAPS: LazyLock<Mutex<HashSet<String>>> = LazyLock::new(Mutex::default);

/// Does a test want a panic here? The name is a command id, or an entity that is being read.
pub(crate) fn trapped(name: &str) -> bool {
    TRAPS.lock().unwrap_or_else(PoisonError::into_inner).contains(name)
}
fn trap(name: &str) {
    TRAPS.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned());
}
fn untrap(name: &str) {
    TRAPS.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
}

type OnCell = Box<dyn FnOnce(&Cell) + Send>;

/// Runs what a test wants on the cells' threads.
#[derive(Default)]
struct Lab(Mutex<Vec<(usize, mpsc::UnboundedSender<OnCell>)>>);

impl CellHook for Lab {
    fn on_cell(&self, cell: Cell) {
        let (sender, mut wishes) = mpsc::unbounded_channel::<OnCell>();
        self.0.lock().expect("a lab").push((cell.index(), sender));
        tokio::task::spawn_local(async move {
            while let Some(wish) = wishes.recv().await {
                wish(&cell);
            }
        });
    }
}

/// A node with its surroundings.
struct Rig {
    node: Node,
    journal: Arc<Memory>,
    clock: Clock,
    lab: Arc<Lab>,
}

struct Plan {
    cells: usize,
    limits: Limits,
    journal: Arc<Memory>,
}

impl Default for Plan {
    fn default() -> Self {
        Self { cells: 1, limits: Limits::default(), journal: Arc::new(Memory::automatic(8)) }
    }
}

impl Rig {
    async fn new(plan: Plan) -> Self {
        let (clock, lab) = (Clock::manual(MORNING), Arc::new(Lab::default()));
        let journal: Arc<dyn Journal> = plan.journal.clone();
        let (world, hook) = (World::for_tests_flat(), lab.clone());
        let config = NodeConfig { cells: plan.cells, journal, world, clock: clock.clone(), limits: plan.limits, hook };
        let rig = Self { node: Node::start(config).expect("a node"), journal: plan.journal, clock, lab };
        until(|| rig.lab.0.lock().expect("a lab").len() == plan.cells).await;
        rig
    }
    fn door(&self) -> Door {
        self.node.door()
    }
    /// Does something on a cell's thread and waits for what comes of it.
    async fn on<T: Send + 'static>(&self, cell: usize, wish: impl FnOnce(&Cell) -> T + Send + 'static) -> T {
        let (done, result) = oneshot::channel();
        let sender = self.lab.0.lock().expect("a lab").iter().find(|(index, _)| *index == cell).expect("a cell").1.clone();
        let wish: OnCell = Box::new(move |cell| drop(done.send(wish(cell))));
        assert!(sender.send(wish).is_ok(), "the cell runs");
        result.await.expect("the cell runs")
    }
    async fn ask(&self, entity: EntityKey, command_id: &str, command: impl Into<Command>) -> Result<Reply, Busy> {
        let command = command.into();
        self.door().ask(entity, command_id.parse_id(), command.clone(), Lane::of(&command)).await
    }
    /// A gate that has said what it is, and an account that holds a card.
    async fn commission(&self, device: &DeviceId, account: &str, token: &str) {
        assert_eq!(self.ask(EntityKey::gate(device), &format!("state/{device}/1/1"), state()).await, Ok(Reply::Done));
        // Its boot is known: what costs a commit from here on are the taps.
        let boot = gate::Command::Passage {
            tap: tap(device, 1, 0, Direction::Entry, token, MORNING).id,
            reference: None,
            outcome: Passage::Intrusion,
            at: self.clock.now(),
        };
        assert_eq!(self.ask(EntityKey::gate(device), &format!("passage/{device}/1/0"), boot).await, Ok(Reply::Done));
        for (entity, command_id, command) in rider(account, token) {
            assert_eq!(self.ask(entity, command_id.as_str(), command).await, Ok(Reply::Done));
        }
    }
    async fn link(&self, account: &str, token: &str) {
        let (account, command_id, link) = link(account, token);
        assert_eq!(self.ask(account, command_id.as_str(), link).await, Ok(Reply::Done));
    }
    async fn tap(&self, tap: &Tap) -> Code {
        let command = gate::Command::Tap { tap: tap.clone(), received: self.clock.now() };
        code(self.ask(EntityKey::gate(&tap.id.device), tap.id.tap_command().as_str(), command).await)
    }
    /// An entry at the clock's time.
    fn entry(&self, device: &DeviceId, seq: u64, token: &str) -> Tap {
        tap(device, 1, seq, Direction::Entry, token, self.clock.now())
    }
    fn figures(&self) -> CellFigures {
        let mut sum = CellFigures::default();
        for figures in self.door().figures() {
            sum.unanswered += figures.unanswered;
            sum.taps_queued += figures.taps_queued;
            sum.committing += figures.committing;
            sum.actors += figures.actors;
            sum.busy += figures.busy;
            sum.replies_dropped += figures.replies_dropped;
            sum.panics += figures.panics;
            sum.passivated += figures.passivated;
            sum.loads += figures.loads;
        }
        sum
    }
    async fn actor(&self, entity: &EntityKey) -> Option<ActorView> {
        let observed = self.node.observe(1000).await;
        observed.actors.into_iter().find(|view| (view.kind, &view.id) == (entity.kind, &entity.id))
    }
    /// Waits until no actor has anything in flight.
    async fn calm(&self) {
        while self.node.observe(1000).await.actors.iter().any(|actor| actor.in_flight > 0) {
            tokio::task::yield_now().await;
        }
    }
    /// Every committed event, partition by partition.
    fn feed(&self) -> Vec<FeedItem> {
        (0..self.journal.partitions()).flat_map(|partition| self.journal.feed(partition, 1, 10_000).expect("a feed")).collect()
    }
    fn queued(&self) -> usize {
        self.journal.status().queued
    }
    /// Commits whatever is queued until this future is done.
    async fn flushing<T>(&self, mut wanted: impl Future<Output = T> + Unpin) -> T {
        loop {
            tokio::select! {
                biased;
                done = &mut wanted => return done,
                () = tokio::task::yield_now() => {
                    self.journal.flush(usize::MAX);
                    std::thread::yield_now();
                }
            }
        }
    }
    async fn stop(self) {
        assert_eq!(self.node.shutdown(Duration::from_secs(20)).await, crate::node::Stopped::Clean);
    }
}

trait ParseId {
    fn parse_id(&self) -> CommandId;
}
impl ParseId for str {
    fn parse_id(&self) -> CommandId {
        CommandId::new(self).expect("a command id")
    }
}

/// Waits until something is so; gives up loudly.
async fn until(mut wanted: impl FnMut() -> bool) {
    for _ in 0..50_000_000 {
        if wanted() {
            return;
        }
        std::thread::yield_now();
        tokio::task::yield_now().await;
    }
    panic!("it never came to that");
}

fn code(reply: Result<Reply, Busy>) -> Code {
    match reply {
        Ok(Reply::Tap(decision)) => decision.code,
        other => panic!("no decision: {other:?}"),
    }
}
fn account_key(account: &str) -> EntityKey {
    EntityKey::from(&id::<tongdao_domain::id::AccountId>(account))
}
fn station_key(station: &str) -> EntityKey {
    EntityKey::from(&id::<tongdao_domain::id::StationId>(station))
}
fn state() -> gate::Command {
    let empty = || "".into();
    gate::Command::State(Twin {
        online: true,
        service: empty(),
        firmware: empty(),
        versions: std::collections::BTreeMap::default(),
        faults: Vec::new(),
        at: MORNING,
    })
}
fn service(station: &str, service: station::Service) -> station::Command {
    station::Command::GateService { devices: vec![gate_of(station, 1)], service, by: by() }
}
/// The `n`-th of a row of commands that each change something.
fn turn(station: &str, n: u64) -> station::Command {
    service(station, if n.is_multiple_of(2) { station::Service::Exit } else { station::Service::Both })
}
/// A slot whose answers come to the test.
fn slot(cell: &Cell) -> (Rc<Slot>, mpsc::UnboundedReceiver<(u64, Reply)>) {
    let (sender, answers) = mpsc::unbounded_channel();
    (Rc::new(cell.register_slot(Rc::new(move |cookie, reply| drop(sender.send((cookie, reply)))))), answers)
}
fn request(tap: &Tap, clock: &Clock) -> Request {
    let command = gate::Command::Tap { tap: tap.clone(), received: clock.now() };
    Request::new(EntityKey::gate(&tap.id.device), tap.id.tap_command(), command, clock.now())
}
/// A station or account that lives in this cell.
fn in_cell(cell: usize, cells: usize, name: &str, make: impl Fn(&str) -> EntityKey) -> String {
    let fits = |candidate: &String| crate::reader::cell_of(&make(candidate), 8, cells) == cell;
    (0..).map(|n| format!("{name}{n}")).find(fits).expect("some name")
}
const SOON: Millis = Millis(10);
