//! How the engine is doing: its jobs, the books of their input, what came too late, and stopping a job.

mod job;
mod late;

pub use job::{JobDetail, detail, graph, stop};
pub use late::{LateQuery, LateView, late};

use crate::{
    gate::{Gate, Principal},
    problem::Problem,
    routes::Routes,
    service::Shared,
};
use axum::{Json, extract::State};
use chrono::{DateTime, Utc};
use dcmms_schemas::access::Feature::{F17, F18};
use serde::Serialize;
use sqlx::PgPool;
use utoipa::ToSchema;
use utoipa_axum::routes;

pub(crate) fn routes() -> Routes {
    let lists =
        Routes::new().on(Gate::read(F17), routes!(jobs)).on(Gate::read(F17), routes!(books)).on(Gate::read(F17), routes!(late::list));
    let one = Routes::new()
        .on(Gate::read(F17), routes!(job::one))
        .on(Gate::read(F17), routes!(job::its_books))
        .on(Gate::read(F17), routes!(job::its_graph))
        .on(Gate::create(F18).full(), routes!(job::ask_to_stop));
    lists.merge(one)
}

/// Everything of a kind; there are few.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct All<T> {
    pub(crate) data: Vec<T>,
}

#[derive(Debug, Serialize, sqlx::FromRow, ToSchema)]
pub struct JobView {
    #[schema(example = "main")]
    pub job: String,
    /// `created`, `running`, `stopped` or `failed`. A job that was asked to stop says so below.
    pub state: String,
    pub failure: Option<String>,
    /// Grows with every start; an older one is fenced off.
    pub generation: i64,
    /// Everything learned up to this tick is in the tables.
    pub durable_tick: i64,
    /// The clock of that tick.
    pub durable_clock: Option<DateTime<Utc>>,
    /// The event time up to which the least advanced partition that is not idle is complete.
    pub watermark: Option<DateTime<Utc>>,
    /// Seconds since that clock: how old the answers are.
    pub lag_s: Option<f64>,
    /// Readings up to this tick are in sealed files.
    pub history_tick: i64,
    pub workers: Option<i32>,
    pub started_at: Option<DateTime<Utc>>,
    pub updated_at: DateTime<Utc>,
    /// Who asked this generation to stop; null: nobody.
    pub stop_requested_by: Option<String>,
    pub stop_requested_at: Option<DateTime<Utc>>,
    /// Whether it was to read on to the end of its topics first.
    pub stop_drains: Option<bool>,
}

/// Jobs, or one.
pub(crate) async fn list(pool: &PgPool, job: Option<&str>) -> Result<Vec<JobView>, sqlx::Error> {
    sqlx::query_as(include_str!("../queries/jobs_list.sql")).bind(job).fetch_all(pool).await
}

/// Lists jobs with how far they are.
#[utoipa::path(get, path = "/jobs", tag = "operations", responses((status = 200, body = All<JobView>)))]
async fn jobs(State(service): State<Shared>, _: Principal) -> Result<Json<All<JobView>>, Problem> {
    Ok(Json(All { data: list(&service.pool, None).await? }))
}

#[derive(Debug, Serialize, sqlx::FromRow, ToSchema)]
pub(crate) struct BooksView {
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
    /// The last tick that changed them.
    tick: i64,
    /// The tick as of which they are true.
    durable_tick: i64,
}

async fn books_of(pool: &PgPool, job: Option<&str>) -> Result<Vec<BooksView>, sqlx::Error> {
    sqlx::query_as(include_str!("../queries/books_list.sql")).bind(job).fetch_all(pool).await
}

/// Shows the books of every input partition: nothing vanishes.
#[utoipa::path(get, path = "/books", tag = "operations", responses((status = 200, body = All<BooksView>)))]
async fn books(State(service): State<Shared>, _: Principal) -> Result<Json<All<BooksView>>, Problem> {
    Ok(Json(All { data: books_of(&service.pool, None).await? }))
}
