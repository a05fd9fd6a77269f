//! Places in a site's tree.

mod store;
mod tree;
mod view;

pub use store::{create, fetch};
pub use view::{PositionInput, PositionView};

use crate::{
    extract::{At, IfMatch, Json, Page, Query, commas, cursor, limit, merge},
    gate::{Gate, Principal},
    problem::Problem,
    respond::{Created, Tagged},
    routes::Routes,
    service::Shared,
    work::Work,
};
use axum::{extract::State, http::StatusCode};
use dcmms_schemas::access::Feature::{F10, F11};
use serde::Deserialize;
use serde_json::Value;
use utoipa::IntoParams;
use utoipa_axum::routes;
use uuid::Uuid;

pub(crate) fn routes() -> Routes {
    Routes::new()
        .on(Gate::read(F10), routes!(list))
        .on(Gate::read(F10), routes!(read))
        .on(Gate::read(F10), routes!(children))
        .on(Gate::read(F10), routes!(tree::read))
        .on(Gate::create(F11), routes!(add))
        .on(Gate::change(F11), routes!(change))
        .on(Gate::change(F11), routes!(remove))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// Id of a site.
    #[serde(rename = "filter[site]")]
    #[param(rename = "filter[site]")]
    site: Option<Uuid>,
    /// Classes, comma-separated.
    #[serde(rename = "filter[class]")]
    #[param(rename = "filter[class]")]
    class: Option<String>,
    limit: Option<u16>,
    cursor: Option<String>,
}

/// Lists positions by code.
#[utoipa::path(get, path = "/positions", tag = "assets", params(ListQuery), responses((status = 200, body = Page<PositionView>), (status = 400, body = Problem)))]
async fn list(
    State(service): State<Shared>,
    who: Principal,
    Query(query): Query<ListQuery>,
) -> Result<axum::Json<Page<PositionView>>, Problem> {
    let limit = limit(query.limit)?;
    let after = cursor(query.cursor.as_deref(), "positions")?;
    let wanted = store::Wanted { site: query.site, parent: None, classes: commas(query.class.as_deref()) };
    let rows = store::list(&service.pool, who.tenant, wanted, after, limit).await?;
    Ok(axum::Json(Page::of(rows, limit, "positions", |row| (row.position.code.clone(), row.id))))
}

/// Shows a position.
#[utoipa::path(get, path = "/positions/{id}", tag = "assets", params(("id" = Uuid, Path)), responses((status = 200, body = PositionView), (status = 404, body = Problem)))]
async fn read(State(service): State<Shared>, who: Principal, At(id): At<Uuid>) -> Result<Tagged<PositionView>, Problem> {
    let mut connection = service.pool.acquire().await?;
    Ok(Tagged(fetch(&mut connection, who.tenant, id).await?))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ChildrenQuery {
    limit: Option<u16>,
    cursor: Option<String>,
}

/// Lists the positions right below one.
#[utoipa::path(get, path = "/positions/{id}/children", tag = "assets", params(("id" = Uuid, Path), ChildrenQuery),
    responses((status = 200, body = Page<PositionView>), (status = 400, body = Problem), (status = 404, body = Problem)))]
async fn children(
    State(service): State<Shared>,
    who: Principal,
    At(id): At<Uuid>,
    Query(query): Query<ChildrenQuery>,
) -> Result<axum::Json<Page<PositionView>>, Problem> {
    let limit = limit(query.limit)?;
    let name = format!("children {id}");
    let after = cursor(query.cursor.as_deref(), &name)?;
    let mut connection = service.pool.acquire().await?;
    let parent = fetch(&mut connection, who.tenant, id).await?;
    let wanted = store::Wanted { site: Some(parent.position.site), parent: Some(id), classes: None };
    let rows = store::list(&service.pool, who.tenant, wanted, after, limit).await?;
    Ok(axum::Json(Page::of(rows, limit, &name, |row| (row.position.code.clone(), row.id))))
}

/// Adds a position.
#[utoipa::path(post, path = "/positions", tag = "assets", request_body = PositionInput,
    responses((status = 201, body = PositionView), (status = 409, body = Problem), (status = 422, body = Problem)))]
async fn add(mut work: Work, Json(input): Json<PositionInput>) -> Result<Created<PositionView>, Problem> {
    let tenant = work.who.tenant;
    let row = create(&mut work, tenant, input).await?;
    Ok(Created { location: format!("/api/v1/positions/{}", row.id), row })
}

/// Changes a position; its site stays.
#[utoipa::path(patch, path = "/positions/{id}", tag = "assets", params(("id" = Uuid, Path)), request_body(content = PositionInput, content_type = "application/merge-patch+json"),
    responses((status = 200, body = PositionView), (status = 404, body = Problem), (status = 409, body = Problem), (status = 412, body = Problem), (status = 422, body = Problem)))]
async fn change(mut work: Work, At(id): At<Uuid>, seen: IfMatch, Json(patch): Json<Value>) -> Result<Tagged<PositionView>, Problem> {
    let tenant = work.who.tenant;
    let current = store::lock(&mut work, tenant, id).await?;
    seen.check(current.version)?;
    let whole: PositionInput = merge(&current.position, &patch)?;
    if whole.site != current.position.site {
        return Err(Problem::field("/site", "fixed", "a position stays at its site; make a new one there"));
    }
    Ok(Tagged(store::update(&mut work, tenant, id, whole).await?))
}

/// Archives a position that has nothing below it and no points.
#[utoipa::path(delete, path = "/positions/{id}", tag = "assets", params(("id" = Uuid, Path)), responses((status = 204), (status = 404, body = Problem), (status = 409, body = Problem), (status = 412, body = Problem)))]
async fn remove(mut work: Work, At(id): At<Uuid>, seen: IfMatch) -> Result<StatusCode, Problem> {
    let tenant = work.who.tenant;
    let current = store::lock(&mut work, tenant, id).await?;
    seen.check(current.version)?;
    store::archive(&mut work, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
