//! The station's decisions.
use super::history::lasting;
use super::{AlarmKind, Command, Event, LastChange, Mode, ModeSpan, OpenAlarm, Service, Station};
use crate::device::By;
use crate::entity::EntityKind;
use crate::fingerprint::{Fingerprint, Fingerprinter};
use crate::id::{DeviceId, UserId};
use crate::machine::{Context, Decision, Machine, RefusalCode, Reply};
use crate::time::{Millis, Timestamp};
use crate::world::StationView;
use compact_str::CompactString;
use std::collections::BTreeSet;

type Decided = Decision<Event>;

/// History is kept one day longer than the taps that may look at it.
const HISTORY_MARGIN: Millis = Millis::hours(24);

impl Machine for Station {
    const KIND: EntityKind = EntityKind::Station;
    type Command = Command;
    type Event = Event;
    type Memory = ();

    fn decide(&self, context: &Context<'_>, _memory: &(), command: &Command) -> Decided {
        let Some(view) = context.world.stations.get(context.me.id.as_str()) else {
            return Decision::refuse(RefusalCode::NotFound, format!("no site file names the station {}", context.me.id));
        };
        match command {
            Command::SetModes { modes, until, by } => self.set_modes(context, view, modes, *until, by),
            Command::Emergency { by } => self.emergency(context, view, by),
            Command::Release { by, approved_by } => self.release(context, view, by, approved_by.as_ref()),
            Command::Alarm { device, alarm, kind, on: true, at } => {
                self.alarm_on(context, &OpenAlarm { device: device.clone(), alarm: alarm.clone(), kind: *kind, at: *at })
            }
            Command::Alarm { device, alarm, kind, on: false, at } => self.alarm_off(device, alarm, *kind, *at),
            Command::GateService { devices, service, by } => self.gate_service(context, view, devices, *service, by),
            Command::Tick => self.end_modes(context),
        }
    }

    fn apply(&mut self, event: &Event, _at: Timestamp) {
        match event {
            Event::ModesSet { id, rev, modes, from, until, by, approved_by: _, kept_from } => {
                self.begin_span(ModeSpan { from: *from, rev: *rev, modes: modes.clone(), until: *until }, *kept_from);
                self.modes.clone_from(modes);
                self.until = *until;
                self.changed(LastChange { id: id.clone(), rev: *rev, from: *from, by: by.clone() });
            }
            Event::Alarmed { device, alarm, kind, on, at } => {
                self.alarms.retain(|open| !(open.device == *device && open.alarm == *alarm));
                if *on {
                    self.alarms.push(OpenAlarm { device: device.clone(), alarm: alarm.clone(), kind: *kind, at: *at });
                }
            }
            Event::ServiceSet { id, rev, devices, service, by, from } => {
                self.services.extend(devices.iter().map(|device| (device.clone(), *service)));
                self.changed(LastChange { id: id.clone(), rev: *rev, from: *from, by: Some(by.clone()) });
            }
        }
    }

    fn deadline(&self) -> Option<Timestamp> {
        self.until
    }

    fn tick() -> Option<Command> {
        Some(Command::Tick)
    }

    fn rev(&self) -> Option<u64> {
        Some(self.rev)
    }

    fn fingerprint(command: &Command) -> Fingerprint {
        fingerprint(command)
    }

    fn event_name(event: &Event) -> &'static str {
        match event {
            Event::ModesSet { .. } => "station.modes_set",
            Event::Alarmed { .. } => "station.alarmed",
            Event::ServiceSet { .. } => "station.service_set",
        }
    }
}

/// What a change of modes says beside its id and revision.
struct Change<'a> {
    modes: BTreeSet<Mode>,
    from: Timestamp,
    until: Option<Timestamp>,
    by: Option<&'a By>,
    approved_by: Option<&'a UserId>,
}

impl Station {
    fn changed(&mut self, change: LastChange) {
        self.rev = change.rev;
        self.last_change = Some(change);
    }

    fn set_modes(&self, context: &Context<'_>, view: &StationView, modes: &BTreeSet<Mode>, until: Option<Timestamp>, by: &By) -> Decided {
        if modes.contains(&Mode::Emergency) {
            return Decision::refuse(RefusalCode::BadArgs, "an emergency is set by `station emergency`, not as a mode");
        }
        if until.is_some_and(|until| until <= context.now) {
            return Decision::refuse(RefusalCode::BadArgs, "until: lies in the past");
        }
        if until.is_some() && modes.is_empty() {
            return Decision::refuse(RefusalCode::BadArgs, "until: normal service takes none");
        }
        if self.in_emergency() {
            return Decision::refuse(RefusalCode::WrongState, "the station is in emergency: release it first");
        }
        if *modes == self.modes && until == self.until {
            return self.as_it_is(context, view);
        }
        let change = Change { modes: modes.clone(), from: context.now, until, by: Some(by), approved_by: None };
        self.commit_modes(context, view, change)
    }

    fn emergency(&self, context: &Context<'_>, view: &StationView, by: &By) -> Decided {
        if self.in_emergency() {
            return self.as_it_is(context, view);
        }
        let modes = self.with_emergency();
        self.commit_modes(context, view, Change { modes, from: context.now, until: self.until, by: Some(by), approved_by: None })
    }

    fn release(&self, context: &Context<'_>, view: &StationView, by: &By, approved_by: Option<&UserId>) -> Decided {
        if !self.in_emergency() {
            return Decision::refuse(RefusalCode::WrongState, "the station is not in emergency");
        }
        if let Some(alarm) = self.alarms.iter().find(|alarm| alarm.kind.opens_the_gates()) {
            let hint = format!("the alarm {} ({}) of gate {} is still on", alarm.alarm, alarm.kind.name(), alarm.device);
            return Decision::refuse(RefusalCode::WrongState, hint);
        }
        let until = self.until.filter(|until| *until > context.now);
        let mut modes = if until == self.until { self.modes.clone() } else { BTreeSet::new() };
        modes.remove(&Mode::Emergency);
        self.commit_modes(context, view, Change { modes, from: context.now, until, by: Some(by), approved_by })
    }

    fn alarm_on(&self, context: &Context<'_>, alarm: &OpenAlarm) -> Decided {
        if self.alarms.iter().any(|open| open.device == alarm.device && open.alarm == alarm.alarm) {
            return Decision::Ask { otherwise: Reply::Done };
        }
        if !alarm.kind.opens_the_gates() && self.alarms.len() >= context.world.settings.alarms_max {
            return Decision::refuse(RefusalCode::WrongState, "too many alarms are on at this station");
        }
        let OpenAlarm { device, alarm: name, kind, at } = alarm.clone();
        let mut events = vec![Event::Alarmed { device, alarm: name, kind, on: true, at }];
        let earliest = context.now - context.world.settings.alarm_backdated_max;
        let from = alarm.at.clamp(earliest, context.now);
        if kind.opens_the_gates() && !(self.in_emergency() && self.modes_at(from).contains(&Mode::Emergency)) {
            let modes = self.with_emergency();
            events.push(self.modes_set(context, Change { modes, from, until: self.until, by: None, approved_by: None }));
        }
        Decision::Commit { events, reply: Reply::Done }
    }

    fn alarm_off(&self, device: &DeviceId, alarm: &CompactString, kind: AlarmKind, at: Timestamp) -> Decided {
        if !self.alarms.iter().any(|open| open.device == *device && open.alarm == *alarm) {
            return Decision::Ask { otherwise: Reply::Done };
        }
        let off = Event::Alarmed { device: device.clone(), alarm: alarm.clone(), kind, on: false, at };
        Decision::Commit { events: vec![off], reply: Reply::Done }
    }

    fn gate_service(&self, context: &Context<'_>, view: &StationView, devices: &[DeviceId], service: Service, by: &By) -> Decided {
        if devices.is_empty() {
            return Decision::refuse(RefusalCode::BadArgs, "devices: name at least one gate");
        }
        if let Some(foreign) = devices.iter().find(|device| !view.gates.contains(device)) {
            return Decision::refuse(RefusalCode::NotFound, format!("no gate {foreign} at the station {}", context.me.id));
        }
        let devices: BTreeSet<DeviceId> = devices.iter().cloned().collect();
        if devices.iter().all(|device| self.services.get(device) == Some(&service)) {
            return Decision::Ask { otherwise: self.mode_reply(devices.len()) };
        }
        let (id, rev, of) = (context.command_id.clone(), self.rev + 1, count(devices.len()));
        let devices = devices.into_iter().collect();
        let event = Event::ServiceSet { id: id.clone(), rev, devices, service, by: by.clone(), from: context.now };
        Decision::Commit { events: vec![event], reply: Reply::Mode { id, rev, of } }
    }

    fn end_modes(&self, context: &Context<'_>) -> Decided {
        let Some(until) = self.until.filter(|until| *until <= context.now) else {
            return Decision::Ask { otherwise: Reply::Done };
        };
        let begun = self.history.last().map_or(until, |span| span.from);
        let modes = lasting(&self.modes).clone();
        let change = Change { modes, from: until.max(begun), until: None, by: None, approved_by: None };
        Decision::Commit { events: vec![self.modes_set(context, change)], reply: Reply::Done }
    }

    fn with_emergency(&self) -> BTreeSet<Mode> {
        self.modes.iter().copied().chain([Mode::Emergency]).collect()
    }

    fn modes_set(&self, context: &Context<'_>, change: Change<'_>) -> Event {
        Event::ModesSet {
            id: context.command_id.clone(),
            rev: self.rev + 1,
            modes: change.modes,
            from: change.from,
            until: change.until,
            by: change.by.cloned(),
            approved_by: change.approved_by.cloned(),
            kept_from: context.now - context.world.settings.taps_kept - HISTORY_MARGIN,
        }
    }

    fn commit_modes(&self, context: &Context<'_>, view: &StationView, change: Change<'_>) -> Decided {
        let reply = Reply::Mode { id: context.command_id.clone(), rev: self.rev + 1, of: count(view.gates.len()) };
        Decision::Commit { events: vec![self.modes_set(context, change)], reply }
    }

    /// Nothing changes; the answer names the change that is in force.
    fn as_it_is(&self, context: &Context<'_>, view: &StationView) -> Decided {
        match self.last_change {
            Some(_) => Decision::Ask { otherwise: self.mode_reply(view.gates.len()) },
            None => Decision::Ask { otherwise: Reply::Mode { id: context.command_id.clone(), rev: self.rev, of: count(view.gates.len()) } },
        }
    }

    fn mode_reply(&self, of: usize) -> Reply {
        match &self.last_change {
            Some(change) => Reply::Mode { id: change.id.clone(), rev: change.rev, of: count(of) },
            None => Reply::Done,
        }
    }
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

fn fingerprint(command: &Command) -> Fingerprint {
    match command {
        Command::SetModes { modes, until, by } => {
            let start = by.fingerprint(Fingerprinter::new("station.set_modes")).moment(*until);
            modes.iter().fold(start, |print, mode| print.number(*mode as i64)).finish()
        }
        Command::Emergency { by } => by.fingerprint(Fingerprinter::new("station.emergency")).finish(),
        // Whoever lets it through, it is the same command: sent again by the first person it means no other.
        Command::Release { by, approved_by: _ } => by.fingerprint(Fingerprinter::new("station.release")).finish(),
        Command::Alarm { device, alarm, kind, on, at } => Fingerprinter::new("station.alarm")
            .text(device.as_str())
            .text(alarm)
            .number(*kind as i64)
            .number(i64::from(*on))
            .number(at.0)
            .finish(),
        Command::GateService { devices, service, by } => {
            let start = by.fingerprint(Fingerprinter::new("station.gate_service")).number(*service as i64);
            devices.iter().fold(start, |print, device| print.text(device.as_str())).finish()
        }
        Command::Tick => Fingerprinter::new("station.tick").finish(),
    }
}
