//! What happened to stations, media, the registry and the audit, as it is exported. A secret's hash is not.
use super::{by, put, time};
use crate::gate::{AlarmKind, Service, StationMode};
use serde_json::{Value, json};
use tongdao_domain::audit::{self, Audit};
use tongdao_domain::device::{self, Device};
use tongdao_domain::machine::Machine as _;
use tongdao_domain::medium::{self, Medium};
use tongdao_domain::station::{self, Station};

pub(super) fn station(event: &station::Event) -> (&'static str, Value) {
    let d = match event {
        station::Event::ModesSet { id, rev, modes, from, until, by: who, approved_by, kept_from } => {
            let modes: Vec<StationMode> = modes.iter().map(|mode| (*mode).into()).collect();
            let mut d = json!({"id": id.as_str(), "rev": rev, "modes": modes, "from": time(*from), "kept_from": time(*kept_from)});
            put(&mut d, "until", until.map(time));
            put(&mut d, "by", who.as_ref().map(by));
            put(&mut d, "approved_by", approved_by.as_ref().map(|user| user.as_str()));
            d
        }
        station::Event::Alarmed { device, alarm, kind, on, at } => json!({
            "device": device.as_str(), "id": alarm.as_str(), "kind": AlarmKind::from(*kind), "on": on, "at": time(*at),
        }),
        station::Event::ServiceSet { id, rev, devices, service, by: who, from } => json!({
            "id": id.as_str(), "rev": rev, "devices": devices.iter().map(|device| device.as_str()).collect::<Vec<_>>(),
            "service": Service::from(*service), "from": time(*from), "by": by(who),
        }),
    };
    (Station::event_name(event), d)
}

pub(super) fn medium(event: &medium::Event) -> (&'static str, Value) {
    let (medium::Event::Claimed { owner } | medium::Event::Released { owner }) = event;
    (Medium::event_name(event), json!({"account": owner.as_str()}))
}

pub(super) fn device(event: &device::Event) -> (&'static str, Value) {
    let d = match event {
        device::Event::Added { kind, site, secret: _, by: who } => json!({"kind": kind.name(), "site": site.as_str(), "by": by(who)}),
        device::Event::Rotated { secret: _, by: who } | device::Event::Revoked { by: who } => json!({"by": by(who)}),
    };
    (Device::event_name(event), d)
}

pub(super) fn audit(event: &audit::Event) -> (&'static str, Value) {
    let d = match event {
        audit::Event::Counted(fault) => json!({
            "source": fault.source.as_str(), "code": fault.code.as_str(), "minute": time(fault.minute), "count": fault.count,
        }),
        audit::Event::Noted(note) => json!({
            "by": note.by.as_str(), "op": note.op.as_str(), "target": note.target.as_str(), "detail": note.detail.as_str(),
        }),
    };
    (Audit::event_name(event), d)
}
