mod judge;

use super::{PointsOptions, Watched};
use crate::{
    scores::Tuning,
    testing::{Said, Step, Told, play, point, told},
};
use dcmms_schemas::{
    books::Books,
    domain::{Event, Row},
    id::{PointNumber, RuleId, SiteId},
    outcome::Latest,
    plant::Site,
    reading::{Quality, Reading},
    rollup::{Level, Rollup},
    rule::{Condition, Rule, RuleVersion, Scope, Severity},
    time::{DAY, HOUR, MINUTE, Moment, SECOND},
};
use judge::Judged;
use proptest::prelude::*;
use std::{collections::BTreeMap, sync::Arc};
use uuid::Uuid;

/// 2025-03-29T00:00:00Z: two days on, clocks in Berlin go forward.
const START: Moment = Moment(1_743_206_400_000_000);
const POINTS: u32 = 3;

fn reading(number: u32, at: Moment, value: f64) -> Reading {
    Reading { point: format!("p{number}"), at, value, quality: Quality::Good, seq: None, correction: false }
}

fn site(zone: chrono_tz::Tz) -> Event {
    let id = SiteId(Uuid::from_u128(0x517e));
    let (code, name) = ("S".to_owned(), "Site".to_owned());
    told(1, Row::Site(Site { id, code, name, zone, ac_kw: None, dc_kwp: None, poa_threshold: 50.0 }))
}

fn plant(zone: chrono_tz::Tz) -> Vec<Event> {
    let points = (0..POINTS).map(|number| told(1, Row::Point(point(number, &format!("p{number}")))));
    std::iter::once(site(zone)).chain(points).chain(rules()).collect()
}

/// Above 1 for 10 s, and silent for a minute.
fn rules() -> Vec<Event> {
    let conditions =
        [Condition::High { limit: 1.0, deadband: 0.1, on_delay_ms: 10_000, off_delay_ms: 5_000 }, Condition::Stale { after_ms: 60_000 }];
    let rule = |(number, condition): (usize, Condition)| Rule {
        id: RuleId(Uuid::from_u128(number as u128)),
        name: "rule".to_owned(),
        scope: Scope { kind: Some("ac.power".to_owned()), ..Scope::default() },
        group: condition.group().to_owned(),
        versions: vec![RuleVersion { version: 1, valid_from: Moment(0), enabled: true, severity: Severity::High, condition, order: None }],
    };
    conditions.into_iter().enumerate().map(|condition| told(1, Row::Rule(rule(condition)))).collect()
}

/// Cuts readings into ticks, each a quarter of a second after the last; then lets enough time pass that all is said.
fn steps(zone: chrono_tz::Tz, cuts: Vec<Vec<Told>>) -> Vec<Step> {
    let newest = cuts.iter().flatten().map(|told| told.reading.at).max().unwrap_or(START);
    let mut steps = vec![Step { clock: newest, events: plant(zone), told: vec![] }];
    steps.extend(cuts.into_iter().enumerate().map(|(index, told)| Step {
        clock: newest.plus((index as i64 + 1) * SECOND / 4),
        events: vec![],
        told,
    }));
    steps.push(Step { clock: newest.plus(HOUR), events: vec![], told: vec![] });
    steps
}

fn everything_watched() -> PointsOptions {
    let tuning = Arc::new(Tuning { warm_up: 5, warm_up_us: 0, quiet: 2, limit: 1.0, ..Tuning::STANDARD });
    PointsOptions {
        watched: Arc::new(|_, _| Watched { quarter: true, hour: true }),
        tuned: Arc::new(move |_, _| Some(Arc::clone(&tuning))),
        ..PointsOptions::default()
    }
}

/// The tables as they stand after all ticks up to one.
#[derive(Debug, Default, PartialEq)]
struct Tables {
    latest: BTreeMap<PointNumber, Latest>,
    rollups: BTreeMap<(PointNumber, Level, Moment), Rollup>,
    books: BTreeMap<u16, Books>,
    history: Vec<String>,
    late: i64,
    scores: BTreeMap<PointNumber, String>,
    score_minutes: BTreeMap<(PointNumber, Moment), String>,
    /// Rows that differences leave.
    alarms: BTreeMap<String, i64>,
    anomalies: BTreeMap<String, i64>,
}

fn tables(said: &Said, upto: u64) -> Tables {
    let mut tables = Tables::default();
    for (tick, outcome) in said.outcomes.range(..=upto) {
        let keys: Vec<_> = outcome.rollups.iter().map(|row| (row.point, row.level, row.start)).collect();
        for (index, key) in keys.iter().enumerate() {
            assert!(!keys[..index].contains(key), "a row is said at most once per tick: {key:?} at {tick}");
        }
        tables.latest.extend(outcome.latest.iter().map(|row| (row.point, *row)));
        tables.rollups.extend(outcome.rollups.iter().map(|row| ((row.point, row.level, row.start), *row)));
        outcome.books.iter().for_each(|(source, books)| tables.books.entry(*source).or_default().add(books));
        tables.history.extend(outcome.history.iter().map(|row| format!("{row:?}")));
        tables.late += outcome.late.iter().map(|late| late.readings).sum::<i64>();
        tables.scores.extend(outcome.scores.iter().map(|row| (row.point, format!("{row:?}"))));
        tables.score_minutes.extend(outcome.score_minutes.iter().map(|row| ((row.point, row.minute), format!("{row:?}"))));
        outcome.alarms.iter().for_each(|(row, diff)| *tables.alarms.entry(format!("{row:?}")).or_default() += diff);
        outcome.anomalies.iter().for_each(|(row, diff)| *tables.anomalies.entry(format!("{row:?}")).or_default() += diff);
        assert!(tables.books.values().all(Books::balanced), "the books balance at every tick: {:?}", tables.books);
    }
    tables.history.sort();
    tables.alarms.retain(|_, count| *count != 0);
    tables.anomalies.retain(|_, count| *count != 0);
    assert!(tables.alarms.values().chain(tables.anomalies.values()).all(|count| *count == 1), "differences leave each row once");
    tables
}

/// What differential was told comes to one row per watched window, and to the row that the tables show.
fn watched_agrees(said: &Said, tables: &Tables) {
    let mut counts = BTreeMap::new();
    for (row, _, diff) in &said.watched {
        *counts.entry(*row).or_insert(0) += diff;
    }
    counts.retain(|_, count| *count != 0);
    let wanted: Vec<_> = tables.rollups.values().filter(|row| matches!(row.level, Level::Quarter | Level::Hour)).collect();
    assert_eq!(counts.len(), wanted.len());
    assert!(wanted.into_iter().all(|row| counts.get(&(*row).into()) == Some(&1)));
}

fn same(tables: &Tables, judged: &Judged) {
    assert_eq!(tables.latest, judged.latest);
    assert_eq!(tables.books, judged.books);
    assert_eq!(tables.history, judged.history);
    assert_eq!(tables.late, judged.books.values().map(|books| books.late).sum::<i64>());
    let keys = |rows: &BTreeMap<(PointNumber, Level, Moment), Rollup>| rows.keys().copied().collect::<Vec<_>>();
    assert_eq!(keys(&tables.rollups), keys(&judged.rollups));
    for (row, wanted) in tables.rollups.values().zip(judged.rollups.values()) {
        let exact = |row: &Rollup| (row.n, row.n_uncertain, row.n_bad, row.min, row.max, row.first, row.first_at, row.last, row.last_at);
        assert_eq!(exact(row), exact(wanted), "{row:?}");
        assert!((row.mean - wanted.mean).abs() <= 1e-9 * (1.0 + wanted.mean.abs()), "{row:?} against {wanted:?}");
        assert!((row.stddev - wanted.stddev).abs() <= 1e-6 * (1.0 + wanted.mean.abs()), "{row:?} against {wanted:?}");
    }
}

/// Readings of three points on three sources over `span`: with repeats, rivals of one moment, and bad quality.
fn readings(span: i64, count: usize) -> impl Strategy<Value = Vec<Told>> {
    let quality = prop_oneof![8 => Just(Quality::Good), 1 => Just(Quality::Uncertain), 1 => Just(Quality::Bad)];
    let one = (
        0..POINTS,
        0..3u16,
        0..span / (7 * SECOND),
        -3_000..3_000i64,
        quality,
        proptest::option::weighted(0.2, 0..3u64),
        prop::bool::weighted(0.1),
    );
    let one = one.prop_map(|(number, source, at, value, quality, seq, correction)| Told {
        source,
        reading: Reading { quality, seq, correction, ..reading(number, START.plus(at * 7 * SECOND), value as f64 / 1_000.0) },
    });
    (prop::collection::vec(one, 1..count), any::<prop::sample::Selector>(), 0..10usize).prop_map(|(mut readings, pick, repeats)| {
        let again: Vec<Told> = (0..repeats).map(|_| pick.select(&readings).clone()).collect();
        readings.extend(again);
        readings
    })
}

fn cut(readings: &[Told], size: usize) -> Vec<Vec<Told>> {
    readings.chunks(size).map(<[Told]>::to_vec).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Histories of hours in any order: much is late, windows end, and the answer is the judge's.
    #[test]
    fn streamed_equals_batch(readings in readings(3 * HOUR, 120), size in 1..20usize, workers in 1..=3usize) {
        let cuts = cut(&readings, size);
        let ordered = judge::in_order(&cuts);
        let said = play(workers, &steps(chrono_tz::Asia::Kolkata, cuts), &everything_watched());
        let tables = tables(&said, u64::MAX);
        same(&tables, &judge::judge(&ordered, chrono_tz::Asia::Kolkata));
        watched_agrees(&said, &tables);
    }

    /// Mostly ordered histories over days, as from a plant: the same.
    #[test]
    fn ordered_histories_equal_batch(mut readings in readings(2 * DAY, 200), size in 1..20usize) {
        readings.sort_by_key(|told| told.reading.at.floor(10 * MINUTE));
        let cuts = cut(&readings, size);
        let ordered = judge::in_order(&cuts);
        let said = play(1, &steps(chrono_tz::Europe::Berlin, cuts), &everything_watched());
        let tables = tables(&said, u64::MAX);
        same(&tables, &judge::judge(&ordered, chrono_tz::Europe::Berlin));
        watched_agrees(&said, &tables);
    }

    /// When nothing waits its turn, every tick shows what a batch over all before it says.
    #[test]
    fn every_tick_equals_batch(readings in readings(HOUR, 40), size in 1..8usize) {
        let options = PointsOptions { latest_every: 0, minutes_every: 0, coarse_every: 0, ..everything_watched() };
        let cuts = cut(&readings, size);
        let said = play(2, &steps(chrono_tz::UTC, cuts.clone()), &options);
        for upto in 1..=cuts.len() {
            let ordered = judge::in_order(&cuts[..upto]);
            same(&tables(&said, upto as u64 + 1), &judge::judge(&ordered, chrono_tz::UTC));
        }
    }

    /// Inside the horizon the order of arrival does not show, nor do the cuts into ticks, nor the number of workers.
    #[test]
    fn any_permutation_inside_the_horizon_ends_the_same(
        (readings, shuffled) in readings(15 * MINUTE, 80).prop_flat_map(|readings| (Just(readings.clone()), Just(readings).prop_shuffle())),
        size in 1..20usize, other in 1..20usize, workers in 1..=3usize,
    ) {
        // One source: which of two partitions a repeat is booked on does depend on which came first.
        let on_one = |readings: &[Told]| readings.iter().map(|told| Told { source: 1, ..told.clone() }).collect::<Vec<_>>();
        let straight = play(1, &steps(chrono_tz::UTC, cut(&on_one(&readings), size)), &everything_watched());
        let mixed = play(workers, &steps(chrono_tz::UTC, cut(&on_one(&shuffled), other)), &everything_watched());
        let straight = tables(&straight, u64::MAX);
        prop_assert!(!straight.alarms.is_empty(), "every point falls silent at the end");
        prop_assert_eq!(straight, tables(&mixed, u64::MAX));
    }
}

fn days(zone: chrono_tz::Tz, from: Moment, days: i64) -> Vec<(Moment, u64)> {
    let every_ten_minutes = (0..days * 144).map(|step| Told { source: 0, reading: reading(0, from.plus(step * 10 * MINUTE), step as f64) });
    let said = play(1, &steps(zone, cut(&every_ten_minutes.collect::<Vec<_>>(), 50)), &PointsOptions::default());
    let tables = tables(&said, u64::MAX);
    tables.rollups.values().filter(|row| row.level == Level::Day).map(|row| (row.start, row.n)).collect()
}

#[test]
fn days_have_23_and_25_hours_where_the_zone_says_so() {
    let berlin = chrono_tz::Europe::Berlin;
    // From local midnight of 29 March 2025 on, UTC+1 until the 30th.
    let spring = days(berlin, START.minus(HOUR), 3);
    assert_eq!(spring.iter().map(|(_, n)| n / 6).collect::<Vec<_>>(), [24, 23, 24, 1]);
    assert_eq!(spring[2].0, START.plus(2 * DAY - 2 * HOUR));
    // From local midnight of 25 October 2025 on, UTC+2 until the 26th.
    let autumn = days(berlin, Moment(1_761_343_200_000_000), 4);
    assert_eq!(autumn.iter().map(|(_, n)| n / 6).collect::<Vec<_>>(), [24, 25, 24, 23]);
}

#[test]
fn hours_and_days_of_india_begin_on_the_half_hour() {
    let said = play(
        1,
        &steps(chrono_tz::Asia::Kolkata, vec![vec![Told { source: 0, reading: reading(0, START.plus(45 * MINUTE), 1.0) }]]),
        &PointsOptions::default(),
    );
    let starts: Vec<_> = tables(&said, u64::MAX).rollups.into_keys().map(|(_, level, start)| (level, start)).collect();
    assert_eq!(
        starts,
        [
            (Level::Minute, START.plus(45 * MINUTE)),
            (Level::Quarter, START.plus(45 * MINUTE)),
            (Level::Hour, START.plus(30 * MINUTE)),
            (Level::Day, START.minus(5 * HOUR + 30 * MINUTE)),
        ]
    );
}

#[test]
fn a_jump_of_years_costs_nothing() {
    let told: Vec<Told> =
        [0, 365 * DAY, 20 * 365 * DAY].map(|after| Told { source: 0, reading: reading(0, START.plus(after), 1.0) }).into();
    let said = play(1, &steps(chrono_tz::UTC, vec![told]), &PointsOptions::default());
    assert_eq!(tables(&said, u64::MAX).rollups.len(), 12);
}

#[test]
fn without_dedupe_every_reading_counts() {
    let told: Vec<Told> = [1.0, 1.0, 5.0].map(|value| Told { source: 0, reading: reading(0, START, value) }).into();
    let options = PointsOptions { dedupe: false, ..PointsOptions::default() };
    let tables = tables(&play(1, &steps(chrono_tz::UTC, vec![told]), &options), u64::MAX);
    let minute = &tables.rollups[&(PointNumber(0), Level::Minute, START)];
    assert_eq!((minute.n, minute.first, minute.last, minute.max), (3, 1.0, 5.0, 5.0));
    assert_eq!(tables.latest[&PointNumber(0)].value, 5.0);
}

#[test]
fn a_minute_that_closes_is_said_at_once() {
    let first = Told { source: 0, reading: reading(0, START, 1.0) };
    let second = Told { source: 0, reading: reading(0, START.plus(10 * SECOND), 2.0) };
    let next = Told { source: 0, reading: reading(0, START.plus(MINUTE), 3.0) };
    let said = play(1, &steps(chrono_tz::UTC, vec![vec![first], vec![second], vec![next]]), &PointsOptions::default());
    let minutes = |tick| {
        said.outcomes[&tick].rollups.iter().filter(|row| row.level == Level::Minute).map(|row| (row.start, row.n)).collect::<Vec<_>>()
    };
    assert!(minutes(4).contains(&(START, 2)), "the tick of the reading that closes it");
}
