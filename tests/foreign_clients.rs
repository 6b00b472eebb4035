//! Foreign MQTT clients, each with a device's credentials, each gets the right decision for its tap.
mod common;
use common::{Server, have, tools};
use serde_json::Value;
use std::process::Command;

/// A server with two gates and a rider; the entry is made, so that the exit shows a fare.
fn prepared() -> (Server, String) {
    let server = Server::start("");
    server.accounts("a1,4,adult,50.00,ecny,m1\n");
    let entry = server.add_gate("g1");
    let secret = server.add_gate("g3");
    let gate = server.gate("g1", &entry);
    assert_eq!(gate.tap(1, "entry", "m1")["code"], "OK");
    gate.leave();
    (server, secret)
}

fn exit_json() -> String {
    serde_json::json!({"epoch": 1, "seq": 1, "direction": "exit", "medium": {"kind": "ecny", "token": "m1"},
        "at": common::rfc3339(common::now_ms()), "deadline_ms": 20_000, "mode": 0, "list_version": 0})
    .to_string()
}

fn expect_fare(output: &std::process::Output) {
    let text = String::from_utf8_lossy(&output.stdout);
    let decision: Value =
        serde_json::from_str(text.trim()).unwrap_or_else(|_| panic!("no decision: {text} {}", String::from_utf8_lossy(&output.stderr)));
    assert_eq!((decision["code"].as_str(), decision["fare"]["amount"].as_str()), (Some("OK"), Some("2.00")), "{decision}");
}

#[test]
fn mosquitto_rr() {
    if !have("mosquitto_rr") {
        return;
    }
    for version in ["mqttv5", "mqttv311"] {
        let (server, secret) = prepared();
        let port = server.mqtt.to_string();
        let login = ["-h", "127.0.0.1", "-p", &port, "-V", version, "-i", "g3", "-u", "g3", "-P", &secret, "-q", "1"];
        let state = format!(
            r#"{{"online":true,"service":"both","firmware":"1","versions":{{}},"faults":[],"at":"{}"}}"#,
            common::rfc3339(common::now_ms())
        );
        let said = Command::new("mosquitto_pub").args(login).args(["-r", "-t", "td/1/cd/gate/g3/up/state", "-m", &state]).status();
        assert!(said.expect("it runs").success());
        let topics = ["-W", "20", "-t", "td/1/cd/gate/g3/up/tap", "-e", "td/1/cd/gate/g3/down/decision", "-m", &exit_json()];
        expect_fare(&Command::new("mosquitto_rr").args(login).args(topics).output().expect("it runs"));
        assert_eq!(server.balance("a1"), "48.00");
    }
}

#[test]
fn paho_from_python() {
    let python = tools().join("python/bin/python");
    if !python.exists() {
        println!("skip: Python's paho client is not here; ./tests/run installs it");
        return;
    }
    for version in ["5", "3"] {
        let (server, secret) = prepared();
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/foreign/tap_paho.py");
        let port = server.mqtt.to_string();
        let args = [script, "127.0.0.1", &port, "cd", "g3", &secret, version, &exit_json()];
        expect_fare(&Command::new(&python).args(args).output().expect("it runs"));
    }
}

#[test]
fn mqtt_js_from_node() {
    if !have("node") || !tools().join("node_modules/mqtt").exists() {
        println!("skip: MQTT.js is not here; ./tests/run installs it");
        return;
    }
    for (version, protocol) in [("5", "mqtt"), ("3", "mqtt"), ("5", "ws"), ("3", "ws")] {
        let (server, secret) = prepared();
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/foreign/tap_mqttjs.cjs");
        let port = if protocol == "ws" { server.http } else { server.mqtt }.to_string();
        let args = [script, "127.0.0.1", &port, "cd", "g3", &secret, version, &exit_json(), protocol];
        let run = Command::new("node").args(args).env("NODE_PATH", tools().join("node_modules")).output();
        expect_fare(&run.expect("it runs"));
    }
}
