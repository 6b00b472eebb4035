//! The boards from committed events to what a console is shown: pure boards first, then all of them behind a real node.
use super::testing::{NOW, by, feed as item, offline_gate, small_world, station_closed, tap};
use super::*;
use crate::console::hub::HubLimits;
use serde_json::Value;
use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;
use tongdao_actors::cell::NoHook;
use tongdao_actors::limits::Limits;
use tongdao_actors::node::{Node, NodeConfig};
use tongdao_domain::station::Mode;
use tongdao_journal::memory::Memory;
use tongdao_telemetry::DecisionTimes;

fn hub() -> Hub {
    Hub::new("e".into(), HubLimits { recent_events_max: 100, recent_bytes_max: 1 << 20 })
}
fn shown(hub: &Hub, channel: &Channel) -> Value {
    hub.snapshot(channel, NOW).expect("a channel").2
}
fn station_feed(seq: u64) -> FeedItem {
    item(EntityKey::new(EntityKind::Station, "s1"), seq)
}

#[test]
fn an_overview_counts_taps_refusals_and_links() {
    let (hub, (world, _)) = (hub(), small_world());
    let overview = hub.open(Channel::Overview(None), Overview::new(&world, &Atlas::default(), None, 250, NOW));
    let events = [tap("g1", true), tap("g1", true), tap("g2", false)];
    for event in &events {
        overview.update(|board, _| board.tapped(&Tapped::of(event).expect("a tap")));
    }
    let recent = AllTimes::default().beat(BTreeMap::new());
    let station: StationId = "s1".parse().expect("an id");
    let online = BTreeMap::from([(station.clone(), 3)]);
    let alarms = [(Some(station), false), (None, true)];
    overview.update(|board, out| board.beat(NOW, &recent, &online, &alarms, out));
    let shown = shown(&hub, &Channel::Overview(None));
    assert_eq!((&shown["taps_s"], &shown["refusals"]["INSUFFICIENT"]), (&3.0.into(), &1.into()));
    assert_eq!((&shown["gates"]["online"], &shown["gates"]["of"]), (&3.into(), &4.into()));
    assert_eq!((&shown["alarms"]["raised"], &shown["alarms"]["acked"]), (&1.into(), &1.into()));
    assert_eq!((&shown["stations"][0]["taps_s"], &shown["stations"][0]["alarms"]), (&3.0.into(), &1.into()));
    assert_eq!((&shown["series"]["taps"][0], &shown["p99_ms"]), (&3.0.into(), &Value::Null));
    overview.update(|board, out| board.beat(NOW, &recent, &online, &[], out));
    assert_eq!(hub.snapshot(&Channel::Overview(None), NOW).expect("a channel").2["taps_s"], 0.0, "a second is over");
}

#[test]
fn a_site_shows_how_long_its_own_answers_took() {
    let sample = |ms| {
        let times = DecisionTimes::new();
        times.record(Duration::from_millis(ms));
        times.sample()
    };
    let mut times = AllTimes::default();
    let recents = times.beat(BTreeMap::from([("near".to_owned(), sample(1)), ("far".to_owned(), sample(100))]));
    let of = |site: Option<&str>| &recents[&site.map(str::to_owned)];
    let p99 = |site| of(site).minute.quantile_ms(0.99).expect("an answer");
    assert!(p99(Some("near")) < 2.0 && p99(Some("far")) > 90.0 && p99(None) > 90.0);
    assert_eq!(of(None).minute.counts().iter().sum::<u64>(), 2);
    let later = times.beat(BTreeMap::from([("near".to_owned(), sample(1))]));
    assert_eq!(later[&Some("near".to_owned())].p99_ms, None, "nothing new in this second");
}

#[test]
fn a_change_of_mode_is_done_when_the_last_gate_has_acknowledged_it() {
    let (hub, (mut world, mut gates)) = (hub(), small_world());
    let id: StationId = "s1".parse().expect("an id");
    let channel = Channel::Gates(id.clone());
    let board = hub.open(channel.clone(), Gates::new(&world, &id, &gates, 0, NOW));
    world.advance(&EntityKey::from(&id), &station_closed(1), NOW);
    let feed = station_feed(1);
    board.update(|board, out| board.modes_set(&world, NOW, 1, &feed.command_id, out));
    let change = shown(&hub, &channel)["change"].clone();
    let later = self::hub();
    let _board = later.open(channel.clone(), Gates::new(&world, &id, &gates, 0, NOW));
    assert_eq!((&shown(&later, &channel)["rev"], &shown(&hub, &channel)["rev"]), (&1.into(), &1.into()), "known at a start, too");
    assert_eq!((&change["of"], &change["acked"], change["missing"].as_array().map(Vec::len)), (&4.into(), &0.into(), Some(4)));
    assert_eq!((&change["by"], &change["reason"]), (&"li".into(), &"drill".into()));
    for (n, device) in gates.keys().cloned().collect::<Vec<_>>().into_iter().enumerate() {
        let acked =
            gate::Event::ModeAcked { id: feed.command_id.clone(), rev: 1, result: gate::AckResult::Done, detail: "".into(), at: NOW };
        let now = gates.get_mut(&device).expect("a gate");
        now.gate.apply(&acked, NOW);
        board.update(|board, out| board.gate(&world, &device, now, NOW + Millis(700), None, out));
        let change = shown(&hub, &channel)["change"].clone();
        assert_eq!(change["acked"], n + 1);
        assert_eq!(change["took_ms"].as_u64(), (n == 3).then_some(700));
    }
}

#[test]
fn a_station_shows_its_newest_taps_and_what_each_gate_opened() {
    let (hub, (world, gates)) = (hub(), small_world());
    let id: StationId = "s1".parse().expect("an id");
    let channel = Channel::Gates(id.clone());
    let board = hub.open(channel.clone(), Gates::new(&world, &id, &gates, 0, NOW));
    for n in 0..60 {
        let event = tap("g2", n % 3 != 0);
        let feed = item(EntityKey::new(EntityKind::Account, "a1"), n);
        board.update(|board, out| board.tapped(&Tapped::of(&event).expect("a tap"), NOW, &feed.command_id, out));
    }
    board.update(|board, out| board.beat(NOW, out));
    let shown = shown(&hub, &channel);
    assert_eq!(shown["taps"].as_array().map(Vec::len), Some(50));
    assert_eq!((&shown["heat"]["of"][1], &shown["heat"]["rows"][0][1]), (&"g2".into(), &40.into()));
    assert!(shown["gates"][1]["last_tap_at"].is_string() && shown["gates"][0]["last_tap_at"].is_null());
}

#[test]
fn a_device_shows_its_twin_its_orders_and_its_past() {
    let (hub, (world, mut gates)) = (hub(), small_world());
    let device: DeviceId = "g1".parse().expect("an id");
    let channel = Channel::Device(device.clone());
    let board = hub.open(channel.clone(), DeviceBoard::new(&world, &device, gates[&device].clone(), VecDeque::new()));
    let feed = item(EntityKey::gate(&device), 5);
    let order = gate::DeviceOrder {
        id: CommandId::new("order/1").expect("an id"),
        command: "restart".into(),
        args: "{}".into(),
        expires_at: NOW + Millis(60_000),
        by: by(),
    };
    let event = gate::Event::Ordered { order, forgotten: Vec::new() };
    gates.get_mut(&device).expect("a gate").gate.apply(&event, NOW);
    board.update(|board, out| board.take(&world, &feed, &event.clone().into(), &gates[&device], out));
    offline_gate(&mut gates, &device, true);
    let twin = gates[&device].gate.twin.clone().expect("a twin");
    board.update(|board, out| board.take(&world, &feed, &gate::Event::StateReported(twin).into(), &gates[&device], out));
    let shown = shown(&hub, &channel);
    assert_eq!((&shown["online"], &shown["commands"][0]["state"]), (&false.into(), &"queued".into()));
    assert_eq!((&shown["history"][0]["k"], &shown["history"][1]["k"]), (&"offline".into(), &"command".into()));
    assert_eq!(shown["station"], "s1");
}

/// Boards that follow a journal from now on.
fn follow(world: &World, journal: &Arc<dyn Journal>, place: usize) -> Prepared {
    let clock = Clock::start(Some(NOW), journal.newest_at());
    let settings = Settings { offline_after: Millis(0), deadline_ms: 250, doubtful_alarm_above: 100 };
    let opened = crate::node::Opened { journal: journal.clone(), embedded: None, clock };
    prepare(&opened, place, world, Atlas::default(), settings).map_err(|fault| fault.message).expect("boards")
}

fn node_on(world: &World, journal: &Arc<dyn Journal>) -> Node {
    let clock = Clock::start(Some(NOW), journal.newest_at());
    let (journal, world) = (journal.clone(), world.clone());
    Node::start(NodeConfig { cells: 1, journal, world, clock, limits: Limits::default(), hook: Arc::new(NoHook) }).expect("a node")
}

async fn until(hub: &Hub, channel: &Channel, holds: impl Fn(&Value) -> bool) -> Value {
    for _ in 0..1000 {
        let shown = shown(hub, channel);
        if holds(&shown) {
            return shown;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("never seen: {}", shown(hub, channel));
}

#[tokio::test]
async fn what_is_committed_is_shown_and_a_start_shows_it_again() {
    let (world, gates) = small_world();
    let journal: Arc<dyn Journal> = Arc::new(Memory::automatic(4));
    let (hub, id) = (hub(), "s1".parse::<StationId>().expect("an id"));
    let prepared = follow(&world, &journal, 1);
    let node = node_on(&world, &journal);
    let door = node.door();
    let boards = prepared.run(&hub, door.clone(), Arc::new(|_| true), Vec::new());
    let ask = |entity: EntityKey, id: &str, command: Command| door.ask(entity, CommandId::new(id).expect("an id"), command, Lane::Rest);
    for (n, (device, now)) in gates.iter().enumerate() {
        let twin = now.gate.twin.clone().expect("a twin");
        ask(EntityKey::gate(device), &format!("state/{n}"), gate::Command::State(twin).into()).await.expect("answered");
    }
    let modes = BTreeSet::from([Mode::Closed]);
    ask((&id).into(), "close", station::Command::SetModes { modes, until: None, by: by() }.into()).await.expect("answered");
    let channel = Channel::Gates(id.clone());
    until(&hub, &channel, |shown| shown["modes"][0] == "closed" && shown["gates"][3]["link"] == "online").await;
    until(&hub, &Channel::Audit, |shown| shown["items"][0]["op"] == "station.modes_set").await;
    until(&hub, &Channel::Overview(None), |shown| shown["gates"]["online"] == 4 && shown["stations"][0]["modes"][0] == "closed").await;
    assert!(!boards.open_device(&"nobody".parse().expect("an id")).await, "not registered in this journal's world");

    let (again, prepared) = (super::tests::hub(), follow(&world, &journal, 2));
    let _boards = prepared.run(&again, door.clone(), Arc::new(|_| false), Vec::new());
    until(&again, &Channel::Audit, |shown| shown["items"][0]["op"] == "station.modes_set").await;
    let one =
        until(&again, &Channel::Alarms, |shown| shown["items"][0]["devices"].as_array().is_some_and(|devices| devices.len() == 4)).await;
    assert_eq!((&one["items"][0]["alarm"], one["items"].as_array().map(Vec::len)), (&"gates_offline.s1".into(), Some(1)));
    let _ = node.shutdown(Duration::from_secs(5)).await;
}

#[tokio::test]
async fn what_came_too_fast_is_read_again_in_order_and_nothing_is_missed() {
    const EVENTS: u64 = 300; // more groups than may wait
    let (world, _) = small_world();
    let journal: Arc<dyn Journal> = Arc::new(Memory::automatic(1));
    let (sink, mut follower) = follow::feed(Arc::clone(&journal));
    journal.register(1, Arc::new(sink), EntityKind::ALL);
    let node = node_on(&world, &journal);
    let (door, id) = (node.door(), "s1".parse::<StationId>().expect("an id"));
    for n in 0..EVENTS {
        let modes = if n % 2 == 0 { BTreeSet::from([Mode::Closed]) } else { BTreeSet::new() };
        let command: Command = station::Command::SetModes { modes, until: None, by: by() }.into();
        let command_id = CommandId::new(format!("set/{n}")).expect("an id");
        door.ask((&id).into(), command_id, command, Lane::Rest).await.expect("answered");
    }
    let mut seqs = Vec::new();
    while seqs.len() < usize::try_from(EVENTS).expect("fits") {
        let heard = tokio::time::timeout(Duration::from_secs(60), follower.heard()).await.expect("there is more").expect("the journal");
        seqs.extend(follower.events(heard).await.iter().map(|(item, _)| item.seq));
    }
    assert_eq!(seqs, (1..=EVENTS).collect::<Vec<_>>());
    let _ = node.shutdown(Duration::from_secs(5)).await;
}
