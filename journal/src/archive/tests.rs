//! A journal is made, stopped, tampered with in one way, and looked at again.
mod span;

use std::path::{Path, PathBuf};

use tongdao_domain::account;
use tongdao_domain::device::By;
use tongdao_domain::entity::EntityKind;
use tongdao_domain::id::UserId;
use tongdao_domain::ledger::{LedgerAccount, transfer};
use tongdao_domain::money::Amount;
use tongdao_domain::time::Timestamp;

use super::export::Range;
use super::verify::{Conservation, VerifyFault, VerifyReport};
use super::{Archive, accept_loss};
use crate::codec;
use crate::contract::{Bytes, Commit, Etag, Journal, JournalError};
use crate::embedded::group::{self, Group, chained};
use crate::embedded::store::event_key;
use crate::embedded::{Embedded, Settings};
use crate::record::{self, Place};
use crate::testing::{Remembering, commit, entity};

fn frozen() -> Bytes {
    let by = By { user: UserId::new("ops").expect("an id"), reason: "lost".into() };
    Bytes::from_vec(codec::encode(&account::Event::Frozen { by }).expect("encodable"))
}

fn credited(from: i64, to: i64) -> Bytes {
    let by = By { user: UserId::new("ops").expect("an id"), reason: "gift".into() };
    let mut legs = transfer(LedgerAccount::Funding, LedgerAccount::Rider, Amount::from_fen(to));
    legs[0].amount = Amount::from_fen(-from);
    Bytes::from_vec(codec::encode(&account::Event::Credited { legs, by }).expect("encodable"))
}

/// The n-th of the commits that every test begins with: five entities in turn, one event each.
fn nth(n: u64) -> Commit {
    let name = format!("account/a{}", n % 5);
    let mut made = commit(&name, &format!("tap/g1/1/{n}")).at(1_000 + n.cast_signed()).build();
    let version = n / 5 + 1;
    made.events = std::iter::once(frozen()).collect();
    made.next = Etag { version, nonce: version as u32 };
    if version > 1 {
        made.expected = crate::contract::Expected::Etag(Etag { version: version - 1, nonce: (version - 1) as u32 });
    }
    made
}

struct Made {
    dir: tempfile::TempDir,
    settings: Settings,
}

impl Made {
    /// A journal of `count` commits in groups of at most four and segments of ten commits or more.
    fn new(count: u64) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let mut settings = Settings { partitions: 4, group_max: 4, segment_commits_max: 10, ..Settings::new(dir.path()) };
        settings.reserve.percent = 0;
        let made = Self { dir, settings };
        made.add((0..count).map(nth));
        made
    }

    fn open(&self) -> Embedded {
        Embedded::open(self.settings.clone()).expect("opened")
    }

    fn add(&self, commits: impl Iterator<Item = Commit>) {
        let (journal, sink) = (self.open(), Remembering::new());
        journal.register(0, sink.clone(), &[]);
        let mut count = 0;
        for commit in commits {
            journal.submit(0, 0, commit).expect("room in the queue");
            count += 1;
        }
        sink.take(count);
    }

    fn archive(&self) -> Archive {
        Archive::open(self.dir.path()).expect("opened")
    }

    fn verify(&self) -> Result<VerifyReport, VerifyFault> {
        Archive::open(self.dir.path())?.verify(&mut [&mut Conservation::default()])
    }

    /// What verify says, where it must say something.
    fn fault(&self) -> String {
        self.verify().expect_err("altered").to_string()
    }

    /// The place of the n-th commit.
    fn place(&self, n: u64) -> Place {
        let archive = self.archive();
        let id = format!("tap/g1/1/{n}");
        let mut items = archive.export(Range::default()).map(|item| item.expect("readable"));
        let item = items.find(|item| item.command_id.as_str() == id).expect("there");
        Place { partition: item.partition, seq: item.seq }
    }

    /// Changes stored bytes behind the journal's back.
    fn tamper(&self, change: impl FnOnce(&crate::embedded::store::Store)) {
        let archive = self.archive();
        change(&archive.opened.store);
        archive.opened.store.db.persist(fjall::PersistMode::SyncAll).expect("written");
    }

    fn log_file(&self) -> PathBuf {
        self.dir.path().join("store/0.jnl")
    }
}

fn rewrite(store: &crate::embedded::store::Store, place: Place, change: impl FnOnce(Vec<u8>) -> Vec<u8>) {
    let key = event_key(store.segment_of(place).expect("a segment"), place);
    let old = store.events.get(key).expect("readable").expect("there").to_vec();
    store.events.insert(key, change(old)).expect("written");
}

/// A record that says something else under the same place and group, with a right checksum.
fn forged(old: &[u8], place: Place, n: u64) -> Vec<u8> {
    let group = record::decode(old, place).expect("readable").group;
    let (mut forged, mut bytes) = (nth(n), vec![]);
    forged.reply = Bytes::from_slice(b"open");
    record::encode(&mut bytes, place, group, &forged);
    bytes
}

#[test]
fn an_untouched_journal_fits_together() {
    let made = Made::new(47);
    let report = made.verify().expect("fits");
    assert_eq!((report.commits, report.events, report.entities, report.taps), (47, 47, 5, 47));
    assert_eq!(report.span, Some((Timestamp(1_000), Timestamp(1_046))));
    assert!(report.losses.is_empty() && report.groups >= 12);
    let live = made.open();
    assert_eq!(live.verify(&mut []).expect("fits beside the writer"), report);
    assert_eq!(live.doctor().expect("readable").chain, report.chain);
}

#[test]
fn the_archive_says_positions_and_exports_in_order() {
    let made = Made::new(47);
    let archive = made.archive();
    let report = archive.doctor().expect("readable");
    assert_eq!(report.positions.iter().map(|next| next - 1).sum::<u64>(), 47);
    assert_eq!((report.partitions, report.events, report.torn_bytes), (4, 47, 0));
    assert_eq!(report.acknowledged, Some(report.groups));
    assert!(report.segments >= 3 && report.sizes.iter().any(|(name, _)| name == "events"));
    let all: Vec<_> = archive.export(Range::default()).map(|item| item.expect("readable")).collect();
    assert_eq!(all.len(), 47);
    assert!(all.windows(2).all(|two| (two[0].partition, two[0].seq) < (two[1].partition, two[1].seq)));
    let range = Range { from: Some(Timestamp(1_010)), to: Some(Timestamp(1_020)) };
    assert_eq!(archive.export(range).count(), 10);
}

#[test]
fn a_flipped_bit_in_a_record_is_named() {
    let made = Made::new(30);
    let place = made.place(3);
    made.tamper(|store| {
        rewrite(store, place, |mut bytes| {
            bytes[40] ^= 1;
            bytes
        });
    });
    assert!(made.fault().contains(&place.to_string()), "{}", made.fault());
    let archive = made.archive();
    let exported: Result<Vec<_>, _> = archive.export(Range::default()).collect();
    assert!(matches!(exported, Err(JournalError::Damaged { place: named, .. }) if named == place.to_string()));
}

#[test]
fn a_flipped_bit_is_told_by_load_and_feed_and_never_answered_wrong() {
    let made = Made::new(47);
    let (place, victim) = (made.place(3), nth(3));
    let mut next = 47;
    while made.archive().doctor().expect("readable").replayed_from == 0 {
        made.add((next..next + 10).map(nth));
        next += 10;
    }
    made.tamper(|store| {
        rewrite(store, place, |mut bytes| {
            bytes[60] ^= 1;
            bytes
        });
    });
    let (journal, sink) = (made.open(), Remembering::new());
    let named = |fault: JournalError| fault.to_string().contains(&place.to_string());
    assert!(journal.load(&victim.entity).is_err_and(named));
    assert!(journal.feed(place.partition, 1, 100).is_err_and(named));
    journal.register(0, sink.clone(), &[]);
    journal.submit(0, 1, victim).expect("room");
    assert_eq!(sink.take(1), [(1, crate::contract::Outcome::Unavailable)], "the first answer cannot be read");
    assert!(journal.load(&entity("account/a4")).is_ok(), "the others are not affected");
}

#[test]
fn a_flipped_bit_in_what_a_start_reads_refuses_the_start_and_names_the_place() {
    let made = Made::new(5);
    let place = made.place(3);
    made.tamper(|store| {
        rewrite(store, place, |mut bytes| {
            bytes[60] ^= 1;
            bytes
        });
    });
    let fault = Embedded::open(made.settings.clone()).err().expect("refused").to_string();
    assert!(fault.contains(&place.to_string()), "{fault}");
}

#[test]
fn a_forged_record_with_a_right_checksum_is_named() {
    let made = Made::new(30);
    let place = made.place(3);
    made.tamper(|store| rewrite(store, place, |old| forged(&old, place, 3)));
    assert!(made.fault().contains(&place.to_string()), "{}", made.fault());
}

#[test]
fn a_forged_record_with_a_forged_list_breaks_the_chain_of_its_group() {
    let made = Made::new(30);
    let place = made.place(3);
    let mut number = 0;
    made.tamper(|store| {
        rewrite(store, place, |old| {
            let new = forged(&old, place, 3);
            number = record::decode(&old, place).expect("readable").group;
            let (old, new_sum) = (record::checksum_of(&old), record::checksum_of(&new).expect("a checksum"));
            let mut group = store.group(&store.db.snapshot(), number).expect("there");
            let mut lines = group.lines.iter_mut();
            lines.find(|line| Some(line.checksum) == old).expect("listed").checksum = new_sum;
            store.groups.insert(group::key(number), group.encode()).expect("written");
            new
        });
    });
    assert!(made.fault().contains(&format!("group {number}: the hash chain")), "{}", made.fault());
}

#[test]
fn a_forged_chain_is_seen_by_the_next_group() {
    let made = Made::new(30);
    made.tamper(|store| {
        let mut group = store.group(&store.db.snapshot(), 2).expect("there");
        group.chain = chained(&group.chain, 2, &group.lines, [b"else"]);
        store.groups.insert(group::key(2), group.encode()).expect("written");
    });
    assert!(made.fault().contains("group 2: the hash chain"), "{}", made.fault());
}

#[test]
fn a_deleted_record_and_a_deleted_group_are_named() {
    let made = Made::new(30);
    let place = made.place(7);
    made.tamper(|store| store.events.remove(event_key(store.segment_of(place).expect("a segment"), place)).expect("removed"));
    assert!(made.fault().contains(&format!("{place}: the record is missing")), "{}", made.fault());
    let made = Made::new(30);
    made.tamper(|store| store.groups.remove(group::key(3)).expect("removed"));
    assert!(made.fault().contains("group 3: the group is missing"), "{}", made.fault());
}

#[test]
fn swapped_records_are_named() {
    let made = Made::new(30);
    let (one, other) = (made.place(1), made.place(6));
    assert_eq!(one.partition, other.partition, "the same entity");
    made.tamper(|store| {
        let key = |place| event_key(store.segment_of(place).expect("a segment"), place);
        let bytes = |place| store.events.get(key(place)).expect("readable").expect("there");
        let (first, second) = (bytes(one), bytes(other));
        store.events.insert(key(one), second).expect("written");
        store.events.insert(key(other), first).expect("written");
    });
    assert!(made.fault().contains(&one.to_string()), "{}", made.fault());
}

#[test]
fn a_foreign_record_is_named() {
    let made = Made::new(30);
    let place = Place { partition: made.place(3).partition, seq: 1_000 };
    made.tamper(|store| {
        let mut bytes = vec![];
        record::encode(&mut bytes, place, 2, &nth(99));
        store.events.insert(event_key(store.segment_count() - 1, place), bytes).expect("written");
    });
    assert!(made.fault().contains(&format!("{place}: no group speaks of this record")), "{}", made.fault());
}

/// Writes a group by hand, as a program with a bug would.
fn misbehave(made: &Made, commit: &Commit) -> Place {
    let partition = commit.entity.partition(4);
    let seq = made.archive().doctor().expect("readable").positions[usize::from(partition)];
    let place = Place { partition, seq };
    made.tamper(|store| {
        let last = store.last_group(&store.db.snapshot()).expect("readable").expect("some");
        let (mut bytes, number) = (vec![], last.number + 1);
        let checksum = record::encode(&mut bytes, place, number, commit);
        let lines = vec![group::Line { partition, events: commit.events.len() as u64, checksum }];
        let chain = chained(&last.chain, number, &lines, [&bytes]);
        let group = Group { number, lines, chain, events: last.events + commit.events.len() as u64, ..last };
        store.groups.insert(group::key(number), group.encode()).expect("written");
        store.events.insert(event_key(group.segment, place), bytes).expect("written");
    });
    place
}

#[test]
fn a_second_outcome_for_a_tap_is_named() {
    let made = Made::new(5);
    let mut second = nth(5);
    second.command_id = nth(2).command_id;
    let place = misbehave(&made, &second);
    assert_eq!(made.fault(), format!("at {place}: tap/g1/1/2 has a second outcome"));
}

#[test]
fn a_gap_in_the_versions_of_an_entity_is_named() {
    let made = Made::new(5);
    let place = misbehave(&made, &nth(10));
    assert_eq!(made.fault(), format!("at {place}: account/a0 goes from version 1 to 3"));
}

#[test]
fn money_that_comes_from_nowhere_is_named() {
    let made = Made::new(5);
    let mut honest = nth(5);
    honest.events[0] = credited(500, 500);
    made.add(std::iter::once(honest));
    made.verify().expect("balanced");
    let mut dishonest = nth(6);
    dishonest.events[0] = credited(500, 501);
    made.add(std::iter::once(dishonest));
    assert!(made.fault().contains("account/a1: the legs of account.credited do not sum to nothing"), "{}", made.fault());
}

#[test]
fn an_event_that_cannot_be_decoded_is_named() {
    let made = Made::new(5);
    let mut strange = nth(5);
    strange.events[0] = Bytes::from_slice(&[9, 9]);
    made.add(std::iter::once(strange));
    assert!(made.fault().contains("written by encoding version 9"), "{}", made.fault());
}

#[test]
fn a_torn_tail_above_the_mark_is_cut_off_and_counted() {
    let made = Made::new(12);
    let whole = std::fs::read(made.log_file()).expect("readable");
    let end = whole.iter().rposition(|byte| *byte != 0).expect("not empty") + 1;
    let mut torn = whole[..end].to_vec();
    torn.extend_from_slice(&[1, 9, 0, 0, 0, 77, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0]);
    std::fs::write(made.log_file(), torn).expect("written");
    let journal = made.open();
    assert_eq!(journal.status().truncated_bytes, 14, "zeros at the end are not counted");
    drop(journal);
    made.add((12..15).map(nth));
    assert_eq!(made.verify().expect("fits").commits, 15);
    assert_eq!(made.archive().doctor().expect("readable").truncated_bytes, 14);
}

/// Cuts the log in the middle of the last batch, whose group was acknowledged.
fn shorten(made: &Made) {
    let whole = std::fs::read(made.log_file()).expect("readable");
    let end = whole.iter().rposition(|byte| *byte != 0).expect("not empty") + 1;
    std::fs::write(made.log_file(), &whole[..end - 40]).expect("written");
}

fn refused(made: &Made) -> JournalError {
    Embedded::open(made.settings.clone()).err().expect("refused")
}

#[test]
fn a_tail_torn_below_the_mark_refuses_the_start_every_time_until_the_loss_is_accepted() {
    let made = Made::new(12);
    shorten(&made);
    for _ in 0..2 {
        let fault = refused(&made);
        assert!(matches!(&fault, JournalError::Damaged { place, .. } if place.contains("0.jnl byte")), "{fault}");
    }
    let report = accept_loss(made.dir.path()).expect("accepted");
    assert_eq!(report.losses.len(), 1);
    assert_eq!(report.losses[0].acknowledged, report.losses[0].found + 1);
    let lost = 12 - report.events;
    assert!((1..=4).contains(&lost), "one group is lost");
    made.add((12 - lost..20).map(nth));
    let verified = made.verify().expect("fits");
    assert_eq!((verified.commits, verified.losses), (20, report.losses));
}

#[test]
fn a_journal_that_ends_before_the_mark_is_shorter() {
    let made = Made::new(12);
    let old = tempfile::tempdir().expect("a folder");
    copy(&made.dir.path().join("store"), old.path());
    made.add((12..24).map(nth));
    std::fs::remove_dir_all(made.dir.path().join("store")).expect("removed");
    copy(old.path(), &made.dir.path().join("store"));
    let fault = refused(&made);
    assert!(matches!(fault, JournalError::Shorter { found, acknowledged } if found < acknowledged), "{fault}");
    assert!(matches!(made.verify(), Err(VerifyFault::Journal(JournalError::Shorter { .. }))));
    accept_loss(made.dir.path()).expect("accepted");
    made.add((12..24).map(nth));
    assert_eq!(made.verify().expect("fits").commits, 24);
}

/// Where each batch of a log ends.
fn batch_ends(log: &[u8]) -> Vec<usize> {
    let trailer = b"FJL\x03";
    (trailer.len()..=log.len()).filter(|end| log[..*end].ends_with(trailer)).collect()
}

#[test]
fn damage_in_an_older_log_file_is_refused_until_the_loss_is_accepted() {
    let made = Made::new(40);
    let whole = std::fs::read(made.log_file()).expect("readable");
    let ends = batch_ends(&whole);
    let (damaged, split) = (ends[ends.len() / 2], ends[ends.len() - 3]);
    let mut older = whole[..split].to_vec();
    older[damaged + 30] ^= 1;
    std::fs::write(made.log_file(), older).expect("written");
    std::fs::write(made.dir.path().join("store/1.jnl"), &whole[split..]).expect("written");
    let fault = refused(&made);
    assert!(matches!(&fault, JournalError::Damaged { place, .. } if place.ends_with(&format!("0.jnl byte {damaged}"))), "{fault}");
    let report = accept_loss(made.dir.path()).expect("accepted");
    assert!((1..40).contains(&report.events), "what stands before it is there: {}", report.events);
    assert_eq!(report.losses.len(), 1);
    made.add((report.events..50).map(nth));
    assert_eq!(made.verify().expect("fits").commits, 50);
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("made");
    for entry in std::fs::read_dir(from).expect("readable") {
        let entry = entry.expect("readable");
        let target = to.join(entry.file_name());
        match entry.file_type().expect("a type").is_dir() {
            true => copy(&entry.path(), &target),
            false => drop(std::fs::copy(entry.path(), target).expect("copied")),
        }
    }
}

#[test]
fn flipped_bits_anywhere_in_the_log_refuse_the_start_or_are_named() {
    let made = Made::new(12);
    let whole = std::fs::read(made.log_file()).expect("readable");
    let end = whole.iter().rposition(|byte| *byte != 0).expect("not empty");
    for place in (0..=end).step_by(211) {
        let mut flipped = whole.clone();
        flipped[place] ^= 0x10;
        std::fs::write(made.log_file(), &flipped).expect("written");
        let fault = made.fault();
        assert!(fault.starts_with("the journal is damaged at ") && fault.contains("0.jnl byte "), "byte {place}: {fault}");
        assert_eq!(std::fs::metadata(made.log_file()).expect("there").len(), whole.len() as u64, "nothing is cut off");
    }
    std::fs::write(made.log_file(), &whole).expect("written");
    made.verify().expect("fits again");
}

#[test]
fn a_missing_mark_and_another_number_of_partitions_are_refused() {
    let made = Made::new(5);
    let mismatch = Embedded::open(Settings { partitions: 8, ..made.settings.clone() }).err().expect("refused");
    assert!(matches!(mismatch, JournalError::Mismatch { key: "journal.partitions", .. }), "{mismatch}");
    std::fs::remove_file(made.dir.path().join("acknowledged")).expect("removed");
    assert!(matches!(refused(&made), JournalError::Damaged { .. }));
}

#[test]
fn one_process_at_a_time() {
    let made = Made::new(5);
    let _open = made.open();
    assert!(matches!(refused(&made), JournalError::Locked { dir } if dir == made.dir.path().display().to_string()));
    assert!(matches!(Archive::open(made.dir.path()), Err(JournalError::Locked { .. })));
    assert!(matches!(Archive::open(Path::new("/nowhere/at/all")), Err(JournalError::Damaged { .. })));
}

#[test]
fn entities_are_listed_by_kind_across_segments() {
    let made = Made::new(47);
    assert_eq!(made.open().entities(EntityKind::Account).expect("readable").len(), 5);
}
