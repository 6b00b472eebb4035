//! The feed as the front runtime follows it: committed events of every kind, in order and without a gap per partition.
//! The journal's thread only drops a group into a bounded queue, once the cells have their outcomes; where that is full, or a
//! number is missing, the feed is read again from the last position. Nothing here can slow a tap down.
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Notify;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tongdao_domain::machine::Event;
use tongdao_journal::codec::decode_event;
use tongdao_journal::contract::{FeedItem, Journal, Outcome, OutcomeSink, Ticket};

/// Groups that wait, at most; a group has up to `journal.group_max` events.
const GROUPS_MAX: usize = 256;
/// Events that are read again at a time.
const READ_AGAIN: usize = 1024;

/// The journal's end.
pub struct FeedSink {
    groups: Sender<Arc<[FeedItem]>>,
    /// Heard of, while the cells do not have their outcomes yet.
    held: Mutex<Vec<Arc<[FeedItem]>>>,
    behind: Arc<Behind>,
}

#[derive(Default)]
struct Behind {
    lost: AtomicBool,
    wake: Notify,
}

/// Our end.
pub struct Follower {
    groups: Receiver<Arc<[FeedItem]>>,
    behind: Arc<Behind>,
    journal: Arc<dyn Journal>,
    /// The last number that was taken, by partition.
    positions: HashMap<u16, u64>,
}

/// That there is something: a group, or only that one was lost.
pub struct Heard(Option<Arc<[FeedItem]>>);

impl OutcomeSink for FeedSink {
    fn outcomes(&self, _outcomes: Vec<(Ticket, Outcome)>) {}
    fn followed(&self, items: Arc<[FeedItem]>) {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).push(items);
    }
    fn told(&self) {
        for items in self.held.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            if self.groups.try_send(items).is_err() {
                self.behind.lost.store(true, Ordering::Release);
                self.behind.wake.notify_one();
            }
        }
    }
}

/// Both ends.
pub fn feed(journal: Arc<dyn Journal>) -> (FeedSink, Follower) {
    let (sender, groups) = channel(GROUPS_MAX);
    let behind = Arc::new(Behind::default());
    (
        FeedSink { groups: sender, held: Mutex::default(), behind: Arc::clone(&behind) },
        Follower { groups, behind, journal, positions: HashMap::new() },
    )
}

impl Follower {
    /// Waits until something was told; nothing is lost where the waiting is given up. `None` = the journal is gone.
    pub async fn heard(&mut self) -> Option<Heard> {
        tokio::select! {
            group = self.groups.recv() => group.map(|group| Heard(Some(group))),
            () = self.behind.wake.notified() => Some(Heard(None)),
        }
    }

    /// The next events, in order; none where only something was missed that is not durable yet. Must be waited for to the end.
    pub async fn events(&mut self, Heard(group): Heard) -> Vec<(FeedItem, Event)> {
        let mut taken = Vec::new();
        for item in group.iter().flat_map(|group| group.iter()) {
            self.take(item, &mut taken).await;
        }
        if self.behind.lost.swap(false, Ordering::AcqRel) {
            tracing::warn!("the boards were too slow for the feed and read it again");
            for partition in 0..self.journal.partitions() {
                self.read_again(partition, &mut taken).await;
            }
        }
        taken
    }

    async fn take(&mut self, item: &FeedItem, taken: &mut Vec<(FeedItem, Event)>) {
        let known = self.positions.get(&item.partition).copied();
        match known {
            Some(known) if item.seq <= known => return,
            Some(known) if item.seq > known + 1 => return self.read_again(item.partition, taken).await,
            _ => {}
        }
        self.keep(item.clone(), taken);
    }

    /// Everything after the last position of a partition.
    async fn read_again(&mut self, partition: u16, taken: &mut Vec<(FeedItem, Event)>) {
        loop {
            let from = self.positions.get(&partition).map_or(1, |known| known + 1);
            let journal = Arc::clone(&self.journal);
            let read = tokio::task::spawn_blocking(move || journal.feed(partition, from, READ_AGAIN)).await;
            let items = match read {
                Ok(Ok(items)) => items,
                Ok(Err(fault)) => return tracing::error!(partition, from, %fault, "the feed cannot be read"),
                Err(_) => return,
            };
            let whole = items.len() < READ_AGAIN;
            items.into_iter().for_each(|item| self.keep(item, taken));
            if whole {
                return;
            }
        }
    }

    fn keep(&mut self, item: FeedItem, taken: &mut Vec<(FeedItem, Event)>) {
        self.positions.insert(item.partition, item.seq);
        match decode_event(item.entity.kind, &item.event) {
            Ok(event) => taken.push((item, event)),
            Err(fault) => tracing::error!(entity = %item.entity, seq = item.seq, %fault, "an event cannot be read"),
        }
    }

    /// Where the feed stands before anything is committed: what is there already is not told again.
    pub fn starts_at(&mut self, positions: impl IntoIterator<Item = (u16, u64)>) {
        self.positions.extend(positions);
    }
}

/// The newest number of each partition: one beyond is not there. Doubles and halves, because a journal tells no heads.
///
/// # Errors
/// The journal cannot be read.
pub fn heads(journal: &dyn Journal) -> Result<Vec<(u16, u64)>, tongdao_journal::contract::JournalError> {
    (0..journal.partitions()).map(|partition| Ok((partition, first_without(journal, partition, |_| true)? - 1))).collect()
}

/// The first number whose event does not satisfy `holds` (which holds for all before it), or is not there.
///
/// # Errors
/// The journal cannot be read.
pub fn first_without(
    journal: &dyn Journal,
    partition: u16,
    holds: impl Fn(&FeedItem) -> bool,
) -> Result<u64, tongdao_journal::contract::JournalError> {
    let at = |seq: u64| journal.feed(partition, seq, 1).map(|items| items.first().is_some_and(|item| item.seq == seq && holds(item)));
    let mut step = 1;
    while at(step)? {
        step *= 2;
    }
    let (mut low, mut high) = (step / 2, step);
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if at(middle)? { low = middle } else { high = middle }
    }
    Ok(high)
}
