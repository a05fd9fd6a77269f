//! What somebody asks for, until it is an order.

use crate::{
    machine::{Guard, Machine, Move, holds, said, step},
    order::kinds::names,
};
use serde::{Deserialize, Serialize};

names!(
    State {
        New = "new",
        Triaged = "triaged",
        Approved = "approved",
        Rejected = "rejected",
        Merged = "merged",
        Converted = "converted",
        Closed = "closed",
    }
);

names!(
    Event { Triage = "triage", Approve = "approve", Reject = "reject", Merge = "merge", Convert = "convert", Close = "close" }
);

/// What the guards look at.
#[derive(Clone, Debug)]
pub struct Facts {
    pub reason: Option<String>,
    pub priority_chosen: bool,
    /// The request named as the one that this repeats is there, another, and itself no duplicate.
    pub original_fits: bool,
    /// The order's number and stage, while it is not over.
    pub order_open: Option<String>,
}

const PRIORITY: Guard<Facts> =
    Guard { name: "priority", needs: "Choose a priority.", look: |facts| holds(facts.priority_chosen, || "no priority is chosen".into()) };
const REASON: Guard<Facts> =
    Guard { name: "reason", needs: "Say why.", look: |facts| holds(said(facts.reason.as_ref()), || "no reason is given".into()) };
const ORIGINAL: Guard<Facts> = Guard {
    name: "original",
    needs: "Name another request that is no duplicate itself.",
    look: |facts| holds(facts.original_fits, || "there is no such request, or it is a duplicate".into()),
};
const ORDER_OVER: Guard<Facts> = Guard {
    name: "order_over",
    needs: "Close or cancel its order.",
    look: |facts| facts.order_open.iter().map(|order| format!("{order} is open")).collect(),
};

use Event::*;
use State::*;

static MOVES: &[Move<State, Event, Facts>] = &[
    step(&[New], Triage, Triaged, &[PRIORITY]),
    step(&[Triaged], Approve, Approved, &[]),
    step(&[New, Triaged], Reject, Rejected, &[REASON]),
    step(&[New, Triaged], Merge, Merged, &[ORIGINAL]),
    step(&[Approved], Convert, Converted, &[]),
    step(&[Converted], Close, Closed, &[ORDER_OVER]),
];

/// The machine of a service request.
#[derive(Debug)]
pub struct Requests;

impl Machine for Requests {
    type State = State;
    type Event = Event;
    type Facts = Facts;
    const NAME: &'static str = "service request";
    const BEGINS: (&'static str, State) = ("ask", New);

    fn moves() -> &'static [Move<State, Event, Facts>] {
        MOVES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_the_matrix() {
        crate::machine::judge::judge::<Requests>(
            |_| Facts { reason: Some("no fault found".into()), priority_chosen: true, original_fits: true, order_open: None },
            &[
                (New, &[(Triage, Triaged), (Reject, Rejected), (Merge, Merged)]),
                (Triaged, &[(Approve, Approved), (Reject, Rejected), (Merge, Merged)]),
                (Approved, &[(Convert, Converted)]),
                (Rejected, &[]),
                (Merged, &[]),
                (Converted, &[(Close, Closed)]),
                (Closed, &[]),
            ],
            &[
                ("priority", New, Triage, |facts| facts.priority_chosen = false),
                ("reason", Triaged, Reject, |facts| facts.reason = None),
                ("original", New, Merge, |facts| facts.original_fits = false),
                ("order_over", Converted, Close, |facts| facts.order_open = Some("WO-2026-000001".into())),
            ],
        );
    }
}
