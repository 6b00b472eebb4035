//! The way in and out for staff: sign-in, the WebSocket `tongdao.v1.json`, the HTTP API and the pages. Runs on the front
//! runtime; enters the cells through the same bounded door as everybody else.
//!
//! Not here: what a board shows (`boards`), what a machine decides (`domain`), the shape of a frame (`protocol::console`).
mod api;
pub mod assets;
pub mod commands;
mod doubtful;
pub mod entry;
pub mod hub;
pub mod limits;
mod list;
pub mod login;
mod mailbox;
mod notes;
mod outbox;
pub mod problem;
mod reference;
pub mod rights;
pub mod session;
mod socket;
pub mod staff;
pub mod token;
mod upgrade;

pub use tongdao_protocol::console::channel::Channel;

use crate::backend::Backend;
use crate::boards::{Docket, Follow, Prepared, Presence};
use crate::config;
use entry::Asker;
use futures_util::future::BoxFuture;
use hub::{Hub, HubLimits};
use login::Guard;
use session::kept::Kept;
use session::{Holder, SessionKey, Sessions};
use staff::Staff;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::{Semaphore, watch};
use tongdao_actors::clock::Clock;
use tongdao_domain::approval;
use tongdao_domain::id::{DeviceId, UserId};
use tongdao_domain::machine::Event;
use tongdao_domain::time::Timestamp;
use tongdao_domain::user::{Role, Scope};
use tongdao_journal::contract::FeedItem;
use tongdao_protocol::console::codes::{Code, ErrorBody};

/// How often sessions are looked through for what is over or idle.
const SWEEP_EVERY: Duration = Duration::from_secs(1);
/// How often a drain looks whether every socket is gone.
const DRAIN_LOOK: Duration = Duration::from_millis(10);
/// Searches of the audit that read at one time; the others wait.
const SEARCHES_AT_A_TIME: usize = 2;
/// How many sweeps pass until the users who have sessions are looked at again; changes that are told count at once.
const SWEEPS_A_LOOK: u32 = 5;

/// Who asks, as of now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// User id.
    pub user: UserId,
    /// What they may do.
    pub roles: BTreeSet<Role>,
    /// Where.
    pub scope: Scope,
    /// Their session.
    pub session: SessionKey,
    /// A program asks in their name, with a token: it is no person.
    pub by_token: bool,
}

/// Opens the channel of a device that nobody has looked at yet; false where there is no such device.
pub type DeviceOpener = Box<dyn Fn(DeviceId) -> BoxFuture<'static, bool> + Send + Sync>;

/// Everything that staff comes through; clones are the same.
#[derive(Clone)]
pub struct Console(Arc<Inner>);

struct Inner {
    hub: Hub,
    backend: Backend,
    settings: config::Console,
    origins: Vec<String>,
    sessions: Sessions,
    guard: Guard,
    notes: notes::Notes,
    acks: commands::acks::Acks,
    demo: Option<serde_json::Value>,
    seats: socket::Seats,
    draining: watch::Sender<bool>,
    /// Searches of the audit at one time …
    searching: Arc<Semaphore>,
    /// … and verifications.
    verifying: Arc<Semaphore>,
    device_opener: OnceLock<DeviceOpener>,
    presence: OnceLock<Presence>,
    /// Where pages are kept over a restart.
    sessions_file: OnceLock<PathBuf>,
    docket: OnceLock<Docket>,
}

impl Console {
    /// Of a node that runs; `http` is where it listens. `demo` is what pages say where this is a demo.
    #[must_use]
    pub fn new(backend: Backend, settings: &config::Console, http: SocketAddr, demo: Option<serde_json::Value>) -> Self {
        let limits = HubLimits { recent_events_max: settings.recent_events_max, recent_bytes_max: settings.recent_bytes_max };
        let epoch = format!("{:08x}", rand::random::<u32>());
        let clock = backend.door.clock().clone();
        Self(Arc::new(Inner {
            hub: Hub::new(epoch, limits),
            origins: entry::origins(&settings.origins, http),
            sessions: Sessions::new(settings.sessions(), Arc::clone(&backend.world)),
            guard: Guard::new(settings, clock.clone()),
            notes: notes::Notes::new(settings, clock),
            acks: commands::acks::Acks::new(settings.answers_kept_max),
            settings: settings.clone(),
            backend,
            demo,
            seats: socket::Seats::default(),
            draining: watch::Sender::new(false),
            searching: Arc::new(Semaphore::new(SEARCHES_AT_A_TIME)),
            verifying: Arc::new(Semaphore::new(1)),
            device_opener: OnceLock::new(),
            presence: OnceLock::new(),
            sessions_file: OnceLock::new(),
            docket: OnceLock::new(),
        }))
    }

    /// From now on there is something to see. Needs the front runtime.
    pub fn show(&self, boards: Prepared, presence: Presence) {
        let people = Box::new(People(self.clone()));
        let _ = self.0.presence.set(Arc::clone(&presence));
        let _ = self.0.docket.set(boards.docket());
        let running = boards.run(self.hub(), self.0.backend.door.clone(), presence, vec![people]);
        self.devices_are_opened_by(Box::new(move |device| {
            let running = running.clone();
            Box::pin(async move { running.open_device(&device).await })
        }));
    }

    /// The doubtful records that there are; none before the boards run.
    fn docket(&self) -> Option<&Docket> {
        self.0.docket.get()
    }

    /// The channels of this node.
    #[must_use]
    pub fn hub(&self) -> &Hub {
        &self.0.hub
    }
    /// The node.
    #[must_use]
    pub fn backend(&self) -> &Backend {
        &self.0.backend
    }
    /// The settings.
    #[must_use]
    pub fn settings(&self) -> &config::Console {
        &self.0.settings
    }
    /// The sessions.
    #[must_use]
    pub fn sessions(&self) -> &Sessions {
        &self.0.sessions
    }
    /// Answers of commands.
    #[must_use]
    pub fn acks(&self) -> &commands::acks::Acks {
        &self.0.acks
    }
    /// The users.
    #[must_use]
    pub fn staff(&self) -> Staff<'_> {
        Staff::new(&self.0.backend)
    }
    /// What pages say of a demo; none where this is none.
    #[must_use]
    pub fn demo(&self) -> Option<&serde_json::Value> {
        self.0.demo.as_ref()
    }
    /// The process clock.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        self.0.backend.door.clock()
    }
    /// Now, by that clock.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock().now()
    }

    /// Who holds this session, with the rights that they have this moment: the user is asked, so that what was taken away is
    /// gone at once.
    ///
    /// # Errors
    /// `UNAUTHENTICATED` where the session is over, `LOCKED` where its page is locked, `BUSY`.
    pub async fn caller(&self, session: &SessionKey) -> Result<Caller, ErrorBody> {
        let (caller, locked) = self.holder(session).await?;
        if locked { Err(Code::Locked.into()) } else { Ok(caller) }
    }

    /// The same for what a locked page may do too; says whether it is locked.
    ///
    /// # Errors
    /// `UNAUTHENTICATED` where the session is over, `BUSY`.
    pub async fn holder(&self, session: &SessionKey) -> Result<(Caller, bool), ErrorBody> {
        let over = || ErrorBody::new(Code::Unauthenticated);
        let user = self.sessions().find(session, self.now()).ok_or_else(over)?.user;
        self.look_at(&user).await?;
        let found = self.sessions().find(session, self.now()).ok_or_else(over)?;
        let by_token = matches!(found.holder, Holder::Token(_));
        let caller = Caller { user, roles: found.standing.roles, scope: found.standing.scope, session: *session, by_token };
        Ok((caller, found.standing.locked))
    }

    /// Something has happened to a user: what they may do now counts at once for all of their sessions.
    ///
    /// # Errors
    /// `BUSY`: it will be looked at again soon.
    pub async fn look_at(&self, user: &UserId) -> Result<(), ErrorBody> {
        let state = self.staff().state(user).await?;
        self.sessions().user_is(user, &state, self.now());
        Ok(())
    }

    /// Keeps sessions in order until the process ends.
    pub async fn keep_order(self) {
        let mut beat = tokio::time::interval(SWEEP_EVERY);
        beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        for turn in 0_u32.. {
            beat.tick().await;
            self.sessions().sweep(self.now());
            self.keep_sessions().await;
            self.0.guard.forget();
            if turn.is_multiple_of(SWEEPS_A_LOOK) {
                for user in self.sessions().users() {
                    let _ = self.look_at(&user).await;
                }
            }
        }
    }

    /// From now on pages outlive a restart: they are kept in this file, and taken in from there. Told once, before anybody comes.
    pub fn sessions_are_kept_in(&self, path: PathBuf) {
        if let Some(kept) = Kept::read(&path) {
            self.sessions().restore(&kept, self.now());
            self.0.guard.restore(kept.usual);
        }
        let _ = self.0.sessions_file.set(path);
    }

    async fn keep_sessions(&self) {
        let Some(path) = self.0.sessions_file.get().cloned() else { return };
        let Some(kept) = self.sessions().changed(self.0.guard.usual_addresses()) else { return };
        let written = tokio::task::spawn_blocking(move || kept.write(&path)).await;
        if let Ok(Err(fault)) = written {
            tracing::warn!(%fault, "the file of sessions cannot be written: after a restart everybody signs in again");
            self.sessions().not_kept();
        }
    }

    /// Who opens channels of devices; told once, by whoever keeps the boards.
    pub fn devices_are_opened_by(&self, opener: DeviceOpener) {
        let _ = self.0.device_opener.set(opener);
    }

    async fn open_device(&self, device: &DeviceId) {
        if let (false, Some(open)) = (self.hub().is_open(&Channel::Device(device.clone())), self.0.device_opener.get()) {
            open(device.clone()).await;
        }
    }

    /// Says good-bye to every socket and waits until they are gone, at most this long.
    pub async fn drain(&self, within: Duration) {
        self.0.draining.send_replace(true);
        let gone = async {
            while self.connections() > 0 {
                tokio::time::sleep(DRAIN_LOOK).await;
            }
        };
        let _ = tokio::time::timeout(within, gone).await;
        self.keep_sessions().await;
    }

    /// Everything under `/ws` and `/api/v1`, and the pages.
    pub fn routes(&self) -> axum::Router {
        api::routes().merge(upgrade::routes()).fallback(assets::page).with_state(self.clone())
    }
}

/// Follows people: whatever is committed of a user counts for their sessions at once, and what a second person has let
/// through is run.
struct People(Console);

impl Follow for People {
    fn event(&mut self, feed: &FeedItem, event: &Event) {
        let console = self.0.clone();
        match event {
            Event::User(_) => {
                let Ok(user) = UserId::new(feed.entity.id.as_str()) else { return };
                // Where it is too busy now, the next sweep looks again.
                tokio::spawn(async move { console.look_at(&user).await });
            }
            Event::Approval(approval::Event::Approved { .. }) => commands::run_in_its_own_time(console, feed.entity.id.to_string()),
            _ => {}
        }
    }
}
