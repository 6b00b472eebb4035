//! `overview:{site}` and `overview:all`: is the city well? Counts what passes by and tells it once a second.
use super::atlas::Atlas;
use super::tapped::Tapped;
use crate::console::hub::{Board, Out};
use serde_json::Value;
use std::collections::{BTreeMap, VecDeque};
use tongdao_domain::account;
use tongdao_domain::id::{SiteId, StationId};
use tongdao_domain::machine::Event;
use tongdao_domain::money::{Amount, Currency};
use tongdao_domain::time::{Calendar, Day, Timestamp};
use tongdao_domain::world::World;
use tongdao_protocol::console::board::{
    self, Alarms, Figures, Latency, Online, OverviewEvent, OverviewSnapshot, Remote, Series, StationFigures, StationRow, keys,
};
use tongdao_protocol::gate::StationMode;
use tongdao_protocol::money::Money;
use tongdao_telemetry::TimesSample;

/// Values of the series; a second each.
const SERIES_S: usize = 300;
/// Refusals and latencies are of so many seconds.
const RECENT_S: usize = 60;

/// Latencies of the last minute, of a site or of all.
#[derive(Debug, Clone)]
struct Times {
    last: TimesSample,
    seconds: VecDeque<TimesSample>,
}

/// Latencies of each site and of all together.
#[derive(Debug, Clone, Default)]
pub struct AllTimes(BTreeMap<Option<String>, Times>);

/// How long answers took, of a site or (none) of all together; what is missing had none.
pub type Recents = BTreeMap<Option<String>, Recent>;

impl AllTimes {
    /// A second has passed: these are all counts since the start, by site.
    pub fn beat(&mut self, sites: BTreeMap<String, TimesSample>) -> Recents {
        let mut all = TimesSample::zero();
        sites.values().for_each(|sample| all.add(sample));
        let sites = sites.into_iter().map(|(site, sample)| (Some(site), sample));
        let every = sites.chain([(None, all)]);
        every
            .map(|(site, now)| {
                let times = self.0.entry(site.clone()).or_insert_with(|| Times::new(TimesSample::zero()));
                (site, times.beat(now))
            })
            .collect()
    }
}

/// The latencies that an overview shows.
#[derive(Debug, Clone)]
pub struct Recent {
    /// Of the last minute.
    pub minute: TimesSample,
    /// p99 of the last second.
    pub p99_ms: Option<f64>,
}

impl Times {
    /// From a first sample on.
    const fn new(now: TimesSample) -> Self {
        Self { last: now, seconds: VecDeque::new() }
    }
    /// A second has passed.
    fn beat(&mut self, now: TimesSample) -> Recent {
        let second = now.since(&self.last);
        self.last = now;
        let p99_ms = second.quantile_ms(0.99);
        self.seconds.push_back(second);
        if self.seconds.len() > RECENT_S {
            self.seconds.pop_front();
        }
        let mut minute = TimesSample::zero();
        self.seconds.iter().for_each(|second| minute.add(second));
        Recent { minute, p99_ms }
    }
}

/// A station as it is counted.
struct Counted {
    row: StationRow,
    taps: u32,
}

/// See the module.
pub struct Overview {
    site: Option<String>,
    rev: u64,
    deadline_ms: u32,
    calendar: Calendar,
    stations: BTreeMap<StationId, Counted>,
    links: Vec<(String, String)>,
    figures: Figures,
    taps: u32,
    refused: BTreeMap<&'static str, u64>,
    refusals: VecDeque<BTreeMap<&'static str, u64>>,
    series: VecDeque<(f64, Option<f64>)>,
    series_end: Timestamp,
    day: Option<Day>,
    posted: Amount,
    journeys: u64,
}

impl Overview {
    /// The stations of one site, or of all.
    #[must_use]
    pub fn new(world: &World, atlas: &Atlas, site: Option<&SiteId>, deadline_ms: u32, now: Timestamp) -> Self {
        let here = |id: &SiteId| site.is_none_or(|site| site == id);
        let stations = world.stations.iter().filter(|(_, view)| here(&view.site)).map(|(id, view)| {
            let place = atlas.place(id);
            let figures = StationFigures {
                modes: view.state.modes.iter().map(|mode| StationMode::from(*mode)).collect(),
                of: u32::try_from(view.gates.len()).unwrap_or(u32::MAX),
                ..StationFigures::default()
            };
            let name = view.names.iter().map(|(language, name)| (language.to_string(), name.to_string())).collect();
            let row = StationRow { station: id.as_str().to_owned(), name, x: place.x, y: place.y, line: place.line.clone(), figures };
            (id.clone(), Counted { row, taps: 0 })
        });
        let stations: BTreeMap<_, _> = stations.collect();
        let links = atlas.links().iter().filter(|(from, _)| stations.contains_key(from));
        let links = links.map(|(from, to)| (from.as_str().to_owned(), to.as_str().to_owned())).collect();
        let calendar = world.sites.iter().find(|(id, _)| here(id)).map_or(Calendar::SHANGHAI, |(_, site)| site.calendar);
        let mut overview = Self {
            site: site.map(ToString::to_string),
            rev: 0,
            deadline_ms,
            calendar,
            stations,
            links,
            figures: Figures {
                taps_s: 0.0,
                p50_ms: None,
                p99_ms: None,
                refusals: BTreeMap::new(),
                gates: Online::default(),
                alarms: Alarms::default(),
                money: board::Money { business_day: String::new(), posted: Money::of(Amount::ZERO, Currency::CNY), journeys: 0 },
                latency: Latency { bounds_ms: TimesSample::bounds_ms(), counts: TimesSample::zero().counts().to_vec() },
            },
            taps: 0,
            refused: BTreeMap::new(),
            refusals: VecDeque::new(),
            series: VecDeque::new(),
            series_end: now,
            day: None,
            posted: Amount::ZERO,
            journeys: 0,
        };
        overview.new_day(now);
        overview
    }

    /// A tap was decided.
    pub fn tapped(&mut self, tap: &Tapped<'_>) {
        let Some(station) = tap.station.and_then(|station| self.stations.get_mut(station)) else { return };
        station.taps += 1;
        self.taps += 1;
        if !tap.code.opens() {
            *self.refused.entry(tap.code.name()).or_default() += 1;
        }
    }

    /// Money that moved at one of its stations.
    pub fn posted(&mut self, event: &account::Event, at: Timestamp) {
        let Some(change) = event.change().filter(|change| !change.postings.is_empty()) else { return };
        if !self.station_of(event).is_none_or(|station| self.stations.contains_key(station)) {
            return;
        }
        self.new_day(at);
        self.posted += change.postings.iter().map(tongdao_domain::ledger::Posting::amount).sum::<Amount>();
        self.journeys += u64::from(matches!(event, account::Event::TapDecided { fare: Some(_), .. }));
    }

    const fn station_of<'a>(&self, event: &'a account::Event) -> Option<&'a StationId> {
        match event {
            account::Event::TapDecided { station, .. }
            | account::Event::RecordTaken { station, .. }
            | account::Event::RecordAccepted { station, .. }
            | account::Event::Adjusted { station, .. } => Some(station),
            _ => None,
        }
    }

    /// The money of a business day begins anew.
    fn new_day(&mut self, at: Timestamp) {
        let day = self.calendar.business_day(at);
        if self.day.is_none_or(|present| day > present) {
            (self.day, self.posted, self.journeys) = (Some(day), Amount::ZERO, 0);
            self.figures.money.business_day = day.to_string();
        }
    }

    /// What an earlier part of the day had posted, read afterwards.
    pub fn add_earlier(&mut self, event: &Event, at: Timestamp) {
        if let Event::Account(event) = event
            && self.day == Some(self.calendar.business_day(at))
        {
            self.posted(event, at);
        }
    }

    /// A station's modes have changed.
    pub fn modes(&mut self, station: &StationId, modes: Vec<StationMode>, by: Option<String>, at: Timestamp, rev: u64, out: &mut Out<'_>) {
        let Some(counted) = self.stations.get_mut(station) else { return };
        if counted.row.figures.modes == modes {
            return;
        }
        counted.row.figures.modes.clone_from(&modes);
        self.rev = rev;
        out.event(at, None, OverviewEvent::Mode { station: station.as_str().to_owned(), modes, by });
    }

    /// A second has passed: counts become figures. `online` = gates with a link by station; `alarms` = not over, by station.
    pub fn beat(
        &mut self,
        now: Timestamp,
        recents: &Recents,
        online: &BTreeMap<StationId, u32>,
        alarms: &[(Option<StationId>, bool)],
        out: &mut Out<'_>,
    ) {
        self.new_day(now);
        let taps = f64::from(std::mem::take(&mut self.taps));
        self.refusals.push_back(std::mem::take(&mut self.refused));
        if self.refusals.len() > RECENT_S {
            self.refusals.pop_front();
        }
        let recent = recents.get(&self.site);
        self.series.push_back((taps, recent.and_then(|recent| recent.p99_ms).filter(|_| taps > 0.0)));
        self.series_end = now;
        if self.series.len() > SERIES_S {
            self.series.pop_front();
        }
        let figures = &mut self.figures;
        figures.taps_s = taps;
        let quantile = |share| recent.and_then(|recent| recent.minute.quantile_ms(share));
        (figures.p50_ms, figures.p99_ms) = (quantile(0.5), quantile(0.99));
        figures.latency.counts = recent.map_or_else(|| TimesSample::zero().counts().to_vec(), |recent| recent.minute.counts().to_vec());
        figures.refusals = BTreeMap::new();
        for (code, count) in self.refusals.iter().flatten() {
            *figures.refusals.entry((*code).to_owned()).or_default() += count;
        }
        figures.money.posted = Money::of(self.posted, Currency::CNY);
        figures.money.journeys = self.journeys;
        let changed = Self::beat_stations(&mut self.stations, online, alarms);
        let rows = self.stations.values().map(|counted| &counted.row.figures);
        figures.gates = rows.fold(Online::default(), |sum, row| Online { online: sum.online + row.online, of: sum.of + row.of });
        let here = |station: &Option<StationId>| station.as_ref().is_none_or(|station| self.stations.contains_key(station));
        let count = |acked| u32::try_from(alarms.iter().filter(|(station, is)| here(station) && *is == acked).count()).unwrap_or(u32::MAX);
        self.figures.alarms = Alarms { raised: count(false), acked: count(true) };
        out.state(keys::FIGURES, &self.figures);
        if changed && out.is_heard() {
            let all: BTreeMap<&str, &StationFigures> =
                self.stations.iter().map(|(id, counted)| (id.as_str(), &counted.row.figures)).collect();
            out.state(keys::STATIONS, all);
        }
    }

    /// Has any station changed?
    fn beat_stations(
        stations: &mut BTreeMap<StationId, Counted>,
        online: &BTreeMap<StationId, u32>,
        alarms: &[(Option<StationId>, bool)],
    ) -> bool {
        let mut changed = false;
        for (id, counted) in stations {
            let figures = &mut counted.row.figures;
            let before = figures.clone();
            figures.taps_s = f64::from(std::mem::take(&mut counted.taps));
            figures.online = online.get(id).copied().unwrap_or(0);
            figures.alarms = u32::try_from(alarms.iter().filter(|(station, _)| station.as_ref() == Some(id)).count()).unwrap_or(u32::MAX);
            changed |= before != *figures;
        }
        changed
    }
}

impl Board for Overview {
    fn snapshot(&self, now: Timestamp) -> Value {
        let length = i64::try_from(self.series.len()).unwrap_or(0);
        let snapshot = OverviewSnapshot {
            rev: self.rev,
            at: now.into(),
            figures: self.figures.clone(),
            deadline_ms: self.deadline_ms,
            waiting: 0,
            serving: 0,
            remote: Remote::default(),
            stations: self.stations.values().map(|counted| counted.row.clone()).collect(),
            links: self.links.clone(),
            series: Series {
                t0: Timestamp(self.series_end.0 - 1000 * length).into(),
                step_s: 1,
                taps: self.series.iter().map(|(taps, _)| *taps).collect(),
                p99: self.series.iter().map(|(_, p99)| *p99).collect(),
            },
        };
        serde_json::to_value(snapshot).unwrap_or_default()
    }
}
