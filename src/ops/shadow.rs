//! `tongdao fare --shadow`: recorded days under another fare table. Reads the journal, writes nothing: beside a running server, or
//! from files that nobody has open.
//!
//! Twice through the journal: first what stations were told, then partition after partition the accounts, so that memory
//! holds the accounts of one partition, and of a large one only a part at a time.
mod tally;

use self::tally::{Row, Tally};
use crate::admin::Out;
use crate::backend::Backend;
use crate::config::Config;
use crate::exit::{DATA, Failure, IO, OK, REFUSED, USAGE};
use crate::node::{journal_dir, journal_failure};
use crate::sites;
use compact_str::CompactString;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use tongdao_domain::account::{Compared, Shadow};
use tongdao_domain::entity::EntityKind;
use tongdao_domain::id::{FareTableId, StationId};
use tongdao_domain::machine::{Event, Machine as _};
use tongdao_domain::station::ModeSpan;
use tongdao_domain::time::{Day, Timestamp};
use tongdao_domain::world::World;
use tongdao_journal::archive::Archive;
use tongdao_journal::codec;
use tongdao_journal::contract::{FeedItem, JournalError};
use tongdao_protocol::site;

/// Events read at once.
const PAGE_EVENTS: usize = 1024;
/// Accounts held at once: at most 256 taps each, some twenty as a rule.
const ACCOUNTS_MAX: usize = 50_000;

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ask {
    /// Name of the other table, for people.
    pub name: String,
    /// Its file's text.
    pub table: String,
    /// The table it stands in for; none = the only one in use.
    pub instead_of: Option<String>,
    /// First business day, `2026-03-02`.
    pub from: String,
    /// Last business day, included.
    pub to: String,
    /// Biggest changes that are told.
    pub top: usize,
    /// Tell every journey.
    pub each: bool,
}

/// A line for standard output (`true`) or standard error; false = nobody reads any more.
type Sink<'a> = &'a dyn Fn(bool, String) -> bool;
/// Events of a partition from a sequence on, none = the end.
type Feed<'a> = &'a dyn Fn(u16, u64) -> Result<Vec<FeedItem>, JournalError>;

/// On a live node.
pub(super) async fn run(backend: &Backend, ask: Ask, out: &Out) -> Result<u8, Failure> {
    let (journal, world, out) = (backend.journal.clone(), World::clone(&backend.world), out.clone());
    let work = tokio::task::spawn_blocking(move || {
        let sink = |to_out, line: String| if to_out { out.line_blocking(line) } else { out.error_blocking(line) };
        Run::new(world, ask)?.run(journal.partitions(), &|partition, from| journal.feed(partition, from, PAGE_EVENTS), &sink)
    });
    work.await.map_err(|fault| Failure::caused(IO, &fault))?
}

/// On the files of a journal that nobody has open.
///
/// # Errors
/// As the journal, the site files or the table say.
pub fn files(config: &Config, ask: Ask) -> Result<u8, Failure> {
    let run = Run::new(sites::load(config)?, ask)?;
    let archive = Archive::open(&journal_dir(config)).map_err(|fault| journal_failure(&fault))?;
    let sink = |to_out, line: String| {
        use std::io::Write as _;
        let written = if to_out { writeln!(std::io::stdout(), "{line}") } else { writeln!(std::io::stderr(), "{line}") };
        written.is_ok()
    };
    run.run(archive.partitions(), &|partition, from| archive.feed(partition, from, PAGE_EVENTS), &sink)
}

struct Run {
    ask: Ask,
    /// With the other table.
    world: World,
    table: FareTableId,
    days: (Day, Day),
    /// Events from then on change nothing of these days.
    until: Timestamp,
}

impl Run {
    fn new(mut world: World, ask: Ask) -> Result<Self, Failure> {
        let wrong = |what: String| Failure::new(DATA, format!("{}: {what}", ask.name));
        let days = (day(&ask.from, "--from")?, day(&ask.to, "--to")?);
        if days.0 > days.1 {
            return Err(Failure::new(USAGE, "--to is a day before --from"));
        }
        let table = replaced(&world, ask.instead_of.as_deref())?;
        let fares = site::parse_fares(&ask.table).map_err(|fault| wrong(fault.to_string()))?;
        if world.fares.get(&table).is_some_and(|known| known.currency != fares.currency) {
            return Err(wrong(format!("it is in {}, the accounts that paid by {table} are not", fares.currency)));
        }
        site::replace_fares(&mut world, &table, fares).map_err(|fault| wrong(fault.to_string()))?;
        let ends = world.sites.values().filter(|site| site.fares == table).map(|site| site.calendar.business_day_end(days.1)).max();
        let until = ends.unwrap_or_default() + world.settings.taps_kept;
        Ok(Self { ask, world, table, days, until })
    }

    fn run(mut self, partitions: u16, feed: Feed<'_>, sink: Sink<'_>) -> Result<u8, Failure> {
        let accounts = self.read_stations(partitions, feed)?;
        let mut tally = Tally::new(self.ask.top);
        let mut heard = !self.ask.each || sink(true, Tally::HEADER.to_owned());
        for (partition, accounts) in (0..partitions).zip(accounts) {
            let parts = accounts.div_ceil(ACCOUNTS_MAX).max(1);
            for part in 0..parts {
                self.read_accounts(partition, (part, parts), feed, &mut |row| {
                    heard = heard && (!self.ask.each || sink(true, row.line()));
                    tally.add(row);
                })?;
                if !heard {
                    return Ok(OK);
                }
            }
        }
        // Where journeys are listed, the list is for programs and the sums go beside it.
        for line in tally.lines(&self.heading()) {
            sink(!self.ask.each, line);
        }
        Ok(OK)
    }

    /// What the sums are of.
    fn heading(&self) -> [String; 2] {
        let currency = self.world.fares.get(&self.table).map(|table| table.currency).unwrap_or_default();
        let (from, to) = self.days;
        [format!("{} instead of {}, in {currency}", self.ask.name, self.table), format!("{from} to {to}")]
    }

    /// Modes of all stations as they came to be known; and how many accounts each partition has.
    fn read_stations(&mut self, partitions: u16, feed: Feed<'_>) -> Result<Vec<usize>, Failure> {
        let mut histories: HashMap<StationId, Vec<ModeSpan>> = HashMap::new();
        let mut accounts = vec![0; usize::from(partitions)];
        for (partition, accounts) in (0..partitions).zip(&mut accounts) {
            read(partition, self.until, feed, |item| {
                *accounts += usize::from(item.entity.kind == EntityKind::Account && item.version == 1);
                if item.entity.kind != EntityKind::Station {
                    return Ok(());
                }
                let (Event::Station(event), Ok(id)) = (decoded(item)?, StationId::new(&item.entity.id)) else { return Ok(()) };
                if let Some(view) = self.world.stations.get_mut(&id) {
                    view.state.apply(&event, item.at);
                    remember(histories.entry(id).or_default(), &view.state.history);
                }
                Ok(())
            })?;
        }
        for (id, history) in histories {
            self.world.stations.entry(id).and_modify(|view| view.state.history = history);
        }
        Ok(accounts)
    }

    /// The journeys of the accounts of a partition, or of a part of them.
    fn read_accounts(&self, partition: u16, part: (usize, usize), feed: Feed<'_>, each: &mut dyn FnMut(Row<'_>)) -> Result<(), Failure> {
        let mut shadows: HashMap<CompactString, Shadow> = HashMap::new();
        read(partition, self.until, feed, |item| {
            if item.entity.kind != EntityKind::Account || !is_of(&item.entity.id, part) {
                return Ok(());
            }
            let Event::Account(event) = decoded(item)? else { return Ok(()) };
            let account = &item.entity.id;
            let shadow = shadows.entry(account.clone()).or_default();
            let mut told = Vec::new();
            shadow.take(&event, item.at, &self.world, |compared| told.push(compared));
            told.iter().for_each(|compared| self.tell(account, shadow, compared, each));
            Ok(())
        })?;
        for (account, shadow) in &shadows {
            shadow.finish(&self.world, |compared| self.tell(account, shadow, &compared, each));
        }
        Ok(())
    }

    /// Tells of a journey of these days at a site that uses the table.
    fn tell(&self, account: &str, shadow: &Shadow, compared: &Compared, each: &mut dyn FnMut(Row<'_>)) {
        let (entry, exit) = (compared.journey.entry.as_ref(), compared.journey.exit.as_ref());
        let site = entry.or(exit).and_then(|stop| self.world.site_of(&stop.station));
        if site.is_none_or(|site| site.fares != self.table) || !(self.days.0..=self.days.1).contains(&compared.day) {
            return;
        }
        let class = shadow.passenger_class();
        let mut versions = self.world.fares.get(&self.table).into_iter().flat_map(|table| &table.versions);
        each(Row {
            account,
            class,
            is_known_class: versions.any(|version| version.knows(class)),
            journey: &compared.journey.id,
            day: compared.day,
            from: entry.map_or("", |stop| stop.station.as_str()),
            to: exit.map_or("", |stop| stop.station.as_str()),
            paid: compared.paid,
            would: compared.journey.fare(),
            rule: &compared.journey.rule.as_ref().map_or_else(|| "none".to_owned(), ToString::to_string),
        });
    }
}

/// Every event of a partition that was committed before a moment.
fn read(partition: u16, until: Timestamp, feed: Feed<'_>, mut each: impl FnMut(&FeedItem) -> Result<(), Failure>) -> Result<(), Failure> {
    let mut next = 1;
    loop {
        let items = feed(partition, next).map_err(|fault| journal_failure(&fault))?;
        let Some(last) = items.last() else { return Ok(()) };
        next = last.seq + 1;
        for item in &items {
            if item.at >= until {
                return Ok(());
            }
            each(item)?;
        }
    }
}

fn decoded(item: &FeedItem) -> Result<Event, Failure> {
    codec::decode_event(item.entity.kind, &item.event)
        .map_err(|fault| Failure::new(REFUSED, format!("partition {} sequence {}: {fault}", item.partition, item.seq)))
}

/// A station lets go of what is too old for its own taps; here it is kept.
fn remember(history: &mut Vec<ModeSpan>, now: &[ModeSpan]) {
    if let Some(first) = now.first() {
        history.retain(|span| span.from < first.from);
    }
    history.extend_from_slice(now);
}

/// Is it in this part of so many?
fn is_of(account: &str, (part, parts): (usize, usize)) -> bool {
    let mut hasher = DefaultHasher::new();
    account.hash(&mut hasher);
    usize::try_from(hasher.finish() % parts as u64) == Ok(part)
}

fn day(text: &str, place: &str) -> Result<Day, Failure> {
    let date: jiff::civil::Date = super::word(text, place)?;
    let part = |n: i8| u8::try_from(n).unwrap_or(0);
    Day::of_date(date.year().into(), part(date.month()), part(date.day()))
        .ok_or_else(|| Failure::new(USAGE, format!("{place}: {text:?} is no date such as 2026-03-02")))
}

fn replaced(world: &World, asked: Option<&str>) -> Result<FareTableId, Failure> {
    let mut used: Vec<&FareTableId> = world.sites.values().map(|site| &site.fares).collect();
    used.sort();
    used.dedup();
    match (asked, &used[..]) {
        (Some(name), _) => super::word(name, "--instead-of"),
        (None, [only]) => Ok((*only).clone()),
        (None, _) => {
            let names: Vec<&str> = used.iter().map(|id| id.as_str()).collect();
            Err(Failure::new(USAGE, format!("--instead-of: which table does it stand in for: {}?", names.join(", "))))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use tongdao_domain::station::Mode;

    #[test]
    fn each_account_is_in_exactly_one_part() {
        for account in (0..200).map(|n| format!("a{n}")) {
            assert_eq!((0..3).filter(|part| is_of(&account, (*part, 3))).count(), 1, "{account}");
        }
        assert!((0..3).all(|part| (0..200).any(|n| is_of(&format!("a{n}"), (part, 3)))), "no part is empty");
        assert!(is_of("a1", (0, 1)));
    }

    #[test]
    fn what_a_station_lets_go_is_remembered_and_what_it_takes_back_is_not() {
        let span = |from, mode: Option<Mode>| ModeSpan { from: Timestamp(from), rev: 1, modes: BTreeSet::from_iter(mode), until: None };
        let mut history = Vec::new();
        remember(&mut history, &[]);
        remember(&mut history, &[span(1, Some(Mode::Emergency)), span(2, None)]);
        // The first is too old, the second was replaced from its middle on.
        remember(&mut history, &[span(2, None), span(3, Some(Mode::FareWaived))]);
        remember(&mut history, &[span(3, Some(Mode::TimeWaived))]);
        assert_eq!(history, [span(1, Some(Mode::Emergency)), span(2, None), span(3, Some(Mode::TimeWaived))]);
    }

    #[test]
    fn days_are_dates() {
        assert_eq!(day("2026-03-02", "--from").expect("a date").to_string(), "2026-03-02");
        assert!(
            ["2026-02-30", "today", "2026-03-02T00:00:00Z!"].iter().all(|text| day(text, "--from").is_err_and(|fault| fault.code == USAGE))
        );
    }
}
