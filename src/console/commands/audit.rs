//! `audit.search`, `audit.verify`: what stands in the journal, read off the runtime's threads.
use super::{Answer, Job, done, refused};
use crate::boards::{audit, first_without};
use std::sync::Arc;
use tongdao_journal::archive::export::Range;
use tongdao_journal::codec;
use tongdao_journal::contract::{FeedItem, Journal, JournalError};
use tongdao_protocol::console::board::AuditItem;
use tongdao_protocol::console::codes::{Code, ErrorBody};
use tongdao_protocol::console::op::{AuditSearchArgs, AuditVerifyArgs};
use tongdao_protocol::console::result::{AuditPage, Verified};
use tongdao_protocol::console::strict::BadArgs;

/// Items of a page.
const ITEMS: usize = 100;
/// Events that one search reads, at most.
const EVENTS_MAX: usize = 500_000;
/// Events read at once.
const CHUNK: usize = 2048;

/// Where an item stands: moment, partition, sequence.
type Place = (i64, u16, u64);

impl Job<'_> {
    pub(super) async fn audit_search(&self, args: &AuditSearchArgs) -> Answer {
        let (journal, args) = (Arc::clone(&self.console.backend().journal), args.clone());
        let work = tokio::task::spawn_blocking(move || search(journal.as_ref(), &args));
        done(&work.await.map_err(|_| ErrorBody::new(Code::Internal))??, None)
    }

    pub(super) async fn audit_verify(&self, args: &AuditVerifyArgs) -> Answer {
        let Some(journal) = self.console.backend().embedded.clone() else {
            return Err(refused(Code::WrongState, "a journal in memory has nothing to verify"));
        };
        let span = format!("{} to {}", args.from, args.to);
        if !self.console.note(&self.by.user, "audit.verify", "journal", &span).await {
            return Err(Code::Busy.into());
        }
        let range = Range { from: Some(args.from.0), to: Some(args.to.0) };
        let report = tokio::task::spawn_blocking(move || journal.verify_span(range)).await.map_err(|_| ErrorBody::new(Code::Internal))?;
        let verified = match report {
            Ok(report) => Verified { ok: true, records: report.commits, fault: None },
            Err(fault) => Verified { ok: false, records: 0, fault: Some(fault.to_string()) },
        };
        done(&verified, None)
    }
}

fn search(journal: &dyn Journal, args: &AuditSearchArgs) -> Result<AuditPage, ErrorBody> {
    let before = args.cursor.as_ref().map(|cursor| place_of(cursor.as_str())).transpose()?;
    let mut found = Vec::new();
    let mut budget = EVENTS_MAX;
    for partition in 0..journal.partitions() {
        let broken = |fault: JournalError| {
            tracing::error!(%fault, "the audit cannot be searched");
            ErrorBody::new(Code::Internal)
        };
        // Moments hardly fall within a partition; what is a little out of order around the start is filtered below.
        let start = first_without(journal, partition, |item| item.at < args.from.0).map_err(broken)?;
        let mut seq = start.saturating_sub(CHUNK as u64).max(1);
        loop {
            let items = journal.feed(partition, seq, CHUNK).map_err(broken)?;
            let Some(last) = items.last() else { break };
            seq = last.seq + 1;
            budget = budget.checked_sub(items.len()).ok_or_else(|| ErrorBody::from(&BadArgs::bad("from", "a shorter time")))?;
            let over = last.at >= args.to.0;
            found.extend(items.iter().filter(|item| item.at >= args.from.0 && item.at < args.to.0).filter_map(|item| seen(item, args)));
            if over {
                break;
            }
        }
    }
    found.sort_by_key(|(place, _)| std::cmp::Reverse(*place));
    let mut rest = found.into_iter().filter(|(place, _)| before.is_none_or(|before| *place < before));
    let page: Vec<(Place, AuditItem)> = rest.by_ref().take(ITEMS).collect();
    let next = rest.next().and_then(|_| page.last().map(|((at, partition, seq), _)| format!("{at}/{partition}/{seq}")));
    Ok(AuditPage { items: page.into_iter().map(|(_, item)| item).collect(), next })
}

fn place_of(cursor: &str) -> Result<Place, ErrorBody> {
    let mut parts = cursor.split('/');
    let mut next = || parts.next().unwrap_or_default();
    let place = (next().parse(), next().parse(), next().parse());
    match place {
        (Ok(at), Ok(partition), Ok(seq)) => Ok((at, partition, seq)),
        _ => Err((&BadArgs::bad("cursor", "the `next` of an earlier answer")).into()),
    }
}

/// The item, where it is of the audit and wanted.
fn seen(item: &FeedItem, args: &AuditSearchArgs) -> Option<(Place, AuditItem)> {
    let event = codec::decode_event(item.entity.kind, &item.event).ok()?;
    let shown = audit::item(item, &event)?;
    let by = args.by.as_ref().is_none_or(|by| shown.by.as_deref() == Some(by.as_str()));
    let op = args.op.as_ref().is_none_or(|op| shown.op.starts_with(op.as_str()));
    (by && op).then_some(((item.at.0, item.partition, item.seq), shown))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_what_an_answer_gave() {
        assert_eq!(place_of("1772438400000/9/41").ok(), Some((1_772_438_400_000, 9, 41)));
        for bad in ["", "1", "1/2", "a/b/c", "1/70000/3"] {
            assert_eq!(place_of(bad).expect_err(bad).code, Code::BadArgs);
        }
    }
}
