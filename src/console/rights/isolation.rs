//! Isolation as a property: random people, scopes, channels and commands; no effect outside of the scope, no frame of
//! somebody else's. What is allowed is said here a second time, from the design and in other words than the choke point's.
use super::*;
use crate::console::session::SessionKey;
use proptest::prelude::*;
use serde_json::json;
use std::collections::BTreeSet;
use tongdao_domain::station::{Service, Station};
use tongdao_domain::world::{GateView, Site, StationView};

const STATIONS: [(&str, &str); 4] = [("cd", "s1"), ("cd", "s2"), ("cq", "s3"), ("cq", "s4")];
/// Roles that have nothing to do with gates.
const STRANGERS: [Role; 3] = [Role::Teller, Role::Lobby, Role::RemoteAgent];

fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().expect("an id")
}

/// Two sites with two stations each; each station has one gate, `g-{station}`.
fn world() -> World {
    let mut world = World::default();
    for (site, station) in STATIONS {
        let calendar = tongdao_domain::time::Calendar::SHANGHAI;
        world.sites.insert(id(site), Site { fares: id("f"), operator: "metro".into(), calendar });
        let gate = format!("g-{station}");
        let view = StationView { site: id(site), names: Vec::new(), gates: vec![id(&gate)], state: Station::default() };
        world.stations.insert(id(station), view);
        world.gates.insert(id(&gate), GateView { station: id(station), service: Service::Both });
    }
    world
}

/// Does the scope hold the station with this name? By the table above, not by the world.
fn holds(scope: &Scope, station: &str) -> bool {
    let site = STATIONS.iter().find(|(_, name)| *name == station).map(|(site, _)| *site);
    match scope {
        Scope::All => true,
        Scope::Sites(sites) => site.is_some_and(|site| sites.iter().any(|of| of.as_str() == site)),
        Scope::Stations(stations) => stations.iter().any(|of| of.as_str() == station),
    }
}

/// Does the scope hold the whole site with this name?
fn holds_site(scope: &Scope, site: &str) -> bool {
    match scope {
        Scope::All => true,
        Scope::Sites(sites) => sites.iter().any(|of| of.as_str() == site),
        Scope::Stations(_) => false,
    }
}

/// Where something lies whose name is a station's, a gate's or nobody's.
fn station_of(name: &str) -> Option<&str> {
    let name = name.strip_prefix("g-").unwrap_or(name);
    STATIONS.iter().find(|(_, station)| *station == name).map(|(_, station)| *station)
}

/// Is what has this name, a station or a device, within the scope?
fn within(scope: &Scope, name: &str) -> bool {
    *scope == Scope::All || station_of(name).is_some_and(|station| holds(scope, station))
}

fn place() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(vec!["s1", "s2", "s3", "s4", "s9"])
}
fn device() -> impl Strategy<Value = String> {
    prop_oneof![4 => place().prop_map(|station| format!("g-{station}")), 1 => Just("k1".to_owned())]
}
fn scopes() -> impl Strategy<Value = Scope> {
    prop_oneof![
        1 => Just(Scope::All),
        2 => proptest::sample::select(vec!["cd", "cq", "xx"]).prop_map(|site| Scope::Sites([id(site)].into())),
        3 => proptest::collection::btree_set(place(), 1..4).prop_map(|ids| Scope::Stations(ids.into_iter().map(id).collect())),
    ]
}
fn roles() -> impl Strategy<Value = BTreeSet<Role>> {
    proptest::collection::btree_set(proptest::sample::select(Role::ALL), 1..4)
}
fn callers() -> impl Strategy<Value = Caller> {
    (roles(), scopes()).prop_map(|(roles, scope)| Caller {
        user: id("li"),
        roles,
        scope,
        session: SessionKey::of("a session"),
        by_token: false,
    })
}
fn channels() -> impl Strategy<Value = Channel> {
    let name = prop_oneof![
        Just("overview:all".to_owned()),
        proptest::sample::select(vec!["cd", "cq", "xx"]).prop_map(|site| format!("overview:{site}")),
        place().prop_map(|station| format!("gates:{station}")),
        device().prop_map(|device| format!("device:{device}")),
        proptest::sample::select(vec!["alarms", "approvals", "audit"]).prop_map(str::to_owned),
    ];
    name.prop_map(|name| name.parse().expect("a channel"))
}

/// Any operation on anything: its name, its arguments and what it touches.
fn commands() -> impl Strategy<Value = (Op, Vec<String>)> {
    let of_station =
        (proptest::sample::select(vec!["station.mode", "station.release", "journey.adjust"]), place()).prop_map(|(op, station)| {
            let args = match op {
                "station.mode" => json!({"station": station, "modes": ["closed"], "reason": "r"}),
                "station.release" => json!({"station": station, "reason": "r"}),
                _ => json!({"account": "a1", "kind": "waive", "station": station, "reason": "r"}),
            };
            (op, args, vec![station.to_owned()])
        });
    let of_gates = proptest::collection::vec(device(), 1..4)
        .prop_map(|devices| ("gate.service", json!({"devices": devices, "service": "paused", "reason": "r"}), devices));
    let of_device =
        (proptest::sample::select(vec!["device.command", "device.rotate", "device.revoke"]), device()).prop_map(|(op, device)| {
            let args = match op {
                "device.command" => json!({"device": device, "command": "restart", "ttl_ms": 1}),
                _ => json!({"device": device}),
            };
            (op, args, vec![device])
        });
    let of_alarm = (proptest::sample::select(vec!["alarm.ack", "alarm.clear"]), prop_oneof![place().prop_map(str::to_owned), device()])
        .prop_map(|(op, source)| (op, json!({"id": format!("gates_offline.{source}")}), vec![source]));
    let of_nothing = proptest::sample::select(vec![
        ("device.add", json!({"device": "g9", "kind": "gate", "site": "cq"})),
        ("medium.find", json!({"token": "m1"})),
        ("medium.unfreeze", json!({"token": "m1"})),
        ("user.add", json!({"user": "wang", "roles": ["admin"], "scope": "all"})),
        ("user.roles", json!({"user": "li", "roles": ["admin"], "scope": "all"})),
        ("user.disable", json!({"user": "wang"})),
        ("user.end_sessions", json!({"user": "wang"})),
        ("audit.search", json!({"from": "2026-03-02T08:00:00Z", "to": "2026-03-02T09:00:00Z"})),
        ("audit.verify", json!({"from": "2026-03-02T08:00:00Z", "to": "2026-03-02T09:00:00Z"})),
    ])
    .prop_map(|(op, args)| (op, args, vec![]));
    prop_oneof![of_station, of_gates, of_device, of_alarm, of_nothing]
        .prop_map(|(op, args, touches)| (Op::parse(op, &args).unwrap_or_else(|error| panic!("{op}: {error}")), touches))
}

/// An item of a list as its board shows it, and what it concerns.
fn items() -> impl Strategy<Value = (Channel, Value, String, bool)> {
    let alarm = prop_oneof![place().prop_map(str::to_owned), device()].prop_map(|source| {
        let station = station_of(&source).map(str::to_owned);
        (
            Channel::Alarms,
            json!({"alarm": format!("tamper.{source}"), "code": "tamper", "source": source, "station": station}),
            source,
            false,
        )
    });
    let approval = (place(), any::<bool>()).prop_map(|(station, customer)| {
        let op = if customer { "journey.adjust" } else { "station.release" };
        (Channel::Approvals, json!({"approval": "ap1", "op": op, "station": station}), station.to_owned(), customer)
    });
    prop_oneof![alarm, approval]
}

fn allowed(caller: &Caller, world: &World, ask: Ask<'_>) -> bool {
    may(caller, world, ask).is_ok()
}
fn any_of(caller: &Caller, roles: &[Role]) -> bool {
    roles.iter().any(|role| caller.roles.contains(role))
}

proptest! {
    #[test]
    fn no_command_reaches_beyond_the_scope(caller in callers(), (op, touches) in commands()) {
        let world = world();
        if allowed(&caller, &world, Ask::Command(&op)) {
            for name in &touches {
                prop_assert!(within(&caller.scope, name), "{} on {name} by {caller:?}", op.name());
            }
            prop_assert!(!caller.roles.iter().all(|role| STRANGERS.contains(role)), "{} by {caller:?}", op.name());
            let group = op.name().split('.').next().unwrap_or_default();
            match group {
                "user" => prop_assert!(any_of(&caller, &[Role::Admin]) && caller.scope == Scope::All),
                "audit" => prop_assert!(any_of(&caller, &[Role::Auditor, Role::Inspector, Role::Manager, Role::Admin]) && caller.scope == Scope::All),
                "medium" | "journey" => prop_assert!(any_of(&caller, &[Role::GateOperator, Role::Supervisor, Role::Manager]), "customer data"),
                "device" if op.name() == "device.add" => prop_assert!(holds_site(&caller.scope, "cq")),
                "device" => prop_assert!(any_of(&caller, &[Role::Technician, Role::GateOperator, Role::Supervisor, Role::Manager, Role::Admin])),
                _ => {}
            }
        }
    }

    #[test]
    fn no_channel_is_seen_beyond_the_scope(caller in callers(), channel in channels()) {
        let world = world();
        let seen = allowed(&caller, &world, Ask::Sub(&channel));
        prop_assert_eq!(seen, allowed(&caller, &world, Ask::Push(&channel)), "what may be subscribed to may be pushed, and nothing else");
        let inside = match &channel {
            Channel::Overview(None) | Channel::Alarms | Channel::Approvals => true,
            Channel::Overview(Some(site)) => holds_site(&caller.scope, site.as_str()),
            Channel::Gates(station) => within(&caller.scope, station.as_str()),
            Channel::Device(device) => within(&caller.scope, device.as_str()),
            Channel::Audit => caller.scope == Scope::All,
        };
        prop_assert!(!seen || inside, "{channel} by {caller:?}");
    }

    /// Channels that all scopes share show each person only the items of theirs.
    #[test]
    fn no_foreign_item_is_delivered(caller in callers(), items in proptest::collection::vec(items(), 1..16)) {
        let world = world();
        for (channel, item, concerns, customer) in items {
            let delivered = allowed(&caller, &world, Ask::Push(&channel))
                && (!looks_at_items(&caller, &channel) || sees_item(&caller, &world, &channel, &item));
            prop_assert!(!delivered || within(&caller.scope, &concerns), "{item} to {caller:?}");
            let desk = any_of(&caller, &[Role::GateOperator, Role::Supervisor, Role::Manager]);
            prop_assert!(!delivered || !customer || desk, "{item} to {caller:?}");
        }
    }

    /// Somebody else's station cannot be told from one that is not there.
    #[test]
    fn what_is_out_of_scope_does_not_exist(roles in roles(), channel_first in any::<bool>()) {
        let world = world();
        let caller = Caller { user: id("li"), roles, scope: Scope::Stations([id("s1")].into()), session: SessionKey::of("a session"), by_token: false };
        let answer = |station: &str| match channel_first {
            true => may(&caller, &world, Ask::Sub(&format!("gates:{station}").parse().expect("a channel"))),
            false => {
                let args = json!({"station": station, "modes": [], "reason": "r"});
                may(&caller, &world, Ask::Command(&Op::parse("station.mode", &args).expect("an operation")))
            }
        };
        prop_assert_eq!(answer("s3"), answer("s9"));
        prop_assert!(answer("s3").is_err());
    }

    /// More roles or a wider scope never take anything away.
    #[test]
    fn rights_only_grow(caller in callers(), more in roles(), channel in channels(), (op, _) in commands()) {
        let world = world();
        let mut wider = caller.clone();
        wider.roles.extend(more);
        let everywhere = Caller { scope: Scope::All, ..caller.clone() };
        for grown in [wider, everywhere] {
            for ask in [Ask::Sub(&channel), Ask::Command(&op)] {
                let known = match (&ask, &caller.scope) {
                    // A scope may name a station that no site file has; everywhere means every place there is.
                    (_, Scope::Stations(stations)) => stations.iter().all(|station| station_of(station.as_str()).is_some()),
                    _ => true,
                };
                prop_assert!(!known || !allowed(&caller, &world, ask) || allowed(&grown, &world, ask));
            }
        }
    }
}
