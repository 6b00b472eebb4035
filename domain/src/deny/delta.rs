//! What makes one version out of another, and several of them in one.
use super::ListHash;
use crate::id::Token;
use crate::mutant::{Mutant, planted};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The difference between a version and the one before it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Row", into = "Row")]
pub struct Delta {
    /// The version that it makes, out of the one before.
    pub to: u64,
    /// Tokens that come, in order.
    pub add: Vec<Token>,
    /// Tokens that go, in order.
    pub remove: Vec<Token>,
    /// The hash of the version that it makes.
    pub hash: ListHash,
}

/// A difference as it is stored: a row without names.
type Row = (u64, Vec<Token>, Vec<Token>, ListHash);

impl From<Row> for Delta {
    fn from((to, add, remove, hash): Row) -> Self {
        Self { to, add, remove, hash }
    }
}
impl From<Delta> for Row {
    fn from(delta: Delta) -> Self {
        (delta.to, delta.add, delta.remove, delta.hash)
    }
}

impl Delta {
    /// Tokens in it.
    #[must_use]
    pub fn tokens(&self) -> usize {
        self.add.len() + self.remove.len()
    }
}

/// Several differences in one: what came and went again is in neither list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fold {
    /// Tokens that come.
    pub add: BTreeSet<Token>,
    /// Tokens that go.
    pub remove: BTreeSet<Token>,
}

/// Folds differences, oldest first and without a gap.
pub fn fold<'a>(deltas: impl IntoIterator<Item = &'a Delta>) -> Fold {
    let mut fold = Fold::default();
    for delta in deltas {
        for token in &delta.add {
            if !fold.remove.remove(token) {
                fold.add.insert(token.clone());
            }
        }
        for token in &delta.remove {
            let came = if planted(Mutant::FoldKeepsGone) { fold.add.contains(token) } else { fold.add.remove(token) };
            if !came {
                fold.remove.insert(token.clone());
            }
        }
    }
    fold
}

/// A token in a message: with its quotes and its comma.
pub(super) fn bytes_of(token: &Token) -> usize {
    token.as_str().len() + 3
}

/// What a message has beside its tokens.
pub(super) const ENVELOPE_BYTES: usize = 256;
