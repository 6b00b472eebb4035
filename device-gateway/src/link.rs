//! The state machine of one connection: packets in, commands and packets out, one deadline. It holds no socket, no timer
//! and no lock, and reads no clock: the shell gives it the time with each turn. Payloads are read in [`crate::message`],
//! what is owed to an admitted device is kept in [`crate::session`].
use crate::admit::{Admission, Identity};
use crate::config::GatewayConfig;
use crate::dead_letter::DeadLetter;
use crate::fault::Fault;
use crate::list::Lists;
use crate::message::{read_state, will_request};
use crate::packet::{Accepted, Connect, Disconnect, Incoming, Outgoing, Rejection, Version, Violation};
use crate::session::Session;
use crate::wire::Wire;
use compact_str::CompactString;
use std::cell::RefCell;
use std::net::IpAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use tongdao_actors::request::Request;
use tongdao_domain::id::CommandId;
use tongdao_domain::machine::Reply;
use tongdao_domain::time::{Millis, Timestamp};
use tongdao_domain::world::World;

/// What all links of a cell share.
pub struct Common {
    /// Settings.
    pub config: GatewayConfig,
    /// Who is let in.
    pub admission: Arc<Admission>,
    /// What gates are told of the deny list.
    pub lists: RefCell<Lists>,
}

/// Everything that a step may look at and write to.
pub struct Turn<'a> {
    /// The process clock.
    pub now: Timestamp,
    /// A finer, monotonic clock, for measuring only.
    pub read: Duration,
    /// The cell's snapshot.
    pub world: &'a World,
    /// Bytes for the client.
    pub out: &'a mut Vec<u8>,
    /// Packets that were read.
    pub packets: &'a mut u64,
    /// What the shell is to do, in order.
    pub acts: &'a mut Vec<Act>,
    /// A buffer for bodies; its content means nothing between steps.
    pub body: &'a mut Vec<u8>,
    /// A buffer for topics, likewise.
    pub topic: &'a mut String,
}

/// What a link wants done.
#[derive(Debug)]
pub enum Act {
    /// Hand a command in; its answer comes back with the cookie.
    Submit {
        /// The link's own mark.
        cookie: u64,
        /// What is asked of whom.
        request: Request,
    },
    /// Hand a command in whose answer nobody waits for.
    Tell(Request),
    /// Hand in the will, until it is taken.
    Will(Request),
    /// The device was let in: whoever has its client id goes.
    Opened {
        /// Who.
        who: Identity,
        /// Its version.
        version: Version,
    },
    /// Ask what is owed to the device.
    FetchOwed,
    /// Count a fault.
    Fault {
        /// Device, or address where the device is not known.
        source: CompactString,
        /// What.
        fault: Fault,
    },
    /// Keep a dead letter.
    DeadLetter(DeadLetter),
    /// Unknown fields were ignored.
    UnknownFields {
        /// The message's name.
        message: &'static str,
        /// How many.
        count: usize,
    },
    /// A subscription was granted or refused.
    Subscribed {
        /// Was it granted?
        granted: bool,
    },
    /// A passage is durable.
    Passed {
        /// What the rider did.
        outcome: &'static str,
    },
    /// A tap was answered.
    TapAnswered {
        /// The code of the decision.
        code: &'static str,
        /// Since it was read.
        took: Duration,
    },
    /// Close, after what has been written has gone out.
    Close {
        /// Why, in a word for metrics.
        reason: &'static str,
    },
}

/// How a command was answered.
#[derive(Debug)]
pub enum Answer {
    /// By its entity.
    Reply(Reply),
    /// Nothing was taken in.
    Busy,
}

enum Phase {
    Greeting,
    Open(Box<Session>),
    Closed,
}

/// One connection.
pub struct Link<W> {
    /// Whose credentials were right, although it is not let in: faults are counted under this name.
    named: Option<CompactString>,
    wire: W,
    common: Rc<Common>,
    peer: IpAddr,
    connection: u64,
    phase: Phase,
    /// When it was opened, then when a complete packet was last heard.
    heard: Timestamp,
    stalled_since: Option<Timestamp>,
    draining: bool,
}

/// How a connection ends; decides what is said and whether the will is published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// The client said good-bye and wants no will.
    Goodbye,
    /// The client said good-bye and wants its will, or the socket is gone.
    Lost,
    /// It did something wrong, or something went wrong with it.
    Fault(Fault, Option<Disconnect>),
    /// The same device is here on another connection: it is not gone, so its will means nothing.
    TakenOver,
    /// The node is going down: the device is not gone, so its will means nothing.
    Drained,
}

impl<W: Wire> Link<W> {
    /// A connection that has just been opened (and secured); `connection` is its number, never used before.
    #[must_use]
    pub fn new(wire: W, common: Rc<Common>, peer: IpAddr, connection: u64, now: Timestamp) -> Self {
        Self { wire, common, peer, connection, phase: Phase::Greeting, named: None, heard: now, stalled_since: None, draining: false }
    }
    /// Is it over?
    #[must_use]
    pub fn is_closed(&self) -> bool {
        matches!(self.phase, Phase::Closed)
    }
    /// The device, once it was let in.
    #[must_use]
    pub fn identity(&self) -> Option<&Identity> {
        match &self.phase {
            Phase::Open(session) => Some(&session.who),
            _ => None,
        }
    }
    /// Should more be read? Not while enough is unanswered: then the client's socket fills, and it waits.
    #[must_use]
    pub fn wants_input(&self) -> bool {
        match &self.phase {
            Phase::Greeting => true,
            Phase::Open(session) => !self.draining && session.has_room(usize::from(self.common.config.receive_max)),
            Phase::Closed => false,
        }
    }
    /// Commands that have no answer yet.
    #[must_use]
    pub fn unanswered(&self) -> usize {
        match &self.phase {
            Phase::Open(session) => session.unanswered(),
            _ => 0,
        }
    }

    /// Takes bytes from the front of `input`, as many as the link wants.
    pub fn receive(&mut self, input: &mut &[u8], turn: &mut Turn<'_>) {
        while !input.is_empty() && self.wants_input() {
            let Some(incoming) = self.wire.receive(input, turn.out) else { break };
            self.heard = turn.now;
            self.stalled_since = None;
            *turn.packets += 1;
            self.incoming(incoming, turn);
        }
        if self.is_closed() {
            *input = &[];
        }
        self.stalled_since = if self.wire.stalled() { self.stalled_since.or(Some(turn.now)) } else { None };
    }

    fn incoming(&mut self, incoming: Incoming, turn: &mut Turn<'_>) {
        match (&mut self.phase, incoming) {
            (_, Incoming::Violation(violation)) => {
                self.end(End::Fault(Fault::of_violation(violation), Some(Disconnect::Violation(violation))), turn);
            }
            (Phase::Greeting, Incoming::Connect(connect)) => self.greet(&connect, turn),
            (Phase::Open(session), Incoming::Publish(publish)) => {
                let done = session.publish(publish, &mut self.wire, turn);
                self.settle(done, turn);
            }
            (Phase::Open(session), Incoming::Subscribe { packet_id, filters }) => {
                let done = session.subscribe(packet_id, &filters, &mut self.wire, turn);
                self.settle(done, turn);
            }
            (Phase::Open(session), Incoming::Unsubscribe { packet_id, filters }) => {
                session.unsubscribe(packet_id, &filters, &mut self.wire, turn);
            }
            (Phase::Open(session), Incoming::Acknowledged) => session.flush(&mut self.wire, turn),
            (Phase::Open(_), Incoming::Ping | Incoming::Nothing) => {}
            (Phase::Open(_), Incoming::Disconnect { publish_will }) => self.end(if publish_will { End::Lost } else { End::Goodbye }, turn),
            _ => self.end(End::Fault(Fault::NotConnected, None), turn),
        }
    }

    fn greet(&mut self, connect: &Connect, turn: &mut Turn<'_>) {
        let identity = match self.common.admission.admit(connect, turn.world) {
            Ok(identity) => identity,
            Err((rejection, fault)) => {
                if matches!(fault, Fault::ForeignWill | Fault::ConnectRate) {
                    self.named = connect.user_name.as_deref().map(CompactString::new);
                }
                return self.turn_away(rejection, fault, turn);
            }
        };
        let will = match connect.will.as_ref().map(|will| (will, read_state(&will.payload))) {
            None => None,
            Some((_, Ok((twin, _)))) if !twin.online => Some(Box::new(twin)),
            Some((will, read)) => {
                let reason = read.err().map_or_else(|| "a will says `online`: false".to_owned(), |error| error.to_string());
                self.named = Some(CompactString::new(identity.device.as_str()));
                let letter = DeadLetter::of(turn.now, &identity.device, &will.topic, &will.payload, Fault::BadWill.code(), reason);
                turn.acts.push(Act::DeadLetter(letter));
                return self.turn_away(Rejection::ForeignWill, Fault::BadWill, turn);
            }
        };
        self.open(identity, will, connect.keep_alive_s, connect.version, turn);
    }

    fn turn_away(&mut self, rejection: Rejection, fault: Fault, turn: &mut Turn<'_>) {
        self.wire.reject(rejection, turn.out);
        self.end(End::Fault(fault, None), turn);
    }

    fn open(&mut self, who: Identity, will: Option<Box<tongdao_domain::gate::Twin>>, wished_s: u16, version: Version, turn: &mut Turn<'_>) {
        let config = &self.common.config;
        let longest = config.keep_alive_max_s;
        let keep_alive_s = if wished_s == 0 { longest } else { wished_s.min(longest) };
        let accepted = Accepted {
            receive_maximum: config.receive_max,
            packet_bytes_max: config.packet_bytes_max,
            topic_alias_max: config.topic_alias_max,
            keep_alive_s: (keep_alive_s != wished_s).then_some(keep_alive_s),
        };
        self.wire.accept(&accepted, turn.out);
        turn.acts.push(Act::Opened { who: who.clone(), version });
        let session = Session::new(who, version, will, self.connection, keep_alive_s, self.common.clone());
        self.phase = Phase::Open(Box::new(session));
    }

    /// Takes the answer of a command that was submitted.
    pub fn answer(&mut self, cookie: u64, answer: Answer, turn: &mut Turn<'_>) {
        let Phase::Open(session) = &mut self.phase else { return };
        let done = session.answer(cookie, answer, &mut self.wire, turn);
        self.settle(done, turn);
        self.drained(turn);
    }
    /// The mode or the service of the device's station has changed.
    pub fn mode_changed(&mut self, turn: &mut Turn<'_>) {
        let Phase::Open(session) = &mut self.phase else { return };
        let done = session.send_mode(false, &mut self.wire, turn);
        self.settle(done, turn);
    }
    /// There is a new version of the deny list.
    pub fn list_changed(&mut self, turn: &mut Turn<'_>) {
        let Phase::Open(session) = &mut self.phase else { return };
        let done = session.send_newest_list(&mut self.wire, turn);
        self.settle(done, turn);
    }
    /// An order is owed to the device.
    pub fn order(&mut self, order: &tongdao_domain::gate::DeviceOrder, turn: &mut Turn<'_>) {
        let Phase::Open(session) = &mut self.phase else { return };
        let done = session.send_order(order, &mut self.wire, turn);
        self.settle(done, turn);
    }
    /// Its registration was withdrawn, or its secret changed.
    pub fn revoked(&mut self, turn: &mut Turn<'_>) {
        self.end(End::Fault(Fault::Revoked, Some(Disconnect::Revoked)), turn);
    }
    /// The same client id is here on another connection.
    pub fn taken_over(&mut self, turn: &mut Turn<'_>) {
        self.end(End::TakenOver, turn);
    }
    /// The socket is gone.
    pub fn lost(&mut self, turn: &mut Turn<'_>) {
        self.end(End::Lost, turn);
    }
    /// The client does not take what is written to it.
    pub fn slow_reader(&mut self, turn: &mut Turn<'_>) {
        self.end(End::Fault(Fault::SlowReader, Some(Disconnect::Slow)), turn);
    }
    /// The node is going down: nothing more is taken; good-bye when everything is answered.
    pub fn drain(&mut self, turn: &mut Turn<'_>) {
        self.draining = true;
        self.drained(turn);
    }
    /// The node waits no longer.
    pub fn cut(&mut self, turn: &mut Turn<'_>) {
        self.end(End::Drained, turn);
    }
    fn drained(&mut self, turn: &mut Turn<'_>) {
        if self.draining && self.unanswered() == 0 {
            self.end(End::Drained, turn);
        }
    }

    /// When [`Link::tick`] is due.
    #[must_use]
    pub fn deadline(&self) -> Option<Timestamp> {
        let config = &self.common.config;
        let stalled = self.stalled_since.map(|since| since + GatewayConfig::millis(config.packet_ms));
        let own = match &self.phase {
            Phase::Closed => return None,
            Phase::Greeting => Some(self.heard + GatewayConfig::millis(config.connect_ms)),
            Phase::Open(session) => session.retry_at().into_iter().chain([self.heard + session.patience()]).min(),
        };
        stalled.into_iter().chain(own).min()
    }
    /// A deadline may have come.
    pub fn tick(&mut self, turn: &mut Turn<'_>) {
        let now = turn.now;
        let passed = |since: Timestamp, length: Millis| since + length <= now;
        let common = self.common.clone();
        let config = &common.config;
        match &mut self.phase {
            Phase::Closed => {}
            Phase::Greeting if passed(self.heard, GatewayConfig::millis(config.connect_ms)) => {
                self.end(End::Fault(Fault::ConnectTimeout, None), turn);
            }
            _ if self.stalled_since.is_some_and(|since| passed(since, GatewayConfig::millis(config.packet_ms))) => {
                self.end(End::Fault(Fault::SlowSender, Some(Disconnect::Slow)), turn);
            }
            Phase::Greeting => {}
            Phase::Open(session) => {
                session.retry(turn);
                let (patience, read) = (session.patience(), self.wants_input());
                if !read {
                    // It is not heard because it is not read.
                    self.heard = turn.now;
                } else if passed(self.heard, patience) {
                    self.end(End::Fault(Fault::KeepAlive, Some(Disconnect::KeepAlive)), turn);
                }
            }
        }
    }

    fn settle(&mut self, done: Result<(), Fault>, turn: &mut Turn<'_>) {
        let Err(fault) = done else { return };
        let reason = match fault {
            Fault::MessageRate => Some(Disconnect::MessageRate),
            Fault::SlowReader => Some(Disconnect::Slow),
            Fault::TooLarge => Some(Disconnect::Violation(Violation::TooLarge)),
            // 3.1.1 has no word for it.
            _ => None,
        };
        self.end(End::Fault(fault, reason), turn);
    }

    /// Says good-bye, counts, publishes the will, closes. Once.
    fn end(&mut self, end: End, turn: &mut Turn<'_>) {
        let phase = std::mem::replace(&mut self.phase, Phase::Closed);
        if matches!(phase, Phase::Closed) {
            return;
        }
        let (fault, said, reason) = match end {
            End::Goodbye => (None, None, "disconnect"),
            End::Lost => (None, None, "lost"),
            End::Fault(fault, said) => (Some(fault), said, fault.code()),
            End::TakenOver => (Some(Fault::TakenOver), Some(Disconnect::TakenOver), Fault::TakenOver.code()),
            End::Drained => (None, Some(Disconnect::Draining), Fault::Draining.code()),
        };
        if let Some(word) = said {
            self.wire.disconnect(word, turn.out);
        }
        if let Some(fault) = fault {
            let source = match &phase {
                Phase::Open(session) => CompactString::new(session.who.device.as_str()),
                _ => self.named.take().unwrap_or_else(|| source_of(self.peer)),
            };
            turn.acts.push(Act::Fault { source, fault });
        }
        if let (Phase::Open(mut session), End::Lost | End::Fault(..)) = (phase, end)
            && let Some(twin) = session.will.take()
        {
            turn.acts.push(Act::Will(will_request(&session.who, *twin, self.connection, turn.now)));
        }
        turn.acts.push(Act::Close { reason });
    }
}

/// An address as it stands in the audit and in command ids: no character that no id may hold.
#[must_use]
pub fn source_of(peer: IpAddr) -> CompactString {
    CompactString::from(peer.to_canonical().to_string().replace([':', '%'], "-"))
}

/// A message for the client, as the wire takes it.
pub(crate) fn outgoing<'a>(topic: &'a str, payload: &'a [u8], qos: u8, retain: bool) -> Outgoing<'a> {
    Outgoing { topic, payload, qos, retain }
}

/// The command id under which it is told that an order has gone out.
pub(crate) fn sent_command(order: &CommandId) -> Option<CommandId> {
    CommandId::new(format!("sent/{order}")).ok()
}

#[cfg(test)]
mod tests;
