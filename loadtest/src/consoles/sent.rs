//! When each tap was due: written by the thread of the gates, read by that of the consoles, without a lock. A gate keeps its
//! newest taps; an event of an older one is not counted.
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};

/// Taps that are kept of a gate.
const KEPT: usize = 1024;
/// Bits of an entry that hold the time, in microseconds: 8 years. The rest holds the low bits of the sequence.
const TIME_BITS: u32 = 48;
const TIME_MASK: u64 = (1 << TIME_BITS) - 1;

/// See the module.
pub struct Sent {
    epoch: u64,
    gates: HashMap<String, Vec<AtomicU64>>,
}

impl Sent {
    /// For these gates, which all have this boot counter.
    #[must_use]
    pub fn new<'a>(epoch: u64, gates: impl IntoIterator<Item = &'a str>) -> Self {
        let kept = || (0..KEPT).map(|_| AtomicU64::new(u64::MAX)).collect();
        Self { epoch, gates: gates.into_iter().map(|gate| (gate.to_owned(), kept())).collect() }
    }

    /// A tap was due at this time, in microseconds.
    pub fn note(&self, gate: &str, seq: u64, due_us: u64) {
        if let Some(slot) = self.slot(gate, seq) {
            slot.store(seq << TIME_BITS | due_us & TIME_MASK, Ordering::Release);
        }
    }

    /// When the tap was due that an event names as its cause: `tap/{device}/{epoch}/{seq}`.
    #[must_use]
    pub fn due_us(&self, cause: &str) -> Option<u64> {
        let mut parts = cause.strip_prefix("tap/")?.split('/');
        let (gate, epoch, seq) = (parts.next()?, parts.next()?, parts.next()?.parse::<u64>().ok()?);
        if epoch.parse() != Ok(self.epoch) {
            return None;
        }
        let entry = self.slot(gate, seq)?.load(Ordering::Acquire);
        (entry != u64::MAX && entry >> TIME_BITS == seq & (u64::MAX >> TIME_BITS)).then_some(entry & TIME_MASK)
    }

    fn slot(&self, gate: &str, seq: u64) -> Option<&AtomicU64> {
        self.gates.get(gate)?.get(usize::try_from(seq % KEPT as u64).ok()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tap_is_found_by_the_cause_of_its_event() {
        let sent = Sent::new(7, ["g1", "g2"]);
        sent.note("g1", 5, 1_234);
        sent.note("g9", 5, 1);
        assert_eq!(sent.due_us("tap/g1/7/5"), Some(1_234));
        for other in ["tap/g1/6/5", "tap/g2/7/5", "tap/g9/7/5", "tap/g1/7/6", "tap/g1/7", "tap/g1/7/x", "cmd/g1/7/5", ""] {
            assert_eq!(sent.due_us(other), None, "{other}");
        }
    }

    #[test]
    fn a_tap_that_was_too_long_ago_is_not_taken_for_another() {
        let sent = Sent::new(7, ["g1"]);
        sent.note("g1", 3, 10);
        sent.note("g1", 3 + KEPT as u64, 20);
        assert_eq!(sent.due_us("tap/g1/7/3"), None);
        assert_eq!(sent.due_us(&format!("tap/g1/7/{}", 3 + KEPT)), Some(20));
    }
}
