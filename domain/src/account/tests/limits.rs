//! Limits of the wallet classes: exactly the limit is allowed, 0.01 more is not; days and years roll at local midnight.
use super::*;
use crate::machine::RefusalCode;
use crate::time::Calendar;

/// A rider of class 4 whose limits are these, in fen.
fn limited(balance: i64, single: i64, day: i64, year: i64) -> Rider {
    let mut rider = Rider::of(WalletClass::Four, "adult", 8_000);
    let fen = |n| Some(Amount::from_fen(n));
    rider.account.world.limits.classes[3] = ClassLimits { balance: fen(balance), single: fen(single), day: fen(day), year: fen(year) };
    rider
}

/// In, 20 minutes, out; what the entry and the exit were told.
fn try_ride(rider: &mut Rider, from: &str, to: &str) -> (Code, Code) {
    let entry = rider.enter(from).code;
    let exit = rider.wait(Millis::minutes(20)).leave(to).code;
    rider.wait(Millis::minutes(1));
    (entry, exit)
}

#[test]
fn one_payment_may_be_exactly_the_limit() {
    assert_eq!(try_ride(&mut limited(10_000, 600, 10_000, 10_000), "s0", "s4"), (Code::Ok, Code::Ok));
    assert_eq!(try_ride(&mut limited(10_000, 599, 10_000, 10_000), "s0", "s4"), (Code::Ok, Code::LimitSingle));
    assert_eq!(try_ride(&mut limited(10_000, 199, 10_000, 10_000), "s0", "s4").0, Code::LimitSingle, "the hold counts, too");
}

#[test]
fn a_day_may_be_exactly_the_limit_and_holds_count() {
    let mut rider = limited(10_000, 10_000, 1_000, 10_000);
    assert_eq!(try_ride(&mut rider, "s0", "s4"), (Code::Ok, Code::Ok));
    assert_eq!(try_ride(&mut rider, "s0", "s3"), (Code::Ok, Code::Ok), "6.00 and 4.00 are exactly 10.00");
    assert_eq!(rider.enter("s0").code, Code::LimitDay, "not even the lowest fare is left");
    let mut rider = limited(10_000, 10_000, 999, 10_000);
    assert_eq!(try_ride(&mut rider, "s0", "s4"), (Code::Ok, Code::Ok));
    assert_eq!(try_ride(&mut rider, "s0", "s3"), (Code::Ok, Code::LimitDay), "0.01 more");
}

#[test]
fn a_year_may_be_exactly_the_limit() {
    let mut rider = limited(10_000, 10_000, 10_000, 1_000);
    assert_eq!(try_ride(&mut rider, "s0", "s4"), (Code::Ok, Code::Ok));
    rider.wait(Millis::hours(24));
    assert_eq!(try_ride(&mut rider, "s0", "s3"), (Code::Ok, Code::Ok));
    rider.wait(Millis::hours(24));
    assert_eq!(rider.enter("s0").code, Code::LimitYear);
    rider.wait(Millis::hours(24 * 365));
    assert_eq!(try_ride(&mut rider, "s0", "s3"), (Code::Ok, Code::Ok), "another year");
}

#[test]
fn days_roll_at_local_midnight_not_with_the_business_day() {
    let midnight = crate::testing::MORNING + Millis::hours(16);
    assert_eq!(Calendar::SHANGHAI.local_day(midnight - Millis(1)).0 + 1, Calendar::SHANGHAI.local_day(midnight).0);
    let mut rider = limited(10_000, 10_000, 600, 10_000);
    rider.account.now = midnight - Millis::minutes(21);
    assert_eq!(try_ride(&mut rider, "s0", "s4"), (Code::Ok, Code::Ok), "out one minute before midnight");
    rider.account.now = midnight - Millis(1);
    assert_eq!(rider.enter("s0").code, Code::LimitDay);
    rider.account.now = midnight;
    assert_eq!(try_ride(&mut rider, "s0", "s4"), (Code::Ok, Code::Ok), "the business day is the same, the day is not");
}

#[test]
fn the_balance_may_be_exactly_the_limit() {
    let mut rider = limited(10_000, 10_000, 10_000, 10_000);
    let credit = |fen| Command::Credit { amount: Amount::from_fen(fen), by: by() };
    assert!(matches!(rider.account.ask(credit(2_001)), Reply::Refused(refusal) if refusal.code == RefusalCode::WrongState));
    rider.done(credit(2_000));
    assert!(matches!(rider.account.ask(credit(0)), Reply::Refused(refusal) if refusal.code == RefusalCode::BadArgs));
    assert!(matches!(rider.account.ask(credit(-5)), Reply::Refused(refusal) if refusal.code == RefusalCode::BadArgs));
    assert_eq!(rider.balance(), 10_000);
}

#[test]
fn a_fact_counts_towards_limits_and_a_void_one_does_not() {
    let mut rider = limited(10_000, 10_000, 600, 10_000);
    rider.enter("s0");
    let exit = rider.wait(Millis::minutes(20)).new_tap(Direction::Exit, "s4");
    assert_eq!(rider.answer(&exit).code, Code::Ok);
    assert_eq!(rider.record(&exit, Shown::Deny, None), Reply::Done);
    assert_eq!(rider.wait(Millis::minutes(1)).leave("s4").code, Code::Ok, "what was voided is free again");
    assert_eq!(rider.wait(Millis::minutes(1)).enter("s0").code, Code::LimitDay);
}

#[test]
fn the_default_limits_are_those_of_digital_rmb_wallets() {
    let limits = WalletLimits::default();
    let yuan = |amount: Option<Amount>| amount.map(|amount| amount.fen() / 100);
    let all = |class| {
        let limits = limits.of(class);
        [yuan(limits.balance), yuan(limits.single), yuan(limits.day), yuan(limits.year)]
    };
    assert_eq!(all(WalletClass::Four), [Some(10_000), Some(2_000), Some(5_000), Some(50_000)]);
    assert_eq!(all(WalletClass::Three), [Some(20_000), Some(5_000), Some(10_000), None]);
    assert_eq!(all(WalletClass::Two), [Some(500_000), Some(50_000), Some(100_000), None]);
    assert_eq!(all(WalletClass::One), [None; 4]);
}
