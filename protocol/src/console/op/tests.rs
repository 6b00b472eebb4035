//! The table of operations: what is taken, what is refused, by which field.
use super::*;
use proptest::prelude::*;
use serde_json::json;
use std::collections::BTreeSet;

const FROM: &str = "2026-03-02T08:00:00.000Z";
const TO: &str = "2026-03-02T09:00:00.000Z";

/// One good example of each operation.
fn examples() -> Vec<(&'static str, Value)> {
    let digest = "0a".repeat(32);
    vec![
        ("station.mode", json!({"station": "tianfu", "modes": ["closed"], "reason": "works", "until": TO})),
        ("station.release", json!({"station": "tianfu", "reason": "all clear"})),
        ("gate.service", json!({"devices": ["g1", "g2"], "service": "paused", "reason": "cleaning"})),
        ("journey.adjust", json!({"account": "a1", "kind": "add_exit", "station": "tianfu", "reason": "gate stood open"})),
        ("record.decide", json!({"record": "g1.7.42", "accept": false, "reason": "an altered copy"})),
        ("medium.find", json!({"token": "t1.1772438400.c2ln"})),
        ("medium.unfreeze", json!({"token": "m1"})),
        ("device.command", json!({"device": "g1", "command": "restart", "args": {"soft": true}, "ttl_ms": 60000})),
        ("device.add", json!({"device": "g9", "kind": "gate", "site": "cd"})),
        ("device.rotate", json!({"device": "g1", "reason": "lost"})),
        ("device.revoke", json!({"device": "g1"})),
        ("alarm.ack", json!({"id": "gates_offline.tianfu", "note": "on my way"})),
        ("alarm.snooze", json!({"id": "gates_offline.tianfu", "until": TO})),
        ("alarm.clear", json!({"id": "tamper.g1"})),
        ("approval.approve", json!({"id": "ap1", "digest": digest})),
        ("approval.reject", json!({"id": "ap1", "digest": digest, "note": "not yet"})),
        ("user.add", json!({"user": "wang", "roles": ["gate_operator"], "scope": {"stations": ["tianfu"]}})),
        ("user.roles", json!({"user": "wang", "roles": ["auditor", "manager"], "scope": "all"})),
        ("user.disable", json!({"user": "wang", "reason": "left"})),
        ("user.end_sessions", json!({"user": "wang"})),
        ("audit.search", json!({"from": FROM, "to": TO, "by": "wang", "op": "station"})),
        ("audit.verify", json!({"from": FROM, "to": TO})),
    ]
}

fn refused(op: &str, args: &Value) -> String {
    match Op::parse(op, args) {
        Err(OpError::BadArgs(bad)) => bad.to_string(),
        other => panic!("{op} {args}: {other:?}"),
    }
}

#[test]
fn every_operation_is_read_and_written_back() {
    let examples = examples();
    let names: BTreeSet<&str> = Op::ALL.iter().map(|words| words.name).collect();
    assert_eq!(names, examples.iter().map(|(name, _)| *name).collect());
    for (name, args) in examples {
        let op = Op::parse(name, &args).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(op.name(), name);
        assert_eq!(serde_json::from_str::<Value>(&op.args_text()).expect("JSON"), args, "{name}");
        assert_eq!(Op::from_text(name, &op.args_text()), Ok(op), "{name}");
    }
}

#[test]
fn every_field_that_is_left_out_or_wrong_is_named() {
    let optional = ["until", "at", "args", "reason", "note", "by", "op", "cursor"];
    for (name, args) in examples() {
        let fields: Vec<String> = args.as_object().expect("an object").keys().cloned().collect();
        for field in fields {
            let mut without = args.clone();
            without.as_object_mut().expect("an object").remove(&field);
            match Op::parse(name, &without) {
                Ok(_) => assert!(optional.contains(&field.as_str()), "{name} takes no {field}"),
                Err(OpError::BadArgs(bad)) => assert_eq!(bad.field, field, "{name}"),
                Err(other) => panic!("{name} {field}: {other}"),
            }
            let mut wrong = args.clone();
            wrong[&field] = json!({"x": [1]});
            if field != "args" {
                assert!(refused(name, &wrong).starts_with(&field), "{name} {field}");
            }
        }
        let mut more = args.clone();
        more["colour"] = json!(1);
        assert_eq!(refused(name, &more), "colour: unknown; leave it out", "{name}");
        assert_eq!(refused(name, &json!([])), ": must be a JSON object", "{name}");
    }
    assert_eq!(Op::parse("station.party", &json!({})), Err(OpError::UnknownOp));
}

#[test]
fn what_no_field_can_say_alone_is_checked_too() {
    let with = |op: &'static str, field: &str, value: Value| {
        let (_, mut args) = examples().into_iter().find(|(name, _)| *name == op).expect("an example");
        args[field] = value;
        (op, args)
    };
    for ((op, args), told) in [
        (with("station.mode", "modes", json!(["emergency"])), "modes: must be emergency alone, without until"),
        (with("station.mode", "modes", json!(["party"])), "modes[0]: must be one of closed train_failure"),
        (with("station.mode", "reason", json!("  ")), "reason: must be a reason of 1 to 256 characters"),
        (with("gate.service", "devices", json!([])), "devices: must be a list of 1 to 512 gates"),
        (with("gate.service", "devices", json!(vec!["g"; 513])), "devices: must be a list of 1 to 512 gates"),
        (with("device.command", "args", json!([1])), "args: must be an object"),
        (with("device.command", "ttl_ms", json!(0)), "ttl_ms: must be more than 0"),
        (with("device.command", "command", json!("dance")), "command: must be one of restart maintain resume config test_print"),
        (with("user.add", "roles", json!([])), "roles: must be a list of at least one role"),
        (with("user.add", "scope", json!({"sites": []})), "scope: must be all, or 1 to 1024 sites or stations"),
        (with("approval.approve", "digest", json!("0A")), "digest: must be SHA-256 as 64 digits"),
        (with("audit.verify", "to", json!(FROM)), "to: must be a moment after `from`"),
    ] {
        let why = refused(op, &args);
        assert!(why.starts_with(told), "{op}: {why}");
    }
    let (op, mut args) = with("station.mode", "modes", json!(["emergency"]));
    args.as_object_mut().expect("an object").remove("until");
    assert!(Op::parse(op, &args).is_ok());
}

#[test]
fn a_digest_binds_to_the_meaning_and_not_to_the_writing() {
    let (op, args) = ("station.release", r#"{"reason":"all clear",  "station":"tianfu"}"#);
    let other = r#"{"station":"tianfu","reason":"all clear"}"#;
    assert_eq!(Op::from_text(op, other).expect("an operation").args_text(), r#"{"reason":"all clear","station":"tianfu"}"#);
    let digest = |args: &str| Op::from_text(op, args).expect("an operation").digest();
    assert_eq!(digest(args), digest(other));
    assert_eq!(digest(args), "0b95868b924cb00f1065abb3f535b56c4291202044103e0bcfaf06e2ff9c9a48");
    assert_ne!(digest(args), digest(&other.replace("tianfu", "luomashi")));
    let all: BTreeSet<String> = examples().iter().map(|(op, args)| Op::parse(op, args).expect("good").digest()).collect();
    assert_eq!(all.len(), Op::ALL.len());
}

#[test]
fn reasons_and_notes_stand_in_events() {
    let op = |name: &str| Op::parse(name, &examples().into_iter().find(|(op, _)| *op == name).expect("there").1).expect("good");
    let user = UserId::new("li").expect("an id");
    assert_eq!(op("station.release").by(&user).reason, "all clear");
    assert_eq!(op("alarm.ack").by(&user).reason, "on my way");
    assert_eq!(op("device.revoke").by(&user).reason, "");
    assert!(op("medium.find").looks_only() && !op("medium.unfreeze").looks_only());
}

proptest! {
    #[test]
    fn no_arguments_make_it_panic(op in 0..Op::ALL.len(), text in r#"\{("(station|id|user|to|modes)":(1|"x"|\[\]|null|\{\}),?){0,3}\}"#) {
        if let Ok(args) = crate::console::strict::json(text.as_bytes()) {
            let _ = Op::parse(Op::ALL[op].name, &args);
        }
    }
}
