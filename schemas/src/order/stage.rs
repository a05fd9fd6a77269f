//! The machine of a work order: eleven stages and one table. The API, the commands of the engine and the book
//! (`docs/work-orders.md`) all read this table.

use crate::order::{
    facts::Facts,
    guard::{Guard, guards::*},
    kinds::names,
};
use serde::{Deserialize, Serialize};

names!(
    /// Where an order stands.
    Stage {
        Draft = "draft",
        Submitted = "submitted",
        Approved = "approved",
        Scheduled = "scheduled",
        Assigned = "assigned",
        InProgress = "in_progress",
        OnHold = "on_hold",
        Completed = "completed",
        Verified = "verified",
        Closed = "closed",
        Cancelled = "cancelled",
    }
);

names!(
    /// What somebody asks of it.
    Event {
        Submit = "submit",
        /// Asked by the service itself, when an order needs no person's approval.
        AutoApprove = "auto_approve",
        Approve = "approve",
        Reject = "reject",
        Schedule = "schedule",
        Unschedule = "unschedule",
        Assign = "assign",
        Reassign = "reassign",
        Start = "start",
        Hold = "hold",
        Resume = "resume",
        Complete = "complete",
        Reopen = "reopen",
        Verify = "verify",
        Close = "close",
        Cancel = "cancel",
        Correct = "correct",
    }
);

/// One line of the machine.
#[derive(Debug)]
pub struct Move {
    pub from: &'static [Stage],
    pub event: Event,
    pub to: Stage,
    pub guards: &'static [Guard],
}

const fn step(from: &'static [Stage], event: Event, to: Stage, guards: &'static [Guard]) -> Move {
    Move { from, event, to, guards }
}

/// The whole machine. A pair of stage and event that is not here is refused.
pub static MOVES: &[Move] = &[
    step(&[Stage::Draft], Event::Submit, Stage::Submitted, &[TITLE, DESCRIPTION, PLACE, PRIORITY]),
    step(&[Stage::Draft], Event::AutoApprove, Stage::Approved, &[TITLE, DESCRIPTION, PLACE, PRIORITY, EMERGENCY_OR_WITHIN_LIMIT]),
    step(&[Stage::Submitted], Event::Approve, Stage::Approved, &[APPROVER_IS_NOT_SUBMITTER, WITHIN_APPROVAL_LIMIT]),
    step(&[Stage::Submitted], Event::Reject, Stage::Draft, &[REASON]),
    step(&[Stage::Approved], Event::Schedule, Stage::Scheduled, &[WINDOW_IN_FUTURE, RESOURCES_FREE, PERMITS_IDENTIFIED]),
    step(&[Stage::Scheduled], Event::Unschedule, Stage::Approved, &[REASON]),
    step(&[Stage::Scheduled], Event::Assign, Stage::Assigned, &[ASSIGNEE_ACTIVE, ASSIGNEE_SKILLED, ASSIGNEE_FREE]),
    step(&[Stage::Assigned], Event::Reassign, Stage::Scheduled, &[REASON]),
    step(
        &[Stage::Assigned],
        Event::Start,
        Stage::InProgress,
        &[ASSIGNEE_OR_SUPERVISOR, PERMITS_VALID, SAFETY_ACKNOWLEDGED, WITHIN_TOLERANCE_OR_REASON],
    ),
    step(&[Stage::InProgress], Event::Hold, Stage::OnHold, &[HOLD_REASON]),
    step(&[Stage::OnHold], Event::Resume, Stage::InProgress, &[BLOCKING_CLEARED, PARTS_HERE, PERMITS_VALID]),
    step(
        &[Stage::InProgress],
        Event::Complete,
        Stage::Completed,
        &[
            MANDATORY_TASKS_DONE,
            SAFETY_SKIPS_SUPERVISED,
            MEASUREMENTS_IN_LIMITS,
            PARTS_RECORDED,
            PARTS_SETTLED,
            LABOUR_RECORDED,
            COMPLETION_NOTE,
            FAILURE_REPORTED,
            SIGNED,
        ],
    ),
    step(&[Stage::Completed], Event::Reopen, Stage::InProgress, &[REASON]),
    step(&[Stage::Completed], Event::Verify, Stage::Verified, &[VERIFIER_IS_NOT_EXECUTOR, QUALITY_CHECKED, FAILURE_CODED]),
    step(&[Stage::Verified], Event::Close, Stage::Closed, &[COSTS_FINAL, PERMITS_OVER]),
    step(
        &[Stage::Draft, Stage::Submitted, Stage::Approved, Stage::Scheduled, Stage::Assigned, Stage::OnHold],
        Event::Cancel,
        Stage::Cancelled,
        &[REASON],
    ),
    step(&[Stage::InProgress], Event::Cancel, Stage::Cancelled, &[REASON, EMERGENCY_RIGHT]),
    step(&[Stage::Closed], Event::Correct, Stage::Closed, &[CORRECTION_RIGHT, REASON]),
];

/// Why an order did not move.
#[derive(Clone, Debug, PartialEq, Serialize, thiserror::Error)]
#[serde(untagged)]
pub enum Refused {
    #[error("a work order that is {from} cannot {event}")]
    NoSuchMove { from: Stage, event: Event, allowed: Vec<Event> },
    /// The first guard that refused, and what every refusing guard misses, so that one answer tells all.
    #[error("{needs}")]
    Guard { event: Event, guard: &'static str, needs: &'static str, explain: Vec<Missing> },
}

/// One thing a guard misses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Missing {
    pub guard: &'static str,
    /// The task, permit or order it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    pub reason: String,
}

impl Stage {
    /// Where the event leads, if every guard of the move agrees.
    pub fn after(self, event: Event, facts: &Facts) -> Result<Stage, Refused> {
        let Some(step) = self.moves().find(|step| step.event == event) else {
            return Err(Refused::NoSuchMove { from: self, event, allowed: self.allowed() });
        };
        let mut refusing = step.guards.iter().filter_map(|guard| Some((guard, guard.misses(facts)?)));
        let Some((first, mut explain)) = refusing.next() else { return Ok(step.to) };
        explain.extend(refusing.flat_map(|(_, missing)| missing));
        Err(Refused::Guard { event, guard: first.name, needs: first.needs, explain })
    }

    /// What can be asked of an order that stands here, guards aside.
    pub fn allowed(self) -> Vec<Event> {
        self.moves().map(|step| step.event).collect()
    }

    fn moves(self) -> impl Iterator<Item = &'static Move> {
        MOVES.iter().filter(move |step| step.from.contains(&self))
    }

    /// Nothing more will be done.
    pub const fn is_final(self) -> bool {
        matches!(self, Stage::Closed | Stage::Cancelled)
    }

    /// Nobody has put work into it yet, so a disproved cause may take it away.
    pub const fn is_before_scheduling(self) -> bool {
        matches!(self, Stage::Draft | Stage::Submitted | Stage::Approved)
    }
}

#[cfg(test)]
mod tests;
