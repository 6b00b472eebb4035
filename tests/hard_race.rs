//! The hard race over real MQTT: the server approves, the answer is late, the gate has decided alone. Whatever arrives
//! when: one fare at the end.
#![expect(clippy::disallowed_methods, reason = "waits for a whole process by the wall clock")]
mod common;
use common::{Gate, Server, now_ms, rfc3339};
use rumqttc::v5::mqttbytes::v5::PubAckReason;
use serde_json::{Value, json};

/// What can arrive about the exit that raced.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fact {
    /// The live tap reaches the server in time and is approved.
    Tap,
    /// The gate's record: it decided alone and opened.
    Record,
    /// The passage report of what it decided alone.
    Passage,
    /// The tap again, after a reconnect.
    Repeat,
}

fn permutations(facts: &[Fact]) -> Vec<Vec<Fact>> {
    if facts.is_empty() {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for (place, first) in facts.iter().enumerate() {
        let rest: Vec<Fact> = facts.iter().enumerate().filter(|(i, _)| *i != place).map(|(_, f)| *f).collect();
        all.extend(permutations(&rest).into_iter().map(|tail| [vec![*first], tail].concat()));
    }
    all
}

fn record(tap: &Value, shown: &str, passage: &str) -> Value {
    json!({"epoch": 1, "first_seq": tap["seq"], "records": [{"seq": tap["seq"], "direction": tap["direction"], "medium": tap["medium"],
        "at": tap["at"], "mode": 0, "by": "gate", "shown": shown, "passage": passage}]})
}

fn play(gate: &Gate, tap: &Value, fact: Fact, shown: &str, passage: &str) {
    match fact {
        Fact::Tap | Fact::Repeat => drop(gate.tap_body(tap)),
        Fact::Record => {
            assert_eq!(gate.up("records", &record(tap, shown, passage)), PubAckReason::Success);
            let ack = gate.next("records_ack", |_| true);
            assert!(ack["upto"].as_u64() >= tap["seq"].as_u64(), "{ack}");
        }
        Fact::Passage => {
            let body = json!({"epoch": 1, "seq": tap["seq"], "outcome": passage, "at": rfc3339(now_ms())});
            gate.up("passage", &body);
        }
    }
}

/// Plays every order of the facts with a fresh rider each; the balances at the end.
fn balances(shown: &str, passage: &str) -> Vec<(Vec<Fact>, String)> {
    let orders = permutations(&[Fact::Tap, Fact::Record, Fact::Passage, Fact::Repeat]);
    let server = Server::start("[gate]\nriders_max = 0\n");
    let riders: Vec<String> = (0..orders.len()).map(|n| format!("r{n},4,adult,50.00,ecny,t{n}\n")).collect();
    server.accounts(&riders.concat());
    let (g1, g3) = (server.add_gate("g1"), server.add_gate("g3"));
    let (g1, g3) = (server.gate("g1", &g1), server.gate("g3", &g3));
    for (n, order) in orders.iter().enumerate() {
        let seq = n as u64 + 1;
        let token = format!("t{n}");
        assert_eq!(g1.tap(seq, "entry", &token)["code"], "OK");
        let tap = g3.tap_json(seq, "exit", &token);
        for fact in order {
            play(&g3, &tap, *fact, shown, passage);
        }
    }
    let end = std::time::Instant::now() + common::PATIENCE;
    loop {
        let seen: Vec<_> = orders.iter().enumerate().map(|(n, order)| (order.clone(), server.balance(&format!("r{n}")))).collect();
        let settled = seen.windows(2).all(|pair| pair[0].1 == pair[1].1);
        if settled || std::time::Instant::now() > end {
            assert!(server.ok(&["verify"]).contains("ok"));
            return seen;
        }
    }
}

#[test]
fn the_gate_opened_alone_one_fare_whatever_arrives_when() {
    for (order, balance) in balances("open", "passed") {
        assert_eq!(balance, "48.00", "{order:?}");
    }
}

#[test]
fn the_gate_stayed_shut_nothing_is_charged_whatever_arrives_when() {
    for (order, balance) in balances("deny", "not_passed") {
        assert_eq!(balance, "50.00", "{order:?}");
    }
}
