//! Poisson arrivals: the pauses between taps are exponentially distributed, so taps come in the bunches that real riders
//! come in. During a ramp the rate rises evenly from nothing.
use rand::Rng as _;
use rand_chacha::ChaCha8Rng;

/// See the module.
pub struct Arrivals {
    rate: f64,
    ramp_s: f64,
    /// Expected number of arrivals up to the next one.
    mass: f64,
    start_us: u64,
}

impl Arrivals {
    /// Arrivals from `start_us` on, with `rate` a second once `ramp_s` seconds have passed.
    #[must_use]
    pub fn new(rate: f64, ramp_s: f64, start_us: u64) -> Self {
        Self { rate: rate.max(0.001), ramp_s, mass: 0.0, start_us }
    }

    /// When the next one is due, in microseconds.
    pub fn next_us(&mut self, random: &mut ChaCha8Rng) -> u64 {
        self.mass -= (1.0 - random.random::<f64>()).ln();
        let seconds = self.time_of(self.mass);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "microseconds of a run that is bounded in time")]
        let us = (seconds * 1e6) as u64;
        self.start_us + us
    }

    /// The rate is `rate × t / ramp` during the ramp: up to `t` there are `rate × t² / (2 × ramp)` arrivals.
    fn time_of(&self, mass: f64) -> f64 {
        let in_ramp = self.rate * self.ramp_s / 2.0;
        if mass < in_ramp { (2.0 * mass * self.ramp_s / self.rate).sqrt() } else { self.ramp_s + (mass - in_ramp) / self.rate }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng as _;

    fn times(rate: f64, ramp_s: f64, count: usize) -> Vec<u64> {
        let (mut arrivals, mut random) = (Arrivals::new(rate, ramp_s, 0), ChaCha8Rng::seed_from_u64(1));
        (0..count).map(|_| arrivals.next_us(&mut random)).collect()
    }

    #[test]
    fn keep_their_rate_and_come_in_bunches() {
        let times = times(1_000.0, 0.0, 100_000);
        assert!(times.is_sorted());
        let seconds = *times.last().expect("some") as f64 / 1e6;
        assert!((98.0..102.0).contains(&seconds), "{seconds}");
        let close = times.windows(2).filter(|pair| pair[1] - pair[0] < 1_000).count() as f64 / 100_000.0;
        assert!((0.62..0.645).contains(&close), "1 − 1/e of the pauses are shorter than the mean, not {close}");
    }

    #[test]
    fn a_ramp_gives_half_of_the_load_in_its_time() {
        let times = times(1_000.0, 10.0, 20_000);
        let in_ramp = times.iter().filter(|time| **time < 10_000_000).count();
        assert!((4_800..5_200).contains(&in_ramp), "{in_ramp}");
    }

    #[test]
    fn the_same_seed_gives_the_same_arrivals() {
        assert_eq!(times(10.0, 1.0, 100), times(10.0, 1.0, 100));
    }
}
