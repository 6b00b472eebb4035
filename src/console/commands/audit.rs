//! `audit.search`, `audit.verify`: what stands in the journal, read off the runtime's threads, a bounded piece at a time. A
//! journal of years is searched and checked as one of a day is: the answer says where it stopped, and the console goes on.
mod search;

use super::{Answer, Job, done, refused};
use search::{Bounds, search};
use std::sync::Arc;
use tongdao_domain::time::Millis;
use tongdao_journal::archive::export::Range;
use tongdao_protocol::console::codes::{Code, ErrorBody};
use tongdao_protocol::console::op::{AuditSearchArgs, AuditVerifyArgs};
use tongdao_protocol::console::result::Verified;

/// Items of a page.
const ITEMS: usize = 100;

impl Job<'_> {
    pub(super) async fn audit_search(&self, args: &AuditSearchArgs) -> Answer {
        let place = Arc::clone(&self.console.0.searching).acquire_owned().await.map_err(|_| ErrorBody::new(Code::Internal))?;
        let (journal, args) = (Arc::clone(&self.console.backend().journal), args.clone());
        let bounds = Bounds { items: ITEMS, events: self.console.settings().audit_events_max };
        let work = tokio::task::spawn_blocking(move || {
            let _held_until_done = place;
            search(journal.as_ref(), &args, bounds)
        });
        done(&work.await.map_err(|_| ErrorBody::new(Code::Internal))??, None)
    }

    /// One at a time: it reads much, and whoever waits for a tap must not wait for it.
    pub(super) async fn audit_verify(&self, args: &AuditVerifyArgs) -> Answer {
        let Some(journal) = self.console.backend().embedded.clone() else {
            return Err(refused(Code::WrongState, "a journal in memory has nothing to verify"));
        };
        let busy = |_| refused(Code::Busy, "another time is being verified");
        let place = Arc::clone(&self.console.0.verifying).try_acquire_owned().map_err(busy)?;
        let span = format!("{} to {}", args.from, args.to);
        if !self.console.note(&self.by.user, "audit.verify", "journal", &span).await {
            return Err(Code::Busy.into());
        }
        let range = Range { from: Some(args.from.0), to: Some(args.to.0) };
        let console = self.console.clone();
        let longest = console.now() + Millis(i64::try_from(console.settings().audit_verify_ms_max).unwrap_or(i64::MAX));
        let until = longest.min(self.until);
        let work = tokio::task::spawn_blocking(move || {
            let _held_until_done = place;
            journal.verify_span(range, &|| console.now() < until && !*console.0.draining.borrow())
        });
        let verified = match work.await.map_err(|_| ErrorBody::new(Code::Internal))? {
            Ok(report) => Verified { ok: true, records: report.commits, fault: None, upto: report.stopped_at.map(Into::into) },
            Err(fault) => Verified { ok: false, records: 0, fault: Some(fault.to_string()), upto: None },
        };
        done(&verified, None)
    }
}
