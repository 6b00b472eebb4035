//! Station modes by their history at the time of the tap, and journeys without an exit.
use super::*;
use crate::code::Code;
use crate::machine::Machine;
use crate::station::{Mode, ModeSpan};

impl Rider {
    /// A station is in these modes from now on.
    fn mode(&mut self, station: &str, modes: &[Mode]) -> &mut Self {
        let now = self.account.now;
        let station = &mut self.account.world.stations.get_mut(station).expect("a station").state;
        station.rev += 1;
        station.history.push(ModeSpan { from: now, rev: station.rev, modes: modes.iter().copied().collect(), until: None });
        self
    }
    /// The next deadline is reached.
    fn tick(&mut self) -> i64 {
        self.account.now = self.account.state.deadline().expect("a deadline");
        self.done(Command::Tick);
        self.balance()
    }
}

#[test]
fn a_missing_exit_closes_four_hours_after_the_business_day_at_the_policys_fare() {
    let mut rider = Rider::with(10_000);
    rider.enter("s0");
    let deadline = rider.account.state.deadline().expect("a deadline");
    assert_eq!(deadline, crate::testing::MORNING + Millis::hours(18 + 4), "02:00 next morning and four hours");
    rider.account.now = deadline - Millis(1);
    rider.done(Command::Tick);
    assert_eq!((rider.balance(), rider.held()), (10_000, 200), "not yet");
    assert_eq!((rider.tick(), rider.held()), (9_400, 0), "the highest single fare from s0");
    assert_eq!(rider.account.state.deadline(), None);
    assert_eq!(rider.enter("s1").code, Code::Ok, "nobody is already in the next day");
    assert_eq!(rider.account.replayed(), rider.account.state);
}

#[test]
fn an_entry_after_the_deadline_does_not_wait_for_the_tick() {
    let mut rider = Rider::with(10_000);
    rider.enter("s0");
    let entry = rider.wait(Millis::hours(30)).enter("s1");
    assert_eq!((entry.code, entry.balance), (Code::Ok, Some(Amount::from_fen(9_400))));
    assert_eq!(rider.account.replayed(), rider.account.state);
    let mut rider = Rider::with(10_000);
    rider.enter("s0");
    assert_eq!(rider.wait(Millis::hours(30)).leave("s1").code, Code::NoEntry, "its journey is over");
}

#[test]
fn a_late_exit_record_replaces_the_missing_exit() {
    let mut rider = Rider::with(10_000);
    rider.enter("s0");
    let exit = rider.wait(Millis::minutes(30)).new_tap(Direction::Exit, "s1");
    assert_eq!(rider.tick(), 9_400);
    assert_eq!(rider.record(&exit, Shown::Open, Some(Passage::Passed)), Reply::Done);
    assert_eq!(rider.balance(), 9_800);
    assert_eq!(rider.account.replayed(), rider.account.state);
}

#[test]
fn an_exit_in_an_emergency_is_free_whatever_the_account() {
    let mut rider = Rider::with(200);
    rider.enter("s0");
    rider.wait(Millis::minutes(20)).mode("s4", &[Mode::Emergency]);
    rider.done(Command::Freeze { by: by() });
    let exit = rider.leave("s4");
    assert_eq!((exit.code, exit.fare), (Code::WaivedByMode, Some(Amount::ZERO)));
    assert_eq!((rider.balance(), rider.held()), (200, 0));
    let again = rider.wait(Millis::minutes(1)).leave("s4");
    assert_eq!((again.code, again.fare), (Code::WaivedByMode, Some(Amount::ZERO)), "even without an entry");
}

#[test]
fn a_journey_that_an_emergency_cut_is_waived_at_the_next_entry() {
    let mut rider = Rider::with(10_000);
    rider.enter("s0");
    rider.wait(Millis::minutes(20)).mode("s2", &[Mode::Emergency]);
    rider.wait(Millis::minutes(20)).mode("s2", &[]);
    let entry = rider.wait(Millis::minutes(20)).enter("s1");
    assert_eq!((entry.code, rider.balance(), rider.held()), (Code::Ok, 10_000, 200));
    assert_eq!(rider.wait(Millis::minutes(20)).leave("s2").fare, Some(Amount::from_fen(200)));
    assert_eq!(rider.account.replayed(), rider.account.state);
}

#[test]
fn a_journey_that_an_emergency_cut_is_waived_at_its_deadline() {
    let mut rider = Rider::with(10_000);
    rider.enter("s0");
    rider.wait(Millis::minutes(20)).mode("s2", &[Mode::Emergency]);
    rider.wait(Millis::minutes(20)).mode("s2", &[]);
    assert_eq!((rider.tick(), rider.held()), (10_000, 0));
}

#[test]
fn an_emergency_before_or_after_a_journey_does_not_touch_it() {
    let mut rider = Rider::with(10_000);
    rider.mode("s2", &[Mode::Emergency]).wait(Millis::minutes(1)).mode("s2", &[]);
    rider.wait(Millis::minutes(1)).enter("s0");
    assert_eq!(rider.wait(Millis::minutes(1)).enter("s1").code, Code::AlreadyIn);
    assert_eq!(rider.tick(), 9_400);
}

#[test]
fn an_entry_in_an_emergency_opens_free() {
    let mut rider = Rider::with(0);
    rider.mode("s0", &[Mode::Emergency]);
    let entry = rider.enter("s0");
    assert_eq!((entry.code, entry.fare, rider.held()), (Code::WaivedByMode, None, 0));
    let again = rider.wait(Millis::minutes(1)).enter("s0");
    assert_eq!((again.code, rider.balance()), (Code::WaivedByMode, 0), "nobody is already in");
    assert_eq!(rider.tick(), 0);
}

#[test]
fn fare_waived_deducts_nothing_but_still_asks_for_an_entry() {
    let mut rider = Rider::with(200);
    rider.mode("s4", &[Mode::FareWaived]);
    assert_eq!(rider.leave("s4").code, Code::NoEntry);
    rider.enter("s0");
    let exit = rider.wait(Millis::minutes(20)).leave("s4");
    assert_eq!((exit.code, exit.fare, rider.balance()), (Code::WaivedByMode, Some(Amount::ZERO), 200));
}

#[test]
fn order_waived_accepts_a_missing_entry_from_the_cheapest_station_in_that_mode() {
    let mut rider = Rider::with(10_000);
    rider.mode("s3", &[Mode::OrderWaived]).mode("s0", &[Mode::OrderWaived]);
    let exit = rider.leave("s4");
    assert_eq!((exit.code, exit.fare), (Code::Ok, Some(Amount::from_fen(400))), "8,501 m from s3, not 18,001 m from s0");
    rider.mode("s3", &[]).mode("s0", &[]);
    assert_eq!(rider.wait(Millis::minutes(1)).leave("s4").code, Code::NoEntry);
}

#[test]
fn time_waived_knows_no_overstay() {
    let mut rider = Rider::with(10_000);
    rider.enter("s0");
    rider.wait(Millis::hours(5)).mode("s1", &[Mode::TimeWaived]);
    assert_eq!(rider.leave("s1").fare, Some(Amount::from_fen(200)));
}

#[test]
fn the_history_at_the_time_of_the_tap_counts_not_the_present_mode() {
    let mut rider = Rider::with(10_000);
    rider.enter("s0");
    rider.wait(Millis::minutes(20)).mode("s4", &[Mode::Emergency]);
    let exit = rider.wait(Millis::minutes(1)).new_tap(Direction::Exit, "s4");
    rider.wait(Millis::minutes(20)).mode("s4", &[]);
    assert_eq!(rider.record(&exit, Shown::Open, Some(Passage::Passed)), Reply::Done);
    assert_eq!((rider.balance(), rider.held()), (10_000, 0));
    let decided = rider.wait(Millis::minutes(1)).enter("s4");
    assert_eq!((decided.code, rider.held()), (Code::Ok, 200));
    assert!(matches!(rider.account.events.last(), Some(Event::TapDecided { mode_rev: 2, .. })), "what was looked at stands in the event");
}

#[test]
fn closed_lets_exits_leave_at_their_fare() {
    let mut rider = Rider::with(10_000);
    rider.enter("s0");
    rider.wait(Millis::minutes(20)).mode("s4", &[Mode::Closed]);
    assert_eq!(rider.leave("s4").fare, Some(Amount::from_fen(600)));
}
