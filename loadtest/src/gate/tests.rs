use super::*;
use serde_json::{Value, json};
use tongdao_domain::code::Code;
use tongdao_protocol::gate::MediumKind;
use tongdao_protocol::time::Time;

#[derive(Default)]
struct Recorder {
    sent: Vec<(Up, Value, u32)>,
    facts: Vec<Fact>,
    withdrawn: Vec<u32>,
}

impl Port for Recorder {
    fn publish(&mut self, message: Up, payload: &[u8], cookie: u32) {
        self.sent.push((message, serde_json::from_slice(payload).expect("JSON"), cookie));
    }
    fn withdraw(&mut self, cookie: u32) {
        self.withdrawn.push(cookie);
    }
    fn fact(&mut self, fact: Fact) {
        self.facts.push(fact);
    }
}

impl Recorder {
    fn of(&self, message: Up) -> Vec<&Value> {
        self.sent.iter().filter(|(m, ..)| *m == message).map(|(_, payload, _)| payload).collect()
    }
    fn cookie(&self, message: Up) -> u32 {
        self.sent.iter().rfind(|(m, ..)| *m == message).expect("was sent").2
    }
    fn forget(&mut self) {
        *self = Self::default();
    }
}

fn time(ms: i64) -> String {
    Time::from(Timestamp(ms)).to_string()
}

fn online(habits: Habits) -> (VirtualGate, Recorder) {
    let (mut gate, mut port) = (VirtualGate::new(habits, 7), Recorder::default());
    gate.connected(0, &mut port);
    gate.taken(STATE, 0, 0, &mut port);
    assert_eq!(port.facts, [Fact::Online]);
    port.forget();
    (gate, port)
}

fn rider(tag: u64) -> Rider {
    let medium = Medium::new(MediumKind::Card, "m1").expect("a token");
    Rider { direction: Direction::Entry, medium, passage: (PassageOutcome::Passed, 1_000), repeat: Repeat::No, tag }
}

fn decision(seq: u64, code: Code, expires_ms: i64) -> Vec<u8> {
    let result = if code.opens() { "open" } else { "deny" };
    let (at, expires_at) = (time(0), time(expires_ms));
    let messages = json!({"zh-CN": code.message_zh(), "en": code.message_en()});
    let decision = json!({"epoch": 7, "seq": seq, "result": result, "code": code.name(), "ref": "a1/1", "decided_at": at, "expires_at": expires_at, "messages": messages});
    decision.to_string().into_bytes()
}

#[test]
fn the_state_goes_first_and_taps_wait_until_it_is_durable() {
    let (mut gate, mut port) = (VirtualGate::new(Habits::default(), 7), Recorder::default());
    gate.connected(0, &mut port);
    gate.tap(&rider(1), 10, &mut port);
    assert_eq!(port.sent.len(), 1);
    assert_eq!(port.of(Up::State)[0]["online"], true);
    gate.taken(STATE, 0, 20, &mut port);
    let tap = port.of(Up::Tap)[0];
    assert_eq!((&tap["epoch"], &tap["seq"], &tap["at"]), (&json!(7), &json!(1), &json!(time(10))));
    let will: Value = serde_json::from_slice(&gate.will(0)).expect("JSON");
    assert_eq!(will["online"], false);
}

#[test]
fn sequences_have_no_gaps() {
    let (mut gate, mut port) = online(Habits::default());
    assert!((1..=5).eq((0..5).map(|tag| gate.tap(&rider(tag), 0, &mut port))));
    assert_eq!(port.of(Up::Tap).iter().map(|tap| tap["seq"].as_u64()).collect::<Vec<_>>(), (1..=5).map(Some).collect::<Vec<_>>());
}

#[test]
fn an_answer_in_time_opens_and_the_passage_carries_its_reference() {
    let (mut gate, mut port) = online(Habits::default());
    gate.tap(&rider(5), 0, &mut port);
    gate.on_message(Down::Decision, &decision(1, Code::Ok, 250), 250, &mut port);
    assert_eq!(port.facts, [Fact::Decided { tag: 5, code: Code::Ok, fare: None, waited_ms: 250 }]);
    assert_eq!(gate.deadline(), Some(1_250));
    gate.tick(1_250, &mut port);
    let passage = port.of(Up::Passage)[0];
    assert_eq!((&passage["ref"], &passage["outcome"], &passage["seq"]), (&json!("a1/1"), &json!("passed"), &json!(1)));
}

#[test]
fn a_refusal_has_no_passage() {
    let (mut gate, mut port) = online(Habits::default());
    gate.tap(&rider(5), 0, &mut port);
    gate.on_message(Down::Decision, &decision(1, Code::NoEntry, 250), 100, &mut port);
    gate.tick(20_000, &mut port);
    assert!(port.of(Up::Passage).is_empty());
}

#[test]
fn after_its_deadline_it_decides_alone_says_so_at_once_and_ignores_the_answer() {
    let (mut gate, mut port) = online(Habits { alone: Alone::Open, ..Habits::default() });
    gate.tap(&rider(5), 0, &mut port);
    let cookie = port.cookie(Up::Tap);
    assert_eq!(gate.deadline(), Some(251));
    gate.tick(250, &mut port);
    assert!(port.facts.is_empty(), "at the deadline itself an answer would still count");
    gate.tick(251, &mut port);
    assert_eq!((port.facts.clone(), port.withdrawn.clone()), (vec![Fact::Alone { tag: 5, open: true }], vec![cookie]));
    let record = &port.of(Up::Records)[0]["records"][0];
    assert_eq!((&record["by"], &record["shown"], &record["passage"]), (&json!("gate"), &json!("open"), &json!("none")));
    gate.on_message(Down::Decision, &decision(1, Code::NoEntry, 250), 260, &mut port);
    assert_eq!(port.facts[1], Fact::Late { tag: 5, code: Code::NoEntry });
}

#[test]
fn an_answer_that_overtakes_the_timer_is_late_all_the_same() {
    let (mut gate, mut port) = online(Habits::default());
    gate.tap(&rider(5), 0, &mut port);
    gate.on_message(Down::Decision, &decision(1, Code::Ok, 250), 251, &mut port);
    assert_eq!(port.facts, [Fact::Alone { tag: 5, open: false }, Fact::Late { tag: 5, code: Code::Ok }]);
}

#[test]
fn a_record_stays_as_it_was_told() {
    let (mut gate, mut port) = online(Habits { alone: Alone::Open, ..Habits::default() });
    gate.tap(&rider(5), 0, &mut port);
    gate.tick(300, &mut port);
    gate.tick(1_300, &mut port);
    assert_eq!(port.of(Up::Passage).len(), 1);
    let first = port.of(Up::Records)[0].clone();
    port.forget();
    gate.disconnected();
    gate.connected(2_000, &mut port);
    gate.taken(STATE, 0, 2_000, &mut port);
    assert_eq!(port.of(Up::Records), [&first]);
}

#[test]
fn every_tap_is_told_every_half_minute_and_kept_until_it_is_durable() {
    let (mut gate, mut port) = online(Habits::default());
    for seq in 1..=3 {
        gate.tap(&rider(seq), 0, &mut port);
        gate.on_message(Down::Decision, &decision(seq, Code::Ok, 250), 10, &mut port);
    }
    gate.tick(5_000, &mut port);
    assert!(port.of(Up::Records).is_empty());
    gate.tick(30_010, &mut port);
    assert_eq!(port.of(Up::Records)[0]["records"].as_array().map(Vec::len), Some(3));
    assert_eq!(gate.kept(), 3);
    let ack = json!({"epoch": 7, "upto": 1, "missing": [[2, 2]], "rejected": []}).to_string();
    gate.on_message(Down::RecordsAck, ack.as_bytes(), 30_020, &mut port);
    assert_eq!(gate.kept(), 2);
    port.forget();
    gate.tick(31_020, &mut port);
    assert_eq!(port.of(Up::Records)[0]["records"][0]["seq"], 2, "only what is missing goes out again");
    assert_eq!(port.of(Up::Records)[0]["records"].as_array().map(Vec::len), Some(1));
    let ack = json!({"epoch": 7, "upto": 3, "missing": [], "rejected": [{"seq": 3, "code": "KEY_REUSED"}]}).to_string();
    gate.on_message(Down::RecordsAck, ack.as_bytes(), 31_030, &mut port);
    assert_eq!(gate.kept(), 0);
    assert!(port.facts.contains(&Fact::RecordRefused { code: Code::KeyReused }));
}

#[test]
fn batches_hold_at_most_what_the_server_takes() {
    let (mut gate, mut port) = online(Habits { passage: false, ..Habits::default() });
    for seq in 1..=160 {
        gate.tap(&rider(seq), 0, &mut port);
        gate.on_message(Down::Decision, &decision(seq, Code::Ok, 250), 10, &mut port);
    }
    gate.tick(30_010, &mut port);
    let sizes: Vec<_> =
        port.of(Up::Records).iter().map(|batch| (batch["first_seq"].as_u64(), batch["records"].as_array().map(Vec::len))).collect();
    assert_eq!(sizes, [(Some(1), Some(150)), (Some(151), Some(10))]);
}

#[test]
fn the_same_answer_twice_is_fine_and_another_one_is_a_fault() {
    let (mut gate, mut port) = online(Habits::default());
    gate.tap(&Rider { repeat: Repeat::AtOnce, ..rider(5) }, 0, &mut port);
    let taps = port.of(Up::Tap);
    assert_eq!(taps[0], taps[1]);
    gate.on_message(Down::Decision, &decision(1, Code::Ok, 250), 10, &mut port);
    gate.on_message(Down::Decision, &decision(1, Code::Ok, 250), 11, &mut port);
    assert_eq!(port.facts[1], Fact::Repeated);
    gate.on_message(Down::Decision, &decision(1, Code::NoEntry, 250), 12, &mut port);
    assert_eq!(port.facts[2], Fact::Contradicted { seq: 1 });
}

#[test]
fn busy_is_no_outcome_and_contradicts_nothing() {
    let (mut gate, mut port) = online(Habits::default());
    gate.tap(&Rider { repeat: Repeat::AtOnce, ..rider(5) }, 0, &mut port);
    gate.on_message(Down::Decision, &decision(1, Code::Busy, 250), 10, &mut port);
    gate.on_message(Down::Decision, &decision(1, Code::Ok, 250), 11, &mut port);
    assert_eq!(port.facts, [Fact::Decided { tag: 5, code: Code::Busy, fare: None, waited_ms: 10 }, Fact::Repeated]);
}

#[test]
fn a_repeat_after_the_answer_has_the_same_bytes() {
    let (mut gate, mut port) = online(Habits::default());
    gate.tap(&Rider { repeat: Repeat::AfterAnswer, ..rider(5) }, 0, &mut port);
    gate.on_message(Down::Decision, &decision(1, Code::Ok, 250), 10, &mut port);
    gate.on_message(Down::Decision, &decision(1, Code::Ok, 250), 20, &mut port);
    let taps = port.of(Up::Tap);
    assert_eq!(taps.len(), 2);
    assert_eq!(taps[0], taps[1]);
}

#[test]
fn after_a_reconnect_only_what_is_open_goes_out_again() {
    let (mut gate, mut port) = online(Habits::default());
    gate.tap(&rider(1), 0, &mut port);
    gate.on_message(Down::Decision, &decision(1, Code::Ok, 250), 10, &mut port);
    gate.tick(1_010, &mut port);
    gate.tap(&rider(2), 1_020, &mut port);
    gate.disconnected();
    gate.tap(&rider(3), 1_030, &mut port);
    port.forget();
    gate.connected(1_040, &mut port);
    gate.taken(STATE, 0, 1_050, &mut port);
    assert_eq!(port.of(Up::Tap).iter().map(|tap| tap["seq"].as_u64()).collect::<Vec<_>>(), [Some(2), Some(3)]);
    let passage = port.cookie(Up::Passage);
    gate.taken(passage, 0, 1_060, &mut port);
    port.forget();
    gate.disconnected();
    gate.connected(1_070, &mut port);
    gate.taken(STATE, 0, 1_080, &mut port);
    assert!(port.of(Up::Passage).is_empty(), "a passage that was taken is not told again");
}

#[test]
fn only_a_higher_mode_is_applied() {
    let (mut gate, mut port) = online(Habits::default());
    let mode = |id: &str, rev: u64, modes: Value| {
        let mode =
            json!({"id": id, "rev": rev, "service": "both", "station_mode": modes, "issued_by": "alarm", "reason": "", "from": time(0)});
        mode.to_string().into_bytes()
    };
    gate.on_message(Down::Mode, &mode("m2", 2, json!(["emergency"])), 0, &mut port);
    gate.on_message(Down::Mode, &mode("m1", 1, json!([])), 1, &mut port);
    gate.on_message(Down::Mode, &mode("m2", 2, json!(["emergency"])), 2, &mut port);
    assert_eq!(port.of(Up::Ack).iter().map(|ack| ack["id"].as_str()).collect::<Vec<_>>(), [Some("m2"), Some("m2")]);
    assert_eq!(port.facts, [Fact::Mode { rev: 2 }]);
    gate.tap(&rider(5), 10, &mut port);
    assert_eq!(port.of(Up::Tap)[0]["mode"], 2);
    gate.tick(1_000, &mut port);
    assert!(port.facts.contains(&Fact::Alone { tag: 5, open: true }), "in an emergency it opens, whatever its policy");
}

#[test]
fn the_button_opens_and_keeps_its_id() {
    let (mut gate, mut port) = online(Habits::default());
    gate.alarm(AlarmKind::EmergencyButton, true, 100, &mut port);
    gate.alarm(AlarmKind::EmergencyButton, true, 101, &mut port);
    gate.tap(&rider(5), 110, &mut port);
    gate.tick(1_000, &mut port);
    assert!(port.facts.contains(&Fact::Alone { tag: 5, open: true }));
    gate.alarm(AlarmKind::EmergencyButton, false, 2_000, &mut port);
    let alarms = port.of(Up::Alarm);
    assert_eq!(alarms.iter().map(|alarm| alarm["on"].as_bool()).collect::<Vec<_>>(), [Some(true), Some(false)]);
    assert_eq!(alarms[0]["id"], alarms[1]["id"]);
}

#[test]
fn a_fault_stands_in_the_state_until_it_is_mended() {
    let (mut gate, mut port) = online(Habits::default());
    let code = Id::new("door_motor").expect("a code");
    for on in [true, true, false, false] {
        gate.fault(&code, on, 100, &mut port);
    }
    let faults: Vec<_> = port.of(Up::State).iter().map(|state| state["faults"].clone()).collect();
    assert_eq!(faults[faults.len() - 2..], [json!(["door_motor"]), json!([])], "told once each way");
}

#[test]
fn each_kind_of_alarm_has_an_id_of_its_own() {
    let (mut gate, mut port) = online(Habits::default());
    gate.alarm(AlarmKind::Door, true, 100, &mut port);
    gate.alarm(AlarmKind::Tamper, true, 100, &mut port);
    gate.alarm(AlarmKind::Door, false, 200, &mut port);
    let alarms = port.of(Up::Alarm);
    assert_eq!(alarms.len(), 3);
    assert!(alarms[0]["id"] == alarms[2]["id"] && alarms[0]["id"] != alarms[1]["id"]);
    gate.tap(&rider(5), 210, &mut port);
    gate.tick(1_000, &mut port);
    assert!(port.facts.contains(&Fact::Alone { tag: 5, open: false }), "only the button and the fire line open it");
}

#[test]
fn commands_are_answered() {
    let (mut gate, mut port) = online(Habits::default());
    for (command, expires) in [("restart", 100), ("fly", 100), ("resume", -1)] {
        let command = json!({"id": "c1", "command": command, "args": {}, "expires_at": time(expires)}).to_string();
        gate.on_message(Down::Command, command.as_bytes(), 0, &mut port);
    }
    assert_eq!(
        port.of(Up::Ack).iter().map(|ack| ack["result"].as_str()).collect::<Vec<_>>(),
        [Some("done"), Some("unsupported"), Some("expired")]
    );
}

#[test]
fn what_it_cannot_read_is_told() {
    let (mut gate, mut port) = online(Habits::default());
    gate.on_message(Down::Decision, b"{", 0, &mut port);
    gate.on_message(Down::Decision, &decision(9, Code::Ok, 0), 0, &mut port);
    assert_eq!(port.facts, [Fact::Malformed(Down::Decision), Fact::Stray]);
    gate.taken(tap_cookie(3), 0x97, 0, &mut port);
    assert_eq!(port.facts[2], Fact::Refused { message: Up::Tap, code: 0x97 });
}

#[test]
fn without_records_a_tap_is_forgotten_once_it_is_answered() {
    let (mut gate, mut port) = online(Habits { records: false, passage: false, ..Habits::default() });
    gate.tap(&rider(1), 0, &mut port);
    gate.on_message(Down::Decision, &decision(1, Code::Ok, 250), 10, &mut port);
    gate.tap(&rider(2), 20, &mut port);
    assert_eq!(gate.kept(), 1);
    gate.tick(300, &mut port);
    gate.tap(&rider(3), 6_000, &mut port);
    assert!(port.facts.contains(&Fact::Unanswered { tag: 2 }));
}
