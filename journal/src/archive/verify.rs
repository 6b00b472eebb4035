//! Reads everything and names the first thing that does not fit.
//!
//! Checked: every checksum; the hash chain over all groups; each group's list against the records; gapless sequences;
//! contiguous versions of each entity; one outcome for each tap; that every event can be decoded; stored states and
//! heads; and what the given checks say of each event. A journal that was cut at its end is seen when it is opened.
use std::collections::BTreeMap;

use fjall::Readable;
use tongdao_domain::entity::EntityKey;
use tongdao_domain::invariant::Books;
use tongdao_domain::machine::Event;
use tongdao_domain::time::Timestamp;

use super::View;
use super::doctor::hex;
use crate::codec;
use crate::contract::{FeedItem, JournalError};
use crate::embedded::group::{Group, Line, chained, number_of};
use crate::embedded::head::{Head, entity_of};
use crate::embedded::index::QuickMap;
use crate::embedded::read::decode_state;
use crate::embedded::store::{checked, damaged, fault};
use crate::embedded::{Loss, meta};
use crate::record::{self, Place, Record};

/// A further check that sees every event in the order of commit.
pub trait Check {
    /// Looks at an event.
    ///
    /// # Errors
    /// What does not fit, in words.
    fn event(&mut self, item: &FeedItem, event: &Event) -> Result<(), String>;
    /// Looks at the whole, at the end.
    ///
    /// # Errors
    /// What does not fit, in words.
    fn end(&mut self) -> Result<(), String> {
        Ok(())
    }
}

/// A journal that fits together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifyReport {
    /// Groups in the hash chain.
    pub groups: u64,
    /// End of the hash chain, in hexadecimal: kept elsewhere, it proves that nothing before it was altered.
    pub chain: String,
    /// Commits.
    pub commits: u64,
    /// Events.
    pub events: u64,
    /// Entities.
    pub entities: u64,
    /// Taps with an outcome.
    pub taps: u64,
    /// Oldest and newest moment.
    pub span: Option<(Timestamp, Timestamp)>,
    /// Losses that were accepted: the chain goes on behind them, what was lost is in no record.
    pub losses: Vec<Loss>,
}

/// The first thing that does not fit.
#[derive(Debug, thiserror::Error)]
pub enum VerifyFault {
    /// It could not be opened or read, or is damaged.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// It was altered, or something is missing or there twice.
    #[error("at {place}: {what}")]
    At {
        /// Group, partition and sequence, or entity.
        place: String,
        /// What is wrong.
        what: String,
    },
}

pub(super) fn at(place: impl ToString, what: impl Into<String>) -> VerifyFault {
    VerifyFault::At { place: place.to_string(), what: what.into() }
}

/// Checks a whole journal.
pub(super) fn verify(view: &View<'_>, checks: &mut [&mut dyn Check]) -> Result<VerifyReport, VerifyFault> {
    let mut walk = Walk::new(view);
    for (number, item) in (1..).zip(view.snapshot.iter(&view.store.groups)) {
        let (key, value) = item.into_inner().map_err(fault("groups could not be read"))?;
        if number_of(&key) != Some(number) {
            return Err(at(format!("group {number}"), "the group is missing"));
        }
        if view.upto.is_some_and(|upto| number > upto) {
            break;
        }
        let group = Group::decode(number, &value).map_err(|what| at(format!("group {number}"), what))?;
        walk.group(&group, checks)?;
    }
    walk.end_segment()?;
    if let Some(mark) = view.mark.filter(|mark| mark.group > walk.groups) {
        return Err(JournalError::Shorter { found: walk.groups, acknowledged: mark.group }.into());
    }
    walk.derived()?;
    for check in checks {
        check.end().map_err(|what| at("the end", what))?;
    }
    walk.report()
}

type Records<'a> = Box<dyn Iterator<Item = Result<(Place, fjall::UserValue), JournalError>> + 'a>;

pub(super) struct Walk<'a> {
    view: &'a View<'a>,
    /// The segment that is read, and its records by partition.
    segment: Option<u32>,
    records: Vec<Records<'a>>,
    next: Vec<u64>,
    pub(super) chain: [u8; 32],
    groups: u64,
    pub(super) commits: u64,
    pub(super) events: u64,
    span: Option<(Timestamp, Timestamp)>,
    versions: QuickMap<EntityKey, u64>,
    taps: Taps,
    /// It begins within the journal: of each entity the first version that is met is taken.
    within: bool,
}

impl<'a> Walk<'a> {
    pub(super) fn new(view: &'a View<'a>) -> Self {
        Self {
            view,
            segment: None,
            records: Vec::new(),
            next: vec![1; usize::from(view.partitions)],
            chain: [0; 32],
            groups: 0,
            commits: 0,
            events: 0,
            span: None,
            versions: QuickMap::default(),
            taps: Taps::default(),
            within: false,
        }
    }

    /// Goes on behind a group, where a segment begins.
    pub(super) fn after(view: &'a View<'a>, before: &Group, segment: u32) -> Result<Self, VerifyFault> {
        let starts = view.store.start_of(segment).ok_or_else(|| at(format!("segment {segment}"), "the segment is missing"))?;
        let (chain, events, groups, segment) = (before.chain, before.events, before.number, segment.checked_sub(1));
        Ok(Self { segment, next: starts.to_vec(), chain, groups, events, within: true, ..Self::new(view) })
    }

    pub(super) fn group(&mut self, group: &Group, checks: &mut [&mut dyn Check]) -> Result<(), VerifyFault> {
        let place = || format!("group {}", group.number);
        if self.segment != Some(group.segment) {
            self.begin_segment(group)?;
        }
        let mut bytes = Vec::with_capacity(group.lines.len());
        for line in &group.lines {
            let (record_place, record) = self.next_record(group, *line)?;
            bytes.push(record);
            if let Some(record) = bytes.last() {
                self.record(group, *line, record_place, record, checks)?;
            }
        }
        self.chain = chained(&self.chain, group.number, &group.lines, &bytes);
        self.groups = group.number;
        if self.chain != group.chain {
            return Err(at(place(), "the hash chain does not fit: a record, the list or an earlier group was altered"));
        }
        if self.events != group.events {
            return Err(at(place(), format!("it counts {} events, there are {}", group.events, self.events)));
        }
        Ok(())
    }

    fn begin_segment(&mut self, group: &Group) -> Result<(), VerifyFault> {
        let place = || format!("segment {}", group.segment);
        let expected = self.segment.map_or(0, |segment| segment + 1);
        self.end_segment()?;
        let starts = self.view.store.start_of(group.segment).ok_or_else(|| at(place(), "the segment is missing"))?;
        if group.segment != expected || starts[..] != self.next[..] {
            return Err(at(place(), "the segment does not begin where the one before ends"));
        }
        self.segment = Some(group.segment);
        let from = |(partition, seq): (usize, &u64)| Place { partition: u16::try_from(partition).unwrap_or(u16::MAX), seq: *seq };
        let (store, snapshot) = (self.view.store, &self.view.snapshot);
        let records = |from: Place| Box::new(store.records(snapshot, group.segment, Place { seq: 0, ..from })) as Records<'a>;
        self.records = self.next.iter().enumerate().map(|place| records(from(place))).collect();
        Ok(())
    }

    /// Nothing may be left that no group speaks of.
    fn end_segment(&mut self) -> Result<(), VerifyFault> {
        for records in &mut self.records {
            if let Some(item) = records.next() {
                let (place, bytes) = item?;
                let newer = self.view.upto.is_some() && checked(&bytes, place)?.group > self.groups;
                if !newer {
                    return Err(at(place, "no group speaks of this record"));
                }
            }
        }
        Ok(())
    }

    fn next_record(&mut self, group: &Group, line: Line) -> Result<(Place, fjall::UserValue), VerifyFault> {
        let unknown = || at(format!("group {}", group.number), format!("it names partition {}", line.partition));
        let next = *self.next.get(usize::from(line.partition)).ok_or_else(unknown)?;
        let expected = Place { partition: line.partition, seq: next };
        let found = self.records.get_mut(usize::from(line.partition)).ok_or_else(unknown)?.next();
        match found.transpose()? {
            Some((place, bytes)) if place == expected => Ok((place, bytes)),
            Some((place, _)) if place < expected => Err(at(place, "the record is there twice")),
            _ => Err(at(expected, "the record is missing")),
        }
    }

    fn record(&mut self, group: &Group, line: Line, place: Place, bytes: &[u8], checks: &mut [&mut dyn Check]) -> Result<(), VerifyFault> {
        let record = checked(bytes, place)?;
        if record::checksum_of(bytes) != Some(line.checksum) || record.group != group.number || record.event_count != line.events {
            return Err(at(place, format!("it is not the record that group {} lists", group.number)));
        }
        let entity = record.entity();
        if entity.partition(self.view.partitions) != place.partition {
            return Err(at(place, format!("{entity} does not belong there")));
        }
        self.version(&entity, place, &record)?;
        if !self.taps.insert(record.command_id) {
            return Err(at(place, format!("{} has a second outcome", record.command_id)));
        }
        self.count(&record);
        see(place, &record, checks)
    }

    fn version(&mut self, entity: &EntityKey, place: Place, record: &Record<'_>) -> Result<(), VerifyFault> {
        let first = if self.within { record.version_before() } else { 0 };
        let version = self.versions.entry(entity.clone()).or_insert(first);
        if *version != record.version_before() {
            return Err(at(place, format!("{entity} goes from version {version} to {}", record.version_before() + 1)));
        }
        *version = record.etag.version;
        Ok(())
    }

    fn count(&mut self, record: &Record<'_>) {
        self.commits += 1;
        self.events += record.event_count;
        let (oldest, newest) = self.span.unwrap_or((record.at, record.at));
        self.span = Some((oldest.min(record.at), newest.max(record.at)));
        if let Some(next) = self.next.get_mut(usize::from(record.entity().partition(self.view.partitions))) {
            *next += record.event_count;
        }
    }

    /// Stored states and heads can be read and are not ahead of the events; so can the timers and the command index.
    fn derived(&self) -> Result<(), VerifyFault> {
        let store = self.view.store;
        let version = |entity: &EntityKey| self.versions.get(entity).copied().unwrap_or(0);
        for item in self.view.snapshot.iter(&store.states) {
            let (key, value) = item.into_inner().map_err(fault("states could not be read"))?;
            let entity = entity_of(&key).ok_or_else(|| damaged("states", "a key makes no sense"))?;
            let (covered, _) = decode_state(&value).map_err(|what| at(format!("state of {entity}"), what))?;
            self.not_ahead("state", &entity, covered, version(&entity))?;
        }
        for item in self.view.snapshot.iter(&store.heads) {
            let (key, value) = item.into_inner().map_err(fault("heads could not be read"))?;
            let entity = entity_of(&key).ok_or_else(|| damaged("heads", "a key makes no sense"))?;
            let head = Head::decode(&value).map_err(|what| at(format!("head of {entity}"), what))?;
            self.not_ahead("head", &entity, head.etag.version, version(&entity))?;
        }
        for name in store.db.list_keyspace_names().iter().filter(|name| name.starts_with("commands-") || name.as_ref() == "due") {
            let keyspace = store.db.keyspace(name, fjall::KeyspaceCreateOptions::default).map_err(fault("keyspace could not be opened"))?;
            keyspace.iter().try_for_each(|item| item.key().map(drop)).map_err(fault("derived facts could not be read"))?;
        }
        Ok(())
    }

    fn not_ahead(&self, what: &str, entity: &EntityKey, claimed: u64, version: u64) -> Result<(), VerifyFault> {
        if claimed <= version {
            return Ok(());
        }
        Err(at(format!("{what} of {entity}"), format!("it claims version {claimed}, the events end at {version}")))
    }

    fn report(self) -> Result<VerifyReport, VerifyFault> {
        Ok(VerifyReport {
            groups: self.groups,
            chain: hex(&self.chain),
            commits: self.commits,
            events: self.events,
            entities: self.versions.len() as u64,
            taps: self.taps.count,
            span: self.span,
            losses: meta::losses(self.view.store)?,
        })
    }
}

fn see(place: Place, record: &Record<'_>, checks: &mut [&mut dyn Check]) -> Result<(), VerifyFault> {
    let items = record.feed_items(place).ok_or_else(|| at(place, "the command id makes no sense"))?;
    for item in items {
        let here = Place { seq: item.seq, ..place };
        let event = codec::decode_event(item.entity.kind, &item.event).map_err(|what| at(here, what.to_string()))?;
        for check in checks.iter_mut() {
            check.event(&item, &event).map_err(|what| at(here, what))?;
        }
    }
    Ok(())
}

/// Which taps have had an outcome: one bit for each, by device and boot counter.
#[derive(Default)]
struct Taps {
    seen: QuickMap<String, BTreeMap<u64, u64>>,
    count: u64,
}

impl Taps {
    /// False: this tap has had an outcome. Ids of other commands are not its business.
    fn insert(&mut self, command_id: &str) -> bool {
        let Some((gate, seq)) = command_id.strip_prefix("tap/").and_then(|tap| tap.rsplit_once('/')) else { return true };
        let Ok(seq) = seq.parse::<u64>() else { return true };
        if !self.seen.contains_key(gate) {
            self.seen.insert(gate.to_owned(), BTreeMap::new());
        }
        let Some(bits) = self.seen.get_mut(gate) else { return true };
        let word = bits.entry(seq / 64).or_default();
        let fresh = *word & 1 << (seq % 64) == 0;
        *word |= 1 << (seq % 64);
        self.count += u64::from(fresh);
        fresh
    }
}

/// Money is conserved at every prefix: each event's legs balance, and so do all riders, operators and funding together.
#[derive(Debug, Default)]
pub struct Conservation(Books);

impl Check for Conservation {
    fn event(&mut self, item: &FeedItem, event: &Event) -> Result<(), String> {
        self.0.take(&item.entity, event).and_then(|()| self.0.check()).map_err(|fault| fault.to_string())
    }
    fn end(&mut self) -> Result<(), String> {
        self.0.check().map_err(|fault| fault.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tap_has_one_outcome_and_other_commands_may_have_many() {
        let mut taps = Taps::default();
        assert!(taps.insert("tap/g1/7/63") && taps.insert("tap/g1/7/64") && taps.insert("tap/g1/8/63") && taps.insert("tap/g2/7/63"));
        assert!(!taps.insert("tap/g1/7/64"));
        assert!(taps.insert("passage/g1/7/64") && taps.insert("passage/g1/7/64"));
        assert_eq!(taps.count, 4);
    }
}
