//! The heads of entities that are dirty (their newest commits are not in the stored heads yet) or were so lately, and
//! their timers. The writer changes it once a group, after the group is durable; readers look under the same lock.
use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};

use tongdao_domain::entity::{EntityKey, EntityKind};
use tongdao_domain::time::Timestamp;

use super::head::Head;

/// A map that is quick for short keys; nothing hostile chooses entity names at the rate that would matter.
pub(crate) type QuickMap<K, V> = HashMap<K, V, foldhash::fast::FixedState>;

struct Known {
    head: Head,
    /// The newest segment in which it was committed to.
    segment: u32,
    /// Its stored head is as new as this one.
    clean: bool,
}

/// Heads and timers in memory.
#[derive(Default)]
pub(crate) struct Index {
    known: QuickMap<EntityKey, Known>,
    due: BTreeSet<(Timestamp, EntityKey)>,
    /// Entities in the order in which they became dirty in the present segment.
    dirtied: Vec<EntityKey>,
}

impl Index {
    /// The newest head, if it is here.
    pub(crate) fn get(&self, entity: &EntityKey) -> Option<&Head> {
        self.known.get(entity).map(|known| &known.head)
    }

    /// Takes the head after a durable commit in a segment.
    pub(crate) fn apply(&mut self, entity: EntityKey, head: Head, segment: u32) {
        let old = match self.known.entry(entity.clone()) {
            Entry::Occupied(mut entry) => {
                let known = entry.get_mut();
                if known.clean || known.segment != segment {
                    self.dirtied.push(entity.clone());
                }
                let old = known.head.deadline;
                *known = Known { head, segment, clean: false };
                (old != known.head.deadline).then_some((old, known.head.deadline))
            }
            Entry::Vacant(entry) => {
                self.dirtied.push(entity.clone());
                let new = head.deadline;
                entry.insert(Known { head, segment, clean: false });
                Some((None, new))
            }
        };
        if let Some((old, new)) = old {
            self.move_timer(entity, old, new);
        }
    }

    /// The stored head of an entity is now this one.
    pub(crate) fn stored(&mut self, entity: &EntityKey, head: &Head) {
        if let Some(known) = self.known.get_mut(entity) {
            known.head = head.clone();
            known.clean = true;
        }
    }

    fn move_timer(&mut self, entity: EntityKey, old: Option<Timestamp>, new: Option<Timestamp>) {
        let entity = match old {
            None => entity,
            Some(old) => {
                let key = (old, entity);
                self.due.remove(&key);
                key.1
            }
        };
        if let Some(new) = new {
            self.due.insert((new, entity));
        }
    }

    /// The entities that became dirty in the segment that now ends.
    pub(crate) fn take_dirtied(&mut self) -> Vec<EntityKey> {
        std::mem::take(&mut self.dirtied)
    }

    /// The head to be stored for an entity; none: it is stored already.
    pub(crate) fn to_store(&self, entity: &EntityKey) -> Option<&Head> {
        self.known.get(entity).filter(|known| !known.clean).map(|known| &known.head)
    }

    /// Forgets an entity that has not been touched since its head was stored.
    pub(crate) fn forget(&mut self, entity: &EntityKey, segment: u32) {
        let Some(known) = self.known.get(entity).filter(|known| known.clean && known.segment <= segment) else { return };
        if let Some(deadline) = known.head.deadline {
            self.due.remove(&(deadline, entity.clone()));
        }
        self.known.remove(entity);
    }

    /// Timers at or before a moment, of entities in memory, oldest first.
    pub(crate) fn due(&self, until: Timestamp, limit: usize) -> Vec<(Timestamp, EntityKey)> {
        self.due.iter().take_while(|(at, _)| *at <= until).take(limit).cloned().collect()
    }

    /// Entities of a kind in memory.
    pub(crate) fn entities(&self, kind: EntityKind) -> impl Iterator<Item = &EntityKey> {
        self.known.keys().filter(move |entity| entity.kind == kind)
    }

    /// Commits that no written state covers, of entities in memory.
    pub(crate) fn uncovered(&self) -> usize {
        self.known.values().map(|known| known.head.uncovered.len()).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::Etag;
    use crate::testing::entity;

    fn head(version: u64, deadline: Option<i64>) -> Head {
        Head { deadline: deadline.map(Timestamp), ..Head::new(Etag { version, nonce: 0 }) }
    }

    #[test]
    fn timers_follow_the_newest_head() {
        let (mut index, a, b) = (Index::default(), entity("account/a"), entity("account/b"));
        index.apply(a.clone(), head(1, Some(50)), 0);
        index.apply(b.clone(), head(1, Some(40)), 0);
        assert_eq!(index.due(Timestamp(50), 9), [(Timestamp(40), b.clone()), (Timestamp(50), a.clone())]);
        index.apply(a.clone(), head(2, Some(30)), 0);
        index.apply(b, head(2, None), 0);
        assert_eq!(index.due(Timestamp(99), 9), [(Timestamp(30), a)]);
    }

    #[test]
    fn a_stored_head_is_forgotten_only_while_untouched() {
        let (mut index, a) = (Index::default(), entity("account/a"));
        index.apply(a.clone(), head(1, Some(50)), 0);
        assert_eq!(index.take_dirtied(), std::slice::from_ref(&a));
        index.forget(&a, 0);
        let stored = index.to_store(&a).cloned().expect("dirty");
        index.stored(&a, &stored);
        assert!(index.to_store(&a).is_none());
        index.apply(a.clone(), head(2, Some(50)), 1);
        index.forget(&a, 0);
        assert!(index.get(&a).is_some(), "touched again in the next segment");
        assert_eq!(index.take_dirtied(), std::slice::from_ref(&a));
        let stored = index.to_store(&a).cloned().expect("dirty again");
        index.stored(&a, &stored);
        index.forget(&a, 1);
        assert!(index.get(&a).is_none() && index.due(Timestamp(99), 9).is_empty());
    }
}
