//! Taps: the hot path.
use crate::catalogue::Metric;
use crate::meter::CounterSet;
use crate::recent::DecisionTimes;
use metrics::{Histogram, histogram};
use std::time::Duration;

/// Counts the answers to taps. One for each cell or link; cheap to clone.
#[derive(Clone)]
pub struct TapMeter {
    answers: CounterSet,
    seconds: Histogram,
}

impl std::fmt::Debug for TapMeter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TapMeter").finish_non_exhaustive()
    }
}

impl TapMeter {
    /// Registers with the present recorder; `codes` are the stable names of all codes, the most frequent first.
    #[must_use]
    pub fn new(codes: &[&'static str]) -> Self {
        Self { answers: CounterSet::new(Metric::Taps, "code", codes), seconds: histogram!(Metric::TapSeconds.name()) }
    }

    /// A tap was answered: by which code, how long after it was read, and where its site's are counted.
    pub fn answered(&self, code: &'static str, took: Duration, times: Option<&DecisionTimes>) {
        self.answers.count(code);
        self.seconds.record(took.as_secs_f64());
        if let Some(times) = times {
            times.record(took);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::rendered;

    #[test]
    fn an_answer_is_counted_by_code_and_timed() {
        let text = rendered(|| {
            let meter = TapMeter::new(&["OK"]);
            let times = DecisionTimes::new();
            meter.answered("OK", Duration::from_micros(600), Some(&times));
            meter.clone().answered("ALREADY_IN", Duration::from_millis(40), None);
            assert_eq!(times.sample().counts().iter().sum::<u64>(), 1);
        });
        assert!(text.contains(r#"tongdao_taps_total{code="OK"} 1"#), "{text}");
        assert!(text.contains(r#"tongdao_taps_total{code="ALREADY_IN"} 1"#), "{text}");
        assert!(text.contains(r#"tongdao_tap_seconds_bucket{le="0.001"} 1"#), "{text}");
        assert!(text.contains(r#"tongdao_tap_seconds_bucket{le="0.05"} 2"#), "{text}");
    }
}
