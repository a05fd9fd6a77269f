//! People.

use super::{TENANT_DEFAULT, password};
use crate::{
    extract::{At, IfMatch, Json, Page, Query, cursor, limit, merge},
    gate::Principal,
    problem::{FieldError, Problem},
    respond::{Created, Tagged, Versioned},
    service::Shared,
    work::Work,
};
use axum::extract::State;
use chrono::{DateTime, Utc};
use dcmms_schemas::access::Role;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::{PgConnection, PgPool};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct UserInput {
    #[schema(example = "asha@example.com")]
    email: String,
    #[schema(example = "Asha Rao")]
    name: String,
    #[schema(value_type = String, example = "plant_manager")]
    role: Role,
    /// At least twelve characters.
    #[schema(example = "correct horse battery")]
    password: String,
}

/// What of a user can be changed.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct UserPatch {
    name: String,
    #[schema(value_type = String)]
    role: Role,
    /// `active`, `locked` or `disabled`.
    status: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    password: Option<String>,
}

#[derive(Clone, Debug, Serialize, sqlx::FromRow, ToSchema)]
pub struct UserView {
    pub id: Uuid,
    pub email: String,
    pub name: String,
    pub role: String,
    pub status: String,
    pub version: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl Versioned for UserView {
    fn version(&self) -> i64 {
        self.version
    }
}

/// An account could not be made.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    #[error("{0}")]
    Refused(String),
    #[error("write the account")]
    Store(#[from] sqlx::Error),
}

/// Makes the first administrator of an installation, or refuses with a sentence.
pub async fn create_admin(pool: &PgPool, email: &str, password: &str) -> Result<UserView, AccountError> {
    let mut connection = pool.acquire().await?;
    create_user(&mut connection, email, "Administrator", Role::TenantAdmin, password).await.map_err(refused)
}

fn refused(problem: Problem) -> AccountError {
    AccountError::Refused(problem.detail.unwrap_or(problem.title))
}

/// Makes a user of the default tenant; for `dcmms init` and the seed.
pub async fn create_user(connection: &mut PgConnection, email: &str, name: &str, role: Role, password: &str) -> Result<UserView, Problem> {
    let input = UserInput { email: email.into(), name: name.into(), role, password: password.into() };
    insert(connection, TENANT_DEFAULT, input).await
}

async fn insert(connection: &mut PgConnection, tenant: Uuid, input: UserInput) -> Result<UserView, Problem> {
    let email = input.email.trim().to_lowercase();
    let mut errors: Vec<FieldError> = password::check(&input.password, "/password").err().into_iter().collect();
    if !email.contains('@') || email.len() > 254 || email.contains(char::is_whitespace) {
        errors.push(FieldError::new("/email", "bad_email", format!("{email:?} is not an e-mail address")));
    }
    if input.name.trim().is_empty() || input.name.len() > 200 {
        errors.push(FieldError::new("/name", "length", "a name has 1 to 200 characters"));
    }
    if !errors.is_empty() {
        return Err(Problem::invalid(errors));
    }
    let hash = password::hash(input.password).await?;
    let user = sqlx::query_as::<_, UserView>(include_str!("../../queries/user_create.sql"))
        .bind(tenant)
        .bind(&email)
        .bind(input.name.trim())
        .bind(input.role.name())
        .bind(hash)
        .fetch_optional(connection)
        .await?;
    user.ok_or_else(|| Problem::conflict("email_taken", format!("there is already a user {email}")))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListQuery {
    limit: Option<u16>,
    cursor: Option<String>,
}

/// Lists users by e-mail address.
#[utoipa::path(get, path = "/users", tag = "users", params(ListQuery), responses((status = 200, body = Page<UserView>), (status = 400, body = Problem)))]
pub(super) async fn list(
    State(service): State<Shared>,
    who: Principal,
    Query(query): Query<ListQuery>,
) -> Result<axum::Json<Page<UserView>>, Problem> {
    let limit = limit(query.limit)?;
    let after: Option<String> = cursor(query.cursor.as_deref(), "users")?;
    let rows = sqlx::query_as::<_, UserView>(include_str!("../../queries/users_list.sql"))
        .bind(who.tenant)
        .bind(after)
        .bind(i64::from(limit) + 1)
        .fetch_all(&service.pool)
        .await?;
    Ok(axum::Json(Page::of(rows, limit, "users", |row| row.email.clone())))
}

/// Shows a user.
#[utoipa::path(get, path = "/users/{id}", tag = "users", params(("id" = Uuid, Path)), responses((status = 200, body = UserView), (status = 404, body = Problem)))]
pub(super) async fn read(State(service): State<Shared>, who: Principal, At(id): At<Uuid>) -> Result<Tagged<UserView>, Problem> {
    let user =
        sqlx::query_as::<_, UserView>(include_str!("../../queries/user_read.sql")).bind(who.tenant).bind(id).fetch_optional(&service.pool);
    Ok(Tagged(user.await?.ok_or_else(|| Problem::not_found("user", id))?))
}

/// Makes a user who can sign in at once.
#[utoipa::path(post, path = "/users", tag = "users", request_body = UserInput,
    responses((status = 201, body = UserView), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(super) async fn create(mut work: Work, Json(input): Json<UserInput>) -> Result<Created<UserView>, Problem> {
    let tenant = work.who.tenant;
    let row = insert(&mut work, tenant, input).await?;
    Ok(Created { location: format!("/api/v1/users/{}", row.id), row })
}

/// Changes a user. A new role, status or password ends the user's sessions.
#[utoipa::path(patch, path = "/users/{id}", tag = "users", params(("id" = Uuid, Path)), request_body(content = UserPatch, content_type = "application/merge-patch+json"),
    responses((status = 200, body = UserView), (status = 404, body = Problem), (status = 412, body = Problem), (status = 422, body = Problem)))]
pub(super) async fn change(mut work: Work, At(id): At<Uuid>, seen: IfMatch, Json(patch): Json<Value>) -> Result<Tagged<UserView>, Problem> {
    let who = work.who.clone();
    let current = sqlx::query_as::<_, UserView>(include_str!("../../queries/user_lock.sql"))
        .bind(who.tenant)
        .bind(id)
        .fetch_optional(&mut *work)
        .await?
        .ok_or_else(|| Problem::not_found("user", id))?;
    seen.check(current.version)?;
    let role: Role = current.role.parse().map_err(|_| Problem::internal())?;
    let whole = merge(&UserPatch { name: current.name, role, status: current.status, password: None }, &patch)?;
    if !["active", "locked", "disabled"].contains(&whole.status.as_str()) {
        return Err(Problem::field("/status", "bad_value", format!("status is active, locked or disabled, not {:?}", whole.status)));
    }
    if id == who.id && (whole.role != role || whole.status != "active") {
        return Err(Problem::conflict(
            "own_account",
            "nobody changes their own role or status: the last administrator could lock everyone out",
        ));
    }
    let hash = match whole.password {
        Some(password) => {
            password::check(&password, "/password").map_err(|error| Problem::invalid(vec![error]))?;
            Some(password::hash(password).await?)
        }
        None => None,
    };
    let user = sqlx::query_as::<_, UserView>(include_str!("../../queries/user_change.sql"))
        .bind(id)
        .bind(whole.name)
        .bind(whole.role.name())
        .bind(whole.status)
        .bind(hash)
        .fetch_one(&mut *work)
        .await?;
    Ok(Tagged(user))
}
