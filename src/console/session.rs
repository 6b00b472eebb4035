//! Sessions of staff and tickets for sockets. A session is known by a random value that only its holder has; here stands its
//! SHA-256. All of it lives in memory: after a restart everybody signs in again, so that nothing on disk lets anybody in.
//!
//! Pure but for the random values: the moment is an argument. Whoever holds something open watches the [`Standing`].
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;
use tongdao_domain::id::UserId;
use tongdao_domain::time::{Millis, Timestamp};
use tongdao_domain::user::{Role, Scope, User};

#[cfg(test)]
mod tests;

/// What names a session: the SHA-256 of the value that its holder has.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SessionKey([u8; 32]);

impl SessionKey {
    /// Of a value that somebody has shown.
    #[must_use]
    pub fn of(value: &str) -> Self {
        Self(Sha256::digest(value.as_bytes()).into())
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holder {
    /// A page with a person before it: it locks when nobody is there.
    Page,
    /// A program: there is nobody to unlock it.
    Program,
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
    /// How it stands.
    pub standing: Standing,
}

/// The sessions of this node; clones are the same.
#[derive(Clone)]
pub struct Sessions(Arc<Shared>);

struct Shared {
    limits: SessionLimits,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    sessions: HashMap<SessionKey, Session>,
    tickets: HashMap<SessionKey, (SessionKey, Timestamp)>,
}

struct Session {
    user: UserId,
    generation: u64,
    holder: Holder,
    began_at: Timestamp,
    used_at: Timestamp,
    standing: watch::Sender<Standing>,
}

impl Session {
    fn end(self, why: Ended) {
        self.standing.send_modify(|standing| standing.ended = Some(why));
    }
}

impl Sessions {
    /// None yet.
    #[must_use]
    pub fn new(limits: SessionLimits) -> Self {
        Self(Arc::new(Shared { limits, inner: Mutex::default() }))
    }

    /// Opens a session of a user who is let in and answers the value that names it; none where they are not let in.
    #[must_use]
    pub fn open(&self, user: &UserId, state: &User, holder: Holder, now: Timestamp) -> Option<(String, SessionKey)> {
        let entry = state.active()?;
        let standing = Standing { roles: entry.roles.clone(), scope: entry.scope.clone(), locked: false, ended: None };
        let (value, generation) = (random(), state.generation);
        let key = SessionKey::of(&value);
        let session = Session { user: user.clone(), generation, holder, began_at: now, used_at: now, standing: watch::channel(standing).0 };
        let mut inner = self.lock();
        inner.make_room(user, self.0.limits.per_user_max);
        inner.sessions.insert(key, session);
        Some((value, key))
    }

    /// The session of a program that signs in again and again: there is one a user.
    #[must_use]
    pub fn of_program(&self, user: &UserId, state: &User, now: Timestamp) -> Option<SessionKey> {
        let known = self.lock().sessions.iter().find_map(|(key, session)| {
            (session.user == *user && session.holder == Holder::Program && state.session_counts(session.generation)).then_some(*key)
        });
        known.filter(|key| self.find(key, now).is_some()).or_else(|| self.open(user, state, Holder::Program, now).map(|(_, key)| key))
    }

    /// A session that goes on; one that is over by now is ended.
    #[must_use]
    pub fn find(&self, key: &SessionKey, now: Timestamp) -> Option<Found> {
        let mut inner = self.lock();
        let session = inner.sessions.get(key)?;
        if now - session.began_at >= self.0.limits.length {
            inner.end(key, Ended::Expired);
            return None;
        }
        session.lock_if_idle(self.0.limits.idle, now);
        let standing = session.standing.borrow().clone();
        Some(Found { user: session.user.clone(), generation: session.generation, standing })
    }

    /// How a session stands, from now on.
    #[must_use]
    pub fn watch(&self, key: &SessionKey) -> Option<watch::Receiver<Standing>> {
        self.lock().sessions.get(key).map(|session| session.standing.subscribe())
    }

    /// A person used the page.
    pub fn used(&self, key: &SessionKey, now: Timestamp) {
        if let Some(session) = self.lock().sessions.get_mut(key) {
            session.lock_if_idle(self.0.limits.idle, now);
            session.used_at = now;
        }
    }

    /// The password was given again.
    pub fn unlock(&self, key: &SessionKey, now: Timestamp) {
        if let Some(session) = self.lock().sessions.get_mut(key) {
            session.used_at = now;
            session.standing.send_if_modified(|standing| std::mem::take(&mut standing.locked));
        }
    }

    /// The person locks the page.
    pub fn lock_now(&self, key: &SessionKey) {
        if let Some(session) = self.lock().sessions.get(key) {
            session.standing.send_if_modified(|standing| !std::mem::replace(&mut standing.locked, true));
        }
    }

    /// Ends a session.
    pub fn end(&self, key: &SessionKey, why: Ended) {
        self.lock().end(key, why);
    }

    /// What has become of a user counts for their sessions at once.
    pub fn user_is(&self, user: &UserId, state: &User) {
        let mut inner = self.lock();
        let void = inner.of_user(user, |session| !state.session_counts(session.generation));
        void.iter().for_each(|key| inner.end(key, Ended::Revoked));
        let Some(entry) = state.active() else { return };
        for session in inner.sessions.values().filter(|session| session.user == *user) {
            session.standing.send_if_modified(|standing| {
                let changed = standing.roles != entry.roles || standing.scope != entry.scope;
                standing.roles.clone_from(&entry.roles);
                standing.scope.clone_from(&entry.scope);
                changed
            });
        }
    }

    /// Who has a session.
    #[must_use]
    pub fn users(&self) -> BTreeSet<UserId> {
        self.lock().sessions.values().map(|session| session.user.clone()).collect()
    }

    /// How many sessions a user has.
    #[must_use]
    pub fn count(&self, user: &UserId) -> usize {
        self.lock().sessions.values().filter(|session| session.user == *user).count()
    }

    /// Ends what is over, locks what nobody uses, forgets old tickets. Called every second.
    pub fn sweep(&self, now: Timestamp) {
        let SessionLimits { length, idle, .. } = self.0.limits;
        let mut inner = self.lock();
        let over: Vec<SessionKey> =
            inner.sessions.iter().filter(|(_, session)| now - session.began_at >= length).map(|(key, _)| *key).collect();
        over.iter().for_each(|key| inner.end(key, Ended::Expired));
        inner.sessions.values().for_each(|session| session.lock_if_idle(idle, now));
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
        }
        self.tickets.retain(|_, (of, _)| of != key);
    }

    fn of_user(&self, user: &UserId, which: impl Fn(&Session) -> bool) -> Vec<SessionKey> {
        self.sessions.iter().filter(|(_, session)| session.user == *user && which(session)).map(|(key, _)| *key).collect()
    }

    /// The oldest go where a user has as many as allowed.
    fn make_room(&mut self, user: &UserId, max: usize) {
        let mut theirs = self.of_user(user, |_| true);
        theirs.sort_by_key(|key| self.sessions.get(key).map(|session| session.began_at));
        let surplus = (theirs.len() + 1).saturating_sub(max);
        theirs.iter().take(surplus).for_each(|key| self.end(key, Ended::Replaced));
    }
}

/// 256 random bits in hexadecimal.
fn random() -> String {
    rand::random::<[u8; 32]>().iter().map(|byte| format!("{byte:02x}")).collect()
}
