//! What a watch says, however its readings arrive, is what the second judge says of all of them.

use super::{POINT, batch::judge_all, high, judge, s, timeline};
use crate::{
    alarms::{AlarmChanges, Watch},
    points::samples::Sample,
    rules::Timeline,
};
use dcmms_schemas::{
    alarm::{Alarm, AlarmEvent},
    id::AlarmId,
    reading::Quality,
    rule::Condition,
    time::{Moment, SECOND},
};
use proptest::{prelude::*, test_runner::RngSeed};
use std::collections::{BTreeMap, BTreeSet};

const HORIZON: i64 = 40 * SECOND;

#[derive(Clone, Debug)]
enum Step {
    Read(Sample),
    Now(Moment),
}

/// What stands, by the differences and by the events.
#[derive(Default)]
struct Said {
    rows: BTreeMap<AlarmId, Alarm>,
    alive: BTreeSet<AlarmId>,
}

impl Said {
    fn take(&mut self, changes: AlarmChanges) {
        for (row, diff) in changes.rows {
            if diff > 0 {
                assert!(self.rows.insert(row.id, row).is_none(), "an occurrence has one row");
            } else {
                assert_eq!(self.rows.remove(&row.id), Some(row), "what is taken back was said");
            }
        }
        for event in &changes.events {
            match event {
                AlarmEvent::Raised(alarm) => assert!(self.alive.insert(alarm.id), "raised twice"),
                AlarmEvent::Moved { from, to } => {
                    assert!(self.alive.remove(from), "moved from an occurrence that was said");
                    self.alive.insert(to.id);
                }
                AlarmEvent::Retracted(alarm) => assert!(self.alive.remove(&alarm.id), "retracted what was said"),
            }
        }
        assert_eq!(self.alive, self.rows.keys().copied().collect(), "events and rows agree");
    }

    fn rows(&self) -> Vec<Alarm> {
        let mut rows: Vec<Alarm> = self.rows.values().cloned().collect();
        rows.sort_by_key(|row| (row.onset, row.id));
        rows
    }
}

/// A host as `points` is one: a buffer of the horizon, and a watch that is told of it.
struct Host {
    watch: Watch,
    buffer: Vec<Sample>,
    accepted: Vec<Sample>,
    now: Moment,
    said: Said,
}

impl Host {
    fn new(timeline: Timeline) -> Host {
        let watch = Watch::new(POINT, vec![timeline]);
        Host { watch, buffer: Vec::new(), accepted: Vec::new(), now: Moment::MIN, said: Said::default() }
    }

    fn take(&mut self, step: &Step) {
        let mut changes = AlarmChanges::default();
        match step {
            Step::Now(now) => {
                self.now = self.now.max(*now);
                self.watch.advance(*now, &mut changes);
            }
            Step::Read(sample) => self.read(*sample, &mut changes),
        }
        self.said.take(changes);
    }

    fn read(&mut self, sample: Sample, changes: &mut AlarmChanges) {
        let newest = self.buffer.last().map_or(Moment::MIN, |newest| newest.at);
        if sample.at < newest.minus(HORIZON) || self.accepted.iter().any(|other| other.at == sample.at) {
            return;
        }
        self.accepted.push(sample);
        if sample.at > newest {
            self.buffer.push(sample);
            self.watch.append(&sample, changes);
        } else {
            self.buffer.push(sample);
            self.buffer.sort_by_key(|sample| sample.at);
            self.watch.rerun(self.buffer.iter(), self.now, changes);
        }
        let newest = self.buffer.last().map_or(Moment::MIN, |newest| newest.at);
        while self.buffer.first().is_some_and(|oldest| oldest.at < newest.minus(HORIZON)) {
            let oldest = self.buffer.remove(0);
            self.watch.expire(&oldest);
        }
    }

    fn expected(&self, timeline: &Timeline) -> Vec<Alarm> {
        let mut rows: Vec<Alarm> = judge_all(&self.accepted, timeline, self.now).iter().map(|found| found.alarm(POINT)).collect();
        rows.sort_by_key(|row| (row.onset, row.id));
        rows
    }
}

fn condition() -> impl Strategy<Value = Condition> {
    let delays = (0..4i64, 0..4i64);
    prop_oneof![
        4 => (3..8i64, 0..3i64, delays.clone()).prop_map(|(limit, deadband, (on, off))| high(limit as f64, deadband as f64, on * 4, off * 4)),
        2 => (2..7i64, 0..3i64, delays.clone()).prop_map(|(limit, deadband, (on, off))| Condition::Low {
            limit: limit as f64, deadband: deadband as f64, on_delay_ms: on * 3_000, off_delay_ms: off * 3_000,
        }),
        2 => (1..6i64, delays).prop_map(|(limit, (on, off))| Condition::Rate {
            limit_per_s: limit as f64 / 2.0, on_delay_ms: on * 2_000, off_delay_ms: off * 2_000,
        }),
        3 => (1..12i64).prop_map(|after| Condition::Stale { after_ms: after * 1_000 }),
    ]
}

fn segments(from: i64) -> impl Strategy<Value = Vec<(i64, Option<(u128, Condition)>)>> {
    prop::collection::vec((from..120i64, prop::option::weighted(0.85, (1..3u128, condition()))), 1..5)
}

fn built(mut segments: Vec<(i64, Option<(u128, Condition)>)>) -> Timeline {
    segments.sort_by_key(|(from, _)| *from);
    segments.dedup_by_key(|(from, _)| *from);
    let versions = segments.into_iter().enumerate();
    timeline(versions.map(|(version, (from, rule))| (from, rule.and_then(|(rule, condition)| judge(rule, version as i64, condition)))))
}

fn step() -> impl Strategy<Value = (i64, i64, Step)> {
    let quality = prop_oneof![8 => Just(Quality::Good), 1 => Just(Quality::Uncertain), 1 => Just(Quality::Bad)];
    let read = (0..150i64, 0..10i64, quality).prop_map(|(at, value, quality)| {
        (at, Step::Read(Sample { at: s(at), value: value as f64, quality, seq: None, correction: false, source: 0 }))
    });
    let now = (0..170i64).prop_map(|at| (at, Step::Now(s(at))));
    // The first number is when it happens, the second how much later it is heard of.
    let heard = prop_oneof![3 => Just(0i64), 1 => 0..45i64];
    (prop_oneof![6 => read, 1 => now], heard).prop_map(|((at, step), delay)| (at, delay, step))
}

fn arrivals() -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec(step(), 1..60).prop_map(|mut steps| {
        steps.sort_by_key(|(at, delay, _)| at + delay);
        steps.into_iter().map(|(_, _, step)| step).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, rng_seed: RngSeed::Fixed(3), ..ProptestConfig::default() })]

    #[test]
    fn a_watch_says_what_the_second_judge_says(segments in segments(0), steps in arrivals()) {
        let timeline = built(segments);
        let mut host = Host::new(timeline.clone());
        for step in &steps {
            host.take(step);
            prop_assert_eq!(host.said.rows(), host.expected(&timeline));
        }
    }

    #[test]
    fn a_deadline_is_never_late(segments in segments(0), steps in arrivals()) {
        let timeline = built(segments);
        let mut host = Host::new(timeline);
        for step in &steps {
            host.take(step);
            let reached = host.watch.reached();
            let deadline = host.watch.deadline();
            prop_assert!(deadline.is_none_or(|deadline| deadline > reached));
            let mut silent = AlarmChanges::default();
            host.watch.clone().advance(deadline.map_or(s(10_000), |deadline| deadline.minus(1)), &mut silent);
            prop_assert_eq!(silent, AlarmChanges::default());
        }
    }

    #[test]
    fn a_rule_changed_inside_the_horizon_leaves_the_earlier_readings_alone(
        first in segments(0), second in segments(0), steps in arrivals(), cut in 0..60usize,
    ) {
        let before = built(first);
        let mut host = Host::new(before.clone());
        let (early, rest) = steps.split_at(cut.min(steps.len()));
        early.iter().for_each(|step| host.take(step));
        // The second timeline is the first one up to the horizon.
        let horizon = host.watch.horizon.map_or(Moment::MIN, |last| last.at);
        let mut after = before.clone();
        let kept = before.segments.iter().filter(|segment| segment.from <= horizon).cloned();
        let replaced = built(second);
        let new = replaced.segments.iter().filter(|segment| segment.from > horizon).cloned();
        after.segments = kept.chain(new).collect();
        let mut changes = AlarmChanges::default();
        host.watch.reconfigure(vec![after.clone()], host.buffer.iter(), host.now, &mut changes);
        host.said.take(changes);
        prop_assert_eq!(host.said.rows(), host.expected(&after));
        for step in rest {
            host.take(step);
            prop_assert_eq!(host.said.rows(), host.expected(&after));
        }
    }
}
