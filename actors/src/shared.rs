//! What all threads of a node share: the cells' doors and inboxes, the clock, the limits, the figures, the dead letters.
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc::error::TrySendError;
use tongdao_domain::entity::EntityKey;
use tongdao_domain::id::CommandId;
use tongdao_telemetry::DoorBusy;

use crate::clock::Clock;
use crate::inbox::Inbox;
use crate::lanes::Entrance;
use crate::limits::Limits;
use crate::mail::Knock;
use crate::observe::{CellFigures, DeadLetter};
use crate::reader::cell_of;
use crate::request::{Busy, Lane};

/// A cell as the other threads see it.
pub(crate) struct Port {
    pub(crate) entrance: Entrance<Knock>,
    pub(crate) inbox: Arc<Inbox>,
    pub(crate) figures: Figures,
}

/// Shared by all threads of a node.
pub(crate) struct Shared {
    pub(crate) ports: Vec<Port>,
    pub(crate) partitions: u16,
    pub(crate) clock: Clock,
    pub(crate) limits: Limits,
    open: AtomicBool,
    dead_letters: Mutex<VecDeque<DeadLetter>>,
}

impl Shared {
    pub(crate) fn new(ports: Vec<Port>, partitions: u16, clock: Clock, limits: Limits) -> Self {
        Self { ports, partitions, clock, limits, open: AtomicBool::new(true), dead_letters: Mutex::default() }
    }
    pub(crate) fn cell_of(&self, entity: &EntityKey) -> usize {
        if self.ports.len() == 1 { 0 } else { cell_of(entity, self.partitions, self.ports.len()) }
    }
    pub(crate) fn is_open(&self) -> bool {
        self.open.load(Ordering::Relaxed)
    }
    pub(crate) fn drain(&self) {
        self.open.store(false, Ordering::Relaxed);
    }
    /// Puts something into a lane of a cell's door; it comes back when there is no room.
    #[expect(clippy::result_large_err, reason = "what comes back is moved on, never stored")]
    pub(crate) fn knock(&self, cell: usize, lane: Lane, knock: Knock) -> Result<(), (Busy, Knock)> {
        match self.ports[cell].entrance.lane(lane).try_send(knock) {
            Ok(()) => Ok(()),
            Err(TrySendError::Full(knock)) => Err((Busy::Full, knock)),
            Err(TrySendError::Closed(knock)) => Err((Busy::Stopped, knock)),
        }
    }
    /// A command was turned away at the door of a cell.
    pub(crate) fn turned_away(&self, cell: usize, lane: Lane, why: Busy) {
        self.ports[cell].figures.busy(1);
        DoorBusy { lane: lane.name(), why: why.name() }.emit();
    }
    pub(crate) fn dead_letter(&self, entity: &EntityKey, command_id: &CommandId, reason: &str) {
        let mut letters = self.dead_letters.lock().unwrap_or_else(PoisonError::into_inner);
        if letters.len() >= self.limits.dead_letters_max.max(1) {
            letters.pop_front();
        }
        let (entity, command_id) = (entity.to_string(), command_id.as_str().into());
        letters.push_back(DeadLetter { at: self.clock.now(), entity, command_id, reason: reason.to_owned() });
    }
    pub(crate) fn dead_letters(&self) -> Vec<DeadLetter> {
        self.dead_letters.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}

macro_rules! figures {
    (counts: $($count:ident),*; gauges: $($gauge:ident),*) => {
        /// The figures of a cell as it writes them; read from any thread.
        #[derive(Debug, Default)]
        pub(crate) struct Figures {
            $($count: AtomicU64,)*
            $($gauge: AtomicUsize,)*
        }
        impl Figures {
            $(pub(crate) fn $count(&self, by: u64) {
                self.$count.fetch_add(by, Ordering::Relaxed);
            })*
            /// Writes the gauges, once a turn.
            pub(crate) fn gauge(&self, now: &CellFigures) {
                $(self.$gauge.store(now.$gauge, Ordering::Relaxed);)*
            }
            pub(crate) fn read(&self) -> CellFigures {
                CellFigures {
                    $($count: self.$count.load(Ordering::Relaxed),)*
                    $($gauge: self.$gauge.load(Ordering::Relaxed),)*
                }
            }
        }
    };
}
figures!(
    counts: busy, replies_dropped, panics, dead_letters, passivated, loads;
    gauges: urgent_queued, taps_queued, rest_queued, unanswered, committing, actors, quarantined, owners_cached
);
