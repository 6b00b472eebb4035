//! Doubtful records: what is in doubt posts nothing until a person has decided; then it counts once.
use super::*;
use crate::machine::RefusalCode;
use crate::testing::MORNING;

fn doubt(reply: Reply) -> Doubt {
    match reply {
        Reply::Doubted(doubted) => doubted.doubt,
        other => panic!("not doubted: {other:?}"),
    }
}

fn at_gate(number: usize, seq: u64, direction: Direction, station: &str, at: Timestamp) -> Record {
    let tap = tap(&gate_of(station, number), 1, seq, direction, CARD, at);
    record_of(&tap, Shown::Open, Some(Passage::Passed))
}

fn accept(rider: &mut Rider, record: &Record, doubt: Doubt, own: bool) -> Reply {
    let seq = if own { 1 << 62 } else { record.tap.seq };
    let tap = TapId { seq, ..record.tap.clone() };
    let station = id(record.tap.device.as_str().split('-').next().unwrap_or_default());
    let accepted = Accepted { record: record.clone(), station, at: record.at, doubt, tap, by: by() };
    rider.account.ask(Command::Accept(Box::new(accepted)))
}

/// In at s0, out at s3 (9.5 km: 4 yuan), both told by gates that were offline; the second record of the entry is a twin.
fn twins(first: usize, second: usize) -> Rider {
    let mut rider = Rider::with(10_000);
    rider.wait(Millis::hours(1));
    let entry = |number| at_gate(number, 1, Direction::Entry, "s0", MORNING + Millis(400 * number as i64));
    assert_eq!(rider.recorded(entry(first)), Reply::Done);
    assert_eq!(doubt(rider.recorded(entry(second))), Doubt::Twin);
    let exit = at_gate(1, 2, Direction::Exit, "s3", MORNING + Millis::minutes(20));
    assert_eq!(rider.recorded(exit), Reply::Done);
    rider
}

#[test]
fn one_medium_through_two_gates_at_once_pays_one_fare_whichever_is_heard_of_first() {
    for (first, second) in [(1, 2), (2, 1)] {
        let rider = twins(first, second);
        assert_eq!(rider.balance(), 10_000 - 400, "{first} before {second}");
        let Event::RecordTaken { twin, .. } = &rider.account.events[3] else { panic!("taken") };
        assert_eq!(twin.as_ref().map(|tap| tap.device.clone()), Some(gate_of("s0", first)));
        assert_eq!(rider.account.state, rider.account.replayed());
    }
}

#[test]
fn a_person_who_says_that_two_went_through_makes_both_pay() {
    let mut rider = twins(1, 2);
    let second = at_gate(2, 1, Direction::Entry, "s0", MORNING + Millis(800));
    assert_eq!(accept(&mut rider, &second, Doubt::Twin, false), Reply::Done);
    let fare = 10_000 - 400 - rider.balance();
    assert!(fare > 0, "the entry before is a journey without exit");
    let before = rider.balance();
    accept(&mut rider, &second, Doubt::Twin, false);
    assert_eq!(rider.balance(), before, "accepted once more it costs nothing");
    assert_eq!(rider.account.state, rider.account.replayed());
}

#[test]
fn two_gates_more_than_the_window_apart_are_no_twins() {
    let mut rider = Rider::with(10_000);
    rider.wait(Millis::hours(1));
    rider.recorded(at_gate(1, 1, Direction::Entry, "s0", MORNING));
    assert_eq!(rider.recorded(at_gate(2, 1, Direction::Entry, "s0", MORNING + Millis(3_001))), Reply::Done);
}

#[test]
fn a_record_that_contradicts_its_tap_posts_nothing_until_it_is_accepted_and_then_takes_its_place() {
    let mut rider = Rider::with(10_000);
    rider.enter("s0");
    let tap = rider.wait(Millis::minutes(20)).new_tap(Direction::Exit, "s3");
    rider.answer(&tap);
    assert_eq!(rider.balance(), 10_000 - 400);
    let mut other = record_of(&tap, Shown::Deny, None);
    other.at = other.at + Millis(700);
    assert_eq!(doubt(rider.recorded(other.clone())), Doubt::At);
    assert_eq!(rider.balance(), 10_000 - 400);
    assert_eq!(accept(&mut rider, &other, Doubt::At, false), Reply::Done);
    assert_eq!(rider.balance(), 10_000, "the gate stayed shut: nothing was ridden");
    assert_eq!(rider.account.state.facts.iter().filter(|fact| fact.tap == tap.id).count(), 1);
    assert_eq!(rider.account.state, rider.account.replayed());
}

#[test]
fn what_took_somebody_elses_number_counts_beside_it_once() {
    let mut rider = Rider::with(10_000);
    rider.wait(Millis::hours(2));
    rider.recorded(at_gate(1, 1, Direction::Entry, "s0", MORNING));
    rider.recorded(at_gate(1, 1, Direction::Exit, "s3", MORNING + Millis::minutes(20)));
    let reused = at_gate(1, 1, Direction::Entry, "s0", MORNING + Millis::minutes(40));
    accept(&mut rider, &reused, Doubt::KeyReused, true);
    accept(&mut rider, &reused, Doubt::KeyReused, true);
    assert!(rider.account.state.open.is_some(), "it opens a journey of its own");
    assert_eq!((rider.account.state.facts.len(), rider.balance()), (3, 10_000 - 400));
    assert_eq!(rider.account.state, rider.account.replayed());
}

#[test]
fn a_time_that_lies_ahead_is_doubtful_and_one_that_is_put_right_is_not() {
    let mut rider = Rider::with(10_000);
    let ahead = at_gate(1, 1, Direction::Entry, "s0", MORNING + Millis::minutes(5));
    let record = |clock| Command::Record { record: ahead.clone(), station: id("s0"), clock };
    assert_eq!(doubt(rider.account.ask(record(Millis(0)))), Doubt::Ahead);
    assert_eq!(rider.account.ask(record(Millis::minutes(-6))), Reply::Done);
    assert_eq!(rider.account.state.facts[0].at, MORNING - Millis::minutes(1));
    assert_eq!(rider.account.state, rider.account.replayed());
}

#[test]
fn what_is_older_than_the_taps_that_are_kept_cannot_be_accepted() {
    let mut rider = Rider::with(10_000);
    rider.wait(Millis::hours(9 * 24));
    let old = at_gate(1, 1, Direction::Entry, "s0", MORNING);
    assert_eq!(doubt(rider.recorded(old.clone())), Doubt::TooOld);
    let Reply::Refused(refusal) = accept(&mut rider, &old, Doubt::TooOld, false) else { panic!("refused") };
    assert_eq!((refusal.code, rider.balance()), (RefusalCode::WrongState, 10_000));
}

#[test]
fn an_accepted_record_of_a_foreign_medium_is_misrouted() {
    let mut rider = Rider::with(10_000);
    let mut foreign = at_gate(1, 1, Direction::Entry, "s0", MORNING);
    foreign.medium = Some(card("another"));
    let station = id("s0");
    let accepted = Accepted { at: foreign.at, tap: foreign.tap.clone(), record: foreign, station, doubt: Doubt::At, by: by() };
    assert_eq!(rider.account.decide(Command::Accept(Box::new(accepted))), Decision::Misrouted);
}

/// Every bug of twins that is planted makes one of the runs above fail.
#[cfg(feature = "mutants")]
#[test]
fn every_planted_bug_of_twins_is_caught() {
    use crate::mutant::{Mutant, plant};
    let runs: [fn(); 2] = [
        one_medium_through_two_gates_at_once_pays_one_fare_whichever_is_heard_of_first,
        a_person_who_says_that_two_went_through_makes_both_pay,
    ];
    let caught = |mutant: Mutant| {
        plant(Some(mutant));
        let lives = runs.into_iter().all(|run| std::panic::catch_unwind(run).is_ok());
        plant(None);
        !lives
    };
    let alive: Vec<Mutant> = Mutant::TWINS.iter().copied().filter(|mutant| !caught(*mutant)).collect();
    assert_eq!(alive, []);
}
