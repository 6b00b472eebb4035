//! What the world says about one place at one time of travel: its modes, its fares, its calendar, its operator.
use super::Charged;
use crate::fare::{Charge, FareVersion, Judge, Left, Past, Rule, Scheme, Stay, Trip};
use crate::id::{FareTableId, StationId};
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
    table: Option<&'a FareTableId>,
}

impl<'a> Scene<'a> {
    pub(crate) fn new(world: &'a World, id: &'a StationId, at: Timestamp) -> Self {
        let station = world.stations.get(id);
        let site = station.and_then(|station| world.sites.get(&station.site));
        let table = site.and_then(|site| world.fares.get_key_value(&site.fares));
        let version = table.and_then(|(_, table)| table.at(at));
        let currency = table.map(|(_, table)| table.currency);
        Self { world, id, at, station, site, currency, version, table: table.map(|(id, _)| id) }
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
    fn judge<'c>(&self, class: &'c str) -> Option<Judge<'c>>
    where
        'a: 'c,
    {
        Some(Judge { table: self.table?, version: self.version?, calendar: self.calendar(), class })
    }
    /// What leaving here costs who entered at another station and moment; it counts from now on.
    pub(crate) fn leave(&self, past: &mut Past, from: &StationId, begun: Timestamp, class: &str) -> Option<Left> {
        let trip = self.trip(from, self.id);
        let stay = Stay { begun, ended: self.at, waived: self.has(Mode::TimeWaived) };
        Some(self.judge(class)?.leave(past, &trip, stay, |scheme| self.dearest(scheme)))
    }
    /// What a ride from another station costs of which the entry is let pass; it counts from now on.
    pub(crate) fn arrive(&self, past: &mut Past, from: &StationId, class: &str) -> Option<(Amount, Rule)> {
        Some(self.judge(class)?.arrive(past, &self.trip(from, self.id), self.at))
    }
    /// What a ride with one tap costs here; it counts from now on.
    pub(crate) fn flat(&self, past: &mut Past, class: &str) -> Option<(Amount, Rule)> {
        Some(self.judge(class)?.flat(past, self.id, self.at))
    }
    /// What an entry here holds.
    pub(crate) fn hold(&self, past: &Past, class: &str) -> Amount {
        self.judge(class).map_or(Amount::ZERO, |judge| judge.hold(past, self.id, self.at))
    }
    /// What a policy charges here, for a passenger class.
    pub(crate) fn policy(&self, charge: Charge, passenger_class: &str) -> Amount {
        let judge = self.judge(passenger_class);
        judge.map_or(Amount::ZERO, |judge| judge.policy(charge, self.id, self.at, |scheme| self.dearest(scheme)))
    }
    /// The highest published fare from here, by the network.
    fn dearest(&self, scheme: &Scheme) -> Option<Amount> {
        self.neighbours().filter_map(|(id, _)| scheme.known(&self.version?.more.places, &self.trip(self.id, id))).max()
    }
    fn trip<'c>(&self, from: &'c StationId, to: &'c StationId) -> Trip<'c> {
        Trip { from, to, metres: self.world.distance_m(from, to) }
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
        let fare = |id| self.judge("").map(|judge| judge.alone(&self.trip(id, self.id), self.at));
        origins.min_by_key(|id| (fare(id), *id))
    }
    /// An amount that is charged here; none where it is nothing.
    pub(crate) fn charged(&self, amount: Amount) -> Option<Charged> {
        let (site, version) = (self.site?, self.version?);
        let charged = Charged { day: self.day(), operator: site.operator.clone(), amount, fares_from: version.from };
        (!amount.is_zero()).then_some(charged)
    }
}
