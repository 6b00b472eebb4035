//! Consoles of a real server: what a gate does is seen live, nothing is missed over a cut, nothing is done twice, and what
//! was taken away is gone.
#![expect(clippy::disallowed_methods, reason = "waits for a whole process by the wall clock")]
mod common;
use common::http::{Answer, Page, send};
use common::socket::Console;
use common::{Gate, PATIENCE, Server};
use rumqttc::v5::mqttbytes::v5::PubAckReason;
use serde_json::{Value, json};
use std::time::Instant;

/// Lets somebody in and signs them in.
fn sign_in<'a>(server: &'a Server, user: &str, roles: &str, scope: &str) -> (Page<'a>, String) {
    let password = server.by_li(&["user", "add", user, "--roles", roles, "--scope", scope]).trim().to_owned();
    (Page::sign_in(server, user, &password).expect("signed in"), password)
}

#[test]
fn a_tap_is_seen_at_once_and_a_cut_is_made_up_for() {
    let server = Server::start("");
    server.accounts("a1,4,adult,50.00,ecny,m1\n");
    let gate = server.gate("g1", &server.add_gate("g1"));
    let (page, _) = sign_in(&server, "zhao", "gate_operator", "stations:tianfu");
    let mut console = Console::of_page(&server, &page);
    let begun = console.sub("gates:tianfu", None);
    assert_eq!((&begun["recovered"], &begun["snapshot"]["station"]), (&json!(false), &json!("tianfu")));
    assert_eq!(gate.tap(1, "entry", "m1")["code"], "OK");
    let seen = console.wait("tap", |frame| frame["t"] == "event" && frame["d"]["k"] == "tap");
    assert_eq!((&seen["d"]["device"], &seen["d"]["code"], &seen["ch"]), (&json!("g1"), &json!("OK"), &json!("gates:tianfu")));
    assert_eq!(console.sub("gates:luomashi", None)["error"]["code"], "NOT_FOUND", "out of scope does not exist");
    drop(console);
    assert_eq!(gate.tap(2, "entry", "m9")["result"], "deny", "nobody knows this medium");
    let mut again = Console::of_page(&server, &page);
    let end = Instant::now() + PATIENCE;
    loop {
        let answer = again.sub("gates:tianfu", Some((&begun["epoch"], &seen["seq"])));
        assert_eq!(answer["recovered"], true, "{answer}");
        let events = answer["events"].as_array().expect("events");
        let seqs: Vec<u64> = events.iter().filter_map(|event| event["seq"].as_u64()).collect();
        let first = seen["seq"].as_u64().expect("a seq") + 1;
        assert_eq!(seqs, (first..first + seqs.len() as u64).collect::<Vec<_>>(), "no gap");
        if events.iter().any(|event| event["d"]["k"] == "tap" && event["d"]["result"] == "deny") {
            break;
        }
        assert!(Instant::now() < end, "the tap of the cut: {answer}");
    }
    gate.leave();
}

#[test]
fn a_command_is_done_once_however_often_the_line_breaks() {
    let server = Server::start("");
    let (page, _) = sign_in(&server, "zhao", "gate_operator", "all");
    let closed = json!({"station": "tianfu", "modes": ["closed"], "reason": "test"});
    let mut console = Console::of_page(&server, &page);
    let first = console.cmd("c/1", "station.mode", closed.clone(), 5000);
    assert_eq!(first["ok"], true, "{first}");
    drop(console);
    let mut console = Console::of_page(&server, &page);
    assert_eq!(console.cmd("c/1", "station.mode", closed.clone(), 5000), first, "the same id, the same answer");
    let other = json!({"station": "luomashi", "modes": ["closed"], "reason": "test"});
    assert_eq!(console.cmd("c/1", "station.mode", other.clone(), 5000)["error"]["code"], "KEY_REUSED");
    assert_eq!(console.cmd("c/2", "station.mode", other.clone(), 0)["error"]["code"], "EXPIRED", "not done");
    let body = json!({"command_id": "c/1", "op": "station.mode", "args": closed, "ttl_ms": 5000});
    assert_eq!(page.post("commands", &body).json()["result"], first["result"], "one door");
    let sets: Vec<Value> =
        server.export().into_iter().filter(|line| line["entity"].as_str().is_some_and(|e| e.starts_with("station/"))).collect();
    assert_eq!(sets.len(), 1, "{sets:?}");
}

#[test]
fn what_is_taken_away_is_gone_and_a_drain_says_so() {
    let mut server = Server::start("");
    let (page, _) = sign_in(&server, "zhao", "gate_operator", "all");
    let mut console = Console::of_page(&server, &page);
    assert!(console.sub("approvals", None)["error"].is_null());
    server.by_li(&["user", "roles", "zhao", "--roles", "teller", "--scope", "all"]);
    let over = console.wait("end of the subscription", |frame| frame["t"] == "unsub");
    assert_eq!((&over["ch"], &over["error"]["code"]), (&json!("approvals"), &json!("FORBIDDEN")));
    assert_eq!(console.wait("rights", |frame| frame["t"] == "rights")["roles"], json!(["teller"]));
    server.by_li(&["user", "disable", "zhao"]);
    assert_eq!(console.closed(), 4003);
    let (page, _) = sign_in(&server, "qian", "gate_operator", "all");
    let mut console = Console::of_page(&server, &page);
    assert_eq!(server.terminate(), Some(0));
    assert_eq!(console.closed(), 4001);
}

#[test]
fn a_program_comes_in_by_ticket_and_a_password_is_not_guessed() {
    let server = Server::start("[console]\nsign_ins_per_minute_user = 3\n");
    let (_, password) = sign_in(&server, "zhao", "auditor", "all");
    let basic = |password: &str| {
        use base64::Engine as _;
        format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(format!("zhao:{password}")))
    };
    let ask = |password: &str| send(&server, "POST", "/api/v1/ws-tickets", &[("Authorization", &basic(password))], "");
    let ticket = ask(&password).json()["ticket"].as_str().expect("a ticket").to_owned();
    let protocols = format!("tongdao.v1.json, ticket.{ticket}");
    let mut console = Console::open(&server, &protocols, &[]);
    assert_eq!(console.next()["user"], "zhao");
    assert_eq!(Console::open(&server, &protocols, &[]).closed(), 4500, "once");
    let tries: Vec<u16> = (0..4).map(|_| ask("wrong").status).collect();
    assert!(tries.contains(&401) && tries.ends_with(&[429]), "{tries:?}");
    assert_eq!(ask(&password).status, 429, "nor with the right one, for a while");
    assert_eq!(console.sub("audit", None)["error"], Value::Null, "who is in stays in");
}

/// A program's request, with its token.
fn ask(server: &Server, token: &str, method: &str, path: &str, body: &Value) -> Answer {
    let headers = [("Authorization", &*format!("Bearer {token}")), ("Content-Type", "application/json")];
    send(server, method, &format!("/api/v1/{path}"), &headers, &body.to_string())
}

/// A socket of a program.
fn of_program(server: &Server, token: &str) -> Console {
    let ticket = ask(server, token, "POST", "ws-tickets", &json!({})).json()["ticket"].as_str().expect("a ticket").to_owned();
    let mut console = Console::open(server, &format!("tongdao.v1.json, ticket.{ticket}"), &[]);
    assert_eq!(console.next()["t"], "hello");
    console
}

#[test]
fn a_token_outlives_sessions_and_restarts_and_does_no_more_than_its_user() {
    let mut server = Server::start("");
    let (page, _) = sign_in(&server, "zhao", "gate_operator,auditor,supervisor", "all");
    let made = |body: &Value| page.post("tokens", body);
    for (bad, field) in [(json!({"name": "w", "days": 0}), "days"), (json!({"name": "w", "days": 367}), "days")] {
        assert_eq!(made(&bad).json()["params"]["field"], field, "{bad}");
    }
    assert_eq!(made(&json!({"name": "w", "days": 1, "roles": ["admin"]})).refusal(), (400, "BAD_ARGS".into()), "more than its user");
    let whole = made(&json!({"name": "the wall", "days": 30})).json();
    let less = made(&json!({"name": "reader", "days": 30, "roles": ["auditor"], "scope": {"stations": ["tianfu"]}})).json();
    let (whole, less) = (whole["value"].as_str().expect("a value").to_owned(), less["value"].as_str().expect("a value").to_owned());
    let cookie = page.cookie.clone();

    let me = ask(&server, &less, "GET", "me", &Value::Null).json();
    assert_eq!((&me["user"], &me["roles"], &me["scope"]), (&json!("zhao"), &json!(["auditor"]), &json!({"stations": ["tianfu"]})));
    assert_eq!(ask(&server, &less, "GET", "boards/gates:luomashi", &Value::Null).refusal(), (404, "NOT_FOUND".into()));
    assert_eq!(ask(&server, &less, "GET", "boards/gates:tianfu", &Value::Null).status, 200);
    let close = |id: &str| json!({"command_id": id, "op": "station.mode", "args": {"station": "tianfu", "modes": ["closed"], "reason": "x"}, "ttl_ms": 9000});
    assert_eq!(ask(&server, &less, "POST", "commands", &close("c/1")).refusal(), (403, "FORBIDDEN".into()));
    assert_eq!(ask(&server, &whole, "POST", "commands", &close("c/2")).json()["ok"], true);
    let yes = json!({"command_id": "c/3", "op": "approval.approve", "args": {"id": "x", "digest": "0".repeat(64)}, "ttl_ms": 9000});
    assert_eq!(ask(&server, &whole, "POST", "commands", &yes).refusal(), (403, "FORBIDDEN".into()), "a second person is a person");
    assert_eq!(ask(&server, &whole, "POST", "tokens", &json!({"name": "child", "days": 1})).refusal(), (403, "FORBIDDEN".into()));
    assert_eq!(of_program(&server, &whole).sub("audit", None)["error"], Value::Null);

    assert_eq!(server.terminate(), Some(0));
    server.spawn();
    assert_eq!(ask(&server, &whole, "GET", "me", &Value::Null).status, 200, "a token goes on");
    assert_eq!(send(&server, "GET", "/api/v1/me", &[("Cookie", &cookie)], "").status, 200, "and so does a page");
    let (mut wall, mut reader) = (of_program(&server, &whole), of_program(&server, &less));
    server.by_li(&["user", "roles", "zhao", "--roles", "gate_operator", "--scope", "stations:tianfu"]);
    assert_eq!(wall.wait("rights", |frame| frame["t"] == "rights")["scope"], json!({"stations": ["tianfu"]}));
    assert_eq!(reader.wait("rights", |frame| frame["t"] == "rights")["roles"], json!([]), "what its user lost is lost");
    let listed = send(&server, "GET", "/api/v1/tokens", &[("Cookie", &cookie)], "").json();
    let names: Vec<_> = listed["items"].as_array().expect("items").iter().map(|item| item["name"].clone()).collect();
    assert!(names.len() == 2 && names.contains(&json!("the wall")) && listed["items"][0]["used_at"].is_string(), "{listed}");
    let wall_id = whole.trim_start_matches("tongdao~").rsplit_once('~').expect("parts").0;
    let gone = send(&server, "DELETE", &format!("/api/v1/tokens/{wall_id}"), &[("Cookie", &cookie)], "");
    assert_eq!((gone.status, wall.closed()), (204, 4003), "what it had open is closed");
    assert_eq!(ask(&server, &whole, "GET", "me", &Value::Null).refusal(), (401, "UNAUTHENTICATED".into()));
    server.by_li(&["user", "disable", "zhao"]);
    assert_eq!(reader.closed(), 4003, "a token ends with its user");
    let left = server.ok(&["export", "--format", "ndjson"]) + &server.log();
    let secrets = [&whole, &less].map(|value| value.rsplit_once('~').expect("parts").1.to_owned());
    assert!(secrets.iter().all(|secret| !left.contains(secret)) && left.contains("user.token_made") && !left.contains("\"hash\""));
    secrets.iter().for_each(|secret| assert!(!server.found_on_disk(secret), "the value itself is nowhere"));
}

#[test]
fn tokens_are_made_at_the_server_too_and_are_not_guessed() {
    let server = Server::start("[console]\nsign_ins_per_minute_address = 5\n");
    sign_in(&server, "zhao", "auditor", "all");
    let value = server.by_li(&["user", "token", "add", "zhao", "--name", "a wall", "--days", "7"]).trim().to_owned();
    assert_eq!(ask(&server, &value, "GET", "me", &Value::Null).status, 200);
    let listed: Value = serde_json::from_str(&server.ok(&["user", "token", "list", "zhao", "--json"])).expect("JSON");
    assert_eq!((&listed[0]["name"], &listed[0]["roles"]), (&json!("a wall"), &Value::Null));
    let guess = format!("{}{}", &value[..value.len() - 4], "0000");
    assert_eq!(ask(&server, &guess, "GET", "me", &Value::Null).status, 401);
    assert!((0..100).any(|_| ask(&server, &guess, "GET", "me", &Value::Null).status == 429), "who guesses too often waits");
    assert_eq!(ask(&server, &value, "GET", "me", &Value::Null).status, 200, "who is known goes on");
    let name = listed[0]["token"].as_str().expect("a name");
    assert!(server.ok(&["user", "token", "list"]).contains(name));
    server.by_li(&["user", "token", "revoke", name]);
    assert!([401, 429].contains(&ask(&server, &value, "GET", "me", &Value::Null).status), "unknown now, and one more try");
    assert!(!server.cli(&["user", "token", "revoke", name, "--by", "li", "--reason", "again"]).status.success());
    assert_eq!(server.ok(&["user", "token", "list", "zhao", "--json"]).trim(), "[]");
}

/// A number that no card has and whose check digit is right, as people type it and as a reader would.
const CARD: &str = "4111111111111111";
const CARD_TYPED: &str = "4111 1111 1111 1111";

/// What a device sends that it must not: it is refused, or passed over.
fn planted_by(gate: &Gate, picture: &str) {
    let planted = |name: &str, field: &str, value: Value| {
        let mut body = match name {
            "tap" => gate.tap_json(7, "entry", "m1"),
            _ => {
                json!({"online": true, "service": "both", "firmware": "1", "versions": {}, "faults": [], "at": common::rfc3339(common::now_ms())})
            }
        };
        body[field] = value;
        gate.up(name, &body)
    };
    for (name, field, value) in [
        ("tap", "medium", json!({"kind": "bank", "token": CARD})),
        ("tap", "photo", json!(picture)),
        ("tap", "face", json!({"template": picture})),
        ("state", "faults", json!([CARD])),
        ("state", "firmware", json!(CARD)),
        ("state", "versions", json!({"list": CARD})),
    ] {
        assert_eq!(planted(name, field, value), PubAckReason::PayloadFormatInvalid, "{name} {field}");
    }
    let mut small = gate.tap_json(8, "entry", "m1");
    small["comment"] = json!(CARD_TYPED);
    assert_eq!(gate.tap_body(&small)["code"], "OK", "what is not known and small is passed over");
    gate.up("ack", &json!({"id": "mode/x/1", "result": "failed", "detail": CARD_TYPED, "at": common::rfc3339(common::now_ms())}));
}

#[test]
fn no_picture_and_no_card_number_comes_in_by_a_gate_or_a_console_and_none_goes_out() {
    let server = Server::start("[log]\nfilter = \"trace\"");
    let picture = "iVBORw0KGgoAAAANSUhEUgAA".repeat(9);
    server.accounts("a1,4,adult,50.00,ecny,m1\n");
    let gate = server.gate("g1", &server.add_gate("g1"));
    let (page, password) = sign_in(&server, "zhao", "gate_operator,supervisor,technician,auditor,admin", "all");
    let mut console = Console::of_page(&server, &page);
    for ch in ["overview:all", "gates:tianfu", "device:g1", "alarms", "approvals", "audit"] {
        assert_eq!(console.sub(ch, None)["error"], Value::Null, "{ch}");
    }
    planted_by(&gate, &picture);
    let mut said = vec![password];
    for (n, reason) in [CARD_TYPED, CARD, &picture].iter().enumerate() {
        for (op, args, field) in [
            ("station.mode", json!({"station": "tianfu", "modes": ["closed"], "reason": reason}), "reason"),
            ("journey.adjust", json!({"account": "a1", "kind": "waive", "station": "tianfu", "reason": reason}), "reason"),
            ("alarm.ack", json!({"id": "gates_offline.tianfu", "note": reason}), "note"),
            ("device.command", json!({"device": "g1", "command": "config", "args": {"text": reason}, "ttl_ms": 1000}), "args"),
            ("user.end_sessions", json!({"user": "zhao", "reason": reason}), "reason"),
        ] {
            let ack = console.cmd(&format!("c/{n}/{op}"), op, args, 5000);
            assert_eq!((&ack["error"]["code"], &ack["error"]["params"]["field"]), (&json!("BAD_ARGS"), &json!(field)), "{op}: {ack}");
        }
        assert_eq!(page.post("tokens", &json!({"name": reason, "days": 1})).refusal(), (400, "BAD_ARGS".into()));
    }
    assert_eq!(console.cmd("c/find", "medium.find", json!({"token": CARD}), 5000)["error"]["code"], "BAD_ARGS");
    assert_eq!(
        console.cmd("c/add", "user.add", json!({"user": CARD, "roles": ["teller"], "scope": "all"}), 5000)["error"]["code"],
        "BAD_ARGS"
    );
    assert!(Page::sign_in(&server, CARD, CARD).is_err());
    for path in ["accounts/4111111111111111", "me", "devices", "users", "alarms", "approvals", "boards/audit", "boards/device:g1", "tokens"]
    {
        said.push(String::from_utf8_lossy(&page.get(path).body).into_owned());
    }
    let hour = json!({"from": common::rfc3339(common::now_ms() - 3_600_000), "to": common::rfc3339(common::now_ms() + 60_000)});
    said.push(console.cmd("c/search", "audit.search", hour, 9000).to_string());
    said.push(console.cmd("c/look", "medium.find", json!({"token": "m1"}), 9000).to_string());
    said.extend([server.get("/metrics"), server.get("/debug/actors"), server.ok(&["export", "--format", "ndjson"]), console.said()]);
    let password = said.remove(0);
    assert!(said.iter().any(|text| text.contains("tianfu")), "the console has said something");
    for canary in [CARD, CARD_TYPED, &picture[..48], &password] {
        let leak = said.iter().find(|text| text.contains(canary));
        assert_eq!(leak.map(|text| text.chars().take(200).collect::<String>()), None, "{canary} was given out");
        assert!(!server.found_on_disk(canary), "{canary} stands in a file");
    }
    gate.leave();
}
