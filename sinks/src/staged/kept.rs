//! Rows that keep their past: a row is true from `from_tick` until before `upto_tick`. A staged row without `from_tick` ends the current
//! row of its key.

use super::{Merge, number, tick8};
use crate::{
    copy::Rows,
    span::{Span, Versions},
};
use dcmms_schemas::{alarm::Alarm, compliance::Figure, prediction::Prediction, sla::Clock, time::Tick};

pub(super) fn stage(span: &Span, stage: &mut impl FnMut(&'static str, Rows, Vec<Merge>)) {
    let alarms = merges(&span.alarms, ALARMS);
    stage("copy staged_alarms from stdin (format binary)", encode(&span.alarms, 13, alarm), alarms);

    let predictions = merges(&span.predictions, PREDICTIONS);
    stage("copy staged_predictions from stdin (format binary)", encode(&span.predictions, 12, prediction), predictions);

    let clocks = merges(&span.clocks, CLOCKS);
    stage("copy staged_sla_clocks from stdin (format binary)", encode(&span.clocks, 14, clock), clocks);

    let figures = merges(&span.figures, FIGURES);
    stage("copy staged_compliance from stdin (format binary)", encode(&span.figures, 12, figure), figures);
}

/// What we do and the statement: to end rows, to begin rows.
type Statements = [(&'static str, &'static str); 2];

const ALARMS: Statements = [
    ("end rows of alarms", include_str!("../../queries/alarms_end.sql")),
    ("begin rows of alarms", include_str!("../../queries/alarms_begin.sql")),
];
const PREDICTIONS: Statements = [
    ("end rows of predictions", include_str!("../../queries/predictions_end.sql")),
    ("begin rows of predictions", include_str!("../../queries/predictions_begin.sql")),
];
const CLOCKS: Statements = [
    ("end rows of SLA clocks", include_str!("../../queries/sla_clocks_end.sql")),
    ("begin rows of SLA clocks", include_str!("../../queries/sla_clocks_begin.sql")),
];
const FIGURES: Statements = [
    ("end rows of compliance", include_str!("../../queries/compliance_end.sql")),
    ("begin rows of compliance", include_str!("../../queries/compliance_begin.sql")),
];

fn merges<T>(versions: &Versions<T>, [end, begin]: Statements) -> Vec<Merge> {
    let ends = Merge { expected: Some(versions.retracted), ..Merge::new(end.0, end.1) };
    let begins = Merge { expected: Some(versions.begins.len() as u64), ..Merge::new(begin.0, begin.1) };
    vec![ends, begins]
}

fn encode<T>(versions: &Versions<T>, columns: i16, write: fn(&mut Rows, Option<Tick>, Option<Tick>, &T)) -> Rows {
    let mut rows = Rows::new(columns);
    for (tick, row) in &versions.ends {
        write(rows.row(), None, Some(*tick), row);
    }
    for (from, upto, row) in &versions.begins {
        write(rows.row(), Some(*from), *upto, row);
    }
    rows
}

fn ticks(rows: &mut Rows, from: Option<Tick>, upto: Option<Tick>) -> &mut Rows {
    rows.maybe(from.map(tick8), Rows::int8).maybe(upto.map(tick8), Rows::int8)
}

fn alarm(rows: &mut Rows, from: Option<Tick>, upto: Option<Tick>, row: &Alarm) {
    rows.uuid(row.id.0);
    ticks(rows, from, upto).uuid(row.rule.0).int8(row.version).int4(number(row.point)).text(row.severity.name());
    rows.timestamptz(row.onset).timestamptz(row.raised).maybe(row.cleared, Rows::timestamptz);
    rows.float8(row.value).float8(row.peak).float8(row.limit);
}

fn prediction(rows: &mut Rows, from: Option<Tick>, upto: Option<Tick>, row: &Prediction) {
    rows.uuid(row.id.0);
    ticks(rows, from, upto).uuid(row.model.0).int8(row.version).uuid(row.site.0).uuid(row.position.0);
    rows.timestamptz(row.window).float8(row.probability).float8(row.threshold).json(&row.contributions).boolean(row.proposes);
}

fn clock(rows: &mut Rows, from: Option<Tick>, upto: Option<Tick>, row: &Clock) {
    rows.uuid(row.order.0).text(row.metric.name());
    ticks(rows, from, upto).uuid(row.policy.0).int8(row.policy_version).text(row.state.name());
    rows.timestamptz(row.started).maybe(row.stopped, Rows::timestamptz).maybe(row.due, Rows::timestamptz);
    rows.int8(row.target_s).int8(row.elapsed_s).maybe(row.warned_percent.map(i16::from), Rows::int2).json(&row.explanation);
}

fn figure(rows: &mut Rows, from: Option<Tick>, upto: Option<Tick>, row: &Figure) {
    rows.uuid(row.site.0).date(row.month).text(&row.metric);
    ticks(rows, from, upto).maybe(row.value, Rows::float8).float8(row.numerator).float8(row.denominator);
    rows.text(&row.unit).text(&row.basis).maybe(row.reason.as_deref(), Rows::text).timestamptz(row.through);
}
