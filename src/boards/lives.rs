//! What happened to each device lately: it came and went, its faults, its orders, its registration. Kept for every device,
//! because its events are folded into its written state and cannot be read there any more when somebody opens its page.
use std::cmp::Reverse;
use std::collections::{BTreeMap, VecDeque};
use tongdao_domain::device;
use tongdao_domain::entity::EntityKey;
use tongdao_domain::gate::{self, Twin};
use tongdao_domain::id::DeviceId;
use tongdao_domain::machine::Event;
use tongdao_domain::station;
use tongdao_domain::time::Timestamp;
use tongdao_protocol::console::board::HistoryItem;

/// Things that happened to one device, at most.
pub const KEPT: usize = 50;

/// See the module; of each device the newest first.
#[derive(Debug, Default)]
pub struct Lives(BTreeMap<DeviceId, VecDeque<HistoryItem>>);

impl Lives {
    /// Something was committed. `before` is the gate's twin before it.
    pub fn take(&mut self, device: &DeviceId, event: &Event, at: Timestamp, before: Option<&Twin>) {
        for item in happened(event, at, before) {
            let life = self.0.entry(device.clone()).or_default();
            life.push_front(item);
            life.truncate(KEPT);
        }
    }

    /// Adds what others have seen of the same devices.
    pub fn merge(&mut self, others: Self) {
        for (device, items) in others.0 {
            let life = self.0.entry(device).or_default();
            life.extend(items);
            life.make_contiguous().sort_by_key(|item| Reverse(item.at.0));
            life.truncate(KEPT);
        }
    }

    /// What is known of a device, newest first.
    #[must_use]
    pub fn of(&self, device: &DeviceId) -> VecDeque<HistoryItem> {
        self.0.get(device).cloned().unwrap_or_default()
    }
}

/// Lives read from the feed of a partition, in its order. The first that a gate says there counts as news.
#[derive(Debug, Default)]
pub struct Reading {
    lives: Lives,
    twins: BTreeMap<DeviceId, Twin>,
}

impl Reading {
    /// The next event.
    pub fn take(&mut self, entity: &EntityKey, event: &Event, at: Timestamp) {
        let Some(device) = device_of(entity, event) else { return };
        self.lives.take(&device, event, at, self.twins.get(&device));
        if let Event::Gate(gate::Event::StateReported(twin)) = event {
            self.twins.insert(device, twin.clone());
        }
    }

    /// What was read.
    #[must_use]
    pub fn end(self) -> Lives {
        self.lives
    }
}

/// Whose life an event belongs to.
fn device_of(entity: &EntityKey, event: &Event) -> Option<DeviceId> {
    match event {
        Event::Gate(_) | Event::Device(_) => DeviceId::new(&entity.id).ok(),
        Event::Station(station::Event::Alarmed { device, .. }) => Some(device.clone()),
        _ => None,
    }
}

/// What an event means for the history of its device. `before` is the twin before it.
#[must_use]
pub fn happened(event: &Event, at: Timestamp, before: Option<&Twin>) -> Vec<HistoryItem> {
    let item = |k: &str, detail: Option<String>| HistoryItem { at: at.into(), k: k.to_owned(), detail };
    let by = |by: &device::By| Some(by.user.as_str().to_owned());
    match event {
        Event::Device(device::Event::Added { by: who, .. }) => vec![item("added", by(who))],
        Event::Device(device::Event::Rotated { by: who, .. }) => vec![item("rotated", by(who))],
        Event::Device(device::Event::Revoked { by: who }) => vec![item("revoked", by(who))],
        Event::Gate(gate::Event::StateReported(twin)) => reported(twin, before).into_iter().map(|(k, detail)| item(k, detail)).collect(),
        Event::Gate(gate::Event::ModeAcked { rev, .. }) => vec![item("mode", Some(format!("rev {rev}")))],
        Event::Gate(gate::Event::Ordered { order, .. }) => vec![item("command", Some(format!("{} queued", order.command)))],
        Event::Gate(gate::Event::OrderEnded { result, .. }) => vec![item("command", Some(format!("{result:?}").to_lowercase()))],
        Event::Station(station::Event::Alarmed { kind, on, .. }) => {
            vec![item("alarm", Some(format!("{} {}", kind.name(), if *on { "on" } else { "off" })))]
        }
        _ => Vec::new(),
    }
}

fn reported(twin: &Twin, before: Option<&Twin>) -> Vec<(&'static str, Option<String>)> {
    let mut items = Vec::new();
    if before.is_none_or(|before| before.online != twin.online) {
        items.push((if twin.online { "online" } else { "offline" }, None));
    }
    if before.is_none_or(|before| before.service != twin.service) {
        items.push(("state", Some(twin.service.to_string())));
    }
    let fresh = twin.faults.iter().filter(|fault| before.is_none_or(|before| !before.faults.contains(fault)));
    items.extend(fresh.map(|fault| ("fault", Some(fault.to_string()))));
    items
}

#[cfg(test)]
mod tests {
    use super::super::testing::{by, twin};
    use super::*;
    use tongdao_domain::entity::EntityKind;

    fn told(lives: &Lives, device: &DeviceId) -> Vec<String> {
        lives.of(device).into_iter().map(|item| item.k).collect()
    }

    #[test]
    fn a_life_is_what_changed_and_not_what_was_repeated() {
        let (device, mut reading): (DeviceId, _) = ("g1".parse().expect("an id"), Reading::default());
        let key = EntityKey::gate(&device);
        for (n, online) in [true, true, false, false, true].into_iter().enumerate() {
            let event = Event::Gate(gate::Event::StateReported(twin(online)));
            reading.take(&key, &event, Timestamp(n as i64));
        }
        assert_eq!(told(&reading.end(), &device), ["online", "offline", "state", "online"]);
    }

    #[test]
    fn lives_of_two_partitions_are_told_in_their_order_and_no_longer_than_is_kept() {
        let device: DeviceId = "g1".parse().expect("an id");
        let (mut lives, mut others) = (Lives::default(), Lives::default());
        others.take(&device, &Event::Device(device::Event::Revoked { by: by() }), Timestamp(5), None);
        for n in 0..2 * KEPT as i64 {
            lives.take(&device, &Event::Gate(gate::Event::StateReported(twin(n % 2 == 0))), Timestamp(n), Some(&twin(n % 2 == 1)));
        }
        let newest = lives.of(&device).front().map(|item| item.at.0);
        lives.merge(others);
        assert_eq!((lives.of(&device).len(), lives.of(&device).front().map(|item| item.at.0)), (KEPT, newest));
        let mut late = Lives::default();
        late.take(&device, &Event::Device(device::Event::Revoked { by: by() }), Timestamp(1_000), None);
        lives.merge(late);
        assert_eq!(told(&lives, &device)[0], "revoked");
    }

    #[test]
    fn a_tap_belongs_to_no_life() {
        let key = EntityKey::new(EntityKind::Account, "a1");
        assert_eq!(device_of(&key, &super::super::testing::tap("g1", true)), None);
    }
}
