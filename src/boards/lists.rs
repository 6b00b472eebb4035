//! The boards that are lists: alarms, approvals, audit. Newest first, bounded; an event carries the whole item.
use super::audit;
use crate::console::hub::{Board, Out};
use serde::Serialize;
use serde_json::Value;
use std::collections::{BTreeMap, VecDeque};
use tongdao_domain::alarm::{self, Alarm};
use tongdao_domain::approval::{self, Approval};
use tongdao_domain::machine::{Event, Machine as _};
use tongdao_domain::time::Timestamp;
use tongdao_domain::world::World;
use tongdao_journal::contract::FeedItem;
use tongdao_protocol::console::board::{AlarmEvent, AlarmItem, ApprovalEvent, ApprovalItem, AuditEvent, AuditItem, Listing};

/// Items of a list, at most; of what is not over all are kept.
pub const ITEMS_MAX: usize = 200;

/// Items by name with the machine behind each.
pub struct Machines<M> {
    of: BTreeMap<String, M>,
    rev: u64,
}

impl<M> Default for Machines<M> {
    fn default() -> Self {
        Self { of: BTreeMap::new(), rev: 0 }
    }
}

fn listing<T: Serialize>(rev: u64, now: Timestamp, items: Vec<T>) -> Value {
    serde_json::to_value(Listing { rev, at: now.into(), items }).unwrap_or_default()
}

/// `alarms`.
#[derive(Default)]
pub struct Alarms {
    machines: Machines<Alarm>,
    /// Station and site of a source, as the site files have them.
    places: BTreeMap<String, (String, String)>,
}

impl Alarms {
    /// Empty; sources are looked up in the site files.
    #[must_use]
    pub fn new(world: &World) -> Self {
        let mut places = BTreeMap::new();
        for (station, view) in &world.stations {
            let place = (station.as_str().to_owned(), view.site.as_str().to_owned());
            for gate in &view.gates {
                places.insert(gate.as_str().to_owned(), place.clone());
            }
            places.insert(station.as_str().to_owned(), place);
        }
        Self { machines: Machines::default(), places }
    }
    /// An alarm as it was before we began to follow.
    pub fn load(&mut self, name: &str, alarm: Alarm) {
        self.machines.of.insert(name.to_owned(), alarm);
    }
    /// An alarm has changed.
    pub fn take(&mut self, feed: &FeedItem, event: &alarm::Event, out: &mut Out<'_>) {
        self.machines.rev = feed.seq;
        let alarm = self.machines.of.entry(feed.entity.id.to_string()).or_default();
        alarm.apply(event, feed.at);
        let alarm = alarm.clone();
        if let Some(item) = self.item(&feed.entity.id, &alarm) {
            out.event(feed.at, Some(&feed.command_id), AlarmEvent::Alarm(item));
        }
        self.forget();
    }
    /// Alarms that are not over: (station, acknowledged or put off).
    pub fn open(&self) -> impl Iterator<Item = (Option<&str>, bool)> {
        self.machines.of.values().filter_map(|alarm| {
            let entry = alarm.current()?;
            let station = self.places.get(entry.source.as_str()).map(|(station, _)| station.as_str());
            Some((station, entry.state != alarm::State::Raised))
        })
    }
    /// Alarms by their names.
    #[must_use]
    pub const fn all(&self) -> &BTreeMap<String, Alarm> {
        &self.machines.of
    }
    fn item(&self, name: &str, alarm: &Alarm) -> Option<AlarmItem> {
        let place = self.places.get(alarm.entry.as_ref()?.source.as_str());
        AlarmItem::of(name, alarm, place.map(|(station, _)| &**station), place.map(|(_, site)| &**site))
    }
    /// Items, those that are not over first, then the newest.
    #[must_use]
    pub fn items(&self) -> Vec<AlarmItem> {
        let mut items: Vec<_> = self.machines.of.iter().filter_map(|(name, alarm)| self.item(name, alarm)).collect();
        items.sort_by_key(|item| (item.state == tongdao_protocol::console::board::AlarmState::Cleared, std::cmp::Reverse(item.changed_at)));
        items
    }
    /// Of what is over only the newest are kept.
    fn forget(&mut self) {
        if self.machines.of.len() <= 2 * ITEMS_MAX {
            return;
        }
        let over: Vec<_> = self.items().into_iter().skip(ITEMS_MAX).collect();
        for item in over {
            if self.machines.of.get(&item.alarm).is_some_and(|alarm| alarm.current().is_none()) {
                self.machines.of.remove(&item.alarm);
            }
        }
    }
}

impl Board for Alarms {
    fn snapshot(&self, now: Timestamp) -> Value {
        listing(self.machines.rev, now, self.items())
    }
}

/// `approvals`.
#[derive(Default)]
pub struct Approvals(Machines<Approval>);

impl Approvals {
    /// An approval as it was before we began to follow.
    pub fn load(&mut self, name: &str, approval: Approval) {
        self.0.of.insert(name.to_owned(), approval);
    }
    /// An approval has changed.
    pub fn take(&mut self, feed: &FeedItem, event: &approval::Event, out: &mut Out<'_>) {
        self.0.rev = feed.seq;
        let approval = self.0.of.entry(feed.entity.id.to_string()).or_default();
        approval.apply(event, feed.at);
        if let Some(item) = approval_item(&feed.entity.id, approval) {
            out.event(feed.at, Some(&feed.command_id), ApprovalEvent::Approval(item));
        }
        while self.0.of.len() > 2 * ITEMS_MAX {
            let oldest = self.0.of.iter().filter(|(_, approval)| is_over(approval)).min_by_key(|(_, approval)| asked_at(approval));
            let Some(name) = oldest.map(|(name, _)| name.clone()) else { break };
            self.0.of.remove(&name);
        }
    }
    /// Items, those that wait first, then the newest.
    #[must_use]
    pub fn items(&self) -> Vec<ApprovalItem> {
        let mut items: Vec<_> = self.0.of.iter().filter_map(|(name, approval)| approval_item(name, approval)).collect();
        items.sort_by_key(|item| (item.decided_at.is_some(), std::cmp::Reverse(item.asked_at)));
        items.truncate(ITEMS_MAX);
        items
    }
}

impl Board for Approvals {
    fn snapshot(&self, now: Timestamp) -> Value {
        listing(self.0.rev, now, self.items())
    }
}

fn is_over(approval: &Approval) -> bool {
    approval.entry.as_ref().is_none_or(|entry| entry.decided_at.is_some())
}
fn asked_at(approval: &Approval) -> Timestamp {
    approval.entry.as_ref().map_or(Timestamp::default(), |entry| entry.asked_at)
}

fn approval_item(name: &str, approval: &Approval) -> Option<ApprovalItem> {
    approval.entry.as_ref().map(|entry| ApprovalItem::of(name, entry))
}

/// `audit`: the newest items of what people did, and as many faults: neither crowds the other out.
#[derive(Default)]
pub struct Audit {
    people: VecDeque<AuditItem>,
    faults: VecDeque<AuditItem>,
    rev: u64,
}

impl Audit {
    /// An event that may belong to the audit.
    pub fn take(&mut self, feed: &FeedItem, event: &Event, out: &mut Out<'_>) {
        let Some(item) = audit::item(feed, event) else { return };
        self.rev = feed.seq;
        out.event(feed.at, Some(&feed.command_id), AuditEvent::Audit(item.clone()));
        let list = self.list_of(&item);
        list.push_front(item);
        list.truncate(ITEMS_MAX);
    }
    fn list_of(&mut self, item: &AuditItem) -> &mut VecDeque<AuditItem> {
        if item.is_fault() { &mut self.faults } else { &mut self.people }
    }
    /// Items from before we began to follow, newest first.
    pub fn load(&mut self, older: Vec<AuditItem>) {
        for item in older {
            let list = self.list_of(&item);
            if list.len() < ITEMS_MAX {
                list.push_back(item);
            }
        }
    }
}

impl Board for Audit {
    fn snapshot(&self, now: Timestamp) -> Value {
        let mut items: Vec<_> = self.people.iter().chain(&self.faults).cloned().collect();
        items.sort_by_key(|item| std::cmp::Reverse(item.at));
        listing(self.rev, now, items)
    }
}
