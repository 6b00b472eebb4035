//! The city as its riders see it: which gates stand where, how far it is from one station to another, and who goes where.
use super::cast::Cast;
use crate::files::placed;
use crate::fleet::Credentials;
use rand::Rng as _;
use rand_chacha::ChaCha8Rng;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use tongdao_domain::station::Service;
use tongdao_protocol::site::SiteFile;

/// Commercial speed of a metro with its stops, in metres a second (about 34 km/h).
const METRES_PER_S: f64 = 9.5;
/// From the gate to the train and from the train to the gate, in seconds.
const WALKS_S: f64 = 240.0;

/// A city without a way between two of its stations.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no way from {from} to {to}: the demo needs a site whose tracks join all stations that have gates")]
pub struct NoWay {
    /// One station.
    pub from: String,
    /// The other.
    pub to: String,
}

struct Station {
    /// Gates that take entries, and gates that take exits; indices into the fleet.
    entries: Vec<u32>,
    exits: Vec<u32>,
    /// How near it is to the centre, from 0 to 1.
    centre: f64,
    size: f64,
}

/// See the module.
pub(super) struct City {
    credentials: Vec<Credentials>,
    stations: Vec<Station>,
    /// Metres between the stations, row by row.
    metres: Vec<u32>,
}

impl City {
    /// Only stations with a gate for each direction take part.
    pub(super) fn new(site: &SiteFile, cast: &Cast) -> Result<Self, NoWay> {
        let gates = placed(site, cast.gates.clone());
        let mut city = Self { credentials: gates.iter().map(|(_, gate)| gate.clone()).collect(), stations: Vec::new(), metres: Vec::new() };
        let all: Vec<_> = site.stations.iter().enumerate().map(|(n, _)| station(site, n, &gates)).collect();
        let used: Vec<usize> = (0..all.len()).filter(|n| !all[*n].entries.is_empty() && !all[*n].exits.is_empty()).collect();
        let tracks = tracks(site);
        for from in &used {
            let metres = shortest(*from, &tracks, all.len());
            for to in &used {
                let name = |n: usize| site.stations.get(n).map_or_else(String::new, |station| station.id.as_str().to_owned());
                city.metres.push(metres[*to].ok_or_else(|| NoWay { from: name(*from), to: name(*to) })?);
            }
        }
        city.stations = all.into_iter().enumerate().filter(|(n, _)| used.contains(n)).map(|(_, station)| station).collect();
        city.find_centre();
        Ok(city)
    }

    /// The centre is where all others are nearest.
    fn find_centre(&mut self) {
        let count = self.stations.len();
        let sums: Vec<u64> = (0..count).map(|from| (0..count).map(|to| u64::from(self.metres(from, to))).sum()).collect();
        let Some(centre) = (0..count).min_by_key(|n| sums[*n]) else { return };
        let far = (0..count).map(|n| self.metres(centre, n)).max().unwrap_or(0).max(1);
        for n in 0..count {
            self.stations[n].centre = 1.0 - f64::from(self.metres(centre, n)) / f64::from(far);
        }
    }

    /// The gates, as the fleet numbers them.
    pub(super) fn credentials(&self) -> &[Credentials] {
        &self.credentials
    }
    /// Are there two stations to ride between?
    pub(super) fn is_ridable(&self) -> bool {
        self.stations.len() > 1
    }
    fn metres(&self, from: usize, to: usize) -> u32 {
        self.metres.get(from * self.stations.len() + to).copied().unwrap_or(0)
    }

    /// Time of a ride with both walks, in seconds of the city.
    pub(super) fn ride_s(&self, from: usize, to: usize) -> f64 {
        WALKS_S + f64::from(self.metres(from, to)) / METRES_PER_S
    }

    /// Where somebody sets out and where to; `pull` is how strongly riders go to the centre.
    pub(super) fn trip(&self, pull: f64, random: &mut ChaCha8Rng) -> (usize, usize) {
        let from = self.choose(1.0 - pull, None, random);
        (from, self.choose(pull, Some(from), random))
    }

    /// Larger stations draw more riders, central ones as strongly as `pull` says.
    fn choose(&self, pull: f64, but: Option<usize>, random: &mut ChaCha8Rng) -> usize {
        let weight = |(n, station): (usize, &Station)| {
            let inwards = pull * station.centre + (1.0 - pull) * (1.0 - station.centre);
            if Some(n) == but { 0.0 } else { station.size * (0.1 + inwards) }
        };
        let all: f64 = self.stations.iter().enumerate().map(weight).sum();
        let mut rest = random.random::<f64>() * all;
        for (n, station) in self.stations.iter().enumerate() {
            rest -= weight((n, station));
            if rest < 0.0 {
                return n;
            }
        }
        usize::from(but == Some(0))
    }

    /// Stations that take part.
    pub(super) fn len(&self) -> usize {
        self.stations.len()
    }
    /// All gates of a station.
    pub(super) fn gates(&self, station: usize) -> Vec<u32> {
        let Some(station) = self.stations.get(station) else { return Vec::new() };
        let mut gates: Vec<u32> = station.entries.iter().chain(&station.exits).copied().collect();
        gates.sort_unstable();
        gates.dedup();
        gates
    }

    /// A gate of the station for this direction: the one whose turn it is.
    pub(super) fn gate(&self, station: usize, entry: bool, turn: usize) -> Option<u32> {
        let station = self.stations.get(station)?;
        let gates = if entry { &station.entries } else { &station.exits };
        gates.get(turn % gates.len().max(1)).copied()
    }
}

fn station(site: &SiteFile, index: usize, gates: &[(usize, Credentials)]) -> Station {
    let services: HashMap<&str, Service> =
        site.stations.get(index).into_iter().flat_map(|station| &station.gates).map(|gate| (gate.device.as_str(), gate.service)).collect();
    let here = || (0..).zip(gates).filter(|(_, (station, _))| *station == index);
    let with = |service: Service| -> Vec<u32> {
        let serves = |gate: &Credentials| services.get(&*gate.device).is_some_and(|its| *its == service || *its == Service::Both);
        here().filter(|(_, (_, gate))| serves(gate)).map(|(n, _)| n).collect()
    };
    Station { entries: with(Service::Entry), exits: with(Service::Exit), centre: 0.0, size: here().count() as f64 }
}

fn tracks(site: &SiteFile) -> HashMap<usize, Vec<(usize, u32)>> {
    let index: HashMap<&str, usize> = site.stations.iter().enumerate().map(|(n, station)| (station.id.as_str(), n)).collect();
    let mut tracks: HashMap<usize, Vec<(usize, u32)>> = HashMap::new();
    for track in &site.tracks {
        if let (Some(a), Some(b)) = (index.get(track.from.as_str()), index.get(track.to.as_str())) {
            tracks.entry(*a).or_default().push((*b, track.distance_m));
            tracks.entry(*b).or_default().push((*a, track.distance_m));
        }
    }
    tracks
}

/// Dijkstra: metres from one station to each.
fn shortest(from: usize, tracks: &HashMap<usize, Vec<(usize, u32)>>, count: usize) -> Vec<Option<u32>> {
    let mut metres = vec![None; count];
    let mut open = BinaryHeap::from([Reverse((0, from))]);
    while let Some(Reverse((far, at))) = open.pop() {
        if metres[at].is_none() {
            metres[at] = Some(far);
            open.extend(tracks.get(&at).into_iter().flatten().map(|(next, length)| Reverse((far + length, *next))));
        }
    }
    metres
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use rand::SeedableRng as _;
    use tongdao_protocol::site;

    /// Three stations in a line; the middle one is a terminus of nothing and the nearest to all.
    pub(in crate::demo) fn line() -> SiteFile {
        let station = |id: &str, gates: &str| format!("[[stations]]\nid = \"{id}\"\ngates = [{gates}]\n");
        let track = |from: &str, to: &str| format!("[[tracks]]\nfrom = \"{from}\"\nto = \"{to}\"\ndistance_m = 1000\n");
        let both = |id: &str| format!("{{ device = \"{id}\", service = \"both\" }}");
        let text = [
            "id = \"t\"\nfares = \"f\"\n".to_owned(),
            station("a", &both("a1")),
            station(
                "b",
                "{ device = \"b1\", service = \"entry\" }, { device = \"b2\", service = \"exit\" }, { device = \"b3\", service = \"exit\" }",
            ),
            station("c", &both("c1")),
            track("a", "b"),
            track("b", "c"),
        ];
        site::parse(&text.concat()).expect("a site")
    }

    fn city() -> City {
        City::new(&line(), &Cast::of(&line(), 1, 1)).expect("a city")
    }

    #[test]
    fn rides_follow_the_tracks() {
        let city = city();
        assert_eq!((city.metres(0, 2), city.metres(1, 1)), (2_000, 0));
        assert!(city.ride_s(0, 2) > city.ride_s(0, 1));
    }

    #[test]
    fn gates_serve_their_direction() {
        let city = city();
        let name = |entry, turn| city.gate(1, entry, turn).map(|gate| city.credentials()[gate as usize].device.clone());
        assert_eq!((name(true, 0), name(false, 0)), (Some("b1".into()), Some("b2".into())), "b3 is the guest's");
        assert_eq!(name(true, 1), Some("b1".into()));
    }

    #[test]
    fn the_pull_decides_who_goes_where_and_nobody_rides_in_a_circle() {
        let (city, mut random) = (city(), ChaCha8Rng::seed_from_u64(1));
        let mut inwards = |pull| {
            (0..1_000).map(|_| city.trip(pull, &mut random)).inspect(|(from, to)| assert_ne!(from, to)).filter(|trip| trip.1 == 1).count()
        };
        assert!(inwards(1.0) > 2 * inwards(0.0));
    }

    #[test]
    fn a_city_in_two_parts_is_refused() {
        let mut site = line();
        site.tracks.pop();
        let error = City::new(&site, &Cast::of(&site, 1, 1)).err().expect("no way");
        assert_eq!((&*error.from, &*error.to), ("a", "c"));
    }
}
