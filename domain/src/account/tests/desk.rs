//! The service desk, opening and crediting, what an operator sees, and what is forgotten.
use super::*;
use crate::invariant::{account_holds_together, account_is_as_walked};
use crate::machine::{Machine, RefusalCode};

fn refusal(reply: Reply) -> RefusalCode {
    match reply {
        Reply::Refused(refusal) => refusal.code,
        other => panic!("not refused: {other:?}"),
    }
}

fn fare(fen: i64) -> Reply {
    Reply::Adjusted { fare: Amount::from_fen(fen) }
}

#[test]
fn a_missing_entry_is_added_and_the_exit_tap_pays() {
    let mut rider = Rider::with(10_000);
    let entered = rider.account.now;
    assert_eq!(rider.wait(Millis::minutes(30)).leave("s4").code, Code::NoEntry);
    assert_eq!(rider.adjust(AdjustKind::AddEntry, "s0", Some(entered)), fare(0));
    assert_eq!(refusal(rider.adjust(AdjustKind::AddEntry, "s0", None)), RefusalCode::WrongState);
    let exit = rider.wait(Millis::minutes(1)).leave("s4");
    assert_eq!((exit.code, exit.fare), (Code::Ok, Some(Amount::from_fen(600))));
    assert_eq!(rider.account.replayed(), rider.account.state);
}

#[test]
fn a_missing_exit_is_added_and_pays_the_difference() {
    let mut rider = Rider::with(10_000);
    assert_eq!(refusal(rider.adjust(AdjustKind::AddExit, "s1", None)), RefusalCode::WrongState);
    rider.enter("s0");
    let left = rider.wait(Millis::minutes(30)).account.now;
    rider.account.now = rider.account.state.deadline().expect("a deadline");
    rider.done(Command::Tick);
    assert_eq!(rider.balance(), 9_400);
    assert_eq!(refusal(rider.adjust(AdjustKind::AddExit, "s1", None)), RefusalCode::WrongState, "its journey is over by now");
    assert_eq!(rider.adjust(AdjustKind::AddExit, "s1", Some(left)), fare(-400));
    assert_eq!(rider.balance(), 9_800);
    assert_eq!(rider.account.replayed(), rider.account.state);
}

#[test]
fn an_open_journey_is_waived_without_charge() {
    let mut rider = Rider::with(10_000);
    assert_eq!(refusal(rider.adjust(AdjustKind::Waive, "s1", None)), RefusalCode::WrongState);
    rider.enter("s0");
    assert_eq!(rider.wait(Millis::minutes(30)).adjust(AdjustKind::Waive, "s1", None), fare(0));
    assert_eq!((rider.held(), rider.account.state.deadline()), (0, None));
    assert_eq!(rider.wait(Millis::minutes(1)).leave("s1").code, Code::NoEntry);
    assert_eq!(rider.wait(Millis::minutes(1)).enter("s1").code, Code::Ok);
    assert_eq!(rider.wait(Millis::minutes(9)).leave("s0").fare, Some(Amount::from_fen(200)));
    assert_eq!(rider.account.replayed(), rider.account.state);
}

#[test]
fn adjustments_need_a_known_station_and_a_time_that_was() {
    let mut rider = Rider::with(10_000);
    rider.enter("s0");
    assert_eq!(refusal(rider.adjust(AdjustKind::AddExit, "nowhere", None)), RefusalCode::NotFound);
    let ahead = rider.account.now + Millis(1);
    assert_eq!(refusal(rider.adjust(AdjustKind::AddExit, "s1", Some(ahead))), RefusalCode::BadArgs);
    assert_eq!(refusal(rider.adjust(AdjustKind::AddExit, "s1", Some(ahead - Millis::hours(8 * 24 + 1)))), RefusalCode::BadArgs);
    let mut nobody = Rider::with(0);
    nobody.account.state = Account::default();
    assert_eq!(refusal(nobody.adjust(AdjustKind::AddExit, "s1", None)), RefusalCode::NotFound);
}

#[test]
fn opening_again_changes_nothing_and_a_contradiction_names_the_field() {
    let mut rider = Rider::with(10_000);
    rider.done(Command::Credit { amount: Amount::from_fen(5), by: by() });
    let open = |class, passenger_class: &str, fen, currency| Command::Open {
        class,
        passenger_class: passenger_class.into(),
        balance: Amount::from_fen(fen),
        currency,
        by: by(),
    };
    let events = rider.account.events.len();
    rider.done(open(WalletClass::One, "adult", 10_000, Currency::CNY));
    for (command, field) in [
        (open(WalletClass::Two, "adult", 10_000, Currency::CNY), "class"),
        (open(WalletClass::One, "pupil", 10_000, Currency::CNY), "passenger_class"),
        (open(WalletClass::One, "adult", 10_005, Currency::CNY), "balance"),
        (open(WalletClass::One, "adult", 10_000, Currency::GBP), "currency"),
    ] {
        let Reply::Refused(refusal) = rider.account.ask(command) else { panic!("{field} was not refused") };
        assert_eq!(refusal.code, RefusalCode::Contradicts);
        assert!(refusal.hint.ends_with(field), "{}", refusal.hint);
    }
    assert_eq!(rider.account.events.len(), events);
}

#[test]
fn media_are_linked_once() {
    let mut rider = Rider::with(0);
    let link = |kind| Command::Link { token: id(CARD), kind, by: by() };
    rider.done(link(MediumKind::Card));
    assert_eq!(refusal(rider.account.ask(link(MediumKind::Qr))), RefusalCode::Contradicts);
    rider.done(Command::Unlink { token: id("other"), by: by() });
    rider.done(Command::Unlink { token: id(CARD), by: by() });
    rider.done(link(MediumKind::Qr));
    for n in 1..MEDIA_MAX {
        rider.done(Command::Link { token: id(&format!("m{n}")), kind: MediumKind::Card, by: by() });
    }
    let more = Command::Link { token: id("more"), kind: MediumKind::Card, by: by() };
    assert_eq!(refusal(rider.account.ask(more.clone())), RefusalCode::WrongState);
    rider.account.state = Account::default();
    assert_eq!(refusal(rider.account.ask(more)), RefusalCode::NotFound);
}

#[test]
fn an_operator_sees_how_sure_each_posting_is() {
    let mut rider = Rider::with(10_000);
    rider.enter("s0");
    let exit = rider.wait(Millis::minutes(20)).leave("s4");
    let view = |rider: &Rider| rider.account.state.view("a1", rider.account.now, &rider.account.world).expect("an account");
    let states = |rider: &Rider| view(rider).postings.iter().map(|posting| posting.state).collect::<Vec<_>>();
    assert_eq!(states(&rider), [PostingState::Pending]);
    let seen = view(&rider).postings.remove(0);
    assert_eq!((seen.command_id.as_str(), seen.amount, &seen.reference), ("tap/s4-g1/1/2", Amount::from_fen(600), &reference("a1", 2)));
    assert_eq!(states(rider.wait(Millis::seconds(60))), [PostingState::Pending]);
    assert_eq!(states(rider.wait(Millis(1))), [PostingState::Provisional]);
    rider.passage(&exit, Passage::Passed);
    assert_eq!(states(&rider), [PostingState::Final]);
    rider.passage(&exit, Passage::Reverse);
    assert_eq!(states(&rider), [PostingState::Void, PostingState::Void]);
    let seen = view(&rider);
    assert_eq!(seen.postings[1].command_id.as_str(), "passage/s4-g1/1/2");
    assert_eq!((seen.balance, seen.held), (Amount::from_fen(10_000), Amount::from_fen(200)));
    assert_eq!(seen.journey.expect("still in").entry.expect("an entry").station.as_str(), "s0");
    assert_eq!(Account::default().view("a1", rider.account.now, &rider.account.world), None);
}

#[test]
fn taps_older_than_eight_days_are_forgotten_and_their_records_are_doubtful() {
    let mut rider = Rider::with(1_000_000);
    let old = rider.new_tap(Direction::Entry, "s0");
    for _ in 0..10 {
        rider.ride("s0", "s4");
        rider.ride("s4", "s0");
        rider.wait(Millis::hours(23));
    }
    let facts = &rider.account.state.facts;
    let kept = rider.account.now - rider.account.world.settings.taps_kept - Millis::hours(48);
    assert!(facts.first().is_some_and(|fact| fact.at > kept && fact.direction == Direction::Entry), "cut where a journey begins");
    assert_eq!(rider.balance(), 1_000_000 - 20 * 600, "what is forgotten stays paid");
    let spent = rider.account.state.spent;
    assert_eq!(spent.year_total, Amount::from_fen(20 * 600), "and counts towards the year");
    let late = rider.record(&old, Shown::Open, None);
    assert_eq!(late, Reply::Doubted(Doubted::of(Doubt::TooOld)));
    assert_eq!(rider.account.replayed(), rider.account.state);
}

#[test]
fn an_account_keeps_a_bounded_number_of_taps() {
    let mut rider = Rider::with(10_000_000);
    for _ in 0..400 {
        assert_eq!(rider.enter("s0").code, Code::Ok);
        assert_eq!(rider.wait(Millis::minutes(1)).leave("s1").code, Code::Ok);
        rider.wait(Millis::minutes(1));
        assert!(rider.account.state.facts.len() <= FACTS_MAX);
    }
    let (me, state, world) = (&rider.account.me, &rider.account.state, &rider.account.world);
    account_holds_together(me, state).expect("it holds together");
    account_is_as_walked(me, state, world).expect("it is as walked");
    assert!(state.posted.len() <= FACTS_MAX / 2 && state.kept_from > crate::testing::MORNING);
    assert_eq!(state.balance, Amount::from_fen(10_000_000 - 400 * 200));
    assert_eq!(state.spent_on(crate::time::Calendar::SHANGHAI.local_day(rider.account.now)), Amount::from_fen(400 * 200));
    assert_eq!(rider.account.replayed(), rider.account.state);
}

#[test]
fn refusals_fill_no_memory_either() {
    let mut rider = Rider::with(0);
    for _ in 0..2 * FACTS_MAX {
        assert_eq!(rider.wait(Millis::minutes(1)).leave("s1").code, Code::NoEntry);
        assert!(rider.account.state.facts.len() <= FACTS_MAX);
    }
    assert_eq!(rider.account.state.numbered, 0, "a refusal hands out no reference");
}

#[test]
fn commands_of_another_meaning_have_another_fingerprint() {
    let adjust = |kind, station: &str, at| Command::Adjust { kind, station: id(station), at, by: by() };
    let now = crate::testing::MORNING;
    let commands = [
        adjust(AdjustKind::Waive, "s0", None),
        adjust(AdjustKind::AddExit, "s0", None),
        adjust(AdjustKind::Waive, "s1", None),
        adjust(AdjustKind::Waive, "s0", Some(now)),
        Command::Freeze { by: by() },
        Command::Unfreeze { by: by() },
        Command::Credit { amount: Amount::from_fen(1), by: by() },
        Command::Credit { amount: Amount::from_fen(2), by: by() },
        Command::Link { token: id("t"), kind: MediumKind::Card, by: by() },
        Command::Link { token: id("t"), kind: MediumKind::Qr, by: by() },
        Command::Unlink { token: id("t"), by: by() },
        Command::Tick,
    ];
    let prints: std::collections::HashSet<_> = commands.iter().map(Account::fingerprint).collect();
    assert_eq!(prints.len(), commands.len());
    let mine = By { user: id("me"), reason: "another reason".into() };
    let freeze = Command::Freeze { by: mine };
    assert!(prints.contains(&Account::fingerprint(&freeze)), "who and why are circumstances");
}

#[test]
fn money_of_one_currency_is_never_taken_for_fares_in_another() {
    let mut rider = Rider::with(10_000);
    rider.enter("s0");
    rider.account.world.fares.values_mut().for_each(|table| table.currency = Currency::GBP);
    let exit = rider.wait(Millis::minutes(30)).new_tap(Direction::Exit, "s4");
    assert_eq!(rider.answer(&exit).code, Code::UnknownMedium, "it is none of theirs");
    let foreign = Reply::Doubted(Doubted::of(Doubt::Currency));
    let late = rider.wait(Millis::minutes(1)).new_tap(Direction::Exit, "s4");
    assert_eq!(rider.record(&late, Shown::Open, Some(Passage::Passed)), foreign);
    assert_eq!(refusal(rider.adjust(AdjustKind::AddExit, "s4", None)), RefusalCode::WrongState);
    assert_eq!((rider.balance(), rider.held()), (10_000, 200));

    let mut new = Actor::<Account>::new("a2");
    new.world = rider.account.world.clone();
    let open =
        |currency| Command::Open { class: WalletClass::One, passenger_class: "adult".into(), balance: Amount::ZERO, currency, by: by() };
    assert_eq!(refusal(new.ask(open(Currency::CNY))), RefusalCode::BadArgs);
    assert_eq!(new.ask(open(Currency::GBP)), Reply::Done);
}
