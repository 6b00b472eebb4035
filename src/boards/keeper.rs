//! Keeps the alarms: what is wrong now, by cause and place, against what the alarms say. It compares levels, not edges, so a
//! lost or refused command is simply tried again, and a start begins where the facts are.
use super::gates::GateNow;
use std::collections::{BTreeMap, BTreeSet};
use tongdao_domain::alarm::{self, Alarm, AlarmCode, Severity};
use tongdao_domain::entity::EntityKey;
use tongdao_domain::id::{DeviceId, StationId};
use tongdao_domain::station::{AlarmKind, Station};
use tongdao_domain::time::{Millis, Timestamp};
use tongdao_domain::world::World;
use tongdao_protocol::console::board::Link;

/// A cause at a place: code, source, device.
type Cause = (AlarmCode, String, Option<DeviceId>);

/// A command for an alarm.
pub type Wanted = (EntityKey, alarm::Command);

/// What stands in the way of a start of the journal or of its writing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NodeFacts {
    /// The journal takes nothing: the disk is nearly full.
    pub journal_full: bool,
    /// More doubtful records wait for a person than are allowed to.
    pub doubtful_many: bool,
}

/// See the module.
#[derive(Debug, Default)]
pub struct Keeper {
    /// Gates without a link, and since when.
    offline: BTreeMap<DeviceId, Timestamp>,
    /// Causes that are there and were told once: what a person has ended does not come back until the cause does.
    told: BTreeSet<Cause>,
    grace: Millis,
}

impl Keeper {
    /// A gate is offline only after this.
    #[must_use]
    pub fn new(grace: Millis) -> Self {
        Self { grace, ..Self::default() }
    }

    /// What the alarms, by their names, have to be told now.
    pub fn wanted(
        &mut self,
        world: &World,
        gates: &BTreeMap<DeviceId, GateNow>,
        facts: NodeFacts,
        alarms: &BTreeMap<String, Alarm>,
        now: Timestamp,
    ) -> Vec<Wanted> {
        let causes = self.causes(world, gates, facts, now);
        self.told.retain(|cause| causes.contains_key(cause));
        let due = |cause: &Cause| !stands(cause, alarms) && (cause.0.ends_by_itself() || !self.told.contains(cause));
        let mut wanted: Vec<_> = causes.iter().filter(|(cause, _)| due(cause)).map(|(cause, severity)| raise(cause, *severity)).collect();
        self.told.extend(causes.keys().filter(|cause| stands(cause, alarms)).cloned());
        for entry in alarms.values().filter_map(Alarm::current).filter(|entry| entry.code.ends_by_itself()) {
            let places = entry.devices.iter().map(|device| Some(device.clone())).chain(entry.at_source.then_some(None));
            for device in places {
                if !causes.contains_key(&(entry.code, entry.source.to_string(), device.clone())) {
                    wanted.push((alarm::key(entry.code, &entry.source), alarm::Command::Settle { device }));
                }
            }
        }
        wanted
    }

    fn causes(
        &mut self,
        world: &World,
        gates: &BTreeMap<DeviceId, GateNow>,
        facts: NodeFacts,
        now: Timestamp,
    ) -> BTreeMap<Cause, Severity> {
        let mut causes = BTreeMap::new();
        for (device, gate) in gates {
            let registered = world.device(device).is_some();
            if gate.link == Link::Offline && registered {
                let since = *self.offline.entry(device.clone()).or_insert(now);
                let place = world.station_of(device).map_or(device.as_str(), |(station, _)| station.as_str());
                if now - since >= self.grace {
                    causes.insert((AlarmCode::GatesOffline, place.to_owned(), Some(device.clone())), Severity::Minor);
                }
            } else {
                self.offline.remove(device);
            }
            let broken = gate.gate.twin.as_ref().is_some_and(|twin| !twin.faults.is_empty());
            if broken && registered {
                causes.insert((AlarmCode::GateFault, device.as_str().to_owned(), None), Severity::Minor);
            }
        }
        for (id, view) in &world.stations {
            causes.extend(station(id, &view.state));
            worsen(&mut causes, id, view.gates.len());
        }
        if facts.journal_full {
            causes.insert((AlarmCode::JournalReserve, "node".to_owned(), None), Severity::Critical);
        }
        if facts.doubtful_many {
            causes.insert((AlarmCode::DoubtfulMany, "node".to_owned(), None), Severity::Warning);
        }
        causes
    }
}

/// Half of a station's gates or more without a link is more than a gate.
fn worsen(causes: &mut BTreeMap<Cause, Severity>, station: &StationId, gates: usize) {
    let first = (AlarmCode::GatesOffline, station.as_str().to_owned(), None);
    let mine = || causes.range(first.clone()..).take_while(|((code, source, _), _)| *code == first.0 && *source == first.1);
    if gates > 1 && mine().count() * 2 >= gates && mine().count() > 1 {
        let keys: Vec<_> = mine().map(|(cause, _)| cause.clone()).collect();
        causes.extend(keys.into_iter().map(|cause| (cause, Severity::Major)));
    }
}

fn station<'a>(id: &'a StationId, state: &'a Station) -> impl Iterator<Item = (Cause, Severity)> + 'a {
    state.alarms.iter().map(|open| {
        let (code, severity) = match open.kind {
            AlarmKind::EmergencyButton => (AlarmCode::EmergencyButton, Severity::Critical),
            AlarmKind::Fire => (AlarmCode::Fire, Severity::Critical),
            AlarmKind::Intrusion => (AlarmCode::Intrusion, Severity::Minor),
            AlarmKind::Door => (AlarmCode::Door, Severity::Warning),
            AlarmKind::Tamper => (AlarmCode::Tamper, Severity::Major),
        };
        ((code, id.as_str().to_owned(), Some(open.device.clone())), severity)
    })
}

fn stands((code, source, device): &Cause, alarms: &BTreeMap<String, Alarm>) -> bool {
    let Some(entry) = alarms.get(alarm::key(*code, source).id.as_str()).and_then(Alarm::current) else { return false };
    device.as_ref().map_or(entry.at_source, |device| entry.devices.contains(device))
}

fn raise((code, source, device): &Cause, severity: Severity) -> Wanted {
    let command = alarm::Command::Raise { code: *code, source: source.as_str().into(), severity, device: device.clone() };
    (alarm::key(*code, source), command)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{offline_gate, small_world};
    use super::*;
    use tongdao_domain::machine::Machine as _;

    const NOW: Timestamp = Timestamp(1_000_000);

    /// Alarms by name, as the machines would keep them.
    #[derive(Default)]
    struct Shelf(BTreeMap<String, Alarm>);

    impl Shelf {
        fn obey(&mut self, wanted: Vec<Wanted>) -> usize {
            let count = wanted.len();
            for (key, command) in wanted {
                let alarm = self.0.entry(key.id.to_string()).or_default();
                match command {
                    alarm::Command::Raise { code, source, severity, device } => {
                        alarm.apply(&alarm::Event::Raised { code, source, severity, device }, NOW);
                    }
                    alarm::Command::Settle { device } => {
                        alarm.apply(&alarm::Event::Settled { device }, NOW);
                        if alarm.current().is_some_and(|entry| !entry.stands()) {
                            alarm.apply(&alarm::Event::Cleared { by: None }, NOW);
                        }
                    }
                    other => panic!("no business of the keeper: {other:?}"),
                }
            }
            count
        }
        fn turn(&mut self, keeper: &mut Keeper, world: &World, gates: &BTreeMap<DeviceId, GateNow>, at: i64) -> usize {
            let wanted = keeper.wanted(world, gates, NodeFacts::default(), &self.0, NOW + Millis(at));
            self.obey(wanted)
        }
        fn open(&self) -> Vec<&str> {
            self.0.iter().filter(|(_, alarm)| alarm.current().is_some()).map(|(name, _)| name.as_str()).collect()
        }
    }

    #[test]
    fn a_dead_switch_is_one_alarm_of_its_station_and_ends_with_its_last_gate() {
        let (world, mut gates) = small_world();
        let (mut keeper, mut shelf) = (Keeper::new(Millis(5_000)), Shelf::default());
        let all: Vec<_> = gates.keys().cloned().collect();
        all.iter().for_each(|gate| offline_gate(&mut gates, gate, true));
        assert_eq!(shelf.turn(&mut keeper, &world, &gates, 0), 0, "within the grace nothing is said");
        assert_eq!(shelf.turn(&mut keeper, &world, &gates, 5_000), all.len());
        assert_eq!(shelf.open(), ["gates_offline.s1"]);
        assert_eq!(
            shelf.0["gates_offline.s1"].current().map(|entry| (entry.devices.len(), entry.severity)),
            Some((all.len(), Severity::Major))
        );
        assert_eq!(shelf.turn(&mut keeper, &world, &gates, 6_000), 0, "told once");
        for (n, gate) in all.iter().enumerate() {
            offline_gate(&mut gates, gate, false);
            shelf.turn(&mut keeper, &world, &gates, 7_000);
            assert_eq!(shelf.open().is_empty(), n + 1 == all.len(), "after {} of {}", n + 1, all.len());
        }
    }

    #[test]
    fn what_a_person_has_ended_comes_back_only_with_a_new_cause() {
        let (mut world, gates) = small_world();
        let (mut keeper, mut shelf) = (Keeper::new(Millis(0)), Shelf::default());
        let id = StationId::new("s1").expect("an id");
        let open = tongdao_domain::station::OpenAlarm {
            device: gates.keys().next().expect("a gate").clone(),
            alarm: "x".into(),
            kind: AlarmKind::Tamper,
            at: NOW,
        };
        world.stations.get_mut(&id).expect("a station").state.alarms.push(open.clone());
        assert_eq!(shelf.turn(&mut keeper, &world, &gates, 0), 1);
        shelf.turn(&mut keeper, &world, &gates, 0);
        shelf.0.get_mut("tamper.s1").expect("an alarm").apply(&alarm::Event::Cleared { by: Some(super::super::testing::by()) }, NOW);
        assert_eq!(shelf.turn(&mut keeper, &world, &gates, 1), 0);
        world.stations.get_mut(&id).expect("a station").state.alarms.clear();
        shelf.turn(&mut keeper, &world, &gates, 2);
        world.stations.get_mut(&id).expect("a station").state.alarms.push(open);
        assert_eq!(shelf.turn(&mut keeper, &world, &gates, 3), 1);
    }
}
