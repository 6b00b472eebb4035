//! The adapter against a hand-written client: nothing that comes in makes it panic, and it does not matter where a stream
//! is cut.
use super::*;
use crate::packet::Retained;
use crate::raw::{self, Connect as RawConnect, V3, V5};
use proptest::prelude::*;

const LIMITS: Limits = Limits { packet_bytes_max: 4_096, send_window: 4 };
const ACCEPTED: Accepted = Accepted { receive_maximum: 8, packet_bytes_max: 4_096, topic_alias_max: 2, keep_alive_s: None };

/// Feeds a stream in pieces, answering as a server would; gives all that was understood and all that was said.
fn play(pieces: &[&[u8]]) -> (Vec<String>, Vec<u8>) {
    let (mut wire, mut out, mut seen) = (CoreWire::new(LIMITS), Vec::new(), Vec::new());
    for piece in pieces {
        let mut input = *piece;
        while let Some(incoming) = wire.receive(&mut input, &mut out) {
            seen.push(format!("{incoming:?}"));
            match incoming {
                Incoming::Connect(_) => wire.accept(&ACCEPTED, &mut out),
                Incoming::Publish(p) => {
                    if let Some(id) = p.packet_id() {
                        wire.acknowledge(id, p.qos(), AckCode::Done, &mut out);
                    }
                    let message = Outgoing { topic: "down", payload: p.payload(), qos: 1, retain: false };
                    let _ = wire.publish(&message, &mut out);
                }
                Incoming::Subscribe { packet_id, filters } => {
                    let codes: Vec<Granted> = filters.iter().map(|_| Granted::Qos1).collect();
                    wire.granted(packet_id, &codes, &mut out);
                }
                Incoming::Unsubscribe { packet_id, filters } => {
                    let existed: Vec<bool> = filters.iter().map(|_| true).collect();
                    wire.unsubscribed(packet_id, &existed, &mut out);
                }
                Incoming::Violation(_) => return (seen, out),
                _ => {}
            }
        }
        assert!(input.is_empty(), "all is taken");
    }
    (seen, out)
}

fn packets(version: u8) -> impl Strategy<Value = Vec<u8>> {
    let id = || 1_u16..6;
    prop_oneof![
        ("[a-z/]{1,20}", proptest::collection::vec(any::<u8>(), 0..300), 0_u8..3, id())
            .prop_map(move |(topic, body, qos, id)| raw::publish(version, &topic, body, qos, id, false)),
        ("[a-z/#+]{1,20}", id()).prop_map(move |(filter, id)| raw::subscribe(version, id, &[(&filter, 1)])),
        id().prop_map(move |id| raw::unsubscribe(version, id, &["a"])),
        (4_u8..8, id()).prop_map(|(kind, id)| raw::answer(kind, id)),
        Just(raw::ping()),
        Just(raw::disconnect(version, 0)),
        proptest::collection::vec(any::<u8>(), 1..30),
    ]
}

fn stream() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![Just(V3), Just(V5)].prop_flat_map(|version| {
        proptest::collection::vec(packets(version), 0..12)
            .prop_map(move |packets| [RawConnect::new(version, "g1", "s").bytes(), packets.concat()].concat())
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        play(&[&bytes]);
    }

    #[test]
    fn a_stream_means_the_same_however_it_is_cut(bytes in stream(), cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..20)) {
        let mut at: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).chain([0, bytes.len()]).collect();
        at.sort_unstable();
        let pieces: Vec<&[u8]> = at.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect();
        prop_assert_eq!(play(&pieces), play(&[&bytes]));
    }

    #[test]
    fn a_damaged_stream_never_panics(mut bytes in stream(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let at = at.index(bytes.len());
        bytes[at] = byte;
        play(&[&bytes]);
    }
}

#[test]
fn what_was_subscribed_is_understood() {
    for version in [V3, V5] {
        let (mut wire, mut out) = (CoreWire::new(LIMITS), Vec::new());
        let connect = RawConnect { keep_alive_s: 7, will: Some(("w".into(), "body".into(), true)), ..RawConnect::new(version, "g1", "s") };
        let Some(Incoming::Connect(connect)) = wire.receive(&mut connect.bytes().as_slice(), &mut out) else { panic!("no CONNECT") };
        assert_eq!(
            (&*connect.client_id, connect.user_name.as_deref(), connect.password.as_deref()),
            ("g1", Some("g1"), Some(b"s".as_slice()))
        );
        assert_eq!(
            (connect.keep_alive_s, connect.will),
            (7, Some(Will { topic: "w".into(), payload: b"body".as_slice().into(), retain: true }))
        );
        assert!(!format!("{:?}", wire.version).is_empty());
        wire.accept(&ACCEPTED, &mut out);
        let options = if version == V5 { 1 | 2 << 4 } else { 1 };
        let bytes = raw::subscribe(version, 3, &[("a/#", options)]);
        let Some(Incoming::Subscribe { packet_id: 3, filters }) = wire.receive(&mut bytes.as_slice(), &mut out) else {
            panic!("no SUBSCRIBE")
        };
        let retained = if version == V5 { Retained::Skip } else { Retained::Send };
        assert_eq!(filters.as_slice(), [Filter { filter: "a/#".into(), qos: 1, retained }]);
    }
}

#[test]
fn topic_aliases_are_resolved() {
    let (mut wire, mut out) = (CoreWire::new(LIMITS), Vec::new());
    wire.receive(&mut RawConnect::new(V5, "g1", "s").bytes().as_slice(), &mut out);
    wire.accept(&ACCEPTED, &mut out);
    let alias = |topic: &[u8], alias: u8| {
        let length = u8::try_from(topic.len()).expect("short");
        raw::packet(0x30, &[&[0, length], topic, &[3, 0x23, 0, alias], b"body"].concat())
    };
    for bytes in [alias(b"a/b", 2), alias(b"", 2)] {
        let Some(Incoming::Publish(publish)) = wire.receive(&mut bytes.as_slice(), &mut out) else { panic!("no PUBLISH") };
        assert_eq!((publish.topic(), publish.payload()), ("a/b", b"body".as_slice()));
    }
    assert!(matches!(wire.receive(&mut alias(b"a", 3).as_slice(), &mut out), Some(Incoming::Violation(Violation::Protocol))));
}

#[test]
fn a_partial_packet_stalls_and_a_whole_one_does_not() {
    let bytes = RawConnect::new(V5, "g1", "s").bytes();
    let (mut wire, mut out) = (CoreWire::new(LIMITS), Vec::new());
    assert!(!wire.stalled());
    for (n, byte) in bytes.iter().enumerate() {
        let found = wire.receive(&mut std::slice::from_ref(byte), &mut out);
        assert_eq!((found.is_some(), wire.stalled()), (n + 1 == bytes.len(), n + 1 < bytes.len()));
    }
}

#[test]
fn a_connection_that_was_refused_says_nothing_more() {
    for (version, length) in [(V3, 4), (V5, 5)] {
        let (mut wire, mut out) = (CoreWire::new(LIMITS), Vec::new());
        wire.receive(&mut RawConnect::new(version, "g1", "s").bytes().as_slice(), &mut out);
        wire.reject(Rejection::Credentials, &mut out);
        assert_eq!(out.len(), length);
        assert!(matches!(wire.receive(&mut raw::ping().as_slice(), &mut out), Some(Incoming::Violation(_))));
        wire.disconnect(Disconnect::Draining, &mut out);
        assert_eq!(out.len(), length);
    }
}

#[test]
fn a_message_above_the_clients_size_gives_its_packet_id_back() {
    let (mut wire, mut out) = (CoreWire::new(Limits { send_window: 2, ..LIMITS }), Vec::new());
    let connect = RawConnect { properties: vec![0x27, 0, 0, 0, 100], ..RawConnect::new(V5, "g1", "s") };
    wire.receive(&mut connect.bytes().as_slice(), &mut out);
    wire.accept(&ACCEPTED, &mut out);
    let large = Outgoing { topic: "t", payload: &[b'x'; 100], qos: 1, retain: false };
    for _ in 0..70_000 {
        assert_eq!(wire.publish(&large, &mut out), Err(Unsent::TooLarge));
    }
    let small = Outgoing { payload: b"x", ..large };
    out.clear();
    assert_eq!(wire.publish(&small, &mut out), Ok(()));
    assert_eq!(raw::frames(&mut out)[0].message(V5).packet_id, 1);
    assert_eq!(wire.publish(&small, &mut out), Ok(()));
    assert_eq!(wire.publish(&small, &mut out), Err(Unsent::WindowFull));
}
