//! Judges a machine by a second table, written by hand from the requirement.

use super::{Machine, Named, Refused, after};

/// A state, then where each event leads from it.
pub(crate) type Matrix<M> = &'static [(<M as Machine>::State, &'static [(<M as Machine>::Event, <M as Machine>::State)])];

/// A guard, a move on which it must refuse, and what breaks it.
pub(crate) type Break<M> = (&'static str, <M as Machine>::State, <M as Machine>::Event, fn(&mut <M as Machine>::Facts));

/// Tries every pair of state and event, and every guard.
#[track_caller]
pub(crate) fn judge<M: Machine>(willing: fn(M::Event) -> M::Facts, matrix: Matrix<M>, breaks: &[Break<M>]) {
    assert_eq!(matrix.len(), M::State::ALL.len(), "{}: the matrix has every state", M::NAME);
    for (state, leads) in matrix {
        for event in M::Event::ALL {
            let expected = leads.iter().find(|(said, _)| said == event).map(|(_, to)| *to);
            match after::<M>(*state, *event, &willing(*event)) {
                Ok(to) => assert_eq!(Some(to), expected, "{} {state:?} {event:?}", M::NAME),
                Err(Refused::NoSuchMove { allowed, .. }) => {
                    assert_eq!(expected, None, "{} {state:?} {event:?}", M::NAME);
                    let mut listed: Vec<_> = leads.iter().map(|(event, _)| event.name()).collect();
                    let mut allowed = allowed;
                    listed.sort_unstable();
                    allowed.sort_unstable();
                    assert_eq!(allowed, listed, "{} {state:?}", M::NAME);
                }
                Err(refused) => panic!("{} {state:?} {event:?}: {refused:?}", M::NAME),
            }
        }
    }
    for (name, state, event, spoil) in breaks {
        let mut facts = willing(*event);
        spoil(&mut facts);
        match after::<M>(*state, *event, &facts) {
            Err(Refused::Guard { guard, explain, .. }) => {
                assert_eq!(guard, *name, "{} {state:?} {event:?}", M::NAME);
                assert!(!explain.is_empty() && explain.iter().all(|missing| missing.guard == *name), "{explain:?}");
            }
            other => panic!("{}: {name} did not refuse {event:?} of {state:?}: {other:?}", M::NAME),
        }
    }
    for step in M::moves() {
        for guard in step.guards {
            assert!(breaks.iter().any(|(name, ..)| *name == guard.name), "{}: nothing breaks {}", M::NAME, guard.name);
        }
        for (nth, from) in step.from.iter().enumerate() {
            assert!(!step.from[..nth].contains(from), "{}: {from:?} twice in one move", M::NAME);
            let same = M::moves().iter().filter(|other| other.event == step.event && other.from.contains(from)).count();
            assert_eq!(same, 1, "{}: {from:?} {:?} has several moves", M::NAME, step.event);
        }
    }
}
