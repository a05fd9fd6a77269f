//! How plans and their occurrences move.

/// A plan.
pub mod life {
    use crate::{
        machine::{Guard, Machine, Move, holds, said, step},
        order::kinds::names,
    };
    use serde::{Deserialize, Serialize};

    names!(
        State { Draft = "draft", Active = "active", Paused = "paused", Ended = "ended" }
    );

    names!(
        Event { Activate = "activate", Pause = "pause", Resume = "resume", End = "end" }
    );

    /// What the guards look at.
    #[derive(Clone, Debug)]
    pub struct Facts {
        pub reason: Option<String>,
        /// Positions that are gone.
        pub positions_missing: Vec<String>,
        /// Something will make it due.
        pub comes: bool,
    }

    const PLACES: Guard<Facts> = Guard {
        name: "places",
        needs: "Name positions that are there.",
        look: |facts| facts.positions_missing.iter().map(|position| format!("position {position} is gone")).collect(),
    };
    const COMES: Guard<Facts> = Guard {
        name: "comes",
        needs: "Give it a trigger that will make it due.",
        look: |facts| holds(facts.comes, || "no trigger will ever make it due".into()),
    };
    const REASON: Guard<Facts> =
        Guard { name: "reason", needs: "Say why.", look: |facts| holds(said(facts.reason.as_ref()), || "no reason is given".into()) };

    static MOVES: &[Move<State, Event, Facts>] = &[
        step(&[State::Draft], Event::Activate, State::Active, &[PLACES, COMES]),
        step(&[State::Active], Event::Pause, State::Paused, &[REASON]),
        step(&[State::Paused], Event::Resume, State::Active, &[PLACES]),
        step(&[State::Active, State::Paused], Event::End, State::Ended, &[REASON]),
    ];

    /// The machine of a plan.
    #[derive(Debug)]
    pub struct Plans;

    impl Machine for Plans {
        type State = State;
        type Event = Event;
        type Facts = Facts;
        const NAME: &'static str = "maintenance plan";
        const BEGINS: (&'static str, State) = ("create", State::Draft);

        fn moves() -> &'static [Move<State, Event, Facts>] {
            MOVES
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn the_table_is_the_matrix() {
            crate::machine::judge::judge::<Plans>(
                |_| Facts { reason: Some("sold".into()), positions_missing: vec![], comes: true },
                &[
                    (State::Draft, &[(Event::Activate, State::Active)]),
                    (State::Active, &[(Event::Pause, State::Paused), (Event::End, State::Ended)]),
                    (State::Paused, &[(Event::Resume, State::Active), (Event::End, State::Ended)]),
                    (State::Ended, &[]),
                ],
                &[
                    ("places", State::Draft, Event::Activate, |facts| facts.positions_missing.push("x".into())),
                    ("comes", State::Draft, Event::Activate, |facts| facts.comes = false),
                    ("reason", State::Active, Event::End, |facts| facts.reason = None),
                ],
            );
        }
    }
}

/// One time that a plan is due at a place.
pub mod occurrence {
    use crate::{
        machine::{Guard, Machine, Move, holds, said, step},
        order::kinds::names,
    };
    use serde::{Deserialize, Serialize};

    names!(
        State {
            Due = "due",
            Generated = "generated",
            Done = "done",
            Missed = "missed",
            Skipped = "skipped",
            Absorbed = "absorbed",
        }
    );

    names!(
        Event {
            /// Asked by the service when the order's lead time has come.
            Generate = "generate",
            /// Asked by the service when the order is completed.
            Complete = "complete",
            /// Asked by the service when a completed order is taken up again.
            Reopen = "reopen",
            /// Asked by the service when the window has closed.
            Miss = "miss",
            Skip = "skip",
            Absorb = "absorb",
        }
    );

    /// What the guards look at.
    #[derive(Clone, Debug)]
    pub struct Facts {
        pub reason: Option<String>,
        pub has_order: bool,
        /// The order's number, if work on it has begun.
        pub order_begun: Option<String>,
        pub window_closed: bool,
        pub statutory: bool,
        /// Whoever asks may skip what the law demands.
        pub may_skip_statutory: bool,
        /// Another occurrence at the same place, open and of another plan, whose window meets this one's.
        pub absorber_fits: bool,
    }

    const REASON: Guard<Facts> =
        Guard { name: "reason", needs: "Say why.", look: |facts| holds(said(facts.reason.as_ref()), || "no reason is given".into()) };
    const ORDER: Guard<Facts> =
        Guard { name: "order", needs: "Make the order first.", look: |facts| holds(facts.has_order, || "it has no order".into()) };
    const NOT_BEGUN: Guard<Facts> = Guard {
        name: "not_begun",
        needs: "Cancel the order, or complete it.",
        look: |facts| facts.order_begun.iter().map(|number| format!("work on {number} has begun")).collect(),
    };
    const WINDOW_CLOSED: Guard<Facts> = Guard {
        name: "window_closed",
        needs: "Wait until the window has closed.",
        look: |facts| holds(facts.window_closed, || "the window is open still".into()),
    };
    const STATUTORY: Guard<Facts> = Guard {
        name: "statutory",
        needs: "Somebody with full access skips what the law demands.",
        look: |facts| holds(!facts.statutory || facts.may_skip_statutory, || "the law demands this work".into()),
    };
    const ABSORBER: Guard<Facts> = Guard {
        name: "absorber",
        needs: "Name an open occurrence of another plan at the same place whose window meets this one's.",
        look: |facts| holds(facts.absorber_fits, || "the occurrence named does not include this one".into()),
    };

    static MOVES: &[Move<State, Event, Facts>] = &[
        step(&[State::Due], Event::Generate, State::Generated, &[ORDER]),
        step(&[State::Generated], Event::Complete, State::Done, &[]),
        step(&[State::Done], Event::Reopen, State::Generated, &[]),
        step(&[State::Due, State::Generated], Event::Miss, State::Missed, &[WINDOW_CLOSED, NOT_BEGUN]),
        step(&[State::Missed], Event::Complete, State::Done, &[]),
        step(&[State::Due, State::Generated, State::Missed], Event::Skip, State::Skipped, &[REASON, STATUTORY, NOT_BEGUN]),
        step(&[State::Due, State::Generated], Event::Absorb, State::Absorbed, &[ABSORBER, NOT_BEGUN]),
    ];

    /// The machine of an occurrence.
    #[derive(Debug)]
    pub struct Occurrences;

    impl Machine for Occurrences {
        type State = State;
        type Event = Event;
        type Facts = Facts;
        const NAME: &'static str = "plan occurrence";
        const BEGINS: (&'static str, State) = ("fall due", State::Due);

        fn moves() -> &'static [Move<State, Event, Facts>] {
            MOVES
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;
        use Event::*;

        #[test]
        fn the_table_is_the_matrix() {
            crate::machine::judge::judge::<Occurrences>(
                |_| Facts {
                    reason: Some("dry season".into()),
                    has_order: true,
                    order_begun: None,
                    window_closed: true,
                    statutory: true,
                    may_skip_statutory: true,
                    absorber_fits: true,
                },
                &[
                    (State::Due, &[(Generate, State::Generated), (Miss, State::Missed), (Skip, State::Skipped), (Absorb, State::Absorbed)]),
                    (
                        State::Generated,
                        &[(Complete, State::Done), (Miss, State::Missed), (Skip, State::Skipped), (Absorb, State::Absorbed)],
                    ),
                    (State::Done, &[(Reopen, State::Generated)]),
                    (State::Missed, &[(Complete, State::Done), (Skip, State::Skipped)]),
                    (State::Skipped, &[]),
                    (State::Absorbed, &[]),
                ],
                &[
                    ("order", State::Due, Generate, |facts| facts.has_order = false),
                    ("window_closed", State::Generated, Miss, |facts| facts.window_closed = false),
                    ("not_begun", State::Generated, Skip, |facts| facts.order_begun = Some("WO-2026-000001".into())),
                    ("reason", State::Due, Skip, |facts| facts.reason = None),
                    ("statutory", State::Due, Skip, |facts| facts.may_skip_statutory = false),
                    ("absorber", State::Due, Absorb, |facts| facts.absorber_fits = false),
                ],
            );
        }
    }
}
