//! A count of what lies in a store.

use crate::{
    machine::{Guard, Machine, Move, holds, said, step},
    order::kinds::names,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

names!(
    State { Open = "open", Counted = "counted", Approved = "approved", Cancelled = "cancelled" }
);

names!(
    Event { Count = "count", Approve = "approve", Recount = "recount", Cancel = "cancel" }
);

/// What the guards look at.
#[derive(Clone, Debug)]
pub struct Facts {
    pub actor: Uuid,
    pub counted_by: Option<Uuid>,
    pub reason: Option<String>,
    /// Parts of the count of which no number is said.
    pub parts_missing: Vec<Uuid>,
    /// Parts that would be fewer than are promised to orders.
    pub oversold: Vec<String>,
    /// The value of all differences, taken without sign, above what the actor may approve.
    pub above_limit: Option<String>,
}

const COMPLETE: Guard<Facts> = Guard {
    name: "complete",
    needs: "Say a number for every part of the count, and for no other.",
    look: |facts| facts.parts_missing.iter().map(|part| format!("part {part} is not counted")).collect(),
};
const APPROVER_IS_NOT_COUNTER: Guard<Facts> = Guard {
    name: "approver_is_not_counter",
    needs: "Somebody else than who counted approves.",
    look: |facts| holds(facts.counted_by != Some(facts.actor), || "you counted this".into()),
};
const NOT_OVERSOLD: Guard<Facts> = Guard {
    name: "not_oversold",
    needs: "Release reservations first: less was found than is promised.",
    look: |facts| facts.oversold.clone(),
};
const WITHIN_LIMIT: Guard<Facts> = Guard {
    name: "within_limit",
    needs: "Somebody whose limit covers the value of the differences approves.",
    look: |facts| facts.above_limit.iter().cloned().collect(),
};
const REASON: Guard<Facts> =
    Guard { name: "reason", needs: "Say why.", look: |facts| holds(said(facts.reason.as_ref()), || "no reason is given".into()) };

use Event::*;
use State::*;

static MOVES: &[Move<State, Event, Facts>] = &[
    step(&[Open], Count, Counted, &[COMPLETE]),
    step(&[Counted], Approve, Approved, &[APPROVER_IS_NOT_COUNTER, WITHIN_LIMIT, NOT_OVERSOLD]),
    step(&[Counted], Recount, Open, &[REASON]),
    step(&[Open, Counted], Cancel, Cancelled, &[REASON]),
];

/// The machine of a cycle count.
#[derive(Debug)]
pub struct Counts;

impl Machine for Counts {
    type State = State;
    type Event = Event;
    type Facts = Facts;
    const NAME: &'static str = "cycle count";
    const BEGINS: (&'static str, State) = ("create", Open);

    fn moves() -> &'static [Move<State, Event, Facts>] {
        MOVES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_the_matrix() {
        crate::machine::judge::judge::<Counts>(
            |_| Facts {
                actor: Uuid::from_u128(1),
                counted_by: Some(Uuid::from_u128(2)),
                reason: Some("again".into()),
                parts_missing: vec![],
                oversold: vec![],
                above_limit: None,
            },
            &[
                (Open, &[(Count, Counted), (Cancel, Cancelled)]),
                (Counted, &[(Approve, Approved), (Recount, Open), (Cancel, Cancelled)]),
                (Approved, &[]),
                (Cancelled, &[]),
            ],
            &[
                ("complete", Open, Count, |facts| facts.parts_missing.push(Uuid::nil())),
                ("approver_is_not_counter", Counted, Approve, |facts| facts.counted_by = Some(facts.actor)),
                ("within_limit", Counted, Approve, |facts| facts.above_limit = Some("5000 is above your limit of 1000".into())),
                ("not_oversold", Counted, Approve, |facts| facts.oversold.push("P-1: 2 found, 3 promised".into())),
                ("reason", Counted, Recount, |facts| facts.reason = None),
            ],
        );
    }
}
