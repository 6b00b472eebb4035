//! Passwords: argon2id on threads that may work, two at a time at most, and how often somebody may try. A user who is not
//! there costs as much time as one who is.
//!
//! Not here: what follows a sign-in (`session`), what is told about it (`api`).
use crate::config;
use crate::exit::{Failure, SOFTWARE};
use argon2::password_hash::phc::PasswordHash as Phc;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use governor::clock::Clock as Limiting;
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};
use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Semaphore;
use tongdao_actors::clock::Clock;
use tongdao_domain::id::UserId;
use tongdao_domain::user::PasswordHash;
use tongdao_protocol::console::codes::{Code, ErrorBody};

/// Memory of one hash, in KiB.
const MEMORY_KIB: u32 = 19_456;
/// Passes over it.
const PASSES: u32 = 2;
/// Hashes computed at one time.
const AT_A_TIME: usize = 2;
/// Sign-ins at work or waiting, at most.
const WAITING_MAX: usize = 32;
/// When it is worth trying again where too many wait, in milliseconds.
const WAIT_MS: u64 = 1000;
/// Users and addresses that are counted at one time, at most: past that nobody new may try until some are forgotten.
const COUNTED_MAX: usize = 100_000;
/// Addresses of one user that are remembered, at most; users are as many as have ever signed in.
const USUAL_MAX: usize = 8;
/// Letters of a password that is made here: none looks like another.
const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
/// How many of them, 5 bits each.
const LETTERS_OF_A_PASSWORD: usize = 20;

/// The rate limiters' clock is the process clock.
#[derive(Debug, Clone)]
pub(super) struct LimitClock(pub(super) Clock);

impl Limiting for LimitClock {
    type Instant = Duration;
    fn now(&self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.now().0).unwrap_or(0))
    }
}

type Limiter<K> = RateLimiter<K, HashMapStateStore<K>, LimitClock, NoOpMiddleware<Duration>>;

/// Checks passwords and counts who tries.
pub struct Guard {
    by_both: Limiter<(UserId, IpAddr)>,
    /// Of a user from everywhere but the addresses that are known as theirs.
    elsewhere: Limiter<UserId>,
    by_address: Limiter<IpAddr>,
    /// Tokens that are not known here, apart: a program with an old one must not shut out the people beside it.
    tokens: Limiter<IpAddr>,
    usual: Mutex<Usual>,
    clock: LimitClock,
    places: Arc<Semaphore>,
    workers: Arc<Semaphore>,
}

impl Guard {
    /// With the rates of the config.
    #[must_use]
    pub fn new(settings: &config::Console, clock: Clock) -> Self {
        let clock = LimitClock(clock);
        let quota = |a_minute: u32| Quota::per_minute(NonZeroU32::new(a_minute).unwrap_or(NonZeroU32::MIN));
        Self {
            by_both: RateLimiter::hashmap_with_clock(quota(settings.sign_ins_per_minute_user), clock.clone()),
            elsewhere: RateLimiter::hashmap_with_clock(quota(settings.sign_ins_per_minute_user_elsewhere), clock.clone()),
            usual: Mutex::default(),
            tokens: RateLimiter::hashmap_with_clock(quota(settings.sign_ins_per_minute_address), clock.clone()),
            by_address: RateLimiter::hashmap_with_clock(quota(settings.sign_ins_per_minute_address), clock.clone()),
            clock,
            places: Arc::new(Semaphore::new(WAITING_MAX)),
            workers: Arc::new(Semaphore::new(AT_A_TIME)),
        }
    }

    /// One more try of this user from this address.
    ///
    /// # Errors
    /// `TOO_MANY` with `retry_ms`.
    pub fn count(&self, user: &UserId, address: IpAddr) -> Result<(), ErrorBody> {
        one_more(&self.by_address, &address, &self.clock)?;
        one_more(&self.by_both, &(user.clone(), address), &self.clock)?;
        if self.usual().knows(user, address) { Ok(()) } else { one_more(&self.elsewhere, user, &self.clock) }
    }

    /// They have signed in from there: whatever others try in their name, from there they may.
    pub fn proved(&self, user: &UserId, address: IpAddr) {
        self.usual().note(user, address);
    }

    /// One more try with a token that nobody knows here yet, right or wrong.
    ///
    /// # Errors
    /// `TOO_MANY` with `retry_ms`.
    pub fn count_token(&self, address: IpAddr) -> Result<(), ErrorBody> {
        one_more(&self.tokens, &address, &self.clock)
    }

    /// From where people have signed in, to be kept over a restart …
    #[must_use]
    pub fn usual_addresses(&self) -> BTreeMap<UserId, Vec<IpAddr>> {
        self.usual().0.iter().map(|(user, addresses)| (user.clone(), addresses.clone())).collect()
    }

    /// … and after it.
    pub fn restore(&self, usual: BTreeMap<UserId, Vec<IpAddr>>) {
        let mut known = self.usual();
        for (user, addresses) in usual {
            addresses.into_iter().for_each(|address| known.note(&user, address));
        }
    }

    /// Forgets whom nothing is counted of any more.
    pub fn forget(&self) {
        self.by_both.retain_recent();
        self.elsewhere.retain_recent();
        self.by_address.retain_recent();
        self.tokens.retain_recent();
    }

    fn usual(&self) -> MutexGuard<'_, Usual> {
        self.usual.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Is it this password? Without a hash the answer is no, after the same work.
    ///
    /// # Errors
    /// `BUSY`: too many wait for theirs.
    pub async fn check(&self, password: &str, hash: Option<&PasswordHash>) -> Result<bool, ErrorBody> {
        let busy = |_| ErrorBody::new(Code::Busy).with("retry_ms", WAIT_MS);
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(busy)?;
        let worker = Arc::clone(&self.workers).acquire_owned().await.map_err(|_| ErrorBody::new(Code::Internal))?;
        let (password, hash) = (password.to_owned(), hash.cloned());
        let checked = tokio::task::spawn_blocking(move || {
            let _held_until_done = (place, worker);
            verify(&password, hash.as_ref())
        });
        checked.await.map_err(|_| Code::Internal.into())
    }
}

/// From where people have signed in, the newest last.
#[derive(Default)]
struct Usual(HashMap<UserId, Vec<IpAddr>>);

impl Usual {
    fn knows(&self, user: &UserId, address: IpAddr) -> bool {
        self.0.get(user).is_some_and(|addresses| addresses.contains(&address))
    }
    fn note(&mut self, user: &UserId, address: IpAddr) {
        let addresses = self.0.entry(user.clone()).or_default();
        addresses.retain(|known| *known != address);
        addresses.push(address);
        let surplus = addresses.len().saturating_sub(USUAL_MAX);
        addresses.drain(..surplus);
    }
}

fn one_more<K: Hash + Eq + Clone>(limiter: &Limiter<K>, key: &K, clock: &LimitClock) -> Result<(), ErrorBody> {
    let too_many = |wait: Duration| {
        let ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX).max(1);
        ErrorBody::new(Code::TooMany).with("retry_ms", ms)
    };
    if limiter.len() >= COUNTED_MAX {
        return Err(too_many(Duration::from_secs(60)));
    }
    limiter.check_key(key).map_err(|until| too_many(until.wait_time_from(clock.now())))
}

fn verify(password: &str, hash: Option<&PasswordHash>) -> bool {
    let Some(hash) = hash else {
        let _the_same_work = derive(password);
        return false;
    };
    let checked = Phc::new(hash.phc()).map(|phc| argon2().verify_password(password.as_bytes(), &phc));
    matches!(checked, Ok(Ok(())))
}

/// Hashes a password; some tens of milliseconds of one core.
///
/// # Errors
/// The text is too long, or the hash is not what it should be (exit 70).
pub fn hash(password: &str) -> Result<PasswordHash, Failure> {
    let phc = derive(password).map_err(|fault| Failure::new(SOFTWARE, format!("the password cannot be hashed: {fault}")))?;
    PasswordHash::new(phc.to_string()).map_err(|fault| Failure::caused(SOFTWARE, &fault))
}

fn derive(password: &str) -> argon2::password_hash::Result<Phc> {
    argon2().hash_password_with_salt(password.as_bytes(), &rand::random::<[u8; 16]>())
}

fn argon2() -> Argon2<'static> {
    let params = Params::new(MEMORY_KIB, PASSES, 1, None).unwrap_or_default();
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

/// A password of 100 random bits that people can read and type.
#[must_use]
pub fn generated() -> String {
    let bits: [u8; LETTERS_OF_A_PASSWORD] = rand::random();
    bits.iter().map(|byte| char::from(LETTERS[usize::from(byte % 32)])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tongdao_domain::time::{Millis, Timestamp};

    fn guard(a_minute: u32) -> (Guard, Clock) {
        let clock = Clock::manual(Timestamp(1_800_000_000_000));
        let settings = config::Console {
            sign_ins_per_minute_user: a_minute,
            sign_ins_per_minute_user_elsewhere: 2 * a_minute,
            sign_ins_per_minute_address: 3 * a_minute,
            ..config::Console::default()
        };
        (Guard::new(&settings, clock.clone()), clock)
    }

    #[test]
    fn passwords_are_hashed_strongly_and_each_with_its_own_salt() {
        let (one, two) = (hash("a canary").expect("hashed"), hash("a canary").expect("hashed"));
        assert_ne!(one.phc(), two.phc());
        assert!(one.phc().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", one.phc());
        assert!(verify("a canary", Some(&one)) && !verify("another", Some(&one)) && !verify("a canary", None));
    }

    #[test]
    fn generated_passwords_are_long_and_never_the_same() {
        assert_eq!(generated().len(), 20);
        assert_ne!(generated(), generated());
    }

    #[tokio::test]
    async fn a_check_says_yes_only_to_the_password() {
        let (guard, _) = guard(5);
        let stored = hash("correct horse").expect("hashed");
        assert_eq!(guard.check("correct horse", Some(&stored)).await, Ok(true));
        assert_eq!(guard.check("correct horses", Some(&stored)).await, Ok(false));
        assert_eq!(guard.check("correct horse", None).await, Ok(false));
    }

    #[test]
    fn who_tries_too_often_waits_and_others_do_not() {
        let (guard, clock) = guard(2);
        let (li, wang) = (UserId::new("li").expect("an id"), UserId::new("wang").expect("an id"));
        let address = |last: u8| IpAddr::from([10, 0, 0, last]);
        for _ in 0..2 {
            guard.count(&li, address(1)).expect("not yet too many");
        }
        let refused = guard.count(&li, address(1)).expect_err("too many");
        assert_eq!(refused.code, Code::TooMany);
        assert!(refused.params["retry_ms"].as_u64().is_some_and(|ms| (1..=30_000).contains(&ms)), "{refused:?}");
        guard.count(&wang, address(2)).expect("somebody else");
        clock.advance(Millis::seconds(31));
        guard.count(&li, address(1)).expect("after a while");
    }

    #[test]
    fn strangers_who_try_a_name_shut_each_other_out_and_not_its_owner() {
        let (guard, clock) = guard(2);
        let li = UserId::new("li").expect("an id");
        let address = |last: u8| IpAddr::from([10, 0, 0, last]);
        guard.count(&li, address(1)).expect("the first");
        guard.proved(&li, address(1));
        clock.advance(Millis::minutes(2));
        for stranger in 2..6 {
            guard.count(&li, address(stranger)).expect("not yet too many");
        }
        assert_eq!(guard.count(&li, address(6)).expect_err("all of them together").code, Code::TooMany);
        guard.count(&li, address(1)).expect("from where they always come");
        let (restarted, _) = self::guard(2);
        restarted.restore(guard.usual_addresses());
        for stranger in 2..6 {
            restarted.count(&li, address(stranger)).expect("not yet too many");
        }
        restarted.count(&li, address(6)).expect_err("all of them together");
        restarted.count(&li, address(1)).expect("known over a restart");
        for newer in 10..10 + u8::try_from(USUAL_MAX).expect("few") {
            guard.proved(&li, address(newer));
        }
        assert_eq!(guard.count(&li, address(1)).expect_err("forgotten for newer ones").code, Code::TooMany);
    }

    #[test]
    fn who_tries_tokens_shuts_nobody_out_who_signs_in() {
        let (guard, _) = guard(2);
        let (li, address) = (UserId::new("li").expect("an id"), IpAddr::from([10, 0, 0, 1]));
        for _ in 0..6 {
            guard.count_token(address).expect("not yet too many");
        }
        assert_eq!(guard.count_token(address).expect_err("too many").code, Code::TooMany);
        guard.count(&li, address).expect("a person at the same address");
    }

    #[test]
    fn an_address_that_tries_many_users_waits_and_is_forgotten_later() {
        let (guard, clock) = guard(2);
        let user = |n: u32| UserId::new(format!("u{n}")).expect("an id");
        let address = IpAddr::from([10, 0, 0, 1]);
        for n in 0..6 {
            guard.count(&user(n), address).expect("not yet too many");
        }
        assert_eq!(guard.count(&user(7), address).expect_err("too many").code, Code::TooMany);
        clock.advance(Millis::minutes(3));
        guard.forget();
        assert_eq!((guard.by_both.len(), guard.elsewhere.len(), guard.by_address.len()), (0, 0, 0));
    }
}
