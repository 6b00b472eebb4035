//! What a gate checks before a tap goes to its account: ordered early returns, each a named outcome.
use super::{Command, Event, Gate, GateMemory, Twin};
use crate::account;
use crate::code::Code;
use crate::entity::EntityKey;
use crate::id::{AccountId, CommandId, StationId, TapId};
use crate::machine::{Context, Decision, Recipient, RefusalCode, Reply};
use crate::station::{Mode, Service};
use crate::tap::{Direction, Passage, Reference, Tap, TapDecision};
use crate::time::Timestamp;
use crate::world::StationView;

type Decided = Decision<Event>;

impl Gate {
    pub(super) fn check_tap(&self, context: &Context<'_>, memory: &GateMemory, tap: &Tap) -> Decided {
        let world = context.world;
        let offset = memory.clock_offset().unwrap_or(self.clock);
        if !self.has_reported(context) || offset.abs() > world.settings.clock_refuse {
            return refuse(context, tap, Code::NotInService);
        }
        let Some((station, view)) = world.station_of(&tap.id.device) else {
            return refuse(context, tap, Code::UnknownDevice);
        };
        let decide_by = tap.expires_at() + offset;
        if context.now > decide_by {
            return ask(context, tap, Code::Expired);
        }
        if tap.id.epoch < self.epoch.max(memory.epoch()) || self.has_record(&tap.id) {
            return ask(context, tap, Code::KeyReused);
        }
        if view.state.in_emergency() || view.state.modes_at(tap.at).contains(&Mode::Emergency) {
            return self.forward(tap, station, decide_by);
        }
        if let Some(code) = closed_to(context, view, tap) {
            return refuse(context, tap, code);
        }
        if world.deny.denies(&tap.medium.token) {
            return refuse(context, tap, Code::DenyListed);
        }
        if aisle_is_full(context, memory, tap) {
            return refuse(context, tap, Code::AisleFull);
        }
        self.forward(tap, station, decide_by)
    }

    fn forward(&self, tap: &Tap, station: &StationId, decide_by: Timestamp) -> Decided {
        let command = account::Command::Tap { tap: tap.clone(), station: station.clone(), decide_by };
        self.new_boot(&tap.id)
            .unwrap_or_else(|| Decision::Forward { to: Recipient::OwnerOf(tap.medium.token.clone()), command: command.into() })
    }

    /// What an account decides leaves no trace here, so a newer boot is written down before its first tap goes there: an older
    /// one stays refused over a crash. One commit a boot, none a tap.
    fn new_boot(&self, tap: &TapId) -> Option<Decided> {
        let boot = || CommandId::of(format_args!("boot/{}/{}", tap.device, tap.epoch));
        (tap.epoch > self.epoch).then(|| Decision::Before { id: boot(), events: vec![Event::BootSeen { epoch: tap.epoch }] })
    }

    /// Has the gate said what it is, once since it was registered?
    pub(super) fn has_reported(&self, context: &Context<'_>) -> bool {
        let added_at = context.world.devices.get(context.me.id.as_str()).map(|entry| entry.added_at);
        self.twin.is_some() && added_at.is_none_or(|added_at| self.reported_at >= added_at)
    }

    pub(super) fn take_state(&mut self, twin: &Twin, at: Timestamp) {
        if twin.online {
            self.clock = at - twin.at;
            if let Some(version) = twin.list().filter(|version| self.list.is_none_or(|known| known.version != *version)) {
                self.list = Some(super::ListAck { version, at });
            }
        }
        (self.twin, self.reported_at) = (Some(twin.clone()), at);
    }

    pub(super) fn check_passage(&self, command: &Command, tap: &TapId, reference: Option<&Reference>) -> Decided {
        let &Command::Passage { outcome, at, .. } = command else { return Decision::Misrouted };
        let (Some(reference), false) = (reference, outcome == Passage::Intrusion) else {
            let events = vec![Event::Passed { tap: tap.clone(), outcome, at }];
            return Decision::Commit { events, reply: Reply::Done };
        };
        let Some(account) = account_of(reference) else {
            return Decision::refuse(RefusalCode::BadArgs, "ref is none that a decision has handed out");
        };
        let command = account::Command::Passage { tap: tap.clone(), reference: reference.clone(), outcome, at };
        self.new_boot(tap)
            .unwrap_or_else(|| Decision::Forward { to: Recipient::Entity(EntityKey::from(&account)), command: command.into() })
    }
}

/// Refuses a tap by what the gate knows: an outcome, kept.
pub(super) fn refuse(context: &Context<'_>, tap: &Tap, code: Code) -> Decided {
    let place = context.world.station_of(&tap.id.device);
    let station = place.map(|(station, _)| station.clone());
    let rev = place.map_or(0, |(_, view)| view.state.rev);
    let reply = Reply::Tap(TapDecision::bare(tap, code, context.now));
    Decision::Commit { events: vec![Event::TapRefused { tap: tap.clone(), code, station, rev }], reply }
}

/// The first answer where there was one; else this, which is not kept.
fn ask(context: &Context<'_>, tap: &Tap, code: Code) -> Decided {
    Decision::Ask { otherwise: Reply::Tap(TapDecision::bare(tap, code, context.now)) }
}

/// Why gate or station take no such tap now.
fn closed_to(context: &Context<'_>, view: &StationView, tap: &Tap) -> Option<Code> {
    let service = context.world.service_of(&tap.id.device).unwrap_or_default();
    match (service, tap.direction) {
        (Service::Closed | Service::Paused | Service::Maintenance, _) => Some(Code::NotInService),
        (Service::Entry, Direction::Exit) | (Service::Exit, Direction::Entry) => Some(Code::WrongDirection),
        (_, Direction::Entry) if view.state.modes_at(tap.at).contains(&Mode::Closed) => Some(Code::StationClosed),
        (Service::Entry | Service::Exit | Service::Both | Service::Open, _) => None,
    }
}

fn aisle_is_full(context: &Context<'_>, memory: &GateMemory, tap: &Tap) -> bool {
    let settings = &context.world.settings;
    let riders_max = usize::try_from(settings.riders_max).unwrap_or(usize::MAX);
    riders_max > 0 && memory.riders_beside(tap, context.now, settings.no_passage) >= riders_max
}

/// The account in a reference `{account}/{number}`.
fn account_of(reference: &Reference) -> Option<AccountId> {
    let (account, number) = reference.0.rsplit_once('/')?;
    number.parse::<u64>().ok()?;
    AccountId::new(account).ok()
}
