//! More taps than can be served, over real MQTT: twice and five times what a server can do whose every commit takes a
//! millisecond longer. It sheds and does not collapse: nothing opens late, nothing that was answered is lost, no queue grows
//! beyond its bound, and afterwards it serves as before. How many taps it serves meanwhile is a benchmark, no test.
mod common;
use clap::Parser;
use common::Server;
use serde_json::Value;
use std::fs;
use tongdao_loadtest::commands::gates::{self, Gates};

const GATES: usize = 60;
const RIDERS: usize = 3_000;
const DOOR_MAX: usize = 64;

#[derive(Parser)]
struct Load {
    #[command(flatten)]
    gates: Gates,
}

fn site() -> String {
    let gates: Vec<String> = (1..=GATES).map(|n| format!("{{ device = \"g{n}\", service = \"both\" }}")).collect();
    format!(
        "id = \"cd\"\nfares = \"chengdu\"\n[[stations]]\nid = \"tianfu\"\nname = {{ en = \"Tianfu Square\" }}\ngates = [{}]\n",
        gates.join(", ")
    )
}

/// A server that can do a thousand commits a second, its gates and its riders.
fn slow_server() -> Server {
    let mut server = Server::prepare("");
    fs::write(server.dir.path().join("cd.toml"), site()).expect("the site");
    let rows = |count: usize, row: &dyn Fn(usize) -> String| (1..=count).map(row).collect::<Vec<_>>().join("\n");
    let devices = rows(GATES, &|n| format!("g{n},gate,cd,secret-of-the-gate-{n:08}"));
    let accounts = rows(RIDERS, &|n| format!("a{n},1,adult,1000.00,ecny,m{n}"));
    let devices = format!("device_id,kind,site,secret\n{devices}\n");
    let accounts = format!("account_id,class,passenger_class,balance,medium_kind,medium_token\n{accounts}\n");
    for (kind, name, text) in [("device", "devices.csv", devices), ("account", "accounts.csv", accounts)] {
        let file = server.dir.path().join(name);
        fs::write(&file, text).expect("written");
        server.by_li(&[kind, "import", file.to_str().expect("UTF-8")]);
    }
    let config = fs::read_to_string(&server.config).expect("the config");
    let tight = format!(
        "[cells]\ncount = 2\ncommit_delay_us = 1000\ndoor_max = {DOOR_MAX}\nin_flight_max = 256\n[gate]\nretap_window_ms = 0\nriders_max = 0\n"
    );
    fs::write(&server.config, format!("{config}{tight}")).expect("written");
    server.spawn();
    server
}

/// So many taps a second for two seconds; what came of them.
fn load(server: &Server, rate: u32) -> Value {
    let (file, json) = (|name: &str| server.dir.path().join(name).display().to_string(), server.dir.path().join(format!("{rate}.json")));
    let mut words: Vec<String> =
        ["load", "--quiet", "--mode", "open", "--warmup", "0", "--seconds", "2", "--passage", "--site", "cd"].map(Into::into).into();
    for (key, value) in [("--addr", format!("127.0.0.1:{}", server.mqtt)), ("--rate", rate.to_string()), ("--seed", rate.to_string())] {
        words.extend([key.to_owned(), value]);
    }
    for (key, value) in [("--devices", file("devices.csv")), ("--accounts", file("accounts.csv")), ("--json", json.display().to_string())] {
        words.extend([key.to_owned(), value]);
    }
    let broken = gates::run(&Load::parse_from(words).gates).expect("it runs");
    assert_eq!(broken, 0, "no gate opened late, none heard two answers, all are connected");
    serde_json::from_str(&fs::read_to_string(json).expect("a report")).expect("JSON")
}

/// The deepest that any lane of any cell's door is seen.
fn depth(server: &Server) -> usize {
    let metrics = server.get("/metrics");
    let depths =
        metrics.lines().filter(|line| line.starts_with("tongdao_door_depth")).filter_map(|line| line.rsplit(' ').next()?.parse().ok());
    depths.max().unwrap_or(0)
}

#[test]
fn twice_and_five_times_too_much_is_shed_and_nothing_is_lost() {
    let server = slow_server();
    let mut opened = 0;
    for rate in [2_000, 5_000] {
        let report = std::thread::scope(|scope| {
            let desk = scope.spawn(|| server.by_li(&["account", "credit", "a1", "1.00"]));
            let report = load(&server, rate);
            desk.join().expect("the service desk is served meanwhile");
            report
        });
        let counts = &report["counts"];
        assert!(counts["opened"].as_u64() > Some(0), "some are served: {counts}");
        let turned_away = counts["codes"]["BUSY"].as_u64().unwrap_or(0) + counts["alone"].as_u64().unwrap_or(0);
        assert!(turned_away > 0, "it was too much: {counts}");
        assert!(depth(&server) <= DOOR_MAX, "a lane of a door is bounded");
        opened += counts["opened"].as_u64().unwrap_or(0);
    }
    let after = load(&server, 100);
    opened += after["counts"]["opened"].as_u64().unwrap_or(0);
    let ok = |line: &&Value| line["event"] == "tap.decided" && line["d"]["result"] == "open";
    let durable = server.export().iter().filter(ok).count() as u64;
    assert!(durable >= opened, "{opened} gates opened on an answer, {durable} approvals stand in the journal");
    assert!(server.ok(&["verify"]).contains("ok"));
    assert!(server.ready(), "and it is as ready as before");
}
