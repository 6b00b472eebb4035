//! Sessions of staff and of their programs, and tickets for sockets. A session is known by a random value that only its holder
//! has; here stands its SHA-256, so that nothing in memory or on disk lets anybody in. Pages outlive a restart (`kept`); what
//! a program has is opened anew by its token or its password.
//!
//! Pure but for the random values: the moment is an argument. Whoever holds something open watches the [`Standing`].
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;
use tongdao_domain::device::SecretHash;
use tongdao_domain::id::{TokenId, UserId};
use tongdao_domain::time::{Millis, Timestamp};
use tongdao_domain::user::{Role, Scope, User};
use tongdao_domain::world::World;

pub mod kept;
#[cfg(test)]
mod tests;

/// That a token was used is told again after this.
const USE_TOLD_EVERY: Millis = Millis::hours(1);

/// What names a session: the SHA-256 of the value that its holder has.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SessionKey([u8; 32]);

impl SessionKey {
    /// Of a value that somebody has shown.
    #[must_use]
    pub fn of(value: &str) -> Self {
        Self(Sha256::digest(value.as_bytes()).into())
    }
    /// As the journal keeps it, where the value is a token's.
    #[must_use]
    pub const fn as_hash(&self) -> SecretHash {
        SecretHash(self.0)
    }
}
impl std::fmt::Debug for SessionKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SessionKey({:02x}{:02x}…)", self.0[0], self.0[1])
    }
}

/// Limits of sessions and tickets.
#[derive(Debug, Clone, Copy)]
pub struct SessionLimits {
    /// A session ends after this, whatever happens.
    pub length: Millis,
    /// A page that nobody uses for this long is locked.
    pub idle: Millis,
    /// Sessions of one user, at most; one more ends the oldest.
    pub per_user_max: usize,
    /// A ticket is good for this long.
    pub ticket: Millis,
    /// Tickets that are good at one time, at most.
    pub tickets_max: usize,
}

/// Who holds a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Holder {
    /// A page with a person before it: it locks when nobody is there.
    Page,
    /// A program with a person's password: there is nobody to unlock it.
    Program,
    /// A program with a token of its own.
    Token(TokenId),
}

/// Why a session is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Its time was up.
    Expired,
    /// The person went.
    SignedOut,
    /// The user is disabled, has another password, or their sessions were ended.
    Revoked,
    /// Too many newer ones of the same user.
    Replaced,
}

/// How a session stands now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// What the person may do.
    pub roles: BTreeSet<Role>,
    /// Where.
    pub scope: Scope,
    /// Nothing is shown until the password is given again.
    pub locked: bool,
    /// It is over.
    pub ended: Option<Ended>,
}

/// A session that goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Whose.
    pub user: UserId,
    /// In which generation of the user it began.
    pub generation: u64,
    /// Who holds it.
    pub holder: Holder,
    /// How it stands.
    pub standing: Standing,
}

/// The sessions of this node; clones are the same.
#[derive(Clone)]
pub struct Sessions(Arc<Shared>);

struct Shared {
    limits: SessionLimits,
    world: Arc<World>,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    sessions: HashMap<SessionKey, Session>,
    tickets: HashMap<SessionKey, (SessionKey, Timestamp)>,
    /// Something has changed that is kept over a restart.
    changed: bool,
}

struct Session {
    user: UserId,
    generation: u64,
    holder: Holder,
    began_at: Timestamp,
    /// It ends then, whatever happens.
    until: Timestamp,
    used_at: Timestamp,
    /// When its use was told last: to the file of pages, or to a token's user.
    told_at: Timestamp,
    standing: watch::Sender<Standing>,
}

impl Session {
    fn new(user: &UserId, generation: u64, holder: Holder, now: Timestamp, until: Timestamp) -> Self {
        let nothing = Standing { roles: BTreeSet::new(), scope: Scope::Stations(BTreeSet::new()), locked: false, ended: None };
        let (user, standing) = (user.clone(), watch::channel(nothing).0);
        Self { user, generation, holder, began_at: now, until, used_at: now, told_at: now, standing }
    }

    fn end(self, why: Ended) {
        self.standing.send_modify(|standing| standing.ended = Some(why));
    }

    /// What its holder may do now; none where it counts no more.
    fn rights(&self, state: &User, world: &World, now: Timestamp) -> Option<(BTreeSet<Role>, Scope)> {
        match &self.holder {
            Holder::Token(id) => state.token_rights(id, world, now),
            Holder::Page | Holder::Program if state.session_counts(self.generation) => {
                state.active().map(|entry| (entry.roles.clone(), entry.scope.clone()))
            }
            Holder::Page | Holder::Program => None,
        }
    }

    fn stands(&self, (roles, scope): (BTreeSet<Role>, Scope)) {
        self.standing.send_if_modified(|standing| {
            let changed = standing.roles != roles || standing.scope != scope;
            (standing.roles, standing.scope) = (roles, scope);
            changed
        });
    }
}

impl Sessions {
    /// None yet.
    #[must_use]
    pub fn new(limits: SessionLimits, world: Arc<World>) -> Self {
        Self(Arc::new(Shared { limits, world, inner: Mutex::default() }))
    }

    /// Opens a session of a user who is let in and answers the value that names it; none where they are not let in.
    #[must_use]
    pub fn open(&self, user: &UserId, state: &User, holder: Holder, now: Timestamp) -> Option<(String, SessionKey)> {
        let value = random();
        let (key, session) = (SessionKey::of(&value), Session::new(user, state.generation, holder, now, now + self.0.limits.length));
        self.insert(key, session, state, now).then_some((value, key))
    }

    /// The session of a program that signs in again and again: there is one a user.
    #[must_use]
    pub fn of_program(&self, user: &UserId, state: &User, now: Timestamp) -> Option<SessionKey> {
        let known = self.lock().sessions.iter().find_map(|(key, session)| {
            (session.user == *user && session.holder == Holder::Program && state.session_counts(session.generation)).then_some(*key)
        });
        known.filter(|key| self.find(key, now).is_some()).or_else(|| self.open(user, state, Holder::Program, now).map(|(_, key)| key))
    }

    /// The session of a token whose value has this key; false where it is no good.
    #[must_use]
    pub fn open_token(&self, key: SessionKey, user: &UserId, state: &User, id: &TokenId, now: Timestamp) -> bool {
        let Some(token) = state.token(id, now).filter(|token| token.hash == key.as_hash()) else { return false };
        self.insert(key, Session::new(user, state.generation, Holder::Token(id.clone()), now, token.expires_at), state, now)
    }

    fn insert(&self, key: SessionKey, session: Session, state: &User, now: Timestamp) -> bool {
        let Some(rights) = session.rights(state, &self.0.world, now) else { return false };
        session.stands(rights);
        let mut inner = self.lock();
        // A token that two requests came with at once has one session, which neither takes from the other.
        if inner.sessions.contains_key(&key) {
            return true;
        }
        if session.holder.is_counted() {
            inner.make_room(&session.user, self.0.limits.per_user_max);
        }
        inner.sessions.insert(key, session);
        inner.changed = true;
        true
    }

    /// Should it be told that this token was used? Once an hour is enough.
    #[must_use]
    pub fn tells_use(&self, key: &SessionKey, now: Timestamp) -> bool {
        let mut inner = self.lock();
        let session = inner.sessions.get_mut(key).filter(|session| now - session.told_at >= USE_TOLD_EVERY);
        session.map(|session| session.told_at = now).is_some()
    }

    /// A session that goes on; one that is over by now is ended.
    #[must_use]
    pub fn find(&self, key: &SessionKey, now: Timestamp) -> Option<Found> {
        let mut inner = self.lock();
        let session = inner.sessions.get(key)?;
        if now >= session.until {
            inner.end(key, Ended::Expired);
            return None;
        }
        session.lock_if_idle(self.0.limits.idle, now);
        let (holder, standing) = (session.holder.clone(), session.standing.borrow().clone());
        Some(Found { user: session.user.clone(), generation: session.generation, holder, standing })
    }

    /// How a session stands, from now on.
    #[must_use]
    pub fn watch(&self, key: &SessionKey) -> Option<watch::Receiver<Standing>> {
        self.lock().sessions.get(key).map(|session| session.standing.subscribe())
    }

    /// A person used the page.
    pub fn used(&self, key: &SessionKey, now: Timestamp) {
        let mut inner = self.lock();
        let Some(session) = inner.sessions.get_mut(key) else { return };
        session.lock_if_idle(self.0.limits.idle, now);
        session.used_at = now;
        let told = session.holder != Holder::Page || now - session.told_at < kept::USE_TOLD_EVERY;
        inner.changed |= !told;
    }

    /// The password was given again.
    pub fn unlock(&self, key: &SessionKey, now: Timestamp) {
        let mut inner = self.lock();
        if let Some(session) = inner.sessions.get_mut(key) {
            session.used_at = now;
            session.standing.send_if_modified(|standing| std::mem::take(&mut standing.locked));
            inner.changed = true;
        }
    }

    /// The person locks the page. A program has nobody to unlock it.
    pub fn lock_now(&self, key: &SessionKey) {
        let mut inner = self.lock();
        if let Some(session) = inner.sessions.get(key).filter(|session| session.holder == Holder::Page) {
            session.standing.send_if_modified(|standing| !std::mem::replace(&mut standing.locked, true));
            inner.changed = true;
        }
    }

    /// Ends a session.
    pub fn end(&self, key: &SessionKey, why: Ended) {
        self.lock().end(key, why);
    }

    /// What has become of a user counts for their sessions at once.
    pub fn user_is(&self, user: &UserId, state: &User, now: Timestamp) {
        let mut inner = self.lock();
        let void = inner.of_user(user, |session| session.rights(state, &self.0.world, now).is_none());
        void.iter().for_each(|key| inner.end(key, Ended::Revoked));
        for session in inner.sessions.values().filter(|session| session.user == *user) {
            session.rights(state, &self.0.world, now).into_iter().for_each(|rights| session.stands(rights));
        }
    }

    /// Who has a session.
    #[must_use]
    pub fn users(&self) -> BTreeSet<UserId> {
        self.lock().sessions.values().map(|session| session.user.clone()).collect()
    }

    /// How many sessions a user has, those of tokens left out.
    #[must_use]
    pub fn count(&self, user: &UserId) -> usize {
        self.lock().sessions.values().filter(|session| session.user == *user && session.holder.is_counted()).count()
    }

    /// Ends what is over, locks what nobody uses, forgets old tickets. Called every second.
    pub fn sweep(&self, now: Timestamp) {
        let mut inner = self.lock();
        let over: Vec<SessionKey> = inner.sessions.iter().filter(|(_, session)| now >= session.until).map(|(key, _)| *key).collect();
        over.iter().for_each(|key| inner.end(key, Ended::Expired));
        inner.sessions.values().for_each(|session| session.lock_if_idle(self.0.limits.idle, now));
        inner.tickets.retain(|_, (_, until)| *until > now);
    }

    /// A ticket for one socket of this session, and until when it is good; none where too many are good already.
    #[must_use]
    pub fn ticket(&self, key: &SessionKey, now: Timestamp) -> Option<(String, Timestamp)> {
        let (value, until) = (random(), now + self.0.limits.ticket);
        let mut inner = self.lock();
        inner.tickets.retain(|_, (_, until)| *until > now);
        if inner.tickets.len() >= self.0.limits.tickets_max {
            return None;
        }
        inner.tickets.insert(SessionKey::of(&value), (*key, until));
        Some((value, until))
    }

    /// Takes a ticket: it is good once.
    #[must_use]
    pub fn redeem(&self, ticket: &str, now: Timestamp) -> Option<SessionKey> {
        let (session, until) = self.lock().tickets.remove(&SessionKey::of(ticket))?;
        (until > now).then_some(session)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Holder {
    /// Do they take the place of another session of the same user? Tokens have a limit of their own.
    const fn is_counted(&self) -> bool {
        !matches!(self, Self::Token(_))
    }
}

impl Session {
    fn lock_if_idle(&self, idle: Millis, now: Timestamp) {
        if self.holder == Holder::Page && now - self.used_at >= idle {
            self.standing.send_if_modified(|standing| !std::mem::replace(&mut standing.locked, true));
        }
    }
}

impl Inner {
    fn end(&mut self, key: &SessionKey, why: Ended) {
        if let Some(session) = self.sessions.remove(key) {
            session.end(why);
            self.changed = true;
        }
        self.tickets.retain(|_, (of, _)| of != key);
    }

    fn of_user(&self, user: &UserId, which: impl Fn(&Session) -> bool) -> Vec<SessionKey> {
        self.sessions.iter().filter(|(_, session)| session.user == *user && which(session)).map(|(key, _)| *key).collect()
    }

    /// The oldest go where a user has as many as allowed.
    fn make_room(&mut self, user: &UserId, max: usize) {
        let mut theirs = self.of_user(user, |session| session.holder.is_counted());
        theirs.sort_by_key(|key| self.sessions.get(key).map(|session| session.began_at));
        let surplus = (theirs.len() + 1).saturating_sub(max);
        theirs.iter().take(surplus).for_each(|key| self.end(key, Ended::Replaced));
    }
}

/// 256 random bits in hexadecimal.
pub(super) fn random() -> String {
    rand::random::<[u8; 32]>().iter().map(|byte| format!("{byte:02x}")).collect()
}
