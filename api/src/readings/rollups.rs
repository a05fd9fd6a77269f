//! Windows of one point.

use super::Span;
use crate::{extract::Page, problem::Problem};
use chrono::{DateTime, Utc};
use dcmms_schemas::rollup::Level;
use serde::Serialize;
use sqlx::PgPool;
use utoipa::ToSchema;

/// One window. Figures are null when nothing good or uncertain is in it.
#[derive(Debug, Serialize, sqlx::FromRow, ToSchema)]
pub(super) struct RollupView {
    start: DateTime<Utc>,
    /// Readings that count: good and uncertain ones.
    n: i64,
    n_uncertain: i64,
    /// Readings that do not.
    n_bad: i64,
    min: Option<f64>,
    max: Option<f64>,
    mean: Option<f64>,
    /// The population's.
    stddev: Option<f64>,
    first: Option<f64>,
    first_at: Option<DateTime<Utc>>,
    last: Option<f64>,
    last_at: Option<DateTime<Utc>>,
    /// The tick as of which it is so.
    tick: i64,
}

pub(super) async fn read(pool: &PgPool, level: Level, span: Span) -> Result<Page<RollupView>, Problem> {
    let query = match level {
        Level::Minute => include_str!("../../queries/rollups_1m.sql"),
        Level::Quarter => include_str!("../../queries/rollups_15m.sql"),
        Level::Hour => include_str!("../../queries/rollups_1h.sql"),
        Level::Day => include_str!("../../queries/rollups_1d.sql"),
    };
    let rows: Vec<RollupView> =
        sqlx::query_as(query).bind(span.number).bind(span.from).bind(span.to).bind(i64::from(span.limit) + 1).fetch_all(pool).await?;
    Ok(Page::of(rows, span.limit, &span.list, |row| row.start))
}
