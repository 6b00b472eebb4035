//! Every row of the fault table, in both versions.
use super::*;

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
fn a_payload_has_at_most_64_kib_whatever_the_packet_may_have() {
    for version in BOTH {
        let padded = |length: usize| tap_body(1) + &" ".repeat(length - tap_body(1).len());
        let mut end = End::ready(version);
        assert!(end.publish("tap", padded(65_536), 1).is_empty(), "it is read and waits for its answer");
        let frames = end.publish("tap", padded(65_537), 2);
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
