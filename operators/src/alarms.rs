//! Alarm conditions of a point: from its readings in event order to intervals in which a condition held.
//!
//! A [`Watch`] holds one machine per group of rules. What it says is a pure function of the readings in event order,
//! the rules' timelines and the greatest `now` it was told: neither the cut into ticks nor the order of arrival shows.
//!
//! - A value holds until the next reading; `bad` readings are not looked at. A reading is judged by the version valid
//!   at its moment, and a held value is not judged again when another version begins.
//! - High and low: true beyond the limit, false again only past the deadband. Rate: the change from the reading
//!   before, per second. Stale: true from `after_ms` after the last reading until the next.
//! - An alarm is raised at onset + on-delay when the condition still holds at that moment, and cleared at the first
//!   moment of a return to normal that still lasts off-delay later. Both delays are those of the version at onset.
//! - When another version of the same rule begins, an open interval goes on as the version at onset; when another rule
//!   or none begins, it is cleared there and then.
//! - Time moves on with `now` (the partition's watermark or the clock) and with the point's own readings.
//!
//! On-time readings cost O(1). A late or corrected reading re-runs the readings inside the correction horizon from
//! the state kept at the horizon, and the difference is said: rows taken back and added, and what that means for
//! people who acted on them. An interval wholly before the horizon is final and forgotten.

mod commands;
mod difference;
mod kept;
mod machine;
#[cfg(test)]
mod tests;

pub use commands::{Places, commands};
pub(crate) use kept::{Judges, KeptWatch};

use crate::{points::samples::Sample, rules::Timeline};
use dcmms_schemas::{
    alarm::{Alarm, AlarmEvent},
    id::PointNumber,
    outcome::Diff,
    time::Moment,
};
use difference::difference;
use machine::{Interval, Last, State};

/// What changed: rows as differences, and what happened to each occurrence. A row is said when raised and when
/// cleared, with the worst value as of then.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AlarmChanges {
    pub rows: Vec<(Alarm, Diff)>,
    pub events: Vec<AlarmEvent>,
}

/// The alarm conditions of one point.
#[derive(Clone, Debug)]
pub struct Watch {
    point: PointNumber,
    /// The greatest `now` told so far: time does not go back when a partition wakes up.
    now: Moment,
    /// The newest reading that counts, before the horizon and at all.
    horizon: Option<Last>,
    tip: Option<Last>,
    machines: Vec<Machine>,
}

/// One group's machine: its state twice, and what was said since the horizon.
#[derive(Clone, Debug)]
struct Machine {
    timeline: Timeline,
    /// After the newest reading before the horizon, and after the newest reading.
    held: State,
    state: State,
    /// Intervals said since the horizon: first those that only a late reading can change, then those that
    /// follow from `state` and the passing of time.
    said: Vec<Interval>,
    settled: usize,
}

impl Watch {
    pub fn new(point: PointNumber, timelines: Vec<Timeline>) -> Watch {
        let machines = timelines.into_iter().map(|timeline| Machine::new(timeline, None)).collect();
        Watch { point, now: Moment::MIN, horizon: None, tip: None, machines }
    }

    /// True when no rule ever judges this point.
    pub fn is_idle(&self) -> bool {
        self.machines.is_empty()
    }

    /// Takes a reading newer than all before it. False when it did not bring [`Watch::deadline`] nearer.
    pub fn append(&mut self, sample: &Sample, changes: &mut AlarmChanges) -> bool {
        let Some(tip) = Last::of(sample) else {
            return false;
        };
        let before = self.tip;
        debug_assert!(before.is_none_or(|before| before.at < tip.at), "an appended reading is the newest");
        self.tip = Some(tip);
        let now = self.now.max(tip.at);
        let mut stirred = before.is_none();
        for machine in &mut self.machines {
            stirred |= machine.append(before, tip, now, self.point, changes);
        }
        stirred
    }

    /// Judges again all readings since the horizon, in event order: one of them was late, corrected or taken back.
    #[expect(clippy::needless_pass_by_value, reason = "a cursor over the buffer, cloned once per machine")]
    pub fn rerun<'a>(&mut self, samples: impl Iterator<Item = &'a Sample> + Clone, now: Moment, changes: &mut AlarmChanges) {
        self.now = self.now.max(now);
        self.tip = samples.clone().filter_map(Last::of).last().or(self.horizon);
        let now = self.reached();
        for machine in &mut self.machines {
            machine.rerun(samples.clone(), self.horizon, self.tip, now, self.point, changes);
        }
    }

    /// Folds the oldest reading since the horizon into the state there: nothing can change it any more.
    pub fn expire(&mut self, sample: &Sample) {
        let Some(oldest) = Last::of(sample) else {
            return;
        };
        let before = self.horizon;
        self.horizon = Some(oldest);
        for machine in &mut self.machines {
            machine.expire(before, oldest);
        }
    }

    /// Lets time pass: delays run out, silences become alarms, versions begin.
    pub fn advance(&mut self, now: Moment, changes: &mut AlarmChanges) {
        if now <= self.now {
            return;
        }
        self.now = now;
        let now = self.reached();
        for machine in &mut self.machines {
            machine.pass(self.tip, now, self.point, changes);
        }
    }

    /// The first moment after `now` at which [`Watch::advance`] may have something to say if no reading comes before.
    /// A reading can move it either way, and a staleness rule moves it with each reading: keep the earliest known and
    /// ask again when it comes, rather than moving an entry per reading.
    pub fn deadline(&self) -> Option<Moment> {
        let now = self.reached();
        self.machines.iter().map(|machine| machine.deadline(self.tip, now)).min().filter(|at| *at < Moment::MAX)
    }

    /// Takes other rules, and judges the readings since the horizon by them. What lies before the horizon stays as it
    /// was judged; an interval open there goes on if the same rule still judges, else it is cleared at the horizon.
    #[expect(clippy::needless_pass_by_value, reason = "a cursor over the buffer, cloned once per machine")]
    pub fn reconfigure<'a>(
        &mut self,
        timelines: Vec<Timeline>,
        samples: impl Iterator<Item = &'a Sample> + Clone,
        now: Moment,
        changes: &mut AlarmChanges,
    ) {
        self.now = self.now.max(now);
        let now = self.reached();
        let mut former = std::mem::take(&mut self.machines);
        for timeline in timelines {
            let mut machine = match former.iter().position(|machine| machine.timeline.group == timeline.group) {
                Some(index) => former.remove(index),
                None => Machine::new(timeline.clone(), self.horizon),
            };
            if machine.timeline != timeline {
                machine.adopt(timeline, self.horizon, self.point, changes);
            }
            machine.rerun(samples.clone(), self.horizon, self.tip, now, self.point, changes);
            self.machines.push(machine);
        }
        for mut machine in former {
            machine.adopt(machine.timeline.silent(), self.horizon, self.point, changes);
            machine.rerun(samples.clone(), self.horizon, self.tip, now, self.point, changes);
        }
    }

    /// How far event time has come for this point.
    fn reached(&self) -> Moment {
        self.tip.map_or(self.now, |tip| self.now.max(tip.at))
    }
}

impl Machine {
    fn new(timeline: Timeline, horizon: Option<Last>) -> Machine {
        let held = State::new(&timeline, horizon);
        Machine { timeline, state: held.clone(), held, said: Vec::new(), settled: 0 }
    }

    fn append(&mut self, before: Option<Last>, tip: Last, now: Moment, point: PointNumber, changes: &mut AlarmChanges) -> bool {
        let mut ended = Vec::new();
        let stirred = self.state.step(&self.timeline, before, tip, &mut ended);
        // The first reading of all can make a silence of the time that has passed already.
        if !stirred && before.is_some() && self.is_said() {
            return false;
        }
        let settled = self.settled + ended.len();
        self.say(ended, Some(tip), now, point, changes);
        self.settled = settled;
        true
    }

    fn rerun<'a>(
        &mut self,
        samples: impl Iterator<Item = &'a Sample>,
        horizon: Option<Last>,
        tip: Option<Last>,
        now: Moment,
        point: PointNumber,
        changes: &mut AlarmChanges,
    ) {
        let (mut ended, mut before) = (Vec::new(), horizon);
        self.state = self.held.clone();
        for next in samples.filter_map(Last::of) {
            self.state.step(&self.timeline, before, next, &mut ended);
            before = Some(next);
        }
        let settled = ended.len();
        self.settled = 0;
        self.say(ended, tip, now, point, changes);
        self.settled = settled;
    }

    fn expire(&mut self, before: Option<Last>, oldest: Last) {
        let mut ended = Vec::new();
        self.held.step(&self.timeline, before, oldest, &mut ended);
        // The same machine over the same readings: these are the first that were said since the horizon.
        debug_assert!(ended.len() <= self.settled && self.said[..ended.len()] == ended[..]);
        self.said.drain(..ended.len());
        self.settled -= ended.len();
    }

    fn pass(&mut self, tip: Option<Last>, now: Moment, point: PointNumber, changes: &mut AlarmChanges) {
        if self.state.next_event(&self.timeline, tip) > now {
            return;
        }
        self.say(Vec::new(), tip, now, point, changes);
    }

    /// Whether a reading that changed nothing but the worst value leaves all that was said as it is.
    fn is_said(&self) -> bool {
        match &self.said[self.settled..] {
            [] => true,
            [only] => only.cleared.is_none() && self.state.is_active(),
            _ => false,
        }
    }

    /// Says what follows from `ended`, the state and the time, in the place of all said beyond the settled.
    fn say(&mut self, ended: Vec<Interval>, tip: Option<Last>, now: Moment, point: PointNumber, changes: &mut AlarmChanges) {
        let mut next = ended;
        let mut ahead = self.state.clone();
        ahead.pass(&self.timeline, tip, now, &mut next);
        next.extend(ahead.open());
        difference(point, &self.said[self.settled..], &next, changes);
        self.said.truncate(self.settled);
        self.said.append(&mut next);
    }

    fn deadline(&self, tip: Option<Last>, now: Moment) -> Moment {
        let next = self.state.next_event(&self.timeline, tip);
        if next > now || next == Moment::MAX {
            return next;
        }
        let mut ahead = self.state.clone();
        ahead.pass(&self.timeline, tip, now, &mut Vec::new());
        ahead.next_event(&self.timeline, tip)
    }

    /// Changes who judges from the horizon on. An interval open there that its rule no longer judges ends there and
    /// is final.
    fn adopt(&mut self, timeline: Timeline, horizon: Option<Last>, point: PointNumber, changes: &mut AlarmChanges) {
        self.timeline = timeline;
        if let Some(ended) = self.held.resume(&self.timeline, horizon) {
            let open = self.said.iter().position(|said| said.same_as(&ended));
            let old: Vec<Interval> = open.map(|index| self.said.remove(index)).into_iter().collect();
            difference(point, &old, &[ended], changes);
        }
    }
}
