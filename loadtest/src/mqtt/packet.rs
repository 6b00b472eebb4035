//! Packets to bytes and back (MQTT 3.1.1 and 5.0, sections 2 and 3).
use super::Version;

/// Longest packet that is taken from a server, in bytes.
pub const PACKET_BYTES_MAX: usize = 256 * 1024;
/// Receive Maximum where the server names none (MQTT 5.0, 3.2.2.3.3).
pub const RECEIVE_MAXIMUM_DEFAULT: u16 = u16::MAX;

const PROPERTY_RECEIVE_MAXIMUM: u8 = 0x21;

/// What a server sent is no MQTT.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PacketError {
    /// A length that runs past its packet, or past the limit.
    #[error("a packet with a wrong length")]
    Length,
    /// A packet that no server may send to a client.
    #[error("a packet of a kind that a server does not send")]
    Kind,
}

/// What goes into a CONNECT.
#[derive(Debug, Clone, Copy)]
pub struct Connect<'a> {
    /// Client id.
    pub client_id: &'a str,
    /// User name.
    pub user: &'a str,
    /// Password.
    pub password: &'a str,
    /// Keep-alive in seconds; 0 = off.
    pub keep_alive_s: u16,
    /// Topic and payload of a retained will of QoS 1.
    pub will: Option<(&'a [u8], &'a [u8])>,
}

/// A packet from the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Incoming<'a> {
    /// The answer to CONNECT.
    ConnAck {
        /// 0 = accepted.
        code: u8,
        /// How many unacknowledged publishes the server takes.
        receive_maximum: u16,
    },
    /// The answer to SUBSCRIBE.
    SubAck {
        /// Below 0x80 = granted.
        code: u8,
    },
    /// A message.
    Publish {
        /// Where.
        topic: &'a [u8],
        /// What.
        payload: &'a [u8],
        /// To be acknowledged under this id (QoS 1).
        packet_id: Option<u16>,
    },
    /// The answer to a publish of QoS 1.
    PubAck {
        /// Which.
        packet_id: u16,
        /// Below 0x80 = taken.
        code: u8,
    },
    /// The answer to a ping.
    PingResp,
    /// The server is about to close (MQTT 5).
    Disconnect {
        /// Why.
        code: u8,
    },
}

/// Writes a CONNECT with a clean start.
pub fn connect(out: &mut Vec<u8>, version: Version, connect: &Connect<'_>) {
    let properties = usize::from(version == Version::V5);
    let will = connect.will.map_or(0, |(topic, payload)| properties + 4 + topic.len() + payload.len());
    let length = 10 + properties + 6 + connect.client_id.len() + connect.user.len() + connect.password.len() + will;
    out.push(0x10);
    remaining_length(out, length);
    text(out, b"MQTT");
    out.push(if version == Version::V5 { 5 } else { 4 });
    // User name, password, clean start; a will is retained and of QoS 1.
    out.push(0xC2 | if connect.will.is_some() { 0x2C } else { 0 });
    out.extend_from_slice(&connect.keep_alive_s.to_be_bytes());
    no_properties(out, version);
    text(out, connect.client_id.as_bytes());
    if let Some((topic, payload)) = connect.will {
        no_properties(out, version);
        text(out, topic);
        text(out, payload);
    }
    text(out, connect.user.as_bytes());
    text(out, connect.password.as_bytes());
}

/// Writes a SUBSCRIBE to one filter with QoS 1.
pub fn subscribe(out: &mut Vec<u8>, version: Version, packet_id: u16, filter: &[u8]) {
    out.push(0x82);
    remaining_length(out, 5 + filter.len() + usize::from(version == Version::V5));
    out.extend_from_slice(&packet_id.to_be_bytes());
    no_properties(out, version);
    text(out, filter);
    out.push(1);
}

/// Where a message goes; the topic is given in two parts, so that a device keeps one prefix for all of its messages.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    /// First part of the topic.
    pub prefix: &'a [u8],
    /// Last part of the topic.
    pub message: &'a [u8],
    /// To be retained?
    pub retain: bool,
}

/// Writes a PUBLISH of QoS 1.
pub fn publish(out: &mut Vec<u8>, version: Version, packet_id: u16, to: Target<'_>, payload: &[u8]) {
    let topic = to.prefix.len() + to.message.len();
    out.push(0x32 | u8::from(to.retain));
    remaining_length(out, 4 + topic + usize::from(version == Version::V5) + payload.len());
    out.extend_from_slice(&u16::try_from(topic).unwrap_or(u16::MAX).to_be_bytes());
    out.extend_from_slice(to.prefix);
    out.extend_from_slice(to.message);
    out.extend_from_slice(&packet_id.to_be_bytes());
    no_properties(out, version);
    out.extend_from_slice(payload);
}

/// Writes a PUBACK; one without reason and properties has the same bytes in both versions.
pub fn puback(out: &mut Vec<u8>, packet_id: u16) {
    let [high, low] = packet_id.to_be_bytes();
    out.extend_from_slice(&[0x40, 2, high, low]);
}

/// Writes a PINGREQ.
pub fn pingreq(out: &mut Vec<u8>) {
    out.extend_from_slice(&[0xC0, 0]);
}

/// Writes a DISCONNECT.
pub fn disconnect(out: &mut Vec<u8>) {
    out.extend_from_slice(&[0xE0, 0]);
}

fn text(out: &mut Vec<u8>, text: &[u8]) {
    out.extend_from_slice(&u16::try_from(text.len()).unwrap_or(u16::MAX).to_be_bytes());
    out.extend_from_slice(text);
}

fn no_properties(out: &mut Vec<u8>, version: Version) {
    if version == Version::V5 {
        out.push(0);
    }
}

fn remaining_length(out: &mut Vec<u8>, mut length: usize) {
    loop {
        let seven = u8::try_from(length & 0x7F).unwrap_or(0);
        length >>= 7;
        out.push(seven | if length > 0 { 0x80 } else { 0 });
        if length == 0 {
            return;
        }
    }
}

/// Reads a variable byte integer: its value and its own length; `None` = more bytes are needed.
fn variable(bytes: &[u8]) -> Result<Option<(usize, usize)>, PacketError> {
    let mut value = 0;
    for (i, byte) in bytes.iter().take(4).enumerate() {
        value |= usize::from(byte & 0x7F) << (7 * i);
        if byte & 0x80 == 0 {
            return Ok(Some((value, i + 1)));
        }
    }
    if bytes.len() < 4 { Ok(None) } else { Err(PacketError::Length) }
}

/// Reads the packet at the front: it and its length in bytes; `None` = more bytes are needed.
///
/// # Errors
/// [`PacketError`] when the bytes are no packet of a server.
pub fn read(bytes: &[u8], version: Version) -> Result<Option<(Incoming<'_>, usize)>, PacketError> {
    let Some((first, rest)) = bytes.split_first() else { return Ok(None) };
    let Some((length, width)) = variable(rest)? else { return Ok(None) };
    if length > PACKET_BYTES_MAX {
        return Err(PacketError::Length);
    }
    let Some(body) = rest.get(width..width + length) else { return Ok(None) };
    Ok(Some((body_of(*first, body, version)?, 1 + width + length)))
}

fn body_of(first: u8, body: &[u8], version: Version) -> Result<Incoming<'_>, PacketError> {
    let byte = |i: usize| body.get(i).copied().ok_or(PacketError::Length);
    match first >> 4 {
        2 => Ok(Incoming::ConnAck { code: byte(1)?, receive_maximum: receive_maximum(body.get(2..).unwrap_or_default(), version)? }),
        3 => publish_of(first, body, version),
        4 => Ok(Incoming::PubAck { packet_id: u16::from_be_bytes([byte(0)?, byte(1)?]), code: body.get(2).copied().unwrap_or(0) }),
        9 => Ok(Incoming::SubAck { code: *body.last().ok_or(PacketError::Length)? }),
        13 => Ok(Incoming::PingResp),
        14 => Ok(Incoming::Disconnect { code: body.first().copied().unwrap_or(0) }),
        _ => Err(PacketError::Kind),
    }
}

fn publish_of(first: u8, body: &[u8], version: Version) -> Result<Incoming<'_>, PacketError> {
    let (length, rest) = body.split_at_checked(2).ok_or(PacketError::Length)?;
    let (topic, mut rest) = rest.split_at_checked(usize::from(u16::from_be_bytes([length[0], length[1]]))).ok_or(PacketError::Length)?;
    let mut packet_id = None;
    if first & 0x06 != 0 {
        let (id, after) = rest.split_at_checked(2).ok_or(PacketError::Length)?;
        packet_id = Some(u16::from_be_bytes([id[0], id[1]]));
        rest = after;
    }
    if version == Version::V5 {
        let (length, width) = variable(rest)?.ok_or(PacketError::Length)?;
        rest = rest.get(width + length..).ok_or(PacketError::Length)?;
    }
    Ok(Incoming::Publish { topic, payload: rest, packet_id })
}

/// Looks for Receive Maximum among the properties of a CONNACK.
fn receive_maximum(properties: &[u8], version: Version) -> Result<u16, PacketError> {
    if version == Version::V3 || properties.is_empty() {
        return Ok(RECEIVE_MAXIMUM_DEFAULT);
    }
    let (length, width) = variable(properties)?.ok_or(PacketError::Length)?;
    let mut rest = properties.get(width..width + length).ok_or(PacketError::Length)?;
    while let Some((id, value)) = rest.split_first() {
        if *id == PROPERTY_RECEIVE_MAXIMUM {
            return value.first_chunk().map(|bytes| u16::from_be_bytes(*bytes)).ok_or(PacketError::Length);
        }
        rest = value.get(property_length(*id, value)?..).ok_or(PacketError::Length)?;
    }
    Ok(RECEIVE_MAXIMUM_DEFAULT)
}

/// Length of the value of a CONNACK property (MQTT 5.0, 2.2.2.2).
fn property_length(id: u8, value: &[u8]) -> Result<usize, PacketError> {
    let text = |at: usize| {
        let length = value.get(at..at + 2).ok_or(PacketError::Length)?;
        Ok(2 + usize::from(u16::from_be_bytes([length[0], length[1]])))
    };
    match id {
        0x24 | 0x25 | 0x28..=0x2A => Ok(1),
        0x13 | 0x22 => Ok(2),
        0x11 | 0x27 => Ok(4),
        0x12 | 0x15 | 0x16 | 0x1A | 0x1C | 0x1F => text(0),
        0x26 => text(0).and_then(|key| Ok(key + text(key)?)),
        _ => Err(PacketError::Kind),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_connect_with_a_will_has_the_bytes_of_the_standard() {
        let mut out = Vec::new();
        let fields = Connect { client_id: "g1", user: "g1", password: "s", keep_alive_s: 60, will: Some((b"t", b"p")) };
        connect(&mut out, Version::V3, &fields);
        assert_eq!(out, b"\x10\x1B\x00\x04MQTT\x04\xEE\x00\x3C\x00\x02g1\x00\x01t\x00\x01p\x00\x02g1\x00\x01s");
        out.clear();
        connect(&mut out, Version::V5, &fields);
        assert_eq!(out, b"\x10\x1D\x00\x04MQTT\x05\xEE\x00\x3C\x00\x00\x02g1\x00\x00\x01t\x00\x01p\x00\x02g1\x00\x01s");
    }

    #[test]
    fn a_publish_comes_back_as_it_was_sent() {
        for version in [Version::V3, Version::V5] {
            for size in [0, 1, 100, 127, 128, 20_000] {
                let payload = vec![b'x'; size];
                let mut out = Vec::new();
                publish(&mut out, version, 7, Target { prefix: b"td/1/", message: b"tap", retain: false }, &payload);
                let (packet, length) = read(&out, version).expect("a packet").expect("a whole one");
                assert_eq!(length, out.len());
                assert_eq!(packet, Incoming::Publish { topic: b"td/1/tap", payload: &payload, packet_id: Some(7) });
            }
        }
    }

    #[test]
    fn receive_maximum_is_found_behind_other_properties() {
        let connack = b"\x20\x0F\x00\x00\x0C\x11\x00\x00\x00\x05\x12\x00\x01a\x21\x00\x08";
        assert_eq!(read(connack, Version::V5), Ok(Some((Incoming::ConnAck { code: 0, receive_maximum: 8 }, 17))));
        assert_eq!(read(b"\x20\x02\x00\x04", Version::V3), Ok(Some((Incoming::ConnAck { code: 4, receive_maximum: 65535 }, 4))));
    }

    #[test]
    fn refusals_carry_their_code() {
        assert_eq!(read(b"\x40\x04\x00\x07\x99\x00", Version::V5), Ok(Some((Incoming::PubAck { packet_id: 7, code: 0x99 }, 6))));
        assert_eq!(read(b"\x90\x03\x00\x01\x80", Version::V3), Ok(Some((Incoming::SubAck { code: 0x80 }, 5))));
        assert_eq!(read(b"\xE0\x02\x8E\x00", Version::V5), Ok(Some((Incoming::Disconnect { code: 0x8E }, 4))));
        assert_eq!(read(b"\x80\x00", Version::V5), Err(PacketError::Kind));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic_or_read_too_far(bytes in proptest::collection::vec(any::<u8>(), 0..200), five in any::<bool>()) {
            let version = if five { Version::V5 } else { Version::V3 };
            if let Ok(Some((_, length))) = read(&bytes, version) {
                prop_assert!(length <= bytes.len());
            }
        }

        #[test]
        fn a_cut_packet_waits_for_the_rest(cut in 0usize..40, five in any::<bool>()) {
            let version = if five { Version::V5 } else { Version::V3 };
            let mut out = Vec::new();
            publish(&mut out, version, 9, Target { prefix: b"a/", message: b"b", retain: true }, &[b'z'; 40]);
            prop_assert_eq!(read(&out[..cut], version), Ok(None));
        }
    }
}
