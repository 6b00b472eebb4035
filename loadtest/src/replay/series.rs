//! What came of a replay over time: slices of equal length with their taps and latencies, and what each station's gates had
//! to do in the riders' own time.
use super::day::Day;
use crate::load::tally::Latencies;
use serde::Serialize;

/// Slices that a run is cut into, about.
const SLICES: u64 = 150;
/// Latencies are told apart in so many steps a decade …
pub const STEPS_PER_DECADE: usize = 8;
/// … from this many microseconds on …
pub const FIRST_US: f64 = 100.0;
/// … to ten seconds.
pub const STEPS: usize = 5 * STEPS_PER_DECADE;
/// Columns of the gates' load, at most; each is this many minutes of the riders' time or a multiple of it.
const COLUMNS_MAX: i64 = 288;
const COLUMN_MIN: i64 = 5;

/// A slice of the run.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Slice {
    /// Taps made in it.
    pub taps: u64,
    /// Answers in time.
    pub answered: u64,
    /// Gates opened on them.
    pub opened: u64,
    /// Taps that gates decided alone.
    pub alone: u64,
    /// Half of the answers came within, in milliseconds.
    pub p50_ms: f64,
    /// 99 of 100 came within, in milliseconds.
    pub p99_ms: f64,
    /// All came within, in milliseconds.
    pub max_ms: f64,
    /// Processors that the server kept busy, where its process is known.
    pub server_cores: Option<f64>,
    /// Answers by latency, on a scale of [`STEPS_PER_DECADE`] steps a decade from [`FIRST_US`].
    pub latencies: Vec<u32>,
}

/// What came of the run over time; see the module.
pub struct Series {
    each_us: u64,
    slices: Vec<Slice>,
    now: Slice,
    within: Latencies,
    ends_us: u64,
    processor_s: Option<f64>,
}

impl Series {
    /// Of a run that begins at this moment and is to take so long, in microseconds.
    #[must_use]
    pub fn new(began_us: u64, length_us: u64) -> Self {
        let each_us = (length_us / SLICES).max(1_000_000).next_multiple_of(1_000_000);
        let (slices, now, within) = (Vec::new(), empty(), Latencies::default());
        Self { each_us, slices, now, within, ends_us: began_us + each_us, processor_s: None }
    }

    /// Is the present slice over?
    #[must_use]
    pub const fn is_over(&self, now_us: u64) -> bool {
        now_us >= self.ends_us
    }

    /// Ends the present slice; `processor_s` is the server's processor time so far.
    pub fn end(&mut self, processor_s: Option<f64>) {
        let mut slice = std::mem::replace(&mut self.now, empty());
        (slice.p50_ms, slice.p99_ms) = (self.within.ms(0.5), self.within.ms(0.99));
        slice.max_ms = if self.within.is_empty() { 0.0 } else { self.within.ms_max() };
        let spent = processor_s.zip(self.processor_s).map(|(now, before)| now - before);
        slice.server_cores = spent.map(|spent| spent / (self.each_us as f64 / 1e6));
        self.processor_s = processor_s;
        self.slices.push(slice);
        self.within.clear();
        self.ends_us += self.each_us;
    }

    /// A gate taps.
    pub const fn tapped(&mut self) {
        self.now.taps += 1;
    }

    /// An answer came in time.
    pub fn answered(&mut self, took_us: u64, opened: bool) {
        self.now.answered += 1;
        self.now.opened += u64::from(opened);
        self.within.record(took_us);
        self.now.latencies[step(took_us)] += 1;
    }

    /// A gate decided alone.
    pub const fn alone(&mut self) {
        self.now.alone += 1;
    }

    /// When the server's processor time was first looked at.
    pub const fn processor_from(&mut self, processor_s: Option<f64>) {
        self.processor_s = processor_s;
    }

    /// Seconds of a slice, and the slices.
    #[must_use]
    pub fn into_slices(mut self) -> (f64, Vec<Slice>) {
        if self.now.taps + self.now.answered > 0 {
            let processor_s = self.processor_s;
            self.end(processor_s);
            self.slices.last_mut().into_iter().for_each(|last| last.server_cores = None);
        }
        (self.each_us as f64 / 1e6, self.slices)
    }

    /// Seconds of a slice.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        self.each_us as f64 / 1e6
    }
}

fn empty() -> Slice {
    Slice { latencies: vec![0; STEPS], ..Slice::default() }
}

/// The step of a latency on the scale.
fn step(us: u64) -> usize {
    let steps = (us as f64 / FIRST_US).max(1.0).log10() * STEPS_PER_DECADE as f64;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a logarithm of a number from 1 on")]
    let step = steps as usize;
    step.min(STEPS - 1)
}

/// What a station's gates had to do.
#[derive(Debug, Clone, Default, Serialize)]
pub struct StationLoad {
    /// Its id.
    pub station: String,
    /// Gates.
    pub gates: usize,
    /// Taps.
    pub taps: u64,
    /// Taps of its busiest gate in its busiest minute of the riders' time.
    pub busiest_minute: u32,
    /// Taps a gate and minute of the riders' time, column by column.
    pub per_gate_minute: Vec<f32>,
}

/// See [`StationLoad`].
pub struct Load {
    from_ms: i64,
    column_ms: i64,
    /// By gate: station, present minute, taps in it.
    gates: Vec<(usize, i64, u32)>,
    taps: Vec<Vec<u32>>,
    stations: Vec<StationLoad>,
}

impl Load {
    /// For gates that stand in these stations.
    #[must_use]
    pub fn new(day: &Day, stations: &[String], station_of: &[usize]) -> Self {
        let (from_ms, to_ms) = day.span_ms();
        let columns_of = |minutes: i64| (to_ms - from_ms) / (minutes * super::MINUTE_MS) + 1;
        let minutes = COLUMN_MIN * columns_of(COLUMN_MIN).div_euclid(COLUMNS_MAX).max(0).saturating_add(1);
        let columns = usize::try_from(columns_of(minutes)).unwrap_or(1);
        let mut of: Vec<StationLoad> = stations.iter().map(|id| StationLoad { station: id.clone(), ..StationLoad::default() }).collect();
        station_of.iter().for_each(|station| of[*station].gates += 1);
        Self {
            from_ms,
            column_ms: minutes * super::MINUTE_MS,
            gates: station_of.iter().map(|station| (*station, i64::MIN, 0)).collect(),
            taps: vec![vec![0; columns]; stations.len()],
            stations: of,
        }
    }

    /// A tap of the riders' time at a gate.
    pub fn tapped(&mut self, gate: u32, at_ms: i64) {
        let Some((station, minute, taps)) = self.gates.get_mut(gate as usize) else { return };
        let now = at_ms.div_euclid(super::MINUTE_MS);
        *taps = if *minute == now { *taps + 1 } else { 1 };
        *minute = now;
        let load = &mut self.stations[*station];
        load.taps += 1;
        load.busiest_minute = load.busiest_minute.max(*taps);
        let column = usize::try_from((at_ms - self.from_ms) / self.column_ms).unwrap_or(0);
        if let Some(column) = self.taps[*station].get_mut(column) {
            *column += 1;
        }
    }

    /// Minutes of a column, and the stations, the busiest first.
    #[must_use]
    pub fn into_stations(mut self) -> (i64, Vec<StationLoad>) {
        let minutes = self.column_ms / super::MINUTE_MS;
        for (load, taps) in self.stations.iter_mut().zip(&self.taps) {
            let share = 1.0 / (load.gates.max(1) as f32 * minutes as f32);
            load.per_gate_minute = taps.iter().map(|taps| *taps as f32 * share).collect();
        }
        self.stations.sort_by_key(|load| std::cmp::Reverse(load.taps));
        (minutes, self.stations)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::day::Tap;

    #[test]
    fn slices_say_what_happened_in_them() {
        let mut series = Series::new(0, 10_000_000);
        series.tapped();
        series.answered(1_000, true);
        series.answered(3_000, false);
        assert!(!series.is_over(999_999) && series.is_over(1_000_000));
        series.processor_from(Some(1.0));
        series.end(Some(1.5));
        series.alone();
        series.tapped();
        let (seconds, slices) = series.into_slices();
        assert_eq!((seconds, slices.len()), (1.0, 2));
        assert_eq!((slices[0].taps, slices[0].answered, slices[0].opened, slices[1].alone), (1, 2, 1, 1));
        assert_eq!((slices[0].server_cores, slices[1].server_cores), (Some(0.5), None));
        assert_eq!(slices[0].latencies.iter().sum::<u32>(), 2);
    }

    #[test]
    fn latencies_stand_on_a_scale_of_decades() {
        assert_eq!((step(0), step(100), step(1_000), step(u64::MAX)), (0, 0, STEPS_PER_DECADE, STEPS - 1));
    }

    #[test]
    fn a_station_is_as_busy_as_its_gates() {
        let tap = |minute: i64, gate| Tap { at_ms: minute * 60_000, gate, rider: 0, exit: false };
        let taps = vec![tap(0, 0), tap(0, 0), tap(1, 1), tap(9, 2)];
        let day = Day { taps: taps.clone(), ..Day::default() };
        let mut load = Load::new(&day, &["a".into(), "b".into()], &[0, 0, 1]);
        taps.iter().for_each(|tap| load.tapped(tap.gate, tap.at_ms));
        let (minutes, stations) = load.into_stations();
        assert_eq!((minutes, stations[0].taps, stations[0].busiest_minute, stations[0].gates), (5, 3, 2, 2));
        assert_eq!(stations[0].per_gate_minute, [0.3, 0.0]);
        assert_eq!(stations[1].per_gate_minute, [0.0, 0.2]);
    }
}
