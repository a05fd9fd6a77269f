//! Trained models. They are written by training ([`publish`]) and read here.

use crate::{
    extract::{At, Page, Query, cursor, limit},
    gate::{Gate, Principal},
    outbox,
    problem::Problem,
    respond::{Tagged, Versioned},
    routes::Routes,
    service::Shared,
};
use axum::{Json, extract::State};
use chrono::{DateTime, Utc};
use dcmms_schemas::{access::Feature::F34, domain, id::ModelId, model::Model, time::Moment};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::{PgConnection, types};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;
use uuid::Uuid;

pub(crate) fn routes() -> Routes {
    Routes::new().on(Gate::read(F34), routes!(list)).on(Gate::read(F34), routes!(read))
}

#[derive(Clone, Debug, Serialize, sqlx::FromRow, ToSchema)]
pub struct ModelView {
    pub id: Uuid,
    pub name: String,
    /// Asset class it speaks of.
    pub class: String,
    /// What it foresees.
    pub failure: String,
    /// The newest version, as the engine has it: features, means, scales, coefficients, threshold.
    #[schema(value_type = Object)]
    pub artifact: Value,
    /// What it was trained on and how well it did.
    #[schema(value_type = Object)]
    pub training: Value,
    pub version: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl Versioned for ModelView {
    fn version(&self) -> i64 {
        self.version
    }
}

/// Publishes a model under its name: a first version, or the next one. The id and the version in `model` are replaced by
/// those it gets. `training` says what it was trained on. Tells the engine by the outbox row that is answered; the caller commits.
pub async fn publish(connection: &mut PgConnection, tenant: Uuid, mut model: Model, training: &Value) -> Result<(Model, i64), Problem> {
    let inputs = model.features.len();
    let lengths = [model.means.len(), model.scales.len(), model.coefficients.len()];
    if lengths.iter().any(|length| *length != inputs) || inputs == 0 {
        return Err(Problem::field(
            "/features",
            "length",
            format!("a model of {inputs} features has as many means, scales and coefficients, not {lengths:?}"),
        ));
    }
    let (id, version, at): (Uuid, i64, DateTime<Utc>) = sqlx::query_as(include_str!("../queries/model_upsert.sql"))
        .bind(tenant)
        .bind(&model.name)
        .bind(&model.class)
        .bind(&model.failure)
        .fetch_one(&mut *connection)
        .await?;
    (model.id, model.version) = (ModelId(id), version);
    sqlx::query(include_str!("../queries/model_version_create.sql"))
        .bind(id)
        .bind(version)
        .bind(types::Json(&model))
        .bind(training)
        .execute(&mut *connection)
        .await?;
    let event = domain::Event { version, at: Moment::from(at), removed: false, row: domain::Row::Model(model.clone()) };
    let outbox_seq = outbox::record(connection, &event).await?;
    Ok((model, outbox_seq))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    limit: Option<u16>,
    cursor: Option<String>,
}

/// Lists models by name, each in its newest version.
#[utoipa::path(get, path = "/models", tag = "models", params(ListQuery), responses((status = 200, body = Page<ModelView>), (status = 400, body = Problem)))]
async fn list(State(service): State<Shared>, who: Principal, Query(query): Query<ListQuery>) -> Result<Json<Page<ModelView>>, Problem> {
    let limit = limit(query.limit)?;
    let after: Option<String> = cursor(query.cursor.as_deref(), "models")?;
    let rows = sqlx::query_as::<_, ModelView>(include_str!("../queries/models_list.sql"))
        .bind(who.tenant)
        .bind(None::<Uuid>)
        .bind(after)
        .bind(i64::from(limit) + 1)
        .fetch_all(&service.pool)
        .await?;
    Ok(Json(Page::of(rows, limit, "models", |row| row.name.clone())))
}

/// Shows a model in its newest version.
#[utoipa::path(get, path = "/models/{id}", tag = "models", params(("id" = Uuid, Path)), responses((status = 200, body = ModelView), (status = 404, body = Problem)))]
async fn read(State(service): State<Shared>, who: Principal, At(id): At<Uuid>) -> Result<Tagged<ModelView>, Problem> {
    let row = sqlx::query_as::<_, ModelView>(include_str!("../queries/models_list.sql"))
        .bind(who.tenant)
        .bind(id)
        .bind(None::<String>)
        .bind(1_i64)
        .fetch_optional(&service.pool)
        .await?;
    Ok(Tagged(row.ok_or_else(|| Problem::not_found("model", id))?))
}
