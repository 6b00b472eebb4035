//! `tongdao fare` as its users meet it: rides priced, a table in the shadow of recorded days, a table out of a GTFS feed.
mod common;
use common::Server;
use std::fs;

/// The journeys that are recorded: two rides, one that the desk corrected, one that is still open.
fn recorded() -> Server {
    let server = Server::start("");
    server.accounts("a1,4,adult,50.00,ecny,m1\na2,3,pupil,50.00,card,m2\n");
    let (s1, s3, s5) = (server.add_gate("g1"), server.add_gate("g3"), server.add_gate("g5"));
    let (g1, g3, g5) = (server.gate("g1", &s1), server.gate("g3", &s3), server.gate("g5", &s5));
    assert_eq!(g1.tap(1, "entry", "m1")["code"], "OK");
    assert_eq!(g3.tap(1, "exit", "m1")["fare"]["amount"], "2.00", "3 km");
    assert_eq!(g1.tap(2, "entry", "m2")["code"], "OK");
    assert_eq!(g5.tap(1, "exit", "m2")["fare"]["amount"], "2.50", "16 km, half of it");
    assert_eq!(g1.tap(3, "entry", "m1")["code"], "OK");
    server.by_li(&["account", "adjust", "a1", "--kind", "add_exit", "--station", "wenshuyuan"]);
    assert_eq!(g3.tap(2, "entry", "m1")["code"], "OK", "still in");
    server
}

const DEARER: &str = r#"
currency = "CNY"
[[versions]]
from = 2020-01-01T00:00:00+08:00
ladder = { steps = [{ up_to_m = 4000, fare = "2.00" }, { up_to_m = 20000, fare = "6.00" }] }
caps = [{ id = "days", per = "7 days", amount = "7.00" }]
classes = { adult = 100 }
"#;

#[test]
fn a_table_in_the_shadow_of_a_recorded_day() {
    let mut server = recorded();
    let file = server.dir.path().join("dearer.toml");
    fs::write(&file, DEARER).expect("the table");
    let file = file.to_str().expect("UTF-8");
    // The business day switches at two at night: of the days around, one has it all.
    let today = jiff::Zoned::now().with_time_zone(jiff::tz::TimeZone::UTC).date();
    let (from, to) = (today.yesterday().expect("a day").to_string(), today.tomorrow().expect("a day").to_string());
    let shadow = ["fare", "--shadow", file, "--from", &from, "--to", &to];
    let before = server.export();
    let told = server.ok(&shadow);
    for line in [
        "journeys    3 (2 dearer, 0 cheaper, 1 the same)",
        "paid        7.50",
        "would be    13.00",
        "difference  +5.50",
        "note        the table has no passenger class pupil: 1 journeys at the published fare",
    ] {
        assert!(told.lines().any(|other| other == line), "{line} in\n{told}");
    }
    let words =
        |name: &str| told.lines().find(|line| line.starts_with(name)).map(|line| line.split_whitespace().skip(1).collect::<Vec<_>>());
    assert_eq!(words("ladder "), Some(vec!["2", "4.50", "8.00", "+3.50"]), "{told}");
    assert_eq!(words("cap:days "), Some(vec!["1", "3.00", "5.00", "+2.00"]), "the second ride of the seven days: {told}");
    let each = server.ok(&[&shadow[..], &["--each"]].concat());
    let mut rows: Vec<&str> = each.lines().skip(1).map(|row| row.split_once(',').map_or(row, |(_, row)| row)).collect();
    rows.sort_unstable();
    assert_eq!(rows.len(), 3, "{each}");
    assert!(rows[0].starts_with("a1,adult,g1/1/1,tianfu,luomashi,2.00,2.00,0.00,ladder"), "{each}");
    assert!(rows[1].starts_with("a1,adult,g1/1/3,tianfu,wenshuyuan,3.00,5.00,2.00,cap:days"), "{each}");
    assert!(rows[2].starts_with("a2,pupil,g1/1/2,tianfu,renminbei,2.50,6.00,3.50,ladder"), "{each}");
    let own = server.ok(&["fare", "--shadow", "chengdu", "--from", &from, "--to", &to]);
    assert!(own.contains("difference  0.00"), "under its own table nothing changes: {own}");
    let past = server.ok(&["fare", "--shadow", file, "--from", "2020-01-01", "--to", "2020-01-02"]);
    assert!(past.contains("journeys    0 "), "{past}");
    assert_eq!(server.export(), before, "nothing was written");
    assert_eq!(server.terminate(), Some(0));
    assert_eq!(server.ok(&shadow), told, "from the files, without a server");
    assert_eq!(server.export(), before, "nothing was written");
}

#[test]
fn a_table_that_does_not_fit_is_refused_with_the_reason() {
    let server = Server::prepare("");
    server.accounts("a1,4,adult,50.00,ecny,m1\n");
    let days = ["--from", "2026-03-02", "--to", "2026-03-02"];
    for (table, code, what) in [("london-like", 65, "GBP"), ("nowhere.toml", 65, "nowhere.toml")] {
        let output = server.cli(&[&["fare", "--shadow", table][..], &days[..]].concat());
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(code) && told.contains(what), "{table}: {told}");
    }
    for words in [
        &["fare", "--shadow", "chengdu"][..],
        &["fare", "--shadow", "chengdu", "--from", "2026-03-03", "--to", "2026-03-02"],
        &["fare", "--shadow", "chengdu", "--from", "today", "--to", "2026-03-02"],
        &["fare"],
        &["fare", "--table", "chengdu", "--shadow", "chengdu", "--from", "2026-03-02", "--to", "2026-03-02"],
    ] {
        assert_eq!(server.cli(words).status.code(), Some(64), "{words:?}");
    }
    let other = server.cli(&[&["fare", "--shadow", "chengdu", "--instead-of", "flat-demo"][..], &days[..]].concat());
    assert_eq!(other.status.code(), Some(65), "{}", String::from_utf8_lossy(&other.stderr));
}

#[test]
fn rides_are_priced_and_a_feed_becomes_a_table() {
    let server = Server::prepare("");
    let dir = server.dir.path();
    let path = |name: &str| dir.join(name).to_str().expect("UTF-8").to_owned();
    fs::write(path("rides.csv"), "origin,destination,distance_m,minutes\na,b,4000,20\na,b,4001,20\n").expect("written");
    let told = server.ok(&["fare", "--table", "chengdu", &path("rides.csv")]);
    assert_eq!(told.lines().skip(1).collect::<Vec<_>>(), ["a,b,4000,20,2.00,ladder", "a,b,4001,20,3.00,ladder"]);
    fs::create_dir(path("feed")).expect("a folder");
    fs::write(path("feed/fare_products.txt"), "fare_product_id,amount,currency\nride,2.75,USD\n").expect("written");
    fs::write(path("feed/fare_leg_rules.txt"), "fare_product_id\nride\n").expect("written");
    server.ok(&["fare", "import", &path("feed"), "--out", &path("imported.toml")]);
    let priced = server.ok(&["fare", "--table", &path("imported.toml"), &path("rides.csv")]);
    assert!(priced.lines().nth(1).is_some_and(|line| line.ends_with("2.75,flat")), "{priced}");
    let again = server.cli(&["fare", "import", &path("feed"), "--out", &path("imported.toml")]);
    assert_eq!(again.status.code(), Some(65), "what is there is not overwritten");
    fs::write(path("feed/fare_leg_rules.txt"), "fare_product_id\nride\nother\n").expect("written");
    let refused = server.cli(&["fare", "import", &path("feed"), "--out", &path("other.toml")]);
    let what = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(refused.status.code() == Some(65) && what.contains("fare_leg_rules.txt line 3: \"other\" has no price"), "{what}");
    assert!(!dir.join("other.toml").exists());
}
