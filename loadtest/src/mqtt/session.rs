//! One MQTT connection, sans I/O: bytes in, events out, bytes out. It keeps the send window that the server asked for and
//! queues what does not fit; what was in flight when the connection ended is the device's to send again.
use super::Version;
use super::packet::{self, Connect, Incoming, PacketError, Target};
use std::collections::VecDeque;

/// Unacknowledged publishes at a time, at most; less where the server asks for less.
pub const WINDOW_MAX: u16 = 32;
/// Messages that wait for the window, at most.
pub const QUEUE_MAX: usize = 1024;
const SUBSCRIBE_ID: u16 = u16::MAX;

/// Who one is and where one speaks.
#[derive(Debug, Clone)]
pub struct Identity {
    /// Client id and user name.
    pub device: String,
    /// Password.
    pub secret: String,
    /// `td/1/{site}/gate/{device}/up/`.
    pub up: Vec<u8>,
    /// `td/1/{site}/gate/{device}/down/#`.
    pub filter: Vec<u8>,
    /// Keep-alive in seconds.
    pub keep_alive_s: u16,
}

/// What a session tells its owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event<'a> {
    /// Subscribed: messages may be sent.
    Ready,
    /// A message; the topic's last level and the payload.
    Message(&'a [u8], &'a [u8]),
    /// The server took the message that was sent with this cookie (`code` below 0x80) or refused it.
    Taken {
        /// As given to [`Session::publish`].
        cookie: u32,
        /// The server's reason code.
        code: u8,
    },
    /// Refused or closed by the server for this reason.
    Closed {
        /// CONNACK, SUBACK or DISCONNECT code.
        code: u8,
    },
}

struct Queued {
    message: &'static str,
    payload: Vec<u8>,
    retain: bool,
    cookie: u32,
}

/// One connection.
pub struct Session {
    version: Version,
    window: u16,
    /// By packet id − 1: what is in flight.
    in_flight: Vec<Option<u32>>,
    free: Vec<u16>,
    queue: VecDeque<Queued>,
    ready: bool,
    /// Bytes to be written.
    pub out: Vec<u8>,
}

impl Session {
    /// A session for a fresh connection; the CONNECT stands in `out`.
    #[must_use]
    pub fn connect(version: Version, who: &Identity, will: Option<(&str, &[u8])>) -> Self {
        let mut session = Self {
            version,
            window: WINDOW_MAX,
            in_flight: Vec::new(),
            free: Vec::new(),
            queue: VecDeque::new(),
            ready: false,
            out: Vec::new(),
        };
        let topic = will.map(|(message, _)| [&*who.up, message.as_bytes()].concat());
        let will = topic.as_deref().zip(will.map(|(_, payload)| payload));
        let (client_id, user, password) = (&*who.device, &*who.device, &*who.secret);
        packet::connect(&mut session.out, version, &Connect { client_id, user, password, keep_alive_s: who.keep_alive_s, will });
        session
    }

    /// May messages be sent?
    #[must_use]
    pub const fn ready(&self) -> bool {
        self.ready
    }

    /// Sends a message, or queues it behind the window; false = neither, the queue is full.
    pub fn publish(&mut self, who: &Identity, message: &'static str, payload: &[u8], retain: bool, cookie: u32) -> bool {
        if let Some(packet_id) = self.packet_id(cookie) {
            let to = Target { prefix: &who.up, message: message.as_bytes(), retain };
            packet::publish(&mut self.out, self.version, packet_id, to, payload);
            return true;
        }
        if self.queue.len() == QUEUE_MAX {
            return false;
        }
        self.queue.push_back(Queued { message, payload: payload.to_vec(), retain, cookie });
        true
    }

    /// Takes a message back that still waits for the window.
    pub fn withdraw(&mut self, cookie: u32) {
        if let Some(at) = self.queue.iter().position(|queued| queued.cookie == cookie) {
            self.queue.remove(at);
        }
    }

    /// Keep-alive.
    pub fn ping(&mut self) {
        packet::pingreq(&mut self.out);
    }

    /// Says good-bye: the server forgets the will.
    pub fn disconnect(&mut self) {
        packet::disconnect(&mut self.out);
    }

    fn packet_id(&mut self, cookie: u32) -> Option<u16> {
        let packet_id = match self.free.pop() {
            Some(id) => id,
            None if self.in_flight.len() < usize::from(self.window) => {
                self.in_flight.push(None);
                u16::try_from(self.in_flight.len()).ok()?
            }
            None => return None,
        };
        *self.in_flight.get_mut(usize::from(packet_id) - 1)? = Some(cookie);
        Some(packet_id)
    }

    /// Takes bytes from the server; returns how many were used (the rest is the start of a packet).
    ///
    /// # Errors
    /// [`PacketError`] when they are no MQTT: close the connection.
    pub fn receive(&mut self, who: &Identity, bytes: &[u8], mut on: impl FnMut(&mut Self, Event<'_>)) -> Result<usize, PacketError> {
        let mut used = 0;
        while let Some((incoming, length)) = packet::read(&bytes[used..], self.version)? {
            self.packet(who, incoming, &mut on);
            used += length;
        }
        Ok(used)
    }

    fn packet(&mut self, who: &Identity, incoming: Incoming<'_>, on: &mut impl FnMut(&mut Self, Event<'_>)) {
        match incoming {
            Incoming::ConnAck { code: 0, receive_maximum } => {
                self.window = receive_maximum.clamp(1, WINDOW_MAX);
                packet::subscribe(&mut self.out, self.version, SUBSCRIBE_ID, &who.filter);
            }
            Incoming::SubAck { code } if code < 0x80 => {
                self.ready = true;
                on(self, Event::Ready);
            }
            Incoming::Publish { topic, payload, packet_id } => {
                if let Some(packet_id) = packet_id {
                    packet::puback(&mut self.out, packet_id);
                }
                let level = topic.iter().rposition(|byte| *byte == b'/').map_or(0, |i| i + 1);
                on(self, Event::Message(&topic[level..], payload));
            }
            Incoming::PubAck { packet_id, code } => self.taken(who, packet_id, code, on),
            Incoming::ConnAck { code, .. } | Incoming::SubAck { code } | Incoming::Disconnect { code } => {
                self.ready = false;
                on(self, Event::Closed { code });
            }
            Incoming::PingResp => {}
        }
    }

    fn taken(&mut self, who: &Identity, packet_id: u16, code: u8, on: &mut impl FnMut(&mut Self, Event<'_>)) {
        let slot = usize::from(packet_id).checked_sub(1).and_then(|i| self.in_flight.get_mut(i));
        let Some(cookie) = slot.and_then(Option::take) else { return };
        self.free.push(packet_id);
        on(self, Event::Taken { cookie, code });
        if let Some(next) = self.queue.pop_front() {
            self.publish(who, next.message, &next.payload, next.retain, next.cookie);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn who() -> Identity {
        let (up, filter) = (b"td/1/cd/gate/g1/up/".to_vec(), b"td/1/cd/gate/g1/down/#".to_vec());
        Identity { device: "g1".into(), secret: "s".into(), up, filter, keep_alive_s: 60 }
    }

    fn ready(connack: &[u8]) -> Session {
        let mut session = Session::connect(Version::V5, &who(), None);
        session.receive(&who(), connack, |_, _| {}).expect("a CONNACK");
        session.receive(&who(), b"\x90\x04\xFF\xFF\x00\x01", |_, _| {}).expect("a SUBACK");
        assert!(session.ready());
        session.out.clear();
        session
    }

    fn publishes(bytes: &[u8]) -> Vec<u16> {
        let (mut at, mut ids) = (0, Vec::new());
        while let Ok(Some((incoming, length))) = packet::read(&bytes[at..], Version::V5) {
            if let Incoming::Publish { packet_id, .. } = incoming {
                ids.extend(packet_id);
            }
            at += length;
        }
        ids
    }

    #[test]
    fn subscribes_as_soon_as_it_is_accepted() {
        let mut session = Session::connect(Version::V3, &who(), Some(("state", b"{}")));
        assert!(session.out.windows(24).any(|w| w == b"td/1/cd/gate/g1/up/state"));
        session.out.clear();
        session.receive(&who(), b"\x20\x02\x00\x00", |_, _| {}).expect("a CONNACK");
        assert_eq!(session.out[0], 0x82);
        assert!(!session.ready());
    }

    #[test]
    fn never_has_more_in_flight_than_the_server_takes() {
        let mut session = ready(b"\x20\x06\x00\x00\x03\x21\x00\x02");
        for cookie in 0..5 {
            assert!(session.publish(&who(), "tap", b"{}", false, cookie));
        }
        assert_eq!(publishes(&session.out), [1, 2]);
        session.out.clear();
        let mut taken = Vec::new();
        let on = |_: &mut Session, event: Event<'_>| taken.push(format!("{event:?}"));
        session.receive(&who(), b"\x40\x02\x00\x02", on).expect("a PUBACK");
        assert_eq!(taken, ["Taken { cookie: 1, code: 0 }"]);
        assert_eq!(publishes(&session.out), [2], "the freed id carries the next message");
    }

    #[test]
    fn what_still_waits_can_be_taken_back() {
        let mut session = ready(b"\x20\x06\x00\x00\x03\x21\x00\x01");
        for cookie in 0..3 {
            session.publish(&who(), "tap", &[b'0' + u8::try_from(cookie).expect("small")], false, cookie);
        }
        session.withdraw(0);
        session.withdraw(1);
        session.out.clear();
        session.receive(&who(), b"\x40\x02\x00\x01", |_, _| {}).expect("a PUBACK");
        assert!(session.out.ends_with(b"2"), "the second never goes out, the third does");
    }

    #[test]
    fn a_full_queue_refuses() {
        let mut session = ready(b"\x20\x06\x00\x00\x03\x21\x00\x01");
        let sent = (0..QUEUE_MAX + 10).filter(|_| session.publish(&who(), "tap", b"{}", false, 0)).count();
        assert_eq!(sent, QUEUE_MAX + 1);
    }

    #[test]
    fn a_message_is_acknowledged_and_named_by_its_last_level() {
        let mut session = ready(b"\x20\x03\x00\x00\x00");
        let mut message = Vec::new();
        let to = Target { prefix: b"td/1/cd/gate/g1/down/", message: b"decision", retain: false };
        packet::publish(&mut message, Version::V5, 300, to, b"{}");
        let mut seen = Vec::new();
        let on = |_: &mut Session, event: Event<'_>| {
            if let Event::Message(level, payload) = event {
                seen.push((level.to_vec(), payload.to_vec()));
            }
        };
        session.receive(&who(), &message, on).expect("a message");
        assert_eq!(seen, [(b"decision".to_vec(), b"{}".to_vec())]);
        assert_eq!(session.out, b"\x40\x02\x01\x2C");
    }

    #[test]
    fn a_refusal_is_told() {
        let mut session = Session::connect(Version::V3, &who(), None);
        let mut seen = Vec::new();
        session.receive(&who(), b"\x20\x02\x00\x04", |_, event| seen.push(format!("{event:?}"))).expect("a CONNACK");
        assert_eq!(seen, ["Closed { code: 4 }"]);
    }
}
