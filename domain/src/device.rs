//! The device registry: what a device is, where it belongs and the hash of its secret. Its state and what it was told
//! are the business of its own machine (`gate`, later `kiosk` and `robot`).
use crate::entity::EntityKind;
use crate::fingerprint::{Fingerprint, Fingerprinter};
use crate::id::{SiteId, UserId};
use crate::machine::{Context, Decision, Machine, RefusalCode, Reply};
use crate::time::Timestamp;
use compact_str::CompactString;
use serde::{Deserialize, Serialize};

/// The kinds of device; a topic level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeviceKind {
    /// A transit gate.
    Gate,
    /// A self-service kiosk.
    Kiosk,
    /// A lobby robot.
    Robot,
    /// A call display.
    Display,
}

/// SHA-256 of a device's secret (the secret has at least 128 bits, so a fast hash is enough).
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SecretHash(pub [u8; 32]);
impl std::fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretHash(…)")
    }
}

/// Who did something and why: stands in every event that a person causes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct By {
    /// The person, by user id only.
    pub user: UserId,
    /// The reason given.
    pub reason: CompactString,
}

impl By {
    /// Takes who and why into a command's meaning.
    #[must_use]
    pub fn fingerprint(&self, print: Fingerprinter) -> Fingerprinter {
        print.text(self.user.as_str()).text(&self.reason)
    }
}

/// What may be asked of the registry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Command {
    /// Register it. The same again changes nothing; a contradiction is refused.
    Add {
        /// Its kind.
        kind: DeviceKind,
        /// Its site.
        site: SiteId,
        /// Hash of its secret.
        secret: SecretHash,
        /// Who and why.
        by: By,
    },
    /// Give it another secret.
    Rotate {
        /// Hash of the new secret.
        secret: SecretHash,
        /// Who and why.
        by: By,
    },
    /// Let it in no more.
    Revoke {
        /// Who and why.
        by: By,
    },
}

impl DeviceKind {
    /// The name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gate => "gate",
            Self::Kiosk => "kiosk",
            Self::Robot => "robot",
            Self::Display => "display",
        }
    }
}

/// What can have happened to a registered device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// It was registered (again, after a revocation).
    Added {
        /// Its kind.
        kind: DeviceKind,
        /// Its site.
        site: SiteId,
        /// Hash of its secret.
        secret: SecretHash,
        /// Who and why.
        by: By,
    },
    /// It has another secret.
    Rotated {
        /// Hash of the new secret.
        secret: SecretHash,
        /// Who and why.
        by: By,
    },
    /// It is let in no more.
    Revoked {
        /// Who and why.
        by: By,
    },
}

/// A device in the registry; none = never added.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// What is known of it.
    pub entry: Option<Entry>,
}

/// What the registry knows of a device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its kind.
    pub kind: DeviceKind,
    /// Its site.
    pub site: SiteId,
    /// Hash of its secret.
    pub secret: SecretHash,
    /// Let in no more.
    pub revoked: bool,
    /// When it was registered (again): what it said of itself before does not count.
    pub added_at: Timestamp,
    /// How often the entry was changed.
    #[serde(default)]
    pub rev: u64,
}

impl Device {
    fn rev_now(&self) -> u64 {
        self.entry.as_ref().map_or(0, |entry| entry.rev)
    }
}

impl Machine for Device {
    const KIND: EntityKind = EntityKind::Device;
    type Command = Command;
    type Event = Event;
    type Memory = ();

    fn decide(&self, context: &Context<'_>, _memory: &(), command: &Command) -> Decision<Event> {
        match (command, &self.entry) {
            (Command::Add { kind, site, secret, by }, None | Some(Entry { revoked: true, .. })) => {
                commit(Event::Added { kind: *kind, site: site.clone(), secret: *secret, by: by.clone() })
            }
            (Command::Add { kind, site, secret, .. }, Some(entry)) => entry.add_again(*kind, site, secret),
            (Command::Rotate { .. } | Command::Revoke { .. }, None) => {
                Decision::refuse(RefusalCode::NotFound, format!("no device {}", context.me.id))
            }
            (Command::Rotate { .. }, Some(entry)) if entry.revoked => {
                Decision::refuse(RefusalCode::WrongState, format!("the device {} is revoked: add it again", context.me.id))
            }
            (Command::Rotate { secret, .. }, Some(entry)) if entry.secret == *secret => Decision::Ask { otherwise: Reply::Done },
            (Command::Revoke { .. }, Some(entry)) if entry.revoked => Decision::Ask { otherwise: Reply::Done },
            (Command::Rotate { secret, by }, Some(_)) => commit(Event::Rotated { secret: *secret, by: by.clone() }),
            (Command::Revoke { by }, Some(_)) => commit(Event::Revoked { by: by.clone() }),
        }
    }

    fn apply(&mut self, event: &Event, at: Timestamp) {
        let rev = self.rev_now() + 1;
        match (event, &mut self.entry) {
            (Event::Added { kind, site, secret, .. }, entry) => {
                *entry = Some(Entry { kind: *kind, site: site.clone(), secret: *secret, revoked: false, added_at: at, rev });
            }
            (Event::Rotated { secret, .. }, Some(entry)) => (entry.secret, entry.rev) = (*secret, rev),
            (Event::Revoked { .. }, Some(entry)) => (entry.revoked, entry.rev) = (true, rev),
            (Event::Rotated { .. } | Event::Revoked { .. }, None) => {}
        }
    }

    fn rev(&self) -> Option<u64> {
        Some(self.rev_now())
    }

    fn fingerprint(command: &Command) -> Fingerprint {
        match command {
            // The secret is made anew on each try: it is no part of the meaning.
            Command::Add { kind, site, secret: _, by } => {
                by.fingerprint(Fingerprinter::new("device.add")).number(*kind as i64).text(site.as_str()).finish()
            }
            Command::Rotate { secret: _, by } => by.fingerprint(Fingerprinter::new("device.rotate")).finish(),
            Command::Revoke { by } => by.fingerprint(Fingerprinter::new("device.revoke")).finish(),
        }
    }

    fn event_name(event: &Event) -> &'static str {
        match event {
            Event::Added { .. } => "device.added",
            Event::Rotated { .. } => "device.rotated",
            Event::Revoked { .. } => "device.revoked",
        }
    }
}

fn commit(event: Event) -> Decision<Event> {
    Decision::Commit { events: vec![event], reply: Reply::Done }
}

impl Entry {
    /// The same again changes nothing; what contradicts is named.
    fn add_again(&self, kind: DeviceKind, site: &SiteId, secret: &SecretHash) -> Decision<Event> {
        if self.kind != kind {
            return Decision::refuse(RefusalCode::Contradicts, format!("kind: registered as {}", self.kind.name()));
        }
        if self.site != *site {
            return Decision::refuse(RefusalCode::Contradicts, format!("site: registered at {}", self.site));
        }
        if self.secret != *secret {
            return Decision::refuse(RefusalCode::Contradicts, "secret: another is registered; `device rotate` changes it");
        }
        Decision::Ask { otherwise: Reply::Done }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Actor, by};

    fn add(kind: DeviceKind, site: &str, secret: u8) -> Command {
        Command::Add { kind, site: SiteId::new(site).expect("an id"), secret: SecretHash([secret; 32]), by: by() }
    }

    fn hint(reply: Reply) -> (RefusalCode, String) {
        match reply {
            Reply::Refused(refusal) => (refusal.code, refusal.hint.to_string()),
            other => panic!("not refused: {other:?}"),
        }
    }

    #[test]
    fn the_same_row_again_changes_nothing_and_a_contradiction_is_named() {
        let mut device = Actor::<Device>::new("g1");
        assert_eq!(device.ask(add(DeviceKind::Gate, "cd", 1)), Reply::Done);
        assert_eq!(device.ask(add(DeviceKind::Gate, "cd", 1)), Reply::Done);
        assert_eq!(device.events.len(), 1);
        for (command, what) in [
            (add(DeviceKind::Kiosk, "cd", 1), "kind"),
            (add(DeviceKind::Gate, "bj", 1), "site"),
            (add(DeviceKind::Gate, "cd", 2), "secret"),
        ] {
            let (code, hint) = hint(device.ask(command));
            assert_eq!(code, RefusalCode::Contradicts);
            assert!(hint.starts_with(what), "{hint}");
        }
    }

    #[test]
    fn a_revoked_device_comes_back_only_by_adding_it() {
        let mut device = Actor::<Device>::new("g1");
        let rotate = |secret| Command::Rotate { secret: SecretHash([secret; 32]), by: by() };
        assert_eq!(hint(device.ask(rotate(2))).0, RefusalCode::NotFound);
        assert_eq!(hint(device.ask(Command::Revoke { by: by() })).0, RefusalCode::NotFound);
        device.ask(add(DeviceKind::Gate, "cd", 1));
        assert_eq!(device.ask(rotate(2)), Reply::Done);
        assert_eq!(device.ask(rotate(2)), Reply::Done);
        assert_eq!(device.ask(Command::Revoke { by: by() }), Reply::Done);
        assert_eq!(device.ask(Command::Revoke { by: by() }), Reply::Done);
        assert_eq!(device.events.len(), 3);
        assert_eq!(hint(device.ask(rotate(3))).0, RefusalCode::WrongState);
        device.now = Timestamp(9_000);
        assert_eq!(device.ask(add(DeviceKind::Gate, "cd", 4)), Reply::Done);
        let entry = device.state.entry.expect("registered again");
        assert_eq!((entry.revoked, entry.secret, entry.added_at), (false, SecretHash([4; 32]), Timestamp(9_000)));
    }

    #[test]
    fn a_secret_is_no_part_of_the_meaning_and_none_is_printed() {
        let print = |secret| Device::fingerprint(&Command::Rotate { secret: SecretHash([secret; 32]), by: by() });
        assert_eq!(print(1), print(2), "sent again, another is made");
        assert_ne!(Device::fingerprint(&add(DeviceKind::Gate, "cd", 1)), Device::fingerprint(&add(DeviceKind::Kiosk, "cd", 1)));
        assert_eq!(format!("{:?}", SecretHash([7; 32])), "SecretHash(…)");
    }

    #[test]
    fn every_change_of_the_entry_is_a_revision() {
        let mut device = Actor::<Device>::new("g1");
        for (command, rev) in [
            (add(DeviceKind::Gate, "cd", 1), 1),
            (add(DeviceKind::Gate, "cd", 1), 1),
            (Command::Rotate { secret: SecretHash([2; 32]), by: by() }, 2),
            (Command::Revoke { by: by() }, 3),
        ] {
            device.ask(command);
            assert_eq!(device.state.rev(), Some(rev));
        }
    }
}
