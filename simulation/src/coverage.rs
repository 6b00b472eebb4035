//! What has occurred: a fault that never happens proves nothing.
use std::collections::BTreeMap;

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident),* $(,)?) => {
        /// A kind of fault or of rare event.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Kind { $($(#[$doc])* $kind),* }
        impl Kind {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$kind),*];
        }
    };
}
kinds! {
    /// A message never arrived.
    Dropped,
    /// A message arrived twice.
    Duplicated,
    /// A message took longer than a gate waits.
    Delayed,
    /// A message arrived before one that was sent earlier.
    Reordered,
    /// A gate was cut off.
    Partitioned,
    /// The server died and came back.
    Crashed,
    /// Groups that were written and not synced were lost with a crash.
    TailLost,
    /// Groups that were written and not told survived a crash.
    TailKept,
    /// A sync took longer than a gate waits.
    SlowSync,
    /// The store did not say whether it had written.
    Unknown,
    /// The store refused a commit.
    Unavailable,
    /// The store refused everything for a while.
    Reserve,
    /// An entity was dropped from memory while idle.
    Passivated,
    /// An entity was read again with commands in flight.
    Reloaded,
    /// Tentative events were dropped.
    RolledBack,
    /// A command id came again and got its first answer.
    Repeated,
    /// A command was answered `BUSY`.
    Busy,
    /// A gate decided alone.
    Alone,
    /// The server had approved what a gate decided alone.
    HardRace,
    /// An answer came too late.
    LateAnswer,
    /// The server said `EXPIRED`.
    Expired,
    /// A gate's clock was off.
    Skewed,
    /// A gate's clock was off by so much that it is out of service.
    BadClock,
    /// A gate restarted.
    Rebooted,
    /// A rider did not go through.
    NotPassed,
    /// A rider tapped twice at once.
    TappedTwice,
    /// A rider left without a tap.
    Jumped,
    /// A rider had too little money.
    Insufficient,
    /// Somebody went through without a tap.
    Intrusion,
    /// A medium that nobody owns.
    UnknownMedium,
    /// An emergency by a person.
    Emergency,
    /// An emergency by a gate's button.
    Button,
    /// A rider walked out of a station in emergency.
    WalkedOut,
    /// An order to a gate.
    Ordered,
    /// A command was let through by a second person.
    Approved,
    /// A command was not let through.
    Rejected,
    /// Nobody decided in time.
    ApprovalExpired,
    /// Who asked tried to approve.
    OwnApproval,
    /// An alarm was raised.
    AlarmRaised,
    /// An alarm of more than one gate.
    AlarmJoined,
    /// An alarm ended because its cause was gone.
    AlarmCleared,
    /// A run with more than one version of the deny list.
    ListVersions,
    /// A gate took a difference of the deny list.
    ListDelta,
    /// A gate fetched the whole deny list.
    ListFetched,
    /// A gate asked for the way to the newest deny list.
    ListAsked,
    /// A gate denied alone, by its list.
    ListDenied,
    /// A gate was without a link for minutes.
    LongOffline,
    /// An altered copy of a record was refused.
    CopyRefused,
    /// A doubtful record was accepted and posted.
    DoubtAccepted,
    /// A doubtful record was rejected.
    DoubtRejected,
    /// An account gave a doubtful record back.
    DoubtReturned,
}

/// How often each kind has occurred.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Coverage(BTreeMap<Kind, u64>);

impl Coverage {
    /// It has occurred.
    pub fn note(&mut self, kind: Kind) {
        self.add(kind, 1);
    }
    /// It has occurred so often.
    pub fn add(&mut self, kind: Kind, times: u64) {
        if times > 0 {
            *self.0.entry(kind).or_default() += times;
        }
    }
    /// How often.
    #[must_use]
    pub fn of(&self, kind: Kind) -> u64 {
        self.0.get(&kind).copied().unwrap_or(0)
    }
    /// Adds what occurred in another run.
    pub fn merge(&mut self, other: &Self) {
        for (kind, times) in &other.0 {
            self.add(*kind, *times);
        }
    }
    /// What has never occurred.
    #[must_use]
    pub fn missing(&self) -> Vec<Kind> {
        Kind::ALL.iter().copied().filter(|kind| self.of(*kind) == 0).collect()
    }
}
