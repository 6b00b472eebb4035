//! What a fare version may have beside its prices, as it stands in a file: rush hours, concessions, zones, transfers, caps.
use super::{ChargeEntry, LadderEntry, Money, SchemeEntry};
use crate::site::Clock;
use rust_decimal::Decimal;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use tongdao_domain::fare::{
    Cap, Charge, Concession, Days, FareVersion, Limit, Location, Pairs, Pays, Period, Places, Rush, Scheme, Since, Transfer, Window,
};
use tongdao_domain::id::StationId;
use tongdao_domain::time::{Day, Millis};

/// Where a station lies.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PlaceEntry {
    #[serde(default)]
    zones: Vec<u8>,
    #[serde(default)]
    group: String,
}

/// The price between two zones or two stations, both ways unless said otherwise.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PairEntry<P> {
    from: P,
    to: P,
    fare: Money,
    #[serde(default)]
    one_way: bool,
}

/// Other prices at some hours.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RushEntry {
    windows: Vec<WindowEntry>,
    ladder: Option<LadderEntry>,
    flat: Option<Money>,
    zones: Option<Vec<PairEntry<u8>>>,
    matrix: Option<Vec<PairEntry<StationId>>>,
}

/// Hours of some days.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WindowEntry {
    #[serde(default)]
    days: DaysEntry,
    #[serde(default)]
    from: Moment,
    #[serde(default = "midnight")]
    until: Moment,
}

/// `mon-fri`, `sat,sun`, `holidays` or `all`.
#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
struct DaysEntry(Days);

/// `hh:mm`, up to 24:00.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(try_from = "String")]
struct Moment(Millis);

/// A class that pays another share at some hours.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ConcessionEntry {
    class: String,
    windows: Vec<WindowEntry>,
    percent: u32,
}

/// What a short stay at one station costs.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ShortStayEntry {
    below_minutes: u32,
    pays: ChargeEntry,
}

/// A further ride that follows soon.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TransferEntry {
    within_minutes: u32,
    #[serde(default)]
    since: SinceEntry,
    times_max: Option<u32>,
    #[serde(default)]
    between: Vec<(String, String)>,
    #[serde(default)]
    pays: PaysEntry,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum SinceEntry {
    #[default]
    FirstEntry,
    LastExit,
}

/// `free`, `difference`, a share such as `50 %`, or an amount that is taken off, such as `-1.00`.
#[derive(Debug, Default, Deserialize)]
#[serde(try_from = "String")]
enum PaysEntry {
    #[default]
    Free,
    Difference,
    Percent(u32),
    Off(Money),
}

/// At most so much in a while.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CapEntry {
    id: String,
    per: PeriodEntry,
    amount: Option<Money>,
    paid_rides: Option<u32>,
    #[serde(default)]
    classes: Vec<String>,
    zones: Option<(u8, u8)>,
    #[serde(default)]
    groups: Vec<String>,
}

/// `day`, `week` or `7 days`.
#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
struct PeriodEntry(Period);

const fn midnight() -> Moment {
    Moment(Millis::hours(24))
}

impl TryFrom<String> for Moment {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        if text == "24:00" { Ok(midnight()) } else { Clock::try_from(text).map(|clock| Self(clock.0)) }
    }
}

impl Default for DaysEntry {
    fn default() -> Self {
        Self(Days::ALL)
    }
}
impl TryFrom<String> for DaysEntry {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        const NAMES: [&str; 8] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun", "holidays"];
        let day = |name: &str| NAMES.iter().position(|known| *known == name.trim()).and_then(|n| u8::try_from(n).ok());
        let part = |part: &str| {
            let (from, to) = part.split_once('-').unwrap_or((part, part));
            Some(Days::range(day(from)?, day(to)?))
        };
        let parts: Option<Vec<Days>> = text.split(',').map(part).collect();
        match parts.and_then(|parts| parts.into_iter().reduce(Days::and)) {
            _ if text == "all" => Ok(Self(Days::ALL)),
            Some(days) => Ok(Self(days)),
            None => Err(format!("expected days such as mon-fri, sat,sun, holidays or all, not {text:?}")),
        }
    }
}

impl TryFrom<String> for PaysEntry {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        let wrong = || format!("expected free, difference, a share such as \"50 %\" or an amount off such as \"-1.00\", not {text:?}");
        match text.as_str() {
            "free" => Ok(Self::Free),
            "difference" => Ok(Self::Difference),
            other => match (other.strip_suffix('%'), other.strip_prefix('-')) {
                (Some(percent), _) => percent.trim().parse().ok().filter(|percent| *percent <= 100).map(Self::Percent).ok_or_else(wrong),
                (_, Some(off)) => Money::try_from(off.to_owned()).map(Self::Off).map_err(|_| wrong()),
                _ => Err(wrong()),
            },
        }
    }
}

impl TryFrom<String> for PeriodEntry {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        let days = || text.strip_suffix("days").and_then(|days| days.trim().parse().ok()).filter(|days| (1..=366).contains(days));
        match text.as_str() {
            "day" => Ok(Self(Period::Day)),
            "week" => Ok(Self(Period::Week)),
            _ => days().map(|days| Self(Period::Rolling(days))).ok_or_else(|| format!("expected day, week or \"7 days\", not {text:?}")),
        }
    }
}

impl From<&PlaceEntry> for Location {
    fn from(entry: &PlaceEntry) -> Self {
        Self { zones: entry.zones.iter().copied().collect(), group: entry.group.as_str().into() }
    }
}

/// Every entry, or what is wrong with the first that is wrong.
pub(super) fn each<T, U>(entries: Vec<T>, into: impl Fn(T) -> Result<U, String>) -> Result<Vec<U>, String> {
    entries.into_iter().map(into).collect()
}

pub(super) fn pairs<P: Ord + Clone + std::fmt::Display>(entries: Vec<PairEntry<P>>) -> Result<Pairs<P>, String> {
    let mut pairs = Pairs::default();
    for entry in &entries {
        let twice = pairs.set(&entry.from, &entry.to, entry.fare.0).is_some();
        let back = !entry.one_way && entry.from != entry.to && pairs.set(&entry.to, &entry.from, entry.fare.0).is_some();
        if twice || back {
            return Err(format!("from {} to {} stands twice: say each once, or `one_way = true` on both", entry.from, entry.to));
        }
    }
    if entries.is_empty() { Err("there is no price: give at least one pair".to_owned()) } else { Ok(pairs) }
}

fn windows(entries: &[WindowEntry]) -> Result<Vec<Window>, String> {
    let windows: Vec<_> = entries.iter().map(|e| Window { days: e.days.0, from: e.from.0, until: e.until.0 }).collect();
    match windows.iter().all(|window| window.from < window.until && window.from.0 >= 0) {
        true if !windows.is_empty() => Ok(windows),
        true => Err("`windows` is empty: give days and hours".to_owned()),
        false => Err("a window begins before it ends; one over midnight is two".to_owned()),
    }
}

impl RushEntry {
    pub(super) fn into_domain(self) -> Result<Rush, String> {
        let windows = windows(&self.windows)?;
        let scheme = SchemeEntry { ladder: self.ladder, flat: self.flat, zones: self.zones, matrix: self.matrix };
        Ok(Rush { windows, scheme: scheme.into_domain()? })
    }
}

impl ConcessionEntry {
    pub(super) fn into_domain(self) -> Result<Concession, String> {
        if self.percent > 1000 {
            return Err("a class pays a share in per cent, from 0 to 1000".to_owned());
        }
        Ok(Concession { windows: windows(&self.windows)?, class: self.class.into(), percent: self.percent.into() })
    }
}

impl TransferEntry {
    pub(super) fn into_domain(self) -> Result<Transfer, String> {
        let since = match self.since {
            SinceEntry::FirstEntry => Since::FirstEntry,
            SinceEntry::LastExit => Since::LastExit,
        };
        let pays = match self.pays {
            PaysEntry::Free => Pays::Free,
            PaysEntry::Difference => Pays::Difference,
            PaysEntry::Percent(percent) => Pays::Percent(Decimal::from(percent)),
            PaysEntry::Off(Money(off)) => Pays::Off(off),
        };
        let between = self.between.into_iter().map(|(from, to)| (from.into(), to.into())).collect();
        Ok(Transfer { within: Millis::minutes(self.within_minutes.into()), since, times_max: self.times_max, between, pays })
    }
}

pub(super) fn short_stays(entries: Vec<ShortStayEntry>) -> Result<Vec<(Millis, Charge)>, &'static str> {
    if entries.windows(2).any(|pair| pair[0].below_minutes >= pair[1].below_minutes) {
        return Err("stays stand by rising `below_minutes`");
    }
    Ok(entries.into_iter().map(|entry| (Millis::minutes(entry.below_minutes.into()), entry.pays.into())).collect())
}

pub(super) fn caps(entries: Vec<CapEntry>) -> Result<Vec<Cap>, String> {
    let mut names = BTreeSet::new();
    if let Some(twice) = entries.iter().find(|entry| !names.insert(entry.id.clone())) {
        return Err(format!("cap {:?} stands twice: each has its own `id`", twice.id));
    }
    each(entries, CapEntry::into_domain)
}

impl CapEntry {
    fn into_domain(self) -> Result<Cap, String> {
        let limit = match (self.amount, self.paid_rides) {
            (Some(Money(amount)), None) => Limit::Amount(amount),
            (None, Some(rides)) => Limit::PaidRides(rides),
            _ => return Err(format!("cap {:?}: give either `amount` or `paid_rides`", self.id)),
        };
        let names = |names: Vec<String>| names.into_iter().map(Into::into).collect();
        let (classes, groups) = (names(self.classes), self.groups.into_iter().map(Into::into).collect());
        Ok(Cap { id: self.id.into(), per: self.per.0, limit, classes, zones: self.zones, groups })
    }
}

pub(super) fn holidays(dates: &[toml::value::Datetime]) -> Result<BTreeSet<Day>, String> {
    let day = |date: &toml::value::Datetime| {
        let day = date.date.filter(|_| date.time.is_none() && date.offset.is_none());
        let day = day.and_then(|date| Day::of_date(date.year.into(), date.month, date.day));
        day.ok_or_else(|| format!("give dates such as 2026-01-01, not {date}"))
    };
    dates.iter().map(day).collect()
}

/// Does a version hold together? Else the key and what is wrong with it.
pub(super) fn check(version: &FareVersion) -> Result<(), (&'static str, String)> {
    if version.more.rush.iter().any(|rush| matches!(rush.scheme, Scheme::Flat(_)) != version.is_flat()) {
        return Err(("rush", "one tap opens and closes a journey at every hour or at none: `flat` stands in all of them".to_owned()));
    }
    let groups: BTreeSet<&str> = version.more.places.values().map(|place| place.group.as_str()).chain([""]).collect();
    let between = version.more.transfers.iter().flat_map(|transfer| &transfer.between).flat_map(|(from, to)| [from, to]);
    let unknown = between.chain(version.more.caps.iter().flat_map(|cap| &cap.groups)).find(|group| !groups.contains(group.as_str()));
    if let Some(group) = unknown {
        return Err(("stations", format!("no station is of the group {group:?}")));
    }
    version.schemes().try_for_each(|scheme| priced(scheme, &version.more.places))
}

/// Any two places of it have a price.
fn priced(scheme: &Scheme, places: &Places) -> Result<(), (&'static str, String)> {
    let Scheme::Zones(pairs) = scheme else { return Ok(()) };
    let zones: BTreeMap<u8, &StationId> = places.iter().flat_map(|(id, place)| place.zones.iter().map(move |zone| (*zone, id))).collect();
    if let Some((id, _)) = places.iter().find(|(_, place)| place.zones.is_empty()) {
        return Err(("stations", format!("{id} lies in no zone")));
    }
    let missing = zones.keys().flat_map(|from| zones.keys().map(move |to| (from, to))).find(|(from, to)| pairs.get(from, to).is_none());
    missing.map_or(Ok(()), |(from, to)| Err(("zones", format!("there is no price from zone {from} to zone {to}"))))
}
