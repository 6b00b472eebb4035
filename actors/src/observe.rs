//! What can be seen of the shell from outside: every actor's small state (`/debug/actors`), the figures of each cell, the
//! dead letters.
use compact_str::CompactString;
use serde::Serialize;
use tongdao_domain::entity::EntityKind;
use tongdao_domain::time::Timestamp;

/// Where an actor is in its life.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ActorPhase {
    /// Its state is being read.
    Loading,
    /// It decides.
    Awake,
    /// Its history cannot be replayed: it refuses everything.
    Quarantined {
        /// Why.
        reason: String,
    },
}

/// One actor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ActorView {
    /// Its kind.
    pub kind: EntityKind,
    /// Which one.
    pub id: CompactString,
    /// The cell it lives in.
    pub cell: usize,
    /// Where it is in its life.
    pub phase: ActorPhase,
    /// Events of its history so far.
    pub version: u64,
    /// Commands it has not answered yet.
    pub in_flight: usize,
    /// What it still has to tell.
    pub owed: usize,
    /// Milliseconds since it last had something to do.
    pub idle_ms: i64,
    /// How often it panicked since the process started.
    pub panics: u32,
}

/// A command that was given up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DeadLetter {
    /// When.
    pub at: Timestamp,
    /// For whom it was, as `account/a1`.
    pub entity: String,
    /// Its id.
    pub command_id: CompactString,
    /// Why.
    pub reason: String,
}

/// Figures of one cell. Counts are since the start of the process.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct CellFigures {
    /// Waiting in the urgent lane.
    pub urgent_queued: usize,
    /// Waiting in the taps lane.
    pub taps_queued: usize,
    /// Waiting in the rest lane.
    pub rest_queued: usize,
    /// Delivered and not yet answered.
    pub unanswered: usize,
    /// Commits handed to the journal and not yet told.
    pub committing: usize,
    /// Actors awake.
    pub actors: usize,
    /// Actors in quarantine.
    pub quarantined: usize,
    /// Media whose owner is remembered.
    pub owners_cached: usize,
    /// Commands refused `BUSY`.
    pub busy: u64,
    /// Replies whose slot was gone.
    pub replies_dropped: u64,
    /// Panics of actors.
    pub panics: u64,
    /// Commands given up.
    pub dead_letters: u64,
    /// Entities put to sleep.
    pub passivated: u64,
    /// Reads of entities from the journal.
    pub loads: u64,
}

/// Everything about the actors at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Observed {
    /// The figures, cell by cell.
    pub cells: Vec<CellFigures>,
    /// Actors, quarantined ones first, then the ones with most in flight; cut at the limit asked for.
    pub actors: Vec<ActorView>,
    /// Newest last.
    pub dead_letters: Vec<DeadLetter>,
}
