//! Facts that gates report afterwards: passages and their own records. A fact is never refused for money; one that
//! contradicts what is known is kept as doubtful and posts nothing.
use super::post::forgetting;
use super::state::Account;
use super::{Change, Doubt, Doubted, Event};
use crate::id::{StationId, TapId};
use crate::journey::scene::Scene;
use crate::journey::{Fact, Passed, Recorded, Told};
use crate::machine::{Context, Decision, RefusalCode, Reply};
use crate::mutant::{Mutant, planted};
use crate::tap::{Passage, Record, Reference};
use crate::time::{Millis, Timestamp};

/// Passages of unknown taps that are kept at most.
pub const EARLY_MAX: usize = 32;

/// Why a passage report is not taken.
enum Stray {
    Reference,
    Contradicts,
    TooOld,
    TooMany,
}

impl Stray {
    fn refused(self) -> Decision<Event> {
        let (code, hint) = match self {
            Self::Reference => (RefusalCode::NotFound, "this account has not handed out that reference"),
            Self::Contradicts => (RefusalCode::Contradicts, "the reference belongs to another tap"),
            Self::TooOld => (RefusalCode::WrongState, "the tap is older than those that are kept"),
            Self::TooMany => (RefusalCode::WrongState, "too many passages of unknown taps"),
        };
        Decision::refuse(code, hint)
    }
}

impl Account {
    pub(super) fn decide_passage(
        &self,
        context: &Context<'_>,
        tap: &TapId,
        reference: &Reference,
        outcome: Passage,
        at: Timestamp,
    ) -> Decision<Event> {
        let passed = Passed::of(outcome);
        if passed == Passed::Unknown {
            return Decision::refuse(RefusalCode::BadArgs, "an intrusion concerns no account");
        }
        let change = match self.place_passage(context, tap, reference, at) {
            Err(stray) => return stray.refused(),
            Ok(None) => Change::default(),
            Ok(Some(fact)) => {
                let reported = Fact { passed: fact.passed.and(passed), ..fact.clone() };
                self.outlook(context.world, &reported, self.numbered + 1).change
            }
        };
        Decision::Commit { events: vec![Event::PassageReported { tap: tap.clone(), outcome, at, change }], reply: Reply::Done }
    }

    /// The tap that a passage speaks of; none = not known yet (its decision was lost, its record will come).
    fn place_passage(&self, context: &Context<'_>, tap: &TapId, reference: &Reference, at: Timestamp) -> Result<Option<&Fact>, Stray> {
        let number = number_of(&context.me.id, reference).filter(|number| (1..=self.numbered).contains(number)).ok_or(Stray::Reference)?;
        if let Some(fact) = self.facts.iter().rev().find(|fact| fact.tap == *tap && !fact.by_desk) {
            let agrees = fact.number == number || (fact.number == 0 && fact.told == Told::Nothing);
            return if agrees { Ok(Some(fact)) } else { Err(Stray::Contradicts) };
        }
        if self.facts.iter().any(|fact| fact.number == number) {
            return Err(Stray::Contradicts);
        }
        if self.forgotten(context, at) {
            return Err(Stray::TooOld);
        }
        let known = self.early.iter().any(|early| early.tap == *tap);
        if known || self.early.len() < EARLY_MAX { Ok(None) } else { Err(Stray::TooMany) }
    }

    pub(super) fn decide_record(&self, context: &Context<'_>, record: &Record, station: &StationId, clock: Millis) -> Decision<Event> {
        let Some(medium) = &record.medium else {
            return Decision::refuse(RefusalCode::BadArgs, "a record without a medium concerns no account");
        };
        if !self.media.iter().any(|known| known.token == medium.token) {
            return Decision::Misrouted;
        }
        let at = record.at + clock;
        if let Some(doubt) = self.doubt(context, record, station, at) {
            let event = Event::RecordDoubted { record: record.clone(), station: station.clone(), doubt };
            return Decision::Commit { events: vec![event], reply: Reply::Doubted(Doubted::of(doubt)) };
        }
        let mut fact = self.recorded_fact(record, station, at, context.now);
        fact.passed = fact.passed.and(self.early_passage(&record.tap));
        let twin = self.twin(context, &fact).map(|twin| twin.tap.clone());
        let change = self.outlook(context.world, &fact, self.numbered + 1).change;
        let change = forgetting(self, context.world, context.now, Some(&fact), change);
        let reply = twin.clone().map_or(Reply::Done, |twin| Reply::Doubted(Doubted { doubt: Doubt::Twin, other: Some(twin) }));
        let event = Event::RecordTaken { record: record.clone(), station: station.clone(), clock, twin, change };
        Decision::Commit { events: vec![event], reply }
    }

    /// The same medium's passage through another gate at the same moment: of the two only the first is priced, whichever is
    /// heard of first, and the one that is heard of last is for a person to decide.
    fn twin(&self, context: &Context<'_>, fact: &Fact) -> Option<&Fact> {
        let rules = self.rules(context.world);
        let from = self.facts.partition_point(|known| known.at < fact.at - context.world.settings.retap_window);
        let near = self.facts[from..].iter().take_while(|known| known.at <= fact.at + context.world.settings.retap_window);
        near.filter(|known| fact.counts() && known.counts()).find(|known| rules.is_twin(known, fact))
    }

    /// What a record contradicts, if anything: it must agree with its tap in direction, medium and time.
    fn doubt(&self, context: &Context<'_>, record: &Record, station: &StationId, at: Timestamp) -> Option<Doubt> {
        let Some(fact) = self.known(record) else {
            let foreign = self.is_foreign(&Scene::new(context.world, station, at)).then_some(Doubt::Currency);
            // Twice what a clock may be off: so little is known of a clock after one late message.
            let refuse = context.world.settings.clock_refuse;
            let ahead = (at > context.now + refuse + refuse).then_some(Doubt::Ahead);
            return self.forgotten(context, at).then_some(Doubt::TooOld).or(ahead).or(foreign);
        };
        let token = self.media.get(usize::from(fact.medium)).map(|medium| &medium.token);
        match () {
            () if fact.direction != record.direction => Some(Doubt::Direction),
            () if fact.at != record.at => Some(Doubt::At),
            () if token != record.medium.as_ref().map(|medium| &medium.token) => Some(Doubt::Medium),
            () if fact.recorded != Recorded::Nothing => Some(Doubt::Record),
            () => None,
        }
    }

    /// What is known of the tap of a record; a hit by time of travel spares the search through all.
    fn known(&self, record: &Record) -> Option<&Fact> {
        let first = self.facts.partition_point(|fact| fact.at < record.at);
        let at_once =
            self.facts[first..].iter().take_while(|fact| fact.at == record.at).find(|fact| fact.tap == record.tap && !fact.by_desk);
        at_once.or_else(|| self.facts.iter().find(|fact| fact.tap == record.tap && !fact.by_desk))
    }

    /// The fact that a record makes, or makes of what is known.
    pub(super) fn recorded_fact(&self, record: &Record, station: &StationId, at: Timestamp, now: Timestamp) -> Fact {
        let recorded = Recorded::from(record.shown);
        let passed = record.passage.map_or(Passed::Unknown, Passed::of);
        if let Some(known) = self.known(record) {
            if planted(Mutant::RecordIgnored) {
                return known.clone();
            }
            return Fact { recorded, passed: known.passed.and(passed), ..known.clone() };
        }
        let token = record.medium.as_ref().map(|medium| &medium.token);
        let medium = self.media.iter().position(|medium| Some(&medium.token) == token).and_then(|place| u16::try_from(place).ok());
        Fact {
            at,
            direction: record.direction,
            tap: record.tap.clone(),
            station: station.clone(),
            medium: medium.unwrap_or(u16::MAX),
            number: 0,
            decided_at: now,
            told: Told::Nothing,
            passed,
            recorded,
            by_desk: false,
        }
    }
}

/// The number in `{account}/{number}`, where the account is this one.
fn number_of(account: &str, reference: &Reference) -> Option<u64> {
    let (owner, number) = reference.0.rsplit_once('/')?;
    (owner == account).then(|| number.parse().ok()).flatten()
}
