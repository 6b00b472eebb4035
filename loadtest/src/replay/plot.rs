//! Plots as SVG that stands in a page: axes with round numbers, lines, areas, and maps of small rectangles. Colours come from
//! the page's style sheet by class, so that one plot serves light and dark.
use std::fmt::Write as _;

/// Size of a plot and of its margins, in units of its own.
pub(super) const WIDTH: f64 = 960.0;
const LEFT: f64 = 84.0;
const RIGHT: f64 = 12.0;
const TOP: f64 = 10.0;
const BOTTOM: f64 = 26.0;
/// Shades of a map.
pub(super) const SHADES: usize = 6;

/// An axis: from where to where, even or by decades.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scale {
    pub(super) from: f64,
    pub(super) to: f64,
    pub(super) decades: bool,
}

impl Scale {
    pub(super) fn even(from: f64, to: f64) -> Self {
        Self { from, to: if to > from { to } else { from + 1.0 }, decades: false }
    }
    pub(super) fn decades(from: f64, to: f64) -> Self {
        Self { from, to: to.max(from * 10.0), decades: true }
    }

    /// Where a value stands, from 0 to 1.
    fn share(self, value: f64) -> f64 {
        let place = if self.decades {
            (value.max(self.from) / self.from).log10() / (self.to / self.from).log10()
        } else {
            (value - self.from) / (self.to - self.from)
        };
        place.clamp(0.0, 1.0)
    }

    /// Round numbers on it.
    fn ticks(self) -> Vec<f64> {
        if self.decades {
            return std::iter::successors(Some(self.from), |at| Some(at * 10.0)).take_while(|at| *at <= self.to * 1.001).collect();
        }
        let step = round_step((self.to - self.from) / 5.0);
        let first = (self.from / step).ceil();
        (0..12).map(|n| (first + f64::from(n)) * step).take_while(|at| *at <= self.to + step * 1e-6).collect()
    }
}

/// 1, 2 or 5 times a power of ten, not below this.
fn round_step(least: f64) -> f64 {
    let power = 10_f64.powf(least.max(1e-9).log10().floor());
    [1.0, 2.0, 5.0, 10.0].into_iter().map(|times| times * power).find(|step| *step >= least * 0.999).unwrap_or(power)
}

/// A plot that grows.
pub(super) struct Plot {
    height: f64,
    x: Scale,
    y: Scale,
    body: String,
}

impl Plot {
    pub(super) const fn new(height: f64, x: Scale, y: Scale) -> Self {
        Self { height, x, y, body: String::new() }
    }

    fn at_x(&self, value: f64) -> f64 {
        LEFT + (WIDTH - LEFT - RIGHT) * self.x.share(value)
    }
    fn at_y(&self, value: f64) -> f64 {
        self.height - BOTTOM - (self.height - TOP - BOTTOM) * self.y.share(value)
    }

    /// Lines across with their values, and the name of the unit.
    pub(super) fn rules(&mut self, write: impl Fn(f64) -> String) {
        for value in self.y.ticks() {
            let y = self.at_y(value);
            let _ = write!(
                self.body,
                "<path class=\"rule\" d=\"M{LEFT} {y:.1}H{:.1}\"/><text class=\"tick\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
                WIDTH - RIGHT,
                LEFT - 8.0,
                y + 4.0,
                escape(&write(value))
            );
        }
    }

    /// Values below.
    pub(super) fn below(&mut self, values: &[(f64, String)]) {
        for (value, text) in values {
            let (x, y) = (self.at_x(*value), self.height - BOTTOM);
            let _ = write!(
                self.body,
                "<path class=\"rule\" d=\"M{x:.1} {y:.1}v4\"/><text class=\"tick\" x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
                y + 18.0,
                escape(text)
            );
        }
    }

    /// A line through points; where there is no value it is broken.
    pub(super) fn line(&mut self, class: &str, points: impl Iterator<Item = (f64, Option<f64>)>) {
        let (mut path, mut pen) = (String::new(), 'M');
        for (x, y) in points {
            let Some(y) = y else {
                pen = 'M';
                continue;
            };
            let _ = write!(path, "{pen}{:.1} {:.1}", self.at_x(x), self.at_y(y));
            pen = 'L';
        }
        let _ = write!(self.body, "<path class=\"{class}\" d=\"{path}\"/>");
    }

    /// The area between a line and the axis, in steps.
    pub(super) fn steps(&mut self, class: &str, width: f64, points: impl Iterator<Item = (f64, f64)>) {
        let floor = self.at_y(self.y.from);
        let (mut path, mut last) = (String::new(), None);
        for (x, y) in points {
            let _ = match last {
                None => write!(path, "M{:.1} {floor:.1}V{:.1}", self.at_x(x), self.at_y(y)),
                Some(_) => write!(path, "V{:.1}", self.at_y(y)),
            };
            let _ = write!(path, "H{:.1}", self.at_x(x + width));
            last = Some(x);
        }
        if last.is_some() {
            let _ = write!(self.body, "<path class=\"{class}\" d=\"{path}V{floor:.1}Z\"/>");
        }
    }

    /// Rectangles of a map, one path a shade: left, right, lower, upper edge and a strength from 0 to 1.
    pub(super) fn map(&mut self, cells: impl Iterator<Item = ([f64; 4], f64)>) {
        let mut paths = vec![String::new(); SHADES];
        for ([left, right, lower, upper], strength) in cells {
            let Some(shade) = shade(strength) else { continue };
            let (x, y) = (self.at_x(left), self.at_y(upper));
            let (width, height) = (self.at_x(right) - x, self.at_y(lower) - y);
            let _ = write!(paths[shade], "M{x:.1} {y:.1}h{width:.1}v{height:.1}h-{width:.1}z");
        }
        for (shade, path) in paths.iter().enumerate().filter(|(_, path)| !path.is_empty()) {
            let _ = write!(self.body, "<path class=\"shade s{shade}\" d=\"{path}\"/>");
        }
    }

    /// A word beside a value of the upright axis.
    pub(super) fn name(&mut self, value: f64, text: &str) {
        let (x, y) = (LEFT - 8.0, self.at_y(value) + 3.5);
        let _ = write!(self.body, "<text class=\"tick\" x=\"{x}\" y=\"{y:.1}\" text-anchor=\"end\">{}</text>", escape(text));
    }

    /// The whole, with what it shows in words for those who cannot see it.
    pub(super) fn svg(self, shows: &str) -> String {
        format!("<svg viewBox=\"0 0 {WIDTH} {}\" role=\"img\" aria-label=\"{}\">{}</svg>", self.height, escape(shows), self.body)
    }
}

/// The shade of a strength; nothing is drawn where nothing is.
fn shade(strength: f64) -> Option<usize> {
    if strength <= 0.0 {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and the number of shades")]
    let shade = (strength.min(1.0) * SHADES as f64).ceil() as usize;
    Some(shade.clamp(1, SHADES) - 1)
}

/// Text that may stand in HTML.
pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_within() {
        assert_eq!(Scale::even(0.0, 870.0).ticks(), [0.0, 200.0, 400.0, 600.0, 800.0]);
        assert_eq!(Scale::even(7.3, 9.1).ticks(), [7.5, 8.0, 8.5, 9.0]);
        assert_eq!(Scale::decades(0.1, 100.0).ticks().len(), 4);
        assert!(Scale::even(5.0, 5.0).ticks().iter().all(|tick| tick.is_finite()));
    }

    #[test]
    fn a_map_has_a_path_for_each_shade_and_nothing_for_nothing() {
        let mut plot = Plot::new(100.0, Scale::even(0.0, 2.0), Scale::even(0.0, 1.0));
        plot.map([([0.0, 1.0, 0.0, 1.0], 1.0), ([1.0, 2.0, 0.0, 1.0], 0.0)].into_iter());
        let svg = plot.svg("a map");
        assert_eq!((svg.matches("class=\"shade").count(), svg.matches("s5").count()), (1, 1));
    }

    #[test]
    fn a_line_is_broken_where_nothing_is_known() {
        let mut plot = Plot::new(100.0, Scale::even(0.0, 3.0), Scale::even(0.0, 1.0));
        plot.line("l", [(0.0, Some(0.5)), (1.0, None), (2.0, Some(0.5)), (3.0, Some(1.0))].into_iter());
        let svg = plot.svg("a line");
        assert_eq!((svg.matches('M').count(), svg.matches('L').count()), (2, 1));
    }

    #[test]
    fn what_is_written_does_no_harm() {
        let mut plot = Plot::new(100.0, Scale::even(0.0, 1.0), Scale::even(0.0, 1.0));
        plot.name(0.5, "<script>");
        assert!(!plot.svg("\"><script>").contains("<script>"));
    }
}
