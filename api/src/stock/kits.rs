//! Lists of parts that are used together, reserved all or none.

use super::reservations::{ReservationInput, ReservationView};
use crate::{
    check::Faults,
    extract::{At, Json},
    gate::{Gate, Principal},
    problem::Problem,
    resource::{Column, Find, Plain, Resource, resource, row, text},
    routes::Routes,
    service::Shared,
    work::Work,
};
use axum::{extract::State, http::StatusCode};
use chrono::{DateTime, Utc};
use dcmms_schemas::access::Feature::{F37, F38, F39};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sqlx::PgConnection;
use utoipa::ToSchema;
use utoipa_axum::routes;
use uuid::Uuid;

pub(super) fn routes() -> Routes {
    Routes::new()
        .on(Gate::read(F37), routes!(list))
        .on(Gate::read(F37), routes!(read))
        .on(Gate::create(F38), routes!(add))
        .on(Gate::change(F38), routes!(change))
        .on(Gate::change(F38), routes!(remove))
        .on(Gate::create(F39), routes!(reserve))
}

resource!(KitView, KitInput, "/kits", "stock", "a kit"; list read add change remove);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct KitLine {
    part: Uuid,
    #[schema(value_type = String, example = "2")]
    quantity: Decimal,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, sqlx::FromRow, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct KitInput {
    #[schema(example = "INV-FAN")]
    pub(crate) code: String,
    #[schema(example = "Fan exchange")]
    pub(crate) name: String,
    /// 1 to 200.
    #[sqlx(json)]
    pub(crate) lines: Vec<KitLine>,
}

row!(KitView of KitInput as kit {});

impl Plain for KitView {
    const NAME: &'static str = "kit";
    const PATH: &'static str = "/kits";
    const TABLE: &'static str = "kits";
    const FILTERS: &'static [Column] = &[text("code", "Codes, comma-separated.")];
    const SORTS: &'static [Column] = &[text("code", ""), text("name", "")];

    async fn check(
        connection: &mut PgConnection,
        who: &Principal,
        _: Option<&KitView>,
        input: &KitInput,
        _: DateTime<Utc>,
    ) -> Result<Value, Problem> {
        let mut faults = Faults::new();
        faults.code("/code", &input.code, "-_./", 40);
        faults.name("/name", &input.name);
        for (nth, line) in input.lines.iter().enumerate() {
            faults.when(line.quantity <= Decimal::ZERO, &format!("/lines/{nth}/quantity"), "out_of_range", "a quantity is above 0");
        }
        let parts: Vec<_> = input.lines.iter().map(|line| line.part).collect();
        let known = sqlx::query_scalar::<_, i64>(include_str!("../../queries/parts_known.sql")).bind(who.tenant).bind(&parts);
        let known = known.fetch_one(connection).await? == parts.len() as i64;
        faults.when(!known, "/lines", "unknown", "each part exists and is named once");
        faults.result()?;
        Ok(json!({}))
    }
}

/// For which order, and from where.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct KitReserve {
    work_order: Uuid,
    store: Uuid,
    /// How many kits.
    #[serde(default = "one")]
    #[schema(value_type = String, example = "1")]
    times: Decimal,
    #[serde(default)]
    needed_at: Option<DateTime<Utc>>,
}

const fn one() -> Decimal {
    Decimal::ONE
}

/// Reserves all parts of a kit for an order, or none.
#[utoipa::path(post, path = "/kits/{id}/actions/reserve", tag = "stock", params(("id" = Uuid, Path)), request_body = KitReserve,
    responses((status = 201, body = Vec<ReservationView>), (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
async fn reserve(
    State(service): State<Shared>,
    mut work: Work,
    At(id): At<Uuid>,
    Json(input): Json<KitReserve>,
) -> Result<(StatusCode, axum::Json<Vec<ReservationView>>), Problem> {
    let who = work.who.clone();
    let mut lines = KitView::find(&mut work, who.tenant, id).await?.kit.lines;
    lines.sort_by_key(|line| line.part);
    let mut rows = Vec::with_capacity(lines.len());
    for line in lines {
        let wanted = ReservationInput {
            work_order: input.work_order,
            part: line.part,
            store: input.store,
            quantity: line.quantity * input.times,
            needed_at: input.needed_at,
            expires_at: None,
            backorder: false,
        };
        rows.push(<ReservationView as Resource>::create(&mut work, &who, wanted, service.now()).await?);
    }
    Ok((StatusCode::CREATED, axum::Json(rows)))
}
