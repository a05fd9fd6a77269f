//! What the orders of a plan say.

use crate::{
    check::Faults,
    orders::{self, OrderInput},
    problem::Problem,
};
use chrono::{DateTime, Utc};
use dcmms_schemas::order::kinds::TaskKind;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use utoipa::ToSchema;
use uuid::Uuid;

/// Steps of one job at most.
const TASKS_MAX: usize = 200;

/// The template of an order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Job {
    #[schema(example = "Half-yearly inspection")]
    title: String,
    #[serde(default)]
    description: String,
    /// `emergency`, `high`, `medium` or `low`.
    #[serde(default = "medium")]
    priority: String,
    /// Of one order: above the limit of preventive orders it waits for approval.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "400.00")]
    pub(crate) estimate_cost: Option<Decimal>,
    /// Hours of work of one order, for the forecast.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "2.5")]
    pub(crate) hours: Option<Decimal>,
    #[serde(default)]
    requires_outage: bool,
    #[serde(default)]
    required_skills: Vec<String>,
    #[serde(default)]
    required_permits: Vec<String>,
    #[serde(default)]
    tasks: Vec<JobTask>,
}

fn medium() -> String {
    "medium".into()
}

/// One step of the order's checklist.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct JobTask {
    /// As of a work order's step.
    #[serde(default = "step")]
    kind: String,
    instruction: String,
    #[serde(default = "yes")]
    mandatory: bool,
    #[serde(default)]
    safety_critical: bool,
    #[serde(default)]
    limit_min: Option<f64>,
    #[serde(default)]
    limit_max: Option<f64>,
    #[serde(default)]
    unit: String,
}

fn step() -> String {
    "step".into()
}

const fn yes() -> bool {
    true
}

impl Job {
    pub(super) fn check(&self, faults: &mut Faults, site: Uuid) {
        if let Err(problem) = self.order(site, Uuid::nil(), DateTime::<Utc>::MIN_UTC, String::new()).check() {
            for error in problem.errors {
                faults.add(&format!("/job{}", error.pointer), &error.code, error.message);
            }
        }
        faults.when(self.hours.is_some_and(|hours| hours.is_sign_negative()), "/job/hours", "out_of_range", "hours are 0 or more");
        faults.when(self.tasks.len() > TASKS_MAX, "/job/tasks", "too_many", format!("at most {TASKS_MAX}"));
        for (nth, task) in self.tasks.iter().enumerate() {
            let known = TaskKind::of(&task.kind).is_some();
            faults.when(!known, &format!("/job/tasks/{nth}/kind"), "bad_value", format!("there is no kind of step {:?}", task.kind));
            faults.when(task.instruction.trim().is_empty(), &format!("/job/tasks/{nth}/instruction"), "length", "a step says what to do");
        }
    }

    pub(super) fn order(&self, site: Uuid, position: Uuid, due_at: DateTime<Utc>, because: String) -> OrderInput {
        OrderInput {
            order_type: "preventive".into(),
            title: self.title.clone(),
            description: if self.description.is_empty() { because } else { format!("{}\n\n{because}", self.description) },
            site_id: site,
            position_id: Some(position),
            location: String::new(),
            priority: Some(self.priority.clone()),
            onset: None,
            estimate_cost: self.estimate_cost,
            requires_outage: self.requires_outage,
            signature_required: false,
            required_skills: self.required_skills.clone(),
            required_permits: self.required_permits.clone(),
            due_at: Some(due_at),
        }
    }

    /// Writes the steps of an order that was made of it.
    pub(super) async fn write_tasks(&self, connection: &mut PgConnection, order: Uuid) -> Result<(), Problem> {
        for task in &self.tasks {
            let query = sqlx::query_as::<_, orders::tasks::TaskView>(include_str!("../../queries/task_create.sql"));
            let query = query.bind(order).bind(&task.kind).bind(&task.instruction).bind(task.mandatory).bind(task.safety_critical);
            query.bind(task.limit_min).bind(task.limit_max).bind(&task.unit).fetch_one(&mut *connection).await?;
        }
        Ok(())
    }
}
