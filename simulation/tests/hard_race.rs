//! The hard race, in every order: the server approves at 240 ms, the answer arrives at 260 ms, the gate has decided alone at
//! 250 ms. Whatever arrives when, the rider pays one fare in the end, or none where the gate stayed shut.
use std::collections::BTreeMap;
use tongdao_domain::account::{self, Account, WalletClass};
use tongdao_domain::entity::EntityKey;
use tongdao_domain::gate::Twin;
use tongdao_domain::id::{AccountId, CommandId, StationId, TapId, Token};
use tongdao_domain::machine::{Command, Machine};
use tongdao_domain::medium;
use tongdao_domain::money::{Amount, Currency};
use tongdao_domain::tap::{DecidedBy, Direction, Medium, MediumKind, Passage, Record, Shown, Tap, TapDecision};
use tongdao_domain::time::{Millis, Timestamp};
use tongdao_simulation::chance::{Chance, Concern};
use tongdao_simulation::city::{self, MORNING, gate_id, id, staff};
use tongdao_simulation::gate::DEADLINE;
use tongdao_simulation::message::{Down, Up};
use tongdao_simulation::oracle::Oracle;
use tongdao_simulation::schedule::Schedule;
use tongdao_simulation::server::{Inside, Server, To, Told};

/// The opening balance and the fare from `s0` to `s1`, in fen.
const OPENING: i64 = 10_000;
const FARE: i64 = 200;
/// The rider taps in at this moment and out ten minutes later.
const ENTERED: Timestamp = Timestamp(MORNING.0 + 60_000);
const LEFT: Timestamp = Timestamp(ENTERED.0 + 600_000);

/// A server, a clock, and what the gates were told.
struct Bench {
    server: Server,
    schedule: Schedule<Inside>,
    oracle: Oracle,
    now: Timestamp,
    decisions: Vec<(Timestamp, TapDecision)>,
}

/// What may reach the server, in any order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Arrives {
    Tap,
    Record,
    Passage,
    ExitTap,
    ExitRecord,
    ExitPassage,
}

fn tap(entry: bool) -> Tap {
    let (device, direction, at) = if entry { (gate_id(0, 0), Direction::Entry, ENTERED) } else { (gate_id(1, 0), Direction::Exit, LEFT) };
    let medium = Medium { kind: MediumKind::Card, token: id("m1"), qr: None, counter: None, signature: None };
    Tap { id: TapId { device, epoch: 1, seq: 1 }, direction, medium, at, deadline: DEADLINE, mode: 0, list_version: 0 }
}

fn record(entry: bool, shown: Shown) -> Record {
    let Tap { id, direction, medium, at, mode, .. } = tap(entry);
    let passage = (shown == Shown::Open).then_some(Passage::Passed);
    Record { tap: id, direction, medium: Some(medium), at, mode, by: DecidedBy::Gate, shown, passage }
}

impl Bench {
    /// The tap has reached the server 240 ms after it was made, and was approved; by now it is time for the exit.
    fn racing() -> Self {
        Self::with(|bench| bench.arrive(Arrives::Tap, Shown::Open))
    }
    /// Nothing has reached the server; by now it is time for the exit.
    fn open() -> Self {
        Self::with(|_| {})
    }
    /// A city with one account and two gates that have said what they are.
    fn with(at_240_ms: impl FnOnce(&mut Self)) -> Self {
        let server = Server::new(city::world(), Chance::new(1, Concern::Faults));
        let mut bench = Self { server, schedule: Schedule::new(), oracle: Oracle::default(), now: MORNING, decisions: Vec::new() };
        let (account, token) = (id::<AccountId>("a1"), id::<Token>("m1"));
        let open = account::Command::Open {
            class: WalletClass::Three,
            passenger_class: "adult".into(),
            balance: Amount::from_fen(OPENING),
            currency: Currency::CNY,
            by: staff(),
        };
        bench.ask(EntityKey::from(&token), medium::Command::Claim { owner: account.clone() });
        bench.ask(EntityKey::from(&account), open);
        bench.ask(EntityKey::from(&account), account::Command::Link { token, kind: MediumKind::Card, by: staff() });
        (0..2).for_each(|station| bench.report(station));
        bench.go(ENTERED + Millis(220));
        at_240_ms(&mut bench);
        bench.go(LEFT + Millis(5));
        bench
    }
    /// A gate says what it is; its clock is right.
    fn report(&mut self, station: usize) {
        let (versions, at) = (BTreeMap::new(), self.now);
        let twin = Twin { online: true, service: "both".into(), firmware: "1".into(), versions, faults: Vec::new(), at };
        self.hear(station, Up::State { n: 1, twin });
    }
    fn ask(&mut self, entity: EntityKey, command: impl Into<Command>) {
        let command_id = CommandId::new(format!("staff/{}", self.now.0)).expect("an id");
        self.server.command(entity, command_id, command.into(), Some(To::Staff(1)), self.now);
        self.go(self.now + Millis::seconds(1));
    }
    fn hear(&mut self, station: usize, up: Up) {
        self.server.hear(&gate_id(station, 0), 1, up, self.now);
        self.listen();
    }
    fn go(&mut self, until: Timestamp) {
        self.listen();
        while let Some((at, inside)) = self.schedule.next(until) {
            self.now = self.now.max(at);
            self.server.happen(inside, self.now);
            self.listen();
        }
        self.now = until;
    }
    fn listen(&mut self) {
        for told in self.server.take_told() {
            match told {
                Told::Later(at, inside) => self.schedule.at(at, inside),
                Told::Durable(item) => self.oracle.durable(&item, |_| None),
                Told::Down(_, _, Down::Decision(decision)) => self.decisions.push((self.now, decision)),
                Told::Down(..) | Told::Staff(..) => {}
            }
        }
    }
    fn arrive(&mut self, what: Arrives, shown: Shown) {
        let passage = |n, entry| {
            let tap = tap(entry);
            Up::Passage { n, tap: tap.id, reference: None, outcome: Passage::Passed, at: tap.at + Millis(900) }
        };
        match what {
            Arrives::Tap => self.hear(0, Up::Tap(tap(true))),
            Arrives::Record => self.hear(0, Up::Records { epoch: 1, records: vec![record(true, shown)] }),
            Arrives::Passage => self.hear(0, passage(2, true)),
            Arrives::ExitTap => self.hear(1, Up::Tap(tap(false))),
            Arrives::ExitRecord => self.hear(1, Up::Records { epoch: 1, records: vec![record(false, Shown::Open)] }),
            Arrives::ExitPassage => self.hear(1, passage(3, false)),
        }
    }
    fn account(&self) -> Account {
        self.server.machine(&EntityKey::from(&id::<AccountId>("a1")))
    }
}

/// Every order of some things.
fn orders(things: &[Arrives]) -> Vec<Vec<Arrives>> {
    let Some((first, rest)) = things.split_first() else { return vec![Vec::new()] };
    let mut all = Vec::new();
    for order in orders(rest) {
        for place in 0..=order.len() {
            let mut longer = order.clone();
            longer.insert(place, *first);
            all.push(longer);
        }
    }
    all
}

/// Lets things arrive, `apart` from each other; then there is one fare, or none.
fn race(order: &[Arrives], shown: Shown, apart: Millis, paid: i64) {
    // Where the tap comes first it is the race itself: it reaches the server in time, its answer the gate too late.
    let (mut bench, rest) = match order {
        [Arrives::Tap, rest @ ..] => (Bench::racing(), rest),
        all => (Bench::open(), all),
    };
    for what in rest {
        bench.arrive(*what, shown);
        bench.go(bench.now + apart);
    }
    bench.go(bench.now + Millis::seconds(30));
    let account = bench.account();
    let charged: i64 = bench.oracle.paid.values().sum();
    assert_eq!(charged, paid, "{order:?} with the entry {shown:?}");
    assert_eq!(account.balance.fen(), OPENING - paid, "{order:?} with the entry {shown:?}");
    assert_eq!((account.open.is_some(), account.held().fen()), (false, 0), "{order:?} with the entry {shown:?}");
    for station in 0..2 {
        let gate = EntityKey::gate(&gate_id(station, 0));
        let machine: tongdao_domain::gate::Gate = bench.server.machine(&gate);
        assert_eq!(machine.owed(&gate), [], "{order:?}");
    }
}

const RIDE: [Arrives; 6] = [Arrives::Tap, Arrives::Record, Arrives::Passage, Arrives::ExitTap, Arrives::ExitRecord, Arrives::ExitPassage];

#[test]
fn the_gate_opened_alone_and_the_rider_pays_one_fare_in_every_order() {
    for order in orders(&RIDE) {
        race(&order, Shown::Open, Millis(30), FARE);
    }
}

#[test]
fn it_is_the_same_where_everything_arrives_at_once() {
    for order in orders(&RIDE) {
        race(&order, Shown::Open, Millis(0), FARE);
    }
}

#[test]
fn the_gate_stayed_shut_and_the_rider_pays_nothing_in_every_order() {
    for order in orders(&[Arrives::Tap, Arrives::Record]) {
        race(&order, Shown::Deny, Millis(30), 0);
    }
}

#[test]
fn the_server_did_approve_in_time_and_its_answer_came_too_late() {
    let bench = Bench::racing();
    let (heard, decision) = bench.decisions.first().cloned().expect("an answer");
    assert!(decision.code.opens() && decision.decided_at <= decision.expires_at);
    assert!(decision.decided_at >= ENTERED + Millis(220) && heard > decision.decided_at);
    assert_eq!(bench.account().open.map(|open| open.entry.station), Some(id::<StationId>("s0")), "approved: pending");
}
