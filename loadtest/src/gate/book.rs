//! The gate's own book of its taps, by sequence: from the tap until nobody needs it any more.
use super::{Repeat, Rider};
use std::collections::VecDeque;
use tongdao_protocol::gate::{By, Direction, Medium, PassageOutcome, RecordPassage};
use tongdao_protocol::text::Path;

/// An answer is waited for this long after the deadline, only to be counted.
const LINGER_MS: i64 = 5_000;

/// What the gate did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Nothing yet.
    Waiting,
    /// It opened or stayed shut, on whose word.
    Shown { by: By, open: bool },
}

/// How far the record of a tap has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sent {
    No,
    At(i64),
    Kept,
}

/// One tap.
pub(super) struct Entry {
    pub(super) tag: u64,
    pub(super) direction: Direction,
    pub(super) medium: Medium,
    pub(super) at: i64,
    pub(super) due: i64,
    pub(super) mode: u64,
    pub(super) repeat: Repeat,
    pub(super) outcome: Outcome,
    pub(super) answered: bool,
    pub(super) answer: Option<u64>,
    pub(super) answers_owed: u8,
    pub(super) reference: Option<Path>,
    pub(super) passage: (PassageOutcome, i64),
    pub(super) passing: bool,
    pub(super) passed: RecordPassage,
    /// What its record said of the passage: a record does not change once it was told.
    pub(super) told: Option<RecordPassage>,
    pub(super) sent: Sent,
}

impl Entry {
    pub(super) fn new(rider: &Rider, at: i64, due: i64, mode: u64) -> Self {
        Self {
            tag: rider.tag,
            direction: rider.direction,
            medium: rider.medium.clone(),
            at,
            due,
            mode,
            repeat: rider.repeat,
            outcome: Outcome::Waiting,
            answered: false,
            answer: None,
            answers_owed: if rider.repeat == Repeat::No { 1 } else { 2 },
            reference: None,
            passage: rider.passage,
            passing: false,
            passed: RecordPassage(None),
            told: None,
            sent: Sent::No,
        }
    }

    fn is_settled(&self, now: i64, records: bool) -> bool {
        let answered = self.answers_owed == 0 || now > self.due + LINGER_MS;
        self.outcome != Outcome::Waiting && answered && !self.passing && (!records || self.sent == Sent::Kept)
    }
}

/// Sequences begin with 1 in every epoch and have no gaps.
pub(super) struct Book {
    first: u64,
    entries: VecDeque<Entry>,
    /// Sequences that may still wait, in the order of their deadlines.
    waiting: VecDeque<u64>,
}

impl Default for Book {
    fn default() -> Self {
        Self { first: 1, entries: VecDeque::new(), waiting: VecDeque::new() }
    }
}

impl Book {
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Enters a tap; returns its sequence.
    pub(super) fn open(&mut self, entry: Entry) -> u64 {
        let seq = self.first + self.entries.len() as u64;
        self.entries.push_back(entry);
        self.due();
        self.waiting.push_back(seq);
        seq
    }

    fn index(&self, seq: u64) -> Option<usize> {
        usize::try_from(seq.checked_sub(self.first)?).ok()
    }
    pub(super) fn get(&self, seq: u64) -> Option<&Entry> {
        self.entries.get(self.index(seq)?)
    }
    pub(super) fn get_mut(&mut self, seq: u64) -> Option<&mut Entry> {
        let index = self.index(seq)?;
        self.entries.get_mut(index)
    }

    /// All taps with their sequences.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = (u64, &mut Entry)> {
        (self.first..).zip(self.entries.iter_mut())
    }

    /// The next deadline of a tap that waits.
    pub(super) fn due(&mut self) -> Option<i64> {
        while let Some(seq) = self.waiting.front() {
            match self.get(*seq) {
                Some(entry) if entry.outcome == Outcome::Waiting => return Some(entry.due),
                _ => self.waiting.pop_front(),
            };
        }
        None
    }

    /// A tap whose deadline has passed without an answer.
    pub(super) fn overdue(&mut self, now: i64) -> Option<u64> {
        self.due().filter(|due| *due < now)?;
        self.waiting.pop_front()
    }

    pub(super) fn waiting_seqs(&self) -> Vec<u64> {
        let waits = |seq: &u64| self.get(*seq).is_some_and(|entry| entry.outcome == Outcome::Waiting);
        self.waiting.iter().copied().filter(waits).collect()
    }

    /// Takes out the oldest tap, if nobody needs it any more.
    pub(super) fn settled(&mut self, now: i64, records: bool) -> Option<Entry> {
        self.entries.front().filter(|entry| entry.is_settled(now, records))?;
        self.first += 1;
        self.entries.pop_front()
    }

    /// A new connection: what was sent and not acknowledged goes out again.
    pub(super) fn forget_sent(&mut self) {
        for entry in self.entries.iter_mut().filter(|entry| matches!(entry.sent, Sent::At(_))) {
            entry.sent = Sent::No;
        }
    }

    pub(super) fn unanswered(&self) -> usize {
        self.entries.iter().filter(|entry| !entry.answered).count()
    }
}
