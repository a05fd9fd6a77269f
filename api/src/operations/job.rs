//! One job: what it says of itself, its graph, and stopping it.

use super::{All, BooksView, JobView};
use crate::{
    extract::{At, Json, Query},
    gate::Principal,
    problem::Problem,
    service::Shared,
    work::Work,
};
use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use chrono::{DateTime, TimeDelta, Utc};
use dcmms_schemas::job::{Graph, Report};
use serde::{Deserialize, Serialize};
use sqlx::{PgConnection, PgPool, types::Json as Column};
use utoipa::{IntoParams, ToSchema};

/// A report that is older than this is missed; `job_report.sql` says the same.
const SILENT_AFTER: TimeDelta = TimeDelta::seconds(15);

/// A job in full. What it says of itself is null until it has reported.
#[derive(Debug, Serialize, ToSchema)]
pub struct JobDetail {
    #[serde(flatten)]
    pub job: JobView,
    /// When it last reported.
    pub heard_at: Option<DateTime<Utc>>,
    /// It should report every two seconds and has not for fifteen: killed, cut off, or stopped.
    pub silent: bool,
    pub uptime_s: Option<f64>,
    /// Of the process that the job runs in.
    pub memory_bytes: Option<u64>,
    /// The newest tick with a durable binding; those after `durable_tick` are under way.
    pub bound_tick: Option<u64>,
    pub partitions: Vec<PartitionView>,
    pub operators: Vec<OperatorView>,
}

/// How far an input partition is.
#[derive(Debug, Serialize, ToSchema)]
pub struct PartitionView {
    pub topic: String,
    pub partition: i32,
    /// The offset after the last one that a tick covers.
    pub upto: i64,
    /// Fetched, and waiting for a tick.
    pub queued: i64,
    /// Where the broker says it ends.
    pub high: Option<i64>,
    /// Messages that no tick covers.
    pub lag: Option<i64>,
    /// For how long there have been such.
    pub lag_s: Option<f64>,
    pub watermark: Option<DateTime<Utc>>,
    /// Caught up and quiet, so that it does not hold back the others.
    pub idle: bool,
}

/// An operator, all workers added up.
#[derive(Debug, Serialize, ToSchema)]
pub struct OperatorView {
    #[schema(example = "0.4")]
    pub id: String,
    #[schema(example = "Points")]
    pub name: String,
    /// What channels carried in and out since the start; a record may be a chunk of many readings.
    pub records_in: u64,
    pub records_out: u64,
    /// Records in, over the last seconds.
    pub records_per_s: f64,
    pub busy_s: f64,
    /// Rows that its arrangements hold; 0 where it keeps its state otherwise.
    pub rows_held: i64,
}

#[derive(sqlx::FromRow)]
struct Row {
    at: DateTime<Utc>,
    silent: bool,
    report: Column<Report>,
}

async fn report(pool: &PgPool, job: &str) -> Result<Option<Row>, sqlx::Error> {
    sqlx::query_as(include_str!("../../queries/job_report.sql")).bind(job).fetch_optional(pool).await
}

/// All that is known of a job.
pub async fn detail(pool: &PgPool, job: &str) -> Result<JobDetail, Problem> {
    let view = super::list(pool, Some(job)).await?.pop().ok_or_else(|| Problem::not_found("job", job))?;
    let heard = report(pool, job).await?;
    // One that has just started has nothing to say yet.
    let starting = view.started_at.is_some_and(|at| at > Utc::now() - SILENT_AFTER);
    let (heard_at, silent) = heard.as_ref().map_or((None, !starting), |row| (Some(row.at), row.silent));
    let said = heard.map(|row| row.report.0);
    let (uptime_s, memory_bytes) = (said.as_ref().map(|said| said.uptime_s), said.as_ref().and_then(|said| said.memory_bytes));
    let bound_tick = said.as_ref().map(|said| said.bound_tick);
    let (partitions, operators) = said.map(views).unwrap_or_default();
    Ok(JobDetail { job: view, heard_at, silent, uptime_s, memory_bytes, bound_tick, partitions, operators })
}

fn views(report: Report) -> (Vec<PartitionView>, Vec<OperatorView>) {
    let partition = |said: dcmms_schemas::job::Partition| PartitionView {
        upto: said.upto,
        queued: (said.fetched - said.upto).max(0),
        high: said.high,
        lag: said.lag(),
        lag_s: said.lag_s,
        watermark: said.watermark.and_then(|at| DateTime::from_timestamp_micros(at.0)),
        idle: said.idle,
        topic: said.topic,
        partition: said.partition,
    };
    let operator = |node: dcmms_schemas::job::Node| OperatorView {
        id: node.id,
        name: node.name,
        records_in: node.records_in,
        records_out: node.records_out,
        records_per_s: node.records_per_s,
        busy_s: node.busy_us as f64 / 1e6,
        rows_held: node.rows_held,
    };
    let operators = report.graph.nodes.into_iter().filter(|node| !node.scope).map(operator);
    (report.partitions.into_iter().map(partition).collect(), operators.collect())
}

/// Shows one job: lag, watermarks, memory, operators.
#[utoipa::path(get, path = "/jobs/{job}", tag = "operations", params(("job" = String, Path)),
    responses((status = 200, body = JobDetail), (status = 404, body = Problem)))]
pub(super) async fn one(State(service): State<Shared>, _: Principal, At(job): At<String>) -> Result<axum::Json<JobDetail>, Problem> {
    Ok(axum::Json(detail(&service.pool, &job).await?))
}

/// Shows the books of one job's partitions, as of its durable tick.
#[utoipa::path(get, path = "/jobs/{job}/books", tag = "operations", params(("job" = String, Path)),
    responses((status = 200, body = All<BooksView>), (status = 404, body = Problem)))]
pub(super) async fn its_books(
    State(service): State<Shared>,
    _: Principal,
    At(job): At<String>,
) -> Result<axum::Json<All<BooksView>>, Problem> {
    if super::list(&service.pool, Some(&job)).await?.is_empty() {
        return Err(Problem::not_found("job", job));
    }
    Ok(axum::Json(All { data: super::books_of(&service.pool, Some(&job)).await? }))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct GraphQuery {
    /// `json` (unless said) or `dot`, for Graphviz.
    format: Option<String>,
}

/// The dataflow as it runs, all workers of the process added up.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct GraphView {
    nodes: Vec<OperatorView>,
    edges: Vec<EdgeView>,
}

#[derive(Debug, Serialize, ToSchema)]
struct EdgeView {
    from: String,
    to: String,
    records: u64,
}

/// Draws a job's dataflow: operators, channels, what went over them.
#[utoipa::path(get, path = "/jobs/{job}/graph", tag = "operations", params(("job" = String, Path), GraphQuery),
    responses((status = 200, body = GraphView), (status = 400, body = Problem), (status = 404, body = Problem)))]
pub(super) async fn its_graph(
    State(service): State<Shared>,
    _: Principal,
    At(job): At<String>,
    Query(query): Query<GraphQuery>,
) -> Result<Response, Problem> {
    match query.format.as_deref() {
        None | Some("json") => {
            let report = said(&service.pool, &job).await?;
            let edges =
                report.graph.edges.iter().map(|edge| EdgeView { from: edge.from.clone(), to: edge.to.clone(), records: edge.records });
            let edges = edges.collect();
            Ok(axum::Json(GraphView { nodes: views(report).1, edges }).into_response())
        }
        Some("dot") => {
            let dot = graph(&service.pool, &job).await?.dot();
            Ok(([(header::CONTENT_TYPE, "text/vnd.graphviz")], dot).into_response())
        }
        Some(other) => Err(Problem::malformed("bad_format", format!("format is json or dot, not {other:?}"))),
    }
}

async fn said(pool: &PgPool, job: &str) -> Result<Report, Problem> {
    let row = report(pool, job).await?;
    row.map(|row| row.report.0).ok_or_else(|| Problem::not_found("graph of job", job).detail(format!("job {job} has not reported yet")))
}

/// The job's dataflow, as it last said.
pub async fn graph(pool: &PgPool, job: &str) -> Result<Graph, Problem> {
    Ok(said(pool, job).await?.graph)
}

/// How to stop.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct StopInput {
    /// True: only once all that the topics hold by now is read and durable. False: once the ticks under way are.
    #[serde(default)]
    #[schema(example = true)]
    drain: bool,
}

/// Asks a running job to stop, on whatever machine it runs. It looks each second; `GET /jobs/{job}` then says `stopped`.
#[utoipa::path(post, path = "/jobs/{job}/stop", tag = "operations", params(("job" = String, Path)), request_body = StopInput,
    responses((status = 202, body = JobView), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(super) async fn ask_to_stop(
    mut work: Work,
    At(job): At<String>,
    Json(input): Json<StopInput>,
) -> Result<(StatusCode, axum::Json<JobView>), Problem> {
    let by = work.who.label();
    Ok((StatusCode::ACCEPTED, axum::Json(stop(&mut work, &job, input.drain, &by).await?)))
}

/// Notes that a running job is to stop.
pub async fn stop(connection: &mut PgConnection, job: &str, drain: bool, by: &str) -> Result<JobView, Problem> {
    let noted: Option<String> = sqlx::query_scalar(include_str!("../../queries/job_stop.sql"))
        .bind(job)
        .bind(drain)
        .bind(by)
        .fetch_optional(&mut *connection)
        .await?;
    let view: Option<JobView> = sqlx::query_as(include_str!("../../queries/jobs_list.sql")).bind(job).fetch_optional(connection).await?;
    match (view, noted) {
        (None, _) => Err(Problem::not_found("job", job)),
        (Some(view), None) => {
            Err(Problem::conflict("not_running", format!("job {job} is {}; only a running one can be stopped", view.state)))
        }
        (Some(view), Some(_)) => Ok(view),
    }
}
