//! Counts of what was refused, by hour and by reason.

use crate::{
    extract::{Page, Query, commas, cursor, limit},
    gate::Principal,
    problem::Problem,
    service::Shared,
};
use axum::{Json, extract::State};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::PgPool;
use utoipa::{IntoParams, ToSchema};

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct RejectsQuery {
    /// Reasons, comma-separated: unreadable, bad_field, non_finite, bad_time, future, out_of_resolution, unknown_point.
    #[serde(rename = "filter[reason]")]
    #[param(rename = "filter[reason]")]
    reason: Option<String>,
    /// A partition of the topic of readings.
    #[serde(rename = "filter[partition]")]
    #[param(rename = "filter[partition]")]
    partition: Option<i32>,
    from: Option<DateTime<Utc>>,
    to: Option<DateTime<Utc>>,
    limit: Option<u16>,
    cursor: Option<String>,
}

/// What was refused in one hour of the clock, for one reason, of one partition.
#[derive(Debug, Serialize, sqlx::FromRow, ToSchema)]
pub(super) struct RejectsView {
    job: String,
    #[serde(skip)]
    source: i32,
    topic: Option<String>,
    partition: Option<i32>,
    reason: String,
    hour: DateTime<Utc>,
    n: i64,
    first_offset: i64,
    last_offset: i64,
    /// The file that has the bytes, below the data directory.
    file: String,
    /// What was wrong with the newest one.
    detail: String,
    tick: i64,
}

/// Lists what was refused, newest hours first.
#[utoipa::path(get, path = "/rejects", tag = "operations", params(RejectsQuery), responses((status = 200, body = Page<RejectsView>), (status = 400, body = Problem)))]
pub(super) async fn rejects(
    State(service): State<Shared>,
    _: Principal,
    Query(query): Query<RejectsQuery>,
) -> Result<Json<Page<RejectsView>>, Problem> {
    let limit = limit(query.limit)?;
    let after: Option<(DateTime<Utc>, String, i32, String)> = cursor(query.cursor.as_deref(), "rejects")?;
    let rows: Vec<RejectsView> = sqlx::query_as(include_str!("../../queries/rejects_list.sql"))
        .bind(commas(query.reason.as_deref()))
        .bind(query.partition)
        .bind(query.from)
        .bind(query.to)
        .bind(after.as_ref().map(|after| after.0))
        .bind(after.as_ref().map(|after| after.1.clone()))
        .bind(after.as_ref().map(|after| after.2))
        .bind(after.map(|after| after.3))
        .bind(i64::from(limit) + 1)
        .fetch_all(&service.pool)
        .await?;
    Ok(Json(Page::of(rows, limit, "rejects", |row| (row.hour, row.job.clone(), row.source, row.reason.clone()))))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ReasonsQuery {
    /// Reasons, comma-separated.
    #[serde(rename = "filter[reason]")]
    #[param(rename = "filter[reason]")]
    reason: Option<String>,
    #[serde(rename = "filter[job]")]
    #[param(rename = "filter[job]")]
    job: Option<String>,
}

/// All that was ever refused of one partition for one reason.
#[derive(Debug, Serialize, sqlx::FromRow, ToSchema)]
pub struct ReasonView {
    #[schema(example = "unknown_point")]
    pub reason: String,
    pub job: String,
    pub topic: Option<String>,
    pub partition: Option<i32>,
    pub n: i64,
    pub first_offset: i64,
    pub last_offset: i64,
    /// The hours of the clock in which the first and the last one came.
    pub first_hour: DateTime<Utc>,
    pub last_hour: DateTime<Utc>,
    /// What was wrong with the newest one.
    pub detail: String,
}

/// Everything of a kind; reasons and partitions are few.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct All<T> {
    data: Vec<T>,
}

/// Adds up what was refused, by reason and partition.
#[utoipa::path(get, path = "/rejects/reasons", tag = "operations", params(ReasonsQuery),
    responses((status = 200, body = All<ReasonView>), (status = 422, body = Problem)))]
pub(super) async fn by_reason(
    State(service): State<Shared>,
    _: Principal,
    Query(query): Query<ReasonsQuery>,
) -> Result<Json<All<ReasonView>>, Problem> {
    let asked = commas(query.reason.as_deref());
    super::known(asked.as_deref().unwrap_or_default(), "filter[reason]")?;
    Ok(Json(All { data: reasons(&service.pool, asked.as_deref(), query.job.as_deref()).await? }))
}

/// What was refused, by reason and partition.
pub async fn reasons(pool: &PgPool, reasons: Option<&[String]>, job: Option<&str>) -> Result<Vec<ReasonView>, sqlx::Error> {
    sqlx::query_as(include_str!("../../queries/rejects_reasons.sql")).bind(reasons).bind(job).fetch_all(pool).await
}
