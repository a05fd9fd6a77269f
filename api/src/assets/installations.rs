//! What was installed where, from when to when.

use crate::{
    extract::At,
    gate::{Gate, Principal},
    problem::Problem,
    resource::Find,
    routes::Routes,
    service::Shared,
};
use axum::extract::State;
use chrono::{DateTime, Utc};
use dcmms_schemas::access::Feature::F10;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::routes;
use uuid::Uuid;

pub(super) fn routes() -> Routes {
    Routes::new().on(Gate::read(F10), routes!(of_asset)).on(Gate::read(F10), routes!(of_position))
}

/// One stay of an asset at a position.
#[derive(Clone, Debug, Serialize, sqlx::FromRow, ToSchema)]
struct InstallationView {
    id: Uuid,
    item: Uuid,
    serial_no: String,
    position: Uuid,
    position_code: String,
    from_at: DateTime<Utc>,
    /// Null while it is there.
    to_at: Option<DateTime<Utc>>,
}

/// Shows where an asset was installed, latest first.
#[utoipa::path(get, path = "/assets/{id}/installations", tag = "assets", params(("id" = Uuid, Path)),
    responses((status = 200, body = Vec<InstallationView>), (status = 404, body = Problem)))]
async fn of_asset(State(service): State<Shared>, who: Principal, At(id): At<Uuid>) -> Result<axum::Json<Vec<InstallationView>>, Problem> {
    let mut connection = service.pool.acquire().await?;
    super::items::AssetView::find(&mut connection, who.tenant, id).await?;
    let rows = sqlx::query_as(include_str!("../../queries/installations_list.sql")).bind(who.tenant).bind(id).bind(None::<Uuid>);
    Ok(axum::Json(rows.fetch_all(&mut *connection).await?))
}

/// Shows what was installed at a position, latest first.
#[utoipa::path(get, path = "/positions/{id}/history", tag = "assets", params(("id" = Uuid, Path)),
    responses((status = 200, body = Vec<InstallationView>), (status = 404, body = Problem)))]
async fn of_position(
    State(service): State<Shared>,
    who: Principal,
    At(id): At<Uuid>,
) -> Result<axum::Json<Vec<InstallationView>>, Problem> {
    let mut connection = service.pool.acquire().await?;
    crate::positions::fetch(&mut connection, who.tenant, id).await?;
    let rows = sqlx::query_as(include_str!("../../queries/installations_list.sql")).bind(who.tenant).bind(None::<Uuid>).bind(id);
    Ok(axum::Json(rows.fetch_all(&mut *connection).await?))
}
