//! The shape of a metro's day: how many riders set out in each hour, with a peak in the morning and one in the evening, and
//! how strongly the crowd is drawn to the centre or away from it.
use rand::Rng as _;
use rand_chacha::ChaCha8Rng;

/// Share of a day's rides that set out in each hour, in per mille. An estimate with the usual shape of a working day: no
/// service at night, peaks from 7 to 9 and from 17 to 19.
const PER_MILLE: [f64; 24] = [
    2.0, 0.0, 0.0, 0.0, 0.0, 2.0, 24.0, 92.0, 118.0, 62.0, 40.0, 38.0, 42.0, 42.0, 40.0, 44.0, 52.0, 88.0, 112.0, 66.0, 46.0, 42.0, 32.0,
    16.0,
];

/// Share of the day's rides that set out within an hour, at this time of day in hours; even between the hours.
fn share_per_hour(hour: f64) -> f64 {
    let whole: f64 = PER_MILLE.iter().sum();
    let middle = (hour - 0.5).rem_euclid(24.0);
    let part = middle.fract();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "rem_euclid(24) lies within 0 and 24")]
    let first = middle as usize % 24;
    (PER_MILLE[first] * (1.0 - part) + PER_MILLE[(first + 1) % 24] * part) / whole
}

/// How strongly riders go to the centre at this time of day: 1 = to the centre, 0 = away from it.
pub(super) fn pull_to_centre(hour: f64) -> f64 {
    let bump = |peak: f64| (-((hour - peak) / 2.0).powi(2)).exp();
    (0.5 + 0.4 * bump(8.0) - 0.4 * bump(18.0)).clamp(0.0, 1.0)
}

/// A day that passes, `speed` times as fast as the clock.
pub(super) struct Day {
    speed: f64,
    start_hour: f64,
    rides: f64,
    at_s: f64,
    /// Expected number of riders since the last one set out, and how many it takes for the next.
    mass: f64,
    next: f64,
}

impl Day {
    pub(super) fn new(speed: f64, start_hour: f64, rides: f64) -> Self {
        Self { speed: speed.max(0.001), start_hour, rides, at_s: 0.0, mass: 0.0, next: 0.0 }
    }

    /// City time of day in hours.
    pub(super) fn hour(&self) -> f64 {
        (self.start_hour + self.at_s * self.speed / 3600.0).rem_euclid(24.0)
    }

    /// Real seconds that a length of city time takes.
    pub(super) fn real_s(&self, city_s: f64) -> f64 {
        city_s / self.speed
    }

    /// Lets time pass until this many real seconds after the start; how many riders set out in it (Poisson).
    pub(super) fn set_out(&mut self, at_s: f64, random: &mut ChaCha8Rng) -> usize {
        let passed = (at_s - self.at_s).max(0.0);
        self.mass += share_per_hour(self.hour()) * self.rides * passed * self.speed / 3600.0;
        self.at_s = at_s.max(self.at_s);
        let mut riders = 0;
        while self.mass >= self.next {
            self.mass -= self.next;
            self.next = -(1.0 - random.random::<f64>()).ln();
            riders += 1;
        }
        riders
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng as _;

    #[test]
    fn a_whole_day_has_all_of_its_rides_and_most_of_them_at_the_peaks() {
        let (mut day, mut random) = (Day::new(60.0, 0.0, 50_000.0), ChaCha8Rng::seed_from_u64(1));
        let mut hours = [0; 24];
        for step in 1..=(24 * 60 * 10) {
            let riders = day.set_out(f64::from(step) / 10.0, &mut random);
            hours[day.hour() as usize % 24] += riders;
        }
        let all: usize = hours.iter().sum();
        assert!((49_000..51_000).contains(&all), "{all}");
        assert!(hours[8] > 2 * hours[11] && hours[18] > 2 * hours[14] && hours[3] < 20, "{hours:?}");
    }

    #[test]
    fn speed_packs_the_day_closer_and_shortens_rides() {
        let mut day = Day::new(60.0, 6.0, 0.0);
        day.set_out(60.0, &mut ChaCha8Rng::seed_from_u64(1));
        assert_eq!((day.hour(), day.real_s(1_200.0)), (7.0, 20.0));
    }

    #[test]
    fn the_morning_goes_in_and_the_evening_out() {
        assert!(pull_to_centre(8.0) > 0.8 && pull_to_centre(18.0) < 0.2 && (0.4..0.6).contains(&pull_to_centre(13.0)));
    }
}
