//! The architecture as a test: arrows between rooms, what stands where, how long things are. Each rule is shown to catch a
//! planted example, so that it can fail. Not here: what clippy bans by name (`clippy.toml`).
#[path = "tidy/arrows.rs"]
mod arrows;
#[path = "tidy/rules.rs"]
mod rules;
#[path = "tidy/source.rs"]
mod source;

use serde_json::{Value, json};
use source::Source;
use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;

static PROJECT: LazyLock<Vec<Source>> = LazyLock::new(|| source::all(Path::new(env!("CARGO_MANIFEST_DIR"))));

/// The rule finds each planted file, passes over each innocent one, and finds nothing in the project.
#[track_caller]
fn holds(rule: fn(&[Source]) -> Vec<String>, planted: &[(&str, &str)], innocent: &[(&str, &str)]) {
    for (path, text) in planted {
        assert!(!rule(&[Source::new(path, text)]).is_empty(), "planted and not found: {path}: {text}");
    }
    for (path, text) in innocent {
        assert_eq!(rule(&[Source::new(path, text)]), Vec::<String>::new(), "innocent: {path}: {text}");
    }
    let found = rule(&PROJECT);
    assert!(found.is_empty(), "{}", found.join("\n"));
}

fn metadata() -> Value {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["metadata", "--format-version", "1", "--no-deps", "--offline"]).current_dir(env!("CARGO_MANIFEST_DIR"));
    let output = cargo.output().expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("cargo metadata is JSON")
}

fn package(name: &str, dependency: &str, kind: Option<&str>) -> Value {
    json!({"packages": [{"name": name, "dependencies": [{"name": dependency, "kind": kind}]}]})
}

#[test]
fn arrows_go_only_where_the_table_says() {
    let planted = [
        package("tongdao-domain", "tongdao-protocol", None),
        package("tongdao-loadtest", "tongdao-journal", None),
        package("tongdao-telemetry", "tongdao-domain", Some("dev")),
        package("tongdao-device-gateway", "tongdao-loadtest", Some("build")),
        package("tongdao-simulation", "tongdao-actors", None),
        package("tongdao-device-gateway", "actix", None),
        package("tongdao-journal", "metrics", None),
        package("tongdao-domain", "tokio", None),
        package("tongdao-cellar", "serde", None),
    ];
    for planted in planted {
        assert!(!arrows::findings(&planted).is_empty(), "planted and not found: {planted}");
    }
    let innocent = [
        package("tongdao-device-gateway", "tongdao-journal", None),
        package("tongdao-domain", "proptest", Some("dev")),
        package("tongdao", "tongdao-loadtest", None),
    ];
    for innocent in innocent {
        assert_eq!(arrows::findings(&innocent), Vec::<String>::new());
    }
    let found = arrows::findings(&metadata());
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn every_room_of_the_table_is_there() {
    let metadata = metadata();
    let packages = metadata["packages"].as_array().expect("packages");
    let there: Vec<&str> = packages.iter().filter_map(|package| package["name"].as_str()).collect();
    let missing: Vec<&str> = arrows::ARROWS.iter().map(|(room, _)| *room).filter(|room| !there.contains(room)).collect();
    assert_eq!(missing, Vec::<&str>::new());
}

#[test]
fn every_source_can_be_read() {
    assert!(PROJECT.iter().filter(|source| source::is_rust(&source.path)).count() > 20, "the project was not found");
    holds(rules::readable, &[("a.rs", "fn a() { (")], &[("a.rs", "fn a() {}")]);
}

#[test]
fn actix_is_named_in_one_room() {
    let innocent =
        [("actors/src/a.rs", "use actix::Addr;"), ("src/a.rs", "//! Not actix.\n// use actix::Addr;\nconst A: &str = \"actix\";")];
    holds(rules::actix_in_one_room, &[("src/a.rs", "use actix::Addr;"), ("domain/src/a.rs", "type A = actix::Addr<B>;")], &innocent);
}

#[test]
fn machines_and_pipeline_know_no_clock_no_chance_and_no_socket() {
    let planted = [
        ("domain/src/a.rs", "use std::time::Duration;"),
        ("domain/src/a.rs", "fn a() { let b = Instant::now(); }"),
        ("domain/src/a/b.rs", "fn a() -> u8 { rand::random() }"),
        ("domain/src/a.rs", "async fn a() {}"),
        ("journal/src/pipeline/a.rs", "use tokio::sync::mpsc;"),
        ("journal/src/pipeline/a.rs", "fn a() { std::thread::yield_now() }"),
    ];
    let innocent = [("journal/src/embedded.rs", "use std::time::Instant;"), ("domain/src/a.rs", "/// No std::time here.\nfn random() {}")];
    holds(rules::pure_code_has_no_surroundings, &planted, &innocent);
}

#[test]
fn metrics_are_counted_in_one_room() {
    let planted =
        [("actors/src/a.rs", "fn a() { metrics::counter!(\"a\").increment(1); }"), ("src/a.rs", "fn a() { gauge!(\"a\").set(1.0); }")];
    holds(rules::metrics_in_one_room, &planted, &[("telemetry/src/a.rs", "fn a() { counter!(\"a\").increment(1); }")]);
}

#[test]
fn messages_are_sent_only_where_they_are_counted() {
    let planted = [("actors/src/a.rs", "fn a() { b.do_send(c) }"), ("src/a.rs", "use actix::Addr::do_send;")];
    holds(rules::counted_sends, &planted, &[("actors/src/resident.rs", "fn a() { b.do_send(c) }")]);
}

#[test]
fn there_is_no_unsafe_code() {
    let planted =
        [("a.rs", "fn a() { unsafe { b() } }"), ("a.rs", "unsafe impl Send for A {}"), ("a.rs", "macro_rules! a { () => { unsafe {} } }")];
    holds(rules::no_unsafe, &planted, &[("a.rs", "#![forbid(unsafe_code)]\n// unsafe")]);
}

#[test]
fn lints_are_expected_never_allowed() {
    let planted = [("a.rs", "#[allow(dead_code)]\nfn a() {}"), ("a.rs", "#![allow(unused)]")];
    let innocent = [("a.rs", "#[expect(dead_code, reason = \"b\")]\nfn a() {}"), ("a/tests/b/mod.rs", "#![allow(dead_code)]")];
    holds(rules::expect_instead_of_allow, &planted, &innocent);
}

#[test]
fn functions_are_short() {
    let body = |lines: usize| {
        format!("impl A {{\n    fn a<B>(b: B) -> C\n    where\n        B: D,\n    {{\n{}    }}\n}}", "        b();\n".repeat(lines))
    };
    let (long, short) = (body(66), body(65));
    let in_macro = format!("macro_rules! a {{ () => {{ {long} }} }}");
    holds(rules::short_functions, &[("a.rs", &long), ("a.rs", &in_macro)], &[("a.rs", &short), ("a.rs", "type A = fn(B);")]);
}

#[test]
fn files_are_short() {
    let (long, short) = ("// a\n".repeat(601), "// a\n".repeat(600));
    holds(rules::short_files, &[("a.rs", &long)], &[("a.rs", &short), ("docs/a.json", &long)]);
}

#[test]
fn files_say_what_they_are() {
    holds(
        rules::files_have_a_header,
        &[("a.rs", "fn a() {}")],
        &[("a.rs", "//! What it is.\nfn a() {}"), ("a/tests.rs", "fn a() {}"), ("a.md", "A")],
    );
}

#[test]
fn every_room_has_the_lints_of_the_workspace() {
    let planted = [("a/Cargo.toml", "[package]\n"), ("Cargo.toml", "[lints]\nworkspace = true\n")];
    let innocent = [("a/Cargo.toml", "[lints]\nworkspace = true\n"), ("a.toml", "")];
    holds(rules::lints_everywhere, &planted, &innocent);
}

#[test]
fn no_file_names_a_folder_of_the_machine_it_was_made_on() {
    let path = |parts: [&str; 3]| parts.concat();
    let planted = [path(["see /ho", "me/", "a/b"]), path(["cd /wo", "rk/", "x"]), path(["\"/Us", "ers/", "a\""])];
    for text in &planted {
        holds(rules::no_machine_paths, &[("docs/a.md", text)], &[("docs/a.md", "target/wo/rk"), ("a.md", "src/ho/me")]);
    }
}
