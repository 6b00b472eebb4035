//! How many rode from where to where in each hour of a day: text with a header (`Date, Hour, Origin…, Destination…,
//! Ridership`, separated by commas, semicolons or tabs), or the same columns as Parquet. The hour is the hour in which the
//! riders came out.
use super::HOURS;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;

/// Riders from one station to another in an hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Flow {
    /// In which they came out.
    pub hour: u8,
    /// Index of the station where they went in.
    pub from: u16,
    /// Index of the station where they came out.
    pub to: u16,
    /// How many.
    pub riders: u32,
}

/// A day's flows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Flows {
    /// Names of the stations, in order.
    pub stations: Vec<String>,
    /// By hour, origin and destination; none twice, none empty.
    pub flows: Vec<Flow>,
}

/// Where the columns stand in a row.
#[derive(Debug, Clone, Copy)]
struct Columns {
    date: Option<usize>,
    hour: usize,
    from: usize,
    to: usize,
    riders: usize,
}

impl Columns {
    fn of(names: &[String]) -> Option<Self> {
        let place = |begins: &str| names.iter().position(|name| name.trim().to_lowercase().starts_with(begins));
        Some(Self {
            date: place("date"),
            hour: place("hour")?,
            from: place("origin")?,
            to: place("destination")?,
            riders: place("ridership")?,
        })
    }
}

/// Adds rows up; the stations get their numbers at the end.
#[derive(Default)]
struct Sums(BTreeMap<(u8, String, String), u32>);

impl Sums {
    fn add(&mut self, hour: i64, from: &str, to: &str, riders: i64) -> Result<(), String> {
        let hour = u8::try_from(hour).ok().filter(|hour| usize::from(*hour) < HOURS).ok_or("an hour is 0 to 23")?;
        let riders = u32::try_from(riders).map_err(|_| "riders are a number from 0 on")?;
        if from.is_empty() || to.is_empty() {
            return Err("a station has a name".into());
        }
        if riders > 0 {
            let sum = self.0.entry((hour, from.to_owned(), to.to_owned())).or_default();
            *sum = sum.checked_add(riders).ok_or("more riders than can be counted")?;
        }
        Ok(())
    }

    fn flows(self) -> Result<Flows, String> {
        let names: BTreeSet<&String> = self.0.keys().flat_map(|(_, from, to)| [from, to]).collect();
        let stations: Vec<String> = names.into_iter().cloned().collect();
        let number = |name: &String| stations.binary_search(name).ok().and_then(|n| u16::try_from(n).ok()).ok_or("too many stations");
        let flow = |((hour, from, to), riders): (&(u8, String, String), &u32)| -> Result<Flow, &'static str> {
            Ok(Flow { hour: *hour, from: number(from)?, to: number(to)?, riders: *riders })
        };
        let flows = self.0.iter().map(flow).collect::<Result<_, _>>()?;
        Ok(Flows { stations, flows })
    }
}

/// Reads the flows of a day (`2025-08-12`); a file without dates is one day.
///
/// # Errors
/// When the file cannot be read, or has nothing of that day; names the line.
pub fn read(path: &Path, day: &str) -> io::Result<Flows> {
    let told = |why: String| io::Error::other(format!("{}: {why}", path.display()));
    let parquet = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("parquet"));
    let flows = if parquet {
        of_parquet(path, day)
    } else {
        std::fs::read_to_string(path).map_err(|error| error.to_string()).and_then(|text| of_text(&text, day))
    };
    let flows = flows.map_err(told)?;
    if flows.flows.is_empty() {
        return Err(told(format!("nobody rides on {day}: name a date that stands in the file, as 2025-08-12")));
    }
    Ok(flows)
}

/// Reads flows from text.
///
/// # Errors
/// What is wrong with which line.
pub fn of_text(text: &str, day: &str) -> Result<Flows, String> {
    let first = text.lines().next().unwrap_or_default();
    let separator = [b';', b'\t', b','].into_iter().find(|byte| first.as_bytes().contains(byte)).unwrap_or(b',');
    let mut reader = csv::ReaderBuilder::new().delimiter(separator).trim(csv::Trim::All).from_reader(text.as_bytes());
    let header = reader.headers().map_err(|error| error.to_string())?;
    let names: Vec<String> = header.iter().map(ToOwned::to_owned).collect();
    let columns = Columns::of(&names).ok_or("the header must have Date, Hour, Origin…, Destination… and Ridership")?;
    let mut sums = Sums::default();
    for row in reader.records() {
        let row = row.map_err(|error| error.to_string())?;
        let line = row.position().map_or(0, csv::Position::line);
        let cell = |at: usize| row.get(at).unwrap_or_default();
        if columns.date.is_some_and(|at| cell(at) != day) {
            continue;
        }
        let number = |at: usize| cell(at).parse::<i64>().map_err(|_| format!("line {line}: {:?} is no number", cell(at)));
        sums.add(number(columns.hour)?, cell(columns.from), cell(columns.to), number(columns.riders)?)
            .map_err(|why| format!("line {line}: {why}"))?;
    }
    sums.flows()
}

#[cfg(not(feature = "parquet"))]
fn of_parquet(_: &Path, _: &str) -> Result<Flows, String> {
    Err("this program was built without Parquet: write the file as CSV".into())
}

#[cfg(feature = "parquet")]
fn of_parquet(path: &Path, day: &str) -> Result<Flows, String> {
    use parquet::file::reader::{FileReader as _, SerializedFileReader};
    let file = std::fs::File::open(path).map_err(|error| error.to_string())?;
    let reader = SerializedFileReader::new(file).map_err(|error| error.to_string())?;
    let names: Vec<String> =
        reader.metadata().file_metadata().schema_descr().columns().iter().map(|column| column.name().to_owned()).collect();
    let columns = Columns::of(&names).ok_or("the columns must be Date, Hour, Origin…, Destination… and Ridership")?;
    let mut sums = Sums::default();
    for (n, row) in reader.get_row_iter(None).map_err(|error| error.to_string())?.enumerate() {
        let row = row.map_err(|error| error.to_string())?;
        let cells: Vec<&parquet::record::Field> = row.get_column_iter().map(|(_, field)| field).collect();
        let told = |why: &str| format!("row {}: {why}", n + 1);
        let text = |at: usize| cells.get(at).and_then(|field| text_of(field)).ok_or_else(|| told("a text is missing"));
        let number = |at: usize| cells.get(at).and_then(|field| number_of(field)).ok_or_else(|| told("a number is missing"));
        if let Some(at) = columns.date
            && text(at)? != day
        {
            continue;
        }
        sums.add(number(columns.hour)?, text(columns.from)?, text(columns.to)?, number(columns.riders)?).map_err(|why| told(&why))?;
    }
    sums.flows()
}

#[cfg(feature = "parquet")]
fn text_of(field: &parquet::record::Field) -> Option<&str> {
    match field {
        parquet::record::Field::Str(text) => Some(text),
        _ => None,
    }
}

#[cfg(feature = "parquet")]
fn number_of(field: &parquet::record::Field) -> Option<i64> {
    use parquet::record::Field;
    match field {
        Field::Byte(number) => Some((*number).into()),
        Field::Short(number) => Some((*number).into()),
        Field::Int(number) => Some((*number).into()),
        Field::Long(number) => Some(*number),
        Field::UByte(number) => Some((*number).into()),
        Field::UShort(number) => Some((*number).into()),
        Field::UInt(number) => Some((*number).into()),
        _ => None,
    }
}

impl Flows {
    /// Riders of all flows.
    #[must_use]
    pub fn riders(&self) -> u64 {
        self.flows.iter().map(|flow| u64::from(flow.riders)).sum()
    }

    /// Only those who come out from hour `from` on and before hour `to`.
    #[must_use]
    pub fn within(mut self, from: u8, to: u8) -> Self {
        self.flows.retain(|flow| (from..to).contains(&flow.hour));
        self
    }

    /// Of every flow this share, rounded so that the sum over the day is as close as can be; 1 and more change nothing.
    #[must_use]
    pub fn share(mut self, share: f64) -> Self {
        if share >= 1.0 {
            return self;
        }
        let mut owed = 0.0;
        for flow in &mut self.flows {
            owed += f64::from(flow.riders) * share.max(0.0);
            let now = owed.floor();
            owed -= now;
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and the riders there were")]
            let riders = now as u32;
            flow.riders = riders;
        }
        self.flows.retain(|flow| flow.riders > 0);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "Date;Hour;Origin Station;Destination Station;Ridership\n2025-08-12;8;B;A;3\n2025-08-12;8;A;B;2\n2025-08-13;8;A;B;9\n2025-08-12;9;A;A;0\n2025-08-12;8;B;A;1\n";

    #[test]
    fn rows_of_the_day_are_added_up_and_the_stations_numbered_by_name() {
        let flows = of_text(TEXT, "2025-08-12").expect("flows");
        assert_eq!(flows.stations, ["A", "B"]);
        let flow = |from, to, riders| Flow { hour: 8, from, to, riders };
        assert_eq!(flows.flows, [flow(0, 1, 2), flow(1, 0, 4)]);
        assert_eq!(of_text(&TEXT.replace(';', ","), "2025-08-12"), Ok(flows));
    }

    #[test]
    fn a_file_without_dates_is_one_day() {
        let flows = of_text("hour,origin,destination,ridership\n23,x,y,1\n", "2020-01-01").expect("flows");
        assert_eq!(flows.riders(), 1);
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        let wrong = |row: &str| of_text(&format!("Date,Hour,Origin,Destination,Ridership\n{row}\n"), "d").expect_err("refused");
        for (row, why) in [("d,24,a,b,1", "0 to 23"), ("d,8,a,b,-1", "from 0 on"), ("d,x,a,b,1", "no number"), ("d,8,,b,1", "name")] {
            let told = wrong(row);
            assert!(told.starts_with("line 2: ") && told.contains(why), "{told}");
        }
        assert!(of_text("a,b\n", "d").is_err_and(|why| why.contains("Ridership")));
    }

    #[test]
    fn a_share_keeps_its_sum() {
        let flows = |n: u32| Flows {
            stations: vec!["a".into()],
            flows: (0..n).map(|n| Flow { hour: 8, from: 0, to: 0, riders: n % 3 + 1 }).collect(),
        };
        let all = flows(300).riders();
        let tenth = flows(300).share(0.1).riders();
        assert!(tenth.abs_diff(all / 10) <= 1, "{tenth} of {all}");
        assert_eq!(flows(300).share(1.0), flows(300));
    }

    #[test]
    fn no_text_is_too_odd() {
        for text in
            ["", "\n", ";", "Hour;Origin;Destination;Ridership\n\"", "\u{feff}Hour,Origin,Destination,Ridership\n8,a,b,99999999999\n"]
        {
            let _ = of_text(text, "d");
        }
    }
}
