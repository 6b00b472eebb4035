//! The disk reserve: a full disk is met beforehand, while there is still room to write what is already in memory.
use std::path::Path;

use crate::contract::JournalError;

/// How much of the disk stays free.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reserve {
    /// Hundredths of the disk.
    pub percent: u8,
    /// At least this many bytes.
    pub bytes_min: u64,
}

impl Default for Reserve {
    /// 5 %, at least 16 MiB.
    fn default() -> Self {
        Self { percent: 5, bytes_min: 16 << 20 }
    }
}

/// Size and free space of a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Space {
    /// Bytes in all.
    pub total: u64,
    /// Bytes that this process may still take.
    pub free: u64,
}

impl Space {
    /// Of the disk that a folder lies on.
    ///
    /// # Errors
    /// [`JournalError::Io`] when the operating system does not say.
    pub fn of(dir: &Path) -> Result<Self, JournalError> {
        let stat = rustix::fs::statvfs(dir)
            .map_err(|source| JournalError::Io { what: "disk space is unknown", source: Box::new(std::io::Error::from(source)) })?;
        Ok(Self { total: stat.f_blocks * stat.f_frsize, free: stat.f_bavail * stat.f_frsize })
    }
}

impl Reserve {
    /// The bytes that stay free on a disk of that size.
    #[must_use]
    pub fn bytes(&self, total: u64) -> u64 {
        (total / 100 * u64::from(self.percent)).max(self.bytes_min)
    }

    /// Whether commits are taken: no longer below the reserve, again above twice that. `owed` = bytes that are in
    /// memory and will need room on the disk without any further commit.
    #[must_use]
    pub fn writable(&self, was: bool, space: Space, owed: u64) -> bool {
        let reserve = self.bytes(space.total);
        let free = space.free.saturating_sub(owed);
        if was { free >= reserve } else { free > 2 * reserve }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIB: u64 = 1 << 30;

    #[test]
    fn it_is_five_percent_and_at_least_16_mib() {
        assert_eq!(Reserve::default().bytes(100 * GIB), 100 * GIB / 100 * 5);
        assert_eq!(Reserve::default().bytes(64 << 20), 16 << 20);
    }

    #[test]
    fn it_stops_below_and_resumes_above_twice() {
        let reserve = Reserve { percent: 0, bytes_min: 100 };
        let writable = |was, free, owed| reserve.writable(was, Space { total: GIB, free }, owed);
        assert!(writable(true, 100, 0) && !writable(true, 99, 0));
        assert!(!writable(false, 200, 0) && writable(false, 201, 0));
        assert!(!writable(true, 150, 51), "what memory still owes the disk is not free");
    }

    #[test]
    fn the_disk_says() {
        let space = Space::of(Path::new("/")).expect("a disk");
        assert!(space.total >= space.free);
    }
}
