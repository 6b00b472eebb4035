//! What a gate does beside tapping: its state with its faults, modes, commands, alarms, and the reports that it owes until the
//! server has taken them.
use super::{Fact, Port};
use std::collections::VecDeque;
use tongdao_domain::station;
use tongdao_domain::time::Timestamp;
use tongdao_protocol::device::{Ack, AckResult, Command, Config, State, Versions};
use tongdao_protocol::gate::{Alarm, AlarmKind, Mode, RECORDS_MAX, Service, StationMode};
use tongdao_protocol::payload::encode;
use tongdao_protocol::text::{Id, Path};
use tongdao_protocol::topic::Up;

const FIRMWARE: &str = "virtual-1";
/// A rider who has not passed after this is reported; until a config says otherwise.
const NO_PASSAGE_MS: i64 = 8_000;
/// First cookie of a report; below it are the gate's others.
const REPORT: u32 = 1 << 30;
/// Reports that a gate keeps while it is offline; the oldest is dropped first.
const REPORTS_MAX: usize = 4_096;

/// Commands that a virtual gate can carry out.
const COMMANDS: [&str; 5] = ["restart", "maintain", "resume", "config", "test_print"];

/// Modes, commands and reports of one gate.
pub(super) struct Orders {
    /// Revision of the mode that the gate obeys; 0 = none yet.
    pub(super) rev: u64,
    pub(super) no_passage_ms: i64,
    pub(super) records_max: usize,
    service: Service,
    released: bool,
    /// Alarms that are on; each keeps its id from on to off.
    alarms: Vec<(AlarmKind, Id)>,
    faults: Vec<Id>,
    reports: VecDeque<(u32, Up, Vec<u8>)>,
    next: u32,
}

impl Default for Orders {
    fn default() -> Self {
        Self {
            rev: 0,
            no_passage_ms: NO_PASSAGE_MS,
            records_max: RECORDS_MAX,
            service: Service::Both,
            released: false,
            alarms: Vec::new(),
            faults: Vec::new(),
            reports: VecDeque::new(),
            next: 0,
        }
    }
}

impl Orders {
    /// Do the doors stand open, by mode, button or fire line?
    pub(super) fn released(&self) -> bool {
        self.released || self.alarms.iter().any(|(kind, _)| matches!(kind, AlarmKind::EmergencyButton | AlarmKind::Fire))
    }

    /// `up/state`.
    pub(super) fn state(&self, online: bool, list: Option<u64>, now: i64) -> State {
        let versions = list.map(|version| ("list".into(), compact_str::format_compact!("{version}")));
        State {
            online,
            service: Id::new(self.service.name()).unwrap_or_default(),
            firmware: Id::new(FIRMWARE).unwrap_or_default(),
            versions: Versions(versions.into_iter().collect()),
            faults: self.faults.clone(),
            at: Timestamp(now).into(),
        }
    }

    /// Sends a report and keeps it until it is taken.
    pub(super) fn report(&mut self, message: Up, payload: Vec<u8>, online: bool, port: &mut impl Port) {
        self.next = (self.next + 1) % REPORT;
        let cookie = REPORT | self.next;
        if online {
            port.publish(message, &payload, cookie);
        }
        if self.reports.len() == REPORTS_MAX {
            self.reports.pop_front();
        }
        self.reports.push_back((cookie, message, payload));
    }

    /// A report was taken or refused; either way it is owed no longer.
    pub(super) fn taken(&mut self, cookie: u32) -> Option<Up> {
        let at = self.reports.iter().position(|(owed, ..)| *owed == cookie)?;
        self.reports.remove(at).map(|(_, message, _)| message)
    }

    /// Sends again what was not taken.
    pub(super) fn resend(&self, port: &mut impl Port) {
        self.reports.iter().for_each(|(cookie, message, payload)| port.publish(*message, payload, *cookie));
    }

    /// `down/mode`: only a higher revision is applied; the present one is acknowledged again, since the first
    /// acknowledgement may have been lost.
    pub(super) fn on_mode(&mut self, payload: &[u8], now: i64, online: bool, port: &mut impl Port) -> Option<()> {
        let mode: Mode = serde_json::from_slice(payload).ok()?;
        if mode.rev < self.rev {
            return Some(());
        }
        if mode.rev > self.rev {
            self.rev = mode.rev;
            self.service = mode.service;
            self.released = mode.service == Service::Open || mode.station_mode.contains(&StationMode::Emergency);
            port.fact(Fact::Mode { rev: mode.rev });
        }
        self.acknowledge(mode.id, AckResult::Done, now, online, port);
        Some(())
    }

    /// `down/command`.
    pub(super) fn on_command(&mut self, payload: &[u8], now: i64, online: bool, port: &mut impl Port) -> Option<()> {
        let command: Command = serde_json::from_slice(payload).ok()?;
        let result = if Timestamp::from(command.expires_at).0 < now {
            AckResult::Expired
        } else if COMMANDS.contains(&command.command.as_str()) {
            AckResult::Done
        } else {
            AckResult::Unsupported
        };
        self.acknowledge(command.id, result, now, online, port);
        Some(())
    }

    /// `down/config`.
    pub(super) fn on_config(&mut self, payload: &[u8]) -> Option<()> {
        let config: Config = serde_json::from_slice(payload).ok()?;
        self.no_passage_ms = i64::try_from(config.no_passage_ms).unwrap_or(NO_PASSAGE_MS);
        self.records_max = usize::try_from(config.records_max).unwrap_or(RECORDS_MAX).clamp(1, RECORDS_MAX);
        Some(())
    }

    fn acknowledge(&mut self, id: Path, result: AckResult, now: i64, online: bool, port: &mut impl Port) {
        let ack = Ack { id, result, detail: None, at: Timestamp(now).into() };
        self.report(Up::Ack, encode(&ack), online, port);
    }

    /// A fault code appears in the state, or goes; false = it was so already.
    pub(super) fn fault(&mut self, code: &Id, on: bool) -> bool {
        if self.faults.contains(code) == on {
            return false;
        }
        if on {
            self.faults.push(code.clone())
        } else {
            self.faults.retain(|other| other != code)
        }
        true
    }

    /// A button or a sensor goes on or off.
    pub(super) fn alarm(&mut self, kind: AlarmKind, on: bool, now: i64, online: bool, port: &mut impl Port) {
        let standing = self.alarms.iter().position(|(other, _)| *other == kind);
        let id = match (standing, on) {
            (None, true) => {
                let id = Id::new(&format!("{}-{now}", station::AlarmKind::from(kind).name())).unwrap_or_default();
                self.alarms.push((kind, id.clone()));
                id
            }
            (Some(at), false) => self.alarms.swap_remove(at).1,
            _ => return,
        };
        self.report(Up::Alarm, encode(&Alarm { id, kind, on, at: Timestamp(now).into() }), online, port);
    }
}
