//! Every outcome but the straight one, and what it does to those in flight behind it.
use super::rig::Rig;
use super::toy::{Ask, sum, tap};
use crate::contract::Outcome;
use crate::pipeline::Phase;
use tongdao_domain::code::Code;
use tongdao_domain::machine::{RefusalCode, Reply};

fn code(reply: &Reply) -> Code {
    match reply {
        Reply::Tap(decision) => decision.code,
        other => panic!("no tap decision: {other:?}"),
    }
}
fn refusal(reply: &Reply) -> RefusalCode {
    match reply {
        Reply::Refused(refusal) => refusal.code,
        other => panic!("no refusal: {other:?}"),
    }
}

#[test]
fn the_same_id_in_flight_is_a_question_behind_the_first() {
    let mut rig = Rig::ready();
    rig.ask(1, "a", Ask::Add(5));
    rig.ask(2, "a", Ask::Add(5));
    assert!(rig.submitted[1].1.events.is_empty(), "a barrier");
    rig.settle();
    assert_eq!(rig.sums(), [(1, 5), (2, 5)]);
    assert_eq!(rig.store.events.len(), 1);
}

#[test]
fn another_meaning_behind_an_uncommitted_first_is_key_reused() {
    let mut rig = Rig::ready();
    rig.ask(1, "a", Ask::Add(5));
    rig.ask(2, "a", Ask::Add(6));
    rig.ask(3, "t", tap(1, 1000));
    rig.ask(4, "t", tap(2, 1001));
    rig.settle();
    assert_eq!(refusal(&rig.replies[1].1), RefusalCode::KeyReused);
    assert_eq!(code(&rig.replies[3].1), Code::KeyReused);
    assert_eq!(rig.pipeline.confirmed().sum, 6);
}

#[test]
fn a_barrier_behind_a_first_that_stored_nothing_is_decided_afresh() {
    let mut rig = Rig::ready();
    rig.ask(1, "a", Ask::Add(5));
    rig.ask(2, "a", Ask::Add(5));
    rig.fail(Outcome::Unavailable, false);
    assert_eq!(refusal(&rig.replies[0].1), RefusalCode::Busy);
    rig.settle();
    assert_eq!(rig.sums()[1], (2, 5));
    assert_eq!(rig.store.events.len(), 1);
}

#[test]
fn barriers_that_find_nothing_do_not_wait_for_each_other() {
    let mut rig = Rig::ready();
    for to in 1..=3 {
        rig.ask(to, "q", Ask::Read);
    }
    rig.settle();
    assert_eq!(rig.sums(), [(1, 0), (2, 0), (3, 0)]);
}

#[test]
fn a_repeat_long_after_gets_its_first_answer_and_its_events_go() {
    let mut rig = Rig::ready();
    rig.ask(1, "a", Ask::Add(5));
    rig.settle();
    rig.ask(2, "b", Ask::Add(1));
    rig.ask(3, "a", Ask::Add(5));
    rig.ask(4, "c", Ask::Add(1));
    rig.ask(5, "q", Ask::Read);
    rig.step();
    rig.step();
    assert_eq!(rig.phase(), Phase::Settling { reload: false });
    assert_eq!(rig.sums(), [(1, 5), (2, 6), (3, 5)]);
    rig.ask(6, "d", Ask::Add(1));
    rig.settle();
    assert_eq!(rig.sums(), [(1, 5), (2, 6), (3, 5), (4, 7), (5, 7), (6, 8)], "decided again in order of arrival");
    assert_eq!(rig.pipeline.counters.reloads, 0, "nothing was lost, nothing is read again");
}

#[test]
fn an_id_answered_elsewhere_drops_what_was_decided_here() {
    let mut rig = Rig::ready();
    let elsewhere = crate::codec::encode(&sum(42)).expect("a reply");
    rig.ask(1, "a", Ask::Add(5));
    rig.ask(2, "b", Ask::Add(1));
    rig.fail(Outcome::Duplicate { reply: elsewhere }, false);
    rig.settle();
    assert_eq!(rig.sums(), [(1, 42), (2, 1)]);
}

#[test]
fn key_reused_drops_the_events_and_the_next_is_decided_again() {
    let mut rig = Rig::ready();
    rig.ask(1, "a", Ask::Add(99));
    rig.ask(2, "b", Ask::Add(5));
    assert!(rig.submitted[1].1.events.is_empty(), "refused on the tentative sum");
    rig.fail(Outcome::KeyReused, false);
    rig.settle();
    assert_eq!(refusal(&rig.replies[0].1), RefusalCode::KeyReused);
    assert_eq!(rig.sums()[1], (2, 5), "the refusal rested on what never happened");
}

#[test]
fn a_conflict_reads_the_journal_again_and_decides_all_again() {
    let mut rig = Rig::ready();
    rig.ask(1, "a", Ask::Add(1));
    rig.ask(2, "q", Ask::Read);
    rig.ask(3, "b", Ask::Add(1));
    let mut other = Rig::other();
    other.ask(9, "x", Ask::Add(10));
    other.settle();
    rig.store = other.store;
    rig.step();
    assert_eq!((rig.phase(), rig.loads), (Phase::Settling { reload: true }, 0), "first all outcomes, then the load");
    rig.step();
    rig.step();
    assert_eq!(rig.loads, 1);
    rig.settle();
    assert_eq!(rig.sums(), [(1, 11), (2, 11), (3, 12)]);
}

#[test]
fn unknown_and_written_is_answered_from_the_journal() {
    let mut rig = Rig::ready();
    rig.ask(1, "a", Ask::Add(1));
    rig.ask(2, "b", Ask::Add(1));
    rig.fail(Outcome::Unknown, true);
    rig.step();
    assert_eq!(rig.sums(), [(2, 2)], "durable, so it may be told");
    rig.settle();
    assert_eq!(rig.sums(), [(2, 2), (1, 1)]);
    assert_eq!(rig.pipeline.confirmed().sum, 2);
}

#[test]
fn unknown_and_not_written_is_decided_again_under_the_same_id() {
    let mut rig = Rig::ready();
    rig.ask(1, "a", Ask::Add(1));
    rig.ask(2, "b", Ask::Add(1));
    rig.fail(Outcome::Unknown, false);
    rig.settle();
    assert_eq!(rig.sums(), [(1, 1), (2, 2)]);
}

#[test]
fn an_unknown_that_is_written_after_the_reload_is_read_once_more() {
    let mut rig = Rig::ready();
    rig.ask(1, "a", Ask::Add(1));
    let late = rig.submitted[0].1.clone();
    rig.fail(Outcome::Unknown, false);
    rig.load();
    let _ = rig.store.decide(late);
    rig.settle();
    assert_eq!(rig.sums(), [(1, 1)]);
    rig.ask(2, "b", Ask::Add(1));
    rig.settle();
    assert_eq!(rig.sums()[1], (2, 2));
    assert_eq!(rig.pipeline.counters.reloads, 2);
}

#[test]
fn deadlines_are_looked_at_again_when_a_tap_is_decided_again() {
    let mut rig = Rig::ready();
    rig.ask(1, "t", tap(1, 1000));
    rig.fail(Outcome::Unknown, false);
    rig.now += 251;
    rig.settle();
    assert_eq!(code(&rig.replies[0].1), Code::Expired);
    assert_eq!(rig.store.events.len(), 0);
}

#[test]
fn a_tap_past_its_deadline_still_gets_its_first_answer() {
    let mut rig = Rig::ready();
    rig.ask(1, "t", tap(1, 1000));
    rig.fail(Outcome::Unknown, true);
    rig.now += 251;
    rig.settle();
    assert_eq!(code(&rig.replies[0].1), Code::Ok);
}

#[test]
fn a_store_that_is_away_answers_busy_and_forgets_the_events() {
    let mut rig = Rig::ready();
    rig.ask(1, "t", tap(1, 1000));
    rig.ask(2, "b", Ask::Add(1));
    rig.fail(Outcome::Unavailable, false);
    rig.fail(Outcome::Unavailable, false);
    assert_eq!(code(&rig.replies[0].1), Code::Busy);
    assert_eq!(refusal(&rig.replies[1].1), RefusalCode::Busy);
    rig.ask(3, "t", tap(1, 1000));
    rig.settle();
    assert_eq!(code(&rig.replies[2].1), Code::Ok, "BUSY is no outcome: the same id may come again");
}

#[test]
fn a_full_queue_may_refuse_a_later_commit_first() {
    let mut rig = Rig::ready();
    rig.ask(1, "a", Ask::Add(1));
    rig.ask(2, "b", Ask::Add(1));
    rig.ask(3, "q", Ask::Read);
    let (ticket, _) = rig.submitted.remove(1).expect("the second");
    rig.tell(ticket, Outcome::Unavailable);
    rig.settle();
    assert_eq!(refusal(&rig.replies[0].1), RefusalCode::Busy);
    assert_eq!(rig.sums()[1..], [(1, 1), (3, 1)]);
}

#[test]
fn too_many_pending_is_busy_at_once() {
    let mut rig = Rig::asleep();
    for n in 0..9 {
        rig.ask(n, &format!("c{n}"), Ask::Add(1));
    }
    assert_eq!((rig.replies.len(), rig.replies[0].0), (1, 8));
    assert_eq!(refusal(&rig.replies[0].1), RefusalCode::Busy);
    rig.settle();
    assert_eq!(rig.pipeline.confirmed().sum, 8);
}

#[test]
fn an_entity_that_cannot_be_read_keeps_nobody_waiting() {
    let mut rig = Rig::asleep();
    rig.ask(1, "a", Ask::Add(1));
    rig.fail_load();
    assert_eq!(refusal(&rig.replies[0].1), RefusalCode::Busy);
    rig.ask(2, "a", Ask::Add(1));
    rig.settle();
    assert_eq!(rig.sums()[1], (2, 1));
}

#[test]
fn a_forward_on_dropped_events_is_decided_again() {
    let mut rig = Rig::ready();
    rig.ask(1, "a", Ask::Add(1));
    rig.ask(2, "f", Ask::Pass);
    rig.fail(Outcome::Unavailable, false);
    assert_eq!(rig.forwards, [2]);
    assert!(rig.pipeline.idle());
}
