//! A bare server for measuring: the embedded journal, the cells and the gateway, without the process around them. It
//! answers the gates that `tongdao-loadtest prepare` writes, and says at the end what an answer cost.
//!
//! `cargo run --release -p tongdao-device-gateway --example answer_rate -- FOLDER [GATES] [MEDIA] [PORT]`, then
//! `tongdao-loadtest gates …` from another shell; end of input stops it.
use std::io::Read;
use std::sync::Arc;
use std::time::Duration;
use tongdao_actors::clock::Clock;
use tongdao_actors::limits::Limits;
use tongdao_actors::node::{Node, NodeConfig};
use tongdao_actors::request::Request;
use tongdao_device_gateway::config::GatewayConfig;
use tongdao_device_gateway::gateway::Gateway;
use tongdao_domain::account::{self, WalletClass};
use tongdao_domain::device::{By, DeviceKind, Entry, SecretHash};
use tongdao_domain::entity::EntityKey;
use tongdao_domain::fare::{Charge, FareTable, FareVersion, Ladder, More, Overstay, SameStation, Scheme, Step};
use tongdao_domain::id::{AccountId, CommandId, DeviceId, StationId, Token};
use tongdao_domain::machine::Command;
use tongdao_domain::money::{Amount, Currency};
use tongdao_domain::station::{Service, Station};
use tongdao_domain::tap::MediumKind;
use tongdao_domain::time::{Calendar, Millis, Timestamp};
use tongdao_domain::world::{GateView, Site, StationView, World};
use tongdao_domain::{id::IdError, medium};
use tongdao_journal::contract::Journal;
use tongdao_journal::embedded::{Embedded, Settings};

type Fault = Box<dyn std::error::Error>;

fn main() -> Result<(), Fault> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |n: usize, default: usize| arguments.get(n).map_or(Ok(default), |text| text.parse());
    let folder = arguments.first().ok_or("name a folder for the journal")?;
    let (gates, media, port) = (number(1, 500)?, number(2, 20_000)?, number(3, 1883)?);
    let journal = Arc::new(Embedded::open(Settings::new(folder))?);
    let clock = Clock::start(None, journal.newest_at());
    let config =
        GatewayConfig { mqtt: Some(([127, 0, 0, 1], u16::try_from(port)?).into()), messages_per_second: 0, ..GatewayConfig::default() };
    let gateway = Gateway::bind(config, clock.now())?;
    let world = world(gates)?;
    let node =
        Node::start(NodeConfig { cells: 1, journal: journal.clone(), world, clock, limits: Limits::default(), hook: gateway.hook() })?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(open_accounts(&node, media))?;
    let (before, events) = (cpu(), journal.status().events);
    println!("ready on {port}: {} MB resident", resident_kb() / 1024);
    std::io::stdin().read_to_end(&mut Vec::new())?;
    println!("{} connections, {} MB resident", gateway.connections(), resident_kb() / 1024);
    let (used, made) = (cpu() - before, journal.status().events - events);
    println!("{made} events, {:.1} s of CPU, {:.1} µs an event", used.as_secs_f64(), used.as_secs_f64() * 1e6 / made.max(1) as f64);
    runtime.block_on(async {
        gateway.drain(Duration::from_secs(5)).await;
        let _ = node.shutdown(Duration::from_secs(20)).await;
    });
    Ok(())
}

fn world(gates: usize) -> Result<World, IdError> {
    let mut world = World::default();
    (world.settings.riders_max, world.settings.retap_window) = (0, Millis(0));
    let (site, station) = ("bench".parse()?, "bench".parse::<StationId>()?);
    let version = FareVersion {
        from: Timestamp(0),
        scheme: Scheme::Ladder(Ladder { steps: vec![Step { up_to_m: 100_000, fare: Amount::from_fen(200) }], beyond: None }),
        classes: [("adult".into(), 100.into())].into(),
        stay_max: None,
        overstay: Overstay { surcharge: Charge::Free, refuse: false },
        same_station: SameStation::Pays(Charge::Lowest),
        missing_exit: Charge::Free,
        missing_entry: Charge::Free,
        more: More::default(),
    };
    world.fares.insert("bench".parse()?, FareTable { currency: Currency::CNY, calendar: None, versions: vec![version] });
    world.sites.insert(site, Site { fares: "bench".parse()?, operator: "bench".into(), calendar: Calendar::SHANGHAI });
    let mut devices = Vec::new();
    for n in 0..gates {
        let device: DeviceId = format!("g{n:05}").parse()?;
        let secret = SecretHash(<sha2::Sha256 as sha2::Digest>::digest(format!("bench-{device}")).into());
        let entry = Entry { kind: DeviceKind::Gate, site: "bench".parse()?, secret, revoked: false, added_at: Timestamp(0), rev: 1 };
        world.devices.insert(device.clone(), entry);
        world.gates.insert(device.clone(), GateView { station: station.clone(), service: Service::Both });
        devices.push(device);
    }
    let view = StationView { site: "bench".parse()?, names: Vec::new(), gates: devices, state: Station::default() };
    world.stations.insert(station, view);
    Ok(world)
}

async fn open_accounts(node: &Node, media: usize) -> Result<(), Fault> {
    let by = By { user: "bench".parse()?, reason: "bench".into() };
    for chunk in (0..media).collect::<Vec<_>>().chunks(256) {
        let mut asked = Vec::new();
        for n in chunk {
            let (account, token): (AccountId, Token) = (format!("a{n:07}").parse()?, format!("m{n:07}").parse()?);
            let (balance, currency) = (Amount::from_fen(100_000_000), Currency::CNY);
            let open =
                account::Command::Open { class: WalletClass::One, passenger_class: "adult".into(), balance, currency, by: by.clone() };
            let link = account::Command::Link { token: token.clone(), kind: MediumKind::Card, by: by.clone() };
            let claim = medium::Command::Claim { owner: account.clone() };
            asked.push(ask(node, EntityKey::from(&token), format!("claim/{token}"), claim));
            asked.push(ask(node, EntityKey::from(&account), format!("open/{account}"), open));
            asked.push(ask(node, EntityKey::from(&account), format!("link/{token}"), link));
        }
        for answer in asked {
            answer.await??;
        }
    }
    Ok(())
}

fn ask(
    node: &Node,
    entity: EntityKey,
    id: String,
    command: impl Into<Command> + Send + 'static,
) -> tokio::task::JoinHandle<Result<(), tongdao_actors::request::Busy>> {
    let door = node.door();
    tokio::spawn(async move {
        let now = door.clock().now();
        let request = Request::new(entity, CommandId::of(format_args!("{id}")), command, now);
        door.send(request).await.map(drop)
    })
}

/// CPU time of this process (`/proc/self/stat`; a tick is 10 ms).
fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let ticks: u64 = stat.rsplit(") ").next().unwrap_or_default().split(' ').skip(11).take(2).filter_map(|n| n.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}

fn resident_kb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|n| n.parse().ok()).unwrap_or(0)
}
