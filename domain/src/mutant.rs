//! Bugs planted on purpose: what the simulation's oracles must catch, or they prove nothing. Each stands where somebody might
//! really make it. Without the feature `mutants` every question is answered `false` before the program is compiled.

/// A planted bug.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mutant {
    /// Pipeline: the answer leaves before its commit is durable.
    AnswerBeforeCommit,
    /// Pipeline: tentative events that were dropped stay in the tentative state.
    KeepTentative,
    /// Pipeline: what is unknown is taken for written.
    ResumeOnAGuess,
    /// Pipeline: what is decided again after `Unknown` gets another command id.
    NewIdAfterUnknown,
    /// Pipeline: what is owed is sent once and never again.
    OwedOnce,
    /// Pipeline: a repeat gets the answer that was decided now, not its first one.
    OwnAnswerForDuplicate,
    /// Pipeline: the state that goes along with a commit lacks what is in flight.
    StateBehind,
    /// Store: the last group of a sync is told and not written.
    ToldBeforeSync,
    /// Store: an id that an account has answered is not known to a gate.
    IdPerEntity,
    /// Store: the compare-and-set is not looked at.
    NoCompareAndSet,
    /// Account: a gate's record does not replace what the server has decided.
    RecordIgnored,
    /// Account: `not_passed` voids nothing.
    NotPassedIgnored,
    /// Account: decides past the deadline.
    DecidesLate,
    /// Account: exits in an emergency cost their fare.
    EmergencyCharges,
    /// Account: a journey that an emergency has cut costs a missing exit.
    CutJourneyCharged,
    /// Account: a posting takes more than it gives.
    OneSidedPosting,
    /// Gate: a batch moves the watermark over its gaps.
    WatermarkOverGaps,
    /// Gate: a record that comes again is taken again.
    RepeatedRecordTaken,
    /// Gate: a record is kept and never told to its account.
    RecordNotOwed,
    /// Gate: an altered copy takes the place of what was said first.
    CopyTaken,
    /// Gate: a doubtful record is noted and reaches no desk.
    DoubtNotTold,
    /// Gate: the time of a gate whose clock is known to be wrong is taken as it stands.
    ClockIgnored,
    /// Account: one medium through two gates at once pays twice.
    TwinPricedTwice,
    /// Account: what a person has accepted is not priced.
    AcceptedTwinIgnored,
    /// Doubtful: what a person has rejected is posted.
    RejectedPosted,
    /// Doubtful: decided once more, the other way.
    DoubtDecidedTwice,
    /// Doubtful: accepted, and never told to the account.
    AcceptedNotOwed,
    /// Approval: who asks approves.
    ApprovesOwn,
    /// Approval: decided although its time is over.
    ApprovesLate,
    /// Approval: what was decided is decided once more.
    DecidedTwice,
    /// Approval: what was let through is not run.
    ApprovedForgotten,
    /// Alarm: cleared although causes are left.
    ClearedEarly,
    /// Alarm: not cleared although no cause is left.
    NeverCleared,
    /// Deny list: a hash is taken over the version before.
    HashOfBefore,
    /// Deny list: what came and went again between two versions stays in their difference.
    FoldKeepsGone,
    /// Deny list: who is one version further back than the differences reach gets them all the same.
    ChainWithGap,
    /// Deny list: a person takes off what an account denies.
    DeskTakesAll,
    /// Deny list: an account does not say that it is frozen or in debt.
    DenyNotOwed,
    /// Deny list: an account that is put right does not say so.
    DeniedForEver,
    /// Fares: a cap lets one fen more through.
    CapOneFenOver,
    /// Fares: caps roll at midnight, not with the business day.
    CapByLocalDay,
    /// Fares: a ride that cost nothing counts as a paid one.
    FreeRidesCounted,
    /// Fares: a transfer's window never ends.
    TransferForEver,
    /// Fares: what rides left behind is lost when their taps are forgotten.
    PastForgotten,
    /// Fares: a late fact is priced after what came later.
    LateRidesLast,
}

impl Mutant {
    /// Every one of them.
    pub const ALL: &'static [Self] = &[
        Self::AnswerBeforeCommit,
        Self::KeepTentative,
        Self::ResumeOnAGuess,
        Self::NewIdAfterUnknown,
        Self::OwedOnce,
        Self::OwnAnswerForDuplicate,
        Self::StateBehind,
        Self::ToldBeforeSync,
        Self::IdPerEntity,
        Self::NoCompareAndSet,
        Self::RecordIgnored,
        Self::NotPassedIgnored,
        Self::DecidesLate,
        Self::EmergencyCharges,
        Self::CutJourneyCharged,
        Self::OneSidedPosting,
        Self::WatermarkOverGaps,
        Self::RepeatedRecordTaken,
        Self::RecordNotOwed,
        Self::CopyTaken,
        Self::DoubtNotTold,
        Self::RejectedPosted,
        Self::DoubtDecidedTwice,
        Self::AcceptedNotOwed,
        Self::ApprovesOwn,
        Self::ApprovesLate,
        Self::DecidedTwice,
        Self::ApprovedForgotten,
        Self::ClearedEarly,
        Self::NeverCleared,
        Self::HashOfBefore,
        Self::FoldKeepsGone,
        Self::ChainWithGap,
        Self::DeskTakesAll,
        Self::DenyNotOwed,
        Self::DeniedForEver,
    ];
    /// Bugs of one medium at two gates at once: the tests of this crate catch them, as nobody in the simulated city can be at two
    /// gates at once.
    pub const TWINS: &'static [Self] = &[Self::TwinPricedTwice, Self::AcceptedTwinIgnored];
    /// Bugs of times that are put right: likewise, as no rider of that city notices seventy-five seconds.
    pub const TIMES: &'static [Self] = &[Self::ClockIgnored];
    /// Bugs of fares: the property tests of this crate catch them, as the simulation's city has a ladder alone.
    pub const FARES: &'static [Self] = &[
        Self::CapOneFenOver,
        Self::CapByLocalDay,
        Self::FreeRidesCounted,
        Self::TransferForEver,
        Self::PastForgotten,
        Self::LateRidesLast,
    ];
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
