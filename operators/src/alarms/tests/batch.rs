//! The second judge: all readings at once, no state machine. It looks up each reading's verdict, extracts the runs of
//! breaching readings of each rule's reign, and joins runs across short returns.

use super::s;
use crate::{
    alarms::machine::Interval,
    points::samples::Sample,
    rules::{Judge, Timeline},
};
use dcmms_schemas::{
    reading::Quality,
    rule::Condition,
    time::{MILLISECOND, Moment, SECOND},
};
use std::sync::Arc;

/// A span in which versions of one rule and kind judge without a break.
struct Reign {
    to: Moment,
    /// Since when each version judges, until the next or `to`.
    versions: Vec<(Moment, Arc<Judge>)>,
}

pub(super) fn judge_all(samples: &[Sample], timeline: &Timeline, now: Moment) -> Vec<Interval> {
    let mut readings: Vec<(Moment, f64)> =
        samples.iter().filter(|sample| sample.quality != Quality::Bad).map(|sample| (sample.at, sample.value)).collect();
    readings.sort_by_key(|(at, _)| *at);
    let now = readings.last().map_or(now, |(at, _)| now.max(*at));
    let mut alarms: Vec<Interval> = reigns(timeline)
        .iter()
        .flat_map(|reign| match reign.versions[0].1.condition {
            Condition::Stale { .. } => silences(reign, &readings, now),
            _ => breaches(reign, &readings, now),
        })
        .collect();
    alarms.sort_by_key(|alarm| alarm.onset);
    alarms
}

fn reigns(timeline: &Timeline) -> Vec<Reign> {
    let mut reigns: Vec<Reign> = Vec::new();
    let ends = timeline.segments.iter().skip(1).map(|segment| segment.from).chain([Moment::MAX]);
    for (segment, to) in timeline.segments.iter().zip(ends) {
        let Some(judge) = &segment.judge else { continue };
        match reigns.last_mut() {
            Some(reign) if reign.to == segment.from && reign.versions[0].1.hands_over_to(judge) => {
                reign.to = to;
                reign.versions.push((segment.from, Arc::clone(judge)));
            }
            _ => reigns.push(Reign { to, versions: vec![(segment.from, Arc::clone(judge))] }),
        }
    }
    reigns
}

impl Reign {
    fn version_at(&self, at: Moment) -> Option<&Arc<Judge>> {
        if at >= self.to {
            return None;
        }
        self.versions.iter().rev().find(|(from, _)| *from <= at).map(|(_, judge)| judge)
    }

    /// `to`, if it has come.
    fn over(&self, now: Moment) -> Option<Moment> {
        (self.to <= now && self.to < Moment::MAX).then_some(self.to)
    }
}

fn silences(reign: &Reign, readings: &[(Moment, f64)], now: Moment) -> Vec<Interval> {
    let mut found = Vec::new();
    for (index, (last, _)) in readings.iter().enumerate() {
        let next = readings.get(index + 1).map_or(Moment::MAX, |(at, _)| *at);
        let candidates = reign.versions.iter().enumerate().filter_map(|(index, (from, judge))| {
            let Condition::Stale { after_ms } = judge.condition else { unreachable!("a reign is of one kind") };
            let until = reign.versions.get(index + 1).map_or(reign.to, |(from, _)| *from);
            let onset = last.plus(after_ms * MILLISECOND).max(*from);
            (onset < until && onset < next && onset <= now).then_some((onset, judge))
        });
        let Some((onset, judge)) = candidates.min_by_key(|(onset, _)| *onset) else { continue };
        let end = next.min(reign.to);
        let cleared = (end <= now).then_some(end);
        let seconds = |to: Moment| (to.0 - onset.0) as f64 / SECOND as f64;
        let value = (onset.0 - last.0) as f64 / SECOND as f64;
        found.push(Interval { judge: Arc::clone(judge), onset, raised: onset, cleared, value, peak: value + cleared.map_or(0.0, seconds) });
    }
    found
}

/// What a reading says by itself: breaching, normal, or neither (inside the deadband).
fn verdict(condition: &Condition, value: f64, rate: f64) -> Option<bool> {
    match *condition {
        Condition::High { limit, .. } if value > limit => Some(true),
        Condition::High { limit, deadband, .. } => (value <= limit - deadband).then_some(false),
        Condition::Low { limit, .. } if value < limit => Some(true),
        Condition::Low { limit, deadband, .. } => (value >= limit + deadband).then_some(false),
        Condition::Rate { limit_per_s, .. } => Some(rate.abs() > limit_per_s),
        Condition::Stale { .. } => unreachable!("a silence has no readings"),
    }
}

fn delays(judge: &Judge) -> (i64, i64) {
    match judge.condition {
        Condition::High { on_delay_ms, off_delay_ms, .. }
        | Condition::Low { on_delay_ms, off_delay_ms, .. }
        | Condition::Rate { on_delay_ms, off_delay_ms, .. } => (on_delay_ms * MILLISECOND, off_delay_ms * MILLISECOND),
        Condition::Stale { .. } => (0, 0),
    }
}

/// A breaching stretch: its readings' moments and measures, and the first normal reading after it.
struct Stretch {
    held: Vec<(Moment, f64)>,
    end: Option<Moment>,
}

fn stretches(reign: &Reign, readings: &[(Moment, f64)]) -> Vec<Stretch> {
    let mut found: Vec<Stretch> = Vec::new();
    let mut verdicts: Vec<bool> = Vec::new();
    for (index, (at, value)) in readings.iter().enumerate() {
        let Some(judge) = reign.version_at(*at) else { continue };
        let rate = match index.checked_sub(1).map(|before| readings[before]) {
            Some((before, old)) => (value - old) / ((at.0 - before.0) as f64 / SECOND as f64),
            None => 0.0,
        };
        let was = verdicts.last().copied().unwrap_or(false);
        let is = verdict(&judge.condition, *value, rate).unwrap_or(was);
        verdicts.push(is);
        let measure = if matches!(judge.condition, Condition::Rate { .. }) { rate } else { *value };
        match (was, is) {
            (false, true) => found.push(Stretch { held: vec![(*at, measure)], end: None }),
            (true, true) => found.last_mut().expect("a stretch is open").held.push((*at, measure)),
            (true, false) => found.last_mut().expect("a stretch is open").end = Some(*at),
            (false, false) => {}
        }
    }
    found
}

fn breaches(reign: &Reign, readings: &[(Moment, f64)], now: Moment) -> Vec<Interval> {
    let stretches = stretches(reign, readings);
    let mut found = Vec::new();
    let mut index = 0;
    while index < stretches.len() {
        let (onset, value) = stretches[index].held[0];
        let judge = reign.version_at(onset).expect("a breaching reading has a judge");
        let (on, off) = delays(judge);
        let raised = onset.plus(on);
        let lasts = stretches[index].end.is_none_or(|end| end > raised) && raised <= now && raised < reign.to;
        let mut held = stretches[index].held.clone();
        let mut cleared = reign.over(now);
        if lasts {
            while let Some(end) = stretches[index].end {
                let over = end.plus(off);
                let again = stretches.get(index + 1).map(|next| next.held[0].0);
                if again.is_none_or(|again| again > over) {
                    if over < reign.to && over <= now {
                        cleared = Some(end);
                    }
                    break;
                }
                index += 1;
                held.extend(&stretches[index].held);
            }
            let shown = held.iter().filter(|(at, _)| cleared.is_some() || *at <= raised).map(|(_, measure)| *measure);
            let peak = shown.reduce(|worst, measure| if worse(&judge.condition, measure, worst) { measure } else { worst });
            let peak = peak.expect("the onset is a reading");
            found.push(Interval { judge: Arc::clone(judge), onset, raised, cleared, value, peak });
        }
        index += 1;
    }
    found
}

fn worse(condition: &Condition, measure: f64, than: f64) -> bool {
    match condition {
        Condition::Low { .. } => measure < than,
        Condition::Rate { .. } => measure.abs() > than.abs(),
        _ => measure > than,
    }
}

#[test]
fn the_second_judge_is_no_machine_but_agrees_on_a_plain_case() {
    let timeline = super::timeline([(0, super::judge(1, 1, super::high(10.0, 0.0, 0, 0)))]);
    let samples = [super::sample(1, 11.0), super::sample(2, 9.0)];
    let found = judge_all(&samples, &timeline, Moment::MIN);
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].onset, found[0].cleared), (s(1), Some(s(2))));
}
