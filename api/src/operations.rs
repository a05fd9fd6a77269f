//! How the engine is doing: its jobs and the books of its input.

use crate::{
    gate::{Gate, Principal},
    problem::Problem,
    routes::Routes,
    service::Shared,
};
use axum::{Json, extract::State};
use chrono::{DateTime, Utc};
use dcmms_schemas::access::Feature::F17;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::routes;

pub(crate) fn routes() -> Routes {
    Routes::new().on(Gate::read(F17), routes!(jobs)).on(Gate::read(F17), routes!(books))
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
