//! One tap, straight: from a gate over MQTT to a durable decision and back, and what a repeat, another meaning or a late
//! tap gets. Everything through the public contract of a running server.
mod common;
use common::{Gate, Server, now_ms, rfc3339};
use rumqttc::v5::mqttbytes::v5::PubAckReason;
use serde_json::json;

const RIDERS: &str = "a1,4,adult,50.00,ecny,m1\na2,4,adult,50.00,ecny,m2\npoor,4,adult,1.99,ecny,m3\n";

#[test]
fn an_entry_and_an_exit_charge_the_published_fare() {
    let server = Server::start("");
    server.accounts(RIDERS);
    let (g1, g3, g5) = (server.add_gate("g1"), server.add_gate("g3"), server.add_gate("g5"));
    let (g1, g3, g5) = (server.gate("g1", &g1), server.gate("g3", &g3), server.gate("g5", &g5));

    let entry = g1.tap(1, "entry", "m1");
    assert_eq!((entry["result"].as_str(), entry["code"].as_str()), (Some("open"), Some("OK")), "{entry}");
    assert!(entry["ref"].is_string() && entry["messages"]["zh-CN"].is_string() && entry["messages"]["en"].is_string(), "{entry}");
    let exit = g3.tap(1, "exit", "m1");
    assert_eq!(exit["fare"], json!({"amount": "2.00", "currency": "CNY"}), "3 km: {exit}");
    assert_eq!(exit["balance"]["amount"], "48.00");
    assert_eq!(server.balance("a1"), "48.00");

    g3.tap(2, "entry", "m2");
    let exit = g5.tap(1, "exit", "m2");
    assert_eq!(exit["fare"]["amount"], "5.00", "13 km: {exit}");
    assert_eq!(server.balance("a2"), "45.00");
    assert!(server.ok(&["verify"]).contains("ok"), "the running server verifies its journal");
}

#[test]
fn the_same_tap_again_gets_the_same_answer_and_no_second_charge() {
    let server = Server::start("");
    server.accounts(RIDERS);
    let (s1, s3) = (server.add_gate("g1"), server.add_gate("g3"));
    let (g1, g3) = (server.gate("g1", &s1), server.gate("g3", &s3));
    g1.tap(1, "entry", "m1");
    let tap = g3.tap_json(1, "exit", "m1");
    let first = g3.tap_body(&tap);
    assert_eq!(g3.tap_body(&tap), first);
    g3.leave();
    let g3 = server.gate("g3", &s3);
    assert_eq!(g3.tap_body(&tap), first, "after a reconnect");
    assert_eq!(server.balance("a1"), "48.00");

    let mut other = tap.clone();
    other["medium"]["token"] = json!("m2");
    let refused = g3.tap_body(&other);
    assert_eq!((refused["result"].as_str(), refused["code"].as_str()), (Some("deny"), Some("KEY_REUSED")), "{refused}");
    let mut other = tap.clone();
    other["direction"] = json!("entry");
    assert_eq!(g3.tap_body(&other)["code"], "KEY_REUSED");
    assert_eq!((server.balance("a1").as_str(), server.balance("a2").as_str()), ("48.00", "50.00"), "nobody is charged twice");

    let decided = server.export().iter().filter(|line| line["command_id"] == "tap/g3/1/1").count();
    assert_eq!(decided, 1, "one outcome in the journal");
}

#[test]
fn a_repeat_past_its_deadline_still_gets_its_first_answer_and_only_an_unknown_one_is_expired() {
    let server = Server::start("");
    server.accounts(RIDERS);
    let g1 = server.add_gate("g1");
    let g1 = server.gate("g1", &g1);
    let mut tap = g1.tap_json(1, "entry", "m1");
    tap["deadline_ms"] = json!(1500);
    let first = g1.tap_body(&tap);
    assert_eq!(first["code"], "OK");
    while now_ms() < jiff_ms(&first["expires_at"]) + 50 {
        std::thread::yield_now();
    }
    assert_eq!(g1.tap_body(&tap), first, "however late, first expires_at included");

    let mut late = g1.tap_json(2, "exit", "m1");
    late["at"] = json!(rfc3339(now_ms() - 5000));
    late["deadline_ms"] = json!(250);
    let answer = g1.tap_body(&late);
    assert_eq!((answer["result"].as_str(), answer["code"].as_str()), (Some("deny"), Some("EXPIRED")), "{answer}");
    assert!(!server.export().iter().any(|line| line["command_id"] == "tap/g1/1/2"), "EXPIRED is no outcome");
}

fn jiff_ms(at: &serde_json::Value) -> i64 {
    at.as_str().and_then(|at| at.parse::<jiff::Timestamp>().ok()).expect("a time").as_millisecond()
}

#[test]
fn what_a_rider_may_not_is_refused_by_its_code() {
    let server = Server::start("");
    server.accounts(RIDERS);
    let (g1, g3, g4) = (server.add_gate("g1"), server.add_gate("g3"), server.add_gate("g4"));
    let (g1, g3, g4) = (server.gate("g1", &g1), server.gate("g3", &g3), server.gate("g4", &g4));
    assert_eq!(g1.tap(1, "entry", "nobody")["code"], "UNKNOWN_MEDIUM");
    assert_eq!(g1.tap(2, "exit", "m1")["code"], "NO_ENTRY");
    assert_eq!(g1.tap(3, "entry", "m3")["code"], "INSUFFICIENT");
    assert_eq!(g4.tap(1, "exit", "m1")["code"], "WRONG_DIRECTION");
    assert_eq!(g1.tap(4, "entry", "m1")["code"], "OK");
    assert_eq!(g3.tap(1, "entry", "m1")["code"], "ALREADY_IN");
    server.by_li(&["account", "freeze", "a2"]);
    assert_eq!(g1.tap(5, "entry", "m2")["code"], "FROZEN");
    server.by_li(&["account", "unfreeze", "a2"]);
    server.by_li(&["gate", "service", "g1", "paused"]);
    assert_eq!(g1.tap(6, "entry", "m2")["code"], "NOT_IN_SERVICE");
    server.by_li(&["gate", "service", "g1", "both"]);
    server.by_li(&["station", "mode", "tianfu", "closed"]);
    assert_eq!(g1.tap(7, "entry", "m2")["code"], "STATION_CLOSED");
    server.by_li(&["station", "mode", "tianfu", "none"]);
    assert_eq!(g1.tap(8, "entry", "m2")["code"], "OK");
    let refused: Vec<_> = server.export().into_iter().filter(|line| line["d"]["result"] == "deny").collect();
    assert_eq!(refused.len(), 8, "every refusal is an event: {refused:#?}");
}

#[test]
fn a_tap_before_any_state_or_with_a_wrong_clock_is_not_in_service() {
    let server = Server::start("");
    server.accounts(RIDERS);
    let secret = server.add_gate("g1");
    let g1 = common::Gate::connect(server.mqtt, "g1", &secret);
    assert_eq!(g1.tap(1, "entry", "m1")["code"], "NOT_IN_SERVICE");
    g1.state(true);
    assert_eq!(g1.tap(2, "entry", "m1")["code"], "OK");

    let stray = server.by_li(&["device", "add", "stray", "--kind", "gate", "--site", "cd"]);
    let stray = server.gate("stray", stray.trim());
    assert_eq!(stray.tap(1, "entry", "m2")["code"], "UNKNOWN_DEVICE", "it stands in no station");

    let g2 = server.add_gate("g2");
    let g2 = common::Gate::connect(server.mqtt, "g2", &g2);
    let ahead =
        json!({"online": true, "service": "both", "firmware": "1", "versions": {}, "faults": [], "at": rfc3339(now_ms() + 120_000)});
    assert_eq!(g2.up("state", &ahead), PubAckReason::Success);
    let mut tap = g2.tap_json(1, "entry", "m2");
    tap["at"] = json!(rfc3339(now_ms() + 120_000));
    assert_eq!(g2.tap_body(&tap)["code"], "NOT_IN_SERVICE", "its clock is two minutes ahead");
}

#[test]
fn a_rider_who_did_not_pass_is_not_in_and_not_charged() {
    let server = Server::start("");
    server.accounts(RIDERS);
    let (g1, g3) = (server.add_gate("g1"), server.add_gate("g3"));
    let (g1, g3) = (server.gate("g1", &g1), server.gate("g3", &g3));
    let entry = g1.tap(1, "entry", "m1");
    let passage = |tap: &serde_json::Value, outcome: &str| json!({"epoch": 1, "seq": tap["seq"], "ref": tap["ref"], "outcome": outcome, "at": rfc3339(now_ms())});
    assert_eq!(g1.up("passage", &passage(&entry, "not_passed")), PubAckReason::Success);
    let mut again = g1.tap_json(2, "entry", "m1");
    again["at"] = json!(rfc3339(now_ms() + 4000));
    let again = g1.tap_body(&again);
    assert_eq!(again["code"], "OK", "free to enter again: {again}");
    assert_eq!(g1.up("passage", &passage(&again, "passed")), PubAckReason::Success);
    let mut exit = g3.tap_json(1, "exit", "m1");
    exit["at"] = json!(rfc3339(now_ms() + 9000));
    let exit = g3.tap_body(&exit);
    assert_eq!(exit["fare"]["amount"], "2.00", "{exit}");
    assert_eq!(g3.up("passage", &passage(&exit, "not_passed")), PubAckReason::Success);
    assert_eq!(server.balance("a1"), "50.00", "the exit did not happen: {:#?}", server.export());
    let postings = server.account("a1")["postings"].clone();
    assert!(postings.as_array().is_some_and(|p| p.iter().any(|p| p["state"] == "void")), "{postings}");
}

#[test]
fn a_boot_that_only_approved_taps_have_shown_is_known_after_a_crash() {
    let mut server = Server::start("");
    server.accounts(RIDERS);
    let secret = server.add_gate("g1");
    let g1 = server.gate("g1", &secret);
    let mut newest = g1.tap_json(1, "entry", "m1");
    newest["epoch"] = json!(7);
    let first = g1.tap_body(&newest);
    assert_eq!(first["code"], "OK");
    server.kill9();
    server.spawn();

    let g1 = Gate::connect(server.mqtt, "g1", &secret);
    let mut older = g1.tap_json(1, "entry", "m2");
    older["epoch"] = json!(6);
    assert_eq!(g1.tap_body(&older)["code"], "KEY_REUSED");
    assert_eq!(g1.tap_body(&newest), first, "its own answer is kept");
    let mut late = g1.tap_json(2, "entry", "m2");
    (late["epoch"], late["at"]) = (json!(7), json!(rfc3339(now_ms() - 40_000)));
    assert_eq!(g1.tap_body(&late)["code"], "EXPIRED", "one message alone does not make its clock wrong");
    let boots = server.export().iter().filter(|line| line["event"] == "boot.seen").count();
    assert_eq!(boots, 1, "one commit a boot, not one a tap");
}
