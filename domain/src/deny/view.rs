//! The list as everybody else sees it: what people deny by hand, the newest version, and the way to it from an older one. It
//! holds no account's tokens, which the account itself refuses, and not the whole of the newest version.
use super::{Delta, DenyList, Event, Fold, ListHash, Version, fold, hash_of};
use crate::id::Token;
use crate::mutant::{Mutant, planted};
use crate::time::Timestamp;
use std::collections::{HashSet, VecDeque};

/// The committed list, without what an online decision or a gate that was away needs not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DenyView {
    /// The newest version; none = none yet.
    pub newest: Option<Version>,
    desk: HashSet<Token>,
    deltas: VecDeque<Delta>,
}

/// How a gate comes to the newest version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Way {
    /// It has it.
    There,
    /// By this difference.
    By(Fold),
    /// It takes the whole.
    Full,
}

impl DenyView {
    /// Of a list.
    #[must_use]
    pub fn of(list: &DenyList) -> Self {
        let by_hand = |(token, entry): (&Token, &super::Entry)| entry.desk().map(|_| token.clone());
        Self { newest: list.newest.clone(), desk: list.entries.iter().filter_map(by_hand).collect(), deltas: list.deltas.clone() }
    }

    /// Takes a committed event.
    pub fn advance(&mut self, event: &Event, at: Timestamp) {
        match event {
            Event::Listed { tokens, .. } => self.desk.extend(tokens.iter().cloned()),
            Event::Unlisted { tokens, .. } => {
                for token in tokens {
                    self.desk.remove(token);
                }
            }
            Event::VersionMade { delta, count, since, forgotten, .. } => {
                self.newest = Some(Version { number: delta.to, at, since: *since, count: *count, hash: delta.hash });
                self.deltas.push_back(delta.clone());
                self.deltas.drain(..(*forgotten as usize).min(self.deltas.len()));
            }
            Event::Account { .. } | Event::Reached(_) => {}
        }
    }

    /// Does a person deny this token? Nearly always nobody denies any: then this is one comparison.
    #[must_use]
    pub fn denies(&self, token: &Token) -> bool {
        !self.desk.is_empty() && self.desk.contains(token)
    }

    /// Number of the newest version; 0 = none yet.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.newest.as_ref().map_or(0, |newest| newest.number)
    }

    /// The hash of the newest version; before the first that of an empty list.
    #[must_use]
    pub fn hash(&self) -> ListHash {
        self.newest.as_ref().map_or_else(|| hash_of([]), |newest| newest.hash)
    }

    /// The difference that made the newest version.
    #[must_use]
    pub fn newest_delta(&self) -> Option<&Delta> {
        self.deltas.back()
    }

    /// The way to the newest version for who has another. More than `tokens_max` differences are not folded: the whole is
    /// less work for both sides.
    #[must_use]
    pub fn way_from(&self, have: u64, tokens_max: usize) -> Way {
        let version = self.version();
        if have == version {
            return Way::There;
        }
        let kept = self.deltas.len() as u64;
        // A version above ours is of a history that was lost.
        let Some(missing) = version.checked_sub(have).filter(|missing| *missing <= kept + u64::from(planted(Mutant::ChainWithGap))) else {
            return Way::Full;
        };
        let steps = usize::try_from(missing).unwrap_or(usize::MAX).min(self.deltas.len());
        let steps = self.deltas.range(self.deltas.len() - steps..);
        if steps.clone().map(Delta::tokens).sum::<usize>() > tokens_max {
            return Way::Full;
        }
        Way::By(fold(steps))
    }
}
