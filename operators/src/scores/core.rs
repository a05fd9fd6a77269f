//! The arithmetic of one point's score.

use super::season::Season;
use dcmms_schemas::time::{DAY, Moment};
use serde::{Deserialize, Serialize};

/// How a score is made. Counts are readings, not time, unless they say so.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tuning {
    /// No score before this many readings and this long a time have been seen.
    pub warm_up: u32,
    pub warm_up_us: i64,
    /// The share of a new reading in the mean and in the scale.
    pub mean_share: f64,
    pub scale_share: f64,
    /// A residual counts at most this many scales.
    pub clip: f64,
    /// The least scale: the point's resolution, or what is noise in any case.
    pub scale_min: f64,
    /// The score from which a reading is an anomaly.
    pub limit: f64,
    /// For so many readings after an anomaly only a greater score makes another.
    pub quiet: u16,
    /// Whether the half-hour of the day counts.
    pub season: bool,
}

impl Tuning {
    /// What does well on public data without having been fitted to it closely; see `docs/scores.md`.
    pub const STANDARD: Tuning = Tuning {
        warm_up: 150,
        warm_up_us: DAY,
        mean_share: 0.01,
        scale_share: 0.002,
        clip: 8.0,
        scale_min: 1e-9,
        limit: 4.5,
        quiet: 120,
        season: false,
    };
}

/// What is said of one reading.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scored {
    pub score: f64,
    pub expected: f64,
    /// True when the score crossed the limit upwards here.
    pub crosses: bool,
}

/// The running probability that the tail is calibrated at, and how fast quantile and excess follow.
const TAIL: f64 = 0.01;
const QUANTILE_STEP: f64 = 0.05;
const EXCESS_SHARE: f64 = 0.02;
const EXCESS_MIN: f64 = 0.05;
/// Readings before the scale is good enough to clip and calibrate by.
const SETTLED: u32 = 20;
const RESIDUAL_SCORE_MAX: f64 = 20.0;
/// A scale below this share of the mean is rounding.
const RELATIVE_SCALE_MIN: f64 = 1e-6;
/// The score below which a detector is armed again, as a share of the limit.
const ARMED: f64 = 0.8;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Core {
    since: Moment,
    mean: f64,
    scale: f64,
    low: f64,
    high: f64,
    season: Option<Box<Season>>,
    quantile: f32,
    excess: f32,
    /// The score of the last anomaly.
    record: f32,
    seen: u32,
    /// Readings since the last anomaly, at most `Tuning::quiet`.
    quiet: u16,
    above: bool,
}

impl Core {
    pub(super) fn new(tuning: &Tuning) -> Core {
        Core {
            since: Moment::MIN,
            mean: 0.0,
            scale: 0.0,
            low: 0.0,
            high: 0.0,
            season: tuning.season.then(Box::default),
            quantile: 0.0,
            excess: 0.0,
            record: 0.0,
            seen: 0,
            quiet: tuning.quiet,
            above: false,
        }
    }

    pub(super) fn step(&mut self, at: Moment, value: f64, tuning: &Tuning) -> Scored {
        let seasonal = self.season.as_mut().and_then(|season| season.step(at, value));
        if self.seen == 0 {
            (self.since, self.mean, self.low, self.high, self.seen) = (at, value, value, value, 1);
            return Scored { score: 0.0, expected: value, crosses: false };
        }
        let expected = seasonal.unwrap_or(self.mean);
        self.seen = self.seen.saturating_add(1);
        let is_warm = self.seen > tuning.warm_up && at.0.saturating_sub(self.since.0) >= tuning.warm_up_us;
        let scale_min = tuning.scale_min.max(RELATIVE_SCALE_MIN * self.mean.abs());
        let scale = self.scale.max(scale_min);
        let residual = (value - expected).abs();
        let tail = self.tail(residual / scale);
        let novelty = self.novelty(value, scale_min, is_warm);
        self.follow(value, residual, scale, tuning);
        let score = if is_warm { tail + novelty } else { 0.0 };
        Scored { score, expected, crosses: self.crosses(score, tuning) }
    }

    /// The calibrated residual, and then its tail as it is now.
    fn tail(&mut self, ratio: f64) -> f64 {
        if self.seen <= SETTLED {
            return 0.0;
        }
        let calibrated = f64::from(self.seen - SETTLED);
        let step = QUANTILE_STEP.max(2.0 / calibrated);
        let (quantile, excess) = (f64::from(self.quantile), f64::from(self.excess));
        let over = ratio - quantile;
        if over <= 0.0 {
            self.quantile = (quantile - step * TAIL) as f32;
            return 0.0;
        }
        let score = if excess > 0.0 { 2.0 + over / (excess.max(EXCESS_MIN) * std::f64::consts::LN_10) } else { 0.0 };
        let counted = if excess > 0.0 { over.min(5.0 * excess) } else { over };
        let share = EXCESS_SHARE.max(1.0 / (1.0 + calibrated * TAIL));
        self.excess = (excess + share * (counted - excess)) as f32;
        self.quantile = (quantile + step * (1.0 - TAIL)) as f32;
        score.min(RESIDUAL_SCORE_MAX)
    }

    /// How far outside of all that was seen, and then it has been seen.
    fn novelty(&mut self, value: f64, width_min: f64, is_warm: bool) -> f64 {
        let beyond = (value - self.high).max(self.low - value);
        if beyond <= 0.0 {
            return 0.0;
        }
        let share = beyond / (self.high - self.low).max(width_min);
        self.low = self.low.min(value);
        self.high = self.high.max(value);
        if is_warm { 2.0 * (2.0 + (20.0 * share).min(6.0)) } else { 0.0 }
    }

    /// Mean and scale follow the reading, but not further than the clip.
    fn follow(&mut self, value: f64, residual: f64, scale: f64, tuning: &Tuning) {
        let bound = if self.seen > SETTLED { tuning.clip * scale } else { f64::MAX };
        let seen = f64::from(self.seen);
        self.mean += tuning.mean_share.max(1.0 / seen) * (value - self.mean).clamp(-bound, bound);
        self.scale += tuning.scale_share.max(1.0 / (seen - 1.0)) * (residual.min(bound) - self.scale);
    }

    fn crosses(&mut self, score: f64, tuning: &Tuning) -> bool {
        let upwards = score >= tuning.limit && !self.above;
        if score >= tuning.limit {
            self.above = true;
        } else if score < ARMED * tuning.limit {
            self.above = false;
        }
        if upwards && (self.quiet >= tuning.quiet || score > f64::from(self.record)) {
            (self.quiet, self.record) = (0, score as f32);
            return true;
        }
        self.quiet = self.quiet.saturating_add(1).min(tuning.quiet);
        false
    }
}
