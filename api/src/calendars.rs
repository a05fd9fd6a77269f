//! Business calendars and their holidays.

mod business;
mod store;
mod view;

pub use store::{create, fetch};
pub use view::{CalendarInput, CalendarView};

use crate::{
    extract::{At, IfMatch, Json, Page, Query, cursor, limit, merge},
    gate::{Gate, Principal},
    problem::Problem,
    respond::{Created, Tagged},
    routes::Routes,
    service::Shared,
    work::Work,
};
use axum::{extract::State, http::StatusCode};
use dcmms_schemas::access::Feature::F56;
use serde::Deserialize;
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;
use uuid::Uuid;
use view::HolidayInput;

pub(crate) fn routes() -> Routes {
    Routes::new()
        .on(Gate::read(F56), routes!(list))
        .on(Gate::read(F56), routes!(read))
        .on(Gate::read(F56), routes!(business::time))
        .on(Gate::create(F56), routes!(add))
        .on(Gate::change(F56), routes!(change))
        .on(Gate::change(F56), routes!(put_holidays))
        .on(Gate::change(F56), routes!(remove))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    limit: Option<u16>,
    cursor: Option<String>,
}

/// Lists calendars by name.
#[utoipa::path(get, path = "/calendars", tag = "calendars", params(ListQuery), responses((status = 200, body = Page<CalendarView>), (status = 400, body = Problem)))]
async fn list(
    State(service): State<Shared>,
    who: Principal,
    Query(query): Query<ListQuery>,
) -> Result<axum::Json<Page<CalendarView>>, Problem> {
    let limit = limit(query.limit)?;
    let after: Option<String> = cursor(query.cursor.as_deref(), "calendars")?;
    let rows = store::list(&service.pool, who.tenant, after, limit).await?;
    Ok(axum::Json(Page::of(rows, limit, "calendars", |row| row.calendar.name.clone())))
}

/// Shows a calendar with its holidays.
#[utoipa::path(get, path = "/calendars/{id}", tag = "calendars", params(("id" = Uuid, Path)), responses((status = 200, body = CalendarView), (status = 404, body = Problem)))]
async fn read(State(service): State<Shared>, who: Principal, At(id): At<Uuid>) -> Result<Tagged<CalendarView>, Problem> {
    let mut connection = service.pool.acquire().await?;
    Ok(Tagged(fetch(&mut connection, who.tenant, id).await?))
}

/// Adds a calendar.
#[utoipa::path(post, path = "/calendars", tag = "calendars", request_body = CalendarInput,
    responses((status = 201, body = CalendarView), (status = 409, body = Problem), (status = 422, body = Problem)))]
async fn add(mut work: Work, Json(input): Json<CalendarInput>) -> Result<Created<CalendarView>, Problem> {
    let tenant = work.who.tenant;
    let row = create(&mut work, tenant, input).await?;
    Ok(Created { location: format!("/api/v1/calendars/{}", row.id), row })
}

/// Changes a calendar; every SLA clock that stands on it is reckoned anew.
#[utoipa::path(patch, path = "/calendars/{id}", tag = "calendars", params(("id" = Uuid, Path)), request_body(content = CalendarInput, content_type = "application/merge-patch+json"),
    responses((status = 200, body = CalendarView), (status = 404, body = Problem), (status = 412, body = Problem), (status = 422, body = Problem)))]
async fn change(mut work: Work, At(id): At<Uuid>, seen: IfMatch, Json(patch): Json<Value>) -> Result<Tagged<CalendarView>, Problem> {
    let tenant = work.who.tenant;
    let current = store::lock(&mut work, tenant, id, seen).await?;
    let whole: CalendarInput = merge(&current.calendar, &patch)?;
    Ok(Tagged(store::update(&mut work, tenant, id, whole).await?))
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Holidays {
    holidays: Vec<HolidayInput>,
}

/// Says all holidays of a calendar at once.
#[utoipa::path(put, path = "/calendars/{id}/holidays", tag = "calendars", params(("id" = Uuid, Path)), request_body = Holidays,
    responses((status = 200, body = CalendarView), (status = 404, body = Problem), (status = 412, body = Problem), (status = 422, body = Problem)))]
async fn put_holidays(
    mut work: Work,
    At(id): At<Uuid>,
    seen: IfMatch,
    Json(input): Json<Holidays>,
) -> Result<Tagged<CalendarView>, Problem> {
    let tenant = work.who.tenant;
    let current = store::lock(&mut work, tenant, id, seen).await?;
    let whole = CalendarInput { holidays: input.holidays, ..current.calendar };
    Ok(Tagged(store::update(&mut work, tenant, id, whole).await?))
}

/// Archives a calendar that no SLA policy uses.
#[utoipa::path(delete, path = "/calendars/{id}", tag = "calendars", params(("id" = Uuid, Path)), responses((status = 204), (status = 404, body = Problem), (status = 409, body = Problem), (status = 412, body = Problem)))]
async fn remove(mut work: Work, At(id): At<Uuid>, seen: IfMatch) -> Result<StatusCode, Problem> {
    let tenant = work.who.tenant;
    store::lock(&mut work, tenant, id, seen).await?;
    store::archive(&mut work, tenant, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
