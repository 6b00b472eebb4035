//! What the world says about one place at one time of travel: its modes, its fares, its calendar, its operator.
use super::Charged;
use crate::fare::{Charge, FareVersion};
use crate::id::StationId;
use crate::money::{Amount, Currency};
use crate::mutant::{Mutant, planted};
use crate::station::Mode;
use crate::time::{Calendar, Day, Timestamp};
use crate::world::{Site, StationView, World};

/// A place at a time of travel. A station that the site files no longer know has no fares: it charges nothing.
#[derive(Clone, Copy)]
pub(crate) struct Scene<'a> {
    world: &'a World,
    id: &'a StationId,
    at: Timestamp,
    station: Option<&'a StationView>,
    site: Option<&'a Site>,
    /// The currency of its fares.
    pub(crate) currency: Option<Currency>,
    /// The version of the fare table in effect.
    pub(crate) version: Option<&'a FareVersion>,
}

impl<'a> Scene<'a> {
    pub(crate) fn new(world: &'a World, id: &'a StationId, at: Timestamp) -> Self {
        let station = world.stations.get(id);
        let site = station.and_then(|station| world.sites.get(&station.site));
        let table = site.and_then(|site| world.fares.get(&site.fares));
        let version = table.and_then(|table| table.at(at));
        Self { world, id, at, station, site, currency: table.map(|table| table.currency), version }
    }
    pub(crate) fn has(&self, mode: Mode) -> bool {
        self.station.is_some_and(|station| !station.state.history.is_empty() && station.state.modes_at(self.at).contains(&mode))
    }
    /// Revision of the modes that are looked at.
    pub(crate) fn mode_rev(&self) -> u64 {
        self.station.map_or(0, |station| station.state.history.iter().rev().find(|span| span.from <= self.at).map_or(0, |span| span.rev))
    }
    /// Does leaving here cost nothing?
    pub(crate) fn free_to_leave(&self) -> bool {
        (self.has(Mode::Emergency) && !planted(Mutant::EmergencyCharges)) || self.has(Mode::FareWaived)
    }
    pub(crate) fn calendar(&self) -> Calendar {
        self.site.map_or(Calendar::SHANGHAI, |site| site.calendar)
    }
    pub(crate) fn day(&self) -> Day {
        self.calendar().local_day(self.at)
    }
    /// When a journey that begins here closes without an exit.
    pub(crate) fn closes_at(&self) -> Timestamp {
        let calendar = self.calendar();
        calendar.business_day_end(calendar.business_day(self.at)) + self.world.settings.missing_exit_after
    }
    /// The price of a ride from another station to this one, for a passenger class.
    pub(crate) fn ride_from(&self, from: &StationId, passenger_class: &str) -> Amount {
        let published = |version: &FareVersion| version.for_class(version.published(self.world.distance_m(from, self.id)), passenger_class);
        self.version.map_or(Amount::ZERO, published)
    }
    /// What a policy charges here, for a passenger class.
    pub(crate) fn policy(&self, charge: Charge, passenger_class: &str) -> Amount {
        let Some(version) = self.version else { return Amount::ZERO };
        match charge {
            Charge::Free => Amount::ZERO,
            Charge::Fixed(amount) => amount,
            Charge::Lowest => version.for_class(version.lowest(), passenger_class),
            Charge::Highest => version.for_class(self.highest(version), passenger_class),
        }
    }
    fn highest(&self, version: &FareVersion) -> Amount {
        let fares =
            self.neighbours().filter_map(|(id, _)| self.world.distance_m(self.id, id)).map(|metres| version.published(Some(metres)));
        fares.max().unwrap_or_else(|| version.lowest())
    }
    /// Every station of the same site.
    fn neighbours(&self) -> impl Iterator<Item = (&'a StationId, &'a StationView)> {
        let site = self.station.map(|station| &station.site);
        self.world.stations.iter().filter(move |(_, station)| Some(&station.site) == site)
    }
    /// Where a rider without entry came from, as far as modes say: the station with its order of taps waived from which the
    /// ride here is cheapest.
    pub(crate) fn waived_origin(&self) -> Option<&'a StationId> {
        let waived =
            |station: &StationView| !station.state.history.is_empty() && station.state.modes_at(self.at).contains(&Mode::OrderWaived);
        let origins = self.neighbours().filter(|(_, station)| waived(station)).map(|(id, _)| id);
        origins.min_by_key(|id| (self.version.map(|version| version.published(self.world.distance_m(id, self.id))), *id))
    }
    /// An amount that is charged here; none where it is nothing.
    pub(crate) fn charged(&self, amount: Amount) -> Option<Charged> {
        let (site, version) = (self.site?, self.version?);
        let charged = Charged { day: self.day(), operator: site.operator.clone(), amount, fares_from: version.from };
        (!amount.is_zero()).then_some(charged)
    }
}
