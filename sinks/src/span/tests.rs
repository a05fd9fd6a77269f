use super::*;
use dcmms_schemas::{
    id::{AlarmId, PointNumber, RuleId},
    reading::Quality,
    rule::Severity,
};
use uuid::Uuid;

fn tick(tick: Tick, outcome: Outcome) -> TickRows {
    TickRows { tick, clock: Moment(tick as i64), outcome }
}

fn latest(point: u32, value: f64) -> Latest {
    Latest { point: PointNumber(point), at: Moment(0), value, quality: Quality::Good }
}

fn alarm(id: u128, peak: f64) -> Alarm {
    Alarm {
        id: AlarmId(Uuid::from_u128(id)),
        rule: RuleId(Uuid::nil()),
        version: 1,
        point: PointNumber(1),
        severity: Severity::Low,
        onset: Moment(0),
        raised: Moment(0),
        cleared: None,
        value: 0.0,
        peak,
        limit: 0.0,
    }
}

/// The ends as (tick, peak), the beginnings as (from, upto, peak), and how many ends must find a row.
type Told = (Vec<(Tick, f64)>, Vec<(Tick, Option<Tick>, f64)>, u64);

fn alarms(ticks: Vec<(Tick, Vec<(Alarm, Diff)>)>) -> Told {
    let ticks = ticks.into_iter().map(|(at, alarms)| tick(at, Outcome { alarms, ..Outcome::default() }));
    let versions = Span::of(ticks.collect()).alarms;
    let ends = versions.ends.into_iter().map(|(tick, row)| (tick, row.peak)).collect();
    let begins = versions.begins.into_iter().map(|(from, upto, row)| (from, upto, row.peak)).collect();
    (ends, begins, versions.retracted)
}

#[test]
fn the_last_of_a_key_counts_and_rows_are_in_the_order_of_the_index() {
    let first = Outcome { latest: vec![latest(9, 1.0), latest(2, 2.0)], ..Outcome::default() };
    let second = Outcome { latest: vec![latest(5, 3.0), latest(9, 4.0)], ..Outcome::default() };
    let span = Span::of(vec![tick(7, first), tick(8, second)]);
    let rows: Vec<(Tick, u32, f64)> = span.latest.iter().map(|(tick, row)| (*tick, row.point.0, row.value)).collect();
    assert_eq!(rows, [(7, 2, 2.0), (8, 5, 3.0), (8, 9, 4.0)]);
    assert_eq!((span.from, span.upto, span.clock), (7, 8, Moment(8)));
}

#[test]
fn what_is_said_and_taken_back_at_one_tick_vanishes() {
    let told = alarms(vec![(3, vec![(alarm(1, 1.0), 1), (alarm(1, 1.0), -1)])]);
    assert_eq!(told, (vec![], vec![], 0));
}

#[test]
fn a_new_row_ends_the_one_before_it_at_its_own_tick() {
    let told = alarms(vec![(3, vec![(alarm(1, 1.0), -1), (alarm(1, 2.0), 1)])]);
    assert_eq!(told, (vec![(3, 2.0)], vec![(3, None, 2.0)], 1));
}

#[test]
fn a_row_that_came_and_went_within_the_span_can_still_be_asked_for() {
    let told = alarms(vec![
        (3, vec![(alarm(1, 1.0), 1)]),
        (4, vec![]),
        (5, vec![(alarm(1, 2.0), 1), (alarm(1, 1.0), -1)]),
        (6, vec![(alarm(1, 2.0), -1)]),
    ]);
    assert_eq!(told, (vec![(3, 1.0)], vec![(3, Some(5), 1.0), (5, Some(6), 2.0)], 0));
}

#[test]
fn a_row_taken_back_and_said_again_later_leaves_a_gap() {
    let told = alarms(vec![(3, vec![(alarm(1, 1.0), -1)]), (5, vec![(alarm(1, 1.0), 1)])]);
    assert_eq!(told, (vec![(3, 1.0)], vec![(5, None, 1.0)], 1));
}
