//! A tiny MQTT client end, written by hand so that it shares nothing with the server's codec: packets to bytes, bytes to
//! frames. It keeps no state and knows no more than the tests need.
#![allow(dead_code, unreachable_pub, missing_docs, clippy::allow_attributes, reason = "each test binary uses its own part")]

/// Protocol level of MQTT 3.1.1.
pub const V3: u8 = 4;
/// Protocol level of MQTT 5.
pub const V5: u8 = 5;

/// A packet as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// 2 = CONNACK, 3 = PUBLISH, 4 = PUBACK, …
    pub kind: u8,
    /// The low four bits.
    pub flags: u8,
    /// What follows the length.
    pub body: Vec<u8>,
}

/// A PUBLISH taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    pub topic: String,
    pub body: String,
    pub qos: u8,
    pub retain: bool,
    pub packet_id: u16,
}

impl Frame {
    /// The reason code of a CONNACK, PUBACK, PUBREC, DISCONNECT; 0 where it is left out.
    pub fn code(&self) -> u8 {
        let at = match self.kind {
            2 => 1,
            14 => 0,
            _ => 2,
        };
        self.body.get(at).copied().unwrap_or(0)
    }
    pub fn packet_id(&self) -> u16 {
        u16::from_be_bytes([self.body[0], self.body[1]])
    }
    /// Takes a PUBLISH apart.
    pub fn message(&self, version: u8) -> Message {
        assert_eq!(self.kind, 3, "no PUBLISH: {self:?}");
        let length = usize::from(u16::from_be_bytes([self.body[0], self.body[1]]));
        let qos = (self.flags >> 1) & 3;
        let topic = String::from_utf8(self.body[2..2 + length].to_vec()).expect("a topic");
        let mut at = 2 + length;
        let packet_id = if qos > 0 { u16::from_be_bytes([self.body[at], self.body[at + 1]]) } else { 0 };
        at += if qos > 0 { 2 } else { 0 };
        if version == V5 {
            at += 1 + usize::from(self.body[at]);
        }
        let body = String::from_utf8(self.body[at..].to_vec()).expect("text");
        Message { topic, body, qos, retain: self.flags & 1 == 1, packet_id }
    }
}

/// Takes complete packets off the front.
pub fn frames(bytes: &mut Vec<u8>) -> Vec<Frame> {
    let mut found = Vec::new();
    while let Some((frame, taken)) = first(bytes) {
        found.push(frame);
        bytes.drain(..taken);
    }
    found
}

fn first(bytes: &[u8]) -> Option<(Frame, usize)> {
    let (mut length, mut at) = (0, 1);
    loop {
        let byte = usize::from(*bytes.get(at)?);
        length |= (byte & 0x7f) << (7 * (at - 1));
        at += 1;
        if byte & 0x80 == 0 {
            break;
        }
    }
    let body = bytes.get(at..at + length)?.to_vec();
    Some((Frame { kind: bytes[0] >> 4, flags: bytes[0] & 15, body }, at + length))
}

/// A packet from its first byte and its body.
pub fn packet(first: u8, body: &[u8]) -> Vec<u8> {
    let (mut out, mut rest) = (vec![first], body.len());
    loop {
        let byte = u8::try_from(rest & 0x7f).expect("seven bits");
        rest >>= 7;
        out.push(if rest > 0 { byte | 0x80 } else { byte });
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(body);
    out
}

fn text(out: &mut Vec<u8>, text: impl AsRef<[u8]>) {
    out.extend_from_slice(&u16::try_from(text.as_ref().len()).expect("short").to_be_bytes());
    out.extend_from_slice(text.as_ref());
}

/// What stands in a CONNECT.
#[derive(Debug, Clone)]
pub struct Connect {
    pub version: u8,
    pub client: String,
    pub user: Option<String>,
    pub password: Option<String>,
    pub keep_alive_s: u16,
    pub clean: bool,
    pub will: Option<(String, String, bool)>,
    /// Raw MQTT 5 properties.
    pub properties: Vec<u8>,
}

impl Connect {
    pub fn new(version: u8, device: &str, secret: &str) -> Self {
        let (client, user, password) = (device.to_owned(), Some(device.to_owned()), Some(secret.to_owned()));
        Self { version, client, user, password, keep_alive_s: 60, clean: true, will: None, properties: Vec::new() }
    }
    pub fn bytes(&self) -> Vec<u8> {
        let mut body = Vec::new();
        text(&mut body, "MQTT");
        let will = self.will.as_ref().map_or(0, |(_, _, retain)| 0x04 | 0x08 | if *retain { 0x20 } else { 0 });
        let flags = will | u8::from(self.clean) << 1 | u8::from(self.user.is_some()) << 7 | u8::from(self.password.is_some()) << 6;
        body.extend_from_slice(&[self.version, flags]);
        body.extend_from_slice(&self.keep_alive_s.to_be_bytes());
        if self.version == V5 {
            body.push(u8::try_from(self.properties.len()).expect("few"));
            body.extend_from_slice(&self.properties);
        }
        text(&mut body, &self.client);
        if let Some((topic, payload, _)) = &self.will {
            if self.version == V5 {
                body.push(0);
            }
            text(&mut body, topic);
            text(&mut body, payload);
        }
        for part in [&self.user, &self.password].into_iter().flatten() {
            text(&mut body, part);
        }
        packet(0x10, &body)
    }
}

/// A PUBLISH.
pub fn publish(version: u8, topic: &str, payload: impl AsRef<[u8]>, qos: u8, packet_id: u16, retain: bool) -> Vec<u8> {
    let mut body = Vec::new();
    text(&mut body, topic);
    if qos > 0 {
        body.extend_from_slice(&packet_id.to_be_bytes());
    }
    if version == V5 {
        body.push(0);
    }
    body.extend_from_slice(payload.as_ref());
    packet(0x30 | qos << 1 | u8::from(retain), &body)
}

/// A SUBSCRIBE; each filter with its options byte.
pub fn subscribe(version: u8, packet_id: u16, filters: &[(&str, u8)]) -> Vec<u8> {
    let mut body = packet_id.to_be_bytes().to_vec();
    if version == V5 {
        body.push(0);
    }
    for (filter, options) in filters {
        text(&mut body, filter);
        body.push(*options);
    }
    packet(0x82, &body)
}

/// An UNSUBSCRIBE.
pub fn unsubscribe(version: u8, packet_id: u16, filters: &[&str]) -> Vec<u8> {
    let mut body = packet_id.to_be_bytes().to_vec();
    if version == V5 {
        body.push(0);
    }
    filters.iter().for_each(|filter| text(&mut body, filter));
    packet(0xa2, &body)
}

/// PUBACK (4), PUBREC (5), PUBREL (6), PUBCOMP (7).
pub fn answer(kind: u8, packet_id: u16) -> Vec<u8> {
    packet(kind << 4 | if kind == 6 { 2 } else { 0 }, &packet_id.to_be_bytes())
}

/// A PINGREQ.
pub fn ping() -> Vec<u8> {
    packet(0xc0, &[])
}

/// A DISCONNECT; MQTT 5 with its reason code.
pub fn disconnect(version: u8, code: u8) -> Vec<u8> {
    packet(0xe0, if version == V5 && code != 0 { std::slice::from_ref(&code) } else { &[] })
}

/// Opcodes of WebSocket.
pub const WS_TEXT: u8 = 1;
pub const WS_BINARY: u8 = 2;
pub const WS_CLOSE: u8 = 8;
pub const WS_PING: u8 = 9;
pub const WS_PONG: u8 = 10;

/// A whole WebSocket frame as a client sends it.
pub fn ws_frame(opcode: u8, body: &[u8]) -> Vec<u8> {
    const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
    let mut frame = vec![0x80 | opcode];
    match body.len() {
        length @ 0..=125 => frame.push(0x80 | length as u8),
        length @ 126..=0xffff => {
            frame.push(0x80 | 126);
            frame.extend((length as u16).to_be_bytes());
        }
        length => {
            frame.push(0x80 | 127);
            frame.extend((length as u64).to_be_bytes());
        }
    }
    frame.extend(MASK);
    frame.extend(body.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    frame
}

/// Takes the whole WebSocket frames of a server out of what was received: opcode and body.
pub fn ws_frames(received: &mut Vec<u8>) -> Vec<(u8, Vec<u8>)> {
    let mut frames = Vec::new();
    while received.len() >= 2 {
        assert_eq!((received[0] & 0x70, received[1] & 0x80), (0, 0), "a server sends no extension and no mask");
        let (length, at) = match received[1] {
            126 if received.len() >= 4 => (usize::from(u16::from_be_bytes([received[2], received[3]])), 4),
            127 if received.len() >= 10 => (u64::from_be_bytes(received[2..10].try_into().expect("8 bytes")) as usize, 10),
            126 | 127 => break,
            length => (usize::from(length), 2),
        };
        if received.len() < at + length {
            break;
        }
        frames.push((received[0] & 0x0f, received[at..at + length].to_vec()));
        received.drain(..at + length);
    }
    frames
}
