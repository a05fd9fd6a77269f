//! Who works on orders, and what they may do until when.

use crate::{
    extract::{At, IfMatch, Json, Page, Query, cursor, limit, merge},
    gate::{Gate, Principal},
    problem::Problem,
    respond::{Created, Tagged, Versioned},
    routes::Routes,
    service::Shared,
    work::Work,
};
use axum::{extract::State, http::StatusCode};
use chrono::{DateTime, NaiveDate, Utc};
use dcmms_schemas::access::Feature::{F04, F45};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::PgConnection;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;
use uuid::Uuid;

pub(crate) fn routes() -> Routes {
    Routes::new()
        .on(Gate::read(F04), routes!(list))
        .on(Gate::read(F04), routes!(read))
        .on(Gate::create(F45), routes!(add))
        .on(Gate::change(F45), routes!(change))
        .on(Gate::change(F45), routes!(remove))
}

/// A skill with its certificate, which counts on the days that it covers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Skill {
    #[schema(example = "HV switching")]
    pub skill: String,
    #[serde(default)]
    pub issuer: String,
    #[serde(default)]
    pub valid_from: Option<NaiveDate>,
    /// The last day on which it counts.
    #[serde(default)]
    pub valid_to: Option<NaiveDate>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, sqlx::FromRow, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TechnicianInput {
    #[schema(example = "Ana Rao")]
    pub name: String,
    /// The account they sign in with, if any.
    #[serde(default, rename = "user")]
    pub user_id: Option<Uuid>,
    #[serde(default)]
    pub phone: String,
    #[serde(default = "general")]
    #[schema(example = "electrical")]
    pub discipline: String,
    #[serde(default = "active")]
    pub active: bool,
    #[serde(default)]
    #[sqlx(json)]
    pub skills: Vec<Skill>,
}

fn general() -> String {
    "general".into()
}

const fn active() -> bool {
    true
}

#[derive(Clone, Debug, Serialize, sqlx::FromRow, ToSchema)]
pub struct TechnicianView {
    pub id: Uuid,
    #[serde(flatten)]
    #[sqlx(flatten)]
    pub technician: TechnicianInput,
    pub version: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl Versioned for TechnicianView {
    fn version(&self) -> i64 {
        self.version
    }
}

impl TechnicianInput {
    fn check(&self) -> Result<(), Problem> {
        if self.name.trim().is_empty() || self.name.len() > 200 {
            return Err(Problem::field("/name", "length", "a name has 1 to 200 characters"));
        }
        for (nth, skill) in self.skills.iter().enumerate() {
            if skill.skill.trim().is_empty() {
                return Err(Problem::field(format!("/skills/{nth}/skill"), "length", "a skill has a name"));
            }
            if skill.valid_from.zip(skill.valid_to).is_some_and(|(from, to)| to < from) {
                return Err(Problem::field(format!("/skills/{nth}/valid_to"), "out_of_order", "validity ends after it begins"));
            }
        }
        Ok(())
    }
}

/// The technician, if they exist.
pub async fn fetch(connection: &mut PgConnection, tenant: Uuid, id: Uuid) -> Result<TechnicianView, Problem> {
    let query = sqlx::query_as::<_, TechnicianView>(include_str!("../queries/technicians_list.sql"));
    let row = query.bind(tenant).bind(id).bind(None::<String>).bind(None::<Uuid>).bind(1_i64).fetch_optional(connection).await?;
    row.ok_or_else(|| Problem::not_found("technician", id))
}

/// Adds a technician with their skills.
pub async fn create(connection: &mut PgConnection, tenant: Uuid, input: TechnicianInput) -> Result<TechnicianView, Problem> {
    input.check()?;
    let id = sqlx::query_scalar::<_, Uuid>(include_str!("../queries/technician_create.sql"))
        .bind(tenant)
        .bind(input.user_id)
        .bind(&input.name)
        .bind(&input.phone)
        .bind(&input.discipline)
        .bind(input.active)
        .fetch_one(&mut *connection)
        .await?;
    skills(connection, id, &input.skills).await?;
    fetch(connection, tenant, id).await
}

async fn skills(connection: &mut PgConnection, id: Uuid, skills: &[Skill]) -> Result<(), Problem> {
    let names: Vec<_> = skills.iter().map(|skill| skill.skill.clone()).collect();
    let issuers: Vec<_> = skills.iter().map(|skill| skill.issuer.clone()).collect();
    let from: Vec<_> = skills.iter().map(|skill| skill.valid_from).collect();
    let to: Vec<_> = skills.iter().map(|skill| skill.valid_to).collect();
    let query = sqlx::query(include_str!("../queries/technician_skills_replace.sql"));
    query.bind(id).bind(names).bind(issuers).bind(from).bind(to).execute(connection).await?;
    Ok(())
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    limit: Option<u16>,
    cursor: Option<String>,
}

/// Lists technicians by name.
#[utoipa::path(get, path = "/technicians", tag = "people", params(ListQuery), responses((status = 200, body = Page<TechnicianView>)))]
async fn list(
    State(service): State<Shared>,
    who: Principal,
    Query(query): Query<ListQuery>,
) -> Result<axum::Json<Page<TechnicianView>>, Problem> {
    let limit = limit(query.limit)?;
    let after: Option<(String, Uuid)> = cursor(query.cursor.as_deref(), "technicians name")?;
    let (name, id) = after.unzip();
    let rows = sqlx::query_as::<_, TechnicianView>(include_str!("../queries/technicians_list.sql"))
        .bind(who.tenant)
        .bind(None::<Uuid>)
        .bind(name)
        .bind(id)
        .bind(i64::from(limit) + 1)
        .fetch_all(&service.pool)
        .await?;
    Ok(axum::Json(Page::of(rows, limit, "technicians name", |row| (row.technician.name.clone(), row.id))))
}

/// Shows a technician.
#[utoipa::path(get, path = "/technicians/{id}", tag = "people", params(("id" = Uuid, Path)), responses((status = 200, body = TechnicianView), (status = 404, body = Problem)))]
async fn read(State(service): State<Shared>, who: Principal, At(id): At<Uuid>) -> Result<Tagged<TechnicianView>, Problem> {
    let mut connection = service.pool.acquire().await?;
    Ok(Tagged(fetch(&mut connection, who.tenant, id).await?))
}

/// Adds a technician.
#[utoipa::path(post, path = "/technicians", tag = "people", request_body = TechnicianInput,
    responses((status = 201, body = TechnicianView), (status = 409, body = Problem), (status = 422, body = Problem)))]
async fn add(mut work: Work, Json(input): Json<TechnicianInput>) -> Result<Created<TechnicianView>, Problem> {
    let tenant = work.who.tenant;
    let row = create(&mut work, tenant, input).await?;
    Ok(Created { location: format!("/api/v1/technicians/{}", row.id), row })
}

/// Changes a technician; `skills` is replaced whole.
#[utoipa::path(patch, path = "/technicians/{id}", tag = "people", params(("id" = Uuid, Path)), request_body(content = TechnicianInput, content_type = "application/merge-patch+json"),
    responses((status = 200, body = TechnicianView), (status = 404, body = Problem), (status = 412, body = Problem), (status = 422, body = Problem)))]
async fn change(mut work: Work, At(id): At<Uuid>, seen: IfMatch, Json(patch): Json<Value>) -> Result<Tagged<TechnicianView>, Problem> {
    let tenant = work.who.tenant;
    let current = lock(&mut work, tenant, id, seen).await?;
    let whole: TechnicianInput = merge(&current.technician, &patch)?;
    whole.check()?;
    save(&mut work, id, &whole, None).await?;
    skills(&mut work, id, &whole.skills).await?;
    Ok(Tagged(fetch(&mut work, tenant, id).await?))
}

/// Archives a technician; orders go on naming them.
#[utoipa::path(delete, path = "/technicians/{id}", tag = "people", params(("id" = Uuid, Path)), responses((status = 204), (status = 404, body = Problem), (status = 412, body = Problem)))]
async fn remove(State(service): State<Shared>, mut work: Work, At(id): At<Uuid>, seen: IfMatch) -> Result<StatusCode, Problem> {
    let tenant = work.who.tenant;
    let current = lock(&mut work, tenant, id, seen).await?;
    save(&mut work, id, &current.technician, Some(service.now())).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn lock(connection: &mut PgConnection, tenant: Uuid, id: Uuid, seen: IfMatch) -> Result<TechnicianView, Problem> {
    let version = sqlx::query_scalar::<_, i64>(include_str!("../queries/technician_lock.sql")).bind(tenant).bind(id);
    let version = version.fetch_optional(&mut *connection).await?.ok_or_else(|| Problem::not_found("technician", id))?;
    seen.check(version)?;
    fetch(connection, tenant, id).await
}

async fn save(connection: &mut PgConnection, id: Uuid, input: &TechnicianInput, archived_at: Option<DateTime<Utc>>) -> Result<(), Problem> {
    sqlx::query(include_str!("../queries/technician_change.sql"))
        .bind(id)
        .bind(input.user_id)
        .bind(&input.name)
        .bind(&input.phone)
        .bind(&input.discipline)
        .bind(input.active)
        .bind(archived_at)
        .execute(connection)
        .await?;
    Ok(())
}
