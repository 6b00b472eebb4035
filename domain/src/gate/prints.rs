//! What each record of a boot means, as short hashes by sequence: enough to tell a repeat from a contradiction over a whole
//! day, in four bytes each. Pages, so that a copy is cheap and a stray number takes one page and not the room of all between.
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Sequences in a page.
const PAGE: u64 = 64;

/// Short hashes by sequence; none = nothing is known of that number.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Prints(BTreeMap<u64, Vec<u32>>);

impl Prints {
    pub(super) fn get(&self, seq: u64) -> Option<u32> {
        let print = self.0.get(&(seq / PAGE))?.get(place(seq)).copied()?;
        (print != 0).then_some(print)
    }

    pub(super) fn set(&mut self, seq: u64, print: u32) {
        let page = self.0.entry(seq / PAGE).or_default();
        if page.len() <= place(seq) {
            page.resize(place(seq) + 1, 0);
        }
        page[place(seq)] = told(print);
    }

    /// Forgets the oldest pages; at least so many of the newest sequences stay.
    pub(super) fn keep(&mut self, newest: u32) {
        let pages = usize::try_from(u64::from(newest).div_ceil(PAGE) + 1).unwrap_or(usize::MAX);
        while self.0.len() > pages {
            self.0.pop_first();
        }
    }

    #[must_use]
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Nought stands for nothing.
pub(super) const fn told(print: u32) -> u32 {
    if print == 0 { 1 } else { print }
}

const fn place(seq: u64) -> usize {
    (seq % PAGE) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_set_is_there_and_nothing_else() {
        let mut prints = Prints::default();
        assert!(prints.is_empty());
        for seq in [0, 1, 63, 64, 5_000, u64::MAX] {
            prints.set(seq, 7);
        }
        prints.set(2, 0);
        assert_eq!((prints.get(2), prints.get(3), prints.get(65)), (Some(1), None, None));
        assert!([0, 1, 63, 64, 5_000, u64::MAX].iter().all(|seq| prints.get(*seq) == Some(7)));
    }

    #[test]
    fn the_newest_stay() {
        let mut prints = Prints::default();
        (1..=1_000).for_each(|seq| prints.set(seq, 9));
        prints.keep(300);
        assert!((701..=1_000).all(|seq| prints.get(seq) == Some(9)));
        assert!((1..=512).all(|seq| prints.get(seq).is_none()), "and not many more");
    }
}
