//! A disk that fills up is met beforehand: commits become `Unavailable` in time, nothing is lost, and once there is room
//! again they resume without a restart. Needs root for a small file system of its own.
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, mpsc};

use tongdao_domain::entity::{EntityKey, EntityKind};
use tongdao_domain::fingerprint::Fingerprinter;
use tongdao_domain::id::CommandId;
use tongdao_domain::time::Timestamp;
use tongdao_journal::contract::{Bytes, Commit, Etag, Expected, FeedItem, Journal, Outcome, OutcomeSink, Ticket};
use tongdao_journal::embedded::{Embedded, Settings};

/// A small file system in memory; unmounted when dropped.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn mount() -> Option<Self> {
        let dir = tempfile::tempdir().expect("a folder");
        let mount = Command::new("mount").args(["-t", "tmpfs", "-o", "size=160m", "tmpfs"]).arg(dir.path()).stderr(Stdio::null()).status();
        mount.is_ok_and(|status| status.success()).then_some(Self(dir))
    }
    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.path()).status();
    }
}

struct Passing(mpsc::SyncSender<Outcome>);

impl OutcomeSink for Passing {
    fn outcomes(&self, outcomes: Vec<(Ticket, Outcome)>) {
        outcomes.into_iter().for_each(|(_, outcome)| drop(self.0.send(outcome)));
    }
    fn followed(&self, _: Arc<[FeedItem]>) {}
}

/// The first commit of an entity of its own, 8 KB.
fn nth(n: u64) -> Commit {
    Commit {
        entity: EntityKey::new(EntityKind::Account, &format!("a{n}")),
        expected: Expected::Absent,
        next: Etag { version: 1, nonce: 1 },
        command_id: CommandId::of(format_args!("c/{n}")),
        fingerprint: Fingerprinter::new("c").number(n.cast_signed()).finish(),
        reply: Bytes::from_slice(b"done"),
        events: std::iter::once(Bytes::from_elem(n as u8, 8_192)).collect(),
        state: None,
        deadline: None,
        at: Timestamp(1_000),
    }
}

#[test]
fn a_disk_that_fills_up_is_met_in_time_and_commits_resume() {
    let Some(disk) = SmallDisk::mount() else {
        println!("skipped: a small file system can be mounted by root only");
        return;
    };
    let ballast = disk.path().join("ballast");
    std::fs::write(&ballast, vec![1; 70 << 20]).expect("written");
    let mut settings = Settings { partitions: 4, memtable_bytes: 4 << 20, ..Settings::new(disk.path().join("journal")) };
    settings.fatal = Arc::new(|fault| panic!("the reserve was not enough: {fault}"));
    let journal = Embedded::open(settings.clone()).expect("opened");
    let (told, outcomes) = mpsc::sync_channel(10_000);
    journal.register(0, Arc::new(Passing(told)), &[]);
    let mut next = 0;
    let mut one = || {
        next += 1;
        assert!(journal.submit(0, next, nth(next)).is_ok(), "room in the queue");
        outcomes.recv().expect("the journal lives")
    };
    let mut committed = 0;
    while matches!(one(), Outcome::Committed { .. }) {
        committed += 1;
        assert!(committed < 20_000, "the disk must fill up");
    }
    assert!(committed > 500, "the reserve is not the whole disk: {committed}");
    assert!(!journal.status().writable && journal.status().free_bytes >= 16 << 20);
    assert_eq!(one(), Outcome::Unavailable);
    std::fs::remove_file(&ballast).expect("removed");
    assert!(matches!(one(), Outcome::Committed { .. }), "room again, no restart");
    assert!(journal.status().writable);
    drop(journal);
    let again = Embedded::open(settings).expect("opened");
    assert_eq!(again.status().events, committed + 1, "nothing acknowledged is lost");
}
