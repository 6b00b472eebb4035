//! What came of the taps: counts and latencies, of the whole measured time and of the last second.
use crate::fleet::Notice;
use crate::gate::Fact;
use crate::load::media::untag;
use hdrhistogram::Histogram;
use std::collections::BTreeMap;
use std::ops::Range;
use tongdao_protocol::topic::Up;

/// Longest latency that is told apart, in microseconds.
const LATENCY_US_MAX: u64 = 120_000_000;

/// Latencies in microseconds.
pub struct Latencies(Histogram<u64>);

impl Default for Latencies {
    fn default() -> Self {
        // Three digits between 1 µs and two minutes: constant bounds that are always accepted.
        Self(Histogram::new_with_bounds(1, LATENCY_US_MAX, 3).unwrap_or_else(|_| unreachable!("constant bounds")))
    }
}

impl Latencies {
    /// Enters one.
    pub fn record(&mut self, us: u64) {
        self.0.saturating_record(us.clamp(1, LATENCY_US_MAX));
    }
    /// The latency in milliseconds that this share stays within.
    #[must_use]
    pub fn ms(&self, share: f64) -> f64 {
        if self.0.is_empty() { 0.0 } else { self.0.value_at_quantile(share) as f64 / 1e3 }
    }
    /// The longest, in milliseconds.
    #[must_use]
    pub fn ms_max(&self) -> f64 {
        self.0.max() as f64 / 1e3
    }
    /// How many.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.0.len()
    }
    /// None at all?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
    /// Begins anew.
    pub fn clear(&mut self) {
        self.0.reset();
    }
}

/// Counts of something.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Counts {
    /// Answers in time by code.
    pub codes: BTreeMap<&'static str, u64>,
    /// Gates opened on an answer.
    pub opened: u64,
    /// Gates that stayed shut on an answer.
    pub refused: u64,
    /// Taps that the gates decided alone.
    pub alone: u64,
    /// Answers after the gate had decided alone.
    pub late: u64,
    /// Taps without any answer.
    pub unanswered: u64,
    /// Fares charged, in hundredths.
    pub fares: i64,
}

/// What must never happen, and what should not.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Faults {
    /// Two different answers to one tap.
    pub contradicted: u64,
    /// Gates that opened on an answer after their deadline.
    pub opened_late: u64,
    /// Messages that the contract does not know.
    pub malformed: u64,
    /// Answers to taps that the gate does not know.
    pub stray: u64,
    /// Messages that the server refused, by message and reason code.
    pub refused: BTreeMap<String, u64>,
    /// Records that were refused, by code.
    pub records_refused: BTreeMap<&'static str, u64>,
    /// Connections lost.
    pub lost: u64,
    /// Why the last one was lost.
    pub lost_why: Option<String>,
}

impl Faults {
    /// The promises that were broken, in words, and what else a run counts as one; none = a good run.
    #[must_use]
    pub fn broken(&self, more: &[(u64, &str)]) -> Vec<String> {
        let all = [
            (self.contradicted, "taps got two different answers"),
            (self.opened_late, "gates opened on an answer after their deadline"),
            (self.malformed, "messages were none of the contract"),
        ];
        all.iter().chain(more).filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect()
    }
}

/// See the module.
#[derive(Default)]
pub struct Tally {
    /// Taps that were due in this time are counted, in microseconds of the fleet's clock.
    pub measured_us: Range<u64>,
    /// The gates' deadline, in milliseconds.
    pub deadline_ms: i64,
    /// What came of them.
    pub counts: Counts,
    /// How long their answers took, from the moment they were due.
    pub latencies: Latencies,
    /// Answers that arrived within the measured time.
    pub answered_in_time: u64,
    /// What should not happen, at any time.
    pub faults: Faults,
    /// Latencies since it was last cleared.
    pub recent: Latencies,
    /// Repeated answers that were the same.
    pub repeated: u64,
    /// Modes that gates applied.
    pub modes: u64,
}

impl Tally {
    /// Enters what happened.
    pub fn enter(&mut self, notice: &Notice, now_us: u64) {
        match notice {
            Notice::Lost(_, why) => {
                self.faults.lost += 1;
                self.faults.lost_why = Some(why.clone());
            }
            Notice::Gate(_, fact) => self.fact(*fact, now_us),
        }
    }

    fn fact(&mut self, fact: Fact, now_us: u64) {
        match fact {
            Fact::Decided { tag, code, fare, waited_ms } => {
                let took = now_us.saturating_sub(untag(tag).0);
                self.recent.record(took);
                self.faults.opened_late += u64::from(code.opens() && waited_ms > self.deadline_ms);
                self.answered_in_time += u64::from(self.measured_us.contains(&now_us));
                if let Some(counts) = self.counted(tag) {
                    *counts.codes.entry(code.name()).or_default() += 1;
                    counts.opened += u64::from(code.opens());
                    counts.refused += u64::from(!code.opens());
                    counts.fares += fare.unwrap_or(0);
                    self.latencies.record(took);
                }
            }
            Fact::Alone { tag, .. } => self.counted(tag).into_iter().for_each(|counts| counts.alone += 1),
            Fact::Late { tag, .. } => self.counted(tag).into_iter().for_each(|counts| counts.late += 1),
            Fact::Unanswered { tag } => self.counted(tag).into_iter().for_each(|counts| counts.unanswered += 1),
            Fact::Repeated => self.repeated += 1,
            Fact::Mode { .. } => self.modes += 1,
            Fact::Contradicted { .. } => self.faults.contradicted += 1,
            Fact::Stray => self.faults.stray += 1,
            Fact::Malformed(_) => self.faults.malformed += 1,
            Fact::Refused { message, code } => self.refused(message, code),
            Fact::RecordRefused { code } => *self.faults.records_refused.entry(code.name()).or_default() += 1,
            Fact::Online | Fact::RecordsKept { .. } | Fact::List { .. } | Fact::ListWanted { .. } => {}
        }
    }

    fn refused(&mut self, message: Up, code: u8) {
        *self.faults.refused.entry(format!("{} 0x{code:02x}", message.name())).or_default() += 1;
    }

    fn counted(&mut self, tag: u64) -> Option<&mut Counts> {
        self.measured_us.contains(&untag(tag).0).then_some(&mut self.counts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::media::tag;
    use tongdao_domain::code::Code;

    fn tally() -> Tally {
        Tally { measured_us: 1_000..2_000, deadline_ms: 250, ..Tally::default() }
    }

    fn decided(due_us: u64, code: Code) -> Notice {
        Notice::Gate(0, Fact::Decided { tag: tag(due_us, 0), code, fare: Some(200), waited_ms: 1 })
    }

    #[test]
    fn a_latency_counts_from_when_the_tap_was_due() {
        let mut tally = tally();
        tally.enter(&decided(1_500, Code::Ok), 4_500);
        assert!((2.99..3.01).contains(&tally.latencies.ms_max()));
        assert_eq!((tally.counts.opened, tally.counts.fares, tally.answered_in_time), (1, 200, 0));
        assert_eq!(tally.counts.codes["OK"], 1);
    }

    #[test]
    fn a_gate_that_opens_on_a_late_answer_is_a_fault() {
        let mut tally = tally();
        for (code, waited_ms) in [(Code::Ok, 250), (Code::NoEntry, 251), (Code::Ok, 251)] {
            tally.enter(&Notice::Gate(0, Fact::Decided { tag: 0, code, fare: None, waited_ms }), 0);
        }
        assert_eq!(tally.faults.opened_late, 1);
    }

    #[test]
    fn what_was_due_outside_of_the_measured_time_is_not_counted() {
        let mut tally = tally();
        tally.enter(&decided(999, Code::Ok), 1_500);
        tally.enter(&decided(2_000, Code::NoEntry), 2_500);
        assert_eq!((tally.latencies.len(), tally.recent.len()), (0, 2));
        assert_eq!(tally.answered_in_time, 1);
    }

    #[test]
    fn faults_count_at_any_time() {
        let mut tally = tally();
        tally.enter(&Notice::Gate(0, Fact::Contradicted { seq: 1 }), 0);
        tally.enter(&Notice::Gate(0, Fact::Refused { message: Up::Tap, code: 0x97 }), 0);
        tally.enter(&Notice::Lost(0, "reset".into()), 0);
        assert_eq!((tally.faults.contradicted, tally.faults.lost), (1, 1));
        assert_eq!(tally.faults.refused["tap 0x97"], 1);
    }
}
