//! What every machine may look at: the site files' facts and what the feed has told since. Each cell keeps its own and
//! advances it from committed events.
use crate::device::{DeviceKind, Entry};
use crate::entity::EntityKey;
use crate::fare::FareTable;
use crate::id::{DeviceId, FareTableId, SiteId, StationId};
use crate::machine::Event;
use crate::station::{Service, Station};
use crate::time::{Calendar, Millis, Timestamp};
use compact_str::CompactString;
use std::collections::HashMap;

/// Limits and windows of the machines; each is a setting.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// The same medium at the same gate and in the same direction within this gets the same answer; 0 = off.
    pub retap_window: Millis,
    /// Authorised riders not yet passed, at most; 0 = off.
    pub riders_max: u32,
    /// An authorised rider who has not passed after this no longer counts as in the aisle.
    pub no_passage: Millis,
    /// A gate's clock off by more than this is warned of.
    pub clock_warn: Millis,
    /// A gate's clock off by more than this: its taps are `NOT_IN_SERVICE`.
    pub clock_refuse: Millis,
    /// A pending posting older than this reads as provisional.
    pub provisional_after: Millis,
    /// A journey without exit is closed this long after its business day ended.
    pub missing_exit_after: Millis,
    /// How long an account keeps its taps, by time of travel.
    pub taps_kept: Millis,
    /// How long an answer is kept under its command id.
    pub answers_kept: Millis,
    /// After this, what is owed and not struck off is sent again.
    pub owed_again: Millis,
    /// Records in one batch, at most.
    pub records_per_batch_max: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            retap_window: Millis::seconds(3),
            riders_max: 3,
            no_passage: Millis::seconds(8),
            clock_warn: Millis::seconds(2),
            clock_refuse: Millis::seconds(60),
            provisional_after: Millis::seconds(60),
            missing_exit_after: Millis::hours(4),
            taps_kept: Millis::hours(8 * 24),
            answers_kept: Millis::hours(48),
            owed_again: Millis::seconds(5),
            records_per_batch_max: 150,
        }
    }
}

/// A site: one network.
#[derive(Debug, Clone, PartialEq)]
pub struct Site {
    /// Its fare table.
    pub fares: FareTableId,
    /// Who is credited: `operator:{name}`.
    pub operator: CompactString,
    /// How it counts days.
    pub calendar: Calendar,
}

/// A station as the site file has it, and its machine's confirmed state.
#[derive(Debug, Clone, PartialEq)]
pub struct StationView {
    /// The site it belongs to.
    pub site: SiteId,
    /// Names by language.
    pub names: Vec<(CompactString, CompactString)>,
    /// Its gates, in the order of the site file.
    pub gates: Vec<DeviceId>,
    /// Modes, history, services.
    pub state: Station,
}

/// A gate as the site file has it.
#[derive(Debug, Clone, PartialEq)]
pub struct GateView {
    /// Where it stands.
    pub station: StationId,
    /// What it does unless the station says otherwise.
    pub service: Service,
}

/// The snapshot.
#[derive(Debug, Clone, Default)]
pub struct World {
    /// Limits and windows.
    pub settings: Settings,
    /// Sites.
    pub sites: HashMap<SiteId, Site>,
    /// Fare tables.
    pub fares: HashMap<FareTableId, FareTable>,
    /// Stations.
    pub stations: HashMap<StationId, StationView>,
    /// Where each gate stands.
    pub gates: HashMap<DeviceId, GateView>,
    /// The device registry.
    pub devices: HashMap<DeviceId, Entry>,
    /// Shortest distances over the track graph in metres, by (from, to); both ways.
    pub distances: HashMap<(StationId, StationId), u32>,
}

impl World {
    /// Takes a committed event of a station or of the device registry; others change nothing here.
    pub fn advance(&mut self, _entity: &EntityKey, _event: &Event, _at: Timestamp) {}

    /// What a gate does now: the station's word, else the site file's.
    #[must_use]
    pub fn service_of(&self, device: &DeviceId) -> Option<Service> {
        let gate = self.gates.get(device)?;
        let station = self.stations.get(&gate.station)?;
        Some(station.state.services.get(device).copied().unwrap_or(gate.service))
    }

    /// Is this device registered and let in, and what is it?
    #[must_use]
    pub fn device(&self, device: &DeviceId) -> Option<(&SiteId, DeviceKind)> {
        self.devices.get(device).filter(|entry| !entry.revoked).map(|entry| (&entry.site, entry.kind))
    }
}
