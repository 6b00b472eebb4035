//! Every event of every machine as its line: the golden file of the export.
use super::{Item, line};
use serde_json::Value;
use tongdao_domain::account::{self, AdjustKind, Change, Doubt, Doubted, RecordOutcome, Tail, WalletClass};
use tongdao_domain::alarm::{self, AlarmCode, Severity};
use tongdao_domain::code::Code;
use tongdao_domain::device::{self, By, DeviceKind, SecretHash};
use tongdao_domain::entity::{EntityKey, EntityKind};
use tongdao_domain::gate::{self, AckResult, DeviceOrder, RecordLimits, RejectedRecord, Twin};
use tongdao_domain::id::{CommandId, TapId};
use tongdao_domain::journey::{Open, Stop};
use tongdao_domain::ledger::{LedgerAccount, Posting, transfer};
use tongdao_domain::machine::Event;
use tongdao_domain::money::{Amount, Currency};
use tongdao_domain::station::{self, AlarmKind, Mode, Service};
use tongdao_domain::tap::{DecidedBy, Direction, Medium, MediumKind, Passage, Record, Shown, Tap};
use tongdao_domain::time::{Day, Millis, Timestamp};
use tongdao_domain::user::{self, PasswordHash, Role, Scope};
use tongdao_domain::{approval, audit, deny, doubtful, medium};

/// 2026-03-02T08:00:00.000Z.
const EIGHT: Timestamp = Timestamp(1_772_438_400_000);

fn id<T: std::str::FromStr>(text: &str) -> T {
    text.parse().unwrap_or_else(|_| panic!("{text} is no id"))
}
fn by() -> By {
    By { user: id("ops1"), reason: "a test".into() }
}
fn command(text: &str) -> CommandId {
    CommandId::new(text).expect("an id")
}
fn tap_id() -> TapId {
    TapId { device: id("g1"), epoch: 7, seq: 42 }
}
fn tap(direction: Direction) -> Tap {
    let medium = Medium { kind: MediumKind::Qr, token: id("t1"), qr: Some("t1.1772438400.c2ln".into()), counter: None, signature: None };
    Tap { id: tap_id(), direction, medium, at: EIGHT, deadline: Millis(250), mode: 3, list_version: 0 }
}
fn record() -> Record {
    Record {
        tap: tap_id(),
        direction: Direction::Exit,
        medium: Some(tap(Direction::Exit).medium),
        at: EIGHT,
        mode: 3,
        by: DecidedBy::Gate,
        shown: Shown::Open,
        passage: Some(Passage::Passed),
    }
}
fn yuan(n: i64) -> Amount {
    Amount::from_fen(n * 100)
}
fn paid() -> Change {
    let legs = transfer(LedgerAccount::Rider, LedgerAccount::Operator("metro".into()), yuan(2));
    let posting = Posting { number: 2, journey: "g2/3/9".into(), day: Day(20_514), fares_from: Some(EIGHT), legs };
    Change { postings: vec![posting], tail: Tail::Closed, forget_before: Some(EIGHT), ..Change::default() }
}

fn of_accounts() -> Vec<account::Event> {
    use account::Event as E;
    let funded = transfer(LedgerAccount::Funding, LedgerAccount::Rider, yuan(50));
    let entered = Change { tail: Tail::Opened { hold: yuan(2), closes_at: EIGHT }, ..Change::default() };
    let entry = Stop { tap: tap_id(), station: id("tianfu"), at: EIGHT };
    let open = Open { entry, hold: yuan(2), closes_at: EIGHT, overstay_collected: true };
    let is = Change { tail: Tail::Is(Box::new(open)), ..Change::default() };
    let decided = |tap, code, number, fare, change| E::TapDecided { tap, station: id("tianfu"), code, number, fare, mode_rev: 3, change };
    vec![
        E::Opened { class: WalletClass::Four, passenger_class: "adult".into(), currency: Currency::CNY, legs: funded.clone(), by: by() },
        E::Linked { token: id("t1"), kind: MediumKind::Qr, by: by() },
        E::Unlinked { token: id("t1"), by: by() },
        E::Credited { legs: funded, by: by() },
        E::Frozen { by: by() },
        E::Unfrozen { by: by() },
        decided(tap(Direction::Entry), Code::Ok, Some(1), None, entered),
        decided(tap(Direction::Exit), Code::Ok, Some(2), Some(yuan(2)), paid()),
        decided(tap(Direction::Exit), Code::Insufficient, None, None, Change::default()),
        E::TapRepeated { tap: tap(Direction::Exit), station: id("tianfu"), code: Code::Ok, number: 2, fare: Some(yuan(2)) },
        E::PassageReported { tap: tap_id(), outcome: Passage::NotPassed, at: EIGHT, change: is },
        E::RecordTaken { record: record(), station: id("tianfu"), clock: Millis(0), twin: None, change: paid() },
        E::RecordTaken { record: record(), station: id("tianfu"), clock: Millis(-90_000), twin: Some(tap_id()), change: paid() },
        E::RecordAccepted {
            record: record(),
            tap: tap_id(),
            station: id("tianfu"),
            at: EIGHT,
            doubt: Doubt::At,
            command_id: command("accept/g1.7.42/1"),
            by: by(),
            change: paid(),
        },
        E::RecordDoubted { record: record(), station: id("tianfu"), doubt: Doubt::TooOld },
        E::Adjusted {
            kind: AdjustKind::AddExit,
            station: id("tianfu"),
            at: EIGHT,
            tap: tap_id(),
            number: 3,
            fare: yuan(2),
            command_id: command("desk/1"),
            by: by(),
            change: paid(),
        },
        E::JourneyClosed { until: EIGHT, command_id: command("tick/1"), change: paid() },
    ]
}

fn of_gates() -> Vec<gate::Event> {
    use gate::Event as E;
    let order = DeviceOrder { id: command("c/1"), command: "restart".into(), args: "{\"soft\":true}".into(), expires_at: EIGHT, by: by() };
    let rejected = vec![RejectedRecord { record: record(), code: Code::KeyReused, first: None }];
    let limits = RecordLimits { forgotten: vec![], prints_kept: 300, owed_again: Millis(5000) };
    vec![
        E::TapRefused { tap: tap(Direction::Entry), code: Code::NotInService, station: Some(id("tianfu")), rev: 3 },
        E::Passed { tap: tap_id(), outcome: Passage::Intrusion, at: EIGHT },
        E::RecordsTaken {
            epoch: 7,
            station: id("tianfu"),
            records: vec![record()],
            rejected,
            limits,
            clock: Millis(-90_000),
            corrected: true,
        },
        E::RecordStruck { tap: tap_id(), outcome: RecordOutcome::Doubtful, doubted: Some(Doubted::of(Doubt::At)) },
        E::CaseTold { name: "g1.7.42".into() },
        E::StateReported(Twin {
            online: true,
            service: "both".into(),
            firmware: "2.4.1".into(),
            versions: [("list".into(), "12".into())].into(),
            faults: vec!["reader".into()],
            at: EIGHT,
        }),
        E::ModeAcked { id: command("m/3"), rev: 3, result: AckResult::Done, detail: "".into(), at: EIGHT },
        E::AckNoted { id: command("m/2"), result: AckResult::Failed, detail: "jammed".into(), at: EIGHT },
        E::Ordered { order, forgotten: vec![command("c/0")] },
        E::OrderSent { id: command("c/1") },
        E::OrderEnded { id: command("c/1"), result: AckResult::Unsupported, detail: "no printer".into() },
    ]
}

fn of_stations() -> Vec<station::Event> {
    use station::Event as E;
    vec![
        E::ModesSet {
            id: command("m/3"),
            rev: 3,
            modes: [Mode::Closed, Mode::Emergency].into(),
            from: EIGHT,
            until: Some(EIGHT),
            by: Some(by()),
            approved_by: Some(id("ops2")),
            kept_from: EIGHT,
        },
        E::Alarmed { device: id("g1"), alarm: "al-1".into(), kind: AlarmKind::Fire, on: true, at: EIGHT },
        E::ServiceSet { id: command("m/4"), rev: 4, devices: vec![id("g1")], service: Service::Paused, by: by(), from: EIGHT },
    ]
}

fn of_the_rest() -> Vec<(EntityKind, Event)> {
    let secret = SecretHash([0xab; 32]);
    let added = device::Event::Added { kind: DeviceKind::Gate, site: id("cd"), secret, by: by() };
    let fault = audit::Fault { source: "g1".into(), code: "foreign_topic".into(), minute: EIGHT, count: 3 };
    vec![
        (EntityKind::Medium, medium::Event::Claimed { owner: id("a1") }.into()),
        (EntityKind::Medium, medium::Event::Released { owner: id("a1") }.into()),
        (EntityKind::Device, added.into()),
        (EntityKind::Device, device::Event::Rotated { secret, by: by() }.into()),
        (EntityKind::Device, device::Event::Revoked { by: by() }.into()),
        (EntityKind::Audit, audit::Event::Counted(fault).into()),
    ]
}

fn of_staff() -> Vec<(EntityKind, Event)> {
    let note = audit::Note { by: id("li"), op: "medium.find".into(), target: "account/a1".into(), detail: "".into() };
    let (roles, password) = ([Role::Auditor, Role::Admin].into(), PasswordHash::new("$argon2id$v=19$canary").expect("a hash"));
    let added = user::Event::Added { roles, scope: Scope::All, password: Some(password.clone()), by: by() };
    let scope = |station| Scope::Stations([id(station)].into());
    let asked = approval::Asked {
        op: "station.release".into(),
        args: r#"{"station":"tianfu"}"#.into(),
        command_id: command("c/1"),
        digest: "cd".repeat(32).into(),
        by: by(),
        expires_at: EIGHT,
        station: Some(id("tianfu")),
        rev: None,
    };
    let (code, source, severity) = (AlarmCode::GatesOffline, "tianfu".into(), Severity::Major);
    let token = user::token::Event::Made {
        id: id("t1"),
        name: "a wall".into(),
        hash: device::SecretHash([7; 32]),
        roles: Some([Role::Auditor].into()),
        scope: Some(scope("tianfu")),
        expires_at: EIGHT,
        by: by(),
    };
    let tokens = [token, user::token::Event::Revoked { id: id("t1"), by: by() }, user::token::Event::Used { id: id("t1") }];
    let users = [
        added,
        user::Event::PasswordSet { password, by: by() },
        user::Event::RolesSet { roles: [Role::Teller].into(), scope: scope("tianfu"), by: by() },
        user::Event::RolesSet { roles: [Role::Teller].into(), scope: Scope::Sites([id("cd")].into()), by: by() },
        user::Event::Disabled { by: by() },
        user::Event::SessionsEnded { by: by() },
    ];
    let alarms = [
        alarm::Event::Raised { code, source, severity, device: Some(id("g1")) },
        alarm::Event::Settled { device: Some(id("g1")) },
        alarm::Event::Acked { by: by() },
        alarm::Event::Snoozed { until: EIGHT, by: by() },
        alarm::Event::Woken,
        alarm::Event::Cleared { by: None },
    ];
    let approvals = [
        approval::Event::Requested(asked),
        approval::Event::Approved { by: by() },
        approval::Event::Rejected { by: by() },
        approval::Event::Expired,
        approval::Event::Ran { refused: Some("WRONG_STATE".into()) },
    ];
    let doubtful = of_the_desk().into_iter().map(|event| (EntityKind::Doubtful, event.into()));
    let users = users.into_iter().map(|event| (EntityKind::User, event.into()));
    let alarms = alarms.into_iter().map(|event| (EntityKind::Alarm, event.into()));
    let approvals = approvals.into_iter().map(|event| (EntityKind::Approval, event.into()));
    let noted = (EntityKind::Audit, audit::Event::Noted(note).into());
    let tokens = tokens.into_iter().map(|event| (EntityKind::User, user::Event::Token(event).into()));
    std::iter::once(noted).chain(users).chain(alarms).chain(approvals).chain(tokens).chain(doubtful).collect()
}

fn of_the_desk() -> Vec<doubtful::Event> {
    let case = doubtful::Case {
        record: record(),
        station: id("tianfu"),
        doubt: Doubt::KeyReused,
        first: Some(Box::new(record())),
        other: Some(tap_id()),
        clock: Millis(-90_000),
        corrected: true,
        since: EIGHT,
    };
    vec![
        doubtful::Event::Opened(Box::new(case)),
        doubtful::Event::Accepted { by: by(), owed_again: Millis(5_000) },
        doubtful::Event::Rejected { by: by() },
        doubtful::Event::Posted,
        doubtful::Event::Returned { hint: "NOT_FOUND: no account has this medium".into() },
    ]
}

fn of_the_deny_list() -> Vec<(EntityKind, Event)> {
    let (tokens, due, account) = (vec![id("t1"), id("t2")], EIGHT, id("a1"));
    let delta = deny::Delta { to: 7, add: tokens.clone(), remove: vec![id("t0")], hash: deny::hash_of(&tokens) };
    let reached = deny::Reached { version: 7, scope: deny::Scope::All, gates: 40, at: EIGHT, took: Millis(1_234) };
    let events = [
        deny::Event::Listed { tokens: tokens.clone(), by: by(), due },
        deny::Event::Unlisted { tokens, by: by(), due },
        deny::Event::Account { account, deny: vec![(id("t3"), deny::Why::Frozen)], allow: vec![id("t4")], due },
        deny::Event::VersionMade { delta, count: 2, since: EIGHT, forgotten: 1, due: Some(EIGHT) },
        deny::Event::Reached(reached),
    ];
    events.into_iter().map(|event| (EntityKind::DenyList, event.into())).collect()
}

fn lines() -> Vec<String> {
    let accounts = of_accounts().into_iter().map(|event| (EntityKind::Account, Event::Account(event)));
    let gates = of_gates().into_iter().map(|event| (EntityKind::Gate, Event::Gate(event)));
    let stations = of_stations().into_iter().map(|event| (EntityKind::Station, Event::Station(event)));
    let events = accounts.chain(gates).chain(stations).chain(of_the_rest()).chain(of_staff()).chain(of_the_deny_list());
    let command_id = command("tap/g1/7/42");
    let exported = |(seq, (kind, event)): (u64, (EntityKind, Event))| {
        let entity = EntityKey::new(kind, "x1");
        line(&Item { partition: 9, seq, at: EIGHT + Millis(40), entity: &entity, version: seq, command_id: &command_id, event: &event })
    };
    (1..).zip(events).map(exported).collect()
}

#[test]
fn every_event_is_the_line_it_was() {
    // Parsed and written again, so that the order of fields does not depend on what else is built.
    let values: Vec<Value> = lines().iter().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let sorted = values.iter().map(|value| format!("{} {}\n", value["event"].as_str().unwrap_or_default(), sorted(value)));
    insta::assert_snapshot!("lines", sorted.collect::<String>());
}

fn sorted(value: &Value) -> String {
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().map(|(name, field)| format!("{name:?}:{}", sorted(field))).collect();
            fields.sort();
            format!("{{{}}}", fields.join(","))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(sorted).collect::<Vec<_>>().join(",")),
        plain => plain.to_string(),
    }
}

#[test]
fn a_line_begins_with_its_place_and_is_one_line() {
    for line in lines() {
        assert!(line.starts_with(r#"{"partition":9,"seq":"#) && !line.contains('\n'), "{line}");
        assert!(line.contains(r#""at":"2026-03-02T08:00:00.040Z","entity":""#), "{line}");
    }
}

#[test]
fn a_decision_says_result_code_fare_and_reference() {
    let lines = lines();
    let exit: Value = serde_json::from_str(&lines[7]).expect("JSON");
    let d = &exit["d"];
    assert_eq!(
        (&exit["event"], &exit["entity"], &exit["command_id"]),
        (&"tap.decided".into(), &"account/x1".into(), &"tap/g1/7/42".into())
    );
    assert_eq!((&d["result"], &d["code"], &d["ref"], &d["fare"]["amount"]), (&"open".into(), &"OK".into(), &"x1/2".into(), &"2.00".into()));
    let refused: Value = serde_json::from_str(&lines[8]).expect("JSON");
    assert_eq!((&refused["d"]["result"], refused["d"].get("ref"), refused["d"].get("fare")), (&"deny".into(), None, None));
}

#[test]
fn no_hash_of_a_secret_is_exported() {
    let all = lines().join("\n");
    assert!(!all.contains("secret") && !all.contains("171") && !all.to_lowercase().contains("abab"));
    assert!(!all.contains("argon2id") && !all.contains("canary") && all.contains(r#""password":"***""#));
}
