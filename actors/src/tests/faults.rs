//! Actors that panic, histories that cannot be replayed, journals that do not answer: the others go on.
use super::*;
use crate::observe::ActorPhase;
use tongdao_domain::machine::{Refusal, RefusalCode};
use tongdao_domain::station::Service;
use tongdao_journal::memory::Fault;

#[tokio::test]
async fn an_actor_that_panics_is_read_again_and_the_third_time_the_command_is_a_dead_letter() {
    let rig = Rig::new(Plan::default()).await;
    rig.ask(station_key("s0"), "panic-3/before", turn("s0", 0)).await.expect("an answer");
    trap("panic-3/bad");
    for attempt in 1..=3 {
        let reply = rig.ask(station_key("s0"), "panic-3/bad", service("s0", Service::Closed)).await;
        assert!(matches!(reply, Ok(Reply::Refused(_))), "{attempt}: {reply:?}");
        let fine = rig.ask(station_key("s0"), &format!("panic-3/fine-{attempt}"), turn("s0", attempt)).await;
        assert!(matches!(fine, Ok(Reply::Mode { rev, .. }) if rev == attempt + 1), "its state is what the journal says: {fine:?}");
    }
    untrap("panic-3/bad");
    let reply = rig.ask(station_key("s0"), "panic-3/bad", service("s0", Service::Closed)).await;
    let given_up = |refusal: &Refusal| refusal.code == RefusalCode::WrongState;
    assert!(matches!(reply, Ok(Reply::Refused(ref refusal)) if given_up(refusal)), "never tried again: {reply:?}");
    let observed = rig.node.observe(10).await;
    assert_eq!(observed.dead_letters.iter().map(|letter| letter.command_id.as_str()).collect::<Vec<_>>(), ["panic-3/bad"]);
    assert_eq!((rig.figures().panics, rig.actor(&station_key("s0")).await.expect("awake").panics), (3, 3));
    rig.stop().await;
}

#[tokio::test]
async fn a_panic_under_load_loses_no_command_of_the_entity_and_disturbs_no_other() {
    let rig = Rig::new(Plan { journal: Arc::new(Memory::new(8)), ..Plan::default() }).await;
    let device = gate_of("s0", 1);
    rig.flushing(Box::pin(rig.commission(&device, "a1", "card-1"))).await;
    trap("load/c/10");
    let mut asks = Vec::new();
    for n in 0..20 {
        let door = rig.door();
        let (id, lane) = (format!("load/c/{n}").as_str().parse_id(), Lane::Rest);
        asks.push(tokio::spawn(async move { door.ask(station_key("s1"), id, turn("s1", if n > 10 { n + 1 } else { n }), lane).await }));
        tokio::task::yield_now().await;
        if n == 5 {
            // Some are durable, some in the journal's hands when it happens.
            until(|| rig.queued() > 5).await;
            rig.journal.flush(3);
        }
    }
    assert_eq!(rig.flushing(Box::pin(rig.tap(&rig.entry(&device, 1, "card-1")))).await, Code::Ok);
    let mut revs = Vec::new();
    for (n, ask) in asks.into_iter().enumerate() {
        match rig.flushing(ask).await.expect("asked") {
            Ok(Reply::Mode { rev, .. }) => revs.push(rev),
            other => assert_eq!((n, matches!(other, Ok(Reply::Refused(_)))), (10, true), "{other:?}"),
        }
    }
    let each_once: Vec<u64> = (1..20).collect();
    revs.sort_unstable();
    assert_eq!(revs, each_once, "decided once each, whatever was read again in between");
    untrap("load/c/10");
    rig.stop().await;
}

#[tokio::test]
async fn an_entity_that_cannot_be_replayed_is_in_quarantine_and_says_so() {
    let journal = Arc::new(Memory::automatic(8));
    let commit = tongdao_journal::testing::commit("account/broken", "c1").build();
    journal.submit(0, 1, commit).expect("room");
    let rig = Rig::new(Plan { journal, ..Plan::default() }).await;
    let device = gate_of("s0", 1);
    rig.commission(&device, "a1", "card-1").await;
    let claim = medium::Command::Claim { owner: id("broken") };
    assert_eq!(rig.ask(EntityKey::from(&id::<Token>("card-b")), "claim/b", claim).await, Ok(Reply::Done));
    assert_eq!(rig.tap(&rig.entry(&device, 1, "card-b")).await, Code::Busy, "read, in vain");
    assert_eq!(rig.tap(&rig.entry(&device, 2, "card-b")).await, Code::Busy, "and refused from then on");
    assert_eq!(rig.tap(&rig.entry(&device, 3, "card-1")).await, Code::Ok, "the others go on");
    let view = rig.actor(&account_key("broken")).await.expect("shown");
    assert!(matches!(view.phase, ActorPhase::Quarantined { ref reason } if reason.contains("version 1")), "{view:?}");
    assert_eq!(rig.node.query(&account_key("broken")).await, Err(Busy::Quarantined));
    rig.stop().await;
}

#[tokio::test]
async fn an_entity_that_panics_whenever_it_is_read_is_in_quarantine() {
    let rig = Rig::new(Plan::default()).await;
    trap("account/cursed");
    let door = rig.door();
    assert_eq!(door.query(&account_key("cursed")).await, Err(Busy::Quarantined));
    let view = rig.actor(&account_key("cursed")).await.expect("shown");
    assert_eq!((view.panics, matches!(view.phase, ActorPhase::Quarantined { .. })), (3, true));
    assert!(rig.ask(station_key("s0"), "c1", turn("s0", 0)).await.is_ok());
    untrap("account/cursed");
    rig.stop().await;
}

#[tokio::test]
async fn what_nobody_knows_is_read_again_and_asked_under_the_same_id() {
    for fault in [Fault::UnknownWritten, Fault::UnknownLost] {
        let rig = Rig::new(Plan::default()).await;
        let device = gate_of("s0", 1);
        rig.commission(&device, "a1", "card-1").await;
        rig.journal.inject(fault);
        let tap = rig.entry(&device, 1, "card-1");
        assert_eq!(rig.tap(&tap).await, Code::Ok, "{fault:?}");
        assert_eq!(rig.feed().iter().filter(|item| item.command_id == tap.id.tap_command()).count(), 1);
        rig.stop().await;
    }
}

#[tokio::test]
async fn a_journal_without_room_is_busy_and_nothing_else() {
    let rig = Rig::new(Plan::default()).await;
    let device = gate_of("s0", 1);
    rig.commission(&device, "a1", "card-1").await;
    rig.journal.inject(Fault::Unavailable);
    let tap = rig.entry(&device, 1, "card-1");
    assert_eq!(rig.tap(&tap).await, Code::Busy);
    assert_eq!(rig.tap(&tap).await, Code::Ok, "the same id again is decided then");
    rig.stop().await;
}
