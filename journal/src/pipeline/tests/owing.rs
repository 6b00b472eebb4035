//! What is owed, deadlines and wakes.
use super::rig::Rig;
use super::toy::Ask;
use crate::contract::Outcome;
use tongdao_domain::time::Timestamp;

#[test]
fn what_is_owed_is_sent_after_the_commit_and_until_it_is_struck_off() {
    let mut rig = Rig::ready();
    rig.ask(1, "a", Ask::Owe("debt"));
    assert!(rig.sent.is_empty(), "nothing is told before the release");
    rig.step();
    assert_eq!(rig.sent.len(), 1);
    assert_eq!(rig.wake, Some(Timestamp(6000)), "sent again after 5 s");
    rig.tick();
    assert_eq!(rig.sent.len(), 1, "not yet due");
    rig.now = 6000;
    rig.tick();
    assert_eq!(rig.sent.len(), 2, "the same id again");
    rig.ask(2, "b", Ask::Strike("debt"));
    rig.settle();
    rig.now = 11_000;
    rig.tick();
    assert_eq!((rig.sent.len(), rig.wake), (2, None));
}

#[test]
fn it_is_sent_after_every_load() {
    let mut rig = Rig::ready();
    rig.ask(1, "a", Ask::Owe("debt"));
    rig.step();
    rig.crash();
    rig.tick();
    rig.load();
    assert_eq!(rig.sent.len(), 2);
}

#[test]
fn one_more_owed_does_not_send_the_others_again() {
    let mut rig = Rig::ready();
    rig.ask(1, "a", Ask::Owe("one"));
    rig.settle();
    rig.ask(2, "b", Ask::Owe("two"));
    rig.settle();
    assert_eq!(rig.sent.iter().map(|id| id.as_str()).collect::<Vec<_>>(), ["one", "two"]);
}

#[test]
fn a_reached_deadline_becomes_one_command() {
    let mut rig = Rig::ready();
    rig.ask(1, "a", Ask::Until(2000));
    assert_eq!(rig.submitted[0].1.deadline, Some(Timestamp(2000)), "the journal knows when to wake it");
    rig.settle();
    assert_eq!(rig.wake, Some(Timestamp(2000)));
    rig.now = 2000;
    rig.tick();
    rig.tick();
    assert_eq!(rig.submitted.len(), 1, "one tick in flight is enough");
    rig.settle();
    assert_eq!((rig.pipeline.confirmed().until, rig.wake), (None, None));
}

#[test]
fn a_deadline_past_at_load_is_ticked_before_anything_else() {
    let mut rig = Rig::ready();
    rig.ask(1, "a", Ask::Until(2000));
    rig.settle();
    rig.crash();
    rig.now = 3000;
    rig.ask(2, "b", Ask::Add(1));
    rig.load();
    assert!(rig.submitted[0].1.command_id.as_str().starts_with("tick/audit/toy/1/"));
    rig.settle();
    assert_eq!(rig.pipeline.confirmed().until, None);
}

#[test]
fn a_tick_that_was_refused_is_tried_again_later_not_at_once() {
    let mut rig = Rig::ready();
    rig.ask(1, "a", Ask::Until(2000));
    rig.settle();
    rig.now = 2000;
    rig.tick();
    rig.fail(Outcome::Unavailable, false);
    assert_eq!((rig.submitted.len(), rig.wake), (0, Some(Timestamp(7000))));
    rig.now = 7000;
    rig.tick();
    rig.settle();
    assert_eq!(rig.pipeline.confirmed().until, None);
}
