//! Commands on which actors panicked: counted by command id, given up after some, and remembered as dead letters. Pure.
use std::collections::{HashMap, VecDeque};

use tongdao_domain::id::CommandId;

/// Command ids that are counted at once; the oldest is forgotten first.
const COUNTED_MAX: usize = 1024;

/// What a panic on a command means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub(crate) enum Verdict {
    /// It may be tried again.
    Again,
    /// It goes to the dead letters.
    GiveUp,
}

/// The counts of one cell.
#[derive(Debug)]
pub(crate) struct Panics {
    counts: HashMap<CommandId, u8>,
    order: VecDeque<CommandId>,
    max: u8,
}

impl Panics {
    pub(crate) fn new(max: u8) -> Self {
        Self { counts: HashMap::new(), order: VecDeque::new(), max: max.max(1) }
    }
    /// Counts one more panic on this command.
    pub(crate) fn count(&mut self, id: &CommandId) -> Verdict {
        if let Some(count) = self.counts.get_mut(id) {
            *count = count.saturating_add(1);
            return if *count >= self.max { Verdict::GiveUp } else { Verdict::Again };
        }
        if self.order.len() >= COUNTED_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.counts.remove(&oldest);
        }
        self.counts.insert(id.clone(), 1);
        self.order.push_back(id.clone());
        if self.max == 1 { Verdict::GiveUp } else { Verdict::Again }
    }
    /// Was this command given up? Cheap while nothing ever panicked.
    pub(crate) fn given_up(&self, id: &CommandId) -> bool {
        !self.counts.is_empty() && self.counts.get(id).is_some_and(|count| *count >= self.max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_third_panic_on_one_command_gives_it_up() {
        let mut panics = Panics::new(3);
        let (bad, other) = (CommandId::new("bad").expect("an id"), CommandId::new("other").expect("an id"));
        assert_eq!([panics.count(&bad), panics.count(&other), panics.count(&bad)], [Verdict::Again; 3]);
        assert!(!panics.given_up(&bad));
        assert_eq!(panics.count(&bad), Verdict::GiveUp);
        assert!(panics.given_up(&bad) && !panics.given_up(&other));
    }

    #[test]
    fn the_counts_are_bounded() {
        let mut panics = Panics::new(1);
        for n in 0..=COUNTED_MAX {
            let _ = panics.count(&CommandId::of(format_args!("c/{n}")));
        }
        assert!(!panics.given_up(&CommandId::of(format_args!("c/0"))), "forgotten");
        assert!(panics.given_up(&CommandId::of(format_args!("c/{COUNTED_MAX}"))));
    }
}
