//! How many commits a second the embedded journal takes, what they cost, and how long a start takes afterwards.
//!
//! `cargo run --release -p tongdao-journal --example commit_rate -- [--commits N] [--entities N] [--in-flight N] [--dir D]`
//! commits events of the size of a tap decision; `--kill` ends without closing, as `kill -9` would; `--start` only
//! measures the start of what is in the folder.
#![expect(clippy::disallowed_methods, reason = "a benchmark measures")]
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tongdao_domain::entity::{EntityKey, EntityKind};
use tongdao_domain::fingerprint::Fingerprint;
use tongdao_domain::id::CommandId;
use tongdao_domain::time::Timestamp;
use tongdao_journal::contract::{Bytes, Commit, Etag, Expected, FeedItem, Journal, Outcome, OutcomeSink, Ticket};
use tongdao_journal::embedded::{Embedded, Settings};

const EVENT_BYTES: usize = 220;
const REPLY_BYTES: usize = 110;

struct Arguments {
    commits: u64,
    entities: usize,
    in_flight: u64,
    dir: std::path::PathBuf,
    kill: bool,
    start: bool,
}

fn arguments() -> Arguments {
    let mut found =
        Arguments { commits: 1_000_000, entities: 20_000, in_flight: 500, dir: "/tmp/commit_rate".into(), kill: false, start: false };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut number = || words.next().and_then(|text| text.parse().ok()).unwrap_or(1);
        match word.as_str() {
            "--commits" => found.commits = number(),
            "--entities" => found.entities = usize::try_from(number()).unwrap_or(1),
            "--in-flight" => found.in_flight = number(),
            "--dir" => found.dir = words.next().unwrap_or_default().into(),
            "--kill" => found.kill = true,
            "--start" => found.start = true,
            other => println!("ignored: {other}"),
        }
    }
    found
}

/// Counts the outcomes and wakes the submitter.
#[derive(Default)]
struct Counting {
    done: AtomicU64,
    groups: AtomicU64,
    lock: Mutex<()>,
    progress: Condvar,
}

impl OutcomeSink for Counting {
    fn outcomes(&self, outcomes: Vec<(Ticket, Outcome)>) {
        let odd = outcomes.iter().find(|(_, outcome)| !matches!(outcome, Outcome::Committed { .. }));
        assert!(odd.is_none(), "not committed: {odd:?}");
        self.done.fetch_add(outcomes.len() as u64, Ordering::AcqRel);
        self.groups.fetch_add(1, Ordering::Relaxed);
        let _guard = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        self.progress.notify_one();
    }
    fn followed(&self, _: Arc<[FeedItem]>) {}
}

impl Counting {
    /// Waits until at least `n` are done.
    fn wait(&self, n: u64) {
        let mut guard = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        while self.done.load(Ordering::Acquire) < n {
            guard = self.progress.wait(guard).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// Makes commits that look like taps, one after the other over all entities.
struct Maker {
    keys: Vec<EntityKey>,
    newest: Vec<Option<Etag>>,
    run: i64,
}

impl Maker {
    fn commit(&mut self, n: u64) -> Commit {
        let who = usize::try_from(n.wrapping_mul(0x9e37_79b9) % self.keys.len() as u64).unwrap_or(0);
        let before = self.newest[who];
        let next = Etag { version: before.map_or(0, |etag| etag.version) + 1, nonce: n as u32 };
        self.newest[who] = Some(next);
        let event = Bytes::from_elem(n as u8, EVENT_BYTES);
        Commit {
            entity: self.keys[who].clone(),
            expected: before.map_or(Expected::Absent, Expected::Etag),
            next,
            command_id: CommandId::of(format_args!("tap/gate-{:03}/{}/{n}", n % 500, self.run)),
            fingerprint: Fingerprint(u128::from(n)),
            reply: Bytes::from_elem(n as u8, REPLY_BYTES),
            events: std::iter::once(event).collect(),
            state: None,
            deadline: n.is_multiple_of(2).then_some(Timestamp(self.run + 14_400_000)),
            at: Timestamp(self.run + i64::try_from(n / 60).unwrap_or(0)),
        }
    }
}

fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let ticks: u64 = stat.split(' ').skip(13).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}

fn main() {
    let wanted = arguments();
    let begun = Instant::now();
    let settings = Settings::new(&wanted.dir);
    let journal = Embedded::open(settings).unwrap_or_else(|fault| panic!("{fault}"));
    println!("start: {:?} with {} events", begun.elapsed(), journal.status().events);
    if wanted.start {
        return;
    }
    measure(&journal, &wanted);
    if wanted.kill {
        std::process::abort();
    }
    let begun = Instant::now();
    journal.close();
    println!("close: {:?}", begun.elapsed());
}

fn measure(journal: &Embedded, wanted: &Arguments) {
    let sink = Arc::new(Counting::default());
    journal.register(0, sink.clone(), &[]);
    let run = journal.newest_at().0 + 1;
    let keys = (0..wanted.entities).map(|n| EntityKey::new(EntityKind::Account, &format!("{run}-{n}"))).collect();
    let mut maker = Maker { keys, newest: vec![None; wanted.entities], run };
    let (bytes, begun, used) = (journal.status().bytes, Instant::now(), cpu());
    for n in 0..wanted.commits {
        if n >= wanted.in_flight {
            sink.wait(n + 1 - wanted.in_flight);
        }
        let mut commit = maker.commit(n);
        while let Err(back) = journal.submit(0, n, commit) {
            std::thread::yield_now();
            commit = *back;
        }
    }
    sink.wait(wanted.commits);
    let (took, used) = (begun.elapsed(), cpu().saturating_sub(used));
    let groups = sink.groups.load(Ordering::Relaxed).max(1);
    let per_commit = |value: f64| value / wanted.commits as f64;
    println!(
        "{:.0} commits/s, {:.2} µs CPU each (submitter included), {} a group, {:.0} bytes on disk each (status {} → {})",
        wanted.commits as f64 / took.as_secs_f64(),
        per_commit(used.as_secs_f64() * 1e6),
        wanted.commits / groups,
        per_commit(journal.status().bytes.saturating_sub(bytes) as f64),
        bytes,
        journal.status().bytes,
    );
}
