//! The next version: which of the changes that wait go into it, and what its hash is.
use super::delta::{ENVELOPE_BYTES, bytes_of};
use super::{Delta, DenyList, Event, Limits, hash_of};
use crate::id::Token;
use crate::mutant::{Mutant, planted};
use crate::time::Timestamp;
use std::collections::BTreeSet;

impl DenyList {
    /// The event that makes the next version; at least one change waits.
    pub(super) fn next_version(&self, limits: &Limits, now: Timestamp) -> Event {
        let taken = self.taken(limits);
        let since = taken.iter().filter_map(|token| self.pending.get(*token)).min().copied().unwrap_or(now);
        let rest = self.pending.len() > taken.len();
        let (add, remove): (Vec<&Token>, Vec<&Token>) = taken.iter().partition(|token| self.is_listed(token));
        let after =
            self.entries.iter().filter(|(token, entry)| entry.published != (taken.contains(*token) && !planted(Mutant::HashOfBefore)));
        let hash = hash_of(after.map(|(token, _)| token));
        let owned = |tokens: Vec<&Token>| tokens.into_iter().cloned().collect();
        let count = (self.newest.as_ref().map_or(0, |newest| newest.count) + add.len() as u64).saturating_sub(remove.len() as u64);
        let delta = Delta { to: self.version() + 1, add: owned(add), remove: owned(remove), hash };
        let forgotten = self.forgotten(limits, &delta);
        Event::VersionMade { delta, count, since, forgotten, due: rest.then(|| now + limits.version_every) }
    }

    fn is_listed(&self, token: &Token) -> bool {
        self.entries.get(token).is_some_and(super::Entry::listed)
    }

    /// All that waits where it fits into one message or is far too much for some; else the oldest that fit.
    fn taken(&self, limits: &Limits) -> BTreeSet<&Token> {
        let room = limits.delta_bytes_max.saturating_sub(ENVELOPE_BYTES);
        let all: usize = self.pending.keys().map(bytes_of).sum();
        if all <= room || all > room.saturating_mul(limits.versions_behind_max) {
            return self.pending.keys().collect();
        }
        let mut oldest: Vec<_> = self.pending.iter().map(|(token, since)| (*since, token)).collect();
        oldest.sort_unstable();
        let mut left = room;
        let fits = |(_, token): &(Timestamp, &Token)| {
            let bytes = bytes_of(token);
            let fits = bytes <= left;
            left = left.saturating_sub(bytes);
            fits
        };
        oldest.into_iter().take_while(fits).map(|(_, token)| token).collect()
    }

    /// How many of the oldest differences go, once this one has come.
    fn forgotten(&self, limits: &Limits, newest: &Delta) -> u32 {
        let (mut kept, mut tokens) = (1, newest.tokens());
        for delta in self.deltas.iter().rev() {
            tokens += delta.tokens();
            if kept >= limits.deltas_kept_max || tokens > limits.delta_tokens_kept_max {
                break;
            }
            kept += 1;
        }
        u32::try_from(self.deltas.len() + 1 - kept).unwrap_or(u32::MAX)
    }
}
