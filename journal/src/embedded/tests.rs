//! What only the embedded journal can get wrong: readers beside the writer, a full queue, a writer that fails.
use std::fs::OpenOptions;
use std::os::unix::fs::FileExt as _;
use std::sync::atomic::AtomicUsize;
use std::sync::mpsc;

use super::*;
use crate::contract::{Outcome, OutcomeSink};
use crate::testing::{Remembering, commit, entity};

fn settings(dir: &tempfile::TempDir) -> Settings {
    let mut settings = Settings { partitions: 4, segment_commits_max: 50, group_max: 8, ..Settings::new(dir.path()) };
    settings.reserve.percent = 0;
    settings
}

#[test]
fn a_reader_beside_the_writer_always_sees_a_whole_history() {
    let dir = tempfile::tempdir().expect("a folder");
    let journal = Embedded::open(settings(&dir)).expect("opened");
    let (sink, a) = (Remembering::new(), entity("account/a"));
    journal.register(0, sink.clone(), &[]);
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut newest = 0;
            while newest < 400 {
                let loaded = journal.load(&a).expect("readable");
                let version = loaded.etag.map_or(0, |etag| etag.version);
                let covered = loaded.state.map_or(0, |(version, _)| version);
                assert_eq!(covered + loaded.events.len() as u64, version, "state and tail make the head");
                assert!(version >= newest, "never backwards");
                newest = version;
            }
        });
        let mut last = None;
        for n in 1..=400 {
            let mut next = commit("account/a", &format!("c{n}"));
            next = last.map_or(next.clone(), |etag| next.after(etag));
            next = if n % 7 == 0 { next.state("s") } else { next };
            let next = next.build();
            last = Some(next.next);
            journal.submit(0, n, next).expect("room in the queue");
            if n % 11 == 0 {
                journal.checkpoint(&a, n / 2, b"half".to_vec());
            }
            if n % 20 == 0 {
                assert!(sink.take(20).iter().all(|(_, outcome)| matches!(outcome, Outcome::Committed { .. })));
            }
        }
        reader.join().expect("no broken history");
    });
}

/// A sink that holds the writer until it is let go.
struct Holding(Mutex<mpsc::Receiver<()>>);

impl OutcomeSink for Holding {
    fn outcomes(&self, _: Vec<(Ticket, Outcome)>) {
        let _ = self.0.lock().unwrap_or_else(PoisonError::into_inner).recv();
    }
    fn followed(&self, _: Arc<[FeedItem]>) {}
}

#[test]
fn a_full_queue_gives_the_commit_back_and_close_still_writes_the_rest() {
    let dir = tempfile::tempdir().expect("a folder");
    let journal = Embedded::open(Settings { queue_max: 3, ..settings(&dir) }).expect("opened");
    let (let_go, held) = mpsc::sync_channel::<()>(1);
    journal.register(0, Arc::new(Holding(Mutex::new(held))), &[]);
    let mut taken = 0;
    let back = (0..20).find_map(|n| {
        let refused = journal.submit(0, n, commit(&format!("account/a{n}"), &format!("c{n}")).build()).err();
        taken += u64::from(refused.is_none());
        refused
    });
    assert_eq!(back.expect("the queue is bounded").command_id.as_str(), format!("c{taken}"));
    drop(let_go);
    journal.close();
    assert_eq!(journal.status().events, taken);
}

#[test]
fn a_write_that_fails_ends_in_the_hook_and_nothing_is_told() {
    let dir = tempfile::tempdir().expect("a folder");
    let (failed, failures) = mpsc::sync_channel(1);
    let hook: FatalHook = Arc::new(move |fault| drop(failed.send(fault.to_string())));
    let journal = Embedded::open(Settings { fatal: hook, ..settings(&dir) }).expect("opened");
    let told = Arc::new(Counting::default());
    journal.register(0, told.clone(), &[]);
    let taken = std::fs::remove_dir_all(dir.path());
    assert!(taken.is_ok(), "the disk is gone: its free space cannot be told any more");
    journal.submit(0, 1, commit("account/a", "c1").build()).expect("room in the queue");
    assert!(failures.recv().expect("the hook was called").contains("disk space is unknown"));
    assert_eq!(told.0.load(Ordering::Acquire), 0);
    assert!(journal.submit(0, 2, commit("account/b", "c2").build()).is_err(), "nothing is taken any more");
    assert!(!journal.status().writable);
}

#[derive(Default)]
struct Counting(AtomicUsize);

impl OutcomeSink for Counting {
    fn outcomes(&self, outcomes: Vec<(Ticket, Outcome)>) {
        self.0.fetch_add(outcomes.len(), Ordering::AcqRel);
    }
    fn followed(&self, _: Arc<[FeedItem]>) {}
}

/// No segment ends and nothing is sorted: behind what was told the store only writes its own log, so that its folder can be
/// copied while it is open.
fn unsorted(dir: &tempfile::TempDir) -> Settings {
    Settings { segment_commits_max: 100_000, ..settings(dir) }
}

/// The folder of an [`unsorted`] journal as it is at this moment, as after the death of its process.
fn as_after_a_kill(dir: &tempfile::TempDir) -> tempfile::TempDir {
    fn copy(from: &std::path::Path, to: &std::path::Path) {
        std::fs::create_dir_all(to).expect("made");
        for entry in std::fs::read_dir(from).expect("readable") {
            let entry = entry.expect("readable");
            let to = to.join(entry.file_name());
            if entry.file_type().expect("known").is_dir() {
                copy(&entry.path(), &to);
            } else {
                std::fs::copy(entry.path(), to).expect("copied");
            }
        }
    }
    let other = tempfile::tempdir().expect("a folder");
    copy(dir.path(), other.path());
    other
}

/// A journal with so many commits told; it stays open.
fn told(dir: &tempfile::TempDir, settings: Settings, commits: u64) -> Embedded {
    let journal = Embedded::open(settings).expect("opened");
    assert!(dir.path().join("front-0").exists());
    let sink = Remembering::new();
    journal.register(0, sink.clone(), &[]);
    for n in 1..=commits {
        journal.submit(0, n, commit(&format!("account/a{n}"), &format!("c{n}")).state("s").build()).expect("room in the queue");
        assert!(sink.take(1).iter().all(|(_, outcome)| matches!(outcome, Outcome::Committed { .. })));
    }
    journal
}

/// Everything that was told is in a folder that was left behind, once and in order.
fn complete(dir: &tempfile::TempDir, commits: u64) {
    let report = crate::archive::Archive::open(dir.path()).and_then(|archive| archive.doctor()).expect("readable");
    assert_eq!((report.events, report.acknowledged), (commits, Some(report.groups)));
    let journal = Embedded::open(settings(dir)).expect("opened again");
    for n in 1..=commits {
        assert!(journal.load(&entity(&format!("account/a{n}"))).expect("readable").etag.is_some(), "a{n}");
    }
    let feed = |partition| journal.feed(partition, 1, 1_000).expect("readable").len() as u64;
    assert_eq!((0..4).map(feed).sum::<u64>(), commits);
}

fn log_of_the_store(dir: &tempfile::TempDir) -> std::path::PathBuf {
    dir.path().join("store/0.jnl")
}

#[test]
fn what_was_told_outlives_the_process_whatever_the_store_has_of_it() {
    let dir = tempfile::tempdir().expect("a folder");
    let journal = told(&dir, unsorted(&dir), 120);
    let left = as_after_a_kill(&dir);
    // After a power cut the store's own log may end anywhere behind its last sync.
    let cut = as_after_a_kill(&dir);
    let log = std::fs::read(log_of_the_store(&cut)).expect("readable");
    std::fs::write(log_of_the_store(&cut), &log[..4_000]).expect("cut");
    drop(journal);
    complete(&left, 120);
    complete(&cut, 120);
    complete(&dir, 120);
}

#[test]
fn the_front_log_is_used_again_and_again() {
    let dir = tempfile::tempdir().expect("a folder");
    let small = Settings { front_bytes: 2_000, ..unsorted(&dir) };
    let journal = told(&dir, small, 150);
    let left = as_after_a_kill(&dir);
    drop(journal);
    let first = front::read(left.path()).expect("readable").groups.first().map_or(0, |found| found.group.number);
    assert!(first > 100, "the files were written anew many times: {first}");
    complete(&left, 150);
}

#[test]
fn damage_to_what_only_the_front_log_has_is_named_and_a_torn_end_is_not() {
    let dir = tempfile::tempdir().expect("a folder");
    let journal = told(&dir, unsorted(&dir), 30);
    let (damaged, torn) = (as_after_a_kill(&dir), as_after_a_kill(&dir));
    drop(journal);
    for left in [&damaged, &torn] {
        std::fs::write(log_of_the_store(left), []).expect("nothing of it was synced");
    }
    let mut bytes = std::fs::read(damaged.path().join("front-0")).expect("readable");
    bytes[700] ^= 1;
    std::fs::write(damaged.path().join("front-0"), &bytes).expect("written");
    let fault = Embedded::open(settings(&damaged)).err().expect("refused").to_string();
    assert!(fault.contains("front-0 byte "), "{fault}");
    let report = crate::archive::accept_loss(damaged.path()).expect("accepted");
    assert!(report.events < 30 && report.losses.len() == 1, "{report:?}");
    let left = std::fs::read(damaged.path().join("front-0")).expect("made anew");
    assert!(left.iter().all(|byte| *byte == 0), "numbers are given again: nothing old may stand behind them");
    assert_eq!(Embedded::open(settings(&damaged)).expect("goes on").status().events, report.events);

    // A group that is not whole was not told either.
    let file = OpenOptions::new().write(true).open(torn.path().join("front-0")).expect("there");
    let whole = std::fs::read(torn.path().join("front-0")).expect("readable");
    let end = whole.iter().rposition(|byte| *byte != 0).expect("written") as u64 + 1;
    let next = [&600_u32.to_le_bytes()[..], &31_u64.to_le_bytes(), &[7; 40]].concat();
    file.write_all_at(&next, end).expect("written");
    let journal = Embedded::open(settings(&torn)).expect("opened");
    assert_eq!(journal.status().events, 30);
    assert!(journal.status().truncated_bytes > 0);
}
