//! From version to version: what is told, what is kept, and gates that come by any way to the same list.
use super::*;
use proptest::prelude::*;
use std::collections::BTreeSet;

/// A message to a gate.
#[derive(Debug, Clone)]
enum Down {
    Delta { from: u64, to: u64, add: Vec<Token>, remove: Vec<Token>, hash: ListHash },
    Full { to: u64, hash: ListHash },
}

impl Desk {
    /// What a gate is told that has this version.
    fn way(&self, have: u64) -> Down {
        let view = &self.list.world.deny;
        let (to, hash) = (view.version(), view.hash());
        let fold = match view.way_from(have, 4_096) {
            Way::Full => return Down::Full { to, hash },
            Way::There => Fold::default(),
            Way::By(fold) => fold,
        };
        Down::Delta { from: have, to, add: fold.add.into_iter().collect(), remove: fold.remove.into_iter().collect(), hash }
    }
    /// A gate hears something, and asks until it need not.
    fn hears(&self, gate: &mut Held, down: Down) {
        let mut down = down;
        for _ in 0..4 {
            let next = match down {
                Down::Delta { from, to, add, remove, hash } => gate.delta(from, to, add, &remove, hash),
                // What it fetches is the newest.
                Down::Full { to, hash } => gate.whole(to, self.list.state.published().cloned().collect(), hash),
            };
            let Next::Ask(have) = next else { return };
            down = self.way(have);
        }
        panic!("a gate that asks for ever");
    }
    fn agrees(&self, gate: &Held) {
        assert_eq!(gate.version(), self.list.state.version());
        assert!(gate.tokens().eq(self.list.state.published()), "{gate:?}");
        assert_eq!(gate.hash(), self.list.world.deny.hash());
    }
}

fn quick() -> Limits {
    Limits { version_every: Millis::seconds(1), gather: Millis(0), ..Limits::default() }
}

fn numbered(range: std::ops::Range<usize>) -> Vec<String> {
    range.map(|n| format!("token-{n:05}")).collect()
}

impl Desk {
    fn add_many(&mut self, range: std::ops::Range<usize>) {
        for some in numbered(range).chunks(TOKENS_PER_COMMAND_MAX) {
            let some: Vec<&str> = some.iter().map(String::as_str).collect();
            assert_eq!(self.add(&some), Reply::Done);
        }
    }
}

#[test]
fn more_than_a_message_goes_into_several_versions_and_far_too_much_into_one() {
    let mut desk = Desk::new(Limits { delta_bytes_max: 256 + 14 * 100, versions_behind_max: 3, ..quick() });
    desk.add_many(0..250);
    let mut sizes = Vec::new();
    for _ in 0..4 {
        desk.wait(Millis::seconds(1));
        sizes.push(desk.list.state.published().count());
    }
    assert_eq!((sizes, desk.version()), (vec![100, 200, 250, 250], 3));
    desk.add_many(1_000..1_301);
    desk.wait(Millis::seconds(1));
    assert_eq!((desk.version(), desk.list.state.published().count()), (4, 551), "gates fetch it");
    assert_eq!(desk.list.replayed(), desk.list.state);
}

#[test]
fn the_oldest_changes_go_first() {
    let mut desk = Desk::new(Limits { delta_bytes_max: 256 + 5 * 2, ..quick() });
    desk.add(&["zz"]);
    desk.list.now = desk.list.now + Millis(1);
    desk.add(&["aa", "bb"]);
    desk.wait(Millis::seconds(1));
    assert_eq!(desk.published(), ["aa", "zz"]);
    desk.wait(Millis::seconds(1));
    assert_eq!(desk.published(), ["aa", "bb", "zz"]);
}

#[test]
fn differences_are_kept_up_to_their_limits_and_no_gap_is_told() {
    let mut desk = Desk::new(Limits { deltas_kept_max: 3, delta_tokens_kept_max: 8, ..quick() });
    for version in 0..5 {
        desk.add_many(version..version + 1);
        desk.wait(Millis::seconds(1));
    }
    assert_eq!(desk.list.state.deltas.iter().map(|delta| delta.to).collect::<Vec<_>>(), [3, 4, 5]);
    assert!(matches!(desk.way(2), Down::Delta { from: 2, to: 5, .. }));
    assert!(matches!(desk.way(1), Down::Full { to: 5, .. }), "version 2 is not kept");
    assert!(matches!(desk.way(6), Down::Full { to: 5, .. }), "a version of a history that was lost");
    desk.add_many(10..17);
    desk.wait(Millis::seconds(1));
    assert_eq!(desk.list.state.deltas.len(), 2, "by tokens, too");
    assert_eq!(DenyView::of(&desk.list.state), desk.list.world.deny, "after a restart it is the same");
}

#[test]
fn a_fold_has_neither_what_came_and_went_nor_what_went_and_came() {
    let delta = |to, add: &[&str], remove: &[&str]| Delta { to, add: ids(add), remove: ids(remove), hash: hash_of([]) };
    let fold = fold(&[delta(1, &["a", "b"], &["x"]), delta(2, &["x"], &["a", "y"]), delta(3, &["c"], &[])]);
    let sorted = |tokens: &BTreeSet<Token>| tokens.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!((sorted(&fold.add), sorted(&fold.remove)), (vec!["b".into(), "c".into()], vec!["y".to_owned()]));
}

#[test]
fn a_gate_with_a_list_that_is_not_what_it_should_be_finds_out() {
    let mut desk = Desk::new(quick());
    desk.add(&["t1", "t2"]);
    desk.wait(Millis::seconds(1));
    let mut gate = Held::default();
    let _ = gate.whole(1, ids(&["t1"]).into_iter().collect(), hash_of(&ids(&["t1"])));
    assert_eq!(gate.delta(1, 1, vec![], &[], desk.list.world.deny.hash()), Next::Ask(0));
    desk.hears(&mut gate, desk.way(0));
    desk.agrees(&gate);
    let bad = gate.whole(9, BTreeSet::new(), hash_of(&ids(&["t1"])));
    assert_eq!((bad, gate.version()), (Next::Ask(0), 1), "a body that is not what was promised is thrown away");
}

/// What happens to a list.
#[derive(Debug, Clone)]
enum Step {
    Add(Vec<u8>),
    Remove(u8),
    Account(u8, bool),
    Wait(i64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => proptest::collection::vec(0u8..24, 1..5).prop_map(Step::Add),
        3 => (0u8..24).prop_map(Step::Remove),
        2 => (0u8..24, any::<bool>()).prop_map(|(token, deny)| Step::Account(token, deny)),
        3 => (0i64..1_500).prop_map(Step::Wait),
    ]
}

fn do_step(desk: &mut Desk, step: &Step) {
    let name = |n: &u8| format!("t{n}");
    match step {
        Step::Add(tokens) => {
            let names: Vec<String> = tokens.iter().map(name).collect();
            let _ = desk.add(&names.iter().map(String::as_str).collect::<Vec<_>>());
        }
        Step::Remove(token) => drop(desk.remove(&[&name(token)])),
        Step::Account(token, true) => drop(desk.account(&[(&name(token), Why::Debt)], &[])),
        Step::Account(token, false) => drop(desk.account(&[], &[&name(token)])),
        Step::Wait(ms) => desk.wait(Millis(*ms)),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    /// Whatever happens to the list, whatever is lost, doubled or late on the way to a gate, and whatever it began with.
    #[test]
    fn every_gate_ends_with_the_list_that_is(
        steps in proptest::collection::vec(step(), 1..60),
        fates in proptest::collection::vec(0u8..5, 60),
        begins in 0u64..4,
        kept in 1usize..6,
        bytes in 256usize + 12..400,
    ) {
        let mut desk = Desk::new(Limits { deltas_kept_max: kept, delta_bytes_max: bytes, ..quick() });
        let mut gate = Held::default();
        let _ = gate.whole(begins, ids(&["t3", "alien"]).into_iter().collect(), hash_of(&ids(&["alien", "t3"])));
        let mut late: Vec<Down> = Vec::new();
        for (step, fate) in steps.iter().zip(&fates) {
            let before = desk.version();
            do_step(&mut desk, step);
            for version in before..desk.version() {
                match fate {
                    0 => {}
                    1 => late.push(desk.way(version)),
                    2 => {
                        desk.hears(&mut gate, desk.way(version));
                        desk.hears(&mut gate, desk.way(version));
                    }
                    _ => desk.hears(&mut gate, desk.way(version)),
                }
            }
            if *fate == 4 {
                late.drain(..).for_each(|down| desk.hears(&mut gate, down));
            }
        }
        desk.wait(Millis::minutes(5));
        while desk.list.state.due.is_some() {
            desk.wait(Millis::seconds(1));
        }
        late.drain(..).for_each(|down| desk.hears(&mut gate, down));
        // It says which version it has, and is told the way where that is another.
        if gate.version() != desk.version() {
            let way = desk.way(gate.version());
            desk.hears(&mut gate, way);
        }
        let way = desk.way(gate.version());
        desk.hears(&mut gate, way);
        desk.agrees(&gate);
        prop_assert_eq!(desk.list.replayed(), desk.list.state.clone());
        prop_assert_eq!(DenyView::of(&desk.list.state), desk.list.world.deny.clone());
        prop_assert!(desk.list.state.pending.is_empty());
        prop_assert_eq!(desk.list.state.entries.len(), desk.list.state.published().count(), "nothing is left behind");
        prop_assert_eq!(desk.list.state.newest.as_ref().map_or(0, |newest| newest.count), desk.list.state.published().count() as u64);
    }
}
