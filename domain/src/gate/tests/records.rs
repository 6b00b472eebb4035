//! A gate's own account of its taps: whatever the order of arrival, the same watermark, gaps and debts.
use super::*;
use crate::account::{Doubt, Doubted, RecordOutcome};
use crate::id::CommandId;
use crate::machine::{Machine, OWED_AT_ONCE, OwedWhat, RefusalCode, Reply};
use crate::tap::{DecidedBy, Direction, Shown};
use crate::testing::{card, id};
use proptest::prelude::*;
use std::collections::BTreeSet;

pub(super) fn record(epoch: u64, seq: u64) -> Record {
    Record {
        tap: TapId { device: gate_of(STATION, 1), epoch, seq },
        direction: Direction::Entry,
        medium: Some(card("t1")),
        at: MORNING + Millis(seq.cast_signed()),
        mode: 0,
        by: DecidedBy::Gate,
        shown: Shown::Open,
        passage: Some(Passage::Passed),
    }
}

pub(super) fn batch(epoch: u64, seqs: &[u64]) -> Command {
    let first_seq = seqs.iter().min().copied().unwrap_or(1);
    Command::Records { epoch, first_seq, records: seqs.iter().map(|seq| record(epoch, *seq)).collect() }
}

fn ack(reply: Reply) -> RecordsAck {
    match reply {
        Reply::Records(ack) => ack,
        other => panic!("no ack: {other:?}"),
    }
}

fn refused(reply: Reply) -> RefusalCode {
    match reply {
        Reply::Refused(refusal) => refusal.code,
        other => panic!("not refused: {other:?}"),
    }
}

fn strike(gate: &mut Actor<Gate>, owed: CommandId) -> Reply {
    gate.ask(Command::Struck { owed, outcome: RecordOutcome::Taken, doubted: None })
}

#[test]
fn an_ack_tells_the_watermark_and_the_gaps() {
    let mut gate = gate();
    assert_eq!(ack(gate.ask(batch(7, &[1, 2, 5, 9]))), RecordsAck { epoch: 7, upto: 2, missing: vec![(3, 4), (6, 8)], rejected: vec![] });
    assert_eq!(ack(gate.ask(batch(7, &[3, 4]))), RecordsAck { epoch: 7, upto: 5, missing: vec![(6, 8)], rejected: vec![] });
    let events = gate.events.len();
    assert_eq!(ack(gate.ask(batch(7, &[1, 9]))).upto, 5);
    assert_eq!(gate.events.len(), events, "repeats change nothing");
}

#[test]
fn each_new_record_with_a_medium_is_owed_to_its_account_until_it_is_struck() {
    let mut gate = gate();
    let mut intrusion = record(7, 2);
    (intrusion.medium, intrusion.passage) = (None, Some(Passage::Intrusion));
    gate.ask(Command::Records { epoch: 7, first_seq: 1, records: vec![record(7, 1), intrusion, record(7, 3)] });
    let owed = gate.state.owed(&gate.me);
    let ids: Vec<&str> = owed.iter().map(|owed| owed.id.as_str()).collect();
    assert_eq!(ids, ["record/s1-g1/7/1", "record/s1-g1/7/3"]);
    assert!(matches!(&owed[0].what, OwedWhat::Command(command) if matches!(**command, crate::machine::Command::Account(_))));
    assert_eq!(gate.state.deadline(), Some(gate.now + gate.world.settings.owed_again));
    for owed in owed {
        assert_eq!(strike(&mut gate, owed.id.clone()), Reply::Done);
        assert_eq!(strike(&mut gate, owed.id), Reply::Done, "struck already");
    }
    assert_eq!((gate.state.owed(&gate.me).len(), gate.state.deadline()), (0, None));
    assert_eq!(gate.events.len(), 4);
}

#[test]
fn only_what_this_gate_owes_can_be_struck() {
    let mut gate = gate();
    for foreign in ["record/g9/7/1", "tap/s1-g1/7/1", "record/s1-g1/7/x", "record/s1-g1/7"] {
        assert_eq!(refused(strike(&mut gate, id_of(foreign))), RefusalCode::BadArgs, "{foreign}");
    }
}

fn id_of(text: &str) -> CommandId {
    CommandId::new(text).expect("a command id")
}

#[test]
fn the_same_sequence_with_another_meaning_is_rejected_and_kept_as_evidence() {
    let mut gate = gate();
    gate.ask(batch(7, &[1]));
    let mut other = record(7, 1);
    other.shown = Shown::Deny;
    let reply = gate.ask(Command::Records { epoch: 7, first_seq: 1, records: vec![other.clone(), record(7, 2)] });
    assert_eq!(ack(reply), RecordsAck { epoch: 7, upto: 2, missing: vec![], rejected: vec![(1, Code::KeyReused)] });
    let Some(Event::RecordsTaken { rejected, .. }) = gate.events.last() else { panic!("taken") };
    assert_eq!(rejected[0].record, other);
    let owed: Vec<String> = gate.state.owed(&gate.me).iter().map(|owed| owed.id.to_string()).collect();
    assert!(owed[0].starts_with("doubtful/s1-g1.7.1.") && owed.len() == 3, "the desk, and the first meaning of each: {owed:?}");
    assert_eq!(rejected[0].first.as_deref(), Some(&record(7, 1)), "what came first is at hand");
}

#[test]
fn below_the_window_of_meanings_a_contradiction_is_taken_as_a_repeat() {
    let mut gate = gate();
    gate.world.settings.record_prints_kept = 64;
    gate.ask(batch(7, &[1, 2, 100, 150]));
    let changed = |seq| Record { shown: Shown::Deny, ..record(7, seq) };
    let reply = gate.ask(Command::Records { epoch: 7, first_seq: 1, records: vec![changed(1), changed(100)] });
    assert_eq!(ack(reply).rejected, [(100, Code::KeyReused)]);
}

#[test]
fn a_batch_has_limits() {
    let mut gate = gate();
    let too_many: Vec<u64> = (1..=151).collect();
    assert_eq!(refused(gate.ask(batch(7, &too_many))), RefusalCode::BadArgs);
    assert_eq!(ack(gate.ask(batch(7, &too_many[..150]))).upto, 150);
    gate.world.settings.record_gaps_max = 100;
    let torn: Vec<u64> = (0..101).map(|n| 200 + 2 * n).collect();
    assert_eq!(refused(gate.ask(batch(7, &torn))), RefusalCode::WrongState);
    let mut foreign = record(7, 151);
    foreign.tap.device = id("g9");
    let records = vec![foreign];
    assert_eq!(refused(gate.ask(Command::Records { epoch: 7, first_seq: 151, records })), RefusalCode::BadArgs);
    let records = vec![record(8, 151)];
    assert_eq!(refused(gate.ask(Command::Records { epoch: 7, first_seq: 151, records })), RefusalCode::BadArgs);
    gate.world.gates.clear();
    assert_eq!(refused(gate.ask(batch(7, &[151]))), RefusalCode::NotFound);
}

#[test]
fn the_last_few_boots_keep_their_books() {
    let mut gate = gate();
    for epoch in 1..=4 {
        gate.now = gate.now + Millis(1);
        gate.ask(batch(epoch, &[1, 2]));
    }
    gate.now = gate.now + Millis(1);
    assert_eq!(ack(gate.ask(batch(1, &[3]))).upto, 3, "an older boot goes on where it was");
    gate.ask(batch(5, &[1]));
    let boots: Vec<u64> = gate.state.books.keys().copied().collect();
    assert_eq!(boots, [1, 3, 4, 5], "the one that was silent longest is closed");
    let owed: Vec<u64> = gate.state.owed_records.keys().copied().collect();
    assert_eq!(owed, [1, 2, 3, 4, 5], "what it owes it still owes");
    assert_eq!(gate.state.epoch, 5);
}

#[test]
fn a_day_offline_is_told_in_portions() {
    let mut gate = gate();
    for first in (1..5_000).step_by(100) {
        let seqs: Vec<u64> = (first..first + 100).collect();
        gate.ask(batch(7, &seqs));
    }
    let mut told = 0;
    while let Some(owed) = gate.state.owed(&gate.me).first().cloned() {
        assert!(gate.state.owed(&gate.me).len() <= OWED_AT_ONCE);
        strike(&mut gate, owed.id);
        told += 1;
    }
    assert_eq!(told, 5_000);
    assert_eq!(gate.state, gate.replayed());
}

/// What must not depend on the order of arrival.
fn essence(gate: &Gate) -> (Option<Book>, BTreeSet<u64>) {
    let owed = gate.owed_records.get(&7).map(|boot| boot.keys().copied().collect()).unwrap_or_default();
    (gate.books.get(&7).cloned(), owed)
}

proptest! {
    #[test]
    fn shuffled_repeated_and_cut_batches_end_the_same(
        order in Just((1_u64..=40).collect::<Vec<_>>()).prop_shuffle(),
        repeats in prop::collection::vec(1_u64..=40, 0..30),
        cut in 1_usize..20,
    ) {
        let mut straight = gate();
        straight.ask(batch(7, &(1..=40).collect::<Vec<_>>()));
        let mut shuffled = gate();
        let all: Vec<u64> = repeats.iter().copied().chain(order).chain(repeats.iter().copied()).collect();
        let mut last = None;
        for part in all.chunks(cut) {
            last = Some(ack(shuffled.ask(batch(7, part))));
        }
        prop_assert_eq!(essence(&straight.state), essence(&shuffled.state));
        prop_assert_eq!(last.map(|ack| (ack.upto, ack.missing)), Some((40, vec![])));
        prop_assert_eq!(shuffled.replayed(), shuffled.state);
    }

    #[test]
    fn the_ack_names_exactly_what_is_not_there(seqs in prop::collection::vec(1_u64..60, 1..40)) {
        let mut gate = gate();
        let reply = ack(gate.ask(batch(7, &seqs)));
        let there: BTreeSet<u64> = seqs.into_iter().collect();
        let highest = there.last().copied().unwrap_or(0);
        let missing: BTreeSet<u64> = reply.missing.iter().flat_map(|(from, to)| *from..=*to).collect();
        prop_assert_eq!(&missing, &(1..=highest).filter(|seq| !there.contains(seq)).collect::<BTreeSet<_>>());
        prop_assert_eq!(reply.upto, missing.first().map_or(highest, |first| first - 1));
    }
}

/// What the gate still has to tell the desk: reason and clock.
fn cases(gate: &Gate) -> Vec<(Doubt, Millis, bool)> {
    gate.owed_cases.values().map(|case| (case.doubt, case.clock, case.corrected)).collect()
}

#[test]
fn an_altered_copy_is_told_to_the_desk_once_however_often_it_comes() {
    let mut gate = gate();
    gate.ask(batch(7, &[1, 2]));
    let altered = |at: i64| Record { at: MORNING + Millis(at), ..record(7, 1) };
    for _ in 0..3 {
        let reply = gate.ask(Command::Records { epoch: 7, first_seq: 1, records: vec![altered(500), altered(500), record(7, 2)] });
        assert_eq!(ack(reply).rejected, [(1, Code::KeyReused), (1, Code::KeyReused)], "refused each time");
    }
    assert_eq!(cases(&gate.state).len(), 1);
    gate.ask(Command::Records { epoch: 7, first_seq: 1, records: vec![altered(700)] });
    let names: Vec<_> = gate.state.owed_cases.keys().cloned().collect();
    assert_eq!(names.len(), 2, "another copy is another case");
    for name in &names {
        assert_eq!(strike(&mut gate, id_of(&format!("doubtful/{name}"))), Reply::Done);
        assert_eq!(strike(&mut gate, id_of(&format!("doubtful/{name}"))), Reply::Done, "struck already");
    }
    assert!(cases(&gate.state).is_empty() && gate.state.deadline().is_some(), "two records are owed still");
    gate.world.settings.record_copies_max = 2;
    let events = gate.events.len();
    assert_eq!(ack(gate.ask(Command::Records { epoch: 7, first_seq: 1, records: vec![altered(900)] })).rejected.len(), 1);
    assert_eq!(gate.events.len(), events, "beyond the limit a copy is refused and nothing more");
}

#[test]
fn what_an_account_doubts_goes_to_the_desk_with_the_reason() {
    let mut gate = gate();
    gate.ask(batch(7, &[1]));
    let owed = gate.state.owed(&gate.me).remove(0).id;
    let doubted = Some(Doubted { doubt: Doubt::Twin, other: Some(record(7, 9).tap) });
    gate.ask(Command::Struck { owed, outcome: RecordOutcome::Doubtful, doubted });
    let owed = gate.state.owed(&gate.me);
    assert_eq!((owed.len(), owed[0].id.as_str()), (1, "doubtful/s1-g1.7.1"));
    assert_eq!(gate.state.owed_cases["s1-g1.7.1"].other, Some(record(7, 9).tap));
    assert!(gate.state.deadline().is_some());
    strike(&mut gate, owed[0].id.clone());
    assert_eq!((gate.state.owed(&gate.me).len(), gate.state.deadline()), (0, None));
    assert_eq!(gate.state, gate.replayed());
}

#[test]
fn times_of_a_gate_whose_clock_is_minutes_ahead_are_put_right_and_what_is_not_certain_is_evidence() {
    for (behind_s, corrected) in [(45, false), (-45, false), (300, false), (-300, true)] {
        let mut gate = gate();
        let twin = Twin { at: gate.now - Millis::seconds(behind_s), ..gate.state.twin.clone().expect("reported") };
        gate.ask(Command::State(twin));
        gate.ask(batch(7, &[1]));
        let Some(Event::RecordsTaken { clock, corrected: put_right, .. }) = gate.events.last() else { panic!("taken") };
        assert_eq!((*clock, *put_right), (Millis::seconds(behind_s), corrected));
        let owed = gate.state.owed(&gate.me).remove(0);
        let OwedWhat::Command(command) = owed.what else { panic!("a command") };
        let crate::machine::Command::Account(account::Command::Record { clock, .. }) = *command else { panic!("a record") };
        assert_eq!(clock, if corrected { Millis::seconds(behind_s) } else { Millis(0) });
    }
}

#[test]
fn a_shuffled_day_tears_many_gaps_and_is_taken_all_the_same() {
    let mut gate = gate();
    let odd: Vec<u64> = (0..2_500).map(|n| 2 * n + 1).collect();
    odd.chunks(150).for_each(|part| drop(ack(gate.ask(batch(7, part)))));
    assert_eq!(gate.state.books[&7].missing().len(), 2_499);
    let even: Vec<u64> = (1..=2_500).map(|n| 2 * n).collect();
    let last = even.chunks(150).map(|part| ack(gate.ask(batch(7, part)))).last().expect("an ack");
    assert_eq!((last.upto, last.missing), (5_000, vec![]));
}

#[test]
fn a_book_as_it_was_kept_at_first_still_tells_a_contradiction() {
    let mut gate = gate();
    let print = u64::try_from(record(7, 1).fingerprint().0 & u128::from(u64::MAX)).expect("half");
    let book = Book { taken: vec![(1, 1)], prints: [(1, print)].into(), ..Book::default() };
    gate.state.books.insert(7, book);
    assert!(ack(gate.ask(batch(7, &[1]))).rejected.is_empty());
    let changed = Record { shown: Shown::Deny, ..record(7, 1) };
    assert_eq!(ack(gate.ask(Command::Records { epoch: 7, first_seq: 1, records: vec![changed] })).rejected, [(1, Code::KeyReused)]);
}

/// Every bug of times that are put right makes the run above fail.
#[cfg(feature = "mutants")]
#[test]
fn every_planted_bug_of_times_is_caught() {
    use crate::mutant::{Mutant, plant};
    let caught = |mutant: Mutant| {
        plant(Some(mutant));
        let run = times_of_a_gate_whose_clock_is_minutes_ahead_are_put_right_and_what_is_not_certain_is_evidence;
        let lives = std::panic::catch_unwind(run).is_ok();
        plant(None);
        !lives
    };
    let alive: Vec<Mutant> = Mutant::TIMES.iter().copied().filter(|mutant| !caught(*mutant)).collect();
    assert_eq!(alive, []);
}
