//! What an account's journeys would have cost under another fare table: the very walk that prices taps, over the very taps,
//! beside the account as its events make it. What was paid is what was posted.
//!
//! It looks only. A table that would have refused somebody (a stay too long, the same station) is not asked: what has
//! happened has happened, and is priced.
use super::Event;
use super::state::Account;
use crate::fare::Past;
use crate::journey::scene::Scene;
use crate::journey::{Fact, Journey, JourneyState, Rules, journey_id, journeys};
use crate::money::Amount;
use crate::time::{Day, Timestamp};
use crate::world::World;

/// An account beside which another table counts.
#[derive(Debug, Clone, Default)]
pub struct Shadow {
    account: Account,
    /// What rides before the taps that are kept left behind under the other table.
    past: Past,
}

/// A journey that has ended, and what it cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compared {
    /// As the other table prices it.
    pub journey: Journey,
    /// What was posted for it.
    pub paid: Amount,
    /// The business day that it began on.
    pub day: Day,
}

impl Shadow {
    /// Takes the next event of the account; tells of the journeys whose taps are forgotten with it. `world` has the other
    /// table, and modes as they came to be known.
    pub fn take(&mut self, event: &Event, at: Timestamp, world: &World, each: impl FnMut(Compared)) {
        self.account.absorb(event, at);
        if let Some((change, before)) = event.change().and_then(|change| Some((change, change.forget_before?))) {
            self.tell(world, |fact| fact.at < before, each);
            let gone = self.account.facts.partition_point(|fact| fact.at < before);
            self.past = self.rules(world).walk(&self.account.facts[..gone], drop).past;
            self.account.forget(change);
        }
    }

    /// Tells of the journeys whose taps are still known.
    pub fn finish(&self, world: &World, each: impl FnMut(Compared)) {
        self.tell(world, |_| true, each);
    }

    /// Which share of the published fare its holder pays.
    #[must_use]
    pub fn passenger_class(&self) -> &str {
        self.account.holder.as_ref().map_or("", |holder| &holder.passenger_class)
    }

    fn rules<'a>(&'a self, world: &'a World) -> Rules<'a> {
        Rules { base: &self.past, ..self.account.rules(world) }
    }

    /// Journeys that have ended and began with one of these taps.
    fn tell(&self, world: &World, of: impl Fn(&Fact) -> bool, each: impl FnMut(Compared)) {
        let begun: std::collections::HashSet<_> =
            self.account.facts.iter().filter(|fact| of(fact)).map(|fact| journey_id(&fact.tap)).collect();
        let (walked, _) = journeys(&self.account.facts, &self.rules(world));
        let ended = walked.into_iter().filter(|journey| journey.state != JourneyState::Open && begun.contains(&journey.id));
        ended.filter_map(|journey| self.compared(world, journey)).for_each(each);
    }

    fn compared(&self, world: &World, journey: Journey) -> Option<Compared> {
        let first = journey.entry.as_ref().or(journey.exit.as_ref())?;
        let day = Scene::new(world, &first.station, first.at).calendar().business_day(first.at);
        let posted = self.account.posted.iter().filter(|posted| posted.journey == journey.id);
        let paid = posted.map(|posted| posted.amount).sum();
        Some(Compared { journey, paid, day })
    }
}
