//! A link and a raw client as a pair of ends with a clock of their own. What goes wrong is in `faults`, what a link does
//! for its device in `service`.
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
        let common = Rc::new(Common { config, admission, lists: RefCell::default() });
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
        end.take_config(&suback);
        end.acts.clear();
        end
    }
    /// What the gate goes by, retained, follows the SUBACK and is acknowledged.
    fn take_config(&mut self, frames: &[Frame]) {
        let config = frames[1].message(self.version);
        assert!(config.retain && config.topic == format!("{DOWN}config"), "{config:?}");
        assert!(config.body.contains(r#""riders_max":3,"records_max":150"#), "{}", config.body);
        assert!(self.send(&raw::answer(4, config.packet_id)).is_empty());
    }
    fn step<T>(&mut self, act: impl FnOnce(&mut Link<CoreWire>, &mut Turn<'_>) -> T) -> Vec<Frame> {
        self.link.common.admission.clock().set(self.now);
        let (mut body, mut topic, mut packets) = (Vec::new(), String::new(), 0);
        let mut turn = Turn {
            now: self.now,
            read: Duration::ZERO,
            world: &self.world,
            out: &mut self.received,
            acts: &mut self.acts,
            packets: &mut packets,
            body: &mut body,
            topic: &mut topic,
        };
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

mod faults;
mod service;
