//! Every row of the fault table in both versions, and what a link owes its device; a pair of ends with a clock of its own.
use super::*;
use crate::raw::{self, Connect as RawConnect, Frame, V3, V5};
use crate::wire::{CoreWire, Limits};
use sha2::{Digest, Sha256};
use std::net::Ipv4Addr;
use tongdao_domain::device::{DeviceKind, SecretHash};
use tongdao_domain::gate::{DeviceOrder, RecordsAck};
use tongdao_domain::machine::{Command, Refusal, RefusalCode};
use tongdao_domain::station::{self, Mode};
use tongdao_domain::tap::{Direction, TapDecision};
use tongdao_domain::testing::{MORNING, by, gate_of, id, tap};
use tongdao_domain::{code::Code, gate};

const UP: &str = "td/1/cd/gate/s1-g1/up/";
const DOWN: &str = "td/1/cd/gate/s1-g1/down/";
const BOTH: [u8; 2] = [V3, V5];

fn tap_body(seq: u64) -> String {
    format!(
        r#"{{"epoch":1,"seq":{seq},"direction":"entry","medium":{{"kind":"card","token":"t1"}},"at":"2026-01-05T00:00:00.000Z","deadline_ms":250,"mode":0,"list_version":0}}"#
    )
}
fn state_body(online: bool) -> String {
    format!(r#"{{"online":{online},"service":"both","firmware":"1","versions":{{}},"faults":[],"at":"2026-01-05T00:00:00.000Z"}}"#)
}
fn decision(seq: u64, code: Code) -> Reply {
    Reply::Tap(TapDecision::bare(&tap(&gate_of("s1", 1), 1, seq, Direction::Entry, "t1", MORNING), code, MORNING))
}

/// A link and the world around it.
struct End {
    link: Link<CoreWire>,
    version: u8,
    world: World,
    now: Timestamp,
    acts: Vec<Act>,
    received: Vec<u8>,
}

impl End {
    fn with(version: u8, config: GatewayConfig) -> Self {
        let mut world = World::for_tests();
        let secret = SecretHash(Sha256::digest(b"s3cret").into());
        world.devices.values_mut().for_each(|entry| entry.secret = secret);
        let limits = Limits { packet_bytes_max: config.packet_bytes_max, send_window: config.send_window };
        let admission = Arc::new(Admission::new(&config));
        admission.clock().set(MORNING);
        let common = Rc::new(Common { config, admission });
        let link = Link::new(CoreWire::new(limits), common, Ipv4Addr::LOCALHOST.into(), 9, MORNING);
        Self { link, version, world, now: MORNING, acts: Vec::new(), received: Vec::new() }
    }
    fn new(version: u8) -> Self {
        Self::with(version, GatewayConfig::default())
    }
    /// Connected, subscribed to everything of its own.
    fn ready(version: u8) -> Self {
        Self::ready_with(version, GatewayConfig::default())
    }
    fn ready_with(version: u8, config: GatewayConfig) -> Self {
        let mut end = Self::with(version, config);
        let connack = end.send(&RawConnect::new(version, "s1-g1", "s3cret").bytes());
        assert_eq!((connack[0].kind, connack[0].code(), connack[0].body[0]), (2, 0, 0), "no session is ever present");
        let suback = end.send(&raw::subscribe(version, 1, &[(&format!("{DOWN}#"), 1)]));
        assert_eq!((suback[0].kind, suback[0].body.last()), (9, Some(&1)));
        end.acts.clear();
        end
    }
    fn step<T>(&mut self, act: impl FnOnce(&mut Link<CoreWire>, &mut Turn<'_>) -> T) -> Vec<Frame> {
        self.link.common.admission.clock().set(self.now);
        let mut scratch = Vec::new();
        let mut turn = Turn { now: self.now, read: Duration::ZERO, world: &self.world, out: &mut self.received, acts: &mut self.acts, scratch: &mut scratch };
        act(&mut self.link, &mut turn);
        raw::frames(&mut self.received)
    }
    fn send(&mut self, mut bytes: &[u8]) -> Vec<Frame> {
        self.step(|link, turn| link.receive(&mut bytes, turn))
    }
    fn publish(&mut self, name: &str, body: impl AsRef<[u8]>, packet_id: u16) -> Vec<Frame> {
        let bytes = raw::publish(self.version, &format!("{UP}{name}"), body, 1, packet_id, false);
        self.send(&bytes)
    }
    fn answer(&mut self, cookie: u64, reply: Reply) -> Vec<Frame> {
        self.step(|link, turn| link.answer(cookie, Answer::Reply(reply), turn))
    }
    fn wait(&mut self, length: Millis) -> Vec<Frame> {
        self.now = self.now + length;
        self.step(Link::tick)
    }
    /// The cookie of the newest command.
    fn cookie(&self) -> u64 {
        self.acts.iter().rev().find_map(|act| if let Act::Submit { cookie, .. } = act { Some(*cookie) } else { None }).expect("a command")
    }
    fn faults(&self) -> Vec<(String, Fault)> {
        self.acts
            .iter()
            .filter_map(|act| if let Act::Fault { source, fault } = act { Some((source.to_string(), *fault)) } else { None })
            .collect()
    }
    fn letters(&self) -> usize {
        self.acts.iter().filter(|act| matches!(act, Act::DeadLetter(_))).count()
    }
    fn will(&self) -> Option<&Request> {
        self.acts.iter().find_map(|act| if let Act::Will(request) = act { Some(request) } else { None })
    }
    /// It is over, and counted once as this fault; MQTT 5 was told the code, 3.1.1 nothing.
    fn assert_ended(&self, frames: &[Frame], code: u8, source: &str, fault: Fault) {
        assert!(self.link.is_closed() && matches!(self.acts.last(), Some(Act::Close { .. })), "still open");
        assert_eq!(self.faults(), [(source.to_owned(), fault)]);
        match self.version {
            V5 => assert_eq!(frames.last().map(|f| (f.kind, f.code())), Some((14, code))),
            _ => assert!(frames.iter().all(|f| f.kind != 14), "{frames:?}"),
        }
    }
}

#[test]
fn unknown_device_and_wrong_secret_look_the_same() {
    for (version, code) in [(V5, 0x86), (V3, 4)] {
        for (device, secret) in [("nobody", "s3cret"), ("s1-g1", "guess")] {
            let mut end = End::new(version);
            let frames = end.send(&RawConnect::new(version, device, secret).bytes());
            assert_eq!(frames.iter().map(|f| (f.kind, f.code())).collect::<Vec<_>>(), [(2, code)]);
            assert!(end.link.is_closed());
            assert_eq!(end.faults(), [("127.0.0.1".to_owned(), Fault::Credentials)]);
        }
    }
}

#[test]
fn another_client_id_is_refused() {
    for (version, code) in [(V5, 0x85), (V3, 2)] {
        let mut end = End::new(version);
        let frames = end.send(&RawConnect { client: "s1-g2".into(), ..RawConnect::new(version, "s1-g1", "s3cret") }.bytes());
        assert_eq!((frames[0].kind, frames[0].code(), end.link.is_closed()), (2, code, true));
        assert_eq!(end.faults()[0].1, Fault::ClientId);
    }
}

#[test]
fn a_foreign_or_senseless_will_is_refused() {
    for (version, code) in [(V5, 0x87), (V3, 5)] {
        for (topic, body, fault) in [
            ("td/1/cd/gate/s1-g2/up/state", state_body(false), Fault::ForeignWill),
            ("td/1/cd/gate/s1-g1/up/tap", tap_body(1), Fault::ForeignWill),
            ("td/1/cd/gate/s1-g1/up/state", state_body(true), Fault::BadWill),
            ("td/1/cd/gate/s1-g1/up/state", "{}".into(), Fault::BadWill),
        ] {
            let mut end = End::new(version);
            let frames =
                end.send(&RawConnect { will: Some((topic.into(), body, true)), ..RawConnect::new(version, "s1-g1", "s3cret") }.bytes());
            assert_eq!((frames[0].kind, frames[0].code(), end.link.is_closed()), (2, code, true), "{topic}");
            assert_eq!(end.faults()[0].1, fault);
            assert!(end.will().is_none());
        }
    }
}

#[test]
fn too_many_connects_are_refused() {
    for (version, code) in [(V5, 0x9f), (V3, 3)] {
        let mut end = End::with(version, GatewayConfig { connects_burst: 1, ..GatewayConfig::default() });
        assert!(end.link.common.admission.admit(&connect_words(), &end.world).is_ok());
        let frames = end.send(&RawConnect::new(version, "s1-g1", "s3cret").bytes());
        assert_eq!((frames[0].kind, frames[0].code()), (2, code));
        assert_eq!(end.faults()[0].1, Fault::ConnectRate);
    }
}
fn connect_words() -> Connect {
    Connect {
        version: crate::packet::Version::V5,
        client_id: "s1-g1".into(),
        user_name: Some("s1-g1".into()),
        password: Some(b"s3cret".as_slice().into()),
        keep_alive_s: 0,
        will: None,
        enhanced_authentication: false,
    }
}

#[test]
fn a_foreign_topic_and_a_retained_message_are_refused() {
    for (topic, retain, fault) in [
        ("td/1/cd/gate/s1-g2/up/tap", false, Fault::ForeignTopic),
        ("td/1/cd/gate/s1-g1/down/mode", false, Fault::ForeignTopic),
        ("td/1/cd/gate/s1-g1/up/tap", true, Fault::Retained),
    ] {
        for (qos, kind) in [(1, 4), (2, 5)] {
            let mut end = End::ready(V5);
            let frames = end.send(&raw::publish(V5, topic, tap_body(1), qos, 7, retain));
            assert_eq!(frames.iter().map(|f| (f.kind, f.code(), f.packet_id())).collect::<Vec<_>>(), [(kind, 0x87, 7)]);
            assert_eq!(end.faults(), [("s1-g1".to_owned(), fault)]);
            assert!(!end.link.is_closed());
            let mut end = End::ready(V3);
            let frames = end.send(&raw::publish(V3, topic, tap_body(1), qos, 7, retain));
            end.assert_ended(&frames, 0, "s1-g1", fault);
            assert!(frames.is_empty());
        }
    }
}

#[test]
fn a_foreign_subscription_is_refused_and_the_others_are_not() {
    for (version, code) in [(V5, 0x87), (V3, 0x80)] {
        let mut end = End::ready(version);
        let filters = [("td/1/cd/gate/s1-g2/down/#", 1), ("td/1/cd/all/down/#", 2), ("#", 0), ("td/1/all/down/#", 0)];
        let frames = end.send(&raw::subscribe(version, 5, &filters));
        assert_eq!(frames[0].body[frames[0].body.len() - 4..], [code, 1, code, 0]);
        assert_eq!(end.faults().len(), 2);
        assert!(!end.link.is_closed());
    }
}

#[test]
fn a_wildcard_in_a_publish_ends_it() {
    for version in BOTH {
        let mut end = End::ready(version);
        let frames = end.send(&raw::publish(version, "td/1/cd/gate/s1-g1/up/+", "{}", 1, 7, false));
        end.assert_ended(&frames, 0x90, "s1-g1", Fault::Wildcard);
    }
}

#[test]
fn too_large_a_packet_ends_it() {
    for version in BOTH {
        let mut end = End::ready_with(version, GatewayConfig { packet_bytes_max: 2_000, ..GatewayConfig::default() });
        let frames = end.send(&raw::publish(version, "td/1/cd/gate/s1-g1/up/tap", vec![b' '; 2_000], 1, 7, false));
        end.assert_ended(&frames, 0x95, "s1-g1", Fault::TooLarge);
    }
}

#[test]
fn too_many_messages_end_it() {
    for version in BOTH {
        let mut end = End::ready_with(version, GatewayConfig { messages_per_second: 1, messages_burst: 2, ..GatewayConfig::default() });
        assert!(end.publish("tap", tap_body(1), 1).is_empty());
        assert!(end.publish("tap", tap_body(2), 2).is_empty());
        let frames = end.publish("tap", tap_body(3), 3);
        end.assert_ended(&frames, 0x96, "s1-g1", Fault::MessageRate);
    }
}

#[test]
fn the_receive_maximum_ends_5_and_holds_up_3() {
    let burst =
        |version| (1..=9).flat_map(|n| raw::publish(version, &format!("{UP}tap"), tap_body(u64::from(n)), 1, n, false)).collect::<Vec<_>>();
    let mut end = End::ready(V3);
    let bytes = burst(V3);
    let mut rest = bytes.as_slice();
    end.step(|link, turn| link.receive(&mut rest, turn));
    assert_eq!((end.link.unanswered(), end.link.wants_input(), rest.is_empty()), (8, false, false), "the ninth waits");
    let first = end.acts.iter().find_map(|act| if let Act::Submit { cookie, .. } = act { Some(*cookie) } else { None }).expect("a tap");
    end.answer(first, decision(1, Code::Ok));
    end.step(|link, turn| link.receive(&mut rest, turn));
    assert_eq!((end.link.unanswered(), rest.is_empty()), (8, true));
    // In MQTT 5 the limit was announced; a client that goes beyond it is at fault as soon as the ninth is read.
    let mut end = End::ready_with(V5, GatewayConfig { receive_max: 8, ..GatewayConfig::default() });
    let bytes = burst(V5);
    let mut rest = bytes.as_slice();
    end.step(|link, turn| link.receive(&mut rest, turn));
    assert_eq!((end.link.unanswered(), rest.is_empty()), (8, false));
}

#[test]
fn a_refused_payload_is_a_dead_letter() {
    for version in BOTH {
        for (name, body) in [("tap", "{"), ("tap", "{}"), ("state", "[]"), ("list_request", "{}"), ("x/y", "")] {
            for (qos, kind) in [(1, 4), (2, 5)] {
                let mut end = End::ready(version);
                let frames = end.send(&raw::publish(version, &format!("{UP}{name}"), body, qos, 7, false));
                let code = if version == V5 { 0x99 } else { 0 };
                assert_eq!(frames.iter().map(|f| (f.kind, f.code())).collect::<Vec<_>>(), [(kind, code)], "{name} {body}");
                assert_eq!((end.letters(), end.faults().len(), end.link.is_closed()), (1, 1, false));
            }
        }
    }
}

#[test]
fn a_message_that_is_refused_after_it_was_understood_is_a_dead_letter_too() {
    for (version, code) in [(V5, 0x99), (V3, 0)] {
        let mut end = End::ready(version);
        assert!(end.publish("passage", r#"{"epoch":1,"seq":1,"outcome":"passed","at":"2026-01-05T00:00:00.000Z"}"#, 4).is_empty());
        let frames = end.answer(end.cookie(), Refusal::reply(RefusalCode::KeyReused, "other outcome"));
        assert_eq!(frames.iter().map(|f| (f.kind, f.code())).collect::<Vec<_>>(), [(4, code)]);
        assert_eq!((end.letters(), end.faults()), (1, vec![("s1-g1".to_owned(), Fault::Refused)]));
    }
}

#[test]
fn taken_over_draining_and_revoked_say_so() {
    for version in BOTH {
        let mut end = End::ready(version);
        let frames = end.step(Link::taken_over);
        end.assert_ended(&frames, 0x8e, "s1-g1", Fault::TakenOver);
        let mut end = End::ready(version);
        let frames = end.step(Link::revoked);
        end.assert_ended(&frames, 0x87, "s1-g1", Fault::Revoked);
        let mut end = End::ready(version);
        let frames = end.step(Link::drain);
        assert!(end.link.is_closed() && end.faults().is_empty());
        assert_eq!(frames.last().map(|f| (f.kind, f.code())), (version == V5).then_some((14, 0x8b)));
    }
}

#[test]
fn draining_waits_for_what_is_unanswered() {
    for version in BOTH {
        let mut end = End::ready(version);
        end.publish("tap", tap_body(1), 3);
        assert!(end.step(Link::drain).is_empty() && !end.link.is_closed());
        assert!(!end.link.wants_input());
        let frames = end.answer(end.cookie(), decision(1, Code::Ok));
        let kinds: Vec<u8> = frames.iter().map(|f| f.kind).collect();
        assert_eq!(kinds, if version == V5 { vec![4, 3, 14] } else { vec![4, 3] });
        assert!(end.link.is_closed());
    }
}

#[test]
fn a_tap_is_acknowledged_with_its_decision() {
    for version in BOTH {
        for (qos, kind) in [(0, 0), (1, 4), (2, 5)] {
            let mut end = End::ready(version);
            assert!(
                end.send(&raw::publish(version, &format!("{UP}tap"), tap_body(5), qos, 11, false)).is_empty(),
                "nothing before it is safe"
            );
            let frames = end.answer(end.cookie(), decision(5, Code::Ok));
            assert_eq!(frames.len(), if qos == 0 { 1 } else { 2 });
            if qos > 0 {
                assert_eq!((frames[0].kind, frames[0].packet_id(), frames[0].code()), (kind, 11, 0));
            }
            let message = frames.last().expect("a decision").message(version);
            assert_eq!((message.topic.as_str(), message.qos, message.retain), ("td/1/cd/gate/s1-g1/down/decision", 1, false));
            assert!(message.body.contains(r#""seq":5,"result":"open","code":"OK""#), "{}", message.body);
            assert!(end.faults().is_empty());
        }
    }
}

#[test]
fn qos_2_is_completed_and_a_repetition_waits_for_the_commit() {
    for version in BOTH {
        let mut end = End::ready(version);
        let state = raw::publish(version, &format!("{UP}state"), state_body(true), 2, 9, true);
        assert!(end.send(&state).is_empty());
        let mut again = state.clone();
        again[0] |= 8;
        assert!(end.send(&again).is_empty(), "not durable yet");
        assert_eq!(end.link.unanswered(), 1);
        assert_eq!(end.answer(end.cookie(), Reply::Done).iter().map(|f| f.kind).collect::<Vec<_>>(), [5]);
        assert_eq!(end.send(&again).iter().map(|f| f.kind).collect::<Vec<_>>(), [5], "a repetition after it is answered at once");
        assert_eq!(end.send(&raw::answer(6, 9)).iter().map(|f| (f.kind, f.packet_id())).collect::<Vec<_>>(), [(7, 9)]);
        assert_eq!(end.link.unanswered(), 0);
    }
}

#[test]
fn a_busy_node_says_so_to_a_tap_and_tries_everything_else_again() {
    for version in BOTH {
        let mut end = End::ready(version);
        end.publish("tap", tap_body(1), 1);
        let cookie = end.cookie();
        let frames = end.step(|link, turn| link.answer(cookie, Answer::Busy, turn));
        assert!(frames[1].message(version).body.contains(r#""code":"BUSY""#));
        assert_eq!(end.faults(), [("s1-g1".to_owned(), Fault::Busy)]);

        end.publish("state", state_body(true), 2);
        let first = end.cookie();
        assert!(end.answer(first, Refusal::reply(RefusalCode::Busy, "")).is_empty(), "no acknowledgement without a commit");
        assert!(!end.link.wants_input(), "order is kept");
        assert_eq!(end.link.deadline(), Some(end.now + Millis(50)));
        end.wait(Millis(50));
        assert!(end.cookie() > first);
        assert_eq!(end.answer(end.cookie(), Reply::Done).iter().map(|f| (f.kind, f.packet_id())).collect::<Vec<_>>(), [(4, 2)]);
        assert!(end.link.wants_input());
    }
}

#[test]
fn decisions_that_are_faults_are_counted() {
    for (code, fault) in [
        (Code::Expired, Fault::Expired),
        (Code::NotInService, Fault::NotInService),
        (Code::UnknownDevice, Fault::UnknownDevice),
        (Code::KeyReused, Fault::KeyReused),
    ] {
        let mut end = End::ready(V5);
        end.publish("tap", tap_body(1), 1);
        let frames = end.answer(end.cookie(), decision(1, code));
        assert!(frames[1].message(V5).body.contains(code.name()));
        assert_eq!(end.faults(), [("s1-g1".to_owned(), fault)]);
    }
    let mut end = End::ready(V5);
    end.publish("tap", tap_body(1), 1);
    let frames = end.answer(end.cookie(), Refusal::reply(RefusalCode::KeyReused, ""));
    assert!(frames[1].message(V5).body.contains("KEY_REUSED"));
}

#[test]
fn records_are_acknowledged_by_a_message() {
    for version in BOTH {
        let mut end = End::ready(version);
        assert!(end.publish("records", r#"{"epoch":1,"first_seq":1,"records":[]}"#, 6).is_empty());
        let frames = end.answer(end.cookie(), Reply::Records(RecordsAck { epoch: 1, upto: 4, missing: vec![(2, 3)], rejected: vec![] }));
        assert_eq!(frames[0].kind, 4);
        let message = frames[1].message(version);
        assert_eq!(message.topic, "td/1/cd/gate/s1-g1/down/records_ack");
        assert!(message.body.contains(r#""upto":4,"missing":[[2,3]]"#), "{}", message.body);
    }
}

fn set_mode(world: &mut World, rev: u64) {
    let event = station::Event::ModesSet {
        id: id_of(&format!("mode/{rev}")),
        rev,
        modes: [Mode::Closed].into(),
        from: MORNING,
        until: None,
        kept_from: Timestamp(0),
        by: Some(by()),
        approved_by: None,
    };
    world.advance(&tongdao_domain::entity::EntityKey::new(tongdao_domain::entity::EntityKind::Station, "s1"), &event.into(), MORNING);
}
fn id_of(text: &str) -> CommandId {
    CommandId::new(text).expect("a command id")
}

#[test]
fn the_mode_is_retained_at_subscribe_and_sent_when_it_changes() {
    for version in BOTH {
        let mut end = End::ready(version);
        assert!(end.step(Link::mode_changed).is_empty(), "nothing was ever set");
        set_mode(&mut end.world, 1);
        let message = end.step(Link::mode_changed)[0].message(version);
        assert!(!message.retain && message.body.contains(r#""rev":1"#) && message.topic.ends_with("/down/mode"));
        let frames = end.send(&raw::subscribe(version, 8, &[(&format!("{DOWN}mode"), 1)]));
        let message = frames[1].message(version);
        assert!(message.retain && message.body.contains(r#""rev":1"#));
        assert_eq!(end.send(&raw::subscribe(version, 9, &[(&format!("{DOWN}decision"), 1)])).len(), 1, "not its topic");
        assert_eq!(end.send(&raw::subscribe(version, 9, &[("td/1/cd/all/down/#", 1)])).len(), 1, "never by broadcast");
    }
}

#[test]
fn retain_handling_of_5_is_obeyed() {
    let mut end = End::ready(V5);
    set_mode(&mut end.world, 1);
    let mode = format!("{DOWN}mode");
    assert_eq!(end.send(&raw::subscribe(V5, 2, &[(&mode, 1 | 2 << 4)])).len(), 1, "do not send");
    assert_eq!(end.send(&raw::subscribe(V5, 3, &[(&mode, 1 | 1 << 4)])).len(), 1, "only where it is new");
    end.send(&raw::unsubscribe(V5, 4, &[&mode]));
    assert_eq!(end.send(&raw::subscribe(V5, 5, &[(&mode, 1 | 1 << 4)])).len(), 2);
}

#[test]
fn orders_are_asked_for_at_subscribe_and_sent_until_they_expire() {
    for version in BOTH {
        let mut end = End::ready(version);
        end.send(&raw::subscribe(version, 8, &[(&format!("{DOWN}command"), 1)]));
        assert!(end.acts.iter().any(|act| matches!(act, Act::FetchOwed)));
        let order = DeviceOrder {
            id: id_of("order/1"),
            command: "restart".into(),
            args: "{}".into(),
            expires_at: MORNING + Millis(1_000),
            by: by(),
        };
        let frames = end.step(|link, turn| link.order(&order, turn));
        let message = frames[0].message(version);
        assert!(
            message.topic.ends_with("/down/command") && message.body.contains(r#""id":"order/1","command":"restart""#),
            "{}",
            message.body
        );
        let told = end.acts.iter().find_map(|act| if let Act::Tell(request) = act { Some(request) } else { None }).expect("told");
        assert!(matches!(&told.command, Command::Gate(gate::Command::OrderSent { id }) if *id == order.id));
        end.now = MORNING + Millis(1_000);
        assert!(end.step(|link, turn| link.order(&order, turn)).is_empty());
    }
}

#[test]
fn nothing_is_sent_to_who_does_not_listen() {
    for version in BOTH {
        let mut end = End::new(version);
        end.send(&RawConnect::new(version, "s1-g1", "s3cret").bytes());
        end.publish("tap", tap_body(1), 1);
        assert_eq!(end.answer(end.cookie(), decision(1, Code::Ok)).iter().map(|f| f.kind).collect::<Vec<_>>(), [4]);
        set_mode(&mut end.world, 1);
        assert!(end.step(Link::mode_changed).is_empty());
    }
}

#[test]
fn the_window_of_the_client_is_kept() {
    for version in BOTH {
        let mut end = End::ready_with(version, GatewayConfig { send_window: 2, outbox_max: 2, ..GatewayConfig::default() });
        let mut sent = Vec::new();
        for n in 1..=4 {
            end.publish("tap", tap_body(u64::from(n)), n);
            sent.extend(end.answer(end.cookie(), decision(u64::from(n), Code::Ok)).into_iter().filter(|f| f.kind == 3));
        }
        assert_eq!(sent.len(), 2, "two wait");
        let first = sent[0].message(version).packet_id;
        let frames = end.send(&raw::answer(4, first));
        assert!(frames[0].message(version).body.contains(r#""seq":3"#), "oldest first");
        end.publish("tap", tap_body(5), 5);
        end.answer(end.cookie(), decision(5, Code::Ok));
        end.publish("tap", tap_body(6), 6);
        let frames = end.answer(end.cookie(), decision(6, Code::Ok));
        end.assert_ended(&frames, 0x97, "s1-g1", Fault::SlowReader);
    }
}

#[test]
fn the_clients_own_receive_maximum_and_packet_size_are_kept() {
    let mut end = End::new(V5);
    // Receive Maximum 1, Maximum Packet Size 200.
    let connect = RawConnect { properties: vec![0x21, 0, 1, 0x27, 0, 0, 0, 200], ..RawConnect::new(V5, "s1-g1", "s3cret") };
    end.send(&connect.bytes());
    end.send(&raw::subscribe(V5, 1, &[(&format!("{DOWN}#"), 1)]));
    for n in 1..=3 {
        end.publish("tap", tap_body(n), u16::try_from(n).expect("small"));
        let frames = end.answer(end.cookie(), decision(n, Code::Ok));
        assert_eq!(
            frames.iter().map(|f| f.kind).collect::<Vec<_>>(),
            [4],
            "a decision is larger than 200 bytes: left out, and its packet id is free again"
        );
    }
    assert!(!end.link.is_closed());
    let frames = end.step(|link, turn| {
        let order =
            DeviceOrder { id: id_of("o1"), command: "restart".into(), args: "{}".into(), expires_at: MORNING + Millis(9), by: by() };
        link.order(&order, turn);
        link.order(&order, turn);
    });
    assert_eq!(frames.len(), 1, "one in flight: the second waits");
}

#[test]
fn the_keep_alive_is_one_and_a_half() {
    for version in BOTH {
        let mut end = End::new(version);
        end.send(&RawConnect { keep_alive_s: 10, ..RawConnect::new(version, "s1-g1", "s3cret") }.bytes());
        end.acts.clear();
        assert_eq!(end.link.deadline(), Some(MORNING + Millis(15_000)));
        end.wait(Millis(14_999));
        assert_eq!(end.send(&raw::ping()).iter().map(|f| f.kind).collect::<Vec<_>>(), [13]);
        assert!(end.wait(Millis(14_999)).is_empty() && !end.link.is_closed());
        let frames = end.wait(Millis(1));
        end.assert_ended(&frames, 0x8d, "s1-g1", Fault::KeepAlive);
    }
}

#[test]
fn who_wants_no_keep_alive_gets_the_longest() {
    for version in BOTH {
        let mut end = End::new(version);
        let frames = end.send(&RawConnect { keep_alive_s: 0, ..RawConnect::new(version, "s1-g1", "s3cret") }.bytes());
        assert_eq!(end.link.deadline(), Some(MORNING + Millis::seconds(900)));
        if version == V5 {
            assert!(frames[0].body.windows(3).any(|w| w == [0x13, 2, 0x58]), "Server Keep Alive 600: {:?}", frames[0].body);
        }
    }
}

#[test]
fn every_stage_has_its_end() {
    for version in BOTH {
        let mut end = End::new(version);
        assert_eq!(end.link.deadline(), Some(MORNING + Millis(5_000)));
        end.send(&RawConnect::new(version, "s1-g1", "s3cret").bytes()[..10]);
        end.wait(Millis(5_000));
        assert!(end.link.is_closed());
        assert_eq!(end.faults(), [("127.0.0.1".to_owned(), Fault::ConnectTimeout)]);

        let mut end = End::ready(version);
        let tap = raw::publish(version, &format!("{UP}tap"), tap_body(1), 1, 1, false);
        for byte in &tap[..8] {
            end.send(std::slice::from_ref(byte));
            end.wait(Millis(1_200));
        }
        assert!(!end.link.is_closed());
        end.send(&tap[8..9]);
        let frames = end.wait(Millis(400));
        end.assert_ended(&frames, 0x97, "s1-g1", Fault::SlowSender);
    }
}

#[test]
fn something_else_than_connect_first_ends_it() {
    for version in BOTH {
        for bytes in
            [raw::publish(version, "x", "y", 1, 1, false), raw::ping(), raw::subscribe(version, 1, &[("a", 0)]), vec![0, 0], vec![0xff; 8]]
        {
            let mut end = End::new(version);
            assert!(end.send(&bytes).is_empty(), "not a word");
            assert!(end.link.is_closed() && end.acts.iter().all(|act| !matches!(act, Act::Submit { .. })));
        }
    }
}

#[test]
fn a_second_connect_a_packet_id_of_zero_and_another_version_end_it() {
    for version in BOTH {
        let mut end = End::ready(version);
        let frames = end.send(&RawConnect::new(version, "s1-g1", "s3cret").bytes());
        end.assert_ended(&frames, 0x82, "s1-g1", Fault::Protocol);
        for bytes in
            [raw::publish(version, &format!("{UP}tap"), tap_body(1), 1, 0, false), raw::subscribe(version, 0, &[(&format!("{DOWN}#"), 1)])]
        {
            let mut end = End::ready(version);
            let frames = end.send(&bytes);
            end.assert_ended(&frames, 0x82, "s1-g1", Fault::Protocol);
        }
    }
    let mut end = End::new(3);
    let frames = end.send(&RawConnect::new(3, "s1-g1", "s3cret").bytes());
    assert_eq!((frames[0].kind, frames[0].code(), end.link.is_closed()), (2, 1, true));
}

#[test]
fn the_will_is_published_when_it_goes_without_good_bye() {
    for version in BOTH {
        let will = Some(("td/1/cd/gate/s1-g1/up/state".to_owned(), state_body(false), true));
        let connected = || {
            let mut end = End::new(version);
            end.send(&RawConnect { will: will.clone(), keep_alive_s: 10, ..RawConnect::new(version, "s1-g1", "s3cret") }.bytes());
            assert!(end.link.identity().is_some());
            end
        };
        let mut lost = connected();
        lost.step(Link::lost);
        let request = lost.will().expect("the will");
        assert_eq!(request.command_id.as_str(), "state/s1-g1/9/will");
        assert!(matches!(&request.command, Command::Gate(gate::Command::State(twin)) if !twin.online));
        let mut silent = connected();
        silent.wait(Millis(15_000));
        assert!(silent.will().is_some());
        for goes in [Link::taken_over, Link::cut] {
            let mut end = connected();
            end.step(goes);
            assert!(end.will().is_none(), "it is not gone");
        }
        let mut polite = connected();
        polite.send(&raw::disconnect(version, 0));
        assert!(polite.link.is_closed() && polite.will().is_none() && polite.faults().is_empty());
    }
    let mut wants_it = End::new(V5);
    let will = Some(("td/1/cd/gate/s1-g1/up/state".to_owned(), state_body(false), true));
    wants_it.send(&RawConnect { will, ..RawConnect::new(V5, "s1-g1", "s3cret") }.bytes());
    wants_it.send(&raw::disconnect(V5, 4));
    assert!(wants_it.will().is_some());
}

#[test]
fn a_kiosk_may_tell_its_state_and_nothing_else() {
    for version in BOTH {
        let mut end = End::new(version);
        if let Some(entry) = end.world.devices.get_mut("s1-g1") {
            entry.kind = DeviceKind::Kiosk;
        }
        end.send(&RawConnect::new(version, "s1-g1", "s3cret").bytes());
        assert!(end.send(&raw::publish(version, "td/1/cd/kiosk/s1-g1/up/state", state_body(true), 1, 1, true)).is_empty());
        assert_eq!(end.answer(end.cookie(), Reply::Done).len(), 1);
        let frames = end.send(&raw::publish(version, "td/1/cd/kiosk/s1-g1/up/tap", tap_body(1), 1, 2, false));
        assert_eq!(frames[0].code(), if version == V5 { 0x99 } else { 0 });
        assert_eq!(end.faults()[0].1, Fault::Unsupported);
    }
}

#[test]
fn two_answers_for_a_client_that_is_gone_are_dropped() {
    let mut end = End::ready(V5);
    end.publish("tap", tap_body(1), 1);
    let cookie = end.cookie();
    end.step(Link::lost);
    assert!(end.answer(cookie, decision(1, Code::Ok)).is_empty());
    assert_eq!(id::<tongdao_domain::id::SiteId>("cd").as_str(), "cd");
}
