//! The process dies at any moment: everything that was acknowledged is there afterwards, and the journal fits together.
//!
//! The test starts itself again as a child that commits under load and prints each acknowledged commit; the child is
//! killed, by the parent at some line or by `strace` at a chosen sync; then its journal is opened and compared.
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use tongdao_domain::account;
use tongdao_domain::device::By;
use tongdao_domain::entity::{EntityKey, EntityKind};
use tongdao_domain::fingerprint::Fingerprinter;
use tongdao_domain::id::{CommandId, UserId};
use tongdao_domain::time::Timestamp;
use tongdao_journal::archive::Archive;
use tongdao_journal::archive::export::Range;
use tongdao_journal::archive::verify::Conservation;
use tongdao_journal::codec;
use tongdao_journal::contract::{Bytes, Commit, Etag, Expected, FeedItem, Journal, Outcome, OutcomeSink, Ticket};
use tongdao_journal::embedded::{Embedded, Settings};

const CHILD: &str = "TONGDAO_CRASH_TEST_DIR";
const COMMITS: u64 = 20_000;
const ENTITIES: u64 = 40;
const IN_FLIGHT: u64 = 64;

fn settings(dir: &Path) -> Settings {
    let mut settings = Settings { partitions: 8, segment_commits_max: 700, ..Settings::new(dir) };
    settings.reserve.percent = 0;
    settings
}

/// The n-th commit of a run; every entity's commits are chained.
fn nth(n: u64) -> Commit {
    let by = By { user: UserId::new("ops").expect("an id"), reason: "lost".into() };
    let version = n / ENTITIES + 1;
    let etag = |version: u64| Etag { version, nonce: version as u32 };
    Commit {
        entity: EntityKey::new(EntityKind::Account, &format!("a{}", n % ENTITIES)),
        expected: if version == 1 { Expected::Absent } else { Expected::Etag(etag(version - 1)) },
        next: etag(version),
        command_id: CommandId::of(format_args!("tap/g1/1/{n}")),
        fingerprint: Fingerprinter::new("tap").number(n.cast_signed()).finish(),
        reply: Bytes::from_slice(&n.to_be_bytes()),
        events: std::iter::once(Bytes::from_vec(codec::encode(&account::Event::Frozen { by }).expect("encodable"))).collect(),
        state: None,
        deadline: n.is_multiple_of(3).then(|| Timestamp(n.cast_signed() + 5_000)),
        at: Timestamp(1_000 + n.cast_signed()),
    }
}

/// Prints what is acknowledged, and lets the submitter go on.
struct Printing(std::sync::mpsc::SyncSender<u64>);

impl OutcomeSink for Printing {
    fn outcomes(&self, outcomes: Vec<(Ticket, Outcome)>) {
        let mut out = std::io::stdout().lock();
        for (ticket, outcome) in &outcomes {
            let known = matches!(outcome, Outcome::Committed { .. } | Outcome::Duplicate { .. });
            writeln!(out, "{} {ticket}", if known { "ack" } else { "odd" }).expect("a reader");
        }
        out.flush().expect("a reader");
        let _ = self.0.send(outcomes.len() as u64);
    }
    fn followed(&self, _: Arc<[FeedItem]>) {}
}

/// Not a test of its own: the child's part.
#[test]
fn child() {
    let Ok(dir) = std::env::var(CHILD) else { return };
    let journal = Embedded::open(settings(Path::new(&dir))).expect("opened");
    let first = journal.status().events;
    let (done, progress) = std::sync::mpsc::sync_channel(100_000);
    journal.register(0, Arc::new(Printing(done)), &[]);
    println!("open {first}");
    let mut in_flight = 0;
    for n in first..first + COMMITS {
        let commit = nth(n);
        if n % 50 == 7 {
            journal.checkpoint(&commit.entity, commit.next.version - 1, b"state".to_vec());
        }
        journal.submit(0, n, commit).expect("room in the queue");
        in_flight += 1;
        while in_flight >= IN_FLIGHT {
            in_flight -= progress.recv().expect("the journal lives");
        }
    }
}

fn spawn(dir: &Path, through: &[&str]) -> Child {
    let exe = std::env::current_exe().expect("this test");
    let mut words = through.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    words.push(exe.display().to_string());
    words.extend(["child", "--exact", "--nocapture", "--test-threads=1"].map(str::to_owned));
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]).env(CHILD, dir).stdout(Stdio::piped()).stderr(Stdio::null());
    command.spawn().expect("started")
}

/// Reads what the child says until it ends; after `kill_at` acknowledgements it is killed.
fn acknowledged(mut child: Child, kill_at: Option<usize>) -> BTreeSet<u64> {
    let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    let mut seen = BTreeSet::new();
    for line in lines.map_while(Result::ok) {
        assert!(!line.starts_with("odd"), "{line}");
        if let Some(n) = line.strip_prefix("ack ").and_then(|n| n.parse().ok()) {
            seen.insert(n);
        }
        if kill_at.is_some_and(|limit| seen.len() >= limit) {
            let _ = child.kill();
        }
    }
    let _ = child.wait();
    seen
}

/// Everything acknowledged is exported once; the whole fits together; a start serves it.
fn check(dir: &Path, acknowledged: &BTreeSet<u64>) -> u64 {
    let archive = Archive::open(dir).expect("opened");
    let report = archive.verify(&mut [&mut Conservation::default()]).expect("fits");
    let number = |item: FeedItem| item.command_id.as_str().rsplit_once('/').and_then(|(_, n)| n.parse().ok()).expect("a tap");
    let there: BTreeSet<u64> = archive.export(Range::default()).map(|item| number(item.expect("readable"))).collect();
    assert!(acknowledged.is_subset(&there), "lost: {:?}", acknowledged.difference(&there).collect::<Vec<_>>());
    assert_eq!(there.len() as u64, report.events, "nothing twice");
    drop(archive);
    let journal = Embedded::open(settings(dir)).expect("opened");
    assert_eq!(journal.status().events, report.events);
    if let Some(last) = there.last() {
        let newest = nth(*last);
        assert_eq!(journal.load(&newest.entity).expect("readable").etag, Some(newest.next));
    }
    report.events
}

#[test]
fn a_kill_at_any_moment_loses_nothing_acknowledged() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut all = BTreeSet::new();
    for kill_at in [1, 37, 700, 1_501, 3_000] {
        all.extend(acknowledged(spawn(dir.path(), &[]), Some(kill_at)));
        assert!(check(dir.path(), &all) >= all.len() as u64);
    }
    assert!(all.len() > 5_000);
}

fn has_strace() -> bool {
    let there = Command::new("strace").args(["-f", "true"]).stderr(Stdio::null()).status().is_ok_and(|status| status.success());
    if !there {
        println!("skipped: strace is missing or may not trace");
    }
    there
}

/// As [`check`], where the very making of the journal may have been cut short.
fn check_again(dir: &Path, acknowledged: &BTreeSet<u64>) {
    drop(Embedded::open(settings(dir)).expect("opened"));
    check(dir, acknowledged);
}

#[test]
fn a_kill_at_a_chosen_sync_loses_nothing_acknowledged() {
    if !has_strace() {
        return;
    }
    let dir = tempfile::tempdir().expect("a folder");
    let mut all = BTreeSet::new();
    for (call, count) in
        [("fsync", 3), ("fsync", 9), ("fsync", 25), ("fdatasync", 1), ("fdatasync", 2), ("fdatasync", 12), ("fdatasync", 60)]
    {
        let (inject, trace) = (format!("inject={call}:signal=SIGKILL:when={count}"), format!("trace={call}"));
        let child = spawn(dir.path(), &["strace", "-f", "-qq", "-o", "/dev/null", "-e", &trace, "-e", &inject]);
        all.extend(acknowledged(child, None));
        check_again(dir.path(), &all);
    }
    assert!(!all.is_empty(), "some run got far enough to acknowledge");
}
