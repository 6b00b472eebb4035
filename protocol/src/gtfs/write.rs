//! The fare file as text, for people to read and to go on with.
use super::Wanted;
use super::legs::{Places, Scheme, Schemes};
use super::products::Products;
use super::times::{Hours, Times};
use super::transfers::Transfer;
use std::fmt::Write as _;
use tongdao_domain::money::Amount;

/// All that a fare file says.
pub(super) struct Table<'a> {
    pub(super) wanted: &'a Wanted<'a>,
    pub(super) products: &'a Products,
    pub(super) places: &'a Places,
    pub(super) schemes: Schemes,
    pub(super) times: &'a Times,
    pub(super) transfers: Option<Transfer>,
    pub(super) classes: Vec<(String, u32)>,
}

/// The longest line of pairs.
const PAIRS_IN_A_LINE: usize = 3;

pub(super) fn file(table: &Table<'_>) -> String {
    let (own, hours) = &table.schemes;
    let mut text = format!(
        "# Read from a GTFS feed (Fares v2). What a feed does not say stands at its default: missing taps, stays, same station, caps,\n\
         # utc_offset and business_day_starts. Look at them before use.\n\
         currency = {}\n",
        quoted(&table.products.currency)
    );
    text += &stations(table.places);
    let _ = write!(text, "\n[[versions]]\nfrom = {}\n", table.wanted.from);
    text += &transfers(table.transfers.as_ref());
    if !table.times.holidays.is_empty() {
        let _ = writeln!(text, "holidays = [{}]", table.times.holidays.join(", "));
    }
    text += &scheme(table.places, own);
    for (group, scheme_then) in hours {
        let windows: Vec<String> = table.times.groups.get(group).into_iter().flatten().map(window).collect();
        let _ = write!(text, "\n[[versions.rush]]                # {}\nwindows = [{}]\n", comment(group), windows.join(", "));
        text += &scheme(table.places, scheme_then);
    }
    text += "\n[versions.classes]\n";
    for (class, percent) in &table.classes {
        let _ = writeln!(text, "{} = {percent}", quoted(class));
    }
    text
}

fn stations(places: &Places) -> String {
    let Places::Zones(stations) = places else { return String::new() };
    let lines = stations.iter().map(|(station, zones)| {
        let zones: Vec<String> = zones.iter().map(ToString::to_string).collect();
        format!("{} = {{ zones = [{}] }}\n", quoted(station.as_str()), zones.join(", "))
    });
    format!("\n[stations]\n{}", lines.collect::<String>())
}

fn transfers(transfer: Option<&Transfer>) -> String {
    let Some(Transfer { minutes, since, times_max, off }) = transfer else { return String::new() };
    let times = times_max.map_or_else(String::new, |times| format!(", times_max = {times}"));
    let pays = off.map_or_else(|| "free".to_owned(), |off| format!("-{off}"));
    format!("transfers = [{{ within_minutes = {minutes}, since = \"{since}\"{times}, pays = \"{pays}\" }}]\n")
}

fn scheme(places: &Places, scheme: &Scheme) -> String {
    let pairs = match scheme {
        Scheme::Flat(price) => return format!("flat = \"{price}\"\n"),
        Scheme::Pairs(pairs) => pairs,
    };
    let by_station = *places == Places::Stations;
    let name = |name: &str| if by_station { quoted(name) } else { name.to_owned() };
    let pair = |(from, to, fare, one_way): &(String, String, Amount, bool)| {
        let way = if *one_way { ", one_way = true" } else { "" };
        format!("{{ from = {}, to = {}, fare = \"{fare}\"{way} }}", name(from), name(to))
    };
    let pairs: Vec<String> = pairs.iter().map(pair).collect();
    let lines: String = pairs.chunks(PAIRS_IN_A_LINE).map(|line| format!("  {},\n", line.join(", "))).collect();
    format!("{} = [\n{lines}]\n", if by_station { "matrix" } else { "zones" })
}

fn window(hours: &Hours) -> String {
    let clock = |minutes: u16| format!("{:02}:{:02}", minutes / 60, minutes % 60);
    format!("{{ days = \"{}\", from = \"{}\", until = \"{}\" }}", hours.days(), clock(hours.from), clock(hours.until))
}

fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

fn comment(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
