//! What a link does for its device: decisions, acknowledgements, what is owed, wills.
use super::*;

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
fn a_gate_is_told_what_it_is_gone_by_and_nobody_else_is() {
    for version in BOTH {
        let mut end = End::ready(version);
        let config = format!("{DOWN}config");
        let frames = end.send(&raw::subscribe(version, 2, &[(&config, 1)]));
        end.take_config(&frames);
        assert_eq!(end.send(&raw::subscribe(version, 3, &[(&format!("{DOWN}decision"), 1)])).len(), 1, "not its topic");
        let mut kiosk = End::new(version);
        kiosk.world.devices.values_mut().for_each(|entry| entry.kind = DeviceKind::Kiosk);
        kiosk.send(&RawConnect::new(version, "s1-g1", "s3cret").bytes());
        assert_eq!(kiosk.send(&raw::subscribe(version, 1, &[("td/1/cd/kiosk/s1-g1/down/#", 1)])).len(), 1);
    }
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
    let suback = end.send(&raw::subscribe(V5, 1, &[(&format!("{DOWN}#"), 1)]));
    end.take_config(&suback);
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
