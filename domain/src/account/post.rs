//! From journeys to postings: what a new fact changes, as the difference to what was posted before.
//!
//! The straight path (the newest tap by time of travel) is one step of the walk. Anything else walks twice, without and
//! with the new fact, and posts the difference for those journeys that came out differently; the others keep what was
//! posted, even if the world has moved on since.
use super::state::Account;
use super::{Change, Event, Tail};
use crate::fare::Past;
use crate::journey::{Arrived, Charged, Ended, Fact, Journey, Mark, Open, Rules, journeys};
use crate::ledger::{LedgerAccount, Posting, transfer};
use crate::money::Amount;
use crate::mutant::{Mutant, planted};
use crate::time::{Day, Timestamp};
use crate::world::World;
use compact_str::CompactString;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// Taps that an account keeps at most, however young: ten times what a diligent commuter makes in eight days.
pub const FACTS_MAX: usize = 256;
/// So many of the oldest are forgotten at once where there are too many.
const FACTS_FORGOTTEN: usize = 64;

/// What a new fact would do.
pub(super) struct Outlook {
    /// The postings and the open journey.
    pub(super) change: Change,
    /// What is open afterwards.
    pub(super) open: Option<Open>,
}

impl Outlook {
    /// What the rider pays altogether.
    pub(super) fn due(&self) -> Amount {
        self.change.postings.iter().map(Posting::amount).sum()
    }
    /// What is held afterwards.
    pub(super) fn hold(&self) -> Amount {
        self.open.as_ref().map_or(Amount::ZERO, |open| open.hold)
    }
    /// The largest single payment, the hold of the open journey included.
    pub(super) fn largest(&self) -> Amount {
        self.change.postings.iter().map(Posting::amount).fold(self.hold(), Amount::max)
    }
    /// What counts towards the limits of a day.
    pub(super) fn due_on(&self, day: Day) -> Amount {
        self.change.postings.iter().filter(|posting| posting.day == day).map(Posting::amount).sum()
    }
}

impl Account {
    /// What journeys depend on, as the account is now.
    #[must_use]
    pub fn rules<'a>(&'a self, world: &'a World) -> Rules<'a> {
        let passenger_class = self.holder.as_ref().map_or("", |holder| holder.passenger_class.as_str());
        let base = if planted(Mutant::LateRidesLast) { &self.past } else { &self.base };
        Rules { world, passenger_class, marks: &self.marks, closed_until: self.closed_until, base }
    }

    /// Is it the newest in the order of travel, so that one step of the walk is enough?
    pub(super) fn is_straight(&self, fact: &Fact) -> bool {
        fact.at >= self.closed_until
            && self.facts.last().is_none_or(|last| last.order() < fact.order())
            && self.marks.iter().all(|mark| mark.at < fact.at && self.open.as_ref().is_none_or(|open| open.entry.tap != mark.entry))
    }

    /// The newest tap that counts.
    pub(super) fn last_counting(&self) -> Option<&Fact> {
        self.facts.iter().rev().find(|fact| fact.counts())
    }

    /// The newest tap that counts and travelled before this one.
    pub(super) fn counting_before(&self, fact: &Fact) -> Option<&Fact> {
        self.facts.iter().rev().filter(|known| known.counts()).find(|known| known.order() < fact.order())
    }

    /// Where the newest tap leads from.
    pub(super) fn arrived(&self) -> Arrived {
        Arrived { open: self.open.clone(), past: self.past.clone() }
    }

    /// Where a tap leads from by its time of travel.
    pub(super) fn before(&self, rules: &Rules<'_>, fact: &Fact) -> Arrived {
        let before = self.facts.partition_point(|known| known.order() < fact.order());
        rules.walk(&self.facts[..before], drop)
    }

    /// The newest tap takes one step; `ended` and `arrived` are what that step gave.
    pub(super) fn extended(&self, arrived: Arrived, ended: &Ended, first_number: u64) -> Outlook {
        let Arrived { open, past } = arrived;
        let charges = ended.iter().flat_map(|journey| journey.charges.iter().map(|charged| (&journey.id, charged)));
        let postings = charges.zip(first_number..).map(|((journey, charged), number)| posting(number, journey, charged)).collect();
        let tail = match (&open, &self.open) {
            (Some(open), Some(before)) if open == before => Tail::Unchanged,
            (Some(open), _) => Tail::Opened { hold: open.hold, closes_at: open.closes_at },
            (None, Some(_)) => Tail::Closed,
            (None, None) => Tail::Unchanged,
        };
        Outlook { change: Change { postings, tail, past: self.changed_past(past), ..Change::default() }, open }
    }

    fn changed_past(&self, past: Past) -> Option<Box<Past>> {
        (past != self.past).then(|| Box::new(past))
    }

    /// What follows when the facts, the marks or the end of time become these.
    pub(super) fn recomputed(&self, world: &World, facts: &[Fact], marks: &[Mark], closed_until: Timestamp, first_number: u64) -> Outlook {
        let before = journeys(&self.facts, &self.rules(world)).0;
        let (after, Arrived { open, past }) = journeys(facts, &Rules { marks, closed_until, ..self.rules(world) });
        let postings = self.difference(&before, &after, first_number);
        let tail = match &open {
            open if *open == self.open => Tail::Unchanged,
            Some(open) => Tail::Is(Box::new(open.clone())),
            None => Tail::Closed,
        };
        Outlook { change: Change { postings, tail, past: self.changed_past(past), ..Change::default() }, open }
    }

    /// What follows from a fact that is new or has changed.
    pub(super) fn outlook(&self, world: &World, fact: &Fact, first_number: u64) -> Outlook {
        let known = self.facts.iter().position(|known| known.tap == fact.tap);
        let counted = known.is_some_and(|index| self.facts[index].counts());
        if counted == fact.counts() {
            return Outlook { change: Change::default(), open: self.open.clone() };
        }
        if known.is_none() && self.is_straight(fact) {
            let rules = self.rules(world);
            if self.last_counting().is_some_and(|last| rules.absorbs(last, fact)) {
                return Outlook { change: Change::default(), open: self.open.clone() };
            }
            let mut arrived = self.arrived();
            let ended = rules.step(&mut arrived, fact);
            return self.extended(arrived, &ended, first_number);
        }
        self.recomputed(world, &self.with(fact), &self.marks, self.closed_until, first_number)
    }

    /// The facts with this one in its place.
    pub(super) fn with(&self, fact: &Fact) -> Vec<Fact> {
        let mut facts: Vec<Fact> = self.facts.iter().filter(|known| known.tap != fact.tap).cloned().collect();
        let place = facts.partition_point(|known| known.order() < fact.order());
        facts.insert(place, fact.clone());
        facts
    }

    /// Postings that take what was posted to what the journeys say now, for those that came out differently.
    fn difference(&self, before: &[Journey], after: &[Journey], first_number: u64) -> Vec<Posting> {
        let changed = changed(before, after);
        let mut owed: BTreeMap<(&CompactString, Day, &CompactString), (Amount, Option<Timestamp>)> = BTreeMap::new();
        for journey in after.iter().filter(|journey| changed.contains(&journey.id)) {
            for charged in &journey.charges {
                let owes = owed.entry((&journey.id, charged.day, &charged.operator)).or_default();
                *owes = (owes.0 + charged.amount, Some(charged.fares_from));
            }
        }
        for posted in self.posted.iter().filter(|posted| changed.contains(&posted.journey)) {
            owed.entry((&posted.journey, posted.day, &posted.operator)).or_default().0 -= posted.amount;
        }
        let open = owed.into_iter().filter(|(_, (amount, _))| !amount.is_zero());
        open.zip(first_number..)
            .map(|(((journey, day, operator), (amount, fares_from)), number)| {
                let legs = transfer(LedgerAccount::Rider, LedgerAccount::Operator(operator.clone()), amount);
                Posting { number, journey: journey.clone(), day, fares_from, legs }
            })
            .collect()
    }

    /// What the rides of taps leave behind that are to be forgotten.
    fn left_behind(&self, world: &World, own: Option<&Fact>, before: Timestamp) -> Past {
        let touches = |own: &&Fact| own.at < before || self.facts.iter().any(|fact| fact.tap == own.tap);
        let facts = own.filter(touches).map_or(Cow::Borrowed(&self.facts[..]), |own| Cow::Owned(self.with(own)));
        let gone = facts.partition_point(|fact| fact.at < before);
        self.rules(world).walk(&facts[..gone], drop).past
    }

    /// Taps that travelled before this are to be forgotten, where it is time: only where an entry begins a journey anew, so
    /// that none is torn.
    pub(super) fn forget_before(&self, world: &World, now: Timestamp) -> Option<Timestamp> {
        let settings = &world.settings;
        let oldest = self.facts.first()?.at;
        let keep_from = now - settings.taps_kept;
        let too_many = (self.facts.len() >= FACTS_MAX).then(|| self.facts[FACTS_FORGOTTEN].at);
        // Half a day late on purpose: then a day of taps goes in one step, not each tap in its own.
        let too_old = (oldest < keep_from - crate::time::Millis::hours(12)).then_some(keep_from);
        let wanted = too_many.max(too_old)?;
        let from = self.facts.partition_point(|fact| fact.at < wanted);
        let fresh = self.facts[from..].windows(2).find(|pair| begins_anew(&pair[0], &pair[1], settings.retap_window));
        let cut = fresh.map_or(wanted, |pair| pair[1].at);
        Some(self.open.as_ref().map_or(cut, |open| cut.min(open.entry.at)))
    }
}

fn begins_anew(before: &Fact, fact: &Fact, retap_window: crate::time::Millis) -> bool {
    fact.direction == crate::tap::Direction::Entry && fact.counts() && fact.at - before.at > retap_window
}

fn posting(number: u64, journey: &CompactString, charged: &Charged) -> Posting {
    let operator = LedgerAccount::Operator(charged.operator.clone());
    let legs = transfer(LedgerAccount::Rider, operator, charged.amount);
    Posting { number, journey: journey.clone(), day: charged.day, fares_from: Some(charged.fares_from), legs }
}

/// Journeys that came out differently, by id.
fn changed<'a>(before: &'a [Journey], after: &'a [Journey]) -> BTreeSet<&'a CompactString> {
    let charges = |journeys: &'a [Journey]| journeys.iter().map(|journey| (&journey.id, journey)).collect::<BTreeMap<_, _>>();
    let (before, after) = (charges(before), charges(after));
    let differs = |id: &&CompactString| before.get(*id).map(|journey| &journey.charges) != after.get(*id).map(|journey| &journey.charges);
    before.keys().chain(after.keys()).copied().filter(differs).collect()
}

/// The commit that takes an event's change along with what is to be forgotten; `own` = the tap that the event adds.
pub(super) fn forgetting(account: &Account, world: &World, now: Timestamp, own: Option<&Fact>, mut change: Change) -> Change {
    change.forget_before = account.forget_before(world, now);
    if let Some(before) = change.forget_before.filter(|_| !planted(Mutant::PastForgotten)) {
        let base = account.left_behind(world, own, before);
        change.base = (base != account.base).then(|| Box::new(base));
    }
    change
}

/// What an event's postings cost the rider.
#[must_use]
pub fn paid(event: &Event) -> Amount {
    event.change().map_or(Amount::ZERO, |change| change.postings.iter().map(Posting::amount).sum())
}
