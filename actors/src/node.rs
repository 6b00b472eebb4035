//! The node: loads what every cell must know, starts the cells, stops them without losing what was taken in.
use std::io;
use std::rc::Rc;
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use actix::{Arbiter, System};
use tokio::sync::oneshot;
use tongdao_domain::deny::{DenyList, DenyView};
use tongdao_domain::device::Device;
use tongdao_domain::entity::{EntityKey, EntityKind};
use tongdao_domain::id::DeviceId;
use tongdao_domain::machine::Machine;
use tongdao_domain::station::Station;
use tongdao_domain::world::World;
use tongdao_journal::contract::{Journal, JournalError};
use tongdao_journal::pipeline::restore;

use crate::cell::{Cell, CellHook};
use crate::clock::Clock;
use crate::door::Door;
use crate::inbox::{CellSink, Inbox};
use crate::inner::Inner;
use crate::lanes::{Lanes, door};
use crate::limits::Limits;
use crate::mail::{Knock, Note};
use crate::observe::Observed;
use crate::reader::Readers;
use crate::request::Busy;
use crate::shared::{Figures, Port, Shared};
use crate::slow::Slow;
use crate::state::EntityState;
use crate::turn::{FOLLOWED, Turn};

/// What a node is started with.
pub struct NodeConfig {
    /// Number of cells; 0 = cores − 1, at least 1.
    pub cells: usize,
    /// Where commits go. Opened; not yet registered with.
    pub journal: Arc<dyn Journal>,
    /// The site files' facts; what stations and devices have become since is read from the journal.
    pub world: World,
    /// The process clock, started not behind the journal.
    pub clock: Clock,
    /// Bounds and periods.
    pub limits: Limits,
    /// What else lives on the cells' threads.
    pub hook: Arc<dyn CellHook>,
}

/// How many cells a node has: as wanted; 0 = cores − 1, at least 1. Whoever else registers with the journal comes after them.
#[must_use]
pub fn cell_count(wanted: usize) -> usize {
    if wanted > 0 { wanted } else { thread::available_parallelism().map_or(1, |cores| (cores.get() - 1).max(1)) }
}

/// Why a node did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The journal could not be read.
    #[error("the journal could not be read")]
    Journal(#[from] JournalError),
    /// The history of a station or a device cannot be replayed.
    #[error("the history of {entity} cannot be replayed: {what}")]
    Replay {
        /// Whose.
        entity: EntityKey,
        /// What is wrong.
        what: String,
    },
    /// A thread or its runtime could not be made.
    #[error("a cell could not be started")]
    Thread(#[from] io::Error),
}

/// How a shutdown ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Stopped {
    /// Everything that was taken in was answered.
    Clean,
    /// The deadline came first; this many had no answer. What is durable stays durable.
    Cut {
        /// Commands without an answer.
        unanswered: usize,
    },
}

/// A running node.
pub struct Node {
    door: Door,
    journal: Arc<dyn Journal>,
    threads: Option<Threads>,
}

impl std::fmt::Debug for Node {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Node").field("cells", &self.door.0.ports.len()).finish_non_exhaustive()
    }
}

impl Node {
    /// Starts the cells. Blocks while it reads the journal: call it outside of a runtime, or by `spawn_blocking`.
    ///
    /// # Errors
    /// [`StartError`].
    pub fn start(config: NodeConfig) -> Result<Self, StartError> {
        let NodeConfig { cells, journal, world, clock, limits, hook } = config;
        let world = with_journal(world, &*journal)?;
        let journal = Slow::around(journal, limits.slow_commit)?;
        let cells = cell_count(cells);
        let (ports, lanes): (Vec<_>, Vec<_>) = (0..cells).map(|_| port(&limits)).unzip();
        for (cell, port) in ports.iter().enumerate() {
            journal.register(cell, Arc::new(CellSink(Arc::clone(&port.inbox))), FOLLOWED);
        }
        let inboxes: Vec<_> = ports.iter().map(|port| Arc::clone(&port.inbox)).collect();
        let readers = Readers::start(limits.readers, &journal, &inboxes)?;
        let shared = Arc::new(Shared::new(ports, journal.partitions(), clock, limits));
        let seeds = lanes.into_iter().enumerate().map(|(index, lanes)| CellSeed {
            index,
            lanes,
            shared: Arc::clone(&shared),
            journal: Arc::clone(&journal),
            readers: readers.clone(),
            world: world.clone(),
            hook: Arc::clone(&hook),
        });
        let threads = Threads::start(seeds.collect())?;
        Ok(Self { door: Door(shared), journal, threads: Some(threads) })
    }
    /// The door for other runtimes.
    #[must_use]
    pub fn door(&self) -> Door {
        self.door.clone()
    }
    /// As [`Door::query`].
    ///
    /// # Errors
    /// As [`Door::query`].
    pub async fn query(&self, entity: &EntityKey) -> Result<EntityState, Busy> {
        self.door.query(entity).await
    }
    /// As [`Door::observe`].
    pub async fn observe(&self, limit: usize) -> Observed {
        self.door.observe(limit).await
    }
    /// Takes nothing new, waits until everything taken in is answered (at most `deadline`), writes the states of all
    /// changed entities, closes the journal, ends the threads. Needs a runtime with time.
    pub async fn shutdown(mut self, deadline: Duration) -> Stopped {
        self.door.drain();
        let settled = tokio::time::timeout(deadline, self.settled()).await.is_ok();
        let unanswered = self.door.figures().iter().map(|figures| figures.unanswered).sum();
        let (journal, threads) = (Arc::clone(&self.journal), self.threads.take());
        let (done, ended) = oneshot::channel::<()>();
        let closing = thread::Builder::new().name("closing".into()).spawn(move || {
            journal.close();
            drop(threads);
            drop(done);
        });
        if closing.is_ok() {
            let _ = ended.await;
        }
        if settled { Stopped::Clean } else { Stopped::Cut { unanswered } }
    }
    /// Until a whole round over the cells finds nothing that was delivered since the last.
    async fn settled(&self) {
        let mut before = Vec::new();
        loop {
            let mut delivered = Vec::new();
            for port in &self.door.0.ports {
                let (answer, settled) = oneshot::channel();
                port.inbox.push(Note::Settle(answer));
                delivered.push(settled.await.unwrap_or_default());
            }
            if delivered == before {
                return;
            }
            before = delivered;
        }
    }
}

fn port(limits: &Limits) -> (Port, Lanes<Knock>) {
    let (entrance, lanes) = door(limits);
    (Port { entrance, inbox: Arc::new(Inbox::default()), figures: Figures::default() }, lanes)
}

/// What a cell's thread begins with.
struct CellSeed {
    index: usize,
    lanes: Lanes<Knock>,
    shared: Arc<Shared>,
    journal: Arc<dyn Journal>,
    readers: Readers,
    world: World,
    hook: Arc<dyn CellHook>,
}

impl CellSeed {
    /// On the cell's thread, inside its `LocalSet`.
    fn grow(self) {
        let cell = Rc::new(Inner::new(self.index, &self.shared, self.journal, self.readers, self.world));
        actix::spawn(Turn::new(Rc::clone(&cell), self.lanes).run());
        self.hook.on_cell(Cell(cell));
    }
}

/// The system's thread and, under it, one arbiter a cell. Dropping it ends them all.
struct Threads {
    system: System,
    thread: Option<JoinHandle<()>>,
}

impl Threads {
    fn start(seeds: Vec<CellSeed>) -> Result<Self, StartError> {
        let (told, ready) = mpsc::sync_channel(1);
        let thread = thread::Builder::new().name("system".into()).spawn(move || run_system(seeds, &told))?;
        let system = ready.recv().map_err(io::Error::other)??;
        Ok(Self { system, thread: Some(thread) })
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        self.system.stop();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn run_system(seeds: Vec<CellSeed>, told: &mpsc::SyncSender<io::Result<System>>) {
    let runner = System::new();
    let mut arbiters = Vec::new();
    for seed in seeds {
        match Arbiter::try_new() {
            Ok(arbiter) => {
                arbiter.spawn_fn(move || seed.grow());
                arbiters.push(arbiter);
            }
            Err(error) => return drop(told.send(Err(error))),
        }
    }
    let _ = told.send(Ok(System::current()));
    if let Err(error) = runner.run() {
        tracing::error!(%error, "the cells' system ended with a fault");
    }
    for arbiter in arbiters {
        arbiter.stop();
        let _ = arbiter.join();
    }
}

/// The site files' facts with what stations, devices and the deny list have become since, as the journal has it.
///
/// # Errors
/// [`StartError`]: the journal cannot be read or replayed.
pub fn with_journal(mut world: World, journal: &dyn Journal) -> Result<World, StartError> {
    for entity in journal.entities(EntityKind::Station)? {
        if let Some(view) = world.stations.get_mut(entity.id.as_str()) {
            view.state = state_of::<Station>(journal, &entity)?;
        }
    }
    for entity in journal.entities(EntityKind::Device)? {
        let Ok(id) = DeviceId::new(&entity.id) else { continue };
        world.devices.extend(state_of::<Device>(journal, &entity)?.entry.map(|entry| (id, entry)));
    }
    world.deny = DenyView::of(&state_of::<DenyList>(journal, &EntityKey::deny_list())?);
    Ok(world)
}

fn state_of<M: Machine>(journal: &dyn Journal, entity: &EntityKey) -> Result<M, StartError> {
    restore(&journal.load(entity)?).map_err(|error| StartError::Replay { entity: entity.clone(), what: error.to_string() })
}
