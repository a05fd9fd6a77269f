//! How the engine is doing: its jobs, the books of its input, and what it refused.

use crate::{
    extract::{Page, Query, commas, cursor, limit},
    gate::{Gate, Principal},
    problem::Problem,
    routes::Routes,
    service::Shared,
};
use axum::{Json, extract::State};
use chrono::{DateTime, Utc};
use dcmms_schemas::access::Feature::F17;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

pub(crate) fn routes() -> Routes {
    Routes::new().on(Gate::read(F17), routes!(jobs)).on(Gate::read(F17), routes!(books)).on(Gate::read(F17), routes!(rejects))
}

/// Everything of a kind; there are few.
#[derive(Debug, Serialize, ToSchema)]
struct All<T> {
    data: Vec<T>,
}

#[derive(Debug, Serialize, sqlx::FromRow, ToSchema)]
struct JobView {
    #[schema(example = "main")]
    job: String,
    /// `created`, `running`, `stopped` or `failed`.
    state: String,
    failure: Option<String>,
    /// Grows with every start; an older one is fenced off.
    generation: i64,
    /// Everything learned up to this tick is in the tables.
    durable_tick: i64,
    /// The clock of that tick.
    durable_clock: Option<DateTime<Utc>>,
    /// The event time up to which the least advanced partition that is not idle is complete.
    watermark: Option<DateTime<Utc>>,
    /// Seconds since that clock: how old the answers are.
    lag_s: Option<f64>,
    /// Readings up to this tick are in sealed files.
    history_tick: i64,
    workers: Option<i32>,
    started_at: Option<DateTime<Utc>>,
    updated_at: DateTime<Utc>,
}

/// Lists jobs with how far they are.
#[utoipa::path(get, path = "/jobs", tag = "operations", responses((status = 200, body = All<JobView>)))]
async fn jobs(State(service): State<Shared>, _: Principal) -> Result<Json<All<JobView>>, Problem> {
    let data = sqlx::query_as(include_str!("../queries/jobs_list.sql")).fetch_all(&service.pool).await?;
    Ok(Json(All { data }))
}

#[derive(Debug, Serialize, sqlx::FromRow, ToSchema)]
struct BooksView {
    job: String,
    topic: Option<String>,
    partition: Option<i32>,
    messages: i64,
    decoded: i64,
    unreadable: i64,
    readings: i64,
    accepted: i64,
    duplicates: i64,
    superseded: i64,
    late: i64,
    rejected: i64,
    /// messages = decoded + unreadable, and readings = accepted + duplicates + superseded + late + rejected.
    balanced: bool,
    tick: i64,
}

/// Shows the books of every input partition: nothing vanishes.
#[utoipa::path(get, path = "/books", tag = "operations", responses((status = 200, body = All<BooksView>)))]
async fn books(State(service): State<Shared>, _: Principal) -> Result<Json<All<BooksView>>, Problem> {
    let data = sqlx::query_as(include_str!("../queries/books_list.sql")).fetch_all(&service.pool).await?;
    Ok(Json(All { data }))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct RejectsQuery {
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
struct RejectsView {
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
async fn rejects(
    State(service): State<Shared>,
    _: Principal,
    Query(query): Query<RejectsQuery>,
) -> Result<Json<Page<RejectsView>>, Problem> {
    let limit = limit(query.limit)?;
    let after: Option<(DateTime<Utc>, String, i32, String)> = cursor(query.cursor.as_deref(), "rejects")?;
    let rows: Vec<RejectsView> = sqlx::query_as(include_str!("../queries/rejects_list.sql"))
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
