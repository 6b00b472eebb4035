//! How a gate's clock runs beside ours, by what its messages say. A message is never early, so the smallest `received − at`
//! of the last ones is the offset, and what is above it is age. Larger samples alone cannot tell a clock that was set back
//! from messages that are late: only an `up/state`, or newer messages that agree over a second, begin the window anew.
use crate::machine::Remark;
use crate::time::{Millis, Timestamp};
use std::collections::VecDeque;

/// So many of the gate's last messages tell how its clock runs.
const SAMPLES: u64 = 64;
/// Samples of one clock differ by less: the jitter of a network.
const AGREES: Millis = Millis(500);
/// A clock that was set back has said so over at least this long; a burst of late messages comes at once.
const AGREES_OVER: Millis = Millis::seconds(1);

/// What is known of the clock of one gate.
#[derive(Debug, Default)]
pub(super) struct Clock {
    heard: u64,
    /// The rising front of a sliding window: the smallest offset first.
    smallest: VecDeque<(u64, Millis)>,
    suspect: Option<Suspect>,
    /// What was remarked last; nothing = it runs well.
    remarked: Millis,
}

/// Messages that are late, or of a clock that was set back.
#[derive(Debug, Clone, Copy)]
struct Suspect {
    offset: Millis,
    at: Timestamp,
    since: Timestamp,
}

impl Clock {
    /// Process clock minus the gate's; none = nothing heard yet that tells.
    pub(super) fn offset(&self) -> Option<Millis> {
        self.smallest.front().map(|(_, offset)| *offset)
    }

    /// A state: it waits for no answer, so it says how the clock runs.
    pub(super) fn set(&mut self, at: Timestamp, received: Timestamp, trust: Millis) {
        let offset = received - at;
        if self.offset().is_some_and(|known| offset - known > trust) {
            self.smallest.clear();
        }
        self.enter(offset);
    }

    /// Any other message: `trust` = how late one may be without being suspected.
    pub(super) fn take(&mut self, at: Timestamp, received: Timestamp, trust: Millis) {
        let offset = received - at;
        if offset - self.offset().unwrap_or_default() <= trust {
            return self.enter(offset);
        }
        let same = |suspect: &Suspect| at > suspect.at && (offset - suspect.offset).abs() <= AGREES;
        match self.suspect.filter(same) {
            Some(suspect) if received - suspect.since >= AGREES_OVER => {
                self.smallest.clear();
                self.enter(offset.min(suspect.offset));
            }
            Some(suspect) => self.suspect = Some(Suspect { at, offset: offset.min(suspect.offset), ..suspect }),
            None => self.suspect = Some(Suspect { offset, at, since: received }),
        }
    }

    fn enter(&mut self, offset: Millis) {
        self.suspect = None;
        self.heard += 1;
        while self.smallest.back().is_some_and(|(_, larger)| *larger >= offset) {
            self.smallest.pop_back();
        }
        self.smallest.push_back((self.heard, offset));
        while self.smallest.front().is_some_and(|(number, _)| *number + SAMPLES <= self.heard) {
            self.smallest.pop_front();
        }
    }

    /// Worth telling: it is off by more than `warn`, and was not told so.
    pub(super) fn remark(&mut self, warn: Millis) -> Option<Remark> {
        let offset = self.offset().unwrap_or_default();
        let off = offset.abs() > warn;
        if !off {
            self.remarked = Millis(0);
            return None;
        }
        let told = (offset - self.remarked).abs() <= warn;
        self.remarked = if told { self.remarked } else { offset };
        (!told).then_some(Remark::ClockOff(offset))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::MORNING;
    use proptest::prelude::*;

    const TRUST: Millis = Millis::seconds(2);

    /// A message sent when the gate's clock, `behind_s` behind ours, said `at_ms`, and `late_ms` on its way.
    fn hear(clock: &mut Clock, at_ms: i64, behind_s: i64, late_ms: i64) -> Option<i64> {
        let at = MORNING + Millis(at_ms);
        clock.take(at, at + Millis::seconds(behind_s) + Millis(late_ms), TRUST);
        clock.offset().map(|offset| offset.0)
    }

    #[test]
    fn one_late_message_says_nothing_of_the_clock() {
        let mut clock = Clock::default();
        assert_eq!(hear(&mut clock, 0, 0, 50_000), None, "nor does it where nothing is known yet");
        assert_eq!(hear(&mut clock, 1_000, 0, 30), Some(30));
        assert_eq!(hear(&mut clock, 2_000, 0, 9_000), Some(30));
        assert_eq!(hear(&mut clock, 12_000, 0, 40), Some(30));
    }

    #[test]
    fn messages_that_agree_over_a_second_show_a_clock_that_was_set_back() {
        let mut clock = Clock::default();
        hear(&mut clock, 0, 0, 30);
        assert_eq!(hear(&mut clock, 1_000, 5, 40), Some(30), "late, or set back");
        assert_eq!(hear(&mut clock, 1_999, 5, 40), Some(30), "not long enough");
        assert_eq!(hear(&mut clock, 2_100, 5, 60), Some(5_040), "and the fastest of them counts");
        assert_eq!(hear(&mut clock, 9_000, 5, 20), Some(5_020));
    }

    #[test]
    fn what_comes_late_together_or_again_does_not_agree() {
        let mut clock = Clock::default();
        hear(&mut clock, 0, 0, 30);
        // A link that hung for nine seconds gives everything at once.
        for sent in (1_000..9_000).step_by(500) {
            assert_eq!(hear(&mut clock, sent, 0, 10_000 - sent), Some(30), "sent at {sent}");
        }
        // The same message again and again.
        for again in 1..9 {
            assert_eq!(hear(&mut clock, 10_000, 0, 3_000 + again * 400), Some(30));
        }
    }

    #[test]
    fn a_clock_that_was_set_ahead_is_believed_at_once_and_back_again_after_a_second() {
        let mut clock = Clock::default();
        hear(&mut clock, 0, 0, 30);
        assert_eq!(hear(&mut clock, 101_000, -100, 30), Some(-99_970), "a message is never early");
        assert_eq!(hear(&mut clock, 2_000, 0, 30), Some(-99_970));
        assert_eq!(hear(&mut clock, 3_100, 0, 30), Some(30));
    }

    #[test]
    fn a_state_says_how_the_clock_runs() {
        let mut clock = Clock::default();
        hear(&mut clock, 0, 0, 30);
        clock.set(MORNING, MORNING + Millis::seconds(30), TRUST);
        assert_eq!(clock.offset(), Some(Millis::seconds(30)));
        clock.set(MORNING, MORNING + Millis::seconds(31), TRUST);
        assert_eq!(clock.offset(), Some(Millis::seconds(30)), "a little late");
    }

    #[test]
    fn a_wrong_clock_is_remarked_once_a_change() {
        let mut clock = Clock::default();
        let remark = |clock: &mut Clock, behind_s: i64| {
            clock.set(MORNING, MORNING + Millis::seconds(behind_s), TRUST);
            clock.remark(TRUST)
        };
        assert_eq!(remark(&mut clock, 2), None, "exactly the limit is fine");
        assert_eq!(remark(&mut clock, 5), Some(Remark::ClockOff(Millis::seconds(5))));
        assert_eq!(remark(&mut clock, 6), None);
        assert_eq!(remark(&mut clock, 0), None);
        assert_eq!(remark(&mut clock, 5), Some(Remark::ClockOff(Millis::seconds(5))));
        assert_eq!(remark(&mut clock, -70), Some(Remark::ClockOff(Millis::seconds(-70))));
    }

    proptest! {
        #[test]
        fn the_offset_is_the_smallest_of_the_last_64(offsets in prop::collection::vec(-50_i64..50, 1..300)) {
            let mut clock = Clock::default();
            for (index, offset) in offsets.iter().enumerate() {
                clock.take(MORNING, MORNING + Millis(*offset), TRUST);
                let window = &offsets[(index + 1).saturating_sub(64)..=index];
                prop_assert_eq!(clock.offset(), window.iter().min().copied().map(Millis));
                prop_assert!(clock.smallest.len() <= 64);
            }
        }
    }
}
