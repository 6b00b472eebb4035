//! Who owns a medium, as a cell remembers it: a bounded map in two generations, and the reads that are under way. Pure; the
//! truth is the `medium` entity, read off the cell's thread, and in the end the account's own list.
use std::collections::HashMap;

use tongdao_domain::id::{AccountId, Token};

/// What the memory says of a medium.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub(crate) enum Known {
    /// This account has it.
    Owner(AccountId),
    /// Nobody has it.
    Nobody,
    /// It must be read.
    Unread,
}

/// Whether a read is to be started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub(crate) enum Wait {
    /// The first to wait: read it.
    Read,
    /// A read is under way.
    Joined,
    /// Too many wait already; what wanted to wait is refused.
    Full,
}

/// What a finished read means.
#[derive(Debug)]
#[must_use]
pub(crate) enum Answer<W> {
    /// These waited for it.
    Serve(Vec<W>),
    /// It changed while it was read: read it once more.
    ReadAgain,
}

#[derive(Debug)]
struct Reading<W> {
    waiting: Vec<W>,
    /// Changed since the read began.
    stale: bool,
}

type Generation = HashMap<Token, Option<AccountId>, foldhash::fast::RandomState>;

/// The memory of one cell; `W` is what waits for an owner.
#[derive(Debug)]
pub(crate) struct Owners<W> {
    young: Generation,
    old: Generation,
    reading: HashMap<Token, Reading<W>>,
    waiting: usize,
    generation_max: usize,
    waiting_max: usize,
}

impl<W> Owners<W> {
    /// Remembers at most `cached_max` media and lets at most `waiting_max` wait.
    pub(crate) fn new(cached_max: usize, waiting_max: usize) -> Self {
        let generation_max = (cached_max / 2).max(1);
        Self { young: Generation::default(), old: Generation::default(), reading: HashMap::new(), waiting: 0, generation_max, waiting_max }
    }
    pub(crate) fn cached(&self) -> usize {
        self.young.len() + self.old.len()
    }
    /// How many wait for a read.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting
    }
    /// Looks a medium up; what is asked for stays longer.
    pub(crate) fn known(&mut self, token: &Token) -> Known {
        if let Some(owner) = self.young.get(token) {
            return told(owner.clone());
        }
        let Some((token, owner)) = self.old.remove_entry(token) else { return Known::Unread };
        self.remember(token, owner.clone());
        told(owner)
    }
    fn remember(&mut self, token: Token, owner: Option<AccountId>) {
        if self.young.len() >= self.generation_max {
            self.old = std::mem::replace(
                &mut self.young,
                Generation::with_capacity_and_hasher(self.generation_max.min(65_536), foldhash::fast::RandomState::default()),
            );
        }
        self.young.insert(token, owner);
    }
    /// Forgets it: an account said that it is not its medium.
    pub(crate) fn forget(&mut self, token: &Token) {
        self.young.remove(token);
        self.old.remove(token);
    }
    /// Lets something wait until the owner is known.
    pub(crate) fn wait(&mut self, token: &Token, waiter: W) -> (Wait, Option<W>) {
        if self.waiting >= self.waiting_max {
            return (Wait::Full, Some(waiter));
        }
        self.waiting += 1;
        if let Some(reading) = self.reading.get_mut(token) {
            reading.waiting.push(waiter);
            return (Wait::Joined, None);
        }
        self.reading.insert(token.clone(), Reading { waiting: vec![waiter], stale: false });
        (Wait::Read, None)
    }
    /// Takes what a read found.
    pub(crate) fn read(&mut self, token: &Token, owner: Option<AccountId>) -> Answer<W> {
        match self.reading.get_mut(token) {
            Some(reading) if reading.stale => {
                reading.stale = false;
                return Answer::ReadAgain;
            }
            _ => {}
        }
        self.remember(token.clone(), owner);
        Answer::Serve(self.unread(token))
    }
    /// The read failed: these waited in vain, and nothing is remembered.
    pub(crate) fn unread(&mut self, token: &Token) -> Vec<W> {
        let waiting = self.reading.remove(token).map(|reading| reading.waiting).unwrap_or_default();
        self.waiting -= waiting.len();
        waiting
    }
    /// The feed says that the medium changed hands.
    pub(crate) fn changed(&mut self, token: &Token, owner: Option<AccountId>) {
        if let Some(reading) = self.reading.get_mut(token) {
            reading.stale = true;
        }
        self.old.remove(token);
        if let Some(known) = self.young.get_mut(token) {
            *known = owner;
        }
    }
}

fn told(owner: Option<AccountId>) -> Known {
    owner.map_or(Known::Nobody, Known::Owner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(text: &str) -> Token {
        Token::new(text).expect("an id")
    }
    fn account(text: &str) -> AccountId {
        AccountId::new(text).expect("an id")
    }

    #[test]
    fn one_read_serves_everybody_who_waits() {
        let mut owners = Owners::new(10, 3);
        assert_eq!(owners.known(&token("t")), Known::Unread);
        assert_eq!(owners.wait(&token("t"), 1), (Wait::Read, None));
        assert_eq!(owners.wait(&token("t"), 2), (Wait::Joined, None));
        assert_eq!(owners.wait(&token("u"), 3), (Wait::Read, None));
        assert_eq!(owners.wait(&token("u"), 4), (Wait::Full, Some(4)), "bounded over all media");
        assert!(matches!(owners.read(&token("t"), Some(account("a"))), Answer::Serve(waiting) if waiting == [1, 2]));
        assert_eq!(owners.known(&token("t")), Known::Owner(account("a")));
        assert_eq!(owners.wait(&token("v"), 5), (Wait::Read, None), "room again");
    }

    #[test]
    fn a_change_during_a_read_makes_it_read_again() {
        let mut owners = Owners::new(10, 3);
        let _ = owners.wait(&token("t"), 1);
        owners.changed(&token("t"), Some(account("a")));
        assert!(matches!(owners.read(&token("t"), None), Answer::ReadAgain));
        assert!(matches!(owners.read(&token("t"), Some(account("a"))), Answer::Serve(waiting) if waiting == [1]));
    }

    #[test]
    fn the_feed_corrects_what_is_remembered_even_that_nobody_has_it() {
        let mut owners = Owners::<u8>::new(10, 3);
        let _ = owners.read(&token("t"), None);
        assert_eq!(owners.known(&token("t")), Known::Nobody);
        owners.changed(&token("t"), Some(account("a")));
        assert_eq!(owners.known(&token("t")), Known::Owner(account("a")));
        owners.forget(&token("t"));
        assert_eq!(owners.known(&token("t")), Known::Unread);
    }

    #[test]
    fn the_memory_is_bounded_and_keeps_what_is_used() {
        let mut owners = Owners::<u8>::new(8, 3);
        let _ = owners.read(&token("often"), Some(account("a")));
        for n in 0..100 {
            let _ = owners.read(&token(&format!("t{n}")), None);
            assert_eq!(owners.known(&token("often")), Known::Owner(account("a")));
            assert!(owners.cached() <= 8, "{}", owners.cached());
        }
        assert_eq!(owners.known(&token("t1")), Known::Unread);
    }
}
