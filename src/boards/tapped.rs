//! What the boards see in a tap's event, whichever entity answered it.
use tongdao_domain::account;
use tongdao_domain::code::Code;
use tongdao_domain::gate;
use tongdao_domain::id::{DeviceId, StationId};
use tongdao_domain::machine::Event;
use tongdao_domain::tap::{Direction, Shown};

/// A decided tap.
#[derive(Debug, Clone, Copy)]
pub struct Tapped<'a> {
    /// The gate.
    pub device: &'a DeviceId,
    /// Where it stands; none = nowhere.
    pub station: Option<&'a StationId>,
    /// Which way.
    pub direction: Direction,
    /// What it was told.
    pub code: Code,
}

impl<'a> Tapped<'a> {
    /// The tap of an event, where it is one.
    #[must_use]
    pub fn of(event: &'a Event) -> Option<Self> {
        let (tap, station, code) = match event {
            Event::Account(
                account::Event::TapDecided { tap, station, code, .. } | account::Event::TapRepeated { tap, station, code, .. },
            ) => (tap, Some(station), *code),
            Event::Gate(gate::Event::TapRefused { tap, code, station, .. }) => (tap, station.as_ref(), *code),
            _ => return None,
        };
        Some(Self { device: &tap.id.device, station, direction: tap.direction, code })
    }
    /// What the gate does.
    #[must_use]
    pub const fn shown(&self) -> Shown {
        if self.code.opens() { Shown::Open } else { Shown::Deny }
    }
}
