//! What is known of one tap: what the server decided, what the gate reported, what the gate recorded. Each may come first;
//! together they say whether the tap counts.
use crate::id::{StationId, TapId};
use crate::mutant::{Mutant, planted};
use crate::tap::{Direction, Passage, Shown};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

macro_rules! word {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $number:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
        #[serde(into = "u8", try_from = "u8")]
        pub enum $name { $($(#[$variant_doc])* $variant = $number),* }
        impl From<$name> for u8 {
            fn from(word: $name) -> Self { word as Self }
        }
        impl TryFrom<u8> for $name {
            type Error = String;
            fn try_from(number: u8) -> Result<Self, String> {
                match number { $($number => Ok(Self::$variant),)* _ => Err(format!("no such word: {number}")) }
            }
        }
    };
}

word! {
    /// What the server told the gate.
    Told {
        /// Nothing: the gate decided alone.
        #[default]
        Nothing = 0,
        /// To open.
        Open = 1,
        /// To open because of a mode, without charge.
        Waived = 2,
        /// To stay shut.
        Deny = 3,
    }
}
word! {
    /// What the rider did.
    Passed {
        /// Nothing is known.
        #[default]
        Unknown = 0,
        /// Went through.
        Yes = 1,
        /// Did not go through, or came back.
        No = 2,
    }
}
word! {
    /// What the gate's own record says it did.
    Recorded {
        /// No record yet.
        #[default]
        Nothing = 0,
        /// It opened.
        Open = 1,
        /// It stayed shut.
        Deny = 2,
    }
}

impl Passed {
    /// What a report means; an intrusion says nothing of this rider.
    #[must_use]
    pub fn of(passage: Passage) -> Self {
        match passage {
            Passage::NotPassed if planted(Mutant::NotPassedIgnored) => Self::Unknown,
            Passage::Passed | Passage::Tailgate => Self::Yes,
            Passage::NotPassed | Passage::Reverse => Self::No,
            Passage::Intrusion => Self::Unknown,
        }
    }
    /// Both reports together, in whatever order: "did not pass" wins.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        self.max(other)
    }
}
impl From<Shown> for Recorded {
    fn from(shown: Shown) -> Self {
        match shown {
            Shown::Open => Self::Open,
            Shown::Deny => Self::Deny,
        }
    }
}

/// Whether a tap counts, and how surely.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Standing {
    /// It does not count: refused, denied, or the rider did not pass.
    Void,
    /// The server approved; nobody has said yet what became of it.
    Pending,
    /// The rider passed.
    Final,
}

/// What is known of one tap.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Row", into = "Row")]
pub struct Fact {
    /// Time of travel, by the gate's clock.
    pub at: Timestamp,
    /// Which way.
    pub direction: Direction,
    /// The tap; for an entry or exit that the service desk added, `desk/0/{number}`.
    pub tap: TapId,
    /// Where.
    pub station: StationId,
    /// Which of the account's media, by its place in their list.
    pub medium: u16,
    /// Number of the reference that was handed out; 0 = none.
    pub number: u64,
    /// When the server decided (or learnt of it), by its own clock.
    pub decided_at: Timestamp,
    /// What the server told the gate.
    pub told: Told,
    /// What the rider did.
    pub passed: Passed,
    /// What the gate recorded.
    pub recorded: Recorded,
    /// Added by the service desk: final at once.
    pub by_desk: bool,
}

/// A fact as it is stored: a row without names, because an account keeps hundreds of them.
type Row = (i64, Direction, TapRow, StationId, u16, u64, i64, Told, Passed, Recorded, bool);
type TapRow = (crate::id::DeviceId, u64, u64);

impl From<Row> for Fact {
    fn from((at, direction, (device, epoch, seq), station, medium, number, decided_at, told, passed, recorded, by_desk): Row) -> Self {
        let (at, decided_at, tap) = (Timestamp(at), Timestamp(decided_at), TapId { device, epoch, seq });
        Self { at, direction, tap, station, medium, number, decided_at, told, passed, recorded, by_desk }
    }
}
impl From<Fact> for Row {
    fn from(f: Fact) -> Self {
        let tap = (f.tap.device, f.tap.epoch, f.tap.seq);
        (f.at.0, f.direction, tap, f.station, f.medium, f.number, f.decided_at.0, f.told, f.passed, f.recorded, f.by_desk)
    }
}

impl Fact {
    /// Did the gate open? Its own record is the truth; without one, what it was told.
    #[must_use]
    pub fn opened(&self) -> bool {
        self.recorded == Recorded::Open || (self.recorded == Recorded::Nothing && matches!(self.told, Told::Open | Told::Waived))
    }
    /// Does it count? The gate's own record is the truth; "did not pass" wins over "passed".
    #[must_use]
    pub fn standing(&self) -> Standing {
        match (self.recorded, self.passed, self.told) {
            (Recorded::Deny, ..) | (_, Passed::No, _) => Standing::Void,
            (Recorded::Open, ..) => Standing::Final,
            _ if self.by_desk => Standing::Final,
            (_, Passed::Yes, Told::Open | Told::Waived) => Standing::Final,
            (_, Passed::Unknown, Told::Open | Told::Waived) => Standing::Pending,
            (.., Told::Deny | Told::Nothing) => Standing::Void,
        }
    }
    /// Does it count at all?
    #[must_use]
    pub fn counts(&self) -> bool {
        self.standing() != Standing::Void
    }
    /// Its place in the order of travel.
    #[must_use]
    pub fn order(&self) -> (Timestamp, Direction, &TapId) {
        (self.at, self.direction, &self.tap)
    }
}

/// What the service desk said of a journey that is known by its entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// The entry of the journey.
    pub entry: TapId,
    /// What was said.
    pub kind: MarkKind,
    /// Where.
    pub station: StationId,
    /// When the rider was there.
    pub at: Timestamp,
}

/// What the service desk can say of an open journey.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MarkKind {
    /// It costs nothing and ends here.
    Waived,
    /// The surcharge for its overstay is collected.
    OverstayCollected,
    /// The tap is a passage of its own, though the same medium went through another gate at the same moment.
    Counted,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::DeviceId;

    fn fact(told: Told, passed: Passed, recorded: Recorded) -> Fact {
        let tap = TapId { device: DeviceId::new("g1").expect("an id"), epoch: 1, seq: 1 };
        let station = StationId::new("a").expect("an id");
        let at = Timestamp(0);
        Fact { at, direction: Direction::Entry, tap, station, medium: 0, number: 1, decided_at: at, told, passed, recorded, by_desk: false }
    }

    #[test]
    fn the_record_is_the_truth_and_not_passed_wins() {
        let cases = [
            (Told::Open, Passed::Unknown, Recorded::Nothing, Standing::Pending),
            (Told::Open, Passed::Yes, Recorded::Nothing, Standing::Final),
            (Told::Open, Passed::No, Recorded::Nothing, Standing::Void),
            (Told::Open, Passed::Unknown, Recorded::Open, Standing::Final),
            (Told::Open, Passed::Yes, Recorded::Deny, Standing::Void),
            (Told::Open, Passed::No, Recorded::Open, Standing::Void),
            (Told::Deny, Passed::Unknown, Recorded::Open, Standing::Final),
            (Told::Deny, Passed::Yes, Recorded::Nothing, Standing::Void),
            (Told::Nothing, Passed::Yes, Recorded::Nothing, Standing::Void),
            (Told::Nothing, Passed::Unknown, Recorded::Open, Standing::Final),
            (Told::Waived, Passed::Unknown, Recorded::Nothing, Standing::Pending),
        ];
        for (told, passed, recorded, standing) in cases {
            assert_eq!(fact(told, passed, recorded).standing(), standing, "{told:?} {passed:?} {recorded:?}");
        }
    }

    #[test]
    fn passages_combine_in_any_order() {
        for (a, b, both) in [(Passed::Yes, Passed::No, Passed::No), (Passed::Unknown, Passed::Yes, Passed::Yes)] {
            assert_eq!((a.and(b), b.and(a)), (both, both));
        }
        assert_eq!(Passed::of(Passage::Intrusion), Passed::Unknown);
    }

    #[test]
    fn a_stored_row_gives_the_fact_back() {
        let fact = fact(Told::Open, Passed::Yes, Recorded::Open);
        assert_eq!(Fact::from(Row::from(fact.clone())), fact);
    }
}
