//! The ledger of stock: what came and went, when, why and by whom.

use super::{
    ledger::{Entry, enter},
    parts::{PartView, sees_prices},
};
use crate::{
    extract::Json,
    gate::{Gate, Principal},
    problem::Problem,
    resource::{Column, Find, Plain, resource, row, text, time, uuid},
    respond::Created,
    routes::Routes,
    service::Shared,
    work::Work,
};
use axum::extract::State;
use dcmms_schemas::access::{
    Feature::{F37, F40},
    Letter,
};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::routes;
use uuid::Uuid;

/// The value up to which a limited role may adjust or scrap by itself.
pub(super) const LIMITED_VALUE_MAX: i64 = 1_000;

pub(super) fn routes() -> Routes {
    Routes::new().on(Gate::read(F37), routes!(list)).on(Gate::read(F37), routes!(read)).on(Gate::create(F40), routes!(make))
}

resource!(MoveView, MoveInput, "/stock-moves", "stock", "a move of stock"; list "Newest first." read);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, sqlx::FromRow, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MoveInput {
    /// `receipt`, `adjust` or `scrap`; `issue`, `return`, `transfer` and `count_diff` come of other requests.
    #[schema(example = "receipt")]
    pub(crate) kind: String,
    pub(crate) part: Uuid,
    pub(crate) store: Uuid,
    /// What comes; below 0 what goes.
    #[schema(value_type = String, example = "5")]
    pub(crate) quantity: Decimal,
    /// What a piece cost when it was received; later, its value when it went.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "35.50")]
    pub(crate) unit_cost: Option<Decimal>,
    #[serde(default)]
    pub(crate) lot: Option<String>,
    #[serde(default)]
    pub(crate) serial: Option<String>,
    /// Why; adjusting and scrapping need it.
    #[serde(default)]
    #[schema(example = "opening stock")]
    pub(crate) note: String,
}

row!(MoveView of MoveInput as entry {
    work_order: Option<Uuid>,
    reservation: Option<Uuid>,
    cycle_count: Option<Uuid>,
    by_name: String,
});

impl Plain for MoveView {
    const NAME: &'static str = "move of stock";
    const PATH: &'static str = "/stock-moves";
    const TABLE: &'static str = "stock_move_rows";
    const FILTERS: &'static [Column] =
        &[uuid("part", ""), uuid("store", ""), uuid("work_order", ""), text("kind", "Kinds, comma-separated.")];
    const SORTS: &'static [Column] = &[time("created_at")];
    const NEWEST_FIRST: bool = true;

    fn shown(mut self, who: &Principal) -> MoveView {
        self.entry.unit_cost = self.entry.unit_cost.filter(|_| sees_prices(who));
        self
    }
}

/// A request for a move; a transfer names where to.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct MoveRequest {
    /// `receipt`, `adjust`, `scrap` or `transfer`.
    #[schema(example = "receipt")]
    kind: String,
    part: Uuid,
    store: Uuid,
    /// The store that a transfer goes to.
    #[serde(default)]
    to_store: Option<Uuid>,
    /// How many; below 0 only for an adjustment.
    #[schema(value_type = String, example = "5")]
    quantity: Decimal,
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "35.50")]
    unit_cost: Option<Decimal>,
    #[serde(default)]
    lot: Option<String>,
    #[serde(default)]
    serial: Option<String>,
    #[serde(default)]
    #[schema(example = "opening stock")]
    note: String,
}

/// Receives, adjusts, scraps or transfers stock by hand. What goes is valued at the part's average cost.
#[utoipa::path(post, path = "/stock-moves", tag = "stock", request_body = MoveRequest,
    responses((status = 201, body = MoveView), (status = 409, body = Problem), (status = 422, body = Problem)))]
async fn make(State(service): State<Shared>, mut work: Work, Json(input): Json<MoveRequest>) -> Result<Created<MoveView>, Problem> {
    let (who, now) = (work.who.clone(), service.now());
    let unknown =
        |problem: Problem| if problem.status == 404 { Problem::field("/part", "unknown", "there is no such part") } else { problem };
    let part = PartView::hold(&mut work, who.tenant, input.part).await.map_err(unknown)?;
    check(&input, &part, &who)?;
    let goes = matches!(input.kind.as_str(), "scrap" | "transfer");
    let entry = Entry {
        unit_cost: if input.kind == "receipt" { input.unit_cost } else { part.average_cost },
        lot: input.lot.as_deref(),
        serial: input.serial.as_deref(),
        note: &input.note,
        ..Entry::of(&input.kind, input.part, input.store, if goes { -input.quantity } else { input.quantity })
    };
    let id = enter(&mut work, who.tenant, &entry, &who.name, now).await?;
    if let Some(to) = input.to_store {
        let arrives = Entry { store: to, quantity: input.quantity, ..entry };
        enter(&mut work, who.tenant, &arrives, &who.name, now).await?;
    }
    let row = MoveView::find(&mut work, who.tenant, id).await?.shown(&who);
    Ok(Created { location: format!("/api/v1/stock-moves/{id}"), row })
}

fn check(input: &MoveRequest, part: &PartView, who: &Principal) -> Result<(), Problem> {
    if !matches!(input.kind.as_str(), "receipt" | "adjust" | "scrap" | "transfer") {
        return Err(Problem::field("/kind", "bad_value", format!("kind is receipt, adjust, scrap or transfer, not {:?}", input.kind)));
    }
    if input.quantity.is_zero() || (input.quantity.is_sign_negative() && input.kind != "adjust") {
        return Err(Problem::field("/quantity", "out_of_range", "a quantity is above 0; only an adjustment can be below"));
    }
    if (input.kind == "transfer") != input.to_store.is_some() || input.to_store == Some(input.store) {
        return Err(Problem::field("/to_store", "bad_value", "a transfer, and only a transfer, names another store to go to"));
    }
    if input.unit_cost.is_some_and(|cost| cost.is_sign_negative()) {
        return Err(Problem::field("/unit_cost", "out_of_range", "a cost is 0 or more"));
    }
    if input.kind == "receipt" && input.unit_cost.is_none() {
        return Err(Problem::field("/unit_cost", "missing", "what is received has a cost, if only 0"));
    }
    if matches!(input.kind.as_str(), "adjust" | "scrap") && input.note.trim().is_empty() {
        return Err(Problem::field("/note", "missing", "say why"));
    }
    let value = input.quantity.abs() * part.average_cost.unwrap_or_default();
    if who.letter != Letter::Full && (input.kind == "receipt" || value > Decimal::from(LIMITED_VALUE_MAX)) {
        return Err(Problem::forbidden(format!(
            "your role adjusts, scraps and transfers up to a value of {LIMITED_VALUE_MAX} {}; this is {}",
            part.part.currency,
            value.normalize()
        )));
    }
    Ok(())
}
