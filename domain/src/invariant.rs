//! What must always hold, as pure functions over events and states: used by the simulation, by `verify` and by debug builds
//! of the server. They only look; none of them repairs.
use crate::account::{self, Account};
use crate::entity::{EntityKey, EntityKind};
use crate::journey::{Fact, journeys};
use crate::ledger::{self, LedgerAccount, Posting};
use crate::machine::{Event, Machine};
use crate::money::Amount;
use crate::time::Day;
use crate::world::World;
use compact_str::CompactString;
use std::collections::{BTreeMap, HashMap};

/// Something that must never be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Money came from nowhere.
    #[error("{entity}: the legs of {event} do not sum to nothing")]
    Unbalanced {
        /// Whose event.
        entity: EntityKey,
        /// Its name.
        event: &'static str,
    },
    /// Over all entities money is neither made nor lost.
    #[error("riders hold {riders}, operators {operators}, funding {funding}: together not nothing")]
    NotConserved {
        /// Sum of all riders' balances.
        riders: Amount,
        /// Sum of all operators' balances.
        operators: Amount,
        /// What funding has given (negative).
        funding: Amount,
    },
    /// A journey was charged below nothing.
    #[error("{entity}: journey {journey} was paid back more than it cost ({charge})")]
    PaidBackTooMuch {
        /// Whose journey.
        entity: EntityKey,
        /// Which.
        journey: CompactString,
        /// What is left charged.
        charge: Amount,
    },
    /// A reference number was used twice.
    #[error("{entity}: reference {number} was given twice")]
    NumberTwice {
        /// Whose.
        entity: EntityKey,
        /// Which.
        number: u64,
    },
    /// The state's balance is not the sum of the legs.
    #[error("{entity}: the state says {state}, its events sum to {events}")]
    Balance {
        /// Whose.
        entity: EntityKey,
        /// Balance of the state.
        state: Amount,
        /// Sum of its legs.
        events: Amount,
    },
    /// The state contradicts itself.
    #[error("{entity}: {what}")]
    State {
        /// Whose.
        entity: EntityKey,
        /// What is wrong.
        what: &'static str,
    },
}

/// The books over every account: fold events in any order that keeps each entity's own, and check at any prefix.
#[derive(Debug, Clone, Default)]
pub struct Books {
    accounts: HashMap<EntityKey, Book>,
    operators: BTreeMap<CompactString, Amount>,
    funding: Amount,
    riders: Amount,
}

#[derive(Debug, Clone, Default)]
struct Book {
    balance: Amount,
    numbered: u64,
    journeys: HashMap<CompactString, Amount>,
}

impl Books {
    /// Takes an event of whichever machine.
    ///
    /// # Errors
    /// The first [`Fault`] that the event makes visible.
    pub fn take(&mut self, entity: &EntityKey, event: &Event) -> Result<(), Fault> {
        match event {
            Event::Account(event) => self.take_account(entity, event),
            _ => Ok(()),
        }
    }

    /// Takes an event of an account.
    ///
    /// # Errors
    /// The first [`Fault`] that the event makes visible.
    pub fn take_account(&mut self, entity: &EntityKey, event: &account::Event) -> Result<(), Fault> {
        if !event.legs().all(|legs| ledger::balanced(legs)) {
            return Err(Fault::Unbalanced { entity: entity.clone(), event: event.name() });
        }
        for leg in event.legs().flatten() {
            self.move_money(entity, &leg.account, leg.amount);
        }
        let book = self.accounts.entry(entity.clone()).or_default();
        let postings = event.change().map_or(&[][..], |change| &change.postings);
        postings.iter().try_for_each(|posting| book.post(entity, posting))?;
        book.numbered = book.numbered.max(numbered(event));
        book.paid_back(entity, postings)
    }

    fn move_money(&mut self, entity: &EntityKey, side: &LedgerAccount, amount: Amount) {
        match side {
            LedgerAccount::Rider => {
                self.riders += amount;
                self.accounts.entry(entity.clone()).or_default().balance += amount;
            }
            LedgerAccount::Funding => self.funding += amount,
            LedgerAccount::Operator(name) => *self.operators.entry(name.clone()).or_default() += amount,
        }
    }

    /// Is money conserved over all accounts, operators and funding?
    ///
    /// # Errors
    /// [`Fault::NotConserved`] with the three sums.
    pub fn check(&self) -> Result<(), Fault> {
        let operators = self.operators.values().copied().sum();
        if (self.riders + operators + self.funding).is_zero() {
            return Ok(());
        }
        Err(Fault::NotConserved { riders: self.riders, operators, funding: self.funding })
    }

    /// Does a state say what its events sum to?
    ///
    /// # Errors
    /// [`Fault::Balance`] with both sums.
    pub fn agrees(&self, entity: &EntityKey, account: &Account) -> Result<(), Fault> {
        let events = self.balance(entity);
        if account.balance == events {
            return Ok(());
        }
        Err(Fault::Balance { entity: entity.clone(), state: account.balance, events })
    }

    /// What an account holds.
    #[must_use]
    pub fn balance(&self, entity: &EntityKey) -> Amount {
        self.accounts.get(entity).map_or(Amount::ZERO, |book| book.balance)
    }
    /// What an operator has received.
    #[must_use]
    pub fn operator(&self, name: &str) -> Amount {
        self.operators.get(name).copied().unwrap_or_default()
    }
    /// What came from outside.
    #[must_use]
    pub fn funded(&self) -> Amount {
        -self.funding
    }
    /// What journeys of an account cost, by journey id.
    #[must_use]
    pub fn charges(&self, entity: &EntityKey) -> BTreeMap<&str, Amount> {
        let book = self.accounts.get(entity);
        let charges = book.into_iter().flat_map(|book| &book.journeys);
        charges.filter(|(_, amount)| !amount.is_zero()).map(|(journey, amount)| (journey.as_str(), *amount)).collect()
    }
}

impl Book {
    fn post(&mut self, entity: &EntityKey, posting: &Posting) -> Result<(), Fault> {
        if posting.number <= self.numbered {
            return Err(Fault::NumberTwice { entity: entity.clone(), number: posting.number });
        }
        self.numbered = posting.number;
        *self.journeys.entry(posting.journey.clone()).or_default() += posting.amount();
        Ok(())
    }
    /// Journeys are judged after the whole event: a correction may take back before it posts anew.
    fn paid_back(&self, entity: &EntityKey, postings: &[Posting]) -> Result<(), Fault> {
        for posting in postings {
            let charge = self.journeys.get(&posting.journey).copied().unwrap_or_default();
            if charge.is_negative() {
                return Err(Fault::PaidBackTooMuch { entity: entity.clone(), journey: posting.journey.clone(), charge });
            }
        }
        Ok(())
    }
}

/// The reference number that an event handed out, 0 = none.
fn numbered(event: &account::Event) -> u64 {
    match event {
        account::Event::TapDecided { number, .. } => number.unwrap_or(0),
        account::Event::Adjusted { number, .. } => *number,
        _ => 0,
    }
}

/// Does an account's state hold together, world or not?
///
/// # Errors
/// [`Fault::State`] says what does not.
pub fn account_holds_together(entity: &EntityKey, account: &Account) -> Result<(), Fault> {
    let fault = |what| Err(Fault::State { entity: entity.clone(), what });
    let in_order = |pair: &[Fact]| pair[0].order() < pair[1].order();
    let waits = account.open.is_some() || !account.owed(entity).is_empty();
    match () {
        () if entity.kind != EntityKind::Account => fault("is no account"),
        () if account.held().is_negative() => fault("holds less than nothing"),
        () if waits != account.deadline().is_some() => {
            fault("an open journey or something owed without a deadline, or the other way round")
        }
        () if !account.facts.windows(2).all(in_order) => fault("taps out of the order of travel"),
        () if account.posted.iter().any(|posted| posted.number > account.numbered) => fault("a posting above the highest number"),
        () if account.media.iter().enumerate().any(|(place, medium)| account.media[..place].iter().any(|m| m.token == medium.token)) => {
            fault("a medium twice")
        }
        () => Ok(()),
    }
}

/// Does an account's state say what the walk over its taps says: the open journey, and one charge for each journey? Only
/// where the world is the one that priced them.
///
/// # Errors
/// [`Fault::State`] says what differs.
pub fn account_is_as_walked(entity: &EntityKey, account: &Account, world: &World) -> Result<(), Fault> {
    let (walked, arrived) = journeys(&account.facts, &account.rules(world));
    if arrived.past != account.past {
        return Err(Fault::State { entity: entity.clone(), what: "caps and transfers are not as its taps make them" });
    }
    if arrived.open != account.open {
        return Err(Fault::State { entity: entity.clone(), what: "the open journey is not the one that its taps make" });
    }
    let mut charges: BTreeMap<(&CompactString, Day, &CompactString), Amount> = BTreeMap::new();
    for journey in &walked {
        journey.charges.iter().for_each(|c| *charges.entry((&journey.id, c.day, &c.operator)).or_default() += c.amount);
    }
    account.posted.iter().for_each(|p| *charges.entry((&p.journey, p.day, &p.operator)).or_default() -= p.amount);
    if charges.values().all(|amount| amount.is_zero()) {
        return Ok(());
    }
    Err(Fault::State { entity: entity.clone(), what: "a journey was not charged exactly once" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::{Change, Event as AccountEvent};
    use crate::id::CommandId;
    use crate::ledger::{Leg, transfer};
    use crate::testing::by;
    use crate::time::Timestamp;

    fn me() -> EntityKey {
        EntityKey::new(EntityKind::Account, "a1")
    }
    fn fen(fen: i64) -> Amount {
        Amount::from_fen(fen)
    }
    fn credited(amount: i64) -> AccountEvent {
        AccountEvent::Credited { legs: transfer(LedgerAccount::Funding, LedgerAccount::Rider, fen(amount)), by: by() }
    }
    fn posted(number: u64, amount: i64) -> AccountEvent {
        let legs = transfer(LedgerAccount::Rider, LedgerAccount::Operator("metro".into()), fen(amount));
        let posting = Posting { number, journey: "g1/1/1".into(), day: Day(0), fares_from: None, legs };
        let change = Change { postings: vec![posting], ..Change::default() };
        AccountEvent::JourneyClosed { until: Timestamp(0), command_id: CommandId::of(format_args!("tick/{number}")), change }
    }
    fn fold(events: &[AccountEvent]) -> Result<Books, Fault> {
        let mut books = Books::default();
        events.iter().try_for_each(|event| books.take_account(&me(), event))?;
        books.check().map(|()| books)
    }

    #[test]
    fn the_books_add_up() {
        let books = fold(&[credited(1_000), posted(1, 600), posted(2, -600), posted(3, 200)]).expect("sound books");
        assert_eq!((books.balance(&me()), books.operator("metro"), books.funded()), (fen(800), fen(200), fen(1_000)));
        assert_eq!(books.charges(&me()).into_iter().collect::<Vec<_>>(), [("g1/1/1", fen(200))]);
        let account = Account { balance: fen(800), ..Account::default() };
        assert_eq!(books.agrees(&me(), &account), Ok(()));
        let account = Account { balance: fen(801), ..account };
        assert_eq!(books.agrees(&me(), &account), Err(Fault::Balance { entity: me(), state: fen(801), events: fen(800) }));
    }

    #[test]
    fn money_from_nowhere_is_seen() {
        let leg = Leg { account: LedgerAccount::Rider, amount: fen(1) };
        let event = AccountEvent::Credited { legs: [leg].into_iter().collect(), by: by() };
        assert_eq!(fold(&[event]).err(), Some(Fault::Unbalanced { entity: me(), event: "account.credited" }));
    }

    #[test]
    fn a_number_given_twice_and_too_much_paid_back_are_seen() {
        assert_eq!(fold(&[posted(1, 600), posted(1, 600)]).err(), Some(Fault::NumberTwice { entity: me(), number: 1 }));
        let too_much = Fault::PaidBackTooMuch { entity: me(), journey: "g1/1/1".into(), charge: fen(-1) };
        assert_eq!(fold(&[posted(1, 600), posted(2, -601)]).err(), Some(too_much));
    }

    #[test]
    fn a_state_that_does_not_hold_together_is_seen() {
        let good = Account::default();
        assert_eq!(account_holds_together(&me(), &good), Ok(()));
        let held = Amount::from_fen(-1);
        let entry = crate::journey::Stop {
            tap: crate::id::TapId { device: crate::testing::gate_of("s0", 1), epoch: 1, seq: 1 },
            station: crate::testing::id("s0"),
            at: Timestamp(0),
        };
        let open = crate::journey::Open { entry, hold: held, closes_at: Timestamp(1), overstay_collected: false };
        let bad = Account { open: Some(open), ..good };
        assert_eq!(account_holds_together(&me(), &bad), Err(Fault::State { entity: me(), what: "holds less than nothing" }));
        let world = World::for_tests();
        assert!(account_is_as_walked(&me(), &bad, &world).is_err(), "no tap opened it");
    }
}
