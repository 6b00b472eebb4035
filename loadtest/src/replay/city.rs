//! A city for flows: stations with as many gates as their busiest minute needs, the taps of a day at them, and the files that
//! a server and [`super::play`] need. One price for every ride, because flows know no distances.
//!
//! The secrets are made from the seed: the city is for replays on one machine and nothing else.
use super::MINUTE_MS;
use super::day::{Day, Tap};
use super::flows::Flows;
use super::riders::riders;
use super::trips::{Trip, trips};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha20Rng;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;
use tongdao_protocol::gate::{Medium, MediumKind};

/// Site id, and the name of its fare table.
pub const SITE: &str = "replay";
/// Riders whom a gate takes in a minute when it matters.
const PER_GATE_AND_MINUTE: u32 = 25;
/// Gates of each direction that a station has at least.
const GATES_MIN: u32 = 2;
/// Longest station id made from a name.
const ID_MAX: usize = 40;

/// What a city is made with.
#[derive(Debug, Clone)]
pub struct Wish {
    /// Midnight at which the day begins, in milliseconds since 1970.
    pub midnight_ms: i64,
    /// Local time minus UTC, `+05:30`.
    pub utc_offset: String,
    /// Price of every ride, `2.00`.
    pub fare: String,
    /// What each account holds at the beginning.
    pub balance: String,
    /// Seed of every random choice.
    pub seed: u64,
    /// Port of the MQTT listener in the config.
    pub port: u16,
    /// Port of the HTTP listener in the config.
    pub http_port: u16,
}

/// A station with its gates, by number among all gates of the city.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Station {
    /// Made from its name.
    pub id: String,
    /// As the flows call it.
    pub name: String,
    /// Gates that let in.
    pub inwards: std::ops::Range<u32>,
    /// Gates that let out.
    pub outwards: std::ops::Range<u32>,
}

/// See the module.
pub struct City {
    /// In the order of the flows.
    pub stations: Vec<Station>,
    /// What happens at them.
    pub day: Day,
    /// Rides.
    pub trips: usize,
}

impl City {
    /// The city of a day's flows.
    #[must_use]
    pub fn of(flows: &Flows, wish: &Wish) -> Self {
        let trips = trips(flows, wish.seed);
        let (riders, count) = riders(&trips, flows.stations.len());
        let stations = stations(&flows.stations, &busiest(&trips, flows.stations.len()));
        let taps = taps(&trips, &riders, &stations, wish.midnight_ms);
        let devices = stations.iter().flat_map(Station::devices).collect();
        let day = Day { taps, devices, media: (0..count).filter_map(medium).collect() };
        Self { stations, day, trips: trips.len() }
    }
}

impl Station {
    /// Ids of its gates: those that let in, then those that let out.
    pub fn devices(&self) -> impl Iterator<Item = String> {
        let way = |side: &'static str, gates: &std::ops::Range<u32>| {
            let id = self.id.clone();
            (1..=gates.len()).map(move |n| format!("{id}-{side}-{n:02}"))
        };
        way("in", &self.inwards).chain(way("out", &self.outwards)).collect::<Vec<_>>().into_iter()
    }
}

/// The most taps in one minute at each station, inwards and outwards.
fn busiest(trips: &[Trip], stations: usize) -> Vec<[u32; 2]> {
    let mut minutes: BTreeMap<(u16, usize, i64), u32> = BTreeMap::new();
    for trip in trips {
        *minutes.entry((trip.from, 0, trip.enters_ms.div_euclid(MINUTE_MS))).or_default() += 1;
        *minutes.entry((trip.to, 1, trip.leaves_ms.div_euclid(MINUTE_MS))).or_default() += 1;
    }
    let mut most = vec![[0; 2]; stations];
    for ((station, way, _), taps) in minutes {
        let most = &mut most[usize::from(station)][way];
        *most = taps.max(*most);
    }
    most
}

fn stations(names: &[String], busiest: &[[u32; 2]]) -> Vec<Station> {
    let (mut known, mut next) = (BTreeSet::new(), 0);
    let mut gates = |most: u32| {
        let begin = next;
        next += most.div_ceil(PER_GATE_AND_MINUTE).max(GATES_MIN);
        begin..next
    };
    let station = |(name, [inwards, outwards]): (&String, &[u32; 2])| {
        let id = id_of(name, &mut known);
        Station { id, name: name.clone(), inwards: gates(*inwards), outwards: gates(*outwards) }
    };
    names.iter().zip(busiest).map(station).collect()
}

/// An id like the name, and like no other.
fn id_of(name: &str, known: &mut BTreeSet<String>) -> String {
    let mut id = String::new();
    for letter in name.chars().map(|letter| letter.to_ascii_lowercase()) {
        match letter {
            'a'..='z' | '0'..='9' => id.push(letter),
            _ if !id.is_empty() && !id.ends_with('-') => id.push('-'),
            _ => {}
        }
    }
    id.truncate(ID_MAX);
    let id = match id.trim_end_matches('-') {
        "" => "station",
        id => id,
    };
    let mut names = std::iter::once(id.to_owned()).chain((2..).map(|n| format!("{id}-{n}")));
    let free = names.find(|name| !known.contains(name)).unwrap_or_default();
    known.insert(free.clone());
    free
}

/// The taps by their moments. At a station the gate goes next that waited longest.
fn taps(trips: &[Trip], riders: &[u32], stations: &[Station], midnight_ms: i64) -> Vec<Tap> {
    let both = |(trip, rider): (&Trip, &u32)| [(trip.enters_ms, false, trip.from, *rider), (trip.leaves_ms, true, trip.to, *rider)];
    let mut moments: Vec<(i64, bool, u16, u32)> = trips.iter().zip(riders).flat_map(both).collect();
    moments.sort_unstable();
    let mut turns = vec![[0_u32; 2]; stations.len()];
    let tap = |(at_ms, exit, station, rider): (i64, bool, u16, u32)| {
        let Station { inwards, outwards, .. } = &stations[usize::from(station)];
        let gates = if exit { outwards } else { inwards };
        let turn = &mut turns[usize::from(station)][usize::from(exit)];
        *turn = (*turn + 1) % (gates.end - gates.start).max(1);
        Tap { at_ms: midnight_ms + at_ms, gate: gates.start + *turn, rider, exit }
    };
    moments.into_iter().map(tap).collect()
}

fn medium(n: usize) -> Option<Medium> {
    let (kind, name) = if n.is_multiple_of(2) { (MediumKind::Ecny, "wallet") } else { (MediumKind::Card, "card") };
    Medium::new(kind, &format!("{name}-{n:07}"))
}

/// The files of a city: their names and what stands in them. The taps are not among them, they are written as they come.
#[must_use]
pub fn files(city: &City, wish: &Wish, out: &Path) -> Vec<(&'static str, String)> {
    vec![
        ("sites/replay.toml", site(city, wish)),
        ("fares/replay.toml", fares(city, wish)),
        ("devices.csv", devices(city, wish.seed)),
        ("accounts.csv", accounts(city, &wish.balance)),
        ("replay.toml", config(out, wish)),
    ]
}

fn site(city: &City, wish: &Wish) -> String {
    let mut text =
        format!("# For replays only.\nid = \"{SITE}\"\noperator = \"{SITE}\"\nfares = \"{SITE}\"\nutc_offset = \"{}\"\n", wish.utc_offset);
    for station in &city.stations {
        let name = station.name.replace('\\', "\\\\").replace('"', "\\\"");
        let _ = write!(text, "\n[[stations]]\nid = \"{}\"\nname = {{ en = \"{name}\" }}\ngates = [\n", station.id);
        for (n, device) in station.devices().enumerate() {
            let service = if n < station.inwards.len() { "entry" } else { "exit" };
            let _ = writeln!(text, "  {{ device = \"{device}\", service = \"{service}\" }},");
        }
        text += "]\n";
    }
    text
}

/// All stations in one zone: one price.
fn fares(city: &City, wish: &Wish) -> String {
    let mut text =
        format!("# One price: flows know no distances.\ncurrency = \"CNY\"\nutc_offset = \"{}\"\n\n[stations]\n", wish.utc_offset);
    for station in &city.stations {
        let _ = writeln!(text, "{} = {{ zones = [1] }}", station.id);
    }
    let _ = write!(
        text,
        "\n[[versions]]\nfrom = 2020-01-01T00:00:00Z\nstay_minutes_max = 240\nsame_station = \"lowest\"\nmissing_exit = \"highest\"\nmissing_entry = \"highest\"\nzones = [{{ from = 1, to = 1, fare = \"{}\" }}]\n\n[versions.classes]\nadult = 100\n",
        wish.fare
    );
    text
}

fn devices(city: &City, seed: u64) -> String {
    let mut random = ChaCha20Rng::seed_from_u64(seed);
    let mut text = String::from("device_id,kind,site,secret\n");
    for device in &city.day.devices {
        let _ = writeln!(text, "{device},gate,{SITE},{:032x}", random.random::<u128>());
    }
    text
}

fn accounts(city: &City, balance: &str) -> String {
    let mut text = String::from("account_id,class,passenger_class,balance,medium_kind,medium_token\n");
    for (n, medium) in city.day.media.iter().enumerate() {
        let _ = writeln!(text, "r{n:07},1,adult,{balance},{},{}", medium.kind.name(), medium.token.as_str());
    }
    text
}

fn config(out: &Path, wish: &Wish) -> String {
    let (out, port, http_port) = (out.display(), wish.port, wish.http_port);
    let start = tongdao_protocol::time::Time(tongdao_domain::time::Timestamp(wish.midnight_ms + 4 * super::HOUR_MS));
    format!(
        r#"# For replays only.
data_dir = "{out}/data"
sites = ["{out}/sites/replay.toml"]

[listen]
mqtt = "127.0.0.1:{port}"
http = "127.0.0.1:{http_port}"

[clock]
start = "{start}"    # the replayed day at 04:00; the clock runs at its own pace from here on

[gate]
retap_window_ms = 0    # a rider's minutes between two taps are seconds here

[gateway]
messages_per_second = 1000    # a gate that is N times faster speaks N times as often
messages_burst = 4000
"#
    )
}
