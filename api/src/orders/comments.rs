//! What people, and the engine where it takes something back, say on an order.

use super::{fetch, only_assigned, store::By};
use crate::{
    extract::{At, Json, Page, Query, cursor, limit},
    gate::{Gate, Principal},
    problem::Problem,
    routes::Routes,
    service::Shared,
    work::Work,
};
use axum::{extract::State, http::StatusCode};
use chrono::{DateTime, Utc};
use dcmms_schemas::access::Feature::{F01, F02, F08, F23};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;
use uuid::Uuid;

pub(super) fn routes() -> Routes {
    Routes::new()
        .on(Gate::read(F01), routes!(list))
        .on(Gate::create(F08), routes!(add))
        .on(Gate::read(F23), routes!(notices))
        .on(Gate::create(F02), routes!(read_notice))
}

#[derive(Clone, Debug, Serialize, sqlx::FromRow, ToSchema)]
pub(crate) struct CommentView {
    pub(crate) id: Uuid,
    /// `comment`, or `correction` where the engine took back what it had said.
    pub(crate) kind: String,
    pub(crate) text: String,
    pub(crate) by_name: String,
    pub(crate) at: DateTime<Utc>,
}

#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CommentInput {
    pub(crate) text: String,
}

impl CommentInput {
    pub(crate) fn check(&self) -> Result<(), Problem> {
        let fits = !self.text.trim().is_empty() && self.text.len() <= 10_000;
        if fits { Ok(()) } else { Err(Problem::field("/text", "length", "a comment has 1 to 10000 characters")) }
    }
}

/// Lists the comments of an order, oldest first.
#[utoipa::path(get, path = "/work-orders/{id}/comments", tag = "work orders", params(("id" = Uuid, Path)), responses((status = 200, body = Vec<CommentView>), (status = 404, body = Problem)))]
async fn list(State(service): State<Shared>, who: Principal, At(id): At<Uuid>) -> Result<axum::Json<Vec<CommentView>>, Problem> {
    let mut connection = service.pool.acquire().await?;
    fetch(&mut connection, who.tenant, id, only_assigned(&who)).await?;
    let rows =
        sqlx::query_as::<_, CommentView>(include_str!("../../queries/comments_list.sql")).bind(id).fetch_all(&mut *connection).await?;
    Ok(axum::Json(rows))
}

/// Comments on an order, whatever its stage.
#[utoipa::path(post, path = "/work-orders/{id}/comments", tag = "work orders", params(("id" = Uuid, Path)), request_body = CommentInput,
    responses((status = 201, body = CommentView), (status = 404, body = Problem), (status = 422, body = Problem)))]
async fn add(
    State(service): State<Shared>,
    mut work: Work,
    At(id): At<Uuid>,
    Json(input): Json<CommentInput>,
) -> Result<(StatusCode, axum::Json<CommentView>), Problem> {
    input.check()?;
    let who = work.who.clone();
    super::lock(&mut work, who.tenant, id, only_assigned(&who)).await?;
    sqlx::query(include_str!("../../queries/order_touch.sql")).bind(id).bind(service.now()).execute(&mut *work).await?;
    let row = say(&mut work, id, "comment", &input.text, &By::person(&who), service.now()).await?;
    Ok((StatusCode::CREATED, axum::Json(row)))
}

/// Writes a comment.
pub(crate) async fn say(
    connection: &mut PgConnection,
    order: Uuid,
    kind: &str,
    text: &str,
    by: &By,
    now: DateTime<Utc>,
) -> Result<CommentView, Problem> {
    let query = sqlx::query_as::<_, CommentView>(include_str!("../../queries/comment_create.sql"));
    Ok(query.bind(order).bind(kind).bind(text).bind(&by.label).bind(&by.name).bind(now).fetch_one(connection).await?)
}

/// Something operators must be told.
#[derive(Clone, Debug, Serialize, sqlx::FromRow, ToSchema)]
struct NoticeView {
    id: Uuid,
    order_id: Option<Uuid>,
    alarm_id: Option<Uuid>,
    #[schema(example = "correction")]
    kind: String,
    text: String,
    at: DateTime<Utc>,
    read_at: Option<DateTime<Utc>>,
    read_by: Option<String>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct NoticesQuery {
    /// `true`: also those that were read.
    #[serde(default)]
    read: bool,
    limit: Option<u16>,
    cursor: Option<String>,
}

/// Lists notices, newest first: where the engine took back the cause of an order that people work on.
#[utoipa::path(get, path = "/notices", tag = "work orders", params(NoticesQuery), responses((status = 200, body = Page<NoticeView>)))]
async fn notices(
    State(service): State<Shared>,
    who: Principal,
    Query(query): Query<NoticesQuery>,
) -> Result<axum::Json<Page<NoticeView>>, Problem> {
    let limit = limit(query.limit)?;
    let after: Option<(DateTime<Utc>, Uuid)> = cursor(query.cursor.as_deref(), "notices")?;
    let rows = sqlx::query_as::<_, NoticeView>(include_str!("../../queries/notices_list.sql"))
        .bind(who.tenant)
        .bind(query.read)
        .bind(after.map(|(at, _)| at))
        .bind(after.map(|(_, id)| id))
        .bind(i64::from(limit) + 1)
        .fetch_all(&service.pool)
        .await?;
    Ok(axum::Json(Page::of(rows, limit, "notices", |row| (row.at, row.id))))
}

/// Marks a notice as read.
#[utoipa::path(post, path = "/notices/{id}/actions/read", tag = "work orders", params(("id" = Uuid, Path)), responses((status = 200, body = NoticeView), (status = 404, body = Problem)))]
async fn read_notice(State(service): State<Shared>, mut work: Work, At(id): At<Uuid>) -> Result<axum::Json<NoticeView>, Problem> {
    let query = sqlx::query_as::<_, NoticeView>(include_str!("../../queries/notice_read.sql"));
    let row = query.bind(work.who.tenant).bind(id).bind(service.now()).bind(work.who.name.clone()).fetch_optional(&mut *work).await?;
    row.map(axum::Json).ok_or_else(|| Problem::not_found("notice", id))
}
