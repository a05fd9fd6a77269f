//! Work orders as the engine needs to know them. The machine is [`stage`], its guards [`guard`], what they look at [`facts`].

pub mod book;
pub mod facts;
pub mod guard;
pub mod kinds;
pub mod stage;

use crate::{
    id::{OrderId, PositionId, SiteId},
    time::Moment,
};
use serde::{Deserialize, Serialize};

/// An interval in which an order stood still.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    pub from: Moment,
    pub to: Option<Moment>,
    pub reason: String,
}

/// The facts of an order that SLA clocks and models look at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OrderFacts {
    pub id: OrderId,
    pub number: String,
    pub site: SiteId,
    pub position: Option<PositionId>,
    pub order_type: String,
    pub priority: String,
    pub status: String,
    /// When the need arose: the alarm's onset where there is one, else the creation.
    pub onset: Moment,
    /// The first start of work.
    pub started: Option<Moment>,
    /// When the function was restored.
    pub resolved: Option<Moment>,
    pub cancelled: bool,
    pub holds: Vec<Hold>,
}
