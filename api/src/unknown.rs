//! Points that telemetry names and nobody has made, and making them.

mod adopt;
mod guess;

use crate::{
    extract::{At, Json, Page, Query, cursor, limit},
    gate::{Gate, Principal},
    points::PointView,
    problem::Problem,
    routes::Routes,
    service::Shared,
    work::Work,
};
use axum::{extract::State, http::StatusCode};
use chrono::{DateTime, Utc};
use dcmms_schemas::access::Feature::F18;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;
use uuid::Uuid;

pub(crate) fn routes() -> Routes {
    Routes::new().on(Gate::read(F18), routes!(list)).on(Gate::create(F18), routes!(make)).on(Gate::read(F18), routes!(adoption))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// How the keys begin.
    #[serde(rename = "filter[prefix]")]
    #[param(rename = "filter[prefix]")]
    prefix: Option<String>,
    limit: Option<u16>,
    cursor: Option<String>,
}

#[derive(Debug, Serialize, sqlx::FromRow, ToSchema)]
struct UnknownView {
    #[schema(example = "RJ01/B03/INV07:ac.power")]
    key: String,
    /// Readings refused for it.
    n: i64,
    first_at: DateTime<Utc>,
    last_at: DateTime<Utc>,
    tick: i64,
}

/// Lists keys that telemetry names and that no point has, each once with its count.
#[utoipa::path(get, path = "/unknown-points", tag = "points", params(ListQuery), responses((status = 200, body = Page<UnknownView>), (status = 400, body = Problem)))]
async fn list(
    State(service): State<Shared>,
    who: Principal,
    Query(query): Query<ListQuery>,
) -> Result<axum::Json<Page<UnknownView>>, Problem> {
    let limit = limit(query.limit)?;
    let after: Option<String> = cursor(query.cursor.as_deref(), "unknown-points")?;
    let rows: Vec<UnknownView> = sqlx::query_as(include_str!("../queries/unknown_points_list.sql"))
        .bind(who.tenant)
        .bind(query.prefix)
        .bind(after)
        .bind(i64::from(limit) + 1)
        .fetch_all(&service.pool)
        .await?;
    Ok(axum::Json(Page::of(rows, limit, "unknown-points", |row| row.key.clone())))
}

/// Which unknown points to make known, and what to say of them. A key as `{site code}/{position code}:{quantity}` says most
/// of it by itself; what is said here counts for all keys.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AdoptInput {
    /// These keys, at most 1,000.
    #[serde(default)]
    #[schema(example = json!(["RJ01/B03/INV07:ac.power"]))]
    pub keys: Vec<String>,
    /// Or all keys that begin so, the first 1,000 of them; repeat while `more` is true.
    #[serde(default)]
    #[schema(example = json!(null))]
    pub prefix: Option<String>,
    #[serde(default)]
    #[schema(example = json!(null))]
    pub site: Option<Uuid>,
    #[serde(default)]
    #[schema(example = json!(null))]
    pub kind: Option<String>,
    #[serde(default)]
    #[schema(example = json!(null))]
    pub unit: Option<String>,
    #[serde(default)]
    #[schema(example = json!(null))]
    pub resolution: Option<f64>,
    #[serde(default)]
    #[schema(example = json!(null))]
    pub counter: Option<bool>,
}

/// What was made. The readings refused so far are sent through again once the engine knows the points.
#[derive(Debug, Serialize, ToSchema)]
pub struct Adopted {
    /// For `GET /adoptions/{id}`; null when nothing was made.
    pub adoption: Option<Uuid>,
    pub points: Vec<PointView>,
    pub refused: Vec<NotAdopted>,
    /// True when more keys with this prefix are waiting.
    pub more: bool,
}

#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct NotAdopted {
    pub key: String,
    #[schema(example = "its site code \"XX\" is no site's; say which site it is of")]
    pub reason: String,
}

/// Makes points of unknown keys and sends what they had said through again.
#[utoipa::path(post, path = "/unknown-points:adopt", tag = "points", request_body = AdoptInput,
    responses((status = 201, body = Adopted), (status = 422, body = Problem)))]
async fn make(mut work: Work, Json(input): Json<AdoptInput>) -> Result<(StatusCode, axum::Json<Adopted>), Problem> {
    let (tenant, by) = (work.who.tenant, work.who.label());
    let adopted = adopt::adopt(&mut work, tenant, &by, input).await?;
    Ok((StatusCode::CREATED, axum::Json(adopted)))
}

pub use adopt::adopt;

#[derive(Debug, Serialize, sqlx::FromRow, ToSchema)]
struct AdoptionView {
    id: Uuid,
    /// `waiting` for the engine to know the points, `sending`, `done` or `failed`.
    state: String,
    points: i32,
    /// Readings sent through again so far.
    readings: i64,
    failure: Option<String>,
    requested_by: String,
    created_at: DateTime<Utc>,
    finished_at: Option<DateTime<Utc>>,
}

/// Says how far an adoption is.
#[utoipa::path(get, path = "/adoptions/{id}", tag = "points", params(("id" = Uuid, Path)), responses((status = 200, body = AdoptionView), (status = 404, body = Problem)))]
async fn adoption(State(service): State<Shared>, who: Principal, At(id): At<Uuid>) -> Result<axum::Json<AdoptionView>, Problem> {
    let row = sqlx::query_as(include_str!("../queries/adoption_read.sql")).bind(who.tenant).bind(id).fetch_optional(&service.pool).await?;
    row.map(axum::Json).ok_or_else(|| Problem::not_found("adoption", id))
}
