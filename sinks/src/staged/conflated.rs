//! Rows of which only the newest counts.

use super::{Merge, number, tick8};
use crate::{copy::Rows, partitions::Partition, span::Span};
use dcmms_schemas::rollup::{Level, Rollup};
use std::collections::BTreeSet;

pub(super) fn stage(span: &Span, stage: &mut impl FnMut(&'static str, Rows, Vec<Merge>)) {
    let merge = Merge::new("merge the latest readings", include_str!("../../queries/latest_merge.sql"));
    stage("copy staged_latest from stdin (format binary)", latest(span), vec![merge]);

    let merges = Level::ALL.into_iter().filter(|level| span.rollups.iter().any(|(_, row)| row.level == *level)).map(rollup_merge);
    stage("copy staged_rollups from stdin (format binary)", rollups(span), merges.collect());

    let merge = Merge::new("merge the scores", include_str!("../../queries/scores_merge.sql"));
    stage("copy staged_scores from stdin (format binary)", scores(span), vec![merge]);

    let merge = Merge::new("merge the scores of minutes", include_str!("../../queries/scores_1m_merge.sql"));
    stage("copy staged_scores_1m from stdin (format binary)", score_minutes(span), vec![merge]);

    let delete = Merge::new("take back anomalies", include_str!("../../queries/anomalies_delete.sql"));
    let insert = Merge::new("merge the anomalies", include_str!("../../queries/anomalies_merge.sql"));
    stage("copy staged_anomalies from stdin (format binary)", anomalies(span), vec![delete, insert]);
}

/// The time partitions that the rows fall into.
pub(super) fn partitions(span: &Span) -> BTreeSet<Partition> {
    let rollups = span.rollups.iter().map(|(_, row)| Partition::of_rollup(row.level, row.start));
    let scores = span.score_minutes.iter().map(|(_, row)| Partition::of_score(row.minute));
    rollups.chain(scores).collect()
}

fn rollup_merge(level: Level) -> Merge {
    match level {
        Level::Minute => Merge::new("merge the roll-ups of 1 m", include_str!("../../queries/rollups_1m_merge.sql")),
        Level::Quarter => Merge::new("merge the roll-ups of 15 m", include_str!("../../queries/rollups_15m_merge.sql")),
        Level::Hour => Merge::new("merge the roll-ups of 1 h", include_str!("../../queries/rollups_1h_merge.sql")),
        Level::Day => Merge::new("merge the roll-ups of 1 d", include_str!("../../queries/rollups_1d_merge.sql")),
    }
}

fn latest(span: &Span) -> Rows {
    let mut rows = Rows::new(5);
    for (tick, row) in &span.latest {
        rows.row().int4(number(row.point)).timestamptz(row.at).float8(row.value).int2(row.quality as i16).int8(tick8(*tick));
    }
    rows
}

fn rollups(span: &Span) -> Rows {
    let mut rows = Rows::new(15);
    for (tick, row) in &span.rollups {
        let Rollup { point, level, start, n, n_uncertain, n_bad, .. } = *row;
        // 2^63 readings do not fit a window.
        rows.row().int2(level as i16).int4(number(point)).timestamptz(start).int8(n as i64).int8(n_uncertain as i64).int8(n_bad as i64);
        if n == 0 {
            for _ in 0..8 {
                rows.null();
            }
        } else {
            rows.float8(row.min).float8(row.max).float8(row.mean).float8(row.stddev);
            rows.float8(row.first).timestamptz(row.first_at).float8(row.last).timestamptz(row.last_at);
        }
        rows.int8(tick8(*tick));
    }
    rows
}

fn scores(span: &Span) -> Rows {
    let mut rows = Rows::new(6);
    for (tick, row) in &span.scores {
        rows.row().int4(number(row.point)).timestamptz(row.at).float8(row.score).float8(row.value).float8(row.expected).int8(tick8(*tick));
    }
    rows
}

fn score_minutes(span: &Span) -> Rows {
    let mut rows = Rows::new(4);
    for (tick, row) in &span.score_minutes {
        rows.row().int4(number(row.point)).timestamptz(row.minute).float8(row.score).int8(tick8(*tick));
    }
    rows
}

fn anomalies(span: &Span) -> Rows {
    let mut rows = Rows::new(7);
    for (tick, row, there) in &span.anomalies {
        rows.row().boolean(*there).int4(number(row.point)).timestamptz(row.at);
        rows.float8(row.score).float8(row.value).float8(row.expected).int8(tick8(*tick));
    }
    rows
}
