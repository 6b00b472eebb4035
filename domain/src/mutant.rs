//! Bugs planted on purpose: what the simulation's oracles must catch, or they prove nothing. Each stands where somebody might
//! really make it. Without the feature `mutants` every question is answered `false` before the program is compiled.

/// A planted bug.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mutant {
    /// Pipeline: the answer leaves before its commit is durable.
    AnswerBeforeCommit,
    /// Pipeline: tentative events of a duplicate stay.
    KeepTentative,
    /// Pipeline: after `Unknown` it goes on without reading the journal.
    ResumeOnAGuess,
    /// Pipeline: what is decided again gets another command id.
    NewIdAfterUnknown,
    /// Pipeline: a forward does not wait for what it was decided on.
    OvertakingForward,
    /// Pipeline: what is owed is sent once and never again.
    OwedOnce,
    /// Pipeline: what is owed is not sent after a load.
    OwedForgottenAtLoad,
    /// Pipeline: a late decision is not looked at again after a reload.
    StaleDeadline,
    /// Pipeline: commits count one event less than they have.
    StateOneBehind,
    /// Store: the answers of a group that was lost in a crash are told.
    ToldBeforeSync,
    /// Store: an id is known only within its own entity.
    IdPerEntity,
    /// Store: the compare-and-set is not looked at.
    NoCompareAndSet,
    /// Account: a record replaces nothing, it posts beside the decision.
    RecordBesideDecision,
    /// Account: `not_passed` voids nothing.
    NotPassedIgnored,
    /// Account: the time of deciding takes the place of the time of travel.
    ServerTimeOfTravel,
    /// Account: a late fact is refused where money is short.
    FactRefusedForMoney,
    /// Account: decides past the deadline.
    DecidesLate,
    /// Account: exits in an emergency cost their fare.
    EmergencyCharges,
    /// Account: who was cut off by an emergency is still in.
    EmergencyKeepsIn,
    /// Account: a posting takes from the rider and gives to nobody.
    OneSidedPosting,
    /// Gate: a batch moves the watermark over its gaps.
    WatermarkOverGaps,
    /// Gate: a repeated record is owed again.
    RepeatedRecordOwed,
    /// Gate: an owed record is struck off whatever the account says.
    StruckUnheard,
}

#[cfg(feature = "mutants")]
std::thread_local! {
    static PLANTED: std::cell::Cell<Option<Mutant>> = const { std::cell::Cell::new(None) };
}

/// Plants a bug in this thread; none = takes it out again.
#[cfg(feature = "mutants")]
pub fn plant(mutant: Option<Mutant>) {
    PLANTED.set(mutant);
}

/// Is this bug planted here?
#[cfg(feature = "mutants")]
#[must_use]
pub fn planted(mutant: Mutant) -> bool {
    PLANTED.get() == Some(mutant)
}

/// Is this bug planted here? No.
#[cfg(not(feature = "mutants"))]
#[must_use]
#[inline(always)]
pub const fn planted(_mutant: Mutant) -> bool {
    false
}
