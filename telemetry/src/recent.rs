//! How long decisions took, in buckets that anybody may read without a lock: what a board samples each second. One for each
//! site, whichever cell a decision leaves by: a link looks its site's up once, when it is opened.
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Buckets of an octave: a figure is exact to a quarter of its size.
const STEPS: usize = 4;
/// From 64 µs up: 18 octaves reach over 16 s.
const OCTAVES: usize = 18;
const FIRST_US: u64 = 64;
const BUCKETS: usize = STEPS * OCTAVES + 1;

/// Counts by time; bounds rise by a quarter of an octave.
#[derive(Debug)]
pub struct DecisionTimes([AtomicU64; BUCKETS]);

static SITES: Mutex<BTreeMap<String, Arc<DecisionTimes>>> = Mutex::new(BTreeMap::new());

/// Where the decisions of a site's gates are counted.
#[must_use]
pub fn decision_times_of(site: &str) -> Arc<DecisionTimes> {
    let mut sites = SITES.lock().unwrap_or_else(PoisonError::into_inner);
    Arc::clone(sites.entry(site.to_owned()).or_default())
}

/// All counts so far, by site.
#[must_use]
pub fn decision_times() -> BTreeMap<String, TimesSample> {
    let sites = SITES.lock().unwrap_or_else(PoisonError::into_inner);
    sites.iter().map(|(site, times)| (site.clone(), times.sample())).collect()
}

/// Counts at one moment; one bucket more than there are bounds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimesSample(Vec<u64>);

impl DecisionTimes {
    /// Empty.
    #[must_use]
    pub const fn new() -> Self {
        Self([const { AtomicU64::new(0) }; BUCKETS])
    }
    /// A decision took this long.
    pub fn record(&self, took: Duration) {
        let us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        if let Some(bucket) = self.0.get(bucket(us)) {
            bucket.fetch_add(1, Ordering::Relaxed);
        }
    }
    /// All counts so far.
    #[must_use]
    pub fn sample(&self) -> TimesSample {
        TimesSample(self.0.iter().map(|count| count.load(Ordering::Relaxed)).collect())
    }
}

impl Default for DecisionTimes {
    fn default() -> Self {
        Self::new()
    }
}

impl TimesSample {
    /// None.
    #[must_use]
    pub fn zero() -> Self {
        Self(vec![0; BUCKETS])
    }
    /// What came since an earlier sample.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        Self(self.0.iter().zip(&earlier.0).map(|(now, before)| now.saturating_sub(*before)).collect())
    }
    /// Adds another's counts.
    pub fn add(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(mine, its)| *mine += its);
    }
    /// Counts by bucket.
    #[must_use]
    pub fn counts(&self) -> &[u64] {
        &self.0
    }
    /// Upper bounds of the buckets in milliseconds; the last bucket has none.
    #[must_use]
    pub fn bounds_ms() -> Vec<f64> {
        (0..BUCKETS - 1).map(bound_ms).collect()
    }
    /// This share of the decisions took at most so many milliseconds; none where there were no decisions.
    #[must_use]
    pub fn quantile_ms(&self, share: f64) -> Option<f64> {
        let all: u64 = self.0.iter().sum();
        if all == 0 {
            return None;
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a count is a count")]
        let wanted = ((all as f64 * share).ceil() as u64).max(1);
        let mut seen = 0;
        let at = self.0.iter().position(|count| {
            seen += count;
            seen >= wanted
        });
        at.map(|at| bound_ms(at.min(BUCKETS - 2)))
    }
}

fn bound_ms(bucket: usize) -> f64 {
    let (octave, step) = (bucket / STEPS, bucket % STEPS);
    let base = (FIRST_US << octave) as f64;
    base * (1.0 + (step + 1) as f64 / STEPS as f64) / 1e3
}

/// The first bucket whose bound is not below it.
fn bucket(us: u64) -> usize {
    if us <= FIRST_US {
        return 0;
    }
    let above = (us - 1).min((FIRST_US << OCTAVES) - 1);
    if above + 1 < us {
        return BUCKETS - 1;
    }
    let octave = (above / FIRST_US).ilog2() as usize;
    let base = FIRST_US << octave;
    let step = usize::try_from((above - base) * STEPS as u64 / base).unwrap_or(0);
    (octave * STEPS + step).min(BUCKETS - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_lies_within_the_bounds_of_its_bucket() {
        let bounds = TimesSample::bounds_ms();
        assert!(bounds.windows(2).all(|pair| pair[0] < pair[1]), "rising");
        for us in (0..400_000).step_by(7).chain([64, 65, 80, 81, 128, 129, 250_000]) {
            let (ms, at) = (us as f64 / 1e3, bucket(us));
            assert!(ms <= bounds[at] && (at == 0 || ms > bounds[at - 1]), "{us} µs in bucket {at}");
        }
        assert_eq!(bucket(u64::MAX), BUCKETS - 1);
    }

    #[test]
    fn each_site_has_its_own_and_everybody_gets_the_same() {
        decision_times_of("here").record(Duration::from_millis(1));
        decision_times_of("here").record(Duration::from_millis(1));
        let _nobody_yet = decision_times_of("there");
        let counts = |site: &str| decision_times()[site].counts().iter().sum::<u64>();
        assert_eq!((counts("here"), counts("there")), (2, 0));
    }

    #[test]
    fn quantiles_are_of_what_came_between_two_samples() {
        let times = DecisionTimes::new();
        times.record(Duration::from_secs(1));
        let before = times.sample();
        (0..99).for_each(|_| times.record(Duration::from_micros(900)));
        times.record(Duration::from_millis(100));
        let minute = times.sample().since(&before);
        let near = |share: f64, ms: f64| minute.quantile_ms(share).is_some_and(|got| got >= ms && got <= ms * 1.26);
        assert!(near(0.5, 0.9) && near(0.99, 0.9) && near(0.999, 100.0), "{minute:?}");
        assert_eq!(TimesSample::zero().quantile_ms(0.5), None);
        let mut both = minute.clone();
        both.add(&minute);
        assert_eq!(both.counts().iter().sum::<u64>(), 200);
    }
}
