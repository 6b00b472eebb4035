//! One alarm for each cause.
use super::*;
use crate::testing::{Actor, by, id};
use crate::time::Millis;
use proptest::prelude::*;

const SOURCE: &str = "tianfu";

fn alarm(code: AlarmCode) -> Actor<Alarm> {
    Actor::new(&key(code, SOURCE).id)
}
fn raise(code: AlarmCode, device: Option<&str>) -> Command {
    Command::Raise { code, source: SOURCE.into(), severity: Severity::Major, device: device.map(id) }
}
fn offline(device: &str) -> Command {
    raise(AlarmCode::GatesOffline, Some(device))
}
fn settle(device: &str) -> Command {
    Command::Settle { device: Some(id(device)) }
}
fn refused(reply: Reply) -> RefusalCode {
    match reply {
        Reply::Refused(refusal) => refusal.code,
        other => panic!("not refused: {other:?}"),
    }
}
fn entry(alarm: &Actor<Alarm>) -> &Entry {
    alarm.state.entry.as_ref().expect("raised once")
}

#[test]
fn forty_gates_behind_a_dead_switch_are_one_alarm() {
    let mut alarm = alarm(AlarmCode::GatesOffline);
    let gates: Vec<String> = (0..40).map(|n| format!("g{n}")).collect();
    for gate in gates.iter().chain(&gates) {
        assert_eq!(alarm.ask(offline(gate)), Reply::Done);
    }
    assert_eq!((entry(&alarm).devices.len(), entry(&alarm).count, entry(&alarm).state), (40, 40, State::Raised));
    assert_eq!(alarm.events.len(), 40, "the same again is no event");
    gates.iter().for_each(|gate| drop(alarm.ask(settle(gate))));
    assert_eq!(entry(&alarm).state, State::Cleared);
    assert_eq!(alarm.events.len(), 81);
    assert_eq!(alarm.state, alarm.replayed());
}

#[test]
fn an_alarm_that_comes_back_begins_anew() {
    let mut alarm = alarm(AlarmCode::GatesOffline);
    alarm.ask(offline("g1"));
    alarm.ask(Command::Ack { by: by() });
    alarm.ask(settle("g1"));
    assert_eq!(entry(&alarm).owner, Some(id("tester")), "who had it is still shown");
    alarm.now = alarm.now + Millis::minutes(5);
    alarm.ask(offline("g2"));
    let entry = entry(&alarm);
    assert_eq!((entry.state, entry.count, entry.owner.is_none(), entry.since), (State::Raised, 1, true, alarm.now));
}

#[test]
fn a_second_gate_does_not_wake_who_knows_already_but_something_worse_does() {
    let mut alarm = alarm(AlarmCode::GatesOffline);
    alarm.ask(offline("g1"));
    alarm.ask(Command::Ack { by: by() });
    alarm.ask(offline("g2"));
    assert_eq!((entry(&alarm).state, entry(&alarm).count), (State::Acked, 2));
    let worse =
        Command::Raise { code: AlarmCode::GatesOffline, source: SOURCE.into(), severity: Severity::Critical, device: Some(id("g2")) };
    alarm.ask(worse);
    assert_eq!((entry(&alarm).state, entry(&alarm).severity), (State::Raised, Severity::Critical));
}

#[test]
fn it_is_put_off_until_a_moment_and_not_a_millisecond_longer() {
    let mut alarm = alarm(AlarmCode::GatesOffline);
    alarm.ask(offline("g1"));
    let until = alarm.now + Millis::minutes(10);
    for wrong in [alarm.now, alarm.now + Millis::hours(24) + Millis(1)] {
        assert_eq!(refused(alarm.ask(Command::Snooze { until: wrong, by: by() })), RefusalCode::BadArgs);
    }
    assert_eq!(alarm.ask(Command::Snooze { until, by: by() }), Reply::Done);
    assert_eq!((entry(&alarm).state, alarm.state.deadline()), (State::Snoozed, Some(until)));
    alarm.now = until - Millis(1);
    alarm.ask(Command::Tick);
    assert_eq!(entry(&alarm).state, State::Snoozed);
    alarm.now = until;
    alarm.ask(Command::Tick);
    assert_eq!((entry(&alarm).state, alarm.state.deadline()), (State::Raised, None));
}

#[test]
fn an_alarm_settled_while_put_off_sleeps_for_good() {
    let mut alarm = alarm(AlarmCode::GatesOffline);
    alarm.ask(offline("g1"));
    alarm.ask(Command::Snooze { until: alarm.now + Millis::minutes(10), by: by() });
    alarm.ask(settle("g1"));
    assert_eq!((entry(&alarm).state, alarm.state.deadline()), (State::Cleared, None));
    assert_eq!(refused(alarm.ask(Command::Ack { by: by() })), RefusalCode::WrongState);
}

#[test]
fn only_what_does_not_end_by_itself_is_cleared_by_a_person() {
    for code in AlarmCode::ALL {
        let mut alarm = alarm(*code);
        assert_eq!(refused(alarm.ask(Command::Clear { by: by() })), RefusalCode::NotFound);
        alarm.ask(raise(*code, None));
        match code.ends_by_itself() {
            true => assert_eq!(refused(alarm.ask(Command::Clear { by: by() })), RefusalCode::WrongState),
            false => assert_eq!(alarm.ask(Command::Clear { by: by() }), Reply::Done),
        }
        assert_eq!(alarm.state.current().is_some(), code.ends_by_itself());
        assert_eq!(AlarmCode::from_name(code.name()), Some(*code));
    }
}

#[test]
fn an_alarm_is_named_by_its_cause() {
    let mut alarm = alarm(AlarmCode::Fire);
    assert_eq!(refused(alarm.ask(offline("g1"))), RefusalCode::BadArgs);
    assert_eq!(key(AlarmCode::Fire, SOURCE).to_string(), "alarm/fire.tianfu");
}

#[test]
fn devices_are_bounded_and_the_count_is_not() {
    let mut alarm = alarm(AlarmCode::GatesOffline);
    (0..DEVICES_MAX + 3).for_each(|n| drop(alarm.ask(offline(&format!("g{n}")))));
    assert_eq!((entry(&alarm).devices.len(), entry(&alarm).count), (DEVICES_MAX, DEVICES_MAX as u64 + 3));
}

/// What is told of one place: on or off, several times.
fn told() -> impl Strategy<Value = Vec<(Option<u8>, bool)>> {
    proptest::collection::vec((proptest::option::of(0..4_u8), any::<bool>()), 1..24)
}
fn command((place, on): (Option<u8>, bool)) -> Command {
    let device = place.map(|n| format!("g{n}"));
    if on { raise(AlarmCode::GatesOffline, device.as_deref()) } else { Command::Settle { device: device.as_deref().map(id) } }
}

proptest! {
    #[test]
    fn it_stands_while_any_cause_is_left(told in told(), staff in any::<u32>()) {
        let mut alarm = alarm(AlarmCode::GatesOffline);
        let mut left = BTreeSet::new();
        for (turn, fact) in told.into_iter().enumerate() {
            if fact.1 { left.insert(fact.0) } else { left.remove(&fact.0) };
            let _ = alarm.decide(command(fact));
            match staff >> (turn % 16 * 2) & 3 {
                1 => drop(alarm.decide(Command::Ack { by: by() })),
                2 => drop(alarm.decide(Command::Snooze { until: alarm.now + Millis::minutes(1), by: by() })),
                3 => drop(alarm.decide(Command::Clear { by: by() })),
                _ => {}
            }
            prop_assert_eq!(alarm.state.current().is_some(), !left.is_empty());
            if let Some(entry) = alarm.state.current() {
                prop_assert!(entry.stands());
                prop_assert_eq!(entry.devices.len() + usize::from(entry.at_source), left.len());
            }
        }
        prop_assert_eq!(&alarm.state, &alarm.replayed());
    }

    /// What is told of different places may arrive in any order between them.
    #[test]
    fn different_places_commute(told in told(), shuffle in any::<u64>()) {
        let end = |facts: &[(Option<u8>, bool)]| {
            let mut alarm = alarm(AlarmCode::GatesOffline);
            facts.iter().for_each(|fact| drop(alarm.decide(command(*fact))));
            alarm.state.current().map(|entry| (entry.devices.clone(), entry.at_source, entry.severity))
        };
        let mut other = told.clone();
        for pass in 0..other.len() {
            for at in 1..other.len() {
                if other[at - 1].0 != other[at].0 && shuffle >> ((pass * 7 + at) % 64) & 1 == 1 {
                    other.swap(at - 1, at);
                }
            }
        }
        prop_assert_eq!(end(&told), end(&other));
    }
}
