//! Axes that are labelled at places of our own.

use std::ops::Range;

use plotters::coord::ranged1d::{DefaultFormatting, KeyPointHint, Ranged};

/// A range of numbers, the first end of which may be the larger one, and the places that have labels.
pub struct Ticked {
    pub from: f64,
    pub to: f64,
    pub ticks: Vec<f64>,
}

impl Ticked {
    /// Labelled at round numbers; the start of the range may be the larger end.
    pub fn over(range: Range<f64>) -> Self {
        let Range { start: from, end: to } = range;
        Self { from, to, ticks: round_ticks(from.min(to), from.max(to)) }
    }
}

impl Ranged for Ticked {
    type FormatOption = DefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, (from, to): (i32, i32)) -> i32 {
        let part = (value - self.from) / (self.to - self.from);
        (f64::from(from) + part * f64::from(to - from)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, _hint: Hint) -> Vec<f64> {
        self.ticks.clone()
    }

    fn range(&self) -> Range<f64> {
        self.from..self.to
    }
}

/// The multiples of a round number between the two, about eight of them.
fn round_ticks(low: f64, high: f64) -> Vec<f64> {
    let least = (high - low) / 8.0;
    let power = 10_f64.powf(least.log10().floor());
    let steps = [1.0, 2.0, 5.0].map(|digit| digit * power);
    multiples(steps.into_iter().find(|&step| step >= least).unwrap_or(10.0 * power), low, high)
}

/// The multiples of `step` from `low` to `high`.
pub fn multiples(step: f64, low: f64, high: f64) -> Vec<f64> {
    let (first, last) = ((low / step).ceil() as i64, (high / step).floor() as i64);
    (first..=last).map(|k| k as f64 * step).collect()
}

/// A number without the rounding errors of a sum of steps, and without a minus in front of 0.
pub fn plain(x: f64) -> String {
    if x == 0.0 || (1e-4..1e6).contains(&x.abs()) {
        return format!("{}", (x * 1e9).round() / 1e9 + 0.0);
    }
    let text = format!("{x:.6e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    format!("{}e{exponent}", digits.trim_end_matches('0').trim_end_matches('.'))
}
