//! What all machines but the order's share: a table of moves, guards that say what they miss, and refusals that say what is possible.
//! The order's ([`crate::order::stage`]) is older and looks at more; it has the same shape.

use serde::Serialize;

pub mod book;
#[cfg(test)]
pub(crate) mod judge;

/// The states or events of a machine: each has one name on the wire, in the database and in documents.
pub trait Named: Copy + Eq + std::fmt::Debug + 'static {
    const ALL: &'static [Self];
    fn name(self) -> &'static str;

    fn of(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|value| value.name() == name)
    }
}

/// A condition of a move.
pub struct Guard<F> {
    pub name: &'static str,
    /// What would satisfy it, as a sentence for a person.
    pub needs: &'static str,
    /// What is missing, one sentence each.
    pub look: fn(&F) -> Vec<String>,
}

impl<F> std::fmt::Debug for Guard<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

/// Nothing is missing when it holds; else this.
pub fn holds(condition: bool, missing: impl FnOnce() -> String) -> Vec<String> {
    if condition { vec![] } else { vec![missing()] }
}

/// Whether a text says something.
pub fn said(text: Option<&String>) -> bool {
    text.is_some_and(|text| !text.trim().is_empty())
}

/// One line of a machine.
#[derive(Debug)]
pub struct Move<S: 'static, E, F: 'static> {
    pub from: &'static [S],
    pub event: E,
    pub to: S,
    pub guards: &'static [Guard<F>],
}

/// Shortens the tables.
pub const fn step<S, E, F>(from: &'static [S], event: E, to: S, guards: &'static [Guard<F>]) -> Move<S, E, F> {
    Move { from, event, to, guards }
}

/// A machine: its name and its one table.
pub trait Machine: 'static {
    type State: Named;
    type Event: Named;
    /// All that its guards look at.
    type Facts: 'static;
    /// What people call a thing that moves through it: `purchase order`.
    const NAME: &'static str;
    /// The state in which a thing begins, and what begins it.
    const BEGINS: (&'static str, Self::State);

    fn moves() -> &'static [Move<Self::State, Self::Event, Self::Facts>];
}

/// Why a thing did not move.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(untagged)]
pub enum Refused {
    #[error("what is {from} cannot {event}")]
    NoSuchMove { from: &'static str, event: &'static str, allowed: Vec<&'static str> },
    /// The first guard that refused, and what every refusing guard misses, so that one answer tells all.
    #[error("{needs}")]
    Guard { event: &'static str, guard: &'static str, needs: &'static str, explain: Vec<Missing> },
}

/// One thing a guard misses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Missing {
    pub guard: &'static str,
    pub reason: String,
}

/// Where the event leads, if every guard of the move agrees.
pub fn after<M: Machine>(from: M::State, event: M::Event, facts: &M::Facts) -> Result<M::State, Refused> {
    let Some(step) = moves_of::<M>(from).find(|step| step.event == event) else {
        let allowed = moves_of::<M>(from).map(|step| step.event.name()).collect();
        return Err(Refused::NoSuchMove { from: from.name(), event: event.name(), allowed });
    };
    let explain: Vec<_> = step.guards.iter().flat_map(|guard| missing(guard, facts)).collect();
    let Some(first) = explain.first() else { return Ok(step.to) };
    let needs = step.guards.iter().find(|guard| guard.name == first.guard).map_or("", |guard| guard.needs);
    Err(Refused::Guard { event: event.name(), guard: first.guard, needs, explain })
}

fn missing<F>(guard: &Guard<F>, facts: &F) -> Vec<Missing> {
    (guard.look)(facts).into_iter().map(|reason| Missing { guard: guard.name, reason }).collect()
}

fn moves_of<M: Machine>(from: M::State) -> impl Iterator<Item = &'static Move<M::State, M::Event, M::Facts>> {
    M::moves().iter().filter(move |step| step.from.contains(&from))
}
