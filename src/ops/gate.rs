//! `tongdao gate …`: what gates do, what they say, what they are told.
use super::{ask, by, fresh_id, named, state, word};
use crate::admin::Out;
use crate::backend::Backend;
use crate::cli::GateCommand;
use crate::exit::{Failure, OK, USAGE};
use crate::show;
use tongdao_actors::state::EntityState;
use tongdao_domain::entity::EntityKey;
use tongdao_domain::gate::{Command, DeviceOrder};
use tongdao_domain::id::{DeviceId, StationId};
use tongdao_domain::machine::Reply;
use tongdao_domain::station::{self, Service};
use tongdao_domain::time::Millis;

const SERVICES: &str = "entry, exit, both, open, closed, paused, maintenance";
const COMMANDS: [&str; 5] = ["restart", "maintain", "resume", "config", "test_print"];
/// Longest life of an order, in seconds: a day.
const TTL_S_MAX: u64 = 86_400;

pub(super) async fn run(backend: &Backend, command: GateCommand, out: &Out) -> Result<u8, Failure> {
    match command {
        GateCommand::List { station, json } => list(backend, station.as_deref(), json, out).await?,
        GateCommand::Service { ids, service, who } => {
            let service: Service = named(&service, "SERVICE", SERVICES)?;
            for (station, devices) in by_station(backend, &ids)? {
                let command = station::Command::GateService { devices, service, by: by(&who)? };
                if let Reply::Mode { id, rev, of } = ask(backend, (&station).into(), command).await? {
                    out.line(format!("{station}: revision {rev} for {of} gates ({id})")).await;
                }
            }
        }
        GateCommand::Command { id, command, args, ttl, who } => {
            let device: DeviceId = word(&id, "ID")?;
            backend.known_gate(&device)?;
            let args = checked(&command, args.as_deref(), ttl)?;
            let expires_at = backend.door.clock().now() + Millis::seconds(ttl.cast_signed());
            let order = DeviceOrder { id: fresh_id(), command: command.into(), args: args.into(), expires_at, by: by(&who)? };
            let id = order.id.clone();
            ask(backend, EntityKey::gate(&device), Command::Order(order)).await?;
            out.line(format!("{device}: order {id}")).await;
        }
    }
    Ok(OK)
}

/// The arguments of an order as JSON text.
fn checked(command: &str, args: Option<&str>, ttl: u64) -> Result<String, Failure> {
    if !COMMANDS.contains(&command) {
        return Err(Failure::new(USAGE, format!("COMMAND: {command:?} is none of {}", COMMANDS.join(", "))));
    }
    if !(1..=TTL_S_MAX).contains(&ttl) {
        return Err(Failure::new(USAGE, format!("--ttl: {ttl} is not between 1 and {TTL_S_MAX} seconds")));
    }
    let args: serde_json::Value =
        serde_json::from_str(args.unwrap_or("{}")).map_err(|fault| Failure::new(USAGE, format!("--args: {fault}")))?;
    if !args.is_object() {
        return Err(Failure::new(USAGE, "--args: must be a JSON object"));
    }
    Ok(args.to_string())
}

/// The named gates by the station they stand in.
fn by_station(backend: &Backend, ids: &str) -> Result<std::collections::BTreeMap<StationId, Vec<DeviceId>>, Failure> {
    let mut stations = std::collections::BTreeMap::<StationId, Vec<DeviceId>>::new();
    for id in ids.split(',') {
        let device: DeviceId = word(id.trim(), "IDS")?;
        stations.entry(backend.known_gate(&device)?).or_default().push(device);
    }
    Ok(stations)
}

async fn list(backend: &Backend, station: Option<&str>, json: bool, out: &Out) -> Result<(), Failure> {
    let only: Option<StationId> = station.map(|s| word(s, "--station")).transpose()?;
    if let Some(station) = &only {
        backend.known_station(station)?;
    }
    let mut gates: Vec<_> = backend.world.gates.iter().filter(|(_, gate)| only.as_ref().is_none_or(|only| gate.station == *only)).collect();
    gates.sort_by_key(|(device, gate)| (&gate.station, *device));
    let mut items = Vec::new();
    for (device, place) in gates {
        let EntityState::Gate(gate) = state(backend, &EntityKey::gate(device)).await? else { continue };
        let EntityState::Station(station) = state(backend, &(&place.station).into()).await? else { continue };
        let service = station.services.get(device).copied().unwrap_or(place.service);
        let shown = show::gate(device, &place.station, service, station.rev, &gate);
        if json {
            items.push(shown);
        } else {
            out.line(show::gate_line(&shown)).await;
        }
    }
    if json {
        out.line(serde_json::Value::Array(items).to_string()).await;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_are_checked() {
        assert_eq!(checked("restart", None, 60).expect("fine"), "{}");
        assert!(checked("explode", None, 60).expect_err("no order").message.contains("test_print"));
        assert!(checked("config", Some("[]"), 60).is_err() && checked("config", Some("{"), 60).is_err());
        assert!(checked("resume", None, 0).is_err());
    }
}
