//! What becomes of a commit, decided in one place for every backend: idempotence first, then the compare-and-set.
//!
//! Not here: where first answers and heads are looked up, and when an outcome may be told.
use tongdao_domain::fingerprint::Fingerprint;
use tongdao_domain::mutant::{Mutant, planted};

use crate::contract::{Commit, Etag, Expected, Outcome};

/// The first answer that a command id has had.
pub(crate) struct FirstAnswer {
    /// What the command meant.
    pub(crate) fingerprint: Fingerprint,
    /// What was answered.
    pub(crate) reply: Vec<u8>,
}

/// What a backend does with a commit.
#[must_use]
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Write it.
    Write,
    /// Write nothing and tell this.
    Tell(Outcome),
}

/// The outcome that a command id alone decides, if it does.
pub(crate) fn by_command(commit: &Commit, first: Option<FirstAnswer>) -> Option<Outcome> {
    match first {
        Some(first) if first.fingerprint == commit.fingerprint => Some(Outcome::Duplicate { reply: first.reply }),
        Some(_) => Some(Outcome::KeyReused),
        None if commit.events.is_empty() => Some(Outcome::Committed { seq: 0 }),
        None => None,
    }
}

/// The compare-and-set, for a commit whose command id is new. A next version that does not count its events would break
/// the history, so it is a conflict, too.
pub(crate) fn by_head(commit: &Commit, head: Option<Etag>) -> Verdict {
    let expected = match commit.expected {
        Expected::Absent => None,
        Expected::Etag(etag) => Some(etag),
        Expected::Any => head,
    };
    let counted = expected.map_or(0, |etag| etag.version) + commit.events.len() as u64;
    if planted(Mutant::NoCompareAndSet) {
        return Verdict::Write;
    }
    if expected == head && commit.next.version == counted { Verdict::Write } else { Verdict::Tell(Outcome::Conflict { actual: head }) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{commit, question};

    const SOME: Etag = Etag { version: 1, nonce: 7 };

    #[test]
    fn the_command_id_decides_before_the_head() {
        let one = commit("account/a", "c1").build();
        let first = |fingerprint| Some(FirstAnswer { fingerprint, reply: vec![1] });
        assert_eq!(by_command(&one, first(one.fingerprint)), Some(Outcome::Duplicate { reply: vec![1] }));
        assert_eq!(by_command(&one, first(Fingerprint(0))), Some(Outcome::KeyReused));
        assert_eq!(by_command(&one, None), None);
        assert_eq!(by_command(&question("account/a", "c1"), None), Some(Outcome::Committed { seq: 0 }));
    }

    #[test]
    fn the_head_must_be_exactly_what_was_expected() {
        let first = commit("account/a", "c1").build();
        assert_eq!(by_head(&first, None), Verdict::Write);
        assert_eq!(by_head(&first, Some(SOME)), Verdict::Tell(Outcome::Conflict { actual: Some(SOME) }));
        let second = commit("account/a", "c2").after(SOME).build();
        assert_eq!(by_head(&second, Some(SOME)), Verdict::Write);
        assert_eq!(by_head(&second, None), Verdict::Tell(Outcome::Conflict { actual: None }));
        let other_side = Etag { nonce: 8, ..SOME };
        assert_eq!(by_head(&second, Some(other_side)), Verdict::Tell(Outcome::Conflict { actual: Some(other_side) }));
    }

    #[test]
    fn a_version_that_does_not_count_its_events_is_a_conflict() {
        let mut skipping = commit("account/a", "c2").after(SOME).build();
        skipping.next.version += 1;
        assert_eq!(by_head(&skipping, Some(SOME)), Verdict::Tell(Outcome::Conflict { actual: Some(SOME) }));
    }
}
