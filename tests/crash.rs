//! Acknowledged is durable: the server is killed in the middle of its work, at chosen fdatasyncs, its files are damaged
//! and its disk fills up; what was acknowledged is still there, or the server says plainly why it does not start.
#![expect(clippy::disallowed_methods, reason = "waits for a whole process by the wall clock")]
mod common;
use common::{Gate, Server, have};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

const GATES: [&str; 4] = ["g1", "g2", "g3", "g6"];

/// A server whose gates and riders are known; its gates' secrets.
fn city(extra: &str) -> (Server, BTreeMap<&'static str, String>) {
    let mut server = Server::prepare(&format!("{extra}\n[gate]\nriders_max = 0\nretap_window_ms = 0\n"));
    let site = common::SITE
        .replace(r#"{ device = "g3", service = "both" }"#, r#"{ device = "g3", service = "both" }, { device = "g6", service = "both" }"#);
    fs::write(server.dir.path().join("cd.toml"), site).expect("the site file");
    let secrets = GATES.iter().map(|id| (*id, server.add_gate(id))).collect();
    let lines: Vec<String> = GATES.iter().flat_map(|g| (0..8).map(move |n| format!("{g}-{n},1,adult,9000.00,ecny,{g}-{n}\n"))).collect();
    server.accounts(&lines.concat());
    server.spawn();
    (server, secrets)
}

/// Each gate taps its own riders in and out until the server is gone; what each was told.
fn tap_until_gone(server: &Server, secrets: &BTreeMap<&'static str, String>, first_seq: u64, stop: &AtomicBool) -> Vec<(String, Value)> {
    let told = std::sync::Mutex::new(Vec::new());
    thread::scope(|scope| {
        for (id, secret) in secrets {
            let (told, port) = (&told, server.mqtt);
            scope.spawn(move || {
                let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                    let gate = Gate::connect(port, id, secret);
                    gate.state(true);
                    for seq in first_seq.. {
                        let direction = if ((seq - first_seq) / 8).is_multiple_of(2) { "entry" } else { "exit" };
                        let answer = gate.tap(seq, direction, &format!("{id}-{}", seq % 8));
                        told.lock().expect("no poison").push((format!("tap/{id}/1/{seq}"), answer));
                        if stop.load(Ordering::Relaxed) {
                            return;
                        }
                    }
                }));
            });
        }
    });
    told.into_inner().expect("no poison")
}

/// The server runs again, verifies, and knows everything that was told, with the same outcome.
fn nothing_is_missing(server: &Server, told: &[(String, Value)]) {
    assert!(server.ok(&["verify"]).contains("ok"));
    let known: BTreeMap<String, Value> = server
        .export()
        .into_iter()
        .filter(|line| line["event"].as_str().is_some_and(|e| e.starts_with("tap.")))
        .map(|line| (line["command_id"].as_str().unwrap_or_default().to_owned(), line["d"].clone()))
        .collect();
    for (id, answer) in told.iter().filter(|(_, answer)| !matches!(answer["code"].as_str(), Some("BUSY" | "EXPIRED"))) {
        let d = known.get(id).unwrap_or_else(|| panic!("{id} was told {answer} and is not in the export"));
        assert_eq!((&d["code"], &d["result"]), (&answer["code"], &answer["result"]), "{id}");
    }
}

#[test]
fn kill_9_at_chosen_fdatasyncs_under_load() {
    if !have("strace") {
        return;
    }
    let points: Vec<u32> = if std::env::var_os("TONGDAO_TESTS_ALL").is_some() {
        (1..=60).collect()
    } else {
        println!("skip: 56 of 60 kill points; ./tests/run --all takes them all");
        vec![3, 9, 28, 55]
    };
    let (mut server, secrets) = city("");
    server.kill9();
    let mut first_seq = 1;
    let mut told = Vec::new();
    for point in points {
        let inject = format!("inject=fdatasync,fsync:signal=SIGKILL:when={point}");
        server.launch(&["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=fdatasync,fsync", "-e", &inject]);
        let end = std::time::Instant::now() + common::PATIENCE;
        while !server.ready() && server.running() && std::time::Instant::now() < end {
            thread::yield_now();
        }
        if server.running() {
            told.extend(tap_until_gone(&server, &secrets, first_seq, &AtomicBool::new(false)));
        }
        server.wait_end();
        first_seq = (told.iter().filter_map(|(id, _)| id.rsplit('/').next()?.parse::<u64>().ok()).max().unwrap_or(0) / 16 + 2) * 16 + 1;
        server.spawn();
        nothing_is_missing(&server, &told);
        server.kill9();
    }
    assert!(told.len() > 50, "the load was real: {} answers", told.len());
}

#[test]
fn kill_9_again_and_again_loses_nothing_that_was_told() {
    let (mut server, secrets) = city("");
    let mut told = Vec::new();
    for round in 0..3_u64 {
        let stop = AtomicBool::new(false);
        let pid = server.pid();
        thread::scope(|scope| {
            let tapping = scope.spawn(|| tap_until_gone(&server, &secrets, round * 1_000_000 + 1, &stop));
            let events =
                || server.get("/metrics").lines().find_map(|l| l.strip_prefix("tongdao_journal_events_total ")?.parse::<f64>().ok());
            let begin = events().unwrap_or(0.0);
            while events().unwrap_or(f64::MAX) < begin + 300.0 {
                thread::yield_now();
            }
            let _ = std::process::Command::new("kill").args(["-KILL", &pid.to_string()]).status();
            told.extend(tapping.join().expect("the gates"));
        });
        server.wait_end();
        server.spawn();
        nothing_is_missing(&server, &told);
    }
    assert!(told.len() > 300, "the load was real: {} answers", told.len());
}

/// The files of the journal, the largest first.
fn files(server: &Server) -> Vec<PathBuf> {
    fn walk(dir: PathBuf, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(dir).expect("a folder").flatten() {
            if entry.path().is_dir() { walk(entry.path(), found) } else { found.push(entry.path()) }
        }
    }
    let mut found = Vec::new();
    walk(server.dir.path().join("data"), &mut found);
    found.retain(|path| fs::metadata(path).is_ok_and(|m| m.is_file() && m.len() > 0));
    found.sort_by_key(|path| std::cmp::Reverse(fs::metadata(path).map_or(0, |m| m.len())));
    found
}

/// A server with some history that has stopped in good order, and what was told.
fn with_history() -> (Server, Vec<(String, Value)>) {
    let (mut server, secrets) = city("");
    let mut told = Vec::new();
    for (id, secret) in secrets.iter().take(2) {
        let gate = server.gate(id, secret);
        told.extend((1..=40).map(|seq| {
            let direction = if (seq - 1) / 8 % 2 == 0 { "entry" } else { "exit" };
            (format!("tap/{id}/1/{seq}"), gate.tap(seq, direction, &format!("{id}-{}", seq % 8)))
        }));
        gate.leave();
    }
    server.kill9();
    (server, told)
}

#[test]
fn a_flipped_bit_is_named_and_never_answered_wrongly() {
    let (mut server, told) = with_history();
    let needle = b"tap/g1/1/7";
    let (file, place) = files(&server)
        .into_iter()
        .find_map(|file| {
            let bytes = fs::read(&file).ok()?;
            bytes.windows(needle.len()).position(|w| w == needle).map(|place| (file, place))
        })
        .expect("the tap stands in some file");
    let mut bytes = fs::read(&file).expect("readable");
    bytes[place + needle.len() - 1] ^= 0x01;
    fs::write(&file, &bytes).expect("written");
    let verify = server.cli(&["verify"]);
    assert!(matches!(verify.status.code(), Some(1 | 65 | 74)), "a damaged journal does not verify: {verify:?}");
    assert!(!verify.stderr.is_empty(), "and the place is named");
    bytes[place + needle.len() - 1] ^= 0x01;
    fs::write(&file, &bytes).expect("written");
    server.spawn();
    nothing_is_missing(&server, &told);
}

#[test]
fn a_journal_that_comes_back_shorter_is_refused_until_a_person_says_so() {
    let (mut server, told) = with_history();
    let log = files(&server)
        .into_iter()
        .find(|file| fs::read(file).is_ok_and(|bytes| bytes.windows(11).any(|w| w == b"tap/g2/1/40")))
        .expect("the last tap stands in some file");
    let bytes = fs::read(&log).expect("readable");
    let place = bytes.windows(11).position(|w| w == b"tap/g2/1/20").expect("an earlier tap in the same file");
    fs::OpenOptions::new().write(true).open(&log).and_then(|f| f.set_len(place as u64)).expect("cut");
    server.launch(&[]);
    assert!(matches!(server.wait_end(), Some(code) if code != 0), "it refuses to start");
    assert!(server.log().contains("accept-loss"), "and says the way out: {}", server.log());
    server.by_doctor();
    server.spawn();
    assert!(server.ok(&["verify"]).contains("ok"));
    let export = server.export();
    let there = |id: &str| export.iter().any(|line| line["command_id"] == id);
    assert!(told.iter().filter(|(id, _)| id.starts_with("tap/g1/")).all(|(id, _)| there(id)), "what stands before the cut is served");
    assert!(!there("tap/g2/1/40"), "what was cut off is not made up");
    assert!(export.iter().any(|line| line["d"]["code"] == "accepted_loss"), "and the audit keeps the loss");
}
