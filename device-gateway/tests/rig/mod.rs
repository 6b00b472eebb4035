//! A real node behind the gateway on loopback ports, and a blocking raw client. Nothing sleeps: a client waits for what it
//! expects, with a time-out that only a broken server reaches.
#![allow(dead_code, unreachable_pub, missing_docs, clippy::allow_attributes, reason = "each test binary uses its own part")]

use crate::raw::{self, Connect, Frame, Message, V5};
use sha2::{Digest, Sha256};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;
use tongdao_actors::clock::Clock;
use tongdao_actors::limits::Limits;
use tongdao_actors::node::{Node, NodeConfig, Stopped};
use tongdao_actors::request::Lane;
use tongdao_actors::state::EntityState;
use tongdao_device_gateway::config::GatewayConfig;
use tongdao_device_gateway::gateway::Gateway;
use tongdao_domain::device::SecretHash;
use tongdao_domain::entity::EntityKey;
use tongdao_domain::id::CommandId;
use tongdao_domain::machine::{Command, Reply};
use tongdao_domain::testing::rider;
use tongdao_domain::time::Timestamp;
use tongdao_domain::world::World;
use tongdao_journal::contract::{FeedItem, Journal};
use tongdao_journal::memory::Memory;

pub const SECRET: &str = "s3cret";
const PATIENCE: Duration = Duration::from_secs(20);

pub struct Rig {
    pub node: Node,
    pub gateway: Gateway,
    pub journal: Arc<Memory>,
    pub clock: Clock,
    pub runtime: tokio::runtime::Runtime,
}

/// No fixed port, nothing that a busy test machine runs into.
pub fn config() -> GatewayConfig {
    GatewayConfig { mqtt: Some(SocketAddr::from(([127, 0, 0, 1], 0))), ..GatewayConfig::default() }
}

impl Rig {
    pub fn start(config: GatewayConfig, cells: usize) -> Self {
        let (clock, journal) = (Clock::start(None, Timestamp(0)), Arc::new(Memory::automatic(8)));
        let gateway = Gateway::bind(config, clock.now()).expect("free ports");
        let node = NodeConfig {
            cells,
            journal: journal.clone(),
            world: world(),
            clock: clock.clone(),
            limits: Limits::default(),
            hook: gateway.hook(),
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        Self { node: Node::start(node).expect("a node"), gateway, journal, clock, runtime }
    }
    pub fn plain() -> Self {
        Self::start(config(), 1)
    }
    pub fn ask(&self, entity: EntityKey, command_id: &str, command: impl Into<Command>) -> Reply {
        let (command, command_id) = (command.into(), CommandId::new(command_id).expect("a command id"));
        let lane = Lane::of(&command);
        self.runtime.block_on(self.node.door().ask(entity, command_id, command, lane)).expect("not busy")
    }
    pub fn query(&self, entity: &EntityKey) -> EntityState {
        self.runtime.block_on(self.node.query(entity)).expect("a state")
    }
    /// An account that holds a card.
    pub fn account(&self, account: &str, token: &str) {
        for (entity, command_id, command) in rider(account, token) {
            assert_eq!(self.ask(entity, command_id.as_str(), command), Reply::Done);
        }
    }
    pub fn feed(&self) -> Vec<FeedItem> {
        (0..self.journal.partitions()).flat_map(|partition| self.journal.feed(partition, 1, 10_000).expect("a feed")).collect()
    }
    pub fn connect(&self) -> Client {
        Client::open(self.gateway.mqtt_address().expect("a port"))
    }
    /// A connected gate that listens to everything of its own.
    pub fn gate(&self, version: u8, device: &str) -> Client {
        let mut client = self.connect();
        client.sign_in(&Connect::new(version, device, SECRET));
        client.subscribe(&format!("td/1/cd/gate/{device}/down/#"));
        client
    }
    /// A connected gate that has told its state.
    pub fn ready_gate(&self, version: u8, device: &str) -> Client {
        let mut client = self.gate(version, device);
        client.state(device, true, self.clock.now());
        client
    }
    pub fn stop(self) {
        self.runtime.block_on(async {
            self.gateway.drain(PATIENCE).await;
            assert_eq!(self.node.shutdown(PATIENCE).await, Stopped::Clean);
        });
    }
}

fn world() -> World {
    let mut world = World::for_tests_flat();
    let secret = SecretHash(Sha256::digest(SECRET.as_bytes()).into());
    world.devices.values_mut().for_each(|entry| entry.secret = secret);
    world
}

/// RFC 3339 of the process clock.
pub fn rfc3339(at: Timestamp) -> String {
    let mut text = Vec::new();
    tongdao_protocol::time::write(at, &mut text);
    String::from_utf8(text).expect("text")
}

pub fn tap_body(seq: u64, token: &str, at: Timestamp) -> String {
    let at = rfc3339(at);
    format!(
        r#"{{"epoch":1,"seq":{seq},"direction":"entry","medium":{{"kind":"card","token":"{token}"}},"at":"{at}","deadline_ms":20000,"mode":0,"list_version":0}}"#
    )
}

pub fn state_body(online: bool, at: Timestamp) -> String {
    format!(r#"{{"online":{online},"service":"both","firmware":"1","versions":{{}},"faults":[],"at":"{}"}}"#, rfc3339(at))
}

/// Anything that bytes come from and go to.
pub trait Line: Read + Write {}
impl<T: Read + Write> Line for T {}

/// A blocking client.
pub struct Client {
    pub line: Box<dyn Line>,
    pub version: u8,
    received: Vec<u8>,
    frames: std::collections::VecDeque<Frame>,
    packet_id: u16,
}

impl Client {
    pub fn open(address: SocketAddr) -> Self {
        Self::over(Self::socket(address))
    }
    pub fn socket(address: SocketAddr) -> TcpStream {
        let socket = TcpStream::connect(address).expect("a listener");
        socket.set_read_timeout(Some(PATIENCE)).expect("a socket");
        socket.set_nodelay(true).expect("a socket");
        socket
    }
    pub fn over(line: impl Line + 'static) -> Self {
        Self { line: Box::new(line), version: V5, received: Vec::new(), frames: std::collections::VecDeque::new(), packet_id: 100 }
    }
    pub fn write(&mut self, bytes: &[u8]) {
        self.line.write_all(bytes).expect("an open socket");
        self.line.flush().expect("an open socket");
    }
    /// The next packet; none = the server has closed.
    pub fn next(&mut self) -> Option<Frame> {
        loop {
            if let Some(frame) = self.frames.pop_front() {
                return Some(frame);
            }
            let mut buffer = [0; 4096];
            match self.line.read(&mut buffer) {
                Ok(0) => return None,
                Ok(length) => self.received.extend_from_slice(&buffer[..length]),
                Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => return None,
                Err(error) => panic!("waited in vain: {error}"),
            }
            self.frames.extend(raw::frames(&mut self.received));
        }
    }
    /// The next packet of a kind; what comes before it is left out.
    pub fn expect(&mut self, kind: u8) -> Frame {
        loop {
            match self.next() {
                Some(frame) if frame.kind == kind => return frame,
                Some(_) => {}
                None => panic!("closed before a packet of kind {kind} came"),
            }
        }
    }
    /// The next message on a topic that ends so; acknowledged.
    pub fn message(&mut self, ending: &str) -> Message {
        loop {
            let message = self.expect(3).message(self.version);
            if message.qos > 0 {
                self.write(&raw::answer(4, message.packet_id));
            }
            if message.topic.ends_with(ending) {
                return message;
            }
        }
    }
    /// It was closed, and MQTT 5 told why.
    pub fn assert_closed(&mut self, code: u8) {
        let mut last = None;
        while let Some(frame) = self.next() {
            last = Some(frame);
        }
        let told = last.filter(|frame| frame.kind == 14).map(|frame| frame.code());
        assert_eq!(told, (self.version == V5).then_some(code));
    }
    pub fn sign_in(&mut self, connect: &Connect) {
        self.version = connect.version;
        self.write(&connect.bytes());
        let connack = self.expect(2);
        assert_eq!(connack.code(), 0, "{connack:?}");
    }
    pub fn subscribe(&mut self, filter: &str) {
        self.packet_id += 1;
        self.write(&raw::subscribe(self.version, self.packet_id, &[(filter, 1)]));
        assert_eq!(self.expect(9).body.last(), Some(&1));
    }
    /// Publishes at QoS 1.
    pub fn publish(&mut self, topic: &str, body: &str) {
        self.packet_id += 1;
        let bytes = raw::publish(self.version, topic, body, 1, self.packet_id, false);
        self.write(&bytes);
    }
    pub fn state(&mut self, device: &str, online: bool, at: Timestamp) {
        self.publish(&format!("td/1/cd/gate/{device}/up/state"), &state_body(online, at));
        assert_eq!(self.expect(4).code(), 0);
    }
    pub fn tap(&mut self, device: &str, seq: u64, token: &str, at: Timestamp) -> Message {
        self.publish(&format!("td/1/cd/gate/{device}/up/tap"), &tap_body(seq, token, at));
        self.message("/down/decision")
    }
}
