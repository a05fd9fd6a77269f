//! Classes of assets: what positions are for.

use crate::{
    check::Faults,
    extract::{At, IfMatch, Json, Page, Query, cursor, limit, merge},
    gate::{Gate, Principal},
    problem::Problem,
    respond::{Created, Tagged, Versioned},
    routes::Routes,
    service::Shared,
    work::Work,
};
use axum::{extract::State, http::StatusCode};
use chrono::{DateTime, Utc};
use dcmms_schemas::access::Feature::{F10, F11};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::PgConnection;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;
use uuid::Uuid;

pub(crate) fn routes() -> Routes {
    Routes::new()
        .on(Gate::read(F10), routes!(list))
        .on(Gate::read(F10), routes!(read))
        .on(Gate::create(F11), routes!(add))
        .on(Gate::change(F11), routes!(change))
        .on(Gate::change(F11), routes!(remove))
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, sqlx::FromRow, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ClassInput {
    /// As positions and rules name it; it stays.
    #[schema(example = "inverter")]
    pub code: String,
    #[schema(example = "Inverter")]
    pub name: String,
    /// Code of the class that it is a kind of.
    #[serde(default)]
    #[schema(example = json!(null))]
    pub parent: Option<String>,
    #[serde(default)]
    pub description: String,
}

#[derive(Clone, Debug, Serialize, sqlx::FromRow, ToSchema)]
pub struct ClassView {
    pub id: Uuid,
    #[serde(flatten)]
    #[sqlx(flatten)]
    pub class: ClassInput,
    pub version: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl Versioned for ClassView {
    fn version(&self) -> i64 {
        self.version
    }
}

/// Adds a class.
pub async fn create(connection: &mut PgConnection, tenant: Uuid, input: ClassInput) -> Result<ClassView, Problem> {
    check(&input)?;
    let row = sqlx::query_as(include_str!("../queries/class_create.sql"))
        .bind(tenant)
        .bind(&input.code)
        .bind(&input.name)
        .bind(&input.parent)
        .bind(&input.description)
        .fetch_optional(connection)
        .await?;
    row.ok_or_else(|| Problem::conflict("code_taken", format!("there is already an asset class {}", input.code)))
}

fn check(input: &ClassInput) -> Result<(), Problem> {
    let mut faults = Faults::new();
    faults.code("/code", &input.code, "-_.", 60);
    faults.name("/name", &input.name);
    faults.when(input.parent.as_ref() == Some(&input.code), "/parent", "cycle", "a class is not a kind of itself");
    faults.result()
}

async fn fetch(connection: &mut PgConnection, tenant: Uuid, id: Uuid) -> Result<ClassView, Problem> {
    let row = sqlx::query_as(include_str!("../queries/class_read.sql")).bind(tenant).bind(id).fetch_optional(connection).await?;
    row.ok_or_else(|| Problem::not_found("asset class", id))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    limit: Option<u16>,
    cursor: Option<String>,
}

/// Lists asset classes by code.
#[utoipa::path(get, path = "/asset-classes", tag = "assets", params(ListQuery), responses((status = 200, body = Page<ClassView>), (status = 400, body = Problem)))]
async fn list(
    State(service): State<Shared>,
    who: Principal,
    Query(query): Query<ListQuery>,
) -> Result<axum::Json<Page<ClassView>>, Problem> {
    let limit = limit(query.limit)?;
    let after: Option<String> = cursor(query.cursor.as_deref(), "classes")?;
    let rows = sqlx::query_as::<_, ClassView>(include_str!("../queries/classes_list.sql"))
        .bind(who.tenant)
        .bind(after)
        .bind(i64::from(limit) + 1)
        .fetch_all(&service.pool)
        .await?;
    Ok(axum::Json(Page::of(rows, limit, "classes", |row| row.class.code.clone())))
}

/// Shows an asset class.
#[utoipa::path(get, path = "/asset-classes/{id}", tag = "assets", params(("id" = Uuid, Path)), responses((status = 200, body = ClassView), (status = 404, body = Problem)))]
async fn read(State(service): State<Shared>, who: Principal, At(id): At<Uuid>) -> Result<Tagged<ClassView>, Problem> {
    let mut connection = service.pool.acquire().await?;
    Ok(Tagged(fetch(&mut connection, who.tenant, id).await?))
}

/// Adds an asset class.
#[utoipa::path(post, path = "/asset-classes", tag = "assets", request_body = ClassInput,
    responses((status = 201, body = ClassView), (status = 409, body = Problem), (status = 422, body = Problem)))]
async fn add(mut work: Work, Json(input): Json<ClassInput>) -> Result<Created<ClassView>, Problem> {
    let tenant = work.who.tenant;
    let row = create(&mut work, tenant, input).await?;
    Ok(Created { location: format!("/api/v1/asset-classes/{}", row.id), row })
}

/// Changes an asset class, but for its code.
#[utoipa::path(patch, path = "/asset-classes/{id}", tag = "assets", params(("id" = Uuid, Path)), request_body(content = ClassInput, content_type = "application/merge-patch+json"),
    responses((status = 200, body = ClassView), (status = 404, body = Problem), (status = 412, body = Problem), (status = 422, body = Problem)))]
async fn change(mut work: Work, At(id): At<Uuid>, seen: IfMatch, Json(patch): Json<Value>) -> Result<Tagged<ClassView>, Problem> {
    let tenant = work.who.tenant;
    let current = fetch(&mut work, tenant, id).await?;
    seen.check(current.version)?;
    let whole: ClassInput = merge(&current.class, &patch)?;
    check(&whole)?;
    if whole.code != current.class.code {
        return Err(Problem::field("/code", "fixed", "a code stays: positions and rules name it"));
    }
    let row = sqlx::query_as(include_str!("../queries/class_update.sql"))
        .bind(id)
        .bind(&whole.name)
        .bind(&whole.parent)
        .bind(&whole.description)
        .bind(seen.0)
        .fetch_optional(&mut *work)
        .await?;
    row.map(Tagged).ok_or_else(|| Problem::stale(current.version + 1))
}

/// Archives an asset class that no position has.
#[utoipa::path(delete, path = "/asset-classes/{id}", tag = "assets", params(("id" = Uuid, Path)), responses((status = 204), (status = 404, body = Problem), (status = 409, body = Problem), (status = 412, body = Problem)))]
async fn remove(mut work: Work, At(id): At<Uuid>, seen: IfMatch) -> Result<StatusCode, Problem> {
    let tenant = work.who.tenant;
    let current = fetch(&mut work, tenant, id).await?;
    seen.check(current.version)?;
    let used =
        sqlx::query_scalar::<_, i64>(include_str!("../queries/class_archive.sql")).bind(id).bind(tenant).fetch_one(&mut *work).await?;
    if used > 0 {
        return Err(Problem::conflict("in_use", format!("{used} positions are of this class")));
    }
    Ok(StatusCode::NO_CONTENT)
}
