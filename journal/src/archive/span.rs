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
    /// It was told to stop before the end of the span: what was committed before this moment fits.
    pub stopped_at: Option<Timestamp>,
}

/// Checks the span, as long as `goes_on` says so; it is asked after every group from the begin of the span on.
pub(super) fn verify(view: &View<'_>, range: Range, goes_on: &dyn Fn() -> bool) -> Result<SpanReport, VerifyFault> {
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
    let (mut last, mut stopped_at) = (begin - 1, None);
    for number in begin..=newest {
        let group = group(view, number)?;
        walk.group(&group, &mut [])?;
        last = number;
        if group.newest_at >= to {
            break;
        }
        // Before the span begins there is nothing that could be told: whoever goes on from there would read it again.
        if number < newest && group.newest_at > from && !goes_on() {
            stopped_at = Some(group.newest_at);
            break;
        }
    }
    let events = walk.events - before;
    Ok(SpanReport { first_group: begin, last_group: last, commits: walk.commits, events, chain: hex(&walk.chain), stopped_at })
}

impl SpanReport {
    fn nothing() -> Self {
        Self { first_group: 0, last_group: 0, commits: 0, events: 0, chain: String::new(), stopped_at: None }
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
