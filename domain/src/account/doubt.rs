//! What can be doubtful about a gate's record (存疑), and how an account takes one that a person has accepted. A doubtful
//! record posts nothing until then. Why it is doubtful is a stable code; what speaks for and against it is evidence that the
//! desk shows, and no business of the account.
use super::state::Account;
use super::{Event, RecordOutcome};
use crate::device::By;
use crate::id::{StationId, TapId};
use crate::journey::scene::Scene;
use crate::journey::{Fact, Mark, MarkKind, Recorded};
use crate::machine::{Context, Decision, Refusal, RefusalCode, Reply};
use crate::mutant::{Mutant, planted};
use crate::tap::Record;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// Why a record is doubtful.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Doubt {
    /// Its tap went the other way.
    Direction,
    /// Its tap was made with another medium.
    Medium,
    /// Its tap was made at another time.
    At,
    /// Another record of the same tap was taken before.
    Record,
    /// It is older than the taps that are kept.
    TooOld,
    /// Fares are in another currency there.
    Currency,
    /// The gate gave this number to something else before.
    KeyReused,
    /// No account has the medium.
    UnknownMedium,
    /// The same medium went through another gate at the same moment.
    Twin,
    /// Its time lies ahead of ours.
    Ahead,
}

impl Doubt {
    /// Every reason.
    pub const ALL: &'static [Self] = &[
        Self::Direction,
        Self::Medium,
        Self::At,
        Self::Record,
        Self::TooOld,
        Self::Currency,
        Self::KeyReused,
        Self::UnknownMedium,
        Self::Twin,
        Self::Ahead,
    ];
    /// The stable code.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Direction => "direction",
            Self::Medium => "medium",
            Self::At => "at",
            Self::Record => "record",
            Self::TooOld => "too_old",
            Self::Currency => "currency",
            Self::KeyReused => "key_reused",
            Self::UnknownMedium => "unknown_medium",
            Self::Twin => "twin",
            Self::Ahead => "ahead",
        }
    }
    /// The one with this code.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|doubt| doubt.name() == name)
    }
    /// What the operator reads.
    #[must_use]
    pub const fn hint(self) -> &'static str {
        match self {
            Self::Direction => "its tap went the other way",
            Self::Medium => "its tap was made with another medium",
            Self::At => "its tap was made at another time",
            Self::Record => "another record of the same tap was taken before",
            Self::TooOld => "it is older than the taps that are kept",
            Self::Currency => "fares are in another currency there",
            Self::KeyReused => "the gate gave this number to something else before",
            Self::UnknownMedium => "no account has the medium",
            Self::Twin => "the same medium went through another gate at the same moment",
            Self::Ahead => "its time lies ahead of ours",
        }
    }
}

/// What an account says of a record that it doubts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Doubted {
    /// Why.
    pub doubt: Doubt,
    /// The other tap that it collides with, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other: Option<TapId>,
}

impl Doubted {
    /// Without another tap.
    #[must_use]
    pub const fn of(doubt: Doubt) -> Self {
        Self { doubt, other: None }
    }
}

/// How an account took a record, by its answer; none = it has not answered.
#[must_use]
pub fn outcome_of(reply: &Reply) -> Option<(RecordOutcome, Option<Doubted>)> {
    match reply {
        Reply::Refused(Refusal { code: RefusalCode::Busy, .. }) => None,
        Reply::Refused(Refusal { code: RefusalCode::NotFound, .. }) => {
            Some((RecordOutcome::UnknownMedium, Some(Doubted::of(Doubt::UnknownMedium))))
        }
        Reply::Refused(Refusal { code: RefusalCode::KeyReused, .. }) => {
            Some((RecordOutcome::Doubtful, Some(Doubted::of(Doubt::KeyReused))))
        }
        Reply::Doubted(doubted) => Some((RecordOutcome::Doubtful, Some(doubted.clone()))),
        // As it was answered before an answer said which doubt: the same refusal is kept for a repeat.
        Reply::Refused(_) => Some((RecordOutcome::Doubtful, Some(Doubted::of(Doubt::Record)))),
        _ => Some((RecordOutcome::Taken, None)),
    }
}

/// A doubtful record that a person has accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accepted {
    /// The record.
    pub record: Record,
    /// The gate's station.
    pub station: StationId,
    /// When the rider was there, by what is known of the gate's clock.
    pub at: Timestamp,
    /// What was in doubt.
    pub doubt: Doubt,
    /// The number under which it counts.
    pub tap: TapId,
    /// Who and why.
    pub by: By,
}

impl Account {
    pub(super) fn decide_accept(&self, context: &Context<'_>, accepted: &Accepted) -> Decision<Event> {
        let Accepted { record, station, at, doubt, tap, by } = accepted;
        let token = record.medium.as_ref().map(|medium| &medium.token);
        if token.is_none() || !self.media.iter().any(|known| Some(&known.token) == token) {
            return Decision::Misrouted;
        }
        if self.forgotten(context, *at) {
            let hint = "older than the taps that are kept: correct the journey by hand (journey.adjust) and reject the record";
            return Decision::refuse(RefusalCode::WrongState, hint);
        }
        if self.is_foreign(&Scene::new(context.world, station, *at)) {
            return Decision::refuse(RefusalCode::WrongState, Doubt::Currency.hint());
        }
        let fact = self.accepted_fact(accepted, context.now);
        let counted = self.counted(accepted);
        let marks: Vec<Mark> = self.marks.iter().cloned().chain(counted).collect();
        let change = self.recomputed(context.world, &self.with(&fact), &marks, self.closed_until, self.numbered + 1).change;
        let event = Event::RecordAccepted {
            record: record.clone(),
            tap: tap.clone(),
            station: station.clone(),
            at: *at,
            doubt: *doubt,
            command_id: context.command_id.clone(),
            by: by.clone(),
            change,
        };
        Decision::Commit { events: vec![event], reply: Reply::Done }
    }

    /// The fact that it makes, or makes of what is known of its tap.
    pub(super) fn accepted_fact(&self, accepted: &Accepted, now: Timestamp) -> Fact {
        let Accepted { record, station, at, tap, .. } = accepted;
        let known = self.facts.iter().find(|fact| fact.tap == *tap && !fact.by_desk);
        if let Some(known) = known.filter(|_| accepted.doubt == Doubt::Twin) {
            return known.clone();
        }
        let plain = Record { tap: tap.clone(), at: *at, ..record.clone() };
        let fresh = Self { facts: Vec::new(), ..self.media_alone() }.recorded_fact(&plain, station, *at, now);
        let Some(known) = known else { return fresh };
        let passed = if known.recorded == Recorded::Nothing { fresh.passed.and(known.passed) } else { fresh.passed };
        Fact { number: known.number, decided_at: known.decided_at, told: known.told, passed, ..fresh }
    }

    /// An account that has nothing but these media: what a record says by itself.
    fn media_alone(&self) -> Self {
        Self { media: self.media.clone(), ..Self::default() }
    }

    /// A person says that both of two gates let somebody through.
    pub(super) fn counted(&self, accepted: &Accepted) -> Option<Mark> {
        (accepted.doubt == Doubt::Twin && !planted(Mutant::AcceptedTwinIgnored)).then(|| Mark {
            entry: accepted.tap.clone(),
            kind: MarkKind::Counted,
            station: accepted.station.clone(),
            at: accepted.at,
        })
    }
}
