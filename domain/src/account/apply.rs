//! How events change an account. Nothing is looked up here: all that was used and all that follows stands in the event.
use super::state::{Account, EarlyPassage, Holder, LinkedMedium, Posted};
use super::tap::told;
use super::{Accepted, AdjustKind, Change, Event, Tail};
use crate::id::{CommandId, StationId, TapId, Token};
use crate::journey::{Fact, Mark, MarkKind, Open, Passed, Recorded, Stop, Told, journey_id};
use crate::ledger::{LedgerAccount, Posting, balanced, received};
use crate::money::Amount;
use crate::tap::{Direction, Record, Tap};
use crate::time::{Day, Timestamp};
use std::collections::HashSet;

impl Account {
    pub(super) fn take(&mut self, event: &Event, at: Timestamp) {
        self.absorb(event, at);
        event.change().into_iter().for_each(|change| self.forget(change));
        self.note_denied(at);
    }

    /// All that an event does but for the taps that it lets go.
    pub(super) fn absorb(&mut self, event: &Event, at: Timestamp) {
        debug_assert!(event.legs().all(|legs| balanced(legs)), "the legs of {} do not sum to nothing", event.name());
        match event {
            Event::Opened { class, passenger_class, currency, legs, .. } => {
                let opening = received(legs, &LedgerAccount::Rider);
                self.holder = Some(Holder { class: *class, passenger_class: passenger_class.clone(), currency: *currency, opening });
                self.balance += opening;
            }
            Event::Credited { legs, .. } => self.balance += received(legs, &LedgerAccount::Rider),
            Event::Linked { token, kind, .. } => self.link(token, LinkedMedium { token: token.clone(), kind: *kind, unlinked: false }),
            Event::Unlinked { token, .. } => {
                self.media.iter_mut().filter(|medium| medium.token == *token).for_each(|medium| medium.unlinked = true)
            }
            Event::Frozen { .. } => self.frozen = true,
            Event::Unfrozen { .. } => self.frozen = false,
            Event::TapDecided { tap, station, code, number, change, .. } => {
                let fact = self.fact_of_tap(tap, station, told(*code), number.unwrap_or(0), at);
                self.change(change, at, Some(&fact), |posting| (Some(posting) != *number).then(|| tap.id.tap_command()));
                self.insert(fact);
            }
            Event::TapRepeated { tap, station, code, number, .. } => {
                let fact = self.fact_of_tap(tap, station, told(*code), *number, at);
                self.insert(fact);
            }
            Event::PassageReported { tap, outcome, change, at: reported } => {
                self.report(tap, Passed::of(*outcome), *reported);
                self.change(change, at, None, |_| Some(tap.passage_command()));
            }
            Event::RecordTaken { record, station, clock, twin: _, change } => {
                let fact = self.fact_of_record(record, station, record.at + *clock, at);
                self.change(change, at, Some(&fact), |_| Some(record.tap.record_command()));
                self.insert(fact);
            }
            Event::RecordDoubted { .. } => {}
            Event::DenyTold { number } => self.deny_told(*number),
            Event::RecordAccepted { .. } => self.accept(event, at),
            Event::Adjusted { .. } => self.adjust(event, at),
            Event::JourneyClosed { until, change, command_id } => {
                self.closed_until = self.closed_until.max(*until);
                self.change(change, at, None, |_| Some(command_id.clone()));
            }
        }
        debug_assert!(!self.held().is_negative(), "an account holds less than nothing");
    }

    fn link(&mut self, token: &Token, medium: LinkedMedium) {
        match self.media.iter_mut().find(|known| known.token == *token) {
            Some(known) => *known = medium,
            None => self.media.push(medium),
        }
    }

    fn adjust(&mut self, event: &Event, at: Timestamp) {
        let Event::Adjusted { kind, station, at: was, tap, number, command_id, change, .. } = event else { return };
        self.numbered = self.numbered.max(*number);
        let mark = |kind| Mark { entry: tap.clone(), kind, station: station.clone(), at: *was };
        let added = |direction| desk_fact(tap, direction, station, *was, *number, at);
        let mut own = None;
        match kind {
            AdjustKind::AddEntry => own = Some(added(Direction::Entry)),
            AdjustKind::AddExit => own = Some(added(Direction::Exit)),
            AdjustKind::Overstay => self.marks.push(mark(MarkKind::OverstayCollected)),
            AdjustKind::Waive => self.marks.push(mark(MarkKind::Waived)),
        }
        self.change(change, at, own.as_ref(), |_| Some(command_id.clone()));
        own.into_iter().for_each(|fact| self.insert(fact));
    }

    fn fact_of_tap(&mut self, tap: &Tap, station: &StationId, told: Told, number: u64, at: Timestamp) -> Fact {
        let medium = self.media.iter().position(|medium| medium.token == tap.medium.token);
        let medium = medium.and_then(|place| u16::try_from(place).ok()).unwrap_or(u16::MAX);
        let (tap, direction, travelled) = (tap.id.clone(), tap.direction, tap.at);
        let passed = self.take_early(&tap);
        let recorded = Recorded::Nothing;
        Fact {
            at: travelled,
            direction,
            tap,
            station: station.clone(),
            medium,
            number,
            decided_at: at,
            told,
            passed,
            recorded,
            by_desk: false,
        }
    }

    fn accept(&mut self, event: &Event, at: Timestamp) {
        let Event::RecordAccepted { record, tap, station, at: was, doubt, command_id, by, change } = event else { return };
        let accepted =
            Accepted { record: record.clone(), station: station.clone(), at: *was, doubt: *doubt, tap: tap.clone(), by: by.clone() };
        let fact = self.accepted_fact(&accepted, at);
        self.marks.extend(self.counted(&accepted));
        self.change(change, at, Some(&fact), |_| Some(command_id.clone()));
        let before = self.facts.len();
        self.facts.retain(|known| known.tap != *tap || known.by_desk);
        if self.facts.len() != before {
            self.undecided = self.facts.iter().map(undecided).sum();
        }
        self.insert(fact);
    }

    fn fact_of_record(&mut self, record: &Record, station: &StationId, travelled: Timestamp, at: Timestamp) -> Fact {
        let mut fact = self.recorded_fact(record, station, travelled, at);
        fact.passed = fact.passed.and(self.take_early(&record.tap));
        fact
    }

    fn take_early(&mut self, tap: &TapId) -> Passed {
        if self.early.is_empty() {
            return Passed::Unknown;
        }
        let passed = self.early_passage(tap);
        self.early.retain(|early| early.tap != *tap);
        passed
    }

    fn report(&mut self, tap: &TapId, passed: Passed, at: Timestamp) {
        if let Some(fact) = self.facts.iter_mut().rev().find(|fact| fact.tap == *tap && !fact.by_desk) {
            fact.passed = fact.passed.and(passed);
        } else if let Some(early) = self.early.iter_mut().find(|early| early.tap == *tap) {
            early.passed = early.passed.and(passed);
        } else {
            self.early.push(EarlyPassage { tap: tap.clone(), passed, at });
        }
    }

    /// Puts a fact in its place by time of travel; one that is known already is replaced.
    fn insert(&mut self, fact: Fact) {
        self.numbered = self.numbered.max(fact.number);
        self.undecided += undecided(&fact);
        if self.facts.last().is_none_or(|last| last.order() < fact.order()) {
            return self.facts.push(fact);
        }
        match self.facts.binary_search_by(|known| known.order().cmp(&fact.order())) {
            Ok(place) => {
                self.undecided -= undecided(&self.facts[place]);
                self.facts[place] = fact;
            }
            Err(place) => self.facts.insert(place, fact),
        }
    }

    /// `own` = the event's own tap, `cause` = which command a posting of this number goes back to.
    fn change(&mut self, change: &Change, at: Timestamp, own: Option<&Fact>, cause: impl Fn(u64) -> Option<CommandId>) {
        for posting in &change.postings {
            self.post(posting, at, cause(posting.number));
        }
        if let Some(past) = &change.past {
            self.past.clone_from(past);
        }
        match &change.tail {
            Tail::Unchanged => {}
            Tail::Closed => self.open = None,
            Tail::Is(open) => self.open = Some((**open).clone()),
            Tail::Opened { hold, closes_at } => self.open = own.map(|fact| opened(fact, *hold, *closes_at)),
        }
    }

    fn post(&mut self, posting: &Posting, at: Timestamp, cause: Option<CommandId>) {
        let amount = posting.amount();
        self.balance -= amount;
        self.spend(posting.day, amount);
        self.numbered = self.numbered.max(posting.number);
        let operator = posting.operator().cloned().unwrap_or_default();
        self.posted.push(Posted {
            number: posting.number,
            journey: posting.journey.clone(),
            operator,
            amount,
            day: posting.day,
            at,
            cause,
        });
    }

    /// Adds to the totals of the newest day; a newer day begins them anew, an older one counts for its year at most.
    fn spend(&mut self, day: Day, amount: Amount) {
        let newest = self.spent.day.unwrap_or(day);
        if newest == day {
            self.spent.day_total += amount;
            self.spent.year_total += amount;
        } else if newest > day {
            self.spent.year_total += if newest.year() == day.year() { amount } else { Amount::ZERO };
        } else {
            let same_year = newest.year() == day.year();
            self.spent.day_total = amount;
            self.spent.year_total = if same_year { self.spent.year_total + amount } else { amount };
        }
        self.spent.day = Some(newest.max(day));
    }

    /// Lets go of taps that are kept no longer, and of what stood with them.
    pub(super) fn forget(&mut self, change: &Change) {
        let Some(before) = change.forget_before else { return };
        let gone = self.facts.partition_point(|fact| fact.at < before);
        self.facts.drain(..gone);
        self.kept_from = self.kept_from.max(before);
        if let Some(base) = &change.base {
            self.base.clone_from(base);
        }
        self.undecided = self.facts.iter().map(undecided).sum();
        let kept: HashSet<_> = self.facts.iter().map(|fact| journey_id(&fact.tap)).collect();
        self.posted.retain(|posted| kept.contains(&posted.journey));
        self.marks.retain(|mark| kept.contains(&journey_id(&mark.entry)));
        self.early.retain(|early| early.at >= before);
    }
}

fn undecided(fact: &Fact) -> u32 {
    u32::from(fact.told == Told::Nothing && !fact.by_desk)
}

fn opened(fact: &Fact, hold: Amount, closes_at: Timestamp) -> Open {
    let entry = Stop { tap: fact.tap.clone(), station: fact.station.clone(), at: fact.at };
    Open { entry, hold, closes_at, overstay_collected: false }
}

/// An entry or exit that the service desk added: final at once.
pub(super) fn desk_fact(tap: &TapId, direction: Direction, station: &StationId, at: Timestamp, number: u64, decided_at: Timestamp) -> Fact {
    let (tap, station) = (tap.clone(), station.clone());
    let (told, passed, recorded) = (Told::Nothing, Passed::Unknown, Recorded::Nothing);
    Fact { at, direction, tap, station, medium: u16::MAX, number, decided_at, told, passed, recorded, by_desk: true }
}
