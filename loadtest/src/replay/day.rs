//! A day of taps: which medium at which gate, which way, when. As a file: `at,device,direction,kind,token`, at in RFC 3339.
use std::collections::HashMap;
use std::io::{self, Write};
use std::path::Path;
use tongdao_domain::time::Timestamp;
use tongdao_protocol::gate::{Direction, Medium, MediumKind};
use tongdao_protocol::time::{Time, parse};

/// Columns of the file.
pub const COLUMNS: [&str; 5] = ["at", "device", "direction", "kind", "token"];

/// A tap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tap {
    /// When it was made, in milliseconds since 1970.
    pub at_ms: i64,
    /// Index of the device.
    pub gate: u32,
    /// Index of the medium.
    pub rider: u32,
    /// Out rather than in.
    pub exit: bool,
}

/// See the module.
#[derive(Debug, Clone, Default)]
pub struct Day {
    /// By the moment they were made.
    pub taps: Vec<Tap>,
    /// Device ids.
    pub devices: Vec<String>,
    /// One of each rider.
    pub media: Vec<Medium>,
}

impl Day {
    /// Writes the file.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, out: &mut impl Write) -> io::Result<()> {
        writeln!(out, "{}", COLUMNS.join(","))?;
        for tap in &self.taps {
            let (device, medium) = (&self.devices[tap.gate as usize], &self.media[tap.rider as usize]);
            let direction = if tap.exit { "exit" } else { "entry" };
            writeln!(out, "{},{device},{direction},{},{}", Time(Timestamp(tap.at_ms)), medium.kind.name(), medium.token.as_str())?;
        }
        Ok(())
    }

    /// From the first to the last tap, in milliseconds since 1970.
    #[must_use]
    pub fn span_ms(&self) -> (i64, i64) {
        (self.taps.first().map_or(0, |tap| tap.at_ms), self.taps.last().map_or(0, |tap| tap.at_ms))
    }
}

/// Numbers for texts, in the order in which they are first seen.
#[derive(Default)]
struct Numbers(HashMap<String, u32>);

impl Numbers {
    fn of(&mut self, text: &str) -> (u32, bool) {
        if let Some(number) = self.0.get(text) {
            return (*number, false);
        }
        let number = u32::try_from(self.0.len()).unwrap_or(u32::MAX);
        self.0.insert(text.to_owned(), number);
        (number, true)
    }
}

/// Reads the file. Rows may stand in any order, columns too; columns of other names are not looked at.
///
/// # Errors
/// When it cannot be read; names the line.
pub fn read(path: &Path) -> io::Result<Day> {
    let told = |why: String| io::Error::other(format!("{}: {why}", path.display()));
    let file = std::fs::File::open(path).map_err(|error| told(error.to_string()))?;
    of(io::BufReader::new(file)).map_err(told)
}

fn of(source: impl io::Read) -> Result<Day, String> {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(source);
    let header = reader.headers().map_err(|error| error.to_string())?.clone();
    let mut places = [0; COLUMNS.len()];
    for (place, name) in places.iter_mut().zip(COLUMNS) {
        *place = header.iter().position(|column| column == name).ok_or_else(|| format!("the header must have {}", COLUMNS.join(",")))?;
    }
    let (mut day, mut devices, mut media) = (Day::default(), Numbers::default(), Numbers::default());
    let mut row = csv::StringRecord::new();
    while reader.read_record(&mut row).map_err(|error| error.to_string())? {
        let line = row.position().map_or(0, csv::Position::line);
        let [at, device, direction, kind, token] = places.map(|place| row.get(place).unwrap_or_default());
        let told = |what: &str| format!("line {line}: {what}");
        let (gate, fresh) = devices.of(device);
        if fresh {
            day.devices.push(device.to_owned());
        }
        let (rider, fresh) = media.of(token);
        if fresh {
            day.media.push(medium(kind, token).ok_or_else(|| told("kind and token name no medium"))?);
        }
        let at_ms = parse(at).ok_or_else(|| told("at is no moment in RFC 3339"))?.0;
        let exit = match direction {
            "entry" => false,
            "exit" => true,
            _ => return Err(told("direction is entry or exit")),
        };
        day.taps.push(Tap { at_ms, gate, rider, exit });
    }
    day.taps.sort_by_key(|tap| tap.at_ms);
    Ok(day)
}

fn medium(kind: &str, token: &str) -> Option<Medium> {
    const KINDS: [MediumKind; 6] =
        [MediumKind::Qr, MediumKind::Face, MediumKind::Ecny, MediumKind::EcnyHard, MediumKind::Bank, MediumKind::Card];
    Medium::new(KINDS.into_iter().find(|known| known.name() == kind)?, token)
}

/// Which way a tap goes, in the words of the contract.
#[must_use]
pub const fn direction(tap: Tap) -> Direction {
    if tap.exit { Direction::Exit } else { Direction::Entry }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Day, String> {
        of(text.as_bytes())
    }

    #[test]
    fn what_is_written_is_read_again() {
        let text = "at,device,direction,kind,token\n2025-08-12T03:00:00.250Z,g1,entry,card,m1\n2025-08-12T03:20:00.000Z,g2,exit,card,m1\n";
        let day = read(text).expect("a day");
        assert_eq!((day.taps.len(), day.devices.len(), day.media.len()), (2, 2, 1));
        assert_eq!((day.taps[0].exit, day.taps[1].exit), (false, true));
        let mut written = Vec::new();
        day.write(&mut written).expect("written");
        assert_eq!(String::from_utf8(written).expect("text"), text);
    }

    #[test]
    fn rows_in_any_order_and_columns_of_others_are_fine() {
        let day = read(
            "token,note,at,kind,direction,device\nm2,x,2025-08-12T09:00:00+05:30,ecny,exit,g1\nm1,,2025-08-12T03:00:00Z,card,entry,g1\n",
        )
        .expect("a day");
        assert_eq!(day.taps.iter().map(|tap| tap.rider).collect::<Vec<_>>(), [1, 0]);
        assert_eq!(day.span_ms().1 - day.span_ms().0, 30 * 60_000);
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        for (row, why) in [
            ("now,g1,entry,card,m", "RFC 3339"),
            ("2025-08-12T03:00:00Z,g1,up,card,m", "entry or exit"),
            ("2025-08-12T03:00:00Z,g1,entry,coin,m", "no medium"),
        ] {
            let told = read(&format!("{}\n{row}\n", COLUMNS.join(","))).expect_err("refused");
            assert!(told.starts_with("line 2: ") && told.contains(why), "{told}");
        }
        assert!(read("at,device\n").is_err_and(|why| why.contains("direction")));
    }
}
