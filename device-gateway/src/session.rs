//! An admitted device on its link: what it has asked and is not answered, what it listens to, what waits for its window.
//! Faults that end the connection are returned, everything else is answered here.
use crate::admit::{Identity, MessageLimiter};
use crate::config::GatewayConfig;
use crate::dead_letter::DeadLetter;
use crate::fault::Fault;
use crate::link::{Act, Answer, Common, Turn, outgoing, sent_command};
use crate::message::{Understood, Untaken, read_list_request, understand};
use crate::packet::{AckCode, Filter, Granted, Retained, Unsent, Version};
use crate::subscription::Subscriptions;
use crate::wire::{Publish, Wire};
use compact_str::CompactString;
use smallvec::SmallVec;
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;
use tongdao_actors::request::Request;
use tongdao_domain::code::Code;
use tongdao_domain::device::DeviceKind;
use tongdao_domain::entity::EntityKey;
use tongdao_domain::gate::{self, DeviceOrder, Twin};
use tongdao_domain::id::TapId;
use tongdao_domain::machine::{Command, RefusalCode, Reply};
use tongdao_domain::tap::TapDecision;
use tongdao_domain::time::{Millis, Timestamp};
use tongdao_protocol::gate::{Mode, PassageOutcome, RecordsAck, encode_decision};
use tongdao_protocol::topic::{Down, Reach, Territory, Up, matches};
use tongdao_protocol::{device, payload};

/// A message that has no answer yet.
struct Pending {
    cookie: u64,
    /// Packet id and QoS, where it wants to be acknowledged.
    packet: Option<(u16, u8)>,
    what: What,
}

enum What {
    /// A tap is answered even when it cannot be served.
    Tap { epoch: u64, seq: u64, expires_at: Timestamp, read: Duration },
    /// Everything else is kept until it is durable, and tried again while the node is busy.
    Message {
        publish: Box<Publish>,
        passage: Option<&'static str>,
        /// The version of the deny list that the message names.
        list: Option<u64>,
    },
}

/// A message that waits for the client's window.
struct Waiting {
    message: Down,
    reach: Reach,
    body: Vec<u8>,
    retain: bool,
    /// Of no use after this.
    until: Option<Timestamp>,
}

/// One admitted device.
pub struct Session {
    /// Who it is.
    pub who: Identity,
    /// Published when it goes without good-bye.
    pub will: Option<Box<Twin>>,
    version: Version,
    common: Rc<Common>,
    connection: u64,
    territory: Territory,
    keep_alive: Millis,
    subscriptions: Subscriptions,
    limiter: Option<MessageLimiter>,
    /// Numbers the commands of this connection.
    count: u64,
    /// Oldest first; owns no memory while it is empty.
    pending: Vec<Pending>,
    /// Messages that are to be tried again, oldest first, and when.
    again: VecDeque<(Timestamp, Box<Publish>)>,
    outbox: VecDeque<Waiting>,
    /// When the deny list was last told.
    list_told: Option<Timestamp>,
}

impl Session {
    /// For a device that was let in.
    #[must_use]
    pub fn new(who: Identity, version: Version, will: Option<Box<Twin>>, connection: u64, keep_alive_s: u16, common: Rc<Common>) -> Self {
        Self {
            territory: Territory::new(&who.site, who.kind, &who.device),
            who,
            will,
            version,
            connection,
            keep_alive: Millis::seconds(i64::from(keep_alive_s)),
            subscriptions: Subscriptions::default(),
            limiter: common.admission.message_limiter(),
            common,
            count: 0,
            pending: Vec::new(),
            again: VecDeque::new(),
            outbox: VecDeque::new(),
            list_told: None,
        }
    }
    /// Commands and messages that have no answer yet.
    #[must_use]
    pub fn unanswered(&self) -> usize {
        self.pending.len() + self.again.len()
    }
    /// May another message be read? Not while one waits to be tried again: order is kept.
    #[must_use]
    pub fn has_room(&self, unanswered_max: usize) -> bool {
        self.again.is_empty() && self.pending.len() < unanswered_max
    }
    /// How long silence is suffered: 1.5 times the keep-alive.
    #[must_use]
    pub fn patience(&self) -> Millis {
        Millis(self.keep_alive.0 * 3 / 2)
    }
    /// When something is to be tried again.
    #[must_use]
    pub fn retry_at(&self) -> Option<Timestamp> {
        self.again.front().map(|(at, _)| *at)
    }

    /// Takes a PUBLISH.
    ///
    /// # Errors
    /// The fault that ends the connection.
    pub fn publish<W: Wire>(&mut self, publish: Publish, wire: &mut W, turn: &mut Turn<'_>) -> Result<(), Fault> {
        if self.limiter.as_ref().is_some_and(|limiter| limiter.check().is_err()) {
            return Err(Fault::MessageRate);
        }
        let Some(name) = self.territory.up(publish.topic()) else {
            return self.forbid(&publish, Fault::ForeignTopic, wire, turn);
        };
        let asks = name == Up::ListRequest.name();
        if publish.retain() && !self.territory.is_state(publish.topic()) {
            return self.forbid(&publish, Fault::Retained, wire, turn);
        }
        if publish.payload().len() > payload::PAYLOAD_BYTES_MAX {
            return Err(Fault::TooLarge);
        }
        if asks {
            return self.list_request(&publish, wire, turn);
        }
        self.take(publish, wire, turn);
        Ok(())
    }

    /// Answered from what is committed, at once: nothing is decided, and no entity is asked.
    fn list_request<W: Wire>(&mut self, publish: &Publish, wire: &mut W, turn: &mut Turn<'_>) -> Result<(), Fault> {
        match read_list_request(&self.who, publish.payload()) {
            Ok((have, unknown_fields)) => {
                if unknown_fields > 0 {
                    turn.acts.push(Act::UnknownFields { message: Up::ListRequest.name(), count: unknown_fields });
                }
                if let Some(id) = publish.packet_id() {
                    wire.acknowledge(id, publish.qos(), AckCode::Done, turn.out);
                }
                self.send_list(have, wire, turn)
            }
            Err(untaken) => {
                self.bury(publish, untaken, wire, turn);
                Ok(())
            }
        }
    }

    /// Not its topic, or retained where nothing may be: MQTT 5 says so, 3.1.1 closes.
    fn forbid<W: Wire>(&self, publish: &Publish, fault: Fault, wire: &mut W, turn: &mut Turn<'_>) -> Result<(), Fault> {
        if self.version == Version::V311 {
            return Err(fault);
        }
        self.fault(fault, turn);
        if let Some(id) = publish.packet_id() {
            wire.acknowledge(id, publish.qos(), AckCode::NotAuthorized, turn.out);
        }
        Ok(())
    }

    /// Reads the body and hands the command in.
    fn take<W: Wire>(&mut self, publish: Publish, wire: &mut W, turn: &mut Turn<'_>) {
        self.count += 1;
        let name = self.territory.up(publish.topic()).unwrap_or_default();
        match understand(&self.who, name, publish.payload(), (self.connection, self.count), turn.world, turn.now) {
            Ok(Understood { request, unknown_fields }) => {
                if let Some(message) = Up::from_name(name).filter(|_| unknown_fields > 0) {
                    turn.acts.push(Act::UnknownFields { message: message.name(), count: unknown_fields });
                }
                let packet = publish.packet_id().map(|id| (id, publish.qos()));
                let what = match &request.command {
                    Command::Gate(gate::Command::Tap { tap, .. }) => {
                        What::Tap { epoch: tap.id.epoch, seq: tap.id.seq, expires_at: tap.expires_at(), read: turn.read }
                    }
                    command => What::Message { passage: passage_of(command), list: list_of(command), publish: Box::new(publish) },
                };
                if self.pending.capacity() == 0 {
                    self.pending.reserve_exact(1);
                }
                self.pending.push(Pending { cookie: self.count, packet, what });
                turn.acts.push(Act::Submit { cookie: self.count, request });
            }
            Err(untaken) => self.bury(&publish, untaken, wire, turn),
        }
    }

    /// To the dead letters: MQTT 5 is told so, 3.1.1 only that it has arrived.
    fn bury<W: Wire>(&mut self, publish: &Publish, untaken: Untaken, wire: &mut W, turn: &mut Turn<'_>) {
        let (fault, code, reason) = match untaken {
            Untaken::Unsupported => (Fault::Unsupported, Fault::Unsupported.code(), String::new()),
            Untaken::Payload(error) => (Fault::BadPayload, error.code(), error.to_string()),
            Untaken::Refused(code) => (Fault::of_decision(code).unwrap_or(Fault::Refused), code.name(), String::new()),
        };
        self.dead(publish, fault, code, reason, turn);
        if let Some(id) = publish.packet_id() {
            wire.acknowledge(id, publish.qos(), AckCode::PayloadInvalid, turn.out);
        }
    }
    fn dead(&self, publish: &Publish, fault: Fault, code: &'static str, reason: String, turn: &mut Turn<'_>) {
        self.fault(fault, turn);
        let letter = DeadLetter::of(turn.now, &self.who.device, publish.topic(), publish.payload(), code, reason);
        turn.acts.push(Act::DeadLetter(letter));
    }
    fn fault(&self, fault: Fault, turn: &mut Turn<'_>) {
        turn.acts.push(Act::Fault { source: CompactString::new(self.who.device.as_str()), fault });
    }

    /// Takes the answer of a command.
    ///
    /// # Errors
    /// The fault that ends the connection.
    pub fn answer<W: Wire>(&mut self, cookie: u64, answer: Answer, wire: &mut W, turn: &mut Turn<'_>) -> Result<(), Fault> {
        let Some(index) = self.pending.iter().position(|pending| pending.cookie == cookie) else { return Ok(()) };
        let Pending { packet, what, .. } = self.pending.remove(index);
        if self.pending.is_empty() {
            // An idle link owns as little as it can.
            self.pending = Vec::new();
        }
        let reply = match answer {
            Answer::Reply(Reply::Refused(refusal)) => Err(refusal.code),
            Answer::Reply(reply) => Ok(reply),
            Answer::Busy => Err(RefusalCode::Busy),
        };
        let mut list = None;
        let (ack, body) = match (what, reply) {
            (What::Tap { read, .. }, Ok(Reply::Tap(decision))) => (AckCode::Done, Some(self.decided(&decision, read, turn))),
            (What::Tap { epoch, seq, expires_at, read }, reply) => {
                let decision = self.undecided(epoch, seq, expires_at, reply.err(), turn.now);
                (AckCode::Done, Some(self.decided(&decision, read, turn)))
            }
            (What::Message { publish, .. }, Err(RefusalCode::Busy)) => {
                let at = turn.now + GatewayConfig::millis(self.common.config.busy_retry_ms);
                self.again.push_back((at, publish));
                return Ok(());
            }
            (What::Message { publish, .. }, Err(code)) => {
                self.dead(&publish, Fault::Refused, code.name(), String::new(), turn);
                (AckCode::PayloadInvalid, None)
            }
            (What::Message { .. }, Ok(Reply::Records(ack))) => {
                turn.body.clear();
                turn.body.extend_from_slice(&payload::encode(&RecordsAck::from(ack)));
                (AckCode::Done, Some((Down::RecordsAck, None)))
            }
            (What::Message { passage, list: known, .. }, Ok(_)) => {
                turn.acts.extend(passage.map(|outcome| Act::Passed { outcome }));
                list = known;
                (AckCode::Done, None)
            }
        };
        if let Some((id, qos)) = packet {
            wire.acknowledge(id, qos, ack, turn.out);
        }
        if let Some(have) = list {
            self.send_missed_list(have, wire, turn)?;
        }
        match body {
            Some((message, until)) => self.deliver(message, false, until, wire, turn).map(drop),
            None => Ok(()),
        }
    }

    /// Writes a decision into the body buffer.
    fn decided(&self, decision: &TapDecision, read: Duration, turn: &mut Turn<'_>) -> (Down, Option<Timestamp>) {
        turn.acts.push(Act::TapAnswered { code: decision.code.name(), took: turn.read.saturating_sub(read) });
        if let Some(fault) = Fault::of_decision(decision.code) {
            self.fault(fault, turn);
        }
        turn.body.clear();
        encode_decision(decision, turn.body);
        (Down::Decision, Some(decision.expires_at))
    }
    fn undecided(&self, epoch: u64, seq: u64, expires_at: Timestamp, refused: Option<RefusalCode>, now: Timestamp) -> TapDecision {
        let code = match refused {
            Some(RefusalCode::KeyReused) => Code::KeyReused,
            Some(RefusalCode::NotFound) => Code::UnknownDevice,
            _ => Code::Busy,
        };
        let tap = TapId { device: self.who.device.clone(), epoch, seq };
        TapDecision::without_money(tap, code, now, expires_at)
    }

    /// Tries again what the node was too busy for.
    pub fn retry(&mut self, turn: &mut Turn<'_>) {
        while self.again.front().is_some_and(|(at, _)| *at <= turn.now) {
            let Some((_, publish)) = self.again.pop_front() else { return };
            self.count += 1;
            let name = self.territory.up(publish.topic()).unwrap_or_default();
            // It was understood before.
            if let Ok(understood) = understand(&self.who, name, publish.payload(), (self.connection, self.count), turn.world, turn.now) {
                let packet = publish.packet_id().map(|id| (id, publish.qos()));
                self.pending.push(Pending {
                    cookie: self.count,
                    packet,
                    what: What::Message {
                        passage: passage_of(&understood.request.command),
                        list: list_of(&understood.request.command),
                        publish,
                    },
                });
                turn.acts.push(Act::Submit { cookie: self.count, request: understood.request });
            }
        }
    }

    /// Takes a SUBSCRIBE; what is retained or owed follows its answer.
    ///
    /// # Errors
    /// The fault that ends the connection.
    pub fn subscribe<W: Wire>(&mut self, packet_id: u16, filters: &[Filter], wire: &mut W, turn: &mut Turn<'_>) -> Result<(), Fault> {
        let mut codes = SmallVec::<[Granted; 4]>::new();
        let (mut mode, mut config, mut orders) = (false, false, false);
        for filter in filters {
            let made = self.subscriptions.subscribe(filter, &self.territory, self.common.config.subscriptions_max);
            match made.granted {
                Granted::NotAuthorized => self.fault(Fault::ForeignSubscription, turn),
                Granted::TooMany => self.fault(Fault::Subscriptions, turn),
                Granted::Qos0 | Granted::Qos1 => {
                    let meant = |message: Down| matches(&filter.filter, &self.territory.down(message.name()));
                    let retained = filter.retained == Retained::Send || filter.retained == Retained::SendIfNew && made.new;
                    mode |= meant(Down::Mode) && retained;
                    config |= meant(Down::Config) && retained;
                    orders |= meant(Down::Command);
                }
            }
            turn.acts.push(Act::Subscribed { granted: matches!(made.granted, Granted::Qos0 | Granted::Qos1) });
            codes.push(made.granted);
        }
        wire.granted(packet_id, &codes, turn.out);
        if orders {
            turn.acts.push(Act::FetchOwed);
        }
        if config {
            self.send_config(wire, turn)?;
        }
        if mode { self.send_mode(true, wire, turn) } else { Ok(()) }
    }
    /// Takes an UNSUBSCRIBE.
    pub fn unsubscribe<W: Wire>(&mut self, packet_id: u16, filters: &[Box<str>], wire: &mut W, turn: &mut Turn<'_>) {
        let existed: SmallVec<[bool; 4]> = filters.iter().map(|filter| self.subscriptions.unsubscribe(filter, &self.territory)).collect();
        wire.unsubscribed(packet_id, &existed, turn.out);
    }

    /// Sends a gate's parameters: they change with the process at most.
    fn send_config<W: Wire>(&mut self, wire: &mut W, turn: &mut Turn<'_>) -> Result<(), Fault> {
        if self.who.kind != DeviceKind::Gate {
            return Ok(());
        }
        turn.body.clear();
        turn.body.extend_from_slice(&payload::encode(&device::Config::of(&turn.world.settings)));
        self.deliver(Down::Config, true, None, wire, turn).map(drop)
    }

    /// Sends the gate's mode, where there ever was one.
    ///
    /// # Errors
    /// The fault that ends the connection.
    pub fn send_mode<W: Wire>(&mut self, retain: bool, wire: &mut W, turn: &mut Turn<'_>) -> Result<(), Fault> {
        let Some(mode) = turn.world.gate_mode(&self.who.device).filter(|mode| mode.rev > 0) else { return Ok(()) };
        turn.body.clear();
        turn.body.extend_from_slice(&payload::encode(&Mode::from(&mode)));
        self.deliver(Down::Mode, retain, None, wire, turn).map(drop)
    }
    /// Tells the way from a version of the deny list to the newest.
    fn send_list<W: Wire>(&mut self, have: u64, wire: &mut W, turn: &mut Turn<'_>) -> Result<(), Fault> {
        let own = self.subscriptions.level(Down::List).map(|qos| (Reach::Own, qos));
        let Some(heard) = own.or_else(|| self.subscriptions.list()) else { return Ok(()) };
        let body = self.common.lists.borrow_mut().for_gate(have, turn.world, &self.common.config);
        self.list_told = Some(turn.now);
        self.tell_list(heard, &body, wire, turn)
    }
    /// A gate has said which version it has: where that is not the newest, it has missed what was told, or was not here.
    fn send_missed_list<W: Wire>(&mut self, have: u64, wire: &mut W, turn: &mut Turn<'_>) -> Result<(), Fault> {
        let again = GatewayConfig::millis(self.common.config.list_again_ms);
        if have == turn.world.deny.version() || self.list_told.is_some_and(|told| told + again > turn.now) {
            return Ok(());
        }
        self.send_list(have, wire, turn)
    }
    /// Tells what has changed with the newest version of the deny list, where all hear it.
    ///
    /// # Errors
    /// The fault that ends the connection.
    pub fn send_newest_list<W: Wire>(&mut self, wire: &mut W, turn: &mut Turn<'_>) -> Result<(), Fault> {
        let Some(heard) = self.subscriptions.list() else { return Ok(()) };
        let body = self.common.lists.borrow_mut().newest(turn.world, &self.common.config);
        self.list_told = Some(turn.now);
        self.tell_list(heard, &body, wire, turn)
    }
    fn tell_list<W: Wire>(&mut self, (reach, qos): (Reach, u8), body: &[u8], wire: &mut W, turn: &mut Turn<'_>) -> Result<(), Fault> {
        turn.body.clear();
        turn.body.extend_from_slice(body);
        self.deliver_to((Down::List, reach, qos), false, None, wire, turn).map(drop)
    }
    /// Sends an order and tells the gate's machine that it has gone out.
    ///
    /// # Errors
    /// The fault that ends the connection.
    pub fn send_order<W: Wire>(&mut self, order: &DeviceOrder, wire: &mut W, turn: &mut Turn<'_>) -> Result<(), Fault> {
        if order.expires_at <= turn.now {
            return Ok(());
        }
        turn.body.clear();
        turn.body.extend_from_slice(&payload::encode(&device::Command::from(order)));
        if self.deliver(Down::Command, false, Some(order.expires_at), wire, turn)?
            && let Some(id) = sent_command(&order.id)
        {
            let sent = gate::Command::OrderSent { id: order.id.clone() };
            turn.acts.push(Act::Tell(Request::new(EntityKey::gate(&self.who.device), id, sent, turn.now)));
        }
        Ok(())
    }

    /// Sends what stands in the body buffer, now or when the client has room; `false` = it does not listen to it.
    fn deliver<W: Wire>(
        &mut self,
        message: Down,
        retain: bool,
        until: Option<Timestamp>,
        wire: &mut W,
        turn: &mut Turn<'_>,
    ) -> Result<bool, Fault> {
        let Some(qos) = self.subscriptions.level(message) else { return Ok(false) };
        self.deliver_to((message, Reach::Own, qos), retain, until, wire, turn)
    }
    fn deliver_to<W: Wire>(
        &mut self,
        (message, reach, qos): (Down, Reach, u8),
        retain: bool,
        until: Option<Timestamp>,
        wire: &mut W,
        turn: &mut Turn<'_>,
    ) -> Result<bool, Fault> {
        if qos == 0 || self.outbox.is_empty() {
            self.territory.write_reach(reach, message.name(), turn.topic);
            match wire.publish(&outgoing(turn.topic, turn.body, qos, retain), turn.out) {
                Ok(()) => return Ok(true),
                Err(Unsent::WindowFull) => {}
                Err(Unsent::TooLarge) => {
                    self.fault(Fault::TooLarge, turn);
                    return Ok(false);
                }
                Err(Unsent::Closed) => return Ok(false),
            }
        }
        if self.outbox.len() >= self.common.config.outbox_max {
            return Err(Fault::SlowReader);
        }
        self.outbox.push_back(Waiting { message, reach, body: turn.body.clone(), retain, until });
        Ok(true)
    }

    /// Sends what waits for the client's window, as far as it has room; what has become useless is left out.
    pub fn flush<W: Wire>(&mut self, wire: &mut W, turn: &mut Turn<'_>) {
        while wire.has_room() {
            let Some(waiting) = self.outbox.pop_front() else { return };
            // A decision's end is in the gate's clock, which is off by less than a minute.
            let late = waiting.until.is_some_and(|until| until + Millis::minutes(1) < turn.now);
            let level = match waiting.reach {
                Reach::Own => self.subscriptions.level(waiting.message),
                reach => self.subscriptions.list().filter(|(heard, _)| *heard == reach).map(|(_, qos)| qos),
            };
            if let (false, Some(qos)) = (late, level) {
                self.territory.write_reach(waiting.reach, waiting.message.name(), turn.topic);
                let _ = wire.publish(&outgoing(turn.topic, &waiting.body, qos, waiting.retain), turn.out);
            }
        }
    }
}

/// What the rider did, where a passage with a reference tells it; the gate's own passages stand in its feed.
fn passage_of(command: &Command) -> Option<&'static str> {
    match command {
        Command::Gate(gate::Command::Passage { outcome, reference: Some(_), .. }) => Some(PassageOutcome::from(*outcome).name()),
        _ => None,
    }
}

/// The version of the deny list that a connected gate says it has.
fn list_of(command: &Command) -> Option<u64> {
    match command {
        Command::Gate(gate::Command::State(twin)) if twin.online => twin.list(),
        _ => None,
    }
}
