//! Fare files (`config/fares/*.toml`): versions with effective dates, by distance ladder, zones, pairs of stations or flat,
//! with their policies.
mod more;

use self::more::{CapEntry, ConcessionEntry, PairEntry, PlaceEntry, RushEntry, ShortStayEntry, TransferEntry};
use super::Clock;
use crate::file::{FileError, from_toml};
use rust_decimal::Decimal;
use serde::Deserialize;
use std::collections::BTreeMap;
use tongdao_domain::fare::{Beyond, Charge, FareTable, FareVersion, Ladder, More, Overstay, SameStation, Scheme, Step};
use tongdao_domain::id::StationId;
use tongdao_domain::money::{Amount, Currency};
use tongdao_domain::time::{Calendar, Millis};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    currency: Currency,
    /// Local time minus UTC, and when the business day switches: what a site that uses the table must agree with.
    utc_offset: Option<Clock>,
    business_day_starts: Option<Clock>,
    /// Zones and groups of stations, where a version does not say otherwise.
    #[serde(default)]
    stations: BTreeMap<StationId, PlaceEntry>,
    versions: Vec<Version>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Version {
    from: toml::value::Datetime,
    ladder: Option<LadderEntry>,
    flat: Option<Money>,
    zones: Option<Vec<PairEntry<u8>>>,
    matrix: Option<Vec<PairEntry<StationId>>>,
    #[serde(default)]
    stations: BTreeMap<StationId, PlaceEntry>,
    #[serde(default)]
    rush: Vec<RushEntry>,
    #[serde(default)]
    concessions: Vec<ConcessionEntry>,
    #[serde(default)]
    holidays: Vec<toml::value::Datetime>,
    #[serde(default)]
    same_station_within: Vec<ShortStayEntry>,
    #[serde(default)]
    transfers: Vec<TransferEntry>,
    #[serde(default)]
    caps: Vec<CapEntry>,
    #[serde(default)]
    classes: BTreeMap<String, u32>,
    stay_minutes_max: Option<u32>,
    #[serde(default)]
    overstay: OverstayEntry,
    #[serde(default = "lowest")]
    same_station: SameStationEntry,
    #[serde(default)]
    missing_exit: ChargeEntry,
    #[serde(default)]
    missing_entry: ChargeEntry,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct LadderEntry {
    steps: Vec<StepEntry>,
    beyond: Option<BeyondEntry>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct StepEntry {
    up_to_m: u32,
    fare: Money,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct BeyondEntry {
    every_m: u32,
    add: Money,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct OverstayEntry {
    #[serde(default)]
    surcharge: ChargeEntry,
    #[serde(default)]
    refuse: bool,
    #[serde(default)]
    replaces_ride: bool,
}

/// A decimal string.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "String")]
struct Money(Amount);
impl TryFrom<String> for Money {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        let amount = Amount::parse(&text).map_err(|error| error.to_string())?;
        if amount.is_negative() { Err(format!("a fare is not negative: {text}")) } else { Ok(Self(amount)) }
    }
}

/// `free`, `lowest`, `highest` or an amount.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(try_from = "String")]
enum ChargeEntry {
    Free,
    Lowest,
    #[default]
    Highest,
    Fixed(Money),
}
impl TryFrom<String> for ChargeEntry {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        match text.as_str() {
            "free" => Ok(Self::Free),
            "lowest" => Ok(Self::Lowest),
            "highest" => Ok(Self::Highest),
            _ => Money::try_from(text).map(Self::Fixed).map_err(|why| format!("expected free, lowest, highest or an amount: {why}")),
        }
    }
}
impl From<ChargeEntry> for Charge {
    fn from(entry: ChargeEntry) -> Self {
        match entry {
            ChargeEntry::Free => Self::Free,
            ChargeEntry::Lowest => Self::Lowest,
            ChargeEntry::Highest => Self::Highest,
            ChargeEntry::Fixed(Money(amount)) => Self::Fixed(amount),
        }
    }
}

/// `refuse`, or what it costs.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "String")]
enum SameStationEntry {
    Refuse,
    Pays(ChargeEntry),
}
impl TryFrom<String> for SameStationEntry {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        if text == "refuse" {
            Ok(Self::Refuse)
        } else {
            ChargeEntry::try_from(text).map(Self::Pays).map_err(|why| format!("{why}, or refuse"))
        }
    }
}
const fn lowest() -> SameStationEntry {
    SameStationEntry::Pays(ChargeEntry::Lowest)
}

/// Reads a fare file.
///
/// # Errors
/// [`FileError`] names the line or the key and the way out.
pub fn parse_fares(text: &str) -> Result<FareTable, FileError> {
    let File { currency, utc_offset, business_day_starts, stations, versions } = from_toml(text)?;
    if versions.is_empty() {
        return Err(FileError::key("versions", "there is none: give at least one `[[versions]]` with `from`"));
    }
    let versions: Vec<FareVersion> =
        versions.into_iter().enumerate().map(|(n, version)| version.into_domain(n, &stations)).collect::<Result<_, _>>()?;
    if let Some(n) = versions.windows(2).position(|pair| pair[0].from >= pair[1].from) {
        return Err(FileError::key(format_args!("versions[{}].from", n + 1), "versions stand oldest first: put this one in its place"));
    }
    let calendar = (utc_offset.is_some() || business_day_starts.is_some()).then(|| Calendar {
        utc_offset: utc_offset.map_or(Calendar::SHANGHAI.utc_offset, |offset| offset.0),
        business_day_starts: business_day_starts.map_or(Calendar::SHANGHAI.business_day_starts, |starts| starts.0),
    });
    Ok(FareTable { currency, calendar, versions })
}

/// Ways to say what a ride costs, of which a version or a rush gives exactly one.
struct SchemeEntry {
    ladder: Option<LadderEntry>,
    flat: Option<Money>,
    zones: Option<Vec<PairEntry<u8>>>,
    matrix: Option<Vec<PairEntry<StationId>>>,
}

impl SchemeEntry {
    fn into_domain(self) -> Result<Scheme, String> {
        match (self.ladder, self.flat, self.zones, self.matrix) {
            (Some(ladder), None, None, None) => ladder.into_domain().map(Scheme::Ladder).map_err(str::to_owned),
            (None, Some(Money(fare)), None, None) => Ok(Scheme::Flat(fare)),
            (None, None, Some(zones), None) => more::pairs(zones).map(Scheme::Zones),
            (None, None, None, Some(matrix)) => more::pairs(matrix).map(Scheme::Matrix),
            _ => Err("give either `ladder`, `flat`, `zones` or `matrix`".to_owned()),
        }
    }
}

impl Version {
    fn into_domain(self, n: usize, stations: &BTreeMap<StationId, PlaceEntry>) -> Result<FareVersion, FileError> {
        let wrong = |key: &str, what: &str| FileError::key(format_args!("versions[{n}].{key}"), what);
        let from = crate::time::parse(&self.from.to_string())
            .ok_or_else(|| wrong("from", "give date, time and offset, such as 2026-01-01T00:00:00+08:00"))?;
        let scheme = SchemeEntry { ladder: self.ladder, flat: self.flat, zones: self.zones, matrix: self.matrix };
        let scheme = scheme.into_domain().map_err(|what| wrong("ladder", &what))?;
        if self.classes.values().any(|percent| *percent > 1000) {
            return Err(wrong("classes", "a class pays a share in per cent, from 0 to 1000"));
        }
        let places = if self.stations.is_empty() { stations } else { &self.stations };
        let more = More {
            rush: more::each(self.rush, RushEntry::into_domain).map_err(|what| wrong("rush", &what))?,
            concessions: more::each(self.concessions, ConcessionEntry::into_domain).map_err(|what| wrong("concessions", &what))?,
            holidays: more::holidays(&self.holidays).map_err(|what| wrong("holidays", &what))?,
            places: places.iter().map(|(id, place)| (id.clone(), place.into())).collect(),
            same_station_within: more::short_stays(self.same_station_within).map_err(|what| wrong("same_station_within", what))?,
            overstay_replaces_ride: self.overstay.replaces_ride,
            transfers: more::each(self.transfers, TransferEntry::into_domain).map_err(|what| wrong("transfers", &what))?,
            caps: more::caps(self.caps).map_err(|what| wrong("caps", &what))?,
        };
        let version = FareVersion {
            from,
            scheme,
            classes: self.classes.into_iter().map(|(class, percent)| (class.into(), Decimal::from(percent))).collect(),
            stay_max: self.stay_minutes_max.map(|minutes| Millis::minutes(minutes.into())),
            overstay: Overstay { surcharge: self.overstay.surcharge.into(), refuse: self.overstay.refuse },
            same_station: match self.same_station {
                SameStationEntry::Refuse => SameStation::Refuse,
                SameStationEntry::Pays(charge) => SameStation::Pays(charge.into()),
            },
            missing_exit: self.missing_exit.into(),
            missing_entry: self.missing_entry.into(),
            more,
        };
        more::check(&version).map(|()| version).map_err(|(key, what)| wrong(key, &what))
    }
}

impl LadderEntry {
    fn into_domain(self) -> Result<Ladder, &'static str> {
        let steps: Vec<Step> = self.steps.into_iter().map(|step| Step { up_to_m: step.up_to_m, fare: step.fare.0 }).collect();
        if steps.is_empty() {
            return Err("`steps` is empty: give at least one rung");
        }
        if steps.windows(2).any(|pair| pair[0].up_to_m >= pair[1].up_to_m || pair[0].fare > pair[1].fare) {
            return Err("`steps` stand by rising `up_to_m`, and no longer ride is cheaper");
        }
        let beyond = self.beyond.map(|beyond| Beyond { every_m: beyond.every_m, add: beyond.add.0 });
        if beyond.as_ref().is_some_and(|beyond| beyond.every_m == 0) {
            return Err("`beyond.every_m` must be more than 0");
        }
        Ok(Ladder { steps, beyond })
    }
}
