//! What may become of a day's records on their way: out of order, twice, and altered copies behind the true ones. Drawn from a
//! seed, so that a run can be played again.
use rand::seq::SliceRandom as _;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use tongdao_domain::time::{Millis, Timestamp};
use tongdao_protocol::gate::Record;

/// An altered copy says that the rider was there so much later, in milliseconds: more than anybody taps again within.
const ALTERED_BY_MS: i64 = 7_000;

/// See the module.
#[derive(Debug, Clone)]
pub struct Mischief {
    /// Share of records that come twice.
    pub repeated: f64,
    /// Share of records of which an altered copy follows.
    pub altered: f64,
    /// Seed of every choice.
    pub seed: u64,
}

impl Mischief {
    /// The records as they go out.
    #[must_use]
    pub fn stir(&self, mut records: Vec<Record>) -> Vec<Record> {
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        records.shuffle(&mut random);
        let mut behind: Vec<(usize, Record)> = Vec::new();
        for (place, record) in records.iter().enumerate() {
            if random.random_bool(self.repeated.clamp(0.0, 1.0)) {
                behind.push((random.random_range(place..records.len()), record.clone()));
            }
            if random.random_bool(self.altered.clamp(0.0, 1.0)) {
                behind.push((random.random_range(place..records.len()), altered(record)));
            }
        }
        behind.sort_by_key(|(place, _)| *place);
        let mut behind = behind.into_iter().peekable();
        let mut stirred = Vec::with_capacity(records.len() + behind.len());
        for (place, record) in records.into_iter().enumerate() {
            stirred.push(record);
            while let Some((_, copy)) = behind.next_if(|(after, _)| *after == place) {
                stirred.push(copy);
            }
        }
        stirred
    }
}

/// The same number with another meaning.
fn altered(record: &Record) -> Record {
    let at: Timestamp = record.at.0 + Millis(ALTERED_BY_MS);
    Record { at: at.into(), ..record.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::{BTreeMap, BTreeSet};
    use tongdao_protocol::gate::{By, Direction, RecordPassage, Shown};

    fn record(seq: u64) -> Record {
        let (direction, by, shown) = (Direction::Entry, By::Gate, Shown::Open);
        Record { seq, direction, medium: None, at: Timestamp(0).into(), mode: 0, by, shown, passage: RecordPassage(None) }
    }

    #[test]
    fn every_record_is_there_and_an_altered_copy_never_comes_first() {
        let mischief = Mischief { repeated: 0.1, altered: 0.05, seed: 7 };
        let stirred = mischief.stir((1..=1_000).map(record).collect());
        let first: BTreeMap<u64, bool> = stirred.iter().rev().map(|record| (record.seq, record.at.0 == Timestamp(0))).collect();
        assert_eq!((first.len(), first.values().all(|truth| *truth)), (1_000, true));
        assert!(stirred.len() > 1_100 && !stirred.is_sorted_by_key(|record| record.seq));
        let altered: BTreeSet<u64> = stirred.iter().filter(|record| record.at.0 != Timestamp(0)).map(|record| record.seq).collect();
        assert!((20..100).contains(&altered.len()), "{}", altered.len());
        assert_eq!(stirred, mischief.stir((1..=1_000).map(record).collect()), "the same seed, the same day");
    }
}
