//! A fleet against a small server of its own, over loopback.
use super::*;
use crate::gate::Repeat;
use crate::mqtt::packet::{self, Incoming, Target};
use serde_json::{Value, json};
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use tongdao_domain::code::Code;
use tongdao_protocol::gate::{Direction, Medium, MediumKind, PassageOutcome};

/// What the server does with a tap.
#[derive(Clone, Copy, PartialEq)]
enum Manner {
    Answer,
    CloseOnFirstTap,
    Refuse,
}

struct Host {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Host {
    fn start(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (connections, heard) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(Vec::new())));
        let (count, log) = (connections.clone(), heard.clone());
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let first = count.fetch_add(1, Ordering::SeqCst) == 0;
                let log = log.clone();
                thread::spawn(move || serve(stream, manner, first, &log));
            }
        });
        Self { address, connections, heard }
    }
}

fn serve(mut stream: TcpStream, manner: Manner, first: bool, log: &Mutex<Vec<String>>) {
    let (mut bytes, mut buffer) = (Vec::new(), [0; 4096]);
    while let Ok(length) = stream.read(&mut buffer) {
        if length == 0 {
            return;
        }
        bytes.extend_from_slice(&buffer[..length]);
        let mut out = Vec::new();
        while let Some(length) = frame(&bytes) {
            let packet: Vec<u8> = bytes.drain(..length).collect();
            if !answer(&packet, manner, first, log, &mut out) {
                return;
            }
        }
        if stream.write_all(&out).is_err() {
            return;
        }
    }
}

/// Length of the packet at the front.
fn frame(bytes: &[u8]) -> Option<usize> {
    let mut length = 0;
    for (i, byte) in bytes.iter().skip(1).enumerate() {
        length |= usize::from(byte & 0x7F) << (7 * i);
        if byte & 0x80 == 0 {
            return Some(2 + i + length).filter(|whole| *whole <= bytes.len());
        }
    }
    None
}

fn answer(bytes: &[u8], manner: Manner, first: bool, log: &Mutex<Vec<String>>, out: &mut Vec<u8>) -> bool {
    match bytes[0] >> 4 {
        1 if manner == Manner::Refuse => out.extend_from_slice(b"\x20\x03\x00\x86\x00"),
        1 => out.extend_from_slice(b"\x20\x06\x00\x00\x03\x21\x00\x08"),
        8 => out.extend_from_slice(b"\x90\x04\xFF\xFF\x00\x01"),
        3 => {
            let Ok(Some((Incoming::Publish { topic, payload, packet_id }, _))) = packet::read(bytes, Version::V5) else { return false };
            let level = String::from_utf8_lossy(topic).rsplit('/').next().unwrap_or_default().to_owned();
            let tap = level == "tap";
            log.lock().expect("the log").push(level);
            if tap && first && manner == Manner::CloseOnFirstTap {
                return false;
            }
            packet::puback(out, packet_id.unwrap_or(0));
            if tap {
                decide(payload, out);
            }
        }
        14 => return false,
        _ => {}
    }
    true
}

fn decide(tap: &[u8], out: &mut Vec<u8>) {
    let tap: Value = serde_json::from_slice(tap).expect("a tap");
    let decision = json!({"epoch": tap["epoch"], "seq": tap["seq"], "result": "open", "code": "OK", "decided_at": tap["at"],
        "expires_at": tap["at"], "messages": {"zh-CN": "", "en": ""}});
    let to = Target { prefix: b"td/1/t/gate/g1/down/", message: b"decision", retain: false };
    packet::publish(out, Version::V5, 1, to, decision.to_string().as_bytes());
}

fn fleet(host: &Host, habits: &Habits) -> Fleet {
    let server = Server { address: host.address, tls: None, version: Version::V5, site: "t".into(), http: None };
    let gates = [Credentials { device: "g1".into(), secret: "s".into() }];
    Fleet::new(server, habits, &gates, Clock::local()).expect("a fleet")
}

fn rider() -> Rider {
    let medium = Medium::new(MediumKind::Card, "m1").expect("a token");
    Rider { direction: Direction::Entry, medium, passage: (PassageOutcome::Passed, 0), repeat: Repeat::No, tag: 9 }
}

/// Turns until the notice comes; bounded by a generous time.
fn until(fleet: &mut Fleet, notices: &mut Vec<Notice>, wanted: impl Fn(&Notice) -> bool) {
    let clock = Clock::local();
    while !notices.iter().any(&wanted) {
        assert!(clock.ns() < 20_000_000_000, "in time; {notices:?}");
        fleet.turn(Duration::from_millis(50), notices).expect("a turn");
    }
}

fn is_online(notice: &Notice) -> bool {
    matches!(notice, Notice::Gate(0, Fact::Online))
}
fn is_decided(notice: &Notice) -> bool {
    matches!(notice, Notice::Gate(0, Fact::Decided { tag: 9, code: Code::Ok, .. }))
}

/// Long enough that a busy machine does not make the gate decide alone.
fn patient() -> Habits {
    Habits { deadline_ms: 60_000, ..Habits::default() }
}

#[test]
fn a_tap_goes_out_and_its_answer_comes_back() {
    let host = Host::start(Manner::Answer);
    let (mut fleet, mut notices) = (fleet(&host, &patient()), Vec::new());
    until(&mut fleet, &mut notices, is_online);
    assert_eq!(fleet.online(), 1);
    fleet.tap(0, &rider(), &mut notices);
    until(&mut fleet, &mut notices, is_decided);
    until(&mut fleet, &mut notices, |_| host.heard.lock().expect("the log").iter().any(|level| level == "passage"));
    assert_eq!(*host.heard.lock().expect("the log"), ["state", "tap", "passage"]);
}

#[test]
fn a_lost_connection_comes_back_and_the_open_tap_with_it() {
    let host = Host::start(Manner::CloseOnFirstTap);
    let (mut fleet, mut notices) = (fleet(&host, &patient()), Vec::new());
    until(&mut fleet, &mut notices, is_online);
    fleet.tap(0, &rider(), &mut notices);
    until(&mut fleet, &mut notices, is_decided);
    assert!(notices.iter().any(|notice| matches!(notice, Notice::Lost(0, _))));
    assert_eq!((fleet.online(), fleet.lost(), host.connections.load(Ordering::SeqCst)), (1, 1, 2));
}

#[test]
fn without_an_answer_the_timer_lets_the_gate_decide_alone() {
    let host = Host::start(Manner::Refuse);
    let (mut fleet, mut notices) = (fleet(&host, &Habits::default()), Vec::new());
    fleet.tap(0, &rider(), &mut notices);
    until(&mut fleet, &mut notices, |notice| matches!(notice, Notice::Gate(0, Fact::Alone { tag: 9, open: false })));
}

#[test]
fn a_refused_device_is_told_with_its_code() {
    let host = Host::start(Manner::Refuse);
    let (mut fleet, mut notices) = (fleet(&host, &patient()), Vec::new());
    until(&mut fleet, &mut notices, |notice| matches!(notice, Notice::Lost(0, why) if why.contains("0x86")));
    assert_eq!(fleet.online(), 0);
}
