//! Signing in and out.

use super::{COOKIE, password, secret};
use crate::{
    extract::Json,
    gate::{Bearer, Principal},
    problem::Problem,
    service::Shared,
};
use axum::{
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::IntoResponse,
};
use chrono::{DateTime, Utc};
use dcmms_schemas::access::{Feature, Letter};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;
use uuid::Uuid;

/// Failures within fifteen minutes after which an address is asked to wait.
const FAILURES_MAX: i64 = 10;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Login {
    #[schema(example = "planner@example.com")]
    email: String,
    #[schema(example = "correct horse battery")]
    password: String,
}

/// A session. The token is shown here only.
#[derive(Debug, Serialize, ToSchema)]
pub struct LoginView {
    /// For `Authorization: Bearer …`; browsers get it as a cookie.
    pub token: String,
    pub expires_at: DateTime<Utc>,
    pub user: Me,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Me {
    pub id: Uuid,
    /// E-mail address, or the name of a key.
    pub name: String,
    #[schema(example = "plant_manager")]
    pub role: &'static str,
    /// `user` or `key`.
    pub bearer: &'static str,
    /// What the role may do: full, limited, read, assigned or own, by feature; features it has no part in are left out.
    #[schema(value_type = BTreeMap<String, String>, example = json!({"F01": "full", "F10": "read"}))]
    pub features: BTreeMap<String, Letter>,
}

impl Me {
    fn of(who: &Principal) -> Me {
        let letters = Feature::all().map(|feature| (feature.code(), feature.letter(who.role)));
        let bearer = if who.bearer == Bearer::User { "user" } else { "key" };
        Me {
            id: who.id,
            name: who.name.clone(),
            role: who.role.name(),
            bearer,
            features: letters.filter(|(_, letter)| *letter != Letter::None).collect(),
        }
    }
}

#[derive(sqlx::FromRow)]
struct Account {
    id: Uuid,
    tenant_id: Uuid,
    email: String,
    role: String,
    password_hash: String,
}

/// Signs in. The answer, and the time it takes, are the same for an unknown address and a wrong password; after ten
/// failures within fifteen minutes an address has to wait.
#[utoipa::path(post, path = "/auth/login", tag = "auth", request_body = Login,
    responses((status = 200, body = LoginView), (status = 401, body = Problem), (status = 429, body = Problem)))]
pub(super) async fn login(State(service): State<Shared>, Json(login): Json<Login>) -> Result<impl IntoResponse, Problem> {
    let email = login.email.trim().to_lowercase();
    refuse_guessing(&service, &email).await?;
    let account =
        sqlx::query_as::<_, Account>(include_str!("../../queries/login_account.sql")).bind(&email).fetch_optional(&service.pool).await?;
    let kept = account.as_ref().map(|account| account.password_hash.clone());
    let matches = login.password.len() <= password::LENGTH_MAX && password::matches(login.password, kept).await?;
    let Some(account) = account.filter(|_| matches) else {
        sqlx::query(include_str!("../../queries/login_failed.sql")).bind(&email).execute(&service.pool).await?;
        return Err(Problem::unauthenticated("the address or the password is wrong"));
    };
    open(&service, account).await
}

async fn refuse_guessing(service: &Shared, email: &str) -> Result<(), Problem> {
    let failures =
        sqlx::query_scalar::<_, i64>(include_str!("../../queries/login_failures.sql")).bind(email).fetch_one(&service.pool).await?;
    if failures < FAILURES_MAX {
        return Ok(());
    }
    let mut problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, "rate-limited", "login_locked", "Too many failures")
        .detail("ten attempts to sign in have failed within fifteen minutes; wait, then try again");
    problem.retry_after = Some(15 * 60);
    Err(problem)
}

async fn open(service: &Shared, account: Account) -> Result<impl IntoResponse + use<>, Problem> {
    let token = secret::fresh(secret::SESSION_PREFIX);
    let expires_at = sqlx::query_scalar::<_, DateTime<Utc>>(include_str!("../../queries/session_open.sql"))
        .bind(secret::sha256(&token))
        .bind(account.id)
        .bind(service.limits.session_age_s as f64)
        .bind(&account.email)
        .fetch_one(&service.pool)
        .await?;
    let role = account.role.parse().map_err(|_| Problem::internal())?;
    let who =
        Principal { tenant: account.tenant_id, bearer: Bearer::User, id: account.id, name: account.email, role, letter: Letter::None };
    let cookie = cookie(&token, service.limits.session_age_s)?;
    Ok(([(header::SET_COOKIE, cookie)], axum::Json(LoginView { token, expires_at, user: Me::of(&who) })))
}

fn cookie(token: &str, age_s: i64) -> Result<HeaderValue, Problem> {
    HeaderValue::try_from(format!("{COOKIE}={token}; Path=/; HttpOnly; SameSite=Lax; Max-Age={age_s}")).map_err(|_| Problem::internal())
}

/// Ends the session. A key cannot be signed out; it is revoked.
#[utoipa::path(post, path = "/auth/logout", tag = "auth", responses((status = 204), (status = 401, body = Problem)))]
pub(super) async fn logout(State(service): State<Shared>, who: Principal, headers: HeaderMap) -> Result<impl IntoResponse, Problem> {
    if who.bearer == Bearer::Key {
        return Err(Problem::conflict("not_a_session", "this is a key; DELETE /api/v1/api-keys/{id} revokes it"));
    }
    let token = super::token_of(&headers).unwrap_or_default();
    sqlx::query(include_str!("../../queries/session_close.sql")).bind(secret::sha256(token)).execute(&service.pool).await?;
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie("", 0)?)]))
}

/// Says who is asking and what they may do.
#[utoipa::path(get, path = "/me", tag = "auth", responses((status = 200, body = Me), (status = 401, body = Problem)))]
pub(super) async fn me(who: Principal) -> axum::Json<Me> {
    axum::Json(Me::of(&who))
}
