//! The limits of the shell; each is a setting of the process.
use std::time::Duration;

use tongdao_domain::time::Millis;

/// Bounds and periods. The unit stands last in each name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Commands waiting in the urgent lane of a cell.
    pub urgent_queue_max: usize,
    /// Commands waiting in the taps lane of a cell.
    pub taps_queue_max: usize,
    /// Commands waiting in the rest lane of a cell.
    pub rest_queue_max: usize,
    /// Commands of a cell delivered to its entities and not yet answered; at the bound the cell stops reading its door.
    pub unanswered_max: usize,
    /// A tap is refused `BUSY` when the head of the queue has waited its deadline divided by this.
    pub shed_divisor: i64,
    /// Other commands are refused `BUSY` when the head of the queue has waited this long.
    pub shed_after: Millis,
    /// Media whose owner a cell remembers.
    pub owners_cached_max: usize,
    /// Commands waiting for the owner of a medium to be read, per cell.
    pub owner_waiting_max: usize,
    /// Threads that read entities from the journal.
    pub readers: usize,
    /// Entities awake in a cell; above it they go to sleep sooner.
    pub entities_awake_max: usize,
    /// An entity that has had nothing to do for this long goes to sleep.
    pub idle_after: Millis,
    /// A changed entity's state is written to the journal within this.
    pub checkpoint_after: Millis,
    /// How often a cell looks for the idle and the unwritten.
    pub sweep_every: Millis,
    /// How often the journal is asked whose deadline has come.
    pub due_every: Millis,
    /// Due entities that are woken in one sweep.
    pub due_batch_max: usize,
    /// Panics on one command until it goes to the dead letters.
    pub panics_per_command_max: u8,
    /// Dead letters that are remembered.
    pub dead_letters_max: usize,
    /// For overload tests: each commit takes this much longer. Zero in production.
    pub slow_commit: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            urgent_queue_max: 1024,
            taps_queue_max: 4096,
            rest_queue_max: 2048,
            unanswered_max: 4096,
            shed_divisor: 4,
            shed_after: Millis::seconds(5),
            owners_cached_max: 1_000_000,
            owner_waiting_max: 4096,
            readers: 1,
            entities_awake_max: 200_000,
            idle_after: Millis::seconds(60),
            checkpoint_after: Millis::seconds(30),
            sweep_every: Millis::seconds(1),
            due_every: Millis::seconds(1),
            due_batch_max: 256,
            panics_per_command_max: 3,
            dead_letters_max: 256,
            slow_commit: Duration::ZERO,
        }
    }
}
