//! Measured quantities.

pub mod kinds;
mod store;
mod view;

pub use store::{create, fetch};
pub use view::{PointInput, PointView};

use crate::{
    extract::{At, IfMatch, Json, LIMIT_MAX, Page, Query, commas, cursor, limit, merge},
    gate::{Gate, Principal},
    problem::Problem,
    respond::{Created, Tagged},
    routes::Routes,
    service::Shared,
    work::Work,
};
use axum::{extract::State, http::StatusCode};
use dcmms_schemas::access::Feature::{F10, F18};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;
use uuid::Uuid;

pub(crate) fn routes() -> Routes {
    Routes::new()
        .on(Gate::read(F10), routes!(list))
        .on(Gate::read(F10), routes!(read))
        .on(Gate::create(F18), routes!(add))
        .on(Gate::create(F18), routes!(add_many))
        .on(Gate::change(F18), routes!(change))
        .on(Gate::change(F18), routes!(remove))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// Id of a site.
    #[serde(rename = "filter[site]")]
    #[param(rename = "filter[site]")]
    site: Option<Uuid>,
    /// Id of a position.
    #[serde(rename = "filter[position]")]
    #[param(rename = "filter[position]")]
    position: Option<Uuid>,
    /// Quantities, comma-separated.
    #[serde(rename = "filter[kind]")]
    #[param(rename = "filter[kind]")]
    kind: Option<String>,
    /// Keys, comma-separated.
    #[serde(rename = "filter[key]")]
    #[param(rename = "filter[key]")]
    key: Option<String>,
    limit: Option<u16>,
    cursor: Option<String>,
}

/// Lists points by key.
#[utoipa::path(get, path = "/points", tag = "points", params(ListQuery), responses((status = 200, body = Page<PointView>), (status = 400, body = Problem)))]
async fn list(
    State(service): State<Shared>,
    who: Principal,
    Query(query): Query<ListQuery>,
) -> Result<axum::Json<Page<PointView>>, Problem> {
    let limit = limit(query.limit)?;
    let after = cursor(query.cursor.as_deref(), "points")?;
    let (kinds, keys) = (commas(query.kind.as_deref()), commas(query.key.as_deref()));
    let wanted = store::Wanted { site: query.site, position: query.position, kinds, keys };
    let rows = store::list(&service.pool, who.tenant, wanted, after, limit).await?;
    Ok(axum::Json(Page::of(rows, limit, "points", |row| row.point.key.clone())))
}

/// Shows a point.
#[utoipa::path(get, path = "/points/{id}", tag = "points", params(("id" = Uuid, Path)), responses((status = 200, body = PointView), (status = 404, body = Problem)))]
async fn read(State(service): State<Shared>, who: Principal, At(id): At<Uuid>) -> Result<Tagged<PointView>, Problem> {
    let mut connection = service.pool.acquire().await?;
    Ok(Tagged(fetch(&mut connection, who.tenant, id).await?))
}

/// Adds a point.
#[utoipa::path(post, path = "/points", tag = "points", request_body = PointInput,
    responses((status = 201, body = PointView), (status = 422, body = Problem)))]
async fn add(mut work: Work, Json(input): Json<PointInput>) -> Result<Created<PointView>, Problem> {
    let tenant = work.who.tenant;
    let row = create(&mut work, tenant, vec![input]).await?.pop().ok_or_else(Problem::internal)?;
    Ok(Created { location: format!("/api/v1/points/{}", row.id), row })
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Many {
    /// At most 1,000.
    points: Vec<PointInput>,
}

#[derive(Debug, Serialize, ToSchema)]
struct Added {
    points: Vec<PointView>,
}

/// Adds up to 1,000 points, all or none.
#[utoipa::path(post, path = "/points:batch", tag = "points", request_body = Many,
    responses((status = 201, body = Added), (status = 422, body = Problem)))]
async fn add_many(mut work: Work, Json(input): Json<Many>) -> Result<(StatusCode, axum::Json<Added>), Problem> {
    let (tenant, count) = (work.who.tenant, input.points.len());
    if !(1..=usize::from(LIMIT_MAX)).contains(&count) {
        return Err(Problem::field("/points", "length", format!("a batch has 1 to {LIMIT_MAX} points, not {count}")));
    }
    let points = create(&mut work, tenant, input.points).await?;
    Ok((StatusCode::CREATED, axum::Json(Added { points })))
}

/// Changes a point; its key, site and resolution stay, because the engine's sums and the history stand on them.
#[utoipa::path(patch, path = "/points/{id}", tag = "points", params(("id" = Uuid, Path)), request_body(content = PointInput, content_type = "application/merge-patch+json"),
    responses((status = 200, body = PointView), (status = 404, body = Problem), (status = 412, body = Problem), (status = 422, body = Problem)))]
async fn change(mut work: Work, At(id): At<Uuid>, seen: IfMatch, Json(patch): Json<Value>) -> Result<Tagged<PointView>, Problem> {
    let tenant = work.who.tenant;
    let current = store::lock(&mut work, tenant, id).await?;
    seen.check(current.version)?;
    let whole: PointInput = merge(&current.point, &patch)?;
    let (was, is) = (&current.point, &whole);
    for (pointer, kept) in [("/key", was.key == is.key), ("/site", was.site == is.site), ("/resolution", was.resolution == is.resolution)] {
        if !kept {
            return Err(Problem::field(pointer, "fixed", "it stays; archive this point and make a new one"));
        }
    }
    Ok(Tagged(store::update(&mut work, tenant, id, whole).await?))
}

/// Archives a point. What it said stays; what it says from now on is unknown.
#[utoipa::path(delete, path = "/points/{id}", tag = "points", params(("id" = Uuid, Path)), responses((status = 204), (status = 404, body = Problem), (status = 412, body = Problem)))]
async fn remove(mut work: Work, At(id): At<Uuid>, seen: IfMatch) -> Result<StatusCode, Problem> {
    let tenant = work.who.tenant;
    let current = store::lock(&mut work, tenant, id).await?;
    seen.check(current.version)?;
    store::archive(&mut work, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
