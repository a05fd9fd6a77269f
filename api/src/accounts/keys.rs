//! Keys for machines.

use super::secret;
use crate::{
    extract::{At, IfMatch, Json, Page, Query, cursor, limit},
    gate::Principal,
    problem::Problem,
    respond::{Created, Remembered, Versioned},
    service::Shared,
    work::Work,
};
use axum::{
    Extension,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use chrono::{DateTime, Utc};
use dcmms_schemas::access::Role;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ApiKeyInput {
    #[schema(example = "gateway RJ01")]
    name: String,
    /// What it may do. Nobody gives away more than they have: only a tenant_admin chooses another role than their own.
    #[schema(value_type = String, example = "site_engineer")]
    role: Role,
    #[serde(default)]
    expires_at: Option<DateTime<Utc>>,
}

/// A key without its secret.
#[derive(Clone, Debug, Serialize, sqlx::FromRow, ToSchema)]
pub struct ApiKeyView {
    pub id: Uuid,
    pub name: String,
    pub role: String,
    /// How the secret begins.
    #[schema(example = "dck_3f9a1c")]
    pub prefix: String,
    pub expires_at: Option<DateTime<Utc>>,
    pub last_used_at: Option<DateTime<Utc>>,
    pub revoked_at: Option<DateTime<Utc>>,
    pub version: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl Versioned for ApiKeyView {
    fn version(&self) -> i64 {
        self.version
    }
}

/// A new key with its secret, which is shown once; a repeated request is answered without it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ApiKeyIssued {
    #[serde(flatten)]
    pub key: ApiKeyView,
    pub secret: Option<String>,
}

impl Versioned for ApiKeyIssued {
    fn version(&self) -> i64 {
        self.key.version
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListQuery {
    limit: Option<u16>,
    cursor: Option<String>,
}

/// Lists keys, newest first.
#[utoipa::path(get, path = "/api-keys", tag = "auth", params(ListQuery), responses((status = 200, body = Page<ApiKeyView>), (status = 400, body = Problem)))]
pub(super) async fn list(
    State(service): State<Shared>,
    who: Principal,
    Query(query): Query<ListQuery>,
) -> Result<axum::Json<Page<ApiKeyView>>, Problem> {
    let limit = limit(query.limit)?;
    let after: Option<(DateTime<Utc>, Uuid)> = cursor(query.cursor.as_deref(), "api-keys")?;
    let rows = sqlx::query_as::<_, ApiKeyView>(include_str!("../../queries/api_keys_list.sql"))
        .bind(who.tenant)
        .bind(after.map(|after| after.0))
        .bind(after.map(|after| after.1))
        .bind(i64::from(limit) + 1)
        .fetch_all(&service.pool)
        .await?;
    Ok(axum::Json(Page::of(rows, limit, "api-keys", |row| (row.created_at, row.id))))
}

/// Issues a key. Its secret is shown in this answer only.
#[utoipa::path(post, path = "/api-keys", tag = "auth", request_body = ApiKeyInput,
    responses((status = 201, body = ApiKeyIssued), (status = 403, body = Problem), (status = 422, body = Problem)))]
pub(super) async fn create(mut work: Work, Json(input): Json<ApiKeyInput>) -> Result<Response, Problem> {
    if input.role != work.who.role && work.who.role != Role::TenantAdmin {
        return Err(Problem::forbidden(format!("role {} issues keys of its own role only", work.who.role)));
    }
    if input.name.trim().is_empty() || input.name.len() > 200 {
        return Err(Problem::field("/name", "length", "a name has 1 to 200 characters"));
    }
    if input.expires_at.is_some_and(|at| at <= Utc::now()) {
        return Err(Problem::field("/expires_at", "past", "expires_at is in the past"));
    }
    let secret = secret::fresh(secret::KEY_PREFIX);
    let creator = (work.who.bearer == crate::gate::Bearer::User).then_some(work.who.id);
    let key = sqlx::query_as::<_, ApiKeyView>(include_str!("../../queries/api_key_create.sql"))
        .bind(work.who.tenant)
        .bind(input.name.trim())
        .bind(input.role.name())
        .bind(&secret[..10])
        .bind(secret::sha256(&secret))
        .bind(creator)
        .bind(input.expires_at)
        .fetch_one(&mut *work)
        .await?;
    let location = format!("/api/v1/api-keys/{}", key.id);
    let without = ApiKeyIssued { key: key.clone(), secret: None };
    let remembered = Remembered(serde_json::to_value(without).map_err(|_| Problem::internal())?);
    Ok((Extension(remembered), Created { location, row: ApiKeyIssued { key, secret: Some(secret) } }).into_response())
}

/// Revokes a key, at once and for good.
#[utoipa::path(delete, path = "/api-keys/{id}", tag = "auth", params(("id" = Uuid, Path)), responses((status = 204), (status = 404, body = Problem), (status = 412, body = Problem)))]
pub(super) async fn revoke(mut work: Work, At(id): At<Uuid>, seen: IfMatch) -> Result<StatusCode, Problem> {
    let tenant = work.who.tenant;
    let current = sqlx::query_scalar::<_, i64>(include_str!("../../queries/api_key_lock.sql"))
        .bind(tenant)
        .bind(id)
        .fetch_optional(&mut *work)
        .await?
        .ok_or_else(|| Problem::not_found("API key", id))?;
    seen.check(current)?;
    sqlx::query(include_str!("../../queries/api_key_revoke.sql")).bind(id).execute(&mut *work).await?;
    Ok(StatusCode::NO_CONTENT)
}
