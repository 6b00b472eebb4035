//! Entities: what has a state machine, a name and a place in the journal.
use crate::id::{AccountId, DeviceId, StationId, Token, UserId};
use compact_str::CompactString;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The kinds of entity there are; the number is stored in the journal and never changes its meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum EntityKind {
    /// A travel account.
    Account = 1,
    /// A transit gate.
    Gate = 2,
    /// A station.
    Station = 3,
    /// A medium's token and its owner.
    Medium = 4,
    /// A device in the registry: its kind, its site, the hash of its secret.
    Device = 5,
    /// Counted faults of the outside world, and what was done or seen without changing anything.
    Audit = 6,
    /// A member of staff.
    User = 7,
    /// An alarm: one for each cause.
    Alarm = 8,
    /// A command that waits for a second person.
    Approval = 9,
    /// The deny list.
    DenyList = 10,
    /// A gate's record that contradicts what is known.
    Doubtful = 11,
}

impl EntityKind {
    /// Every kind, in the order of their numbers.
    pub const ALL: &'static [Self] = &[
        Self::Account,
        Self::Gate,
        Self::Station,
        Self::Medium,
        Self::Device,
        Self::Audit,
        Self::User,
        Self::Alarm,
        Self::Approval,
        Self::DenyList,
        Self::Doubtful,
    ];

    /// The name before the slash in `account/a1`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Gate => "gate",
            Self::Station => "station",
            Self::Medium => "medium",
            Self::Device => "device",
            Self::Audit => "audit",
            Self::User => "user",
            Self::Alarm => "alarm",
            Self::Approval => "approval",
            Self::DenyList => "deny_list",
            Self::Doubtful => "doubtful",
        }
    }
    /// The kind with this number.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| *kind as u8 == number)
    }
}

/// The name of one entity: `account/a1`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct EntityKey {
    /// What it is.
    pub kind: EntityKind,
    /// Which one.
    pub id: CompactString,
}

impl EntityKey {
    /// Names an entity; `id` is an identifier already.
    #[must_use]
    pub fn new(kind: EntityKind, id: &str) -> Self {
        Self { kind, id: CompactString::new(id) }
    }
    /// The logical partition out of `partitions`: FNV-1a 64 over kind and id; stored data depends on it.
    #[must_use]
    pub fn partition(&self, partitions: u16) -> u16 {
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        for byte in std::iter::once(self.kind as u8).chain(self.id.bytes()) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        u16::try_from((hash >> 32 ^ hash) % u64::from(partitions.max(1))).unwrap_or(0)
    }
}

macro_rules! key_from {
    ($($id:ty => $kind:ident),*) => {$(
        impl From<&$id> for EntityKey {
            fn from(id: &$id) -> Self { Self::new(EntityKind::$kind, id.as_str()) }
        }
    )*};
}
// A device id names two entities (gate and registry); those two are named with `EntityKey::gate` and `EntityKey::device`.
key_from!(AccountId => Account, StationId => Station, Token => Medium, UserId => User);

impl EntityKey {
    /// The gate machine of a device.
    #[must_use]
    pub fn gate(device: &DeviceId) -> Self {
        Self::new(EntityKind::Gate, device.as_str())
    }
    /// The deny list of the network.
    #[must_use]
    pub fn deny_list() -> Self {
        Self::new(EntityKind::DenyList, crate::deny::NETWORK)
    }
    /// The registry entry of a device.
    #[must_use]
    pub fn device(device: &DeviceId) -> Self {
        Self::new(EntityKind::Device, device.as_str())
    }
}

impl fmt::Display for EntityKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind.name(), self.id)
    }
}
impl fmt::Debug for EntityKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partitions_never_move() {
        let place = |kind, id: &str| EntityKey::new(kind, id).partition(64);
        let seen = [place(EntityKind::Account, "a1"), place(EntityKind::Gate, "g1"), place(EntityKind::Gate, "a1")];
        assert_eq!(seen, [place(EntityKind::Account, "a1"), place(EntityKind::Gate, "g1"), place(EntityKind::Gate, "a1")]);
        assert_ne!(seen[0], seen[2], "the kind counts");
        assert!((0..1000).all(|n| place(EntityKind::Account, &n.to_string()) < 64));
    }
}
