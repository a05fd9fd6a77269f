//! Preventive maintenance: plans, what they make due, and the orders that come of it.

mod generate;
mod job;
mod occurrences;
mod past;
mod preview;

pub use generate::{generate, run};
pub(crate) use occurrences::follow;

use crate::{
    check::Faults,
    gate::{Gate, Principal},
    problem::Problem,
    resource::{Column, Moving, Plain, Said, actions, resource, row, statements, text, uuid},
    routes::Routes,
};
use chrono::{DateTime, Utc};
use dcmms_schemas::{
    access::{
        Feature::{F31, F32, F33},
        Letter,
    },
    plan::{
        Combine, Trigger,
        due::Rules,
        machines::life::{Event, Facts, Plans},
    },
};
use job::Job;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sqlx::PgConnection;
use utoipa::ToSchema;
use utoipa_axum::routes;
use uuid::Uuid;

pub(crate) fn routes() -> Routes {
    let plans = Routes::new()
        .on(Gate::read(F31), routes!(list))
        .on(Gate::read(F31), routes!(read))
        .on(Gate::read(F31), routes!(preview::preview))
        .on(Gate::create(F32), routes!(add))
        .on(Gate::change(F32), routes!(change))
        .on(Gate::change(F32).full(), routes!(remove))
        .on(Gate::act(F32).full(), routes!(activate))
        .on(Gate::act(F32).full(), routes!(pause))
        .on(Gate::act(F32).full(), routes!(resume))
        .on(Gate::act(F32).full(), routes!(end))
        .on(Gate::create(F33).full(), routes!(generate::ask));
    plans.merge(occurrences::routes())
}

/// The statements that are put together here, for the test that prepares them.
pub(crate) fn queries() -> Vec<String> {
    [statements::<PlanView>(), statements::<occurrences::OccurrenceView>()].concat()
}

resource!(PlanView, PlanInput, "/pm-plans", "plans", "a maintenance plan"; list read add change "What was generated stays." remove "Only a draft or one that has ended.");

actions!(PlanView, Said, Event, "/pm-plans", "plans";
    activate = Activate "activate" "Lets a plan make work from now on.";
    pause = Pause "pause" "Lets it rest.";
    resume = Resume "resume" "Lets it go on.";
    end = End "end" "Ends it for good.";
);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, sqlx::FromRow, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PlanInput {
    #[schema(example = "Inverters, half-yearly")]
    pub(crate) name: String,
    pub(crate) site: Uuid,
    /// Where the work is done, at the site: an order for each.
    pub(crate) positions: Vec<Uuid>,
    /// `time` (`start`, `rrule`, `zone`, `anchor` fixed or floating), `meter` (`register`, `interval`, `tolerance`) or `condition` (`rule`).
    #[sqlx(json)]
    #[schema(value_type = Vec<Object>, example = json!([{"kind": "time", "start": "2026-01-15T06:00:00Z", "rrule": "FREQ=MONTHLY;INTERVAL=6", "zone": "Asia/Kolkata", "anchor": "fixed"}]))]
    pub(crate) triggers: Vec<Trigger>,
    /// `first_of` (default) or `all_of` the triggers.
    #[serde(default = "first_of")]
    #[sqlx(try_from = "String")]
    #[schema(value_type = String, example = "first_of")]
    pub(crate) combine: CombineName,
    /// Months (1 to 12) in which work may fall; none: all. What is due at another time waits for the next of them.
    #[serde(default)]
    pub(crate) months: Vec<i32>,
    #[sqlx(json)]
    pub(crate) job: Job,
    /// How many days before its due date an order is made.
    #[serde(default = "week")]
    #[schema(example = 7)]
    pub(crate) lead_time_days: i32,
    /// The window around the due date.
    #[serde(default)]
    pub(crate) early_days: i32,
    #[serde(default = "week")]
    pub(crate) late_days: i32,
    /// The plan whose work includes this one's: a yearly inspection absorbs the monthly one that falls into its window.
    #[serde(default)]
    pub(crate) absorbed_by: Option<Uuid>,
    /// The law demands it: skipping needs full access.
    #[serde(default)]
    pub(crate) statutory: bool,
}

const fn first_of() -> CombineName {
    CombineName(Combine::FirstOf)
}

const fn week() -> i32 {
    7
}

/// [`Combine`] as a column of text.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct CombineName(pub(crate) Combine);

impl TryFrom<String> for CombineName {
    type Error = serde_json::Error;

    fn try_from(name: String) -> Result<CombineName, serde_json::Error> {
        serde_json::from_value(Value::String(name))
    }
}

row!(PlanView of PlanInput as plan {
    status: String,
    /// Nothing before it is due.
    active_from: Option<DateTime<Utc>>,
});

impl Plain for PlanView {
    const NAME: &'static str = "maintenance plan";
    const PATH: &'static str = "/pm-plans";
    const TABLE: &'static str = "pm_plans";
    const FILTERS: &'static [Column] = &[text("status", "States, comma-separated."), uuid("site", "")];
    const SORTS: &'static [Column] = &[text("name", "")];

    async fn check(
        connection: &mut PgConnection,
        who: &Principal,
        current: Option<&PlanView>,
        input: &PlanInput,
        _: DateTime<Utc>,
    ) -> Result<Value, Problem> {
        let mut faults = Faults::new();
        faults.name("/name", &input.name);
        for (nth, trigger) in input.triggers.iter().enumerate() {
            if let Some(fault) = trigger.fault() {
                faults.add(&format!("/triggers/{nth}"), "impossible", fault);
            }
        }
        input.job.check(&mut faults, input.site);
        let missing = missing(connection, who.tenant, input).await?;
        faults.when(!missing.is_empty(), "/positions", "unknown", format!("not at this site: {}", missing.join(", ")));
        if let Some(current) = current {
            let draft = current.status == "draft";
            faults.when(
                !draft && current.plan.triggers != input.triggers,
                "/triggers",
                "fixed",
                "a plan that was active keeps its triggers; make another",
            );
            // Reliability engineers propose plans; those that are in force are others' to change.
            if who.letter != Letter::Full && !draft {
                return Err(Problem::forbidden("your role may change drafts only"));
            }
        }
        faults.result()?;
        if let Some(larger) = input.absorbed_by {
            let ring = sqlx::query_scalar::<_, bool>(include_str!("../queries/plan_ring.sql")).bind(larger).bind(current.map(|row| row.id));
            if ring.fetch_one(connection).await? {
                return Err(Problem::field("/absorbed_by", "cycle", "then it would absorb itself"));
            }
        }
        Ok(json!({}))
    }

    async fn check_archive(&self, _: &mut PgConnection) -> Result<(), Problem> {
        match self.status.as_str() {
            "draft" | "ended" => Ok(()),
            status => Err(Problem::conflict("in_use", format!("the plan is {status}; end it first"))),
        }
    }
}

async fn missing(connection: &mut PgConnection, tenant: Uuid, input: &PlanInput) -> Result<Vec<String>, Problem> {
    let query = sqlx::query_scalar::<_, String>(include_str!("../queries/plan_positions_missing.sql"));
    Ok(query.bind(tenant).bind(input.site).bind(&input.positions).fetch_all(connection).await?)
}

impl PlanInput {
    /// What it says about dates; nothing before `active_from` is due.
    fn rules<'a>(&'a self, months: &'a [u32], zone: &str, active_from: DateTime<Utc>) -> Rules<'a> {
        Rules { triggers: &self.triggers, combine: self.combine.0, months, zone: zone.parse().unwrap_or(chrono_tz::Tz::UTC), active_from }
    }

    fn months(&self) -> Vec<u32> {
        self.months.iter().filter_map(|month| u32::try_from(*month).ok()).collect()
    }
}

impl Moving for PlanView {
    type Machine = Plans;
    type Said = Said;

    fn status(&self) -> &str {
        &self.status
    }

    fn label(&self) -> String {
        format!("plan {:?}", self.plan.name)
    }

    async fn facts(
        &self,
        connection: &mut PgConnection,
        who: &Principal,
        event: Event,
        said: &Said,
        now: DateTime<Utc>,
    ) -> Result<Facts, Problem> {
        let months = self.plan.months();
        let comes = event != Event::Activate || {
            let rules = self.plan.rules(&months, "UTC", now);
            let timed = self.plan.triggers.iter().all(|trigger| matches!(trigger, Trigger::Time { .. }));
            !timed || rules.next(&dcmms_schemas::plan::due::Past::default()).is_some()
        };
        Ok(Facts { reason: said.reason.clone(), positions_missing: missing(connection, who.tenant, &self.plan).await?, comes })
    }

    async fn effects(&self, _: &mut PgConnection, _: &Principal, event: Event, _: &Said, now: DateTime<Utc>) -> Result<Value, Problem> {
        match event {
            Event::Activate | Event::Resume => Ok(json!({ "active_from": now })),
            Event::Pause | Event::End => Ok(json!({})),
        }
    }
}
