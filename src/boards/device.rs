//! `device:{device}`: what a device should be, what it says it is, its orders and what happened to it. Opened when somebody
//! asks for it.
use super::gates::GateNow;
use super::lives::{KEPT, happened};
use super::tapped::Tapped;
use crate::console::hub::{Board, Out};
use serde_json::Value;
use std::collections::VecDeque;
use tongdao_domain::device::{self, Entry};
use tongdao_domain::gate::OrderView;
use tongdao_domain::id::{CommandId, DeviceId};
use tongdao_domain::machine::Event;
use tongdao_domain::time::Timestamp;
use tongdao_domain::world::World;
use tongdao_journal::contract::FeedItem;
use tongdao_protocol::console::board::{Desired, DeviceEvent, DeviceSnapshot, HistoryItem, LastTap, Link, OrderItem, Reported};

/// See the module.
pub struct DeviceBoard {
    device: DeviceId,
    entry: Option<Entry>,
    station: Option<String>,
    now: GateNow,
    desired: Desired,
    last: Option<LastTap>,
    history: VecDeque<HistoryItem>,
}

impl DeviceBoard {
    /// The device as it is now, with what is known of its past, newest first.
    #[must_use]
    pub fn new(world: &World, device: &DeviceId, now: GateNow, history: VecDeque<HistoryItem>) -> Self {
        Self {
            device: device.clone(),
            entry: world.devices.get(device).cloned(),
            station: world.gates.get(device).map(|gate| gate.station.as_str().to_owned()),
            now,
            desired: desired(world, device),
            last: None,
            history,
        }
    }

    /// What happened before the process began was read.
    pub fn load(&mut self, history: VecDeque<HistoryItem>) {
        self.history = history;
    }

    /// Something of the device was committed. `now` is what is known of it afterwards.
    pub fn take(&mut self, world: &World, feed: &FeedItem, event: &Event, now: &GateNow, out: &mut Out<'_>) {
        let orders = changed_orders(&self.now.gate.orders, &now.gate.orders);
        for item in happened(event, feed.at, self.now.gate.twin.as_ref()) {
            self.history.push_front(item.clone());
            out.event(feed.at, Some(&feed.command_id), DeviceEvent::History { item });
        }
        self.history.truncate(KEPT);
        for order in orders {
            out.event(feed.at, Some(&feed.command_id), DeviceEvent::Command(order));
        }
        self.refresh(world, now, feed.at, Some(&feed.command_id), out);
    }

    /// Its twin may have changed: by its own word, its link, the registry or its station.
    pub fn refresh(&mut self, world: &World, now: &GateNow, at: Timestamp, cause: Option<&CommandId>, out: &mut Out<'_>) {
        let before = self.twin();
        self.now = now.clone();
        self.entry = world.devices.get(&self.device).cloned();
        self.desired = desired(world, &self.device);
        let twin = self.twin();
        if twin != before {
            out.event(at, cause, twin);
        }
    }

    /// It has taken a tap.
    pub fn tapped(&mut self, tap: &Tapped<'_>, at: Timestamp, out: &mut Out<'_>) {
        let last = LastTap { direction: tap.direction.into(), result: tap.shown().into(), code: tap.code.name().to_owned(), at: at.into() };
        out.state("last", &last);
        self.last = Some(last);
    }

    fn twin(&self) -> DeviceEvent {
        let twin = self.now.gate.twin.as_ref();
        DeviceEvent::Twin {
            rev: self.entry.as_ref().map_or(0, |entry| entry.rev),
            orders_rev: self.now.gate.orders_rev,
            online: self.now.link == Link::Online,
            link: self.now.link,
            revoked: self.entry.as_ref().is_none_or(|entry| entry.revoked),
            service: twin.map(|twin| twin.service.to_string()),
            firmware: twin.map(|twin| twin.firmware.to_string()),
            desired: self.desired.clone(),
            reported: self.reported(),
            faults: twin.map_or_else(Vec::new, |twin| twin.faults.iter().map(ToString::to_string).collect()),
        }
    }

    fn reported(&self) -> Option<Reported> {
        let twin = self.now.gate.twin.as_ref()?;
        Some(Reported {
            service: twin.service.to_string(),
            mode: self.now.gate.mode.as_ref().map_or(0, |mode| mode.rev),
            versions: twin.versions.iter().map(|(name, version)| (name.to_string(), version.to_string())).collect(),
            at: twin.at.into(),
        })
    }
}

fn desired(world: &World, device: &DeviceId) -> Desired {
    world.gate_mode(device).map_or_else(Desired::default, |mode| Desired {
        service: Some(mode.service.into()),
        mode: mode.rev,
        modes: mode.modes.iter().map(|mode| (*mode).into()).collect(),
    })
}

fn order(view: &OrderView) -> OrderItem {
    OrderItem {
        id: view.order.id.as_str().to_owned(),
        command: view.order.command.to_string(),
        args: serde_json::from_str(&view.order.args).ok().filter(|args: &Value| !args.is_null()),
        state: view.state.into(),
        at: view.at.into(),
        expires_at: view.order.expires_at.into(),
        by: Some(view.order.by.user.as_str().to_owned()),
        detail: Some(view.detail.to_string()).filter(|detail| !detail.is_empty()),
    }
}

fn changed_orders(before: &[OrderView], now: &[OrderView]) -> Vec<OrderItem> {
    now.iter().filter(|view| !before.contains(view)).map(order).collect()
}

impl Board for DeviceBoard {
    fn snapshot(&self, now: Timestamp) -> Value {
        let DeviceEvent::Twin { rev, orders_rev, online, link, revoked, service, firmware, desired, reported, faults } = self.twin() else {
            return Value::Null;
        };
        let entry = self.entry.as_ref();
        let mut commands: Vec<_> = self.now.gate.orders.iter().map(order).collect();
        commands.reverse();
        let snapshot = DeviceSnapshot {
            rev,
            orders_rev,
            at: now.into(),
            device: self.device.as_str().to_owned(),
            kind: entry.map_or(device::DeviceKind::Gate, |entry| entry.kind).into(),
            site: entry.map(|entry| entry.site.as_str().to_owned()).unwrap_or_default(),
            station: self.station.clone(),
            revoked,
            online,
            link,
            service,
            firmware,
            desired,
            reported,
            faults,
            last_seen: Some(self.now.gate.reported_at).filter(|_| self.now.gate.twin.is_some()).map(Into::into),
            commands,
            last: self.last.clone(),
            history: self.history.iter().cloned().collect(),
        };
        serde_json::to_value(snapshot).unwrap_or_default()
    }
}
