//! Three cities by the same code: examples that each city's operator or its press has published. Sources stand in the files
//! under `config/fares`.
use super::*;
use crate::site::parse_fares;
use proptest::prelude::*;

const CHENGDU: &str = include_str!("../../../config/fares/chengdu.toml");
const LONDON: &str = include_str!("../../../config/fares/london-like.toml");
const NEW_YORK: &str = include_str!("../../../config/fares/newyork-like.toml");

fn table(text: &str) -> FareTable {
    parse_fares(text).expect("a good fare file")
}

/// `fare rule` of each ride.
fn rides(text: &str, class: &str, header: &str, rows: &[String]) -> Vec<String> {
    let file = format!("{header}\n{}\n", rows.join("\n"));
    let priced = priced(&table(text), class, &file).expect("priced");
    let last_two = |line: &str| line.rsplitn(3, ',').take(2).map(str::to_owned).collect::<Vec<_>>();
    priced.lines().skip(1).map(last_two).map(|cells| format!("{} {}", cells[1], cells[0])).collect()
}
fn alone(text: &str, class: &str, rows: &[&str]) -> Vec<String> {
    rides(text, class, "origin,destination,distance_m,minutes", &rows.iter().map(|row| (*row).to_owned()).collect::<Vec<_>>())
}
/// One rider's journeys: `origin destination minutes at`.
fn one(text: &str, class: &str, rows: &[&str]) -> Vec<String> {
    let row = |row: &&str| {
        let [from, to, minutes, at] = row.split(' ').collect::<Vec<_>>()[..] else { panic!("four words: {row}") };
        format!("{from},{to},0,{minutes},{at},a1")
    };
    rides(text, class, "origin,destination,distance_m,minutes,at,account", &rows.iter().map(row).collect::<Vec<_>>())
}

#[test]
fn chengdu_by_the_metre_by_the_second_and_by_class() {
    for (metres, fare) in
        [(0, "2.00"), (4_000, "2.00"), (4_001, "3.00"), (8_000, "3.00"), (70_000, "10.00"), (70_001, "11.00"), (90_001, "12.00")]
    {
        assert_eq!(alone(CHENGDU, "adult", &[&format!("a,b,{metres},20")]), [format!("{fare} ladder")], "{metres} m");
    }
    assert_eq!(alone(CHENGDU, "stored_value", &["a,b,12001,20"]), ["4.50 ladder"]);
    assert_eq!(alone(CHENGDU, "pupil", &["a,b,8001,20"]), ["2.00 ladder"]);
    // 240:00 is fine, 240:01 is not: the highest fare of the ladder (the network is not known here) on top of the ride.
    let stays = alone(CHENGDU, "adult", &["a,b,9500,240", "a,b,9500,240:00", "a,b,9500,240:01", "a,a,0,30"]);
    assert_eq!(stays, ["4.00 ladder", "4.00 ladder", "14.00 overstay", "2.00 same_station"]);
}

#[test]
fn london_singles_by_zone_and_hour() {
    // diamondgeezer.blogspot.com/2018/02/z1-6-tube-fares.html: peak 2.40 2.90 3.30 3.90 4.70 5.10, off-peak 2.40 2.40 2.80 2.80 3.10 3.10.
    let to = ["bank", "camdentown", "woodgreen", "southgate", "oakwood", "upminster"];
    let peak = ["2.40", "2.90", "3.30", "3.90", "4.70", "5.10"];
    let off_peak = ["2.40", "2.40", "2.80", "2.80", "3.10", "3.10"];
    for (to, (peak, off_peak)) in to.into_iter().zip(peak.into_iter().zip(off_peak)) {
        // A Wednesday; a Sunday; and Good Friday, a public holiday.
        for (at, fare) in [
            ("2018-02-28T08:00:00Z", peak),
            ("2018-02-28T10:00:00Z", off_peak),
            ("2018-02-25T08:00:00Z", off_peak),
            ("2017-04-14T08:00:00Z", off_peak),
        ] {
            assert_eq!(one(LONDON, "adult", &[&format!("eustonsquare {to} 20 {at}")]), [format!("{fare} zones")], "{to} {at}");
        }
    }
    // tfl.gov.uk/campaign/new-fares: zone 1 is 2.90 at peak and 2.80 else, another single zone 2.00 off-peak, from 2 March 2025.
    let edge = [
        "bank eustonsquare 9 2025-03-05T06:29:59.999Z",
        "bank eustonsquare 9 2025-03-06T06:30:00Z",
        "bank eustonsquare 9 2025-03-07T09:30:00Z",
    ];
    assert_eq!(one(LONDON, "adult", &edge), ["2.80 zones", "2.90 zones", "2.80 zones"]);
    assert_eq!(one(LONDON, "adult", &["woodgreen wimbledon 20 2025-03-05T12:00:00Z"]), ["2.00 zones"]);
    // oysterfares.com, "Peak, Off-peak and Caps": between 16:00 and 19:00 a ride into zone 1 is off-peak, the other way is not;
    // the first touch decides. diamond geezer, 2024: zones 1-2 3.50 and 2.90, zones 1-3 3.80 and 3.10.
    let afternoon = [
        "woodgreen bank 20 2025-03-05T15:59:59Z",
        "woodgreen bank 20 2025-03-06T16:00:00Z",
        "bank woodgreen 20 2025-03-07T16:00:00Z",
        "camdentown bank 20 2025-03-10T18:59:59Z",
        "bank camdentown 20 2025-03-11T18:59:59Z",
        "bank camdentown 20 2025-03-12T19:00:00Z",
        "woodgreen bank 20 2025-03-13T08:00:00Z",
    ];
    let fares = ["3.10", "3.10", "3.80", "2.90", "3.50", "2.90", "3.80"].map(|fare| format!("{fare} zones"));
    assert_eq!(one(LONDON, "adult", &afternoon), fares);
    // A station on a boundary lies in both zones: the cheaper counts.
    assert_eq!(
        one(LONDON, "adult", &["vauxhall bank 9 2025-03-05T12:00:00Z", "vauxhall camdentown 9 2025-03-06T12:00:00Z"]),
        ["2.80 zones", "2.00 zones"]
    );
}

#[test]
fn london_caps_a_day_and_a_week() {
    // Zones 1-2: 8.90 a day; the business day ends at 04:30.
    let day = [
        "bank camdentown 20 2025-03-05T08:00:00Z",
        "camdentown bank 20 2025-03-05T17:00:00Z",
        "bank camdentown 20 2025-03-05T22:00:00Z",
        "camdentown bank 20 2025-03-06T04:29:00Z",
        "bank camdentown 20 2025-03-06T04:30:00Z",
    ];
    assert_eq!(one(LONDON, "adult", &day), ["3.50 zones", "2.90 zones", "2.50 cap:day-1-2", "0.00 cap:day-1-2", "2.90 zones"]);
    // A ride beyond counts towards the wider cap alone (16.30), which counts the others, too.
    let wider = [
        "bank camdentown 20 2025-03-05T08:00:00Z",
        "camdentown bank 20 2025-03-05T17:00:00Z",
        "bank camdentown 20 2025-03-05T22:00:00Z",
        "bank upminster 50 2025-03-05T18:00:00Z",
        "upminster bank 50 2025-03-05T23:00:00Z",
    ];
    let priced = rides(
        LONDON,
        "adult",
        "origin,destination,distance_m,minutes,at,account",
        &wider.map(|row| {
            let cells: Vec<&str> = row.split(' ').collect();
            format!("{},{},0,{},{},", cells[0], cells[1], cells[2], cells[3])
        }),
    );
    assert_eq!(priced[3..], ["5.80 zones", "3.80 zones"], "rows without an account stand alone");
    let mut in_order = wider;
    in_order.swap(2, 3);
    assert_eq!(one(LONDON, "adult", &in_order)[2..], ["5.80 zones", "2.50 cap:day-1-2", "1.60 cap:day-1-6"]);
    // 44.70 from Monday to Sunday: five days at 8.90 are 44.50, so that Saturday costs 0.20; Monday begins anew.
    let mut week: Vec<String> = Vec::new();
    for day in 3..=9 {
        for hour in ["08", "17", "22"] {
            week.push(format!("bank camdentown 20 2025-03-{day:02}T{hour}:00:00Z"));
        }
    }
    week.push("bank camdentown 20 2025-03-10T12:00:00Z".into());
    let priced = one(LONDON, "adult", &week.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(
        priced[14..],
        [
            "1.90 cap:day-1-2",
            "0.20 cap:week-1-2",
            "0.00 cap:week-1-2",
            "0.00 cap:week-1-2",
            "0.00 cap:week-1-2",
            "0.00 cap:week-1-2",
            "0.00 cap:week-1-2",
            "2.90 zones"
        ]
    );
}

#[test]
fn london_same_station_long_stays_and_older_riders() {
    // Up to two minutes a maximum fare, up to thirty the cheapest single, then two maximum fares; penalties count towards no cap.
    let stays = ["1:59", "2:00", "29:59", "30:00"].map(|stay| format!("bank bank {stay} 2025-03-05T12:00:00Z"));
    let fares: Vec<_> = stays.iter().map(|stay| one(LONDON, "adult", &[stay])[0].clone()).collect();
    assert_eq!(fares, ["9.40 same_station", "2.80 same_station", "2.80 same_station", "18.80 same_station"]);
    let long = [
        "bank camdentown 110:00 2025-03-05T12:00:00Z",
        "bank camdentown 110:01 2025-03-05T14:00:00Z",
        "camdentown bank 20 2025-03-05T16:30:00Z",
        "camdentown bank 20 2025-03-05T17:30:00Z",
        "bank camdentown 20 2025-03-05T18:30:00Z",
    ];
    let told = ["2.90 zones", "18.80 overstay", "2.90 zones", "2.90 zones", "0.20 cap:day-1-2"];
    assert_eq!(one(LONDON, "adult", &long), told);
    let senior =
        ["bank camdentown 20 2025-03-05T08:59:59Z", "bank camdentown 20 2025-03-05T09:00:00Z", "bank camdentown 20 2025-03-08T08:00:00Z"];
    assert_eq!(one(LONDON, "senior", &senior), ["3.50 zones", "0.00 zones", "0.00 zones"]);
    assert_eq!(one(LONDON, "child", &["bank camdentown 20 2025-03-05T08:00:00Z"]), ["1.75 zones"]);
}

/// Two rides a day from Monday on.
fn new_york(from_day: u32, month: &str, rides: usize) -> Vec<String> {
    let at = |n: usize| (from_day + u32::try_from(n / 2).unwrap_or(0), if n.is_multiple_of(2) { "08" } else { "18" });
    (0..rides).map(at).map(|(day, hour)| format!("timessquare flushing 0 {month}-{day:02}T{hour}:00:00-05:00")).collect()
}

#[test]
fn new_york_rides_free_after_twelve_paid_ones() {
    // amny.com: 2.75 each, twelve from Monday to Sunday are 33.00, then free; the next Monday begins anew.
    let week = new_york(7, "2022-03", 15);
    let priced = one(NEW_YORK, "adult", &week.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(priced[..12], vec!["2.75 flat"; 12]);
    assert_eq!(priced[12..], ["0.00 cap:week", "0.00 cap:week", "2.75 flat"]);
    // gothamist.com, 2023: 2.90 each, 34.00 in seven days from the first tap, so that the twelfth costs 2.10.
    let week = new_york(6, "2023-09", 16);
    let priced = one(NEW_YORK, "adult", &week.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(priced[..11], vec!["2.90 flat"; 11]);
    assert_eq!(priced[11..14], ["2.10 cap:seven-days", "0.00 cap:seven-days", "0.00 cap:seven-days"]);
    assert_eq!(priced[14..], vec!["2.90 flat"; 2], "seven times 24 hours after the first tap, a Wednesday");
    // manhattandaily.com, 2026: 3.00 each and 35.00 in seven days; reduced 1.50 and 17.50.
    for (class, single, twelfth) in [("adult", "3.00", "2.00"), ("reduced", "1.50", "1.00")] {
        let week = new_york(5, "2026-01", 14);
        let priced = one(NEW_YORK, class, &week.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(priced[..11], vec![format!("{single} flat"); 11]);
        assert!(priced[11].starts_with(&format!("{twelfth} cap:seven-days")) && priced[12].starts_with("0.00 cap"), "{priced:?}");
    }
}

#[test]
fn effective_dates_switch_to_the_millisecond() {
    // The version in effect at the exit prices the whole ride; one price at the tap.
    let new_year = ["timessquare x 0 2026-01-03T23:59:59.999-05:00", "timessquare x 0 2026-01-04T00:00:00-05:00"];
    assert_eq!(new_year.map(|ride| one(NEW_YORK, "adult", &[ride])[0].clone()), ["2.90 flat", "3.00 flat"]);
    assert_eq!(one(LONDON, "adult", &["bank eustonsquare 20:00 2025-03-01T23:40:00Z"]), ["2.80 zones"]);
    assert_eq!(one(LONDON, "adult", &["bank eustonsquare 19:59 2025-03-01T23:40:00Z"]), ["2.40 zones"]);
}

#[test]
fn a_matrix_of_stations_knows_both_ways_and_one() {
    let table = r#"currency = "CNY"
[[versions]]
from = 2026-01-01T00:00:00+08:00
same_station = "1.00"
matrix = [
  { from = "a", to = "b", fare = "2.00" },
  { from = "a", to = "c", fare = "5.00", one_way = true },
  { from = "c", to = "a", fare = "4.00", one_way = true },
  { from = "b", to = "c", fare = "3.00" },
]
classes = { adult = 100, pupil = 50 }
"#;
    let pairs = ["a,b,9,1", "b,a,9,1", "a,c,9,1", "c,a,9,1", "c,b,9,1", "a,a,0,1"];
    let told = ["2.00 matrix", "2.00 matrix", "5.00 matrix", "4.00 matrix", "3.00 matrix", "1.00 same_station"];
    assert_eq!(alone(table, "adult", &pairs), told);
    assert_eq!(alone(table, "pupil", &["c,b,9,1"]), ["1.50 matrix"]);
    assert_eq!(alone(table, "adult", &["a,elsewhere,9,1"]), ["5.00 matrix"], "what it does not know costs the dearest");
}

#[test]
fn new_york_transfers_once_within_two_hours() {
    // One transfer between bus and subway or bus and bus within two hours of the first tap; two rides with it are one paid ride.
    let rides = [
        "timessquare x 0 2022-03-07T08:00:00-05:00",
        "m15 x 0 2022-03-07T10:00:00-05:00",
        "q44 x 0 2022-03-07T10:00:01-05:00",
        "m15 x 0 2022-03-07T12:00:01.001-05:00",
        "timessquare x 0 2022-03-07T13:00:00-05:00",
        "grandcentral x 0 2022-03-07T13:10:00-05:00",
        "flushing x 0 2022-03-07T13:20:00-05:00",
    ];
    let priced = one(NEW_YORK, "adult", &rides);
    assert_eq!(priced, ["2.75 flat", "0.00 transfer", "2.75 flat", "2.75 flat", "0.00 transfer", "2.75 flat", "2.75 flat"]);
    assert_eq!(one(NEW_YORK, "reduced", &rides[..1]), ["1.35 flat"]);
}

#[test]
fn a_file_that_cannot_be_priced_names_line_and_way_out() {
    let told = |class: &str, text: &str| priced(&table(CHENGDU), class, text).expect_err("refused").to_string();
    let head = "origin,destination,distance_m,minutes";
    assert!(told("alien", head).starts_with("key `class`: the table has no passenger class"));
    assert!(told("adult", "origin,destination").starts_with("line 1: the header must be origin,destination"));
    assert!(told("adult", &format!("{head}\na,b,1,2:61")).starts_with("line 2: column minutes"));
    assert!(told("adult", &format!("{head}\na,b,-1,2")).starts_with("line 2: column distance_m"));
    assert!(told("adult", &format!("{head},at\na,b,1,2,today")).starts_with("line 2: column at"));
    let back = "a,b,1,2,2026-01-05T08:00:00Z,r1\na,b,1,2,2026-01-05T07:00:00Z,r1";
    assert!(told("adult", &format!("{head},at,account\n{back}")).starts_with("line 3: column at: the journeys of an account"));
    let given = format!("{head},at,account\n a , b ,1,2:30,2026-01-05T08:00:00Z,r1\n");
    assert_eq!(
        priced(&table(CHENGDU), "adult", &given).expect("priced"),
        format!("{head},at,account,fare,rule\na,b,1,2:30,2026-01-05T08:00:00Z,r1,2.00,ladder\n")
    );
}

proptest! {
    #[test]
    fn nobody_pays_more_in_a_day_than_the_cap(stations in prop::collection::vec((0..11_usize, 0..11_usize, 1..60_u32), 1..24)) {
        let names: Vec<String> = table(LONDON).versions[1].more.places.keys().map(ToString::to_string).collect();
        let mut minute = 0;
        let mut rows = Vec::new();
        for (from, to, gap) in stations.iter().filter(|(from, to, _)| from != to) {
            minute += gap;
            if minute + 20 > 20 * 60 { break }
            rows.push(format!("{} {} 10 2025-03-05T{:02}:{:02}:00Z", names[*from], names[*to], 4 + (minute + 30) / 60, (minute + 30) % 60));
        }
        prop_assume!(rows.iter().all(|row| !row.contains("T24")));
        let priced = one(LONDON, "adult", &rows.iter().map(String::as_str).collect::<Vec<_>>());
        let fen = |line: &String| line.split(' ').next().and_then(|fare| fare.replace('.', "").parse::<i64>().ok()).expect("a fare");
        prop_assert!(priced.iter().map(fen).sum::<i64>() <= 1630);
    }
}
