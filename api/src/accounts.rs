//! Who people and machines are: passwords, sessions, keys.

mod keys;
mod password;
mod secret;
mod session;
mod users;

pub use keys::{ApiKeyIssued, ApiKeyView};
pub use session::LoginView;
pub use users::{AccountError, UserView, create_admin, create_user};

use crate::{
    gate::{Bearer, Gate, Principal},
    problem::Problem,
    routes::Routes,
    service::Shared,
};
use axum::http::{HeaderMap, header};
use dcmms_schemas::access::{
    Feature::{F70, F71},
    Letter, Role,
};
use utoipa_axum::routes;
use uuid::Uuid;

/// The tenant of an installation that has one.
pub const TENANT_DEFAULT: Uuid = Uuid::from_u128(0x0000_0000_0000_4000_8000_0000_0000_0001);

/// The cookie of a session.
pub(crate) const COOKIE: &str = "dcmms_session";

pub(crate) fn routes() -> Routes {
    Routes::new()
        .on(Gate::open(), routes!(session::login))
        .on(Gate::signed_in(), routes!(session::logout))
        .on(Gate::signed_in(), routes!(session::me))
        .on(Gate::read(F71), routes!(keys::list))
        .on(Gate::create(F71), routes!(keys::create))
        .on(Gate::change(F71), routes!(keys::revoke))
        .on(Gate::read(F70), routes!(users::list))
        .on(Gate::read(F70), routes!(users::read))
        .on(Gate::create(F70).full(), routes!(users::create))
        .on(Gate::change(F70).full(), routes!(users::change))
}

#[derive(sqlx::FromRow)]
struct Known {
    tenant_id: Uuid,
    id: Uuid,
    name: String,
    role: String,
}

/// Finds out who sent a request.
pub(crate) async fn authenticate(service: &Shared, headers: &HeaderMap) -> Result<Principal, Problem> {
    let token =
        token_of(headers).ok_or_else(|| Problem::unauthenticated("send the cookie of a session or Authorization: Bearer <token>"))?;
    let (bearer, query) = match token.starts_with(secret::KEY_PREFIX) {
        true => (Bearer::Key, include_str!("../queries/api_key_use.sql")),
        false => (Bearer::User, include_str!("../queries/session_use.sql")),
    };
    let known = sqlx::query_as::<_, Known>(query)
        .bind(secret::sha256(token))
        .bind(service.limits.session_idle_s as f64)
        .fetch_optional(&service.pool)
        .await?
        .ok_or_else(|| Problem::unauthenticated("the token is unknown, has expired or was revoked; sign in again"))?;
    let role: Role = known.role.parse().map_err(|error| {
        tracing::error!(error, "role in the database is not one of ours");
        Problem::internal()
    })?;
    Ok(Principal { tenant: known.tenant_id, bearer, id: known.id, name: known.name, role, letter: Letter::None })
}

/// The bearer token, else the session's cookie.
fn token_of(headers: &HeaderMap) -> Option<&str> {
    if let Some(value) = headers.get(header::AUTHORIZATION) {
        let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
        return scheme.eq_ignore_ascii_case("bearer").then_some(token.trim());
    }
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    cookies.flat_map(|line| line.split(';')).find_map(|cookie| cookie.trim().strip_prefix(COOKIE)?.strip_prefix('='))
}
