//! Readings without physics, as many as asked for: the load for measurements.

use super::{plant::Sample, random::Random};
use dcmms_schemas::time::Moment;

/// The site under which load points live.
pub const LOAD_SITE: &str = "LOAD";

/// The key of load point `index`.
pub fn load_key(index: usize) -> String {
    format!("{LOAD_SITE}/D{index:06}:ac.power")
}

/// `points` points that each say something once per period, spread evenly over it.
#[derive(Debug)]
pub struct Load {
    points: usize,
    period_us: i64,
    random: Random,
    /// How many readings have been said since the start.
    said: i64,
    start: Option<Moment>,
}

impl Load {
    pub fn new(points: usize, period_us: i64, seed: u64) -> Load {
        Load { points, period_us, random: Random::new(seed, "load"), said: 0, start: None }
    }

    /// Appends what is due up to and without `at`; the first call only sets the start.
    pub fn step(&mut self, at: Moment, out: &mut Vec<Sample>) {
        let start = *self.start.get_or_insert(at);
        let points = self.points as i128;
        let due = (i128::from(at.0 - start.0) * points / i128::from(self.period_us)) as i64;
        for number in self.said..due {
            let at = start.0 + (i128::from(number) * i128::from(self.period_us) / points) as i64;
            let value = (400.0 + 60.0 * self.random.normal()).max(0.0);
            let value = (value * 1_000.0).round() / 1_000.0;
            out.push(Sample { point: (number % self.points as i64) as usize, at: Moment(at / 1_000 * 1_000), value });
        }
        self.said = self.said.max(due);
    }
}
