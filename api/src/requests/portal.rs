//! The portal: whoever stands before a machine scans its code and says what is wrong, without an account.
//!
//! The token on the label names one position of one tenant and opens nothing else. It is no secret, so it can be printed again; it can
//! be taken back, and how often it is used in an hour is bounded.

use super::{RequestInput, RequestView};
use crate::{
    extract::{At, Json},
    gate::Gate,
    problem::Problem,
    resource::{Find, Nothing, Refusals, next_number},
    routes::Routes,
    service::Shared,
    work::Work,
};
use axum::{extract::State, http::StatusCode};
use chrono::{DateTime, Utc};
use dcmms_schemas::access::Feature::F16;
use rand::{Rng, distr::Alphanumeric};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::routes;
use uuid::Uuid;

/// Requests that one label takes in an hour; the next one is asked to come back later.
const PER_HOUR_MAX: i64 = 20;
/// Letters of a token: 190 bits.
const TOKEN_LETTERS: usize = 32;

pub(super) fn routes() -> Routes {
    Routes::new().on(Gate::open(), routes!(show)).on(Gate::open(), routes!(ask)).on(Gate::create(F16).full(), routes!(make))
}

/// What a label opens.
#[derive(Clone, Debug, Serialize, sqlx::FromRow, ToSchema)]
struct PortalToken {
    /// `POST /api/v1/portal/{token}/requests`.
    token: String,
    position: Uuid,
    created_at: DateTime<Utc>,
}

/// Makes the portal token of a position; the one before it opens nothing any more.
#[utoipa::path(post, path = "/positions/{id}/portal-token", tag = "requests", params(("id" = Uuid, Path)), request_body = Nothing,
    responses((status = 201, body = PortalToken), (status = 404, body = Problem)))]
async fn make(
    State(service): State<Shared>,
    mut work: Work,
    At(id): At<Uuid>,
    Json(_said): Json<Nothing>,
) -> Result<(StatusCode, axum::Json<PortalToken>), Problem> {
    let tenant = work.who.tenant;
    crate::positions::fetch(&mut work, tenant, id).await?;
    let token: String = rand::rng().sample_iter(Alphanumeric).take(TOKEN_LETTERS).map(char::from).collect();
    sqlx::query(include_str!("../../queries/portal_token_revoke.sql")).bind(id).bind(service.now()).execute(&mut *work).await?;
    let row = sqlx::query_as(include_str!("../../queries/portal_token_create.sql")).bind(token).bind(tenant).bind(id).bind(service.now());
    Ok((StatusCode::CREATED, axum::Json(row.fetch_one(&mut *work).await?)))
}

/// The place that a label stands at, as far as a passer-by may know.
#[derive(Clone, Debug, Serialize, sqlx::FromRow, ToSchema)]
struct PortalPlace {
    #[schema(example = "Rajasthan 1")]
    site: String,
    #[schema(example = "B03/INV07")]
    position: String,
    #[schema(example = "Inverter 7 of block 3")]
    name: String,
    #[serde(skip)]
    tenant_id: Uuid,
    #[serde(skip)]
    site_id: Uuid,
    #[serde(skip)]
    position_id: Uuid,
    #[serde(skip)]
    asked_last_hour: i64,
}

async fn place(connection: &mut sqlx::PgConnection, token: &str, now: DateTime<Utc>) -> Result<PortalPlace, Problem> {
    let row = sqlx::query_as(include_str!("../../queries/portal_place.sql")).bind(token).bind(now).fetch_optional(connection).await?;
    row.ok_or_else(|| Problem::not_found("portal", "with this token"))
}

/// Shows which place a label stands at.
#[utoipa::path(get, path = "/portal/{token}", tag = "requests", params(("token" = String, Path)), responses((status = 200, body = PortalPlace), (status = 404, body = Problem)))]
async fn show(State(service): State<Shared>, At(token): At<String>) -> Result<axum::Json<PortalPlace>, Problem> {
    let mut connection = service.pool.acquire().await?;
    Ok(axum::Json(place(&mut connection, &token, service.now()).await?))
}

/// What a passer-by says.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PortalInput {
    #[schema(example = "Loud fan")]
    title: String,
    #[serde(default)]
    text: String,
    #[serde(default)]
    reporter: String,
    #[serde(default)]
    contact: String,
}

/// That it arrived, and how it is called.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct PortalReceipt {
    #[schema(example = "SR-2026-000017")]
    number: String,
}

/// Asks for something at the place of a label.
#[utoipa::path(post, path = "/portal/{token}/requests", tag = "requests", params(("token" = String, Path)), request_body = PortalInput,
    responses((status = 201, body = PortalReceipt), (status = 404, body = Problem), (status = 422, body = Problem), (status = 429, body = Problem)))]
async fn ask(
    State(service): State<Shared>,
    At(token): At<String>,
    Json(input): Json<PortalInput>,
) -> Result<(StatusCode, axum::Json<PortalReceipt>), Problem> {
    let now = service.now();
    let mut transaction = service.pool.begin().await?;
    // One after the other per label, so that the bound holds.
    sqlx::query(include_str!("../../queries/portal_token_hold.sql")).bind(&token).execute(&mut *transaction).await?;
    let place = place(&mut transaction, &token, now).await?;
    if place.asked_last_hour >= PER_HOUR_MAX {
        let mut problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, "rate-limited", "rate_limited", "Too many requests from this label");
        problem.retry_after = Some(600);
        return Err(problem.detail("somebody will look at those that came; try again later or call"));
    }
    let whole = RequestInput {
        title: input.title,
        text: input.text,
        site: place.site_id,
        position: Some(place.position_id),
        priority: None,
        reporter: if input.reporter.trim().is_empty() { "somebody at the machine".into() } else { input.reporter },
        contact: input.contact,
    };
    whole.faults().result()?;
    let number = next_number(&mut transaction, place.tenant_id, "SR", now).await?;
    let row = sqlx::query_scalar::<_, Uuid>(include_str!("../../queries/portal_request_create.sql")).bind(place.tenant_id).bind(number);
    let row = row.bind(&whole.title).bind(&whole.text).bind(whole.site).bind(whole.position).bind(&whole.reporter).bind(&whole.contact);
    let id = row.bind(now).fetch_one(&mut *transaction).await.refused("service_requests")?;
    let number = RequestView::find(&mut transaction, place.tenant_id, id).await?.number;
    transaction.commit().await?;
    Ok((StatusCode::CREATED, axum::Json(PortalReceipt { number })))
}
