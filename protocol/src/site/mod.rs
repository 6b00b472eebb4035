//! Site files (`config/sites/*.toml`): stations with their gates, the tracks between them, the fare table they use.
mod fares;
#[cfg(test)]
mod tests;
mod world;

pub use fares::parse_fares;
pub use world::{add_to_world, replace_fares};

use crate::file::{FileError, from_toml};
use serde::Deserialize;
use std::collections::{BTreeMap, HashSet};
use tongdao_domain::id::{DeviceId, FareTableId, SiteId, StationId};
use tongdao_domain::station::Service;
use tongdao_domain::time::{Calendar, Millis};

/// A site file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SiteFile {
    /// `{site}` in topics.
    pub id: SiteId,
    /// Who is credited for rides: `operator:{operator}`; the site's id where it is left out.
    pub operator: Option<String>,
    /// The fare table: `config/fares/{fares}.toml`.
    pub fares: FareTableId,
    /// Local time minus UTC, `+08:00` where it is left out.
    #[serde(default = "shanghai")]
    pub utc_offset: Clock,
    /// When the business day (运营日) switches, local time; `02:00` where it is left out.
    #[serde(default = "two")]
    pub business_day_starts: Clock,
    /// The stations.
    pub stations: Vec<StationEntry>,
    /// Both ways; a distance is the shortest path over them.
    #[serde(default)]
    pub tracks: Vec<TrackEntry>,
}

/// A station.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StationEntry {
    /// Its id.
    pub id: StationId,
    /// Its place on the map of the network, from the left and from the top, in thousandths of the map's longer side; for people.
    pub at: Option<(u16, u16)>,
    /// Names by language.
    #[serde(default)]
    pub name: BTreeMap<String, String>,
    /// Its gates.
    #[serde(default)]
    pub gates: Vec<GateEntry>,
}

/// A gate.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GateEntry {
    /// Its device id.
    pub device: DeviceId,
    /// What it does; `both` where it is left out.
    #[serde(default)]
    pub service: Service,
}

/// A track between two neighbours.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrackEntry {
    /// One end.
    pub from: StationId,
    /// The other.
    pub to: StationId,
    /// Length in metres.
    pub distance_m: u32,
    /// Which line runs on it, for people.
    pub line: Option<String>,
    /// The length is an estimate, for people.
    #[serde(default)]
    pub estimate: bool,
}

/// `hh:mm`, with a sign where it is an offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Clock(pub Millis);

impl TryFrom<String> for Clock {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        let wrong = || format!("expected hh:mm or ±hh:mm, such as 02:00 or +08:00, not {text:?}");
        let (sign, clock) = match text.strip_prefix('-') {
            Some(clock) => (-1, clock),
            None => (1, text.strip_prefix('+').unwrap_or(&text)),
        };
        let (hours, minutes) = clock.split_once(':').ok_or_else(wrong)?;
        let part = |digits: &str, limit: i64| digits.parse().ok().filter(|n| digits.len() == 2 && (0..limit).contains(n));
        let (Some(hours), Some(minutes)) = (part(hours, 24), part(minutes, 60)) else { return Err(wrong()) };
        Ok(Self(Millis(sign * (Millis::hours(hours).0 + Millis::minutes(minutes).0))))
    }
}

/// Reads a site file and checks it against itself.
///
/// # Errors
/// [`FileError`] names the line or the key and the way out.
pub fn parse(text: &str) -> Result<SiteFile, FileError> {
    let site: SiteFile = from_toml(text)?;
    site.check()?;
    Ok(site)
}

const fn shanghai() -> Clock {
    Clock(Calendar::SHANGHAI.utc_offset)
}
const fn two() -> Clock {
    Clock(Calendar::SHANGHAI.business_day_starts)
}

impl SiteFile {
    /// How it counts days.
    #[must_use]
    pub fn calendar(&self) -> Calendar {
        Calendar { utc_offset: self.utc_offset.0, business_day_starts: self.business_day_starts.0 }
    }

    /// Every gate with its station, in the order of the file.
    pub fn gates(&self) -> impl Iterator<Item = (&StationEntry, &GateEntry)> {
        self.stations.iter().flat_map(|station| station.gates.iter().map(move |gate| (station, gate)))
    }

    fn check(&self) -> Result<(), FileError> {
        if self.id.as_str() == "all" {
            return Err(FileError::key("id", "`all` is the broadcast level of topics: choose another id"));
        }
        let mut stations = HashSet::new();
        if let Some(twice) = self.stations.iter().find(|station| !stations.insert(&station.id)) {
            return Err(FileError::key(format_args!("stations.{}", twice.id), "stands twice: give each station its own id"));
        }
        let mut gates = HashSet::new();
        if let Some((station, gate)) = self.gates().find(|(_, gate)| !gates.insert(&gate.device)) {
            let key = format!("stations.{}.gates", station.id);
            return Err(FileError::key(key, format!("gate {} stands twice: a gate stands in one station", gate.device)));
        }
        self.tracks.iter().try_for_each(|track| track.check(&stations))
    }
}

impl TrackEntry {
    fn check(&self, stations: &HashSet<&StationId>) -> Result<(), FileError> {
        let wrong = |what: String| Err(FileError::key(format_args!("tracks ({} – {})", self.from, self.to), what));
        if let Some(unknown) = [&self.from, &self.to].into_iter().find(|end| !stations.contains(end)) {
            return wrong(format!("no station {unknown} in this file: name one of `stations`"));
        }
        if self.from == self.to {
            return wrong("a track joins two stations: `from` and `to` must differ".to_owned());
        }
        if self.distance_m == 0 || self.distance_m > 1_000_000 {
            return wrong("`distance_m` must be from 1 to 1000000 metres".to_owned());
        }
        Ok(())
    }
}
