//! What is known when somebody asks an order to move. Whoever asks fills this in from one locked read of the
//! database; the guards look at nothing else, so a refusal can be repeated and tested.

use crate::{
    id::TechnicianId,
    order::{
        kinds::{HoldReason, OrderType, Priority, Source},
        stage::Stage,
    },
    time::Moment,
};
use rust_decimal::Decimal;
use uuid::Uuid;

/// Everything the guards may look at.
#[derive(Clone, Debug)]
pub struct Facts {
    pub now: Moment,
    pub actor: Actor,
    pub order: Order,
    pub said: Said,
    pub assignee: Option<Assignee>,
    pub permits: Vec<Permit>,
    pub tasks: Vec<Task>,
    pub work: Work,
    pub failure: Option<Failure>,
    /// Numbers of orders that hold the same position through an outage in the window asked for.
    pub outages_in_the_way: Vec<String>,
}

/// Who asks. The engine itself is an actor without a user.
#[derive(Clone, Debug)]
pub struct Actor {
    pub user: Option<Uuid>,
    pub technician: Option<TechnicianId>,
    /// May start, skip and override for a crew.
    pub supervises: bool,
    /// The greatest estimate this actor may approve; `None` is no limit.
    pub approves_upto: Option<Decimal>,
    /// May cancel work that has begun.
    pub may_cancel_started: bool,
    /// May correct what is closed.
    pub may_correct: bool,
}

#[derive(Clone, Debug)]
pub struct Order {
    pub stage: Stage,
    pub order_type: OrderType,
    pub title: String,
    pub description: String,
    /// A position, or a location in words.
    pub has_place: bool,
    pub priority: Option<Priority>,
    pub source: Source,
    pub estimate: Option<Decimal>,
    /// Up to this estimate an order of this type and source needs no person's approval.
    pub auto_approve_upto: Option<Decimal>,
    pub submitter: Option<Uuid>,
    pub executor: Option<Uuid>,
    pub assignee: Option<TechnicianId>,
    pub planned_from: Option<Moment>,
    pub required_permits: Vec<String>,
    pub signature_required: bool,
    /// The reason of the hold that is open.
    pub held_for: Option<HoldReason>,
}

/// What the request itself says.
#[derive(Clone, Debug, Default)]
pub struct Said {
    pub reason: Option<String>,
    pub window: Option<(Moment, Moment)>,
    pub hold_reason: Option<HoldReason>,
    pub override_booking: bool,
    pub safety_acknowledged: bool,
    pub blocking_cleared: bool,
    pub completion_note: Option<String>,
    pub signed_by: Option<String>,
    pub quality_checked: bool,
}

/// The technician the order shall go to, judged for the planned window.
#[derive(Clone, Debug)]
pub struct Assignee {
    pub name: String,
    pub active: bool,
    /// Required skills without a certificate that covers the window.
    pub skills_missing: Vec<String>,
    /// Numbers of orders that overlap the window.
    pub booked_by: Vec<String>,
}

#[derive(Clone, Debug)]
pub struct Permit {
    pub id: Uuid,
    pub kind: String,
    pub status: String,
    pub valid_from: Option<Moment>,
    pub valid_to: Option<Moment>,
}

impl Permit {
    /// Issued, and valid at `at`.
    pub fn covers(&self, at: Moment) -> bool {
        self.status == "issued" && self.valid_from.is_none_or(|from| from <= at) && self.valid_to.is_none_or(|to| at < to)
    }

    /// True where nothing is left to hand back.
    pub fn is_over(&self) -> bool {
        matches!(self.status.as_str(), "closed" | "expired" | "revoked")
    }
}

#[derive(Clone, Debug)]
pub struct Task {
    pub id: Uuid,
    pub instruction: String,
    pub mandatory: bool,
    pub safety_critical: bool,
    pub state: TaskState,
    pub skip_reason: Option<String>,
    /// Whether a supervisor agreed to the skip.
    pub skipped_by_supervisor: bool,
    /// A measured value outside its limits that nobody waived.
    pub out_of_limits: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskState {
    Pending,
    Completed,
    Failed,
    Skipped,
}

/// What was spent.
#[derive(Clone, Debug)]
pub struct Work {
    pub labour_entries: i64,
    /// Entries whose clock still runs.
    pub labour_running: i64,
    pub part_lines: i64,
    /// Somebody said that no parts were used.
    pub no_parts_used: bool,
    /// Used parts without a price.
    pub parts_unpriced: i64,
    /// Parts reserved or issued of which nobody said whether they were used or came back.
    pub parts_unsettled: Vec<String>,
    /// Parts that the order waits for.
    pub parts_awaited: Vec<String>,
}

#[derive(Clone, Debug)]
pub struct Failure {
    pub mode: Option<String>,
    /// A code, or `unknown`.
    pub mechanism: Option<String>,
    /// A code, or `under_investigation`, which needs a date.
    pub cause: Option<String>,
    pub cause_due: Option<Moment>,
}
