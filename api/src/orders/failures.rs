//! Failure reports, coded by mode, mechanism and cause, and the catalogues of these codes.

use super::{fetch, only_assigned, tasks::open};
use crate::{
    extract::{At, Json, Query},
    gate::{Gate, Principal},
    problem::{FieldError, Problem},
    routes::Routes,
    service::Shared,
    work::Work,
};
use axum::{extract::State, http::StatusCode};
use chrono::{DateTime, Utc};
use dcmms_schemas::access::Feature::{F01, F08};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;
use uuid::Uuid;

pub(super) fn routes() -> Routes {
    Routes::new()
        .on(Gate::read(F01), routes!(read))
        .on(Gate::create(F08), routes!(report))
        .on(Gate::read(F01), routes!(modes))
        .on(Gate::read(F01), routes!(mechanisms))
        .on(Gate::read(F01), routes!(causes))
}

/// What failed, how, and why: three codes, never one free text.
#[derive(Clone, Debug, Serialize, Deserialize, sqlx::FromRow, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FailureInput {
    /// What was observed.
    #[schema(example = "OHE")]
    pub mode: String,
    /// How it failed; `unknown` is an answer.
    #[serde(default)]
    #[schema(example = "PV-FAN")]
    pub mechanism: Option<String>,
    /// Why; `under_investigation` is an answer if `cause_due` says until when.
    #[serde(default)]
    #[schema(example = "3")]
    pub cause: Option<String>,
    #[serde(default)]
    pub cause_due: Option<DateTime<Utc>>,
    /// How it came to notice.
    #[serde(default)]
    pub detection: String,
    #[serde(default)]
    pub note: String,
    pub failed_at: DateTime<Utc>,
    #[serde(default)]
    pub detected_at: Option<DateTime<Utc>>,
    #[serde(default)]
    pub restored_at: Option<DateTime<Utc>>,
}

#[derive(Clone, Debug, Serialize, sqlx::FromRow, ToSchema)]
pub struct FailureView {
    pub id: Uuid,
    #[serde(flatten)]
    #[sqlx(flatten)]
    pub report: FailureInput,
    pub reported_by: String,
    pub at: DateTime<Utc>,
}

pub(super) async fn of_order(connection: &mut PgConnection, order: Uuid) -> Result<Option<FailureView>, Problem> {
    Ok(sqlx::query_as::<_, FailureView>(include_str!("../../queries/failure_of_order.sql")).bind(order).fetch_optional(connection).await?)
}

/// Shows the failure report of an order: none or one.
#[utoipa::path(get, path = "/work-orders/{id}/failure-reports", tag = "work orders", params(("id" = Uuid, Path)), responses((status = 200, body = Vec<FailureView>), (status = 404, body = Problem)))]
async fn read(State(service): State<Shared>, who: Principal, At(id): At<Uuid>) -> Result<axum::Json<Vec<FailureView>>, Problem> {
    let mut connection = service.pool.acquire().await?;
    fetch(&mut connection, who.tenant, id, only_assigned(&who)).await?;
    Ok(axum::Json(of_order(&mut connection, id).await?.into_iter().collect()))
}

/// Reports the failure that an order repairs; reporting again replaces the report.
#[utoipa::path(post, path = "/work-orders/{id}/failure-reports", tag = "work orders", params(("id" = Uuid, Path)), request_body = FailureInput,
    responses((status = 201, body = FailureView), (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
async fn report(
    State(service): State<Shared>,
    mut work: Work,
    At(id): At<Uuid>,
    Json(input): Json<FailureInput>,
) -> Result<(StatusCode, axum::Json<FailureView>), Problem> {
    check(&mut work, &input, service.now()).await?;
    open(&service, &mut work, id, true).await?;
    let row = sqlx::query_as::<_, FailureView>(include_str!("../../queries/failure_save.sql"))
        .bind(id)
        .bind(input.mode)
        .bind(input.mechanism)
        .bind(input.cause)
        .bind(input.cause_due)
        .bind(input.detection)
        .bind(input.note)
        .bind(input.failed_at)
        .bind(input.detected_at)
        .bind(input.restored_at)
        .bind(work.who.name.clone())
        .bind(service.now())
        .fetch_one(&mut *work)
        .await?;
    Ok((StatusCode::CREATED, axum::Json(row)))
}

async fn check(connection: &mut PgConnection, input: &FailureInput, now: DateTime<Utc>) -> Result<(), Problem> {
    let query = sqlx::query_as::<_, (String, String)>(include_str!("../../queries/failure_codes_unknown.sql"));
    let unknown = query.bind(&input.mode).bind(&input.mechanism).bind(&input.cause).fetch_all(connection).await?;
    let mut errors: Vec<_> = unknown
        .into_iter()
        .map(|(kind, code)| {
            FieldError::new(format!("/{kind}"), "unknown_code", format!("{code:?} is not in the catalogue of failure {kind}s"))
        })
        .collect();
    for (pointer, at) in [("/failed_at", Some(input.failed_at)), ("/detected_at", input.detected_at), ("/restored_at", input.restored_at)] {
        if at.is_some_and(|at| at > now) {
            errors.push(FieldError::new(pointer, "in_future", "it has not happened yet"));
        }
        if at.is_some_and(|at| at < input.failed_at) {
            errors.push(FieldError::new(pointer, "out_of_order", "it follows the failure"));
        }
    }
    if errors.is_empty() { Ok(()) } else { Err(Problem::invalid(errors)) }
}

#[derive(Clone, Debug, Serialize, sqlx::FromRow, ToSchema)]
struct CodeView {
    #[schema(example = "PV-FAN")]
    code: String,
    name: String,
    /// Asset classes it is offered for; empty: all.
    classes: Vec<String>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct CodesQuery {
    /// Only codes that are offered for this asset class.
    #[serde(rename = "filter[class]")]
    #[param(rename = "filter[class]")]
    class: Option<String>,
}

async fn codes(service: &Shared, kind: &str, query: CodesQuery) -> Result<axum::Json<Vec<CodeView>>, Problem> {
    let rows = sqlx::query_as::<_, CodeView>(include_str!("../../queries/failure_codes_list.sql")).bind(kind).bind(query.class);
    Ok(axum::Json(rows.fetch_all(&service.pool).await?))
}

/// Lists failure modes: what was observed.
#[utoipa::path(get, path = "/failure-modes", tag = "catalogues", params(CodesQuery), responses((status = 200, body = Vec<CodeView>)))]
async fn modes(State(service): State<Shared>, Query(query): Query<CodesQuery>) -> Result<axum::Json<Vec<CodeView>>, Problem> {
    codes(&service, "mode", query).await
}

/// Lists failure mechanisms: how it failed.
#[utoipa::path(get, path = "/failure-mechanisms", tag = "catalogues", params(CodesQuery), responses((status = 200, body = Vec<CodeView>)))]
async fn mechanisms(State(service): State<Shared>, Query(query): Query<CodesQuery>) -> Result<axum::Json<Vec<CodeView>>, Problem> {
    codes(&service, "mechanism", query).await
}

/// Lists failure causes: why it failed.
#[utoipa::path(get, path = "/failure-causes", tag = "catalogues", params(CodesQuery), responses((status = 200, body = Vec<CodeView>)))]
async fn causes(State(service): State<Shared>, Query(query): Query<CodesQuery>) -> Result<axum::Json<Vec<CodeView>>, Problem> {
    codes(&service, "cause", query).await
}
