//! What meters said: a register only grows, unless it is reset or begins anew at its rollover.

use super::meters::MeterView;
use crate::{
    extract::{At, Json, Page, Query, cursor, limit},
    gate::{Gate, Principal},
    problem::Problem,
    resource::{Find, Refusals},
    routes::Routes,
    service::Shared,
    work::Work,
};
use axum::{extract::State, http::StatusCode};
use chrono::{DateTime, Utc};
use dcmms_schemas::access::Feature::{F10, F19};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;
use uuid::Uuid;

pub(super) fn routes() -> Routes {
    Routes::new().on(Gate::read(F10), routes!(list)).on(Gate::create(F19), routes!(add))
}

#[derive(Clone, Debug, Serialize, sqlx::FromRow, ToSchema)]
struct MeterReadingView {
    id: Uuid,
    at: DateTime<Utc>,
    #[schema(value_type = String)]
    value: Decimal,
    /// Counted since the first reading, over all resets.
    #[schema(value_type = String)]
    total: Decimal,
    reset: bool,
    source: String,
    note: String,
    by_name: String,
}

#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct MeterReadingInput {
    /// Default: now.
    #[serde(default)]
    at: Option<DateTime<Utc>>,
    #[schema(value_type = String, example = "10234.5")]
    value: Decimal,
    /// The register was set back or replaced: it counts on from this value.
    #[serde(default)]
    reset: bool,
    /// `manual`, `telemetry`, `joint_meter_reading` or `import`.
    #[serde(default = "manual")]
    source: String,
    #[serde(default)]
    note: String,
}

fn manual() -> String {
    "manual".into()
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    limit: Option<u16>,
    cursor: Option<String>,
}

/// Lists the readings of a meter, newest first.
#[utoipa::path(get, path = "/meters/{id}/readings", tag = "assets", params(("id" = Uuid, Path), ListQuery),
    responses((status = 200, body = Page<MeterReadingView>), (status = 404, body = Problem)))]
async fn list(
    State(service): State<Shared>,
    who: Principal,
    At(id): At<Uuid>,
    Query(query): Query<ListQuery>,
) -> Result<axum::Json<Page<MeterReadingView>>, Problem> {
    let limit = limit(query.limit)?;
    let name = format!("readings {id}");
    let after: Option<DateTime<Utc>> = cursor(query.cursor.as_deref(), &name)?;
    let mut connection = service.pool.acquire().await?;
    MeterView::find(&mut connection, who.tenant, id).await?;
    let rows = sqlx::query_as(include_str!("../../queries/meter_readings_list.sql")).bind(id).bind(after).bind(i64::from(limit) + 1);
    Ok(axum::Json(Page::of(rows.fetch_all(&mut *connection).await?, limit, &name, |row: &MeterReadingView| row.at)))
}

#[derive(Default, sqlx::FromRow)]
struct Neighbours {
    before_at: Option<DateTime<Utc>>,
    before: Option<Decimal>,
    before_total: Option<Decimal>,
    after_at: Option<DateTime<Utc>>,
    after: Option<Decimal>,
    after_reset: Option<bool>,
}

/// Records what a meter says. A value below the one before it is refused unless the register was reset or rolls over.
#[utoipa::path(post, path = "/meters/{id}/readings", tag = "assets", params(("id" = Uuid, Path)), request_body = MeterReadingInput,
    responses((status = 201, body = MeterReadingView), (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
async fn add(
    State(service): State<Shared>,
    mut work: Work,
    At(id): At<Uuid>,
    Json(input): Json<MeterReadingInput>,
) -> Result<(StatusCode, axum::Json<MeterReadingView>), Problem> {
    let (who, now) = (work.who.clone(), service.now());
    let at = input.at.unwrap_or(now);
    if at > now {
        return Err(Problem::field("/at", "in_future", "it has not been read yet"));
    }
    let meter = MeterView::hold(&mut work, who.tenant, id).await?;
    let around = sqlx::query_as::<_, Neighbours>(include_str!("../../queries/meter_neighbours.sql"));
    let around = around.bind(id).bind(at).fetch_one(&mut *work).await?;
    let total = total(&meter, &around, &input)?;
    let row = sqlx::query_as(include_str!("../../queries/meter_reading_create.sql"));
    let row = row.bind(who.tenant).bind(id).bind(at).bind(input.value).bind(total).bind(input.reset).bind(&input.source);
    let row = row.bind(&input.note).bind(&who.name).fetch_one(&mut *work).await.refused("meter_readings")?;
    Ok((StatusCode::CREATED, axum::Json(row)))
}

/// The running total with this reading, or why it cannot be.
fn total(meter: &MeterView, around: &Neighbours, input: &MeterReadingInput) -> Result<Decimal, Problem> {
    let refuse = |guard: &str, detail: String, needs: &str| Err(Problem::guard("meter.read.guard", guard, detail, needs));
    if meter.meter.rollover.is_some_and(|rollover| input.value >= rollover) {
        return Err(Problem::field("/value", "out_of_range", "the register begins anew before this value"));
    }
    if input.reset && around.after.is_some() {
        return refuse("newest", "a later reading is there already".into(), "A reset is the newest reading of its meter.");
    }
    // A reset begins a stretch of its own, so what comes before one may be greater.
    if let (Some(after), Some(at), Some(false)) = (around.after, around.after_at, around.after_reset)
        && after < input.value
        && meter.meter.rollover.is_none()
    {
        return refuse("monotone", format!("{after} was read at {at}"), "A reading is not above a later one.");
    }
    let (Some(before), Some(counted)) = (around.before, around.before_total) else { return Ok(Decimal::ZERO) };
    if input.reset {
        return Ok(counted);
    }
    if input.value >= before {
        return Ok(counted + input.value - before);
    }
    match meter.meter.rollover {
        Some(rollover) => Ok(counted + rollover - before + input.value),
        None => {
            let at = around.before_at.map(|at| at.to_rfc3339()).unwrap_or_default();
            refuse(
                "monotone",
                format!("{before} was read at {at}"),
                "A reading is not below an earlier one, unless the register was reset.",
            )
        }
    }
}
