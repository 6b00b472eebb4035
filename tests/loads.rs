//! `tongdao-loadtest` against a real server. Consoles: many see what gates do, are all cut off and come back, and one that never
//! reads is dropped. Replay: flows become taps, and the ledger has what the gates saw. That the contract was kept is what counts
//! here; how fast it went is a benchmark, no test.
mod common;
use clap::Parser;
use common::Server;
use serde_json::{Value, json};
use std::fs;
use tongdao_loadtest::commands::consoles::{self, Consoles};
use tongdao_loadtest::commands::{flows, replay};

const CONSOLES: usize = 6;
const CHANNELS: [&str; 5] = ["gates:{station}", "device:{device}", "overview:all", "alarms", "audit"];
const RIDERS: usize = 400;
/// A reader that takes nothing is noticed soon.
const CONFIG: &str = "[gate]\nretap_window_ms = 0\nriders_max = 0\n[console.socket]\nunsent_bytes_max = 4096\nprogress_ms_max = 500\n";

#[derive(Parser)]
struct Load {
    #[command(flatten)]
    consoles: Consoles,
}

/// A server with the gates of the small city, riders, and a manager who may look at all of it.
fn busy_server() -> Server {
    let mut server = Server::prepare(CONFIG);
    let rows = |count: usize, row: &dyn Fn(usize) -> String| (1..=count).map(row).collect::<Vec<_>>().join("\n");
    let devices = format!("device_id,kind,site,secret\n{}\n", rows(5, &|n| format!("g{n},gate,cd,secret-of-the-gate-{n:08}")));
    let accounts = rows(RIDERS, &|n| format!("a{n},1,adult,1000.00,ecny,m{n}"));
    let accounts = format!("account_id,class,passenger_class,balance,medium_kind,medium_token\n{accounts}\n");
    for (kind, name, text) in [("device", "devices.csv", devices), ("account", "accounts.csv", accounts)] {
        let file = server.dir.path().join(name);
        fs::write(&file, text).expect("written");
        server.by_li(&[kind, "import", file.to_str().expect("UTF-8")]);
    }
    server.spawn();
    let password = server.by_li(&["user", "add", "zhao", "--roles", "manager,auditor"]);
    fs::write(server.dir.path().join("users.csv"), format!("zhao,{}\n", password.trim())).expect("written");
    server
}

/// Runs the load; its exit code and its report.
fn look(server: &Server) -> (u8, Value) {
    let file = |name: &str| server.dir.path().join(name).display().to_string();
    let mut words: Vec<String> = ["load", "--rate", "300", "--before", "0.5", "--warmup", "0.5", "--seconds", "2"].map(Into::into).into();
    let told = [
        ("--addr", format!("127.0.0.1:{}", server.mqtt)),
        ("--http", format!("127.0.0.1:{}", server.http)),
        ("--site-file", file("cd.toml")),
        ("--devices", file("devices.csv")),
        ("--accounts", file("accounts.csv")),
        ("--users", file("users.csv")),
        ("--channels", CHANNELS.join(",")),
        ("--consoles", CONSOLES.to_string()),
        ("--storms", "2".into()),
        ("--storm-pause", "0.5".into()),
        ("--slow", "1".into()),
        ("--server-pid", server.pid().to_string()),
        ("--json", file("report.json")),
    ];
    words.extend(told.into_iter().flat_map(|(key, value)| [key.to_owned(), value]));
    let code = consoles::run(&Load::parse_from(words).consoles).expect("it runs");
    (code, serde_json::from_str(&fs::read_to_string(file("report.json")).expect("a report")).expect("JSON"))
}

#[test]
fn consoles_follow_come_back_and_one_that_never_reads_harms_nobody() {
    let server = busy_server();
    let (code, report) = look(&server);
    assert_eq!(code, 0, "{report:#}");
    assert_eq!(report["faults"], json!({"broken": {}, "refused": {}, "lost": {}}), "no line was lost but those that were cut");
    assert!(report["events_per_s"].as_f64() > Some(0.0) && report["states_per_s"].as_f64() > Some(0.0), "{report:#}");
    assert!(report["tap_to_console"]["p50_ms"].as_f64() > Some(0.0), "taps are found on the consoles: {report:#}");
    let storms = report["storms"].as_array().expect("storms");
    assert_eq!(storms.len(), 2);
    for storm in storms {
        let channels = storm["recovered"].as_u64().zip(storm["whole"].as_u64()).map(|(recovered, whole)| recovered + whole);
        assert_eq!(channels, Some((CONSOLES * CHANNELS.len()) as u64), "everybody is back on every channel: {storm}");
    }
    assert_eq!(report["slow"]["dropped"], 1, "{report:#}");
    assert!(server.get("/metrics").contains("tongdao_console"), "and it serves on");
}

#[derive(Parser)]
struct Turn {
    #[command(flatten)]
    flows: flows::FlowsArgs,
}

#[derive(Parser)]
struct Again {
    #[command(flatten)]
    replay: replay::Replay,
}

/// Rides out of one hour between three stations.
const FLOWS: [(&str, &str, u32); 4] = [("North", "South", 60), ("South", "North", 25), ("West", "North", 30), ("West", "West", 2)];

/// A server of a city made from flows: its rides.
fn city(server: &mut Server) -> u64 {
    let file = |name: &str| server.dir.path().join(name).display().to_string();
    let rows: String = FLOWS.iter().map(|(from, to, riders)| format!("2025-08-12;8;{from};{to};{riders}\n")).collect();
    fs::write(file("flows.csv"), format!("Date;Hour;Origin Station;Destination Station;Ridership\n{rows}")).expect("written");
    let (mqtt, http) = (server.mqtt.to_string(), server.http.to_string());
    let (from, out) = (file("flows.csv"), file("city"));
    let words = ["flows", "--flows", &from, "--day", "2025-08-12", "--hours", "8-9", "--out", &out, "--port", &mqtt, "--http-port", &http];
    assert_eq!(flows::run(&Turn::parse_from(words).flows).expect("written"), 0);
    fs::copy(file("city/replay.toml"), &server.config).expect("the config");
    for kind in ["device", "account"] {
        server.by_li(&[kind, "import", file(&format!("city/{kind}s.csv")).as_str()]);
    }
    server.spawn();
    FLOWS.iter().map(|(.., riders)| u64::from(*riders)).sum()
}

#[test]
fn a_morning_of_flows_is_replayed_and_the_ledger_has_what_the_gates_saw() {
    let mut server = Server::prepare("");
    let rides = city(&mut server);
    let file = |name: &str| server.dir.path().join("city").join(name).display().to_string();
    let mut words: Vec<String> = ["replay", "--speed", "2000", "--records-every", "0.5", "--deadline-ms", "5000"].map(Into::into).into();
    let told = [
        ("--addr", format!("127.0.0.1:{}", server.mqtt)),
        ("--clock-from", format!("127.0.0.1:{}", server.http)),
        ("--site-file", file("sites/replay.toml")),
        ("--devices", file("devices.csv")),
        ("--taps", file("taps.csv")),
        ("--server-pid", server.pid().to_string()),
        ("--json", file("report.json")),
        ("--html", file("report.html")),
    ];
    words.extend(told.into_iter().flat_map(|(key, value)| [key.to_owned(), value]));
    let code = replay::run(&Again::parse_from(words).replay).expect("it runs");
    let report: Value = serde_json::from_str(&fs::read_to_string(file("report.json")).expect("a report")).expect("JSON");
    assert_eq!(code, 0, "{report:#}");
    let books = &report["books"];
    let seen = ["entries", "exits", "turned_away", "inside_at_end", "fares"].map(|what| books[what].as_i64().expect("a number"));
    let all = i64::try_from(rides).expect("few");
    assert_eq!(seen, [all, all, 0, 0, 200 * all], "{books:#}");
    let html = fs::read_to_string(file("report.html")).expect("a page");
    assert!(html.contains("No promise was broken") && html.matches("<svg").count() >= 3);
    ledger(&server, rides);
}

/// What the journal has: as many opened gates and as much money as the gates saw, and a proof that holds.
fn ledger(server: &Server, rides: u64) {
    let events = server.export();
    let opened = |event: &&Value| event["event"] == "tap.decided" && event["d"]["result"] == "open";
    assert_eq!(events.iter().filter(opened).count() as u64, 2 * rides);
    let fares = events.iter().filter(opened).filter_map(|event| event["d"]["fare"]["amount"].as_str());
    let sum: f64 = fares.map(|amount| amount.parse::<f64>().expect("a decimal")).sum();
    assert!((sum - 2.0 * rides as f64).abs() < 0.001, "{sum} for {rides} rides");
    server.ok(&["verify"]);
}
