//! Orders as the API says them and as the engine is told of them.

use crate::{problem::Problem, respond::Versioned};
use chrono::{DateTime, Utc};
use dcmms_schemas::{
    domain,
    id::{OrderId, PositionId, SiteId},
    order::{Hold, OrderFacts, stage::Stage},
    time::Moment,
};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// What a person says of an order. The type's usual words: corrective, preventive, inspection, …
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OrderInput {
    /// `corrective`, `preventive`, `predictive`, `condition`, `inspection`, `emergency`, `project`, `commissioning`,
    /// `decommission`, `calibration`, `cleaning`, `vegetation` or `rework`.
    #[schema(example = "corrective")]
    pub order_type: String,
    #[schema(example = "Replace the cabinet fan")]
    pub title: String,
    #[serde(default)]
    pub description: String,
    #[serde(rename = "site")]
    pub site_id: Uuid,
    #[serde(default, rename = "position")]
    pub position_id: Option<Uuid>,
    /// Where, in words, if no position says it.
    #[serde(default)]
    pub location: String,
    /// `emergency`, `high`, `medium` or `low`.
    #[serde(default)]
    #[schema(example = "high")]
    pub priority: Option<String>,
    /// When the need arose; default: now.
    #[serde(default)]
    pub onset: Option<DateTime<Utc>>,
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "450.00")]
    pub estimate_cost: Option<Decimal>,
    #[serde(default)]
    pub requires_outage: bool,
    #[serde(default)]
    pub signature_required: bool,
    /// Skills that the assignee must hold a certificate for.
    #[serde(default)]
    pub required_skills: Vec<String>,
    /// Kinds of permits without which work may not start.
    #[serde(default)]
    pub required_permits: Vec<String>,
    #[serde(default)]
    pub due_at: Option<DateTime<Utc>>,
}

/// An order with the names of what it points at.
#[derive(Clone, Debug, Serialize, sqlx::FromRow, ToSchema)]
pub struct OrderView {
    pub id: Uuid,
    #[schema(example = "WO-2026-000123")]
    pub number: String,
    pub order_type: String,
    pub title: String,
    pub description: String,
    #[serde(rename = "site")]
    pub site_id: Uuid,
    pub site_code: String,
    #[serde(rename = "position")]
    pub position_id: Option<Uuid>,
    pub position_code: Option<String>,
    pub position_class: Option<String>,
    pub location: String,
    pub priority: Option<String>,
    /// One of the eleven stages.
    #[schema(example = "in_progress")]
    pub status: String,
    /// `manual`, `alarm`, `prediction`, `pm` or `request`.
    pub source: String,
    /// The alarm, the prediction, the occurrence of a plan or the service request.
    pub source_id: Option<Uuid>,
    pub command_id: Option<Uuid>,
    /// What the engine said when it asked for the order.
    pub because: Option<serde_json::Value>,
    pub onset: DateTime<Utc>,
    #[schema(value_type = Option<String>)]
    pub estimate_cost: Option<Decimal>,
    pub requires_outage: bool,
    pub signature_required: bool,
    pub required_skills: Vec<String>,
    pub required_permits: Vec<String>,
    pub planned_from: Option<DateTime<Utc>>,
    pub planned_to: Option<DateTime<Utc>>,
    pub due_at: Option<DateTime<Utc>>,
    #[serde(rename = "assignee")]
    pub assignee_id: Option<Uuid>,
    pub assignee_name: Option<String>,
    pub created_by: Option<Uuid>,
    pub submitted_by: Option<Uuid>,
    pub approved_by: Option<Uuid>,
    pub executed_by: Option<Uuid>,
    pub verified_by: Option<Uuid>,
    pub started_at: Option<DateTime<Utc>>,
    pub resolved_at: Option<DateTime<Utc>>,
    pub completion_note: Option<String>,
    pub signed_by: Option<String>,
    pub no_parts_used: bool,
    /// When a person first put a hand to it; until then the engine may take it back.
    pub touched_at: Option<DateTime<Utc>>,
    pub version: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    #[serde(skip)]
    pub auto_approve_limit: Option<Decimal>,
}

impl Versioned for OrderView {
    fn version(&self) -> i64 {
        self.version
    }
}

impl OrderView {
    /// The stage, which the database keeps by name.
    pub fn stage(&self) -> Result<Stage, Problem> {
        Stage::of(&self.status).ok_or_else(|| {
            tracing::error!(order = %self.id, status = self.status, "status in the database is not a stage");
            Problem::internal()
        })
    }

    /// What the engine is told.
    pub fn event(&self, holds: Vec<Hold>) -> domain::Event {
        let facts = OrderFacts {
            id: OrderId(self.id),
            number: self.number.clone(),
            site: SiteId(self.site_id),
            position: self.position_id.map(PositionId),
            order_type: self.order_type.clone(),
            priority: self.priority.clone().unwrap_or_default(),
            status: self.status.clone(),
            onset: self.onset.into(),
            started: self.started_at.map(Moment::from),
            resolved: self.resolved_at.map(Moment::from),
            cancelled: self.status == Stage::Cancelled.name(),
            holds,
        };
        domain::Event { version: self.version, at: self.updated_at.into(), removed: false, row: domain::Row::Order(facts) }
    }

    /// What a person said of it, for merging changes into.
    pub(crate) fn input(&self) -> OrderInput {
        OrderInput {
            order_type: self.order_type.clone(),
            title: self.title.clone(),
            description: self.description.clone(),
            site_id: self.site_id,
            position_id: self.position_id,
            location: self.location.clone(),
            priority: self.priority.clone(),
            onset: Some(self.onset),
            estimate_cost: self.estimate_cost,
            requires_outage: self.requires_outage,
            signature_required: self.signature_required,
            required_skills: self.required_skills.clone(),
            required_permits: self.required_permits.clone(),
            due_at: self.due_at,
        }
    }

    /// Takes over what a person said anew. The site stays: an order of another site is another order.
    pub(crate) fn take(&mut self, input: OrderInput) {
        self.order_type = input.order_type;
        self.title = input.title;
        self.description = input.description;
        self.position_id = input.position_id;
        self.location = input.location;
        self.priority = input.priority;
        self.onset = input.onset.unwrap_or(self.onset);
        self.estimate_cost = input.estimate_cost;
        self.requires_outage = input.requires_outage;
        self.signature_required = input.signature_required;
        self.required_skills = input.required_skills;
        self.required_permits = input.required_permits;
        self.due_at = input.due_at;
    }
}

impl OrderInput {
    /// Everything that is wrong with it, at once.
    pub fn check(&self) -> Result<(), Problem> {
        use crate::problem::FieldError;
        use dcmms_schemas::order::kinds::{OrderType, Priority};
        let mut errors = Vec::new();
        let mut wrong = |pointer: &str, code: &str, message: String| errors.push(FieldError::new(pointer, code, message));
        if OrderType::of(&self.order_type).is_none() {
            let known = OrderType::ALL.iter().map(|kind| kind.name()).collect::<Vec<_>>().join(", ");
            wrong("/order_type", "bad_value", format!("order_type is one of {known}, not {:?}", self.order_type));
        }
        if self.title.trim().is_empty() || self.title.len() > 200 {
            wrong("/title", "length", "a title has 1 to 200 characters".into());
        }
        if self.description.len() > 20_000 {
            wrong("/description", "length", "a description has at most 20000 characters".into());
        }
        if let Some(priority) = &self.priority
            && Priority::of(priority).is_none()
        {
            wrong("/priority", "bad_value", format!("priority is emergency, high, medium or low, not {priority:?}"));
        }
        if self.estimate_cost.is_some_and(|cost| cost.is_sign_negative()) {
            wrong("/estimate_cost", "out_of_range", "an estimate is 0 or more".into());
        }
        for (pointer, list) in [("/required_skills", &self.required_skills), ("/required_permits", &self.required_permits)] {
            if list.len() > 20 {
                wrong(pointer, "too_many", "at most 20".into());
            }
        }
        if let Some(kind) = self.required_permits.iter().find(|kind| !super::permits::KINDS.contains(&kind.as_str())) {
            wrong("/required_permits", "bad_value", format!("a permit is one of {}, not {kind:?}", super::permits::KINDS.join(", ")));
        }
        if errors.is_empty() { Ok(()) } else { Err(Problem::invalid(errors)) }
    }
}
