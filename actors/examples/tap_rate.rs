//! What a tap costs from a cell's door to its answer, without any wire: gates that tap as fast as they are answered, through
//! gate and account actors and a journal.
//!
//! `cargo run --release -p tongdao-actors --example tap_rate -- [--journal memory|embedded] [--cells N] [--gates N]
//! [--accounts N] [--seconds N] [--dir D]` prints taps a second, processor time a tap (all threads) and memory an entity.
use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tongdao_actors::cell::{Cell, CellHook, Slot};
use tongdao_actors::clock::Clock;
use tongdao_actors::door::Door;
use tongdao_actors::limits::Limits;
use tongdao_actors::node::{Node, NodeConfig};
use tongdao_actors::request::{Lane, Request};
use tongdao_domain::entity::EntityKey;
use tongdao_domain::fare::{Charge, FareTable, FareVersion, Ladder, More, Overstay, SameStation, Scheme, Step};
use tongdao_domain::id::{CommandId, DeviceId, Token};
use tongdao_domain::machine::{Command, Reply};
use tongdao_domain::money::{Amount, Currency};
use tongdao_domain::station::Service;
use tongdao_domain::tap::{Direction, MediumKind};
use tongdao_domain::testing::{STATIONS, by, id, tap};
use tongdao_domain::time::{Millis, Timestamp};
use tongdao_domain::world::{GateView, World};
use tongdao_domain::{account, gate, medium};
use tongdao_journal::contract::Journal;
use tongdao_journal::embedded::{Embedded, Settings};
use tongdao_journal::memory::Memory;

struct Arguments {
    embedded: bool,
    cells: usize,
    gates: usize,
    accounts: usize,
    seconds: u64,
    dir: std::path::PathBuf,
}

fn arguments() -> Arguments {
    let mut found = Arguments { embedded: false, cells: 1, gates: 500, accounts: 20_000, seconds: 5, dir: "/tmp/tap_rate".into() };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let value = words.next().unwrap_or_default();
        let number = value.parse().unwrap_or(1);
        match word.as_str() {
            "--journal" => found.embedded = value == "embedded",
            "--cells" => found.cells = number,
            "--gates" => found.gates = number,
            "--accounts" => found.accounts = number,
            "--seconds" => found.seconds = number as u64,
            "--dir" => found.dir = value.into(),
            other => println!("ignored: {other}"),
        }
    }
    found
}

fn gate_id(n: usize) -> DeviceId {
    id(&format!("gate-{n:04}"))
}
fn token(n: usize) -> String {
    format!("{n:032x}")
}

fn world(gates: usize) -> World {
    let steps = [(4, 200), (8, 300), (12, 400), (18, 500)].map(|(km, fen)| Step { up_to_m: km * 1000, fare: Amount::from_fen(fen) });
    let version = FareVersion {
        from: Timestamp(0),
        scheme: Scheme::Ladder(Ladder { steps: steps.into(), beyond: None }),
        classes: BTreeMap::from([("adult".into(), 100.into())]),
        stay_max: None,
        overstay: Overstay { surcharge: Charge::Free, refuse: false },
        same_station: SameStation::Pays(Charge::Lowest),
        missing_exit: Charge::Free,
        missing_entry: Charge::Free,
        more: More::default(),
    };
    let mut world = World::for_tests_with(FareTable { currency: Currency::CNY, calendar: None, versions: vec![version] });
    (world.settings.riders_max, world.settings.retap_window) = (0, Millis(0));
    for n in 0..gates {
        let station = id(STATIONS[n % STATIONS.len()].0);
        world.gates.insert(gate_id(n), GateView { station, service: Service::Both });
    }
    world
}

/// What all cells' gates share with the main thread.
#[derive(Default)]
struct Load {
    running: AtomicBool,
    opened: AtomicU64,
    refused: AtomicU64,
}

/// The gates of one cell: each taps again as soon as it is answered, with whichever card is free.
struct Gates {
    cell: Cell,
    load: Arc<Load>,
    slot: RefCell<Option<Slot>>,
    /// Gate, its next sequence, the card that is presented.
    gates: RefCell<Vec<(DeviceId, u64, usize)>>,
    /// Cards and whether they are inside.
    free: RefCell<VecDeque<usize>>,
    inside: RefCell<Vec<bool>>,
    tokens: Vec<String>,
}

impl Gates {
    fn tap(&self, n: usize) {
        let Some(card) = self.free.borrow_mut().pop_front() else { return };
        let gate = &mut self.gates.borrow_mut()[n];
        (gate.1, gate.2) = (gate.1 + 1, card);
        let direction = if self.inside.borrow()[card] { Direction::Exit } else { Direction::Entry };
        let now = self.cell.now();
        let mut tap = tap(&gate.0, 1, gate.1, direction, &self.tokens[card], now);
        // What is measured is the price of a tap, not what a crowded machine refuses.
        tap.deadline = Millis::minutes(10);
        let (entity, command_id) = (EntityKey::gate(&gate.0), tap.id.tap_command());
        let request = Request {
            entity,
            command_id,
            command: gate::Command::Tap { tap, received: now }.into(),
            if_rev: None,
            lane: Lane::Taps,
            received: now,
        };
        if let Some(slot) = &*self.slot.borrow() {
            self.cell.submit(request, slot.reply(n as u64)).expect("room");
        }
    }
    fn answered(&self, n: usize, reply: &Reply) {
        let card = self.gates.borrow()[n].2;
        if matches!(reply, Reply::Tap(decision) if decision.code.opens()) {
            let inside = &mut self.inside.borrow_mut()[card];
            *inside = !*inside;
            self.load.opened.fetch_add(1, Ordering::Relaxed);
        } else {
            self.load.refused.fetch_add(1, Ordering::Relaxed);
        }
        self.free.borrow_mut().push_back(card);
        if self.load.running.load(Ordering::Relaxed) {
            self.tap(n);
        }
    }
}

struct Hook {
    load: Arc<Load>,
    cells: usize,
    gates: usize,
    accounts: usize,
}

impl CellHook for Hook {
    fn on_cell(&self, cell: Cell) {
        let mine = |count: usize| (0..count).filter(|n| n % self.cells == cell.index()).collect::<Vec<_>>();
        let gates = Rc::new(Gates {
            slot: RefCell::default(),
            gates: RefCell::new(mine(self.gates).into_iter().map(|n| (gate_id(n), 0, 0)).collect()),
            free: RefCell::new(mine(self.accounts).into()),
            inside: RefCell::new(vec![false; self.accounts]),
            tokens: (0..self.accounts).map(token).collect(),
            load: Arc::clone(&self.load),
            cell: cell.clone(),
        });
        let sink = Rc::clone(&gates);
        let slot = cell.register_slot(Rc::new(move |n, reply| sink.answered(n as usize, &reply)));
        *gates.slot.borrow_mut() = Some(slot);
        tokio::task::spawn_local(async move {
            while !gates.load.running.load(Ordering::Relaxed) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            let count = gates.gates.borrow().len();
            (0..count).for_each(|n| gates.tap(n));
        });
    }
}

async fn commission(door: &Door, gates: usize, accounts: usize) {
    for n in 0..gates {
        let twin = gate::Twin {
            online: true,
            service: "".into(),
            firmware: "".into(),
            versions: BTreeMap::new(),
            faults: vec![],
            at: Timestamp(0),
        };
        done(door, EntityKey::gate(&gate_id(n)), format!("state/{n}"), gate::Command::State(twin)).await;
    }
    let mut waiting = Vec::new();
    for n in 0..accounts {
        let door = door.clone();
        waiting.push(tokio::spawn(async move { open(&door, n).await }));
        if waiting.len() == 500 {
            for one in waiting.drain(..) {
                one.await.expect("opened");
            }
        }
    }
    for one in waiting {
        one.await.expect("opened");
    }
}
async fn open(door: &Door, n: usize) {
    let owner = id(&format!("a{n}"));
    let key = EntityKey::from(&owner);
    done(door, EntityKey::from(&id::<Token>(&token(n))), format!("claim/{n}"), medium::Command::Claim { owner }).await;
    let (class, balance) = (account::WalletClass::One, Amount::from_fen(1_000_000_000));
    let open = account::Command::Open { class, passenger_class: "adult".into(), balance, currency: Currency::CNY, by: by() };
    done(door, key.clone(), format!("open/{n}"), open).await;
    done(door, key, format!("link/{n}"), account::Command::Link { token: id(&token(n)), kind: MediumKind::Card, by: by() }).await;
}
async fn done(door: &Door, entity: EntityKey, command_id: String, command: impl Into<Command>) {
    let reply = door.ask(entity, CommandId::new(command_id).expect("an id"), command, Lane::Rest).await;
    assert_eq!(reply, Ok(Reply::Done));
}

/// Processor time of the process in seconds, from `/proc/self/stat` (100 ticks a second).
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |n: usize| fields.get(n).and_then(|field| field.parse::<f64>().ok()).unwrap_or(0.0);
    (ticks(11) + ticks(12)) / 100.0
}
fn resident_bytes() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    statm.split_whitespace().nth(1).and_then(|pages| pages.parse::<u64>().ok()).unwrap_or(0) * 4096
}

#[expect(clippy::disallowed_methods, reason = "a measurement takes its time")]
fn main() {
    let arguments = arguments();
    let journal: Arc<dyn Journal> = if arguments.embedded {
        let _ = std::fs::remove_dir_all(&arguments.dir);
        Arc::new(Embedded::open(Settings::new(&arguments.dir)).expect("a journal"))
    } else {
        Arc::new(Memory::automatic(64))
    };
    let load = Arc::new(Load::default());
    let hook = Hook { load: load.clone(), cells: arguments.cells, gates: arguments.gates, accounts: arguments.accounts };
    let limits = Limits { idle_after: Millis::hours(1), ..Limits::default() };
    let (clock, world) = (Clock::start(None, journal.newest_at()), world(arguments.gates));
    let node = Node::start(NodeConfig { cells: arguments.cells, journal, world, clock, limits, hook: Arc::new(hook) }).expect("a node");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let before = resident_bytes();
    runtime.block_on(commission(&node.door(), arguments.gates, arguments.accounts));
    let entities = arguments.gates + 2 * arguments.accounts;
    println!("{entities} entities awake, journal included: {} bytes each", (resident_bytes() - before) / entities as u64);
    load.running.store(true, Ordering::Relaxed);
    std::thread::sleep(Duration::from_millis(500));
    let (started, taps, cpu) = (Instant::now(), load.opened.load(Ordering::Relaxed), cpu_seconds());
    std::thread::sleep(Duration::from_secs(arguments.seconds));
    let (taps, cpu, elapsed) = (load.opened.load(Ordering::Relaxed) - taps, cpu_seconds() - cpu, started.elapsed().as_secs_f64());
    println!(
        "{:.0} taps/s, {:.1} µs of processor a tap, {} refused",
        taps as f64 / elapsed,
        cpu * 1e6 / taps as f64,
        load.refused.load(Ordering::Relaxed)
    );
    load.running.store(false, Ordering::Relaxed);
    println!("{:?}", runtime.block_on(node.shutdown(Duration::from_secs(20))));
}
