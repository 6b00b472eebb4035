//! More than can be served: bounded queues, typed refusals, urgent first, and a shutdown that loses nothing.
use super::*;
use tongdao_domain::station::Service;

fn stalled(limits: Limits) -> Plan {
    Plan { journal: Arc::new(Memory::new(8)), limits, ..Plan::default() }
}
/// Submits taps of one card from the cell's own thread and tells what became of each at the door.
async fn submit(
    rig: &Rig,
    device: &DeviceId,
    seqs: std::ops::Range<u64>,
) -> (Vec<Result<(), Busy>>, mpsc::UnboundedReceiver<(u64, Reply)>) {
    let taps: Vec<_> = seqs.map(|seq| rig.entry(device, seq, "card-1")).collect();
    let clock = rig.clock.clone();
    let (answered, answers) = mpsc::unbounded_channel();
    let taken = rig
        .on(0, move |cell| {
            let slot = cell.register_slot(Rc::new(move |cookie, reply| drop(answered.send((cookie, reply)))));
            let taken = taps.iter().map(|tap| cell.submit(request(tap, &clock), slot.reply(tap.id.seq))).collect();
            std::mem::forget(slot);
            taken
        })
        .await;
    (taken, answers)
}

#[tokio::test]
async fn at_the_bound_the_door_is_not_read_and_then_it_is_full() {
    let rig = Rig::new(stalled(Limits { unanswered_max: 2, taps_queue_max: 3, ..Limits::default() })).await;
    let device = gate_of("s0", 1);
    rig.flushing(Box::pin(rig.commission(&device, "a1", "card-1"))).await;
    let (taken, mut answers) = submit(&rig, &device, 1..8).await;
    assert_eq!(taken[..5], [Ok(()); 5], "two delivered, three at the door");
    assert_eq!(taken[5..], [Err(Busy::Full); 2]);
    assert_eq!(rig.figures().busy, 2);
    until(|| rig.queued() == 2).await;
    assert_eq!(rig.figures().unanswered, 2);
    for seq in 1..6 {
        let (cookie, reply) = rig.flushing(Box::pin(answers.recv())).await.expect("an answer");
        assert_eq!((cookie, code(Ok(reply))), (seq, Code::Ok), "in order, and none is forgotten");
    }
    rig.stop().await;
}

#[tokio::test]
async fn what_is_urgent_overtakes_taps_that_wait_for_room() {
    let rig = Rig::new(stalled(Limits { unanswered_max: 1, ..Limits::default() })).await;
    let device = gate_of("s0", 1);
    rig.flushing(Box::pin(rig.commission(&device, "a1", "card-1"))).await;
    let (taken, _answers) = submit(&rig, &device, 1..4).await;
    assert_eq!(taken, [Ok(()); 3]);
    let door = rig.door();
    let emergency =
        tokio::spawn(
            async move { door.ask(station_key("s0"), "e1".parse_id(), station::Command::Emergency { by: by() }, Lane::Urgent).await },
        );
    until(|| rig.queued() == 2).await;
    rig.journal.flush(2);
    assert!(matches!(emergency.await.expect("asked"), Ok(Reply::Mode { .. })));
    rig.flushing(Box::pin(rig.door().query(&station_key("s0")))).await.expect("a state");
}

#[tokio::test]
async fn a_tap_is_refused_when_the_head_of_the_queue_has_waited_a_quarter_of_its_deadline() {
    let rig = Rig::new(stalled(Limits { unanswered_max: 1, ..Limits::default() })).await;
    let device = gate_of("s0", 1);
    rig.flushing(Box::pin(rig.commission(&device, "a1", "card-1"))).await;
    let (taken, mut answers) = submit(&rig, &device, 1..3).await;
    assert_eq!(taken, [Ok(()); 2], "one delivered, one at the door");
    until(|| rig.queued() == 1).await;
    rig.clock.advance(Millis(63));
    assert_eq!(submit(&rig, &device, 3..4).await.0, [Err(Busy::TooOld)]);
    let decided = |answer: Option<(u64, Reply)>| answer.map(|(cookie, reply)| (cookie, code(Ok(reply))));
    assert_eq!(decided(rig.flushing(Box::pin(answers.recv())).await), Some((1, Code::Ok)));
    assert_eq!(decided(rig.flushing(Box::pin(answers.recv())).await), Some((2, Code::Busy)), "it waited too long at the door");
    let (taken, mut answers) = submit(&rig, &device, 4..5).await;
    assert_eq!(taken, [Ok(())], "and then there is room again");
    assert_eq!(decided(rig.flushing(Box::pin(answers.recv())).await), Some((4, Code::Ok)));
    rig.stop().await;
}

#[tokio::test]
async fn a_full_journal_stops_the_reading_and_nothing_overtakes() {
    let journal = Arc::new(Memory::with_queue(8, 3));
    let rig = Rig::new(Plan { journal, ..Plan::default() }).await;
    let (answered, mut answers) = mpsc::unbounded_channel();
    rig.on(0, move |cell| {
        let slot = cell.register_slot(Rc::new(move |cookie, reply| drop(answered.send((cookie, reply)))));
        for n in 0..50 {
            let station = if n % 2 == 0 { "s0" } else { "s1" };
            let id = format!("full/{n}").as_str().parse_id();
            cell.submit(Request::new(station_key(station), id, turn(station, n / 2), cell.now()), slot.reply(n)).expect("room");
        }
        std::mem::forget(slot);
    })
    .await;
    let mut next = [0, 1];
    for _ in 0..50 {
        let (cookie, reply) = rig.flushing(Box::pin(answers.recv())).await.expect("an answer");
        let station = usize::from(cookie % 2 == 1);
        assert_eq!(cookie, next[station], "in order, station by station");
        assert!(matches!(reply, Reply::Mode { rev, .. } if rev == cookie / 2 + 1), "{cookie}: {reply:?}");
        next[station] += 2;
    }
    rig.stop().await;
}

#[tokio::test]
async fn a_shutdown_answers_everything_and_writes_every_state() {
    let rig = Rig::new(Plan { journal: Arc::new(Memory::new(8)), cells: 2, ..Plan::default() }).await;
    let asks: Vec<_> = (0..40)
        .map(|n| {
            let (door, station) = (rig.door(), format!("s{}", n % 5));
            let id = format!("stop/{n}").as_str().parse_id();
            tokio::spawn(async move { door.ask(station_key(&station), id, turn(&station, n / 5), Lane::Urgent).await })
        })
        .collect();
    until(|| rig.queued() == 40).await;
    let (door, journal) = (rig.door(), rig.journal.clone());
    let mut stopping = Box::pin(rig.node.shutdown(Duration::from_secs(20)));
    loop {
        tokio::select! {
            biased;
            stopped = &mut stopping => break assert_eq!(stopped, crate::node::Stopped::Clean),
            () = tokio::task::yield_now() => drop(journal.flush(7)),
        }
    }
    for ask in asks {
        assert!(matches!(ask.await.expect("asked"), Ok(Reply::Mode { .. })));
    }
    assert_eq!(door.ask(station_key("s0"), "late".parse_id(), service("s0", Service::Exit), Lane::Urgent).await, Err(Busy::Draining));
    for station in 0..5 {
        let loaded = journal.load(&station_key(&format!("s{station}"))).expect("readable");
        assert_eq!((loaded.etag.map(|etag| etag.version), loaded.state.map(|(version, _)| version)), (Some(8), Some(8)));
    }
}

#[tokio::test]
async fn a_shutdown_that_takes_too_long_says_how_many_had_no_answer() {
    let rig = Rig::new(stalled(Limits::default())).await;
    let door = rig.door();
    let ask = tokio::spawn(async move { door.ask(station_key("s0"), "c".parse_id(), service("s0", Service::Exit), Lane::Urgent).await });
    until(|| rig.queued() == 1 && rig.figures().unanswered == 1).await;
    assert_eq!(rig.node.shutdown(Duration::ZERO).await, crate::node::Stopped::Cut { unanswered: 1 });
    assert!(ask.await.expect("asked").is_err() || rig.journal.status().events == 1);
}
