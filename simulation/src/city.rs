//! The small city that everything happens in: five stations on a line, two gates each, the ladder of Chengdu's metro.
use std::collections::BTreeMap;
use tongdao_domain::deny::Limits;
use tongdao_domain::device::{By, DeviceKind, Entry, SecretHash};
use tongdao_domain::fare::{Beyond, Cap, Charge, FareTable, FareVersion, Ladder, Limit, More, Overstay, Period, SameStation, Scheme, Step};
use tongdao_domain::id::{DeviceId, FareTableId, SiteId, StationId, UserId};
use tongdao_domain::money::{Amount, Currency};
use tongdao_domain::station::{Service, Station};
use tongdao_domain::time::{Calendar, Millis, Timestamp};
use tongdao_domain::world::{GateView, Site, StationView, World};

/// When the day begins: 2026-01-05T08:00:00+08:00, a Monday.
pub const MORNING: Timestamp = Timestamp(1_767_571_200_000);
/// Stations by their distance from the first, in metres.
pub const LINE: [(&str, u32); 5] = [("s0", 0), ("s1", 1_200), ("s2", 4_000), ("s3", 9_500), ("s4", 18_001)];
/// Gates per station.
pub const GATES: usize = 2;

/// Makes an identifier out of a name of this room.
///
/// # Panics
/// Where it is none: a mistake of this room.
pub fn id<T: std::str::FromStr>(text: &str) -> T {
    text.parse().unwrap_or_else(|_| panic!("{text:?} is no identifier"))
}

/// Who does what a person must do.
#[must_use]
pub fn staff() -> By {
    By { user: id::<UserId>("staff"), reason: "the simulation".into() }
}

/// The n-th gate (0, 1) of the n-th station.
#[must_use]
pub fn gate_id(station: usize, gate: usize) -> DeviceId {
    id(&format!("s{station}-g{}", gate + 1))
}

/// The city before anything has happened.
#[must_use]
pub fn world() -> World {
    let (site, table) = (id::<SiteId>("cd"), id::<FareTableId>("chengdu"));
    let mut world = World::default();
    // Little of everything, so that limits are met.
    world.settings.deny = Limits {
        version_every: Millis::seconds(10),
        gather: Millis(200),
        delta_bytes_max: 256 + 16,
        deltas_kept_max: 4,
        ..Limits::default()
    };
    let calendar = Calendar::SHANGHAI;
    world.sites.insert(site.clone(), Site { fares: table.clone(), operator: "metro".into(), calendar });
    world.fares.insert(table, FareTable { currency: Currency::CNY, calendar: None, versions: vec![fares()] });
    for (index, (name, position)) in LINE.into_iter().enumerate() {
        add_station(&mut world, &site, index, name);
        for (other, other_position) in LINE.into_iter().filter(|(other, _)| *other != name) {
            world.distances.insert((id(name), id(other)), position.abs_diff(other_position));
        }
    }
    world
}

fn add_station(world: &mut World, site: &SiteId, index: usize, name: &str) {
    let gates: Vec<DeviceId> = (0..GATES).map(|gate| gate_id(index, gate)).collect();
    for gate in &gates {
        let entry = Entry {
            kind: DeviceKind::Gate,
            site: site.clone(),
            secret: SecretHash([0; 32]),
            revoked: false,
            added_at: Timestamp(0),
            rev: 1,
        };
        world.devices.insert(gate.clone(), entry);
        world.gates.insert(gate.clone(), GateView { station: id(name), service: Service::Both });
    }
    let names = vec![("en".into(), name.into())];
    world.stations.insert(id::<StationId>(name), StationView { site: site.clone(), names, gates, state: Station::default() });
}

fn fares() -> FareVersion {
    let rungs = [(4, 2), (8, 3), (12, 4), (18, 5), (24, 6), (32, 7), (40, 8), (50, 9), (70, 10)];
    let steps = rungs.map(|(km, yuan)| Step { up_to_m: km * 1000, fare: Amount::from_fen(yuan * 100) });
    FareVersion {
        from: Timestamp(0),
        scheme: Scheme::Ladder(Ladder { steps: steps.into(), beyond: Some(Beyond { every_m: 20_000, add: Amount::from_fen(100) }) }),
        classes: BTreeMap::from([("adult".into(), 100.into())]),
        stay_max: Some(Millis::minutes(240)),
        overstay: Overstay { surcharge: Charge::Highest, refuse: true },
        same_station: SameStation::Pays(Charge::Lowest),
        missing_exit: Charge::Highest,
        missing_entry: Charge::Highest,
        more: More { caps: vec![cap()], ..More::default() },
    }
}

/// A cap that nobody reaches: fares stay those of the ladder, but what is added up for it must survive whatever happens.
fn cap() -> Cap {
    let limit = Limit::Amount(Amount::from_fen(10_000_000));
    Cap { id: "day".into(), per: Period::Day, limit, classes: Vec::new(), zones: None, groups: Vec::new() }
}
