//! Any order of commands, outcomes, faults, crashes and reloads keeps the promises.
use super::rig::Rig;
use super::toy::{Ask, command_id};
use crate::codec;
use crate::contract::Outcome;
use proptest::prelude::*;
use std::collections::HashMap;
use tongdao_domain::machine::{Refusal, RefusalCode, Reply};

#[derive(Debug, Clone)]
enum Turn {
    Ask { id: u8, command: Ask },
    Step,
    Fail { outcome: u8, written: bool },
    Refuse { nth: usize },
    Load,
    Intrude,
    Crash,
    Tick,
    Checkpoint,
}

fn turns() -> impl Strategy<Value = Vec<Turn>> {
    let command = prop_oneof![
        6 => (1..40_i64).prop_map(Ask::Add),
        2 => Just(Ask::Read),
        1 => Just(Ask::Pass),
        1 => Just(Ask::Owe("debt")),
        1 => Just(Ask::Strike("debt")),
        1 => (0..4000_i64).prop_map(Ask::Until),
    ];
    let turn = prop_oneof![
        8 => (0..12_u8, command).prop_map(|(id, command)| Turn::Ask { id, command }),
        8 => Just(Turn::Step),
        2 => (0..2_u8, any::<bool>()).prop_map(|(outcome, written)| Turn::Fail { outcome, written }),
        1 => (0..8_usize).prop_map(|nth| Turn::Refuse { nth }),
        4 => Just(Turn::Load),
        1 => Just(Turn::Intrude),
        1 => Just(Turn::Crash),
        2 => Just(Turn::Tick),
        1 => Just(Turn::Checkpoint),
    ];
    proptest::collection::vec(turn, 1..80)
}

fn act(rig: &mut Rig, turn: Turn, asked: &mut u32) {
    rig.now += 20;
    match turn {
        Turn::Ask { id, command } => {
            *asked += 1;
            rig.ask(*asked, &format!("c{id}"), command);
        }
        Turn::Step if !rig.submitted.is_empty() => rig.step(),
        Turn::Fail { outcome, written } if !rig.submitted.is_empty() => match outcome {
            0 => rig.fail(Outcome::Unknown, written),
            _ => rig.fail(Outcome::Unavailable, false),
        },
        Turn::Refuse { nth } if nth < rig.submitted.len() => {
            let (ticket, _) = rig.submitted.remove(nth).expect("in range");
            rig.tell(ticket, Outcome::Unavailable);
        }
        Turn::Load if rig.loads > 0 => rig.load(),
        // Another writer: the chain that is in flight here breaks.
        Turn::Intrude => {
            let mut other = Rig::other();
            other.nonce += *asked * 100;
            other.store = std::mem::take(&mut rig.store);
            other.ask(0, &format!("other{asked}"), Ask::Add(1));
            other.settle();
            rig.store = other.store;
        }
        Turn::Crash => rig.crash(),
        Turn::Tick => rig.tick(),
        Turn::Checkpoint => {
            if let Some(state) = rig.pipeline.checkpoint() {
                rig.store.state = Some(state);
            }
        }
        Turn::Step | Turn::Fail { .. } | Turn::Refuse { .. } | Turn::Load => {}
    }
}

fn no_outcome(reply: &Reply) -> bool {
    matches!(reply, Reply::Refused(Refusal { code: RefusalCode::Busy, .. }))
}

/// Each answer once; what was stored under an id is what everybody hears who asked under it with its meaning.
fn check_answers(rig: &Rig, asked: &HashMap<u32, (String, Ask)>) {
    let mut seen = std::collections::HashSet::new();
    for (to, reply) in &rig.replies {
        assert!(seen.insert(*to), "request {to} was answered twice");
        let (id, ask) = &asked[to];
        let Some((fingerprint, stored)) = rig.store.answers.get(&command_id(id)) else { continue };
        let same = *fingerprint == <super::toy::Toy as tongdao_domain::machine::Machine>::fingerprint(ask);
        let stored: Reply = codec::decode(stored).expect("a reply");
        match reply {
            Reply::Refused(Refusal { code: RefusalCode::KeyReused, .. }) => assert!(!same, "refused its own meaning"),
            Reply::Adjusted { .. } if matches!(ask, Ask::Add(_)) => {
                assert!(same && stored == *reply, "an answer that is not in the journal: {id} {reply:?}, stored {stored:?}");
            }
            _ => {}
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]
    #[test]
    fn whatever_happens_answers_are_durable_and_states_are_replays(turns in turns()) {
        let mut rig = Rig::asleep();
        let (mut asked, mut log, mut crashed) = (0, HashMap::new(), std::collections::HashSet::new());
        for turn in turns {
            if let Turn::Ask { id, command } = &turn {
                log.insert(asked + 1, (format!("c{id}"), command.clone()));
            }
            if matches!(turn, Turn::Crash) {
                crashed.extend(1..=asked);
            }
            act(&mut rig, turn, &mut asked);
            check_answers(&rig, &log);
        }
        rig.settle();
        check_answers(&rig, &log);
        let heard: std::collections::HashSet<u32> = rig.replies.iter().map(|(to, _)| *to).chain(rig.forwards.iter().copied()).collect();
        prop_assert!((1..=asked).all(|to| heard.contains(&to) || crashed.contains(&to)), "somebody never heard");
        let added = |id: &str| rig.store.answers.contains_key(&command_id(id));
        for (to, reply) in &rig.replies {
            let (id, ask) = &log[to];
            prop_assert!(!matches!(ask, Ask::Add(_)) || no_outcome(reply) || matches!(reply, Reply::Refused(_)) || added(id), "an answer was lost");
        }
        if !rig.pipeline.is_loaded() {
            rig.tick();
        }
        rig.settle();
        let owes = !rig.store.replay().owing.is_empty();
        prop_assert!(!owes || rig.wake.is_some(), "something owed and no wake");
    }
}
