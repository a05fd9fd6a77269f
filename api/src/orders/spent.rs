//! What an order cost: labour and parts.

use super::{fetch, only_assigned, tasks::open};
use crate::{
    extract::{At, Json},
    gate::{Gate, Principal},
    problem::Problem,
    routes::Routes,
    service::Shared,
    work::Work,
};
use axum::{extract::State, http::StatusCode};
use chrono::{DateTime, Utc};
use dcmms_schemas::access::Feature::{F01, F08};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::routes;
use uuid::Uuid;

pub(super) fn routes() -> Routes {
    Routes::new()
        .on(Gate::read(F01), routes!(labour))
        .on(Gate::create(F08), routes!(add_labour))
        .on(Gate::create(F08), routes!(start_labour))
        .on(Gate::create(F08), routes!(stop_labour))
        .on(Gate::read(F01), routes!(parts))
        .on(Gate::create(F08), routes!(add_part))
}

#[derive(Clone, Debug, Serialize, sqlx::FromRow, ToSchema)]
struct LabourView {
    id: Uuid,
    #[serde(rename = "technician")]
    technician_id: Option<Uuid>,
    person: String,
    activity: String,
    from_at: DateTime<Utc>,
    /// Null while its clock runs.
    to_at: Option<DateTime<Utc>>,
    /// `timer` or `manual`.
    source: String,
}

#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct LabourInput {
    /// Who worked; default: whoever says so.
    #[serde(default, rename = "technician")]
    technician_id: Option<Uuid>,
    /// `travel`, `work`, `wait` or `admin`.
    #[serde(default = "work")]
    activity: String,
    from_at: DateTime<Utc>,
    to_at: DateTime<Utc>,
}

fn work() -> String {
    "work".into()
}

/// Lists the labour of an order.
#[utoipa::path(get, path = "/work-orders/{id}/labour", tag = "work orders", params(("id" = Uuid, Path)), responses((status = 200, body = Vec<LabourView>), (status = 404, body = Problem)))]
async fn labour(State(service): State<Shared>, who: Principal, At(id): At<Uuid>) -> Result<axum::Json<Vec<LabourView>>, Problem> {
    let mut connection = service.pool.acquire().await?;
    fetch(&mut connection, who.tenant, id, only_assigned(&who)).await?;
    let rows = sqlx::query_as::<_, LabourView>(include_str!("../../queries/labour_list.sql")).bind(id).fetch_all(&mut *connection).await?;
    Ok(axum::Json(rows))
}

/// Records labour that is over.
#[utoipa::path(post, path = "/work-orders/{id}/labour", tag = "work orders", params(("id" = Uuid, Path)), request_body = LabourInput,
    responses((status = 201, body = LabourView), (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
async fn add_labour(
    State(service): State<Shared>,
    mut work: Work,
    At(id): At<Uuid>,
    Json(input): Json<LabourInput>,
) -> Result<(StatusCode, axum::Json<LabourView>), Problem> {
    if input.to_at <= input.from_at {
        return Err(Problem::field("/to_at", "out_of_order", "labour ends after it begins"));
    }
    if input.to_at > service.now() {
        return Err(Problem::field("/to_at", "in_future", "labour that is recorded is over; start a timer instead"));
    }
    open(&service, &mut work, id, true).await?;
    let (technician, person) = worker(&mut work, input.technician_id).await?;
    insert(&mut work, id, technician, person, &input.activity, input.from_at, Some(input.to_at), "manual").await
}

#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct TimerInput {
    #[serde(default, rename = "technician")]
    technician_id: Option<Uuid>,
    #[serde(default = "work")]
    activity: String,
}

/// Starts a labour clock; a technician has one at a time.
#[utoipa::path(post, path = "/work-orders/{id}/labour/actions/start", tag = "work orders", params(("id" = Uuid, Path)), request_body = TimerInput,
    responses((status = 201, body = LabourView), (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn start_labour(
    State(service): State<Shared>,
    mut work: Work,
    At(id): At<Uuid>,
    Json(input): Json<TimerInput>,
) -> Result<(StatusCode, axum::Json<LabourView>), Problem> {
    open(&service, &mut work, id, true).await?;
    let (technician, person) = worker(&mut work, input.technician_id).await?;
    insert(&mut work, id, technician, person, &input.activity, service.now(), None, "timer").await
}

/// Stops a labour clock.
#[utoipa::path(post, path = "/work-orders/{id}/labour/{entry}/actions/stop", tag = "work orders", params(("id" = Uuid, Path), ("entry" = Uuid, Path)),
    responses((status = 200, body = LabourView), (status = 404, body = Problem)))]
async fn stop_labour(
    State(service): State<Shared>,
    mut work: Work,
    At((id, entry)): At<(Uuid, Uuid)>,
) -> Result<axum::Json<LabourView>, Problem> {
    open(&service, &mut work, id, true).await?;
    let row = sqlx::query_as::<_, LabourView>(include_str!("../../queries/labour_stop.sql")).bind(id).bind(entry).bind(service.now());
    row.fetch_optional(&mut *work).await?.map(axum::Json).ok_or_else(|| Problem::not_found("running labour entry", entry))
}

/// The technician named, or whoever asks.
async fn worker(work: &mut Work, named: Option<Uuid>) -> Result<(Option<Uuid>, String), Problem> {
    let who = work.who.clone();
    match named {
        Some(id) => {
            let found = crate::technicians::fetch(work, who.tenant, id)
                .await
                .map_err(|_| Problem::field("/technician", "unknown", format!("technician {id} does not exist")))?;
            Ok((Some(id), found.technician.name))
        }
        None => {
            let own = sqlx::query_scalar::<_, Uuid>(include_str!("../../queries/technician_of_user.sql")).bind(who.id);
            Ok((own.fetch_optional(&mut **work).await?, who.name))
        }
    }
}

#[expect(clippy::too_many_arguments, reason = "one per column")]
async fn insert(
    work: &mut Work,
    order: Uuid,
    technician: Option<Uuid>,
    person: String,
    activity: &str,
    from: DateTime<Utc>,
    to: Option<DateTime<Utc>>,
    source: &str,
) -> Result<(StatusCode, axum::Json<LabourView>), Problem> {
    if !["travel", "work", "wait", "admin"].contains(&activity) {
        return Err(Problem::field("/activity", "bad_value", format!("activity is travel, work, wait or admin, not {activity:?}")));
    }
    let row = sqlx::query_as::<_, LabourView>(include_str!("../../queries/labour_create.sql"));
    let row = row.bind(order).bind(technician).bind(person).bind(activity).bind(from).bind(to).bind(source).fetch_one(&mut **work).await?;
    Ok((StatusCode::CREATED, axum::Json(row)))
}

#[derive(Clone, Debug, Serialize, sqlx::FromRow, ToSchema)]
struct PartView {
    id: Uuid,
    part: String,
    #[schema(value_type = String)]
    quantity: Decimal,
    #[schema(value_type = Option<String>)]
    unit_cost: Option<Decimal>,
    serial: Option<String>,
    at: DateTime<Utc>,
}

#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PartInput {
    #[schema(example = "Cabinet fan 24 V")]
    part: String,
    #[schema(value_type = String, example = "2")]
    quantity: Decimal,
    /// Needed before the order can be closed.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "35.50")]
    unit_cost: Option<Decimal>,
    #[serde(default)]
    serial: Option<String>,
}

/// Lists the parts used.
#[utoipa::path(get, path = "/work-orders/{id}/parts", tag = "work orders", params(("id" = Uuid, Path)), responses((status = 200, body = Vec<PartView>), (status = 404, body = Problem)))]
async fn parts(State(service): State<Shared>, who: Principal, At(id): At<Uuid>) -> Result<axum::Json<Vec<PartView>>, Problem> {
    let mut connection = service.pool.acquire().await?;
    fetch(&mut connection, who.tenant, id, only_assigned(&who)).await?;
    let rows = sqlx::query_as::<_, PartView>(include_str!("../../queries/parts_list.sql")).bind(id).fetch_all(&mut *connection).await?;
    Ok(axum::Json(rows))
}

/// Records a part used.
#[utoipa::path(post, path = "/work-orders/{id}/parts", tag = "work orders", params(("id" = Uuid, Path)), request_body = PartInput,
    responses((status = 201, body = PartView), (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
async fn add_part(
    State(service): State<Shared>,
    mut work: Work,
    At(id): At<Uuid>,
    Json(input): Json<PartInput>,
) -> Result<(StatusCode, axum::Json<PartView>), Problem> {
    if input.part.trim().is_empty() || input.part.len() > 200 {
        return Err(Problem::field("/part", "length", "a part has a name of 1 to 200 characters"));
    }
    if input.quantity <= Decimal::ZERO {
        return Err(Problem::field("/quantity", "out_of_range", "a quantity is above 0"));
    }
    open(&service, &mut work, id, true).await?;
    let row = sqlx::query_as::<_, PartView>(include_str!("../../queries/part_create.sql"));
    let row = row
        .bind(id)
        .bind(input.part)
        .bind(input.quantity)
        .bind(input.unit_cost)
        .bind(input.serial)
        .bind(service.now())
        .fetch_one(&mut *work)
        .await?;
    Ok((StatusCode::CREATED, axum::Json(row)))
}
