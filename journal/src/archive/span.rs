//! Checks a span of time: every record and the hash chain from the segment that the span begins in to the group that it
//! ends in. What lies before is taken on the word of the chain that is stored there; [`super::verify`] reads everything.
use tongdao_domain::time::Timestamp;

use super::View;
use super::doctor::hex;
use super::export::Range;
use super::verify::{VerifyFault, Walk, at};
use crate::contract::JournalError;
use crate::embedded::group::Group;

/// A span that fits together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpanReport {
    /// The first group that was read; 0 = none.
    pub first_group: u64,
    /// The last one.
    pub last_group: u64,
    /// Commits that were read.
    pub commits: u64,
    /// Events that were read.
    pub events: u64,
    /// End of the hash chain, in hexadecimal.
    pub chain: String,
}

/// Checks the span.
pub(super) fn verify(view: &View<'_>, range: Range) -> Result<SpanReport, VerifyFault> {
    let newest = view.store.last_group(&view.snapshot)?.map_or(0, |group| group.number);
    let newest = view.upto.map_or(newest, |upto| newest.min(upto));
    let (from, to) = (range.from.unwrap_or(Timestamp(i64::MIN)), range.to.unwrap_or(Timestamp(i64::MAX)));
    // The newest moment never falls from group to group, and neither does the segment.
    let hit = first(view, newest, |group| group.newest_at >= from)?;
    let Some(hit) = hit else { return Ok(SpanReport::nothing()) };
    let segment = view.store.group(&view.snapshot, hit)?.segment;
    let begin = first(view, newest, |group| group.segment >= segment)?.unwrap_or(hit);
    let mut walk = match begin {
        1 => Walk::new(view),
        begin => Walk::after(view, &view.store.group(&view.snapshot, begin - 1)?, segment)?,
    };
    let before = walk.events;
    let mut last = begin - 1;
    for number in begin..=newest {
        let group = group(view, number)?;
        walk.group(&group, &mut [])?;
        last = number;
        if group.newest_at >= to {
            break;
        }
    }
    Ok(SpanReport { first_group: begin, last_group: last, commits: walk.commits, events: walk.events - before, chain: hex(&walk.chain) })
}

impl SpanReport {
    fn nothing() -> Self {
        Self { first_group: 0, last_group: 0, commits: 0, events: 0, chain: String::new() }
    }
}

/// A group that must be there.
fn group(view: &View<'_>, number: u64) -> Result<Group, VerifyFault> {
    view.store.group(&view.snapshot, number).map_err(|fault| match fault {
        JournalError::Damaged { what, .. } => at(format!("group {number}"), what),
        other => other.into(),
    })
}

/// The first group for which it holds, where it holds for all that follow.
fn first(view: &View<'_>, newest: u64, holds: impl Fn(&Group) -> bool) -> Result<Option<u64>, VerifyFault> {
    let (mut low, mut high) = (1, newest + 1);
    while low < high {
        let middle = low + (high - low) / 2;
        if holds(&group(view, middle)?) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    Ok((low <= newest).then_some(low))
}
