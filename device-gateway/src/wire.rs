//! The MQTT adapter: bytes in, packets out; answers in, bytes out. It wraps `mqtt-protocol-core` and is the only file
//! that names it, so that another codec could take its place behind [`Wire`]. It decides nothing about devices, topics
//! or payloads.
//!
//! What it guards against, because the library does not: packet id 0, wildcards in a PUBLISH, a packet before the
//! CONNACK, a packet id that leaks when a message is above the client's packet size, a 3.1.1 client without a send
//! window, and a PUBREC that would leave before the message is durable. One object lives as long as one TCP connection and
//! is never restored; any error notice of the library ends the connection.
mod codes;

use self::codes::{connect_code, disconnect_code, puback_code, pubrec_code, return_code, suback_3, suback_5, unsent, violation};
use crate::packet::{
    Accepted, AckCode, Connect, Disconnect, Filter, Granted, Incoming, Outgoing, Rejection, Unsent, Version, Violation, Will,
};
use mqtt_protocol_core::mqtt::common::Cursor;
use mqtt_protocol_core::mqtt::connection::{Connection, ConnectionOptions, Event, Sendable};
use mqtt_protocol_core::mqtt::packet::{self as lib, GenericPacketTrait, Packet, Property, Qos, v3_1_1, v5_0};
use mqtt_protocol_core::mqtt::{Version as LibVersion, result_code as code, role::Server};
use smallvec::SmallVec;

/// One end of one MQTT connection, without I/O.
pub trait Wire {
    /// Takes bytes from the front of `input` until a packet is complete; `None` = all were taken and none is complete.
    /// What the protocol itself answers is appended to `out`.
    fn receive(&mut self, input: &mut &[u8], out: &mut Vec<u8>) -> Option<Incoming>;
    /// Has a packet begun that is not complete yet?
    fn stalled(&self) -> bool;
    /// Accepts the client.
    fn accept(&mut self, accepted: &Accepted, out: &mut Vec<u8>);
    /// Refuses the client; nothing may follow.
    fn reject(&mut self, rejection: Rejection, out: &mut Vec<u8>);
    /// Acknowledges a PUBLISH of QoS 1 or 2.
    fn acknowledge(&mut self, packet_id: u16, qos: u8, code: AckCode, out: &mut Vec<u8>);
    /// Answers a SUBSCRIBE, one code per filter.
    fn granted(&mut self, packet_id: u16, codes: &[Granted], out: &mut Vec<u8>);
    /// Answers an UNSUBSCRIBE; `true` = there was such a subscription.
    fn unsubscribed(&mut self, packet_id: u16, existed: &[bool], out: &mut Vec<u8>);
    /// Sends a message.
    ///
    /// # Errors
    /// [`Unsent`] when the client's window is full or the message is too large for it.
    fn publish(&mut self, message: &Outgoing<'_>, out: &mut Vec<u8>) -> Result<(), Unsent>;
    /// May another message of QoS 1 be sent now?
    fn has_room(&self) -> bool;
    /// Says good-bye where the version has a word for it; nothing may follow.
    fn disconnect(&mut self, reason: Disconnect, out: &mut Vec<u8>);
}

/// Limits of one connection.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Largest packet that is taken, in bytes.
    pub packet_bytes_max: u32,
    /// Messages of QoS 1 to the client that it has not acknowledged yet.
    pub send_window: u16,
}

/// [`Wire`] on `mqtt-protocol-core`.
pub struct CoreWire {
    connection: Connection<Server>,
    version: Version,
    greeted: bool,
    ended: bool,
    stalled: bool,
    send_window: u16,
    unacknowledged: u16,
    /// QoS 2 messages that have been handed on and are not durable yet: a repetition must not be answered for them.
    unanswered: SmallVec<[u16; 4]>,
}

impl CoreWire {
    /// For a connection that has just been opened.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        let options = ConnectionOptions::new().maximum_packet_size_recv(limits.packet_bytes_max);
        Self {
            connection: Connection::with_options(LibVersion::Undetermined, options),
            version: Version::V311,
            greeted: false,
            ended: false,
            stalled: false,
            send_window: limits.send_window,
            unacknowledged: 0,
            unanswered: SmallVec::new(),
        }
    }

    fn send<T: Sendable<Server, u16>>(&mut self, built: Result<T, code::MqttError>, out: &mut Vec<u8>) -> Result<(), code::MqttError> {
        let events = self.connection.checked_send(built?);
        let mut sent = Ok(());
        for event in events {
            match event {
                Event::RequestSendPacket { packet, .. } => write(&packet, out),
                Event::NotifyError(error) => sent = Err(error),
                _ => {}
            }
        }
        sent
    }

    /// An answer that cannot be sent (the client allows only tiny packets) ends the connection at the next packet.
    fn must_send<T: Sendable<Server, u16>>(&mut self, built: Result<T, code::MqttError>, out: &mut Vec<u8>) {
        if self.send(built, out).is_err() {
            self.ended = true;
        }
    }

    fn violate(&mut self, violation: Violation, out: &mut Vec<u8>) -> Incoming {
        if violation == Violation::UnsupportedVersion {
            out.extend_from_slice(&[0x20, 2, 0, 1]);
        }
        self.disconnect(Disconnect::Violation(violation), out);
        Incoming::Violation(violation)
    }

    /// Writes what the library wants to say and finds what it hands over.
    fn digest(&mut self, events: Vec<Event>, out: &mut Vec<u8>) -> Option<Incoming> {
        let mut found = None;
        for event in events {
            match event {
                Event::NotifyPacketReceived(packet) => found = Some(self.translate(packet, out)),
                Event::RequestSendPacket { packet, .. } => self.relay(&packet, out),
                Event::NotifyError(error) => found = Some(self.violate(violation(error), out)),
                Event::RequestClose => found = found.or(Some(Incoming::Violation(Violation::Malformed))),
                Event::NotifyPacketIdReleased(_) | Event::RequestTimerReset { .. } | Event::RequestTimerCancel(_) => {}
            }
        }
        found.filter(|incoming| !matches!(incoming, Incoming::Nothing))
    }

    /// What the library says by itself: a DISCONNECT ends the connection, a PUBREC waits for the message to be durable.
    fn relay(&mut self, packet: &Packet, out: &mut Vec<u8>) {
        match packet {
            Packet::V5_0Pubrec(p) if self.unanswered.contains(&p.packet_id()) => return,
            Packet::V3_1_1Pubrec(p) if self.unanswered.contains(&p.packet_id()) => return,
            Packet::V5_0Disconnect(_) => self.ended = true,
            Packet::V5_0Connack(_) | Packet::V3_1_1Connack(_) => self.ended = true,
            _ => {}
        }
        write(packet, out);
    }

    fn translate(&mut self, packet: Packet, out: &mut Vec<u8>) -> Incoming {
        match packet {
            Packet::V5_0Connect(p) => self.connect_5(&p),
            Packet::V3_1_1Connect(p) => self.connect_3(&p),
            _ if !self.greeted => self.violate(Violation::NotConnected, out),
            Packet::V5_0Publish(p) => self.published(Publish(Body::V5(p)), out),
            Packet::V3_1_1Publish(p) => self.published(Publish(Body::V311(p)), out),
            Packet::V5_0Subscribe(p) => self.subscribe(p.packet_id(), p.entries(), out),
            Packet::V3_1_1Subscribe(p) => self.subscribe(p.packet_id(), p.entries(), out),
            Packet::V5_0Unsubscribe(p) => self.unsubscribe(p.packet_id(), p.entries(), out),
            Packet::V3_1_1Unsubscribe(p) => self.unsubscribe(p.packet_id(), p.entries(), out),
            Packet::V5_0Puback(_) | Packet::V3_1_1Puback(_) => self.acknowledged(),
            Packet::V5_0Pubrel(p) => self.complete(p.packet_id(), out),
            Packet::V3_1_1Pubrel(p) => self.complete(p.packet_id(), out),
            Packet::V5_0Pingreq(_) | Packet::V3_1_1Pingreq(_) => self.pong(out),
            Packet::V5_0Disconnect(p) => goodbye(p.reason_code()),
            Packet::V3_1_1Disconnect(_) => Incoming::Disconnect { publish_will: false },
            _ => self.violate(Violation::Protocol, out),
        }
    }

    fn connect_5(&mut self, p: &v5_0::Connect) -> Incoming {
        self.version = Version::V5;
        let will = p.will_topic().map(|topic| Will {
            topic: topic.into(),
            payload: p.will_payload().unwrap_or_default().into(),
            retain: p.will_retain(),
        });
        Incoming::Connect(Box::new(Connect {
            version: Version::V5,
            client_id: p.client_id().into(),
            user_name: p.user_name().map(Into::into),
            password: p.password().map(Into::into),
            keep_alive_s: p.keep_alive(),
            will,
            enhanced_authentication: p.props().iter().any(|property| matches!(property, Property::AuthenticationMethod(_))),
        }))
    }

    fn connect_3(&mut self, p: &v3_1_1::Connect) -> Incoming {
        self.version = Version::V311;
        let will = p.will_topic().map(|topic| Will {
            topic: topic.into(),
            payload: p.will_payload().unwrap_or_default().into(),
            retain: p.will_retain(),
        });
        Incoming::Connect(Box::new(Connect {
            version: Version::V311,
            client_id: p.client_id().into(),
            user_name: p.user_name().map(Into::into),
            password: p.password().map(Into::into),
            keep_alive_s: p.keep_alive(),
            will,
            enhanced_authentication: false,
        }))
    }

    fn published(&mut self, publish: Publish, out: &mut Vec<u8>) -> Incoming {
        if publish.packet_id() == Some(0) {
            return self.violate(Violation::Protocol, out);
        }
        if publish.topic().contains(['+', '#']) {
            return self.violate(Violation::WildcardTopic, out);
        }
        if let (2, Some(id)) = (publish.qos(), publish.packet_id()) {
            self.unanswered.push(id);
        }
        Incoming::Publish(publish)
    }

    fn subscribe(&mut self, packet_id: u16, entries: &[lib::SubEntry], out: &mut Vec<u8>) -> Incoming {
        if packet_id == 0 {
            return self.violate(Violation::Protocol, out);
        }
        let filters = entries.iter().map(|entry| Filter {
            filter: entry.topic_filter().into(),
            qos: entry.sub_opts().qos() as u8,
            retained: match entry.sub_opts().rh() {
                lib::RetainHandling::SendRetained => crate::packet::Retained::Send,
                lib::RetainHandling::SendRetainedIfNotExists => crate::packet::Retained::SendIfNew,
                lib::RetainHandling::DoNotSendRetained => crate::packet::Retained::Skip,
            },
        });
        Incoming::Subscribe { packet_id, filters: filters.collect() }
    }

    fn unsubscribe(&mut self, packet_id: u16, entries: &[lib::MqttString], out: &mut Vec<u8>) -> Incoming {
        if packet_id == 0 {
            return self.violate(Violation::Protocol, out);
        }
        Incoming::Unsubscribe { packet_id, filters: entries.iter().map(|entry| entry.as_str().into()).collect() }
    }

    fn acknowledged(&mut self) -> Incoming {
        self.unacknowledged = self.unacknowledged.saturating_sub(1);
        Incoming::Acknowledged
    }

    fn complete(&mut self, packet_id: u16, out: &mut Vec<u8>) -> Incoming {
        match self.version {
            Version::V5 => self.must_send(v5_0::Pubcomp::builder().packet_id(packet_id).build(), out),
            Version::V311 => self.must_send(v3_1_1::Pubcomp::builder().packet_id(packet_id).build(), out),
        }
        Incoming::Nothing
    }

    fn pong(&mut self, out: &mut Vec<u8>) -> Incoming {
        match self.version {
            Version::V5 => self.must_send(v5_0::Pingresp::builder().build(), out),
            Version::V311 => self.must_send(v3_1_1::Pingresp::builder().build(), out),
        }
        Incoming::Ping
    }

    fn publish_packet(&mut self, message: &Outgoing<'_>, packet_id: Option<u16>, out: &mut Vec<u8>) -> Result<(), code::MqttError> {
        let qos = if packet_id.is_some() { Qos::AtLeastOnce } else { Qos::AtMostOnce };
        match self.version {
            Version::V5 => {
                let builder = v5_0::Publish::builder().topic_name(message.topic)?.qos(qos).retain(message.retain);
                self.send(builder.packet_id(packet_id).payload(message.payload).build(), out)
            }
            Version::V311 => {
                let builder = v3_1_1::Publish::builder().topic_name(message.topic)?.qos(qos).retain(message.retain);
                self.send(builder.packet_id(packet_id).payload(message.payload).build(), out)
            }
        }
    }
}

impl Wire for CoreWire {
    fn receive(&mut self, input: &mut &[u8], out: &mut Vec<u8>) -> Option<Incoming> {
        while !input.is_empty() {
            if self.ended {
                *input = &[];
                return Some(Incoming::Violation(Violation::Protocol));
            }
            let mut cursor = Cursor::new(*input);
            let events = self.connection.recv(&mut cursor);
            let taken = usize::try_from(cursor.position()).unwrap_or(input.len());
            *input = input.get(taken..).unwrap_or_default();
            self.stalled = events.is_empty() && input.is_empty();
            if let Some(incoming) = self.digest(events, out) {
                return Some(incoming);
            }
        }
        None
    }

    fn stalled(&self) -> bool {
        self.stalled
    }

    fn accept(&mut self, accepted: &Accepted, out: &mut Vec<u8>) {
        self.greeted = true;
        match self.version {
            Version::V311 => {
                let built = v3_1_1::Connack::builder().session_present(false).return_code(code::ConnectReturnCode::Accepted).build();
                self.must_send(built, out);
            }
            Version::V5 => match connack_properties(accepted) {
                Ok(properties) => {
                    let builder = v5_0::Connack::builder().session_present(false).reason_code(code::ConnectReasonCode::Success);
                    self.must_send(builder.props(properties).build(), out);
                }
                Err(_) => self.ended = true,
            },
        }
    }

    fn reject(&mut self, rejection: Rejection, out: &mut Vec<u8>) {
        match self.version {
            Version::V311 => {
                self.must_send(v3_1_1::Connack::builder().session_present(false).return_code(return_code(rejection)).build(), out);
            }
            Version::V5 => {
                self.must_send(v5_0::Connack::builder().session_present(false).reason_code(connect_code(rejection)).build(), out);
            }
        }
        self.ended = true;
    }

    fn acknowledge(&mut self, packet_id: u16, qos: u8, ack: AckCode, out: &mut Vec<u8>) {
        self.unanswered.retain(|id| *id != packet_id || qos != 2);
        match (self.version, qos) {
            (Version::V5, 2) => {
                let builder = v5_0::Pubrec::builder().packet_id(packet_id);
                let builder = if ack == AckCode::Done { builder } else { builder.reason_code(pubrec_code(ack)) };
                self.must_send(builder.build(), out);
            }
            (Version::V5, _) => {
                let builder = v5_0::Puback::builder().packet_id(packet_id);
                let builder = if ack == AckCode::Done { builder } else { builder.reason_code(puback_code(ack)) };
                self.must_send(builder.build(), out);
            }
            (Version::V311, 2) => self.must_send(v3_1_1::Pubrec::builder().packet_id(packet_id).build(), out),
            (Version::V311, _) => self.must_send(v3_1_1::Puback::builder().packet_id(packet_id).build(), out),
        }
    }

    fn granted(&mut self, packet_id: u16, codes: &[Granted], out: &mut Vec<u8>) {
        match self.version {
            Version::V5 => {
                let codes = codes.iter().map(|granted| suback_5(*granted)).collect();
                self.must_send(v5_0::Suback::builder().packet_id(packet_id).reason_codes(codes).build(), out);
            }
            Version::V311 => {
                let codes = codes.iter().map(|granted| suback_3(*granted)).collect();
                self.must_send(v3_1_1::Suback::builder().packet_id(packet_id).return_codes(codes).build(), out);
            }
        }
    }

    fn unsubscribed(&mut self, packet_id: u16, existed: &[bool], out: &mut Vec<u8>) {
        use code::UnsubackReasonCode::{NoSubscriptionExisted, Success};
        match self.version {
            Version::V5 => {
                let codes = existed.iter().map(|existed| if *existed { Success } else { NoSubscriptionExisted }).collect();
                self.must_send(v5_0::Unsuback::builder().packet_id(packet_id).reason_codes(codes).build(), out);
            }
            Version::V311 => self.must_send(v3_1_1::Unsuback::builder().packet_id(packet_id).build(), out),
        }
    }

    fn publish(&mut self, message: &Outgoing<'_>, out: &mut Vec<u8>) -> Result<(), Unsent> {
        if message.qos == 0 {
            return self.publish_packet(message, None, out).map_err(unsent);
        }
        if !self.has_room() {
            return Err(Unsent::WindowFull);
        }
        let packet_id = self.connection.acquire_packet_id().map_err(|_| Unsent::WindowFull)?;
        match self.publish_packet(message, Some(packet_id), out) {
            Ok(()) => {
                self.unacknowledged += 1;
                Ok(())
            }
            Err(error) => {
                let _ = self.connection.release_packet_id(packet_id);
                Err(unsent(error))
            }
        }
    }

    fn has_room(&self) -> bool {
        let vacancy = self.connection.get_receive_maximum_vacancy_for_send();
        self.unacknowledged < self.send_window && vacancy.is_none_or(|vacancy| vacancy > 0)
    }

    fn disconnect(&mut self, reason: Disconnect, out: &mut Vec<u8>) {
        if !self.ended && self.greeted && self.version == Version::V5 {
            let _ = self.send(v5_0::Disconnect::builder().reason_code(disconnect_code(reason)).build(), out);
        }
        self.ended = true;
    }
}

/// A PUBLISH as it came: topic and payload are borrowed from the packet.
pub struct Publish(Body);

enum Body {
    V5(v5_0::Publish),
    V311(v3_1_1::Publish),
}

impl std::fmt::Debug for Publish {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (topic, qos, id) = (self.topic(), self.qos(), self.packet_id());
        f.debug_struct("Publish").field("topic", &topic).field("qos", &qos).field("packet_id", &id).finish_non_exhaustive()
    }
}

impl Publish {
    /// The topic, aliases resolved.
    #[must_use]
    pub fn topic(&self) -> &str {
        match &self.0 {
            Body::V5(p) => p.topic_name(),
            Body::V311(p) => p.topic_name(),
        }
    }
    /// The body.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        match &self.0 {
            Body::V5(p) => p.payload().as_slice(),
            Body::V311(p) => p.payload().as_slice(),
        }
    }
    /// 0, 1 or 2.
    #[must_use]
    pub fn qos(&self) -> u8 {
        match &self.0 {
            Body::V5(p) => p.qos() as u8,
            Body::V311(p) => p.qos() as u8,
        }
    }
    /// Present for QoS 1 and 2.
    #[must_use]
    pub fn packet_id(&self) -> Option<u16> {
        match &self.0 {
            Body::V5(p) => p.packet_id(),
            Body::V311(p) => p.packet_id(),
        }
    }
    /// The RETAIN flag.
    #[must_use]
    pub fn retain(&self) -> bool {
        match &self.0 {
            Body::V5(p) => p.retain(),
            Body::V311(p) => p.retain(),
        }
    }
}

fn write(packet: &Packet, out: &mut Vec<u8>) {
    for part in packet.to_buffers() {
        out.extend_from_slice(&part);
    }
}

fn goodbye(reason: Option<code::DisconnectReasonCode>) -> Incoming {
    let normal = reason.is_none_or(|reason| reason == code::DisconnectReasonCode::NormalDisconnection);
    Incoming::Disconnect { publish_will: !normal }
}

fn connack_properties(accepted: &Accepted) -> Result<Vec<Property>, code::MqttError> {
    let mut properties = vec![
        lib::ReceiveMaximum::new(accepted.receive_maximum)?.into(),
        lib::MaximumPacketSize::new(accepted.packet_bytes_max)?.into(),
        lib::SharedSubscriptionAvailable::new(0)?.into(),
        lib::SubscriptionIdentifierAvailable::new(0)?.into(),
        // No session outlives its connection.
        lib::SessionExpiryInterval::new(0)?.into(),
    ];
    if accepted.topic_alias_max > 0 {
        properties.push(lib::TopicAliasMaximum::new(accepted.topic_alias_max)?.into());
    }
    if let Some(seconds) = accepted.keep_alive_s {
        properties.push(lib::ServerKeepAlive::new(seconds)?.into());
    }
    Ok(properties)
}

#[cfg(test)]
mod tests;
