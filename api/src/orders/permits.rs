//! Permits to work, thin: kind, status, validity. Work starts and goes on only while they are issued and valid.

use super::{fetch, lock, only_assigned};
use crate::{
    extract::{At, IfMatch, Json, merge},
    gate::{Gate, Principal},
    problem::Problem,
    respond::{Created, Tagged, Versioned},
    routes::Routes,
    service::Shared,
    work::Work,
};
use axum::extract::State;
use chrono::{DateTime, Utc};
use dcmms_schemas::access::{
    Feature::{F01, F63},
    Letter,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::PgConnection;
use utoipa::ToSchema;
use utoipa_axum::routes;
use uuid::Uuid;

pub(crate) const KINDS: [&str; 7] = ["LOTO", "hot_work", "confined_space", "height", "electrical_HV", "excavation", "crane"];
const STATUSES: [&str; 8] = ["required", "requested", "under_review", "issued", "suspended", "closed", "expired", "revoked"];

pub(super) fn routes() -> Routes {
    Routes::new().on(Gate::read(F01), routes!(list)).on(Gate::create(F63), routes!(add)).on(Gate::change(F63), routes!(change))
}

#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PermitInput {
    /// `LOTO`, `hot_work`, `confined_space`, `height`, `electrical_HV`, `excavation` or `crane`.
    #[schema(example = "LOTO")]
    kind: String,
    /// `required`, `requested`, `under_review`, `issued`, `suspended`, `closed`, `expired` or `revoked`.
    #[serde(default = "required")]
    status: String,
    #[serde(default)]
    valid_from: Option<DateTime<Utc>>,
    #[serde(default)]
    valid_to: Option<DateTime<Utc>>,
    #[serde(default)]
    hazards: String,
}

fn required() -> String {
    "required".into()
}

#[derive(Clone, Debug, Serialize, sqlx::FromRow, ToSchema)]
pub struct PermitView {
    pub id: Uuid,
    pub kind: String,
    pub status: String,
    pub valid_from: Option<DateTime<Utc>>,
    pub valid_to: Option<DateTime<Utc>>,
    /// Who issued it.
    pub issuer: Option<String>,
    pub hazards: String,
    pub version: i64,
    pub updated_at: DateTime<Utc>,
}

impl Versioned for PermitView {
    fn version(&self) -> i64 {
        self.version
    }
}

pub(super) async fn of_order(connection: &mut PgConnection, order: Uuid) -> Result<Vec<PermitView>, Problem> {
    Ok(sqlx::query_as::<_, PermitView>(include_str!("../../queries/permits_list.sql")).bind(order).fetch_all(connection).await?)
}

/// Lists the permits of an order.
#[utoipa::path(get, path = "/work-orders/{id}/permits", tag = "permits", params(("id" = Uuid, Path)), responses((status = 200, body = Vec<PermitView>), (status = 404, body = Problem)))]
async fn list(State(service): State<Shared>, who: Principal, At(id): At<Uuid>) -> Result<axum::Json<Vec<PermitView>>, Problem> {
    let mut connection = service.pool.acquire().await?;
    fetch(&mut connection, who.tenant, id, only_assigned(&who)).await?;
    Ok(axum::Json(of_order(&mut connection, id).await?))
}

/// Enters a permit. Only who has full access to permits issues them.
#[utoipa::path(post, path = "/work-orders/{id}/permits", tag = "permits", params(("id" = Uuid, Path)), request_body = PermitInput,
    responses((status = 201, body = PermitView), (status = 404, body = Problem), (status = 422, body = Problem)))]
async fn add(
    State(service): State<Shared>,
    mut work: Work,
    At(id): At<Uuid>,
    Json(input): Json<PermitInput>,
) -> Result<Created<PermitView>, Problem> {
    let who = work.who.clone();
    check(&input, &who)?;
    let order = lock(&mut work, who.tenant, id, None).await?;
    if order.stage()?.is_final() {
        return Err(Problem::guard("wo.permit.guard", "order_open", format!("{} is {}", order.number, order.status), "The order is over."));
    }
    let row = sqlx::query_as::<_, PermitView>(include_str!("../../queries/permit_create.sql"))
        .bind(id)
        .bind(input.kind)
        .bind(&input.status)
        .bind(input.valid_from)
        .bind(input.valid_to)
        .bind((input.status == "issued").then_some(who.name))
        .bind(input.hazards)
        .bind(service.now())
        .fetch_one(&mut *work)
        .await?;
    Ok(Created { location: format!("/api/v1/work-orders/{id}/permits/{}", row.id), row })
}

/// Changes a permit: requests, issues, suspends or closes it.
#[utoipa::path(patch, path = "/work-orders/{id}/permits/{permit}", tag = "permits", params(("id" = Uuid, Path), ("permit" = Uuid, Path)),
    request_body(content = PermitInput, content_type = "application/merge-patch+json"),
    responses((status = 200, body = PermitView), (status = 404, body = Problem), (status = 412, body = Problem), (status = 422, body = Problem)))]
async fn change(
    State(service): State<Shared>,
    mut work: Work,
    At((order, id)): At<(Uuid, Uuid)>,
    seen: IfMatch,
    Json(patch): Json<Value>,
) -> Result<Tagged<PermitView>, Problem> {
    let who = work.who.clone();
    lock(&mut work, who.tenant, order, None).await?;
    let permits = of_order(&mut work, order).await?;
    let row = permits.into_iter().find(|permit| permit.id == id).ok_or_else(|| Problem::not_found("permit", id))?;
    seen.check(row.version)?;
    let before = PermitInput {
        kind: row.kind,
        status: row.status.clone(),
        valid_from: row.valid_from,
        valid_to: row.valid_to,
        hazards: row.hazards,
    };
    let after: PermitInput = merge(&before, &patch)?;
    check(&after, &who)?;
    let issuer = if after.status == "issued" && row.status != "issued" { Some(who.name) } else { row.issuer };
    let row = sqlx::query_as::<_, PermitView>(include_str!("../../queries/permit_change.sql"))
        .bind(order)
        .bind(id)
        .bind(after.kind)
        .bind(after.status)
        .bind(after.valid_from)
        .bind(after.valid_to)
        .bind(issuer)
        .bind(after.hazards)
        .bind(service.now())
        .fetch_one(&mut *work)
        .await?;
    Ok(Tagged(row))
}

fn check(input: &PermitInput, who: &Principal) -> Result<(), Problem> {
    if !KINDS.contains(&input.kind.as_str()) {
        return Err(Problem::field("/kind", "bad_value", format!("a permit is one of {}, not {:?}", KINDS.join(", "), input.kind)));
    }
    if !STATUSES.contains(&input.status.as_str()) {
        return Err(Problem::field("/status", "bad_value", format!("status is one of {}, not {:?}", STATUSES.join(", "), input.status)));
    }
    if input.valid_from.zip(input.valid_to).is_some_and(|(from, to)| to <= from) {
        return Err(Problem::field("/valid_to", "out_of_order", "validity ends after it begins"));
    }
    if input.status == "issued" && input.valid_to.is_none() {
        return Err(Problem::field("/valid_to", "missing", "a permit is issued until some time"));
    }
    if input.status == "issued" && who.letter != Letter::Full {
        return Err(Problem::forbidden("your role may ask for permits, but not issue them"));
    }
    Ok(())
}
