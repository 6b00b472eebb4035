//! What the boards' tests share.
use super::gates::GateNow;
use std::collections::{BTreeMap, BTreeSet};
use tongdao_domain::account;
use tongdao_domain::code::Code;
use tongdao_domain::device::By;
use tongdao_domain::entity::EntityKey;
use tongdao_domain::gate::{self, Twin};
use tongdao_domain::id::{CommandId, DeviceId, StationId, TapId};
use tongdao_domain::machine::{Event, Machine as _};
use tongdao_domain::station::{self, Mode};
use tongdao_domain::tap::{Direction, Medium, MediumKind, Tap};
use tongdao_domain::time::{Millis, Timestamp};
use tongdao_domain::world::World;
use tongdao_journal::contract::FeedItem;
use tongdao_protocol::console::board::Link;

pub const NOW: Timestamp = Timestamp(1_767_225_600_000);

pub fn by() -> By {
    By { user: "li".parse().expect("an id"), reason: "drill".into() }
}

pub fn feed(entity: EntityKey, seq: u64) -> FeedItem {
    let command_id = CommandId::new("op/1").expect("an id");
    FeedItem { partition: 3, seq, at: NOW, entity, version: seq, command_id, event: Vec::new() }
}

pub fn station_closed(rev: u64) -> Event {
    let event = station::Event::ModesSet {
        id: CommandId::new("op/1").expect("an id"),
        rev,
        modes: BTreeSet::from([Mode::Closed]),
        from: NOW,
        until: None,
        by: Some(by()),
        approved_by: None,
        kept_from: Timestamp(0),
    };
    event.into()
}

pub fn tap(device: &str, open: bool) -> Event {
    let id = TapId { device: device.parse().expect("an id"), epoch: 1, seq: 1 };
    let medium = Medium { kind: MediumKind::Card, token: "m1".parse().expect("a token"), qr: None, counter: None, signature: None };
    let tap = Tap { id, direction: Direction::Entry, medium, at: NOW, deadline: Millis(250), mode: 0, list_version: 0 };
    let code = if open { Code::Ok } else { Code::Insufficient };
    let station: StationId = "s1".parse().expect("an id");
    account::Event::TapDecided { tap, station, code, number: None, fare: None, mode_rev: 0, change: account::Change::default() }.into()
}

/// One station `s1` with four registered gates that have said their state.
pub fn small_world() -> (World, BTreeMap<DeviceId, GateNow>) {
    let gates = ["g1", "g2", "g3", "g4"];
    let rows: Vec<_> = gates.iter().map(|gate| format!("{{ device = \"{gate}\" }}")).collect();
    let text =
        format!("id = \"t\"\nfares = \"flat-demo\"\n[[stations]]\nid = \"s1\"\nname = {{ en = \"One\" }}\ngates = [{}]\n", rows.join(", "));
    let mut world = World::default();
    crate::sites::add(&mut world, "test", &text, None).expect("a site");
    let mut now = BTreeMap::new();
    for gate in gates {
        let device: DeviceId = gate.parse().expect("an id");
        let added = tongdao_domain::device::Event::Added {
            kind: tongdao_domain::device::DeviceKind::Gate,
            site: "t".parse().expect("an id"),
            secret: tongdao_domain::device::SecretHash([1; 32]),
            by: by(),
        };
        world.advance(&EntityKey::device(&device), &added.into(), NOW);
        now.insert(device.clone(), GateNow::default());
        offline_gate(&mut now, &device, false);
    }
    (world, now)
}

pub fn twin(online: bool) -> Twin {
    Twin { online, service: "both".into(), firmware: "1".into(), versions: BTreeMap::new(), faults: Vec::new(), at: NOW }
}

/// The gate says that it is online, or its will says that it is not.
pub fn offline_gate(gates: &mut BTreeMap<DeviceId, GateNow>, device: &DeviceId, offline: bool) {
    let twin = twin(!offline);
    let now = gates.entry(device.clone()).or_default();
    now.gate.apply(&gate::Event::StateReported(twin), NOW);
    now.link = if offline { Link::Offline } else { Link::Online };
}
