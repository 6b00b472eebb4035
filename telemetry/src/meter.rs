//! Handles registered once, for what happens too often to be looked up by name.
use crate::catalogue::Metric;
use metrics::{Counter, counter};

/// One counter for each value of a label that has few, known values.
#[derive(Clone)]
pub struct CounterSet {
    metric: Metric,
    label: &'static str,
    counters: Vec<(&'static str, Counter)>,
}

impl std::fmt::Debug for CounterSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CounterSet").field("metric", &self.metric).field("label", &self.label).finish_non_exhaustive()
    }
}

impl CounterSet {
    /// Registers a counter for each of the values with the present recorder; all begin to be shown, at nought.
    #[must_use]
    pub fn new(metric: Metric, label: &'static str, values: &[&'static str]) -> Self {
        let counters = values.iter().map(|value| (*value, counter!(metric.name(), label => *value))).collect();
        Self { metric, label, counters }
    }

    /// Counts one more. A value that was not registered is looked up by name.
    pub fn count(&self, value: &'static str) {
        let known = self.counters.iter().find(|(name, _)| std::ptr::eq(*name, value) || *name == value);
        match known {
            Some((_, counter)) => counter.increment(1),
            None => counter!(self.metric.name(), self.label => value).increment(1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::samples;

    #[test]
    fn known_and_unknown_values_are_counted_alike() {
        let lines = samples(|| {
            let set = CounterSet::new(Metric::Taps, "code", &["OK", "BUSY"]);
            set.count("OK");
            set.count("OK");
            set.count("NEW");
        });
        let wanted = [r#"tongdao_taps_total{code="BUSY"} 0"#, r#"tongdao_taps_total{code="NEW"} 1"#, r#"tongdao_taps_total{code="OK"} 2"#];
        assert_eq!(lines, wanted);
    }
}
