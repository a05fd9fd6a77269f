//! Plants.

mod store;
mod view;

pub use store::{create, fetch};
pub use view::{SiteInput, SiteView};

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
        .on(Gate::create(F11), routes!(add))
        .on(Gate::change(F11), routes!(change))
        .on(Gate::change(F11), routes!(remove))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// Codes, comma-separated.
    #[serde(rename = "filter[code]")]
    #[param(rename = "filter[code]")]
    code: Option<String>,
    /// Kinds, comma-separated.
    #[serde(rename = "filter[kind]")]
    #[param(rename = "filter[kind]")]
    kind: Option<String>,
    /// `code` (default), `name`, or either with `-` before it.
    sort: Option<String>,
    limit: Option<u16>,
    cursor: Option<String>,
}

/// Lists sites.
#[utoipa::path(get, path = "/sites", tag = "sites", params(ListQuery), responses((status = 200, body = Page<SiteView>), (status = 400, body = Problem)))]
async fn list(
    State(service): State<Shared>,
    who: Principal,
    Query(query): Query<ListQuery>,
) -> Result<axum::Json<Page<SiteView>>, Problem> {
    let limit = limit(query.limit)?;
    let sort = query.sort.as_deref().unwrap_or("code");
    let (column, down) = match sort {
        "code" | "-code" | "name" | "-name" => (sort.trim_start_matches('-'), sort.starts_with('-')),
        _ => return Err(Problem::malformed("bad_sort", format!("sort is code or name, with - for downwards, not {sort:?}"))),
    };
    let name = format!("sites {sort}");
    let after: Option<(String, Uuid)> = cursor(query.cursor.as_deref(), &name)?;
    let rows =
        store::list(&service.pool, who.tenant, commas(query.code.as_deref()), commas(query.kind.as_deref()), column, down, after, limit)
            .await?;
    Ok(axum::Json(Page::of(rows, limit, &name, |row| {
        (if column == "name" { row.site.name.clone() } else { row.site.code.clone() }, row.id)
    })))
}

/// Shows a site.
#[utoipa::path(get, path = "/sites/{id}", tag = "sites", params(("id" = Uuid, Path)), responses((status = 200, body = SiteView), (status = 404, body = Problem)))]
async fn read(State(service): State<Shared>, who: Principal, At(id): At<Uuid>) -> Result<Tagged<SiteView>, Problem> {
    let mut connection = service.pool.acquire().await?;
    Ok(Tagged(fetch(&mut connection, who.tenant, id).await?))
}

/// Adds a site.
#[utoipa::path(post, path = "/sites", tag = "sites", request_body = SiteInput,
    responses((status = 201, body = SiteView), (status = 409, body = Problem), (status = 422, body = Problem)))]
async fn add(mut work: Work, Json(input): Json<SiteInput>) -> Result<Created<SiteView>, Problem> {
    let tenant = work.who.tenant;
    let row = create(&mut work, tenant, input).await?;
    Ok(Created { location: format!("/api/v1/sites/{}", row.id), row })
}

/// Changes a site. A new zone holds for windows that begin after it is known to the engine.
#[utoipa::path(patch, path = "/sites/{id}", tag = "sites", params(("id" = Uuid, Path)), request_body(content = SiteInput, content_type = "application/merge-patch+json"),
    responses((status = 200, body = SiteView), (status = 404, body = Problem), (status = 412, body = Problem), (status = 422, body = Problem)))]
async fn change(mut work: Work, At(id): At<Uuid>, seen: IfMatch, Json(patch): Json<Value>) -> Result<Tagged<SiteView>, Problem> {
    let tenant = work.who.tenant;
    let current = store::lock(&mut work, tenant, id).await?;
    seen.check(current.version)?;
    let whole: SiteInput = merge(&current.site, &patch)?;
    Ok(Tagged(store::update(&mut work, id, whole).await?))
}

/// Archives a site; one that still has positions or points is refused.
#[utoipa::path(delete, path = "/sites/{id}", tag = "sites", params(("id" = Uuid, Path)), responses((status = 204), (status = 404, body = Problem), (status = 409, body = Problem), (status = 412, body = Problem)))]
async fn remove(mut work: Work, At(id): At<Uuid>, seen: IfMatch) -> Result<StatusCode, Problem> {
    let tenant = work.who.tenant;
    let current = store::lock(&mut work, tenant, id).await?;
    seen.check(current.version)?;
    store::archive(&mut work, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
