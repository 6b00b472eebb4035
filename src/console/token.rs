//! Tokens of programs at the door: how a value looks, what it opens, and `/api/v1/tokens`, where people make, see and revoke
//! theirs. Nobody makes a token in another's name but whoever sits at the server (`tongdao user token`), and no token makes
//! another: what a program does is always some person's, and stands in the audit as theirs.
//!
//! Not here: what a token may do (`domain::user::token`, `rights`), how long its session lasts (`session`).
use super::problem::{Body, Refused, not_found};
use super::session::{SessionKey, random};
use super::{Asker, Caller, Console, rights};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use serde::Deserialize;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use tongdao_domain::device::By;
use tongdao_domain::id::{CommandId, TokenId, UserId};
use tongdao_domain::machine::RefusalCode;
use tongdao_domain::time::{Millis, Timestamp};
use tongdao_domain::user::{Command, Token, User, token};
use tongdao_protocol::console::codes::{Code, ErrorBody};
use tongdao_protocol::console::http::{Page, TokenBody, TokenItem, TokenMade};
use tongdao_protocol::console::role::roles_into_domain;
use tongdao_protocol::console::strict::BadArgs;

#[cfg(test)]
mod tests;

/// First part of every value, so that a scanner for secrets knows one when it sees it.
pub const PREFIX: &str = "tongdao";
/// Between the parts of a value and of a name: no id has it, and HTTP Bearer and an address take it as it is.
const SEPARATOR: char = '~';
/// Digits of a token's id, which is no secret.
const ID_DIGITS: usize = 10;

/// Which token: whose, and which of theirs. As text `li~0a1b2c3d4e`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// Whose.
    pub user: UserId,
    /// Which of theirs.
    pub id: TokenId,
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{SEPARATOR}{}", self.user, self.id)
    }
}
/// A text names no token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no token is called that: USER~ID")]
pub struct NoName;

impl FromStr for Named {
    type Err = NoName;
    fn from_str(text: &str) -> Result<Self, NoName> {
        let (user, id) = text.split_once(SEPARATOR).ok_or(NoName)?;
        Ok(Self { user: user.parse().map_err(|_| NoName)?, id: id.parse().map_err(|_| NoName)? })
    }
}

impl Named {
    /// Out of a value: `tongdao~li~0a1b2c3d4e~…`.
    fn of_value(value: &str) -> Option<Self> {
        let rest = value.strip_prefix(PREFIX)?.strip_prefix(SEPARATOR)?;
        rest.rsplit_once(SEPARATOR)?.0.parse().ok()
    }
}

/// A token made just now: its value is in nobody else's hands.
pub struct Fresh {
    /// Which.
    pub named: Named,
    /// What its program says.
    pub value: String,
}

impl Fresh {
    /// Of this user.
    #[must_use]
    pub fn of(user: &UserId) -> Option<Self> {
        let id = random().get(..ID_DIGITS)?.parse().ok()?;
        let named = Named { user: user.clone(), id };
        let value = format!("{PREFIX}{SEPARATOR}{named}{SEPARATOR}{}", random());
        Some(Self { named, value })
    }

    /// The command that keeps it, with the hash in the value's place.
    #[must_use]
    pub fn command(&self, asked: Asked, by: By) -> Command {
        let Asked { name, roles, scope, expires_at } = asked;
        let hash = SessionKey::of(&self.value).as_hash();
        Command::Token(token::Command::Make { id: self.named.id.clone(), name, hash, roles, scope, expires_at, by })
    }
}

/// What a token is to be.
pub struct Asked {
    /// What it is for.
    pub name: compact_str::CompactString,
    /// What it may do, if less than its user.
    pub roles: Option<std::collections::BTreeSet<tongdao_domain::user::Role>>,
    /// Where, if less than its user.
    pub scope: Option<tongdao_domain::user::Scope>,
    /// From this moment on it is no good.
    pub expires_at: Timestamp,
}

/// The value of HTTP Bearer.
#[must_use]
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, value) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| value.trim())
}

impl Console {
    /// The session of whoever asks: a program's by its token, a page's by its cookie.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`, `TOO_MANY`, `BUSY`.
    pub async fn session_for(&self, asker: &Asker) -> Result<SessionKey, ErrorBody> {
        match bearer(&asker.headers) {
            Some(value) => self.of_token(value, asker.address).await,
            None => self.session_of(&asker.headers),
        }
    }

    /// A token that has a session here is known by its hash alone. Another one costs a try of its address, right or wrong, and
    /// a look at its user.
    async fn of_token(&self, value: &str, address: IpAddr) -> Result<SessionKey, ErrorBody> {
        let (key, now) = (SessionKey::of(value), self.now());
        let named = Named::of_value(value);
        if let (Some(named), true) = (&named, self.sessions().find(&key, now).is_some()) {
            if self.sessions().tells_use(&key, now) {
                self.tell_use(named).await;
            }
            return Ok(key);
        }
        self.0.guard.count_token(address)?;
        let unknown = || ErrorBody::new(Code::Unauthenticated);
        let named = named.ok_or_else(unknown)?;
        let state = self.staff().state(&named.user).await?;
        if !self.sessions().open_token(key, &named.user, &state, &named.id, now) {
            self.refuse_token(&named, &state, address).await;
            return Err(unknown());
        }
        self.note(&named.user, "session.login", &format!("user/{}", named.user), &format!("token {} {address}", named.id)).await;
        if state.tokens.get(&named.id).and_then(|token| token.used_at).is_none_or(|at| now - at >= Millis::hours(1)) {
            self.tell_use(&named).await;
        }
        Ok(key)
    }

    /// That it is used is kept, to about the hour; where it cannot be kept now, the program is not in the way.
    async fn tell_use(&self, named: &Named) {
        let id = CommandId::of(format_args!("token/{:032x}", rand::random::<u128>()));
        let command = Command::Token(token::Command::Use { id: named.id.clone() });
        let _ = self.staff().ask(&named.user, id, command).await;
    }

    /// Whose name somebody has made up stands nowhere.
    async fn refuse_token(&self, named: &Named, state: &User, address: IpAddr) {
        if state.entry.is_some() {
            let known = if state.tokens.contains_key(&named.id) { named.id.as_str() } else { "unknown" };
            self.note_refused(&named.user, "token.refused", &format!("{known} {address}")).await;
        }
    }
}

pub(super) fn routes() -> Router<Console> {
    Router::new().route("/api/v1/tokens", get(list)).route("/api/v1/tokens", post(make)).route("/api/v1/tokens/{id}", delete(revoke))
}

/// Whose tokens, out of the query of the address; one's own where it says nothing.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Whose {
    user: Option<UserId>,
}

async fn list(
    State(console): State<Console>,
    asker: Asker,
    whose: Result<Query<Whose>, axum::extract::rejection::QueryRejection>,
) -> Result<Json<Page<TokenItem>>, Refused> {
    let caller = console.looks(&asker).await?;
    let Query(Whose { user }) = whose.map_err(|_| ErrorBody::from(&BadArgs::bad("query", "user, an id")))?;
    let user = user.unwrap_or_else(|| caller.user.clone());
    rights::may_see_tokens(&caller, &user)?;
    let (state, now) = (console.staff().state(&user).await?, console.now());
    let good = state.tokens.iter().filter(|(_, token)| now < token.expires_at);
    let items = good.map(|(id, token)| item(&Named { user: user.clone(), id: id.clone() }, token)).collect();
    Ok(Json(Page { items, next: None }))
}

fn item(named: &Named, token: &Token) -> TokenItem {
    TokenItem {
        token: named.to_string(),
        user: named.user.to_string(),
        name: token.name.to_string(),
        roles: token.roles.as_ref().map(|roles| roles.iter().map(|role| (*role).into()).collect()),
        scope: token.scope.as_ref().map(Into::into),
        made_at: token.made_at.into(),
        expires_at: token.expires_at.into(),
        used_at: token.used_at.map(Into::into),
    }
}

async fn make(State(console): State<Console>, asker: Asker, Body(body): Body<TokenBody>) -> Result<Json<TokenMade>, Refused> {
    let caller = console.acts(&asker).await?;
    rights::is_a_person(&caller)?;
    let days_max = console.settings().token_days_max;
    if !(1..=days_max).contains(&body.days) {
        return Err(ErrorBody::new(Code::BadArgs).with("field", "days").with("expected", format!("1 to {days_max}")).into());
    }
    let asked = Asked {
        name: body.name.as_str().into(),
        roles: body.roles.as_deref().map(roles_into_domain),
        scope: body.scope.as_ref().map(Into::into),
        expires_at: console.now() + Millis::hours(24 * i64::from(body.days)),
    };
    let (user, expires_at) = (&caller.user, asked.expires_at);
    let fresh = Fresh::of(user).ok_or(Code::Internal)?;
    let by = By { user: user.clone(), reason: body.name.as_str().into() };
    console.ask_user(user, fresh.command(asked, by)).await?;
    Ok(Json(TokenMade { token: fresh.named.to_string(), value: fresh.value, expires_at: expires_at.into() }))
}

async fn revoke(State(console): State<Console>, asker: Asker, Path(id): Path<String>) -> Result<StatusCode, Refused> {
    let caller = console.acts(&asker).await?;
    rights::is_a_person(&caller)?;
    let named: Named = id.parse().map_err(|_| not_found())?;
    console.revoke(&caller, &named).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl Console {
    async fn revoke(&self, caller: &Caller, named: &Named) -> Result<(), ErrorBody> {
        rights::may_revoke_tokens(caller, &named.user)?;
        let by = By { user: caller.user.clone(), reason: "".into() };
        self.ask_user(&named.user, Command::Token(token::Command::Revoke { id: named.id.clone(), by })).await?;
        // What was taken away is gone at once; where it cannot be looked at now, the next sweep does.
        let _ = self.look_at(&named.user).await;
        Ok(())
    }

    async fn ask_user(&self, user: &UserId, command: Command) -> Result<(), ErrorBody> {
        let id = CommandId::of(format_args!("token/{:032x}", rand::random::<u128>()));
        self.staff().ask(user, id, command).await.map_err(|refusal| match refusal.code {
            RefusalCode::NotFound => Code::NotFound.into(),
            _ => ErrorBody::from(&refusal),
        })
    }
}
