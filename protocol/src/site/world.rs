//! A site and its fares become part of the world that the machines look at.
use super::SiteFile;
use crate::file::FileError;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use tongdao_domain::fare::{FareTable, Scheme, Trip};
use tongdao_domain::id::{FareTableId, StationId};
use tongdao_domain::station::Station;
use tongdao_domain::time::Calendar;
use tongdao_domain::world::{GateView, Site, StationView, World};

/// Adds a site and the fare table it names to the world.
///
/// # Errors
/// [`FileError`] when site, station or gate stands in another site already, or a fare by distance has no way between two
/// stations; the world is then as before.
pub fn add_to_world(world: &mut World, site: &SiteFile, fares: FareTable) -> Result<(), FileError> {
    check_new(world, site)?;
    let distances = distances(site);
    let stations: Vec<&StationId> = site.stations.iter().map(|station| &station.id).collect();
    let metres = |from: &StationId, to: &StationId| distances.get(&(from.clone(), to.clone())).copied();
    agrees(&site.fares, &fares, site.calendar(), &stations, metres)?;
    world.distances.extend(distances);
    world.fares.insert(site.fares.clone(), fares);
    take(world, site);
    Ok(())
}

/// Puts another fare table in the place of one, at every site that uses it.
///
/// # Errors
/// [`FileError`] when no site uses it, or the new one does not know a station or counts days otherwise; the world is then as
/// before.
pub fn replace_fares(world: &mut World, name: &FareTableId, fares: FareTable) -> Result<(), FileError> {
    let mut users = world.sites.iter().filter(|(_, site)| site.fares == *name).peekable();
    if users.peek().is_none() {
        return Err(FileError::key("fares", format!("no site uses the table {name}")));
    }
    for (id, site) in users {
        let mut stations: Vec<&StationId> = world.stations.iter().filter(|(_, station)| station.site == *id).map(|(id, _)| id).collect();
        stations.sort();
        agrees(name, &fares, site.calendar, &stations, |from, to| world.distance_m(from, to))?;
    }
    world.fares.insert(name.clone(), fares);
    Ok(())
}

/// The table prices every ride between the stations, and counts days as their site does.
fn agrees(
    name: &FareTableId,
    fares: &FareTable,
    calendar: Calendar,
    stations: &[&StationId],
    metres: impl Fn(&StationId, &StationId) -> Option<u32>,
) -> Result<(), FileError> {
    if fares.calendar.is_some_and(|other| other != calendar) {
        let what = format!("{name} was made for another: give the site the same `utc_offset` and `business_day_starts`");
        return Err(FileError::key("utc_offset", what));
    }
    for version in &fares.versions {
        for scheme in version.schemes() {
            let priced = |from, to| scheme.known(&version.more.places, &Trip { from, to, metres: metres(from, to) }).is_some();
            let mut pairs = stations.iter().flat_map(|from| stations.iter().map(move |to| (*from, *to)));
            match pairs.find(|(from, to)| from != to && !priced(from, to)) {
                Some((from, to)) if matches!(scheme, Scheme::Ladder(_)) => {
                    return Err(FileError::key("tracks", format!("no way from {from} to {to}: add the track that joins them")));
                }
                Some((from, to)) => return Err(FileError::key("fares", format!("{name} has no fare from {from} to {to}"))),
                None => {}
            }
        }
    }
    Ok(())
}

fn check_new(world: &World, site: &SiteFile) -> Result<(), FileError> {
    if world.sites.contains_key(&site.id) {
        return Err(FileError::key("id", format!("site {} stands in another file already: give each site its own id", site.id)));
    }
    if let Some(station) = site.stations.iter().find(|station| world.stations.contains_key(&station.id)) {
        let key = format!("stations.{}", station.id);
        return Err(FileError::key(key, "stands in another site already: station ids are unique over all sites"));
    }
    if let Some((station, gate)) = site.gates().find(|(_, gate)| world.gates.contains_key(&gate.device)) {
        let key = format!("stations.{}.gates", station.id);
        return Err(FileError::key(key, format!("gate {} stands in another site already", gate.device)));
    }
    Ok(())
}

fn take(world: &mut World, site: &SiteFile) {
    let operator = site.operator.as_deref().unwrap_or(site.id.as_str()).into();
    world.sites.insert(site.id.clone(), Site { fares: site.fares.clone(), operator, calendar: site.calendar() });
    for station in &site.stations {
        let names = station.name.iter().map(|(language, name)| (language.as_str().into(), name.as_str().into())).collect();
        let gates = station.gates.iter().map(|gate| gate.device.clone()).collect();
        let view = StationView { site: site.id.clone(), names, gates, state: Station::default() };
        world.stations.insert(station.id.clone(), view);
    }
    for (station, gate) in site.gates() {
        world.gates.insert(gate.device.clone(), GateView { station: station.id.clone(), service: gate.service });
    }
}

type Distances = HashMap<(StationId, StationId), u32>;

/// Shortest paths over the tracks between all stations of a site (Dijkstra from each).
fn distances(site: &SiteFile) -> Distances {
    let index: HashMap<&StationId, usize> = site.stations.iter().enumerate().map(|(n, station)| (&station.id, n)).collect();
    let mut tracks: Vec<Vec<(usize, u32)>> = vec![Vec::new(); site.stations.len()];
    for track in &site.tracks {
        if let (Some(from), Some(to)) = (index.get(&track.from), index.get(&track.to)) {
            tracks[*from].push((*to, track.distance_m));
            tracks[*to].push((*from, track.distance_m));
        }
    }
    let id = |n: usize| site.stations[n].id.clone();
    (0..site.stations.len())
        .flat_map(|from| shortest(&tracks, from).into_iter().enumerate().map(move |(to, metres)| (from, to, metres)))
        .filter(|(from, to, _)| from != to)
        .filter_map(|(from, to, metres)| metres.map(|metres| ((id(from), id(to)), metres)))
        .collect()
}

fn shortest(tracks: &[Vec<(usize, u32)>], from: usize) -> Vec<Option<u32>> {
    let mut best = vec![None; tracks.len()];
    let mut open = BinaryHeap::from([Reverse((0_u32, from))]);
    while let Some(Reverse((metres, station))) = open.pop() {
        if best[station].is_some() {
            continue;
        }
        best[station] = Some(metres);
        open.extend(tracks[station].iter().map(|(to, length)| Reverse((metres.saturating_add(*length), *to))));
    }
    best
}
