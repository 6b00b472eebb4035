//! The way in at `/mqtt` of a real server: who gets an upgrade, what a foreign page, a wrong word and a text frame are told,
//! and that a device there is the same device as over TCP. What goes on inside is tested in the device gateway.
mod common;
use common::http::send;
use common::raw::{Raw, V};
use common::{PATIENCE, Server};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use tokio_tungstenite::tungstenite::client::{IntoClientRequest as _, client};
use tokio_tungstenite::tungstenite::{Error, Message, WebSocket};

type Socket = WebSocket<TcpStream>;

/// Asks for an upgrade with these headers; the status where it is refused.
fn open(server: &Server, protocol: &str, origin: Option<&str>) -> Result<Socket, u16> {
    let mut request = format!("ws://127.0.0.1:{}/mqtt", server.http).into_client_request().expect("a request");
    request.headers_mut().insert("sec-websocket-protocol", protocol.parse().expect("a header"));
    if let Some(origin) = origin {
        request.headers_mut().insert("origin", origin.parse().expect("a header"));
    }
    let stream = TcpStream::connect(("127.0.0.1", server.http)).expect("the server listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    match client(request, stream) {
        Ok((socket, answer)) => {
            assert_eq!(answer.headers()["sec-websocket-protocol"], "mqtt");
            Ok(socket)
        }
        Err(tokio_tungstenite::tungstenite::HandshakeError::Failure(Error::Http(answer))) => Err(answer.status().as_u16()),
        Err(other) => panic!("no answer: {other}"),
    }
}

fn text(word: &str) -> Vec<u8> {
    [&u16::try_from(word.len()).expect("short").to_be_bytes()[..], word.as_bytes()].concat()
}

/// A CONNECT of MQTT 3.1.1.
fn connect(device: &str, secret: &str) -> Vec<u8> {
    let body = [text("MQTT"), vec![4, 0b1100_0010, 0, 60], text(device), text(device), text(secret)].concat();
    [vec![0x10, u8::try_from(body.len()).expect("short")], body].concat()
}

/// The bytes of the next binary message; the close code where there is none any more.
fn next(socket: &mut Socket) -> Result<Vec<u8>, u16> {
    loop {
        match socket.read() {
            Ok(Message::Binary(bytes)) => return Ok(bytes.to_vec()),
            Ok(Message::Close(close)) => return Err(close.map_or(1005, |close| close.code.into())),
            Ok(_) => {}
            Err(_) => return Err(1006),
        }
    }
}

const CONNACK_OK: [u8; 4] = [0x20, 2, 0, 0];

#[test]
fn programs_and_our_own_pages_are_let_in_foreign_pages_are_not() {
    let server = Server::start("");
    let secret = server.add_gate("g1");
    let own = format!("http://127.0.0.1:{}", server.http);
    for origin in [None, Some(own.as_str())] {
        let mut socket = open(&server, "mqtt", origin).expect("upgraded");
        socket.send(Message::binary(connect("g1", &secret))).expect("sent");
        assert_eq!(next(&mut socket), Ok(CONNACK_OK.to_vec()));
    }
    for foreign in ["https://elsewhere.example", "null", "http://127.0.0.1:1"] {
        assert_eq!(open(&server, "mqtt", Some(foreign)).err(), Some(403), "{foreign}");
    }
    assert!(server.get("/metrics").contains("foreign_origin"), "it is counted");
}

#[test]
fn the_exact_list_of_the_config_is_what_counts() {
    let server = Server::start("console = { origins = [\"https://pages.bank.example\"] }");
    assert!(open(&server, "mqtt", Some("https://pages.bank.example")).is_ok());
    let own = format!("http://127.0.0.1:{}", server.http);
    assert_eq!(open(&server, "mqtt", Some(&own)).err(), Some(403));
}

#[test]
fn who_asks_in_other_words_is_told_what_is_spoken_here() {
    let server = Server::start("");
    for protocol in ["mqttv3.1", "tongdao.v1.json"] {
        assert_eq!(open(&server, protocol, None).err(), Some(400));
    }
    assert!(open(&server, "mqttv3.1, mqtt", None).is_ok());
    assert_eq!(send(&server, "GET", "/mqtt", &[], "").status, 426);
    let body = send(&server, "GET", "/mqtt", &[], "").body;
    assert!(String::from_utf8_lossy(&body).contains("MQTT over WebSocket"));
}

#[test]
fn a_text_frame_is_refused_with_its_code_and_the_reason() {
    let server = Server::start("");
    let mut socket = open(&server, "mqtt", None).expect("upgraded");
    socket.send(Message::text("hello")).expect("sent");
    assert_eq!(next(&mut socket), Err(1003));
}

#[test]
fn wrong_credentials_are_told_as_over_tcp_and_a_second_connection_takes_over_across_both() {
    let server = Server::start("");
    let secret = server.add_gate("g1");
    let mut socket = open(&server, "mqtt", None).expect("upgraded");
    socket.send(Message::binary(connect("g1", "wrong"))).expect("sent");
    assert_eq!(next(&mut socket), Ok(vec![0x20, 2, 0, 4]));
    assert_eq!(next(&mut socket), Err(1000));
    let mut socket = open(&server, "mqtt", None).expect("upgraded");
    socket.send(Message::binary(connect("g1", &secret))).expect("sent");
    assert_eq!(next(&mut socket), Ok(CONNACK_OK.to_vec()));
    let mut over_tcp = Raw::open(server.mqtt, V::Three);
    assert_eq!(over_tcp.connect("g1", "g1", &secret, None), Some(0));
    assert_eq!(next(&mut socket), Err(1000), "taken over");
}

#[test]
fn one_cap_for_both_and_a_refusal_before_the_upgrade() {
    let server = Server::start("gateway = { connections_max = 1 }");
    let secret = server.add_gate("g1");
    let mut over_tcp = Raw::open(server.mqtt, V::Five);
    assert_eq!(over_tcp.connect("g1", "g1", &secret, None), Some(0));
    assert_eq!(open(&server, "mqtt", None).err(), Some(503));
}

#[test]
fn it_can_be_switched_off() {
    let server = Server::start("gateway = { websocket = false }");
    assert!(matches!(open(&server, "mqtt", None), Err(status) if status != 101));
}

#[test]
fn a_server_that_is_no_demo_lends_no_gates_and_serves_the_page_only_when_told_to() {
    let wish = "{\"station\":\"tianfu\"}";
    let server = Server::start("");
    assert!(!server.get("/gate/").contains("/gate/app.js"));
    assert_eq!(send(&server, "POST", "/gate/claims", &[("Content-Type", "application/json")], wish).status, 405);
    let server = Server::start("gate_page = { served = true }");
    let page = send(&server, "GET", "/gate/", &[], "");
    assert!(page.status == 200 && String::from_utf8_lossy(&page.body).contains("/gate/app.js"));
    assert!(page.header("content-security-policy").is_some_and(|policy| !policy.contains("unsafe")));
    assert_eq!(send(&server, "GET", "/gate/claims", &[], "").status, 204, "nobody lends anything");
    assert_eq!(send(&server, "POST", "/gate/claims", &[("Content-Type", "application/json")], wish).status, 405);
    assert_eq!(send(&server, "GET", "/gate/tsconfig.json", &[], "").status, 404);
}

#[test]
fn a_drain_says_good_bye_over_it_too() {
    let mut server = Server::start("");
    let secret = server.add_gate("g1");
    let mut socket = open(&server, "mqtt", None).expect("upgraded");
    socket.send(Message::binary(connect("g1", &secret))).expect("sent");
    assert_eq!(next(&mut socket), Ok(CONNACK_OK.to_vec()));
    assert_eq!(server.terminate(), Some(0));
    assert_eq!(next(&mut socket), Err(1000));
}

#[test]
fn headers_that_never_end_are_cut_off() {
    let server = Server::start("http = { headers_ms = 300 }");
    let mut stream = TcpStream::connect(("127.0.0.1", server.http)).expect("the server listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    stream.write_all(b"GET /mqtt HTTP/1.1\r\nHost: localhost\r\nUpg").expect("sent");
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest);
    assert!(!String::from_utf8_lossy(&rest).contains("101"));
}
