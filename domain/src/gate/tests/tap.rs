//! A tap at its gate: each check, in its order.
use super::*;
use crate::device::{Event as DeviceEvent, SecretHash};
use crate::entity::EntityKey;
use crate::id::{AccountId, Token};
use crate::machine::{Decision, Machine, Recipient, Reply};
use crate::station::{self, Mode, Service, Station};
use crate::tap::{Direction, TapDecision};
use crate::testing::{by, id, tap};

type Gate1 = Actor<Gate>;

fn tap_at(gate: &Gate1, seq: u64, direction: Direction, at: Timestamp) -> Tap {
    tap(&id(&gate.me.id), 1, seq, direction, "t1", at)
}

fn entry(gate: &Gate1, seq: u64) -> Tap {
    tap_at(gate, seq, Direction::Entry, gate.now)
}

fn send(gate: &mut Gate1, tap: Tap) -> Decision<Event> {
    let received = gate.now;
    gate.decide(Command::Tap { tap, received })
}

fn refused(decision: Decision<Event>) -> Code {
    match decision {
        Decision::Commit { events, reply: Reply::Tap(answer) } => match events.as_slice() {
            [Event::TapRefused { code, .. }] if *code == answer.code => answer.code,
            other => panic!("not one refusal: {other:?}"),
        },
        other => panic!("not refused: {other:?}"),
    }
}

fn asked(decision: Decision<Event>) -> Code {
    match decision {
        Decision::Ask { otherwise: Reply::Tap(answer) } => answer.code,
        other => panic!("no question: {other:?}"),
    }
}

fn decide_by(decision: Decision<Event>) -> Timestamp {
    match decision {
        Decision::Forward { to: Recipient::OwnerOf(_), command } => match account::Command::try_from(command) {
            Ok(account::Command::Tap { decide_by, .. }) => decide_by,
            other => panic!("no tap: {other:?}"),
        },
        other => panic!("not forwarded: {other:?}"),
    }
}

fn at_station(gate: &mut Gate1, command: station::Command) {
    let mut actor = Actor::<Station>::new(STATION);
    actor.world = gate.world.clone();
    actor.state = actor.world.stations[&id::<StationId>(STATION)].state.clone();
    actor.now = gate.now;
    assert!(matches!(actor.decide(command), Decision::Commit { .. }), "the station changes");
    gate.world = actor.world;
}

fn set_service(gate: &mut Gate1, service: Service) {
    at_station(gate, station::Command::GateService { devices: vec![gate_of(STATION, 1)], service, by: by() });
}

#[test]
fn a_good_tap_goes_to_the_owner_of_its_medium_with_a_deadline_in_the_process_clock() {
    let mut gate = gate();
    let tap = entry(&gate, 1);
    let Decision::Forward { to, command } = send(&mut gate, tap.clone()) else { panic!("forwarded") };
    assert_eq!(to, Recipient::OwnerOf(id::<Token>("t1")));
    let decide_by = gate.now + Millis(250);
    assert_eq!(command, account::Command::Tap { tap, station: id(STATION), decide_by }.into());
}

#[test]
fn before_any_state_a_gate_is_not_in_service() {
    let mut gate = silent();
    let first = entry(&gate, 1);
    assert_eq!(refused(send(&mut gate, first)), Code::NotInService);
    gate.ask(Command::State(twin(gate.now)));
    let second = entry(&gate, 2);
    decide_by(send(&mut gate, second));
}

#[test]
fn what_a_gate_said_before_it_was_added_again_does_not_count() {
    let mut gate = gate();
    let device = EntityKey::device(&gate_of(STATION, 1));
    let added =
        |secret| DeviceEvent::Added { kind: crate::device::DeviceKind::Gate, site: id("cd"), secret: SecretHash([secret; 32]), by: by() };
    gate.now = gate.now + Millis(1);
    gate.world.advance(&device, &DeviceEvent::Revoked { by: by() }.into(), gate.now);
    gate.world.advance(&device, &added(2).into(), gate.now);
    let tap = entry(&gate, 1);
    assert_eq!(refused(send(&mut gate, tap)), Code::NotInService);
    gate.ask(Command::State(twin(MORNING)));
    let tap = entry(&gate, 2);
    decide_by(send(&mut gate, tap));
}

#[test]
fn a_clock_may_be_off_by_exactly_the_limit() {
    for (off_ms, good) in [(60_000, true), (60_001, false), (-60_000, true), (-60_001, false)] {
        let mut gate = silent();
        let wrong = gate.now - Millis(off_ms);
        gate.ask(Command::State(twin(wrong)));
        let tap = tap_at(&gate, 1, Direction::Entry, wrong);
        let decision = send(&mut gate, tap);
        if good {
            assert_eq!(decide_by(decision), gate.now + Millis(250), "the deadline is in the gate's own clock");
        } else {
            assert_eq!(refused(decision), Code::NotInService);
        }
    }
}

#[test]
fn a_gate_in_no_station_is_an_unknown_device() {
    let mut gate = gate();
    gate.world.gates.clear();
    let tap = entry(&gate, 1);
    assert_eq!(refused(send(&mut gate, tap)), Code::UnknownDevice);
}

#[test]
fn past_its_deadline_a_tap_is_only_asked_for() {
    let mut gate = gate();
    let tap = entry(&gate, 1);
    gate.now = gate.now + Millis(250);
    decide_by(send(&mut gate, tap.clone()));
    gate.now = gate.now + Millis(1);
    assert_eq!(asked(send(&mut gate, tap)), Code::Expired);
    assert_eq!(gate.events.len(), 2, "only its state and its boot stand in the history");
}

#[test]
fn time_spent_in_our_own_queue_counts() {
    let mut gate = gate();
    let (tap, received) = (entry(&gate, 1), gate.now);
    gate.now = gate.now + Millis(251);
    assert_eq!(asked(gate.decide(Command::Tap { tap, received })), Code::Expired);
}

#[test]
fn an_older_boot_or_a_sequence_with_its_record_is_only_asked_for() {
    let mut gate = gate();
    let mut newer = entry(&gate, 1);
    newer.id.epoch = 2;
    decide_by(send(&mut gate, newer));
    let older = entry(&gate, 2);
    assert_eq!(asked(send(&mut gate, older)), Code::KeyReused);

    let mut gate = super::gate();
    gate.ask(super::records::batch(1, &[1, 3]));
    for (seq, known) in [(1, true), (2, false), (3, true), (4, false)] {
        let tap = entry(&gate, seq);
        let decision = send(&mut gate, tap);
        assert_eq!(matches!(decision, Decision::Ask { .. }), known, "sequence {seq}");
    }
}

#[test]
fn a_new_boot_is_written_down_before_its_first_tap_goes_on_and_outlives_a_crash() {
    let mut gate = gate();
    for (epoch, seq) in [(2, 1), (2, 2), (3, 1)] {
        let mut tap = entry(&gate, seq);
        tap.id.epoch = epoch;
        decide_by(send(&mut gate, tap));
    }
    let boots: Vec<_> = gate.events.iter().filter(|event| matches!(event, Event::BootSeen { .. })).collect();
    assert_eq!(boots, [&Event::BootSeen { epoch: 2 }, &Event::BootSeen { epoch: 3 }], "once a boot, never a tap");
    gate.memory = GateMemory::default();
    let mut older = entry(&gate, 5);
    older.id.epoch = 2;
    assert_eq!(asked(send(&mut gate, older)), Code::KeyReused);
    assert_eq!(gate.state, gate.replayed());
}

#[test]
fn a_passage_and_records_tell_of_a_new_boot_too() {
    let mut gate = gate();
    let tap = TapId { device: id(&gate.me.id), epoch: 4, seq: 1 };
    let passage = Command::Passage { tap, reference: Some(Reference("a1/7".into())), outcome: Passage::Passed, at: gate.now };
    assert!(matches!(gate.decide(passage), Decision::Forward { .. }));
    assert_eq!(gate.state.epoch, 4);
    gate.ask(super::records::batch(5, &[1]));
    gate.memory = GateMemory::default();
    let older = entry(&gate, 5);
    assert_eq!(asked(send(&mut gate, older)), Code::KeyReused);
}

#[test]
fn after_a_crash_a_gates_clock_is_what_its_last_state_said() {
    let behind = |gate: &mut Gate1, seq, behind_s| {
        let tap = tap_at(gate, seq, Direction::Entry, gate.now - Millis::seconds(behind_s));
        send(gate, tap)
    };
    let mut gate = silent();
    gate.ask(Command::State(twin(gate.now - Millis::seconds(30))));
    gate.memory = GateMemory::default();
    assert_eq!(decide_by(behind(&mut gate, 1, 30)), gate.now + Millis(250));
    gate.memory = GateMemory::default();
    assert_eq!(asked(behind(&mut gate, 2, 50)), Code::Expired, "it is late: one message alone says nothing of the clock");
    gate.ask(Command::State(Twin { online: false, ..twin(gate.now) }));
    gate.memory = GateMemory::default();
    assert_eq!(decide_by(behind(&mut gate, 3, 30)), gate.now + Millis(250), "a will says nothing of it");
}

#[test]
fn a_clock_that_was_set_back_costs_a_second_of_taps() {
    let mut gate = gate();
    let first = entry(&gate, 1);
    decide_by(send(&mut gate, first));
    for (seq, after_ms, open) in [(2, 1_000, false), (3, 1_500, false), (4, 2_100, true), (5, 2_200, true)] {
        gate.now = MORNING + Millis(after_ms);
        let tap = tap_at(&gate, seq, Direction::Entry, gate.now - Millis::seconds(20));
        let decision = send(&mut gate, tap);
        assert_eq!(matches!(decision, Decision::Forward { .. }), open, "tap {seq}: {decision:?}");
    }
}

#[test]
fn each_service_takes_what_it_is_for() {
    use Direction::{Entry, Exit};
    let table = [
        (Service::Entry, Entry, None),
        (Service::Entry, Exit, Some(Code::WrongDirection)),
        (Service::Exit, Entry, Some(Code::WrongDirection)),
        (Service::Exit, Exit, None),
        (Service::Both, Exit, None),
        (Service::Open, Entry, None),
        (Service::Open, Exit, None),
        (Service::Closed, Entry, Some(Code::NotInService)),
        (Service::Paused, Exit, Some(Code::NotInService)),
        (Service::Maintenance, Entry, Some(Code::NotInService)),
    ];
    for (service, direction, wanted) in table {
        let mut gate = gate();
        set_service(&mut gate, service);
        let tap = tap_at(&gate, 1, direction, gate.now);
        match (send(&mut gate, tap), wanted) {
            (Decision::Forward { .. }, None) => {}
            (decision, Some(code)) => assert_eq!(refused(decision), code, "{service:?} {direction:?}"),
            (other, None) => panic!("{service:?} {direction:?}: {other:?}"),
        }
    }
}

#[test]
fn a_closed_station_lets_people_out() {
    let mut gate = gate();
    let before = gate.now;
    gate.now = gate.now + Millis(100);
    at_station(&mut gate, station::Command::SetModes { modes: [Mode::Closed].into(), until: None, by: by() });
    let tap = entry(&gate, 1);
    let Decision::Commit { events, .. } = send(&mut gate, tap) else { panic!("refused") };
    assert!(matches!(&events[..], [Event::TapRefused { code: Code::StationClosed, rev: 1, .. }]), "{events:?}");
    let exit = tap_at(&gate, 2, Direction::Exit, gate.now);
    decide_by(send(&mut gate, exit));
    let earlier = tap_at(&gate, 3, Direction::Entry, before);
    decide_by(send(&mut gate, earlier));
}

#[test]
fn in_an_emergency_every_tap_goes_to_its_account() {
    let mut gate = gate();
    gate.world.settings.riders_max = 1;
    set_service(&mut gate, Service::Paused);
    at_station(&mut gate, station::Command::SetModes { modes: [Mode::Closed].into(), until: None, by: by() });
    at_station(&mut gate, station::Command::Emergency { by: by() });
    for seq in 1..4 {
        let tap = entry(&gate, seq);
        decide_by(send(&mut gate, tap.clone()));
        gate.answered(&Reply::Tap(TapDecision::bare(&tap, Code::WaivedByMode, gate.now)));
    }
}

/// Another rider's tap, authorised at once.
fn authorise(gate: &mut Gate1, seq: u64, token: &str) -> Tap {
    let tap = tap(&id(&gate.me.id), 1, seq, Direction::Entry, token, gate.now);
    decide_by(send(gate, tap.clone()));
    gate.answered(&Reply::Tap(TapDecision::bare(&tap, Code::Ok, gate.now)));
    tap
}

fn full(gate: &mut Gate1, seq: u64) -> bool {
    let tap = tap(&id(&gate.me.id), 1, seq, Direction::Entry, "next", gate.now);
    match send(gate, tap) {
        Decision::Forward { .. } => false,
        decision => refused(decision) == Code::AisleFull,
    }
}

#[test]
fn the_aisle_holds_three_riders_until_they_pass_or_are_forgotten() {
    let mut gate = gate();
    let first = authorise(&mut gate, 1, "t1");
    authorise(&mut gate, 2, "t2");
    assert!(!full(&mut gate, 3));
    authorise(&mut gate, 4, "t3");
    authorise(&mut gate, 5, "t3");
    assert!(full(&mut gate, 6), "who taps twice is one rider");
    let passed = Command::Passage { tap: first.id, reference: None, outcome: Passage::Passed, at: gate.now };
    gate.ask(passed);
    assert!(!full(&mut gate, 7));
    authorise(&mut gate, 8, "t4");
    gate.now = gate.now + Millis(7_999);
    assert!(full(&mut gate, 9));
    gate.now = gate.now + Millis(1);
    assert!(!full(&mut gate, 10), "no passage within 8 s");
}

#[test]
fn a_rider_in_a_full_aisle_may_tap_again_and_nought_turns_the_check_off() {
    let mut gate = gate();
    for (seq, token) in [(1, "t1"), (2, "t2"), (3, "t3")] {
        authorise(&mut gate, seq, token);
    }
    let again = entry(&gate, 4);
    decide_by(send(&mut gate, again));
    assert!(full(&mut gate, 5));
    gate.world.settings.riders_max = 0;
    assert!(!full(&mut gate, 6));
}

#[test]
fn a_medium_that_nobody_owns_is_refused_by_the_gate_with_the_same_meaning() {
    let mut gate = gate();
    let tap = entry(&gate, 1);
    let unresolved = Command::Unresolved { tap: tap.clone() };
    let received = gate.now;
    assert_eq!(Gate::fingerprint(&unresolved), Gate::fingerprint(&Command::Tap { tap, received }));
    assert_eq!(refused(gate.decide(unresolved)), Code::UnknownMedium);
}

fn passage(gate: &Gate1, reference: Option<&str>, outcome: Passage) -> Command {
    let reference = reference.map(|text| Reference(text.into()));
    Command::Passage { tap: entry(gate, 1).id, reference, outcome, at: gate.now }
}

#[test]
fn a_passage_goes_to_the_account_that_its_reference_names() {
    let mut gate = gate();
    let Decision::Forward { to, .. } = gate.decide(passage(&gate, Some("a1/7"), Passage::NotPassed)) else { panic!("forwarded") };
    assert_eq!(to, Recipient::Entity(EntityKey::from(&id::<AccountId>("a1"))));
    for bad in ["", "a1", "a1/", "a1/x", "/7", "a b/7"] {
        let decision = gate.decide(passage(&gate, Some(bad), Passage::Passed));
        assert!(matches!(decision, Decision::Ask { otherwise: Reply::Refused(_) }), "{bad:?}: {decision:?}");
    }
}

#[test]
fn an_intrusion_touches_no_account() {
    let mut gate = gate();
    for (reference, outcome) in [(None, Passage::Intrusion), (Some("a1/7"), Passage::Intrusion), (None, Passage::Passed)] {
        let decision = gate.decide(passage(&gate, reference, outcome));
        assert!(matches!(decision, Decision::Commit { .. }), "{decision:?}");
    }
    assert_eq!(gate.state, gate.replayed());
}
