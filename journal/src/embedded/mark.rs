//! The high-water mark: a side file that says which group was acknowledged last.
//!
//! Written after a group's fsync and before its outcomes are told, never synced itself: it survives the death of the
//! process, and after a power cut it is behind at worst. It guards against a journal that comes back shorter.
use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use xxhash_rust::xxh3::xxh3_64;

use super::group::Chain;
use super::store::damaged;
use crate::contract::JournalError;

const SLOT_BYTES: usize = 64;
const MAGIC: &[u8; 8] = b"tdmark01";
/// The name of the side file.
const FILE: &str = "acknowledged";

/// What was acknowledged last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Mark {
    pub(crate) group: u64,
    pub(crate) chain: Chain,
}

/// The side file. Two slots take turns, so that a torn write leaves the other.
pub(crate) struct MarkFile(File);

fn io(source: std::io::Error) -> JournalError {
    JournalError::Io { what: "high-water mark failed", source: Box::new(source) }
}

impl MarkFile {
    /// Makes the file of an empty journal.
    pub(crate) fn create(dir: &Path) -> Result<Self, JournalError> {
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(true).open(path(dir)).map_err(io)?;
        let made = Self(file);
        made.write(Mark::default())?;
        made.0.sync_all().map_err(io)?;
        Ok(made)
    }

    /// Opens the file and reads the mark.
    pub(crate) fn open(dir: &Path) -> Result<(Self, Mark), JournalError> {
        let path = path(dir);
        let missing = |source: std::io::Error| match source.kind() {
            std::io::ErrorKind::NotFound => damaged(path.display(), "the high-water mark is missing"),
            _ => io(source),
        };
        let file = OpenOptions::new().read(true).write(true).open(&path).map_err(missing)?;
        let newest = [0, 1].into_iter().filter_map(|slot| read_slot(&file, slot)).max_by_key(|mark| mark.group);
        let mark = newest.ok_or_else(|| damaged(path.display(), "the high-water mark makes no sense"))?;
        Ok((Self(file), mark))
    }

    /// Notes that a group is durable.
    pub(crate) fn write(&self, mark: Mark) -> Result<(), JournalError> {
        let offset = (mark.group % 2) * SLOT_BYTES as u64;
        self.0.write_all_at(&encode(mark), offset).map_err(io)
    }

    /// Sets the mark back: only when a loss was accepted.
    pub(crate) fn reset(&self, mark: Mark) -> Result<(), JournalError> {
        self.0.set_len(0).map_err(io)?;
        self.write(mark)?;
        self.0.sync_all().map_err(io)
    }
}

fn path(dir: &Path) -> PathBuf {
    dir.join(FILE)
}

fn encode(mark: Mark) -> [u8; SLOT_BYTES] {
    let mut slot = [0; SLOT_BYTES];
    slot[..8].copy_from_slice(MAGIC);
    slot[8..16].copy_from_slice(&mark.group.to_le_bytes());
    slot[16..48].copy_from_slice(&mark.chain);
    let checksum = xxh3_64(&slot[..48]);
    slot[48..56].copy_from_slice(&checksum.to_le_bytes());
    slot
}

fn read_slot(file: &File, slot: u64) -> Option<Mark> {
    let mut bytes = [0; SLOT_BYTES];
    file.read_exact_at(&mut bytes, slot * SLOT_BYTES as u64).ok()?;
    let mark = Mark { group: u64::from_le_bytes(bytes[8..16].try_into().ok()?), chain: bytes[16..48].try_into().ok()? };
    (encode(mark) == bytes).then_some(mark)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_good_slot_counts() {
        let dir = tempfile::tempdir().expect("a folder");
        let file = MarkFile::create(dir.path()).expect("made");
        for group in 1..=4 {
            file.write(Mark { group, chain: [group as u8; 32] }).expect("written");
        }
        assert_eq!(MarkFile::open(dir.path()).expect("readable").1, Mark { group: 4, chain: [4; 32] });
        file.0.write_all_at(&[0xff], 20).expect("torn");
        assert_eq!(MarkFile::open(dir.path()).expect("readable").1.group, 3, "the torn slot is left out");
        file.0.write_all_at(&[0xff], SLOT_BYTES as u64 + 20).expect("torn");
        assert!(matches!(MarkFile::open(dir.path()), Err(JournalError::Damaged { .. })));
    }

    #[test]
    fn a_missing_mark_is_damage_and_a_reset_sets_back() {
        let dir = tempfile::tempdir().expect("a folder");
        assert!(matches!(MarkFile::open(dir.path()), Err(JournalError::Damaged { .. })));
        let file = MarkFile::create(dir.path()).expect("made");
        file.write(Mark { group: 9, chain: [0; 32] }).expect("written");
        file.reset(Mark { group: 3, chain: [1; 32] }).expect("set back");
        assert_eq!(MarkFile::open(dir.path()).expect("readable").1.group, 3);
    }
}
