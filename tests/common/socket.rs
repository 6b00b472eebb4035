//! A console on a foreign WebSocket client.
use super::http::Page;
use super::{PATIENCE, Server};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::net::TcpStream;
use std::time::Instant;
use tokio_tungstenite::tungstenite::client::{IntoClientRequest as _, client};
use tokio_tungstenite::tungstenite::{Message, WebSocket};

/// A console on a WebSocket.
pub struct Console {
    socket: WebSocket<TcpStream>,
    heard: VecDeque<Value>,
    said: String,
}

impl Console {
    /// Opens one with these headers beside the protocol's.
    pub fn open(server: &Server, protocols: &str, headers: &[(&'static str, &str)]) -> Self {
        let mut request = format!("ws://127.0.0.1:{}/ws", server.http).into_client_request().expect("a request");
        request.headers_mut().insert("sec-websocket-protocol", protocols.parse().expect("a header"));
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().expect("a header"));
        }
        let stream = TcpStream::connect(("127.0.0.1", server.http)).expect("connected");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        let (socket, _) = client(request, stream).expect("upgraded");
        Self { socket, heard: VecDeque::new(), said: String::new() }
    }
    /// As a page does it; greeted.
    pub fn of_page(server: &Server, page: &Page<'_>) -> Self {
        let origin = format!("http://127.0.0.1:{}", server.http);
        let mut console = Self::open(server, "tongdao.v1.json", &[("origin", &origin), ("cookie", &page.cookie)]);
        assert_eq!(console.next()["t"], "hello");
        console
    }
    pub fn say(&mut self, frame: &Value) {
        self.socket.send(Message::text(frame.to_string())).expect("sent");
    }
    /// The next frame; the close code where there is none any more.
    pub fn hear(&mut self) -> Result<Value, u16> {
        while self.heard.is_empty() {
            match self.socket.read().expect("in time") {
                Message::Text(text) => {
                    self.said.push_str(&text);
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
    /// Everything that was heard so far, as it came.
    pub fn said(&self) -> String {
        self.said.clone()
    }
    pub fn next(&mut self) -> Value {
        self.hear().expect("still open")
    }
    /// The next frame that fits; others pass by.
    pub fn wait(&mut self, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
        let end = Instant::now() + PATIENCE;
        loop {
            let frame = self.next();
            if fits(&frame) {
                return frame;
            }
            assert!(Instant::now() < end, "no {what}; last: {frame}");
        }
    }
    pub fn closed(&mut self) -> u16 {
        loop {
            if let Err(code) = self.hear() {
                return code;
            }
        }
    }
    pub fn sub(&mut self, ch: &str, since: Option<(&Value, &Value)>) -> Value {
        let mut frame = json!({"t": "sub", "id": ch.replace(':', "-"), "ch": ch});
        if let Some((epoch, seq)) = since {
            (frame["epoch"], frame["seq"]) = (epoch.clone(), seq.clone());
        }
        self.say(&frame);
        self.wait("answer to sub", |frame| frame["t"] == "sub" && frame["ch"] == ch)
    }
    pub fn cmd(&mut self, command_id: &str, op: &str, args: Value, ttl_ms: u64) -> Value {
        self.say(&json!({"t": "cmd", "id": 7, "command_id": command_id, "op": op, "args": args, "ttl_ms": ttl_ms}));
        let mut ack = self.wait("ack", |frame| frame["t"] == "ack" && frame["id"] == 7);
        ack.as_object_mut().expect("a frame").retain(|name, _| ["ok", "result", "error"].contains(&name.as_str()));
        ack
    }
}
