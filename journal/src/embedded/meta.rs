//! The few facts about a journal as a whole.
use fjall::{OwnedWriteBatch, PersistMode};

use super::store::{Store, damaged, fault};
use crate::contract::JournalError;

/// The format written now.
const FORMAT: u64 = 1;

/// Names of facts.
pub(crate) const LOW: &str = "low-segment";
pub(crate) const INDEXED: &str = "indexed-segments";
pub(crate) const TRUNCATED: &str = "truncated-bytes";
const PARTITIONS: &str = "partitions";
const LOSS: &str = "loss/";

/// A loss that somebody accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loss {
    /// Last group that had been acknowledged.
    pub acknowledged: u64,
    /// Last group that was there.
    pub found: u64,
    /// Bytes cut off.
    pub truncated_bytes: u64,
}

/// Reads a number; 0 where there is none.
pub(crate) fn number(store: &Store, name: &str) -> Result<u64, JournalError> {
    Ok(maybe(store, name)?.unwrap_or(0))
}

fn maybe(store: &Store, name: &str) -> Result<Option<u64>, JournalError> {
    let found = store.meta.get(name).map_err(fault("meta could not be read"))?;
    let decode = |bytes: fjall::UserValue| bytes[..].try_into().map(u64::from_le_bytes);
    found.map(|bytes| decode(bytes).map_err(|_| damaged(format!("meta {name}"), "it is no number"))).transpose()
}

/// Writes a number with a batch.
pub(crate) fn put(batch: &mut OwnedWriteBatch, store: &Store, name: &str, value: u64) {
    batch.insert(&store.meta, name, value.to_le_bytes());
}

/// Checks that the journal is of this format and that many partitions (none = as it is); writes both into a new one.
pub(crate) fn check(store: &Store, wanted: Option<u16>) -> Result<u16, JournalError> {
    let mismatch = |key, stored: u64, wanted: u64| JournalError::Mismatch { key, stored: stored.to_string(), wanted: wanted.to_string() };
    let stored = maybe(store, PARTITIONS)?.map(|stored| u16::try_from(stored).unwrap_or_default());
    match (maybe(store, "format")?, stored, wanted) {
        (Some(FORMAT), Some(stored), wanted) if wanted.is_none_or(|wanted| wanted == stored) => Ok(stored),
        (Some(FORMAT), Some(stored), Some(wanted)) => Err(mismatch("journal.partitions", stored.into(), wanted.into())),
        (Some(format), _, _) if format != FORMAT => Err(mismatch("journal format", format, FORMAT)),
        (None, None, Some(wanted)) if store.segment_count() == 0 => make(store, wanted).map(|()| wanted),
        _ => Err(damaged("meta", "format or number of partitions is missing")),
    }
}

fn make(store: &Store, partitions: u16) -> Result<(), JournalError> {
    let mut batch = store.db.batch().durability(Some(PersistMode::SyncAll));
    put(&mut batch, store, "format", FORMAT);
    put(&mut batch, store, PARTITIONS, u64::from(partitions));
    batch.commit().map_err(fault("meta could not be written"))
}

/// Notes an accepted loss for ever.
pub(crate) fn note_loss(batch: &mut OwnedWriteBatch, store: &Store, loss: &Loss) {
    let mut value = Vec::with_capacity(24);
    [loss.acknowledged, loss.found, loss.truncated_bytes].iter().for_each(|n| value.extend_from_slice(&n.to_le_bytes()));
    batch.insert(&store.meta, format!("{LOSS}{:020}/{:020}", loss.found, loss.acknowledged), value);
}

/// Every loss that was ever accepted, by place.
pub(crate) fn losses(store: &Store) -> Result<Vec<Loss>, JournalError> {
    let mut losses = Vec::new();
    for item in store.meta.prefix(LOSS) {
        let value = item.value().map_err(fault("meta could not be read"))?;
        let mut numbers = value.chunks_exact(8).filter_map(|chunk| chunk.try_into().ok().map(u64::from_le_bytes));
        let mut next = || numbers.next().unwrap_or_default();
        losses.push(Loss { acknowledged: next(), found: next(), truncated_bytes: next() });
    }
    Ok(losses)
}
