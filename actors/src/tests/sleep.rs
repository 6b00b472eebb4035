//! Entities that go to sleep, states that are written in time, and deadlines that wake whoever sleeps.
use super::*;
use tongdao_domain::station::{Mode, Service};

#[tokio::test]
async fn an_idle_entity_goes_to_sleep_with_its_state_written_and_wakes_as_it_was() {
    let rig = Rig::new(Plan::default()).await;
    rig.ask(station_key("s0"), "c1", service("s0", Service::Exit)).await.expect("an answer");
    rig.calm().await;
    rig.clock.advance(Millis::seconds(30));
    rig.ask(station_key("s1"), "c2", service("s1", Service::Exit)).await.expect("an answer");
    rig.calm().await;
    rig.clock.advance(Millis::seconds(31));
    until(|| rig.figures().passivated == 1).await;
    assert_eq!(rig.actor(&station_key("s0")).await, None);
    assert!(rig.actor(&station_key("s1")).await.is_some(), "not idle for long enough");
    assert_eq!(rig.journal.load(&station_key("s0")).expect("readable").state.map(|(version, _)| version), Some(1));
    let reply = rig.ask(station_key("s0"), "c3", service("s0", Service::Both)).await;
    assert!(matches!(reply, Ok(Reply::Mode { rev: 2, .. })), "{reply:?}");
    rig.stop().await;
}

#[tokio::test]
async fn a_changed_state_is_written_in_time_though_its_entity_is_never_idle() {
    let rig = Rig::new(Plan::default()).await;
    let written = || rig.journal.load(&station_key("s0")).expect("readable").state.map_or(0, |(version, _)| version);
    for n in 0..8 {
        rig.ask(station_key("s0"), &format!("c{n}"), turn("s0", n)).await.expect("an answer");
        assert!(n < 4 || written() > 0, "{n}");
        rig.clock.advance(Millis::seconds(10));
        rig.node.observe(1).await;
        if n == 3 {
            until(|| written() > 0).await;
        }
    }
    rig.stop().await;
}

#[tokio::test]
async fn a_deadline_wakes_the_awake_and_the_sleeping() {
    let rig = Rig::new(Plan::default()).await;
    let close = |until| station::Command::SetModes { modes: [Mode::Closed].into(), until: Some(until), by: by() };
    let (soon, late) = (rig.clock.now() + Millis::seconds(20), rig.clock.now() + Millis::hours(2));
    rig.ask(station_key("s0"), "c1", close(soon)).await.expect("an answer");
    rig.ask(station_key("s1"), "c2", close(late)).await.expect("an answer");
    let events = |station: &str| rig.feed().iter().filter(|item| item.entity == station_key(station)).count();
    rig.calm().await;
    rig.clock.advance(Millis::seconds(20));
    until(|| events("s0") == 2).await;
    rig.calm().await;
    rig.clock.advance(Millis::seconds(100));
    until(|| rig.figures().actors == 0).await;
    assert_eq!(events("s1"), 1);
    rig.calm().await;
    rig.clock.advance(Millis::hours(2));
    until(|| events("s1") == 2).await;
    while !rig.on(0, |cell| cell.world().stations["s1"].state.modes.is_empty()).await {
        tokio::task::yield_now().await;
    }
    rig.stop().await;
}

#[tokio::test]
async fn a_deadline_that_passed_while_the_process_was_down_is_met_at_the_start() {
    let rig = Rig::new(Plan::default()).await;
    let until_when = rig.clock.now() + SOON;
    let close = station::Command::SetModes { modes: [Mode::Closed].into(), until: Some(until_when), by: by() };
    rig.ask(station_key("s0"), "c1", close).await.expect("an answer");
    drop(rig.node);
    let (clock, journal) = (Clock::manual(until_when + SOON), rig.journal);
    let config = NodeConfig {
        cells: 1,
        journal: journal.clone(),
        world: World::for_tests_flat(),
        clock,
        limits: Limits::default(),
        hook: Arc::new(crate::cell::NoHook),
    };
    let node = Node::start(config).expect("a node");
    until(|| journal.status().events == 2).await;
    assert_eq!(node.shutdown(Duration::from_secs(20)).await, crate::node::Stopped::Clean);
}
