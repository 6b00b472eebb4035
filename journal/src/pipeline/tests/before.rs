//! What must be durable before a command goes on: one commit under its own id, then the command is decided again.
use super::rig::Rig;
use super::toy::Ask;
use crate::contract::Outcome;
use crate::pipeline::Phase;
use tongdao_domain::machine::{RefusalCode, Reply};

#[test]
fn a_command_goes_on_once_what_stands_before_it_is_durable() {
    let mut rig = Rig::ready();
    rig.ask(1, "f", Ask::PassFrom(7));
    rig.ask(2, "g", Ask::PassFrom(7));
    assert_eq!(rig.submitted.len(), 1, "the second rests on the first");
    assert_eq!(rig.submitted[0].1.command_id.as_str(), "least/7");
    assert!(rig.forwards.is_empty());
    rig.settle();
    assert_eq!((rig.forwards.clone(), rig.replies.len()), (vec![1, 2], 0), "in their order, answered by whom they went to");
    rig.ask(3, "h", Ask::PassFrom(7));
    assert_eq!((rig.forwards.len(), rig.store.events.len()), (3, 1), "once");
    assert!(rig.pipeline.idle());
}

#[test]
fn the_same_command_again_meanwhile_goes_on_behind_it() {
    let mut rig = Rig::ready();
    rig.ask(1, "f", Ask::PassFrom(7));
    rig.ask(2, "f", Ask::PassFrom(7));
    rig.settle();
    assert_eq!((rig.forwards, rig.store.events.len()), (vec![1, 2], 1));
}

#[test]
fn a_full_disk_is_said_and_nothing_goes_on() {
    let mut rig = Rig::ready();
    rig.ask(1, "f", Ask::PassFrom(7));
    rig.ask(2, "g", Ask::PassFrom(7));
    rig.fail(Outcome::Unavailable, false);
    rig.fail(Outcome::Unavailable, false);
    assert!(rig.forwards.is_empty() && rig.pipeline.idle());
    let busy = |reply: &Reply| matches!(reply, Reply::Refused(refusal) if refusal.code == RefusalCode::Busy);
    assert!(rig.replies.len() == 2 && rig.replies.iter().all(|(_, reply)| busy(reply)), "{:?}", rig.replies);
}

#[test]
fn unknown_and_conflict_are_decided_again_whether_it_was_written_or_not() {
    for (outcome, written) in [
        (Outcome::Unknown, true),
        (Outcome::Unknown, false),
        (Outcome::Conflict { actual: None }, false),
        (Outcome::Conflict { actual: None }, true),
    ] {
        let mut rig = Rig::ready();
        rig.ask(1, "f", Ask::PassFrom(7));
        rig.fail(outcome.clone(), written);
        assert_eq!(rig.phase(), Phase::Loading);
        rig.settle();
        assert_eq!((&rig.forwards[..], rig.store.events.len()), (&[1][..], 1), "{outcome:?}, written: {written}");
    }
}

#[test]
fn what_somebody_else_wrote_meanwhile_is_read_and_the_command_goes_on() {
    let (mut rig, mut other) = (Rig::ready(), Rig::other());
    other.ask(1, "f", Ask::PassFrom(7));
    other.settle();
    rig.store = other.store;
    rig.ask(1, "g", Ask::PassFrom(7));
    rig.settle();
    assert_eq!((rig.forwards, rig.store.events.len(), rig.replies.len()), (vec![1], 1, 0));
}

#[test]
fn durable_while_settling_it_is_decided_again_in_its_order() {
    let mut rig = Rig::ready();
    rig.ask(1, "a", Ask::Add(1));
    rig.settle();
    rig.ask(2, "a", Ask::Add(1));
    rig.ask(3, "f", Ask::PassFrom(7));
    rig.ask(4, "b", Ask::Add(1));
    rig.settle();
    assert_eq!((rig.sums(), rig.forwards), (vec![(1, 1), (2, 1), (4, 8)], vec![3]));
}
