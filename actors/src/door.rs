//! The door for everybody who is not on a cell's thread: HTTP, the admin socket, a command line in the process. The same
//! three bounded lanes, the same refusals.
use std::cmp::Reverse;
use std::sync::Arc;

use tokio::sync::oneshot;
use tongdao_domain::entity::EntityKey;
use tongdao_domain::id::{CommandId, DeviceId};
use tongdao_domain::machine::{Command, Owed, Reply};

use crate::clock::Clock;
use crate::mail::{Address, Delivery, Knock, Note, Question, ReplyTo};
use crate::observe::{ActorPhase, ActorView, CellFigures, Observed};
use crate::request::{Busy, Lane, Request};
use crate::shared::Shared;
use crate::state::EntityState;

/// All cells' doors; cheap to clone, usable from any runtime.
#[derive(Clone)]
pub struct Door(pub(crate) Arc<Shared>);

impl std::fmt::Debug for Door {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Door").field("open", &self.is_open()).finish_non_exhaustive()
    }
}

impl Door {
    /// Asks an entity and waits for its durable answer.
    ///
    /// # Errors
    /// [`Busy`]: nothing was taken in; or, as [`Busy::Stopped`], the process ended before there was an answer.
    pub async fn ask(&self, entity: EntityKey, command_id: CommandId, command: impl Into<Command>, lane: Lane) -> Result<Reply, Busy> {
        let request = Request { entity, command_id, command: command.into(), if_rev: None, lane, received: self.0.clock.now() };
        self.send(request).await
    }
    /// The same with a request that was made elsewhere.
    ///
    /// # Errors
    /// As [`Door::ask`].
    pub async fn send(&self, request: Request) -> Result<Reply, Busy> {
        if !self.is_open() {
            return Err(Busy::Draining);
        }
        let (asker, answer) = oneshot::channel();
        let Request { entity, command_id, command, if_rev, lane, received } = request;
        let cell = self.0.cell_of(&entity);
        let delivery = Delivery { command_id, command, if_rev, address: Address::direct(ReplyTo::Once(asker)) };
        self.0.knock(cell, lane, Knock::Command { entity, delivery, received }).map_err(|(busy, _)| {
            self.0.turned_away(cell, lane, busy);
            busy
        })?;
        answer.await.map_err(|_| Busy::Stopped)
    }
    /// The confirmed state of an entity; one that never committed is in its default state.
    ///
    /// # Errors
    /// [`Busy`] when its cell cannot be asked now, or the entity is in quarantine.
    pub async fn query(&self, entity: &EntityKey) -> Result<EntityState, Busy> {
        self.question(entity, Question::State).await
    }
    /// What is owed to a device.
    ///
    /// # Errors
    /// [`Busy`] when the gate's cell cannot be asked now.
    pub async fn device_owed(&self, device: &DeviceId) -> Result<Vec<Owed>, Busy> {
        self.question(&EntityKey::gate(device), Question::Owed).await
    }
    async fn question<T>(&self, entity: &EntityKey, make: fn(oneshot::Sender<Result<T, Busy>>) -> Question) -> Result<T, Busy> {
        let (asker, answer) = oneshot::channel();
        let knock = Knock::Ask { entity: entity.clone(), question: make(asker) };
        self.0.knock(self.0.cell_of(entity), Lane::Rest, knock).map_err(|(busy, _)| busy)?;
        answer.await.unwrap_or(Err(Busy::Stopped))
    }
    /// Every actor's small state, at most `limit` of them, and the dead letters.
    pub async fn observe(&self, limit: usize) -> Observed {
        let mut actors = Vec::new();
        for port in &self.0.ports {
            let (answer, views) = oneshot::channel();
            port.inbox.push(Note::Observe { limit, answer });
            actors.extend(views.await.unwrap_or_default());
        }
        actors.sort_by_key(ActorView::rank);
        actors.truncate(limit);
        Observed { cells: self.figures(), actors, dead_letters: self.0.dead_letters() }
    }
    /// The figures of every cell; cheap, for metrics.
    #[must_use]
    pub fn figures(&self) -> Vec<CellFigures> {
        self.0.ports.iter().map(|port| port.figures.read()).collect()
    }
    /// The process clock.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }
    /// Takes no new commands from now on; what was taken in is still answered.
    pub fn drain(&self) {
        self.0.drain();
    }
    /// Does it take new commands?
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.0.is_open()
    }
}

impl ActorView {
    /// The order in which actors are shown: quarantined first, then the busiest, then the newest in use.
    pub(crate) fn rank(&self) -> (bool, Reverse<usize>, i64) {
        (!matches!(self.phase, ActorPhase::Quarantined { .. }), Reverse(self.in_flight), self.idle_ms)
    }
}
