//! The other way into a cell: outcomes, feed, answers from other cells. A queue and one wake-up for however much came.
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;
use tongdao_journal::contract::{FeedItem, Outcome, OutcomeSink, Ticket};

use crate::mail::Note;

/// The queue of one cell; shared with the journal's thread, the readers and the other cells.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    notes: Mutex<Vec<Note>>,
    wake: Notify,
}

impl Inbox {
    pub(crate) fn push(&self, note: Note) {
        let mut notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        let first = notes.is_empty();
        notes.push(note);
        drop(notes);
        if first {
            self.wake.notify_one();
        }
    }
    /// Exchanges what has come for an empty list; the two lists take turns, so nothing is allocated.
    pub(crate) fn take(&self, emptied: &mut Vec<Note>) {
        debug_assert!(emptied.is_empty(), "notes that were never looked at");
        std::mem::swap(&mut *self.notes.lock().unwrap_or_else(PoisonError::into_inner), emptied);
    }
    /// Wakes the cell without telling it anything.
    pub(crate) fn wake(&self) {
        self.wake.notify_one();
    }
    /// Waits for the next wake-up; one that came before is not lost.
    pub(crate) async fn woken(&self) {
        self.wake.notified().await;
    }
}

/// The door of a cell as the journal sees it.
pub(crate) struct CellSink(pub(crate) Arc<Inbox>);

impl OutcomeSink for CellSink {
    fn outcomes(&self, outcomes: Vec<(Ticket, Outcome)>) {
        self.0.push(Note::Outcomes(outcomes));
    }
    fn followed(&self, items: Arc<[FeedItem]>) {
        self.0.push(Note::Followed(items));
    }
}
