//! The cases, named before the code:
//!
//! | readings | expected |
//! |---|---|
//! | above, no delay | raised at once; cleared at the first reading past the deadband |
//! | above, then inside the deadband | goes on |
//! | above for less than on-delay | nothing |
//! | above for on-delay, nothing since | raised when `now` says so; onset is the first breaching reading |
//! | normal at the very moment of onset + on-delay | nothing |
//! | back to normal for less than off-delay | one interval |
//! | silence | stale from last + after; cleared by the next reading; `bad` ones do not end it |
//! | a first reading that is older than `now` | stale at once |
//! | a jump | rate, on the reading that jumped |
//! | a late normal reading inside the on-delay | retracted |
//! | a late breaching reading before the onset | moved |
//! | a late breaching reading between two alarms | the second moves to the first |
//! | a version of the same rule begins | goes on as the version at onset |
//! | another rule, or none, begins | cleared there |
//! | the horizon passes over a clearing | final, and forgotten |

mod batch;
mod properties;

use super::*;
use crate::rules::{Judge, Segment};
use dcmms_schemas::{
    command::Request,
    id::{PositionId, RuleId, SiteId},
    reading::Quality,
    rule::{Condition, OrderTemplate, Severity},
    time::{HOUR, SECOND},
};
use std::sync::Arc;
use uuid::Uuid;

const POINT: PointNumber = PointNumber(7);

pub(super) fn s(seconds: i64) -> Moment {
    Moment(seconds * SECOND)
}

pub(super) fn sample(seconds: i64, value: f64) -> Sample {
    Sample { at: s(seconds), value, quality: Quality::Good, seq: None, correction: false, source: 0 }
}

pub(super) fn high(limit: f64, deadband: f64, on_s: i64, off_s: i64) -> Condition {
    Condition::High { limit, deadband, on_delay_ms: on_s * 1_000, off_delay_ms: off_s * 1_000 }
}

pub(super) fn judge(rule: u128, version: i64, condition: Condition) -> Option<Arc<Judge>> {
    Some(Arc::new(Judge { rule: RuleId(Uuid::from_u128(rule)), version, severity: Severity::High, condition, order: None }))
}

pub(super) fn timeline(segments: impl IntoIterator<Item = (i64, Option<Arc<Judge>>)>) -> Timeline {
    let first = Segment { from: Moment::MIN, judge: None };
    let rest = segments.into_iter().map(|(from, judge)| Segment { from: s(from), judge });
    Timeline { group: "g".into(), segments: std::iter::once(first).chain(rest).collect() }
}

/// A watch, and the sum of the rows it said.
struct Seen {
    watch: Watch,
    buffer: Vec<Sample>,
    rows: Vec<Alarm>,
    events: Vec<AlarmEvent>,
}

impl Seen {
    fn by(condition: Condition) -> Seen {
        Seen::of(timeline([(0, judge(1, 1, condition))]))
    }

    fn of(timeline: Timeline) -> Seen {
        Seen { watch: Watch::new(POINT, vec![timeline]), buffer: Vec::new(), rows: Vec::new(), events: Vec::new() }
    }

    fn told(mut self, changes: AlarmChanges) -> Seen {
        for (row, diff) in changes.rows {
            if diff > 0 {
                self.rows.push(row);
            } else {
                let index = self.rows.iter().position(|said| *said == row).expect("only what was said is taken back");
                self.rows.remove(index);
            }
        }
        self.events.extend(changes.events);
        self
    }

    fn reads(mut self, samples: &[(i64, f64)]) -> Seen {
        let mut changes = AlarmChanges::default();
        for (at, value) in samples {
            self.buffer.push(sample(*at, *value));
            self.watch.append(&sample(*at, *value), &mut changes);
        }
        self.told(changes)
    }

    fn late(mut self, at: i64, value: f64) -> Seen {
        let mut changes = AlarmChanges::default();
        self.buffer.push(sample(at, value));
        self.buffer.sort_by_key(|sample| sample.at);
        self.watch.rerun(self.buffer.iter(), Moment::MIN, &mut changes);
        self.told(changes)
    }

    fn at(mut self, now: i64) -> Seen {
        let mut changes = AlarmChanges::default();
        self.watch.advance(s(now), &mut changes);
        self.told(changes)
    }

    /// Onset, raised and cleared in seconds, value and peak.
    fn spans(&self) -> Vec<(i64, i64, Option<i64>, f64, f64)> {
        let second = |moment: Moment| moment.0 / SECOND;
        self.rows.iter().map(|row| (second(row.onset), second(row.raised), row.cleared.map(second), row.value, row.peak)).collect()
    }

    /// What happened, by onset in seconds.
    fn happened(&self) -> Vec<String> {
        let second = |moment: Moment| moment.0 / SECOND;
        let name = |event: &AlarmEvent| match event {
            AlarmEvent::Raised(alarm) => format!("raised {}", second(alarm.onset)),
            AlarmEvent::Moved { to, .. } => format!("moved to {}", second(to.onset)),
            AlarmEvent::Retracted(alarm) => format!("retracted {}", second(alarm.onset)),
        };
        self.events.iter().map(name).collect()
    }
}

#[test]
fn an_alarm_without_delays_follows_the_readings() {
    let seen = Seen::by(high(10.0, 2.0, 0, 0)).reads(&[(1, 9.0), (2, 11.0), (3, 14.0), (4, 9.0)]);
    assert_eq!(seen.spans(), [(2, 2, None, 11.0, 11.0)], "inside the deadband it goes on, and peaks are not said");
    let seen = seen.reads(&[(5, 8.0)]);
    assert_eq!(seen.spans(), [(2, 2, Some(5), 11.0, 14.0)]);
    assert_eq!(seen.happened(), ["raised 2"]);
}

#[test]
fn low_is_the_mirror_of_high() {
    let low = Condition::Low { limit: 5.0, deadband: 1.0, on_delay_ms: 0, off_delay_ms: 0 };
    let seen = Seen::by(low).reads(&[(1, 5.0), (2, 4.0), (3, 2.0), (4, 5.5), (5, 6.0)]);
    assert_eq!(seen.spans(), [(2, 2, Some(5), 4.0, 2.0)]);
}

#[test]
fn a_short_breach_is_nothing() {
    let seen = Seen::by(high(10.0, 0.0, 60, 0)).reads(&[(10, 11.0), (70, 9.0), (80, 11.0), (139, 9.0)]).at(1_000);
    assert_eq!(seen.spans(), [], "at 70 it was normal again, so it did not last");
}

#[test]
fn a_delay_runs_out_by_readings_or_by_time() {
    let by_reading = Seen::by(high(10.0, 0.0, 60, 0)).reads(&[(10, 11.0), (40, 13.0), (70, 12.0), (80, 15.0)]);
    assert_eq!(by_reading.spans(), [(10, 70, None, 11.0, 13.0)], "with the worst value up to the raising");
    let by_time = Seen::by(high(10.0, 0.0, 60, 0)).reads(&[(10, 11.0)]).at(69);
    assert_eq!(by_time.spans(), []);
    assert_eq!(by_time.watch.deadline(), Some(s(70)));
    let by_time = by_time.at(70);
    assert_eq!(by_time.spans(), [(10, 70, None, 11.0, 11.0)]);
    assert_eq!(by_time.watch.deadline(), None);
}

#[test]
fn a_short_return_is_no_end() {
    let seen = Seen::by(high(10.0, 0.0, 0, 60)).reads(&[(10, 11.0), (20, 9.0), (80, 12.0), (90, 9.0), (140, 8.0)]).at(149);
    assert_eq!(seen.spans(), [(10, 10, None, 11.0, 11.0)]);
    assert_eq!(seen.watch.deadline(), Some(s(150)));
    assert_eq!(seen.at(150).spans(), [(10, 10, Some(90), 11.0, 12.0)]);
}

#[test]
fn a_silence_is_stale_until_the_next_reading() {
    let seen = Seen::by(Condition::Stale { after_ms: 30_000 }).at(500).reads(&[(1_000, 1.0)]).at(1_029);
    assert_eq!(seen.spans(), [], "a point that never spoke is not stale");
    assert_eq!(seen.watch.deadline(), Some(s(1_030)));
    let mut seen = seen.at(1_040);
    assert_eq!(seen.spans(), [(1_030, 1_030, None, 30.0, 30.0)]);
    let mut changes = AlarmChanges::default();
    seen.watch.append(&Sample { quality: Quality::Bad, ..sample(1_050, 1.0) }, &mut changes);
    assert_eq!(changes, AlarmChanges::default(), "a bad reading does not end a silence");
    assert_eq!(seen.reads(&[(1_060, 1.0), (1_090, 1.0)]).spans(), [(1_030, 1_030, Some(1_060), 30.0, 60.0)]);
}

#[test]
fn a_first_reading_can_be_an_old_one() {
    let stale = Seen::by(Condition::Stale { after_ms: 30_000 }).at(500).reads(&[(10, 1.0)]);
    assert_eq!(stale.spans(), [(40, 40, None, 30.0, 30.0)]);
}

#[test]
fn a_jump_is_a_rate() {
    let rate = Condition::Rate { limit_per_s: 1.0, on_delay_ms: 0, off_delay_ms: 0 };
    let seen = Seen::by(rate).reads(&[(10, 0.0), (20, 10.0), (30, -20.0), (40, -20.0)]);
    assert_eq!(seen.spans(), [(30, 30, Some(40), -3.0, -3.0)]);
}

#[test]
fn a_reading_after_the_fact_disproves_what_time_raised() {
    let seen = Seen::by(high(10.0, 0.0, 60, 0)).reads(&[(10, 11.0)]).at(100).reads(&[(50, 9.0)]);
    assert_eq!(seen.spans(), []);
    assert_eq!(seen.happened(), ["raised 10", "retracted 10"]);
}

#[test]
fn late_readings_retract_move_and_merge() {
    let disproved = Seen::by(high(10.0, 0.0, 60, 0)).reads(&[(10, 11.0), (80, 11.0)]).late(30, 9.0);
    assert_eq!((disproved.spans(), disproved.happened()), (vec![], vec!["raised 10".into(), "retracted 10".into()]));
    let moved = Seen::by(high(10.0, 0.0, 0, 0)).reads(&[(10, 9.0), (30, 11.0)]).late(20, 12.0);
    assert_eq!(moved.spans(), [(20, 20, None, 12.0, 12.0)]);
    assert_eq!(moved.happened(), ["raised 30", "moved to 20"]);
    let merged = Seen::by(high(10.0, 0.0, 0, 20)).reads(&[(10, 11.0), (20, 9.0), (50, 12.0)]).late(35, 10.5);
    assert_eq!(merged.spans(), [(10, 10, None, 11.0, 11.0)]);
    assert_eq!(merged.happened(), ["raised 10", "raised 50", "moved to 10"]);
}

#[test]
fn versions_hand_over_and_rules_do_not() {
    let same = timeline([(0, judge(1, 1, high(10.0, 0.0, 0, 0))), (50, judge(1, 2, high(20.0, 0.0, 0, 0)))]);
    let seen = Seen::of(same).reads(&[(40, 15.0)]).at(55);
    assert_eq!(seen.spans(), [(40, 40, None, 15.0, 15.0)], "a held value is not judged again");
    let seen = seen.reads(&[(60, 15.0)]);
    assert_eq!(seen.spans(), [(40, 40, Some(60), 15.0, 15.0)], "the next reading is, by its own version");
    assert_eq!((seen.rows[0].version, seen.rows[0].limit), (1, 10.0));

    let other = timeline([(0, judge(1, 1, high(10.0, 0.0, 0, 0))), (50, judge(2, 1, high(10.0, 0.0, 0, 0)))]);
    let seen = Seen::of(other).reads(&[(40, 15.0)]);
    assert_eq!(seen.watch.deadline(), Some(s(50)));
    let seen = seen.at(50);
    assert_eq!(seen.spans(), [(40, 40, Some(50), 15.0, 15.0)]);
    assert_eq!(seen.reads(&[(60, 15.0)]).spans()[1], (60, 60, None, 15.0, 15.0));

    let none = timeline([(0, judge(1, 1, high(10.0, 0.0, 60, 0))), (50, None)]);
    assert_eq!(Seen::of(none).reads(&[(10, 15.0)]).at(80).spans(), []);
}

#[test]
fn a_new_staleness_rule_finds_what_is_already_silent() {
    let stale = timeline([(100, judge(1, 1, Condition::Stale { after_ms: 30_000 }))]);
    assert_eq!(Seen::of(stale).reads(&[(10, 1.0)]).at(200).spans(), [(100, 100, None, 90.0, 90.0)]);
}

#[test]
fn what_lies_before_the_horizon_is_forgotten() {
    let mut seen = Seen::by(high(10.0, 0.0, 0, 0)).reads(&[(10, 11.0), (20, 9.0), (30, 12.0), (40, 13.0)]);
    for _ in 0..3 {
        let oldest = seen.buffer.remove(0);
        seen.watch.expire(&oldest);
    }
    assert_eq!(seen.watch.machines[0].said.len(), 1, "only the open one is still held");
    let seen = seen.late(35, 9.5);
    assert_eq!(seen.spans(), [(10, 10, Some(20), 11.0, 11.0), (30, 30, Some(35), 12.0, 12.0), (40, 40, None, 13.0, 13.0)]);
}

#[test]
fn a_rule_that_stops_leaves_the_past_alone() {
    let mut seen = Seen::by(high(10.0, 0.0, 0, 0)).reads(&[(10, 11.0), (20, 9.0), (30, 12.0)]);
    let stopped = timeline([(0, judge(1, 1, high(10.0, 0.0, 0, 0))), (35, None)]);
    let mut changes = AlarmChanges::default();
    seen.watch.reconfigure(vec![stopped], seen.buffer.iter(), s(36), &mut changes);
    let seen = seen.told(changes);
    assert_eq!(seen.spans(), [(10, 10, Some(20), 11.0, 11.0), (30, 30, Some(35), 12.0, 12.0)]);
}

#[test]
fn a_group_that_goes_ends_its_open_alarm_at_the_horizon() {
    let mut seen = Seen::by(high(10.0, 0.0, 0, 0)).reads(&[(10, 11.0), (20, 12.0), (30, 12.0)]);
    let oldest: Vec<Sample> = seen.buffer.drain(..2).collect();
    oldest.iter().for_each(|oldest| seen.watch.expire(oldest));
    let mut changes = AlarmChanges::default();
    seen.watch.reconfigure(Vec::new(), seen.buffer.iter(), s(36), &mut changes);
    let seen = seen.told(changes);
    assert_eq!(seen.spans(), [(10, 10, Some(20), 11.0, 12.0)]);
    assert!(seen.watch.is_idle());
}

struct Plant(OrderTemplate);

impl Places for Plant {
    fn place(&self, _: PointNumber) -> Option<(SiteId, Option<PositionId>)> {
        Some((SiteId(Uuid::nil()), None))
    }

    fn order(&self, rule: RuleId, _: i64) -> Option<&OrderTemplate> {
        (rule.0 == Uuid::from_u128(1)).then_some(&self.0)
    }
}

#[test]
fn commands_raise_move_and_withdraw() {
    let template =
        OrderTemplate { order_type: "corrective".into(), priority: "high".into(), title: "Look".into(), description: String::new() };
    let plant = Plant(template);
    let seen = Seen::by(high(10.0, 0.0, 60, 0)).reads(&[(10, 11.0)]).at(100).reads(&[(50, 9.0)]);
    let asked = |clock: Moment, age: Option<i64>| commands(&seen.events, &plant, clock, age);
    let young = asked(s(101), Some(24 * HOUR));
    assert!(matches!(&young[0].request, Request::RaiseOrder { onset, .. } if *onset == s(10)));
    assert!(
        matches!(&young[1].request, Request::WithdrawAlarm { alarm, .. } if *alarm == Alarm::id_of(RuleId(Uuid::from_u128(1)), POINT, s(10)))
    );
    let old = s(10).plus(24 * HOUR + 1);
    assert_eq!(asked(old, Some(24 * HOUR)).len(), 1, "a cause first seen a day later asks for nothing");
    assert_eq!(asked(old, None).len(), 2, "unless the job says so");
    let other = Seen::of(timeline([(0, judge(2, 1, high(10.0, 0.0, 0, 0)))])).reads(&[(10, 11.0)]);
    assert_eq!(commands(&other.events, &plant, s(11), None), [], "a rule without a template asks for nothing");
}
