//! The node: loads what every cell must know, starts the cells, stops them without losing what was taken in.
use std::sync::Arc;
use std::time::Duration;

use tongdao_domain::entity::EntityKey;
use tongdao_domain::world::World;
use tongdao_journal::contract::{Journal, JournalError};

use crate::cell::CellHook;
use crate::clock::Clock;
use crate::door::Door;
use crate::limits::Limits;
use crate::observe::Observed;
use crate::request::Busy;
use crate::state::EntityState;

/// What a node is started with.
pub struct NodeConfig {
    /// Number of cells; 0 = cores − 1, at least 1.
    pub cells: usize,
    /// Where commits go. Opened; not yet registered with.
    pub journal: Arc<dyn Journal>,
    /// The site files' facts; what stations and devices have become since is read from the journal.
    pub world: World,
    /// The process clock, started not behind the journal.
    pub clock: Clock,
    /// Bounds and periods.
    pub limits: Limits,
    /// What else lives on the cells' threads.
    pub hook: Arc<dyn CellHook>,
}

/// Why a node did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The journal could not be read.
    #[error("the journal could not be read")]
    Journal(#[from] JournalError),
    /// The history of a station or a device cannot be replayed.
    #[error("the history of {entity} cannot be replayed: {what}")]
    Replay {
        /// Whose.
        entity: EntityKey,
        /// What is wrong.
        what: String,
    },
    /// A thread or its runtime could not be made.
    #[error("a cell could not be started")]
    Thread(#[from] std::io::Error),
}

/// How a shutdown ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Stopped {
    /// Everything that was taken in was answered.
    Clean,
    /// The deadline came first; this many had no answer. What is durable stays durable.
    Cut {
        /// Commands without an answer.
        unanswered: usize,
    },
}

/// A running node.
pub struct Node {
    door: Door,
}

impl Node {
    /// Starts the cells. Blocks while it reads the journal: call it outside of a runtime, or by `spawn_blocking`.
    ///
    /// # Errors
    /// [`StartError`].
    pub fn start(_config: NodeConfig) -> Result<Self, StartError> {
        Err(StartError::Thread(std::io::Error::other("the cells are not built yet")))
    }
    /// The door for other runtimes.
    #[must_use]
    pub fn door(&self) -> Door {
        self.door.clone()
    }
    /// As [`Door::query`].
    ///
    /// # Errors
    /// As [`Door::query`].
    pub async fn query(&self, entity: &EntityKey) -> Result<EntityState, Busy> {
        self.door.query(entity).await
    }
    /// As [`Door::observe`].
    pub async fn observe(&self, limit: usize) -> Observed {
        self.door.observe(limit).await
    }
    /// Takes nothing new, waits until everything taken in is answered (at most `deadline`), writes the states of all
    /// changed entities, closes the journal, ends the threads.
    pub async fn shutdown(self, _deadline: Duration) -> Stopped {
        Stopped::Clean
    }
}
