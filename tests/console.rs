//! Consoles of a real server: what a gate does is seen live, nothing is missed over a cut, nothing is done twice, and what
//! was taken away is gone.
#![expect(clippy::disallowed_methods, reason = "waits for a whole process by the wall clock")]
mod common;
use common::http::{Page, send};
use common::{PATIENCE, Server};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::net::TcpStream;
use std::time::Instant;
use tokio_tungstenite::tungstenite::client::{IntoClientRequest as _, client};
use tokio_tungstenite::tungstenite::{Message, WebSocket};

/// A console on a WebSocket.
struct Console {
    socket: WebSocket<TcpStream>,
    heard: VecDeque<Value>,
}

impl Console {
    /// Opens one with these headers beside the protocol's.
    fn open(server: &Server, protocols: &str, headers: &[(&'static str, &str)]) -> Self {
        let mut request = format!("ws://127.0.0.1:{}/ws", server.http).into_client_request().expect("a request");
        request.headers_mut().insert("sec-websocket-protocol", protocols.parse().expect("a header"));
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().expect("a header"));
        }
        let stream = TcpStream::connect(("127.0.0.1", server.http)).expect("connected");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        let (socket, _) = client(request, stream).expect("upgraded");
        Self { socket, heard: VecDeque::new() }
    }
    /// As a page does it; greeted.
    fn of_page(server: &Server, page: &Page<'_>) -> Self {
        let origin = format!("http://127.0.0.1:{}", server.http);
        let mut console = Self::open(server, "tongdao.v1.json", &[("origin", &origin), ("cookie", &page.cookie)]);
        assert_eq!(console.next()["t"], "hello");
        console
    }
    fn say(&mut self, frame: &Value) {
        self.socket.send(Message::text(frame.to_string())).expect("sent");
    }
    /// The next frame; the close code where there is none any more.
    fn hear(&mut self) -> Result<Value, u16> {
        while self.heard.is_empty() {
            match self.socket.read().expect("in time") {
                Message::Text(text) => {
                    let frame: Value = serde_json::from_str(&text).expect("JSON");
                    match frame["items"].as_array() {
                        Some(items) if frame["t"] == "batch" => self.heard.extend(items.iter().cloned()),
                        _ => self.heard.push_back(frame),
                    }
                }
                Message::Close(close) => return Err(close.expect("a code").code.into()),
                _ => {}
            }
        }
        Ok(self.heard.pop_front().expect("a frame"))
    }
    fn next(&mut self) -> Value {
        self.hear().expect("still open")
    }
    /// The next frame that fits; others pass by.
    fn wait(&mut self, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
        let end = Instant::now() + PATIENCE;
        loop {
            let frame = self.next();
            if fits(&frame) {
                return frame;
            }
            assert!(Instant::now() < end, "no {what}; last: {frame}");
        }
    }
    fn closed(&mut self) -> u16 {
        loop {
            if let Err(code) = self.hear() {
                return code;
            }
        }
    }
    fn sub(&mut self, ch: &str, since: Option<(&Value, &Value)>) -> Value {
        let mut frame = json!({"t": "sub", "id": ch.replace(':', "-"), "ch": ch});
        if let Some((epoch, seq)) = since {
            (frame["epoch"], frame["seq"]) = (epoch.clone(), seq.clone());
        }
        self.say(&frame);
        self.wait("answer to sub", |frame| frame["t"] == "sub" && frame["ch"] == ch)
    }
    fn cmd(&mut self, command_id: &str, op: &str, args: Value, ttl_ms: u64) -> Value {
        self.say(&json!({"t": "cmd", "id": 7, "command_id": command_id, "op": op, "args": args, "ttl_ms": ttl_ms}));
        let mut ack = self.wait("ack", |frame| frame["t"] == "ack" && frame["id"] == 7);
        ack.as_object_mut().expect("a frame").retain(|name, _| ["ok", "result", "error"].contains(&name.as_str()));
        ack
    }
}

/// Lets somebody in and signs them in.
fn sign_in<'a>(server: &'a Server, user: &str, roles: &str, scope: &str) -> (Page<'a>, String) {
    let password = server.by_li(&["user", "add", user, "--roles", roles, "--scope", scope]).trim().to_owned();
    (Page::sign_in(server, user, &password).expect("signed in"), password)
}

#[test]
fn a_tap_is_seen_at_once_and_a_cut_is_made_up_for() {
    let server = Server::start("");
    server.accounts("a1,4,adult,50.00,ecny,m1\n");
    let gate = server.gate("g1", &server.add_gate("g1"));
    let (page, _) = sign_in(&server, "zhao", "gate_operator", "stations:tianfu");
    let mut console = Console::of_page(&server, &page);
    let begun = console.sub("gates:tianfu", None);
    assert_eq!((&begun["recovered"], &begun["snapshot"]["station"]), (&json!(false), &json!("tianfu")));
    assert_eq!(gate.tap(1, "entry", "m1")["code"], "OK");
    let seen = console.wait("tap", |frame| frame["t"] == "event" && frame["d"]["k"] == "tap");
    assert_eq!((&seen["d"]["device"], &seen["d"]["code"], &seen["ch"]), (&json!("g1"), &json!("OK"), &json!("gates:tianfu")));
    assert_eq!(console.sub("gates:luomashi", None)["error"]["code"], "NOT_FOUND", "out of scope does not exist");
    drop(console);
    assert_eq!(gate.tap(2, "entry", "m9")["result"], "deny", "nobody knows this medium");
    let mut again = Console::of_page(&server, &page);
    let end = Instant::now() + PATIENCE;
    loop {
        let answer = again.sub("gates:tianfu", Some((&begun["epoch"], &seen["seq"])));
        assert_eq!(answer["recovered"], true, "{answer}");
        let events = answer["events"].as_array().expect("events");
        let seqs: Vec<u64> = events.iter().filter_map(|event| event["seq"].as_u64()).collect();
        let first = seen["seq"].as_u64().expect("a seq") + 1;
        assert_eq!(seqs, (first..first + seqs.len() as u64).collect::<Vec<_>>(), "no gap");
        if events.iter().any(|event| event["d"]["k"] == "tap" && event["d"]["result"] == "deny") {
            break;
        }
        assert!(Instant::now() < end, "the tap of the cut: {answer}");
    }
    gate.leave();
}

#[test]
fn a_command_is_done_once_however_often_the_line_breaks() {
    let server = Server::start("");
    let (page, _) = sign_in(&server, "zhao", "gate_operator", "all");
    let closed = json!({"station": "tianfu", "modes": ["closed"], "reason": "test"});
    let mut console = Console::of_page(&server, &page);
    let first = console.cmd("c/1", "station.mode", closed.clone(), 5000);
    assert_eq!(first["ok"], true, "{first}");
    drop(console);
    let mut console = Console::of_page(&server, &page);
    assert_eq!(console.cmd("c/1", "station.mode", closed.clone(), 5000), first, "the same id, the same answer");
    let other = json!({"station": "luomashi", "modes": ["closed"], "reason": "test"});
    assert_eq!(console.cmd("c/1", "station.mode", other.clone(), 5000)["error"]["code"], "KEY_REUSED");
    assert_eq!(console.cmd("c/2", "station.mode", other.clone(), 0)["error"]["code"], "EXPIRED", "not done");
    let body = json!({"command_id": "c/1", "op": "station.mode", "args": closed, "ttl_ms": 5000});
    assert_eq!(page.post("commands", &body).json()["result"], first["result"], "one door");
    let sets: Vec<Value> =
        server.export().into_iter().filter(|line| line["entity"].as_str().is_some_and(|e| e.starts_with("station/"))).collect();
    assert_eq!(sets.len(), 1, "{sets:?}");
}

#[test]
fn what_is_taken_away_is_gone_and_a_drain_says_so() {
    let mut server = Server::start("");
    let (page, _) = sign_in(&server, "zhao", "gate_operator", "all");
    let mut console = Console::of_page(&server, &page);
    assert!(console.sub("approvals", None)["error"].is_null());
    server.by_li(&["user", "roles", "zhao", "--roles", "teller", "--scope", "all"]);
    let over = console.wait("end of the subscription", |frame| frame["t"] == "unsub");
    assert_eq!((&over["ch"], &over["error"]["code"]), (&json!("approvals"), &json!("FORBIDDEN")));
    assert_eq!(console.wait("rights", |frame| frame["t"] == "rights")["roles"], json!(["teller"]));
    server.by_li(&["user", "disable", "zhao"]);
    assert_eq!(console.closed(), 4003);
    let (page, _) = sign_in(&server, "qian", "gate_operator", "all");
    let mut console = Console::of_page(&server, &page);
    assert_eq!(server.terminate(), Some(0));
    assert_eq!(console.closed(), 4001);
}

#[test]
fn a_program_comes_in_by_ticket_and_a_password_is_not_guessed() {
    let server = Server::start("[console]\nsign_ins_per_minute_user = 3\n");
    let (_, password) = sign_in(&server, "zhao", "auditor", "all");
    let basic = |password: &str| {
        use base64::Engine as _;
        format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(format!("zhao:{password}")))
    };
    let ask = |password: &str| send(&server, "POST", "/api/v1/ws-tickets", &[("Authorization", &basic(password))], "");
    let ticket = ask(&password).json()["ticket"].as_str().expect("a ticket").to_owned();
    let protocols = format!("tongdao.v1.json, ticket.{ticket}");
    let mut console = Console::open(&server, &protocols, &[]);
    assert_eq!(console.next()["user"], "zhao");
    assert_eq!(Console::open(&server, &protocols, &[]).closed(), 4500, "once");
    let tries: Vec<u16> = (0..4).map(|_| ask("wrong").status).collect();
    assert!(tries.contains(&401) && tries.ends_with(&[429]), "{tries:?}");
    assert_eq!(ask(&password).status, 429, "nor with the right one, for a while");
    assert_eq!(console.sub("audit", None)["error"], Value::Null, "who is in stays in");
}
