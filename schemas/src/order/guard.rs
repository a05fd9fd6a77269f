//! The guards of the work-order machine: each a name, what would satisfy it, and a look at the facts.

use crate::order::{facts::Facts, stage::Missing};

/// A condition of a move.
pub struct Guard {
    pub name: &'static str,
    /// What would satisfy it, as a sentence for a person.
    pub needs: &'static str,
    look: fn(&Facts) -> Vec<Found>,
}

/// What a look found missing: what it is about, and why.
type Found = (Option<String>, String);

impl Guard {
    const fn new(name: &'static str, needs: &'static str, look: fn(&Facts) -> Vec<Found>) -> Guard {
        Guard { name, needs, look }
    }

    /// What is missing, or `None` when the guard agrees.
    pub fn misses(&self, facts: &Facts) -> Option<Vec<Missing>> {
        let found = (self.look)(facts);
        let missing: Vec<_> = found.into_iter().map(|(subject, reason)| Missing { guard: self.name, subject, reason }).collect();
        (!missing.is_empty()).then_some(missing)
    }
}

impl std::fmt::Debug for Guard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

/// Nothing is missing when it holds; else one reason that is about nothing in particular.
fn holds(condition: bool, reason: impl FnOnce() -> String) -> Vec<Found> {
    if condition { vec![] } else { vec![(None, reason())] }
}

fn said(text: Option<&String>) -> bool {
    text.is_some_and(|text| !text.trim().is_empty())
}

/// All guards, in the order of an order's life.
pub mod guards {
    use super::{Guard, holds, said};
    use crate::{
        order::{
            facts::{Facts, TaskState},
            kinds::{HoldReason, OrderType, Priority},
        },
        time::HOUR,
    };

    /// How far from the planned start work may begin without a word.
    pub const START_TOLERANCE: i64 = 2 * HOUR;

    pub const TITLE: Guard =
        Guard::new("title", "Give the order a title.", |facts| holds(!facts.order.title.trim().is_empty(), || "the title is empty".into()));
    pub const DESCRIPTION: Guard = Guard::new("description", "Describe the work, unless it is preventive.", |facts| {
        let needed = facts.order.order_type != OrderType::Preventive;
        holds(!needed || !facts.order.description.trim().is_empty(), || "the description is empty".into())
    });
    pub const PLACE: Guard = Guard::new("place", "Name a position, or a location in words.", |facts| {
        holds(facts.order.has_place, || "neither position nor location is named".into())
    });
    pub const PRIORITY: Guard =
        Guard::new("priority", "Choose a priority.", |facts| holds(facts.order.priority.is_some(), || "no priority is chosen".into()));
    pub const EMERGENCY_OR_WITHIN_LIMIT: Guard = Guard::new(
        "emergency_or_within_limit",
        "Only an emergency, or an estimate within the limit of its source, needs no person's approval.",
        |facts| {
            let order = &facts.order;
            let emergency = order.priority == Some(Priority::Emergency) || order.order_type == OrderType::Emergency;
            let within = matches!((order.estimate, order.auto_approve_upto), (Some(estimate), Some(limit)) if estimate <= limit);
            holds(emergency || within, || match (order.estimate, order.auto_approve_upto) {
                (Some(estimate), Some(limit)) => format!("the estimate of {estimate} is above {limit}"),
                (None, _) => "there is no estimate".into(),
                (_, None) => "its source may not approve by itself".into(),
            })
        },
    );
    pub const APPROVER_IS_NOT_SUBMITTER: Guard =
        Guard::new("approver_is_not_submitter", "Somebody else than the submitter approves.", |facts| {
            let same = facts.actor.user.is_some() && facts.actor.user == facts.order.submitter;
            holds(!same, || "you submitted this order".into())
        });
    pub const WITHIN_APPROVAL_LIMIT: Guard =
        Guard::new("within_approval_limit", "Somebody whose limit covers the estimate approves.", |facts| {
            match (facts.actor.approves_upto, facts.order.estimate) {
                (None, _) => vec![],
                (Some(limit), Some(estimate)) => {
                    holds(estimate <= limit, || format!("the estimate of {estimate} is above your limit of {limit}"))
                }
                (Some(limit), None) => holds(!limit.is_zero(), || "you may not approve orders".into()),
            }
        });
    pub const REASON: Guard =
        Guard::new("reason", "Say why.", |facts| holds(said(facts.said.reason.as_ref()), || "no reason is given".into()));
    pub const WINDOW_IN_FUTURE: Guard =
        Guard::new("window_in_future", "Plan a window that begins in the future and ends after it begins.", |facts| {
            match facts.said.window {
                None => holds(false, || "no planned window is given".into()),
                Some((from, to)) if to <= from => holds(false, || "the window ends before it begins".into()),
                Some((from, _)) => holds(from > facts.now, || format!("the window begins at {from}, which has passed")),
            }
        });
    pub const RESOURCES_FREE: Guard =
        Guard::new("resources_free", "Choose a window in which no other order takes the position out.", |facts| {
            let orders = facts.outages_in_the_way.iter();
            orders.map(|number| (Some(number.clone()), format!("{number} takes the position out in this window"))).collect()
        });
    pub const PERMITS_IDENTIFIED: Guard =
        Guard::new("permits_identified", "Enter a permit of every kind that the order requires.", |facts| {
            let kinds = facts.order.required_permits.iter();
            let missing = kinds.filter(|kind| !facts.permits.iter().any(|permit| permit.kind == **kind && !permit.is_over()));
            missing.map(|kind| (None, format!("no permit of kind {kind} is entered"))).collect()
        });
    pub const ASSIGNEE_ACTIVE: Guard = Guard::new("assignee_active", "Choose a technician who is active.", |facts| match &facts.assignee {
        None => holds(false, || "no technician is named".into()),
        Some(assignee) => holds(assignee.active, || format!("{} is not active", assignee.name)),
    });
    pub const ASSIGNEE_SKILLED: Guard = Guard::new(
        "assignee_skilled",
        "Choose a technician who has every required skill with a certificate valid through the planned window.",
        |facts| {
            let missing = facts.assignee.iter().flat_map(|assignee| assignee.skills_missing.iter().map(move |skill| (assignee, skill)));
            missing
                .map(|(assignee, skill)| (Some(skill.clone()), format!("{} has no valid certificate for {skill}", assignee.name)))
                .collect()
        },
    );
    pub const ASSIGNEE_FREE: Guard =
        Guard::new("assignee_free", "Choose a technician who is free in the window, or override the booking as a supervisor.", |facts| {
            if facts.said.override_booking && facts.actor.supervises {
                return vec![];
            }
            let booked = facts.assignee.iter().flat_map(|assignee| assignee.booked_by.iter().map(move |number| (assignee, number)));
            booked.map(|(assignee, number)| (Some(number.clone()), format!("{} is booked on {number} then", assignee.name))).collect()
        });
    pub const ASSIGNEE_OR_SUPERVISOR: Guard =
        Guard::new("assignee_or_supervisor", "The technician it is assigned to starts it, or a supervisor.", |facts| {
            let assigned = facts.actor.technician.is_some() && facts.actor.technician == facts.order.assignee;
            holds(assigned || facts.actor.supervises, || "you are neither the assignee nor a supervisor".into())
        });
    pub const PERMITS_VALID: Guard = Guard::new("permits_valid", "Every permit of the order is issued and valid now.", |facts| {
        let mut missing: Vec<_> = facts
            .permits
            .iter()
            .filter(|permit| !permit.is_over() && !permit.covers(facts.now))
            .map(|permit| (Some(permit.id.to_string()), format!("the {} permit is {} or not valid now", permit.kind, permit.status)))
            .collect();
        let uncovered = facts
            .order
            .required_permits
            .iter()
            .filter(|kind| !facts.permits.iter().any(|permit| permit.kind == **kind && !permit.is_over()));
        missing.extend(uncovered.map(|kind| (None, format!("no {kind} permit is in force"))));
        missing
    });
    pub const SAFETY_ACKNOWLEDGED: Guard = Guard::new("safety_acknowledged", "Acknowledge the safety checklist.", |facts| {
        holds(facts.said.safety_acknowledged, || "the safety checklist is not acknowledged".into())
    });
    pub const WITHIN_TOLERANCE_OR_REASON: Guard =
        Guard::new("within_tolerance_or_reason", "Start within two hours of the planned time, or say why not.", |facts| {
            let Some(planned) = facts.order.planned_from else { return vec![] };
            let near = facts.now.minus(planned.0).0.abs() <= START_TOLERANCE;
            holds(near || said(facts.said.reason.as_ref()), || format!("it was planned for {planned}"))
        });
    pub const HOLD_REASON: Guard =
        Guard::new("hold_reason", "Choose why: parts, access, weather, permit, customer, safety, shift_end or other.", |facts| {
            holds(facts.said.hold_reason.is_some(), || "no hold reason is chosen".into())
        });
    pub const BLOCKING_CLEARED: Guard = Guard::new(
        "blocking_cleared",
        "Confirm that what blocked the work is cleared; a supervisor may override with a reason.",
        |facts| {
            let overridden = facts.actor.supervises && said(facts.said.reason.as_ref());
            holds(facts.said.blocking_cleared || overridden, || match facts.order.held_for {
                Some(reason) => format!("it is not confirmed that the hold for {reason} is cleared"),
                None => "it is not confirmed that the hold is cleared".into(),
            })
        },
    );
    pub const MANDATORY_TASKS_DONE: Guard =
        Guard::new("mandatory_tasks_done", "Answer every mandatory step, or skip it with a reason.", |facts| {
            let open = facts.tasks.iter().filter(|task| {
                task.mandatory
                    && match task.state {
                        TaskState::Completed => false,
                        TaskState::Skipped => !said(task.skip_reason.as_ref()),
                        TaskState::Pending | TaskState::Failed => true,
                    }
            });
            open.map(|task| {
                let why = if task.state == TaskState::Failed { "failed" } else { "has no result" };
                (Some(task.id.to_string()), format!("\"{}\" {why}", task.instruction))
            })
            .collect()
        });
    pub const SAFETY_SKIPS_SUPERVISED: Guard =
        Guard::new("safety_skips_supervised", "A supervisor skips safety-critical steps.", |facts| {
            let skipped = facts.tasks.iter().filter(|task| task.safety_critical && task.state == TaskState::Skipped);
            let alone = skipped.filter(|task| !task.skipped_by_supervisor);
            alone.map(|task| (Some(task.id.to_string()), format!("\"{}\" was skipped without a supervisor", task.instruction))).collect()
        });
    pub const MEASUREMENTS_IN_LIMITS: Guard =
        Guard::new("measurements_in_limits", "Bring every measurement inside its limits, or have it waived by a supervisor.", |facts| {
            let outside = facts.tasks.iter().filter(|task| task.out_of_limits);
            outside.map(|task| (Some(task.id.to_string()), format!("\"{}\" is outside its limits", task.instruction))).collect()
        });
    pub const PARTS_RECORDED: Guard = Guard::new("parts_recorded", "Record the parts used, or say that none were.", |facts| {
        holds(facts.work.part_lines > 0 || facts.work.no_parts_used, || "no parts are recorded".into())
    });
    pub const PARTS_SETTLED: Guard =
        Guard::new("parts_settled", "Say of every part that was reserved or issued that it was used, brought back or given up.", |facts| {
            facts.work.parts_unsettled.iter().map(|part| (None, part.clone())).collect()
        });
    pub const PARTS_HERE: Guard = Guard::new("parts_here", "Reserve the parts that the order waits for, or give them up.", |facts| {
        let held_for_parts = facts.order.held_for == Some(HoldReason::Parts);
        let awaited = facts.work.parts_awaited.iter().filter(|_| held_for_parts);
        awaited.map(|part| (None, part.clone())).collect()
    });
    pub const LABOUR_RECORDED: Guard =
        Guard::new("labour_recorded", "Record at least one labour entry, and stop those that run.", |facts| {
            let mut missing = holds(facts.work.labour_entries > 0, || "no labour is recorded".into());
            missing.extend(holds(facts.work.labour_running == 0, || format!("{} labour entries still run", facts.work.labour_running)));
            missing
        });
    pub const COMPLETION_NOTE: Guard = Guard::new("completion_note", "Say what was done.", |facts| {
        holds(said(facts.said.completion_note.as_ref()), || "there is no completion note".into())
    });
    pub const FAILURE_REPORTED: Guard = Guard::new("failure_reported", "Report the failure that was repaired.", |facts| {
        holds(!facts.order.order_type.repairs() || facts.failure.is_some(), || "there is no failure report".into())
    });
    pub const SIGNED: Guard = Guard::new("signed", "Have the work signed for.", |facts| {
        holds(!facts.order.signature_required || said(facts.said.signed_by.as_ref()), || "the signature is missing".into())
    });
    pub const VERIFIER_IS_NOT_EXECUTOR: Guard =
        Guard::new("verifier_is_not_executor", "Somebody else than who did the work verifies it.", |facts| {
            let same = facts.actor.user.is_some() && facts.actor.user == facts.order.executor;
            holds(!same, || "you did this work".into())
        });
    pub const QUALITY_CHECKED: Guard = Guard::new("quality_checked", "Confirm the quality checks.", |facts| {
        holds(facts.said.quality_checked, || "the quality checks are not confirmed".into())
    });
    pub const FAILURE_CODED: Guard = Guard::new(
        "failure_coded",
        "Code the failure: mode, mechanism (or unknown) and cause (or under_investigation with a date).",
        failure_codes_missing,
    );
    pub const COSTS_FINAL: Guard = Guard::new("costs_final", "Price every used part and stop every labour entry.", |facts| {
        let mut missing = holds(facts.work.parts_unpriced == 0, || format!("{} used parts have no price", facts.work.parts_unpriced));
        missing.extend(holds(facts.work.labour_running == 0, || format!("{} labour entries still run", facts.work.labour_running)));
        missing
    });
    pub const PERMITS_OVER: Guard = Guard::new("permits_over", "Close every permit.", |facts| {
        let open = facts.permits.iter().filter(|permit| !permit.is_over());
        open.map(|permit| (Some(permit.id.to_string()), format!("the {} permit is {}", permit.kind, permit.status))).collect()
    });
    pub const EMERGENCY_RIGHT: Guard =
        Guard::new("emergency_right", "Somebody with the emergency right cancels work that has begun.", |facts| {
            holds(facts.actor.may_cancel_started, || "you may not cancel work that has begun".into())
        });
    pub const CORRECTION_RIGHT: Guard = Guard::new("correction_right", "Somebody who may correct closed orders does it.", |facts| {
        holds(facts.actor.may_correct, || "you may not correct closed orders".into())
    });

    fn failure_codes_missing(facts: &Facts) -> Vec<super::Found> {
        if !facts.order.order_type.repairs() {
            return vec![];
        }
        let Some(failure) = &facts.failure else { return holds(false, || "there is no failure report".into()) };
        let mut missing = holds(said(failure.mode.as_ref()), || "the failure mode is missing".into());
        missing.extend(holds(said(failure.mechanism.as_ref()), || "the mechanism is missing (it may be unknown)".into()));
        missing.extend(match failure.cause.as_deref() {
            None | Some("") => holds(false, || "the cause is missing (it may be under_investigation)".into()),
            Some("under_investigation") => holds(failure.cause_due.is_some(), || "a cause under investigation needs a due date".into()),
            Some(_) => vec![],
        });
        missing
    }
}
