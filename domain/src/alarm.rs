//! An alarm: one for each cause, named `{code}.{source}`. A dead switch is one alarm of its station with forty devices, not
//! forty alarms. It ends by itself when its cause is gone; what cannot end by itself is cleared by a person. Who noticed the
//! cause is the business of whoever raises it.
use crate::device::By;
use crate::entity::{EntityKey, EntityKind};
use crate::fingerprint::{Fingerprint, Fingerprinter};
use crate::id::{DeviceId, UserId};
use crate::machine::{Context, Decision, Machine, RefusalCode, Reply};
use crate::mutant::{Mutant, planted};
use crate::time::Timestamp;
use compact_str::CompactString;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

#[cfg(test)]
mod tests;

/// Devices of one alarm, at most; further ones are counted and not named.
pub const DEVICES_MAX: usize = 1024;

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlarmCode {
    /// Gates of a station without a link.
    GatesOffline,
    /// A gate reports faults.
    GateFault,
    /// An emergency button was pressed.
    EmergencyButton,
    /// A fire line.
    Fire,
    /// Somebody went through without a tap.
    Intrusion,
    /// A door stands open.
    Door,
    /// Somebody opened a housing.
    Tamper,
    /// The disk is nearly full: the journal takes nothing.
    JournalReserve,
    /// The clock of the machine jumped.
    ClockStep,
    /// An entity cannot be replayed.
    Quarantine,
    /// Many doubtful records wait for a person.
    DoubtfulMany,
}

impl AlarmCode {
    /// Every code.
    pub const ALL: &'static [Self] = &[
        Self::GatesOffline,
        Self::GateFault,
        Self::EmergencyButton,
        Self::Fire,
        Self::Intrusion,
        Self::Door,
        Self::Tamper,
        Self::JournalReserve,
        Self::ClockStep,
        Self::Quarantine,
        Self::DoubtfulMany,
    ];
    /// The name on the wire and in the entity's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::GatesOffline => "gates_offline",
            Self::GateFault => "gate_fault",
            Self::EmergencyButton => "emergency_button",
            Self::Fire => "fire",
            Self::Intrusion => "intrusion",
            Self::Door => "door",
            Self::Tamper => "tamper",
            Self::JournalReserve => "journal_reserve",
            Self::ClockStep => "clock_step",
            Self::Quarantine => "quarantine",
            Self::DoubtfulMany => "doubtful_many",
        }
    }
    /// The one with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.name() == name)
    }
    /// Does somebody tell when the cause is gone? Otherwise a person clears it.
    #[must_use]
    pub const fn ends_by_itself(self) -> bool {
        !matches!(self, Self::Intrusion | Self::Tamper | Self::ClockStep | Self::Quarantine)
    }
}

/// How bad it is (the words of ITU-T X.733).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Something may come.
    Warning,
    /// Something is broken, service goes on.
    Minor,
    /// Service suffers.
    Major,
    /// People or the whole service are concerned.
    Critical,
}

impl Severity {
    /// Every severity, the least first.
    pub const ALL: &'static [Self] = &[Self::Warning, Self::Minor, Self::Major, Self::Critical];
    /// The name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::Minor => "minor",
            Self::Major => "major",
            Self::Critical => "critical",
        }
    }
}

/// Where an alarm stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Nobody has taken it.
    Raised,
    /// Somebody knows.
    Acked,
    /// Put off until a moment.
    Snoozed,
    /// Over.
    Cleared,
}

impl State {
    /// The name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Raised => "raised",
            Self::Acked => "acked",
            Self::Snoozed => "snoozed",
            Self::Cleared => "cleared",
        }
    }
}

/// What may be asked of an alarm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Command {
    /// The cause is there.
    Raise {
        /// What is wrong; with `source` the entity's own name.
        code: AlarmCode,
        /// A station, a device, or `node`.
        source: CompactString,
        /// How bad.
        severity: Severity,
        /// The device it was noticed at, where the source is a station.
        device: Option<DeviceId>,
    },
    /// The cause is gone, for this device or altogether where none was named.
    Settle {
        /// The device.
        device: Option<DeviceId>,
    },
    /// A person takes it.
    Ack {
        /// Who and why.
        by: By,
    },
    /// A person puts it off.
    Snooze {
        /// Until when.
        until: Timestamp,
        /// Who and why.
        by: By,
    },
    /// A person ends what does not end by itself.
    Clear {
        /// Who and why.
        by: By,
    },
    /// A deadline is reached.
    Tick,
}

/// What can have happened to an alarm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// The cause is there (once more, or at one device more).
    Raised {
        /// What is wrong.
        code: AlarmCode,
        /// Where.
        source: CompactString,
        /// How bad.
        severity: Severity,
        /// At which device.
        device: Option<DeviceId>,
    },
    /// The cause is gone, for a device or where none was named.
    Settled {
        /// The device.
        device: Option<DeviceId>,
    },
    /// A person has taken it.
    Acked {
        /// Who and why.
        by: By,
    },
    /// It is put off.
    Snoozed {
        /// Until when.
        until: Timestamp,
        /// Who and why.
        by: By,
    },
    /// The time it was put off for is over and the cause is still there.
    Woken,
    /// It is over.
    Cleared {
        /// Who and why; none = the cause is gone.
        by: Option<By>,
    },
}

/// An alarm; no entry = never raised.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alarm {
    /// What is known of it.
    pub entry: Option<Entry>,
    /// How often it has changed.
    #[serde(default)]
    pub rev: u64,
}

/// The present or last time that an alarm was raised.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// What is wrong.
    pub code: AlarmCode,
    /// Where.
    pub source: CompactString,
    /// The worst that was told since it began.
    pub severity: Severity,
    /// Where it stands.
    pub state: State,
    /// Devices that the cause is there at.
    pub devices: BTreeSet<DeviceId>,
    /// The cause is there without a device.
    pub at_source: bool,
    /// How often the cause was told since it began.
    pub count: u64,
    /// When it began.
    pub since: Timestamp,
    /// When it last changed.
    pub changed_at: Timestamp,
    /// Who has taken it.
    pub owner: Option<UserId>,
    /// Until when it is put off.
    pub snoozed_until: Option<Timestamp>,
}

/// The alarm of a cause: `alarm/gates_offline.tianfu`.
#[must_use]
pub fn key(code: AlarmCode, source: &str) -> EntityKey {
    EntityKey::new(EntityKind::Alarm, &name(code, source))
}

fn name(code: AlarmCode, source: &str) -> String {
    format!("{}.{source}", code.name())
}

impl Entry {
    /// Is the cause still there?
    #[must_use]
    pub fn stands(&self) -> bool {
        self.at_source || !self.devices.is_empty()
    }
    fn knows(&self, device: Option<&DeviceId>) -> bool {
        device.map_or(self.at_source, |device| self.devices.contains(device))
    }
    fn settles_all(&self, device: Option<&DeviceId>) -> bool {
        match device {
            Some(device) => !self.at_source && self.devices.len() == 1 && self.devices.contains(device),
            None => self.devices.is_empty(),
        }
    }
}

impl Alarm {
    /// What is known of it while it is not over.
    #[must_use]
    pub fn current(&self) -> Option<&Entry> {
        self.entry.as_ref().filter(|entry| entry.state != State::Cleared)
    }
}

impl Machine for Alarm {
    const KIND: EntityKind = EntityKind::Alarm;
    type Command = Command;
    type Event = Event;
    type Memory = ();

    fn decide(&self, context: &Context<'_>, _memory: &(), command: &Command) -> Decision<Event> {
        match (command, self.current()) {
            (Command::Raise { code, source, severity, device }, current) => {
                raise(context, current, Event::Raised { code: *code, source: source.clone(), severity: *severity, device: device.clone() })
            }
            (Command::Settle { .. } | Command::Tick, None) => unchanged(),
            (Command::Ack { .. } | Command::Snooze { .. } | Command::Clear { .. }, None) if self.entry.is_none() => {
                Decision::refuse(RefusalCode::NotFound, format!("no alarm {}", context.me.id))
            }
            (Command::Clear { .. }, None) => unchanged(),
            (Command::Ack { .. } | Command::Snooze { .. }, None) => Decision::refuse(RefusalCode::WrongState, "the alarm is over"),
            (Command::Settle { device }, Some(entry)) => entry.settle(device.as_ref()),
            (Command::Ack { .. }, Some(entry)) if entry.state == State::Acked => unchanged(),
            (Command::Ack { by }, Some(_)) => commit(Event::Acked { by: by.clone() }),
            (Command::Snooze { until, by }, Some(entry)) => entry.snooze(context, *until, by),
            (Command::Clear { by }, Some(entry)) => entry.clear(by),
            (Command::Tick, Some(entry)) => entry.tick(context),
        }
    }

    fn apply(&mut self, event: &Event, at: Timestamp) {
        self.rev += 1;
        if let Event::Raised { code, source, severity, device } = event {
            self.begin_or_join(*code, source, *severity, device.as_ref(), at);
        }
        if let Some(entry) = &mut self.entry {
            entry.apply(event);
            entry.changed_at = at;
        }
    }

    fn deadline(&self) -> Option<Timestamp> {
        self.current()?.snoozed_until
    }

    fn tick() -> Option<Command> {
        Some(Command::Tick)
    }

    fn rev(&self) -> Option<u64> {
        Some(self.rev)
    }

    fn fingerprint(command: &Command) -> Fingerprint {
        let device = |print: Fingerprinter, device: &Option<DeviceId>| print.text(device.as_ref().map_or("", DeviceId::as_str)).finish();
        match command {
            Command::Raise { code, source, severity, device: at } => {
                device(Fingerprinter::new("alarm.raise").text(code.name()).text(source).text(severity.name()), at)
            }
            Command::Settle { device: at } => device(Fingerprinter::new("alarm.settle"), at),
            Command::Ack { by } => by.fingerprint(Fingerprinter::new("alarm.ack")).finish(),
            Command::Snooze { until, by } => by.fingerprint(Fingerprinter::new("alarm.snooze")).number(until.0).finish(),
            Command::Clear { by } => by.fingerprint(Fingerprinter::new("alarm.clear")).finish(),
            Command::Tick => Fingerprinter::new("alarm.tick").finish(),
        }
    }

    fn event_name(event: &Event) -> &'static str {
        match event {
            Event::Raised { .. } => "alarm.raised",
            Event::Settled { .. } => "alarm.settled",
            Event::Acked { .. } => "alarm.acked",
            Event::Snoozed { .. } => "alarm.snoozed",
            Event::Woken => "alarm.woken",
            Event::Cleared { .. } => "alarm.cleared",
        }
    }
}

const fn unchanged() -> Decision<Event> {
    Decision::Ask { otherwise: Reply::Done }
}
fn commit(event: Event) -> Decision<Event> {
    Decision::Commit { events: vec![event], reply: Reply::Done }
}

/// The same cause at the same place again changes nothing, unless it is worse.
fn raise(context: &Context<'_>, current: Option<&Entry>, event: Event) -> Decision<Event> {
    let Event::Raised { code, source, severity, device } = &event else { return unchanged() };
    if context.me.id != name(*code, source) {
        return Decision::refuse(RefusalCode::BadArgs, format!("the alarm {} has another code or source", context.me.id));
    }
    let known = current.is_some_and(|entry| entry.knows(device.as_ref()) && *severity <= entry.severity);
    if known { unchanged() } else { commit(event) }
}

impl Alarm {
    fn begin_or_join(&mut self, code: AlarmCode, source: &CompactString, severity: Severity, device: Option<&DeviceId>, at: Timestamp) {
        if self.current().is_none() {
            self.entry = Some(Entry {
                code,
                source: source.clone(),
                severity,
                state: State::Raised,
                devices: BTreeSet::new(),
                at_source: false,
                count: 0,
                since: at,
                changed_at: at,
                owner: None,
                snoozed_until: None,
            });
        }
        let Some(entry) = &mut self.entry else { return };
        if severity > entry.severity {
            (entry.severity, entry.state, entry.snoozed_until) = (severity, State::Raised, None);
        }
        entry.count += 1;
        match device {
            None => entry.at_source = true,
            Some(device) if entry.devices.len() < DEVICES_MAX => drop(entry.devices.insert(device.clone())),
            Some(_) => {}
        }
    }
}

impl Entry {
    fn settle(&self, device: Option<&DeviceId>) -> Decision<Event> {
        if !self.knows(device) {
            return unchanged();
        }
        let mut events = vec![Event::Settled { device: device.cloned() }];
        let last = self.settles_all(device) || planted(Mutant::ClearedEarly);
        if last && !planted(Mutant::NeverCleared) {
            events.push(Event::Cleared { by: None });
        }
        Decision::Commit { events, reply: Reply::Done }
    }

    fn snooze(&self, context: &Context<'_>, until: Timestamp, by: &By) -> Decision<Event> {
        let longest = context.world.settings.alarm_snooze_max;
        if until <= context.now || until > context.now + longest {
            let hint = format!("until: in the future, at most {} minutes from now", longest.0 / 60_000);
            return Decision::refuse(RefusalCode::BadArgs, hint);
        }
        if self.snoozed_until == Some(until) { unchanged() } else { commit(Event::Snoozed { until, by: by.clone() }) }
    }

    fn clear(&self, by: &By) -> Decision<Event> {
        if self.code.ends_by_itself() {
            let hint = "it ends by itself when its cause is gone: acknowledge it or put it off";
            return Decision::refuse(RefusalCode::WrongState, hint);
        }
        commit(Event::Cleared { by: Some(by.clone()) })
    }

    fn tick(&self, context: &Context<'_>) -> Decision<Event> {
        if self.snoozed_until.is_some_and(|until| until <= context.now) { commit(Event::Woken) } else { unchanged() }
    }

    fn apply(&mut self, event: &Event) {
        match event {
            Event::Raised { .. } => {}
            Event::Settled { device: Some(device) } => drop(self.devices.remove(device)),
            Event::Settled { device: None } => self.at_source = false,
            Event::Acked { by } => {
                (self.state, self.snoozed_until, self.owner) = (State::Acked, None, Some(by.user.clone()));
            }
            Event::Snoozed { until, by } => {
                (self.state, self.snoozed_until, self.owner) = (State::Snoozed, Some(*until), Some(by.user.clone()));
            }
            Event::Woken => (self.state, self.snoozed_until) = (State::Raised, None),
            Event::Cleared { .. } => {
                (self.state, self.snoozed_until, self.at_source) = (State::Cleared, None, false);
                self.devices.clear();
            }
        }
    }
}
