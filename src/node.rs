//! From config to a live node: opens the journal, reads the site files, starts the clock and the cells. And the three ways
//! of running an operation: on a running server, on a node in this process, on the journal's files.
use crate::admin::{self, Out};
use crate::backend::Backend;
use crate::cli::Op;
use crate::config::{Backend as Store, Config};
use crate::exit::{CONFIG, DATA, Failure, IO, REFUSED, SOFTWARE, UNAVAILABLE};
use crate::{ops, sites};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;
use tongdao_actors::cell::{CellHook, NoHook};
use tongdao_actors::clock::Clock;
use tongdao_actors::limits::Limits;
use tongdao_actors::node::{Node, NodeConfig, StartError};
use tongdao_domain::time::{Millis, Timestamp};
use tongdao_domain::world::World;
use tongdao_journal::contract::{Journal, JournalError};
use tongdao_journal::embedded::{Embedded, Reserve, Settings};
use tongdao_journal::memory::Memory;

/// How long a node of the command line may take to put everything away.
const PUT_AWAY: Duration = Duration::from_secs(60);

/// The journal's folder.
pub fn journal_dir(config: &Config) -> PathBuf {
    config.data_dir.join("journal")
}

/// The settings of the embedded journal.
pub fn journal_settings(config: &Config) -> Settings {
    let journal = &config.journal;
    Settings {
        partitions: journal.partitions,
        queue_max: journal.queue_max,
        group_max: journal.group_max,
        gap: Duration::from_micros(journal.group_gap_us),
        reserve: Reserve { percent: journal.reserve_percent, bytes_min: journal.reserve_mib_min * 1024 * 1024 },
        segment_commits_max: journal.segment_commits_max,
        front_bytes: journal.front_mib * 1024 * 1024,
        cache_bytes: journal.cache_mib * 1024 * 1024,
        ..Settings::new(journal_dir(config))
    }
}

/// A journal that is open, and the process clock that was started not behind it.
pub struct Opened {
    /// The journal.
    pub journal: Arc<dyn Journal>,
    /// The same, where it lies on this machine's disk.
    pub embedded: Option<Arc<Embedded>>,
    /// The process clock.
    pub clock: Clock,
}

/// Opens the journal that the config names and starts the clock.
///
/// # Errors
/// Exit 69 in use by another process, 78 made with other settings, 65 damaged, 74 disk.
pub fn open(config: &Config) -> Result<Opened, Failure> {
    let start = clock_start(config)?;
    if config.journal.backend == Store::Memory {
        let journal = Arc::new(Memory::automatic(config.journal.partitions));
        return Ok(Opened { clock: Clock::start(start, journal.newest_at()), journal, embedded: None });
    }
    std::fs::create_dir_all(&config.data_dir)
        .map_err(|fault| Failure::new(IO, format!("config key `data_dir`: {}: {fault}", config.data_dir.display())))?;
    let journal = Arc::new(Embedded::open(journal_settings(config)).map_err(|fault| journal_failure(&fault))?);
    Ok(Opened { clock: Clock::start(start, journal.newest_at()), journal: journal.clone(), embedded: Some(journal) })
}

/// The exit code of a journal's fault.
pub fn journal_failure(fault: &JournalError) -> Failure {
    let code = match fault {
        JournalError::Locked { .. } => UNAVAILABLE,
        JournalError::Mismatch { .. } => CONFIG,
        JournalError::Damaged { .. } | JournalError::Shorter { .. } => DATA,
        JournalError::Io { .. } => IO,
    };
    let mut failure = Failure::caused(code, fault);
    if let JournalError::Damaged { .. } = fault {
        failure.message.push_str("; bring the file back, or let `tongdao doctor --accept-loss` go on with what stands before it");
    }
    failure
}

/// Starts a node over an open journal.
///
/// # Errors
/// What is wrong with the journal, with its exit code.
pub fn start(config: &Config, opened: Opened, world: World, hook: Arc<dyn CellHook>) -> Result<(Node, Backend), Failure> {
    let Opened { journal, embedded, clock } = opened;
    let facts = Arc::new(world.clone());
    let node = Node::start(NodeConfig { cells: config.cells.count, journal: journal.clone(), world, clock, limits: limits(config), hook })
        .map_err(|fault| match fault {
            StartError::Journal(fault) => journal_failure(&fault),
            other => Failure::caused(SOFTWARE, &other),
        })?;
    let backend = Backend {
        door: node.door(),
        journal,
        embedded,
        world: facts,
        draining: Arc::new(AtomicBool::new(false)),
        clock_start: config.clock.start.clone(),
    };
    Ok((node, backend))
}

/// The time at start that the config sets, if any.
///
/// # Errors
/// Exit 78 when `clock.start` is no moment.
pub fn clock_start(config: &Config) -> Result<Option<Timestamp>, Failure> {
    let Some(text) = config.clock.start.as_deref() else { return Ok(None) };
    let at: jiff::Timestamp = text.parse().map_err(|fault| {
        Failure::new(CONFIG, format!("config key `clock.start`: {text:?}: {fault}; wanted is RFC 3339, such as 2026-01-01T05:00:00+08:00"))
    })?;
    Ok(Some(Timestamp(at.as_millisecond())))
}

fn limits(config: &Config) -> Limits {
    let cells = &config.cells;
    Limits {
        taps_queue_max: cells.door_max,
        rest_queue_max: cells.door_max,
        urgent_queue_max: cells.door_max,
        unanswered_max: cells.in_flight_max,
        owners_cached_max: cells.owners_cached_max,
        entities_awake_max: cells.entities_awake_max,
        idle_after: Millis::seconds(cells.passivate_after_s.cast_signed()),
        checkpoint_after: Millis::seconds((cells.checkpoint_within_s / 2).max(1).cast_signed()),
        slow_commit: Duration::from_micros(cells.commit_delay_us),
        ..Limits::default()
    }
}

/// A runtime for a short errand of the command line.
pub fn errand<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|fault| Failure::caused(SOFTWARE, &fault))?.block_on(work)
}

/// Asks a running server only.
///
/// # Errors
/// Exit 69 where none runs.
pub fn ask_server(config: &Config, op: &Op) -> Result<u8, Failure> {
    errand(async {
        let none = || Failure::new(UNAVAILABLE, format!("no server runs on {}", config.data_dir.display()));
        admin::call(&config.data_dir, op).await.unwrap_or_else(|| Err(none()))
    })
}

/// Asks a running server; where none runs, works on the journal's files.
///
/// # Errors
/// As the work itself.
pub fn offline_or_server(config: &Config, op: &Op, files: impl FnOnce(&Config) -> Result<u8, Failure>) -> Result<u8, Failure> {
    match errand(async { Ok(admin::call(&config.data_dir, op).await) })? {
        Some(answer) => answer,
        None => files(config),
    }
}

/// Asks a running server; where none runs, starts a node without devices in this process.
///
/// # Errors
/// As the operation itself; exit 69 where the journal is in use but nobody answers.
pub fn operate(config: &Config, op: Op) -> Result<u8, Failure> {
    if let Some(answer) = errand(async { Ok(admin::call(&config.data_dir, &op).await) })? {
        return answer;
    }
    let world = sites::load(config)?;
    let (node, backend) = start(config, open(config)?, world, Arc::new(NoHook))?;
    errand(async move {
        let (out, frames) = Out::channel();
        let printing = tokio::spawn(admin::print_all(frames));
        ops::run(&backend, op, &out).await;
        drop(out);
        let code = printing.await.unwrap_or(REFUSED);
        let _ = node.shutdown(PUT_AWAY).await;
        Ok(code)
    })
}
