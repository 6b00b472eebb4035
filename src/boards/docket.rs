//! The doubtful records that there are, in the order in which the desk heard of them: where a list finds its next page, and
//! how many wait at each station. It keeps names and what lists are cut by, nothing of a customer; a hundred thousand of them
//! take some fifteen megabytes. What an item says is read from the journal when somebody looks at it.
use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::sync::{Arc, RwLock, RwLockReadGuard, RwLockWriteGuard};
use tongdao_domain::account::Doubt;
use tongdao_domain::doubtful::{Doubtful, Event, State};
use tongdao_domain::id::StationId;
use tongdao_domain::time::Timestamp;
use tongdao_journal::contract::FeedItem;

/// Decided ones that are listed; of more the oldest are left out (the journal has them).
const DECIDED_MAX: usize = 100_000;

/// Place in the list: when the desk heard of it, and its name.
type Place = (Timestamp, String);

/// What a list is cut by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The gate's station.
    pub station: StationId,
    /// Why.
    pub doubt: Doubt,
    /// Where it stands.
    pub state: State,
}

#[derive(Debug, Default)]
struct Shelf {
    rows: BTreeMap<Place, Row>,
    places: HashMap<String, Timestamp>,
    open: BTreeMap<StationId, u64>,
    decided: usize,
}

/// See the module.
#[derive(Debug, Clone, Default)]
pub struct Docket(Arc<RwLock<Shelf>>);

impl Docket {
    /// One as the journal has it.
    pub fn load(&self, name: &str, doubtful: &Doubtful) {
        let Some(entry) = &doubtful.entry else { return };
        let row = Row { station: entry.case.station.clone(), doubt: entry.case.doubt, state: entry.state };
        self.write().put((entry.opened_at, name.to_owned()), row);
    }

    /// Something has become of one: the station whose number of open ones has changed, and that number.
    pub fn take(&self, feed: &FeedItem, event: &Event) -> Option<(StationId, u64)> {
        let mut shelf = self.write();
        let state = match event {
            Event::Opened(case) => {
                let row = Row { station: case.station.clone(), doubt: case.doubt, state: State::Open };
                shelf.put((feed.at, feed.entity.id.to_string()), row);
                return Some((case.station.clone(), shelf.open_at(&case.station)));
            }
            Event::Accepted { .. } => State::Accepted,
            Event::Rejected { .. } => State::Rejected,
            Event::Posted => State::Posted,
            Event::Returned { .. } => State::Open,
        };
        let at = *shelf.places.get(feed.entity.id.as_str())?;
        let place = (at, feed.entity.id.to_string());
        let row = shelf.rows.get(&place)?.clone();
        let (was, station) = (row.state, row.station.clone());
        shelf.put(place, Row { state, ..row });
        let changed = (was == State::Open) != (state == State::Open);
        changed.then(|| (station.clone(), shelf.open_at(&station)))
    }

    /// How many wait at a station.
    #[must_use]
    pub fn open_at(&self, station: &StationId) -> u64 {
        self.read().open_at(station)
    }

    /// How many wait at all.
    #[must_use]
    pub fn open(&self) -> u64 {
        self.read().open.values().sum()
    }

    /// Names behind a place, oldest first, at most so many; and the place of the last that was looked at, where more follow.
    #[must_use]
    pub fn page(
        &self,
        after: Option<&str>,
        limit: usize,
        looked_at_max: usize,
        takes: impl Fn(&Row) -> bool,
    ) -> (Vec<String>, Option<String>) {
        let shelf = self.read();
        let from = after.and_then(place_of).map_or(Bound::Unbounded, Bound::Excluded);
        let (mut names, mut last) = (Vec::new(), None);
        let mut rest = shelf.rows.range((from, Bound::Unbounded)).peekable();
        for _ in 0..looked_at_max {
            if names.len() == limit {
                break;
            }
            let Some((place, row)) = rest.next() else { break };
            last = Some(cursor(place));
            names.extend(takes(row).then(|| place.1.clone()));
        }
        let more = rest.peek().is_some();
        (names, last.filter(|_| more))
    }

    // A writer that panicked leaves a list that is right but for what it was at.
    fn write(&self) -> RwLockWriteGuard<'_, Shelf> {
        self.0.write().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
    fn read(&self) -> RwLockReadGuard<'_, Shelf> {
        self.0.read().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Shelf {
    fn open_at(&self, station: &StationId) -> u64 {
        self.open.get(station).copied().unwrap_or(0)
    }

    fn put(&mut self, place: Place, row: Row) {
        self.places.insert(place.1.clone(), place.0);
        self.count(&row, true);
        if let Some(before) = self.rows.insert(place, row) {
            self.count(&before, false);
        }
        while self.decided > DECIDED_MAX {
            let oldest = self.rows.iter().find(|(_, row)| row.state != State::Open).map(|(place, _)| place.clone());
            let Some(place) = oldest else { return };
            self.places.remove(&place.1);
            if let Some(gone) = self.rows.remove(&place) {
                self.count(&gone, false);
            }
        }
    }

    fn count(&mut self, row: &Row, more: bool) {
        if row.state != State::Open {
            self.decided = if more { self.decided + 1 } else { self.decided.saturating_sub(1) };
            return;
        }
        let open = self.open.entry(row.station.clone()).or_default();
        *open = if more { *open + 1 } else { open.saturating_sub(1) };
    }
}

fn cursor((at, name): &Place) -> String {
    format!("{}.{name}", at.0)
}

fn place_of(cursor: &str) -> Option<Place> {
    let (at, name) = cursor.split_once('.')?;
    Some((Timestamp(at.parse().ok()?), name.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::super::testing::feed;
    use super::*;
    use tongdao_domain::device::By;
    use tongdao_domain::doubtful::Case;
    use tongdao_domain::entity::{EntityKey, EntityKind};
    use tongdao_domain::id::TapId;
    use tongdao_domain::tap::{DecidedBy, Direction, Record, Shown};
    use tongdao_domain::time::Millis;

    fn id<T: std::str::FromStr>(text: &str) -> T {
        text.parse().unwrap_or_else(|_| panic!("{text} is no id"))
    }
    fn item(seq: u64) -> FeedItem {
        let mut item = feed(EntityKey::new(EntityKind::Doubtful, &format!("g1.7.{seq}")), seq);
        item.at = Timestamp(1_000 + seq.cast_signed());
        item
    }
    fn opened(seq: u64, station: &str) -> Event {
        let tap = TapId { device: id("g1"), epoch: 7, seq };
        let (by, shown) = (DecidedBy::Gate, Shown::Open);
        let record = Record { tap, direction: Direction::Entry, medium: None, at: Timestamp(0), mode: 0, by, shown, passage: None };
        let (doubt, clock) = (Doubt::KeyReused, Millis(0));
        let case = Case { record, station: id(station), doubt, first: None, other: None, clock, corrected: false, since: Timestamp(0) };
        Event::Opened(Box::new(case))
    }
    fn by() -> By {
        By { user: id("li"), reason: "seen".into() }
    }

    #[test]
    fn pages_follow_each_other_and_what_is_decided_leaves_the_open_ones() {
        let docket = Docket::default();
        for seq in 1..=25 {
            docket.take(&item(seq), &opened(seq, if seq % 2 == 0 { "even" } else { "odd" }));
        }
        assert_eq!((docket.open(), docket.open_at(&id("odd"))), (25, 13));
        assert_eq!(docket.take(&item(3), &Event::Rejected { by: by() }), Some((id("odd"), 12)));
        assert_eq!(docket.take(&item(5), &Event::Accepted { by: by(), owed_again: Millis(1) }), Some((id("odd"), 11)));
        assert_eq!(docket.take(&item(5), &Event::Posted), None, "it was not open any more");
        let (mut cursor, mut found) = (None::<String>, Vec::new());
        loop {
            let (names, next) = docket.page(cursor.as_deref(), 4, 1_000, |row| row.state == State::Open);
            assert!(names.len() <= 4);
            found.extend(names);
            cursor = next;
            if cursor.is_none() {
                break;
            }
        }
        let wanted: Vec<String> = (1..=25).filter(|seq| ![3, 5].contains(seq)).map(|seq| format!("g1.7.{seq}")).collect();
        assert_eq!(found, wanted, "oldest first, each once");
    }

    #[test]
    fn a_page_looks_at_so_many_and_says_where_to_go_on() {
        let docket = Docket::default();
        (1..=30).for_each(|seq| drop(docket.take(&item(seq), &opened(seq, "s"))));
        let (names, next) = docket.page(None, 10, 7, |_| false);
        assert!(names.is_empty() && next.as_deref() == Some("1007.g1.7.7"));
        assert_eq!(docket.take(&item(40), &Event::Posted), None, "unknown to the list");
    }
}
