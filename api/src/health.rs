//! What watches this process.

use crate::{gate::Gate, problem::Problem, routes::Routes, service::Shared};
use axum::{Json, extract::State};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::routes;

pub(crate) fn routes() -> Routes {
    Routes::new().on(Gate::open(), routes!(alive)).on(Gate::open(), routes!(ready)).on(Gate::open(), routes!(metrics))
}

#[derive(Debug, Serialize, ToSchema)]
struct Alive {
    #[schema(example = "ok")]
    status: &'static str,
    version: &'static str,
}

/// Says that the process runs, whatever it depends on.
#[utoipa::path(get, path = "/healthz", tag = "health", responses((status = 200, body = Alive)))]
async fn alive() -> Json<Alive> {
    Json(Alive { status: "ok", version: env!("CARGO_PKG_VERSION") })
}

#[derive(Debug, Serialize, ToSchema)]
struct Ready {
    #[schema(example = "ready")]
    status: &'static str,
    /// The newest migration that the database has.
    migration: i64,
}

/// Says whether requests can be served: the database answers and has every migration of this release.
#[utoipa::path(get, path = "/readyz", tag = "health", responses((status = 200, body = Ready), (status = 503, body = Problem)))]
async fn ready(State(service): State<Shared>) -> Result<Json<Ready>, Problem> {
    let wanted = dcmms_schemas::migrations::MIGRATOR.iter().map(|migration| migration.version).max().unwrap_or(0);
    let has = sqlx::query_scalar::<_, Option<i64>>(include_str!("../queries/migration_newest.sql")).fetch_one(&service.pool).await;
    match has {
        Ok(Some(migration)) if migration >= wanted => Ok(Json(Ready { status: "ready", migration })),
        Ok(has) => Err(Problem::unavailable("the schema")
            .detail(format!("migration {wanted} is missing, the newest one is {}; run dcmms migrate", has.unwrap_or(0)))),
        // No table of migrations.
        Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some("42P01") => {
            Err(Problem::unavailable("the schema").detail("the database is empty; run dcmms migrate"))
        }
        Err(error) => Err(error.into()),
    }
}

/// The process's metrics as Prometheus text.
#[utoipa::path(get, path = "/metrics", tag = "health", responses((status = 200, body = String, content_type = "text/plain")))]
async fn metrics(State(service): State<Shared>) -> Result<String, Problem> {
    match &service.metrics {
        Some(render) => Ok(render()),
        None => Err(Problem::not_found("recorder", "of metrics in this process")),
    }
}
