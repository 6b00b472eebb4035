//! Bytes as version 1 wrote them, committed beside this file: every later program must read them as they were meant,
//! and must go on writing the same bytes as long as it writes version 1.
use std::path::PathBuf;

use tongdao_domain::account::{self, Change, Doubt, Doubted, RecordOutcome};
use tongdao_domain::alarm::{self, AlarmCode, Severity};
use tongdao_domain::approval::{self, Asked};
use tongdao_domain::audit;
use tongdao_domain::code::Code;
use tongdao_domain::deny::{self, Delta, Reached, Scope as Whose, Why, hash_of};
use tongdao_domain::device::By;
use tongdao_domain::doubtful::{self, Case};
use tongdao_domain::entity::EntityKind;
use tongdao_domain::fingerprint::Fingerprint;
use tongdao_domain::gate::{self, RecordLimits, RejectedRecord};
use tongdao_domain::id::{AccountId, CommandId, DeviceId, StationId, TapId, Token, UserId};
use tongdao_domain::machine::Event;
use tongdao_domain::tap::{DecidedBy, Direction, Passage, Record, Shown};
use tongdao_domain::time::{Millis, Timestamp};
use tongdao_domain::user::{self, PasswordHash, Role, Scope};

use crate::codec;
use crate::contract::{Commit, Etag};
use crate::embedded::group::{Group, Line, chained};
use crate::embedded::head::Head;
use crate::embedded::read::{decode_state, encode_state};
use crate::record::{self, Place};
use crate::testing::commit;

const PLACE: Place = Place { partition: 41, seq: 70_000 };

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/golden").join(name)
}

/// The committed bytes. A file that is missing is written, and the test fails once.
fn golden(name: &str, now: &[u8]) -> Vec<u8> {
    std::fs::read(path(name)).unwrap_or_else(|_| {
        std::fs::write(path(name), now).expect("written");
        panic!("{name} was missing and has been written: look at it and commit it");
    })
}

fn a_commit() -> Commit {
    let before = Etag { version: 299, nonce: 1 };
    let mut made = commit("account/a1", "tap/g1/7/42").after(before).events(&["one", "two"]).deadline(1_767_218_400_000).build();
    made.fingerprint = Fingerprint(0x0123_4567_89ab_cdef_0011_2233_4455_6677);
    made
}

#[test]
fn records_of_version_1_stay_readable() {
    let mut now = vec![];
    record::encode(&mut now, PLACE, 12_345, &a_commit());
    let bytes = golden("record-1.bin", &now);
    let record = record::decode(&bytes, PLACE).expect("readable");
    let wanted = a_commit();
    assert_eq!((record.group, record.entity(), record.etag, record.at), (12_345, wanted.entity, wanted.next, wanted.at));
    assert_eq!((record.command_id, record.fingerprint, record.reply), (wanted.command_id.as_str(), wanted.fingerprint, &wanted.reply[..]));
    assert_eq!((record.deadline, record.events().collect::<Vec<_>>()), (wanted.deadline, vec![&b"one"[..], b"two"]));
    assert_eq!(now, bytes, "the same version writes the same bytes");
}

#[test]
fn groups_of_version_1_stay_readable() {
    let lines = vec![Line { partition: 41, events: 2, checksum: u64::MAX - 1 }, Line { partition: 0, events: 300, checksum: 5 }];
    let chain = chained(&[7; 32], 12_345, &lines, [b"first record".as_slice(), b"second"]);
    let wanted = Group { number: 12_345, segment: 2, newest_at: Timestamp(1_767_204_000_000), events: 1_000_000, lines, chain };
    let bytes = golden("group-1.bin", &wanted.encode());
    assert_eq!(Group::decode(12_345, &bytes), Ok(wanted.clone()), "the hash chain is the same, too");
    assert_eq!(wanted.encode(), bytes, "the same version writes the same bytes");
}

#[test]
fn heads_and_states_of_version_1_stay_readable() {
    let mut head = Head::new(Etag { version: 299, nonce: 1 });
    head.advance(Etag { version: 301, nonce: 0xdead_beef }, 70_000, Some(Timestamp(1_767_218_400_000)));
    assert!(head.cover(299));
    head.stored_deadline = head.deadline;
    let bytes = golden("head-1.bin", &head.encode());
    assert_eq!(Head::decode(&bytes), Ok(head.clone()));
    assert_eq!(head.encode(), bytes, "the same version writes the same bytes");
    let state = encode_state(299, b"a state");
    let bytes = golden("state-1.bin", &state);
    assert_eq!(decode_state(&bytes), Ok((299, b"a state".to_vec())));
    assert_eq!(state, bytes, "the same version writes the same bytes");
}

#[test]
fn events_of_encoding_1_stay_readable() {
    let by = By { user: UserId::new("ops").expect("an id"), reason: "lost".into() };
    let frozen = account::Event::Frozen { by };
    let now = codec::encode(&frozen).expect("encodable");
    let bytes = golden("event-1.bin", &now);
    assert_eq!(codec::decode_event(EntityKind::Account, &bytes).expect("readable"), Event::Account(frozen));
    assert_eq!(now, bytes, "the same version writes the same bytes");
}

/// One event of each kind of entity that staff made necessary, with every shape of field that they have.
#[test]
fn events_of_users_alarms_approvals_and_notes_stay_readable() {
    let by = By { user: UserId::new("ops").expect("an id"), reason: "new".into() };
    let station = StationId::new("tianfu").expect("an id");
    let added = user::Event::Added {
        roles: [Role::GateOperator, Role::RemoteAgent].into(),
        scope: Scope::Stations([station.clone()].into()),
        password: Some(PasswordHash::new("$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA").expect("a hash")),
        by: by.clone(),
    };
    let (code, source, severity) = (AlarmCode::GatesOffline, "tianfu".into(), Severity::Major);
    let raised = alarm::Event::Raised { code, source, severity, device: Some(DeviceId::new("g1").expect("an id")) };
    let requested = approval::Event::Requested(Asked {
        op: "station.release".into(),
        args: r#"{"station":"tianfu"}"#.into(),
        command_id: CommandId::new("c/1").expect("an id"),
        digest: "0a".repeat(32).into(),
        by: by.clone(),
        expires_at: Timestamp(1_767_218_400_000),
        station: Some(station),
        rev: None,
    });
    let note = audit::Note { by: by.user, op: "session.login".into(), target: "user/ops".into(), detail: "".into() };
    stays("event-user-1.bin", EntityKind::User, &codec::encode(&added), &added.into());
    let made = token_made(by_of(&note));
    stays("event-token-1.bin", EntityKind::User, &codec::encode(&made), &made.into());
    stays("event-alarm-1.bin", EntityKind::Alarm, &codec::encode(&raised), &raised.into());
    stays("event-approval-1.bin", EntityKind::Approval, &codec::encode(&requested), &requested.into());
    stays("event-note-1.bin", EntityKind::Audit, &codec::encode(&audit::Event::Noted(note.clone())), &audit::Event::Noted(note).into());
}

/// Every event of the deny list, and the account's that belongs to it.
#[test]
fn events_of_the_deny_list_stay_readable() {
    let by = By { user: UserId::new("ops").expect("an id"), reason: "stolen".into() };
    let tokens: Vec<Token> = ["t1", "t2"].map(|token| Token::new(token).expect("an id")).into();
    let (due, account) = (Timestamp(1_767_218_400_000), AccountId::new("a1").expect("an id"));
    let delta = Delta { to: 7, add: tokens.clone(), remove: tokens[..1].to_vec(), hash: hash_of(&tokens) };
    let events = [
        ("listed", deny::Event::Listed { tokens: tokens.clone(), by: by.clone(), due }),
        ("unlisted", deny::Event::Unlisted { tokens: tokens.clone(), by, due }),
        ("account", deny::Event::Account { account, deny: vec![(tokens[0].clone(), Why::Frozen)], allow: tokens, due }),
        ("version", deny::Event::VersionMade { delta, count: 2, since: due, forgotten: 3, due: Some(due) }),
        ("reached", deny::Event::Reached(Reached { version: 7, scope: Whose::Connected, gates: 40, at: due, took: Millis(900) })),
    ];
    for (name, event) in events {
        stays(&format!("event-deny-{name}-1.bin"), EntityKind::DenyList, &codec::encode(&event), &event.into());
    }
    let told = account::Event::DenyTold { number: 3 };
    stays("event-deny-told-1.bin", EntityKind::Account, &codec::encode(&told), &told.into());
}

fn by_of(note: &audit::Note) -> By {
    By { user: note.by.clone(), reason: "night drill".into() }
}

fn token_made(by: By) -> user::Event {
    user::Event::Token(user::token::Event::Made {
        id: "0a1b2c3d4e".parse().expect("an id"),
        name: "a wall".into(),
        hash: tongdao_domain::device::SecretHash([7; 32]),
        roles: Some([Role::Auditor].into()),
        scope: Some(Scope::Sites(["cd".parse().expect("an id")].into())),
        expires_at: Timestamp(1_767_218_400_000),
        by,
    })
}

/// What came in with the desk of doubtful records: its own event, and the new fields of events that were there.
#[test]
fn events_of_doubtful_records_stay_readable() {
    let by = By { user: UserId::new("ops").expect("an id"), reason: "seen".into() };
    let (device, station) = (DeviceId::new("g1").expect("an id"), StationId::new("tianfu").expect("an id"));
    let (tap, at) = (TapId { device, epoch: 7, seq: 42 }, Timestamp(1_767_204_000_000));
    let (direction, decided, shown, passage) = (Direction::Entry, DecidedBy::Gate, Shown::Open, Some(Passage::Passed));
    let record = Record { tap: tap.clone(), direction, medium: None, at, mode: 3, by: decided, shown, passage };
    let case = Case {
        record: record.clone(),
        station: station.clone(),
        doubt: Doubt::KeyReused,
        first: Some(Box::new(record.clone())),
        other: Some(tap.clone()),
        clock: Millis(-300_000),
        corrected: true,
        since: at,
    };
    let opened = doubtful::Event::Opened(Box::new(case));
    let rejected = vec![RejectedRecord { record: record.clone(), code: Code::KeyReused, first: Some(Box::new(record.clone())) }];
    let limits = RecordLimits { forgotten: vec![], prints_kept: 8_192, owed_again: Millis(5_000) };
    let (clock, corrected) = (Millis(-300_000), true);
    let taken =
        gate::Event::RecordsTaken { epoch: 7, station: station.clone(), records: vec![record.clone()], rejected, limits, clock, corrected };
    let doubted = Some(Doubted { doubt: Doubt::Twin, other: Some(tap.clone()) });
    let struck = gate::Event::RecordStruck { tap: tap.clone(), outcome: RecordOutcome::Doubtful, doubted };
    let (command_id, change) = (CommandId::new("accept/g1.7.42/1").expect("an id"), Change::default());
    let accepted = account::Event::RecordAccepted { record, tap, station, at, doubt: Doubt::At, command_id, by, change };
    stays("event-doubtful-1.bin", EntityKind::Doubtful, &codec::encode(&opened), &opened.into());
    let same = |kind, now: Result<Vec<u8>, codec::CodecError>, event: Event| {
        assert_eq!(codec::decode_event(kind, &now.expect("encodable")).expect("readable"), event);
    };
    same(EntityKind::Gate, codec::encode(&taken), taken.into());
    same(EntityKind::Gate, codec::encode(&struck), struck.into());
    same(EntityKind::Account, codec::encode(&accepted), accepted.into());
}

/// As these two were written before the desk of doubtful records.
#[derive(serde::Serialize)]
enum Before {
    RecordsTaken { epoch: u64, station: &'static str, records: Vec<Record>, rejected: Vec<RejectedRecord>, limits: RecordLimits },
    RecordStruck { tap: TapId, outcome: RecordOutcome },
}

#[test]
fn a_batch_and_a_strike_without_the_newer_fields_stay_readable() {
    let tap = TapId { device: DeviceId::new("g1").expect("an id"), epoch: 7, seq: 42 };
    let limits = RecordLimits { forgotten: vec![], prints_kept: 300, owed_again: Millis(5_000) };
    let taken = Before::RecordsTaken { epoch: 7, station: "tianfu", records: vec![], rejected: vec![], limits };
    let struck = Before::RecordStruck { tap, outcome: RecordOutcome::Taken };
    let read = |event: &Before| codec::decode_event(EntityKind::Gate, &codec::encode(event).expect("encodable")).expect("readable");
    assert!(matches!(read(&taken), Event::Gate(gate::Event::RecordsTaken { clock: Millis(0), corrected: false, .. })));
    assert!(matches!(read(&struck), Event::Gate(gate::Event::RecordStruck { doubted: None, .. })));
}

fn stays(name: &str, kind: EntityKind, now: &Result<Vec<u8>, codec::CodecError>, event: &Event) {
    let now = now.as_ref().expect("encodable");
    let bytes = golden(name, now);
    assert_eq!(codec::decode_event(kind, &bytes).expect("readable"), *event, "{name}");
    assert_eq!(*now, bytes, "{name}: the same version writes the same bytes");
}
