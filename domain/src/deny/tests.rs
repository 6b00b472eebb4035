//! The deny list through its public contract: a list, the view of it that gates are told from, and gates that hear of it.
mod chain;

use super::*;
use crate::account::{self, Account, WalletClass};
use crate::machine::{Command as Any, Machine as _, OwedWhat, RefusalCode, Reply};
use crate::money::{Amount, Currency};
use crate::tap::MediumKind;
use crate::testing::{Actor, MORNING, by, id};

/// A list and its view, as a cell has it.
pub(super) struct Desk {
    pub(super) list: Actor<DenyList>,
}

impl Desk {
    pub(super) fn new(limits: Limits) -> Self {
        let mut list = Actor::new(NETWORK);
        list.world.settings.deny = limits;
        Self { list }
    }
    pub(super) fn add(&mut self, tokens: &[&str]) -> Reply {
        self.list.ask(Command::Add { tokens: ids(tokens), by: by() })
    }
    pub(super) fn remove(&mut self, tokens: &[&str]) -> Reply {
        self.list.ask(Command::Remove { tokens: ids(tokens), by: by() })
    }
    fn account(&mut self, deny: &[(&str, Why)], allow: &[&str]) -> Reply {
        let deny = deny.iter().map(|(token, why)| (id(token), *why)).collect();
        self.list.ask(Command::Account { account: id("a1"), deny, allow: ids(allow) })
    }
    /// Lets time pass; the version that is due then is made.
    pub(super) fn wait(&mut self, length: Millis) {
        self.list.now = self.list.now + length;
        let _ = self.list.ask(Command::Tick);
    }
    fn published(&self) -> Vec<&str> {
        self.list.state.published().map(Token::as_str).collect()
    }
    fn version(&self) -> u64 {
        self.list.state.version()
    }
}

pub(super) fn ids(names: &[&str]) -> Vec<Token> {
    names.iter().map(|name| id(name)).collect()
}

fn refused(reply: &Reply) -> Option<RefusalCode> {
    if let Reply::Refused(refusal) = reply { Some(refusal.code) } else { None }
}

#[test]
fn what_is_denied_stands_in_the_next_version_and_that_is_soon() {
    let mut desk = Desk::new(Limits::default());
    assert_eq!((desk.add(&["t2", "t1", "t2"]), desk.list.state.deadline()), (Reply::Done, Some(MORNING + Millis(500))));
    assert!(desk.list.world.deny.denies(&id("t1")), "the server itself refuses it at once");
    desk.wait(Millis(499));
    assert_eq!((desk.version(), desk.published()), (0, vec![]));
    desk.add(&["t3"]);
    desk.wait(Millis(1));
    assert_eq!((desk.version(), desk.published()), (1, vec!["t1", "t2", "t3"]), "what came meanwhile goes along");
    let newest = desk.list.state.newest.clone().expect("a version");
    assert_eq!((newest.count, newest.since, newest.hash), (3, MORNING, hash_of(&ids(&["t1", "t2", "t3"]))));
    assert_eq!(desk.list.state.deadline(), None);
    assert_eq!(desk.list.replayed(), desk.list.state);
}

#[test]
fn a_version_comes_at_most_every_minute() {
    let mut desk = Desk::new(Limits::default());
    desk.add(&["t1"]);
    desk.wait(Millis(500));
    desk.wait(Millis::seconds(1));
    desk.add(&["t2"]);
    assert_eq!(desk.list.state.due, Some(MORNING + Millis(60_500)));
    desk.wait(Millis::seconds(58));
    assert_eq!(desk.version(), 1);
    desk.wait(Millis::seconds(1));
    assert_eq!((desk.version(), desk.published()), (2, vec!["t1", "t2"]));
    desk.wait(Millis::minutes(5));
    desk.add(&["t3"]);
    assert_eq!(desk.list.state.due, Some(desk.list.now + Millis(500)), "after a pause it is soon again");
}

#[test]
fn what_comes_and_goes_before_a_version_makes_none() {
    let mut desk = Desk::new(Limits::default());
    desk.add(&["t1"]);
    desk.remove(&["t1"]);
    assert_eq!((desk.list.state.due, desk.list.state.entries.len()), (None, 0));
    desk.wait(Millis::minutes(1));
    assert_eq!(desk.version(), 0);
    assert!(!desk.list.world.deny.denies(&id("t1")));
    assert_eq!(desk.remove(&["t1"]), Reply::Done, "what is not there is gone already");
    assert_eq!(desk.list.events.len(), 2, "and that is no event");
}

#[test]
fn a_token_stands_there_while_anybody_has_a_cause() {
    let mut desk = Desk::new(Limits::default());
    desk.account(&[("t1", Why::Frozen)], &[]);
    desk.add(&["t1"]);
    desk.wait(Millis(500));
    assert_eq!(desk.published(), ["t1"]);
    assert_eq!(desk.remove(&["t1"]), Reply::Done);
    desk.wait(Millis::minutes(1));
    assert_eq!((desk.version(), desk.published()), (1, vec!["t1"]), "the account denies it still");
    assert_eq!(refused(&desk.remove(&["t1"])), Some(RefusalCode::WrongState), "which a person puts right at the account");
    assert!(!desk.list.world.deny.denies(&id("t1")), "online the account itself refuses it");
    desk.account(&[], &["t1"]);
    desk.wait(Millis::minutes(1));
    assert_eq!((desk.version(), desk.published()), (2, vec![]));
    assert_eq!(desk.list.state.newest.as_ref().map(|newest| newest.hash), Some(hash_of([])));
}

#[test]
fn the_same_again_changes_nothing() {
    let mut desk = Desk::new(Limits::default());
    desk.add(&["t1"]);
    desk.account(&[("t2", Why::Debt)], &[]);
    let events = desk.list.events.len();
    assert_eq!(desk.add(&["t1"]), Reply::Done);
    assert_eq!(desk.account(&[("t2", Why::Debt)], &["t1"]), Reply::Done, "it never denied t1");
    assert_eq!(desk.list.events.len(), events);
    desk.account(&[("t2", Why::Frozen)], &[]);
    assert_eq!(desk.list.state.entries[&id::<Token>("t2")].causes.len(), 1, "another reason of the same account");
}

#[test]
fn limits_are_kept() {
    let mut desk = Desk::new(Limits { tokens_max: 2, ..Limits::default() });
    assert_eq!(desk.add(&["t1", "t2"]), Reply::Done);
    assert_eq!(refused(&desk.add(&["t3"])), Some(RefusalCode::WrongState));
    assert_eq!(refused(&desk.account(&[("t3", Why::Debt)], &[])), Some(RefusalCode::WrongState), "it is told again later");
    assert_eq!(desk.account(&[("t1", Why::Debt)], &[]), Reply::Done, "no new token");
    let many: Vec<String> = (0..=TOKENS_PER_COMMAND_MAX).map(|n| format!("t{n}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert_eq!(refused(&desk.add(&many)), Some(RefusalCode::BadArgs));
}

#[test]
fn gates_that_have_a_version_are_noted_once() {
    let mut desk = Desk::new(Limits::default());
    desk.add(&["t1"]);
    desk.wait(Millis(500));
    let reached = |version, took| Reached { version, scope: Scope::All, gates: 10, at: MORNING, took: Millis(took) };
    desk.list.ask(Command::Reached(reached(1, 700)));
    desk.list.ask(Command::Reached(reached(1, 900)));
    desk.list.ask(Command::Reached(reached(2, 900)));
    assert_eq!(desk.list.state.reached.values().collect::<Vec<_>>(), [&reached(1, 700)]);
}

/// An account with a card, and what it owes to the list.
struct Owner(Actor<Account>);

impl Owner {
    fn new() -> Self {
        let mut owner = Self(Actor::new("a1"));
        let (class, balance, currency) = (WalletClass::One, Amount::from_fen(1_000), Currency::CNY);
        owner.done(account::Command::Open { class, passenger_class: "adult".into(), balance, currency, by: by() });
        owner.done(account::Command::Link { token: id("t1"), kind: MediumKind::Card, by: by() });
        owner
    }
    fn done(&mut self, command: account::Command) {
        assert_eq!(self.0.ask(command), Reply::Done);
    }
    /// What it owes is told, under its id; the answer is not.
    fn tells(&self, desk: &mut Desk) -> Vec<crate::id::CommandId> {
        let owed = self.0.state.owed(&self.0.me);
        let told = owed.into_iter().map(|owed| {
            let OwedWhat::Command(command) = owed.what else { panic!("not for a device") };
            let Any::Deny(command) = *command else { panic!("not for the list") };
            assert_eq!((&owed.to, desk.list.ask(command)), (&crate::machine::Recipient::Entity(desk.list.me.clone()), Reply::Done));
            owed.id
        });
        told.collect()
    }
    fn struck(&mut self, owed: Vec<crate::id::CommandId>) {
        owed.into_iter().for_each(|owed| self.done(account::Command::Struck { owed }));
    }
}

#[test]
fn a_frozen_account_puts_its_media_there_and_a_thawed_one_takes_them_off() {
    let (mut owner, mut desk) = (Owner::new(), Desk::new(Limits::default()));
    assert!(owner.tells(&mut desk).is_empty() && owner.0.state.denied.is_none(), "most accounts never have to do with it");
    owner.done(account::Command::Freeze { by: by() });
    let first = owner.tells(&mut desk);
    assert_eq!((first[0].as_str(), desk.list.state.listed()), ("deny/a1/1", 1));
    owner.done(account::Command::Link { token: id("t2"), kind: MediumKind::Qr, by: by() });
    assert_eq!(owner.tells(&mut desk), first, "one telling at a time");
    owner.struck(first.clone());
    let second = owner.tells(&mut desk);
    assert_eq!((second[0].as_str(), desk.list.state.listed()), ("deny/a1/2", 2));
    owner.struck(first);
    assert_eq!(owner.tells(&mut desk), second, "an old strike strikes nothing");
    owner.done(account::Command::Unfreeze { by: by() });
    owner.struck(second);
    let third = owner.tells(&mut desk);
    assert_eq!(desk.list.state.listed(), 0);
    owner.struck(third);
    assert!(owner.tells(&mut desk).is_empty() && owner.0.state.deadline().is_none());
    assert_eq!(owner.0.replayed(), owner.0.state);
}

#[test]
fn a_medium_that_is_let_go_is_no_longer_the_accounts_to_deny() {
    let (mut owner, mut desk) = (Owner::new(), Desk::new(Limits::default()));
    owner.done(account::Command::Freeze { by: by() });
    let told = owner.tells(&mut desk);
    owner.struck(told);
    owner.done(account::Command::Unlink { token: id("t1"), by: by() });
    owner.tells(&mut desk);
    assert_eq!(desk.list.state.listed(), 0);
}
