//! What a window remembers of its readings.

use super::samples::Sample;
use crate::quantum::Quantum;
use dcmms_schemas::{
    id::PointNumber,
    reading::Quality,
    rollup::{Level, Rollup},
    time::Moment,
};
use serde::{Deserialize, Serialize};

/// Counts, integer moments and extremes of a set of readings. It does not depend on the order in which they came, and two
/// of disjoint sets merge into that of their union.
///
/// `squares` wraps around: at 2^53 steps some four million readings would overflow it. All that is ever read of it is the
/// sum of squared distances from the mean, which comes out right as long as that fits into 128 bits itself.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Sums {
    sum: i128,
    squares: u128,
    min: f64,
    max: f64,
    first: f64,
    last: f64,
    first_at: Moment,
    last_at: Moment,
    n: u32,
    n_uncertain: u32,
    n_bad: u32,
}

impl Sums {
    pub(crate) const EMPTY: Sums = Sums {
        sum: 0,
        squares: 0,
        min: f64::INFINITY,
        max: f64::NEG_INFINITY,
        first: 0.0,
        last: 0.0,
        first_at: Moment::MAX,
        last_at: Moment::MIN,
        n: 0,
        n_uncertain: 0,
        n_bad: 0,
    };

    pub(crate) fn of(samples: impl Iterator<Item = Sample>, quantum: Quantum) -> Sums {
        let mut sums = Sums::EMPTY;
        for sample in samples {
            sums.add(sample.at, sample.value, sample.quality, quantum);
        }
        sums
    }

    #[inline]
    pub(crate) fn add(&mut self, at: Moment, value: f64, quality: Quality, quantum: Quantum) {
        match quality {
            Quality::Good => {}
            Quality::Uncertain => self.n_uncertain = self.n_uncertain.saturating_add(1),
            Quality::Bad => {
                self.n_bad = self.n_bad.saturating_add(1);
                return;
            }
        }
        let steps = quantum.steps_nearest(value);
        self.n = self.n.saturating_add(1);
        self.sum += i128::from(steps);
        self.squares = self.squares.wrapping_add((i128::from(steps) * i128::from(steps)) as u128);
        self.min = self.min.min(value);
        self.max = self.max.max(value);
        // Several readings of one moment are met only where duplicates count: then the lesser is first, the greater last.
        if at < self.first_at || (at == self.first_at && value < self.first) {
            (self.first_at, self.first) = (at, value);
        }
        if at > self.last_at || (at == self.last_at && value > self.last) {
            (self.last_at, self.last) = (at, value);
        }
    }

    pub(crate) fn merge(&mut self, other: &Sums) {
        self.n_bad = self.n_bad.saturating_add(other.n_bad);
        if other.n == 0 {
            return;
        }
        self.n = self.n.saturating_add(other.n);
        self.n_uncertain = self.n_uncertain.saturating_add(other.n_uncertain);
        self.sum += other.sum;
        self.squares = self.squares.wrapping_add(other.squares);
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
        if other.first_at < self.first_at {
            (self.first_at, self.first) = (other.first_at, other.first);
        }
        if other.last_at > self.last_at {
            (self.last_at, self.last) = (other.last_at, other.last);
        }
    }

    /// The row of the window that these are all readings of.
    pub(crate) fn row(&self, point: PointNumber, level: Level, start: Moment, quantum: Quantum) -> Rollup {
        let (n, n_uncertain, n_bad) = (self.n.into(), self.n_uncertain.into(), self.n_bad.into());
        let empty = Rollup {
            point,
            level,
            start,
            n,
            n_uncertain,
            n_bad,
            min: 0.0,
            max: 0.0,
            mean: 0.0,
            stddev: 0.0,
            first: 0.0,
            first_at: start,
            last: 0.0,
            last_at: start,
        };
        if n == 0 {
            return empty;
        }
        Rollup {
            min: self.min,
            max: self.max,
            mean: quantum.units(self.sum as f64 / f64::from(self.n)),
            stddev: quantum.units(self.variance().sqrt()),
            first: self.first,
            first_at: self.first_at,
            last: self.last,
            last_at: self.last_at,
            ..empty
        }
    }

    /// The population's variance in squared steps, without cancellation: around the mean's floor `m`, with
    /// `sum = m n + r`, it is `(n D - r²) / n²` where `D`, the squared distances from `m`, is an exact integer.
    fn variance(&self) -> f64 {
        let n = i128::from(self.n);
        let (m, r) = (self.sum.div_euclid(n), self.sum.rem_euclid(n));
        let about_m = (self.squares as i128).wrapping_sub(m.wrapping_mul(self.sum)).wrapping_sub(m.wrapping_mul(r)) as u128;
        match about_m.checked_mul(n as u128) {
            Some(wide) => (wide - (r * r) as u128) as f64 / (n as f64 * n as f64),
            None => about_m as f64 / n as f64,
        }
    }
}

#[cfg(test)]
mod tests;
