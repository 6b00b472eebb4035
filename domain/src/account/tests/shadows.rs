//! What journeys would have cost under another table: nothing changes under the same one, whatever came late, was forgotten
//! or was corrected.
use super::caps::{capped, flat, rider};
use super::*;
use crate::account::{Compared, Shadow};
use crate::fare::FareVersion;
use crate::fare::tests::chengdu;
use crate::testing::MORNING;
use crate::time::Day;

/// Every ended journey of a rider's events under another version.
fn compared(rider: &Rider, version: FareVersion) -> Vec<Compared> {
    let table = FareTable { currency: Currency::CNY, calendar: None, versions: vec![version] };
    let mut world = rider.account.world.clone();
    world.fares.values_mut().for_each(|fares| *fares = table.clone());
    let (mut shadow, mut found) = (Shadow::default(), Vec::new());
    for (event, at) in rider.account.events.iter().zip(&rider.account.moments) {
        shadow.take(event, *at, &world, |journey| found.push(journey));
    }
    shadow.finish(&world, |journey| found.push(journey));
    found
}

fn in_fen(compared: &[Compared]) -> Vec<(i64, i64, String)> {
    let rule = |one: &Compared| one.journey.rule.as_ref().map(ToString::to_string).unwrap_or_default();
    compared.iter().map(|one| (one.paid.fen(), one.journey.fare().fen(), rule(one))).collect()
}

#[test]
fn three_weeks_under_their_own_table_cost_what_they_cost() {
    for version in [flat(), capped()] {
        let mut rider = rider(version.clone(), 1_000_000);
        for n in 0..170_i64 {
            rider.wait(Millis::minutes([170, 31, 400, 22][usize::try_from(n % 4).unwrap_or(0)]));
            let one_tap = version.is_flat();
            if one_tap {
                rider.enter("s1");
            } else {
                rider.ride("s0", ["s1", "s4"][usize::try_from(n % 2).unwrap_or(0)]);
            }
        }
        assert!(rider.account.state.kept_from > MORNING, "taps were forgotten");
        let found = compared(&rider, version);
        assert_eq!(found.len(), 170, "each once");
        assert!(found.iter().all(|one| one.paid == one.journey.fare()), "{:?}", in_fen(&found));
        assert_eq!(found.iter().map(|one| one.paid).sum::<Amount>().fen(), 1_000_000 - rider.balance());
    }
}

#[test]
fn caps_of_another_table_are_reached_over_taps_that_are_forgotten() {
    let mut rider = rider(FareVersion { more: crate::fare::More::default(), ..flat() }, 1_000_000);
    let mut free = 0;
    for _ in 0..60 {
        rider.wait(Millis::hours(8)).enter("s1");
    }
    let mut weekly = flat();
    weekly.more.caps.retain(|cap| cap.id == "week");
    for (paid, would, rule) in in_fen(&compared(&rider, weekly)) {
        assert_eq!((paid, would), (200, if rule == "flat" { 200 } else { 0 }), "{rule}");
        free += usize::from(rule == "cap:week");
    }
    // Eight of each 21 rides in seven days are paid.
    assert_eq!(free, 13 * 2 + 18 - 8);
}

#[test]
fn each_journey_tells_its_rule_and_its_business_day() {
    let mut rider = rider(chengdu(), 100_000);
    rider.ride("s0", "s4");
    rider.ride("s2", "s2");
    rider.account.now = MORNING + Millis::hours(17) + Millis::minutes(59);
    rider.enter("s0");
    rider.wait(Millis::minutes(20)).leave("s1");
    let forgotten = rider.wait(Millis::hours(1)).enter("s0");
    assert_eq!(forgotten.code, Code::Ok);
    rider.account.now = rider.account.state.open.as_ref().map(|open| open.closes_at).expect("open");
    rider.done(Command::Tick);
    assert_eq!(rider.enter("s0").code, Code::Ok, "still in: no journey yet");
    let double = FareVersion { classes: [("adult".into(), 200.into())].into(), ..chengdu() };
    let found = compared(&rider, double);
    let told = in_fen(&found);
    let rules: Vec<_> = told.iter().map(|(paid, would, rule)| (*paid, *would, rule.as_str())).collect();
    assert_eq!(rules, [(600, 1200, "ladder"), (200, 400, "same_station"), (200, 400, "ladder"), (600, 1200, "missing_exit")]);
    let monday = crate::time::Calendar::SHANGHAI.business_day(MORNING);
    assert_eq!(
        found.iter().map(|one| one.day).collect::<Vec<_>>(),
        [monday, monday, monday, Day(monday.0 + 1)],
        "in at 01:59: the day before"
    );
}

#[test]
fn what_the_desk_corrected_and_what_came_late_counts_as_it_is_known_now() {
    let mut rider = rider(chengdu(), 100_000);
    let entered = rider.account.now;
    rider.enter("s0");
    rider.account.now = rider.account.state.open.as_ref().map(|open| open.closes_at).expect("open");
    rider.done(Command::Tick);
    rider.adjust(AdjustKind::AddExit, "s1", Some(entered + Millis::minutes(20)));
    let late = tap(&gate_of("s4", 1), 9, 1, Direction::Entry, CARD, rider.account.now);
    let out = tap(&gate_of("s0", 1), 9, 2, Direction::Exit, CARD, rider.account.now + Millis::minutes(30));
    rider.wait(Millis::hours(3));
    rider.record(&out, Shown::Open, Some(Passage::Passed));
    rider.record(&late, Shown::Open, Some(Passage::Passed));
    assert_eq!(in_fen(&compared(&rider, chengdu())), [(200, 200, "ladder".into()), (600, 600, "ladder".into())]);
    assert!(rider.account.events.iter().all(|event| event.name() != "record.doubted"));
}
