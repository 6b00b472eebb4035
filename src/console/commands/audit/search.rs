//! A walk back through the journal, newest first: the partitions side by side, each read from its end, the newest event of
//! all of them next. It stops when a page is full or when it has looked at as many events as one request may, and says where:
//! the place of the last event that it looked at, whether or not that one was wanted. A journal is never too large for it.
//!
//! Within a partition the moments of commits never fall, so a moment has one place in each of them.
use crate::boards::{audit, first_without};
use std::collections::BinaryHeap;
use tongdao_domain::time::Timestamp;
use tongdao_journal::codec;
use tongdao_journal::contract::{FeedItem, Journal, JournalError};
use tongdao_protocol::console::board::AuditItem;
use tongdao_protocol::console::codes::{Code, ErrorBody};
use tongdao_protocol::console::op::{AuditOnly, AuditSearchArgs};
use tongdao_protocol::console::result::AuditPage;
use tongdao_protocol::console::strict::BadArgs;

/// Events of a partition that are read at once.
const CHUNK: u64 = 256;

/// How much one request may do.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// Items of a page.
    pub(super) items: usize,
    /// Events that are looked at.
    pub(super) events: usize,
}

/// Where an event stands: moment, partition, sequence. The newest is the greatest.
type Place = (Timestamp, u16, u64);

/// One page, newest first.
///
/// # Errors
/// `BAD_ARGS` where the cursor is none, `INTERNAL` where the journal cannot be read.
pub(super) fn search(journal: &dyn Journal, args: &AuditSearchArgs, bounds: Bounds) -> Result<AuditPage, ErrorBody> {
    let before = match &args.cursor {
        Some(cursor) => place_of(cursor.as_str())?.min((args.to.0, 0, 0)),
        None => (args.to.0, 0, 0),
    };
    page(journal, args, before, bounds).map_err(|fault| {
        tracing::error!(%fault, "the audit cannot be searched");
        Code::Internal.into()
    })
}

fn page(journal: &dyn Journal, args: &AuditSearchArgs, before: Place, bounds: Bounds) -> Result<AuditPage, JournalError> {
    let mut walk = Walk::new(journal, before, args.from.0)?;
    let mut items = Vec::new();
    for _ in 0..bounds.events.max(1) {
        let Some(event) = walk.next()? else { return Ok(AuditPage { items, next: None }) };
        items.extend(wanted(&event, args));
        if items.len() == bounds.items {
            break;
        }
    }
    let next = walk.last.map(|(at, partition, seq)| format!("{}/{partition}/{seq}", at.0));
    Ok(AuditPage { items, next })
}

fn place_of(cursor: &str) -> Result<Place, ErrorBody> {
    let mut parts = cursor.split('/');
    let mut next = || parts.next().unwrap_or_default();
    let place = (next().parse(), next().parse(), next().parse());
    match place {
        (Ok(at), Ok(partition), Ok(seq)) => Ok((Timestamp(at), partition, seq)),
        _ => Err((&BadArgs::bad("cursor", "the `next` of an earlier answer")).into()),
    }
}

/// The item, where it is of the audit and asked for.
fn wanted(item: &FeedItem, args: &AuditSearchArgs) -> Option<AuditItem> {
    let event = codec::decode_event(item.entity.kind, &item.event).ok()?;
    let shown = audit::item(item, &event)?;
    let by = args.by.as_ref().is_none_or(|by| shown.by.as_deref() == Some(by.as_str()));
    let op = args.op.as_ref().is_none_or(|op| shown.op.starts_with(op.as_str()));
    let only = args.only.is_none_or(|only| (only == AuditOnly::Faults) == shown.is_fault());
    (by && op && only).then_some(shown)
}

struct Walk<'a> {
    journal: &'a dyn Journal,
    from: Timestamp,
    partitions: Vec<Back>,
    /// The newest event of each partition that has one left.
    newest: BinaryHeap<Place>,
    /// The event that was looked at last.
    last: Option<Place>,
}

/// A partition that is read from its end.
#[derive(Default)]
struct Back {
    /// Events that were read, the newest last.
    read: Vec<FeedItem>,
    /// What was not read ends before this number.
    end: u64,
}

impl<'a> Walk<'a> {
    fn new(journal: &'a dyn Journal, before: Place, from: Timestamp) -> Result<Self, JournalError> {
        let mut walk = Self { journal, from, partitions: Vec::new(), newest: BinaryHeap::new(), last: None };
        for partition in 0..journal.partitions() {
            let end = match partition.cmp(&before.1) {
                std::cmp::Ordering::Less => first_without(journal, partition, |item| item.at <= before.0)?,
                std::cmp::Ordering::Equal if before.2 > 0 => before.2,
                _ => first_without(journal, partition, |item| item.at < before.0)?,
            };
            walk.partitions.push(Back { read: Vec::new(), end });
            walk.offer(partition)?;
        }
        Ok(walk)
    }

    fn next(&mut self) -> Result<Option<FeedItem>, JournalError> {
        let Some(place) = self.newest.pop() else { return Ok(None) };
        self.last = Some(place);
        let event = self.partitions.get_mut(usize::from(place.1)).and_then(|back| back.read.pop());
        self.offer(place.1)?;
        Ok(event)
    }

    /// The newest event of the partition stands in line, unless that is from before the time that is searched.
    fn offer(&mut self, partition: u16) -> Result<(), JournalError> {
        let Some(back) = self.partitions.get_mut(usize::from(partition)) else { return Ok(()) };
        if back.read.is_empty() && back.end > 1 {
            let begin = back.end.saturating_sub(CHUNK).max(1);
            let length = usize::try_from(back.end - begin).unwrap_or(usize::MAX);
            back.read = self.journal.feed(partition, begin, length)?;
            back.end = begin;
        }
        self.newest.extend(back.read.last().filter(|item| item.at >= self.from).map(|item| (item.at, partition, item.seq)));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tongdao_domain::entity::{EntityKey, EntityKind};
    use tongdao_domain::fingerprint::Fingerprint;
    use tongdao_domain::id::CommandId;
    use tongdao_domain::{audit, machine::Event};
    use tongdao_journal::contract::{Commit, Etag, Expected, Outcome, OutcomeSink, Ticket};
    use tongdao_journal::memory::Memory;
    use tongdao_protocol::console::op::Op;

    struct Deaf;
    impl OutcomeSink for Deaf {
        fn outcomes(&self, _outcomes: Vec<(Ticket, Outcome)>) {}
        fn followed(&self, _items: std::sync::Arc<[FeedItem]>) {}
    }

    /// Notes of several entities, each a millisecond after the one before; every tenth at the same moment as its neighbour.
    fn journal(notes: i64) -> Memory {
        let journal = Memory::automatic(7);
        journal.register(0, std::sync::Arc::new(Deaf), &[]);
        let mut versions = std::collections::BTreeMap::<String, u64>::new();
        for n in 0..notes {
            let (name, op) = (format!("a{}", n % 11), if n % 50 == 0 { "rare.one" } else { "often" });
            let version = versions.entry(name.clone()).or_default();
            let etag = |version| Etag { version, nonce: 1 };
            let note = audit::Note { by: "li".parse().expect("an id"), op: op.into(), target: format!("{n:05}").into(), detail: "".into() };
            let commit = Commit {
                entity: EntityKey::new(EntityKind::Audit, &name),
                expected: if *version == 0 { Expected::Absent } else { Expected::Etag(etag(*version)) },
                next: etag(*version + 1),
                command_id: CommandId::of(format_args!("note/{n}")),
                fingerprint: Fingerprint(1),
                reply: Default::default(),
                events: [encoded(&audit::Event::Noted(note))].into_iter().collect(),
                state: None,
                deadline: None,
                at: Timestamp(1_000_000 + n - i64::from(n % 10 == 9)),
            };
            *version += 1;
            journal.submit(0, 0, commit).expect("room");
        }
        journal
    }

    fn encoded(event: &audit::Event) -> tongdao_journal::contract::Bytes {
        let bytes = codec::encode(event).expect("encodable");
        assert!(matches!(codec::decode_event(EntityKind::Audit, &bytes), Ok(Event::Audit(_))));
        bytes.into_iter().collect()
    }

    fn args(from: i64, to: i64, op: Option<&str>, cursor: Option<&str>) -> AuditSearchArgs {
        let time = |ms: i64| tongdao_protocol::time::Time(Timestamp(1_000_000 + ms)).to_string();
        let mut args = serde_json::json!({"from": time(from), "to": time(to)});
        for (name, value) in [("op", op), ("cursor", cursor)] {
            if let Some(value) = value {
                args[name] = value.into();
            }
        }
        match Op::parse("audit.search", &args).expect("good arguments") {
            Op::AuditSearch(args) => args,
            other => panic!("{other:?}"),
        }
    }

    /// Every page until there is none; what was found, and how many pages had nothing on them.
    fn all(journal: &Memory, from: i64, to: i64, op: Option<&str>, bounds: Bounds) -> (Vec<u64>, usize) {
        let (mut found, mut empty, mut cursor) = (Vec::new(), 0, None::<String>);
        loop {
            let page = search(journal, &args(from, to, op, cursor.as_deref()), bounds).expect("searched");
            assert!(page.items.len() <= bounds.items);
            empty += usize::from(page.items.is_empty());
            found.extend(page.items.iter().map(|item| item.target.parse::<u64>().expect("a number")));
            match page.next {
                None => return (found, empty),
                next => cursor = next,
            }
        }
    }

    #[test]
    fn every_note_is_found_once_the_newest_first_however_small_the_pieces_are() {
        let journal = journal(3_000);
        for (items, events) in [(100, 100_000), (100, 7), (1, 1), (13, 500)] {
            let (found, _) = all(&journal, 0, 10_000, None, Bounds { items, events });
            assert_eq!(found.len(), 3_000, "{items} items, {events} events a request");
            let mut sorted = found.clone();
            sorted.sort_unstable();
            sorted.dedup();
            assert_eq!(sorted.len(), 3_000, "none twice");
            assert!(found.windows(2).all(|two| two[0] + 1 >= two[1]), "the newest first, neighbours of one moment in any order");
        }
    }

    #[test]
    fn a_page_without_a_hit_says_where_to_go_on_and_the_end_is_reached() {
        let journal = journal(1_000);
        let (found, empty) = all(&journal, 0, 10_000, Some("rare"), Bounds { items: 100, events: 20 });
        assert_eq!(found, (0..20).rev().map(|n| n * 50).collect::<Vec<u64>>());
        assert!(empty > 20, "most pages have none: {empty}");
    }

    #[test]
    fn only_the_time_that_is_asked_for_is_looked_at() {
        let journal = journal(1_000);
        let bounds = Bounds { items: 1_000, events: 1_000 };
        assert_eq!(all(&journal, 200, 205, None, bounds).0, [204, 203, 202, 201, 200]);
        assert_eq!(all(&journal, 2_000, 3_000, None, bounds).0, Vec::<u64>::new());
        let page = search(&journal, &args(0, 100, None, Some("9999999999999/0/1")), bounds).expect("searched");
        assert_eq!(page.items.len(), 100, "a cursor from elsewhere does not lead out of the time");
    }

    #[test]
    fn what_people_did_and_faults_are_told_apart() {
        let wanted = |only: AuditOnly, event: &audit::Event| {
            let args = AuditSearchArgs { only: Some(only), ..args(0, 1, None, None) };
            let (entity, command_id) = (EntityKey::new(EntityKind::Audit, "node"), CommandId::of(format_args!("note/1")));
            let event = codec::encode(event).expect("encodable");
            let item = FeedItem { partition: 0, seq: 1, at: Timestamp(0), entity, version: 1, command_id, event };
            wanted(&item, &args).is_some()
        };
        let note =
            audit::Note { by: "li".parse().expect("an id"), op: "session.login".into(), target: "user/li".into(), detail: "".into() };
        let fault = audit::Fault { source: "g1".into(), code: "BUSY".into(), minute: Timestamp(0), count: 3 };
        for (event, person) in [(audit::Event::Noted(note), true), (audit::Event::Counted(fault), false)] {
            assert_eq!((wanted(AuditOnly::People, &event), wanted(AuditOnly::Faults, &event)), (person, !person));
        }
    }

    #[test]
    fn a_cursor_is_what_an_answer_gave() {
        assert_eq!(place_of("1772438400000/9/41").ok(), Some((Timestamp(1_772_438_400_000), 9, 41)));
        for bad in ["", "1", "1/2", "a/b/c", "1/70000/3"] {
            assert_eq!(place_of(bad).expect_err(bad).code, Code::BadArgs);
        }
    }
}
