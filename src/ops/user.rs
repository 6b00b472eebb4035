//! `tongdao user …`: who may sign in. A password is made here, told once, and only its hash goes on.
use super::{by, named, state, word};
use crate::admin::Out;
use crate::backend::Backend;
use crate::cli::{UserCommand, Who};
use crate::console::login;
use crate::console::staff::{ADMIN, Staff};
use crate::exit::{Failure, OK, REFUSED, SOFTWARE, USAGE};
use serde::Serialize;
use std::collections::BTreeSet;
use std::str::FromStr;
use tongdao_actors::state::EntityState;
use tongdao_domain::entity::{EntityKey, EntityKind};
use tongdao_domain::id::UserId;
use tongdao_domain::machine::Refusal;
use tongdao_domain::user::{Command, PasswordHash, Role, Scope, User};
use tongdao_protocol::console::role;

mod token;

const ROLES: &str = "teller, lobby, remote_agent, supervisor, gate_operator, settlement, technician, manager, inspector, auditor, admin";

/// Somebody who can sign in to a demo.
#[derive(Clone, Serialize)]
pub struct SignIn {
    /// User id.
    pub user: &'static str,
    /// Their role.
    pub role: Role,
    /// Their password.
    pub password: String,
}

/// The people of a demo.
const DEMO: [(&str, Role); 7] = [
    ("operator", Role::GateOperator),
    ("supervisor-a", Role::Supervisor),
    ("supervisor-b", Role::Supervisor),
    ("technician", Role::Technician),
    ("auditor", Role::Auditor),
    ("manager", Role::Manager),
    (ADMIN, Role::Admin),
];

pub(super) async fn run(backend: &Backend, command: UserCommand, out: &Out) -> Result<u8, Failure> {
    match command {
        UserCommand::Add { id, roles, scope, who } => {
            let (id, roles, scope, by): (UserId, _, _, _) = (word(&id, "ID")?, roles_of(&roles)?, scope_of(&scope)?, by(&who)?);
            if user(backend, &id).await?.active().is_some() {
                return Err(Failure::new(REFUSED, format!("CONTRADICTS: user {id} is there already; see `tongdao user --help`")));
            }
            let (password, hash) = new_password().await?;
            ask(backend, &id, Command::Add { roles, scope, password: Some(hash), by }).await?;
            out.line(password).await;
        }
        UserCommand::Passwd { id, who } => {
            let (id, by): (UserId, _) = (word(&id, "ID")?, by(&who)?);
            let (password, hash) = new_password().await?;
            ask(backend, &id, Command::SetPassword { password: hash, by }).await?;
            out.line(password).await;
        }
        UserCommand::Roles { id, roles, scope, who } => {
            let command = Command::SetRoles { roles: roles_of(&roles)?, scope: scope_of(&scope)?, by: by(&who)? };
            ask(backend, &word(&id, "ID")?, command).await?;
        }
        UserCommand::Disable { id, who } => ask(backend, &word(&id, "ID")?, Command::Disable { by: by(&who)? }).await?,
        UserCommand::List { json } => list(backend, json, out).await?,
        UserCommand::Token(command) => token::run(backend, command, out).await?,
    }
    Ok(OK)
}

/// The password of the first user, where there was nobody yet.
///
/// # Errors
/// The journal cannot be read, or the user is refused.
pub async fn first(backend: &Backend) -> Result<Option<String>, Failure> {
    if !backend.entities(EntityKind::User).await?.is_empty() {
        return Ok(None);
    }
    let (password, hash) = new_password().await?;
    let by = by(&Who { by: ADMIN.into(), reason: "first start".into() })?;
    let command = Command::Add { roles: BTreeSet::from([Role::Admin]), scope: Scope::All, password: Some(hash), by };
    ask(backend, &word(ADMIN, "user")?, command).await?;
    Ok(Some(password))
}

/// The people of a demo, each with a password that was made just now.
pub fn demo() -> Vec<SignIn> {
    DEMO.map(|(user, role)| SignIn { user, role, password: login::generated() }).into()
}

/// Lets the people of a demo in, also where it runs again on the same data.
///
/// # Errors
/// Somebody is refused.
pub async fn settle(backend: &Backend, people: &[SignIn]) -> Result<(), Failure> {
    let by = by(&Who { by: "demo".into(), reason: "demo city".into() })?;
    for SignIn { user: name, role, password } in people {
        let (id, password): (UserId, _) = (word(name, "user")?, login::hash(password)?);
        let command = match user(backend, &id).await?.active() {
            Some(_) => Command::SetPassword { password, by: by.clone() },
            None => Command::Add { roles: BTreeSet::from([*role]), scope: Scope::All, password: Some(password), by: by.clone() },
        };
        ask(backend, &id, command).await?;
    }
    Ok(())
}

async fn new_password() -> Result<(String, PasswordHash), Failure> {
    let made = tokio::task::spawn_blocking(|| {
        let password = login::generated();
        login::hash(&password).map(|hash| (password, hash))
    });
    made.await.map_err(|fault| Failure::caused(SOFTWARE, &fault))?
}

async fn user(backend: &Backend, id: &UserId) -> Result<User, Failure> {
    match state(backend, &id.into()).await? {
        EntityState::User(user) => Ok(user),
        _ => Ok(User::default()),
    }
}

async fn ask(backend: &Backend, id: &UserId, command: Command) -> Result<(), Failure> {
    let refused = |refusal: Refusal| Failure::new(REFUSED, format!("{}: {}: {}", refusal.code.name(), EntityKey::from(id), refusal.hint));
    Staff::new(backend).ask(id, super::fresh_id(), command).await.map_err(refused)
}

fn roles_of(text: &str) -> Result<BTreeSet<Role>, Failure> {
    text.split(',').map(|name| named::<role::Role>(name.trim(), "--roles", ROLES).map(Role::from)).collect()
}

/// `all`, `sites:cd,xm` or `stations:tianfu`.
fn scope_of(text: &str) -> Result<Scope, Failure> {
    match text.split_once(':') {
        None if text == "all" => Ok(Scope::All),
        Some(("sites", ids)) => Ok(Scope::Sites(ids_of(ids)?)),
        Some(("stations", ids)) => Ok(Scope::Stations(ids_of(ids)?)),
        _ => Err(Failure::new(USAGE, format!("--scope: {text:?} is none of all, sites:ID[,ID], stations:ID[,ID]"))),
    }
}

fn ids_of<T: FromStr<Err: std::fmt::Display> + Ord>(text: &str) -> Result<BTreeSet<T>, Failure> {
    text.split(',').map(|id| word(id.trim(), "--scope")).collect()
}

async fn list(backend: &Backend, json: bool, out: &Out) -> Result<(), Failure> {
    let mut items = Vec::new();
    for key in backend.entities(EntityKind::User).await? {
        let EntityState::User(User { entry: Some(entry), .. }) = state(backend, &key).await? else { continue };
        let roles: Vec<&str> = entry.roles.iter().map(|role| role.name()).collect();
        let scope = serde_json::to_value(role::Scope::from(&entry.scope)).unwrap_or_default();
        if json {
            items.push(serde_json::json!({"user": key.id, "roles": roles, "scope": scope, "disabled": entry.disabled}));
        } else {
            let disabled = if entry.disabled { "disabled" } else { "" };
            out.line(format!("{:<24} {:<32} {:<24} {disabled}", key.id, roles.join(","), scope.to_string().replace('"', "")).trim_end())
                .await;
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
    fn roles_and_scopes_are_read_and_faults_are_named() {
        assert_eq!(roles_of("admin,gate_operator").expect("roles").len(), 2);
        assert!(roles_of("king").expect_err("no role").message.contains("gate_operator"));
        assert_eq!(scope_of("all").expect("everywhere"), Scope::All);
        assert!(matches!(scope_of("sites:cd,xm"), Ok(Scope::Sites(sites)) if sites.len() == 2));
        assert!(matches!(scope_of("stations:tianfu"), Ok(Scope::Stations(stations)) if stations.len() == 1));
        for bad in ["", "everywhere", "sites:", "stations:a b", "cities:cd"] {
            assert_eq!(scope_of(bad).expect_err(bad).code, USAGE, "{bad}");
        }
    }
}
