//! Small feeds of our own, and what they become: priced by the very code that prices taps.
use super::*;
use crate::rides::priced;
use crate::site::parse_fares;

const FROM: &str = "2026-01-01T00:00:00+08:00";

/// A feed from `file: line; line; …` paragraphs.
fn feed(files: &[(&'static str, &str)]) -> Feed {
    let mut feed = Feed::default();
    files.iter().for_each(|(file, text)| feed.insert(file, text.replace("; ", "\n")));
    feed
}
fn read(files: &[(&'static str, &str)]) -> Result<String, Vec<String>> {
    let faults = |faults: Vec<Fault>| faults.iter().map(ToString::to_string).collect();
    fare_file(&feed(files), &Wanted { from: FROM, media: None }).map_err(faults)
}
/// `fare rule` of rides `origin,destination,minutes,at`.
fn rides(file: &str, class: &str, rows: &[&str]) -> Vec<String> {
    let table = parse_fares(file).expect("a good fare file");
    let row = |row: &&str| {
        let [from, to, minutes, at] = row.split(',').collect::<Vec<_>>()[..] else { panic!("four cells: {row}") };
        format!("{from},{to},0,{minutes},{at},a1")
    };
    let rows: Vec<String> = rows.iter().map(row).collect();
    let text = format!("origin,destination,distance_m,minutes,at,account\n{}\n", rows.join("\n"));
    let told = priced(&table, class, &text).expect("priced");
    told.lines()
        .skip(1)
        .map(|line| line.rsplitn(3, ',').take(2).collect::<Vec<_>>())
        .map(|cells| format!("{} {}", cells[1], cells[0]))
        .collect()
}

const PRODUCTS: &str = "fare_product_id,amount,currency; one,2.00,CNY; two,3.50,CNY";
const STOPS: &str = "stop_id,stop_name,location_type,parent_station; north,North,1,; north-1,,0,north; door,,2,north; south,South,,; edge,Edge,0,; west,West,0,";
const AREAS: &str = "area_id,stop_id; inner,north-1; inner,south; inner,edge; outer,edge; outer,west";
const LEGS: &str = "from_area_id,to_area_id,fare_product_id; inner,inner,one; outer,outer,one; inner,outer,two; outer,inner,two";

#[test]
fn one_price_with_classes_and_a_free_transfer() {
    let file = read(&[
        ("rider_categories.txt", "rider_category_id,rider_category_name,is_default_fare_category; reduced,Reduced,0; full,Full,1"),
        ("fare_products.txt", "fare_product_id,rider_category_id,amount,currency; ride,full,2.75,USD; ride,reduced,1.35,USD"),
        ("fare_leg_rules.txt", "leg_group_id,fare_product_id; all,ride"),
        (
            "fare_transfer_rules.txt",
            "from_leg_group_id,to_leg_group_id,transfer_count,duration_limit,duration_limit_type,fare_transfer_type; all,all,1,7200,1,0",
        ),
    ])
    .expect("it maps");
    let day = ["x,x,0,2026-03-02T08:00:00Z", "y,y,0,2026-03-02T10:00:00Z", "y,y,0,2026-03-02T10:00:01Z"];
    assert_eq!(rides(&file, "full", &day), ["2.75 flat", "0.00 transfer", "2.75 flat"]);
    assert_eq!(rides(&file, "reduced", &day[..1]), ["1.35 flat"]);
    assert!(file.contains("currency = \"USD\"") && file.contains("from = 2026-01-01T00:00:00+08:00"), "{file}");
}

#[test]
fn areas_are_zones_and_a_stop_in_two_lies_on_their_boundary() {
    let file = read(&[
        ("fare_products.txt", PRODUCTS),
        ("stops.txt", STOPS),
        ("stop_areas.txt", AREAS),
        ("fare_leg_rules.txt", LEGS),
        ("fare_transfer_rules.txt", "transfer_count,duration_limit,duration_limit_type,fare_transfer_type,fare_product_id; -1,1800,2,0,"),
    ])
    .expect("it maps");
    let told = rides(
        &file,
        "adult",
        &["north,west,20,2026-03-02T08:00:00Z", "west,north,20,2026-03-02T08:50:00Z", "west,north,20,2026-03-02T09:40:00.001Z"],
    );
    assert_eq!(told, ["3.50 zones", "0.00 transfer", "3.50 zones"]);
    let edge = ["edge,north,5,2026-03-02T08:00:00Z", "edge,west,5,2026-03-03T08:00:00Z", "south,north,5,2026-03-04T08:00:00Z"];
    assert_eq!(rides(&file, "adult", &edge), ["2.00 zones", "2.00 zones", "2.00 zones"]);
    assert!(!file.contains("door") && !file.contains("north-1"), "stations, not their platforms and doors: {file}");
}

#[test]
fn areas_of_one_station_each_are_a_matrix_with_a_way_of_its_own() {
    let file = read(&[
        ("fare_products.txt", PRODUCTS),
        ("stops.txt", "stop_id; a; b"),
        ("stop_areas.txt", "area_id,stop_id; A,a; B,b"),
        ("fare_leg_rules.txt", "from_area_id,to_area_id,fare_product_id; A,A,one; B,B,one; A,B,one; B,A,two"),
    ])
    .expect("it maps");
    let told = rides(&file, "adult", &["a,b,5,2026-03-02T08:00:00Z", "b,a,5,2026-03-02T09:00:00Z"]);
    assert_eq!(told, ["2.00 matrix", "3.50 matrix"]);
}

#[test]
fn what_a_rule_leaves_open_is_the_rest_or_everything_by_priority() {
    let areas = [("fare_products.txt", PRODUCTS), ("stops.txt", STOPS), ("stop_areas.txt", AREAS)];
    let legs = |text: &'static str| read(&[&areas[..], &[("fare_leg_rules.txt", text)]].concat());
    let rides = |file: &str| {
        rides(
            file,
            "adult",
            &["north,south,5,2026-03-02T08:00:00Z", "north,west,5,2026-03-02T09:00:00Z", "west,north,5,2026-03-02T10:00:00Z"],
        )
    };
    // Without priorities an empty field is what no rule names; with them it is anything.
    let rest = "from_area_id,to_area_id,fare_product_id; inner,inner,one; inner,,two; ,inner,two; ,,two";
    assert_eq!(rides(&legs(rest).expect("it maps")), ["2.00 zones", "3.50 zones", "3.50 zones"]);
    let first = "from_area_id,to_area_id,fare_product_id,rule_priority; inner,inner,one,1; ,,two,";
    assert_eq!(rides(&legs(first).expect("it maps")), ["2.00 zones", "3.50 zones", "3.50 zones"]);
    let both = "from_area_id,to_area_id,fare_product_id,rule_priority; inner,inner,one,; ,,two,";
    assert_eq!(legs(both), Err(vec!["fare_leg_rules.txt line 3: another price than line 2 for the same ride: a table has one".into()]));
    let gap = "from_area_id,to_area_id,fare_product_id; inner,inner,one; inner,outer,two; outer,inner,two";
    assert_eq!(legs(gap), Err(vec!["fare_leg_rules.txt: no rule prices a ride from area \"outer\" to area \"outer\"".into()]));
}

const CALENDAR: &str = "service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date; \
                        work,1,1,1,1,1,0,0,20260101,20261231; free,0,0,0,0,0,1,1,20260101,20261231";
const PEAK: &str = "timeframe_group_id,start_time,end_time,service_id; peak,07:00:00,09:30:00,work";
const BY_HOUR: &str = "from_timeframe_group_id,fare_product_id; peak,two; ,one";

#[test]
fn hours_and_public_holidays() {
    let file = read(&[
        ("fare_products.txt", PRODUCTS),
        ("fare_leg_rules.txt", BY_HOUR),
        ("timeframes.txt", PEAK),
        ("calendar.txt", CALENDAR),
        ("calendar_dates.txt", "service_id,date,exception_type; work,20260501,2; free,20260501,1"),
    ])
    .expect("it maps");
    // A fare file without an offset counts in China's time: 2026-05-01 is a Friday.
    let day = |date: &str| {
        [("06:59:59", date), ("07:00:00", date), ("09:30:00", date)].map(|(clock, date)| format!("x,x,0,{date}T{clock}+08:00"))
    };
    let fares = |date| rides(&file, "adult", &day(date).each_ref().map(String::as_str));
    assert_eq!(fares("2026-05-04"), ["2.00 flat", "3.50 flat", "2.00 flat"]);
    assert_eq!(fares("2026-05-01"), ["2.00 flat"; 3]);
    assert_eq!(fares("2026-05-02"), ["2.00 flat"; 3]);
}

#[test]
fn hours_that_leave_no_moment_out_need_no_other() {
    let all = "timeframe_group_id,start_time,end_time,service_id; peak,07:00:00,09:30:00,work; else,,07:00:00,work; \
               else,09:30:00,,work; else,,,free";
    let legs = "from_timeframe_group_id,fare_product_id; peak,two; else,one";
    let files = [("fare_products.txt", PRODUCTS), ("fare_leg_rules.txt", legs), ("calendar.txt", CALENDAR), ("timeframes.txt", all)];
    let file = read(&files).expect("it maps");
    assert_eq!(rides(&file, "adult", &["x,x,0,2026-05-04T08:00:00+08:00", "x,x,0,2026-05-04T10:00:00+08:00"]), ["3.50 flat", "2.00 flat"]);
    let gap = all.replace("; else,,,free", "");
    let told = read(&[files[0], files[1], files[2], ("timeframes.txt", &gap)]);
    assert_eq!(told, Err(vec!["timeframes.txt line 4: no ride has a price on sat at 00:00".into()]));
}

/// What is refused, with a feed that differs from one that maps by these files.
fn refused(files: &[(&'static str, &str)]) -> String {
    let good = [("fare_products.txt", PRODUCTS), ("fare_leg_rules.txt", "fare_product_id; one"), ("calendar.txt", CALENDAR)];
    let mut all = good.to_vec();
    all.extend_from_slice(files);
    read(&all).expect_err("refused").join("; ")
}

#[test]
fn what_does_not_map_is_named_with_file_and_line() {
    let transfer = |row: &str| {
        let header = "transfer_count,duration_limit,duration_limit_type,fare_transfer_type,fare_product_id";
        refused(&[("fare_transfer_rules.txt", &format!("{header}; {row}"))])
    };
    for (row, told) in [
        ("1,,,0,", "line 2: a transfer without a time limit"),
        ("1,90,1,0,", "line 2: a time limit is whole minutes, not 90 s"),
        ("1,3600,0,0,", "line 2: a limit up to the next exit"),
        ("2,3600,1,0,", "line 2: a limit from each ride's entry"),
        ("1,3600,2,0,", "line 2: a limit from an exit does not map where one tap"),
        ("1,3600,1,2,", "line 2: rides that cost one price together"),
        ("1,3600,1,0,one", "line 2: the next ride costs what the transfer costs"),
        ("1,3600,1,1,one", "line 2: a transfer that makes rides dearer"),
        ("0,3600,1,0,", "line 2: no number of transfers: 0"),
    ] {
        assert!(transfer(row).starts_with(&format!("fare_transfer_rules.txt {told}")), "{row}: {}", transfer(row));
    }
    let told = [
        refused(&[("fare_products.txt", "fare_product_id,fare_media_id,amount,currency; one,cash,3.00,CNY; one,card,2.00,CNY")]),
        refused(&[("fare_products.txt", "fare_product_id,amount,currency; one,2.005,CNY")]),
        refused(&[("fare_products.txt", "fare_product_id,amount,currency; one,2.00,CNY; two,2.00,USD")]),
        refused(&[("fare_products.txt", "")]),
        refused(&[("fare_leg_rules.txt", "network_id,fare_product_id; metro,one; bus,two")]),
        refused(&[("fare_leg_rules.txt", "to_timeframe_group_id,fare_product_id; peak,one")]),
        refused(&[("fare_leg_rules.txt", "fare_product_id; one; two")]),
        refused(&[("fare_leg_rules.txt", "fare_product_id; three")]),
        refused(&[("fare_leg_rules.txt", "from_area_id,fare_product_id; mars,one")]),
        refused(&[("fare_leg_rules.txt", BY_HOUR)]),
        refused(&[("fare_leg_join_rules.txt", "from_network_id,to_network_id; metro,metro")]),
        refused(&[("timeframes.txt", "timeframe_group_id,start_time,end_time,service_id; peak,07:00:30,09:30:00,work")]),
        refused(&[("timeframes.txt", "timeframe_group_id,start_time,end_time,service_id; peak,07:00:00,09:30:00,never")]),
        refused(&[("timeframes.txt", &format!("{PEAK}; rush,09:29:00,10:00:00,work"))]),
        refused(&[("timeframes.txt", PEAK), ("calendar_dates.txt", "service_id,date,exception_type; work,20260501,2; work,20260502,1")]),
        refused(&[
            ("rider_categories.txt", "rider_category_id,is_default_fare_category; full,1; child,0"),
            (
                "fare_products.txt",
                "fare_product_id,rider_category_id,amount,currency; one,full,2.00,CNY; one,child,1.00,CNY; two,full,3.50,CNY; two,child,1.50,CNY",
            ),
            ("fare_leg_rules.txt", "from_timeframe_group_id,fare_product_id; peak,two; ,one"),
            ("timeframes.txt", PEAK),
        ]),
        refused(&[("rider_categories.txt", "rider_category_id,is_default_fare_category; full,0; child,0")]),
    ];
    let expected = [
        "fare_products.txt line 3: another price than line 2: choose the medium",
        "fare_products.txt line 2: an amount is a decimal number",
        "fare_products.txt line 3: a table has one currency, not USD",
        "fare_products.txt: there is no product",
        "fare_leg_rules.txt line 3: prices by network",
        "fare_leg_rules.txt line 2: prices by the hour of the exit",
        "fare_leg_rules.txt line 3: another price than line 2",
        "fare_leg_rules.txt line 2: \"three\" has no price",
        "fare_leg_rules.txt line 2: no stop lies in the area \"mars\"",
        "fare_leg_rules.txt line 2: timeframes.txt has no group \"peak\"",
        "fare_leg_join_rules.txt line 2: legs that are priced together",
        "timeframes.txt line 2: hours are whole minutes",
        "timeframes.txt line 2: calendar.txt has no service \"never\"",
        "timeframes.txt line 3: some moments are in the hours of line 2, too",
        "calendar_dates.txt line 3: dates with exceptions are public holidays",
        "fare_products.txt line 5: riders of \"child\" pay no one share",
        "rider_categories.txt line 3: exactly one category is the default",
    ];
    for (told, expected) in told.iter().zip(expected) {
        assert!(told.starts_with(expected), "{told:?} instead of {expected:?}");
    }
}

#[test]
fn faults_of_several_parts_are_told_together() {
    let told = refused(&[("timeframes.txt", &PEAK.replace("work", "never")), ("fare_leg_rules.txt", "fare_product_id; three")]);
    assert_eq!(told.matches(" line 2: ").count(), 2, "{told}");
}

#[test]
fn a_medium_is_chosen_where_prices_differ_by_it() {
    let feed = feed(&[
        ("fare_products.txt", "fare_product_id,fare_media_id,amount,currency; one,cash,3.00,CNY; one,card,2.00,CNY"),
        ("fare_leg_rules.txt", "fare_product_id; one"),
    ]);
    let file = fare_file(&feed, &Wanted { from: FROM, media: Some("card") }).expect("it maps");
    assert_eq!(rides(&file, "adult", &["x,x,0,2026-03-02T08:00:00Z"]), ["2.00 flat"]);
}

proptest::proptest! {
    /// Whatever stands in the files: a table that can be read, or faults that name a file.
    #[test]
    fn no_feed_is_too_odd(
        cells in proptest::collection::vec(0..24_usize, 40),
        headers in proptest::collection::vec(0..FILES.len(), 0..3),
    ) {
        const ODD: [&str; 24] = [
            "", "one", "two", "inner", "outer", "north", "-1", "0", "1", "2", "3", "7200", "99999999999", "2.00", "-1.00", "1e9", "CNY", "XXX",
            "07:00:00", "65535:59:00", "20260230", "20260101", "work", "\"",
        ];
        let columns = [
            "fare_product_id,rider_category_id,fare_media_id,amount,currency",
            "leg_group_id,from_area_id,to_area_id,from_timeframe_group_id,fare_product_id,rule_priority",
            "from_leg_group_id,to_leg_group_id,transfer_count,duration_limit,duration_limit_type,fare_transfer_type,fare_product_id",
            "from_network_id,to_network_id",
            "rider_category_id,is_default_fare_category",
            "area_id,stop_id",
            "stop_id,location_type,parent_station",
            "timeframe_group_id,start_time,end_time,service_id",
            "service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date",
            "service_id,date,exception_type",
        ];
        let mut feed = feed(&[("fare_products.txt", PRODUCTS), ("fare_leg_rules.txt", LEGS), ("stops.txt", STOPS), ("stop_areas.txt", AREAS)]);
        let mut cells = cells.iter().map(|cell| ODD[*cell]).cycle();
        for file in headers {
            let row = |cells: &mut dyn Iterator<Item = &'static str>| columns[file].split(',').filter_map(|_| cells.next()).collect::<Vec<_>>().join(",");
            let rows = [row(&mut cells), row(&mut cells)];
            feed.insert(FILES[file], format!("{}\n{}\n", columns[file], rows.join("\n")));
        }
        match fare_file(&feed, &Wanted { from: FROM, media: None }) {
            Ok(text) => proptest::prop_assert!(parse_fares(&text).is_ok()),
            Err(faults) => proptest::prop_assert!(!faults.is_empty() && faults.iter().all(|fault| fault.to_string().contains(".txt"))),
        }
    }
}
