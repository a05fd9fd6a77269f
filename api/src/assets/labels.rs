//! What the QR label of a place or a thing says.

use super::items::AssetView;
use crate::{
    extract::At,
    gate::{Gate, Principal},
    problem::Problem,
    resource::Find,
    routes::Routes,
    service::Shared,
};
use axum::extract::State;
use dcmms_schemas::access::Feature::F16;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::routes;
use uuid::Uuid;

pub(super) fn routes() -> Routes {
    Routes::new().on(Gate::read(F16), routes!(of_position)).on(Gate::read(F16), routes!(of_asset))
}

/// A label: what its code holds, and the words beside it.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct Label {
    /// To be encoded as it is: upper case, digits and `:` only, so that the code stays small (QR alphanumeric mode).
    #[schema(example = "DCMMS:P:0190A5F29B1C7F3EA6D5C0FFEE123456")]
    payload: String,
    /// First line below the code.
    title: String,
    /// Second line.
    subtitle: String,
}

fn payload(kind: char, id: Uuid) -> String {
    format!("DCMMS:{kind}:{}", id.simple().to_string().to_uppercase())
}

/// Shows what the label of a position says.
#[utoipa::path(get, path = "/positions/{id}/label", tag = "assets", params(("id" = Uuid, Path)), responses((status = 200, body = Label), (status = 404, body = Problem)))]
async fn of_position(State(service): State<Shared>, who: Principal, At(id): At<Uuid>) -> Result<axum::Json<Label>, Problem> {
    let mut connection = service.pool.acquire().await?;
    let place = crate::positions::fetch(&mut connection, who.tenant, id).await?.position;
    let site = crate::sites::fetch(&mut connection, who.tenant, place.site).await?;
    Ok(axum::Json(Label { payload: payload('P', id), title: format!("{}/{}", site.site.code, place.code), subtitle: place.name }))
}

/// Shows what the label of an asset says.
#[utoipa::path(get, path = "/assets/{id}/label", tag = "assets", params(("id" = Uuid, Path)), responses((status = 200, body = Label), (status = 404, body = Problem)))]
async fn of_asset(State(service): State<Shared>, who: Principal, At(id): At<Uuid>) -> Result<axum::Json<Label>, Problem> {
    let mut connection = service.pool.acquire().await?;
    let row = AssetView::find(&mut connection, who.tenant, id).await?;
    let subtitle = format!("{} {}", row.manufacturer, row.model_name);
    Ok(axum::Json(Label { payload: payload('A', id), title: row.asset.serial_no, subtitle }))
}
