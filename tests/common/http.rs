//! A small HTTP client that sends exactly what a test says, and keeps the session cookie.
use super::{PATIENCE, Server};
use serde_json::Value;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    /// The first header of this name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
    /// The body as JSON; null where it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
    /// Status and code of a refusal.
    pub fn refusal(&self) -> (u16, String) {
        (self.status, self.json()["code"].as_str().unwrap_or_default().to_owned())
    }
}

/// One request; `headers` as they are.
pub fn send(server: &Server, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let mut stream = TcpStream::connect(("127.0.0.1", server.http)).expect("the server listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    let mut request = format!("{method} {path} HTTP/1.1\r\nHost: localhost:{}\r\nConnection: close\r\n", server.http);
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    request.push_str(&format!("Content-Length: {}\r\n\r\n{body}", body.len()));
    stream.write_all(request.as_bytes()).expect("sent");
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).expect("an answer");
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").expect("headers");
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|code| code.parse().ok()).expect("a status");
    let headers = lines.filter_map(|line| line.split_once(": ")).map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    Answer { status, headers, body: bytes[end + 4..].to_vec() }
}

/// Somebody before a page.
pub struct Page<'a> {
    server: &'a Server,
    pub cookie: String,
}

impl<'a> Page<'a> {
    /// Signs in; the answer where that is refused.
    pub fn sign_in(server: &'a Server, user: &str, password: &str) -> Result<Self, Answer> {
        let body = serde_json::json!({"user": user, "password": password}).to_string();
        let answer = send(server, "POST", "/api/v1/login", &[("Content-Type", "application/json")], &body);
        let cookie = answer.header("set-cookie").and_then(|cookie| cookie.split(';').next()).map(str::to_owned);
        match cookie {
            Some(cookie) if answer.status == 200 => Ok(Self { server, cookie }),
            _ => Err(answer),
        }
    }
    /// `GET /api/v1/…`.
    pub fn get(&self, path: &str) -> Answer {
        send(self.server, "GET", &format!("/api/v1/{path}"), &[("Cookie", &self.cookie)], "")
    }
    /// `POST /api/v1/…`.
    pub fn post(&self, path: &str, body: &Value) -> Answer {
        self.post_from(path, body, &[])
    }
    /// The same with more headers.
    pub fn post_from(&self, path: &str, body: &Value, more: &[(&str, &str)]) -> Answer {
        let own = [("Cookie", self.cookie.as_str()), ("Content-Type", "application/json")];
        send(self.server, "POST", &format!("/api/v1/{path}"), &[&own, more].concat(), &body.to_string())
    }
}
