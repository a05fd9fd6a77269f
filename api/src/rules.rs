//! Alarm rules and their versions.

mod check;
mod store;
mod view;

pub use store::{create, fetch};
pub use view::{RuleInput, RuleVersionInput, RuleView};

use crate::{
    extract::{At, IfMatch, Json, Page, Query, cursor, limit},
    gate::{Gate, Principal},
    problem::Problem,
    respond::{Created, Tagged},
    routes::Routes,
    service::Shared,
    work::Work,
};
use axum::{extract::State, http::StatusCode};
use dcmms_schemas::access::Feature::{F23, F26};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;
use uuid::Uuid;

pub(crate) fn routes() -> Routes {
    Routes::new()
        .on(Gate::read(F23), routes!(list))
        .on(Gate::read(F23), routes!(read))
        .on(Gate::create(F26), routes!(add))
        .on(Gate::act(F26), routes!(publish))
        .on(Gate::change(F26), routes!(put))
        .on(Gate::change(F26), routes!(rename))
        .on(Gate::change(F26), routes!(remove))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// Rules that name this site.
    #[serde(rename = "filter[site]")]
    #[param(rename = "filter[site]")]
    site: Option<Uuid>,
    limit: Option<u16>,
    cursor: Option<String>,
}

/// Lists rules by name, each with all its versions.
#[utoipa::path(get, path = "/rules", tag = "rules", params(ListQuery), responses((status = 200, body = Page<RuleView>), (status = 400, body = Problem)))]
async fn list(
    State(service): State<Shared>,
    who: Principal,
    Query(query): Query<ListQuery>,
) -> Result<axum::Json<Page<RuleView>>, Problem> {
    let limit = limit(query.limit)?;
    let after = cursor(query.cursor.as_deref(), "rules")?;
    let rows = store::list(&service.pool, who.tenant, query.site, after, limit).await?;
    Ok(axum::Json(Page::of(rows, limit, "rules", |row| row.name.clone())))
}

/// Shows a rule with all its versions, oldest first.
#[utoipa::path(get, path = "/rules/{id}", tag = "rules", params(("id" = Uuid, Path)), responses((status = 200, body = RuleView), (status = 404, body = Problem)))]
async fn read(State(service): State<Shared>, who: Principal, At(id): At<Uuid>) -> Result<Tagged<RuleView>, Problem> {
    let mut connection = service.pool.acquire().await?;
    Ok(Tagged(fetch(&mut connection, who.tenant, id).await?))
}

/// Makes a rule and publishes its first version. Which points a rule speaks of stays; what it means has versions.
#[utoipa::path(post, path = "/rules", tag = "rules", request_body = RuleInput,
    responses((status = 201, body = RuleView), (status = 409, body = Problem), (status = 422, body = Problem)))]
async fn add(mut work: Work, Json(input): Json<RuleInput>) -> Result<Created<RuleView>, Problem> {
    let (tenant, by) = (work.who.tenant, work.who.label());
    let row = create(&mut work, tenant, &by, input).await?;
    Ok(Created { location: format!("/api/v1/rules/{}", row.id), row })
}

/// Publishes a further version. Readings from its `valid_from` on are judged by it.
#[utoipa::path(post, path = "/rules/{id}/versions", tag = "rules", params(("id" = Uuid, Path)), request_body = RuleVersionInput,
    responses((status = 201, body = RuleView), (status = 404, body = Problem), (status = 412, body = Problem), (status = 422, body = Problem)))]
async fn publish(
    mut work: Work,
    At(id): At<Uuid>,
    seen: IfMatch,
    Json(input): Json<RuleVersionInput>,
) -> Result<Created<RuleView>, Problem> {
    let row = store::publish(&mut work, id, seen, input).await?;
    Ok(Created { location: format!("/api/v1/rules/{id}"), row })
}

/// Publishes a further version, for clients that prefer PUT.
#[utoipa::path(put, path = "/rules/{id}/versions", tag = "rules", params(("id" = Uuid, Path)), request_body = RuleVersionInput,
    responses((status = 200, body = RuleView), (status = 404, body = Problem), (status = 412, body = Problem), (status = 422, body = Problem)))]
async fn put(mut work: Work, At(id): At<Uuid>, seen: IfMatch, Json(input): Json<RuleVersionInput>) -> Result<Tagged<RuleView>, Problem> {
    Ok(Tagged(store::publish(&mut work, id, seen, input).await?))
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Rename {
    #[schema(example = "Inverter cabinet hot")]
    name: String,
}

/// Gives a rule another name.
#[utoipa::path(patch, path = "/rules/{id}", tag = "rules", params(("id" = Uuid, Path)), request_body(content = Rename, content_type = "application/merge-patch+json"),
    responses((status = 200, body = RuleView), (status = 404, body = Problem), (status = 412, body = Problem), (status = 422, body = Problem)))]
async fn rename(mut work: Work, At(id): At<Uuid>, seen: IfMatch, Json(input): Json<Rename>) -> Result<Tagged<RuleView>, Problem> {
    Ok(Tagged(store::rename(&mut work, id, seen, &input.name).await?))
}

/// Archives a rule: a last version says that from now on it says nothing, so its active alarms end and the past stays.
#[utoipa::path(delete, path = "/rules/{id}", tag = "rules", params(("id" = Uuid, Path)), responses((status = 204), (status = 404, body = Problem), (status = 412, body = Problem)))]
async fn remove(mut work: Work, At(id): At<Uuid>, seen: IfMatch) -> Result<StatusCode, Problem> {
    store::archive(&mut work, id, seen).await?;
    Ok(StatusCode::NO_CONTENT)
}
