//! Each time that a plan is due at a place.

use crate::{
    gate::{Gate, Principal},
    orders::{ActionInput, By, OrderView, act, engine, lock},
    problem::Problem,
    resource::{Column, Moving, Plain, actions, resource, row, text, time, uuid},
    routes::Routes,
};
use chrono::{DateTime, Utc};
use dcmms_schemas::{
    access::{
        Feature::{F31, F33},
        Letter,
    },
    order::stage,
    plan::machines::occurrence::{Event, Facts, Occurrences},
};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sqlx::PgConnection;
use utoipa::ToSchema;
use utoipa_axum::routes;
use uuid::Uuid;

pub(super) fn routes() -> Routes {
    Routes::new()
        .on(Gate::read(F31), routes!(list))
        .on(Gate::read(F31), routes!(read))
        .on(Gate::act(F33), routes!(skip))
        .on(Gate::act(F33), routes!(absorb))
}

resource!(OccurrenceView, OccurrenceInput, "/pm-occurrences", "plans", "an occurrence of a plan"; list read);

actions!(OccurrenceView, OccurrenceSaid, Event, "/pm-occurrences", "plans";
    skip = Skip "skip" "Leaves it out, with a reason; its order is cancelled.";
    absorb = Absorb "absorb" "Says that the work is done with another occurrence; its order is cancelled.";
);

/// What makes it what it is; nobody but the service says so.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, sqlx::FromRow, ToSchema)]
pub(crate) struct OccurrenceInput {
    pub(crate) plan: Uuid,
    pub(crate) position: Uuid,
    pub(crate) due_at: DateTime<Utc>,
}

row!(OccurrenceView of OccurrenceInput as occurrence {
    plan_name: String,
    position_code: String,
    status: String,
    /// `time`, `meter` or `condition`.
    basis: String,
    /// Which date, meter value or alarm it is.
    cause: String,
    #[schema(value_type = Option<String>)]
    due_meter: Option<Decimal>,
    window_from: DateTime<Utc>,
    window_to: DateTime<Utc>,
    work_order: Option<Uuid>,
    order_number: Option<String>,
    absorbed_by: Option<Uuid>,
    reason: Option<String>,
    done_at: Option<DateTime<Utc>>,
});

/// What a request to move an occurrence may say.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct OccurrenceSaid {
    pub(crate) reason: Option<String>,
    /// absorb: the occurrence that includes it.
    pub(crate) absorbed_by: Option<Uuid>,
}

impl Plain for OccurrenceView {
    const NAME: &'static str = "occurrence";
    const PATH: &'static str = "/pm-occurrences";
    const TABLE: &'static str = "pm_occurrences";
    const VIEW: &'static str = "pm_occurrence_rows";
    const FILTERS: &'static [Column] =
        &[text("status", "States, comma-separated."), uuid("plan", ""), uuid("position", ""), uuid("work_order", "")];
    const SORTS: &'static [Column] = &[time("due_at")];
}

#[derive(sqlx::FromRow)]
struct Around {
    order_begun: Option<String>,
    statutory: bool,
    absorber_fits: bool,
}

impl Moving for OccurrenceView {
    type Machine = Occurrences;
    type Said = OccurrenceSaid;

    fn status(&self) -> &str {
        &self.status
    }

    fn label(&self) -> String {
        format!("{:?} at {}", self.plan_name, self.position_code)
    }

    async fn facts(
        &self,
        connection: &mut PgConnection,
        who: &Principal,
        _: Event,
        said: &OccurrenceSaid,
        now: DateTime<Utc>,
    ) -> Result<Facts, Problem> {
        let around = sqlx::query_as::<_, Around>(include_str!("../../queries/occurrence_around.sql"));
        let around = around.bind(who.tenant).bind(self.id).bind(said.absorbed_by).fetch_one(connection).await?;
        Ok(Facts {
            reason: said.reason.clone(),
            has_order: self.work_order.is_some(),
            order_begun: around.order_begun,
            window_closed: self.window_to < now,
            statutory: around.statutory,
            may_skip_statutory: who.letter == Letter::Full,
            absorber_fits: around.absorber_fits,
        })
    }

    async fn effects(
        &self,
        connection: &mut PgConnection,
        who: &Principal,
        event: Event,
        said: &OccurrenceSaid,
        now: DateTime<Utc>,
    ) -> Result<Value, Problem> {
        let reason = match event {
            Event::Skip => format!("its occurrence was skipped: {}", said.reason.as_deref().unwrap_or_default()),
            _ => "its occurrence is done with another one".to_owned(),
        };
        if let Some(order) = self.work_order {
            let row = lock(connection, who.tenant, order, None).await?;
            if !row.stage()?.is_final() {
                let input = ActionInput { reason: Some(reason), ..ActionInput::default() };
                act(connection, who.tenant, row, stage::Event::Cancel, (engine(), &By::person(who)), &input, now).await?;
            }
        }
        Ok(json!({ "reason": said.reason, "absorbed_by": said.absorbed_by }))
    }
}

/// Lets the occurrence of an order follow its order.
pub(crate) async fn follow(
    connection: &mut PgConnection,
    order: &OrderView,
    event: stage::Event,
    now: DateTime<Utc>,
) -> Result<(), Problem> {
    let (status, done_at, reason) = match event {
        stage::Event::Complete | stage::Event::Correct => ("done", order.resolved_at, None),
        stage::Event::Reopen => ("generated", None, None),
        stage::Event::Cancel => ("skipped", None, Some("its order was cancelled")),
        _ => return Ok(()),
    };
    if order.source == "pm" {
        let query = sqlx::query(include_str!("../../queries/occurrence_follow.sql"));
        query.bind(order.id).bind(status).bind(done_at).bind(reason).bind(now).execute(connection).await?;
    }
    Ok(())
}
