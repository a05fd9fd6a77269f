//! A point's alarm conditions in a checkpoint. Who judges is written as rule and version: versions never change, and the rules are
//! told again before.

use super::{
    Machine, Watch,
    machine::{Interval, Last, Phase, Run, State},
};
use crate::rules::{Judge, Timeline};
use dcmms_schemas::{
    id::{PointNumber, RuleId},
    time::Moment,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A [`Watch`] without its timelines.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct KeptWatch {
    now: Moment,
    horizon: Option<Last>,
    tip: Option<Last>,
    machines: Vec<KeptMachine>,
}

#[derive(Debug, Serialize, Deserialize)]
struct KeptMachine {
    held: KeptState,
    state: KeptState,
    said: Vec<KeptInterval>,
    settled: usize,
}

#[derive(Debug, Serialize, Deserialize)]
struct KeptState {
    segment: usize,
    phase: KeptPhase,
}

#[derive(Debug, Serialize, Deserialize)]
enum KeptPhase {
    Normal,
    Pending(KeptRun),
    Active(KeptRun),
    Returning(KeptRun, Moment),
}

#[derive(Debug, Serialize, Deserialize)]
struct KeptRun {
    judge: (RuleId, i64),
    onset: Moment,
    value: f64,
    peak: f64,
    peak_raised: f64,
}

#[derive(Debug, Serialize, Deserialize)]
struct KeptInterval {
    judge: (RuleId, i64),
    onset: Moment,
    raised: Moment,
    cleared: Option<Moment>,
    value: f64,
    peak: f64,
}

/// Finds a version among the rules as they were told again.
pub(crate) type Judges<'a> = dyn Fn(RuleId, i64) -> Option<Arc<Judge>> + 'a;

impl Watch {
    /// What a cut must have of it.
    pub(crate) fn keep(&self) -> KeptWatch {
        KeptWatch { now: self.now, horizon: self.horizon, tip: self.tip, machines: self.machines.iter().map(Machine::keep).collect() }
    }

    /// Goes on as it was, judged by the same timelines in the same order.
    ///
    /// # Panics
    /// When these are not the timelines that it was kept with.
    pub(crate) fn restore(point: PointNumber, timelines: Vec<Timeline>, kept: KeptWatch, judges: &Judges<'_>) -> Watch {
        let KeptWatch { now, horizon, tip, machines } = kept;
        assert_eq!(timelines.len(), machines.len(), "point {point} is judged by as many groups of rules as when it was kept");
        let machines = timelines.into_iter().zip(machines).map(|(timeline, kept)| kept.restore(timeline, judges)).collect();
        Watch { point, now, horizon, tip, machines }
    }
}

impl Machine {
    fn keep(&self) -> KeptMachine {
        let interval = |interval: &Interval| KeptInterval {
            judge: (interval.judge.rule, interval.judge.version),
            onset: interval.onset,
            raised: interval.raised,
            cleared: interval.cleared,
            value: interval.value,
            peak: interval.peak,
        };
        KeptMachine {
            held: self.held.keep(),
            state: self.state.keep(),
            said: self.said.iter().map(interval).collect(),
            settled: self.settled,
        }
    }
}

impl State {
    fn keep(&self) -> KeptState {
        let run = |run: &Run| KeptRun {
            judge: (run.judge.rule, run.judge.version),
            onset: run.onset,
            value: run.value,
            peak: run.peak,
            peak_raised: run.peak_raised,
        };
        let phase = match &self.phase {
            Phase::Normal => KeptPhase::Normal,
            Phase::Pending(pending) => KeptPhase::Pending(run(pending)),
            Phase::Active(active) => KeptPhase::Active(run(active)),
            Phase::Returning(returning, since) => KeptPhase::Returning(run(returning), *since),
        };
        KeptState { segment: self.segment, phase }
    }
}

impl KeptMachine {
    fn restore(self, timeline: Timeline, judges: &Judges<'_>) -> Machine {
        let interval = |kept: KeptInterval| Interval {
            judge: find(judges, kept.judge),
            onset: kept.onset,
            raised: kept.raised,
            cleared: kept.cleared,
            value: kept.value,
            peak: kept.peak,
        };
        Machine {
            held: self.held.restore(&timeline, judges),
            state: self.state.restore(&timeline, judges),
            said: self.said.into_iter().map(interval).collect(),
            settled: self.settled,
            timeline,
        }
    }
}

impl KeptState {
    fn restore(self, timeline: &Timeline, judges: &Judges<'_>) -> State {
        assert!(self.segment < timeline.segments.len(), "a machine goes on under the timeline that it was kept with");
        let run = |kept: KeptRun| {
            let KeptRun { judge, onset, value, peak, peak_raised } = kept;
            Box::new(Run { judge: find(judges, judge), onset, value, peak, peak_raised })
        };
        let phase = match self.phase {
            KeptPhase::Normal => Phase::Normal,
            KeptPhase::Pending(pending) => Phase::Pending(run(pending)),
            KeptPhase::Active(active) => Phase::Active(run(active)),
            KeptPhase::Returning(returning, since) => Phase::Returning(run(returning), since),
        };
        State { segment: self.segment, phase }
    }
}

fn find(judges: &Judges<'_>, (rule, version): (RuleId, i64)) -> Arc<Judge> {
    judges(rule, version).unwrap_or_else(|| panic!("version {version} of rule {rule}, which an alarm was kept with, is told again"))
}
