//! What every machine may look at: the site files' facts and what the feed has told since. Each cell keeps its own and
//! advances it from committed events.
use crate::account::WalletLimits;
use crate::deny::{self, DenyView};
use crate::device::{self, Device, DeviceKind, Entry};
use crate::entity::EntityKey;
use crate::fare::{FareTable, FareVersion};
use crate::id::{DeviceId, FareTableId, SiteId, StationId};
use crate::machine::{Event, Machine};
use crate::money::Amount;
use crate::station::{GateMode, Mode, NO_MODES, Service, Station};
use crate::time::{Calendar, Millis, Timestamp};
use compact_str::CompactString;
use std::collections::{BTreeSet, HashMap};

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
    /// Boots of a gate whose watermark is kept.
    pub epochs_kept: usize,
    /// Of how many of the newest sequences of a boot the meaning is kept (4 bytes each); an older one that comes again is
    /// taken as a repeat. More than a gate makes in a day without a link.
    pub record_prints_kept: u32,
    /// Altered copies of one boot that are told to the desk, at most; further ones are refused and counted only.
    pub record_copies_max: usize,
    /// Gaps in the sequences of a boot, at most; a batch that tears more of them is refused.
    pub record_gaps_max: usize,
    /// Orders that wait for one device, at most.
    pub orders_max: usize,
    /// Orders of one device that ended and are still shown, at most.
    pub orders_ended_kept: usize,
    /// An alarm reaches back into the mode history at most this far.
    pub alarm_backdated_max: Millis,
    /// Alarms on at one station, at most; those that open the gates are always taken.
    pub alarms_max: usize,
    /// An alarm is put off at most this long.
    pub alarm_snooze_max: Millis,
    /// A command waits for a second person at most this long.
    pub approval_ttl_max: Millis,
    /// A waiver at the service desk above this needs a second person.
    pub waive_above: Amount,
    /// Limits of the deny list.
    pub deny: deny::Limits,
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
            epochs_kept: 4,
            record_prints_kept: 8_192,
            record_copies_max: 512,
            record_gaps_max: 4_096,
            orders_max: 32,
            orders_ended_kept: 16,
            alarm_backdated_max: Millis::hours(24),
            alarms_max: 256,
            alarm_snooze_max: Millis::hours(24),
            approval_ttl_max: Millis::hours(24),
            waive_above: Amount::from_fen(5_000),
            deny: deny::Limits::default(),
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
    /// Limits of the wallet classes.
    pub limits: WalletLimits,
    /// Fare tables.
    pub fares: HashMap<FareTableId, FareTable>,
    /// Stations.
    pub stations: HashMap<StationId, StationView>,
    /// Where each gate stands.
    pub gates: HashMap<DeviceId, GateView>,
    /// The device registry.
    pub devices: HashMap<DeviceId, Entry>,
    /// The deny list, as far as somebody beside it needs it.
    pub deny: DenyView,
    /// Shortest distances over the track graph in metres, by (from, to); both ways.
    pub distances: HashMap<(StationId, StationId), u32>,
}

impl World {
    /// Takes a committed event of a station, of the device registry or of the deny list; others change nothing here.
    pub fn advance(&mut self, entity: &EntityKey, event: &Event, at: Timestamp) {
        match event {
            Event::Station(event) => {
                if let Some(station) = self.stations.get_mut(entity.id.as_str()) {
                    station.state.apply(event, at);
                }
            }
            Event::Device(event) => self.advance_device(&entity.id, event, at),
            Event::Deny(event) => self.deny.advance(event, at),
            Event::Account(_) | Event::Gate(_) | Event::Medium(_) | Event::Audit(_) => {}
            Event::User(_) | Event::Alarm(_) | Event::Approval(_) | Event::Doubtful(_) => {}
        }
    }

    fn advance_device(&mut self, id: &str, event: &device::Event, at: Timestamp) {
        let Ok(id) = DeviceId::new(id) else { return };
        let mut registered = Device { entry: self.devices.remove(&id) };
        registered.apply(event, at);
        self.devices.extend(registered.entry.map(|entry| (id, entry)));
    }

    /// The station that a gate stands in.
    #[must_use]
    pub fn station_of(&self, gate: &DeviceId) -> Option<(&StationId, &StationView)> {
        self.stations.get_key_value(&self.gates.get(gate)?.station)
    }

    /// The site of a station.
    #[must_use]
    pub fn site_of(&self, station: &StationId) -> Option<&Site> {
        self.sites.get(&self.stations.get(station)?.site)
    }

    /// The modes of a station at a moment, by its history; a station that nobody knows has none.
    #[must_use]
    pub fn modes_at(&self, station: &StationId, at: Timestamp) -> &BTreeSet<Mode> {
        self.stations.get(station).map_or(&NO_MODES, |station| station.state.modes_at(at))
    }

    /// Was any station in emergency at any moment from `from` to `to`, both included?
    #[must_use]
    pub fn emergency_between(&self, from: Timestamp, to: Timestamp) -> bool {
        self.stations.values().any(|station| station.state.emergency_between(from, to))
    }

    /// The fare version that was in effect at a station's site at a moment.
    #[must_use]
    pub fn fare_version_at(&self, station: &StationId, at: Timestamp) -> Option<&FareVersion> {
        self.fares.get(&self.site_of(station)?.fares)?.at(at)
    }

    /// The shortest way between two stations over the tracks, in metres; none = no way, or a foreign station.
    #[must_use]
    pub fn distance_m(&self, from: &StationId, to: &StationId) -> Option<u32> {
        if from == to {
            return self.stations.contains_key(from).then_some(0);
        }
        self.distances.get(&(from.clone(), to.clone())).copied()
    }

    /// What a gate does now: the station's word, else the site file's.
    #[must_use]
    pub fn service_of(&self, device: &DeviceId) -> Option<Service> {
        let gate = self.gates.get(device)?;
        let station = self.stations.get(&gate.station)?;
        Some(station.state.services.get(device).copied().unwrap_or(gate.service))
    }

    /// What the retained `down/mode` of a gate says; none = it stands in no station.
    #[must_use]
    pub fn gate_mode(&self, device: &DeviceId) -> Option<GateMode> {
        let (name, station) = self.station_of(device)?;
        Some(GateMode::of(name, &station.state, self.service_of(device)?))
    }

    /// Is this device registered and let in, and what is it?
    #[must_use]
    pub fn device(&self, device: &DeviceId) -> Option<(&SiteId, DeviceKind)> {
        self.devices.get(device).filter(|entry| !entry.revoked).map(|entry| (&entry.site, entry.kind))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::SecretHash;
    use crate::medium;
    use crate::station;
    use crate::testing::{MORNING, STATIONS, by, gate_of, id};

    #[test]
    fn the_registry_follows_the_feed() {
        let mut world = World::default();
        let key = EntityKey::device(&id("g1"));
        let added = device::Event::Added { kind: DeviceKind::Gate, site: id("cd"), secret: SecretHash([1; 32]), by: by() };
        world.advance(&key, &added.into(), MORNING);
        assert_eq!(world.device(&id("g1")).map(|(site, kind)| (site.as_str(), kind)), Some(("cd", DeviceKind::Gate)));
        world.advance(&key, &device::Event::Rotated { secret: SecretHash([2; 32]), by: by() }.into(), MORNING);
        assert_eq!(world.devices[&id::<DeviceId>("g1")].secret, SecretHash([2; 32]));
        world.advance(&key, &device::Event::Revoked { by: by() }.into(), MORNING);
        assert_eq!(world.device(&id("g1")), None, "let in no more");
        assert_eq!(world.devices[&id::<DeviceId>("g1")].added_at, MORNING);
    }

    #[test]
    fn stations_follow_the_feed_and_foreign_events_change_nothing() {
        let mut world = World::for_tests();
        let set = |name: &str| station::Event::ServiceSet {
            id: crate::id::CommandId::new(name).expect("a command id"),
            rev: 1,
            devices: vec![gate_of("s1", 1)],
            service: Service::Exit,
            by: by(),
            from: MORNING,
        };
        world.advance(&EntityKey::from(&id::<StationId>("nowhere")), &set("c0").into(), MORNING);
        let claimed = medium::Event::Claimed { owner: id("a1") };
        world.advance(&EntityKey::from(&id::<crate::id::Token>("s1")), &claimed.into(), MORNING);
        assert_eq!(world.service_of(&gate_of("s1", 1)), Some(Service::Both));
        world.advance(&EntityKey::from(&id::<StationId>("s1")), &set("c1").into(), MORNING);
        assert_eq!(world.service_of(&gate_of("s1", 1)), Some(Service::Exit));
        assert_eq!(world.service_of(&gate_of("s1", 2)), Some(Service::Both));
        assert_eq!(world.service_of(&id("g9")), None);
        assert_eq!(world.gate_mode(&id("g9")), None);
    }

    #[test]
    fn what_nobody_knows_has_no_distance_no_modes_and_no_fares() {
        let world = World::for_tests();
        let (first, last) = (id::<StationId>(STATIONS[0].0), id::<StationId>(STATIONS[4].0));
        assert_eq!(world.distance_m(&first, &last), Some(STATIONS[4].1));
        assert_eq!(world.distance_m(&last, &first), Some(STATIONS[4].1));
        assert_eq!(world.distance_m(&first, &first), Some(0));
        let nowhere = id::<StationId>("nowhere");
        assert_eq!((world.distance_m(&first, &nowhere), world.distance_m(&nowhere, &nowhere)), (None, None));
        assert!(world.modes_at(&nowhere, MORNING).is_empty());
        assert!(world.site_of(&nowhere).is_none() && world.fare_version_at(&nowhere, MORNING).is_none());
        assert!(!world.emergency_between(Timestamp(0), MORNING));
    }

    #[test]
    fn an_emergency_anywhere_is_an_emergency() {
        let mut world = World::for_tests();
        let Some(view) = world.stations.get_mut("s3") else { panic!("a station") };
        let modes = BTreeSet::from([Mode::Emergency]);
        view.state.history.push(station::ModeSpan { from: MORNING, rev: 1, modes, until: None });
        view.state.history.push(station::ModeSpan { from: MORNING + Millis(10), rev: 2, modes: BTreeSet::new(), until: None });
        let between = |from, to| world.emergency_between(MORNING + Millis(from), MORNING + Millis(to));
        assert!(between(-5, 0) && between(9, 20) && between(3, 4));
        assert!(!between(-5, -1) && !between(10, 20));
    }
}
