//! What only the embedded journal can get wrong: readers beside the writer, a full queue, a writer that fails.
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
