//! `tongdao station …`: modes, emergency, release.
use super::{ask, by, moment, named, state, word};
use crate::admin::Out;
use crate::backend::Backend;
use crate::cli::StationCommand;
use crate::exit::{Failure, OK};
use std::collections::BTreeSet;
use tongdao_actors::state::EntityState;
use tongdao_domain::id::StationId;
use tongdao_domain::machine::Reply;
use tongdao_domain::station::{Command, Mode};

const MODES: &str = "closed, train_failure, time_waived, date_waived, fare_waived, order_waived, entry_waived (or `none`)";

pub(super) async fn run(backend: &Backend, command: StationCommand, out: &Out) -> Result<u8, Failure> {
    match command {
        StationCommand::Mode { station, modes, until, who } => {
            let until = until.as_deref().map(|until| moment(until, "--until")).transpose()?;
            change(backend, &station, Command::SetModes { modes: read_modes(&modes)?, until, by: by(&who)? }, out).await?;
        }
        StationCommand::Emergency { station, who } => change(backend, &station, Command::Emergency { by: by(&who)? }, out).await?,
        StationCommand::Release { station, who } => {
            change(backend, &station, Command::Release { by: by(&who)?, approved_by: None }, out).await?;
        }
        StationCommand::List { json } => list(backend, json, out).await?,
    }
    Ok(OK)
}

fn read_modes(text: &str) -> Result<BTreeSet<Mode>, Failure> {
    match text {
        "none" => Ok(BTreeSet::new()),
        modes => modes.split(',').map(|mode| named(mode.trim(), "MODES", MODES)).collect(),
    }
}

async fn change(backend: &Backend, station: &str, command: Command, out: &Out) -> Result<(), Failure> {
    let station: StationId = word(station, "STATION")?;
    backend.known_station(&station)?;
    if let Reply::Mode { id, rev, of } = ask(backend, (&station).into(), command).await? {
        out.line(format!("{station}: revision {rev} for {of} gates ({id})")).await;
    }
    Ok(())
}

async fn list(backend: &Backend, json: bool, out: &Out) -> Result<(), Failure> {
    let mut ids: Vec<_> = backend.world.stations.keys().cloned().collect();
    ids.sort();
    let mut items = Vec::new();
    for id in ids {
        let EntityState::Station(station) = state(backend, &(&id).into()).await? else { continue };
        let modes = serde_json::to_value(&station.modes).unwrap_or_default();
        if json {
            items.push(serde_json::json!({"station": id, "modes": modes, "rev": station.rev, "alarms": station.alarms.len()}));
        } else {
            let modes =
                station.modes.iter().map(|m| serde_json::to_value(m).ok().and_then(|m| m.as_str().map(str::to_owned)).unwrap_or_default());
            let modes: Vec<_> = modes.collect();
            let modes = if modes.is_empty() { "normal".to_owned() } else { modes.join(",") };
            out.line(format!("{id:<24} {modes:<24} revision {}, {} alarms on", station.rev, station.alarms.len())).await;
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
    fn modes_combine_and_none_is_normal_service() {
        assert!(read_modes("none").expect("modes").is_empty());
        assert_eq!(read_modes("closed,fare_waived").expect("modes").len(), 2);
        assert!(read_modes("party").expect_err("no mode").message.contains("order_waived"));
    }
}
