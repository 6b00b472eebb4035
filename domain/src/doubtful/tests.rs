//! The desk of doubtful records, by its public contract.
use super::*;
use crate::account::Doubt;
use crate::tap::{DecidedBy, Direction, Passage, Shown};
use crate::testing::{Actor, MORNING, by, card, gate_of, id};

fn case(doubt: Doubt) -> Case {
    let record = Record {
        tap: TapId { device: gate_of("s1", 1), epoch: 7, seq: 42 },
        direction: Direction::Entry,
        medium: Some(card("t1")),
        at: MORNING,
        mode: 0,
        by: DecidedBy::Gate,
        shown: Shown::Open,
        passage: Some(Passage::Passed),
    };
    let (clock, since) = (Millis(0), MORNING + Millis::hours(1));
    Case { record, station: id("s1"), doubt, first: None, other: None, clock, corrected: false, since }
}

fn opened(case: Case) -> Actor<Doubtful> {
    let mut desk = Actor::new(&case.name());
    assert_eq!(desk.ask(Command::Open(Box::new(case))), Reply::Done);
    desk
}

fn decide(desk: &mut Actor<Doubtful>, accept: bool) -> Reply {
    desk.ask(Command::Decide { accept, by: by() })
}

fn refused(reply: Reply) -> RefusalCode {
    match reply {
        Reply::Refused(refusal) => refusal.code,
        other => panic!("not refused: {other:?}"),
    }
}

fn state(desk: &Actor<Doubtful>) -> State {
    desk.state.entry.as_ref().expect("known").state
}

#[test]
fn accepted_it_is_owed_to_the_account_until_that_has_it() {
    let mut desk = opened(case(Doubt::At));
    assert!(desk.state.owed(&desk.me).is_empty(), "nothing is posted before a person has decided");
    assert_eq!(decide(&mut desk, true), Reply::Done);
    let owed = desk.state.owed(&desk.me);
    assert_eq!((owed.len(), owed[0].id.as_str()), (1, "accept/s1-g1.7.42/1"));
    assert_eq!(owed[0].to, Recipient::OwnerOf(id("t1")));
    assert_eq!(decide(&mut desk, true), Reply::Done, "said again");
    assert_eq!(refused(decide(&mut desk, false)), RefusalCode::WrongState, "decided once");
    assert_eq!(desk.ask(Command::Struck { refused: None }), Reply::Done);
    assert_eq!((state(&desk), desk.state.owed(&desk.me).len(), desk.state.deadline()), (State::Posted, 0, None));
    assert_eq!(desk.events.len(), 3);
    assert_eq!(desk.state, desk.replayed());
}

#[test]
fn rejected_it_leaves_nothing_behind() {
    let mut desk = opened(case(Doubt::KeyReused));
    assert_eq!(decide(&mut desk, false), Reply::Done);
    assert_eq!((state(&desk), desk.state.owed(&desk.me).len(), desk.state.deadline()), (State::Rejected, 0, None));
    assert_eq!(refused(decide(&mut desk, true)), RefusalCode::WrongState);
}

#[test]
fn what_the_account_cannot_take_is_open_again_and_goes_out_under_another_id() {
    let mut desk = opened(case(Doubt::UnknownMedium));
    decide(&mut desk, true);
    desk.ask(Command::Struck { refused: Some("NOT_FOUND: no account has this medium".into()) });
    let entry = desk.state.entry.clone().expect("known");
    assert_eq!((entry.state, entry.returned.as_deref()), (State::Open, Some("NOT_FOUND: no account has this medium")));
    decide(&mut desk, true);
    assert_eq!(desk.state.owed(&desk.me)[0].id.as_str(), "accept/s1-g1.7.42/2");
}

#[test]
fn the_same_case_told_again_changes_nothing_and_nobody_decides_what_is_not_there() {
    let mut desk = opened(case(Doubt::At));
    decide(&mut desk, false);
    assert_eq!(desk.ask(Command::Open(Box::new(case(Doubt::At)))), Reply::Done);
    assert_eq!((state(&desk), desk.events.len()), (State::Rejected, 2));
    let mut none: Actor<Doubtful> = Actor::new("x");
    assert_eq!(refused(decide(&mut none, true)), RefusalCode::NotFound);
}

#[test]
fn an_intrusion_can_only_be_rejected() {
    let mut nobody = case(Doubt::KeyReused);
    nobody.record.medium = None;
    let mut desk = opened(nobody);
    assert_eq!(refused(decide(&mut desk, true)), RefusalCode::WrongState);
    assert_eq!(decide(&mut desk, false), Reply::Done);
}

#[test]
fn copies_of_one_number_are_cases_and_taps_of_their_own() {
    let (first, mut second) = (case(Doubt::KeyReused), case(Doubt::KeyReused));
    second.record.at = second.record.at + Millis(1);
    assert_ne!(first.name(), second.name());
    assert_ne!(first.counts_as(), second.counts_as());
    assert!(first.counts_as().seq > u64::from(u32::MAX), "above every number that a gate reaches");
    assert_eq!(case(Doubt::At).counts_as(), first.record.tap, "the others are about their own tap");
}

#[test]
fn a_rider_was_there_when_the_gate_says_put_right_by_its_clock_and_never_after_it_was_heard() {
    let mut late = case(Doubt::Ahead);
    late.record.at = late.since + Millis::hours(2);
    assert_eq!(late.travelled(), late.since);
    let mut off = case(Doubt::At);
    (off.clock, off.corrected) = (Millis::minutes(-5), true);
    assert_eq!(off.travelled(), MORNING - Millis::minutes(5));
    off.corrected = false;
    assert_eq!(off.travelled(), MORNING);
}
