//! Assets: things with a serial number, from plan to retirement.

use crate::{
    check::Faults,
    gate::{Gate, Principal},
    problem::Problem,
    resource::{Column, Moving, Plain, Refusals, actions, resource, row, text, uuid},
    routes::Routes,
};
use chrono::{DateTime, NaiveDate, Utc};
use dcmms_schemas::{
    access::{
        Feature::{F10, F11, F12, F15},
        Letter,
    },
    asset::life::{Event, Facts, Life},
};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sqlx::PgConnection;
use utoipa::ToSchema;
use utoipa_axum::routes;
use uuid::Uuid;

pub(super) fn routes() -> Routes {
    let built = Routes::new()
        .on(Gate::act(F12).full(), routes!(procure))
        .on(Gate::act(F12).full(), routes!(start_install))
        .on(Gate::act(F12).full(), routes!(start_commissioning))
        .on(Gate::act(F12).full(), routes!(accept));
    let worked = Routes::new()
        .on(Gate::act(F12), routes!(work_started))
        .on(Gate::act(F12), routes!(work_verified))
        .on(Gate::act(F12), routes!(work_verified_degraded))
        .on(Gate::act(F12), routes!(derate))
        .on(Gate::act(F12), routes!(restore))
        .on(Gate::act(F12), routes!(fail));
    let ended = Routes::new()
        .on(Gate::act(F15), routes!(start_decommission))
        .on(Gate::act(F15), routes!(complete_removal))
        .on(Gate::act(F15), routes!(retire))
        .on(Gate::act(F15), routes!(reuse));
    let kept = Routes::new()
        .on(Gate::read(F10), routes!(list))
        .on(Gate::read(F10), routes!(read))
        .on(Gate::create(F11), routes!(add))
        .on(Gate::change(F11), routes!(change))
        .on(Gate::change(F11), routes!(remove));
    kept.merge(built).merge(worked).merge(ended)
}

resource!(AssetView, AssetInput, "/assets", "assets", "an asset"; list read add change remove "Only one that was never installed.");

actions!(AssetView, AssetSaid, Event, "/assets", "assets";
    procure = Procure "procure" "Says where it comes from: a purchase order line, a donation.";
    start_install = StartInstall "start-install" "Begins to install it at a position that is free.";
    start_commissioning = StartCommissioning "start-commissioning" "Begins to commission it.";
    accept = Accept "accept" "Takes it into operation.";
    work_started = WorkStarted "start-work" "Takes it out of operation for an order that is under way.";
    work_verified = WorkVerified "verify-work" "Gives it back to operation.";
    work_verified_degraded = WorkVerifiedDegraded "verify-work-degraded" "Gives it back to operation with a loss.";
    derate = Derate "derate" "Says that it runs with a loss.";
    restore = Restore "restore" "Says that it runs as it should again.";
    fail = Fail "fail" "Says that it failed.";
    start_decommission = StartDecommission "start-decommission" "Begins to take it down.";
    complete_removal = CompleteRemoval "complete-removal" "Says that it is down; its installation ends.";
    retire = Retire "retire" "Gives it up.";
    reuse = Reuse "reuse" "Takes it back into the store after an inspection.";
);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, sqlx::FromRow, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AssetInput {
    pub model: Uuid,
    #[schema(example = "A2204117")]
    pub serial_no: String,
    #[serde(default)]
    pub owner: String,
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "14500.00")]
    pub acquisition_cost: Option<Decimal>,
    #[serde(default)]
    #[schema(example = "EUR")]
    pub currency: Option<String>,
    #[serde(default)]
    pub in_service_on: Option<NaiveDate>,
    #[serde(default)]
    pub firmware: String,
    #[serde(default)]
    pub note: String,
}

row!(AssetView of AssetInput as asset {
    status: String,
    manufacturer: String,
    model_name: String,
    /// Code of the model's asset class.
    class: String,
    /// Where it is installed now.
    position: Option<Uuid>,
    position_code: Option<String>,
    site: Option<Uuid>,
});

impl Plain for AssetView {
    const NAME: &'static str = "asset";
    const PATH: &'static str = "/assets";
    const TABLE: &'static str = "asset_items";
    const VIEW: &'static str = "asset_item_rows";
    const FILTERS: &'static [Column] = &[
        text("status", "States of its life, comma-separated."),
        text("class", "Classes, comma-separated."),
        uuid("model", ""),
        uuid("position", "Where it is installed now."),
        uuid("site", ""),
        text("serial_no", ""),
    ];
    const SORTS: &'static [Column] = &[text("serial_no", ""), text("status", "")];

    async fn check(
        _: &mut PgConnection,
        _: &Principal,
        _: Option<&AssetView>,
        input: &AssetInput,
        _: DateTime<Utc>,
    ) -> Result<Value, Problem> {
        let mut faults = Faults::new();
        faults.name("/serial_no", &input.serial_no);
        let priced = input.acquisition_cost.is_some() == input.currency.is_some();
        faults.when(!priced, "/currency", "incomplete", "a cost and its currency are said together");
        faults.result()?;
        Ok(json!({}))
    }

    async fn check_archive(&self, _: &mut PgConnection) -> Result<(), Problem> {
        if matches!(self.status.as_str(), "planned" | "procured") {
            return Ok(());
        }
        Err(Problem::conflict("in_use", format!("it is {}; what was installed is retired, not archived", self.status)))
    }
}

/// What a request to move an asset may say; the guards say what is missing.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct AssetSaid {
    /// Why, or where it comes from.
    pub reason: Option<String>,
    /// Where it is installed.
    pub position: Option<Uuid>,
    /// When it was installed or removed; default: now.
    pub at: Option<DateTime<Utc>>,
    pub checklist_complete: bool,
    pub tests_passed: bool,
    pub baseline_stored: bool,
}

#[derive(Default, sqlx::FromRow)]
struct Around {
    place: Option<String>,
    taken_by: Option<String>,
    outages: Vec<String>,
    open: Vec<String>,
}

impl Moving for AssetView {
    type Machine = Life;
    type Said = AssetSaid;

    fn status(&self) -> &str {
        &self.status
    }

    fn label(&self) -> String {
        self.asset.serial_no.clone()
    }

    async fn facts(
        &self,
        connection: &mut PgConnection,
        who: &Principal,
        event: Event,
        said: &AssetSaid,
        now: DateTime<Utc>,
    ) -> Result<Facts, Problem> {
        if who.letter != Letter::Full && matches!(event, Event::WorkVerified | Event::WorkVerifiedDegraded) && said.at.is_some() {
            return Err(Problem::forbidden("your role says what is so now, not what was"));
        }
        if said.at.is_some_and(|at| at > now) {
            return Err(Problem::field("/at", "in_future", "it has not happened yet"));
        }
        let position = if event == Event::StartInstall { said.position } else { self.position };
        // Held by a statement of its own, so that the next one sees who was there first.
        let hold = sqlx::query(include_str!("../../queries/position_hold.sql")).bind(who.tenant).bind(position);
        hold.execute(&mut *connection).await?;
        let around = sqlx::query_as::<_, Around>(include_str!("../../queries/asset_around.sql"));
        let around = around.bind(who.tenant).bind(position).bind(self.id).bind(said.at.unwrap_or(now));
        let around = around.fetch_one(connection).await?;
        if position.is_some() && around.place.is_none() {
            return Err(Problem::field("/position", "unknown", "there is no such position"));
        }
        Ok(Facts {
            reason: said.reason.clone(),
            position: around.place,
            position_taken_by: around.taken_by.filter(|_| event == Event::StartInstall),
            checklist_complete: said.checklist_complete,
            tests_passed: said.tests_passed,
            baseline_stored: said.baseline_stored,
            outages_under_way: around.outages,
            orders_open: around.open,
        })
    }

    async fn effects(
        &self,
        connection: &mut PgConnection,
        who: &Principal,
        event: Event,
        said: &AssetSaid,
        now: DateTime<Utc>,
    ) -> Result<Value, Problem> {
        let at = said.at.unwrap_or(now);
        match event {
            Event::StartInstall => {
                let query = sqlx::query(include_str!("../../queries/installation_open.sql"));
                let query = query.bind(who.tenant).bind(self.id).bind(said.position).bind(at);
                query.execute(connection).await.refused("installations")?;
            }
            Event::CompleteRemoval => {
                let query = sqlx::query(include_str!("../../queries/installation_close.sql")).bind(self.id).bind(at);
                query.execute(connection).await.refused("installations")?;
            }
            Event::Accept if self.asset.in_service_on.is_none() => return Ok(json!({ "in_service_on": at.date_naive() })),
            _ => {}
        }
        Ok(json!({}))
    }
}
