//! `tongdao device …`: the registry. A secret is made here, told once, and only its hash goes on.
use super::{all, ask, by, named, state, word};
use crate::admin::Out;
use crate::backend::Backend;
use crate::cli::{DeviceCommand, Who};
use crate::exit::{DATA, Failure, OK, REFUSED};
use futures_util::{FutureExt as _, TryFutureExt as _};
use sha2::{Digest as _, Sha256};
use tongdao_actors::state::EntityState;
use tongdao_domain::device::{Command, DeviceKind, Entry, SecretHash};
use tongdao_domain::entity::{EntityKey, EntityKind};
use tongdao_domain::id::{DeviceId, SiteId};
use tongdao_protocol::import;

const KINDS: &str = "gate, kiosk, robot, display";

pub(super) async fn run(backend: &Backend, command: DeviceCommand, out: &Out) -> Result<u8, Failure> {
    match command {
        DeviceCommand::Add { id, kind, site, who } => {
            let (id, kind, site): (DeviceId, DeviceKind, SiteId) =
                (word(&id, "ID")?, named(&kind, "--kind", KINDS)?, word(&site, "--site")?);
            backend.known_site(&site)?;
            if entry(backend, &id).await?.is_some_and(|entry| !entry.revoked) {
                return Err(Failure::new(
                    REFUSED,
                    format!("CONTRADICTS: device {id} is there already; `device rotate {id}` gives it a new secret"),
                ));
            }
            let secret = new_secret();
            let command = Command::Add { kind, site, secret: hash(&secret), by: by(&who)? };
            ask(backend, EntityKey::device(&id), command).await?;
            out.line(secret).await;
        }
        DeviceCommand::Rotate { id, who } => {
            let id: DeviceId = word(&id, "ID")?;
            let secret = new_secret();
            ask(backend, EntityKey::device(&id), Command::Rotate { secret: hash(&secret), by: by(&who)? }).await?;
            out.line(secret).await;
        }
        DeviceCommand::Revoke { id, who } => {
            let id: DeviceId = word(&id, "ID")?;
            ask(backend, EntityKey::device(&id), Command::Revoke { by: by(&who)? }).await?;
        }
        DeviceCommand::List { json } => list(backend, json, out).await?,
        DeviceCommand::Import { file, who } => import_all(backend, &file, &who, out).await?,
    }
    Ok(OK)
}

/// 160 random bits as 32 letters and digits.
pub fn new_secret() -> String {
    const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let bits: [u8; 32] = rand::random();
    bits.iter().map(|b| char::from(LETTERS[usize::from(b % 32)])).collect()
}

/// What the registry keeps of a secret.
pub fn hash(secret: &str) -> SecretHash {
    SecretHash(Sha256::digest(secret.as_bytes()).into())
}

async fn entry(backend: &Backend, id: &DeviceId) -> Result<Option<Entry>, Failure> {
    match state(backend, &EntityKey::device(id)).await? {
        EntityState::Device(device) => Ok(device.entry),
        _ => Ok(None),
    }
}

async fn list(backend: &Backend, json: bool, out: &Out) -> Result<(), Failure> {
    let mut items = Vec::new();
    for key in backend.entities(EntityKind::Device).await? {
        let EntityState::Device(device) = state(backend, &key).await? else { continue };
        let Some(entry) = device.entry else { continue };
        if json {
            items.push(serde_json::json!({"device": key.id, "kind": entry.kind, "site": entry.site, "revoked": entry.revoked}));
        } else {
            let kind = serde_json::to_value(entry.kind).ok().and_then(|k| k.as_str().map(str::to_owned)).unwrap_or_default();
            out.line(format!("{:<24} {:<8} {:<12} {}", key.id, kind, entry.site, if entry.revoked { "revoked" } else { "" }).trim_end())
                .await;
        }
    }
    if json {
        out.line(serde_json::Value::Array(items).to_string()).await;
    }
    Ok(())
}

/// The whole file is checked against itself and against what is there before the first commit.
async fn import_all(backend: &Backend, text: &str, who: &Who, out: &Out) -> Result<(), Failure> {
    let by = by(who)?;
    let rows = import::devices(text).map_err(|fault| Failure::new(DATA, fault))?;
    let fresh: Vec<_> =
        all(rows.iter().map(|row| is_new(backend, row).boxed())).await?.into_iter().zip(&rows).filter(|(new, _)| *new).collect();
    let added = fresh.len();
    let add = |row: &import::DeviceRow| Command::Add { kind: row.kind, site: row.site.clone(), secret: hash(&row.secret), by: by.clone() };
    all(fresh
        .iter()
        .map(|(_, row)| ask(backend, EntityKey::device(&row.device), add(row)).map_err(|fault| at_line(fault, row.line)).boxed()))
    .await?;
    out.line(format!("{added} devices added, {} were there already", rows.len() - added)).await;
    Ok(())
}

/// Must this row be added? A contradiction with what is there is a fault of the file.
async fn is_new(backend: &Backend, row: &import::DeviceRow) -> Result<bool, Failure> {
    backend.known_site(&row.site).map_err(|fault| Failure::new(DATA, format!("line {}: {}", row.line, fault.message)))?;
    match entry(backend, &row.device).await? {
        None => Ok(true),
        Some(there) if there.kind == row.kind && there.site == row.site && there.secret == hash(&row.secret) && !there.revoked => Ok(false),
        Some(_) => {
            Err(Failure::new(DATA, format!("line {}: device {} is there already with another kind, site or secret", row.line, row.device)))
        }
    }
}

/// Names the line of the file.
pub(super) fn at_line(fault: Failure, line: u64) -> Failure {
    Failure::new(fault.code, format!("line {line}: {}", fault.message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_long_and_never_the_same() {
        let (one, two) = (new_secret(), new_secret());
        assert_eq!(one.len(), 32);
        assert_ne!(one, two);
        assert_ne!(hash(&one).0, hash(&two).0);
    }
}
