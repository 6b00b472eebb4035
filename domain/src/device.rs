//! The device registry: what a device is, where it belongs and the hash of its secret. Its state and what it was told
//! are the business of its own machine (`gate`, later `kiosk` and `robot`).
use crate::id::{SiteId, UserId};
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
}
