//! Seeded randomness: one stream per concern, so that drawing more for one never changes another.
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tongdao_domain::time::{Millis, Timestamp};

/// What a stream is for.
#[derive(Debug, Clone, Copy)]
pub enum Concern {
    /// Delays, drops and duplicates of messages.
    Network = 1,
    /// Crashes, partitions, the store.
    Faults = 2,
    /// Riders and gates.
    Workload = 3,
    /// Staff at their desks.
    Office = 4,
    /// The deny list.
    Lists = 5,
    /// Long times without a link, altered copies, and what people decide of them.
    Doubts = 6,
}

/// A stream of random numbers.
#[derive(Debug)]
pub struct Chance(ChaCha8Rng);

impl Chance {
    /// The stream of a concern.
    #[must_use]
    pub fn new(seed: u64, concern: Concern) -> Self {
        let mut stream = ChaCha8Rng::seed_from_u64(seed);
        stream.set_stream(concern as u64);
        Self(stream)
    }
    /// True so many times in a thousand.
    pub fn permille(&mut self, times: u32) -> bool {
        self.0.random_range(0..1000) < times
    }
    /// A number from `low` to `high`, both included.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        self.0.random_range(low..=high)
    }
    /// A length of time in milliseconds, both ends included.
    pub fn millis(&mut self, low: i64, high: i64) -> Millis {
        Millis(self.between(low, high))
    }
    /// A moment in milliseconds after another.
    pub fn after(&mut self, moment: Timestamp, low: i64, high: i64) -> Timestamp {
        moment + self.millis(low, high)
    }
    /// An index below `count`; 0 where there is none.
    pub fn index(&mut self, count: usize) -> usize {
        if count == 0 { 0 } else { self.0.random_range(0..count) }
    }
    /// Any number.
    pub fn number(&mut self) -> u32 {
        self.0.random()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_apart_and_repeat_themselves() {
        let draw = |seed, concern| {
            let mut chance = Chance::new(seed, concern);
            (0..8).map(|_| chance.number()).collect::<Vec<_>>()
        };
        assert_eq!(draw(7, Concern::Network), draw(7, Concern::Network));
        assert_ne!(draw(7, Concern::Network), draw(7, Concern::Faults));
        assert_ne!(draw(7, Concern::Network), draw(8, Concern::Network));
    }
}
