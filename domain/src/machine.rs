//! The shape of every machine, and the words that pass between machines.
use crate::entity::{EntityKey, EntityKind};
use crate::fingerprint::Fingerprint;
use crate::id::{AccountId, CommandId, DeviceId, Token};
use crate::tap::{Tap, TapDecision};
use crate::time::{Millis, Timestamp};
use crate::world::World;
use crate::{account, alarm, approval, audit, deny, device, doubtful, gate, medium, station, user};
use compact_str::CompactString;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::fmt::Debug;

/// So many owed commands are told at once; a gate that was offline for a day owes thousands.
pub const OWED_AT_ONCE: usize = 32;

/// A pure state machine.
///
/// `decide` looks and never writes; `apply` writes and never looks at anything but the event. Replaying the events of an
/// entity gives its state, byte for byte.
pub trait Machine: Default + Clone + Debug + PartialEq + Serialize + DeserializeOwned + Send + 'static {
    /// Which entity this is.
    const KIND: EntityKind;
    /// What may be asked of it.
    type Command: Clone + Debug + Send + Into<Command> + TryFrom<Command>;
    /// What can have happened to it.
    type Event: Clone + Debug + PartialEq + Serialize + DeserializeOwned + Send + Into<Event>;
    /// What it knows only while it is awake: begins empty after a crash, is never journalled and never decides about money.
    type Memory: Default + Debug;

    /// Looks, never writes: ordered early returns, each a named outcome. Idempotence across commands is not its business:
    /// the commit pipeline and the journal stand before it.
    fn decide(&self, context: &Context<'_>, memory: &Self::Memory, command: &Self::Command) -> Decision<Self::Event>;
    /// Writes what has happened; `at` is the moment of the commit.
    fn apply(&mut self, event: &Self::Event, at: Timestamp);
    /// Takes a volatile fact into the memory: called when a command arrives and when its answer leaves. What it gives back is
    /// worth a line in the log; it is told at most once a change.
    fn notice(_memory: &mut Self::Memory, _notice: &Notice<'_, Self::Command>, _context: &Context<'_>) -> Option<Remark> {
        None
    }
    /// What this entity still has to tell or ask: oldest first and at most [`OWED_AT_ONCE`], the rest follows as these are
    /// struck off. Something owed means that [`Machine::deadline`] is set.
    fn owed(&self, _me: &EntityKey) -> Vec<Owed> {
        Vec::new()
    }
    /// May this event add to what is owed? `false` spares a look at [`Machine::owed`] after its commit.
    fn owes(_event: &Self::Event) -> bool {
        true
    }
    /// When `Tick` is due next: every time-out is state plus a deadline, never a sleeping task.
    fn deadline(&self) -> Option<Timestamp> {
        None
    }
    /// The command that a reached deadline gives; none where the machine has no time-outs.
    fn tick() -> Option<Self::Command> {
        None
    }
    /// The revision that people are shown and that every change of theirs moves on; none where they change nothing of it. A
    /// command that names the revision it was decided on is refused once there is a newer one.
    fn rev(&self) -> Option<u64> {
        None
    }
    /// What the command means, for `KEY_REUSED`. What is made anew each time it is sent (a secret, the moment at which it
    /// expires) is no part of it.
    fn fingerprint(command: &Self::Command) -> Fingerprint;
    /// The stable name of the event in exports: `tap.decided`.
    fn event_name(event: &Self::Event) -> &'static str;
}

/// What a decision may look at beside the entity's own state.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// Who decides.
    pub me: &'a EntityKey,
    /// Id of the command that is decided.
    pub command_id: &'a CommandId,
    /// Fares, mode histories, limits: the cell's snapshot.
    pub world: &'a World,
    /// The process clock.
    pub now: Timestamp,
}

/// What `decide` says.
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub enum Decision<E> {
    /// Commit the events (at least one), then answer; the answer is kept under the command's id for 48 h.
    Commit {
        /// What happens.
        events: Vec<E>,
        /// What is answered once it is durable.
        reply: Reply,
    },
    /// Ask the journal for the answer this command id has had; where it has had none, answer `otherwise` and keep nothing.
    /// Also the way of a command that changes nothing.
    Ask {
        /// The answer where the id is unknown.
        otherwise: Reply,
    },
    /// Something must be durable before this command can go on: commit these events under `id`, then decide the command again.
    Before {
        /// The command id of the events; the same events have the same id.
        id: CommandId,
        /// What happens first.
        events: Vec<E>,
    },
    /// Nothing stands against it here; another entity decides under the same command id and answers directly.
    Forward {
        /// Who decides.
        to: Recipient,
        /// What it is asked.
        command: Command,
    },
    /// The medium is not this account's: the router looks again once, then the gate hears [`gate::Command::Unresolved`].
    Misrouted,
}

impl<E> Decision<E> {
    /// Refuses a command other than a tap; a refusal that changes nothing is not kept.
    pub fn refuse(code: RefusalCode, hint: impl AsRef<str>) -> Self {
        Self::Ask { otherwise: Refusal::reply(code, hint) }
    }
}

/// To whom a command or a message goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Recipient {
    /// This entity.
    Entity(EntityKey),
    /// The account that owns this medium; the router knows.
    OwnerOf(Token),
    /// A device on its link: sent by the node that holds it.
    Device(DeviceId),
}

/// Something an entity has to tell until it is struck off. The same id every time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owed {
    /// The command id under which it is sent.
    pub id: CommandId,
    /// To whom.
    pub to: Recipient,
    /// What: a command for an entity, a message for a device.
    pub what: OwedWhat,
    /// Since when.
    pub since: Timestamp,
}

/// The content of what is owed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum OwedWhat {
    /// A command for another entity; its answer comes back as `Struck`.
    Command(Box<Command>),
    /// A `down/command` for the device; its `up/ack` strikes it off.
    DeviceCommand(gate::DeviceOrder),
}

/// A volatile fact for a machine's memory.
#[derive(Debug)]
pub enum Notice<'a, C> {
    /// A command has arrived (before it is decided).
    Arrived(&'a C),
    /// The answer to a forwarded or own command has been released.
    Answered(&'a Reply),
}

/// What a machine's memory has noticed, for logs and metrics only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remark {
    /// A device's clock runs this far from ours: process clock minus the device's.
    ClockOff(Millis),
}

/// A command for any machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Command {
    /// For a travel account.
    Account(account::Command),
    /// For a gate.
    Gate(gate::Command),
    /// For a station.
    Station(station::Command),
    /// For a medium.
    Medium(medium::Command),
    /// For the device registry.
    Device(device::Command),
    /// For the audit.
    Audit(audit::Command),
    /// For a user.
    User(user::Command),
    /// For an alarm.
    Alarm(alarm::Command),
    /// For an approval.
    Approval(approval::Command),
    /// For the deny list.
    Deny(deny::Command),
    /// For a doubtful record.
    Doubtful(doubtful::Command),
}

impl Command {
    /// The tap that the command wants a decision for; its answer is a [`Reply::Tap`], even where there is no outcome.
    #[must_use]
    pub fn tap(&self) -> Option<&Tap> {
        match self {
            Self::Account(account::Command::Tap { tap, .. }) => Some(tap),
            Self::Gate(gate::Command::Tap { tap, .. } | gate::Command::Unresolved { tap }) => Some(tap),
            _ => None,
        }
    }
}

/// An event of any machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Event {
    /// Of a travel account.
    Account(account::Event),
    /// Of a gate.
    Gate(gate::Event),
    /// Of a station.
    Station(station::Event),
    /// Of a medium.
    Medium(medium::Event),
    /// Of the device registry.
    Device(device::Event),
    /// Of the audit.
    Audit(audit::Event),
    /// Of a user.
    User(user::Event),
    /// Of an alarm.
    Alarm(alarm::Event),
    /// Of an approval.
    Approval(approval::Event),
    /// Of the deny list.
    Deny(deny::Event),
    /// Of a doubtful record.
    Doubtful(doubtful::Event),
}

macro_rules! any {
    ($($module:ident => $variant:ident),*) => {$(
        impl From<$module::Command> for Command {
            fn from(command: $module::Command) -> Self { Self::$variant(command) }
        }
        impl TryFrom<Command> for $module::Command {
            type Error = Command;
            fn try_from(command: Command) -> Result<Self, Command> {
                match command { Command::$variant(command) => Ok(command), other => Err(other) }
            }
        }
        impl From<$module::Event> for Event {
            fn from(event: $module::Event) -> Self { Self::$variant(event) }
        }
    )*};
}
any!(
    account => Account, gate => Gate, station => Station, medium => Medium, device => Device, audit => Audit, user => User, alarm => Alarm,
    approval => Approval, deny => Deny, doubtful => Doubtful
);

/// The answer to any command. One type for all machines, because an answer is known by its command id alone, whichever
/// entity gave it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reply {
    /// The answer to a tap.
    Tap(TapDecision),
    /// It is done, or was so already.
    Done,
    /// It is refused.
    Refused(Refusal),
    /// The answer to a batch of records.
    Records(gate::RecordsAck),
    /// A mode or service was set: its id and revision.
    Mode {
        /// Id of the mode change.
        id: CommandId,
        /// Revision that the gates will acknowledge.
        rev: u64,
        /// How many gates it concerns.
        of: u32,
    },
    /// An adjustment at the service desk: what was charged.
    Adjusted {
        /// The amount.
        fare: crate::money::Amount,
    },
    /// The medium's owner.
    Owner(Option<AccountId>),
    /// A gate's record is doubtful (存疑), for this reason; a person decides.
    Doubted(account::Doubted),
}

/// Why a command other than a tap is refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// Stable code.
    pub code: RefusalCode,
    /// What is wrong and the way out, for the operator; lower case, no full stop.
    pub hint: CompactString,
}

impl Refusal {
    /// A refusal as a reply.
    #[must_use]
    pub fn reply(code: RefusalCode, hint: impl AsRef<str>) -> Reply {
        Reply::Refused(Self { code, hint: CompactString::new(hint.as_ref()) })
    }
}

/// Stable codes of refused commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RefusalCode {
    /// An argument is missing or makes no sense.
    BadArgs,
    /// There is no such thing.
    NotFound,
    /// The state does not allow it now.
    WrongState,
    /// The command id was used with another meaning.
    KeyReused,
    /// What is there says otherwise.
    Contradicts,
    /// The medium is owned by somebody else.
    Taken,
    /// Overloaded or out of disk: try again.
    Busy,
    /// The caller may not.
    Forbidden,
    /// What is there is newer than what the caller was shown.
    StaleRev,
}
impl RefusalCode {
    /// The code on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::BadArgs => "BAD_ARGS",
            Self::NotFound => "NOT_FOUND",
            Self::WrongState => "WRONG_STATE",
            Self::KeyReused => "KEY_REUSED",
            Self::Contradicts => "CONTRADICTS",
            Self::Taken => "TAKEN",
            Self::Busy => "BUSY",
            Self::Forbidden => "FORBIDDEN",
            Self::StaleRev => "STALE_REV",
        }
    }
}
