use super::*;
use crate::{
    id::TechnicianId,
    order::{
        book,
        facts::*,
        kinds::{HoldReason, OrderType, Priority, Source},
    },
    time::{DAY, HOUR, Moment},
};
use rust_decimal::Decimal;
use uuid::Uuid;

const NOW: Moment = Moment(1_763_000_000_000_000);
const ANA: Uuid = Uuid::from_u128(1);
const BEN: Uuid = Uuid::from_u128(2);
const TECHNICIAN: TechnicianId = TechnicianId(Uuid::from_u128(3));

/// Facts that every guard agrees with.
fn willing() -> Facts {
    Facts {
        now: NOW,
        actor: Actor {
            user: Some(ANA),
            technician: Some(TECHNICIAN),
            supervises: false,
            approves_upto: Some(Decimal::from(10_000)),
            may_cancel_started: true,
            may_correct: true,
        },
        order: Order {
            stage: Stage::Draft,
            order_type: OrderType::Corrective,
            title: "Replace the fan".into(),
            description: "It is loud".into(),
            has_place: true,
            priority: Some(Priority::High),
            source: Source::Manual,
            estimate: Some(Decimal::from(500)),
            auto_approve_upto: Some(Decimal::from(1_000)),
            submitter: Some(BEN),
            executor: Some(BEN),
            assignee: Some(TECHNICIAN),
            planned_from: Some(NOW.plus(HOUR)),
            required_permits: vec!["LOTO".into()],
            signature_required: true,
            held_for: Some(HoldReason::Parts),
        },
        said: Said {
            reason: Some("because".into()),
            window: Some((NOW.plus(DAY), NOW.plus(DAY + HOUR))),
            hold_reason: Some(HoldReason::Parts),
            override_booking: false,
            safety_acknowledged: true,
            blocking_cleared: true,
            completion_note: Some("new fan".into()),
            signed_by: Some("Ana".into()),
            quality_checked: true,
        },
        assignee: Some(Assignee { name: "Ana".into(), active: true, skills_missing: vec![], booked_by: vec![] }),
        permits: vec![permit("issued")],
        tasks: vec![task(TaskState::Completed)],
        work: Work {
            labour_entries: 1,
            labour_running: 0,
            part_lines: 1,
            no_parts_used: false,
            parts_unpriced: 0,
            parts_unsettled: vec![],
            parts_awaited: vec![],
        },
        failure: Some(Failure { mode: Some("FTF".into()), mechanism: Some("unknown".into()), cause: Some("1".into()), cause_due: None }),
        outages_in_the_way: vec![],
    }
}

fn permit(status: &str) -> Permit {
    Permit {
        id: Uuid::from_u128(9),
        kind: "LOTO".into(),
        status: status.into(),
        valid_from: Some(NOW.minus(HOUR)),
        valid_to: Some(NOW.plus(HOUR)),
    }
}

fn task(state: TaskState) -> Task {
    Task {
        id: Uuid::from_u128(8),
        instruction: "Isolate".into(),
        mandatory: true,
        safety_critical: true,
        state,
        skip_reason: Some("no need".into()),
        skipped_by_supervisor: true,
        out_of_limits: false,
    }
}

/// Closing wants permits handed back, starting wants them issued: the one fact the moves disagree about.
fn willing_for(event: Event) -> Facts {
    let mut facts = willing();
    if event == Event::Close {
        facts.permits = vec![permit("closed")];
    }
    facts
}

/// The machine a second time, as a matrix written by hand from the requirement: stage, then where each event leads.
const MATRIX: &[(Stage, &[(Event, Stage)])] = &[
    (Stage::Draft, &[(Event::Submit, Stage::Submitted), (Event::AutoApprove, Stage::Approved), (Event::Cancel, Stage::Cancelled)]),
    (Stage::Submitted, &[(Event::Approve, Stage::Approved), (Event::Reject, Stage::Draft), (Event::Cancel, Stage::Cancelled)]),
    (Stage::Approved, &[(Event::Schedule, Stage::Scheduled), (Event::Cancel, Stage::Cancelled)]),
    (Stage::Scheduled, &[(Event::Unschedule, Stage::Approved), (Event::Assign, Stage::Assigned), (Event::Cancel, Stage::Cancelled)]),
    (Stage::Assigned, &[(Event::Reassign, Stage::Scheduled), (Event::Start, Stage::InProgress), (Event::Cancel, Stage::Cancelled)]),
    (Stage::InProgress, &[(Event::Hold, Stage::OnHold), (Event::Complete, Stage::Completed), (Event::Cancel, Stage::Cancelled)]),
    (Stage::OnHold, &[(Event::Resume, Stage::InProgress), (Event::Cancel, Stage::Cancelled)]),
    (Stage::Completed, &[(Event::Reopen, Stage::InProgress), (Event::Verify, Stage::Verified)]),
    (Stage::Verified, &[(Event::Close, Stage::Closed)]),
    (Stage::Closed, &[(Event::Correct, Stage::Closed)]),
    (Stage::Cancelled, &[]),
];

#[test]
fn every_pair_of_stage_and_event_does_what_the_matrix_says() {
    assert_eq!(MATRIX.len(), Stage::ALL.len());
    for (stage, leads) in MATRIX {
        for event in Event::ALL {
            let expected = leads.iter().find(|(said, _)| said == event).map(|(_, to)| *to);
            match stage.after(*event, &willing_for(*event)) {
                Ok(to) => assert_eq!(Some(to), expected, "{stage} {event}"),
                Err(Refused::NoSuchMove { from, event: refused, mut allowed }) => {
                    assert_eq!((expected, from, refused), (None, *stage, *event));
                    allowed.sort();
                    let mut listed: Vec<_> = leads.iter().map(|(event, _)| *event).collect();
                    listed.sort();
                    assert_eq!(allowed, listed, "{stage}");
                }
                Err(refused) => panic!("{stage} {event}: {refused:?}"),
            }
        }
    }
}

#[test]
fn no_pair_has_two_moves() {
    for stage in Stage::ALL {
        let mut events = stage.allowed();
        events.sort();
        let count = events.len();
        events.dedup();
        assert_eq!(events.len(), count, "{stage}");
    }
}

/// What breaks a guard, and the move on which it must then refuse.
type Breaks = (&'static str, Stage, Event, fn(&mut Facts));

#[rustfmt::skip]
const BREAKS: &[Breaks] = &[
    ("title", Stage::Draft, Event::Submit, |facts| facts.order.title = "  ".into()),
    ("description", Stage::Draft, Event::Submit, |facts| facts.order.description.clear()),
    ("place", Stage::Draft, Event::Submit, |facts| facts.order.has_place = false),
    ("priority", Stage::Draft, Event::Submit, |facts| facts.order.priority = None),
    ("emergency_or_within_limit", Stage::Draft, Event::AutoApprove, |facts| facts.order.estimate = Some(Decimal::from(1_001))),
    ("emergency_or_within_limit", Stage::Draft, Event::AutoApprove, |facts| facts.order.auto_approve_upto = None),
    ("emergency_or_within_limit", Stage::Draft, Event::AutoApprove, |facts| facts.order.estimate = None),
    ("approver_is_not_submitter", Stage::Submitted, Event::Approve, |facts| facts.order.submitter = Some(ANA)),
    ("within_approval_limit", Stage::Submitted, Event::Approve, |facts| facts.order.estimate = Some(Decimal::from(10_001))),
    ("within_approval_limit", Stage::Submitted, Event::Approve, |facts| { facts.order.estimate = None; facts.actor.approves_upto = Some(Decimal::ZERO) }),
    ("reason", Stage::Submitted, Event::Reject, |facts| facts.said.reason = None),
    ("window_in_future", Stage::Approved, Event::Schedule, |facts| facts.said.window = None),
    ("window_in_future", Stage::Approved, Event::Schedule, |facts| facts.said.window = Some((NOW, NOW.plus(HOUR)))),
    ("window_in_future", Stage::Approved, Event::Schedule, |facts| facts.said.window = Some((NOW.plus(HOUR), NOW.plus(HOUR)))),
    ("resources_free", Stage::Approved, Event::Schedule, |facts| facts.outages_in_the_way = vec!["WO-2026-000001".into()]),
    ("permits_identified", Stage::Approved, Event::Schedule, |facts| facts.permits.clear()),
    ("reason", Stage::Scheduled, Event::Unschedule, |facts| facts.said.reason = Some(" ".into())),
    ("assignee_active", Stage::Scheduled, Event::Assign, |facts| facts.assignee.as_mut().unwrap().active = false),
    ("assignee_active", Stage::Scheduled, Event::Assign, |facts| facts.assignee = None),
    ("assignee_skilled", Stage::Scheduled, Event::Assign, |facts| facts.assignee.as_mut().unwrap().skills_missing = vec!["GWO".into()]),
    ("assignee_free", Stage::Scheduled, Event::Assign, |facts| facts.assignee.as_mut().unwrap().booked_by = vec!["WO-2026-000002".into()]),
    ("assignee_free", Stage::Scheduled, Event::Assign, |facts| { facts.said.override_booking = true; facts.assignee.as_mut().unwrap().booked_by = vec!["WO-2026-000002".into()] }),
    ("reason", Stage::Assigned, Event::Reassign, |facts| facts.said.reason = None),
    ("assignee_or_supervisor", Stage::Assigned, Event::Start, |facts| facts.actor.technician = None),
    ("permits_valid", Stage::Assigned, Event::Start, |facts| facts.permits = vec![permit("requested")]),
    ("permits_valid", Stage::Assigned, Event::Start, |facts| facts.permits = vec![permit("revoked")]),
    ("permits_valid", Stage::Assigned, Event::Start, |facts| facts.permits[0].valid_to = Some(NOW)),
    ("safety_acknowledged", Stage::Assigned, Event::Start, |facts| facts.said.safety_acknowledged = false),
    ("within_tolerance_or_reason", Stage::Assigned, Event::Start, |facts| { facts.said.reason = None; facts.order.planned_from = Some(NOW.plus(2 * HOUR + 1)) }),
    ("hold_reason", Stage::InProgress, Event::Hold, |facts| facts.said.hold_reason = None),
    ("blocking_cleared", Stage::OnHold, Event::Resume, |facts| facts.said.blocking_cleared = false),
    ("permits_valid", Stage::OnHold, Event::Resume, |facts| facts.permits.clear()),
    ("mandatory_tasks_done", Stage::InProgress, Event::Complete, |facts| facts.tasks = vec![task(TaskState::Pending)]),
    ("mandatory_tasks_done", Stage::InProgress, Event::Complete, |facts| facts.tasks = vec![task(TaskState::Failed)]),
    ("mandatory_tasks_done", Stage::InProgress, Event::Complete, |facts| { facts.tasks = vec![task(TaskState::Skipped)]; facts.tasks[0].skip_reason = None }),
    ("safety_skips_supervised", Stage::InProgress, Event::Complete, |facts| { facts.tasks = vec![task(TaskState::Skipped)]; facts.tasks[0].skipped_by_supervisor = false }),
    ("measurements_in_limits", Stage::InProgress, Event::Complete, |facts| facts.tasks[0].out_of_limits = true),
    ("parts_recorded", Stage::InProgress, Event::Complete, |facts| facts.work.part_lines = 0),
    ("parts_settled", Stage::InProgress, Event::Complete, |facts| facts.work.parts_unsettled.push("FAN-24V is issued".into())),
    ("parts_here", Stage::OnHold, Event::Resume, |facts| facts.work.parts_awaited.push("FAN-24V is backordered".into())),
    ("labour_recorded", Stage::InProgress, Event::Complete, |facts| facts.work.labour_entries = 0),
    ("labour_recorded", Stage::InProgress, Event::Complete, |facts| facts.work.labour_running = 1),
    ("completion_note", Stage::InProgress, Event::Complete, |facts| facts.said.completion_note = None),
    ("failure_reported", Stage::InProgress, Event::Complete, |facts| facts.failure = None),
    ("signed", Stage::InProgress, Event::Complete, |facts| facts.said.signed_by = None),
    ("reason", Stage::Completed, Event::Reopen, |facts| facts.said.reason = None),
    ("verifier_is_not_executor", Stage::Completed, Event::Verify, |facts| facts.order.executor = Some(ANA)),
    ("quality_checked", Stage::Completed, Event::Verify, |facts| facts.said.quality_checked = false),
    ("failure_coded", Stage::Completed, Event::Verify, |facts| facts.failure = None),
    ("failure_coded", Stage::Completed, Event::Verify, |facts| facts.failure.as_mut().unwrap().mode = None),
    ("failure_coded", Stage::Completed, Event::Verify, |facts| facts.failure.as_mut().unwrap().mechanism = None),
    ("failure_coded", Stage::Completed, Event::Verify, |facts| facts.failure.as_mut().unwrap().cause = Some("under_investigation".into())),
    ("costs_final", Stage::Verified, Event::Close, |facts| facts.work.parts_unpriced = 1),
    ("permits_over", Stage::Verified, Event::Close, |facts| facts.permits = vec![permit("issued")]),
    ("reason", Stage::OnHold, Event::Cancel, |facts| facts.said.reason = None),
    ("reason", Stage::InProgress, Event::Cancel, |facts| facts.said.reason = None),
    ("emergency_right", Stage::InProgress, Event::Cancel, |facts| facts.actor.may_cancel_started = false),
    ("correction_right", Stage::Closed, Event::Correct, |facts| facts.actor.may_correct = false),
    ("reason", Stage::Closed, Event::Correct, |facts| facts.said.reason = None),
];

#[test]
fn each_guard_refuses_what_breaks_it_and_nothing_else_does() {
    for (name, stage, event, breaks) in BREAKS {
        let mut facts = willing_for(*event);
        breaks(&mut facts);
        match stage.after(*event, &facts) {
            Err(Refused::Guard { guard, explain, .. }) => {
                assert_eq!(guard, *name, "{stage} {event}");
                assert!(explain.iter().all(|missing| missing.guard == *name), "{explain:?}");
            }
            other => panic!("{name} did not refuse {event} of {stage}: {other:?}"),
        }
    }
}

#[test]
fn every_guard_of_every_move_is_broken_once() {
    for step in MOVES {
        for guard in step.guards {
            assert!(BREAKS.iter().any(|(name, ..)| *name == guard.name), "nothing breaks {}", guard.name);
        }
    }
}

#[test]
fn all_that_is_missing_is_said_at_once() {
    let mut facts = willing();
    facts.work.part_lines = 0;
    facts.said.completion_note = None;
    let Err(Refused::Guard { guard, explain, .. }) = Stage::InProgress.after(Event::Complete, &facts) else { panic!("it was let through") };
    assert_eq!(guard, "parts_recorded");
    assert_eq!(explain.iter().map(|missing| missing.guard).collect::<Vec<_>>(), ["parts_recorded", "completion_note"]);
}

#[test]
fn an_emergency_needs_no_estimate_and_a_supervisor_may_override_a_booking() {
    let mut facts = willing();
    facts.order.priority = Some(Priority::Emergency);
    facts.order.estimate = None;
    assert_eq!(Stage::Draft.after(Event::AutoApprove, &facts), Ok(Stage::Approved));
    facts.actor.supervises = true;
    facts.said.override_booking = true;
    facts.assignee.as_mut().unwrap().booked_by = vec!["WO-2026-000002".into()];
    assert_eq!(Stage::Scheduled.after(Event::Assign, &facts), Ok(Stage::Assigned));
}

/// `UPDATE_DOCS=1 cargo test --workspace --lib stage` writes the page anew.
#[test]
fn the_book_says_what_the_table_says() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/work-orders.md");
    let page = book::markdown();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, &page).unwrap();
    }
    assert!(std::fs::read_to_string(path).unwrap() == page, "docs/work-orders.md is not what the table says; run with UPDATE_DOCS=1");
}
