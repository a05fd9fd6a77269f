//! Rules as the API says them.

use crate::respond::Versioned;
use chrono::{DateTime, Utc};
use dcmms_schemas::{
    domain,
    id::{RuleId, SiteId},
    rule::{Condition, OrderTemplate, Rule, RuleVersion, Scope, Severity},
    time::Moment,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

/// A new rule.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleInput {
    #[schema(example = "Inverter cabinet hot")]
    pub name: String,
    pub scope: ScopeInput,
    /// Rules of one group compete for a point and the nearest wins: point before site before class before kind. The
    /// kind of its condition unless said.
    #[serde(default)]
    #[schema(example = json!(null))]
    pub group: Option<String>,
    pub version: RuleVersionInput,
}

/// Which points a rule speaks of: those that match every part that is said, and at least one is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ScopeInput {
    /// Key of one point.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = json!(null))]
    pub point: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = json!(null))]
    pub site: Option<Uuid>,
    /// Class of the point's position.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "inverter")]
    pub class: Option<String>,
    /// Canonical quantity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "inv.temp.cabinet")]
    pub kind: Option<String>,
}

/// What a rule means from a moment on.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleVersionInput {
    /// Now, unless said.
    #[serde(default)]
    #[schema(example = json!(null))]
    pub valid_from: Option<DateTime<Utc>>,
    #[serde(default = "yes")]
    pub enabled: bool,
    #[schema(value_type = String, example = "high")]
    pub severity: Severity,
    /// `high` and `low` have `limit`, `deadband`, `on_delay_ms`, `off_delay_ms`; `stale` has `after_ms`; `rate` has
    /// `limit_per_s`, `on_delay_ms`, `off_delay_ms`.
    #[schema(example = json!({"type": "high", "limit": 65.0, "deadband": 3.0, "on_delay_ms": 300000, "off_delay_ms": 600000}))]
    pub condition: Value,
    /// The order that an alarm raises, if any.
    #[serde(default)]
    #[schema(example = json!({"order_type": "corrective", "priority": "high", "title": "Check the cabinet fan"}))]
    pub order: Option<Value>,
}

const fn yes() -> bool {
    true
}

#[derive(Clone, Debug, Serialize, sqlx::FromRow, ToSchema)]
pub struct RuleView {
    pub id: Uuid,
    pub name: String,
    #[sqlx(json)]
    pub scope: ScopeInput,
    pub group: String,
    /// Oldest first.
    #[sqlx(json)]
    pub versions: Vec<RuleVersionView>,
    pub version: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct RuleVersionView {
    pub version: i64,
    pub valid_from: DateTime<Utc>,
    pub enabled: bool,
    #[schema(value_type = String)]
    pub severity: Severity,
    #[schema(value_type = Object)]
    pub condition: Condition,
    #[schema(value_type = Option<Object>)]
    pub order: Option<OrderTemplate>,
    pub created_by: Option<String>,
    pub created_at: DateTime<Utc>,
}

impl Versioned for RuleView {
    fn version(&self) -> i64 {
        self.version
    }
}

impl RuleView {
    /// What the engine is told.
    pub fn event(&self) -> domain::Event {
        let version = |view: &RuleVersionView| RuleVersion {
            version: view.version,
            valid_from: Moment::from(view.valid_from),
            enabled: view.enabled,
            severity: view.severity,
            condition: view.condition.clone(),
            order: view.order.clone(),
        };
        let scope = Scope {
            point: self.scope.point.clone(),
            site: self.scope.site.map(SiteId),
            class: self.scope.class.clone(),
            kind: self.scope.kind.clone(),
        };
        let rule = Rule {
            id: RuleId(self.id),
            name: self.name.clone(),
            scope,
            group: self.group.clone(),
            versions: self.versions.iter().map(version).collect(),
        };
        domain::Event { version: self.version, at: Moment::from(self.updated_at), removed: false, row: domain::Row::Rule(rule) }
    }
}
