//! What a device's message asks of whom: the body is read, and becomes a command for an entity under its command id.
use crate::admit::Identity;
use tongdao_actors::request::Request;
use tongdao_domain::code::Code;
use tongdao_domain::device::DeviceKind;
use tongdao_domain::entity::EntityKey;
use tongdao_domain::gate::{self, Twin};
use tongdao_domain::id::CommandId;
use tongdao_domain::machine::Command;
use tongdao_domain::time::Timestamp;
use tongdao_domain::world::World;
use tongdao_protocol::payload::{Decoded, PayloadError, decode};
use tongdao_protocol::topic::Up;
use tongdao_protocol::{device, gate as wire};

/// A message that was understood.
#[derive(Debug)]
pub struct Understood {
    /// What it asks of whom.
    pub request: Request,
    /// Fields that nobody knows: ignored, to be counted.
    pub unknown_fields: usize,
}

/// Why a message is not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Untaken {
    /// This kind of device has no business with it, or nobody knows it.
    Unsupported,
    /// The body.
    Payload(PayloadError),
    /// Understood, but there is nobody whom it concerns.
    Refused(Code),
}

impl From<PayloadError> for Untaken {
    fn from(error: PayloadError) -> Self {
        Self::Payload(error)
    }
}

/// Reads a message of a device. `n` numbers the states of a link whose connection has the number `connection`.
///
/// # Errors
/// [`Untaken`] where the message goes to the dead letters.
pub fn understand(
    who: &Identity,
    name: &str,
    body: &[u8],
    (connection, n): (u64, u64),
    world: &World,
    now: Timestamp,
) -> Result<Understood, Untaken> {
    let message = Up::from_name(name).filter(|message| has_business(who.kind, *message)).ok_or(Untaken::Unsupported)?;
    let gate = || EntityKey::gate(&who.device);
    let (entity, id, command, unknown_fields) = match message {
        Up::Tap => {
            let Decoded { message, unknown } = decode::<wire::Tap>(body)?;
            let tap = message.into_domain(&who.device)?;
            (gate(), tap.id.tap_command(), Command::Gate(gate::Command::Tap { tap, received: now }), unknown.len())
        }
        Up::Passage => {
            let Decoded { message, unknown } = decode::<wire::Passage>(body)?;
            let id = CommandId::of(format_args!("passage/{}/{}/{}", who.device, message.epoch, message.seq));
            (gate(), id, message.into_domain(&who.device).into(), unknown.len())
        }
        Up::Records => {
            let Decoded { message, unknown } = decode::<wire::Records>(body)?;
            // A batch has no id of its own: sent again it may have grown. The gate's watermark makes any overlap harmless.
            let id = CommandId::of(format_args!("records/{}/{connection:x}/{n}", who.device));
            (gate(), id, message.into_domain(&who.device)?.into(), unknown.len())
        }
        Up::State => {
            let (twin, unknown) = read_state(body)?;
            (gate(), state_command(who, connection, n), gate::Command::State(twin).into(), unknown)
        }
        Up::Ack => {
            let Decoded { message, unknown } = decode::<device::Ack>(body)?;
            let id = CommandId::new(format!("ack/{}/{}", who.device, message.id.as_str()));
            let id = id.map_err(|_| PayloadError::bad("id", "the id of a mode or a command that was sent"))?;
            (gate(), id, message.into_domain().into(), unknown.len())
        }
        Up::Alarm => {
            let Decoded { message, unknown } = decode::<wire::Alarm>(body)?;
            let (station, _) = world.station_of(&who.device).ok_or(Untaken::Refused(Code::UnknownDevice))?;
            let id = CommandId::of(format_args!("alarm/{}/{}/{}", who.device, message.id.as_str(), if message.on { "on" } else { "off" }));
            (station.into(), id, message.into_domain(&who.device).into(), unknown.len())
        }
        // Asks nobody for a decision: the session answers it.
        Up::ListRequest => return Err(Untaken::Unsupported),
    };
    Ok(Understood { request: Request::new(entity, id, command, now), unknown_fields })
}

/// Every device has a state and acknowledges what it is told; the rest is the gates'.
const fn has_business(kind: DeviceKind, message: Up) -> bool {
    matches!(kind, DeviceKind::Gate) || matches!(message, Up::State | Up::Ack)
}

/// Reads which version of the deny list a gate has, and how many fields nobody knows.
///
/// # Errors
/// [`Untaken`] where the message goes to the dead letters.
pub fn read_list_request(who: &Identity, body: &[u8]) -> Result<(u64, usize), Untaken> {
    if !has_business(who.kind, Up::ListRequest) {
        return Err(Untaken::Unsupported);
    }
    let Decoded { message, unknown } = decode::<wire::ListRequest>(body)?;
    Ok((message.have, unknown.len()))
}

/// Reads a state, also the one in a will.
///
/// # Errors
/// As the payload's rules say.
pub fn read_state(body: &[u8]) -> Result<(Twin, usize), PayloadError> {
    let Decoded { message, unknown } = decode::<device::State>(body)?;
    Ok((message.into_domain()?, unknown.len()))
}

/// The command id of the `n`-th state of a connection.
#[must_use]
pub fn state_command(who: &Identity, connection: u64, n: u64) -> CommandId {
    CommandId::of(format_args!("state/{}/{connection:x}/{n}", who.device))
}

/// What the will of a connection asks when it is published.
#[must_use]
pub fn will_request(who: &Identity, twin: Twin, connection: u64, now: Timestamp) -> Request {
    let id = CommandId::of(format_args!("state/{}/{connection:x}/will", who.device));
    Request::new(EntityKey::gate(&who.device), id, gate::Command::State(twin), now)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tongdao_domain::testing::{MORNING, gate_of, id};

    fn who(kind: DeviceKind) -> Identity {
        Identity { device: gate_of("s1", 1), kind, site: id("cd") }
    }
    fn read(name: &str, body: &str) -> Result<(String, String), Untaken> {
        let understood = understand(&who(DeviceKind::Gate), name, body.as_bytes(), (0xa1, 7), &World::for_tests(), MORNING)?;
        Ok((understood.request.entity.to_string(), understood.request.command_id.to_string()))
    }

    const TAP: &str = r#"{"epoch":3,"seq":9,"direction":"entry","medium":{"kind":"card","token":"t1"},
        "at":"2026-01-05T00:00:00.000Z","deadline_ms":250,"mode":0,"list_version":0}"#;

    #[test]
    fn each_message_finds_its_entity_and_its_id() {
        let at = r#""at":"2026-01-05T00:00:00.000Z""#;
        let cases = [
            ("tap", TAP.to_owned(), "gate/s1-g1", "tap/s1-g1/3/9"),
            ("passage", format!(r#"{{"epoch":3,"seq":9,"outcome":"passed",{at}}}"#), "gate/s1-g1", "passage/s1-g1/3/9"),
            ("records", r#"{"epoch":3,"first_seq":1,"records":[]}"#.into(), "gate/s1-g1", "records/s1-g1/a1/7"),
            (
                "state",
                format!(r#"{{"online":true,"service":"both","firmware":"1.0","versions":{{}},"faults":[],{at}}}"#),
                "gate/s1-g1",
                "state/s1-g1/a1/7",
            ),
            ("ack", format!(r#"{{"id":"mode/x/1","result":"done",{at}}}"#), "gate/s1-g1", "ack/s1-g1/mode/x/1"),
            ("alarm", format!(r#"{{"id":"b1","kind":"fire","on":true,{at}}}"#), "station/s1", "alarm/s1-g1/b1/on"),
        ];
        for (name, body, entity, id) in cases {
            assert_eq!(read(name, &body), Ok((entity.into(), id.into())), "{name}");
        }
    }

    #[test]
    fn what_nobody_knows_is_unsupported_and_bad_bodies_say_why() {
        assert_eq!(read("list_request", "{}"), Err(Untaken::Unsupported));
        assert_eq!(read("tap/x", TAP), Err(Untaken::Unsupported));
        assert!(matches!(read("tap", "{"), Err(Untaken::Payload(PayloadError::Malformed { .. }))));
        let at = r#""at":"2026-01-05T00:00:00.000Z""#;
        let long = format!(r#"{{"id":"{}","result":"done",{at}}}"#, ["x"; 60].join("/").repeat(2));
        assert!(matches!(read("ack", &long), Err(Untaken::Payload(_)) | Ok(_)));
    }

    #[test]
    fn a_kiosk_has_a_state_but_no_taps() {
        let world = World::for_tests();
        let kiosk = |name: &str, body: &[u8]| understand(&who(DeviceKind::Kiosk), name, body, (1, 1), &world, MORNING).map(|_| ());
        assert_eq!(kiosk("tap", TAP.as_bytes()), Err(Untaken::Unsupported));
        assert!(matches!(kiosk("state", b"{}"), Err(Untaken::Payload(PayloadError::Missing { .. }))));
    }

    #[test]
    fn an_alarm_of_a_gate_in_no_station_concerns_nobody() {
        let alarm = br#"{"id":"b1","kind":"fire","on":true,"at":"2026-01-05T00:00:00.000Z"}"#;
        let lost = Identity { device: id("lost"), ..who(DeviceKind::Gate) };
        let untaken = understand(&lost, "alarm", alarm, (1, 1), &World::for_tests(), MORNING).map(|_| ());
        assert_eq!(untaken, Err(Untaken::Refused(Code::UnknownDevice)));
    }
}
