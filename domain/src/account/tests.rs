//! The account, driven through its public contract: a rider on the line of [`crate::testing`] with Chengdu's fares.
mod caps;
mod desk;
mod doubtful;
mod limits;
mod modes;
mod permutations;
mod race;
mod shadows;
mod straight;

use super::*;
use crate::code::Code;
use crate::fare::FareTable;
use crate::machine::{Decision, Reply};
use crate::tap::{DecidedBy, Direction, Shown, TapDecision};
use crate::testing::{Actor, by, card, gate_of, id, tap};
use crate::time::Millis;
use crate::world::World;

/// The token of the rider's card.
pub(super) const CARD: &str = "card1";

pub(super) fn chengdu_table() -> FareTable {
    FareTable { currency: Currency::CNY, calendar: None, versions: vec![crate::fare::tests::chengdu()] }
}

/// An account with one card, and the gates it taps at.
pub(super) struct Rider {
    pub(super) account: Actor<Account>,
    seq: u64,
}

impl Rider {
    /// Class 1 (no limits), this balance in fen.
    pub(super) fn with(fen: i64) -> Self {
        Self::of(WalletClass::One, "adult", fen)
    }
    pub(super) fn of(class: WalletClass, passenger_class: &str, fen: i64) -> Self {
        let mut account = Actor::new("a1");
        account.world = World::for_tests_with(chengdu_table());
        let mut rider = Self { account, seq: 0 };
        let (balance, currency) = (Amount::from_fen(fen), Currency::CNY);
        rider.done(Command::Open { class, passenger_class: passenger_class.into(), balance, currency, by: by() });
        rider.done(Command::Link { token: id(CARD), kind: MediumKind::Card, by: by() });
        rider
    }
    pub(super) fn done(&mut self, command: Command) {
        assert_eq!(self.account.ask(command), Reply::Done);
    }
    pub(super) fn wait(&mut self, length: Millis) -> &mut Self {
        self.account.now = self.account.now + length;
        self
    }
    /// A tap at the first gate of a station, now.
    pub(super) fn new_tap(&mut self, direction: Direction, station: &str) -> Tap {
        self.seq += 1;
        tap(&gate_of(station, 1), 1, self.seq, direction, CARD, self.account.now)
    }
    pub(super) fn command(tap: &Tap) -> Command {
        let station = tap.id.device.as_str().split('-').next().unwrap_or_default();
        Command::Tap { tap: tap.clone(), station: id(station), decide_by: tap.at + Millis(250) }
    }
    pub(super) fn answer(&mut self, tap: &Tap) -> TapDecision {
        match self.account.ask(Self::command(tap)) {
            Reply::Tap(decision) => decision,
            other => panic!("no answer to a tap: {other:?}"),
        }
    }
    pub(super) fn tap(&mut self, direction: Direction, station: &str) -> TapDecision {
        let tap = self.new_tap(direction, station);
        self.answer(&tap)
    }
    pub(super) fn enter(&mut self, station: &str) -> TapDecision {
        self.tap(Direction::Entry, station)
    }
    pub(super) fn leave(&mut self, station: &str) -> TapDecision {
        self.tap(Direction::Exit, station)
    }
    /// In, twenty minutes, out: what it cost in fen.
    pub(super) fn ride(&mut self, from: &str, to: &str) -> i64 {
        assert_eq!(self.enter(from).code, Code::Ok);
        let decision = self.wait(Millis::minutes(20)).leave(to);
        self.wait(Millis::minutes(5));
        assert_eq!(decision.code, Code::Ok);
        decision.fare.expect("an exit has a fare").fen()
    }
    pub(super) fn balance(&self) -> i64 {
        self.account.state.balance.fen()
    }
    pub(super) fn held(&self) -> i64 {
        self.account.state.held().fen()
    }
    pub(super) fn passage(&mut self, decision: &TapDecision, outcome: Passage) -> Reply {
        let reference = decision.reference.clone().expect("an approval has a reference");
        let at = self.account.now;
        self.account.ask(Command::Passage { tap: decision.tap.clone(), reference, outcome, at })
    }
    pub(super) fn record(&mut self, tap: &Tap, shown: Shown, passage: Option<Passage>) -> Reply {
        let record = record_of(tap, shown, passage);
        self.recorded(record)
    }
    pub(super) fn recorded(&mut self, record: Record) -> Reply {
        let station = record.tap.device.as_str().split('-').next().unwrap_or_default();
        let station = id(station);
        self.account.ask(Command::Record { record, station, clock: Millis(0) })
    }
    pub(super) fn adjust(&mut self, kind: AdjustKind, station: &str, at: Option<Timestamp>) -> Reply {
        self.account.ask(Command::Adjust { kind, station: id(station), at, by: by() })
    }
}

pub(super) fn record_of(tap: &Tap, shown: Shown, passage: Option<Passage>) -> Record {
    Record {
        tap: tap.id.clone(),
        direction: tap.direction,
        medium: Some(tap.medium.clone()),
        at: tap.at,
        mode: 0,
        by: DecidedBy::Gate,
        shown,
        passage,
    }
}
