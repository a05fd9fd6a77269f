//! From what people do back to what the machines said.

use crate::{
    extract::At,
    gate::{Gate, Principal},
    orders::{self, OrderView, only_assigned},
    problem::Problem,
    routes::Routes,
    service::Shared,
};
use axum::extract::State;
use dcmms_schemas::access::Feature::F69;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::routes;
use uuid::Uuid;

pub(crate) fn routes() -> Routes {
    Routes::new().on(Gate::read(F69), routes!(work_order))
}

#[derive(sqlx::FromRow)]
struct Found {
    command: Option<Value>,
    alarm: Option<Value>,
    rule: Option<Value>,
    prediction: Option<Value>,
    model: Option<Value>,
    points: Value,
    samples: Value,
}

/// Where an order comes from, step by step. What does not apply to it is null.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct LineageView {
    order: OrderView,
    /// The engine's command, the tick that caused it, and what came of it.
    command: Option<Value>,
    /// Every row the engine said of the alarm, oldest first: from one tick until another.
    alarm: Option<Value>,
    /// The rule, as of the version that raised the alarm.
    rule: Option<Value>,
    /// Every row the engine said of the prediction, with what contributed.
    prediction: Option<Value>,
    /// The model, as of the version that predicted: features, coefficients, training.
    model: Option<Value>,
    /// The points it was judged by.
    points: Value,
    /// Their minutes from ten before to ten after the onset, or of the hour that was scored, each with the tick that made it.
    samples: Value,
}

/// Follows an order back to rule or model version and samples, in one answer.
#[utoipa::path(get, path = "/lineage/work-orders/{id}", tag = "lineage", params(("id" = Uuid, Path)), responses((status = 200, body = LineageView), (status = 404, body = Problem)))]
async fn work_order(State(service): State<Shared>, who: Principal, At(id): At<Uuid>) -> Result<axum::Json<LineageView>, Problem> {
    let mut connection = service.pool.acquire().await?;
    let order = orders::fetch(&mut connection, who.tenant, id, only_assigned(&who)).await?;
    let query = sqlx::query_as::<_, Found>(include_str!("../queries/lineage_order.sql"));
    let Found { command, alarm, rule, prediction, model, points, samples } =
        query.bind(who.tenant).bind(id).fetch_one(&mut *connection).await?;
    Ok(axum::Json(LineageView { order, command, alarm, rule, prediction, model, points, samples }))
}
