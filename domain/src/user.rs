//! A member of staff: roles, scope, the hash of a password, and since when sessions count. By user id only: no name, no
//! address. Sessions themselves live with the process; here stands the generation that makes all older ones void.
use crate::device::By;
use crate::entity::EntityKind;
use crate::fingerprint::{Fingerprint, Fingerprinter};
use crate::id::{SiteId, StationId, TokenId};
use crate::machine::{Context, Decision, Machine, RefusalCode, Reply};
use crate::time::Timestamp;
use crate::world::World;
use compact_str::CompactString;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

#[cfg(test)]
mod tests;
pub mod token;

pub use token::Token;

/// Longest password hash that is taken, in bytes.
pub const PASSWORD_HASH_BYTES_MAX: usize = 256;
/// Sites or stations in one scope, at most.
pub const SCOPE_ITEMS_MAX: usize = 1024;

/// What a person may do; what each role allows is one table at the choke point of the console.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Serves customers at a counter (柜员).
    Teller,
    /// Manages the lobby (大堂经理).
    Lobby,
    /// Serves customers remotely (远程坐席).
    RemoteAgent,
    /// Approves and supervises (主管).
    Supervisor,
    /// Runs stations and gates (站务).
    GateOperator,
    /// Settles money between operators (清分).
    Settlement,
    /// Looks after devices; sees no customer data (维修).
    Technician,
    /// Runs a branch or a line (经理).
    Manager,
    /// Inspects recordings (质检).
    Inspector,
    /// Reads the audit (审计).
    Auditor,
    /// Manages users; sees no customer data (管理员).
    Admin,
}

impl Role {
    /// Every role.
    pub const ALL: &'static [Self] = &[
        Self::Teller,
        Self::Lobby,
        Self::RemoteAgent,
        Self::Supervisor,
        Self::GateOperator,
        Self::Settlement,
        Self::Technician,
        Self::Manager,
        Self::Inspector,
        Self::Auditor,
        Self::Admin,
    ];
    /// The name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Teller => "teller",
            Self::Lobby => "lobby",
            Self::RemoteAgent => "remote_agent",
            Self::Supervisor => "supervisor",
            Self::GateOperator => "gate_operator",
            Self::Settlement => "settlement",
            Self::Technician => "technician",
            Self::Manager => "manager",
            Self::Inspector => "inspector",
            Self::Auditor => "auditor",
            Self::Admin => "admin",
        }
    }
    /// The one with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|role| role.name() == name)
    }
}

/// Where a person's roles count.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Everywhere.
    All,
    /// At these sites with all their stations and branches.
    Sites(BTreeSet<SiteId>),
    /// At these stations only.
    Stations(BTreeSet<StationId>),
}

impl Scope {
    /// Is the whole site within it?
    #[must_use]
    pub fn covers_site(&self, site: &SiteId) -> bool {
        match self {
            Self::All => true,
            Self::Sites(sites) => sites.contains(site),
            Self::Stations(_) => false,
        }
    }
    /// Is the station within it? A station that no site file names is within `All` alone.
    #[must_use]
    pub fn covers_station(&self, world: &World, station: &StationId) -> bool {
        match self {
            Self::All => true,
            Self::Sites(sites) => world.stations.get(station).is_some_and(|view| sites.contains(&view.site)),
            Self::Stations(stations) => stations.contains(station),
        }
    }
    fn fits(&self) -> bool {
        match self {
            Self::All => true,
            Self::Sites(sites) => (1..=SCOPE_ITEMS_MAX).contains(&sites.len()),
            Self::Stations(stations) => (1..=SCOPE_ITEMS_MAX).contains(&stations.len()),
        }
    }
    fn print(&self, print: Fingerprinter) -> Fingerprinter {
        match self {
            Self::All => print.text("all"),
            Self::Sites(sites) => sites.iter().fold(print.text("sites"), |print, site| print.text(site.as_str())),
            Self::Stations(stations) => stations.iter().fold(print.text("stations"), |print, station| print.text(station.as_str())),
        }
    }
}

/// An argon2id hash in PHC form (`$argon2id$v=19$…`); never printed, never exported.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "CompactString", into = "CompactString")]
pub struct PasswordHash(CompactString);

/// A text is no argon2id hash in PHC form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no argon2id hash in PHC form")]
pub struct NoPasswordHash;

impl PasswordHash {
    /// Wraps a hash; the parameters in it are the business of whoever made it.
    ///
    /// # Errors
    /// [`NoPasswordHash`] where the text is something else, such as a password.
    pub fn new(phc: impl AsRef<str>) -> Result<Self, NoPasswordHash> {
        let phc = phc.as_ref();
        let fits = phc.starts_with("$argon2id$") && phc.len() <= PASSWORD_HASH_BYTES_MAX && phc.bytes().all(|byte| byte.is_ascii_graphic());
        if fits { Ok(Self(CompactString::new(phc))) } else { Err(NoPasswordHash) }
    }
    /// The PHC text, for the check of a password.
    #[must_use]
    pub fn phc(&self) -> &str {
        &self.0
    }
}
impl std::fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}
impl TryFrom<CompactString> for PasswordHash {
    type Error = NoPasswordHash;
    fn try_from(phc: CompactString) -> Result<Self, NoPasswordHash> {
        Self::new(phc)
    }
}
impl From<PasswordHash> for CompactString {
    fn from(hash: PasswordHash) -> Self {
        hash.0
    }
}

/// What may be asked of a user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Command {
    /// Let this person in. The same again changes nothing, another password is a contradiction; a disabled one comes back by it.
    Add {
        /// What they may do.
        roles: BTreeSet<Role>,
        /// Where.
        scope: Scope,
        /// The hash of their password; without one they cannot sign in with a password.
        password: Option<PasswordHash>,
        /// Who and why.
        by: By,
    },
    /// Another password; ends the sessions there are.
    SetPassword {
        /// The hash of the new one.
        password: PasswordHash,
        /// Who and why.
        by: By,
    },
    /// Other roles, another scope; sessions go on with them.
    SetRoles {
        /// What they may do.
        roles: BTreeSet<Role>,
        /// Where.
        scope: Scope,
        /// Who and why.
        by: By,
    },
    /// Let them in no more; ends their sessions.
    Disable {
        /// Who and why.
        by: By,
    },
    /// End their sessions; they may sign in again.
    EndSessions {
        /// Who and why.
        by: By,
    },
    /// Something with a token of theirs.
    Token(token::Command),
}

impl Command {
    /// Who asks; none where a program comes with its token.
    #[must_use]
    pub const fn by(&self) -> Option<&By> {
        match self {
            Self::Add { by, .. }
            | Self::SetPassword { by, .. }
            | Self::SetRoles { by, .. }
            | Self::Disable { by }
            | Self::EndSessions { by }
            | Self::Token(token::Command::Make { by, .. } | token::Command::Revoke { by, .. }) => Some(by),
            Self::Token(token::Command::Use { .. }) => None,
        }
    }
}

/// What can have happened to a user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// They were let in (again).
    Added {
        /// What they may do.
        roles: BTreeSet<Role>,
        /// Where.
        scope: Scope,
        /// The hash of their password.
        password: Option<PasswordHash>,
        /// Who and why.
        by: By,
    },
    /// They have another password; older sessions are void.
    PasswordSet {
        /// The hash of the new one.
        password: PasswordHash,
        /// Who and why.
        by: By,
    },
    /// They have other roles or another scope.
    RolesSet {
        /// What they may do.
        roles: BTreeSet<Role>,
        /// Where.
        scope: Scope,
        /// Who and why.
        by: By,
    },
    /// They are let in no more; older sessions are void.
    Disabled {
        /// Who and why.
        by: By,
    },
    /// Older sessions are void.
    SessionsEnded {
        /// Who and why.
        by: By,
    },
    /// Something happened to a token of theirs.
    Token(token::Event),
}

/// A user; no entry = never added.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// What is known of them.
    pub entry: Option<Entry>,
    /// A session remembers the generation in which it began; once this number is higher, the session is void.
    pub generation: u64,
    /// How often something of them was changed.
    #[serde(default)]
    pub rev: u64,
    /// Tokens of their programs; those that are over stay until another is made.
    #[serde(default)]
    pub tokens: BTreeMap<TokenId, Token>,
}

/// What is known of a user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// What they may do.
    pub roles: BTreeSet<Role>,
    /// Where.
    pub scope: Scope,
    /// The hash of their password.
    pub password: Option<PasswordHash>,
    /// Let in no more.
    pub disabled: bool,
    /// When they were added (again).
    pub added_at: Timestamp,
    /// When the password was set.
    pub password_at: Timestamp,
}

impl User {
    /// What is known of a user who is let in.
    #[must_use]
    pub fn active(&self) -> Option<&Entry> {
        self.entry.as_ref().filter(|entry| !entry.disabled)
    }
    /// Does a session that began in this generation still count?
    #[must_use]
    pub fn session_counts(&self, generation: u64) -> bool {
        self.active().is_some() && generation >= self.generation
    }
}

impl Machine for User {
    const KIND: EntityKind = EntityKind::User;
    type Command = Command;
    type Event = Event;
    type Memory = ();

    fn decide(&self, context: &Context<'_>, _memory: &(), command: &Command) -> Decision<Event> {
        if let Command::Add { roles, scope, .. } | Command::SetRoles { roles, scope, .. } = command {
            if roles.is_empty() {
                return Decision::refuse(RefusalCode::BadArgs, "roles: at least one");
            }
            if !scope.fits() {
                return Decision::refuse(RefusalCode::BadArgs, format!("scope: name 1 to {SCOPE_ITEMS_MAX} sites or stations, or all"));
            }
        }
        match (command, &self.entry) {
            (Command::Token(command), _) => self.decide_token(context, command),
            (Command::Add { roles, scope, password, by }, None | Some(Entry { disabled: true, .. })) => {
                commit(Event::Added { roles: roles.clone(), scope: scope.clone(), password: password.clone(), by: by.clone() })
            }
            (Command::Add { roles, scope, password, .. }, Some(entry)) => entry.add_again(roles, scope, password.as_ref()),
            (_, None) => Decision::refuse(RefusalCode::NotFound, format!("no user {}", context.me.id)),
            (Command::Disable { .. }, Some(Entry { disabled: true, .. })) => Decision::Ask { otherwise: Reply::Done },
            (_, Some(Entry { disabled: true, .. })) => {
                Decision::refuse(RefusalCode::WrongState, format!("the user {} is disabled: add them again", context.me.id))
            }
            (command, Some(entry)) => entry.change(context, command),
        }
    }

    fn apply(&mut self, event: &Event, at: Timestamp) {
        if let Event::Token(event) = event {
            self.rev += u64::from(event.counts());
            return self.apply_token(event, at);
        }
        self.rev += 1;
        match (event, &mut self.entry) {
            (Event::Added { roles, scope, password, .. }, entry) => {
                let (roles, scope, password) = (roles.clone(), scope.clone(), password.clone());
                *entry = Some(Entry { roles, scope, password, disabled: false, added_at: at, password_at: at });
            }
            (Event::PasswordSet { password, .. }, Some(entry)) => {
                entry.password = Some(password.clone());
                entry.password_at = at;
                self.generation += 1;
            }
            (Event::RolesSet { roles, scope, .. }, Some(entry)) => {
                entry.roles.clone_from(roles);
                entry.scope.clone_from(scope);
            }
            (Event::Disabled { .. }, Some(entry)) => {
                entry.disabled = true;
                self.generation += 1;
                self.tokens.clear();
            }
            (Event::SessionsEnded { .. }, Some(_)) => self.generation += 1,
            (Event::Token(_), _) | (_, None) => {}
        }
    }

    fn rev(&self) -> Option<u64> {
        Some(self.rev)
    }

    fn fingerprint(command: &Command) -> Fingerprint {
        let rights = |print: Fingerprinter, roles: &BTreeSet<Role>, scope: &Scope| {
            let print = roles.iter().fold(print.count(roles.len() as u64), |print, role| print.text(role.name()));
            scope.print(print)
        };
        let name = match command {
            Command::Token(command) => return command.print().finish(),
            Command::Add { .. } => "user.add",
            Command::SetPassword { .. } => "user.set_password",
            Command::SetRoles { .. } => "user.set_roles",
            Command::Disable { .. } => "user.disable",
            Command::EndSessions { .. } => "user.end_sessions",
        };
        let print = command.by().into_iter().fold(Fingerprinter::new(name), |print, by| by.fingerprint(print));
        match command {
            // The password is made anew on each try: it is no part of the meaning.
            Command::Add { roles, scope, .. } | Command::SetRoles { roles, scope, .. } => rights(print, roles, scope).finish(),
            Command::SetPassword { .. } | Command::Disable { .. } | Command::EndSessions { .. } | Command::Token(_) => print.finish(),
        }
    }

    fn event_name(event: &Event) -> &'static str {
        match event {
            Event::Added { .. } => "user.added",
            Event::PasswordSet { .. } => "user.password_set",
            Event::RolesSet { .. } => "user.roles_set",
            Event::Disabled { .. } => "user.disabled",
            Event::SessionsEnded { .. } => "user.sessions_ended",
            Event::Token(event) => event.name(),
        }
    }
}

fn commit(event: Event) -> Decision<Event> {
    Decision::Commit { events: vec![event], reply: Reply::Done }
}

impl Entry {
    /// The same again changes nothing; what contradicts is named. A password that was made for them now is not the one they
    /// have: whoever made it must not tell it.
    fn add_again(&self, roles: &BTreeSet<Role>, scope: &Scope, password: Option<&PasswordHash>) -> Decision<Event> {
        if self.roles != *roles || self.scope != *scope {
            return Decision::refuse(RefusalCode::Contradicts, "the user is there with other roles or another scope: change those");
        }
        if password.is_some_and(|password| self.password.as_ref() != Some(password)) {
            return Decision::refuse(RefusalCode::Contradicts, "the user is there already with a password of their own");
        }
        Decision::Ask { otherwise: Reply::Done }
    }

    /// A change of somebody who is let in. Nobody changes their own rights or shuts themself out.
    fn change(&self, context: &Context<'_>, command: &Command) -> Decision<Event> {
        let oneself = command.by().is_some_and(|by| by.user.as_str() == context.me.id);
        match command {
            Command::SetRoles { .. } | Command::Disable { .. } if oneself => {
                Decision::refuse(RefusalCode::Forbidden, "nobody changes their own rights: ask another administrator")
            }
            Command::SetRoles { roles, scope, .. } if self.roles == *roles && self.scope == *scope => {
                Decision::Ask { otherwise: Reply::Done }
            }
            Command::SetRoles { roles, scope, by } => {
                commit(Event::RolesSet { roles: roles.clone(), scope: scope.clone(), by: by.clone() })
            }
            Command::SetPassword { password, by } => commit(Event::PasswordSet { password: password.clone(), by: by.clone() }),
            Command::Disable { by } => commit(Event::Disabled { by: by.clone() }),
            Command::EndSessions { by } => commit(Event::SessionsEnded { by: by.clone() }),
            Command::Add { roles, scope, password, .. } => self.add_again(roles, scope, password.as_ref()),
            Command::Token(_) => Decision::Ask { otherwise: Reply::Done },
        }
    }
}
