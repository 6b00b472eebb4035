//! One tap, straight: entry, exit, and every refusal by its code.
use super::*;
use crate::machine::{Machine, RefusalCode};

#[test]
fn entry_then_exit_charges_the_published_fare() {
    let mut rider = Rider::with(10_000);
    let entry = rider.enter("s0");
    assert_eq!((entry.code, entry.fare, entry.balance), (Code::Ok, None, Some(Amount::from_fen(10_000))));
    assert_eq!((rider.held(), rider.balance()), (200, 10_000));
    let exit = rider.wait(Millis::minutes(30)).leave("s4");
    assert_eq!((exit.code, exit.fare, exit.balance), (Code::Ok, Some(Amount::from_fen(600)), Some(Amount::from_fen(9_400))));
    assert_eq!(exit.journey, entry.journey);
    assert_eq!((rider.held(), rider.balance()), (0, 9_400));
    assert_eq!(entry.reference, Some(reference("a1", 1)));
    assert_eq!(exit.reference, Some(reference("a1", 2)));
    assert_eq!(rider.account.replayed(), rider.account.state);
}

#[test]
fn fares_follow_the_distance() {
    let mut rider = Rider::with(10_000);
    assert_eq!([rider.ride("s0", "s1"), rider.ride("s0", "s2"), rider.ride("s0", "s3"), rider.ride("s4", "s0")], [200, 200, 400, 600]);
    assert_eq!(rider.ride("s1", "s1"), 200, "the same station costs the lowest fare");
    assert_eq!(rider.balance(), 10_000 - 1_600);
}

#[test]
fn passenger_classes_are_data() {
    assert_eq!(Rider::of(WalletClass::One, "stored_value", 1_000).ride("s0", "s4"), 540);
    assert_eq!(Rider::of(WalletClass::One, "pupil", 1_000).ride("s0", "s4"), 300);
    let mut account = Rider::with(0).account;
    account.state = Account::default();
    let open = Command::Open {
        class: WalletClass::One,
        passenger_class: "wizard".into(),
        balance: Amount::ZERO,
        currency: Currency::CNY,
        by: by(),
    };
    assert!(matches!(account.ask(open), Reply::Refused(refusal) if refusal.code == RefusalCode::BadArgs));
}

#[test]
fn an_entry_while_one_is_open_is_already_in_pending_included() {
    let mut rider = Rider::with(10_000);
    let first = rider.enter("s0");
    assert_eq!(rider.wait(Millis::minutes(1)).enter("s1").code, Code::AlreadyIn);
    assert_eq!(rider.passage(&first, Passage::NotPassed), Reply::Done);
    assert_eq!(rider.held(), 0);
    assert_eq!(rider.enter("s1").code, Code::Ok);
}

#[test]
fn an_exit_without_entry_is_refused() {
    let mut rider = Rider::with(10_000);
    let exit = rider.leave("s0");
    assert_eq!((exit.code, exit.reference, exit.fare), (Code::NoEntry, None, None));
    assert_eq!(rider.balance(), 10_000);
}

#[test]
fn exactly_enough_is_enough() {
    for (fen, entry, exit) in [(199, Code::Insufficient, Code::NoEntry), (200, Code::Ok, Code::Insufficient), (600, Code::Ok, Code::Ok)] {
        let mut rider = Rider::with(fen);
        assert_eq!(rider.enter("s0").code, entry, "{fen} fen");
        assert_eq!(rider.wait(Millis::minutes(20)).leave("s4").code, exit, "{fen} fen");
    }
}

#[test]
fn a_frozen_account_takes_no_taps() {
    let mut rider = Rider::with(10_000);
    rider.done(Command::Freeze { by: by() });
    assert_eq!(rider.enter("s0").code, Code::Frozen);
    rider.done(Command::Freeze { by: by() });
    rider.done(Command::Unfreeze { by: by() });
    assert_eq!(rider.enter("s0").code, Code::Ok);
}

#[test]
fn a_medium_that_is_not_linked_is_misrouted() {
    let mut rider = Rider::with(10_000);
    rider.done(Command::Unlink { token: id(CARD), by: by() });
    let tap = rider.new_tap(Direction::Entry, "s0");
    assert_eq!(rider.account.decide(Rider::command(&tap)), Decision::Misrouted);
    rider.done(Command::Link { token: id(CARD), kind: MediumKind::Card, by: by() });
    assert_eq!(rider.answer(&tap).code, Code::Ok);
    assert_eq!(rider.account.state.media.len(), 1, "its place does not change");
}

#[test]
fn nothing_is_decided_past_the_deadline() {
    let mut rider = Rider::with(10_000);
    let tap = rider.new_tap(Direction::Entry, "s0");
    let late = rider.wait(Millis(251)).account.decide(Rider::command(&tap));
    assert!(matches!(late, Decision::Ask { otherwise: Reply::Tap(decision) } if decision.code == Code::Expired));
    let tap = rider.new_tap(Direction::Entry, "s0");
    assert_eq!(rider.wait(Millis(250)).answer(&tap).code, Code::Ok, "exactly at the deadline is in time");
}

#[test]
fn the_stay_limit_is_inclusive_and_an_overstay_is_collected_at_the_desk() {
    let mut rider = Rider::with(10_000);
    rider.enter("s0");
    assert_eq!(rider.wait(Millis::minutes(240)).leave("s1").code, Code::Ok, "240:00 is fine");
    assert_eq!(rider.wait(Millis::minutes(1)).enter("s0").code, Code::Ok);
    assert_eq!(rider.adjust(AdjustKind::Overstay, "s1", None), refused(RefusalCode::WrongState, "the stay is not too long"));
    assert_eq!(rider.wait(Millis::seconds(240 * 60 + 1)).leave("s1").code, Code::Overstay, "240:01 is not");
    assert_eq!(rider.balance(), 9_800);
    let collected = rider.adjust(AdjustKind::Overstay, "s1", None);
    assert_eq!(collected, Reply::Adjusted { fare: Amount::from_fen(500) }, "the highest single fare from s1: 16,801 m to s4");
    assert_eq!(rider.adjust(AdjustKind::Overstay, "s1", None), refused(RefusalCode::WrongState, "the overstay is collected already"));
    let exit = rider.leave("s1");
    assert_eq!((exit.code, exit.fare), (Code::Ok, Some(Amount::from_fen(200))), "then the exit tap pays the ride");
    assert_eq!((rider.balance(), rider.held()), (9_800 - 700, 0));
    assert_eq!(rider.account.replayed(), rider.account.state);
}

#[test]
fn a_table_may_refuse_the_same_station() {
    let mut rider = Rider::with(10_000);
    let version = |world: &mut World| world.fares.values_mut().next().expect("a table").versions[0].clone();
    let refuse = crate::fare::FareVersion { same_station: crate::fare::SameStation::Refuse, ..version(&mut rider.account.world) };
    rider.account.world.fares.values_mut().for_each(|table| table.versions = vec![refuse.clone()]);
    rider.enter("s0");
    assert_eq!(rider.wait(Millis::minutes(1)).leave("s0").code, Code::SameStation);
    assert_eq!(rider.leave("s1").code, Code::Ok);
}

#[test]
fn a_flat_fare_opens_and_closes_with_one_tap() {
    let mut rider = Rider::with(1_000);
    let flat = crate::fare::FareVersion { scheme: crate::fare::Scheme::Flat(Amount::from_fen(250)), ..crate::fare::tests::chengdu() };
    rider.account.world.fares.values_mut().for_each(|table| table.versions = vec![flat.clone()]);
    for left in [750, 500, 250] {
        let tap = rider.wait(Millis::minutes(1)).enter("s0");
        assert_eq!((tap.code, tap.fare, rider.balance()), (Code::Ok, Some(Amount::from_fen(250)), left));
    }
    assert_eq!(rider.leave("s0").code, Code::NoEntry);
    assert_eq!((rider.held(), rider.account.state.deadline()), (0, None));
}

#[test]
fn the_same_medium_at_the_same_gate_at_once_gets_the_same_answer() {
    let mut rider = Rider::with(10_000);
    let first = rider.enter("s0");
    let second = rider.wait(Millis::seconds(3)).enter("s0");
    assert_eq!((second.code, &second.reference, &second.journey), (Code::Ok, &first.reference, &first.journey));
    assert_eq!(rider.wait(Millis(3001)).enter("s0").code, Code::AlreadyIn);
    let out = rider.wait(Millis::minutes(9)).leave("s4");
    let again = rider.wait(Millis::seconds(2)).leave("s4");
    assert_eq!((again.code, again.fare, &again.reference, &again.journey), (Code::Ok, out.fare, &out.reference, &out.journey));
    assert_eq!(rider.balance(), 9_400);
    assert_eq!(rider.account.replayed(), rider.account.state);
}

#[test]
fn the_retap_window_can_be_off() {
    let mut rider = Rider::with(10_000);
    rider.account.world.settings.retap_window = Millis(0);
    rider.enter("s0");
    assert_eq!(rider.enter("s0").code, Code::AlreadyIn);
}

pub(super) fn refused(code: RefusalCode, hint: &str) -> Reply {
    crate::machine::Refusal::reply(code, hint)
}

#[test]
fn a_gate_whose_clock_is_behind_makes_no_repeat_and_no_second_entry() {
    let mut rider = Rider::with(10_000);
    let first = rider.enter("s0");
    let mut behind = rider.wait(Millis::seconds(5)).new_tap(Direction::Entry, "s0");
    behind.at = behind.at - Millis::seconds(30);
    let decide_by = rider.account.now + Millis(250);
    let mut ask = |tap: &Tap| match rider.account.ask(Command::Tap { tap: tap.clone(), station: id("s0"), decide_by }) {
        Reply::Tap(decision) => decision,
        other => panic!("no answer to a tap: {other:?}"),
    };
    let answer = ask(&behind);
    assert_eq!((answer.code, answer.reference), (Code::AlreadyIn, None), "25 s before the first by its own clock");
    behind.at = decide_by - Millis(4_250);
    behind.id.seq += 1;
    assert_eq!(ask(&behind).reference, first.reference, "within 3 s after it: a repeat");
    assert_eq!((rider.held(), rider.balance()), (200, 10_000));
    assert_eq!(rider.account.replayed(), rider.account.state);
}
