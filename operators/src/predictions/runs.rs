//! Runs of hours above the threshold at one position, and the orders that were proposed for them.

use dcmms_schemas::{
    id::PredictionId,
    prediction::Prediction,
    time::{HOUR, Moment},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A scored hour, with how many in a row the model's version asks for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Scored {
    pub(super) prediction: Prediction,
    pub(super) hours: u32,
}

/// Consecutive hours above the threshold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Run {
    pub(super) start: Moment,
    /// The start of the first hour after it.
    pub(super) next: Moment,
    length: u32,
    /// The hour that made it long enough, if one did and it is still held.
    pub(super) proposes: Option<Moment>,
    pub(super) qualifies: bool,
}

/// All that is held of one model at one position.
#[derive(Debug, Default)]
pub(super) struct Track {
    pub(super) scored: BTreeMap<Moment, Scored>,
    /// The hour of each proposal that people were told of.
    pub(super) proposed: BTreeMap<Moment, PredictionId>,
    /// The run at the end of what was forgotten.
    pub(super) before: Option<Run>,
}

impl Track {
    /// Finds the runs and marks the hours that propose. Only these marks change.
    pub(super) fn mark(&mut self) -> Vec<Run> {
        let mut runs: Vec<Run> = self.before.into_iter().collect();
        for (hour, scored) in &mut self.scored {
            scored.prediction.proposes = extend(&mut runs, *hour, scored);
        }
        runs
    }

    /// Forgets the hours before `cut`. The run that reaches up to it is remembered, so that it does not propose again.
    pub(super) fn forget(&mut self, cut: Moment) {
        let kept = self.scored.split_off(&cut);
        let mut runs: Vec<Run> = self.before.take().into_iter().collect();
        for (hour, scored) in std::mem::replace(&mut self.scored, kept) {
            extend(&mut runs, hour, &scored);
        }
        self.before = runs.pop().filter(|run| run.next >= cut).map(|run| Run { proposes: None, ..run });
        self.proposed = self.proposed.split_off(&cut);
    }
}

/// Takes one more hour into the runs; true when it makes its run long enough.
fn extend(runs: &mut Vec<Run>, hour: Moment, scored: &Scored) -> bool {
    if scored.prediction.probability < scored.prediction.threshold {
        return false;
    }
    match runs.last_mut() {
        Some(run) if run.next == hour => {
            run.length += 1;
            run.next = hour.plus(HOUR);
        }
        _ => runs.push(Run { start: hour, next: hour.plus(HOUR), length: 1, proposes: None, qualifies: false }),
    }
    let run = runs.last_mut().expect("one was pushed");
    let proposes = !run.qualifies && run.length >= scored.hours.max(1);
    if proposes {
        run.proposes = Some(hour);
        run.qualifies = true;
    }
    proposes
}
