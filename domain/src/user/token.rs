//! Tokens for programs that outlive a session: each belongs to a user, can do at most what that user can, and ends by itself.
//! Here stands the hash of its value alone; whoever made it has seen the value once.
//!
//! Not here: how a value looks and who may make one (the console's edge, the command line).
use super::{Role, Scope, User};
use crate::device::{By, SecretHash};
use crate::fingerprint::Fingerprinter;
use crate::id::TokenId;
use crate::machine::{Context, Decision, RefusalCode, Reply};
use crate::time::Timestamp;
use crate::world::World;
use compact_str::CompactString;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

#[cfg(test)]
mod tests;

/// Tokens of one user that are good at one time, at most.
pub const TOKENS_MAX: usize = 32;
/// Longest name of a token, in characters.
pub const NAME_CHARACTERS_MAX: usize = 64;

/// A token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    /// What it is for, in the words of whoever made it.
    pub name: CompactString,
    /// SHA-256 of its value, which has 256 random bits.
    pub hash: SecretHash,
    /// What it may do of what its user may; none = all of it.
    pub roles: Option<BTreeSet<Role>>,
    /// Where, within its user's scope; none = all of it.
    pub scope: Option<Scope>,
    /// When it was made.
    pub made_at: Timestamp,
    /// From this moment on it is no good.
    pub expires_at: Timestamp,
    /// When it was last used, to about the hour.
    pub used_at: Option<Timestamp>,
}

/// What may be asked of a user's tokens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Command {
    /// Keep a token that was made just now.
    Make {
        /// Its id.
        id: TokenId,
        /// What it is for.
        name: CompactString,
        /// SHA-256 of its value.
        hash: SecretHash,
        /// What it may do, if less than its user.
        roles: Option<BTreeSet<Role>>,
        /// Where, if less than its user.
        scope: Option<Scope>,
        /// From this moment on it is no good.
        expires_at: Timestamp,
        /// Who and why.
        by: By,
    },
    /// It is no good any more.
    Revoke {
        /// Its id.
        id: TokenId,
        /// Who and why.
        by: By,
    },
    /// A program has come with it.
    Use {
        /// Its id.
        id: TokenId,
    },
}

/// What can have happened to a user's tokens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// A token was made.
    Made {
        /// Its id.
        id: TokenId,
        /// What it is for.
        name: CompactString,
        /// SHA-256 of its value.
        hash: SecretHash,
        /// What it may do, if less than its user.
        roles: Option<BTreeSet<Role>>,
        /// Where, if less than its user.
        scope: Option<Scope>,
        /// From this moment on it is no good.
        expires_at: Timestamp,
        /// Who and why.
        by: By,
    },
    /// It is no good any more.
    Revoked {
        /// Its id.
        id: TokenId,
        /// Who and why.
        by: By,
    },
    /// A program came with it.
    Used {
        /// Its id.
        id: TokenId,
    },
}

impl Scope {
    /// What is within both.
    #[must_use]
    pub fn within(&self, other: &Self, world: &World) -> Self {
        match (self, other) {
            (Self::All, scope) | (scope, Self::All) => scope.clone(),
            (Self::Sites(one), Self::Sites(other)) => Self::Sites(one & other),
            (Self::Stations(one), Self::Stations(other)) => Self::Stations(one & other),
            (Self::Stations(stations), sites) | (sites, Self::Stations(stations)) => {
                Self::Stations(stations.iter().filter(|station| sites.covers_station(world, station)).cloned().collect())
            }
        }
    }
}

impl User {
    /// A token that is good now.
    #[must_use]
    pub fn token(&self, id: &TokenId, now: Timestamp) -> Option<&Token> {
        self.active()?;
        self.tokens.get(id).filter(|token| now < token.expires_at)
    }

    /// What a program with this token may do now: never more than its user; none where either is no good.
    #[must_use]
    pub fn token_rights(&self, id: &TokenId, world: &World, now: Timestamp) -> Option<(BTreeSet<Role>, Scope)> {
        let (token, entry) = (self.token(id, now)?, self.active()?);
        let roles = token.roles.as_ref().map_or_else(|| entry.roles.clone(), |roles| roles & &entry.roles);
        let scope = token.scope.as_ref().map_or_else(|| entry.scope.clone(), |scope| scope.within(&entry.scope, world));
        Some((roles, scope))
    }

    pub(super) fn decide_token(&self, context: &Context<'_>, command: &Command) -> Decision<super::Event> {
        let Some(entry) = &self.entry else {
            return Decision::refuse(RefusalCode::NotFound, format!("no user {}", context.me.id));
        };
        let commit = |event| Decision::Commit { events: vec![super::Event::Token(event)], reply: Reply::Done };
        match command {
            Command::Make { .. } if entry.disabled => {
                Decision::refuse(RefusalCode::WrongState, format!("the user {} is disabled", context.me.id))
            }
            Command::Make { id, name, hash, roles, scope, expires_at, by } => {
                if let Some(refusal) = self.stands_against(context, command) {
                    return refusal;
                }
                let (name, roles, scope) = (name.clone(), roles.clone(), scope.clone());
                commit(Event::Made { id: id.clone(), name, hash: *hash, roles, scope, expires_at: *expires_at, by: by.clone() })
            }
            Command::Revoke { id, .. } | Command::Use { id } if !self.tokens.contains_key(id) => {
                Decision::refuse(RefusalCode::NotFound, "no such token")
            }
            Command::Revoke { id, by } => commit(Event::Revoked { id: id.clone(), by: by.clone() }),
            Command::Use { id } => commit(Event::Used { id: id.clone() }),
        }
    }

    /// Why this token cannot be made.
    fn stands_against(&self, context: &Context<'_>, command: &Command) -> Option<Decision<super::Event>> {
        let Command::Make { id, name, roles, scope, expires_at, .. } = command else { return None };
        let bad = |hint: String| Some(Decision::refuse(RefusalCode::BadArgs, hint));
        let theirs = &self.entry.as_ref()?.roles;
        if !(1..=NAME_CHARACTERS_MAX).contains(&name.chars().count()) || name.trim().is_empty() || name.chars().any(char::is_control) {
            return bad(format!("name: 1 to {NAME_CHARACTERS_MAX} printable characters"));
        }
        if roles.as_ref().is_some_and(|roles| roles.is_empty() || !roles.is_subset(theirs)) {
            return bad("roles: some of the user's own".into());
        }
        if scope.as_ref().is_some_and(|scope| !scope.fits()) {
            return bad(format!("scope: name 1 to {} sites or stations, or all", super::SCOPE_ITEMS_MAX));
        }
        if *expires_at <= context.now {
            return bad("expires_at: a moment to come".into());
        }
        if self.tokens.contains_key(id) {
            return Some(Decision::refuse(RefusalCode::Contradicts, "there is such a token"));
        }
        let good = self.tokens.values().filter(|token| context.now < token.expires_at).count();
        (good >= TOKENS_MAX).then(|| Decision::refuse(RefusalCode::WrongState, format!("{TOKENS_MAX} tokens are enough: revoke one")))
    }

    pub(super) fn apply_token(&mut self, event: &Event, at: Timestamp) {
        match event {
            Event::Made { id, name, hash, roles, scope, expires_at, .. } => {
                self.tokens.retain(|_, token| at < token.expires_at);
                let (name, roles, scope) = (name.clone(), roles.clone(), scope.clone());
                let token = Token { name, hash: *hash, roles, scope, made_at: at, expires_at: *expires_at, used_at: None };
                self.tokens.insert(id.clone(), token);
            }
            Event::Revoked { id, .. } => drop(self.tokens.remove(id)),
            Event::Used { id } => {
                if let Some(token) = self.tokens.get_mut(id) {
                    token.used_at = Some(at);
                }
            }
        }
    }
}

impl Event {
    /// Does it change what somebody decides upon? That a token was used does not.
    pub(super) const fn counts(&self) -> bool {
        !matches!(self, Self::Used { .. })
    }
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Made { .. } => "user.token_made",
            Self::Revoked { .. } => "user.token_revoked",
            Self::Used { .. } => "user.token_used",
        }
    }
}

impl Command {
    pub(super) fn print(&self) -> Fingerprinter {
        match self {
            // The value is made anew on each try: its hash is no part of the meaning.
            Self::Make { id, name, roles, scope, expires_at, by, .. } => {
                let print = by.fingerprint(Fingerprinter::new("user.token_make")).text(id.as_str()).text(name).number(expires_at.0);
                let print = print.count(roles.as_ref().map_or(0, |roles| roles.len() as u64));
                let print = roles.iter().flatten().fold(print, |print, role| print.text(role.name()));
                scope.iter().fold(print, |print, scope| scope.print(print))
            }
            Self::Revoke { id, by } => by.fingerprint(Fingerprinter::new("user.token_revoke")).text(id.as_str()),
            Self::Use { id } => Fingerprinter::new("user.token_use").text(id.as_str()),
        }
    }
}
