//! A journal that is read as a whole: by the one who opens its folder while no server runs, or beside a running writer.
//! What is read: [`export`](Archive::export), [`verify`](Archive::verify), [`doctor`](Archive::doctor).
//!
//! Opening a folder cuts off a torn tail that nobody was told of, as a start does, and counts it.
pub mod doctor;
pub mod export;
pub mod span;
#[cfg(test)]
mod tests;
pub mod verify;

use std::path::Path;
use std::sync::atomic::Ordering;

use fjall::Snapshot;

use crate::contract::{FeedItem, JournalError};
use crate::embedded::mark::Mark;
use crate::embedded::read;
use crate::embedded::start::{self, Opened};
use crate::embedded::store::Store;
use crate::embedded::{Embedded, Settings};
use doctor::DoctorReport;
use export::{Export, Range};
use span::SpanReport;
use verify::{Check, VerifyFault, VerifyReport};

/// A journal's folder, opened for reading while no server runs.
pub struct Archive {
    opened: Opened,
    settings: Settings,
}

/// One consistent look at a journal.
pub(crate) struct View<'a> {
    pub(crate) store: &'a Store,
    pub(crate) snapshot: Snapshot,
    pub(crate) partitions: u16,
    /// Beside a running writer: the last group that all of it is known to be there.
    pub(crate) upto: Option<u64>,
    /// What was acknowledged, where the side file was read.
    pub(crate) mark: Option<Mark>,
    pub(crate) settings: &'a Settings,
    /// Bytes cut off when it was opened.
    pub(crate) torn_bytes: u64,
}

impl Archive {
    /// Opens the folder of a journal.
    ///
    /// # Errors
    /// As [`Embedded::open`]; [`JournalError::Damaged`] where there is no journal.
    pub fn open(dir: &Path) -> Result<Self, JournalError> {
        if !dir.join("store").is_dir() {
            return Err(JournalError::Damaged { place: dir.display().to_string(), what: "there is no journal".to_owned() });
        }
        let settings = Settings::new(dir);
        Ok(Self { opened: start::open(&settings, None)?, settings })
    }

    fn view(&self) -> View<'_> {
        let Opened { store, partitions, acknowledged, torn_bytes, .. } = &self.opened;
        let snapshot = store.db.snapshot();
        let mark = Some(*acknowledged);
        View { store, snapshot, partitions: *partitions, upto: None, mark, settings: &self.settings, torn_bytes: *torn_bytes }
    }

    /// Every committed event in a range of moments, ordered within a partition.
    #[must_use]
    pub fn export(&self, range: Range) -> Export<'_> {
        Export::new(self.view(), range)
    }

    /// Number of logical partitions.
    #[must_use]
    pub fn partitions(&self) -> u16 {
        self.opened.partitions
    }

    /// Committed events of a partition from a sequence on, at most `limit`.
    ///
    /// # Errors
    /// [`JournalError`] when it cannot be read or is damaged there.
    pub fn feed(&self, partition: u16, from_seq: u64, limit: usize) -> Result<Vec<FeedItem>, JournalError> {
        let view = self.view();
        read::feed(view.store, &view.snapshot, partition, from_seq, limit)
    }

    /// Checks everything; `checks` see each event, too.
    ///
    /// # Errors
    /// [`VerifyFault`]: the first thing that does not fit.
    pub fn verify(&self, checks: &mut [&mut dyn Check]) -> Result<VerifyReport, VerifyFault> {
        verify::verify(&self.view(), checks)
    }

    /// Checks what was committed in a range of moments, and the hash chain over it, as long as `goes_on` says so; it stops
    /// only within the range, so at least the segment in which that begins is read.
    ///
    /// # Errors
    /// [`VerifyFault`]: the first thing that does not fit.
    pub fn verify_span(&self, range: Range, goes_on: &dyn Fn() -> bool) -> Result<SpanReport, VerifyFault> {
        span::verify(&self.view(), range, goes_on)
    }

    /// Positions, sizes, losses and the disk reserve.
    ///
    /// # Errors
    /// [`JournalError`] when it cannot be read.
    pub fn doctor(&self) -> Result<DoctorReport, JournalError> {
        doctor::doctor(&self.view())
    }
}

impl Embedded {
    fn view(&self) -> View<'_> {
        let shared = self.shared();
        let (store, settings) = (&shared.store, &shared.settings);
        let upto = Some(shared.groups.load(Ordering::Acquire));
        // Where the store takes nothing in any more, it is looked at as it is.
        let snapshot = shared.snapshot().unwrap_or_else(|_| store.db.snapshot());
        let (partitions, torn_bytes) = (settings.partitions, shared.torn_bytes);
        View { store, snapshot, partitions, upto, mark: None, settings, torn_bytes }
    }

    /// As [`Archive::export`], beside the writer, as of now.
    #[must_use]
    pub fn export(&self, range: Range) -> Export<'_> {
        Export::new(self.view(), range)
    }

    /// As [`Archive::verify`], beside the writer, as of now.
    ///
    /// # Errors
    /// [`VerifyFault`]: the first thing that does not fit.
    pub fn verify(&self, checks: &mut [&mut dyn Check]) -> Result<VerifyReport, VerifyFault> {
        verify::verify(&self.view(), checks)
    }

    /// As [`Archive::verify_span`], beside the writer, as of now.
    ///
    /// # Errors
    /// [`VerifyFault`]: the first thing that does not fit.
    pub fn verify_span(&self, range: Range, goes_on: &dyn Fn() -> bool) -> Result<SpanReport, VerifyFault> {
        span::verify(&self.view(), range, goes_on)
    }

    /// As [`Archive::doctor`], beside the writer, as of now.
    ///
    /// # Errors
    /// [`JournalError`] when it cannot be read.
    pub fn doctor(&self) -> Result<DoctorReport, JournalError> {
        let uncovered = self.shared().index().uncovered();
        doctor::doctor(&self.view()).map(|report| DoctorReport { uncovered_commits: Some(uncovered), ..report })
    }
}

/// Goes on with what is there although acknowledged groups are missing: rebuilds everything derived, notes the loss for
/// ever, and sets the high-water mark back. The process writes the audit entry.
///
/// # Errors
/// As [`Embedded::open`], where even that does not help.
pub fn accept_loss(dir: &Path) -> Result<DoctorReport, JournalError> {
    let (_, requests) = crossbeam_channel::bounded(1);
    let settings = Settings { accept_loss: true, ..Settings::new(dir) };
    drop(start::start(settings, None, requests)?);
    Archive::open(dir)?.doctor()
}
