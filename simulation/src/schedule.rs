//! The virtual clock: what happens next, in the order of time; what happens at one moment, in the order of scheduling.
use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use tongdao_domain::time::Timestamp;

/// Everything that is still to happen.
#[derive(Debug)]
pub struct Schedule<T> {
    heap: BinaryHeap<Reverse<Entry<T>>>,
    scheduled: u64,
}

#[derive(Debug)]
struct Entry<T> {
    at: Timestamp,
    number: u64,
    what: T,
}

impl<T> Schedule<T> {
    /// Nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self { heap: BinaryHeap::new(), scheduled: 0 }
    }
    /// Lets something happen at a moment.
    pub fn at(&mut self, at: Timestamp, what: T) {
        self.scheduled += 1;
        self.heap.push(Reverse(Entry { at, number: self.scheduled, what }));
    }
    /// Takes what happens next, unless it is after `until`.
    pub fn next(&mut self, until: Timestamp) -> Option<(Timestamp, T)> {
        if self.heap.peek()?.0.at > until {
            return None;
        }
        self.heap.pop().map(|Reverse(entry)| (entry.at, entry.what))
    }
}

impl<T> Default for Schedule<T> {
    fn default() -> Self {
        Self::new()
    }
}
impl<T> PartialEq for Entry<T> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}
impl<T> Eq for Entry<T> {}
impl<T> PartialOrd for Entry<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl<T> Ord for Entry<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.at, self.number).cmp(&(other.at, other.number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_time_then_by_order_of_scheduling() {
        let mut schedule = Schedule::new();
        for (at, what) in [(5, "c"), (1, "a"), (5, "d"), (2, "b"), (9, "e")] {
            schedule.at(Timestamp(at), what);
        }
        let seen: String = std::iter::from_fn(|| schedule.next(Timestamp(5)).map(|(_, what)| what)).collect();
        assert_eq!(seen, "abcd");
        assert_eq!(schedule.next(Timestamp(9)), Some((Timestamp(9), "e")));
    }
}
