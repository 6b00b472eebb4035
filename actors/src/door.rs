//! The door for everybody who is not on a cell's thread: HTTP, the admin socket, a command line in the process. The same
//! three bounded lanes, the same refusals.
use tongdao_domain::entity::EntityKey;
use tongdao_domain::id::{CommandId, DeviceId};
use tongdao_domain::machine::{Command, Owed, Reply};

use crate::clock::Clock;
use crate::observe::{CellFigures, Observed};
use crate::request::{Busy, Lane, Request};
use crate::state::EntityState;

/// All cells' doors; cheap to clone, usable from any runtime.
#[derive(Clone)]
pub struct Door {
    clock: Clock,
}

impl Door {
    /// Asks an entity and waits for its durable answer.
    ///
    /// # Errors
    /// [`Busy`]: nothing was taken in; or, as [`Busy::Stopped`], the process ended before there was an answer.
    pub async fn ask(&self, entity: EntityKey, command_id: CommandId, command: impl Into<Command>, lane: Lane) -> Result<Reply, Busy> {
        let request = Request { entity, command_id, command: command.into(), lane, received: self.clock.now() };
        self.send(request).await
    }
    /// The same with a request that was made elsewhere.
    ///
    /// # Errors
    /// As [`Door::ask`].
    pub async fn send(&self, _request: Request) -> Result<Reply, Busy> {
        Err(Busy::Stopped)
    }
    /// The confirmed state of an entity; one that never committed is in its default state.
    ///
    /// # Errors
    /// [`Busy`] when its cell cannot be asked now, or the entity is in quarantine.
    pub async fn query(&self, _entity: &EntityKey) -> Result<EntityState, Busy> {
        Err(Busy::Stopped)
    }
    /// What is owed to a device.
    ///
    /// # Errors
    /// [`Busy`] when the gate's cell cannot be asked now.
    pub async fn device_owed(&self, _device: &DeviceId) -> Result<Vec<Owed>, Busy> {
        Err(Busy::Stopped)
    }
    /// Every actor's small state, at most `limit` of them, and the dead letters.
    pub async fn observe(&self, _limit: usize) -> Observed {
        Observed::default()
    }
    /// The figures of every cell; cheap, for metrics.
    #[must_use]
    pub fn figures(&self) -> Vec<CellFigures> {
        Vec::new()
    }
    /// The process clock.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.clock
    }
    /// Takes no new commands from now on; what was taken in is still answered.
    pub fn drain(&self) {}
    /// Does it take new commands?
    #[must_use]
    pub fn is_open(&self) -> bool {
        false
    }
}
