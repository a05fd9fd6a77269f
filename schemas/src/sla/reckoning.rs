//! The arithmetic of a clock.

use super::{Clock, ClockState, Metric, Policy, Target, explanation};
use crate::{
    calendar::{Calendar, Interval},
    order::{Hold, OrderFacts},
    time::{Moment, SECOND},
};
use serde_json::Value;

/// What a clock says at `now`. The row changes with `now` only at the moments that [`next_change`] names.
pub fn clock(facts: &OrderFacts, policy: &Policy, target: &Target, calendar: &Calendar, now: Moment) -> Clock {
    Reckoning::new(facts, policy, target, calendar).clock(now)
}

/// The next moment after `now` at which [`clock`] says something else without new facts: a warning share is reached, the due
/// moment has passed, or a pause begins or ends that was announced ahead. `None`: never.
pub fn next_change(facts: &OrderFacts, policy: &Policy, target: &Target, calendar: &Calendar, now: Moment) -> Option<Moment> {
    Reckoning::new(facts, policy, target, calendar).next_change(now)
}

/// All of a clock that does not depend on when it is asked.
#[derive(Debug)]
pub struct Reckoning<'a> {
    pub facts: &'a OrderFacts,
    pub policy: &'a Policy,
    pub target: &'a Target,
    pub calendar: &'a Calendar,
    /// Work started, or the function was restored.
    pub stopped: Option<Moment>,
    /// Pauses of the named reasons from the onset on: in order, disjoint, those that touch joined. An open one ends at `MAX`.
    pub pauses: Vec<Interval>,
    /// When the target is used up; `None` while that depends on the end of an open pause, or lies beyond the calendar's reach.
    pub due: Option<Moment>,
    /// The warning shares in percent, ascending, and when each is reached.
    pub warnings: Vec<(u8, Option<Moment>)>,
}

impl<'a> Reckoning<'a> {
    pub fn new(facts: &'a OrderFacts, policy: &'a Policy, target: &'a Target, calendar: &'a Calendar) -> Reckoning<'a> {
        let pauses = pauses(&facts.holds, &target.pause_reasons, facts.onset);
        let mut percents = target.warn_percent.clone();
        percents.sort_unstable();
        percents.dedup();
        let mut durations: Vec<i64> = percents.iter().map(|percent| share(target, *percent)).collect();
        durations.push(target.micros());
        let mut reached = when_elapsed(calendar, &pauses, facts.onset, &durations);
        let due = reached.pop().flatten();
        let warnings = percents.into_iter().zip(reached).collect();
        Reckoning { facts, policy, target, calendar, stopped: stop(facts, target.metric), pauses, due, warnings }
    }

    /// Microseconds of business time counted from the onset to `at`.
    pub fn elapsed(&self, at: Moment) -> i64 {
        let counted = |interval: Interval| counted_parts(interval, &self.pauses).map(|part| part.length()).sum::<i64>();
        self.calendar.intervals(self.facts.onset, at).map(counted).sum()
    }

    /// The intervals counted up to `at`, those that touch joined.
    pub fn counted(&self, at: Moment) -> impl Iterator<Item = Interval> + '_ {
        let mut parts = self.calendar.intervals(self.facts.onset, at).flat_map(|interval| counted_parts(interval, &self.pauses)).peekable();
        std::iter::from_fn(move || {
            let mut joined = parts.next()?;
            while let Some(next) = parts.next_if(|next| next.from == joined.to) {
                joined.to = next.to;
            }
            Some(joined)
        })
    }

    pub fn clock(&self, now: Moment) -> Clock {
        let state = self.state(now);
        let changed = self.last_change(state, now);
        let void = state == ClockState::Void;
        Clock {
            order: self.facts.id,
            metric: self.target.metric,
            policy: self.policy.id,
            policy_version: self.policy.version,
            state,
            started: self.facts.onset,
            stopped: if void { None } else { self.stopped },
            due: if void { None } else { self.due },
            target_s: self.target.micros() / SECOND,
            elapsed_s: if void { 0 } else { self.elapsed(changed) / SECOND },
            warned_percent: if void { None } else { self.warned(self.stopped.unwrap_or(now)) },
            explanation: self.explanation(),
        }
    }

    /// See [`explanation`]. It does not depend on the time asked at.
    pub fn explanation(&self) -> Value {
        explanation::explain(self)
    }

    fn state(&self, now: Moment) -> ClockState {
        let past_due = |at: Moment| self.due.is_some_and(|due| at > due);
        match self.stopped {
            _ if self.facts.cancelled => ClockState::Void,
            Some(at) if past_due(at) => ClockState::Missed,
            Some(_) => ClockState::Met,
            None if past_due(now) => ClockState::Breached,
            None if self.pause_at(now).is_some() => ClockState::Paused,
            None => ClockState::Running,
        }
    }

    fn pause_at(&self, at: Moment) -> Option<Interval> {
        self.pauses.iter().copied().find(|pause| pause.from <= at && at < pause.to)
    }

    fn warned(&self, at: Moment) -> Option<u8> {
        self.warnings.iter().filter(|(_, reached)| reached.is_some_and(|reached| reached <= at)).map(|(percent, _)| *percent).max()
    }

    /// The moments at which an open clock changes by itself.
    fn changes(&self) -> impl Iterator<Item = Moment> + '_ {
        // It is breached when now is after the due moment, which is one microsecond later.
        let due = self.due.map(|due| due.plus(1));
        let warnings = self.warnings.iter().filter_map(|(_, reached)| *reached);
        // Once breached it says nothing of pauses.
        let pauses = self.pauses.iter().flat_map(|pause| [pause.from, pause.to]).filter(move |at| due.is_none_or(|due| *at < due));
        due.into_iter().chain(warnings).chain(pauses).filter(|at| *at != Moment::MAX)
    }

    /// The moment to which the row's elapsed time is counted.
    fn last_change(&self, state: ClockState, now: Moment) -> Moment {
        match (state, self.stopped) {
            (ClockState::Void, _) => self.facts.onset,
            (_, Some(stopped)) => stopped,
            _ => self.changes().filter(|at| *at <= now).max().unwrap_or(self.facts.onset).max(self.facts.onset),
        }
    }

    pub fn next_change(&self, now: Moment) -> Option<Moment> {
        if self.facts.cancelled || self.stopped.is_some() {
            return None;
        }
        self.changes().filter(|at| *at > now).min()
    }
}

/// What stops a clock. Who restored the function has also responded, even if nobody noted the start.
fn stop(facts: &OrderFacts, metric: Metric) -> Option<Moment> {
    match metric {
        Metric::Respond => facts.started.into_iter().chain(facts.resolved).min(),
        Metric::Resolve => facts.resolved,
    }
}

fn share(target: &Target, percent: u8) -> i64 {
    (i128::from(target.micros()) * i128::from(percent) / 100) as i64
}

/// Overlapping pauses count once, so they are joined.
fn pauses(holds: &[Hold], reasons: &[String], onset: Moment) -> Vec<Interval> {
    let named = holds.iter().filter(|hold| reasons.contains(&hold.reason));
    let mut pauses: Vec<Interval> = named
        .map(|hold| Interval { from: hold.from.max(onset), to: hold.to.unwrap_or(Moment::MAX) })
        .filter(|pause| !pause.is_empty())
        .collect();
    pauses.sort_unstable();
    pauses.dedup_by(|later, earlier| {
        let touch = later.from <= earlier.to;
        if touch {
            earlier.to = earlier.to.max(later.to);
        }
        touch
    });
    pauses
}

/// The parts of a business interval that lie in no pause.
fn counted_parts(interval: Interval, pauses: &[Interval]) -> impl Iterator<Item = Interval> + '_ {
    // Pauses that end before it are passed over; between the others lie the gaps that count.
    let first = pauses.partition_point(|pause| pause.to <= interval.from);
    let ends = pauses[first..].iter().map(|pause| pause.to);
    let starts = std::iter::once(interval.from).chain(ends);
    let stops = pauses[first..].iter().map(|pause| pause.from).chain(std::iter::once(Moment::MAX));
    starts
        .zip(stops)
        .take_while(move |(start, _)| *start < interval.to)
        .map(move |(from, to)| Interval { from, to }.cut(interval))
        .filter(|part| !part.is_empty())
}

/// For ascending durations, the first moment at which each has elapsed.
fn when_elapsed(calendar: &Calendar, pauses: &[Interval], start: Moment, durations: &[i64]) -> Vec<Option<Moment>> {
    let mut reached = vec![None; durations.len()];
    let mut next = 0;
    while durations.get(next).is_some_and(|duration| *duration <= 0) {
        reached[next] = Some(start);
        next += 1;
    }
    // Nothing elapses in a pause that has no end.
    let end = pauses.last().filter(|pause| pause.to == Moment::MAX).map_or(Moment::MAX, |pause| pause.from);
    let mut elapsed = 0;
    for part in calendar.intervals(start, end).flat_map(|interval| counted_parts(interval, pauses)) {
        while let Some(duration) = durations.get(next).filter(|duration| **duration <= elapsed + part.length()) {
            reached[next] = Some(part.from.plus(duration - elapsed));
            next += 1;
        }
        if next == durations.len() {
            break;
        }
        elapsed += part.length();
    }
    reached
}
