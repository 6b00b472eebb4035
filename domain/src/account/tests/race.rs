//! The hard race: the server approves, the gate has already decided alone. Whatever arrives when, one fare at the end.
use super::*;
use crate::machine::RefusalCode;

#[test]
fn the_record_replaces_the_approval_whether_it_opened_or_denied() {
    for (shown, passage, fare) in [
        (Shown::Open, Some(Passage::Passed), 600),
        (Shown::Open, None, 600),
        (Shown::Deny, None, 0),
        (Shown::Deny, Some(Passage::NotPassed), 0),
        (Shown::Open, Some(Passage::NotPassed), 0),
        (Shown::Open, Some(Passage::Reverse), 0),
        (Shown::Open, Some(Passage::Tailgate), 600),
    ] {
        let mut rider = Rider::with(10_000);
        rider.enter("s0");
        let exit = rider.wait(Millis::minutes(30)).new_tap(Direction::Exit, "s4");
        assert_eq!(rider.answer(&exit).code, Code::Ok);
        assert_eq!(rider.record(&exit, shown, passage), Reply::Done);
        assert_eq!(rider.balance(), 10_000 - fare, "{shown:?} {passage:?}");
        assert_eq!(rider.held(), if fare == 0 { 200 } else { 0 }, "a rider who did not leave is still in");
        assert_eq!(rider.account.replayed(), rider.account.state);
    }
}

#[test]
fn once_a_record_is_in_a_late_tap_of_that_id_posts_nothing() {
    let mut rider = Rider::with(10_000);
    rider.enter("s0");
    let exit = rider.wait(Millis::minutes(30)).new_tap(Direction::Exit, "s4");
    assert_eq!(rider.record(&exit, Shown::Open, Some(Passage::Passed)), Reply::Done);
    assert_eq!(rider.balance(), 9_400);
    let late = rider.account.decide(Rider::command(&exit));
    assert!(matches!(late, Decision::Ask { otherwise: Reply::Tap(decision) } if decision.code == Code::Expired));
    assert_eq!(rider.balance(), 9_400);
}

#[test]
fn a_record_of_a_gate_that_decided_alone_counts_before_and_without_any_tap() {
    let mut rider = Rider::with(10_000);
    let (entry, exit) = (rider.new_tap(Direction::Entry, "s0"), rider.wait(Millis::minutes(30)).new_tap(Direction::Exit, "s4"));
    assert_eq!(rider.record(&exit, Shown::Open, Some(Passage::Passed)), Reply::Done);
    assert_eq!(rider.balance(), 10_000 - 600, "no entry known: the highest fare from s4");
    assert_eq!(rider.record(&entry, Shown::Open, Some(Passage::Passed)), Reply::Done);
    assert_eq!(rider.balance(), 9_400);
    assert_eq!(rider.account.state.posted.len(), 2 + 1, "posted, taken back, posted for the journey that it is");
}

#[test]
fn a_fact_is_never_refused_for_money() {
    let mut rider = Rider::with(0);
    let (entry, exit) = (rider.new_tap(Direction::Entry, "s0"), rider.wait(Millis::minutes(30)).new_tap(Direction::Exit, "s4"));
    rider.record(&entry, Shown::Open, None);
    rider.record(&exit, Shown::Open, None);
    assert_eq!(rider.balance(), -600);
    assert_eq!(rider.wait(Millis::minutes(1)).enter("s0").code, Code::Insufficient);
    rider.done(Command::Credit { amount: Amount::from_fen(800), by: by() });
    assert_eq!(rider.enter("s0").code, Code::Ok);
}

#[test]
fn a_record_that_contradicts_its_tap_is_doubtful_and_posts_nothing() {
    let mut rider = Rider::with(10_000);
    let entry = rider.new_tap(Direction::Entry, "s0");
    rider.answer(&entry);
    let record = record_of(&entry, Shown::Deny, None);
    let other = Record { medium: Some(card("card2")), ..record.clone() };
    rider.done(Command::Link { token: id("card2"), kind: MediumKind::Card, by: by() });
    for (wrong, doubt) in [
        (Record { direction: Direction::Exit, ..record.clone() }, Doubt::Direction),
        (Record { at: record.at + Millis(1), ..record.clone() }, Doubt::At),
        (other, Doubt::Medium),
    ] {
        assert_eq!(rider.recorded(wrong), Reply::Doubted(Doubted::of(doubt)));
        assert!(matches!(rider.account.events.last(), Some(Event::RecordDoubted { doubt: kept, .. }) if *kept == doubt));
        assert_eq!(rider.held(), 200);
    }
    assert_eq!(rider.recorded(record.clone()), Reply::Done);
    assert_eq!(rider.held(), 0);
    let again = Record { shown: Shown::Open, ..record };
    assert_eq!(rider.recorded(again), Reply::Doubted(Doubted::of(Doubt::Record)));
    assert_eq!(rider.held(), 0);
}

#[test]
fn passages_need_the_reference_that_was_handed_out_for_their_tap() {
    let mut rider = Rider::with(10_000);
    let entry = rider.enter("s0");
    let exit = rider.wait(Millis::minutes(30)).leave("s4");
    let at = rider.account.now;
    let mut report = |tap: &TapId, reference: &str| {
        let command = Command::Passage { tap: tap.clone(), reference: Reference(reference.into()), outcome: Passage::NotPassed, at };
        rider.account.ask(command)
    };
    assert!(matches!(report(&exit.tap, "a2/2"), Reply::Refused(refusal) if refusal.code == RefusalCode::NotFound));
    assert!(matches!(report(&exit.tap, "a1/3"), Reply::Refused(refusal) if refusal.code == RefusalCode::NotFound));
    assert!(matches!(report(&exit.tap, "nonsense"), Reply::Refused(refusal) if refusal.code == RefusalCode::NotFound));
    assert!(matches!(report(&exit.tap, "a1/1"), Reply::Refused(refusal) if refusal.code == RefusalCode::Contradicts));
    let unknown = TapId { seq: 99, ..entry.tap };
    assert!(matches!(report(&unknown, "a1/1"), Reply::Refused(refusal) if refusal.code == RefusalCode::Contradicts));
    assert_eq!(rider.balance(), 9_400);
}
