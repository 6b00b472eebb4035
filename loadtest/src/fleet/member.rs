//! One gate and its connection: what was read goes to the session, from there to the gate; what the gate sends goes into
//! the session's buffer, which the fleet writes once a turn.
use super::Notice;
use super::pipe::Pipe;
use crate::gate::{Fact, Port, VirtualGate};
use crate::mqtt::session::{Event, Identity, Session};
use std::io::{self, ErrorKind};
use tongdao_protocol::topic::{Down, Up};

/// An open connection.
pub(super) struct Connection {
    pub(super) pipe: Pipe,
    pub(super) session: Session,
    /// The start of a packet whose rest has not come yet.
    pub(super) inbox: Vec<u8>,
    pub(super) since_ms: i64,
    pub(super) heard_ms: i64,
    pub(super) pinged_ms: i64,
}

/// One gate of a fleet.
pub(super) struct Member {
    pub(super) who: Identity,
    pub(super) gate: VirtualGate,
    pub(super) link: Option<Box<Connection>>,
    /// Attempts to connect since the last success.
    pub(super) attempts: u32,
    /// For which time its timer stands in the fleet's heap; `i64::MAX` = for none.
    pub(super) armed: i64,
    pub(super) dirty: bool,
    /// Its network plug is pulled.
    pub(super) unplugged: bool,
}

/// Where the gate's messages and facts go.
pub(super) struct Desk<'a> {
    pub(super) index: u32,
    pub(super) who: &'a Identity,
    pub(super) session: Option<&'a mut Session>,
    pub(super) notices: &'a mut Vec<Notice>,
}

impl Port for Desk<'_> {
    fn publish(&mut self, message: Up, payload: &[u8], cookie: u32) {
        if let Some(session) = &mut self.session {
            session.publish(self.who, message.name(), payload, message == Up::State, cookie);
        }
    }
    fn withdraw(&mut self, cookie: u32) {
        if let Some(session) = &mut self.session {
            session.withdraw(cookie);
        }
    }
    fn fact(&mut self, fact: Fact) {
        self.notices.push(Notice::Gate(self.index, fact));
    }
}

/// Why a connection ended.
#[derive(Debug)]
pub(super) enum Broken {
    /// By the server, with an MQTT reason code.
    Closed(u8),
    /// By the network.
    Io(io::Error),
}

impl Member {
    pub(super) fn new(who: Identity, gate: VirtualGate) -> Self {
        Self { who, gate, link: None, attempts: 0, armed: i64::MAX, dirty: false, unplugged: false }
    }

    /// Is there something to write?
    pub(super) fn has_output(&self) -> bool {
        self.link.as_ref().is_some_and(|link| !link.session.out.is_empty() || link.pipe.wants_write())
    }

    /// Lets the gate do something, with a desk at hand.
    pub(super) fn with<T>(&mut self, index: u32, notices: &mut Vec<Notice>, act: impl FnOnce(&mut VirtualGate, &mut Desk<'_>) -> T) -> T {
        let session = self.link.as_mut().map(|link| &mut link.session);
        act(&mut self.gate, &mut Desk { index, who: &self.who, session, notices })
    }

    /// Reads all that is there.
    pub(super) fn read(&mut self, index: u32, now: i64, buffer: &mut [u8], notices: &mut Vec<Notice>) -> Result<(), Broken> {
        loop {
            let Some(link) = &mut self.link else { return Ok(()) };
            let length = match link.pipe.read(buffer) {
                Ok(0) => return Err(Broken::Io(ErrorKind::UnexpectedEof.into())),
                Ok(length) => length,
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::NotConnected) => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(Broken::Io(error)),
            };
            link.heard_ms = now;
            let all = length < buffer.len() && link.pipe.short_read_is_all();
            self.take(index, now, &buffer[..length], notices)?;
            if all {
                return Ok(());
            }
        }
    }

    /// Whole packets are read where they stand; only the start of a cut one is kept.
    fn take(&mut self, index: u32, now: i64, bytes: &[u8], notices: &mut Vec<Notice>) -> Result<(), Broken> {
        let Some(link) = &mut self.link else { return Ok(()) };
        let mut kept = std::mem::take(&mut link.inbox);
        let fresh = kept.is_empty();
        if !fresh {
            kept.extend_from_slice(bytes);
        }
        let used = self.packets(index, now, if fresh { bytes } else { &kept }, notices)?;
        if fresh {
            kept.extend_from_slice(&bytes[used..]);
        } else {
            kept.drain(..used);
        }
        if let Some(link) = &mut self.link {
            link.inbox = kept;
        }
        Ok(())
    }

    fn packets(&mut self, index: u32, now: i64, bytes: &[u8], notices: &mut Vec<Notice>) -> Result<usize, Broken> {
        let Self { who, gate, link: Some(link), .. } = self else { return Ok(bytes.len()) };
        let mut closed = None;
        let used = link.session.receive(who, bytes, |session, event| {
            let desk = &mut Desk { index, who, session: Some(session), notices };
            match event {
                Event::Ready => gate.connected(now, desk),
                Event::Taken { cookie, code } => gate.taken(cookie, code, now, desk),
                Event::Message(level, payload) => {
                    if let Some(message) = std::str::from_utf8(level).ok().and_then(Down::from_name) {
                        gate.on_message(message, payload, now, desk);
                    }
                }
                Event::Closed { code } => closed = Some(code),
            }
        });
        match (used, closed) {
            (_, Some(code)) => Err(Broken::Closed(code)),
            (Ok(used), None) => Ok(used),
            (Err(error), None) => Err(Broken::Io(io::Error::other(error))),
        }
    }

    /// Writes what has gathered.
    pub(super) fn write(&mut self) -> Result<(), Broken> {
        let Some(link) = &mut self.link else { return Ok(()) };
        link.pipe.write(&mut link.session.out).map_err(Broken::Io)
    }
}
