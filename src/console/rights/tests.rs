use super::super::session::SessionKey;
use super::*;
use serde_json::json;
use std::collections::BTreeSet;
use tongdao_domain::id::UserId;

const SITE: &str = r#"
id = "cd"
fares = "chengdu"
[[stations]]
id = "s1"
name = { "zh-CN" = "一", en = "One" }
gates = [{ device = "g1", service = "both" }]
[[stations]]
id = "s2"
name = { "zh-CN" = "二", en = "Two" }
gates = [{ device = "g2", service = "both" }]
[[tracks]]
from = "s1"
to = "s2"
distance_m = 3000
"#;
fn world() -> World {
    let mut world = World::default();
    crate::sites::add(&mut world, "test", SITE, None).expect("a city");
    world
}

fn caller(roles: &[Role], scope: Scope) -> Caller {
    let user = UserId::new("li").expect("an id");
    Caller { user, roles: roles.iter().copied().collect(), scope, session: SessionKey::of("x"), by_token: false }
}

fn stations(names: &[&str]) -> Scope {
    Scope::Stations(names.iter().map(|name| StationId::new(name).expect("an id")).collect())
}

/// Every operation at these places.
fn op(name: &str, place: &str, gate: &str, site: &str) -> Op {
    let user = json!({"user": "wang", "roles": ["auditor"], "scope": "all"});
    let args = match name {
        "station.mode" => json!({"station": place, "modes": [], "reason": "r"}),
        "station.release" => json!({"station": place, "reason": "r"}),
        "gate.service" => json!({"devices": [gate], "service": "paused", "reason": "r"}),
        "journey.adjust" => json!({"account": "a1", "kind": "waive", "station": place, "reason": "r"}),
        "record.decide" => json!({"record": "g1.7.42", "accept": true, "reason": "r"}),
        "medium.find" | "medium.unfreeze" => json!({"token": "m1"}),
        "device.command" => json!({"device": gate, "command": "restart", "ttl_ms": 1000}),
        "device.add" => json!({"device": gate, "kind": "gate", "site": site}),
        "device.rotate" | "device.revoke" => json!({"device": gate}),
        "alarm.ack" | "alarm.clear" => json!({"id": format!("gate_fault.{gate}")}),
        "alarm.snooze" => json!({"id": format!("gates_offline.{place}"), "until": "2027-01-01T00:00:00Z"}),
        "approval.approve" | "approval.reject" => json!({"id": "ap1", "digest": "0".repeat(64)}),
        "user.add" | "user.roles" => user,
        "user.disable" | "user.end_sessions" => json!({"user": "wang"}),
        "audit.search" | "audit.verify" => json!({"from": "2026-01-01T00:00:00Z", "to": "2026-01-02T00:00:00Z"}),
        other => panic!("an operation without a test: {other}"),
    };
    Op::parse(name, &args).unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[test]
fn every_operation_and_every_role_has_something_to_do() {
    let world = world();
    for words in Op::ALL {
        let op = op(words.name, "s1", "g1", "cd");
        let doers: BTreeSet<Role> =
            Role::ALL.iter().copied().filter(|role| may(&caller(&[*role], Scope::All), &world, Ask::Command(&op)).is_ok()).collect();
        assert!(!doers.is_empty(), "{} can be done by nobody", words.name);
        assert!(!doers.contains(&Role::Teller), "{} is nothing for a counter", words.name);
    }
    for role in Role::ALL {
        assert!(may(&caller(&[*role], stations(&["s1"])), &world, Ask::Sub(&Channel::Overview(None))).is_ok(), "{role:?}");
    }
}

#[test]
fn who_sees_no_customers_sees_none() {
    let world = world();
    for role in [Technician, Admin] {
        let caller = caller(&[role], Scope::All);
        assert!(may_see_customers(&caller).is_err() && may_see_doubtful(&caller).is_err());
        assert!(may(&caller, &world, Ask::Command(&op("medium.find", "s1", "g1", "cd"))).is_err());
        assert!(looks_at_items(&caller, &Channel::Approvals));
    }
    assert!(!looks_at_items(&caller(&[Supervisor], Scope::All), &Channel::Approvals), "nothing to leave out");
    assert!(may_see_users(&caller(&[Admin], stations(&["s1"]))).is_err(), "users belong to no station");
}

/// What a token may never do, whatever its user may: it is no second person, and it makes no other tokens.
#[test]
fn a_program_with_a_token_is_no_second_person_and_makes_no_tokens() {
    let world = world();
    let person = caller(Role::ALL, Scope::All);
    let program = Caller { by_token: true, ..person.clone() };
    for words in Op::ALL {
        let op = op(words.name, "s1", "g1", "cd");
        let only_people = words.name.starts_with("approval.");
        assert_eq!(may(&program, &world, Ask::Command(&op)).is_err(), only_people, "{}", words.name);
        assert!(may(&person, &world, Ask::Command(&op)).is_ok(), "{}", words.name);
    }
    assert!(is_a_person(&person).is_ok() && is_a_person(&program).is_err());
    let (li, wang) = (person.user.clone(), UserId::new("wang").expect("an id"));
    let operator = caller(&[Role::GateOperator], Scope::All);
    assert!(may_see_tokens(&operator, &li).is_ok() && may_see_tokens(&operator, &wang).is_err());
    assert!(may_revoke_tokens(&operator, &li).is_ok() && may_revoke_tokens(&operator, &wang).is_err());
    let (admin, here) = (caller(&[Role::Admin], Scope::All), caller(&[Role::Admin], stations(&["s1"])));
    assert!(may_revoke_tokens(&admin, &wang).is_ok() && may_revoke_tokens(&here, &wang).is_err(), "users are of no place");
    assert!(may_see_tokens(&caller(&[Role::Auditor], Scope::All), &wang).is_ok());
}
