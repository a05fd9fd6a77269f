//! What the domain tells the engine: one JSON message per change on the topic `dcmms.domain`, keyed `entity:id`.
//! The greatest `version` of an id counts; a repeat or an older one changes nothing.

use crate::{
    calendar::Calendar,
    model::Model,
    order::OrderFacts,
    plant::{Point, Position, Site},
    rule::Rule,
    sla::Policy,
    time::Moment,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A row of the domain, whole, as of its version.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "entity", content = "row", rename_all = "snake_case")]
pub enum Row {
    Site(Site),
    Position(Position),
    Point(Point),
    Rule(Rule),
    Calendar(Calendar),
    Policy(Policy),
    Order(OrderFacts),
    Model(Model),
}

impl Row {
    pub const fn entity(&self) -> &'static str {
        match self {
            Row::Site(_) => "site",
            Row::Position(_) => "position",
            Row::Point(_) => "point",
            Row::Rule(_) => "rule",
            Row::Calendar(_) => "calendar",
            Row::Policy(_) => "policy",
            Row::Order(_) => "order",
            Row::Model(_) => "model",
        }
    }

    pub fn id(&self) -> Uuid {
        match self {
            Row::Site(row) => row.id.0,
            Row::Position(row) => row.id.0,
            Row::Point(row) => row.id,
            Row::Rule(row) => row.id.0,
            Row::Calendar(row) => row.id.0,
            Row::Policy(row) => row.id.0,
            Row::Order(row) => row.id.0,
            Row::Model(row) => row.id.0,
        }
    }
}

/// One change. `removed` rows say what was there last, so that a reader needs no memory to undo them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Grows with every change of this id.
    pub version: i64,
    pub at: Moment,
    #[serde(default)]
    pub removed: bool,
    #[serde(flatten)]
    pub row: Row,
}
