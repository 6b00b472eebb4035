//! `tongdao user token …`: whoever sits at the server makes tokens for anybody, and stands in the audit with it.
use super::{ask, roles_of, scope_of, user};
use crate::admin::Out;
use crate::backend::Backend;
use crate::cli::TokenCommand;
use crate::console::token::{Asked, Fresh, Named};
use crate::exit::{Failure, SOFTWARE, USAGE};
use crate::ops::{by, rfc3339, word};
use serde_json::{Value, json};
use tongdao_domain::entity::EntityKind;
use tongdao_domain::id::UserId;
use tongdao_domain::time::{Millis, Timestamp};
use tongdao_domain::user::{Command, Token, token};
use tongdao_protocol::console::role;

/// Longest life of a token, in days: ten years.
const DAYS_MAX: u32 = 3660;

pub(super) async fn run(backend: &Backend, command: TokenCommand, out: &Out) -> Result<(), Failure> {
    match command {
        TokenCommand::Add { user, name, days, roles, scope, who } => {
            if !(1..=DAYS_MAX).contains(&days) {
                return Err(Failure::new(USAGE, format!("--days must be 1 to {DAYS_MAX}")));
            }
            let (user, by): (UserId, _) = (word(&user, "USER")?, by(&who)?);
            let asked = Asked {
                name: name.trim().into(),
                roles: roles.as_deref().map(roles_of).transpose()?,
                scope: scope.as_deref().map(scope_of).transpose()?,
                expires_at: backend.door.clock().now() + Millis::hours(24 * i64::from(days)),
            };
            let fresh = Fresh::of(&user).ok_or_else(|| Failure::new(SOFTWARE, "no token could be made"))?;
            ask(backend, &user, fresh.command(asked, by)).await?;
            out.line(fresh.value).await;
        }
        TokenCommand::Revoke { token, who } => {
            let named: Named = word(&token, "TOKEN")?;
            ask(backend, &named.user, Command::Token(token::Command::Revoke { id: named.id, by: by(&who)? })).await?;
        }
        TokenCommand::List { user, json } => list(backend, user, json, out).await?,
    }
    Ok(())
}

async fn list(backend: &Backend, only: Option<String>, json: bool, out: &Out) -> Result<(), Failure> {
    let users: Vec<UserId> = match only {
        Some(id) => vec![word(&id, "USER")?],
        None => backend.entities(EntityKind::User).await?.iter().filter_map(|key| key.id.parse().ok()).collect(),
    };
    let (now, mut items) = (backend.door.clock().now(), Vec::new());
    for id in users {
        let state = user(backend, &id).await?;
        for (token, of) in state.tokens.iter().filter(|(_, token)| now < token.expires_at) {
            let named = Named { user: id.clone(), id: token.clone() };
            if json {
                items.push(described(&named, of));
            } else {
                out.line(line(&named, of)).await;
            }
        }
    }
    if json {
        out.line(Value::Array(items).to_string()).await;
    }
    Ok(())
}

fn names(token: &Token) -> Option<Vec<&'static str>> {
    token.roles.as_ref().map(|roles| roles.iter().map(|role| role.name()).collect())
}

fn described(named: &Named, token: &Token) -> Value {
    json!({
        "token": named.to_string(), "user": named.user, "name": token.name, "roles": names(token),
        "scope": token.scope.as_ref().map(role::Scope::from), "made_at": rfc3339(token.made_at),
        "expires_at": rfc3339(token.expires_at), "used_at": token.used_at.map(rfc3339),
    })
}

fn line(named: &Named, token: &Token) -> String {
    let used = |at: Option<Timestamp>| at.map_or_else(|| "never used".to_owned(), |at| format!("used {}", rfc3339(at)));
    let roles = names(token).map_or_else(|| "as its user".to_owned(), |names| names.join(","));
    format!("{:<28} {:<24} {roles:<24} until {}  {}", named.to_string(), token.name, rfc3339(token.expires_at), used(token.used_at))
}
