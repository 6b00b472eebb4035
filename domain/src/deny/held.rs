//! The list as a gate holds it: what it does with a difference, with the whole, and when it must ask. Here because tests,
//! simulation and virtual gates must not each have an opinion of their own; a real gate does the same in its own words.
use super::{ListHash, hash_of};
use crate::id::Token;
use std::collections::BTreeSet;

/// A gate's own list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Held {
    version: u64,
    tokens: BTreeSet<Token>,
    /// Its tokens are not what its version should have: it takes a list from the beginning.
    distrusted: bool,
}

/// What a gate does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Next {
    /// Nothing: it knew that.
    Nothing,
    /// It says that it has another version now.
    Tell,
    /// It asks for the way from this version; 0 = it does not trust its own.
    Ask(u64),
}

impl Held {
    /// The version that it has; 0 = none yet.
    #[must_use]
    pub const fn version(&self) -> u64 {
        self.version
    }
    /// Is it known not to be what its version should be?
    #[must_use]
    pub const fn is_distrusted(&self) -> bool {
        self.distrusted
    }
    /// Its tokens.
    pub fn tokens(&self) -> impl Iterator<Item = &Token> {
        self.tokens.iter()
    }
    /// Does it let nobody through with this?
    #[must_use]
    pub fn denies(&self, token: &str) -> bool {
        self.tokens.contains(token)
    }
    /// The hash of its tokens.
    #[must_use]
    pub fn hash(&self) -> ListHash {
        hash_of(&self.tokens)
    }

    /// A difference came.
    pub fn delta(&mut self, from: u64, to: u64, add: Vec<Token>, remove: &[Token], hash_after: ListHash) -> Next {
        let anew = from == 0 && (self.distrusted || to > self.version);
        if from == to && to == self.version && !anew {
            return if self.hash() == hash_after { Next::Nothing } else { self.distrust() };
        }
        if from != self.version && !anew {
            // An older one that came late or twice is no news.
            return if to > self.version { Next::Ask(self.version) } else { Next::Nothing };
        }
        if anew {
            self.tokens.clear();
        }
        self.tokens.extend(add);
        remove.iter().for_each(|token| drop(self.tokens.take(token)));
        if self.hash() != hash_after {
            return self.distrust();
        }
        (self.version, self.distrusted) = (to, false);
        Next::Tell
    }

    fn distrust(&mut self) -> Next {
        self.distrusted = true;
        Next::Ask(0)
    }

    /// The whole came; a body that is not what was promised is thrown away.
    pub fn whole(&mut self, to: u64, tokens: BTreeSet<Token>, hash: ListHash) -> Next {
        if hash_of(&tokens) != hash {
            return self.distrust();
        }
        let told = self.version != to || self.distrusted;
        (self.version, self.tokens, self.distrusted) = (to, tokens, false);
        if told { Next::Tell } else { Next::Nothing }
    }
}
