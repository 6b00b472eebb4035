//! Every operation of consoles on a real server: what it does stands in the journal, who may not is refused, a mistake names
//! its field, the same again gets the same answer (over a restart too), and the same id means one thing only.
#![expect(clippy::disallowed_methods, reason = "waits for a whole process by the wall clock")]
mod common;
use common::http::{Answer, Page};
use common::{PATIENCE, Server, now_ms, rfc3339};
use rumqttc::v5::mqttbytes::v5::PubAckReason;
use serde_json::{Value, json};
use std::io::Write as _;
use std::net::TcpStream;
use std::time::Instant;

const MANY: &str = "[console]\nsign_ins_per_minute_user = 1000\nsign_ins_per_minute_address = 10000\n";

fn password(server: &Server, user: &str, roles: &str) -> String {
    server.by_li(&["user", "add", user, "--roles", roles, "--scope", "all"]).trim().to_owned()
}
fn sign_in<'a>(server: &'a Server, user: &str, password: &str) -> Page<'a> {
    Page::sign_in(server, user, password).unwrap_or_else(|answer| panic!("{user}: {answer:?}"))
}
fn person<'a>(server: &'a Server, user: &str, roles: &str) -> Page<'a> {
    sign_in(server, user, &password(server, user, roles))
}
fn body(id: &str, op: &str, args: &Value) -> Value {
    json!({"command_id": id, "op": op, "args": args, "ttl_ms": 30_000})
}
fn give(page: &Page<'_>, id: &str, op: &str, args: &Value) -> Answer {
    page.post("commands", &body(id, op, args))
}
/// The events of a command.
fn events(server: &Server, id: &str) -> Vec<Value> {
    server.export().into_iter().filter(|line| line["command_id"] == id).collect()
}
/// Asks until it fits.
fn wait<T: std::fmt::Debug>(what: &str, ask: impl Fn() -> T, fits: impl Fn(&T) -> bool) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        let answer = ask();
        if fits(&answer) {
            return answer;
        }
        assert!(Instant::now() < end, "{what}: {answer:?}");
        std::thread::yield_now();
    }
}

/// One operation that changes something.
struct Case {
    op: &'static str,
    /// Who may.
    by: &'static str,
    /// Who may not.
    not_by: &'static str,
    args: Value,
    /// A field, and a value that it cannot have.
    bad: (&'static str, Value),
    /// Where the reason stands.
    why: &'static str,
    /// What stands in the journal afterwards.
    event: &'static str,
    /// The field of a secret in its answer.
    secret: Option<&'static str>,
}

#[rustfmt::skip]
fn cases() -> Vec<Case> {
    let tomorrow = rfc3339(now_ms() + 3_600_000);
    let case = |op, by, not_by, args, bad, event| Case { op, by, not_by, args, bad, why: "reason", event, secret: None };
    vec![
        case("station.mode", "operator", "technician", json!({"station": "tianfu", "modes": ["closed"], "reason": "works"}), ("modes", json!(["party"])), "station.modes_set"),
        case("gate.service", "technician", "auditor", json!({"devices": ["g3"], "service": "paused", "reason": "works"}), ("service", json!("asleep")), "station.service_set"),
        case("journey.adjust", "manager", "admin", json!({"account": "a1", "kind": "add_entry", "station": "tianfu", "reason": "gate open"}), ("kind", json!("gift")), "journey.adjusted"),
        case("record.decide", "operator", "auditor", json!({"record": "g1.1.1", "accept": false, "reason": "an altered copy"}), ("accept", json!("perhaps")), "doubtful.rejected"),
        case("medium.unfreeze", "manager", "operator", json!({"token": "m2"}), ("token", json!("no token")), "account.unfrozen"),
        case("device.command", "technician", "auditor", json!({"device": "g1", "command": "restart", "ttl_ms": 60_000}), ("ttl_ms", json!(86_400_001_u64)), "order.queued"),
        Case { secret: Some("secret"), ..case("device.add", "technician", "operator", json!({"device": "kiosk1", "kind": "kiosk", "site": "cd"}), ("kind", json!("toaster")), "device.added") },
        Case { secret: Some("secret"), ..case("device.rotate", "admin", "manager", json!({"device": "kiosk1"}), ("device", json!("")), "device.rotated") },
        case("device.revoke", "technician", "operator", json!({"device": "kiosk1"}), ("device", json!(7)), "device.revoked"),
        Case { why: "note", ..case("alarm.ack", "operator", "auditor", json!({"id": "tamper.tianfu"}), ("id", json!("")), "alarm.acked") },
        Case { why: "note", ..case("alarm.snooze", "operator", "auditor", json!({"id": "tamper.tianfu", "until": tomorrow}), ("until", json!("later")), "alarm.snoozed") },
        Case { why: "note", ..case("alarm.clear", "technician", "auditor", json!({"id": "tamper.tianfu"}), ("note", json!(1)), "alarm.cleared") },
        Case { secret: Some("password"), ..case("user.add", "admin", "manager", json!({"user": "qian", "roles": ["teller"], "scope": "all"}), ("roles", json!(["king"])), "user.added") },
        case("user.roles", "admin", "auditor", json!({"user": "qian", "roles": ["lobby"], "scope": {"stations": ["tianfu"]}}), ("scope", json!("moon")), "user.roles_set"),
        case("user.end_sessions", "admin", "manager", json!({"user": "qian"}), ("user", json!("li ming")), "user.sessions_ended"),
        case("user.disable", "admin", "manager", json!({"user": "qian"}), ("colour", json!("red")), "user.disabled"),
    ]
}

const PEOPLE: [(&str, &str); 5] =
    [("operator", "gate_operator"), ("manager", "manager"), ("technician", "technician"), ("auditor", "auditor"), ("admin2", "admin")];

fn with(args: &Value, field: &str, value: Value) -> Value {
    let mut args = args.clone();
    args[field] = value;
    args
}

#[test]
fn every_change_is_done_once_by_whoever_may_and_a_restart_changes_nothing_about_it() {
    let mut server = Server::start(MANY);
    server.accounts("a1,4,adult,50.00,ecny,m1\na2,4,adult,50.00,ecny,m2\n");
    server.by_li(&["account", "freeze", "a2"]);
    let gate = server.gate("g1", &server.add_gate("g1"));
    let alarm = json!({"id": "t1", "kind": "tamper", "on": true, "at": rfc3339(now_ms())});
    assert_eq!(gate.up("alarm", &alarm), PubAckReason::Success);
    let record = json!({"seq": 1, "direction": "entry", "medium": {"kind": "card", "token": "nobody"}, "at": rfc3339(now_ms()), "mode": 0,
                        "by": "gate", "shown": "open", "passage": "passed"});
    gate.throw("records", &json!({"epoch": 1, "first_seq": 1, "records": [record]}));
    let passwords = PEOPLE.map(|(user, roles)| (user, password(&server, user, roles)));
    let mut told = Vec::new();
    {
        let pages = passwords.clone().map(|(user, password)| (user.trim_end_matches('2'), sign_in(&server, user, &password)));
        let page = |role: &str| &pages.iter().find(|(user, _)| *user == role).expect("somebody").1;
        wait("the alarm", || page("operator").get("alarms/tamper.tianfu"), |answer| answer.status == 200);
        wait("the doubtful record", || page("operator").get("doubtful/g1.1.1"), |answer| answer.status == 200);
        let items = page("manager").get("doubtful?station=tianfu&doubt=unknown_medium").json();
        assert_eq!((&items["items"][0]["record"], &items["next"]), (&json!("g1.1.1"), &Value::Null));
        assert_eq!(page("technician").get("doubtful").refusal(), (403, "FORBIDDEN".into()));
        for case in cases() {
            let Case { op, args, .. } = &case;
            let id = format!("test/{op}");
            assert_eq!(give(page(case.not_by), &format!("not/{op}"), op, args).refusal(), (403, "FORBIDDEN".into()), "{op}");
            assert_eq!(events(&server, &format!("not/{op}")).len(), 0, "{op}: refused and done");
            let bad = give(page(case.by), &id, op, &with(args, case.bad.0, case.bad.1.clone()));
            assert_eq!(bad.refusal(), (400, "BAD_ARGS".into()), "{op}: {:?}", bad.json());
            assert!(bad.json()["params"]["field"].as_str().is_some_and(|field| field.starts_with(case.bad.0)), "{op}: {}", bad.json());
            let first = give(page(case.by), &id, op, args);
            assert_eq!(first.status, 200, "{op}: {}", first.json());
            if let Some(secret) = case.secret {
                assert!(first.json()["result"][secret].as_str().is_some_and(|secret| secret.len() >= 20), "{op}: {}", first.json());
            }
            assert_eq!(give(page(case.by), &id, op, args).json(), first.json(), "{op}: the same again");
            let other = give(page(case.by), &id, op, &with(args, case.why, json!("another")));
            assert_eq!(other.refusal(), (409, "KEY_REUSED".into()), "{op}");
            let done: Vec<String> = events(&server, &id).iter().map(|line| line["event"].as_str().expect("a name").to_owned()).collect();
            assert_eq!(done, [case.event], "{op}");
            told.push((id, first.json(), case));
        }
    }
    gate.leave();
    assert_eq!(server.terminate(), Some(0));
    server.spawn();
    let pages = passwords.map(|(user, password)| (user.trim_end_matches('2'), sign_in(&server, user, &password)));
    let page = |role: &str| &pages.iter().find(|(user, _)| *user == role).expect("somebody").1;
    for (id, first, case) in &told {
        let again = give(page(case.by), id, case.op, &case.args);
        let mut wanted = first["result"].clone();
        if let Some(secret) = case.secret {
            wanted[secret] = Value::Null;
        }
        assert_eq!(
            (again.status, &again.json()["result"]),
            (200, &wanted),
            "{}: the first answer, without what nobody knows any more",
            case.op
        );
        let other = give(page(case.by), id, case.op, &with(&case.args, case.why, json!("another")));
        assert_eq!(other.refusal(), (409, "KEY_REUSED".into()), "{}", case.op);
        assert_eq!(events(&server, id).len(), 1, "{}: once", case.op);
    }
}

#[test]
fn what_only_looks_is_looked_up_each_time_and_stands_in_the_audit() {
    let server = Server::start(&format!("{MANY}audit_events_max = 5\n"));
    server.accounts("a1,4,adult,50.00,ecny,m1\n");
    let (manager, auditor, technician) =
        (person(&server, "wang", "manager"), person(&server, "sun", "auditor"), person(&server, "wu", "technician"));
    let (token, span) = (json!({"token": "m1"}), json!({"from": rfc3339(now_ms() - 3_600_000), "to": rfc3339(now_ms() + 3_600_000)}));
    for (page, op, args) in [(&technician, "medium.find", &token), (&technician, "audit.search", &span), (&manager, "audit.verify", &span)]
    {
        assert_eq!(give(page, "no/1", op, args).refusal(), (403, "FORBIDDEN".into()), "{op}");
        let bad = give(if op == "audit.verify" { &auditor } else { &manager }, "no/2", op, &with(args, "colour", json!(1)));
        assert_eq!((bad.refusal(), &bad.json()["params"]["field"]), ((400, "BAD_ARGS".into()), &json!("colour")), "{op}");
    }
    let looks = || server.export().iter().filter(|line| line["d"]["op"] == "medium.find").count();
    let found = give(&manager, "look/1", "medium.find", &token).json();
    assert_eq!((&found["result"]["account"], &found["result"]["balance"]["amount"]), (&json!("a1"), &json!("50.00")));
    server.by_li(&["account", "credit", "a1", "5.00"]);
    let again = give(&manager, "look/1", "medium.find", &token).json();
    assert_eq!(again["result"]["balance"]["amount"], "55.00", "nothing of a customer is kept for a repeat");
    assert_eq!(looks(), 2, "each look stands in the audit");
    assert_eq!(give(&manager, "look/2", "medium.find", &json!({"token": "m9"})).refusal(), (404, "NOT_FOUND".into()));
    let with_rev = json!({"command_id": "look/3", "op": "medium.find", "args": token, "ttl_ms": 1000, "if_rev": 1});
    assert_eq!(manager.post("commands", &with_rev).json()["params"]["field"], "if_rev", "there is no revision of a look");

    // A page of the audit looks at five events here; somebody who goes on finds everything, and the oldest last.
    let (mut items, mut pages, mut cursor) = (Vec::new(), 0, Value::Null);
    loop {
        let mut args = with(&span, "op", json!("medium."));
        if !cursor.is_null() {
            args["cursor"] = cursor.clone();
        }
        let page = give(&auditor, &format!("search/{pages}"), "audit.search", &args).json();
        items.extend(page["result"]["items"].as_array().unwrap_or_else(|| panic!("{page}")).clone());
        cursor = page["result"]["next"].clone();
        pages += 1;
        if cursor.is_null() {
            break;
        }
    }
    assert!(pages > 2, "more than one piece: {pages}");
    let ops: Vec<&str> = items.iter().filter_map(|item| item["op"].as_str()).collect();
    assert_eq!(ops, ["medium.find", "medium.find", "medium.linked"], "the newest first: {items:?}");
    assert_eq!(give(&auditor, "bad/1", "audit.search", &with(&span, "cursor", json!("x"))).json()["params"]["field"], "cursor");
    let whole = give(&auditor, "verify/1", "audit.verify", &span).json();
    assert_eq!(whole["result"]["ok"], true, "{whole}");
    assert!(whole["result"]["records"].as_u64().is_some_and(|records| records > 5) && whole["result"].get("upto").is_none(), "{whole}");
    let noted = server.export().into_iter().filter(|line| line["d"]["op"] == "audit.verify").count();
    assert_eq!(noted, 1);
}

#[test]
fn what_somebody_else_has_changed_meanwhile_is_not_overwritten() {
    let server = Server::start(MANY);
    server.add_gate("g1");
    server.by_li(&["user", "add", "qian", "--roles", "teller", "--scope", "all"]);
    let admin = person(&server, "wang", "admin,gate_operator");
    let give = |id: &str, op: &str, args: &Value, rev: u64| {
        let mut body = body(id, op, args);
        body["if_rev"] = json!(rev);
        admin.post("commands", &body)
    };
    let board = |channel: &str, field: &str| admin.get(&format!("boards/{channel}")).json()["snapshot"][field].as_u64().expect("a rev");
    let closed = json!({"station": "tianfu", "modes": ["closed"], "reason": "works"});
    let paused = json!({"devices": ["g1"], "service": "paused", "reason": "works"});
    let order = json!({"device": "g1", "command": "restart", "ttl_ms": 60_000});
    let roles = json!({"user": "qian", "roles": ["lobby"], "scope": "all"});
    let user = admin.get("users/qian").json()["rev"].as_u64().expect("a rev");
    for (op, args, rev) in [
        ("station.mode", &closed, board("gates:tianfu", "rev")),
        ("gate.service", &paused, board("gates:tianfu", "rev") + 1),
        ("device.command", &order, board("device:g1", "orders_rev")),
        ("device.rotate", &json!({"device": "g1"}), board("device:g1", "rev")),
        ("user.roles", &roles, user),
        ("user.disable", &json!({"user": "qian"}), user + 1),
    ] {
        let stale = give(&format!("old/{op}"), op, args, rev + 7);
        assert_eq!(stale.refusal(), (412, "STALE_REV".into()), "{op}");
        assert_eq!(stale.json()["params"]["rev"], rev, "{op}: what is there");
        assert_eq!(give(&format!("new/{op}"), op, args, rev).status, 200, "{op}");
        assert_eq!(give(&format!("new/{op}"), op, args, rev).status, 200, "{op}: the same again has moved it on itself");
        assert_eq!(give(&format!("late/{op}"), op, args, rev).refusal(), (412, "STALE_REV".into()), "{op}");
    }
    let device = admin.get("devices/g1").json();
    assert_eq!((&device["rev"], &device["desired"], &device["orders_open"]), (&json!(2), &json!("paused"), &json!(1)), "{device}");
}

/// Sends a command and does not read the answer.
fn send_only(server: &Server, page: &Page<'_>, body: &Value) -> TcpStream {
    let (text, host) = (body.to_string(), format!("localhost:{}", server.http));
    let request = format!(
        "POST /api/v1/commands HTTP/1.1\r\nHost: {host}\r\nCookie: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{text}",
        page.cookie,
        text.len()
    );
    let mut stream = TcpStream::connect(("127.0.0.1", server.http)).expect("the server listens");
    stream.write_all(request.as_bytes()).expect("sent");
    stream
}

#[test]
fn what_needs_two_persons_waits_for_another_one_who_sees_what_they_approve() {
    let mut server = Server::start(MANY);
    let (li, wang) = (password(&server, "zhao", "gate_operator"), password(&server, "wang", "supervisor"));
    let release = json!({"station": "tianfu", "reason": "over"});
    let waiting = {
        let (zhao, wang) = (sign_in(&server, "zhao", &li), sign_in(&server, "wang", &wang));
        let emergency = json!({"station": "tianfu", "modes": ["emergency"], "reason": "smoke"});
        assert_eq!(give(&zhao, "c/1", "station.mode", &emergency).status, 200);
        let waits = give(&zhao, "c/2", "station.release", &release);
        assert_eq!(waits.refusal(), (409, "NEEDS_APPROVAL".into()));
        assert_eq!(give(&zhao, "c/2", "station.release", &release).json(), waits.json(), "the same again");
        let id = waits.json()["params"]["approval"].as_str().expect("an id").to_owned();
        let item = zhao.get(&format!("approvals/{id}")).json();
        assert_eq!((&item["state"], &item["by"], &item["args"]), (&json!("pending"), &json!("zhao"), &release));
        let yes = json!({"id": id, "digest": item["digest"]});
        assert_eq!(give(&zhao, "y/1", "approval.approve", &yes).refusal(), (403, "FORBIDDEN".into()), "one's own");
        let other = with(&yes, "digest", json!("0".repeat(64)));
        assert_eq!(give(&wang, "y/2", "approval.approve", &other).refusal(), (409, "CONTRADICTS".into()), "not what they saw");
        let technician = person(&server, "wu", "technician");
        assert_eq!(give(&technician, "y/3", "approval.approve", &yes).refusal(), (403, "FORBIDDEN".into()));
        assert_eq!(give(&wang, "y/4", "approval.approve", &with(&yes, "id", json!("nothing"))).refusal(), (404, "NOT_FOUND".into()));
        assert!(events(&server, "c/2").is_empty(), "nothing is done before");
        let line = send_only(&server, &wang, &body("y/5", "approval.approve", &yes));
        wait("the yes", || zhao.get(&format!("approvals/{id}")).json(), |item| item["state"] != "pending");
        drop(line);
        let item = wait("its outcome", || zhao.get(&format!("approvals/{id}")).json(), |item| item["state"] == "done");
        assert_eq!((&item["decided_by"], item.get("refused")), (&json!("wang"), None), "{item}");
        let done = events(&server, "c/2");
        assert_eq!((done.len(), &done[0]["d"]["by"]["user"], &done[0]["d"]["approved_by"]), (1, &json!("zhao"), &json!("wang")));
        assert_eq!(give(&wang, "y/6", "approval.reject", &yes).refusal(), (409, "WRONG_STATE".into()), "it is done");
        waits.json()
    };
    assert_eq!(server.terminate(), Some(0));
    server.spawn();
    let zhao = sign_in(&server, "zhao", &li);
    assert_eq!(give(&zhao, "c/2", "station.release", &release).json(), waiting, "the first answer, over a restart");
    for (op, args) in [
        ("station.release", with(&release, "reason", json!("x"))),
        ("gate.service", json!({"devices": ["g3"], "service": "open", "reason": "x"})),
    ] {
        assert_eq!(give(&zhao, "c/2", op, &args).refusal(), (409, "KEY_REUSED".into()), "{op}");
    }
    assert_eq!(events(&server, "c/2").len(), 1);
}

#[test]
fn what_is_rejected_or_too_old_is_not_done() {
    let server = Server::start(&format!("{MANY}[approvals]\nttl_s = 1\nwaive_above = \"5.00\"\n"));
    server.accounts("a1,4,adult,50.00,ecny,m1\n");
    let (zhao, wang) = (person(&server, "zhao", "gate_operator"), person(&server, "wang", "supervisor"));
    server.by_li(&["station", "emergency", "tianfu"]);
    let asked = |id: &str| {
        let waits = give(&zhao, id, "station.release", &json!({"station": "tianfu", "reason": "over"}));
        assert_eq!(waits.refusal(), (409, "NEEDS_APPROVAL".into()), "{}", waits.json());
        let approval = waits.json()["params"]["approval"].as_str().expect("an id").to_owned();
        let digest = zhao.get(&format!("approvals/{approval}")).json()["digest"].clone();
        json!({"id": approval, "digest": digest})
    };
    let taken_back = asked("c/1");
    let answer = give(&zhao, "n/1", "approval.reject", &taken_back);
    assert!(
        answer.status == 200 || answer.refusal().1 == "WRONG_STATE",
        "who asked takes it back, unless it was too slow: {}",
        answer.json()
    );
    let late = asked("c/2");
    let path = format!("approvals/{}", late["id"].as_str().expect("an id"));
    wait("its end", || zhao.get(&path).json(), |item| item["state"] == "expired");
    let refused = give(&wang, "y/1", "approval.approve", &late);
    assert_eq!(refused.refusal(), (409, "WRONG_STATE".into()));
    assert!(refused.json()["params"]["hint"].as_str().is_some_and(|hint| hint.contains("expired")), "{}", refused.json());
    assert!(events(&server, "c/1").is_empty() && events(&server, "c/2").is_empty());
    let ids = |answer: Answer| -> Vec<Value> {
        answer.json()["items"].as_array().expect("items").iter().map(|item| item["approval"].clone()).collect()
    };
    let all = ids(zhao.get("approvals"));
    let first = zhao.get("approvals?limit=1").json();
    let rest = ids(zhao.get(&format!("approvals?cursor={}", first["next"].as_str().expect("more"))));
    assert_eq!((all.len(), [vec![first["items"][0]["approval"].clone()], rest].concat()), (2, all), "a page goes on behind an id");
}

#[test]
fn what_is_approved_is_what_was_seen_when_it_was_asked_for() {
    let server = Server::start(MANY);
    server.add_gate("g1");
    let (zhao, wang) = (person(&server, "zhao", "gate_operator"), person(&server, "wang", "supervisor"));
    server.by_li(&["station", "emergency", "tianfu"]);
    let rev = || zhao.get("boards/gates:tianfu").json()["snapshot"]["rev"].as_u64().expect("a rev");
    let asked = |id: &str, rev: u64| {
        let mut body = body(id, "station.release", &json!({"station": "tianfu", "reason": "over"}));
        body["if_rev"] = json!(rev);
        let waits = zhao.post("commands", &body);
        assert_eq!(waits.refusal(), (409, "NEEDS_APPROVAL".into()), "{}", waits.json());
        let approval = waits.json()["params"]["approval"].as_str().expect("an id").to_owned();
        (json!({"id": approval, "digest": zhao.get(&format!("approvals/{approval}")).json()["digest"]}), format!("approvals/{approval}"))
    };
    let shown = wait("the emergency", rev, |rev| *rev > 0);
    let (first, path) = asked("c/1", shown);
    server.by_li(&["gate", "service", "g1", "paused"]);
    wait("a newer revision", rev, |rev| *rev > shown);
    let stale = give(&wang, "y/1", "approval.approve", &first);
    assert_eq!((stale.refusal(), &stale.json()["params"]["rev"]), ((412, "STALE_REV".into()), &json!(shown + 1)));
    assert_eq!(zhao.get(&path).json()["state"], "pending", "it can be taken back");
    assert!(events(&server, "c/1").is_empty(), "nothing is done");
    let (second, path) = asked("c/2", shown + 1);
    assert_eq!(give(&wang, "y/2", "approval.approve", &second).status, 200);
    let item = wait("its outcome", || zhao.get(&path).json(), |item| item["state"] == "done");
    assert_eq!((item.get("refused"), events(&server, "c/2").len()), (None, 1), "{item}");
}

#[test]
fn a_journey_says_what_its_price_comes_from() {
    let server = Server::start(MANY);
    server.accounts("a1,4,adult,50.00,ecny,m1\n");
    let (entry, exit) = (server.gate("g1", &server.add_gate("g1")), server.gate("g3", &server.add_gate("g3")));
    assert_eq!(entry.tap(1, "entry", "m1")["code"], "OK");
    assert_eq!(exit.tap(1, "exit", "m1")["code"], "OK");
    let zhao = person(&server, "zhao", "gate_operator");
    let found = give(&zhao, "f/1", "medium.find", &json!({"token": "m1"})).json();
    let journey = &found["result"]["journeys"][0];
    assert_eq!((&journey["rule"]["kind"], &journey["rule"]["table"]), (&json!("ladder"), &json!("chengdu")), "{journey}");
    assert!(journey["rule"]["since"].is_string() && journey["fare"]["amount"] == "2.00", "{journey}");
}
