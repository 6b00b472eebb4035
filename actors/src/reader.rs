//! Reads entities from the journal off the cells' threads: loads, owners of media, what is due. A few threads behind one
//! bounded queue; a full queue is told to the asker at once.
use std::sync::Arc;
use std::thread;

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use tongdao_domain::entity::EntityKey;
use tongdao_domain::id::{AccountId, Token};
use tongdao_domain::medium::Medium;
use tongdao_domain::time::Timestamp;
use tongdao_journal::contract::Journal;
use tongdao_journal::pipeline::restore;

use crate::inbox::Inbox;
use crate::mail::Note;
use crate::slots::Key;

/// Reads that wait at most, over all cells.
const QUEUE_MAX: usize = 65_536;

/// What is to be read, and for which cell.
#[derive(Debug)]
pub(crate) enum Job {
    Load { cell: usize, resident: Key, entity: EntityKey },
    Owner { cell: usize, token: Token },
    Due { until: Timestamp, limit: usize },
}

/// The readers' queue; the threads end when every clone is gone.
#[derive(Debug, Clone)]
pub(crate) struct Readers(Sender<Job>);

impl Readers {
    /// Starts the threads.
    pub(crate) fn start(threads: usize, journal: &Arc<dyn Journal>, inboxes: &[Arc<Inbox>]) -> std::io::Result<Self> {
        let (sender, jobs) = bounded(QUEUE_MAX);
        for n in 0..threads.max(1) {
            let reader = Reader { journal: Arc::clone(journal), inboxes: inboxes.to_vec() };
            let jobs = jobs.clone();
            thread::Builder::new().name(format!("reader-{n}")).spawn(move || reader.run(&jobs))?;
        }
        Ok(Self(sender))
    }
    /// Hands a read over; `false` = the queue is full.
    #[must_use]
    pub(crate) fn read(&self, job: Job) -> bool {
        !matches!(self.0.try_send(job), Err(TrySendError::Full(_) | TrySendError::Disconnected(_)))
    }
}

struct Reader {
    journal: Arc<dyn Journal>,
    inboxes: Vec<Arc<Inbox>>,
}

impl Reader {
    fn run(&self, jobs: &Receiver<Job>) {
        for job in jobs {
            match job {
                Job::Load { cell, resident, entity } => {
                    let result = Box::new(self.journal.load(&entity));
                    self.tell(cell, Note::Loaded { resident, result });
                }
                Job::Owner { cell, token } => {
                    let owner = self.owner(&token);
                    self.tell(cell, Note::Owner { token, owner });
                }
                Job::Due { until, limit } => self.due(until, limit),
            }
        }
    }
    fn tell(&self, cell: usize, note: Note) {
        if let Some(inbox) = self.inboxes.get(cell) {
            inbox.push(note);
        }
    }
    fn owner(&self, token: &Token) -> Result<Option<AccountId>, String> {
        let loaded = self.journal.load(&EntityKey::from(token)).map_err(|error| error.to_string())?;
        restore::<Medium>(&loaded).map(|medium| medium.owner).map_err(|error| error.to_string())
    }
    fn due(&self, until: Timestamp, limit: usize) {
        let due = match self.journal.due(until, limit) {
            Ok(due) => due,
            Err(error) => return tracing::error!(%error, "due timers could not be read"),
        };
        let mut by_cell = vec![Vec::new(); self.inboxes.len()];
        for (_, entity) in due {
            by_cell[cell_of(&entity, self.journal.partitions(), self.inboxes.len())].push(entity);
        }
        for (cell, entities) in by_cell.into_iter().enumerate().filter(|(_, entities)| !entities.is_empty()) {
            self.tell(cell, Note::Due(entities));
        }
    }
}

/// The cell of an entity: its partition modulo the cells.
pub(crate) fn cell_of(entity: &EntityKey, partitions: u16, cells: usize) -> usize {
    usize::from(entity.partition(partitions)) % cells.max(1)
}
