//! One group's machine: readings and the passing of time in, intervals out.

use crate::{
    points::samples::Sample,
    rules::{Judge, Timeline},
};
use dcmms_schemas::{
    alarm::Alarm,
    id::PointNumber,
    reading::Quality,
    rule::Condition,
    time::{MILLISECOND, Moment, SECOND},
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The newest reading that counts.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Last {
    pub at: Moment,
    pub value: f64,
}

impl Last {
    /// `bad` readings are looked at by nobody: they neither breach, nor return to normal, nor end a silence.
    pub(super) fn of(sample: &Sample) -> Option<Last> {
        (sample.quality != Quality::Bad).then_some(Last { at: sample.at, value: sample.value })
    }
}

/// An alarm that was raised, before it has a point and an id.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Interval {
    pub judge: Arc<Judge>,
    pub onset: Moment,
    pub raised: Moment,
    pub cleared: Option<Moment>,
    pub value: f64,
    pub peak: f64,
}

impl Interval {
    /// Whether both have the same id on one point.
    pub(super) fn same_as(&self, other: &Interval) -> bool {
        self.onset == other.onset && self.judge.rule == other.judge.rule
    }

    pub(super) fn overlaps(&self, other: &Interval) -> bool {
        self.onset < other.cleared.unwrap_or(Moment::MAX) && other.onset < self.cleared.unwrap_or(Moment::MAX)
    }

    pub(super) fn alarm(&self, point: PointNumber) -> Alarm {
        Alarm {
            id: Alarm::id_of(self.judge.rule, point, self.onset),
            rule: self.judge.rule,
            version: self.judge.version,
            point,
            severity: self.judge.severity,
            onset: self.onset,
            raised: self.raised,
            cleared: self.cleared,
            value: self.value,
            peak: self.peak,
            limit: self.judge.condition.limit(),
        }
    }
}

/// A condition that began to hold. Boxed, because few points are in breach at a time.
#[derive(Clone, Debug)]
pub(super) struct Run {
    /// The version valid at onset: its delays and its limit are the interval's.
    pub(super) judge: Arc<Judge>,
    pub(super) onset: Moment,
    pub(super) value: f64,
    pub(super) peak: f64,
    /// The worst value up to the raising: what the row of an active alarm shows.
    pub(super) peak_raised: f64,
}

#[derive(Clone, Debug)]
pub(super) enum Phase {
    Normal,
    /// The condition holds, the on-delay has not passed.
    Pending(Box<Run>),
    Active(Box<Run>),
    /// Raised, and back to normal since then; the off-delay has not passed.
    Returning(Box<Run>, Moment),
}

/// What the readings so far, and they alone, make of a group: no `now` is in it, so that a reading older than `now`
/// is no special case.
#[derive(Clone, Debug)]
pub(super) struct State {
    pub(super) segment: usize,
    pub(super) phase: Phase,
}

impl State {
    pub(super) fn new(timeline: &Timeline, last: Option<Last>) -> State {
        State { segment: last.map_or(0, |last| timeline.index_at(last.at)), phase: Phase::Normal }
    }

    /// Goes on under another timeline. Gives back the alarm that its rule no longer judges, cleared at the horizon.
    pub(super) fn resume(&mut self, timeline: &Timeline, last: Option<Last>) -> Option<Interval> {
        self.segment = last.map_or(0, |last| timeline.index_at(last.at));
        let at = last?.at;
        self.hand_over(timeline.segments[self.segment].judge.as_deref(), at)
    }

    pub(super) fn is_active(&self) -> bool {
        matches!(self.phase, Phase::Active(_))
    }

    /// Takes the next reading, `before` being the one before it. Says whether anything but the worst value changed, or
    /// may change by the time that has passed already.
    pub(super) fn step(&mut self, timeline: &Timeline, before: Option<Last>, next: Last, ended: &mut Vec<Interval>) -> bool {
        // A deadline at the very moment of the reading is the reading's to judge.
        let stirred = self.pass_until(timeline, before, next.at.minus(1), next.at, ended);
        let Some(judge) = &timeline.segments[self.segment].judge else {
            return stirred;
        };
        let holds = matches!(self.phase, Phase::Pending(_) | Phase::Active(_));
        let (truth, measure) = judged(&judge.condition, holds, before, next);
        match &mut self.phase {
            Phase::Normal if !truth => return stirred,
            Phase::Active(run) if truth => {
                run.worsen(measure);
                return stirred;
            }
            _ => self.turn(judge, truth, next.at, measure, ended),
        }
        true
    }

    /// Takes a reading that is more than one more of the same.
    fn turn(&mut self, judge: &Arc<Judge>, truth: bool, at: Moment, measure: f64, ended: &mut Vec<Interval>) {
        self.phase = match std::mem::replace(&mut self.phase, Phase::Normal) {
            Phase::Normal if truth => Phase::Pending(Box::new(Run::new(judge, at, measure))),
            Phase::Pending(mut run) if truth => {
                run.worsen(measure);
                Phase::Pending(run)
            }
            Phase::Active(mut run) | Phase::Returning(mut run, _) if truth => {
                run.worsen(measure);
                Phase::Active(run)
            }
            Phase::Active(run) if is_stale(&run.judge) => {
                ended.push(run.interval(Some(at)));
                Phase::Normal
            }
            Phase::Active(run) => Phase::Returning(run, at),
            Phase::Returning(run, since) => Phase::Returning(run, since),
            Phase::Normal | Phase::Pending(_) => Phase::Normal,
        };
    }

    /// Lets time pass to `now` and everything due by then happen, as if no reading came.
    pub(super) fn pass(&mut self, timeline: &Timeline, last: Option<Last>, now: Moment, ended: &mut Vec<Interval>) {
        self.pass_until(timeline, last, now, now, ended);
    }

    /// The row of the alarm that is raised and not yet cleared.
    pub(super) fn open(self) -> Option<Interval> {
        match self.phase {
            Phase::Normal | Phase::Pending(_) => None,
            Phase::Active(run) | Phase::Returning(run, _) => Some(run.interval(None)),
        }
    }

    /// The next moment at which something happens by itself.
    pub(super) fn next_event(&self, timeline: &Timeline, last: Option<Last>) -> Moment {
        self.deadline(timeline, last).min(self.boundary(timeline))
    }

    /// Fires the deadlines up to `deadlines` and crosses the boundaries up to `boundaries`, in their order.
    fn pass_until(
        &mut self,
        timeline: &Timeline,
        last: Option<Last>,
        deadlines: Moment,
        boundaries: Moment,
        ended: &mut Vec<Interval>,
    ) -> bool {
        let mut stirred = false;
        loop {
            let (deadline, boundary) = (self.deadline(timeline, last), self.boundary(timeline));
            // A version that begins at the moment of a deadline is the one that judges it.
            if boundary <= deadline && boundary <= boundaries && boundary < Moment::MAX {
                self.segment += 1;
                ended.extend(self.hand_over(timeline.segments[self.segment].judge.as_deref(), boundary));
            } else if deadline < boundary && deadline <= deadlines && deadline < Moment::MAX {
                self.fire(timeline, last, deadline, ended);
            } else {
                return stirred;
            }
            stirred = true;
        }
    }

    fn boundary(&self, timeline: &Timeline) -> Moment {
        timeline.segments.get(self.segment + 1).map_or(Moment::MAX, |segment| segment.from)
    }

    fn deadline(&self, timeline: &Timeline, last: Option<Last>) -> Moment {
        match &self.phase {
            Phase::Normal => match (&timeline.segments[self.segment], last) {
                (segment, Some(last)) => match segment.judge.as_ref().map(|judge| &judge.condition) {
                    Some(Condition::Stale { after_ms }) => segment.from.max(last.at.plus(after_ms.saturating_mul(MILLISECOND))),
                    _ => Moment::MAX,
                },
                (_, None) => Moment::MAX,
            },
            Phase::Pending(run) => run.raised(),
            Phase::Active(_) => Moment::MAX,
            Phase::Returning(run, since) => since.plus(delays(&run.judge.condition).1),
        }
    }

    fn fire(&mut self, timeline: &Timeline, last: Option<Last>, at: Moment, ended: &mut Vec<Interval>) {
        self.phase = match std::mem::replace(&mut self.phase, Phase::Normal) {
            Phase::Normal => match (&timeline.segments[self.segment].judge, last) {
                (Some(judge), Some(last)) => {
                    let silent = (at.0 - last.at.0) as f64 / SECOND as f64;
                    Phase::Active(Box::new(Run::new(judge, at, silent)))
                }
                _ => Phase::Normal,
            },
            Phase::Pending(mut run) => {
                run.peak_raised = run.peak;
                Phase::Active(run)
            }
            Phase::Active(run) => Phase::Active(run),
            Phase::Returning(run, since) => {
                ended.push(run.interval(Some(since)));
                Phase::Normal
            }
        };
    }

    /// Another version judges from `at` on.
    fn hand_over(&mut self, judge: Option<&Judge>, at: Moment) -> Option<Interval> {
        let run = match &self.phase {
            Phase::Normal => return None,
            Phase::Pending(run) | Phase::Active(run) | Phase::Returning(run, _) => run,
        };
        if judge.is_some_and(|judge| run.judge.hands_over_to(judge)) {
            return None;
        }
        match std::mem::replace(&mut self.phase, Phase::Normal) {
            Phase::Active(run) | Phase::Returning(run, _) => Some(run.interval(Some(at))),
            Phase::Normal | Phase::Pending(_) => None,
        }
    }
}

impl Run {
    fn new(judge: &Arc<Judge>, onset: Moment, measure: f64) -> Run {
        Run { judge: Arc::clone(judge), onset, value: measure, peak: measure, peak_raised: measure }
    }

    fn raised(&self) -> Moment {
        self.onset.plus(delays(&self.judge.condition).0)
    }

    fn worsen(&mut self, measure: f64) {
        let worse = match &self.judge.condition {
            Condition::High { .. } => measure > self.peak,
            Condition::Low { .. } => measure < self.peak,
            Condition::Rate { .. } => measure.abs() > self.peak.abs(),
            Condition::Stale { .. } => false,
        };
        if worse {
            self.peak = measure;
        }
    }

    fn interval(self, cleared: Option<Moment>) -> Interval {
        let peak = match (cleared, &self.judge.condition) {
            (None, _) => self.peak_raised,
            // A silence grows worse by lasting.
            (Some(cleared), Condition::Stale { .. }) => self.value + (cleared.0 - self.onset.0) as f64 / SECOND as f64,
            (Some(_), _) => self.peak,
        };
        Interval { onset: self.onset, raised: self.raised(), cleared, value: self.value, peak, judge: self.judge }
    }
}

fn is_stale(judge: &Judge) -> bool {
    matches!(judge.condition, Condition::Stale { .. })
}

/// On-delay and off-delay in microseconds.
fn delays(condition: &Condition) -> (i64, i64) {
    match condition {
        Condition::High { on_delay_ms, off_delay_ms, .. }
        | Condition::Low { on_delay_ms, off_delay_ms, .. }
        | Condition::Rate { on_delay_ms, off_delay_ms, .. } => {
            (on_delay_ms.saturating_mul(MILLISECOND), off_delay_ms.saturating_mul(MILLISECOND))
        }
        Condition::Stale { .. } => (0, 0),
    }
}

/// Whether the condition holds from `next` on, given whether it held just before, and what was measured.
fn judged(condition: &Condition, holds: bool, before: Option<Last>, next: Last) -> (bool, f64) {
    match *condition {
        Condition::High { limit, deadband, .. } => {
            let bound = if holds { limit - deadband } else { limit };
            (next.value > bound, next.value)
        }
        Condition::Low { limit, deadband, .. } => {
            let bound = if holds { limit + deadband } else { limit };
            (next.value < bound, next.value)
        }
        Condition::Rate { limit_per_s, .. } => match before {
            Some(before) => {
                let rate = (next.value - before.value) / ((next.at.0 - before.at.0) as f64 / SECOND as f64);
                (rate.abs() > limit_per_s, rate)
            }
            None => (false, 0.0),
        },
        Condition::Stale { .. } => (false, 0.0),
    }
}
