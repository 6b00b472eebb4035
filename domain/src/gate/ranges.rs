//! Sets of sequence numbers as inclusive ranges: sorted, disjoint, never touching.
use crate::mutant::{Mutant, planted};

/// Is the number in the set?
pub(super) fn contains(ranges: &[(u64, u64)], number: u64) -> bool {
    let next = ranges.partition_point(|(from, _)| *from <= number);
    next.checked_sub(1).and_then(|index| ranges.get(index)).is_some_and(|(_, to)| number <= *to)
}

/// Puts a number into the set; joins the ranges that it makes touch.
pub(super) fn insert(ranges: &mut Vec<(u64, u64)>, number: u64) {
    let next = ranges.partition_point(|(from, _)| *from <= number);
    let (mut from, mut to) = (number, number);
    let (mut first, mut last) = (next, next);
    if let Some(&(before, end)) = next.checked_sub(1).and_then(|index| ranges.get(index))
        && end.saturating_add(1) >= number
    {
        (from, to, first) = (before, end.max(number), next - 1);
    }
    if let Some(&(begin, after)) = ranges.get(next)
        && begin <= to.saturating_add(1)
    {
        (to, last) = (after, next + 1);
    }
    ranges.splice(first..last, [(from, to)]);
}

/// Everything from 1 (or 0, where the set begins there) up to here is in the set; 0 = nothing.
pub(super) fn upto(ranges: &[(u64, u64)]) -> u64 {
    if planted(Mutant::WatermarkOverGaps) {
        return ranges.last().map_or(0, |(_, to)| *to);
    }
    ranges.first().filter(|(from, _)| *from <= 1).map_or(0, |(_, to)| *to)
}

/// What is missing below the highest number of the set, from 1 on.
pub(super) fn missing(ranges: &[(u64, u64)]) -> Vec<(u64, u64)> {
    let before = std::iter::once(0).chain(ranges.iter().map(|(_, to)| *to));
    before.zip(ranges).filter(|(end, (from, _))| end + 1 < *from).map(|(end, (from, _))| (end + 1, from - 1)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    #[test]
    fn ranges_join_when_they_touch() {
        let mut ranges = Vec::new();
        for number in [5, 7, 6, 1, 3, u64::MAX, u64::MAX - 1] {
            insert(&mut ranges, number);
        }
        assert_eq!(ranges, [(1, 1), (3, 3), (5, 7), (u64::MAX - 1, u64::MAX)]);
        assert_eq!((upto(&ranges), missing(&ranges)), (1, vec![(2, 2), (4, 4), (8, u64::MAX - 2)]));
    }

    #[test]
    fn a_gate_that_counts_from_nought_is_understood() {
        let mut ranges = Vec::new();
        (0..=3).for_each(|number| insert(&mut ranges, number));
        assert_eq!((upto(&ranges), missing(&ranges)), (3, vec![]));
        assert_eq!((upto(&[(4, 9)]), missing(&[(4, 9)])), (0, vec![(1, 3)]));
    }

    proptest! {
        #[test]
        fn ranges_are_a_set(numbers in prop::collection::vec(0_u64..60, 0..80)) {
            let mut ranges = Vec::new();
            let mut set = BTreeSet::new();
            for number in numbers {
                insert(&mut ranges, number);
                set.insert(number);
            }
            prop_assert!((0..70).all(|number| contains(&ranges, number) == set.contains(&number)));
            prop_assert!(ranges.iter().all(|(from, to)| from <= to));
            prop_assert!(ranges.windows(2).all(|pair| pair[0].1 + 1 < pair[1].0), "touching: {ranges:?}");
            let gaps: Vec<u64> = missing(&ranges).into_iter().flat_map(|(from, to)| from..=to).collect();
            let wanted: Vec<u64> = (1..set.last().copied().unwrap_or(0)).filter(|number| !set.contains(number)).collect();
            prop_assert_eq!(gaps, wanted);
        }
    }
}
