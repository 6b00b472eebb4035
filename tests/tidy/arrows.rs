//! Which room may use which: the table of the architecture, read against `cargo metadata`.
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Room (package) → rooms that it may name; an arrow includes what its target may use.
pub(crate) const ARROWS: &[(&str, &[&str])] = &[
    ("tongdao-domain", &[]),
    ("tongdao-telemetry", &[]),
    ("tongdao-protocol", &["tongdao-domain"]),
    ("tongdao-journal", &["tongdao-domain", "tongdao-telemetry"]),
    ("tongdao-actors", &["tongdao-domain", "tongdao-journal", "tongdao-telemetry"]),
    ("tongdao-device-gateway", &["tongdao-protocol", "tongdao-actors"]),
    ("tongdao-simulation", &["tongdao-domain", "tongdao-protocol", "tongdao-journal"]),
    ("tongdao-loadtest", &["tongdao-protocol"]),
    (
        "tongdao",
        &[
            "tongdao-domain",
            "tongdao-telemetry",
            "tongdao-protocol",
            "tongdao-journal",
            "tongdao-actors",
            "tongdao-device-gateway",
            "tongdao-simulation",
            "tongdao-loadtest",
        ],
    ),
];

/// Foreign packages that only some rooms may name, with the reason.
const FOREIGN: &[(&str, &[&str], &str)] = &[
    ("actix", &["tongdao-actors"], "actors are made in one room"),
    ("actix-rt", &["tongdao-actors"], "actors are made in one room"),
    ("metrics", &["tongdao-telemetry"], "each fact is counted in one place"),
    ("fjall", &["tongdao-journal"], "the store is a detail of the journal"),
    ("mqtt-protocol-core", &["tongdao-device-gateway", "tongdao-loadtest"], "MQTT packets are a detail of its two ends"),
];

/// All that the pure machines need; a clock, a random source, a socket or JSON is not among it.
const PURE: &[&str] = &["compact_str", "rust_decimal", "serde", "sha2", "smallvec", "thiserror", "xxhash-rust"];

/// Findings in the output of `cargo metadata --no-deps`.
pub(crate) fn findings(metadata: &Value) -> Vec<String> {
    let reach = closure();
    let packages = metadata["packages"].as_array().map_or(&[][..], Vec::as_slice);
    packages.iter().flat_map(|package| package_findings(package, &reach)).collect()
}

fn package_findings(package: &Value, reach: &BTreeMap<&str, BTreeSet<&str>>) -> Vec<String> {
    let name = package["name"].as_str().unwrap_or_default();
    let Some(allowed) = reach.get(name) else { return vec![format!("{name} is a room that the table of arrows does not know")] };
    let dependencies = package["dependencies"].as_array().map_or(&[][..], Vec::as_slice);
    let mut found = Vec::new();
    for dependency in dependencies {
        let target = dependency["name"].as_str().unwrap_or_default();
        let built_in = dependency["kind"].is_null();
        if reach.contains_key(target) && target != name && !allowed.contains(target) {
            found.push(format!("{name} → {target}: no such arrow"));
        }
        for (foreign, rooms, reason) in FOREIGN {
            if target == *foreign && !rooms.contains(&name) {
                found.push(format!("{name} → {target}: {reason}"));
            }
        }
        if name == "tongdao-domain" && built_in && !PURE.contains(&target) {
            found.push(format!("{name} → {target}: the machines are pure"));
        }
    }
    found
}

/// Room → everything it may use.
fn closure() -> BTreeMap<&'static str, BTreeSet<&'static str>> {
    let mut reach: BTreeMap<&str, BTreeSet<&str>> =
        ARROWS.iter().map(|(room, targets)| (*room, targets.iter().copied().collect())).collect();
    loop {
        let before = reach.clone();
        for targets in reach.values_mut() {
            let further: Vec<&str> = targets.iter().filter_map(|target| before.get(target)).flatten().copied().collect();
            targets.extend(further);
        }
        if reach == before {
            return reach;
        }
    }
}
