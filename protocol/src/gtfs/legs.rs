//! Which ride has which price: `fare_leg_rules.txt` over the areas of `stop_areas.txt`. A feed without areas in its rules has
//! one price for all; where each area is one station, prices go by stations; else areas are zones.
use super::products::Products;
use super::times::Times;
use super::{Fault, Feed};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use tongdao_domain::id::StationId;
use tongdao_domain::money::Amount;

const FILE: &str = "fare_leg_rules.txt";

#[derive(Debug, Deserialize)]
struct Rule {
    #[serde(default)]
    leg_group_id: String,
    #[serde(default)]
    network_id: String,
    #[serde(default)]
    from_area_id: String,
    #[serde(default)]
    to_area_id: String,
    #[serde(default)]
    from_timeframe_group_id: String,
    #[serde(default)]
    to_timeframe_group_id: String,
    fare_product_id: String,
    #[serde(default)]
    rule_priority: Option<u32>,
}

#[derive(Deserialize)]
struct Stop {
    stop_id: String,
    #[serde(default)]
    location_type: String,
    #[serde(default)]
    parent_station: String,
}

#[derive(Deserialize)]
struct StopArea {
    area_id: String,
    stop_id: String,
}

/// What prices go by.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Places {
    /// Nothing: one price.
    None,
    /// Zones by number from 1, and the stations of each.
    Zones(BTreeMap<StationId, Vec<u8>>),
    /// Each station by itself.
    Stations,
}

/// Prices at some hours.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Scheme {
    /// One for all.
    Flat(Amount),
    /// From, to, price, this way alone; names as the fare file has them.
    Pairs(Vec<(String, String, Amount, bool)>),
}

pub(super) struct Legs {
    rules: Vec<(u64, Rule)>,
    /// Empty fields match everything, and the highest priority counts; else an empty field matches what no rule names.
    by_priority: bool,
    /// Areas that stations lie in, with their names in the fare file; empty name = in no area.
    areas: Vec<(String, String)>,
    pub(super) places: Places,
}

/// The schemes of a table: the version's own, then those of hours by their group.
pub(super) type Schemes = (Scheme, Vec<(String, Scheme)>);

pub(super) fn read(feed: &Feed, products: &Products) -> Result<Legs, Fault> {
    let rules = feed.rows::<Rule>(FILE)?;
    let Some((_, first)) = rules.first() else { return Err(Fault::new(FILE, 0, "there is no rule")) };
    for (line, rule) in &rules {
        let refuse = |what: String| Err(Fault::new(FILE, *line, what));
        if rule.network_id != first.network_id {
            return refuse("prices by network have no counterpart: a table is for one network".to_owned());
        }
        if !rule.to_timeframe_group_id.is_empty() {
            return refuse("prices by the hour of the exit have no counterpart: the entry's counts".to_owned());
        }
        if let Err(what) = products.published(&rule.fare_product_id) {
            return refuse(what);
        }
    }
    let by_priority = feed.has_column(FILE, "rule_priority");
    let (areas, places) = places(feed, &rules)?;
    Ok(Legs { rules, by_priority, areas, places })
}

/// Areas with their names in the fare file, and what prices go by.
fn places(feed: &Feed, rules: &[(u64, Rule)]) -> Result<(Vec<(String, String)>, Places), Fault> {
    if rules.iter().all(|(_, rule)| rule.from_area_id.is_empty() && rule.to_area_id.is_empty()) {
        return Ok((vec![(String::new(), String::new())], Places::None));
    }
    let stations = stations(feed)?;
    let areas: BTreeSet<&String> = stations.values().flatten().collect();
    let named = rules.iter().flat_map(|(line, rule)| [(line, &rule.from_area_id), (line, &rule.to_area_id)]);
    if let Some((line, area)) = named.filter(|(_, area)| !area.is_empty()).find(|(_, area)| !areas.contains(area)) {
        return Err(Fault::new(FILE, *line, format!("no stop lies in the area {area:?}")));
    }
    let alone = |area: &&String| stations.values().filter(|of| of.contains(*area)).count() == 1;
    if stations.values().all(|of| of.len() == 1) && areas.iter().all(alone) {
        let names = stations.iter().flat_map(|(station, of)| of.iter().map(|area| (area.clone(), station.to_string())));
        return Ok((names.collect(), Places::Stations));
    }
    let numbered: Vec<(String, String)> = areas.into_iter().cloned().zip((1..=u8::MAX).map(|zone| zone.to_string())).collect();
    let number: HashMap<&String, u8> = numbered.iter().map(|(area, _)| area).zip(1..=u8::MAX).collect();
    let zones = stations.iter().map(|(station, of)| {
        let zones: Option<Vec<u8>> = of.iter().map(|area| number.get(area).copied()).collect();
        zones.map(|zones| (station.clone(), zones)).ok_or_else(|| Fault::new("areas.txt", 0, "a table has 255 zones at most"))
    });
    let zones = zones.collect::<Result<_, Fault>>()?;
    Ok((numbered, Places::Zones(zones)))
}

/// The areas of each station; one that lies in none has the empty area.
fn stations(feed: &Feed) -> Result<BTreeMap<StationId, BTreeSet<String>>, Fault> {
    const FILE: &str = "stops.txt";
    let mut station_of: HashMap<String, StationId> = HashMap::new();
    for (line, stop) in feed.rows::<Stop>(FILE)? {
        if !matches!(stop.location_type.as_str(), "" | "0" | "1") {
            continue;
        }
        let name = if stop.parent_station.is_empty() { &stop.stop_id } else { &stop.parent_station };
        let id = StationId::new(name).map_err(|fault| Fault::new(FILE, line, format!("stop {name:?}: {fault}")))?;
        station_of.insert(stop.stop_id, id);
    }
    let mut areas: BTreeMap<StationId, BTreeSet<String>> = station_of.values().map(|id| (id.clone(), BTreeSet::new())).collect();
    for (line, row) in feed.rows::<StopArea>("stop_areas.txt")? {
        let unknown = || Fault::new("stop_areas.txt", line, format!("stops.txt has no stop {:?} that people enter or leave", row.stop_id));
        let station = station_of.get(&row.stop_id).ok_or_else(unknown)?;
        areas.entry(station.clone()).or_default().insert(row.area_id);
    }
    for of in areas.values_mut().filter(|of| of.is_empty()) {
        of.insert(String::new());
    }
    Ok(areas)
}

impl Legs {
    /// Products that rides are priced by.
    pub(super) fn products(&self) -> BTreeSet<&str> {
        self.rules.iter().map(|(_, rule)| rule.fare_product_id.as_str()).collect()
    }

    /// Groups that rides belong to where transfers look at them.
    pub(super) fn groups(&self) -> BTreeSet<&str> {
        self.rules.iter().map(|(_, rule)| rule.leg_group_id.as_str()).collect()
    }

    /// The schemes at all hours.
    pub(super) fn schemes(&self, products: &Products, times: &Times) -> Result<Schemes, Fault> {
        let mut groups: BTreeSet<&str> = BTreeSet::new();
        for (line, rule) in &self.rules {
            if !rule.from_timeframe_group_id.is_empty() && !times.groups.contains_key(&rule.from_timeframe_group_id) {
                let what = format!("timeframes.txt has no group {:?}", rule.from_timeframe_group_id);
                return Err(Fault::new(FILE, *line, what));
            }
            groups.insert(&rule.from_timeframe_group_id);
        }
        // Without prices for the other hours those of the longest hours are the version's own.
        let rest = if groups.remove("") { "" } else { times.rest(&groups)? };
        let own = self.scheme(products, rest)?;
        groups.remove(rest);
        let hours = groups.into_iter().map(|group| Ok((group.to_owned(), self.scheme(products, group)?)));
        Ok((own, hours.collect::<Result<_, _>>()?))
    }

    fn scheme(&self, products: &Products, group: &str) -> Result<Scheme, Fault> {
        let index = self.index(group);
        let mut pairs = Vec::new();
        for (n, (from, from_name)) in self.areas.iter().enumerate() {
            for (to, to_name) in &self.areas[n..] {
                let (there, back) = (self.price(products, &index, from, to)?, self.price(products, &index, to, from)?);
                pairs.push((from_name.clone(), to_name.clone(), there, there != back));
                if there != back {
                    pairs.push((to_name.clone(), from_name.clone(), back, true));
                }
            }
        }
        match (&self.places, &pairs[..]) {
            (Places::None, [(_, _, price, _)]) => Ok(Scheme::Flat(*price)),
            _ => Ok(Scheme::Pairs(pairs)),
        }
    }

    fn index(&self, group: &str) -> Index<'_> {
        let mut index = Index::default();
        let counts = |rule: &Rule| rule.from_timeframe_group_id == group || (self.by_priority && rule.from_timeframe_group_id.is_empty());
        for (line, rule) in &self.rules {
            index.named_from.insert(&rule.from_area_id);
            index.named_to.insert(&rule.to_area_id);
            if counts(rule) {
                index.rules.entry((&rule.from_area_id, &rule.to_area_id)).or_default().push((*line, rule));
            }
        }
        index
    }

    fn price(&self, products: &Products, index: &Index<'_>, from: &str, to: &str) -> Result<Amount, Fault> {
        // The empty field stands for everything, or for what no rule names.
        let open = |area: &str, named: &HashSet<&str>| !area.is_empty() && (self.by_priority || !named.contains(area));
        let froms = [Some(from), open(from, &index.named_from).then_some("")];
        let tos = [Some(to), open(to, &index.named_to).then_some("")];
        let keys = froms.iter().flatten().flat_map(|from| tos.iter().flatten().map(move |to| (*from, *to)));
        let found: Vec<(u64, &Rule)> = keys.filter_map(|key| index.rules.get(&key)).flatten().copied().collect();
        let top = found.iter().filter_map(|(_, rule)| rule.rule_priority).max().unwrap_or(0);
        let counts = |rule: &Rule| !self.by_priority || rule.rule_priority.unwrap_or(0) == top;
        let mut best: Option<(u64, Amount)> = None;
        for (line, rule) in found.into_iter().filter(|(_, rule)| counts(rule)) {
            let amount = products.published(&rule.fare_product_id).map_err(|what| Fault::new(FILE, line, what))?;
            let (known, price) = *best.get_or_insert((line, amount));
            if price != amount {
                let (known, line) = (known.min(line), known.max(line));
                return Err(Fault::new(FILE, line, format!("another price than line {known} for the same ride: a table has one")));
            }
        }
        let none = || Fault::new(FILE, 0, format!("no rule prices a ride from {} to {}", place(from), place(to)));
        best.map(|(_, amount)| amount).ok_or_else(none)
    }
}

/// Rules that count at some hours, by their areas, and the areas that any rule names.
#[derive(Default)]
struct Index<'a> {
    rules: HashMap<(&'a str, &'a str), Vec<(u64, &'a Rule)>>,
    named_from: HashSet<&'a str>,
    named_to: HashSet<&'a str>,
}

fn place(area: &str) -> String {
    if area.is_empty() { "a station in no area".to_owned() } else { format!("area {area:?}") }
}
