//! What an operator wants to know of a journal's folder.
use fjall::Readable;
use tongdao_domain::time::Timestamp;

use super::View;
use crate::contract::JournalError;
use crate::embedded::front;
use crate::embedded::group::{Group, number_of};
use crate::embedded::store::{damaged, fault};
use crate::embedded::{Loss, Space, meta};

/// Positions, sizes, losses and the disk reserve of a journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DoctorReport {
    /// Its folder.
    pub dir: String,
    /// Logical partitions.
    pub partitions: u16,
    /// Next sequence of each partition.
    pub positions: Vec<u64>,
    /// Events committed.
    pub events: u64,
    /// Last durable group.
    pub groups: u64,
    /// High-water mark: last acknowledged group; none beside a running writer.
    pub acknowledged: Option<u64>,
    /// End of the hash chain, in hexadecimal.
    pub chain: String,
    /// Newest moment.
    pub newest_at: Timestamp,
    /// Segments so far.
    pub segments: u32,
    /// First segment that a start replays.
    pub replayed_from: u32,
    /// Commits that no written state covers; none where no writer runs.
    pub uncovered_commits: Option<usize>,
    /// Torn bytes that were cut off just now.
    pub torn_bytes: u64,
    /// Torn bytes that were ever cut off.
    pub truncated_bytes: u64,
    /// Losses that were accepted.
    pub losses: Vec<Loss>,
    /// Its disk.
    pub space: Space,
    /// Bytes of that disk that stay free.
    pub reserve_bytes: u64,
    /// Bytes on disk by keyspace, the write-ahead log and the front log.
    pub sizes: Vec<(String, u64)>,
}

pub(super) fn doctor(view: &View<'_>) -> Result<DoctorReport, JournalError> {
    let store = view.store;
    let last = store.last_group(&view.snapshot)?;
    let space = Space::of(&view.settings.dir)?;
    let segment = |name| Ok::<_, JournalError>(u32::try_from(meta::number(store, name)?).unwrap_or(u32::MAX));
    Ok(DoctorReport {
        dir: view.settings.dir.display().to_string(),
        partitions: view.partitions,
        positions: positions(view)?,
        events: last.as_ref().map_or(0, |group| group.events),
        groups: last.as_ref().map_or(0, |group| group.number),
        acknowledged: view.mark.map(|mark| mark.group),
        chain: hex(&last.as_ref().map_or([0; 32], |group| group.chain)),
        newest_at: last.as_ref().map_or(Timestamp::default(), |group| group.newest_at),
        segments: store.segment_count(),
        replayed_from: segment(meta::LOW)?.min(segment(meta::INDEXED)?),
        uncovered_commits: None,
        torn_bytes: view.torn_bytes,
        truncated_bytes: meta::number(store, meta::TRUNCATED)?,
        losses: meta::losses(store)?,
        space,
        reserve_bytes: view.settings.reserve.bytes(space.total),
        sizes: sizes(view)?,
    })
}

/// Bytes as hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Where the last segment begins, plus what its groups list.
fn positions(view: &View<'_>) -> Result<Vec<u64>, JournalError> {
    let Some(last) = view.store.segment_count().checked_sub(1) else { return Ok(vec![1; usize::from(view.partitions)]) };
    let mut next = view.store.start_of(last).map(|starts| starts.to_vec()).unwrap_or_default();
    for item in view.snapshot.iter(&view.store.groups).rev() {
        let (key, value) = item.into_inner().map_err(fault("groups could not be read"))?;
        let number = number_of(&key).ok_or_else(|| damaged("groups", "a key makes no sense"))?;
        let group = Group::decode(number, &value).map_err(|what| damaged(format!("group {number}"), what))?;
        if group.segment > last {
            continue;
        }
        if group.segment < last {
            break;
        }
        for line in group.lines {
            if let Some(next) = next.get_mut(usize::from(line.partition)) {
                *next += line.events;
            }
        }
    }
    Ok(next)
}

fn sizes(view: &View<'_>) -> Result<Vec<(String, u64)>, JournalError> {
    let db = &view.store.db;
    let mut sizes = Vec::new();
    for name in db.list_keyspace_names() {
        if db.keyspace_exists(&name) {
            let keyspace = db.keyspace(&name, fjall::KeyspaceCreateOptions::default).map_err(fault("keyspace could not be opened"))?;
            sizes.push((name.to_string(), keyspace.disk_space()));
        }
    }
    sizes.sort();
    let sorted: u64 = sizes.iter().map(|(_, bytes)| bytes).sum();
    let all = db.disk_space().map_err(fault("size is unknown"))?;
    sizes.push(("write-ahead log".to_owned(), all.saturating_sub(sorted)));
    sizes.push(("front log".to_owned(), front::size(&view.settings.dir)));
    Ok(sizes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_print_as_hexadecimal() {
        assert_eq!(hex(&[0, 0x1f, 0xff]), "001fff");
    }
}
