//! MQTT over WebSocket is MQTT: the same link, with its answers, limits and time-outs, behind binary frames. The upgrade itself
//! is HTTP's business: here the sockets are handed over as they are after it.
mod raw;
mod rig;

use raw::{Connect, V3, V5, WS_BINARY, WS_CLOSE, WS_PING, WS_TEXT, ws_frame, ws_frames};
use rig::{Client, Rig, SECRET, config, tap_body};
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use tongdao_device_gateway::config::GatewayConfig;
use tongdao_device_gateway::websocket::WebSocket;
use tongdao_domain::entity::EntityKey;
use tongdao_domain::id::StationId;
use tongdao_domain::station;
use tongdao_domain::testing::{by, id};

/// A client's end: bytes in and out as MQTT, frames on the wire.
struct Framed {
    socket: TcpStream,
    received: Vec<u8>,
    payload: Vec<u8>,
    /// The code that the server closed with.
    closed: std::rc::Rc<std::cell::Cell<Option<u16>>>,
    /// So many payload bytes a frame.
    piece: usize,
}

impl Read for Framed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.payload.is_empty() {
            let mut bytes = [0; 4096];
            let length = self.socket.read(&mut bytes)?;
            if length == 0 {
                return Ok(0);
            }
            self.received.extend_from_slice(&bytes[..length]);
            for (opcode, body) in ws_frames(&mut self.received) {
                match opcode {
                    WS_BINARY => self.payload.extend(body),
                    WS_CLOSE => self.closed.set(Some(u16::from_be_bytes([body[0], body[1]]))),
                    _ => {}
                }
            }
        }
        let length = self.payload.len().min(buffer.len());
        buffer[..length].copy_from_slice(&self.payload[..length]);
        self.payload.drain(..length);
        Ok(length)
    }
}

impl Write for Framed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for piece in bytes.chunks(self.piece) {
            self.socket.write_all(&ws_frame(WS_BINARY, piece))?;
        }
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

type Closed = std::rc::Rc<std::cell::Cell<Option<u16>>>;

/// A node behind the gateway, and the runtime of whoever accepts for it: its sockets move on a thread of their own.
struct Upgrading {
    rig: Rig,
    accepting: tokio::runtime::Handle,
}

impl Upgrading {
    /// A client whose socket was upgraded and handed to the gateway; it sends so many bytes a frame.
    fn client(&self, piece: usize) -> (Client, TcpStream, Closed) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let socket = Client::socket(listener.local_addr().expect("bound"));
        let (theirs, peer) = listener.accept().expect("a connection");
        theirs.set_nonblocking(true).expect("a socket");
        let theirs = {
            let _accepting = self.accepting.enter();
            tokio::net::TcpStream::from_std(theirs).expect("a socket")
        };
        let socket_of_the_gateway = WebSocket::new(theirs, GatewayConfig::default().websocket_frame_bytes_max);
        assert!(self.rig.gateway.hand(socket_of_the_gateway, peer.ip()), "a cell takes it");
        let closed = Closed::default();
        let bare = socket.try_clone().expect("a socket");
        let framed = Framed { socket, received: Vec::new(), payload: Vec::new(), closed: closed.clone(), piece };
        (Client::over(framed), bare, closed)
    }
}

fn with(rig: Rig, test: impl FnOnce(&Upgrading)) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let accepting = runtime.handle().clone();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let thread = std::thread::spawn(move || runtime.block_on(stopped).is_err());
    let upgrading = Upgrading { rig, accepting };
    test(&upgrading);
    upgrading.rig.stop();
    drop(stop);
    assert!(thread.join().expect("no panic"), "nothing but the end was waited for");
}

#[test]
fn a_tap_is_answered_whatever_the_frames_cut() {
    with(Rig::plain(), |node| {
        node.rig.account("a1", "card-1");
        for (n, (version, piece)) in [(V5, 100_000), (V3, 100_000), (V5, 1), (V3, 7)].into_iter().enumerate() {
            let (mut gate, _, closed) = node.client(piece);
            gate.sign_in(&Connect::new(version, "s1-g1", SECRET));
            gate.subscribe("td/1/cd/gate/s1-g1/down/#");
            gate.state("s1-g1", true, node.rig.clock.now());
            let decision = gate.tap("s1-g1", n as u64 + 1, "card-1", node.rig.clock.now());
            assert!(decision.body.contains(r#""code":"OK""#), "{}", decision.body);
            gate.write(&raw::disconnect(version, 0));
            assert_eq!((gate.next(), closed.get()), (None, Some(1000)), "a good-bye is answered by one");
        }
    });
}

#[test]
fn wrong_credentials_and_foreign_topics_are_refused_as_over_tcp() {
    with(Rig::plain(), |node| {
        let (mut gate, _, _) = node.client(4096);
        gate.write(&Connect::new(V5, "s1-g1", "wrong").bytes());
        assert_eq!(gate.expect(2).code(), 0x86);
        let (mut gate, _, _) = node.client(4096);
        gate.sign_in(&Connect::new(V5, "s1-g1", SECRET));
        gate.publish("td/1/cd/gate/s1-g2/up/state", "{}");
        assert_eq!(gate.expect(4).code(), 0x87);
    });
}

#[test]
fn every_stage_has_its_end() {
    let config = GatewayConfig { connect_ms: 200, packet_ms: 200, linger_ms: 200, ..config() };
    with(Rig::start(config, 1), |node| {
        let (mut silent, _, closed) = node.client(4096);
        assert_eq!((silent.next(), closed.get()), (None, Some(1000)), "no CONNECT");
        let (mut cut, mut bare, _) = node.client(4096);
        bare.write_all(&ws_frame(WS_BINARY, &Connect::new(V5, "s1-g1", SECRET).bytes())[..9]).expect("sent");
        assert_eq!(cut.next(), None, "half a frame of a CONNECT");
        for half in [1, 40] {
            let (mut gate, mut bare, _) = node.client(4096);
            gate.sign_in(&Connect::new(V5, "s1-g1", SECRET));
            let tap = raw::publish(V5, "td/1/cd/gate/s1-g1/up/tap", tap_body(1, "card-1", node.rig.clock.now()), 1, 9, false);
            // The header of the frame promises all of it.
            let header = ws_frame(WS_BINARY, &tap).len() - tap.len();
            bare.write_all(&ws_frame(WS_BINARY, &tap)[..header + half]).expect("sent");
            gate.assert_closed(0x97);
        }
    });
}

#[test]
fn a_text_frame_too_large_a_frame_and_too_large_a_packet_are_told_apart() {
    with(Rig::plain(), |node| {
        for (frame, code) in [(ws_frame(WS_TEXT, b"hello"), 1003), (ws_frame(WS_BINARY, &vec![0; 262_145]), 1009)] {
            let (mut gate, mut bare, closed) = node.client(4096);
            gate.sign_in(&Connect::new(V5, "s1-g1", SECRET));
            let _ = bare.write_all(&frame);
            while gate.next().is_some() {}
            assert_eq!(closed.get(), Some(code));
        }
        let (mut gate, mut bare, _) = node.client(4096);
        gate.sign_in(&Connect::new(V5, "s1-g1", SECRET));
        let large = raw::publish(V5, "td/1/cd/gate/s1-g1/up/tap", vec![b' '; 70_000], 1, 9, false);
        let _ = bare.write_all(&ws_frame(WS_BINARY, &large));
        gate.assert_closed(0x95);
    });
}

#[test]
fn who_goes_without_a_word_leaves_its_will_and_a_ping_keeps_nobody_waiting() {
    with(Rig::plain(), |node| {
        let (mut gate, mut bare, closed) = node.client(4096);
        gate.sign_in(&Connect::new(V5, "s1-g1", SECRET));
        bare.write_all(&ws_frame(WS_PING, b"?")).expect("sent");
        gate.state("s1-g1", true, node.rig.clock.now());
        assert!(node.rig.gateway.is_connected(&id("s1-g1")));
        bare.write_all(&ws_frame(WS_CLOSE, &1001_u16.to_be_bytes())).expect("sent");
        while gate.next().is_some() {}
        assert_eq!(closed.get(), Some(1000));
        assert!(!node.rig.gateway.is_connected(&id("s1-g1")));
    });
}

#[test]
fn one_cap_and_one_client_id_for_both_ways_in() {
    with(Rig::start(GatewayConfig { connections_max: 2, ..config() }, 1), |node| {
        let mut over_tcp = node.rig.gate(V5, "s1-g1");
        let (mut over_ws, _, _) = node.client(4096);
        over_ws.sign_in(&Connect::new(V5, "s1-g2", SECRET));
        assert!(!node.rig.gateway.has_room());
        let (mut third, _, _) = node.client(4096);
        assert_eq!(third.next(), None, "one too many is closed at once");
        over_ws.write(&raw::disconnect(V5, 0));
        assert_eq!(over_ws.next(), None);
        drop(over_ws);
        while !node.rig.gateway.has_room() {
            std::thread::yield_now();
        }
        let (mut again, _, _) = node.client(4096);
        again.sign_in(&Connect::new(V5, "s1-g1", SECRET));
        over_tcp.assert_closed(0x8E);
    });
}

#[test]
fn who_never_reads_is_closed() {
    let config = GatewayConfig { write_ms: 300, output_bytes_max: 65_536, ..config() };
    with(Rig::start(config, 1), |node| {
        node.rig.ask(EntityKey::from(&id::<StationId>("s1")), "emergency/1", station::Command::Emergency { by: by() });
        let (mut gate, mut bare, _) = node.client(4096);
        gate.sign_in(&Connect::new(V5, "s1-g1", SECRET));
        let asks = ws_frame(WS_BINARY, &raw::subscribe(V5, 9, &[("td/1/cd/gate/s1-g1/down/mode", 0)]).repeat(256));
        let written = (0..10_000).find(|_| bare.write_all(&asks).is_err());
        assert!(written.is_some(), "hundreds of megabytes of answers were kept");
    });
}

#[test]
fn a_drain_says_good_bye_to_both() {
    with(Rig::plain(), |node| {
        let (mut gate, _, closed) = node.client(4096);
        gate.sign_in(&Connect::new(V5, "s1-g1", SECRET));
        node.rig.runtime.block_on(node.rig.gateway.drain(std::time::Duration::from_secs(20)));
        gate.assert_closed(0x8B);
        assert_eq!(closed.get(), Some(1000));
        assert!(!node.rig.gateway.has_room());
    });
}
