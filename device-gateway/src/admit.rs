//! Who is let in: credentials in constant time, the client id, the will, and how often. It looks at the world and the
//! CONNECT and touches nothing else.
use crate::config::GatewayConfig;
use crate::fault::Fault;
use crate::packet::{Connect, Rejection};
use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::HashMapStateStore;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use sha2::{Digest, Sha256};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use subtle::ConstantTimeEq;
use tongdao_domain::device::{DeviceKind, Entry, SecretHash};
use tongdao_domain::id::{DeviceId, SiteId};
use tongdao_domain::time::Timestamp;
use tongdao_domain::world::World;
use tongdao_protocol::topic::Territory;

/// The rate limiters' clock: the process clock, set at the beginning of each turn.
#[derive(Debug, Clone, Default)]
pub struct LimitClock(Arc<AtomicU64>);

impl LimitClock {
    /// Moves it to `now`; never back.
    pub fn set(&self, now: Timestamp) {
        self.0.fetch_max(u64::try_from(now.0).unwrap_or(0), Ordering::Relaxed);
    }
}
impl Clock for LimitClock {
    type Instant = Duration;
    fn now(&self) -> Duration {
        Duration::from_millis(self.0.load(Ordering::Relaxed))
    }
}

/// Limits the messages of one link.
pub type MessageLimiter = RateLimiter<NotKeyed, InMemoryState, LimitClock, NoOpMiddleware<Duration>>;
type ConnectLimiter = RateLimiter<DeviceId, HashMapStateStore<DeviceId>, LimitClock, NoOpMiddleware<Duration>>;

/// What admission needs beside the world; one for all cells of a node.
pub struct Admission {
    clock: LimitClock,
    connects: Option<ConnectLimiter>,
    messages: Option<Quota>,
    draining: AtomicBool,
}

/// A device that was let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Its id.
    pub device: DeviceId,
    /// Its kind.
    pub kind: DeviceKind,
    /// Its site.
    pub site: SiteId,
}

impl Admission {
    /// With the rates of the config.
    #[must_use]
    pub fn new(config: &GatewayConfig) -> Self {
        let clock = LimitClock::default();
        let connects = NonZeroU32::new(config.connects_per_minute).zip(NonZeroU32::new(config.connects_burst));
        let messages = NonZeroU32::new(config.messages_per_second).zip(NonZeroU32::new(config.messages_burst));
        Self {
            connects: connects
                .map(|(rate, burst)| RateLimiter::hashmap_with_clock(Quota::per_minute(rate).allow_burst(burst), clock.clone())),
            messages: messages.map(|(rate, burst)| Quota::per_second(rate).allow_burst(burst)),
            clock,
            draining: AtomicBool::new(false),
        }
    }
    /// The clock that turns set.
    #[must_use]
    pub fn clock(&self) -> &LimitClock {
        &self.clock
    }
    /// Lets nobody in from now on.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }
    /// Is the node going down?
    #[must_use]
    pub fn draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }
    /// A limiter for a new link; none = no limit.
    #[must_use]
    pub fn message_limiter(&self) -> Option<MessageLimiter> {
        self.messages.map(|quota| RateLimiter::direct_with_clock(quota, self.clock.clone()))
    }
    /// Forgets devices that have not connected for long.
    pub fn forget_old(&self) {
        if let Some(connects) = &self.connects {
            connects.retain_recent();
        }
    }

    /// Looks at a CONNECT: what it says of itself must fit together; then credentials, so that nobody learns anything of
    /// others without them.
    ///
    /// # Errors
    /// The answer for the client, and the fault to count.
    pub fn admit(&self, connect: &Connect, world: &World) -> Result<Identity, (Rejection, Fault)> {
        if connect.enhanced_authentication {
            return Err((Rejection::Method, Fault::Method));
        }
        if connect.user_name.as_deref().is_some_and(|user| *user != *connect.client_id) {
            return Err((Rejection::ClientId, Fault::ClientId));
        }
        let identity = identify(connect, world).ok_or((Rejection::Credentials, Fault::Credentials))?;
        let territory = Territory::new(&identity.site, identity.kind, &identity.device);
        if connect.will.as_ref().is_some_and(|will| !territory.is_state(&will.topic)) {
            return Err((Rejection::ForeignWill, Fault::ForeignWill));
        }
        if self.draining() {
            return Err((Rejection::Draining, Fault::Draining));
        }
        match &self.connects {
            Some(connects) if connects.check_key(&identity.device).is_err() => Err((Rejection::Rate, Fault::ConnectRate)),
            _ => Ok(identity),
        }
    }
}

fn identify(connect: &Connect, world: &World) -> Option<Identity> {
    let known = connect.user_name.as_deref().and_then(|name| world.devices.get_key_value(name));
    let let_in = is_let_in(known.map(|(_, entry)| entry), connect.password.as_deref().unwrap_or_default());
    let (device, entry) = known.filter(|_| let_in)?;
    Some(Identity { device: device.clone(), kind: entry.kind, site: entry.site.clone() })
}

/// Is it registered, and is this its secret? The same work is done for a device that nobody knows.
#[must_use]
pub fn is_let_in(known: Option<&Entry>, secret: &[u8]) -> bool {
    let given: [u8; 32] = Sha256::digest(secret).into();
    let wanted = known.map_or(SecretHash([0; 32]), |entry| entry.secret);
    let same = bool::from(given.ct_eq(&wanted.0));
    known.is_some_and(|entry| same && !entry.revoked)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::{Version, Will};
    use tongdao_domain::testing::{gate_of, id};

    fn world() -> World {
        let mut world = World::for_tests();
        let secret = SecretHash(Sha256::digest(b"s3cret").into());
        world.devices.values_mut().for_each(|entry| entry.secret = secret);
        world
    }
    fn connect(user: &str, password: &[u8]) -> Connect {
        Connect {
            version: Version::V5,
            client_id: user.into(),
            user_name: Some(user.into()),
            password: Some(password.into()),
            keep_alive_s: 30,
            will: None,
            enhanced_authentication: false,
        }
    }
    fn admission() -> Admission {
        Admission::new(&GatewayConfig::default())
    }

    #[test]
    fn a_device_with_its_secret_is_let_in() {
        let admitted = admission().admit(&connect("s1-g1", b"s3cret"), &world());
        assert_eq!(admitted, Ok(Identity { device: gate_of("s1", 1), kind: DeviceKind::Gate, site: id("cd") }));
    }

    #[test]
    fn unknown_and_wrong_are_not_told_apart() {
        let refused = Err((Rejection::Credentials, Fault::Credentials));
        let mut world = world();
        assert_eq!(admission().admit(&connect("nobody", b"s3cret"), &world), refused);
        assert_eq!(admission().admit(&connect("s1-g1", b"guess"), &world), refused);
        assert_eq!(admission().admit(&connect("s1-g1", b""), &world), refused);
        assert_eq!(admission().admit(&Connect { user_name: None, ..connect("s1-g1", b"s3cret") }, &world), refused);
        assert_eq!(admission().admit(&Connect { password: None, ..connect("s1-g1", b"") }, &world), refused);
        if let Some(entry) = world.devices.get_mut("s1-g1") {
            entry.revoked = true;
        }
        assert_eq!(admission().admit(&connect("s1-g1", b"s3cret"), &world), refused);
    }

    #[test]
    fn another_client_id_and_a_foreign_will_are_refused() {
        let other = Connect { client_id: "s1-g2".into(), ..connect("s1-g1", b"s3cret") };
        assert_eq!(admission().admit(&other, &world()), Err((Rejection::ClientId, Fault::ClientId)));
        let empty = Connect { client_id: "".into(), ..connect("s1-g1", b"s3cret") };
        assert_eq!(admission().admit(&empty, &world()), Err((Rejection::ClientId, Fault::ClientId)));
        for topic in ["td/1/cd/gate/s1-g2/up/state", "td/1/cd/gate/s1-g1/up/tap", "td/1/cd/gate/s1-g1/down/mode", "x"] {
            let will = Some(Will { topic: topic.into(), payload: Box::default(), retain: false });
            let foreign = Connect { will, ..connect("s1-g1", b"s3cret") };
            assert_eq!(admission().admit(&foreign, &world()), Err((Rejection::ForeignWill, Fault::ForeignWill)), "{topic}");
        }
    }

    #[test]
    fn too_many_connects_wait() {
        let config = GatewayConfig { connects_per_minute: 60, connects_burst: 2, ..GatewayConfig::default() };
        let (admission, world, connect) = (Admission::new(&config), world(), connect("s1-g1", b"s3cret"));
        assert!(admission.admit(&connect, &world).is_ok() && admission.admit(&connect, &world).is_ok());
        assert_eq!(admission.admit(&connect, &world), Err((Rejection::Rate, Fault::ConnectRate)));
        admission.clock().set(Timestamp(1_000));
        assert!(admission.admit(&connect, &world).is_ok(), "one a second");
        assert!(admission.admit(&connect, &world).is_err());
    }

    #[test]
    fn a_wrong_secret_does_not_use_up_the_rate_of_the_true_device() {
        let config = GatewayConfig { connects_burst: 1, ..GatewayConfig::default() };
        let (admission, world) = (Admission::new(&config), world());
        assert!((0..10).all(|_| admission.admit(&connect("s1-g1", b"guess"), &world).is_err()));
        assert!(admission.admit(&connect("s1-g1", b"s3cret"), &world).is_ok());
    }

    #[test]
    fn a_draining_node_lets_nobody_in() {
        let admission = admission();
        admission.drain();
        assert_eq!(admission.admit(&connect("s1-g1", b"s3cret"), &world()).map_err(|(r, _)| r), Err(Rejection::Draining));
    }
}
