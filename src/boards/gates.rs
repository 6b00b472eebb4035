//! `gates:{station}`: a station's gates at work, the change that is under way, the newest taps and what each gate opened.
use super::tapped::Tapped;
use crate::console::hub::{Board, Out};
use serde_json::Value;
use std::collections::{BTreeMap, VecDeque};
use tongdao_domain::gate::Gate;
use tongdao_domain::id::{CommandId, DeviceId, StationId};
use tongdao_domain::station::Station;
use tongdao_domain::tap::Shown;
use tongdao_domain::time::Timestamp;
use tongdao_domain::world::World;
use tongdao_journal::contract::FeedItem;
use tongdao_protocol::console::board::{
    Change, GateRow, GatesEvent, GatesSnapshot, Heat, Link, Load, LoadMap, ModeAck, ModeChange, TapItem,
};
use tongdao_protocol::gate::StationMode;

/// Newest taps that are shown.
const TAPS_MAX: usize = 50;
/// Seconds of the heat map.
const HEAT_S: usize = 120;

/// What the boards know of a gate.
#[derive(Debug, Clone, Default)]
pub struct GateNow {
    /// The machine, as of the last event.
    pub gate: Gate,
    /// Has it said that it is online, and has it a link?
    pub link: Link,
    /// Its last tap.
    pub last_tap_at: Option<Timestamp>,
}

/// See the module.
pub struct Gates {
    rev: u64,
    station: StationId,
    name: BTreeMap<String, String>,
    modes: Vec<StationMode>,
    until: Option<Timestamp>,
    change: Option<Change>,
    rows: Vec<GateRow>,
    index: BTreeMap<DeviceId, usize>,
    list_version: u64,
    doubtful: u64,
    load: Vec<Load>,
    heat: VecDeque<Vec<u32>>,
    heat_end: Timestamp,
    taps: VecDeque<TapItem>,
}

impl Gates {
    /// A station as the site file and the journal have it.
    #[must_use]
    pub fn new(world: &World, station: &StationId, gates: &BTreeMap<DeviceId, GateNow>, doubtful: u64, now: Timestamp) -> Self {
        let view = world.stations.get(station);
        let devices = view.map_or(&[][..], |view| &view.gates);
        let none = GateNow::default();
        let rows: Vec<_> = devices.iter().map(|device| row(world, device, gates.get(device).unwrap_or(&none))).collect();
        let name = view.map(|view| view.names.iter().map(|(language, name)| (language.to_string(), name.to_string())).collect());
        let mut board = Self {
            rev: 0,
            station: station.clone(),
            name: name.unwrap_or_default(),
            modes: Vec::new(),
            until: None,
            change: None,
            load: vec![Load::default(); rows.len()],
            index: devices.iter().cloned().zip(0..).collect(),
            rows,
            list_version: world.deny.version(),
            doubtful,
            heat: VecDeque::new(),
            heat_end: now,
            taps: VecDeque::new(),
        };
        if let Some(view) = view {
            board.set_modes(world, &view.state);
        }
        board
    }

    fn set_modes(&mut self, world: &World, state: &Station) {
        self.rev = state.rev;
        self.modes = state.modes.iter().map(|mode| StationMode::from(*mode)).collect();
        self.until = state.until;
        let says = |rev| self.rows.iter().filter(move |row| row.mode < rev);
        self.change = state.last_change.as_ref().map(|change| {
            let told = self.index.keys().next().and_then(|device| world.gate_mode(device));
            let missing: Vec<_> = says(change.rev).map(|row| row.device.clone()).collect();
            let of = u32::try_from(self.rows.len()).unwrap_or(u32::MAX);
            Change {
                id: change.id.as_str().to_owned(),
                rev: change.rev,
                of,
                acked: of - u32::try_from(missing.len()).unwrap_or(of),
                missing,
                from: change.from.into(),
                by: told.as_ref().map_or_else(|| "station".to_owned(), |told| told.issued_by.to_string()),
                reason: told.map(|told| told.reason.to_string()).unwrap_or_default(),
                took_ms: None,
            }
        });
    }

    /// Modes or services were set.
    pub fn modes_set(&mut self, world: &World, at: Timestamp, rev: u64, cause: &CommandId, out: &mut Out<'_>) {
        let Some(view) = world.stations.get(&self.station) else { return };
        self.set_modes(world, &view.state);
        self.rev = rev;
        if let Some(change) = self.change.clone() {
            out.event(
                at,
                Some(cause),
                GatesEvent::Mode(ModeChange { modes: self.modes.clone(), until: self.until.map(Into::into), change }),
            );
        }
        for device in self.index.keys().cloned().collect::<Vec<_>>() {
            self.service(world, &device, at, cause, out);
        }
    }

    fn service(&mut self, world: &World, device: &DeviceId, at: Timestamp, cause: &CommandId, out: &mut Out<'_>) {
        let Some(row) = self.index.get(device).and_then(|n| self.rows.get_mut(*n)) else { return };
        let service = world.service_of(device).unwrap_or_default().into();
        if row.service != service {
            row.service = service;
            out.event(at, Some(cause), GatesEvent::Gate(row.clone()));
        }
    }

    /// A gate's row may have changed, by an event or by its link.
    pub fn gate(&mut self, world: &World, device: &DeviceId, now: &GateNow, at: Timestamp, cause: Option<&CommandId>, out: &mut Out<'_>) {
        let Some(known) = self.index.get(device).and_then(|n| self.rows.get_mut(*n)) else { return };
        let fresh = row(world, device, now);
        let acked = fresh.mode > known.mode;
        if *known == fresh {
            return;
        }
        *known = fresh.clone();
        if acked {
            self.acked(device, fresh.mode, at, cause, out);
        }
        out.event(at, cause, GatesEvent::Gate(fresh));
    }

    fn acked(&mut self, device: &DeviceId, rev: u64, at: Timestamp, cause: Option<&CommandId>, out: &mut Out<'_>) {
        let Some(change) = self.change.as_mut().filter(|change| rev >= change.rev) else { return };
        let before = change.missing.len();
        change.missing.retain(|missing| missing != device.as_str());
        if change.missing.len() == before {
            return;
        }
        change.acked += 1;
        if change.missing.is_empty() {
            change.took_ms = Some(u64::try_from((at - Timestamp::from(change.from)).0).unwrap_or(0));
        }
        let (id, rev, of, acked, took_ms) = (change.id.clone(), change.rev, change.of, change.acked, change.took_ms);
        out.event(at, cause, GatesEvent::ModeAck(ModeAck { id, rev, device: device.as_str().to_owned(), acked, of, took_ms }));
    }

    /// There is a new version of the deny list.
    pub fn list_made(&mut self, world: &World, feed: &FeedItem, out: &mut Out<'_>) {
        self.list_version = world.deny.version();
        out.event(feed.at, Some(&feed.command_id), GatesEvent::List { list_version: self.list_version });
    }

    /// A tap was decided at one of its gates.
    pub fn tapped(&mut self, tap: &Tapped<'_>, at: Timestamp, cause: &CommandId, out: &mut Out<'_>) {
        let Some(n) = self.index.get(tap.device).copied() else { return };
        let shown = tap.shown();
        if let (Some(load), Some(row)) = (self.load.get_mut(n), self.rows.get_mut(n)) {
            if shown == Shown::Open {
                load.open += 1
            } else {
                load.deny += 1
            }
            row.last_tap_at = Some(at.into());
        }
        let item = TapItem {
            device: tap.device.as_str().to_owned(),
            direction: tap.direction.into(),
            result: shown.into(),
            code: tap.code.name().to_owned(),
            at: at.into(),
        };
        out.event(at, Some(cause), GatesEvent::Tap(item.clone()));
        self.taps.push_front(item);
        self.taps.truncate(TAPS_MAX);
    }

    /// So many records of its gates wait for a person.
    pub fn doubtful(&mut self, open: u64, at: Timestamp, cause: &CommandId, out: &mut Out<'_>) {
        self.doubtful = open;
        out.event(at, Some(cause), GatesEvent::Doubtful { doubtful: open });
    }

    /// A second has passed.
    pub fn beat(&mut self, now: Timestamp, out: &mut Out<'_>) {
        self.heat.push_back(self.load.iter().map(|load| load.open).collect());
        if self.heat.len() > HEAT_S {
            self.heat.pop_front();
        }
        self.heat_end = now;
        if out.is_heard() {
            let busy = self.load.iter().zip(&self.rows).filter(|(load, _)| **load != Load::default());
            let load: LoadMap = busy.map(|(load, row)| (row.device.clone(), *load)).collect();
            out.state("load", load);
        }
        self.load.fill(Load::default());
    }
}

fn row(world: &World, device: &DeviceId, now: &GateNow) -> GateRow {
    let twin = now.gate.twin.as_ref();
    GateRow {
        device: device.as_str().to_owned(),
        service: world.service_of(device).unwrap_or_default().into(),
        link: now.link,
        mode: now.gate.mode.as_ref().map_or(0, |mode| mode.rev),
        list_version: now.gate.list.map_or(0, |list| list.version),
        faults: twin.map_or_else(Vec::new, |twin| twin.faults.iter().map(ToString::to_string).collect()),
        last_tap_at: now.last_tap_at.map(Into::into),
    }
}

impl Board for Gates {
    fn snapshot(&self, now: Timestamp) -> Value {
        let length = i64::try_from(self.heat.len()).unwrap_or(0);
        let snapshot = GatesSnapshot {
            rev: self.rev,
            at: now.into(),
            station: self.station.as_str().to_owned(),
            name: self.name.clone(),
            modes: self.modes.clone(),
            until: self.until.map(Into::into),
            change: self.change.clone(),
            gates: self.rows.clone(),
            list_version: self.list_version,
            doubtful: self.doubtful,
            heat: Heat {
                t0: Timestamp(self.heat_end.0 - 1000 * length).into(),
                step_s: 1,
                of: self.rows.iter().map(|row| row.device.clone()).collect(),
                rows: self.heat.iter().cloned().collect(),
            },
            taps: self.taps.iter().cloned().collect(),
        };
        serde_json::to_value(snapshot).unwrap_or_default()
    }
}
