//! From flows to taps: nobody is lost, nobody is in two places, and the same is always the same.
use super::city::{City, Wish, files};
use super::flows::{Flow, Flows, of_text};
use super::riders::{REST_ELSEWHERE_MS, REST_HERE_MS, riders};
use super::trips::{Trip, trips};
use super::{HOUR_MS, MINUTE_MS};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::path::Path;
use tongdao_protocol::site::{add_to_world, parse, parse_fares};

fn wish(seed: u64) -> Wish {
    let text = ["+05:30", "2.00", "1000.00"].map(ToOwned::to_owned);
    let [utc_offset, fare, balance] = text;
    Wish { midnight_ms: 1_754_937_000_000, utc_offset, fare, balance, seed, port: 1, http_port: 2 }
}

fn flows() -> impl Strategy<Value = Flows> {
    let flow = (0..24_u8, 0..4_u16, 0..4_u16, 1..60_u32);
    proptest::collection::btree_map((0..24_u8, 0..4_u16, 0..4_u16), flow, 1..30).prop_map(|rows| {
        let flows = rows.into_iter().map(|((hour, from, to), (_, _, _, riders))| Flow { hour, from, to, riders }).collect();
        Flows { stations: ["A", "B", "C", "D"].map(ToOwned::to_owned).to_vec(), flows }
    })
}

/// Counted again from the rides.
fn counted(trips: &[Trip]) -> Vec<Flow> {
    let mut sums: BTreeMap<(u8, u16, u16), u32> = BTreeMap::new();
    for trip in trips {
        let hour = u8::try_from(trip.leaves_ms.div_euclid(HOUR_MS)).expect("an hour of the day");
        *sums.entry((hour, trip.from, trip.to)).or_default() += 1;
    }
    sums.into_iter().map(|((hour, from, to), riders)| Flow { hour, from, to, riders }).collect()
}

proptest! {
    #[test]
    fn every_rider_of_every_flow_comes_out_in_its_hour(flows in flows(), seed in 0..9_u64) {
        prop_assert_eq!(counted(&trips(&flows, seed)), flows.flows);
    }

    #[test]
    fn nobody_is_in_two_places(flows in flows(), seed in 0..9_u64) {
        let trips = trips(&flows, seed);
        let (whose, count) = riders(&trips, flows.stations.len());
        let mut last: Vec<Option<Trip>> = vec![None; count];
        for (trip, rider) in trips.iter().zip(&whose) {
            if let Some(before) = last[*rider as usize].replace(*trip) {
                let rest = if before.to == trip.from { REST_HERE_MS } else { REST_ELSEWHERE_MS };
                prop_assert!(trip.enters_ms - before.leaves_ms >= rest, "{:?} then {:?}", before, trip);
            }
        }
        prop_assert!(last.iter().all(Option::is_some), "every rider rides");
    }

    #[test]
    fn rides_take_as_long_as_rides_take(flows in flows(), seed in 0..9_u64) {
        for trip in trips(&flows, seed) {
            let took = trip.leaves_ms - trip.enters_ms;
            prop_assert!((3 * MINUTE_MS..=100 * MINUTE_MS).contains(&took), "{:?}", trip);
        }
    }
}

fn one(riders: u32) -> Flows {
    let flows = [(8, 0, 1, riders), (9, 1, 0, 60), (18, 1, 0, riders)].map(|(hour, from, to, riders)| Flow { hour, from, to, riders });
    Flows { stations: vec!["North \"Gate\"".into(), "South".into()], flows: flows.into() }
}

#[test]
fn riders_come_out_in_the_bursts_of_trains() {
    let trips = trips(&one(3_000), 1);
    let mut minutes: BTreeMap<i64, u32> = BTreeMap::new();
    trips.iter().filter(|trip| trip.to == 1).for_each(|trip| *minutes.entry(trip.leaves_ms / MINUTE_MS).or_default() += 1);
    let (most, mean) = (minutes.values().max().expect("some"), 3_000 / 60);
    assert!(*most > mean * 3 / 2, "{most} in the busiest minute, {mean} in the mean");
}

#[test]
fn who_went_in_the_morning_comes_back_in_the_evening() {
    let trips = trips(&one(300), 1);
    let (_, count) = riders(&trips, 2);
    assert!((300..=360).contains(&count), "{count} riders for 660 rides");
}

#[test]
fn the_same_flows_give_the_same_taps_and_another_seed_others() {
    let text = |seed| {
        let city = City::of(&one(50), &wish(seed));
        let mut text = Vec::new();
        city.day.write(&mut text).expect("written");
        text
    };
    assert_eq!(text(1), text(1));
    assert_ne!(text(1), text(2));
}

#[test]
fn gates_are_as_many_as_the_busiest_minute_needs_and_share_the_work() {
    let city = City::of(&one(3_000), &wish(1));
    let south = &city.stations[1];
    assert!(south.outwards.len() > 2 && city.stations[0].inwards.len() >= 2);
    let taps = |gate: u32| city.day.taps.iter().filter(|tap| tap.gate == gate && tap.exit).count();
    let load: Vec<_> = south.outwards.clone().map(taps).collect();
    assert!(load.iter().max().expect("some") - load.iter().min().expect("some") <= 1, "{load:?}");
    assert_eq!(city.day.taps.len(), 2 * city.trips);
}

#[test]
fn the_files_are_what_a_server_reads() {
    let wish = wish(1);
    let city = City::of(&one(50), &wish);
    let files: BTreeMap<_, _> = files(&city, &wish, Path::new("/r")).into_iter().collect();
    let site = parse(&files["sites/replay.toml"]).expect("a site");
    let fares = parse_fares(&files["fares/replay.toml"]).expect("fares");
    add_to_world(&mut tongdao_domain::world::World::default(), &site, fares).expect("they fit together");
    assert_eq!(site.stations[0].id.as_str(), "north-gate");
    assert_eq!(site.stations[0].name["en"], "North \"Gate\"");
    let devices = tongdao_protocol::import::devices(&files["devices.csv"]).expect("devices");
    assert_eq!(devices.len(), city.day.devices.len());
    let accounts = tongdao_protocol::import::accounts(&files["accounts.csv"]).expect("accounts");
    assert_eq!(accounts.len(), city.day.media.len());
    let config: toml::Value = toml::from_str(&files["replay.toml"]).expect("TOML");
    assert_eq!(config["clock"]["start"].as_str(), Some("2025-08-11T22:30:00.000Z"));
}

/// A real metro's weekday, where the data are at hand: set `TONGDAO_FLOWS` to a file of station pairs by the hour.
#[test]
#[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
fn a_real_weekday_keeps_its_counts() {
    let day = std::env::var("TONGDAO_FLOWS_DAY").unwrap_or_else(|_| "2025-08-12".into());
    let Some(path) = std::env::var_os("TONGDAO_FLOWS").or_else(|| find("data/bengaluru-metro/stationpair-hourly.parquet")) else {
        eprintln!("skip: no flows at hand (TONGDAO_FLOWS is not set, ../shared/data is not there)");
        return;
    };
    let flows = super::flows::read(Path::new(&path), &day).expect("flows").share(0.1);
    let city = City::of(&flows, &wish(1));
    assert_eq!(city.trips as u64, flows.riders());
    assert!(flows.stations.len() > 50 && flows.riders() > 10_000, "{} stations, {} riders", flows.stations.len(), flows.riders());
    assert_eq!(counted(&trips(&flows, 1)), flows.flows);
    assert!(city.day.media.len() < city.trips, "some ride twice");
}

/// A file of the folder `shared` beside the project, or beside a folder that it lies in.
fn find(name: &str) -> Option<std::ffi::OsString> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().map(|folder| folder.join("shared").join(name)).find(|path| path.exists()).map(Into::into)
}

#[test]
fn text_and_city_hold_together() {
    let flows = of_text("Date,Hour,Origin,Destination,Ridership\nd,8,A,B,5\n", "d").expect("flows");
    let city = City::of(&flows, &wish(3));
    assert_eq!(city.day.media.len(), 5);
    assert!(city.day.taps.is_sorted_by_key(|tap| tap.at_ms));
}
