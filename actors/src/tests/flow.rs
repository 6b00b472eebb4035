//! Commands on their way: through gate and account and back, in order, across cells, and what is told only once it is so.
use super::*;
use tongdao_domain::machine::Event;
use tongdao_domain::station::Service;
use tongdao_domain::tap::{DecidedBy, Record, Shown};

#[tokio::test]
async fn a_tap_goes_through_gate_and_account_and_is_durable_when_it_is_answered() {
    let rig = Rig::new(Plan::default()).await;
    let device = gate_of("s0", 1);
    rig.commission(&device, "a1", "card-1").await;
    assert_eq!(rig.tap(&rig.entry(&device, 1, "card-1")).await, Code::Ok);
    let decided = rig.feed().into_iter().find(|item| item.command_id.as_str() == format!("tap/{device}/1/1")).expect("durable");
    assert_eq!(decided.entity, account_key("a1"));
    rig.stop().await;
}

#[tokio::test]
async fn nothing_is_told_before_the_journal_has_it() {
    let rig = Rig::new(Plan { journal: Arc::new(Memory::new(8)), ..Plan::default() }).await;
    let asked = tokio::spawn({
        let door = rig.door();
        async move { door.ask(station_key("s0"), "c1".parse_id(), service("s0", Service::Closed), Lane::Urgent).await }
    });
    until(|| rig.queued() == 1).await;
    assert!(!asked.is_finished());
    assert_eq!(rig.on(0, |cell| cell.world().stations["s0"].state.rev).await, 0);
    let reply = rig.flushing(asked).await.expect("asked");
    assert!(matches!(reply, Ok(Reply::Mode { rev: 1, .. })), "{reply:?}");
    assert_eq!(rig.on(0, |cell| cell.world().stations["s0"].state.rev).await, 1, "and whoever has the answer finds the world so");
    rig.stop().await;
}

#[tokio::test]
async fn commands_of_one_entity_keep_their_order() {
    let rig = Rig::new(Plan { journal: Arc::new(Memory::new(8)), ..Plan::default() }).await;
    let (answered, mut answers) = mpsc::unbounded_channel();
    rig.on(0, move |cell| {
        let sink = Rc::new(move |cookie, reply| drop(answered.send((cookie, reply))));
        let slot = cell.register_slot(sink);
        for n in 0..100 {
            let service = if n % 2 == 0 { Service::Closed } else { Service::Both };
            let request = Request::new(station_key("s1"), format!("c/{n}").as_str().parse_id(), super::service("s1", service), cell.now());
            cell.submit(request, slot.reply(n)).expect("room");
        }
        std::mem::forget(slot);
    })
    .await;
    for n in 0..100 {
        let (cookie, reply) = rig.flushing(Box::pin(answers.recv())).await.expect("an answer");
        assert_eq!(cookie, n);
        assert!(matches!(reply, Reply::Mode { rev, .. } if rev == n + 1), "{n}: {reply:?}");
    }
    rig.flushing(Box::pin(rig.door().query(&station_key("s1")))).await.expect("a state");
}

#[tokio::test]
async fn a_medium_that_nobody_has_is_refused_by_the_gate_and_found_once_it_is_claimed() {
    let rig = Rig::new(Plan::default()).await;
    let device = gate_of("s0", 1);
    rig.commission(&device, "a1", "card-1").await;
    let tap = rig.entry(&device, 1, "card-2");
    assert_eq!(rig.tap(&tap).await, Code::UnknownMedium);
    let refused = rig.feed().into_iter().find(|item| item.command_id == tap.id.tap_command()).expect("durable");
    assert_eq!(refused.entity, EntityKey::gate(&device));
    let claim = medium::Command::Claim { owner: id("a1") };
    assert_eq!(rig.ask(EntityKey::from(&id::<Token>("card-2")), "claim/2", claim).await, Ok(Reply::Done));
    rig.link("a1", "card-2").await;
    assert_eq!(rig.tap(&rig.entry(&device, 2, "card-2")).await, Code::Ok, "the feed corrects what the cell remembered");
    assert_eq!(rig.tap(&tap).await, Code::UnknownMedium, "the first answer stays");
    rig.stop().await;
}

#[tokio::test]
async fn an_account_without_the_medium_ends_the_search_at_the_second_look() {
    let rig = Rig::new(Plan { cells: 2, ..Plan::default() }).await;
    let device = gate_of("s0", 1);
    rig.commission(&device, "a1", "card-1").await;
    let claim = medium::Command::Claim { owner: id("a1") };
    assert_eq!(rig.ask(EntityKey::from(&id::<Token>("stray")), "claim/stray", claim).await, Ok(Reply::Done));
    assert_eq!(rig.tap(&rig.entry(&device, 1, "stray")).await, Code::UnknownMedium, "claimed, never linked");
    rig.link("a1", "stray").await;
    assert_eq!(rig.tap(&rig.entry(&device, 2, "stray")).await, Code::Ok);
    rig.stop().await;
}

#[tokio::test]
async fn an_answer_finds_its_way_to_another_cell() {
    let rig = Rig::new(Plan { cells: 2, ..Plan::default() }).await;
    for home in [0, 1] {
        for account_cell in [0, 1] {
            let account = in_cell(account_cell, 2, "a", account_key);
            let gates = |n: &str| EntityKey::gate(&id(n));
            let device = gate_of(if crate::reader::cell_of(&gates("s0-g1"), 8, 2) == home { "s0" } else { "s1" }, 1);
            let token = format!("card-{home}-{account_cell}");
            rig.commission(&device, &account, &token).await;
            let tap = rig.entry(&device, 10 + home as u64 * 2 + account_cell as u64, &token);
            let (clock, link_cell) = (rig.clock.clone(), 1 - home);
            let (answered, mut answer) = mpsc::unbounded_channel();
            let kept = rig
                .on(link_cell, move |cell| {
                    let slot = cell.register_slot(Rc::new(move |cookie, reply| drop(answered.send((cookie, reply)))));
                    let taken = cell.submit(request(&tap, &clock), slot.reply(7));
                    std::mem::forget(slot);
                    taken
                })
                .await;
            assert_eq!(kept, Ok(()));
            let (cookie, reply) = answer.recv().await.expect("an answer");
            assert_eq!((cookie, code(Ok(reply))), (7, Code::Ok));
        }
    }
    rig.stop().await;
}

#[tokio::test]
async fn the_same_id_again_waits_behind_the_first_and_has_its_answer() {
    let rig = Rig::new(Plan { journal: Arc::new(Memory::new(8)), ..Plan::default() }).await;
    let device = gate_of("s0", 1);
    rig.flushing(Box::pin(rig.commission(&device, "a1", "card-1"))).await;
    let tap = rig.entry(&device, 1, "card-1");
    let mut other = tap.clone();
    other.direction = Direction::Exit;
    let asks: Vec<_> = [tap.clone(), tap.clone(), other]
        .into_iter()
        .map(|tap| {
            let (door, request) = (rig.door(), request(&tap, &rig.clock));
            tokio::spawn(async move { door.send(request).await })
        })
        .collect();
    until(|| rig.queued() == 3).await;
    let mut codes = Vec::new();
    for ask in asks {
        codes.push(code(rig.flushing(ask).await.expect("asked")));
    }
    assert_eq!(codes, [Code::Ok, Code::Ok, Code::KeyReused]);
    assert_eq!(rig.feed().iter().filter(|item| item.command_id == tap.id.tap_command()).count(), 1);
    rig.stop().await;
}

#[tokio::test]
async fn a_slot_that_was_given_up_has_no_answers_any_more_and_they_are_counted() {
    let rig = Rig::new(Plan { journal: Arc::new(Memory::new(8)), ..Plan::default() }).await;
    rig.on(0, |cell| {
        let (slot, _) = slot(cell);
        let request = Request::new(station_key("s0"), "c1".parse_id(), service("s0", Service::Closed), cell.now());
        cell.submit(request, slot.reply(1)).expect("room");
        drop(slot);
        let later = cell.register_slot(Rc::new(|_, _| panic!("an answer for somebody else")));
        std::mem::forget(later);
    })
    .await;
    rig.flushing(Box::pin(until(|| rig.figures().replies_dropped == 1))).await;
    rig.stop().await;
}

#[tokio::test]
async fn followers_hear_of_stations_devices_and_gates_in_every_cell() {
    let rig = Rig::new(Plan { cells: 2, ..Plan::default() }).await;
    let mut heard = Vec::new();
    for cell in [0, 1] {
        let (told, news) = mpsc::unbounded_channel();
        rig.on(cell, move |cell| {
            cell.follow(Rc::new(move |item, event: &Event| drop(told.send((item.entity.to_string(), event.clone())))));
        })
        .await;
        heard.push(news);
    }
    rig.commission(&gate_of("s2", 1), "a1", "card-1").await;
    rig.ask(station_key("s2"), "c1", service("s2", Service::Exit)).await.expect("an answer");
    for mut news in heard {
        assert_eq!(news.recv().await.expect("news").0, "gate/s2-g1");
        assert_eq!(news.recv().await.expect("news").0, "gate/s2-g1");
        let (entity, event) = news.recv().await.expect("news");
        assert_eq!(entity, "station/s2");
        assert!(matches!(event, Event::Station(_)), "{event:?}");
    }
    rig.stop().await;
}

#[tokio::test]
async fn records_are_owed_to_their_accounts_and_struck_off() {
    let rig = Rig::new(Plan { cells: 2, ..Plan::default() }).await;
    let device = gate_of("s0", 1);
    rig.commission(&device, "a1", "card-1").await;
    let record = |seq, token: &str| {
        let tap = rig.entry(&device, seq, token);
        let (by, shown) = (DecidedBy::Gate, Shown::Open);
        Record { tap: tap.id, direction: tap.direction, medium: Some(tap.medium), at: tap.at, mode: 0, by, shown, passage: None }
    };
    let records = gate::Command::Records { epoch: 1, first_seq: 1, records: vec![record(1, "card-1"), record(2, "nobody")] };
    let reply = rig.ask(EntityKey::gate(&device), "records/1", records).await;
    assert!(matches!(reply, Ok(Reply::Records(ref ack)) if ack.upto == 2), "{reply:?}");
    // Both records, and the case of the one whose medium nobody has.
    until(|| rig.feed().iter().filter(|item| item.command_id.as_str().starts_with("struck/")).count() == 3).await;
    let crate::state::EntityState::Gate(gate) = rig.node.query(&EntityKey::gate(&device)).await.expect("a state") else {
        panic!("no gate")
    };
    use tongdao_domain::machine::Machine as _;
    assert_eq!(gate.owed(&EntityKey::gate(&device)), []);
    rig.stop().await;
}

#[tokio::test]
async fn an_order_is_told_to_whoever_holds_the_link_and_at_subscribe() {
    let rig = Rig::new(Plan { cells: 2, ..Plan::default() }).await;
    let device = gate_of("s0", 1);
    let mut heard = Vec::new();
    for cell in [0, 1] {
        let (told, news) = mpsc::unbounded_channel();
        rig.on(cell, move |cell| {
            cell.follow_owed(Rc::new(move |device, owed: &tongdao_domain::machine::Owed| {
                drop(told.send((device.clone(), owed.id.clone())))
            }));
        })
        .await;
        heard.push(news);
    }
    let order = gate::DeviceOrder {
        id: "order/1".parse_id(),
        command: "restart".into(),
        args: "{}".into(),
        expires_at: rig.clock.now() + Millis::minutes(10),
        by: by(),
    };
    let reply = rig.ask(EntityKey::gate(&device), "order/1", gate::Command::Order(order)).await;
    assert_eq!(reply, Ok(Reply::Done));
    for mut news in heard {
        assert_eq!(news.recv().await, Some((device.clone(), "order/1".parse_id())));
    }
    let owed = rig.door().device_owed(&device).await.expect("a gate");
    assert_eq!(owed.iter().map(|owed| owed.id.as_str()).collect::<Vec<_>>(), ["order/1"]);
    rig.stop().await;
}
