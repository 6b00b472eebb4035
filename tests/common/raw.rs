//! MQTT by hand: packets made of bytes, so that a test can send what no well-kept client would.
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

/// The version of the protocol.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum V {
    Three = 4,
    Five = 5,
}

/// A will.
pub struct Will<'a> {
    pub topic: &'a str,
    pub payload: &'a str,
}

/// One connection, byte by byte.
pub struct Raw {
    stream: TcpStream,
    version: V,
}

fn text(out: &mut Vec<u8>, s: &str) {
    out.extend(u16::try_from(s.len()).expect("short").to_be_bytes());
    out.extend(s.as_bytes());
}

fn packet(first: u8, body: &[u8]) -> Vec<u8> {
    let mut out = vec![first];
    let mut rest = body.len();
    loop {
        let byte = u8::try_from(rest % 128).expect("7 bits");
        rest /= 128;
        out.push(if rest > 0 { byte | 0x80 } else { byte });
        if rest == 0 {
            break;
        }
    }
    out.extend(body);
    out
}

impl Raw {
    /// Opens a TCP connection; sends nothing.
    pub fn open(port: u16, version: V) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).expect("connects");
        stream.set_read_timeout(Some(Duration::from_secs(30))).expect("a time-out");
        Self { stream, version }
    }

    /// Sends bytes; a connection that is closed already is the test's business to see.
    pub fn send(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes);
    }

    /// CONNECT, then the answer: (return or reason code) or none where the connection was closed.
    pub fn connect(&mut self, client: &str, user: &str, secret: &str, will: Option<&Will<'_>>) -> Option<u8> {
        let mut body = Vec::new();
        text(&mut body, "MQTT");
        body.push(self.version as u8);
        body.push(0b1100_0010 | if will.is_some() { 0b0010_1100 } else { 0 });
        body.extend([0, 60]);
        if self.version == V::Five {
            body.push(0);
        }
        text(&mut body, client);
        if let Some(will) = will {
            if self.version == V::Five {
                body.push(0);
            }
            text(&mut body, will.topic);
            text(&mut body, will.payload);
        }
        text(&mut body, user);
        text(&mut body, secret);
        self.send(&packet(0x10, &body));
        let (first, body) = self.read()?;
        assert_eq!(first >> 4, 2, "a CONNACK");
        Some(body[1])
    }

    /// PUBLISH at QoS 1 with packet id 7.
    pub fn publish(&mut self, topic: &str, payload: &[u8], retain: bool) {
        let mut body = Vec::new();
        text(&mut body, topic);
        body.extend([0, 7]);
        if self.version == V::Five {
            body.push(0);
        }
        body.extend(payload);
        self.send(&packet(0x32 | u8::from(retain), &body));
    }

    /// SUBSCRIBE to one filter, packet id 9; the code of the SUBACK.
    pub fn subscribe(&mut self, filter: &str) -> Option<u8> {
        let mut body = vec![0, 9];
        if self.version == V::Five {
            body.push(0);
        }
        text(&mut body, filter);
        body.push(1);
        self.send(&packet(0x82, &body));
        loop {
            let (first, body) = self.read()?;
            if first >> 4 == 9 {
                return body.last().copied();
            }
        }
    }

    /// The reason of the next PUBACK (0 where MQTT 3.1.1 has none), of a DISCONNECT as `Err(Some)`, `Err(None)` = closed.
    pub fn acked(&mut self) -> Result<u8, Option<u8>> {
        loop {
            match self.read() {
                None => return Err(None),
                Some((first, body)) if first >> 4 == 4 => return Ok(body.get(2).copied().unwrap_or(0)),
                Some((first, body)) if first >> 4 == 14 => return Err(Some(body.first().copied().unwrap_or(0))),
                Some(_) => {}
            }
        }
    }

    /// Is the connection closed without another word but perhaps a DISCONNECT?
    pub fn closed(&mut self) -> bool {
        self.acked().is_err()
    }

    /// The next packet: first byte and body; none = closed.
    pub fn read(&mut self) -> Option<(u8, Vec<u8>)> {
        let mut byte = [0];
        self.stream.read_exact(&mut byte).ok()?;
        let first = byte[0];
        let (mut length, mut shift) = (0_usize, 0);
        loop {
            self.stream.read_exact(&mut byte).ok()?;
            length |= usize::from(byte[0] & 0x7f) << shift;
            shift += 7;
            if byte[0] & 0x80 == 0 {
                break;
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).ok()?;
        Some((first, body))
    }
}
