//! What a device gets that does what it may not: the documented answer in both versions of MQTT, counted and audited; and
//! the others do not feel it.
#![expect(clippy::disallowed_methods, reason = "waits for a whole process by the wall clock")]
mod common;
use common::raw::{Raw, V, Will};
use common::{Server, now_ms, rfc3339};
use serde_json::{Value, json};

const VERSIONS: [V; 2] = [V::Five, V::Three];

fn connected(server: &Server, version: V, secret: &str) -> Raw {
    let mut raw = Raw::open(server.mqtt, version);
    assert_eq!(raw.connect("g1", "g1", secret, None), Some(0));
    raw
}

/// The answer per version: MQTT 5 first.
fn expect<T: PartialEq + std::fmt::Debug>(version: V, got: T, five: T, three: T) {
    assert_eq!(got, if version == V::Five { five } else { three }, "{version:?}");
}

/// The audit's count for a code, once it has been written.
fn audited(server: &Server, source: &str) -> Vec<Value> {
    let end = std::time::Instant::now() + common::PATIENCE * 3;
    loop {
        let found: Vec<Value> = server
            .export()
            .into_iter()
            .filter(|line| line["entity"].as_str().is_some_and(|e| e.starts_with("audit/")) && line["d"]["source"] == source)
            .collect();
        if !found.is_empty() || std::time::Instant::now() > end {
            return found;
        }
    }
}

#[test]
fn who_may_not_come_in() {
    let server = Server::start("");
    let secret = server.add_gate("g1");
    server.add_gate("g2");
    for version in VERSIONS {
        expect(version, Raw::open(server.mqtt, version).connect("nobody", "nobody", "x", None), Some(0x86), Some(4));
        expect(version, Raw::open(server.mqtt, version).connect("g1", "g1", "wrong", None), Some(0x86), Some(4));
        expect(version, Raw::open(server.mqtt, version).connect("g1", "g2", &secret, None), Some(0x85), Some(2));
        let will = Will { topic: "td/1/cd/gate/g2/up/state", payload: "{}" };
        expect(version, Raw::open(server.mqtt, version).connect("g1", "g1", &secret, Some(&will)), Some(0x87), Some(5));
    }
    assert!(!audited(&server, "g1").is_empty(), "the foreign will of g1 stands in the audit");
}

#[test]
fn what_may_not_be_published_or_subscribed() {
    let server = Server::start("");
    let secret = server.add_gate("g1");
    for version in VERSIONS {
        for topic in
            ["td/1/cd/gate/g2/up/tap", "td/1/cd/gate/g1/down/decision", "td/1/xx/gate/g1/up/tap", "$SYS/x", "td/1/cd/kiosk/g1/up/state"]
        {
            let mut raw = connected(&server, version, &secret);
            raw.publish(topic, b"{}", false);
            expect(version, raw.acked(), Ok(0x87), Err(None));
        }
        for filter in
            ["#", "td/#", "td/1/cd/gate/+/down/#", "td/1/cd/gate/g2/down/#", "td/1/cd/gate/g1/up/#", "$share/x/td/1/cd/gate/g1/down/#"]
        {
            expect(version, connected(&server, version, &secret).subscribe(filter), Some(0x87), Some(0x80));
        }
        for filter in ["td/1/cd/gate/g1/down/#", "td/1/cd/gate/g1/down/decision", "td/1/cd/all/down/command", "td/1/all/down/command"] {
            assert_eq!(connected(&server, version, &secret).subscribe(filter), Some(1), "{version:?} {filter}");
        }
        let mut raw = connected(&server, version, &secret);
        raw.publish("td/1/cd/gate/g1/up/tap", b"{}", true);
        expect(version, raw.acked(), Ok(0x87), Err(None));
        let mut raw = connected(&server, version, &secret);
        raw.publish("td/1/cd/gate/g1/up/#", b"{}", false);
        expect(version, raw.acked(), Err(Some(0x90)), Err(None));
        let mut raw = connected(&server, version, &secret);
        raw.publish("td/1/cd/gate/g1/up/tap", &vec![b' '; 70_000], false);
        expect(version, raw.acked(), Err(Some(0x95)), Err(None));
    }
    assert!(!audited(&server, "g1").is_empty());
    let metrics = server.get("/metrics");
    assert!(metrics.lines().any(|l| l.contains("foreign_topic") && !l.ends_with(" 0")), "counted: {metrics}");
}

#[test]
fn payloads_that_make_no_sense_are_dead_letters_without_their_body() {
    let server = Server::start("");
    server.accounts("a1,4,adult,50.00,ecny,m1\n");
    let secret = server.add_gate("g1");
    let good = json!({"epoch": 1, "seq": 1, "direction": "entry", "medium": {"kind": "ecny", "token": "m1"},
        "at": rfc3339(now_ms()), "deadline_ms": 20_000, "mode": 0, "list_version": 0});
    let mut bad = vec![
        "".to_owned(),
        "{".to_owned(),
        "[]".to_owned(),
        "\u{0}".to_owned(),
        "{\"epoch\":1}".to_owned(),
        "[".repeat(5000),
        good.to_string().replacen("\"seq\"", "\"seq\":1,\"seq\"", 1),
    ];
    for (key, value) in [
        ("seq", json!(-1)),
        ("seq", json!("1")),
        ("direction", json!("up")),
        ("at", json!("yesterday")),
        ("deadline_ms", json!(-5)),
        ("medium", json!({"kind": "gold", "token": "m1"})),
        ("medium", json!({"kind": "ecny", "token": "canary/6222021234567890"})),
        ("image", json!("A".repeat(200))),
        ("extra", json!({"a": 1})),
    ] {
        let mut body = good.clone();
        body[key] = value;
        bad.push(body.to_string());
    }
    for version in VERSIONS {
        let mut raw = connected(&server, version, &secret);
        for body in &bad {
            raw.publish("td/1/cd/gate/g1/up/tap", body.as_bytes(), false);
            expect(version, raw.acked(), Ok(0x99), Ok(0));
        }
    }
    let gate = server.gate("g1", &secret);
    let mut fine = good.clone();
    fine["colour"] = json!("blue");
    fine["at"] = json!(rfc3339(now_ms()));
    assert_eq!(gate.tap_body(&fine)["code"], "OK", "small unknown fields are ignored, and the rest is unaffected");
    gate.leave();
    server.kill_and_search("6222021234567890");
}

#[test]
fn a_second_connection_takes_over() {
    let server = Server::start("");
    let secret = server.add_gate("g1");
    for version in VERSIONS {
        let mut first = connected(&server, version, &secret);
        let _second = connected(&server, version, &secret);
        expect(version, first.acked(), Err(Some(0x8e)), Err(None));
    }
}

#[test]
fn bytes_that_are_no_mqtt_and_silence_are_shown_the_door() {
    let server = Server::start("[gateway]\nconnect_ms = 300\n");
    let secret = server.add_gate("g1");
    for bytes in [&b"GET / HTTP/1.1\r\n\r\n"[..], &[0xff; 64], &[0x10, 0xff, 0xff, 0xff, 0xff, 0x01], &[0x30, 0x02, 0, 0], &[]] {
        let mut raw = Raw::open(server.mqtt, V::Five);
        raw.send(bytes);
        assert!(raw.closed(), "{bytes:?}");
    }
    let _gate = connected(&server, V::Five, &secret);
}

#[test]
fn a_drain_says_so() {
    let mut server = Server::start("");
    let secret = server.add_gate("g1");
    let mut raw = connected(&server, V::Five, &secret);
    assert_eq!(server.terminate(), Some(0));
    assert_eq!(raw.acked(), Err(Some(0x8b)));
}
