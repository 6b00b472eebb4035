//! `tongdao station …`: modes, emergency, release.
use super::{ask, by, moment, named, state, word};
use crate::admin::Out;
use crate::backend::Backend;
use crate::cli::StationCommand;
use crate::console::rights::lets_leave_an_emergency;
use crate::exit::{Failure, OK, REFUSED};
use std::collections::BTreeSet;
use tongdao_actors::state::EntityState;
use tongdao_domain::entity::EntityKind;
use tongdao_domain::id::{StationId, UserId};
use tongdao_domain::machine::Reply;
use tongdao_domain::station::{Command, Mode};
use tongdao_domain::user::Entry;

const MODES: &str = "closed, train_failure, time_waived, date_waived, fare_waived, order_waived, entry_waived (or `none`)";

pub(super) async fn run(backend: &Backend, command: StationCommand, out: &Out) -> Result<u8, Failure> {
    match command {
        StationCommand::Mode { station, modes, until, who } => {
            let until = until.as_deref().map(|until| moment(until, "--until")).transpose()?;
            change(backend, &station, Command::SetModes { modes: read_modes(&modes)?, until, by: by(&who)? }, out).await?;
        }
        StationCommand::Emergency { station, who } => change(backend, &station, Command::Emergency { by: by(&who)? }, out).await?,
        StationCommand::Release { station, approved_by, who } => {
            let by = by(&who)?;
            let approved_by = two_persons(backend, &word(&station, "STATION")?, &by.user, approved_by.as_deref()).await?;
            change(backend, &station, Command::Release { by, approved_by }, out).await?;
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

/// Leaving an emergency takes two persons as soon as there are users: whoever does it, and another who may let them.
async fn two_persons(backend: &Backend, station: &StationId, by: &UserId, approved_by: Option<&str>) -> Result<Option<UserId>, Failure> {
    let second = approved_by.map(|user| word::<UserId>(user, "--approved-by")).transpose()?;
    if backend.entities(EntityKind::User).await?.is_empty() {
        return Ok(second);
    }
    let refused = |what: String| Failure::new(REFUSED, what);
    let Some(second) = second else {
        let hint =
            "NEEDS_APPROVAL: --approved-by: a second user lets you leave an emergency: a gate operator, supervisor, manager or admin";
        return Err(refused(hint.to_owned()));
    };
    if second == *by {
        return Err(refused("FORBIDDEN: --approved-by: who does it does not approve it: a second person must".to_owned()));
    }
    active(backend, by).await?.ok_or_else(|| refused(format!("NOT_FOUND: --by: no user {by} who is let in")))?;
    let entry =
        active(backend, &second).await?.ok_or_else(|| refused(format!("NOT_FOUND: --approved-by: no user {second} who is let in")))?;
    if !lets_leave_an_emergency(&entry.roles, &entry.scope, &backend.world, station) {
        return Err(refused(format!("FORBIDDEN: --approved-by: {second} may not let others leave the emergency of {station}")));
    }
    Ok(Some(second))
}

/// A user who is let in.
async fn active(backend: &Backend, user: &UserId) -> Result<Option<Entry>, Failure> {
    match state(backend, &user.into()).await? {
        EntityState::User(user) => Ok(user.active().cloned()),
        _ => Ok(None),
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
