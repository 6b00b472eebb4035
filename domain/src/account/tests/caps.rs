//! Caps, transfers and free rides at the gate, against a reference that looks at a rider's whole history each time; late
//! facts, forgotten taps, and the bugs that are planted for them.
use super::*;
use crate::fare::tests::chengdu;
use crate::fare::{Cap, Concession, Days, FareVersion, Limit, Pays, Period, Scheme, Since, Transfer, Window};
use crate::testing::MORNING;

pub(super) fn cap(id: &str, per: Period, limit: Limit) -> Cap {
    Cap { id: id.into(), per, limit, classes: Vec::new(), zones: None, groups: Vec::new() }
}

/// Chengdu's ladder with a cap a day, free rides and a cheaper ride soon after another.
pub(super) fn capped() -> FareVersion {
    let mut version = chengdu();
    version.more.caps =
        vec![cap("day", Period::Day, Limit::Amount(Amount::from_fen(1_000))), cap("free", Period::Rolling(7), Limit::PaidRides(4))];
    version.more.transfers = vec![Transfer {
        within: Millis::minutes(30),
        since: Since::LastExit,
        times_max: Some(2),
        between: Vec::new(),
        pays: Pays::Off(Amount::from_fen(100)),
    }];
    version
}

/// One price; 5.00 a day, eight paid rides in seven days, one free ride within half an hour.
pub(super) fn flat() -> FareVersion {
    let mut version = FareVersion { scheme: Scheme::Flat(Amount::from_fen(200)), ..chengdu() };
    version.more.caps =
        vec![cap("day", Period::Day, Limit::Amount(Amount::from_fen(500))), cap("week", Period::Rolling(7), Limit::PaidRides(8))];
    version.more.transfers =
        vec![Transfer { within: Millis::minutes(30), since: Since::FirstEntry, times_max: Some(1), between: Vec::new(), pays: Pays::Free }];
    version
}

pub(super) fn rider(version: FareVersion, fen: i64) -> Rider {
    let mut rider = Rider::with(fen);
    rider.account.world = World::for_tests_with(FareTable { currency: Currency::CNY, calendar: None, versions: vec![version] });
    rider
}

/// What a ride under [`flat`] costs after all rides before it, each with its moment and what it cost.
fn reference(before: &[(i64, i64, bool)], at: i64) -> (i64, bool) {
    const HALF_HOUR: i64 = 1_800_000;
    const DAY: i64 = 86_400_000;
    let day = |at: i64| (at + 6 * 3_600_000).div_euclid(DAY);
    let transfer = before.last().is_some_and(|(last, _, transfer)| !transfer && at - last <= HALF_HOUR);
    let today: i64 = before.iter().filter(|(was, ..)| day(*was) == day(at)).map(|(_, paid, _)| paid).sum();
    let mut week: (i64, usize) = (i64::MIN, 0);
    for (was, paid) in before.iter().map(|(was, paid, _)| (*was, *paid)).chain([(at, 0)]) {
        if week.0 == i64::MIN || was >= week.0 + 7 * DAY {
            week = (was, 0);
        }
        week.1 += usize::from(paid > 0);
    }
    let fare = if transfer || week.1 >= 8 { 0 } else { 200.min(500 - today) };
    (fare, transfer)
}

/// Three weeks of rides at all hours: far more than the taps that are kept.
fn three_weeks() {
    let mut rider = rider(flat(), 100_000);
    let (mut rides, mut chance) = (Vec::new(), 7_u64);
    let end = MORNING + Millis::hours(21 * 24);
    while rider.account.now < end {
        chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let gaps = [7, 29, 30, 31, 95, 160, 420, 700, 1_300];
        rider.wait(Millis::minutes(gaps[usize::try_from(chance >> 33).unwrap_or(0) % gaps.len()]));
        let at = rider.account.now.0;
        let (fare, transfer) = reference(&rides, at);
        let paid = rider.enter(STATION).fare.expect("a fare").fen();
        assert_eq!(paid, fare, "ride {} at {at}", rides.len());
        rides.push((at, paid, transfer));
    }
    assert!(rides.len() > 60 && rider.account.state.kept_from > MORNING, "taps were forgotten");
    let spent: i64 = rides.iter().map(|(_, paid, _)| paid).sum();
    assert_eq!(rider.balance(), 100_000 - spent);
    is_as_walked(&rider);
}

/// A late fact would be priced by the taps that are kept: they must lead to where the account stands.
fn is_as_walked(rider: &Rider) {
    let me = crate::entity::EntityKey::new(crate::entity::EntityKind::Account, "a1");
    crate::invariant::account_is_as_walked(&me, &rider.account.state, &rider.account.world).expect("as its taps make it");
}

const STATION: &str = "s0";

#[test]
fn three_weeks_of_rides_cost_what_the_whole_history_says() {
    three_weeks();
}

/// A ride that a gate decided alone comes in last and was made first: later rides are cheaper by what it takes from the cap.
fn a_late_ride() {
    let mut rider = rider(flat(), 10_000);
    let late = tap(&gate_of("s1", 1), 9, 1, Direction::Entry, CARD, rider.account.now);
    for (hours, fare) in [(2, 200), (4, 200), (6, 100), (8, 0)] {
        rider.account.now = MORNING + Millis::hours(hours);
        assert_eq!(rider.enter(STATION).fare.map(Amount::fen), Some(fare));
    }
    assert_eq!(rider.record(&late, Shown::Open, Some(Passage::Passed)), Reply::Done);
    assert_eq!(rider.balance(), 10_000 - 500, "still the cap");
    is_as_walked(&rider);
    let posted: Vec<i64> = rider.account.state.posted.iter().map(|posted| posted.amount.fen()).collect();
    assert_eq!(posted.iter().sum::<i64>(), 500);
    assert_eq!(rider.account.replayed(), rider.account.state);
}

#[test]
fn a_late_ride_takes_its_share_of_the_cap() {
    a_late_ride();
}

#[test]
fn a_cap_is_reached_to_the_fen_and_never_passed() {
    for (limit, last) in [(399, 199), (400, 200), (401, 200)] {
        let mut version = flat();
        version.more =
            crate::fare::More { caps: vec![cap("day", Period::Day, Limit::Amount(Amount::from_fen(limit)))], ..Default::default() };
        let mut rider = rider(version, 10_000);
        let mut ride = || rider.wait(Millis::hours(1)).enter(STATION).fare.map(Amount::fen);
        assert_eq!([ride(), ride(), ride()], [Some(200), Some(last), Some(limit - 200 - last)], "cap {limit}");
    }
}

#[test]
fn a_journey_belongs_to_the_business_day_of_its_entry() {
    // In at 01:50, out at 02:10: it counts towards the day that ended at 02:00, which the cap of 10.00 has nearly used up.
    let mut version = capped();
    version.more.caps.truncate(1);
    version.more.transfers.clear();
    let mut rider = rider(version, 10_000);
    rider.wait(Millis::hours(10));
    assert_eq!([rider.ride("s0", "s4"), rider.ride("s4", "s2")], [600, 400]);
    rider.account.now = MORNING + Millis::minutes(18 * 60 - 10);
    assert_eq!(rider.ride("s0", "s4"), 0, "the cap of the day of its entry");
    assert_eq!(rider.ride("s0", "s4"), 600, "in at 02:15: a new day");
}

#[test]
fn an_entry_holds_no_more_than_its_ride_can_cost() {
    let mut version = capped();
    version.more.caps.truncate(1);
    version.more.transfers.clear();
    let mut rider = rider(version, 1_000);
    assert_eq!([rider.ride("s0", "s4"), rider.ride("s4", "s2")], [600, 400]);
    assert_eq!(rider.balance(), 0);
    assert_eq!(rider.enter("s0").code, Code::Ok, "nothing left, and nothing needed");
    assert_eq!(rider.held(), 0);
    assert_eq!(rider.wait(Millis::minutes(20)).leave("s4").fare, Some(Amount::ZERO));
}

#[test]
fn a_transfer_begins_in_time_and_only_so_often() {
    let mut version = capped();
    version.more.caps.clear();
    let mut rider = rider(version, 10_000);
    let mut ride = |after| {
        rider.wait(after);
        rider.ride("s0", "s1")
    };
    // Each ride ends five minutes before the next may begin at the earliest.
    let (edge, late) = (Millis::minutes(25), Millis(Millis::minutes(25).0 + 1));
    assert_eq!([ride(Millis(0)), ride(edge), ride(edge), ride(edge), ride(late)], [200, 100, 100, 200, 200]);
}

#[test]
fn a_missing_exit_costs_the_maximum_and_is_corrected_later() {
    let mut version = capped();
    version.missing_exit = crate::fare::Charge::Fixed(Amount::from_fen(940));
    let mut rider = rider(version, 10_000);
    let entered = rider.account.now;
    assert_eq!(rider.enter("s0").code, Code::Ok);
    rider.account.now = rider.account.state.open.as_ref().map(|open| open.closes_at).expect("open");
    rider.done(Command::Tick);
    assert_eq!(rider.balance(), 10_000 - 940, "the maximum, which counts towards no cap");
    assert_eq!(rider.ride("s0", "s4"), 600);
    let told = rider.adjust(AdjustKind::AddExit, "s1", Some(entered + Millis::minutes(20)));
    assert!(matches!(told, Reply::Adjusted { fare } if fare.fen() == 200 - 940), "{told:?}");
    assert_eq!(rider.balance(), 10_000 - 600 - 200);
}

#[test]
fn an_unknown_entry_costs_the_maximum_until_it_is_known() {
    let mut version = chengdu();
    version.missing_entry = crate::fare::Charge::Fixed(Amount::from_fen(940));
    let mut rider = rider(version, 10_000);
    let exit = tap(&gate_of("s4", 1), 9, 1, Direction::Exit, CARD, rider.account.now + Millis::minutes(30));
    let entered = rider.account.now;
    rider.wait(Millis::hours(1));
    assert_eq!(rider.record(&exit, Shown::Open, None), Reply::Done);
    assert_eq!(rider.balance(), 10_000 - 940);
    assert!(matches!(rider.adjust(AdjustKind::AddEntry, "s0", Some(entered)), Reply::Adjusted { .. }));
    assert_eq!(rider.balance(), 10_000 - 600);
}

#[test]
fn a_short_stay_at_one_station_is_priced_by_its_length() {
    let mut version = chengdu();
    version.same_station = crate::fare::SameStation::Refuse;
    version.more.same_station_within =
        vec![(Millis::minutes(2), crate::fare::Charge::Free), (Millis::minutes(30), crate::fare::Charge::Lowest)];
    let stays = [(119, Code::Ok, Some(0)), (120, Code::Ok, Some(200)), (1_799, Code::Ok, Some(200)), (1_800, Code::SameStation, None)];
    for (seconds, code, fare) in stays {
        let mut rider = rider(version.clone(), 10_000);
        rider.enter("s2");
        let told = rider.wait(Millis::seconds(seconds)).leave("s2");
        assert_eq!((told.code, told.fare.map(Amount::fen)), (code, fare), "{seconds} s");
    }
}

#[test]
fn a_concession_counts_at_its_hours_by_the_entry() {
    let mut version = chengdu();
    let windows = vec![Window { days: Days::range(0, 4), from: Millis::hours(9), until: Millis::hours(16) }];
    version.more.concessions = vec![Concession { class: "senior".into(), windows, percent: 0.into() }];
    let mut rider = Rider::of(WalletClass::One, "adult", 10_000);
    rider.account.world = World::for_tests_with(FareTable { currency: Currency::CNY, calendar: None, versions: vec![version] });
    rider.account.state.holder.as_mut().expect("opened").passenger_class = "senior".into();
    rider.wait(Millis::minutes(59));
    assert_eq!(rider.ride("s0", "s1"), 200, "in at 08:59");
    assert_eq!(rider.ride("s0", "s1"), 0, "in at 09:24");
}

#[test]
fn a_missing_entry_that_is_let_pass_is_a_ride_and_no_penalty() {
    // Short stays at one station cost a maximum fare, but nobody stayed: the entry is taken as made at the very exit.
    let mut version = chengdu();
    version.more.same_station_within = vec![(Millis::minutes(2), crate::fare::Charge::Fixed(Amount::from_fen(940)))];
    let mut rider = rider(version, 10_000);
    let modes = [crate::station::Mode::OrderWaived].into();
    let span = crate::station::ModeSpan { from: MORNING, rev: 1, modes, until: None };
    rider.account.world.stations.get_mut("s2").expect("a station").state.history = vec![span];
    assert_eq!(rider.wait(Millis::hours(1)).leave("s2").fare.map(Amount::fen), Some(200));
}

/// Every bug of fares that is planted makes one of the runs above fail.
#[cfg(feature = "mutants")]
#[test]
fn every_planted_bug_of_fares_is_caught() {
    use crate::mutant::{Mutant, plant};
    let caught = |mutant: Mutant| {
        plant(Some(mutant));
        let lives = [three_weeks, a_late_ride].into_iter().all(|run| std::panic::catch_unwind(run).is_ok());
        plant(None);
        !lives
    };
    let alive: Vec<Mutant> = Mutant::FARES.iter().copied().filter(|mutant| !caught(*mutant)).collect();
    assert_eq!(alive, []);
}
