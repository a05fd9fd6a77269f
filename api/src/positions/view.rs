//! Positions as the API says them.

use crate::{check::Faults, problem::Problem, respond::Versioned};
use chrono::{DateTime, Utc};
use dcmms_schemas::{
    domain,
    id::{PositionId, SiteId},
    plant,
    time::Moment,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// What is said of a position.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, sqlx::FromRow, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PositionInput {
    pub site: Uuid,
    /// The position it is part of, at the same site.
    #[serde(default)]
    #[schema(example = json!(null))]
    pub parent: Option<Uuid>,
    /// A path, unique at its site.
    #[schema(example = "B03/INV07")]
    pub code: String,
    #[schema(example = "Inverter 7 of block 3")]
    pub name: String,
    /// Code of an asset class.
    #[schema(example = "inverter")]
    pub class: String,
    #[serde(default)]
    #[schema(example = 250.0)]
    pub rated_kw: Option<f64>,
    /// A (most critical), B or C.
    #[serde(default = "middling")]
    #[schema(example = "B")]
    pub criticality: String,
}

fn middling() -> String {
    "B".into()
}

impl PositionInput {
    pub(super) fn check(&self) -> Result<(), Problem> {
        let mut faults = Faults::new();
        faults.code("/code", &self.code, "-_./", 120);
        faults.when(self.code.split('/').any(str::is_empty), "/code", "bad_path", "a path has no empty part");
        faults.name("/name", &self.name);
        faults.when(self.rated_kw.is_some_and(|kw| kw <= 0.0), "/rated_kw", "out_of_range", "a rating is above 0 kW");
        let fine = ["A", "B", "C"].contains(&self.criticality.as_str());
        faults.when(!fine, "/criticality", "bad_value", format!("criticality is A, B or C, not {:?}", self.criticality));
        faults.result()
    }
}

#[derive(Clone, Debug, Serialize, sqlx::FromRow, ToSchema)]
pub struct PositionView {
    pub id: Uuid,
    #[serde(flatten)]
    #[sqlx(flatten)]
    pub position: PositionInput,
    pub version: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl Versioned for PositionView {
    fn version(&self) -> i64 {
        self.version
    }
}

impl PositionView {
    /// What the engine is told.
    pub fn event(&self, removed: bool) -> domain::Event {
        let position = plant::Position {
            id: PositionId(self.id),
            site: SiteId(self.position.site),
            parent: self.position.parent.map(PositionId),
            code: self.position.code.clone(),
            name: self.position.name.clone(),
            class: self.position.class.clone(),
            rated_kw: self.position.rated_kw,
        };
        domain::Event { version: self.version, at: Moment::from(self.updated_at), removed, row: domain::Row::Position(position) }
    }
}
