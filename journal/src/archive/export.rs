//! Every committed event, one after the other, ordered within a partition.
use std::collections::VecDeque;

use tongdao_domain::time::Timestamp;

use super::View;
use crate::contract::{FeedItem, JournalError};
use crate::embedded::read;

/// Events that are read at once.
const CHUNK: usize = 1024;

/// Moments of commit to export.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Range {
    /// From this moment on, inclusive.
    pub from: Option<Timestamp>,
    /// Up to this moment, exclusive.
    pub to: Option<Timestamp>,
}

impl Range {
    fn holds(&self, at: Timestamp) -> bool {
        self.from.is_none_or(|from| at >= from) && self.to.is_none_or(|to| at < to)
    }
}

/// Partition after partition; it ends after the first error.
pub struct Export<'a> {
    view: View<'a>,
    range: Range,
    partition: u16,
    next_seq: u64,
    chunk: VecDeque<FeedItem>,
    failed: bool,
}

impl<'a> Export<'a> {
    pub(crate) fn new(view: View<'a>, range: Range) -> Self {
        Self { view, range, partition: 0, next_seq: 1, chunk: VecDeque::new(), failed: false }
    }

    fn read_more(&mut self) -> Result<(), JournalError> {
        let items = read::feed(self.view.store, &self.view.snapshot, self.partition, self.next_seq, CHUNK)?;
        match items.last() {
            Some(last) => self.next_seq = last.seq + 1,
            None => (self.partition, self.next_seq) = (self.partition + 1, 1),
        }
        let range = self.range;
        self.chunk.extend(items.into_iter().filter(|item| range.holds(item.at)));
        Ok(())
    }
}

impl Iterator for Export<'_> {
    type Item = Result<FeedItem, JournalError>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.chunk.is_empty() && !self.failed && self.partition < self.view.partitions {
            if let Err(fault) = self.read_more() {
                self.failed = true;
                return Some(Err(fault));
            }
        }
        self.chunk.pop_front().map(Ok)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_includes_its_beginning_and_excludes_its_end() {
        let range = Range { from: Some(Timestamp(10)), to: Some(Timestamp(20)) };
        assert_eq!([9, 10, 19, 20].map(|at| range.holds(Timestamp(at))), [false, true, true, false]);
        assert!(Range::default().holds(Timestamp(i64::MIN)));
    }
}
