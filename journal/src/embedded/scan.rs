//! Looks through the store's write-ahead log before the store itself does, because the store cuts off whatever it
//! cannot read. Here a torn tail (above the high-water mark: nobody was told) and damage to what was acknowledged are
//! told apart, nothing acknowledged is ever cut off silently, and the place is named.
//!
//! It reads the log format of fjall 3: `start count seqno, items…, end checksum trailer`. The number in a start is not
//! covered by its checksum; it must grow from batch to batch, and not by leaps.
use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};

use xxhash_rust::xxh3::Xxh3;

use super::group::KEY_PREFIX;
use super::store::damaged;
use crate::contract::JournalError;
use crate::wire::Reader;

/// Numbers are also used for what stands in no log; far fewer than this between two batches.
const LEAP_MAX: u64 = 1 << 32;
const TRAILER: &[u8] = &[b'F', b'J', b'L', 3];

/// The end of the log.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Tail {
    /// Bytes behind the last whole batch.
    pub(crate) torn_bytes: u64,
    cut: Option<(PathBuf, u64)>,
    /// Files behind the one that is cut: only where a loss was accepted, since what they hold rests on what is gone.
    gone: Vec<PathBuf>,
}

fn io(source: std::io::Error) -> JournalError {
    JournalError::Io { what: "write-ahead log could not be read", source: Box::new(source) }
}

/// Looks through all log files of a store.
///
/// # Errors
/// [`JournalError::Damaged`] with file and byte where something at or below the acknowledged group is unreadable.
pub(crate) fn scan(store: &Path, acknowledged: u64, accept_loss: bool) -> Result<Tail, JournalError> {
    let files = log_files(store)?;
    for (n, file) in files.iter().enumerate() {
        let bytes = std::fs::read(file).map_err(io)?;
        let end = whole_batches(&bytes);
        let rest = &bytes[end..];
        let torn = used(rest);
        if torn == 0 {
            continue;
        }
        let behind = &files[n + 1..];
        let hurt = !behind.is_empty() || groups_in(rest).any(|group| group <= acknowledged);
        if hurt && !accept_loss {
            return Err(damaged(format!("{} byte {end}", file.display()), "the write-ahead log is unreadable there"));
        }
        let mut torn_bytes = torn;
        for file in behind {
            torn_bytes += used(&std::fs::read(file).map_err(io)?);
        }
        return Ok(Tail { torn_bytes, cut: Some((file.clone(), end as u64)), gone: behind.to_vec() });
    }
    Ok(Tail::default())
}

/// Bytes up to the last that is not nought: a log file is longer than what it holds.
fn used(bytes: &[u8]) -> u64 {
    bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last as u64 + 1)
}

impl Tail {
    /// Cuts the torn bytes off; newest first, so that no cut leaves a hole.
    ///
    /// # Errors
    /// [`JournalError::Io`] when a file cannot be cut.
    pub(crate) fn cut(&self) -> Result<(), JournalError> {
        self.gone.iter().rev().try_for_each(std::fs::remove_file).map_err(io)?;
        let Some((path, length)) = &self.cut else { return Ok(()) };
        let file: File = OpenOptions::new().write(true).open(path).map_err(io)?;
        file.set_len(*length).map_err(io)?;
        file.sync_all().map_err(io)
    }
}

fn log_files(store: &Path) -> Result<Vec<PathBuf>, JournalError> {
    if !store.exists() {
        return Ok(Vec::new());
    }
    let mut files = Vec::new();
    for entry in std::fs::read_dir(store).map_err(io)? {
        let path = entry.map_err(io)?.path();
        let number = path.file_stem().and_then(|stem| stem.to_str()).and_then(|stem| stem.parse::<u64>().ok());
        if let (Some(number), Some("jnl")) = (number, path.extension().and_then(|e| e.to_str())) {
            files.push((number, path));
        }
    }
    files.sort();
    Ok(files.into_iter().map(|(_, path)| path).collect())
}

/// Bytes of whole batches at the beginning.
fn whole_batches(bytes: &[u8]) -> usize {
    let mut reader = Reader(bytes);
    let (mut end, mut number) = (0, None);
    while let Some(next) = batch(&mut reader) {
        if number.is_some_and(|number| next <= number || next - number > LEAP_MAX) {
            break;
        }
        (end, number) = (bytes.len() - reader.0.len(), Some(next));
    }
    end
}

/// The number of a whole batch.
fn batch(reader: &mut Reader<'_>) -> Option<u64> {
    (reader.byte()? == 1).then_some(())?;
    let count = u32::from_le_bytes(reader.array()?);
    let number = u64::from_le_bytes(reader.array()?);
    let mut hasher = Xxh3::new();
    for _ in 0..count {
        hasher.update(item(reader)?);
    }
    (reader.byte()? == 3).then_some(())?;
    let checksum = u64::from_le_bytes(reader.array()?);
    (reader.take(TRAILER.len())? == TRAILER && checksum == hasher.digest()).then_some(number)
}

/// One item or one clearing of a keyspace, as a stretch of bytes.
fn item<'a>(reader: &mut Reader<'a>) -> Option<&'a [u8]> {
    let start = *reader;
    match reader.byte()? {
        2 => {
            reader.take(2 + 8)?;
            let key = u16::from_le_bytes(reader.array()?);
            let _value = reader.array::<4>()?;
            let value_on_disk = u32::from_le_bytes(reader.array()?);
            reader.take(usize::from(key))?;
            reader.take(value_on_disk as usize)?;
        }
        4 => drop(reader.take(8)?),
        _ => return None,
    }
    start.0.get(..start.0.len() - reader.0.len())
}

/// Numbers of the groups that begin somewhere in unreadable bytes.
fn groups_in(bytes: &[u8]) -> impl Iterator<Item = u64> {
    let number = |at: usize| Some(u64::from_be_bytes(bytes.get(at + KEY_PREFIX.len()..)?.get(..8)?.try_into().ok()?));
    (0..bytes.len()).filter(move |at| bytes[*at..].starts_with(KEY_PREFIX)).filter_map(number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::embedded::group;

    fn batch_of(number: u8, key: &[u8], value: &[u8]) -> Vec<u8> {
        let mut item = vec![2, 0, 0];
        item.extend_from_slice(&5_u64.to_le_bytes());
        item.extend_from_slice(&(key.len() as u16).to_le_bytes());
        item.extend_from_slice(&(value.len() as u32).to_le_bytes());
        item.extend_from_slice(&(value.len() as u32).to_le_bytes());
        item.extend_from_slice(key);
        item.extend_from_slice(value);
        let mut hasher = Xxh3::new();
        hasher.update(&item);
        let mut bytes = vec![1, 1, 0, 0, 0, number, 0, 0, 0, 0, 0, 0, 0];
        bytes.extend_from_slice(&item);
        bytes.push(3);
        bytes.extend_from_slice(&hasher.digest().to_le_bytes());
        bytes.extend_from_slice(TRAILER);
        bytes
    }

    fn log(change: impl FnOnce(&mut Vec<u8>)) -> (tempfile::TempDir, usize) {
        let dir = tempfile::tempdir().expect("a folder");
        let whole = batch_of(8, &group::key(1), b"one");
        let mut bytes = [whole.clone(), batch_of(9, &group::key(2), b"two")].concat();
        bytes.extend([0; 100]);
        change(&mut bytes);
        std::fs::write(dir.path().join("0.jnl"), bytes).expect("written");
        (dir, whole.len())
    }

    #[test]
    fn zeros_behind_the_last_batch_are_no_tear() {
        let (dir, _) = log(|_| {});
        assert_eq!(scan(dir.path(), 2, false).expect("whole"), Tail::default());
    }

    #[test]
    fn a_tear_above_the_mark_is_counted_and_cut() {
        let (dir, first) = log(|bytes| bytes.truncate(bytes.len() - 110));
        let tail = scan(dir.path(), 1, false).expect("torn");
        let length = || std::fs::metadata(dir.path().join("0.jnl")).expect("there").len();
        assert_eq!(tail.torn_bytes, length() - first as u64);
        tail.cut().expect("cut");
        assert_eq!(length(), first as u64);
    }

    #[test]
    fn damage_at_or_below_the_mark_is_named_and_nothing_is_cut() {
        for flipped in [3, 20, 40, 50] {
            let (dir, _) = log(|bytes| bytes[flipped] ^= 4);
            let fault = scan(dir.path(), 2, false).expect_err("damaged").to_string();
            assert!(fault.contains("0.jnl byte 0"), "{fault}");
            assert!(scan(dir.path(), 2, true).expect("accepted").torn_bytes > 0);
        }
    }

    #[test]
    fn numbers_of_batches_grow_and_do_not_leap() {
        for (byte, flip) in [(5, 8), (12, 1)] {
            let second = batch_of(8, &group::key(1), b"one").len();
            let (dir, first) = log(|bytes| bytes[second + byte] ^= flip);
            let fault = scan(dir.path(), 2, false).expect_err("damaged").to_string();
            assert!(fault.contains(&format!("0.jnl byte {first}")), "{fault}");
        }
    }

    #[test]
    fn damage_in_an_older_file_is_never_a_tear_and_takes_the_newer_ones_along_where_a_loss_is_accepted() {
        let (dir, first) = log(|bytes| {
            let end = bytes.len() - 110;
            bytes[end] ^= 1;
        });
        let newer = dir.path().join("1.jnl");
        std::fs::write(&newer, batch_of(10, b"k", b"v")).expect("written");
        assert!(matches!(scan(dir.path(), 0, false), Err(JournalError::Damaged { .. })));
        scan(dir.path(), 0, true).expect("accepted").cut().expect("cut");
        assert!(!newer.exists());
        assert_eq!(std::fs::metadata(dir.path().join("0.jnl")).expect("there").len(), first as u64);
        assert_eq!(scan(dir.path(), 1, false).expect("whole"), Tail::default());
    }

    #[test]
    fn no_store_is_no_tear() {
        assert_eq!(scan(Path::new("/nowhere/at/all"), 0, false).expect("nothing"), Tail::default());
    }
}
