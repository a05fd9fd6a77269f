//! Values as whole steps of their point's resolution.

use serde::{Deserialize, Serialize};

/// The step at which a point's values are summed. Sums of integers do not depend on the order of the summands, sums of
/// floats do; so roll-ups add up steps, and turn them back into the point's unit once, at the end.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Quantum {
    /// Steps per unit: 1,000 for a resolution of 0.001.
    per_unit: f64,
}

/// Beyond this many steps a float no longer tells one step from the next.
pub const STEPS_MAX: f64 = 9_007_199_254_740_992.0;

impl Quantum {
    /// One step is one unit.
    pub const UNIT: Quantum = Quantum { per_unit: 1.0 };

    /// A resolution that is no positive number counts as 1e-6, a point's default.
    pub fn new(resolution: f64) -> Quantum {
        let sound = resolution.is_finite() && resolution > 0.0 && (1.0 / resolution).is_finite();
        let per_unit = 1.0 / if sound { resolution } else { dcmms_schemas::plant::Point::RESOLUTION_DEFAULT };
        // 1/0.001 must be 1,000 sharp; what is within a few ulps of an integer was meant to be that integer.
        let whole = per_unit.round();
        Quantum { per_unit: if whole >= 1.0 && (per_unit - whole).abs() <= whole * 1e-15 { whole } else { per_unit } }
    }

    /// The value in steps, or `None` when it has no place among them (beyond 2^53 steps, or not finite).
    #[inline]
    pub fn steps(self, value: f64) -> Option<i64> {
        let steps = value * self.per_unit;
        // False for NaN too.
        if steps.abs() <= STEPS_MAX { Some(steps.round_ties_even() as i64) } else { None }
    }

    /// The value in steps, or the outermost step for values that have no place. The decoder refuses such values, but a
    /// point's resolution may become finer while its older windows are still open.
    #[inline]
    pub fn steps_nearest(self, value: f64) -> i64 {
        (value * self.per_unit).round_ties_even().clamp(-STEPS_MAX, STEPS_MAX) as i64
    }

    /// Steps, or a mean of steps, in the point's unit.
    #[inline]
    pub fn units(self, steps: f64) -> f64 {
        steps / self.per_unit
    }
}
