//! A claim under a warranty.

use crate::{
    machine::{Guard, Machine, Move, holds, said, step},
    order::kinds::names,
};
use serde::{Deserialize, Serialize};

names!(
    State { Draft = "draft", Submitted = "submitted", Accepted = "accepted", Rejected = "rejected", Settled = "settled" }
);

names!(
    Event { Submit = "submit", Accept = "accept", Reject = "reject", Settle = "settle" }
);

/// What the guards look at.
#[derive(Clone, Debug)]
pub struct Facts {
    pub reason: Option<String>,
    /// The day of the failure lies within the warranty.
    pub covered: bool,
    pub amount_named: bool,
    pub settled_amount_named: bool,
}

const COVERED: Guard<Facts> = Guard {
    name: "covered",
    needs: "Claim under a warranty that covers the day of the failure.",
    look: |facts| holds(facts.covered, || "the warranty does not cover the day of the failure".into()),
};
const AMOUNT: Guard<Facts> =
    Guard { name: "amount", needs: "Say how much is claimed.", look: |facts| holds(facts.amount_named, || "no amount is claimed".into()) };
const REASON: Guard<Facts> =
    Guard { name: "reason", needs: "Say why.", look: |facts| holds(said(facts.reason.as_ref()), || "no reason is given".into()) };
const SETTLED_AMOUNT: Guard<Facts> = Guard {
    name: "settled_amount",
    needs: "Say what was paid or replaced, as an amount.",
    look: |facts| holds(facts.settled_amount_named, || "no settled amount is given".into()),
};

use Event::*;
use State::*;

static MOVES: &[Move<State, Event, Facts>] = &[
    step(&[Draft], Submit, Submitted, &[COVERED, AMOUNT]),
    step(&[Submitted], Accept, Accepted, &[]),
    step(&[Submitted], Reject, Rejected, &[REASON]),
    step(&[Accepted], Settle, Settled, &[SETTLED_AMOUNT]),
];

/// The machine of a warranty claim.
#[derive(Debug)]
pub struct Claims;

impl Machine for Claims {
    type State = State;
    type Event = Event;
    type Facts = Facts;
    const NAME: &'static str = "warranty claim";
    const BEGINS: (&'static str, State) = ("create", Draft);

    fn moves() -> &'static [Move<State, Event, Facts>] {
        MOVES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_the_matrix() {
        crate::machine::judge::judge::<Claims>(
            |_| Facts { reason: Some("wear".into()), covered: true, amount_named: true, settled_amount_named: true },
            &[
                (Draft, &[(Submit, Submitted)]),
                (Submitted, &[(Accept, Accepted), (Reject, Rejected)]),
                (Accepted, &[(Settle, Settled)]),
                (Rejected, &[]),
                (Settled, &[]),
            ],
            &[
                ("covered", Draft, Submit, |facts| facts.covered = false),
                ("amount", Draft, Submit, |facts| facts.amount_named = false),
                ("reason", Submitted, Reject, |facts| facts.reason = None),
                ("settled_amount", Accepted, Settle, |facts| facts.settled_amount_named = false),
            ],
        );
    }
}
