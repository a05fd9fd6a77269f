//! Random histories in which everything that an operator can hold comes and goes.

use crate::testing::{Step, Told, told};
use dcmms_schemas::{
    calendar::{Calendar, Opening},
    domain::{Event, Row},
    id::{CalendarId, ModelId, OrderId, PointNumber, PolicyId, PositionId, RuleId, SiteId},
    model::{FeatureOf, FeatureSpec, Model},
    order::OrderFacts,
    plant::{Point, Position, Site},
    reading::{Quality, Reading},
    rule::{Condition, OrderTemplate, Rule, RuleVersion, Scope, Severity},
    sla::{Metric, Policy, Target},
    time::{MINUTE, Moment, SECOND},
};
use proptest::prelude::*;
use uuid::Uuid;

/// 2025-03-31T21:00:00Z: the month ends in Kolkata before it ends in UTC.
const START: Moment = Moment(1_743_454_800_000_000);
const POINTS: u32 = 5;
const SITE: SiteId = SiteId(Uuid::from_u128(0x517e));

/// What happens at one tick.
#[derive(Clone, Debug)]
pub(super) struct Deed {
    minutes: i64,
    readings: Vec<Told>,
    change: Option<Change>,
}

#[derive(Clone, Copy, Debug)]
enum Change {
    Limit(u8),
    NoRule,
    PointGoes(u32),
    PointComes(u32, bool),
    Class(bool),
    Model(u8),
    Policy(u8),
    Calendar(u32),
    Order(u8, OrderChange),
}

#[derive(Clone, Copy, Debug)]
enum OrderChange {
    Opens,
    Starts,
    Ends,
    Goes,
}

/// So many ticks, some minutes apart, each with some readings: most new, some late, some repeated or corrected.
pub(super) fn deeds(ticks: std::ops::Range<usize>) -> impl Strategy<Value = Vec<Deed>> {
    let quality = prop_oneof![8 => Just(Quality::Good), 1 => Just(Quality::Uncertain), 1 => Just(Quality::Bad)];
    let seq = prop_oneof![3 => Just(None), 1 => (0..4u64).prop_map(Some)];
    let behind = prop_oneof![6 => -90..90i64, 2 => 0..900i64, 1 => 900..3_000i64];
    let reading = (0..POINTS + 1, 0..3u16, behind, -3..9i32, quality, seq, any::<bool>());
    let reading = reading.prop_map(|(number, source, behind_s, value, quality, seq, correction)| Told {
        source,
        reading: Reading {
            point: format!("p{number}"),
            // A tenth of a minute, so that some share their moment. Seconds behind the tick's clock until `steps` knows it.
            at: Moment(behind_s / 6 * 6 * SECOND),
            value: f64::from(value) * 0.37,
            quality,
            seq,
            correction: correction && seq.is_some(),
        },
    });
    let order = prop_oneof![Just(OrderChange::Opens), Just(OrderChange::Starts), Just(OrderChange::Ends), Just(OrderChange::Goes)];
    let change = prop_oneof![
        2 => (0..4u8).prop_map(Change::Limit),
        1 => Just(Change::NoRule),
        1 => (0..POINTS).prop_map(Change::PointGoes),
        2 => (0..POINTS, any::<bool>()).prop_map(|(number, wide)| Change::PointComes(number, wide)),
        1 => any::<bool>().prop_map(Change::Class),
        1 => (0..3u8).prop_map(Change::Model),
        1 => (0..3u8).prop_map(Change::Policy),
        1 => (8..20u32).prop_map(Change::Calendar),
        3 => (0..3u8, order).prop_map(|(order, change)| Change::Order(order, change)),
    ];
    let deed = (0..16i64, prop::collection::vec(reading, 0..7), prop::option::weighted(0.4, change));
    let deed = deed.prop_map(|(minutes, readings, change)| Deed { minutes, readings, change });
    prop::collection::vec(deed, ticks)
}

/// The first tick tells the plant; each deed is one more.
pub(super) fn steps(deeds: &[Deed]) -> Vec<Step> {
    let mut clock = START;
    let mut versions = Vec::new();
    let mut steps = vec![Step { clock, events: plant(), told: vec![] }];
    for (index, deed) in deeds.iter().enumerate() {
        clock = clock.plus(deed.minutes * MINUTE + 1);
        let at = |told: &Told| {
            let mut told = told.clone();
            told.reading.at = clock.floor(SECOND).minus(told.reading.at.0).max(Moment(0));
            told
        };
        let version = index as i64 + 2;
        let events = deed.change.map(|change| event(change, version, clock, &mut versions)).into_iter().collect();
        steps.push(Step { clock, events, told: deed.readings.iter().map(at).collect() });
    }
    steps
}

fn plant() -> Vec<Event> {
    let (code, name) = ("S".to_owned(), "Site".to_owned());
    let zone = chrono_tz::Asia::Kolkata;
    let mut rows = vec![Row::Site(Site { id: SITE, code, name, zone, ac_kw: Some(10.0), dc_kwp: Some(12.0), poa_threshold: 1.0 })];
    rows.extend([position(0, true), position(1, true)].map(Row::Position));
    rows.extend((0..POINTS).map(|number| Row::Point(point(number, false))));
    rows.push(Row::Calendar(calendar(17)));
    rows.push(Row::Policy(policy(0, 1)));
    rows.push(Row::Model(model(0, 1)));
    let stale = Condition::Stale { after_ms: 600_000 };
    rows.push(Row::Rule(rule(2, vec![version(1, Moment(0), stale)])));
    rows.into_iter().map(|row| told(1, row)).collect()
}

fn event(change: Change, at_version: i64, clock: Moment, versions: &mut Vec<RuleVersion>) -> Event {
    let here = |row| Event { version: at_version, at: clock, removed: false, row };
    let gone = |row| Event { version: at_version, at: clock, removed: true, row };
    match change {
        Change::Limit(limit) => {
            let on_delay_ms = if limit % 2 == 0 { 0 } else { 120_000 };
            let high = Condition::High { limit: f64::from(limit) * 0.5, deadband: 0.2, on_delay_ms, off_delay_ms: 60_000 };
            versions.push(version(at_version, clock.minus(i64::from(limit) * 3 * MINUTE), high));
            here(Row::Rule(rule(1, versions.clone())))
        }
        Change::NoRule => gone(Row::Rule(rule(1, versions.clone()))),
        Change::PointGoes(number) => gone(Row::Point(point(number, false))),
        Change::PointComes(number, wide) => here(Row::Point(point(number, wide))),
        Change::Class(inverter) => here(Row::Position(position(1, inverter))),
        Change::Model(bias) => here(Row::Model(model(bias, at_version))),
        Change::Policy(rank) => here(Row::Policy(policy(rank, at_version))),
        Change::Calendar(until) => here(Row::Calendar(calendar(until))),
        Change::Order(number, change) => {
            let facts = order(number, change, clock);
            if matches!(change, OrderChange::Goes) { gone(facts) } else { here(facts) }
        }
    }
}

fn position(number: u128, inverter: bool) -> Position {
    Position {
        id: PositionId(Uuid::from_u128(100 + number)),
        site: SITE,
        parent: None,
        code: format!("P{number}"),
        name: "position".to_owned(),
        class: if inverter { "inverter" } else { "pump" }.to_owned(),
        rated_kw: None,
    }
}

/// Two powers and a register on two positions, an irradiance and a temperature of the site.
fn point(number: u32, wide: bool) -> Point {
    let (kind, position) = match number {
        0 => ("ac.power", Some(100)),
        1 => ("ac.power", Some(101)),
        2 => ("ac.energy_export", Some(101)),
        3 => ("met.poa", None),
        _ => ("temperature", Some(100)),
    };
    Point {
        position: position.map(|id| PositionId(Uuid::from_u128(id))),
        kind: kind.to_owned(),
        counter: number == 2,
        resolution: if wide { 0.01 } else { 0.001 },
        horizon_ms: if wide { 1_800_000 } else { Point::HORIZON_MS_DEFAULT },
        number: PointNumber(number),
        ..crate::testing::point(number, &format!("p{number}"))
    }
}

fn rule(id: u128, versions: Vec<RuleVersion>) -> Rule {
    let scope = Scope { site: Some(SITE), ..Scope::default() };
    let group = if id == 1 { "high" } else { "stale" }.to_owned();
    Rule { id: RuleId(Uuid::from_u128(id)), name: "rule".to_owned(), scope, group, versions }
}

fn version(version: i64, valid_from: Moment, condition: Condition) -> RuleVersion {
    let order = OrderTemplate {
        order_type: "corrective".to_owned(),
        priority: "high".to_owned(),
        title: "look".to_owned(),
        description: String::new(),
    };
    RuleVersion { version, valid_from, enabled: version % 5 != 0, severity: Severity::High, condition, order: Some(order) }
}

fn model(bias: u8, version: i64) -> Model {
    let feature = |kind: &str, of| FeatureSpec { name: format!("{kind}.{of:?}"), kind: kind.to_owned(), of };
    let features = vec![
        feature("ac.power", FeatureOf::Mean),
        feature("ac.power", FeatureOf::PeerDifference),
        feature("temperature", FeatureOf::DayDifference),
    ];
    Model {
        id: ModelId(Uuid::from_u128(9)),
        version,
        name: "model".to_owned(),
        class: "inverter".to_owned(),
        means: vec![0.5; features.len()],
        scales: vec![1.0; features.len()],
        coefficients: vec![1.0, -0.5, 0.7],
        features,
        intercept: f64::from(bias) - 1.0,
        threshold: 0.4,
        hours: 1 + u32::from(bias % 2),
        horizon_hours: 24,
        failure: "fan".to_owned(),
        valid_from: Moment(0),
    }
}

fn calendar(until: u32) -> Calendar {
    let time = |hour: u32| chrono::NaiveTime::from_hms_opt(hour, 0, 0).expect("a time of day");
    Calendar {
        id: CalendarId(Uuid::from_u128(11)),
        name: "days".to_owned(),
        zone: chrono_tz::Asia::Kolkata,
        openings: (1..=7).map(|weekday| Opening { weekday, from: time(2), to: time(until) }).collect(),
        holidays: vec![],
    }
}

fn policy(rank: u8, version: i64) -> Policy {
    let target = |metric, minutes| Target { metric, minutes, pause_reasons: vec![], warn_percent: vec![50, 80] };
    Policy {
        id: PolicyId(Uuid::from_u128(12)),
        version,
        name: "policy".to_owned(),
        rank: i32::from(rank),
        calendar: CalendarId(Uuid::from_u128(11)),
        order_types: vec![],
        priorities: vec![],
        sites: vec![],
        targets: vec![target(Metric::Respond, 20), target(Metric::Resolve, 60 + 30 * i64::from(rank))],
        valid_from: Moment(0),
    }
}

fn order(number: u8, change: OrderChange, clock: Moment) -> Row {
    let began = !matches!(change, OrderChange::Opens);
    Row::Order(OrderFacts {
        id: OrderId(Uuid::from_u128(20 + u128::from(number))),
        number: format!("W{number}"),
        site: SITE,
        position: None,
        order_type: "corrective".to_owned(),
        priority: "high".to_owned(),
        status: "open".to_owned(),
        onset: clock.minus(30 * MINUTE),
        started: began.then_some(clock),
        resolved: matches!(change, OrderChange::Ends).then_some(clock),
        cancelled: false,
        holds: vec![],
    })
}
