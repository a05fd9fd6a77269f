//! Asking for what was refused to go through again; [`crate::resend`] does it.

use crate::{
    check::Faults,
    extract::{At, Json, LIMIT_MAX, Page, Query, cursor, limit},
    gate::Principal,
    problem::Problem,
    service::Shared,
    work::Work,
};
use axum::{
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::{PgConnection, PgExecutor};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// What to send through again.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReplayInput {
    /// For these reasons it was refused, and they are mended.
    #[schema(example = json!(["bad_time"]))]
    pub reasons: Vec<String>,
    /// Says that the cause is mended: without that it would be refused once more.
    #[schema(example = true)]
    #[serde(default)]
    pub after_fix: bool,
    /// Only readings of these points, at most 1,000.
    #[serde(default)]
    #[schema(example = json!(null))]
    pub keys: Option<Vec<String>>,
    /// Only what this job refused.
    #[serde(default)]
    #[schema(example = json!(null))]
    pub job: Option<String>,
    #[serde(default)]
    #[schema(example = json!(null))]
    pub partition: Option<i32>,
    /// Only what was refused from this moment on,
    #[serde(default)]
    #[schema(example = json!(null))]
    pub from: Option<DateTime<Utc>>,
    /// and before this one.
    #[serde(default)]
    #[schema(example = json!(null))]
    pub to: Option<DateTime<Utc>>,
}

/// How far it is.
#[derive(Debug, Serialize, sqlx::FromRow, ToSchema)]
pub struct ReplayView {
    pub id: Uuid,
    /// `replay`, or `adoption` where unknown points were made known.
    pub kind: String,
    /// `waiting` for the engine to know what people had changed, `sending`, `done` or `failed`.
    pub state: String,
    pub reasons: Vec<String>,
    pub keys: Option<Vec<String>>,
    pub job: Option<String>,
    pub partition: Option<i32>,
    #[serde(rename = "from")]
    pub since: Option<DateTime<Utc>>,
    #[serde(rename = "to")]
    pub before: Option<DateTime<Utc>>,
    /// Sent through again by this request.
    pub sent: i64,
    /// Left alone, because an earlier request had sent them.
    pub skipped: i64,
    /// Of the files that were there when it started, how much is done and how much there is.
    pub bytes: i64,
    pub bytes_total: i64,
    /// Why it does not get on; it is tried again unless the state is `failed`.
    pub failure: Option<String>,
    pub requested_by: String,
    pub created_at: DateTime<Utc>,
    pub started_at: Option<DateTime<Utc>>,
    pub finished_at: Option<DateTime<Utc>>,
}

/// Sends what was refused through again, each once: what an earlier request has sent is left alone. What is refused again
/// is a new reject. It starts once the engine knows all that people had changed before this request.
#[utoipa::path(post, path = "/rejects/replay", tag = "operations", request_body = ReplayInput,
    responses((status = 202, body = ReplayView), (status = 422, body = Problem)))]
pub(super) async fn create(
    mut work: Work,
    Json(input): Json<ReplayInput>,
) -> Result<(StatusCode, HeaderMap, axum::Json<ReplayView>), Problem> {
    let (tenant, by) = (work.who.tenant, work.who.label());
    let view = replay(&mut work, tenant, &by, input).await?;
    let mut headers = HeaderMap::new();
    if let Ok(location) = HeaderValue::try_from(format!("/api/v1/rejects/replays/{}", view.id)) {
        headers.insert(header::LOCATION, location);
    }
    Ok((StatusCode::ACCEPTED, headers, axum::Json(view)))
}

/// Notes that this is to be sent again.
pub async fn replay(connection: &mut PgConnection, tenant: Uuid, by: &str, input: ReplayInput) -> Result<ReplayView, Problem> {
    check(connection, &input).await?;
    let id: Uuid = sqlx::query_scalar(include_str!("../../queries/replay_create.sql"))
        .bind(tenant)
        .bind(&input.reasons)
        .bind(&input.keys)
        .bind(&input.job)
        .bind(input.partition)
        .bind(input.from)
        .bind(input.to)
        .bind(by)
        .fetch_one(&mut *connection)
        .await?;
    progress(connection, tenant, id).await
}

async fn check(connection: &mut PgConnection, input: &ReplayInput) -> Result<(), Problem> {
    let mut faults = Faults::new();
    faults.when(input.reasons.is_empty(), "/reasons", "length", "say at least one reason");
    let unmended = "say true once the cause is mended; else what is sent would be refused once more";
    faults.when(!input.after_fix, "/after_fix", "not_mended", unmended);
    let many = input.keys.as_ref().is_some_and(|keys| keys.is_empty() || keys.len() > usize::from(LIMIT_MAX));
    faults.when(many, "/keys", "length", format!("1 to {LIMIT_MAX} keys, or none of this field"));
    let backwards = matches!((input.from, input.to), (Some(from), Some(to)) if from >= to);
    faults.when(backwards, "/to", "order", "it comes after from");
    if let Some(job) = &input.job {
        let exists: bool = sqlx::query_scalar(include_str!("../../queries/job_exists.sql")).bind(job).fetch_one(connection).await?;
        faults.when(!exists, "/job", "unknown", format!("no job {job} has run on this database"));
    }
    faults.result()?;
    super::known(&input.reasons, "/reasons")
}

/// How far a request is.
pub async fn progress(executor: impl PgExecutor<'_>, tenant: Uuid, id: Uuid) -> Result<ReplayView, Problem> {
    let row = sqlx::query_as(include_str!("../../queries/replay_read.sql")).bind(tenant).bind(id).fetch_optional(executor).await?;
    row.ok_or_else(|| Problem::not_found("replay", id))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ReplaysQuery {
    limit: Option<u16>,
    cursor: Option<String>,
}

/// Lists what was asked to go through again, newest first.
#[utoipa::path(get, path = "/rejects/replays", tag = "operations", params(ReplaysQuery),
    responses((status = 200, body = Page<ReplayView>), (status = 400, body = Problem)))]
pub(super) async fn list(
    State(service): State<Shared>,
    who: Principal,
    Query(query): Query<ReplaysQuery>,
) -> Result<axum::Json<Page<ReplayView>>, Problem> {
    let limit = limit(query.limit)?;
    let after: Option<(DateTime<Utc>, Uuid)> = cursor(query.cursor.as_deref(), "replays")?;
    let rows: Vec<ReplayView> = sqlx::query_as(include_str!("../../queries/replays_list.sql"))
        .bind(who.tenant)
        .bind(after.map(|after| after.0))
        .bind(after.map(|after| after.1))
        .bind(i64::from(limit) + 1)
        .fetch_all(&service.pool)
        .await?;
    Ok(axum::Json(Page::of(rows, limit, "replays", |row| (row.created_at, row.id))))
}

/// Says how far a request is.
#[utoipa::path(get, path = "/rejects/replays/{id}", tag = "operations", params(("id" = Uuid, Path)),
    responses((status = 200, body = ReplayView), (status = 404, body = Problem)))]
pub(super) async fn one(State(service): State<Shared>, who: Principal, At(id): At<Uuid>) -> Result<axum::Json<ReplayView>, Problem> {
    Ok(axum::Json(progress(&service.pool, who.tenant, id).await?))
}
