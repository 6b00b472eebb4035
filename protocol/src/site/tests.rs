use super::*;
use proptest::prelude::*;
use tongdao_domain::fare::{Charge, Places, SameStation, Scheme, Trip};
use tongdao_domain::money::Amount;
use tongdao_domain::time::Timestamp;
use tongdao_domain::world::World;

const CHENGDU_FARES: &str = include_str!("../../../config/fares/chengdu.toml");
const FLAT_FARES: &str = include_str!("../../../config/fares/flat-demo.toml");
const CHENGDU: &str = include_str!("../../../config/sites/chengdu.toml");
const SMALL: &str = include_str!("../../../config/sites/small.toml");

fn fares(text: &str) -> tongdao_domain::fare::FareTable {
    parse_fares(text).expect("a good fare file")
}
fn world(site: &str) -> World {
    let mut world = World::default();
    add_to_world(&mut world, &parse(site).expect("a good site file"), fares(CHENGDU_FARES)).expect("fits");
    world
}
fn station(id: &str) -> StationId {
    StationId::new(id).expect("an id")
}

#[test]
fn the_example_of_the_readme_is_a_world() {
    let world = world(SMALL);
    assert_eq!(world.distance_m(&station("tianfu"), &station("luomashi")), Some(1200));
    assert_eq!(world.distance_m(&station("luomashi"), &station("tianfu")), Some(1200), "both ways");
    let (at, view) = world.station_of(&DeviceId::new("g1").expect("an id")).expect("it stands somewhere");
    assert_eq!((at.as_str(), view.site.as_str()), ("tianfu", "cd"));
    assert_eq!(view.names, [("en".into(), "Tianfu Square".into()), ("zh-CN".into(), "天府广场".into())]);
    let site = world.site_of(at).expect("its site");
    assert_eq!((site.operator.as_str(), site.calendar), ("demo-metro", Calendar::SHANGHAI));
}

#[test]
fn the_city_is_one_network_with_names_gates_and_marked_estimates() {
    let file = parse(CHENGDU).expect("a good site file");
    assert!((120..=180).contains(&file.stations.len()));
    assert!((300..=500).contains(&file.gates().count()));
    assert!(file.stations.iter().all(|station| station.name.contains_key("zh-CN") && station.name.contains_key("en")));
    assert!(file.tracks.iter().all(|track| track.estimate && track.line.is_some()));
    let world = world(CHENGDU);
    let stations = file.stations.len();
    assert_eq!(world.distances.len(), stations * (stations - 1), "a way between any two");
    // Line 1 to line 2, where the ring of line 7 is longer than the way through the middle.
    assert_eq!(world.distance_m(&station("luomashi"), &station("renmingongyuan")), Some(1200 + 900));
    let furthest = world.distances.values().max().copied().unwrap_or_default();
    assert!((40_000..=90_000).contains(&furthest), "{furthest}");
}

#[test]
fn the_ladder_of_chengdu_is_the_published_one() {
    let table = fares(CHENGDU_FARES);
    let version = table.at(Timestamp(1_772_438_400_000)).expect("in effect");
    let (from, to) = (station("a"), station("b"));
    let trip = |metres| Trip { from: &from, to: &to, metres: Some(metres) };
    let yuan = |metres| version.scheme.published(&Places::new(), &trip(metres)).fen() / 100;
    let rungs = [4, 8, 12, 18, 24, 32, 40, 50, 70, 90, 110].map(|km| (yuan(km * 1000), yuan(km * 1000 + 1)));
    assert_eq!(rungs, [2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12].map(|fare| (fare, fare + 1)));
    assert_eq!(version.stay_max, Some(Millis::minutes(240)));
    assert_eq!((version.overstay.refuse, version.overstay.surcharge), (true, Charge::Highest));
    assert_eq!(version.same_station, SameStation::Pays(Charge::Lowest));
    assert_eq!(version.for_class(Amount::from_fen(500), "stored_value"), Amount::from_fen(450));
}

#[test]
fn a_flat_table_changes_its_price_on_its_day() {
    let table = fares(FLAT_FARES);
    let price =
        |at: &str| table.at(crate::time::parse(at).expect("a moment")).map(|version| version.scheme.lowest(&Places::new(), &station("a")));
    assert_eq!(price("2023-12-31T23:59:59.999+08:00"), Some(Amount::from_fen(100)));
    assert_eq!(price("2024-01-01T00:00:00+08:00"), Some(Amount::from_fen(200)));
    assert!(matches!(table.versions[0].scheme, Scheme::Flat(_)) && table.versions[0].is_flat());
}

#[test]
fn what_is_wrong_with_a_site_file_is_named_with_the_way_out() {
    let two = "stations = [{ id = \"a\" }, { id = \"b\" }]";
    let head = "id = \"cd\"\nfares = \"chengdu\"\n";
    for (text, message) in [
        (format!("{head}{two}\ncolour = 1"), "line 4: unknown field `colour`"),
        (format!("{head}stations = [{{ id = \"a\", gate = [] }}]"), "line 3: unknown field `gate`"),
        ("id = \"cd\"\nstations = []".to_owned(), "line 1: missing field `fares`"),
        (format!("{head}stations = [{{ id = \"a b\" }}]"), "line 3: an id holds only"),
        (
            format!("{head}stations = [{{ id = \"a\", gates = [{{ device = \"g\", service = \"both ways\" }}] }}]"),
            "line 3: unknown variant",
        ),
        (format!("{head}{two}\nutc_offset = \"8\""), "line 4: expected hh:mm"),
        (format!("{head}stations = [{{ id = \"a\" }}, {{ id = \"a\" }}]"), "key `stations.a`: stands twice"),
        (
            format!("{head}stations = [{{ id = \"a\", gates = [{{ device = \"g\" }}, {{ device = \"g\" }}] }}]"),
            "key `stations.a.gates`: gate g stands twice",
        ),
        (format!("{head}{two}\ntracks = [{{ from = \"a\", to = \"c\", distance_m = 1 }}]"), "key `tracks (a – c)`: no station c"),
        (format!("{head}{two}\ntracks = [{{ from = \"a\", to = \"a\", distance_m = 1 }}]"), "key `tracks (a – a)`: a track joins two"),
        (format!("{head}{two}\ntracks = [{{ from = \"a\", to = \"b\", distance_m = 0 }}]"), "key `tracks (a – b)`: `distance_m` must"),
        ("id = \"all\"\nfares = \"x\"\nstations = []".to_owned(), "key `id`: `all` is the broadcast level"),
        ("id = \"cd".to_owned(), "line 1: "),
    ] {
        let told = parse(&text).expect_err("refused").to_string();
        assert!(told.starts_with(message), "{told}");
    }
}

#[test]
fn sites_do_not_share_stations_or_gates_and_a_ladder_needs_a_way() {
    let mut world = world(SMALL);
    let add = |world: &mut World, text: &str, table: &str| {
        add_to_world(world, &parse(text).expect("parses"), fares(table)).map_err(|error| error.to_string())
    };
    let refused = |result: Result<(), String>, message: &str| {
        let told = result.expect_err("refused");
        assert!(told.starts_with(message), "{told}");
    };
    refused(add(&mut world, SMALL, CHENGDU_FARES), "key `id`: site cd stands in another file");
    let other = "id = \"bus\"\nfares = \"flat\"\n";
    refused(
        add(&mut world, &format!("{other}stations = [{{ id = \"tianfu\" }}]"), FLAT_FARES),
        "key `stations.tianfu`: stands in another site",
    );
    let gate = format!("{other}stations = [{{ id = \"x\", gates = [{{ device = \"g1\" }}] }}]");
    refused(add(&mut world, &gate, FLAT_FARES), "key `stations.x.gates`: gate g1 stands in another site");
    let apart = format!("{other}stations = [{{ id = \"x\" }}, {{ id = \"y\" }}]");
    refused(add(&mut world, &apart, CHENGDU_FARES), "key `tracks`: no way from x to y");
    assert_eq!(add(&mut world, &apart, FLAT_FARES), Ok(()), "a flat fare needs no distances");
}

#[test]
fn what_is_wrong_with_a_fare_file_is_named_with_the_way_out() {
    let version = "[[versions]]\nfrom = 2020-01-01T00:00:00+08:00\n";
    for (text, message) in [
        ("versions = []".to_owned(), "key `versions`: there is none"),
        (version.to_owned(), "key `versions[0].ladder`: give either"),
        (format!("{version}flat = \"1.00\"\nladder = {{ steps = [] }}"), "key `versions[0].ladder`: give either"),
        (format!("{version}ladder = {{ steps = [] }}"), "key `versions[0].ladder`: `steps` is empty"),
        (
            format!("{version}ladder = {{ steps = [{{ up_to_m = 2, fare = \"1\" }}, {{ up_to_m = 1, fare = \"2\" }}] }}"),
            "key `versions[0].ladder`: `steps` stand",
        ),
        (
            format!("{version}ladder = {{ steps = [{{ up_to_m = 2, fare = \"1\" }}], beyond = {{ every_m = 0, add = \"1\" }} }}"),
            "key `versions[0].ladder`: `beyond",
        ),
        (format!("{version}flat = \"1.005\""), "line 3: an amount is"),
        (format!("{version}flat = 1"), "line 3: invalid type"),
        (format!("{version}flat = \"-1\""), "line 3: a fare is not negative"),
        (format!("{version}flat = \"1\"\nsame_station = \"some\""), "line 4: expected free, lowest, highest or an amount"),
        (format!("{version}flat = \"1\"\nprice = 3"), "line 4: unknown field `price`"),
        ("[[versions]]\nfrom = 2020-01-01\nflat = \"1\"".to_owned(), "key `versions[0].from`: give date, time and offset"),
        (format!("{version}flat = \"1\"\n{version}flat = \"2\""), "key `versions[1].from`: versions stand oldest first"),
        (format!("{version}flat = \"1\"\nclasses = {{ adult = 1001 }}"), "key `versions[0].classes`"),
    ] {
        let told = parse_fares(&text).expect_err("refused").to_string();
        assert!(told.starts_with(message), "{told}");
    }
}

#[test]
fn policies_are_read_as_data() {
    let text = "currency = \"GBP\"\n[[versions]]\nfrom = 2020-01-01T00:00:00Z\nflat = \"1.75\"\nsame_station = \"refuse\"\nmissing_exit = \"8.90\"\nmissing_entry = \"free\"\n";
    let table = fares(text);
    let version = &table.versions[0];
    assert_eq!(table.currency, tongdao_domain::money::Currency::GBP);
    assert_eq!((version.same_station, version.missing_entry), (SameStation::Refuse, Charge::Free));
    assert_eq!((version.missing_exit, version.stay_max), (Charge::Fixed(Amount::from_fen(890)), None));
}

#[test]
fn every_file_that_is_shipped_can_be_read() {
    let config = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../config");
    let texts = |folder: &str| -> Vec<(String, String)> {
        let files = std::fs::read_dir(config.join(folder)).expect("a folder").map(|file| file.expect("a file").path());
        let name = |path: &std::path::Path| path.file_stem().expect("a name").to_string_lossy().into_owned();
        files.map(|path| (name(&path), std::fs::read_to_string(&path).expect("a text"))).collect()
    };
    let tables: std::collections::HashMap<_, _> = texts("fares").into_iter().map(|(name, text)| (name, fares(&text))).collect();
    assert!(tables.len() >= 2);
    for (name, text) in texts("sites") {
        let file = parse(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        let table = tables.get(file.fares.as_str()).unwrap_or_else(|| panic!("{name}: no fares {}", file.fares)).clone();
        add_to_world(&mut World::default(), &file, table).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
}

proptest! {
    /// The same distances as the textbook's other way to them (Floyd and Warshall).
    #[test]
    fn distances_are_the_shortest_over_any_tracks(tracks in proptest::collection::vec((0..6_usize, 0..6_usize, 1..1000_u32), 0..12)) {
        let names = ["a", "b", "c", "d", "e", "f"];
        let tracks: Vec<_> = tracks.into_iter().filter(|(from, to, _)| from != to).collect();
        let lines = tracks.iter().map(|(from, to, metres)| format!("{{ from = \"{}\", to = \"{}\", distance_m = {metres} }}", names[*from], names[*to]));
        let stations = names.map(|name| format!("{{ id = \"{name}\" }}")).join(", ");
        let text = format!("id = \"t\"\nfares = \"flat\"\nstations = [{stations}]\ntracks = [{}]\n", lines.collect::<Vec<_>>().join(", "));
        let mut world = World::default();
        add_to_world(&mut world, &parse(&text).expect("parses"), fares(FLAT_FARES)).expect("a flat fare needs no way");
        let mut best = [[None::<u32>; 6]; 6];
        for (from, to, metres) in &tracks {
            for (a, b) in [(*from, *to), (*to, *from)] {
                best[a][b] = Some(best[a][b].map_or(*metres, |known| known.min(*metres)));
            }
        }
        for via in 0..6 {
            for from in 0..6 {
                for to in 0..6 {
                    let Some(way) = best[from][via].zip(best[via][to]).map(|(a, b)| a + b) else { continue };
                    best[from][to] = Some(best[from][to].map_or(way, |known| known.min(way)));
                }
            }
        }
        for from in 0..6 {
            for to in (0..6).filter(|to| *to != from) {
                prop_assert_eq!(world.distance_m(&station(names[from]), &station(names[to])), best[from][to]);
            }
        }
    }

    #[test]
    fn no_longer_ride_is_cheaper(a in 0..200_000_u32, b in 0..200_000_u32) {
        let table = fares(CHENGDU_FARES);
        let (from, to) = (station("a"), station("b"));
        let price = |metres| table.versions[0].scheme.published(&Places::new(), &Trip { from: &from, to: &to, metres: Some(metres) });
        prop_assert!(price(a.min(b)) <= price(a.max(b)));
    }

    #[test]
    fn no_text_makes_it_panic(text in "[a-z0-9 =\"\\[\\]{}\n.#-]{0,80}") {
        let _ = (parse(&text), parse_fares(&text));
    }

    #[test]
    fn no_damage_to_a_good_file_makes_it_panic(place in 0..SMALL.len(), with in "[a-z0-9=\"\\[{\n]{0,3}") {
        let mut text: Vec<char> = SMALL.chars().collect();
        let place = place % text.len();
        text.splice(place..=place, with.chars());
        let _ = parse(&text.into_iter().collect::<String>());
    }
}
