//! Whatever arrives when: every permutation of the facts of a rider's day ends in the same balances. Facts, not requests:
//! each is taken here as the machine takes it once its decision stands.
use super::*;
use crate::entity::EntityKey;
use crate::id::CommandId;
use crate::invariant::{Books, account_holds_together, account_is_as_walked};
use crate::journey::{Fact, Mark, MarkKind, Passed, Recorded, Told};
use crate::machine::{Context, Machine};
use crate::station::{Mode, ModeSpan};
use crate::testing::{GATES_PER_STATION, MORNING, STATIONS};
use proptest::prelude::*;

/// One tap of the day, and all that is ever said of it.
#[derive(Debug, Clone)]
struct TapStory {
    direction: Direction,
    station: usize,
    gate: usize,
    /// Seconds after the tap before.
    after_s: i64,
    told: Option<Told>,
    passage: Option<Passage>,
    record: Option<(Shown, Option<Passage>)>,
}

/// Something that the account learns.
#[derive(Debug, Clone)]
enum Item {
    Decided(Tap, Told),
    Passage(Tap, Passage),
    Record(Record),
    Credit(i64),
    AddEntry(usize, Timestamp),
    AddExit(usize, Timestamp),
    Mark(TapId, MarkKind, usize, Timestamp),
    Tick(Timestamp),
}

fn station(index: usize) -> &'static str {
    STATIONS[index % STATIONS.len()].0
}

fn passage() -> impl Strategy<Value = Passage> {
    prop_oneof![Just(Passage::Passed), Just(Passage::NotPassed), Just(Passage::Tailgate), Just(Passage::Reverse)]
}

fn story() -> impl Strategy<Value = TapStory> {
    let direction = prop_oneof![Just(Direction::Entry), Just(Direction::Exit)];
    let after = prop_oneof![3 => 60..4_000_i64, 1 => 1..4_i64, 1 => 14_000..16_000_i64];
    let told = prop_oneof![6 => Just(Some(Told::Open)), 1 => Just(Some(Told::Deny)), 2 => Just(None)];
    let shown = prop_oneof![3 => Just(Shown::Open), 1 => Just(Shown::Deny)];
    let record = prop::option::of((shown, prop::option::of(passage())));
    (direction, 0..STATIONS.len(), 1..=GATES_PER_STATION, after, told, prop::option::of(passage()), record).prop_map(
        |(direction, station, gate, after_s, told, passage, record)| TapStory { direction, station, gate, after_s, told, passage, record },
    )
}

fn items(stories: &[TapStory], desk: &[(u8, usize, i64)], credit: i64) -> Vec<Item> {
    let (mut items, mut taps, mut at) = (vec![Item::Credit(credit)], Vec::new(), MORNING);
    for (seq, story) in (1..).zip(stories) {
        at = at + Millis::seconds(story.after_s);
        let tap = tap(&gate_of(station(story.station), story.gate), 1, seq, story.direction, CARD, at);
        items.extend(story.told.map(|told| Item::Decided(tap.clone(), told)));
        items.extend(story.passage.map(|passage| Item::Passage(tap.clone(), passage)));
        items.extend(story.record.map(|(shown, passage)| Item::Record(record_of(&tap, shown, passage))));
        taps.push(tap);
    }
    for (what, index, offset_s) in desk {
        let tap = &taps[index % taps.len()];
        let at = tap.at + Millis::seconds(*offset_s);
        items.push(match what % 5 {
            0 => Item::AddEntry(*index, at),
            1 => Item::AddExit(*index, at),
            2 => Item::Mark(tap.id.clone(), MarkKind::Waived, *index, at),
            3 => Item::Mark(tap.id.clone(), MarkKind::OverstayCollected, *index, at),
            _ => Item::Tick(at),
        });
    }
    items
}

/// An account that takes facts and checks everything after each.
struct Taker {
    account: Account,
    world: World,
    me: EntityKey,
    books: Books,
    events: Vec<Event>,
    now: Timestamp,
}

impl Taker {
    fn new(world: World) -> Self {
        let me = EntityKey::new(crate::entity::EntityKind::Account, "a1");
        let mut taker = Self { account: Account::default(), world, me, books: Books::default(), events: Vec::new(), now: MORNING };
        let balance = Amount::from_fen(5_000);
        let open = Command::Open { class: WalletClass::One, passenger_class: "adult".into(), balance, currency: Currency::CNY, by: by() };
        taker.ask(&open);
        taker.ask(&Command::Link { token: id(CARD), kind: MediumKind::Card, by: by() });
        taker
    }

    fn ask(&mut self, command: &Command) {
        let command_id = CommandId::of(format_args!("c{}", self.events.len()));
        let context = Context { me: &self.me, command_id: &command_id, world: &self.world, now: self.now };
        if let Decision::Commit { events, .. } = self.account.decide(&context, &(), command) {
            events.into_iter().for_each(|event| self.apply(event));
        }
    }

    fn apply(&mut self, event: Event) {
        self.now = self.now + Millis::seconds(1);
        self.account.apply(&event, self.now);
        self.books.take_account(&self.me, &event).expect("balanced, numbered, nothing paid back too often");
        self.books.check().expect("money is conserved at every prefix");
        self.books.agrees(&self.me, &self.account).expect("the balance is the sum of the legs");
        account_holds_together(&self.me, &self.account).expect("the state holds together");
        account_is_as_walked(&self.me, &self.account, &self.world).expect("one charge for each journey");
        self.events.push(event);
    }

    fn take(&mut self, item: &Item) {
        let number = self.account.numbered + 1;
        match item {
            Item::Decided(tap, told) => self.decided(tap, *told, number),
            Item::Passage(tap, outcome) => self.passage(tap, *outcome),
            Item::Record(record) => {
                let station = self.station_of(&record.tap);
                self.ask(&Command::Record { record: record.clone(), station, clock: Millis(0) })
            }
            Item::Credit(fen) => self.ask(&Command::Credit { amount: Amount::from_fen(*fen), by: by() }),
            Item::AddEntry(at_station, at) => self.desk(AdjustKind::AddEntry, Direction::Entry, *at_station, *at),
            Item::AddExit(at_station, at) => self.desk(AdjustKind::AddExit, Direction::Exit, *at_station, *at),
            Item::Mark(entry, kind, at_station, at) => self.mark(entry, *kind, *at_station, *at),
            Item::Tick(at) => {
                let now = std::mem::replace(&mut self.now, *at + Millis::hours(48));
                self.ask(&Command::Tick);
                self.now = now;
            }
        }
    }

    fn station_of(&self, tap: &TapId) -> StationId {
        self.world.gates[&tap.device].station.clone()
    }

    /// An approval or refusal as a fact: a tap whose record is in is not decided any more.
    fn decided(&mut self, tap: &Tap, told: Told, number: u64) {
        if self.account.facts.iter().any(|fact| fact.tap == tap.id) {
            return;
        }
        let station = self.station_of(&tap.id);
        let number = (told == Told::Open).then_some(number);
        let fact = Fact {
            at: tap.at,
            direction: tap.direction,
            tap: tap.id.clone(),
            station: station.clone(),
            medium: 0,
            number: number.unwrap_or(0),
            decided_at: self.now,
            told,
            passed: self.account.early_passage(&tap.id),
            recorded: Recorded::Nothing,
            by_desk: false,
        };
        let change = self.account.outlook(&self.world, &fact, self.account.numbered + 1).change;
        let code = if told == Told::Open { Code::Ok } else { Code::Insufficient };
        self.apply(Event::TapDecided { tap: tap.clone(), station, code, number, fare: None, mode_rev: 0, change });
    }

    fn passage(&mut self, tap: &Tap, outcome: Passage) {
        let known = self.account.facts.iter().find(|fact| fact.tap == tap.id);
        let change = known.map_or_else(Change::default, |fact| {
            let reported = Fact { passed: fact.passed.and(Passed::of(outcome)), ..fact.clone() };
            self.account.outlook(&self.world, &reported, self.account.numbered + 1).change
        });
        self.apply(Event::PassageReported { tap: tap.id.clone(), outcome, at: tap.at, change });
    }

    fn desk(&mut self, kind: AdjustKind, direction: Direction, at_station: usize, at: Timestamp) {
        let (number, station) = (self.account.numbered + 1, id::<StationId>(station(at_station)));
        let tap = TapId { device: id("desk"), epoch: 0, seq: number };
        let fact = super::super::apply::desk_fact(&tap, direction, &station, at, number, self.now);
        let change = self.account.outlook(&self.world, &fact, number).change;
        self.adjusted(kind, station, at, tap, change);
    }

    fn mark(&mut self, entry: &TapId, kind: MarkKind, at_station: usize, at: Timestamp) {
        let station = id::<StationId>(station(at_station));
        let mark = Mark { entry: entry.clone(), kind, station: station.clone(), at };
        let marks: Vec<Mark> = self.account.marks.iter().cloned().chain([mark]).collect();
        let account = &self.account;
        let change = account.recomputed(&self.world, &account.facts, &marks, account.closed_until, account.numbered + 1).change;
        let kind = if kind == MarkKind::Waived { AdjustKind::Waive } else { AdjustKind::Overstay };
        self.adjusted(kind, station, at, entry.clone(), change);
    }

    fn adjusted(&mut self, kind: AdjustKind, station: StationId, at: Timestamp, tap: TapId, change: Change) {
        let number = self.account.numbered + 1;
        let command_id = CommandId::of(format_args!("adjust/{number}"));
        self.apply(Event::Adjusted { kind, station, at, tap, number, fare: Amount::ZERO, command_id, by: by(), change });
    }

    /// All facts in, all deadlines reached: what every journey cost in the end.
    fn finished(mut self, items: &[Item]) -> (i64, Vec<i64>) {
        items.iter().for_each(|item| self.take(item));
        self.now = MORNING + Millis::hours(100);
        while self.account.deadline().is_some() {
            self.ask(&Command::Tick);
        }
        let mut charges: Vec<i64> = self.books.charges(&self.me).values().map(|amount| amount.fen()).collect();
        charges.sort_unstable();
        (self.account.balance.fen(), charges)
    }
}

/// Some days a station is in emergency, or accepts missing entries, for two hours.
fn world(mode: Option<(Mode, usize, i64)>, fares: Fares) -> World {
    let mut world = World::for_tests_with(FareTable { currency: Currency::CNY, calendar: None, versions: vec![fares()] });
    // Facts come in any order here, so the clock says nothing of them.
    world.settings.clock_refuse = Millis::hours(1_000);
    if let Some((mode, index, from_s)) = mode {
        let from = MORNING + Millis::seconds(from_s);
        let span = |from, rev, modes: &[Mode]| ModeSpan { from, rev, modes: modes.iter().copied().collect(), until: None };
        let history = vec![span(from, 1, &[mode]), span(from + Millis::hours(2), 2, &[])];
        world.stations.get_mut(station(index)).expect("a station").state.history = history;
    }
    world
}

/// A version of a fare table: a plain ladder, one with caps and transfers, one price with both.
type Fares = fn() -> crate::fare::FareVersion;

fn fares() -> impl Strategy<Value = Fares> {
    prop_oneof![Just(crate::fare::tests::chengdu as Fares), Just(super::caps::capped as Fares), Just(super::caps::flat as Fares)]
}

fn mode() -> impl Strategy<Value = Option<(Mode, usize, i64)>> {
    let kinds = prop_oneof![Just(Mode::Emergency), Just(Mode::OrderWaived), Just(Mode::FareWaived), Just(Mode::TimeWaived)];
    prop::option::of((kinds, 0..STATIONS.len(), 0..12_000_i64))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_permutation_of_a_day_ends_in_the_same_balances(
        (items, shuffled) in (
            prop::collection::vec(story(), 1..7),
            prop::collection::vec((0..5_u8, 0..7_usize, -100..20_000_i64), 0..3),
            1..5_000_i64,
        ).prop_flat_map(|(stories, desk, credit)| {
            let items = items(&stories, &desk, credit);
            (Just(items.clone()), Just(items).prop_shuffle())
        }),
        mode in mode(),
        fares in fares(),
    ) {
        prop_assert_eq!(Taker::new(world(mode, fares)).finished(&items), Taker::new(world(mode, fares)).finished(&shuffled));
    }

    #[test]
    fn a_replay_gives_the_state(stories in prop::collection::vec(story(), 1..9), mode in mode(), fares in fares()) {
        let mut taker = Taker::new(world(mode, fares));
        let mut moments = vec![];
        for item in items(&stories, &[], 100) {
            taker.take(&item);
        }
        let mut replayed = Account::default();
        for (n, event) in taker.events.iter().enumerate() {
            moments.push(MORNING + Millis::seconds(n as i64 + 1));
            replayed.apply(event, moments[n]);
        }
        prop_assert_eq!(replayed, taker.account);
    }
}

/// The hard race by hand, in all 120 orders of its five facts.
#[test]
fn the_hard_race_in_all_its_orders() {
    let at = |minutes| MORNING + Millis::minutes(minutes);
    let entry = tap(&gate_of("s0", 1), 1, 1, Direction::Entry, CARD, at(0));
    let exit = tap(&gate_of("s4", 1), 1, 1, Direction::Exit, CARD, at(30));
    for (last, fare) in [(Shown::Open, 600), (Shown::Deny, 600)] {
        // The rider whose exit gate stayed shut has an exit missing, which costs the highest fare from s0: 600 as well.
        let facts = [
            Item::Decided(entry.clone(), Told::Open),
            Item::Passage(entry.clone(), Passage::Passed),
            Item::Decided(exit.clone(), Told::Open),
            Item::Record(record_of(&exit, last, None)),
            Item::Record(record_of(&entry, Shown::Open, Some(Passage::Passed))),
        ];
        for order in orders(facts.len()) {
            let items: Vec<Item> = order.iter().map(|index| facts[*index].clone()).collect();
            assert_eq!(Taker::new(world(None, crate::fare::tests::chengdu)).finished(&items), (5_000 - fare, vec![fare]), "{order:?}");
        }
    }
}

fn orders(n: usize) -> Vec<Vec<usize>> {
    if n == 0 {
        return vec![vec![]];
    }
    let with = |order: Vec<usize>| (0..=order.len()).map(move |place| [&order[..place], &[n - 1], &order[place..]].concat());
    orders(n - 1).into_iter().flat_map(with).collect()
}
