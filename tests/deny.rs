//! The deny list with a real server and gates on a foreign client: listed, told, acknowledged, timed; gates that were away
//! catch up by a difference and by the whole list; what was listed before a kill is told after it.
#![expect(clippy::disallowed_methods, reason = "waits for a whole process by the wall clock")]
mod common;
use common::http::send;
use common::{Gate, PATIENCE, Server, now_ms, rfc3339};
use rumqttc::v5::mqttbytes::v5::PubAckReason;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::time::Instant;

const QUICK: &str = "[deny]\nversion_every_ms = 200\ngather_ms = 0\n";

/// SHA-256 of the tokens, one a line.
fn hash(tokens: &[&str]) -> String {
    let text: String = tokens.iter().map(|token| format!("{token}\n")).collect();
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn status(server: &Server) -> Value {
    serde_json::from_str(&server.ok(&["deny", "status", "--json"])).expect("JSON")
}

/// Waits until the status fits.
fn until(server: &Server, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
    let end = Instant::now() + PATIENCE;
    loop {
        let now = status(server);
        if fits(&now) {
            return now;
        }
        assert!(Instant::now() < end, "{what}: {now}\n{}", server.log());
    }
}

fn says(gate: &Gate, list: u64) {
    let at = rfc3339(now_ms());
    let body = json!({"online": true, "service": "both", "firmware": "1", "versions": {"list": list}, "faults": [], "at": at});
    assert_eq!(gate.up("state", &body), PubAckReason::Success);
}

fn told(gate: &Gate, to: u64) -> Value {
    gate.next("list", |body| body["to"] == to)
}

#[test]
fn from_a_listing_to_the_last_gate_s_acknowledgement() {
    let server = Server::start(QUICK);
    let gates = ["g1", "g3"].map(|id| server.gate(id, &server.add_gate(id)));
    server.accounts("a1,1,adult,100.00,ecny,mine\n");
    gates.iter().for_each(|gate| says(gate, 0));
    server.by_li(&["deny", "add", "lost", "found"]);
    for gate in &gates {
        let first = told(gate, 1);
        assert_eq!((&first["from"], &first["add"], &first["remove"]), (&json!(0), &json!(["found", "lost"]), &json!([])));
        assert_eq!(first["hash_after"], hash(&["found", "lost"]));
    }
    assert_eq!(gates[0].tap(1, "entry", "lost")["code"], "DENY_LISTED", "online, too, with no account at all");
    says(&gates[0], 1);
    let waiting = until(&server, "one of two", |now| now["gates"]["behind"] == json!(["g3"]));
    assert_eq!((&waiting["version"], &waiting["tokens"], &waiting["gates"]["of"]), (&json!(1), &json!(2), &json!(2)));
    assert!(waiting["reached"].get("all").is_none(), "{waiting}");
    says(&gates[1], 1);
    let over = until(&server, "both", |now| now["reached"]["all"]["version"] == 1 && now["reached"]["connected"]["version"] == 1);
    assert_eq!((&over["reached"]["all"]["gates"], &over["gates"]["behind"]), (&json!(2), &json!([])));
    assert!(over["reached"]["all"]["took_ms"].as_u64().is_some_and(|took| took > 0), "{over}");

    server.by_li(&["deny", "add", "mine"]);
    assert_eq!(gates[0].tap(2, "entry", "mine")["code"], "DENY_LISTED", "a person denies a rider's medium");
    told(&gates[0], 2);
    server.by_li(&["deny", "remove", "mine"]);
    assert_eq!(told(&gates[0], 3)["remove"], json!(["mine"]));
    assert_eq!(gates[0].tap(3, "entry", "mine")["code"], "OK");
    server.by_li(&["account", "freeze", "a1"]);
    assert_eq!(told(&gates[0], 4)["add"], json!(["mine"]), "an account's medium comes by itself");
    assert_eq!(gates[0].tap(4, "exit", "mine")["code"], "FROZEN", "online the account says why");
    let refused = server.cli(&["deny", "remove", "mine", "--by", "li", "--reason", "test"]);
    assert!(!refused.status.success() && String::from_utf8_lossy(&refused.stderr).contains("WRONG_STATE"));
    server.by_li(&["account", "unfreeze", "a1"]);
    assert_eq!(told(&gates[0], 5)["remove"], json!(["mine"]), "and goes by itself");
    assert!(server.get("/metrics").contains("tongdao_list_reached_seconds_count{scope=\"all\"} 1"));
    assert!(server.ok(&["verify"]).contains("ok"));
}

#[test]
fn a_gate_that_was_away_catches_up_and_a_kill_loses_no_listing() {
    let mut server = Server::start("[deny]\nversion_every_ms = 200\ngather_ms = 1500\n");
    let secret = server.add_gate("g1");
    server.by_li(&["deny", "add", "t1", "t2", "t3"]);
    // Listed, and no version yet: that is due after a second and a half.
    server.kill9();
    server.spawn();
    until(&server, "the version that was due", |now| now["version"] == 1 && now["tokens"] == 3);
    server.by_li(&["deny", "remove", "t2"]);
    until(&server, "the second", |now| now["version"] == 2);
    server.by_li(&["deny", "add", "t4"]);
    until(&server, "the third", |now| now["version"] == 3);

    let gate = server.gate("g1", &secret);
    says(&gate, 1);
    let way = told(&gate, 3);
    assert_eq!((&way["from"], &way["add"], &way["remove"]), (&json!(1), &json!(["t4"]), &json!(["t2"])), "two versions in one");
    assert_eq!(way["hash_after"], hash(&["t1", "t3", "t4"]));
    assert_eq!(gate.up("list_request", &json!({"have": 0})), PubAckReason::Success);
    assert_eq!(told(&gate, 3)["add"], json!(["t1", "t3", "t4"]), "a gate that does not trust its own");
    assert_eq!(gate.up("list_request", &json!({"have": 3})), PubAckReason::Success);
    assert_eq!(told(&gate, 3)["add"], json!([]), "who has it gets the hash to compare");

    assert_eq!(gate.up("list_request", &json!({"have": 77})), PubAckReason::Success);
    let full = told(&gate, 3);
    assert_eq!((&full["full"], &full["url"]), (&json!(true), &json!("/api/v1/lists/3")), "a version of a history that was lost");
    let credentials = |secret: &str| format!("Basic {}", base64(&format!("g1:{secret}")));
    let fetched = send(&server, "GET", "/api/v1/lists/3", &[("Authorization", &credentials(&secret))], "");
    assert_eq!((fetched.status, fetched.body.as_slice()), (200, &b"t1\nt3\nt4\n"[..]));
    assert_eq!(full["sha256"], hash(&["t1", "t3", "t4"]));
    assert_eq!(send(&server, "GET", "/api/v1/lists/3", &[("Authorization", &credentials("x"))], "").status, 401);
    says(&gate, 3);
    until(&server, "the one gate there is", |now| now["reached"]["all"]["version"] == 3);
    assert!(server.ok(&["verify"]).contains("ok"));
}

/// As credentials go over HTTP.
fn base64(text: &str) -> String {
    use ::base64::Engine as _;
    ::base64::engine::general_purpose::STANDARD.encode(text)
}
