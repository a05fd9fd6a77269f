//! A part promised to an order.

use crate::{
    machine::{Guard, Machine, Move, holds, said, step},
    order::kinds::names,
};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

names!(
    State {
        Requested = "requested",
        Backordered = "backordered",
        Reserved = "reserved",
        Picked = "picked",
        Issued = "issued",
        Consumed = "consumed",
        Returned = "returned",
        Released = "released",
        Expired = "expired",
    }
);

impl State {
    /// Whether stock is held back for it.
    pub const fn holds_stock(self) -> bool {
        matches!(self, Reserved | Picked)
    }

    /// Whether the order still has to say what became of it.
    pub const fn is_unsettled(self) -> bool {
        matches!(self, Reserved | Picked | Issued)
    }
}

names!(
    Event {
        Reserve = "reserve",
        Backorder = "backorder",
        Pick = "pick",
        Issue = "issue",
        Consume = "consume",
        Return = "return",
        Release = "release",
        /// Asked by the service itself, when somebody else needs the part.
        Expire = "expire",
    }
);

/// What the guards look at.
#[derive(Clone, Debug)]
pub struct Facts {
    pub quantity: Decimal,
    /// On hand and not promised.
    pub available: Decimal,
    /// The order's number and stage, where it is over.
    pub order_over: Option<String>,
    pub serialised: bool,
    pub serial: Option<String>,
    /// What comes back unused.
    pub returned: Decimal,
    /// Work has begun, or the time it is held for has not passed.
    pub still_needed: bool,
}

const AVAILABLE: Guard<Facts> = Guard {
    name: "available",
    needs: "Reserve no more than is available, choose another store, or ask for a backorder.",
    look: |facts| {
        holds(facts.quantity <= facts.available, || {
            format!("{} are wanted and {} are available", facts.quantity.normalize(), facts.available.normalize())
        })
    },
};
const ORDER_OPEN: Guard<Facts> = Guard {
    name: "order_open",
    needs: "Use parts for an order that is not over.",
    look: |facts| facts.order_over.iter().map(|order| format!("{order} is over")).collect(),
};
const SERIAL: Guard<Facts> = Guard {
    name: "serial",
    needs: "Name the serial number of a serialised part.",
    look: |facts| holds(!facts.serialised || said(facts.serial.as_ref()), || "the serial number is missing".into()),
};
const RETURNED_WITHIN: Guard<Facts> = Guard {
    name: "returned_within",
    needs: "Return less than was issued, or return all of it.",
    look: |facts| {
        let fine = facts.returned >= Decimal::ZERO && facts.returned < facts.quantity;
        holds(fine, || format!("{} of {} would come back", facts.returned.normalize(), facts.quantity.normalize()))
    },
};
const NO_LONGER_NEEDED: Guard<Facts> = Guard {
    name: "no_longer_needed",
    needs: "Wait until it expires, unless work has begun.",
    look: |facts| holds(!facts.still_needed, || "it is still needed".into()),
};

use Event::*;
use State::*;

static MOVES: &[Move<State, Event, Facts>] = &[
    step(&[Requested, Backordered], Reserve, Reserved, &[ORDER_OPEN, AVAILABLE]),
    step(&[Requested], Backorder, Backordered, &[ORDER_OPEN]),
    step(&[Reserved], Pick, Picked, &[ORDER_OPEN]),
    step(&[Reserved, Picked], Issue, Issued, &[ORDER_OPEN, SERIAL]),
    step(&[Issued], Consume, Consumed, &[RETURNED_WITHIN]),
    step(&[Issued], Return, Returned, &[]),
    step(&[Requested, Backordered, Reserved, Picked], Release, Released, &[]),
    step(&[Reserved], Expire, Expired, &[NO_LONGER_NEEDED]),
];

/// The machine of a reservation.
#[derive(Debug)]
pub struct Reservations;

impl Machine for Reservations {
    type State = State;
    type Event = Event;
    type Facts = Facts;
    const NAME: &'static str = "reservation";
    const BEGINS: (&'static str, State) = ("request", Requested);

    fn moves() -> &'static [Move<State, Event, Facts>] {
        MOVES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_the_matrix() {
        crate::machine::judge::judge::<Reservations>(
            |_| Facts {
                quantity: Decimal::TWO,
                available: Decimal::TWO,
                order_over: None,
                serialised: true,
                serial: Some("SN1".into()),
                returned: Decimal::ONE,
                still_needed: false,
            },
            &[
                (Requested, &[(Reserve, Reserved), (Backorder, Backordered), (Release, Released)]),
                (Backordered, &[(Reserve, Reserved), (Release, Released)]),
                (Reserved, &[(Pick, Picked), (Issue, Issued), (Release, Released), (Expire, Expired)]),
                (Picked, &[(Issue, Issued), (Release, Released)]),
                (Issued, &[(Consume, Consumed), (Return, Returned)]),
                (Consumed, &[]),
                (Returned, &[]),
                (Released, &[]),
                (Expired, &[]),
            ],
            &[
                ("available", Requested, Reserve, |facts| facts.available = Decimal::ONE),
                ("order_open", Reserved, Issue, |facts| facts.order_over = Some("WO-2026-000001".into())),
                ("serial", Picked, Issue, |facts| facts.serial = None),
                ("returned_within", Issued, Consume, |facts| facts.returned = Decimal::TWO),
                ("returned_within", Issued, Consume, |facts| facts.returned = Decimal::NEGATIVE_ONE),
                ("no_longer_needed", Reserved, Expire, |facts| facts.still_needed = true),
            ],
        );
    }
}
