//! A site and its fares become part of the world that the machines look at.
use super::SiteFile;
use crate::file::FileError;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use tongdao_domain::fare::{FareTable, FareVersion, Scheme, Trip};
use tongdao_domain::id::StationId;
use tongdao_domain::station::Station;
use tongdao_domain::world::{GateView, Site, StationView, World};

/// Adds a site and the fare table it names to the world.
///
/// # Errors
/// [`FileError`] when site, station or gate stands in another site already, or a fare by distance has no way between two
/// stations; the world is then as before.
pub fn add_to_world(world: &mut World, site: &SiteFile, fares: FareTable) -> Result<(), FileError> {
    check_new(world, site)?;
    let distances = distances(site);
    let by_distance = fares.versions.iter().flat_map(FareVersion::schemes).any(|scheme| matches!(scheme, Scheme::Ladder(_)));
    if let Some((from, to)) = missing_way(site, &distances).filter(|_| by_distance) {
        return Err(FileError::key("tracks", format!("no way from {from} to {to}: add the track that joins them")));
    }
    agrees(site, &fares)?;
    world.distances.extend(distances);
    world.fares.insert(site.fares.clone(), fares);
    take(world, site);
    Ok(())
}

/// The table knows the site's stations, and counts days as the site does.
fn agrees(site: &SiteFile, fares: &FareTable) -> Result<(), FileError> {
    if fares.calendar.is_some_and(|calendar| calendar != site.calendar()) {
        let what = format!("{} was made for another: give the site the same `utc_offset` and `business_day_starts`", site.fares);
        return Err(FileError::key("utc_offset", what));
    }
    let unpriced = |version: &FareVersion| {
        let places = &version.more.places;
        let knows = |scheme: &Scheme, from: &StationId, to: &StationId| {
            from == to || !matches!(scheme, Scheme::Zones(_) | Scheme::Matrix(_)) || {
                scheme.known(places, &Trip { from, to, metres: None }).is_some()
            }
        };
        let stations = || site.stations.iter().map(|station| &station.id);
        let pairs = || stations().flat_map(|from| stations().map(move |to| (from, to)));
        version.schemes().find_map(|scheme| pairs().find(|(from, to)| !knows(scheme, from, to)))
    };
    match fares.versions.iter().find_map(unpriced) {
        Some((from, to)) => Err(FileError::key("fares", format!("{} has no fare from {from} to {to}", site.fares))),
        None => Ok(()),
    }
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

/// Two stations without a way between them.
fn missing_way<'a>(site: &'a SiteFile, distances: &Distances) -> Option<(&'a StationId, &'a StationId)> {
    let first = &site.stations.first()?.id;
    let other = site.stations.iter().skip(1).find(|station| !distances.contains_key(&(first.clone(), station.id.clone())))?;
    Some((first, &other.id))
}
