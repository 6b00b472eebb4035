//! GTFS-Fares v2 → a fare file, as far as both say the same. What does not map is refused and named with its file and line:
//! a table that prices some rides otherwise than its source is worse than none.
//!
//! Source of every rule here: the GTFS Schedule reference (gtfs.org), files `fare_products`, `fare_leg_rules`, `stop_areas`,
//! `timeframes`, `calendar`, `rider_categories`, `fare_transfer_rules`. What a feed knows nothing of (missing taps, stays, caps,
//! how days are counted) gets the defaults of a fare file and is for a person to say.
mod legs;
mod products;
mod times;
mod transfers;
mod write;

use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::fmt;

/// Files of a feed that are looked at.
pub const FILES: [&str; 10] = [
    "fare_products.txt",
    "fare_leg_rules.txt",
    "fare_transfer_rules.txt",
    "fare_leg_join_rules.txt",
    "rider_categories.txt",
    "stop_areas.txt",
    "stops.txt",
    "timeframes.txt",
    "calendar.txt",
    "calendar_dates.txt",
];

/// A feed's files by name; one that is not there is empty.
#[derive(Debug, Clone, Default)]
pub struct Feed(BTreeMap<&'static str, String>);

/// What a feed leaves open.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// Since when the table counts, RFC 3339.
    pub from: &'a str,
    /// The fare medium whose prices count, where they differ by medium.
    pub media: Option<&'a str>,
}

/// What does not map, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The file.
    pub file: &'static str,
    /// The line, the header being the first; 0 = the file as a whole.
    pub line: u64,
    /// What it is, and the way out where there is one.
    pub what: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, what } = self;
        if *line == 0 { write!(f, "{file}: {what}") } else { write!(f, "{file} line {line}: {what}") }
    }
}

impl Fault {
    fn new(file: &'static str, line: u64, what: impl Into<String>) -> Self {
        Self { file, line, what: what.into() }
    }
}

impl Feed {
    /// Takes a file's text.
    pub fn insert(&mut self, file: &'static str, text: String) {
        self.0.insert(file, text);
    }
    fn text(&self, file: &'static str) -> &str {
        self.0.get(file).map_or("", |text| text.strip_prefix('\u{feff}').unwrap_or(text))
    }
    /// Does the file have a column of this name?
    fn has_column(&self, file: &'static str, column: &str) -> bool {
        let header = self.text(file).lines().next().unwrap_or_default();
        header.split(',').any(|name| name.trim().trim_matches('"') == column)
    }
    /// The file's rows with their lines; columns that nobody asks for are passed over.
    fn rows<T: DeserializeOwned>(&self, file: &'static str) -> Result<Vec<(u64, T)>, Fault> {
        let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).flexible(true).from_reader(self.text(file).as_bytes());
        let broken = |line, error: csv::Error| Fault::new(file, line, format!("cannot be read: {error}"));
        let header = reader.headers().map_err(|error| broken(1, error))?.clone();
        let mut rows = Vec::new();
        for record in reader.into_records() {
            let record = record.map_err(|error| broken(error.position().map_or(0, csv::Position::line), error))?;
            let line = record.position().map_or(0, csv::Position::line);
            rows.push((line, record.deserialize(Some(&header)).map_err(|error| broken(line, error))?));
        }
        Ok(rows)
    }
}

/// A fare file that says what the feed says.
///
/// # Errors
/// Everything that does not map; of each part of the feed the first.
pub fn fare_file(feed: &Feed, wanted: &Wanted<'_>) -> Result<String, Vec<Fault>> {
    if let Some((line, _)) = feed.rows::<Named>("fare_leg_join_rules.txt").map_err(|fault| vec![fault])?.first() {
        return Err(vec![Fault::new("fare_leg_join_rules.txt", *line, "legs that are priced together have no counterpart")]);
    }
    let products = products::read(feed, wanted.media).map_err(|fault| vec![fault])?;
    let (times, legs) = (times::read(feed), legs::read(feed, &products));
    let (times, legs) = both(times, legs)?;
    let (schemes, transfers) = both(legs.schemes(&products, &times), transfers::read(feed, &products, &legs))?;
    let classes = products.classes(&legs.products()).map_err(|fault| vec![fault])?;
    let text = write::file(&write::Table { wanted, products: &products, places: &legs.places, schemes, times: &times, transfers, classes });
    match crate::site::parse_fares(&text) {
        Ok(_) => Ok(text),
        Err(fault) => Err(vec![Fault::new("fare_leg_rules.txt", 0, format!("the table that it gives does not hold together: {fault}"))]),
    }
}

/// A row of which nothing is asked.
#[derive(serde::Deserialize)]
struct Named {}

fn both<A, B>(a: Result<A, Fault>, b: Result<B, Fault>) -> Result<(A, B), Vec<Fault>> {
    match (a, b) {
        (Ok(a), Ok(b)) => Ok((a, b)),
        (a, b) => Err(a.err().into_iter().chain(b.err()).collect()),
    }
}

#[cfg(test)]
mod tests;
