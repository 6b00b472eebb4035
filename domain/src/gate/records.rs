//! A gate's own account of its taps: watermark and gaps by boot, and what of it is owed to the accounts.
use super::prints::told;
use super::ranges;
use super::{Book, Event, Gate, GateMemory, OwedRecord, RecordLimits, RecordsAck, RejectedRecord};
use crate::account::{self, Doubt, Doubted};
use crate::code::Code;
use crate::doubtful::{self, Case, print_of};
use crate::entity::EntityKey;
use crate::id::{CommandId, TapId};
use crate::machine::{Context, Decision, OWED_AT_ONCE, Owed, OwedWhat, Recipient, RefusalCode, Reply};
use crate::mutant::{Mutant, planted};
use crate::tap::Record;
use crate::time::{Millis, Timestamp};
use compact_str::CompactString;
use std::collections::BTreeMap;

type Decided = Decision<Event>;

/// What a record is to the book of its boot.
enum Weighed {
    New,
    Repeat,
    /// Something else stands under its number.
    Contradiction,
}

/// A batch on its way into the book of its boot.
struct Draft<'a> {
    book: &'a Book,
    taken: Vec<(u64, u64)>,
    fresh: BTreeMap<u64, u32>,
}

impl<'a> Draft<'a> {
    fn of(book: &'a Book) -> Self {
        Self { book, taken: book.taken.clone(), fresh: BTreeMap::new() }
    }

    fn weigh(&self, record: &Record) -> Weighed {
        let seq = record.tap.seq;
        if !ranges::contains(&self.taken, seq) || planted(Mutant::RepeatedRecordTaken) {
            return Weighed::New;
        }
        match self.fresh.get(&seq).copied().or_else(|| self.book.meaning(seq)) {
            Some(print) if print != told(print_of(record)) => {
                if planted(Mutant::CopyTaken) {
                    Weighed::New
                } else {
                    Weighed::Contradiction
                }
            }
            Some(_) | None => Weighed::Repeat,
        }
    }

    fn enter(&mut self, record: &Record) {
        ranges::insert(&mut self.taken, record.tap.seq);
        self.fresh.insert(record.tap.seq, told(print_of(record)));
    }

    fn ack(&self, epoch: u64, rejected: Vec<(u64, Code)>) -> RecordsAck {
        RecordsAck { epoch, upto: ranges::upto(&self.taken), missing: ranges::missing(&self.taken), rejected }
    }
}

impl Book {
    /// The hash of what stands under a number, where it is still known.
    fn meaning(&self, seq: u64) -> Option<u32> {
        let older = || self.prints.get(&seq).and_then(|print| u32::try_from(*print & u64::from(u32::MAX)).ok()).map(told);
        self.meanings.get(seq).or_else(older)
    }

    fn enter(&mut self, record: &Record) {
        ranges::insert(&mut self.taken, record.tap.seq);
        self.meanings.set(record.tap.seq, print_of(record));
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
}

/// What a batch brings.
#[derive(Default)]
struct Sorted {
    new: Vec<Record>,
    /// Contradictions that nobody has been told of.
    rejected: Vec<RejectedRecord>,
    /// All contradictions, as the gate is told.
    codes: Vec<(u64, Code)>,
}

impl Gate {
    /// Is the gate's own record of this tap in? Then a late tap posts nothing.
    pub(super) fn has_record(&self, tap: &TapId) -> bool {
        self.books.get(&tap.epoch).is_some_and(|book| ranges::contains(&book.taken, tap.seq))
    }

    pub(super) fn decide_records(&self, context: &Context<'_>, memory: &GateMemory, epoch: u64, records: &[Record]) -> Decided {
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
        let (none, offset) = (Book::default(), memory.clock_offset().unwrap_or(self.clock));
        let mut draft = Draft::of(self.books.get(&epoch).unwrap_or(&none));
        let Sorted { new, rejected, codes } = self.sort_out(&mut draft, records, settings.record_copies_max);
        if draft.taken.len() > settings.record_gaps_max {
            return Decision::refuse(RefusalCode::WrongState, "too many gaps: send what is missing first");
        }
        let reply = Reply::Records(draft.ack(epoch, codes));
        if new.is_empty() && rejected.is_empty() {
            return Decision::Ask { otherwise: reply };
        }
        let event = Event::RecordsTaken {
            epoch,
            station: station.clone(),
            records: new,
            rejected,
            limits: self.record_limits(context, epoch),
            clock: offset,
            // A message is never early, so a clock that is ahead is so for certain; one that seems behind may be a late state.
            corrected: offset < Millis(-settings.clock_refuse.0) && !planted(Mutant::ClockIgnored),
        };
        Decision::Commit { events: vec![event], reply }
    }

    /// What of a batch is new, what contradicts. An altered copy that comes again is refused again and told to nobody.
    fn sort_out(&self, draft: &mut Draft<'_>, records: &[Record], copies_max: usize) -> Sorted {
        let mut sorted = Sorted::default();
        for record in records {
            match draft.weigh(record) {
                Weighed::New => {
                    draft.enter(record);
                    sorted.new.push(record.clone());
                }
                Weighed::Contradiction => {
                    sorted.codes.push((record.tap.seq, Code::KeyReused));
                    let room = draft.book.copies.len() + sorted.rejected.len() < copies_max;
                    let told = draft.book.copies.contains(&(record.tap.seq, print_of(record)));
                    if room && !told && !sorted.rejected.iter().any(|known| known.record == *record) {
                        let first = self.first(&sorted.new, &record.tap).map(|first| Box::new(first.clone()));
                        sorted.rejected.push(RejectedRecord { record: record.clone(), code: Code::KeyReused, first });
                    }
                }
                Weighed::Repeat => {}
            }
        }
        sorted
    }

    /// What the gate said of a tap before, where it is still at hand.
    fn first<'a>(&'a self, new: &'a [Record], tap: &TapId) -> Option<&'a Record> {
        let owed = || self.owed_records.get(&tap.epoch).and_then(|boot| boot.get(&tap.seq)).map(|owed| &owed.record);
        new.iter().find(|record| record.tap == *tap).or_else(owed)
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

    pub(super) fn take_records(&mut self, event: &Event, at: Timestamp) {
        let Event::RecordsTaken { epoch, station, records, rejected, limits, clock, corrected } = event else { return };
        let book = self.books.entry(*epoch).or_default();
        records.iter().for_each(|record| book.enter(record));
        book.copies.extend(rejected.iter().map(|copy| (copy.record.tap.seq, print_of(&copy.record))));
        book.last = at;
        book.prints.clear();
        book.meanings.keep(limits.prints_kept);
        self.books.retain(|boot, _| !limits.forgotten.contains(boot));
        self.epoch = self.epoch.max(*epoch);
        for record in records.iter().filter(|record| record.medium.is_some() && !planted(Mutant::RecordNotOwed)) {
            let (record, station) = (record.clone(), station.clone());
            let seq = record.tap.seq;
            let owed = OwedRecord { record, station, since: at, clock: *clock, corrected: *corrected };
            self.owed_records.entry(*epoch).or_default().insert(seq, owed);
        }
        for copy in rejected {
            let (record, station, first) = (copy.record.clone(), station.clone(), copy.first.clone());
            let (clock, corrected, doubt) = (*clock, *corrected, Doubt::KeyReused);
            self.owe_case(Case { record, station, doubt, first, other: None, clock, corrected, since: at });
        }
        if !self.owed_records.is_empty() || !self.owed_cases.is_empty() {
            self.owed_due.get_or_insert(at + limits.owed_again);
        }
    }

    fn owe_case(&mut self, case: Case) {
        if !planted(Mutant::DoubtNotTold) {
            self.owed_cases.insert(case.name(), Box::new(case));
        }
    }

    pub(super) fn decide_struck(
        &self,
        context: &Context<'_>,
        owed: &CommandId,
        outcome: account::RecordOutcome,
        doubted: Option<&Doubted>,
    ) -> Decided {
        if let Some(name) = owed.as_str().strip_prefix("doubtful/") {
            let told = Event::CaseTold { name: name.into() };
            return if self.owed_cases.contains_key(name) {
                Decision::Commit { events: vec![told], reply: Reply::Done }
            } else {
                Decision::Ask { otherwise: Reply::Done }
            };
        }
        let Some((epoch, seq)) = numbers_of(owed, context.me) else {
            return Decision::refuse(RefusalCode::BadArgs, format!("this gate never owed {owed}"));
        };
        let Some(owed) = self.owed_records.get(&epoch).and_then(|boot| boot.get(&seq)) else {
            return Decision::Ask { otherwise: Reply::Done };
        };
        let event = Event::RecordStruck { tap: owed.record.tap.clone(), outcome, doubted: doubted.cloned() };
        Decision::Commit { events: vec![event], reply: Reply::Done }
    }

    /// The account has answered; what it doubts is owed to the desk from now on.
    pub(super) fn strike(&mut self, tap: &TapId, doubted: Option<&Doubted>) {
        let owed = self.owed_records.get_mut(&tap.epoch).and_then(|boot| boot.remove(&tap.seq));
        self.owed_records.retain(|_, boot| !boot.is_empty());
        if let (Some(OwedRecord { record, station, since, clock, corrected }), Some(Doubted { doubt, other })) = (owed, doubted) {
            let (doubt, other) = (*doubt, other.clone());
            self.owe_case(Case { record, station, doubt, first: None, other, clock, corrected, since });
        }
        self.nothing_due();
    }

    pub(super) fn strike_case(&mut self, name: &CompactString) {
        self.owed_cases.remove(name);
        self.nothing_due();
    }

    fn nothing_due(&mut self) {
        if self.owed_records.is_empty() && self.owed_cases.is_empty() {
            self.owed_due = None;
        }
    }

    pub(super) fn records_owed(&self) -> impl Iterator<Item = Owed> {
        let records = self.owed_records.values().flat_map(|boot| boot.values()).filter_map(OwedRecord::owed);
        self.owed_cases.values().map(|case| case_owed(case)).chain(records).take(OWED_AT_ONCE)
    }
}

impl OwedRecord {
    fn owed(&self) -> Option<Owed> {
        let to = Recipient::OwnerOf(self.record.medium.as_ref()?.token.clone());
        let clock = if self.corrected { self.clock } else { Millis(0) };
        let command = account::Command::Record { record: self.record.clone(), station: self.station.clone(), clock };
        Some(Owed { id: self.record.tap.record_command(), to, what: OwedWhat::Command(Box::new(command.into())), since: self.since })
    }
}

fn case_owed(case: &Case) -> Owed {
    let command = doubtful::Command::Open(Box::new(case.clone()));
    let what = OwedWhat::Command(Box::new(command.into()));
    Owed { id: case.opening(), to: Recipient::Entity(case.key()), what, since: case.since }
}

/// Boot and sequence in `record/{device}/{epoch}/{seq}` of this gate.
fn numbers_of(owed: &CommandId, me: &EntityKey) -> Option<(u64, u64)> {
    let (epoch, seq) = owed.as_str().strip_prefix("record/")?.strip_prefix(me.id.as_str())?.strip_prefix('/')?.split_once('/')?;
    Some((epoch.parse().ok()?, seq.parse().ok()?))
}
