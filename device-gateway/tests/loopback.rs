//! Over real sockets, with a real node: the straight path, takeover, wills, modes, orders, going down.
mod raw;
mod rig;

use raw::{Connect, V3, V5};
use rig::{Client, Rig, SECRET, config, state_body, tap_body};
use tongdao_actors::state::EntityState;
use tongdao_device_gateway::config::GatewayConfig;
use tongdao_domain::entity::{EntityKey, EntityKind};
use tongdao_domain::gate::{self, DeviceOrder};
use tongdao_domain::id::{CommandId, StationId};
use tongdao_domain::machine::Reply;
use tongdao_domain::station;
use tongdao_domain::testing::{by, gate_of, id};
use tongdao_domain::time::Millis;

#[test]
fn a_tap_is_answered_in_both_versions_and_is_durable() {
    let rig = Rig::plain();
    rig.account("a1", "card-1");
    for (version, device) in [(V5, "s0-g1"), (V3, "s0-g2")] {
        let mut gate = rig.ready_gate(version, device);
        for seq in 1..=20 {
            let decision = gate.tap(device, seq, "card-1", rig.clock.now());
            assert!(decision.body.contains(&format!(r#""seq":{seq},"result":"open","code":"OK""#)), "{}", decision.body);
            assert!(
                rig.feed().iter().any(|item| item.command_id.as_str() == format!("tap/{device}/1/{seq}")),
                "told before it was durable"
            );
        }
        let again = tap_body(20, "card-2", rig.clock.now());
        gate.publish(&format!("td/1/cd/gate/{device}/up/tap"), &again);
        assert!(gate.message("/down/decision").body.contains("KEY_REUSED"));
    }
    rig.stop();
}

#[test]
fn many_taps_in_one_segment_are_each_answered_once() {
    let rig = Rig::plain();
    rig.account("a1", "card-1");
    for (version, device) in [(V5, "s0-g1"), (V3, "s0-g2")] {
        let mut gate = rig.ready_gate(version, device);
        let now = rig.clock.now();
        for round in 0..10_u16 {
            let tap = |n: u16| {
                let body = tap_body(u64::from(round * 8 + n), "card-1", now);
                raw::publish(version, &format!("td/1/cd/gate/{device}/up/tap"), body, u8::try_from(n % 3).expect("a QoS"), n, false)
            };
            let bytes: Vec<u8> = (1..=8).flat_map(tap).collect();
            let (head, tail) = bytes.split_at(bytes.len() / 3);
            gate.write(head);
            gate.write(tail);
            let mut answered: Vec<u64> = (0..8).map(|_| seq_of(&gate.message("/down/decision").body)).collect();
            answered.sort_unstable();
            assert_eq!(answered, (1..=8).map(|n| u64::from(round * 8 + n)).collect::<Vec<_>>());
            // A packet id of QoS 2 is free again only after this.
            gate.write(&[2, 5, 8].map(|id| raw::answer(6, id)).concat());
            (0..3).for_each(|_| drop(gate.expect(7)));
        }
    }
    rig.stop();
}
fn seq_of(body: &str) -> u64 {
    let digits = body.split(r#""seq":"#).nth(1).expect("a seq").split(',').next().expect("a number");
    digits.parse().expect("a number")
}

#[test]
fn a_second_connection_takes_over_across_cells() {
    let rig = Rig::start(config(), 2);
    for version in [V5, V3] {
        let will = Some(("td/1/cd/gate/s1-g1/up/state".to_owned(), state_body(false, rig.clock.now()), true));
        let mut older = rig.connect();
        older.sign_in(&Connect { will: will.clone(), ..Connect::new(version, "s1-g1", SECRET) });
        older.state("s1-g1", true, rig.clock.now());
        for _ in 0..6 {
            let mut newer = rig.connect();
            newer.sign_in(&Connect { will: will.clone(), ..Connect::new(version, "s1-g1", SECRET) });
            older.assert_closed(0x8e);
            older = newer;
        }
        older.subscribe("td/1/cd/gate/s1-g1/down/decision");
        assert_eq!(rig.gateway.devices(), [gate_of("s1", 1)]);
        assert!(online(&rig, "s1"), "who was taken over is not gone: no will");
        older.write(&raw::disconnect(version, 0));
        assert_eq!(older.next(), None);
    }
    rig.stop();
}

fn online(rig: &Rig, station: &str) -> bool {
    let EntityState::Gate(gate) = rig.query(&EntityKey::gate(&gate_of(station, 1))) else { panic!("no gate") };
    gate.twin.is_some_and(|twin| twin.online)
}

#[test]
fn who_falls_silent_is_closed_and_its_will_is_published() {
    let rig = Rig::plain();
    for version in [V5, V3] {
        let will = Some(("td/1/cd/gate/s1-g1/up/state".to_owned(), state_body(false, rig.clock.now() + Millis(10_000)), true));
        let mut gate = rig.connect();
        gate.sign_in(&Connect { will, keep_alive_s: 1, ..Connect::new(version, "s1-g1", SECRET) });
        gate.state("s1-g1", true, rig.clock.now());
        assert!(online(&rig, "s1"));
        gate.assert_closed(0x8d);
        while online(&rig, "s1") {
            std::thread::yield_now();
        }
    }
    rig.stop();
}

#[test]
fn a_mode_reaches_every_gate_of_its_station_and_is_kept_for_who_comes_later() {
    let rig = Rig::start(config(), 2);
    let (mut here, mut there) = (rig.ready_gate(V5, "s2-g1"), rig.ready_gate(V3, "s2-g2"));
    let mut elsewhere = rig.ready_gate(V5, "s3-g1");
    let reply = rig.ask(EntityKey::from(&id::<StationId>("s2")), "emergency/1", station::Command::Emergency { by: by() });
    assert!(matches!(reply, Reply::Mode { rev: 1, of: 2, .. }), "{reply:?}");
    for gate in [&mut here, &mut there] {
        let mode = gate.message("/down/mode");
        assert!(
            !mode.retain && mode.body.contains(r#""id":"emergency/1","rev":1,"service":"open","station_mode":["emergency"]"#),
            "{}",
            mode.body
        );
    }
    let ack = format!(r#"{{"id":"emergency/1","result":"done","at":"{}"}}"#, rig::rfc3339(rig.clock.now()));
    here.publish("td/1/cd/gate/s2-g1/up/ack", &ack);
    assert_eq!(here.expect(4).code(), 0);
    drop(here);
    let mut back = rig.connect();
    back.sign_in(&Connect::new(V5, "s2-g1", SECRET));
    back.subscribe("td/1/cd/gate/s2-g1/down/+");
    assert!(back.message("/down/mode").retain);
    elsewhere.write(&raw::ping());
    assert_eq!(elsewhere.next().map(|frame| frame.kind), Some(13), "nothing for another station");
    rig.stop();
}

#[test]
fn the_button_of_one_gate_opens_the_station() {
    let rig = Rig::plain();
    let (mut pressed, mut other) = (rig.ready_gate(V3, "s2-g1"), rig.ready_gate(V5, "s2-g2"));
    let alarm = format!(r#"{{"id":"b1","kind":"emergency_button","on":true,"at":"{}"}}"#, rig::rfc3339(rig.clock.now()));
    pressed.publish("td/1/cd/gate/s2-g1/up/alarm", &alarm);
    for gate in [&mut pressed, &mut other] {
        assert!(gate.message("/down/mode").body.contains(r#""station_mode":["emergency"]"#));
    }
    rig.stop();
}

#[test]
fn an_order_goes_out_and_its_end_comes_back() {
    let rig = Rig::plain();
    let order = |n: u32| DeviceOrder {
        id: CommandId::new(format!("order/{n}")).expect("a command id"),
        command: "restart".into(),
        args: "{}".into(),
        expires_at: rig.clock.now() + Millis::minutes(5),
        by: by(),
    };
    let gate_key = EntityKey::gate(&gate_of("s2", 1));
    let mut gate = rig.ready_gate(V5, "s2-g1");
    assert_eq!(rig.ask(gate_key.clone(), "order/1", gate::Command::Order(order(1))), Reply::Done);
    assert!(gate.message("/down/command").body.contains(r#""id":"order/1","command":"restart""#));
    drop(gate);
    assert_eq!(rig.ask(gate_key, "order/2", gate::Command::Order(order(2))), Reply::Done);
    let mut gate = rig.gate(V3, "s2-g1");
    let mut owed = [gate.message("/down/command").body, gate.message("/down/command").body];
    owed.sort();
    assert!(owed[0].contains("order/1") && owed[1].contains("order/2"), "both are owed at SUBSCRIBE: {owed:?}");
    rig.stop();
}

#[test]
fn a_device_whose_secret_changes_is_closed() {
    let rig = Rig::plain();
    let key = EntityKey::device(&gate_of("s4", 1));
    let secret = tongdao_domain::device::SecretHash([7; 32]);
    let add = tongdao_domain::device::Command::Add { kind: tongdao_domain::device::DeviceKind::Gate, site: id("cd"), secret, by: by() };
    let mut gate = rig.gate(V5, "s4-g1");
    assert_eq!(rig.ask(key.clone(), "add/1", add), Reply::Done);
    assert_eq!(rig.ask(key, "revoke/1", tongdao_domain::device::Command::Revoke { by: by() }), Reply::Done);
    gate.assert_closed(0x87);
    let mut again = rig.connect();
    again.write(&Connect::new(V5, "s4-g1", SECRET).bytes());
    assert_eq!(again.expect(2).code(), 0x86);
    rig.stop();
}

#[test]
fn going_down_says_so_and_leaves_the_counts_in_the_audit() {
    let rig = Rig::plain();
    let (mut five, mut three) = (rig.ready_gate(V5, "s1-g1"), rig.ready_gate(V3, "s1-g2"));
    five.publish("td/1/cd/gate/s1-g2/up/tap", "{}");
    assert_eq!(five.expect(4).code(), 0x87);
    five.publish("td/1/cd/gate/s1-g1/up/tap", "{}");
    assert_eq!(five.expect(4).code(), 0x99);
    assert_eq!(rig.gateway.dead_letters().iter().map(|letter| letter.code).collect::<Vec<_>>(), ["missing_field"]);
    let mut stranger = rig.connect();
    stranger.write(&Connect::new(V5, "s1-g1", "guess").bytes());
    assert_eq!(stranger.expect(2).code(), 0x86);
    rig.runtime.block_on(rig.gateway.drain(std::time::Duration::from_secs(5)));
    five.assert_closed(0x8b);
    three.assert_closed(0x8b);
    assert_eq!((rig.gateway.connections(), rig.gateway.devices()), (0, vec![]));
    let audited: Vec<String> =
        rig.feed().iter().filter(|item| item.entity.kind == EntityKind::Audit).map(|item| item.command_id.to_string()).collect();
    for part in ["/s1-g1/foreign_topic/", "/s1-g1/bad_payload/", "/127.0.0.1/bad_credentials/"] {
        assert!(audited.iter().any(|id| id.contains(part)), "{part} in {audited:?}");
    }
    rig.stop();
}

#[test]
fn nobody_is_let_in_beyond_the_caps() {
    let rig = Rig::start(GatewayConfig { connections_max: 2, connecting_per_address_max: 1, ..config() }, 1);
    let mut silent = rig.connect();
    silent.write(&[0x10]);
    let mut second: Client = rig.connect();
    assert_eq!(second.next(), None, "one that has not signed in per address");
    silent.write(&Connect::new(V5, "s1-g1", SECRET).bytes()[1..]);
    assert_eq!(silent.expect(2).code(), 0);
    let _second = rig.gate(V5, "s1-g2");
    let mut third = rig.connect();
    assert_eq!(third.next(), None, "two on this node");
    rig.stop();
}
