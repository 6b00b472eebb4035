//! A gate's own account of its taps: watermark and gaps by boot, and what of it is owed to the accounts.
use super::ranges;
use super::{Book, Event, Gate, OwedRecord, RecordLimits, RecordsAck, RejectedRecord};
use crate::account;
use crate::code::Code;
use crate::entity::EntityKey;
use crate::id::{CommandId, StationId, TapId};
use crate::machine::{Context, Decision, OWED_AT_ONCE, Owed, OwedWhat, Recipient, RefusalCode, Reply};
use crate::mutant::{Mutant, planted};
use crate::tap::Record;
use crate::time::Timestamp;

type Decided = Decision<Event>;

/// What a record is to the book of its boot.
enum Weighed {
    New,
    Repeat,
    Contradiction,
}

impl Book {
    fn weigh(&self, record: &Record) -> Weighed {
        match self.prints.get(&record.tap.seq) {
            _ if !ranges::contains(&self.taken, record.tap.seq) => Weighed::New,
            _ if planted(Mutant::RepeatedRecordTaken) => Weighed::New,
            Some(print) if *print != print_of(record) => Weighed::Contradiction,
            Some(_) | None => Weighed::Repeat,
        }
    }

    fn enter(&mut self, record: &Record) {
        ranges::insert(&mut self.taken, record.tap.seq);
        self.prints.insert(record.tap.seq, print_of(record));
    }

    /// Everything up to here has come.
    #[must_use]
    pub fn upto(&self) -> u64 {
        ranges::upto(&self.taken)
    }

    /// What has not come below the highest that has, as inclusive ranges.
    #[must_use]
    pub fn missing(&self) -> Vec<(u64, u64)> {
        ranges::missing(&self.taken)
    }

    fn ack(&self, epoch: u64, rejected: &[RejectedRecord]) -> RecordsAck {
        let rejected = rejected.iter().map(|rejected| (rejected.record.tap.seq, rejected.code)).collect();
        RecordsAck { epoch, upto: self.upto(), missing: self.missing(), rejected }
    }
}

/// Half of the meaning's hash: enough to tell a repeat from a contradiction.
fn print_of(record: &Record) -> u64 {
    u64::try_from(record.fingerprint().0 & u128::from(u64::MAX)).unwrap_or(0)
}

impl Gate {
    /// Is the gate's own record of this tap in? Then a late tap posts nothing.
    pub(super) fn has_record(&self, tap: &TapId) -> bool {
        self.books.get(&tap.epoch).is_some_and(|book| ranges::contains(&book.taken, tap.seq))
    }

    pub(super) fn decide_records(&self, context: &Context<'_>, epoch: u64, records: &[Record]) -> Decided {
        let settings = &context.world.settings;
        if records.len() > settings.records_per_batch_max {
            let hint = format!("a batch has at most {} records", settings.records_per_batch_max);
            return Decision::refuse(RefusalCode::BadArgs, hint);
        }
        if records.iter().any(|record| record.tap.epoch != epoch || record.tap.device.as_str() != context.me.id) {
            return Decision::refuse(RefusalCode::BadArgs, "a batch holds records of one gate and one epoch");
        }
        let Some(station) = context.world.gates.get(context.me.id.as_str()).map(|gate| &gate.station) else {
            return Decision::refuse(RefusalCode::NotFound, format!("the gate {} stands in no station", context.me.id));
        };
        let mut book = self.books.get(&epoch).cloned().unwrap_or_default();
        let (new, rejected) = sort_out(&mut book, records);
        if book.missing().len() > settings.record_gaps_max {
            return Decision::refuse(RefusalCode::WrongState, "too many gaps: send what is missing first");
        }
        let reply = Reply::Records(book.ack(epoch, &rejected));
        if new.is_empty() && rejected.is_empty() {
            return Decision::Ask { otherwise: reply };
        }
        let limits = self.record_limits(context, epoch);
        let event = Event::RecordsTaken { epoch, station: station.clone(), records: new, rejected, limits };
        Decision::Commit { events: vec![event], reply }
    }

    fn record_limits(&self, context: &Context<'_>, epoch: u64) -> RecordLimits {
        let settings = &context.world.settings;
        let mut others: Vec<_> = self.books.iter().filter(|(boot, _)| **boot != epoch).map(|(boot, book)| (book.last, *boot)).collect();
        others.sort_unstable();
        let surplus = (others.len() + 1).saturating_sub(settings.epochs_kept.max(1));
        RecordLimits {
            forgotten: others.into_iter().take(surplus).map(|(_, boot)| boot).collect(),
            prints_kept: settings.record_prints_kept,
            owed_again: settings.owed_again,
        }
    }

    pub(super) fn take_records(&mut self, epoch: u64, station: &StationId, records: &[Record], limits: &RecordLimits, at: Timestamp) {
        let book = self.books.entry(epoch).or_default();
        records.iter().for_each(|record| book.enter(record));
        book.last = at;
        while book.prints.len() > usize::try_from(limits.prints_kept).unwrap_or(usize::MAX) {
            book.prints.pop_first();
        }
        self.books.retain(|boot, _| !limits.forgotten.contains(boot));
        self.epoch = self.epoch.max(epoch);
        for record in records.iter().filter(|record| record.medium.is_some() && !planted(Mutant::RecordNotOwed)) {
            let owed = OwedRecord { record: record.clone(), station: station.clone(), since: at };
            self.owed_records.entry(epoch).or_default().insert(record.tap.seq, owed);
        }
        if !self.owed_records.is_empty() {
            self.owed_due.get_or_insert(at + limits.owed_again);
        }
    }

    pub(super) fn decide_struck(&self, context: &Context<'_>, owed: &CommandId, outcome: account::RecordOutcome) -> Decided {
        let Some((epoch, seq)) = numbers_of(owed, context.me) else {
            return Decision::refuse(RefusalCode::BadArgs, format!("this gate never owed {owed}"));
        };
        let Some(owed) = self.owed_records.get(&epoch).and_then(|boot| boot.get(&seq)) else {
            return Decision::Ask { otherwise: Reply::Done };
        };
        let event = Event::RecordStruck { tap: owed.record.tap.clone(), outcome };
        Decision::Commit { events: vec![event], reply: Reply::Done }
    }

    pub(super) fn strike(&mut self, tap: &TapId) {
        if let Some(boot) = self.owed_records.get_mut(&tap.epoch) {
            boot.remove(&tap.seq);
            if boot.is_empty() {
                self.owed_records.remove(&tap.epoch);
            }
        }
        if self.owed_records.is_empty() {
            self.owed_due = None;
        }
    }

    pub(super) fn records_owed(&self) -> impl Iterator<Item = Owed> {
        self.owed_records.values().flat_map(|boot| boot.values()).filter_map(OwedRecord::owed).take(OWED_AT_ONCE)
    }
}

impl OwedRecord {
    fn owed(&self) -> Option<Owed> {
        let to = Recipient::OwnerOf(self.record.medium.as_ref()?.token.clone());
        let command = account::Command::Record { record: self.record.clone(), station: self.station.clone() };
        Some(Owed { id: self.record.tap.record_command(), to, what: OwedWhat::Command(Box::new(command.into())), since: self.since })
    }
}

/// Enters what is new into the book; gives the new ones and the contradictions.
fn sort_out(book: &mut Book, records: &[Record]) -> (Vec<Record>, Vec<RejectedRecord>) {
    let (mut new, mut rejected) = (Vec::with_capacity(records.len()), Vec::new());
    for record in records {
        match book.weigh(record) {
            Weighed::New => {
                book.enter(record);
                new.push(record.clone());
            }
            Weighed::Contradiction => rejected.push(RejectedRecord { record: record.clone(), code: Code::KeyReused }),
            Weighed::Repeat => {}
        }
    }
    (new, rejected)
}

/// Boot and sequence in `record/{device}/{epoch}/{seq}` of this gate.
fn numbers_of(owed: &CommandId, me: &EntityKey) -> Option<(u64, u64)> {
    let (epoch, seq) = owed.as_str().strip_prefix("record/")?.strip_prefix(me.id.as_str())?.strip_prefix('/')?.split_once('/')?;
    Some((epoch.parse().ok()?, seq.parse().ok()?))
}
