//! Hours that prices go by: `timeframes.txt`, with the days that `calendar.txt` gives them. Dates on which one same other set of
//! services runs are public holidays; any other exception has no counterpart.
use super::{Fault, Feed};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

const FILE: &str = "timeframes.txt";
const DAYS: [&str; 8] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun", "holidays"];
const HOLIDAY: usize = 7;
const DAY_MINUTES: u16 = 24 * 60;

#[derive(Deserialize)]
struct Row {
    timeframe_group_id: String,
    #[serde(default)]
    start_time: String,
    #[serde(default)]
    end_time: String,
    service_id: String,
}

#[derive(Deserialize)]
struct Service {
    service_id: String,
    monday: u8,
    tuesday: u8,
    wednesday: u8,
    thursday: u8,
    friday: u8,
    saturday: u8,
    sunday: u8,
    start_date: String,
    end_date: String,
}

#[derive(Deserialize)]
struct Exception {
    service_id: String,
    date: String,
    exception_type: u8,
}

/// Hours of some days, in minutes since midnight.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hours {
    /// Monday to Sunday, then public holidays.
    days: [bool; 8],
    pub(super) from: u16,
    /// Exclusive.
    pub(super) until: u16,
    line: u64,
}

/// Hours by the name of their group.
#[derive(Debug, Default)]
pub(super) struct Times {
    pub(super) groups: BTreeMap<String, Vec<Hours>>,
    /// Dates as a fare file has them.
    pub(super) holidays: Vec<String>,
}

/// Services by name: their days of the week, public holidays and the line.
type Services = BTreeMap<String, ([bool; 8], u64)>;

pub(super) fn read(feed: &Feed) -> Result<Times, Fault> {
    let rows = feed.rows::<Row>(FILE)?;
    let used: BTreeSet<&str> = rows.iter().map(|(_, row)| row.service_id.as_str()).collect();
    let mut services = services(feed, &used)?;
    let holidays = holidays(feed, &mut services)?;
    let mut groups: BTreeMap<String, Vec<Hours>> = BTreeMap::new();
    for (line, row) in rows {
        let unknown = || Fault::new(FILE, line, format!("calendar.txt has no service {:?}", row.service_id));
        let days = services.get(&row.service_id).ok_or_else(unknown)?.0;
        let from = if row.start_time.is_empty() { 0 } else { minutes(line, &row.start_time)? };
        let until = if row.end_time.is_empty() { DAY_MINUTES } else { minutes(line, &row.end_time)? };
        if from >= until {
            return Err(Fault::new(FILE, line, "hours end after they begin; hours over midnight are two rows"));
        }
        if !days.contains(&true) {
            return Err(Fault::new(FILE, line, format!("the service {:?} runs on no day", row.service_id)));
        }
        groups.entry(row.timeframe_group_id).or_default().push(Hours { days, from, until, line });
    }
    apart(&groups)?;
    Ok(Times { groups, holidays })
}

/// `6:30:00` or `24:00:00`, in minutes.
fn minutes(line: u64, text: &str) -> Result<u16, Fault> {
    let parts: Vec<Option<u16>> = text.split(':').map(|part| part.parse().ok()).collect();
    match parts[..] {
        [Some(hours), Some(minutes), Some(0)] if hours <= 24 && minutes < 60 && hours * 60 + minutes <= DAY_MINUTES => {
            Ok(hours * 60 + minutes)
        }
        _ => Err(Fault::new(FILE, line, format!("hours are whole minutes from 00:00:00 to 24:00:00, not {text}"))),
    }
}

fn services(feed: &Feed, used: &BTreeSet<&str>) -> Result<Services, Fault> {
    const FILE: &str = "calendar.txt";
    let mut found = Services::new();
    let mut period: Option<(String, String)> = None;
    for (line, row) in feed.rows::<Service>(FILE)? {
        if !used.contains(row.service_id.as_str()) {
            continue;
        }
        let known = period.get_or_insert_with(|| (row.start_date.clone(), row.end_date.clone()));
        if (&known.0, &known.1) != (&row.start_date, &row.end_date) {
            let what = "services that prices go by begin and end together: a table's version has no hours that end before it";
            return Err(Fault::new(FILE, line, what));
        }
        let week = [row.monday, row.tuesday, row.wednesday, row.thursday, row.friday, row.saturday, row.sunday, 0];
        found.insert(row.service_id, (week.map(|runs| runs == 1), line));
    }
    Ok(found)
}

/// Dates on which other services run than the day of the week says: the same ones on each, which are thereby those of holidays.
fn holidays(feed: &Feed, services: &mut Services) -> Result<Vec<String>, Fault> {
    const FILE: &str = "calendar_dates.txt";
    let mut dates: BTreeMap<String, Vec<(u64, Exception)>> = BTreeMap::new();
    for (line, row) in feed.rows::<Exception>(FILE)? {
        if services.contains_key(&row.service_id) {
            dates.entry(row.date.clone()).or_default().push((line, row));
        }
    }
    let mut on_holidays: Option<BTreeSet<String>> = None;
    let mut told = Vec::new();
    for (date, exceptions) in &dates {
        let line = exceptions.first().map_or(0, |(line, _)| *line);
        let (day, text) = date_of(date).ok_or_else(|| Fault::new(FILE, line, format!("no date: {date}")))?;
        let mut running: BTreeSet<String> =
            services.iter().filter(|(_, (days, _))| days[day]).map(|(service, _)| service.clone()).collect();
        for (_, row) in exceptions {
            match row.exception_type {
                1 => running.insert(row.service_id.clone()),
                _ => running.remove(&row.service_id),
            };
        }
        if on_holidays.get_or_insert_with(|| running.clone()) != &running {
            let what = "dates with exceptions are public holidays, on which the same services run: this one is another";
            return Err(Fault::new(FILE, line, what));
        }
        told.push(text);
    }
    for (service, (days, _)) in services {
        days[HOLIDAY] = on_holidays.as_ref().is_some_and(|running| running.contains(service));
    }
    Ok(told)
}

/// `20260101`: its place in the week and as a fare file has it.
fn date_of(text: &str) -> Option<(usize, String)> {
    let part = |range| text.get(range).filter(|_| text.len() == 8);
    let (year, month, of_month) = (part(0..4)?, part(4..6)?, part(6..8)?);
    let day = tongdao_domain::time::Day::of_date(year.parse().ok()?, month.parse().ok()?, of_month.parse().ok()?)?;
    Some((day.of_week().into(), format!("{year}-{month}-{of_month}")))
}

/// No moment is in two groups: which price would count?
fn apart(groups: &BTreeMap<String, Vec<Hours>>) -> Result<(), Fault> {
    let all: Vec<(&String, &Hours)> = groups.iter().flat_map(|(name, hours)| hours.iter().map(move |hours| (name, hours))).collect();
    let meets = |(a_name, a): &(&String, &Hours), (b_name, b): &(&String, &Hours)| {
        a_name != b_name && a.from < b.until && b.from < a.until && (0..8).any(|day| a.days[day] && b.days[day])
    };
    let clash = all.iter().enumerate().find_map(|(n, a)| all[..n].iter().find(|b| meets(a, b)).map(|b| (a.1.line, b.1.line)));
    clash.map_or(Ok(()), |(a, b)| {
        Err(Fault::new(FILE, a.max(b), format!("some moments are in the hours of line {}, too, which are of another group", a.min(b))))
    })
}

impl Hours {
    /// As a fare file names days.
    pub(super) fn days(&self) -> String {
        let named: Vec<&str> = DAYS.iter().zip(self.days).filter(|(_, runs)| *runs).map(|(name, _)| *name).collect();
        named.join(",")
    }
    fn length(&self) -> u32 {
        u32::from(self.until - self.from) * self.days.iter().filter(|runs| **runs).map(|_| 1).sum::<u32>()
    }
}

impl Times {
    /// The group of these that takes most of the week, where together they leave no moment out; else the line of one and the
    /// moment that is in none.
    pub(super) fn rest<'a>(&self, names: &BTreeSet<&'a str>) -> Result<&'a str, Fault> {
        let hours = || names.iter().filter_map(|name| self.groups.get(*name)).flatten();
        let days = if self.holidays.is_empty() { 0..HOLIDAY } else { 0..DAYS.len() };
        let held = |day: usize, minute: u16| hours().any(|hours| hours.days[day] && hours.from <= minute && minute < hours.until);
        let gap = days.flat_map(|day| (0..DAY_MINUTES).map(move |minute| (day, minute))).find(|(day, minute)| !held(*day, *minute));
        if let Some((day, minute)) = gap {
            let line = hours().map(|hours| hours.line).max().unwrap_or(0);
            return Err(Fault::new(FILE, line, format!("no ride has a price on {} at {:02}:{:02}", DAYS[day], minute / 60, minute % 60)));
        }
        let length = |name: &&&str| self.groups.get(**name).map_or(0, |hours| hours.iter().map(Hours::length).sum::<u32>());
        names.iter().max_by_key(length).copied().ok_or_else(|| Fault::new("fare_leg_rules.txt", 0, "there is no rule"))
    }
}
