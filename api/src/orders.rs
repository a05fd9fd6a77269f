//! Work orders: eleven stages, guards, and everything recorded on the way.

pub mod failures;
pub mod permits;
pub mod tasks;

mod action;
mod actions;
mod comments;
mod facts;
mod row;
mod spent;
mod store;

pub use action::ActionInput;
pub use facts::approval_limit;
pub use row::{OrderInput, OrderView};
pub use store::{By, Cause, create, fetch, holds};

pub(crate) use action::act;
pub(crate) use comments::say;
pub(crate) use facts::engine;
pub(crate) use store::{lock, note, only_assigned, save};

use crate::{
    extract::{At, IfMatch, Json, Page, Query, commas, cursor, limit, merge},
    gate::{Gate, Principal},
    problem::Problem,
    respond::{Created, Tagged},
    routes::Routes,
    service::Shared,
    work::Work,
};
use axum::extract::State;
use chrono::{DateTime, Utc};
use dcmms_schemas::{
    access::{
        Feature::{F01, F02},
        Letter,
    },
    order::stage::Stage,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;
use uuid::Uuid;

pub(crate) fn routes() -> Routes {
    Routes::new()
        .on(Gate::read(F01), routes!(list))
        .on(Gate::read(F01), routes!(read))
        .on(Gate::create(F02), routes!(add))
        .on(Gate::change(F02), routes!(change))
        .on(Gate::read(F01), routes!(transitions))
        .merge(actions::routes())
        .merge(tasks::routes())
        .merge(spent::routes())
        .merge(failures::routes())
        .merge(permits::routes())
        .merge(comments::routes())
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// Stages, comma-separated.
    #[serde(rename = "filter[status]")]
    #[param(rename = "filter[status]")]
    status: Option<String>,
    /// Types, comma-separated.
    #[serde(rename = "filter[order_type]")]
    #[param(rename = "filter[order_type]")]
    order_type: Option<String>,
    /// Priorities, comma-separated.
    #[serde(rename = "filter[priority]")]
    #[param(rename = "filter[priority]")]
    priority: Option<String>,
    #[serde(rename = "filter[site]")]
    #[param(rename = "filter[site]")]
    site_id: Option<Uuid>,
    #[serde(rename = "filter[position]")]
    #[param(rename = "filter[position]")]
    position_id: Option<Uuid>,
    #[serde(rename = "filter[assignee]")]
    #[param(rename = "filter[assignee]")]
    assignee_id: Option<Uuid>,
    /// `manual`, `alarm`, `prediction`, `pm`, `request`, comma-separated.
    #[serde(rename = "filter[source]")]
    #[param(rename = "filter[source]")]
    source: Option<String>,
    /// The alarm, prediction, occurrence or request it came from.
    #[serde(rename = "filter[source_id]")]
    #[param(rename = "filter[source_id]")]
    source_id: Option<Uuid>,
    /// Part of the number or the title.
    q: Option<String>,
    limit: Option<u16>,
    cursor: Option<String>,
}

/// The key by which pages of orders follow one another.
const LIST: &str = "work-orders -created_at";

/// Lists work orders, newest first. Who sees only assigned work is shown only that.
#[utoipa::path(get, path = "/work-orders", tag = "work orders", params(ListQuery),
    responses((status = 200, body = Page<OrderView>), (status = 400, body = Problem)))]
async fn list(
    State(service): State<Shared>,
    who: Principal,
    Query(query): Query<ListQuery>,
) -> Result<axum::Json<Page<OrderView>>, Problem> {
    let limit = limit(query.limit)?;
    let status = commas(query.status.as_deref());
    if let Some(unknown) = status.iter().flatten().find(|status| Stage::of(status).is_none()) {
        return Err(Problem::malformed("bad_filter", format!("{unknown:?} is not a stage of work orders")));
    }
    let after: Option<(DateTime<Utc>, Uuid)> = cursor(query.cursor.as_deref(), LIST)?;
    let rows = sqlx::query_as::<_, OrderView>(include_str!("../queries/orders_list.sql"))
        .bind(who.tenant)
        .bind(status)
        .bind(commas(query.order_type.as_deref()))
        .bind(commas(query.priority.as_deref()))
        .bind(query.site_id)
        .bind(query.position_id)
        .bind(query.assignee_id)
        .bind(commas(query.source.as_deref()))
        .bind(query.source_id)
        .bind(query.q)
        .bind(only_assigned(&who))
        .bind(after.map(|(at, _)| at))
        .bind(after.map(|(_, id)| id))
        .bind(i64::from(limit) + 1)
        .fetch_all(&service.pool)
        .await?;
    Ok(axum::Json(Page::of(rows, limit, LIST, |row| (row.created_at, row.id))))
}

/// Shows a work order.
#[utoipa::path(get, path = "/work-orders/{id}", tag = "work orders", params(("id" = Uuid, Path)),
    responses((status = 200, body = OrderView), (status = 404, body = Problem)))]
async fn read(State(service): State<Shared>, who: Principal, At(id): At<Uuid>) -> Result<Tagged<OrderView>, Problem> {
    let mut connection = service.pool.acquire().await?;
    Ok(Tagged(fetch(&mut connection, who.tenant, id, only_assigned(&who)).await?))
}

/// Makes a draft.
#[utoipa::path(post, path = "/work-orders", tag = "work orders", request_body = OrderInput,
    responses((status = 201, body = OrderView), (status = 409, body = Problem), (status = 422, body = Problem)))]
async fn add(State(service): State<Shared>, mut work: Work, Json(input): Json<OrderInput>) -> Result<Created<OrderView>, Problem> {
    input.check()?;
    let who = work.who.clone();
    // Looked up so that a site of another tenant is no site.
    crate::sites::fetch(&mut work, who.tenant, input.site_id).await?;
    if input.onset.is_some_and(|onset| onset > service.now()) {
        return Err(Problem::field("/onset", "in_future", "the need has not arisen yet"));
    }
    let row = create(&mut work, who.tenant, &input, None, &By::person(&who), service.now()).await?;
    let row = row.ok_or_else(Problem::internal)?;
    Ok(Created { location: format!("/api/v1/work-orders/{}", row.id), row })
}

/// Changes what is said of an order, up to its approval all of it, later only text, skills, permits and the due date.
#[utoipa::path(patch, path = "/work-orders/{id}", tag = "work orders", params(("id" = Uuid, Path)),
    request_body(content = OrderInput, content_type = "application/merge-patch+json"),
    responses((status = 200, body = OrderView), (status = 404, body = Problem), (status = 409, body = Problem), (status = 412, body = Problem), (status = 422, body = Problem)))]
async fn change(
    State(service): State<Shared>,
    mut work: Work,
    At(id): At<Uuid>,
    seen: IfMatch,
    Json(patch): Json<Value>,
) -> Result<Tagged<OrderView>, Problem> {
    let who = work.who.clone();
    let mut row = lock(&mut work, who.tenant, id, only_assigned(&who)).await?;
    seen.check(row.version)?;
    let before = row.input();
    let after: OrderInput = merge(&before, &patch)?;
    after.check()?;
    may_change(&row, &before, &after, who.letter)?;
    let (status, now) = (row.status.clone(), service.now());
    row.take(after);
    row.touched_at.get_or_insert(now);
    save(&mut work, &mut row, now).await?;
    store::note(&mut work, &row, "edit", Some(&status), &By::person(&who), None, &patch, now).await?;
    Ok(Tagged(fetch(&mut work, who.tenant, id, None).await?))
}

/// What approvers and clocks relied on is not changed behind their backs.
fn may_change(row: &OrderView, before: &OrderInput, after: &OrderInput, letter: Letter) -> Result<(), Problem> {
    let stage = row.stage()?;
    if stage.is_final() {
        let needs = "An order that is closed is corrected; one that is cancelled stays as it is.";
        return Err(Problem::guard("wo.edit.guard", "order_open", format!("{} is {stage}", row.number), needs));
    }
    if letter != Letter::Full && stage != Stage::Draft {
        return Err(Problem::forbidden("your role may change drafts only"));
    }
    if before.site_id != after.site_id {
        return Err(Problem::field("/site", "fixed", "an order stays at its site; cancel it and make another"));
    }
    let fixed = [
        ("/order_type", before.order_type != after.order_type),
        ("/estimate_cost", before.estimate_cost != after.estimate_cost),
        ("/position", before.position_id != after.position_id),
        ("/onset", before.onset != after.onset),
    ];
    let changed = fixed.iter().find(|(_, changed)| *changed && !matches!(stage, Stage::Draft | Stage::Submitted));
    match changed {
        Some((pointer, _)) => Err(Problem::field(*pointer, "fixed", format!("it cannot change once the order is {stage}"))),
        None => Ok(()),
    }
}

/// One move of an order.
#[derive(Clone, Debug, Serialize, sqlx::FromRow, ToSchema)]
struct TransitionView {
    /// The order's version after it.
    version: i64,
    #[schema(example = "approve")]
    event: String,
    from_status: Option<String>,
    to_status: String,
    by_label: String,
    by_name: String,
    reason: Option<String>,
    detail: Value,
    at: DateTime<Utc>,
}

/// Shows every move of an order, oldest first.
#[utoipa::path(get, path = "/work-orders/{id}/transitions", tag = "work orders", params(("id" = Uuid, Path)),
    responses((status = 200, body = Vec<TransitionView>), (status = 404, body = Problem)))]
async fn transitions(State(service): State<Shared>, who: Principal, At(id): At<Uuid>) -> Result<axum::Json<Vec<TransitionView>>, Problem> {
    let mut connection = service.pool.acquire().await?;
    fetch(&mut connection, who.tenant, id, only_assigned(&who)).await?;
    let rows = sqlx::query_as::<_, TransitionView>(include_str!("../queries/order_transitions_list.sql")).bind(id);
    Ok(axum::Json(rows.fetch_all(&mut *connection).await?))
}
