//! The command line as its users meet it: imports, what is idempotent, what is refused and with which exit code, with a
//! server running and without one.
mod common;
use common::Server;
use serde_json::Value;
use std::fs;

fn stderr(output: &std::process::Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn imports_are_idempotent_checked_whole_and_name_the_line() {
    for running in [false, true] {
        let mut server = Server::prepare("");
        if running {
            server.spawn();
        }
        let file = server.dir.path().join("a.csv");
        let name = file.to_str().expect("UTF-8");
        let import = |text: &str| {
            fs::write(&file, format!("account_id,class,passenger_class,balance,medium_kind,medium_token\n{text}")).expect("written");
            server.cli(&["account", "import", name, "--by", "li", "--reason", "test"])
        };
        let good = "a1,4,adult,20.00,ecny,t1\na1,4,adult,20.00,card,t2\na2,3,adult,5,qr,t3\n";
        assert!(import(good).status.success());
        let lines = server.export().len();
        assert!(import(good).status.success(), "the same again");
        assert_eq!(server.export().len(), lines, "changes nothing");
        let contradiction = import("a1,4,adult,21.00,ecny,t1\n");
        assert!(!contradiction.status.success() && stderr(&contradiction).contains("line 2"), "{}", stderr(&contradiction));
        let stolen = import("a9,4,adult,1.00,ecny,t9\na9,4,adult,1.00,card,t1\n");
        assert!(!stolen.status.success() && stderr(&stolen).contains("line 3"), "two accounts never hold one token: {}", stderr(&stolen));
        let before = server.export().len();
        for (text, what) in [
            ("a3,4,adult,20.00,ecny,t4\na4,5,adult,20.00,ecny,t5\n", "class"),
            ("a3,4,adult,20.00,ecny,t4\na4,4,adult,20.001,ecny,t5\n", "20.001"),
            ("a3,4,adult,20.00,ecny,t4\na4,4,adult,20.00,gold,t5\n", "medium_kind"),
            ("a3,4,adult,20.00,ecny,t4\na/4,4,adult,20.00,ecny,t5\n", "account_id"),
        ] {
            let output = import(text);
            assert_eq!(output.status.code(), Some(65), "{text}");
            assert!(stderr(&output).contains("line 3") && stderr(&output).contains(what), "{}", stderr(&output));
        }
        assert_eq!(server.export().len(), before, "a file is checked whole before its first commit");
    }
}

#[test]
fn devices_are_added_once_and_their_secret_is_told_once() {
    let server = Server::start("");
    let secret = server.add_gate("g1");
    assert!(secret.len() >= 32 && !secret.contains(char::is_whitespace), "alone on standard output");
    let again = server.cli(&["device", "add", "g1", "--kind", "gate", "--site", "cd", "--by", "li", "--reason", "again"]);
    assert_eq!(again.status.code(), Some(1), "it is there already: {}", stderr(&again));
    assert!(!server.ok(&["device", "list"]).contains(&secret));
    let rotated = server.by_li(&["device", "rotate", "g1"]);
    assert_ne!(rotated.trim(), secret);
    server.gate("g1", rotated.trim()).leave();
    server.by_li(&["device", "revoke", "g1"]);
    assert!(std::panic::catch_unwind(|| common::Gate::open(server.mqtt, "g1", "g1", rotated.trim(), false)).is_err(), "revoked");
    let journal: String = server.export().iter().map(Value::to_string).collect();
    assert!(!journal.contains(&secret), "no secret in the journal");
}

#[test]
fn exit_codes_say_what_kind_of_trouble_it_is() {
    let mut server = Server::prepare("");
    assert_eq!(server.cli(&["account", "show", "nobody"]).status.code(), Some(1));
    assert_eq!(server.cli(&["account", "credit", "a1", "ten", "--by", "li", "--reason", "x"]).status.code(), Some(64));
    assert_eq!(server.cli(&["device", "import", "nowhere.csv", "--by", "li", "--reason", "x"]).status.code(), Some(65));
    assert_eq!(server.cli(&["no-such-command"]).status.code(), Some(64));
    let config = fs::read_to_string(&server.config).expect("the config");
    fs::write(&server.config, format!("{config}\n[gates]\nx = 1\n")).expect("written");
    let output = server.cli(&["check-config"]);
    assert_eq!(output.status.code(), Some(78));
    assert!(stderr(&output).contains("gates"), "{}", stderr(&output));
    fs::write(&server.config, &config).expect("written");
    assert!(server.ok(&["check-config"]).contains("retap_window_ms"));

    server.spawn();
    let mut second = Server::prepare("");
    fs::write(&second.config, config.replace(&format!(":{}\"", server.http), &format!(":{}\"", second.http))).expect("written");
    second.launch(&[]);
    assert!(matches!(second.wait_end(), Some(69 | 78)), "the journal is locked: {}", second.log());
    let busy = Server::prepare("");
    let text = fs::read_to_string(&busy.config).expect("the config").replace(&format!(":{}\"", busy.mqtt), &format!(":{}\"", server.mqtt));
    fs::write(&busy.config, text).expect("written");
    let mut busy = busy;
    busy.launch(&[]);
    assert_eq!(busy.wait_end(), Some(78), "{}", busy.log());
    assert!(busy.log().contains("listen.mqtt"), "a busy port names its key: {}", busy.log());
}

#[test]
fn a_site_file_with_a_mistake_names_file_key_and_fix() {
    for (wrong, right, named) in [
        ("from = \"tianfu\"\nto = \"nowhere\"", "from = \"tianfu\"\nto = \"luomashi\"", "nowhere"),
        ("fares = \"atlantis\"", "fares = \"chengdu\"", "atlantis"),
        ("device = \"g1\", service = \"both\" }, { device = \"g1\"", "device = \"g1\", service = \"both\" }, { device = \"g2\"", "g1"),
        ("distance_metres = 3000", "distance_m = 3000", "distance_metres"),
    ] {
        let server = Server::prepare("");
        let site = server.dir.path().join("cd.toml");
        let text = common::SITE.replace(right, wrong);
        assert_ne!(text, common::SITE);
        fs::write(&site, text).expect("written");
        let output = server.cli(&["check-config"]);
        assert_eq!(output.status.code(), Some(78), "{named}");
        assert!(stderr(&output).contains(named) && stderr(&output).contains("cd.toml"), "{}", stderr(&output));
    }
}

#[test]
fn check_config_reads_what_a_start_would_read() {
    let server = Server::prepare("");
    let config = fs::read_to_string(&server.config).expect("the config");
    for (more, named) in [
        ("[clock]\nstart = \"yesterday\"", "clock.start"),
        ("[log]\nfilter = \"a=b=c\"", "log.filter"),
        ("[cells]\ncount = 9999", "cells.count"),
        ("[tls]\ncert = \"nowhere.pem\"\nkey = \"nowhere.key\"", "nowhere.pem"),
    ] {
        let tls = config.replacen("[listen]", "[listen]\nmqtts = \"127.0.0.1:0\"", usize::from(more.starts_with("[tls]")));
        fs::write(&server.config, format!("{tls}\n{more}\n")).expect("written");
        let output = server.cli(&["check-config"]);
        assert_eq!(output.status.code(), Some(78), "{named}: {}", stderr(&output));
        assert!(stderr(&output).contains(named), "{}", stderr(&output));
    }
}

#[test]
fn check_config_names_gates_that_are_in_one_place_only() {
    let server = Server::prepare("");
    server.add_gate("g1");
    server.add_gate("lonely");
    let output = server.cli(&["check-config"]);
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), stderr(&output));
    assert!(said.contains("lonely") && said.contains("g2"), "{said}");
}

#[test]
fn the_service_desk_corrects_a_journey_in_one_commit() {
    let server = Server::start("");
    server.accounts("a1,4,adult,50.00,ecny,m1\n");
    let g1 = server.add_gate("g1");
    let g1 = server.gate("g1", &g1);
    assert_eq!(g1.tap(1, "entry", "m1")["code"], "OK");
    server.by_li(&["account", "adjust", "a1", "--kind", "add_exit", "--station", "luomashi"]);
    assert_eq!(server.balance("a1"), "48.00");
    server.by_li(&["account", "credit", "a1", "2.00"]);
    assert_eq!(server.balance("a1"), "50.00");
    let adjusted: Vec<_> = server.export().into_iter().filter(|line| line["d"].to_string().contains("add_exit")).collect();
    assert_eq!(adjusted.len(), 1, "{adjusted:?}");
    assert!(adjusted[0].to_string().contains("\"li\""), "audited by name: {}", adjusted[0]);
}

#[test]
fn orders_reach_a_gate_and_end_by_its_word() {
    let server = Server::start("");
    let secret = server.add_gate("g1");
    server.by_li(&["gate", "command", "g1", "restart", "--ttl", "600"]);
    let g1 = server.gate("g1", &secret);
    let order = g1.next("command", |_| true);
    assert_eq!(order["command"], "restart", "owed until it connects: {order}");
    let ack = serde_json::json!({"id": order["id"], "result": "done", "detail": "", "at": common::rfc3339(common::now_ms())});
    g1.up("ack", &ack);
    let ended = server.export().into_iter().find(|line| line["event"] == "order.ended").expect("in the journal");
    assert_eq!(ended["entity"], "gate/g1");
    g1.leave();
    let again = server.gate("g1", &secret);
    server.by_li(&["gate", "command", "g1", "resume"]);
    assert_eq!(again.next("command", |_| true)["command"], "resume", "struck off: the first is not sent again");
}

#[test]
fn health_version_and_drain() {
    let mut server = Server::start("");
    let secret = server.add_gate("g1");
    let gate = server.gate("g1", &secret);
    assert_eq!(gate.tap(1, "entry", "nobody")["code"], "UNKNOWN_MEDIUM");
    gate.leave();
    assert!(server.get("/healthz").starts_with("HTTP/1.1 200"));
    assert!(server.get("/version").contains("\"now\""));
    let metrics = server.get("/metrics");
    assert!(metrics.contains("# HELP tongdao_") && metrics.contains("tongdao_journal_events_total"), "{metrics}");
    assert!(metrics.contains("tongdao_tap_seconds_bucket{le="), "histograms have buckets: {metrics}");
    assert!(server.get("/readyz?verbose").contains("\"durability\":\"local\""));
    server.ok(&["healthcheck"]);
    assert_eq!(server.terminate(), Some(0), "drained: {}", server.log());
    assert!(!server.cli(&["healthcheck"]).status.success());
}

#[test]
fn the_contract_is_printed_as_it_is_committed_without_a_server_and_without_a_config() {
    for (word, committed) in [("openapi", include_str!("../docs/openapi.json")), ("asyncapi", include_str!("../docs/asyncapi.json"))] {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_tongdao")).arg(word).output().expect("runs");
        let printed: Value = serde_json::from_slice(&output.stdout).expect("one JSON document");
        let committed: Value = serde_json::from_str(committed).expect("JSON");
        assert!(output.status.success() && printed == committed, "tongdao {word}");
    }
}
