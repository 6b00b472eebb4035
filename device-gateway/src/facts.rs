//! What the gates' committed events say to logs and metrics, told once per node: by cell 0, which follows them like every
//! other cell. It also measures how long it takes until every connected gate of a station obeys a change.
use std::collections::{HashMap, HashSet};
use std::time::Duration;
use tongdao_domain::account::RecordOutcome;
use tongdao_domain::entity::EntityKey;
use tongdao_domain::gate;
use tongdao_domain::id::DeviceId;
use tongdao_domain::machine::Event;
use tongdao_domain::station;
use tongdao_domain::time::Timestamp;
use tongdao_protocol::device::AckResult;
use tongdao_protocol::gate::PassageOutcome;
use tongdao_telemetry::{AlarmReported, ModeAcked, ModeObeyed, PassageReported, RecordStruck, RecordsTaken};

/// A change of a station that some connected gates have not acknowledged yet.
struct Change {
    station: String,
    rev: u64,
    at: Timestamp,
    missing: HashSet<DeviceId>,
}

/// Changes under way; at most one per station, because a newer one replaces an older one.
#[derive(Default)]
pub(crate) struct Facts(HashMap<String, Change>);

impl Facts {
    /// Tells what a committed event says. `online` = the connected gates that a change of the station concerns.
    pub(crate) fn tell(&mut self, entity: &EntityKey, event: &Event, at: Timestamp, online: impl FnOnce() -> HashSet<DeviceId>) {
        match event {
            Event::Gate(event) => self.gate(&entity.id, event, at),
            Event::Station(station::Event::Alarmed { device, kind, on, .. }) => {
                AlarmReported { device: device.as_str(), kind: kind.name(), on: *on }.emit();
            }
            Event::Station(station::Event::ModesSet { rev, .. } | station::Event::ServiceSet { rev, .. }) => {
                let change = Change { station: entity.id.to_string(), rev: *rev, at, missing: online() };
                self.0.insert(change.station.clone(), change);
            }
            _ => {}
        }
    }
    fn gate(&mut self, id: &str, event: &gate::Event, at: Timestamp) {
        match event {
            gate::Event::Passed { outcome, .. } => PassageReported { outcome: PassageOutcome::from(*outcome).name() }.emit(),
            gate::Event::RecordsTaken { records, rejected, .. } => {
                RecordsTaken { device: id, new: records.len() as u64, rejected: rejected.len() as u64 }.emit();
            }
            gate::Event::RecordStruck { outcome, .. } => RecordStruck { outcome: outcome_name(*outcome) }.emit(),
            gate::Event::ModeAcked { rev, result, .. } => {
                ModeAcked { device: id, rev: *rev, result: AckResult::from(*result).name() }.emit();
                if let Some(obeyed) = self.acknowledged(id, *rev) {
                    ModeObeyed { station: &obeyed.station, rev: obeyed.rev, took: between(obeyed.at, at) }.emit();
                }
            }
            _ => {}
        }
    }
    /// A gate obeys a revision; gives the change that every connected gate obeys now.
    fn acknowledged(&mut self, device: &str, rev: u64) -> Option<Change> {
        let (station, change) = self.0.iter_mut().find(|(_, change)| change.rev <= rev && change.missing.contains(device))?;
        change.missing.remove(device);
        let station = change.missing.is_empty().then(|| station.clone())?;
        self.0.remove(&station)
    }
}

const fn outcome_name(outcome: RecordOutcome) -> &'static str {
    match outcome {
        RecordOutcome::Taken => "taken",
        RecordOutcome::Doubtful => "doubtful",
        RecordOutcome::UnknownMedium => "unknown_medium",
    }
}

fn between(from: Timestamp, to: Timestamp) -> Duration {
    Duration::from_millis(u64::try_from((to - from).0).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tongdao_domain::entity::EntityKind;
    use tongdao_domain::id::CommandId;
    use tongdao_domain::testing::{MORNING, by, gate_of};
    use tongdao_domain::time::Millis;

    fn change(facts: &mut Facts, rev: u64, online: &[DeviceId]) {
        let service = station::Service::Closed;
        let id = CommandId::of(format_args!("c/{rev}"));
        let event = station::Event::ServiceSet { id, rev, devices: online.to_vec(), service, from: MORNING, by: by() };
        facts.tell(&EntityKey::new(EntityKind::Station, "s1"), &event.into(), MORNING, || online.iter().cloned().collect());
    }

    #[test]
    fn a_change_is_obeyed_when_the_last_connected_gate_has_acknowledged() {
        let (mut facts, gates) = (Facts::default(), [gate_of("s1", 1), gate_of("s1", 2)]);
        change(&mut facts, 1, &gates);
        assert!(facts.acknowledged("s1-g1", 1).is_none());
        assert!(facts.acknowledged("s1-g1", 1).is_none(), "the same gate again is not the other one");
        assert!(facts.acknowledged("s2-g1", 1).is_none());
        let obeyed = facts.acknowledged("s1-g2", 1).expect("both have");
        assert_eq!((obeyed.station.as_str(), obeyed.rev), ("s1", 1));
        assert_eq!(between(obeyed.at, MORNING + Millis(70)), Duration::from_millis(70));
    }

    #[test]
    fn a_newer_change_replaces_an_older_one() {
        let (mut facts, gates) = (Facts::default(), [gate_of("s1", 1)]);
        change(&mut facts, 1, &gates);
        change(&mut facts, 2, &gates);
        assert!(facts.acknowledged("s1-g1", 1).is_none(), "it obeys the older one");
        assert_eq!(facts.acknowledged("s1-g1", 2).map(|change| change.rev), Some(2));
    }
}
