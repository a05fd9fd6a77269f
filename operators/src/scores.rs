//! A streaming anomaly score per point: how improbable a reading is after all that the point said before.
//!
//! A score is −log₁₀ of a probability where it could be calibrated (3 is about one reading in a thousand), from two
//! parts that are added, and 0 during warm-up:
//!
//! - **Residual.** `r = |value − expected| / scale`, where `expected` is a slow mean or, with a season, what the same
//!   half-hour of the day said on earlier weekdays or weekends (UTC). Mean and scale are exponentially weighted and
//!   winsorised: a residual counts at most `clip` scales, so that a fault does not become the new normal at once.
//!   `r` is calibrated by peaks over threshold with an exponential tail (SPOT): above the running 99 % quantile `q`,
//!   `2 + (r − q) / (e · ln 10)` with `e` the mean excess; at most 20.
//! - **Novelty.** How far a value lies outside all that was ever seen, as a share of that range: `2 · (2 + min(20 · share,
//!   6))`, and then the range is extended.
//!
//! An **anomaly** is a reading with which the score crosses `limit` upwards, armed again below 0.8 of the limit. For
//! `quiet` readings after one only a greater score makes another. Sources: Siffer et al., "Anomaly Detection in Streams
//! with Extreme Value Theory" (KDD 2017) for the calibration; range and season are the parts of that name in our notes
//! on the Numenta benchmark, whose figures `docs/scores.md` gives.
//!
//! All of it is a pure function of the readings in event order, bit for bit. An on-time reading costs O(1); a late one
//! re-runs the readings since the horizon from the state kept there, and anomalies come as differences. Held: 216 bytes
//! per point, twice 792 more with a season.

mod core;
mod season;
#[cfg(test)]
mod tests;

pub use self::core::{Scored, Tuning};

use self::core::Core;
use crate::points::samples::Sample;
use dcmms_schemas::{
    id::PointNumber,
    outcome::{Anomaly, Diff, ScoreMinute},
    reading::Quality,
    time::{MINUTE, Moment},
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What changed beside the newest score.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ScoreChanges {
    /// The greatest score of minutes that are over, or changed after they were.
    pub minutes: Vec<ScoreMinute>,
    pub anomalies: Vec<(Anomaly, Diff)>,
}

/// The scorer of one point.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Detector {
    #[serde(with = "shared")]
    tuning: Arc<Tuning>,
    /// After the newest reading before the horizon, and after the newest reading.
    held: Core,
    core: Core,
    /// The minute of the newest reading before the horizon, as far as readings before the horizon make it.
    held_minute: Minute,
    minute: Minute,
    /// Anomalies since the horizon.
    said: Vec<Anomaly>,
    point: PointNumber,
}

/// A minute and its greatest score so far; a reading that is not scored counts as 0.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Minute {
    start: Moment,
    score: f64,
}

impl Minute {
    const NONE: Minute = Minute { start: Moment::MIN, score: 0.0 };

    /// Takes a reading's score; gives back the minute that it ends.
    fn take(&mut self, at: Moment, score: f64) -> Option<Minute> {
        let start = at.floor(MINUTE);
        if start == self.start {
            self.score = self.score.max(score);
            return None;
        }
        let ended = std::mem::replace(self, Minute { start, score });
        (ended.start != Moment::MIN).then_some(ended)
    }

    fn row(self, point: PointNumber) -> ScoreMinute {
        ScoreMinute { point, minute: self.start, score: self.score }
    }
}

impl Detector {
    pub fn new(point: PointNumber, tuning: Arc<Tuning>) -> Detector {
        let core = Core::new(&tuning);
        Detector { held: core.clone(), core, held_minute: Minute::NONE, minute: Minute::NONE, said: Vec::new(), point, tuning }
    }

    /// Scores a reading newer than all before it; `None` for a bad one, which is not looked at.
    pub fn append(&mut self, sample: &Sample, changes: &mut ScoreChanges) -> Option<Scored> {
        let scored = score(&mut self.core, sample, &self.tuning);
        if let Some(ended) = self.minute.take(sample.at, scored.map_or(0.0, |scored| scored.score)) {
            changes.minutes.push(ended.row(self.point));
        }
        if let Some(scored) = scored.filter(|scored| scored.crosses) {
            let anomaly = self.anomaly(sample, scored);
            self.said.push(anomaly);
            changes.anomalies.push((anomaly, 1));
        }
        scored
    }

    /// Scores all readings since the horizon again, in event order: the one at `since`, and so all after it, are other
    /// than they were. Gives back the newest score.
    pub fn rerun<'a>(&mut self, samples: impl Iterator<Item = &'a Sample>, since: Moment, changes: &mut ScoreChanges) -> Option<Scored> {
        self.core.clone_from(&self.held);
        self.minute = self.held_minute;
        let (mut found, mut newest) = (Vec::new(), None);
        for sample in samples {
            let scored = score(&mut self.core, sample, &self.tuning);
            let ended = self.minute.take(sample.at, scored.map_or(0.0, |scored| scored.score));
            if let Some(ended) = ended.filter(|ended| ended.start >= since.floor(MINUTE)) {
                changes.minutes.push(ended.row(self.point));
            }
            if let Some(scored) = scored.filter(|scored| scored.crosses) {
                found.push(self.anomaly(sample, scored));
            }
            newest = scored.or(newest);
        }
        changes.anomalies.extend(self.said.iter().filter(|said| !found.contains(said)).map(|said| (*said, -1)));
        changes.anomalies.extend(found.iter().filter(|found| !self.said.contains(found)).map(|found| (*found, 1)));
        self.said = found;
        newest
    }

    /// Folds the oldest reading since the horizon into the state there: its score is final.
    pub fn expire(&mut self, sample: &Sample) {
        let scored = score(&mut self.held, sample, &self.tuning);
        self.held_minute.take(sample.at, scored.map_or(0.0, |scored| scored.score));
        if self.said.first().is_some_and(|said| said.at <= sample.at) {
            self.said.remove(0);
        }
    }

    /// The minute of the newest reading, not over yet: to be said from time to time.
    pub fn minute(&self) -> Option<ScoreMinute> {
        (self.minute.start != Moment::MIN).then(|| self.minute.row(self.point))
    }

    fn anomaly(&self, sample: &Sample, scored: Scored) -> Anomaly {
        Anomaly { point: self.point, at: sample.at, score: scored.score, value: sample.value, expected: scored.expected }
    }
}

fn score(core: &mut Core, sample: &Sample, tuning: &Tuning) -> Option<Scored> {
    (sample.quality != Quality::Bad).then(|| core.step(sample.at, sample.value, tuning))
}

/// A tuning as itself, whoever shares it.
mod shared {
    use super::Tuning;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use std::sync::Arc;

    pub(super) fn serialize<S: Serializer>(tuning: &Arc<Tuning>, serializer: S) -> Result<S::Ok, S::Error> {
        tuning.as_ref().serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Arc<Tuning>, D::Error> {
        Tuning::deserialize(deserializer).map(Arc::new)
    }
}
