//! The station through its public contract.
use super::*;
use crate::id::StationId;
use crate::machine::{Decision, Machine, RefusalCode, Reply};
use crate::testing::{Actor, MORNING, by, gate_of, id};
use crate::time::Millis;
use proptest::prelude::*;

const NAME: &str = "s1";

fn station() -> Actor<Station> {
    Actor::new(NAME)
}

fn modes(modes: &[Mode]) -> BTreeSet<Mode> {
    modes.iter().copied().collect()
}

fn set(list: &[Mode], until: Option<Timestamp>) -> Command {
    Command::SetModes { modes: modes(list), until, by: by() }
}

fn emergency() -> Command {
    Command::Emergency { by: by() }
}

fn release() -> Command {
    Command::Release { by: by(), approved_by: None }
}

fn alarm(name: &str, kind: AlarmKind, on: bool, at: Timestamp) -> Command {
    Command::Alarm { device: gate_of(NAME, 1), alarm: name.into(), kind, on, at }
}

fn service(gates: &[DeviceId], service: Service) -> Command {
    Command::GateService { devices: gates.to_vec(), service, by: by() }
}

fn later(station: &mut Actor<Station>, ms: i64) -> Timestamp {
    station.now = station.now + Millis(ms);
    station.now
}

fn refused(reply: Reply) -> RefusalCode {
    match reply {
        Reply::Refused(refusal) => refusal.code,
        other => panic!("not refused: {other:?}"),
    }
}

fn rev(reply: Reply) -> u64 {
    match reply {
        Reply::Mode { rev, .. } => rev,
        other => panic!("no revision: {other:?}"),
    }
}

#[test]
fn each_change_has_the_next_revision_and_stands_in_the_history() {
    let mut station = station();
    assert_eq!(rev(station.ask(set(&[Mode::Closed], None))), 1);
    let second = later(&mut station, 1_000);
    assert_eq!(rev(station.ask(set(&[Mode::Closed, Mode::FareWaived], None))), 2);
    assert_eq!(rev(station.ask(set(&[Mode::FareWaived, Mode::Closed], None))), 2, "the same again changes nothing");
    assert_eq!(rev(station.ask(service(&[gate_of(NAME, 2)], Service::Exit))), 3);
    let state = &station.state;
    assert_eq!(state.modes_at(MORNING - Millis(1)), &NO_MODES);
    assert_eq!(state.modes_at(MORNING), &modes(&[Mode::Closed]));
    assert_eq!(state.modes_at(second - Millis(1)), &modes(&[Mode::Closed]));
    assert_eq!(state.modes_at(second), &modes(&[Mode::Closed, Mode::FareWaived]));
    assert_eq!(station.events.len(), 3);
    assert_eq!(station.state, station.replayed());
}

#[test]
fn modes_end_at_their_moment_told_or_not() {
    let mut station = station();
    let until = MORNING + Millis(1_000);
    assert_eq!(refused(station.ask(set(&[Mode::Closed], Some(MORNING)))), RefusalCode::BadArgs);
    assert_eq!(refused(station.ask(set(&[], Some(until)))), RefusalCode::BadArgs);
    station.ask(set(&[Mode::Closed], Some(until)));
    assert_eq!(station.state.deadline(), Some(until));
    assert_eq!(station.state.modes_at(until - Millis(1)), &modes(&[Mode::Closed]));
    assert_eq!(station.state.modes_at(until), &NO_MODES);
    station.ask(Command::Tick);
    assert_eq!(station.state.rev, 1, "not yet");
    later(&mut station, 5_000);
    station.ask(Command::Tick);
    assert_eq!((station.state.rev, station.state.deadline(), &station.state.modes), (2, None, &NO_MODES));
    assert_eq!(station.state.modes_at(until), &NO_MODES);
    assert_eq!(station.state.modes_at(until - Millis(1)), &modes(&[Mode::Closed]));
}

#[test]
fn modes_end_at_their_moment_though_the_next_change_comes_before_the_tick() {
    let until = MORNING + Millis(1_000);
    for next in [set(&[Mode::FareWaived], None), set(&[], None), emergency(), alarm("b1", AlarmKind::Fire, true, MORNING + Millis(9_000))] {
        let mut station = station();
        station.ask(set(&[Mode::Closed], Some(until)));
        let restarted = later(&mut station, 9_000);
        station.ask(next.clone());
        for (at, closed) in [(until - Millis(1), true), (until, false), (restarted - Millis(1), false)] {
            assert_eq!(station.state.modes_at(at).contains(&Mode::Closed), closed, "{next:?} at {at:?}");
        }
        assert!(!station.state.modes_at(restarted).contains(&Mode::Closed), "{next:?}");
    }
}

#[test]
fn an_emergency_wins_and_only_its_release_ends_it() {
    let mut station = station();
    let until = MORNING + Millis(1_000);
    station.ask(set(&[Mode::Closed], Some(until)));
    assert_eq!(refused(station.ask(set(&[Mode::Emergency], None))), RefusalCode::BadArgs);
    assert_eq!(rev(station.ask(emergency())), 2);
    assert_eq!(rev(station.ask(emergency())), 2, "the same again changes nothing");
    assert_eq!(refused(station.ask(set(&[Mode::FareWaived], None))), RefusalCode::WrongState);
    station.now = until;
    station.ask(Command::Tick);
    assert_eq!(station.state.modes, modes(&[Mode::Emergency]), "what stood beside it has ended");
    assert_eq!(rev(station.ask(release())), 4);
    assert_eq!(station.state.modes, NO_MODES);
    assert_eq!(refused(station.ask(release())), RefusalCode::WrongState);
}

#[test]
fn a_release_brings_back_what_was_set_before() {
    let mut station = station();
    station.ask(set(&[Mode::Closed], None));
    station.ask(emergency());
    station.ask(release());
    assert_eq!(station.state.modes, modes(&[Mode::Closed]));

    let mut late = self::station();
    late.ask(set(&[Mode::Closed], Some(MORNING + Millis(10))));
    late.ask(emergency());
    later(&mut late, 10);
    late.ask(release());
    assert_eq!((late.state.modes.len(), late.state.until), (0, None), "its end was reached meanwhile");
}

#[test]
fn the_gates_button_acts_before_we_hear_of_it() {
    let mut station = station();
    let pressed = MORNING + Millis(400);
    later(&mut station, 500);
    station.ask(set(&[Mode::FareWaived], None));
    later(&mut station, 500);
    assert_eq!(station.ask(alarm("b1", AlarmKind::EmergencyButton, true, pressed)), Reply::Done);
    assert_eq!(station.state.modes, modes(&[Mode::FareWaived, Mode::Emergency]));
    assert!(station.state.modes_at(pressed).contains(&Mode::Emergency));
    assert!(!station.state.modes_at(pressed - Millis(1)).contains(&Mode::Emergency));
    assert!(station.state.history.is_sorted_by(|a, b| a.from < b.from));
    let events = station.events.len();
    assert_eq!(station.ask(alarm("b1", AlarmKind::EmergencyButton, true, pressed)), Reply::Done);
    assert_eq!(station.events.len(), events, "the same alarm again");

    assert_eq!(refused(station.ask(release())), RefusalCode::WrongState);
    station.ask(alarm("b1", AlarmKind::EmergencyButton, false, station.now));
    assert!(station.state.in_emergency(), "it still needs the release");
    station.ask(alarm("b1", AlarmKind::EmergencyButton, false, station.now));
    station.ask(release());
    assert!(!station.state.in_emergency());
    assert_eq!(station.state, station.replayed());
}

#[test]
fn an_earlier_alarm_draws_the_emergency_back() {
    let mut station = station();
    later(&mut station, 1_000);
    station.ask(alarm("f1", AlarmKind::Fire, true, station.now));
    let revision = station.state.rev;
    station.ask(alarm("f2", AlarmKind::Fire, true, MORNING));
    assert!(station.state.emergency_between(MORNING, MORNING));
    station.ask(alarm("f3", AlarmKind::Fire, true, station.now));
    assert_eq!(station.state.rev, revision + 1, "the third changes nothing for the gates");
}

#[test]
fn a_wrong_clock_does_not_rewrite_the_past_or_the_future() {
    for (at, from) in [(Timestamp(0), MORNING - Millis::hours(24)), (MORNING + Millis::hours(9), MORNING)] {
        let mut station = station();
        station.ask(alarm("b1", AlarmKind::Fire, true, at));
        assert_eq!(station.state.history.last().map(|span| span.from), Some(from));
    }
}

#[test]
fn only_button_and_fire_open_the_gates_and_the_others_are_bounded() {
    let mut station = station();
    station.world.settings.alarms_max = 2;
    for (name, kind) in [("d", AlarmKind::Door), ("i", AlarmKind::Intrusion)] {
        assert_eq!(station.ask(alarm(name, kind, true, MORNING)), Reply::Done);
    }
    assert!(!station.state.in_emergency());
    assert_eq!(refused(station.ask(alarm("t", AlarmKind::Tamper, true, MORNING))), RefusalCode::WrongState);
    assert_eq!(station.ask(alarm("f", AlarmKind::Fire, true, MORNING)), Reply::Done);
    station.ask(alarm("f", AlarmKind::Fire, false, MORNING));
    assert!(matches!(station.ask(release()), Reply::Mode { .. }), "an open door does not hold the emergency");
}

#[test]
fn gate_services_are_set_for_gates_of_the_station_only() {
    let mut station = station();
    let (first, second) = (gate_of(NAME, 1), gate_of(NAME, 2));
    assert_eq!(refused(station.ask(service(&[], Service::Exit))), RefusalCode::BadArgs);
    assert_eq!(refused(station.ask(service(&[first.clone(), gate_of("s2", 1)], Service::Exit))), RefusalCode::NotFound);
    let reply = station.ask(service(&[second.clone(), first.clone(), first.clone()], Service::Exit));
    assert!(matches!(reply, Reply::Mode { rev: 1, of: 2, .. }), "{reply:?}");
    assert_eq!(rev(station.ask(service(std::slice::from_ref(&first), Service::Exit))), 1, "it does so already");
    let mode = station.world.gate_mode(&first).expect("it stands here");
    assert_eq!((mode.service, mode.rev, mode.issued_by.as_str(), mode.reason.as_str()), (Service::Exit, 1, "tester", "a test"));
    station.ask(emergency());
    assert_eq!(station.world.gate_mode(&first).map(|mode| mode.service), Some(Service::Open), "all gates open");
    station.ask(release());
    assert_eq!(station.world.gate_mode(&first).map(|mode| mode.service), Some(Service::Exit));
}

#[test]
fn a_mode_that_no_person_set_says_why() {
    let mut station = station();
    let first = gate_of(NAME, 1);
    let reason = |station: &Actor<Station>| station.world.gate_mode(&gate_of(NAME, 1)).map(|mode| mode.reason.to_string());
    assert_eq!(station.world.gate_mode(&first).map(|mode| (mode.rev, mode.id.to_string())), Some((0, "mode/s1/0".into())));
    station.ask(set(&[Mode::Closed], Some(MORNING + Millis(1))));
    later(&mut station, 1);
    station.ask(Command::Tick);
    assert_eq!(reason(&station).as_deref(), Some("end reached"));
    station.ask(alarm("f1", AlarmKind::Fire, true, station.now));
    assert_eq!(reason(&station).as_deref(), Some("fire at s1-g1"));
}

#[test]
fn a_station_of_no_site_file_is_not_found() {
    let mut station = Actor::<Station>::new("nowhere");
    assert_eq!(refused(station.ask(emergency())), RefusalCode::NotFound);
}

#[test]
fn history_that_no_tap_can_look_at_is_dropped() {
    let mut station = station();
    for day in 0..30 {
        station.now = MORNING + Millis::hours(24 * day);
        station.ask(set(if day % 2 == 0 { &[Mode::Closed] } else { &[] }, None));
    }
    let kept_from = station.now - Millis::hours(24 * 9);
    assert_eq!(station.state.history.len(), 10);
    assert_eq!(station.state.modes_at(kept_from), &modes(&[Mode::Closed]), "day 20 is the first that is kept");
    assert_eq!(station.state.modes_at(kept_from - Millis(1)), &NO_MODES, "day 19 is forgotten");
    assert_eq!(station.state, station.replayed());
}

#[test]
fn every_command_has_its_own_meaning() {
    let gate = [gate_of(NAME, 1)];
    let commands = [
        set(&[Mode::Closed], None),
        set(&[Mode::Closed], Some(MORNING)),
        set(&[], None),
        emergency(),
        release(),
        alarm("a", AlarmKind::Fire, true, MORNING),
        alarm("a", AlarmKind::Fire, false, MORNING),
        alarm("b", AlarmKind::Fire, true, MORNING),
        service(&gate, Service::Exit),
        service(&gate, Service::Entry),
        Command::Tick,
    ];
    let prints: BTreeSet<u128> = commands.iter().map(|command| Station::fingerprint(command).0).collect();
    assert_eq!(prints.len(), commands.len());
    let let_through = Command::Release { by: by(), approved_by: Some(id("second")) };
    assert_eq!(Station::fingerprint(&let_through), Station::fingerprint(&release()), "sent again by the first person it is the same");
}

fn any_command() -> impl Strategy<Value = (i64, Command)> {
    let list = prop::collection::vec(prop_oneof![Just(Mode::Closed), Just(Mode::FareWaived), Just(Mode::OrderWaived)], 0..3);
    let command = prop_oneof![
        (list, prop::option::of(1_i64..5_000)).prop_map(|(list, until)| set(&list, until.map(|ms| MORNING + Millis(ms * 20)))),
        Just(emergency()),
        Just(release()),
        ("[ab]", any::<bool>(), 0_i64..100_000).prop_map(|(name, on, ms)| alarm(&name, AlarmKind::Fire, on, MORNING + Millis(ms))),
        Just(Command::Tick),
        Just(service(&[gate_of(NAME, 1)], Service::Paused)),
    ];
    (0_i64..3_000, command)
}

proptest! {
    #[test]
    fn whatever_happens_the_history_is_sorted_and_ends_with_the_present(steps in prop::collection::vec(any_command(), 1..60)) {
        let mut station = station();
        for (wait, command) in steps {
            later(&mut station, wait);
            let before = station.state.clone();
            let decision = station.decide(command.clone());
            let released = matches!(command, Command::Release { .. }) && matches!(decision, Decision::Commit { .. });
            prop_assert!(released || !before.in_emergency() || station.state.in_emergency(), "left without a release");
            prop_assert!(station.state.rev >= before.rev);
            prop_assert!(station.state.history.is_sorted_by(|a, b| a.from < b.from));
            prop_assert!(station.state.history.last().is_none_or(|span| span.modes == station.state.modes && span.from <= station.now));
        }
        prop_assert_eq!(&station.world.stations[&id::<StationId>(NAME)].state, &station.state, "the world follows");
        prop_assert_eq!(&station.state, &station.replayed());
    }

    #[test]
    fn emergency_between_is_emergency_at_some_moment(steps in prop::collection::vec(any_command(), 1..30), from in 0_i64..90_000, length in 0_i64..300) {
        let mut station = station();
        for (wait, command) in steps {
            later(&mut station, wait);
            station.ask(command);
        }
        let (from, to) = (MORNING + Millis(from), MORNING + Millis(from + length));
        let found = (from.0..=to.0).any(|at| station.state.modes_at(Timestamp(at)).contains(&Mode::Emergency));
        prop_assert_eq!(station.state.emergency_between(from, to), found);
    }
}
