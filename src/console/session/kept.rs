//! What outlives a restart: the pages that are signed in, and from where people have signed in. A file beside the journal, for
//! this user of the machine alone, with hashes of what names a session and never the value itself; it is written anew soon
//! after something has changed. A session out of it counts only as far as its user still has it: whoever was disabled, has
//! another password or was sent out since then is out.
//!
//! Not here: anything that must not be lost. Without the file, or with one that cannot be read, everybody signs in again.
use super::{Holder, Session, SessionKey, Sessions};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::net::IpAddr;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use tongdao_domain::device::SecretHash;
use tongdao_domain::id::UserId;
use tongdao_domain::time::{Millis, Timestamp};

/// Name of the file in the data folder.
pub const FILE: &str = "sessions.json";
/// Version of what is in it; another one is not read.
const VERSION: u32 = 1;
/// Largest file that is read, in bytes: many more sessions than a node has.
const BYTES_MAX: u64 = 64 * 1024 * 1024;
/// That a page was used is written again after this.
pub(super) const USE_TOLD_EVERY: Millis = Millis::minutes(1);

/// What is in the file.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    version: u32,
    pages: Vec<Page>,
    /// From where people have signed in, the newest last.
    #[serde(default)]
    pub usual: BTreeMap<UserId, Vec<IpAddr>>,
}

/// A page that is signed in.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Page {
    key: SecretHash,
    user: UserId,
    generation: u64,
    began_at: Timestamp,
    until: Timestamp,
    used_at: Timestamp,
    locked: bool,
}

impl Sessions {
    /// What is to be kept, where something has changed since it was last asked for.
    #[must_use]
    pub fn changed(&self, usual: BTreeMap<UserId, Vec<IpAddr>>) -> Option<Kept> {
        let mut inner = self.lock();
        if !std::mem::take(&mut inner.changed) {
            return None;
        }
        let pages = inner.sessions.iter_mut().filter(|(_, session)| session.holder == Holder::Page);
        let pages = pages.map(|(key, session)| {
            session.told_at = session.used_at;
            Page {
                key: key.as_hash(),
                user: session.user.clone(),
                generation: session.generation,
                began_at: session.began_at,
                until: session.until,
                used_at: session.used_at,
                locked: session.standing.borrow().locked,
            }
        });
        Some(Kept { version: VERSION, pages: pages.collect(), usual })
    }

    /// It could not be written: it is asked for again.
    pub fn not_kept(&self) {
        self.lock().changed = true;
    }

    /// Takes the pages of before a restart in. Until their user was looked at they may do nothing.
    pub fn restore(&self, kept: &Kept, now: Timestamp) {
        let mut inner = self.lock();
        for page in kept.pages.iter().filter(|page| now < page.until && page.until - page.began_at <= self.0.limits.length) {
            let mut session = Session::new(&page.user, page.generation, Holder::Page, page.began_at, page.until);
            (session.used_at, session.told_at) = (page.used_at, page.used_at);
            session.standing.send_modify(|standing| standing.locked = page.locked);
            inner.sessions.insert(SessionKey(page.key.0), session);
        }
    }
}

impl Kept {
    /// Reads the file; none where there is none or where it cannot be read, which is told in the log.
    #[must_use]
    pub fn read(path: &Path) -> Option<Self> {
        let kept = match read(path) {
            Ok(text) => serde_json::from_slice::<Self>(&text).map_err(io::Error::from),
            Err(fault) if fault.kind() == io::ErrorKind::NotFound => return None,
            Err(fault) => Err(fault),
        };
        match kept {
            Ok(kept) if kept.version == VERSION => Some(kept),
            Ok(kept) => {
                tracing::warn!(version = kept.version, "the file of sessions is of another version: everybody signs in again");
                None
            }
            Err(fault) => {
                tracing::warn!(%fault, "the file of sessions cannot be read: everybody signs in again");
                None
            }
        }
    }

    /// Writes the file: the old one or the new one is there, whatever happens in between.
    ///
    /// # Errors
    /// The disk's.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        let beside = path.with_extension("json.new");
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
        file.write_all(&serde_json::to_vec(self)?)?;
        file.sync_data()?;
        std::fs::rename(beside, path)
    }
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    use io::Read as _;
    let mut text = Vec::new();
    File::open(path)?.take(BYTES_MAX).read_to_end(&mut text)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::super::{SessionLimits, tests::*};
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;
    use tongdao_domain::machine::Machine as _;
    use tongdao_domain::user::{Event, Role};

    fn again() -> Sessions {
        Sessions::new(SessionLimits { ..limits() }, std::sync::Arc::default())
    }

    #[test]
    fn a_page_goes_on_after_a_restart_and_the_file_lets_nobody_in() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(FILE);
        let (sessions, state) = (again(), user(&[Role::Manager]));
        let (value, key) = sessions.open(&li(), &state, Holder::Page, NOW).expect("let in");
        let _program = sessions.of_program(&li(), &state, NOW).expect("let in");
        let usual = BTreeMap::from([(li(), vec![IpAddr::from([10, 0, 0, 1])])]);
        let kept = sessions.changed(usual.clone()).expect("something new");
        assert_eq!(sessions.changed(usual), None, "once");
        kept.write(&path).expect("written");
        let text = std::fs::read_to_string(&path).expect("readable");
        assert!(!text.contains(&value), "the value itself stands nowhere");
        assert_eq!(std::fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o600);

        let (after, now) = (again(), NOW + Millis::minutes(1));
        let read = Kept::read(&path).expect("readable");
        assert_eq!(read, kept);
        after.restore(&read, now);
        let found = after.find(&key, now).expect("still in");
        assert!(found.standing.roles.is_empty(), "nothing may be done before the user was looked at");
        after.user_is(&li(), &state, now);
        assert_eq!(after.find(&key, now).expect("still in").standing.roles, [Role::Manager].into());
        assert_eq!(after.count(&li()), 1, "a program signs in by itself");
        assert!(after.find(&key, NOW + Millis::minutes(15)).expect("still in").standing.locked, "idle since before the restart");
        assert_eq!(after.find(&key, NOW + Millis::hours(12)), None, "and ends when it would have ended");
    }

    #[test]
    fn who_was_sent_out_in_between_is_out() {
        let (sessions, mut state) = (again(), user(&[Role::Manager]));
        let (_, key) = sessions.open(&li(), &state, Holder::Page, NOW).expect("let in");
        sessions.lock_now(&key);
        let kept = sessions.changed(BTreeMap::new()).expect("something new");
        let after = again();
        after.restore(&kept, NOW);
        assert!(after.find(&key, NOW).expect("known").standing.locked);
        state.apply(&Event::SessionsEnded { by: by() }, NOW);
        after.user_is(&li(), &state, NOW);
        assert_eq!(after.find(&key, NOW), None);
        after.restore(&kept, NOW + Millis::hours(12));
        assert_eq!(after.count(&li()), 0, "what is over is not taken in");
    }

    #[test]
    fn a_file_that_is_none_of_ours_changes_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(FILE);
        assert_eq!(Kept::read(&path), None);
        for text in ["", "{", r#"{"version":9,"pages":[]}"#, r#"{"version":1,"pages":[{"key":"x"}]}"#] {
            std::fs::write(&path, text).expect("written");
            assert_eq!(Kept::read(&path), None, "{text}");
        }
    }
}
