//! The front log: where a group becomes durable, before the store has it.
//!
//! Two files take turns. A group is written behind the one before and synced; the store takes it in on its own thread, and a
//! file is written anew once everything in it is durable in the store. Its blocks are made beforehand and stay, so that a sync
//! touches data only and waits neither for the store's locks nor for its sorting, nor for the file system's own log. At a start
//! the groups that the store does not have yet are taken from here.
//!
//! On disk, one after the other: `length u32, number u64, checksum u64 (of number and content), content`. A file ends where
//! the next number is missing; what stands behind that is from an earlier turn.
use std::fs::{File, OpenOptions};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::group::{Chain, Group, chained};
use super::store::{damaged, io};
use crate::contract::JournalError;
use crate::record::Place;
use crate::wire::{Reader, put_bytes, put_varint};

const NAMES: [&str; 2] = ["front-0", "front-1"];
const HEADER_BYTES: usize = 20;
/// Blocks are made by this much at a time.
const AHEAD_BYTES: u64 = 1 << 20;

/// One of the two files.
struct Half {
    file: File,
    /// Blocks that have been written at least once.
    allocated: u64,
    /// The last group in it; 0 = nothing that counts.
    last: u64,
}

/// The log as the writer has it.
pub(crate) struct Front {
    halves: [Half; 2],
    /// Bytes of a file, except where one group alone is larger.
    half_bytes: u64,
    active: usize,
    at: u64,
    buffer: Vec<u8>,
}

impl Front {
    /// Opens the log of a store that has taken in everything, and begins it anew.
    pub(crate) fn create(dir: &Path, half_bytes: u64) -> Result<Self, JournalError> {
        let half = |name: &str| {
            let path = dir.join(name);
            let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path).map_err(io("front log failed"))?;
            let allocated = file.metadata().map_err(io("front log failed"))?.len();
            let mut half = Half { file, allocated, last: 0 };
            half.allocate(half_bytes).map_err(io("front log could not be made"))?;
            forget(&half.file)?;
            Ok(half)
        };
        let halves = [half(NAMES[0])?, half(NAMES[1])?];
        File::open(dir).and_then(|dir| dir.sync_all()).map_err(io("front log failed"))?;
        Ok(Self { halves, half_bytes, active: 0, at: 0, buffer: Vec::new() })
    }

    /// What must be durable in the store before this much can be appended: none = nothing.
    pub(crate) fn awaits(&self, records_bytes: usize) -> Option<u64> {
        let other = self.halves[1 - self.active].last;
        (self.is_full(records_bytes) && other > 0).then_some(other)
    }

    fn is_full(&self, records_bytes: usize) -> bool {
        self.at > 0 && self.at + records_bytes as u64 > self.half_bytes
    }

    /// Makes a group durable; [`Front::awaits`] must have been heeded. True: it begins a file, so the one before can be made
    /// durable in the store.
    pub(crate) fn append(
        &mut self,
        group: (u64, &[u8]),
        starts: &[u8],
        written: &[(Place, Range<usize>)],
        arena: &[u8],
    ) -> Result<bool, JournalError> {
        let filled = self.is_full(arena.len());
        if filled {
            self.active = 1 - self.active;
            self.at = 0;
        }
        let (number, group) = group;
        let out = &mut self.buffer;
        out.clear();
        out.extend_from_slice(&[0; HEADER_BYTES]);
        put_bytes(out, group);
        put_bytes(out, starts);
        put_varint(out, written.len() as u64);
        for (place, range) in written {
            put_varint(out, u64::from(place.partition));
            put_varint(out, place.seq);
            put_varint(out, range.len() as u64);
        }
        out.extend_from_slice(arena);
        let content = &out[HEADER_BYTES..];
        let length = u32::try_from(content.len()).map_err(|_| damaged(format!("group {number}"), "it is larger than 4 GiB"))?;
        let checksum = xxh3_64_with_seed(content, number);
        out[..4].copy_from_slice(&length.to_le_bytes());
        out[4..12].copy_from_slice(&number.to_le_bytes());
        out[12..20].copy_from_slice(&checksum.to_le_bytes());
        let half = &mut self.halves[self.active];
        half.allocate(self.at + out.len() as u64).map_err(io("front log could not be made longer"))?;
        half.file.write_all_at(out, self.at).map_err(io("front log could not be written"))?;
        half.file.sync_data().map_err(io("front log could not be synced"))?;
        half.last = number;
        self.at += out.len() as u64;
        Ok(filled)
    }

    /// The store has everything durably: nothing here counts any more.
    pub(crate) fn clear(&self) -> Result<(), JournalError> {
        self.halves.iter().try_for_each(|half| forget(&half.file))
    }
}

impl Half {
    fn allocate(&mut self, upto: u64) -> std::io::Result<()> {
        while self.allocated < upto {
            self.file.write_all_at(&vec![0; AHEAD_BYTES as usize], self.allocated)?;
            self.allocated += AHEAD_BYTES;
        }
        Ok(())
    }
}

/// Takes the files away: where a loss was accepted numbers are given again, and nothing old may stand behind them.
pub(crate) fn remove(dir: &Path) -> Result<(), JournalError> {
    NAMES.iter().try_for_each(|name| match std::fs::remove_file(dir.join(name)) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => Err(io("front log could not be removed")(source)),
        _ => Ok(()),
    })
}

/// Bytes of both files.
pub(crate) fn size(dir: &Path) -> u64 {
    NAMES.iter().filter_map(|name| std::fs::metadata(dir.join(name)).ok()).map(|file| file.len()).sum()
}

/// Without its first header a file holds nothing.
fn forget(file: &File) -> Result<(), JournalError> {
    file.write_all_at(&[0; HEADER_BYTES], 0).and_then(|()| file.sync_all()).map_err(io("front log failed"))
}

/// A group as it was found in the log.
pub(crate) struct Found {
    pub(crate) group: Group,
    /// The bytes of the group for the store.
    pub(crate) encoded: Vec<u8>,
    /// First sequences of the segment that it begins; empty = it begins none.
    pub(crate) starts: Vec<u8>,
    records: Vec<(Place, Range<usize>)>,
    arena: Vec<u8>,
}

impl Found {
    /// Its records with their places.
    pub(crate) fn records(&self) -> impl Iterator<Item = (Place, &[u8])> {
        self.records.iter().map(|(place, range)| (*place, &self.arena[range.clone()]))
    }

    /// Does it go on from that chain?
    pub(crate) fn continues(&self, before: &Chain) -> bool {
        chained(before, self.group.number, &self.group.lines, [&self.arena]) == self.group.chain
    }
}

/// What was found at a start.
#[derive(Default)]
pub(crate) struct Contents {
    /// Without a gap, oldest first.
    pub(crate) groups: Vec<Found>,
    /// Bytes of a group behind them that is not whole.
    pub(crate) torn_bytes: u64,
    /// Where that is.
    pub(crate) torn_at: Option<(PathBuf, u64)>,
}

impl Contents {
    /// The last whole group.
    pub(crate) fn newest(&self) -> u64 {
        self.groups.last().map_or(0, |found| found.group.number)
    }
}

/// Reads the log of a journal that is not open.
///
/// # Errors
/// [`JournalError::Io`] where a file is there and cannot be read.
pub(crate) fn read(dir: &Path) -> Result<Contents, JournalError> {
    let mut halves = Vec::new();
    for path in NAMES.map(|name| dir.join(name)) {
        match std::fs::read(&path) {
            Ok(bytes) => halves.push(half(path, &bytes)),
            Err(source) if source.kind() == std::io::ErrorKind::NotFound => {}
            Err(source) => return Err(io("front log could not be read")(source)),
        }
    }
    halves.sort_by_key(Contents::newest);
    let mut all = halves.pop().unwrap_or_default();
    let first = all.groups.first().map_or(0, |found| found.group.number);
    match halves.pop() {
        Some(mut older) if first > 0 && older.newest() + 1 == first => {
            older.groups.append(&mut all.groups);
            all.groups = older.groups;
        }
        Some(older) if all.torn_at.is_none() => (all.torn_bytes, all.torn_at) = (older.torn_bytes, older.torn_at),
        _ => {}
    }
    Ok(all)
}

fn half(path: PathBuf, bytes: &[u8]) -> Contents {
    let mut reader = Reader(bytes);
    let mut contents = Contents::default();
    loop {
        let at = (bytes.len() - reader.0.len()) as u64;
        let expected = (at > 0).then(|| contents.newest() + 1);
        match next(&mut reader, expected) {
            Next::End => return contents,
            Next::Torn(torn) => return Contents { torn_bytes: torn, torn_at: Some((path, at)), ..contents },
            Next::Whole(found) => contents.groups.push(found),
        }
    }
}

enum Next {
    End,
    Torn(u64),
    Whole(Found),
}

/// The next group, if it has the expected number.
fn next(reader: &mut Reader<'_>, expected: Option<u64>) -> Next {
    let rest = reader.0.len() as u64;
    let header = (|| {
        let length = u32::from_le_bytes(reader.array()?);
        Some((length, u64::from_le_bytes(reader.array()?), u64::from_le_bytes(reader.array()?)))
    })();
    let Some((length, number, checksum)) = header.filter(|(_, number, _)| *number > 0 && expected.is_none_or(|next| *number == next))
    else {
        return Next::End;
    };
    let content = reader.take(length as usize).filter(|content| xxh3_64_with_seed(content, number) == checksum);
    let torn = || Next::Torn(rest.min(HEADER_BYTES as u64 + u64::from(length)));
    content.and_then(|content| found(number, content)).map_or_else(torn, Next::Whole)
}

fn found(number: u64, content: &[u8]) -> Option<Found> {
    let mut reader = Reader(content);
    let encoded = reader.bytes()?.to_vec();
    let group = Group::decode(number, &encoded).ok()?;
    let starts = reader.bytes()?.to_vec();
    let count = usize::try_from(reader.varint()?).ok().filter(|count| *count == group.lines.len())?;
    let (mut records, mut end) = (Vec::with_capacity(count), 0);
    for _ in 0..count {
        let place = Place { partition: u16::try_from(reader.varint()?).ok()?, seq: reader.varint()? };
        let begin = end;
        end = usize::try_from(reader.varint()?).ok().and_then(|length| length.checked_add(begin))?;
        records.push((place, begin..end));
    }
    (reader.0.len() == end).then(|| Found { group, encoded, starts, records, arena: reader.0.to_vec() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::embedded::group::Line;
    use tongdao_domain::time::Timestamp;

    const HALF: u64 = 400;

    /// The n-th group: one record of eight bytes.
    fn append(front: &mut Front, number: u64, chain: &mut Chain) {
        let (arena, lines) = (number.to_le_bytes(), vec![Line { partition: 3, events: 1, checksum: 0 }]);
        *chain = chained(chain, number, &lines, [&arena]);
        let group = Group { number, segment: 0, newest_at: Timestamp(0), events: number, lines, chain: *chain };
        let place = Place { partition: 3, seq: number };
        front.append((number, &group.encode()), &[], &[(place, 0..8)], &arena).expect("appended");
    }

    fn filled(groups: u64) -> (tempfile::TempDir, Front) {
        let dir = tempfile::tempdir().expect("a folder");
        let mut front = Front::create(dir.path(), HALF).expect("made");
        let mut chain = [0; 32];
        (1..=groups).for_each(|number| append(&mut front, number, &mut chain));
        (dir, front)
    }

    fn numbers(dir: &tempfile::TempDir) -> Vec<u64> {
        read(dir.path()).expect("readable").groups.iter().map(|found| found.group.number).collect()
    }

    #[test]
    fn groups_come_back_across_both_files_and_go_on_from_each_other() {
        let (dir, _front) = filled(5);
        let found = read(dir.path()).expect("readable");
        assert_eq!(found.groups.iter().map(|found| found.group.number).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
        let mut chain = [0; 32];
        for found in &found.groups {
            assert!(found.continues(&chain));
            chain = found.group.chain;
            let records: Vec<_> = found.records().collect();
            assert_eq!(records, [(Place { partition: 3, seq: found.group.number }, &found.group.number.to_le_bytes()[..])]);
        }
        assert_eq!(found.torn_bytes, 0);
    }

    #[test]
    fn a_file_is_used_again_and_what_stood_there_counts_no_more() {
        let (dir, front) = filled(23);
        let numbers = numbers(&dir);
        assert_eq!(numbers.last(), Some(&23));
        assert!(numbers.len() < 20 && numbers.windows(2).all(|pair| pair[1] == pair[0] + 1), "{numbers:?}");
        assert!(front.halves.iter().all(|half| half.allocated == AHEAD_BYTES), "blocks are used again");
    }

    #[test]
    fn before_a_file_is_used_again_the_store_must_have_it() {
        let (_dir, mut front) = filled(0);
        let mut chain = [0; 32];
        assert_eq!(front.awaits(8), None);
        let mut number = 0;
        let other = loop {
            if let Some(other) = front.awaits(8) {
                break other;
            }
            number += 1;
            append(&mut front, number, &mut chain);
        };
        assert!(other > 0 && other < number, "the last group of the other file: {other} of {number}");
    }

    #[test]
    fn a_torn_group_is_told_and_left_out() {
        let (dir, front) = filled(1);
        let end = front.at;
        let mut front = front;
        let mut chain = read(dir.path()).expect("readable").groups[0].group.chain;
        append(&mut front, 2, &mut chain);
        front.halves[0].file.write_all_at(&[0xff], front.at - 1).expect("torn");
        let found = read(dir.path()).expect("readable");
        assert_eq!((found.newest(), found.torn_bytes), (1, front.at - end));
        assert_eq!(found.torn_at, Some((dir.path().join("front-0"), end)));
    }

    #[test]
    fn every_flipped_bit_is_seen() {
        let (dir, front) = filled(1);
        let whole = std::fs::read(dir.path().join("front-0")).expect("readable");
        for bit in 0..usize::try_from(front.at).expect("small") * 8 {
            let mut bad = whole.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            std::fs::write(dir.path().join("front-0"), bad).expect("written");
            assert!(read(dir.path()).is_ok_and(|found| found.newest() == 0), "bit {bit}");
        }
    }

    #[test]
    fn a_cleared_log_holds_nothing() {
        let (dir, front) = filled(9);
        front.clear().expect("cleared");
        assert!(numbers(&dir).is_empty());
        drop(Front::create(dir.path(), HALF).expect("opened"));
        assert!(numbers(&dir).is_empty());
    }
}
