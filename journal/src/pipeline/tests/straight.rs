//! The straight path: load, decide, commit, release.
use super::rig::Rig;
use super::toy::{Ask, Toy};
use crate::contract::{Expected, Loaded};
use crate::pipeline::{Env, Limits, Phase, Pipeline, ReplayError};
use tongdao_domain::entity::{EntityKey, EntityKind};
use tongdao_domain::machine::{RefusalCode, Reply};
use tongdao_domain::time::Timestamp;
use tongdao_domain::world::World;

#[test]
fn the_first_command_asks_for_the_entity_once_and_waits() {
    let mut rig = Rig::asleep();
    rig.ask(1, "a", Ask::Add(1));
    rig.ask(2, "b", Ask::Add(2));
    assert_eq!((rig.loads, rig.submitted.len(), rig.phase()), (1, 0, Phase::Loading));
    rig.settle();
    assert_eq!(rig.sums(), [(1, 1), (2, 3)]);
}

#[test]
fn an_answer_leaves_only_after_its_commit() {
    let mut rig = Rig::ready();
    rig.ask(1, "a", Ask::Add(5));
    assert_eq!((rig.replies.len(), rig.released), (0, 0));
    assert_eq!(rig.pipeline.confirmed().sum, 0, "not durable, not confirmed");
    rig.step();
    assert_eq!((rig.sums(), rig.released), (vec![(1, 5)], 1));
    assert_eq!(rig.pipeline.confirmed().sum, 5);
}

#[test]
fn commits_are_chained_in_flight() {
    let mut rig = Rig::ready();
    for n in 1..=3 {
        rig.ask(n, &format!("c{n}"), Ask::Add(1));
    }
    let chain: Vec<_> = rig.submitted.iter().map(|(_, commit)| (commit.expected, commit.next)).collect();
    assert_eq!(chain[0].0, Expected::Absent);
    assert_eq!(chain[1].0, Expected::Etag(chain[0].1));
    assert_eq!(chain[2].0, Expected::Etag(chain[1].1));
    rig.settle();
    assert_eq!(rig.sums(), [(1, 1), (2, 2), (3, 3)]);
}

#[test]
fn a_question_is_answered_from_the_state_it_was_asked_on() {
    let mut rig = Rig::ready();
    rig.ask(1, "a", Ask::Add(5));
    rig.ask(2, "q", Ask::Read);
    rig.ask(3, "b", Ask::Add(1));
    assert!(rig.submitted[1].1.events.is_empty());
    rig.settle();
    assert_eq!(rig.sums(), [(1, 5), (2, 5), (3, 6)]);
    assert_eq!(rig.store.events.len(), 2, "a question stores nothing");
}

#[test]
fn a_forward_waits_for_what_it_was_decided_on() {
    let mut rig = Rig::ready();
    rig.ask(1, "f", Ask::Pass);
    assert_eq!(rig.forwards, [1], "nothing in flight: at once");
    rig.ask(2, "a", Ask::Add(5));
    rig.ask(3, "g", Ask::Pass);
    rig.ask(4, "h", Ask::Lost);
    assert_eq!((rig.forwards.len(), rig.misrouted.len()), (1, 0), "what they rest on is not durable");
    rig.step();
    assert_eq!((rig.forwards, rig.misrouted), (vec![1, 3], vec![4]));
    assert!(rig.pipeline.idle());
}

#[test]
fn the_memory_hears_of_each_command_and_each_answer() {
    let mut rig = Rig::ready();
    rig.ask(1, "a", Ask::Add(5));
    rig.ask(2, "f", Ask::Pass);
    rig.settle();
    let (world, reply) = (World::default(), super::toy::sum(1));
    let env = Env { world: &world, now: Timestamp(0), nonce: 0 };
    rig.pipeline.answered(&super::toy::command_id("f"), &reply, &env);
    assert_eq!((rig.pipeline.memory.arrived, rig.pipeline.memory.answered), (2, 2));
}

#[test]
fn the_state_goes_along_after_so_many_events() {
    let mut rig = Rig::ready();
    for n in 1..=5 {
        rig.ask(n, &format!("c{n}"), Ask::Add(1));
    }
    let with_state: Vec<_> = rig.submitted.iter().map(|(_, commit)| commit.state.is_some()).collect();
    assert_eq!(with_state, [false, false, false, true, false]);
    rig.settle();
    assert_eq!(rig.pipeline.observe().since_checkpoint, 1);
    let (version, _) = rig.pipeline.checkpoint().expect("newer than what is written");
    assert_eq!((version, rig.pipeline.checkpoint()), (5, None), "once");
    rig.crash();
    rig.tick();
    rig.settle();
    assert_eq!(rig.pipeline.confirmed().sum, 5, "state and tail make the same");
}

#[test]
fn time_of_an_entity_never_goes_back() {
    let mut rig = Rig::ready();
    rig.ask(1, "a", Ask::Add(1));
    rig.now -= 500;
    rig.ask(2, "b", Ask::Add(1));
    assert!(rig.submitted[1].1.at >= rig.submitted[0].1.at);
}

#[test]
fn a_history_with_a_hole_is_refused() {
    let mut rig = Rig::ready();
    rig.ask(1, "a", Ask::Add(1));
    rig.ask(2, "b", Ask::Add(1));
    rig.settle();
    let mut pipeline = Pipeline::<Toy, u32>::new(EntityKey::new(EntityKind::Audit, "toy"), Limits::default());
    let env = Env { world: &rig.world, now: Timestamp(0), nonce: 0 };
    let mut effects = Vec::new();
    pipeline.tick(&env, &mut effects);
    let mut loaded = rig.store.load();
    loaded.events.pop();
    assert!(matches!(pipeline.loaded(&loaded, &env, &mut effects), Err(ReplayError::Gap { found: 1, expected: 2 })));
    loaded.events[0].1.clear();
    assert!(matches!(pipeline.loaded(&loaded, &env, &mut effects), Err(ReplayError::Event { version: 1, .. })));
    let unreadable = Loaded { state: Some((2, vec![9])), ..Loaded::default() };
    assert!(matches!(pipeline.loaded(&unreadable, &env, &mut effects), Err(ReplayError::State { version: 2, .. })));
}

#[test]
fn what_was_decided_on_an_older_revision_is_refused_and_a_repeat_gets_its_first_answer() {
    let mut rig = Rig::ready();
    rig.ask_if(1, "a", Ask::Add(5), Some(0));
    rig.ask_if(2, "b", Ask::Add(1), Some(0));
    rig.settle();
    rig.ask_if(3, "a", Ask::Add(5), Some(0));
    rig.ask_if(4, "c", Ask::Add(1), Some(5));
    rig.settle();
    assert_eq!(rig.sums(), [(1, 5), (2, -1), (3, 5), (4, 6)], "the same id again has moved the revision on itself");
    let refused = rig.replies.iter().find(|(to, _)| *to == 2).map(|(_, reply)| reply.clone());
    assert!(matches!(refused, Some(Reply::Refused(refusal)) if refusal.code == RefusalCode::StaleRev));
    assert_eq!(rig.store.events.len(), 2);
}
