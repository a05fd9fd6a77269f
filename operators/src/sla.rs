//! SLA clocks of all orders, kept current.
//!
//! Every worker knows all calendars and policies and keeps the orders whose id falls to it. At each tick it takes in what the
//! domain said, then lets the binding's clock pass, and says the difference in [`Clock`] rows. A changed calendar or policy
//! derives anew the clocks that used it; a correction of a closed order restates what was met or missed. An order is
//! held until it has been closed for `forget_after_us`; then only its id is kept (16 bytes) and its last rows stand for ever.

use crate::{
    Diff, Flow,
    control::{Control, Told},
    keep::Keeper,
    ticks::Ticks,
};
use dcmms_schemas::{
    calendar::Calendar,
    domain::{Event, Row},
    id::{CalendarId, OrderId, PolicyId},
    order::OrderFacts,
    outcome::Outcome,
    sla::{Clock, Policy, Reckoning, policy_for},
    time::{DAY, Moment},
};
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::{BTreeMap, BTreeSet};

mod kept;
#[cfg(test)]
mod tests;

/// How long a closed order is held for corrections, in microseconds: 400 days.
pub const FORGET_AFTER_US: i64 = 400 * DAY;

/// Keeps the clocks of the orders that fall to this worker. `control` must reach every worker whole.
pub fn sla<'s>(control: Flow<'s, Control>, forget_after_us: i64, keeper: &Keeper) -> Flow<'s, Outcome> {
    let scope = control.scope();
    let keeper = keeper.clone();
    let mut clocks = keeper.enter(Clocks::new(scope.index(), scope.peers(), forget_after_us));
    control.each_tick("Sla", move |_, told| {
        let rows = clocks.tell(&told);
        if let Some(cut) = told.cut {
            keeper.save(&mut clocks, cut);
        }
        if rows.is_empty() { vec![] } else { vec![Outcome { clocks: rows, ..Outcome::default() }] }
    })
}

/// The state of one worker.
#[derive(Debug)]
pub struct Clocks {
    index: usize,
    peers: usize,
    forget_after_us: i64,
    now: Moment,
    orders: FxHashMap<OrderId, Held>,
    forgotten: FxHashSet<OrderId>,
    calendars: FxHashMap<CalendarId, Versioned<Calendar>>,
    policies: FxHashMap<PolicyId, Versioned<BTreeMap<i64, Policy>>>,
    /// When an order must be looked at again though nothing is said about it.
    due: BTreeSet<(Moment, OrderId)>,
    /// Orders of which something else is held than at the last cut.
    changed: FxHashSet<OrderId>,
}

/// The greatest version heard of and what is there, if it was not removed.
#[derive(Debug)]
struct Versioned<T> {
    version: i64,
    row: Option<T>,
}

#[derive(Debug)]
struct Held {
    version: i64,
    facts: Option<OrderFacts>,
    closed: Option<Moment>,
    /// The calendar of the policy that speaks for it, also when that calendar is not known yet.
    calendar: Option<CalendarId>,
    said: Vec<Clock>,
    wake: Option<Moment>,
}

/// Whose clocks may have changed.
#[derive(Debug, Default)]
struct Touched {
    orders: BTreeSet<OrderId>,
    calendars: FxHashSet<CalendarId>,
    policies: bool,
}

impl Clocks {
    pub fn new(index: usize, peers: usize, forget_after_us: i64) -> Clocks {
        Clocks {
            index,
            peers,
            forget_after_us,
            now: Moment::MIN,
            orders: FxHashMap::default(),
            forgotten: FxHashSet::default(),
            calendars: FxHashMap::default(),
            policies: FxHashMap::default(),
            due: BTreeSet::new(),
            changed: FxHashSet::default(),
        }
    }

    /// Takes in one tick and returns what it changed.
    pub fn tell(&mut self, told: &Told) -> Vec<(Clock, Diff)> {
        let mut touched = Touched::default();
        for event in &told.events {
            self.apply(event, &mut touched);
        }
        if let Some(binding) = &told.binding {
            self.now = self.now.max(binding.clock);
        }
        self.spread(&mut touched);
        while let Some((at, order)) = self.due.first().copied()
            && at <= self.now
        {
            self.due.pop_first();
            touched.orders.insert(order);
        }
        let mut changes = Vec::new();
        for order in touched.orders {
            self.derive(order, &mut changes);
        }
        changes
    }

    fn apply(&mut self, event: &Event, touched: &mut Touched) {
        match &event.row {
            Row::Order(facts) => self.apply_order(facts, event, touched),
            Row::Calendar(calendar) => {
                let known = self.calendars.entry(calendar.id).or_insert(Versioned { version: i64::MIN, row: None });
                if known.version < event.version {
                    *known = Versioned { version: event.version, row: (!event.removed).then(|| calendar.clone()) };
                    touched.calendars.insert(calendar.id);
                }
            }
            Row::Policy(policy) => {
                let known = self.policies.entry(policy.id).or_insert(Versioned { version: i64::MIN, row: None });
                if known.version < event.version {
                    known.version = event.version;
                    touched.policies = true;
                    if event.removed {
                        known.row = None;
                    } else {
                        known.row.get_or_insert_default().insert(event.version, policy.clone());
                    }
                }
            }
            Row::Site(_) | Row::Position(_) | Row::Point(_) | Row::Rule(_) | Row::Model(_) => {}
        }
    }

    fn apply_order(&mut self, facts: &OrderFacts, event: &Event, touched: &mut Touched) {
        let mine = facts.id.0.as_u128() % self.peers as u128 == self.index as u128;
        if !mine || self.forgotten.contains(&facts.id) {
            return;
        }
        let held = self.orders.entry(facts.id).or_insert_with(Held::unknown);
        if held.version < event.version {
            held.version = event.version;
            held.closed = facts.resolved.or(facts.cancelled.then_some(event.at));
            held.facts = (!event.removed).then(|| facts.clone());
            self.changed.insert(facts.id);
            touched.orders.insert(facts.id);
        }
    }

    /// A policy may now speak for any order; a calendar matters to those whose policy names it.
    fn spread(&self, touched: &mut Touched) {
        if touched.policies {
            touched.orders.extend(self.orders.keys().copied());
        } else if !touched.calendars.is_empty() {
            let uses = |held: &Held| held.calendar.is_some_and(|calendar| touched.calendars.contains(&calendar));
            touched.orders.extend(self.orders.iter().filter(|(_, held)| uses(held)).map(|(order, _)| *order));
        }
    }

    /// Reckons the clocks of an order and notes what is new about them.
    fn derive(&mut self, order: OrderId, changes: &mut Vec<(Clock, Diff)>) {
        let Some(held) = self.orders.get_mut(&order) else {
            return;
        };
        if let Some(wake) = held.wake.take() {
            self.due.remove(&(wake, order));
        }
        let policy = held.facts.as_ref().and_then(|facts| policy_for(facts, self.policies.values().flat_map(Versioned::versions)));
        held.calendar = policy.map(|policy| policy.calendar);
        let calendar = held.calendar.and_then(|calendar| self.calendars.get(&calendar)?.row.as_ref());
        let mut rows = Vec::new();
        let mut wake = held.closed.map(|closed| closed.plus(self.forget_after_us));
        if let (Some(facts), Some(policy), Some(calendar)) = (&held.facts, policy, calendar) {
            for target in &policy.targets {
                let reckoning = Reckoning::new(facts, policy, target, calendar);
                rows.push(reckoning.clock(self.now));
                wake = wake.into_iter().chain(reckoning.next_change(self.now)).min();
            }
        }
        changes.extend(held.said.iter().filter(|row| !rows.contains(row)).map(|row| (row.clone(), -1)));
        changes.extend(rows.iter().filter(|row| !held.said.contains(row)).map(|row| (row.clone(), 1)));
        held.said = rows;
        if held.closed.is_some_and(|closed| closed.plus(self.forget_after_us) <= self.now) {
            self.orders.remove(&order);
            self.forgotten.insert(order);
            self.changed.insert(order);
        } else if let Some(wake) = wake {
            held.wake = Some(wake);
            self.due.insert((wake, order));
        }
    }
}

impl Held {
    fn unknown() -> Held {
        Held { version: i64::MIN, facts: None, closed: None, calendar: None, said: Vec::new(), wake: None }
    }
}

impl Versioned<BTreeMap<i64, Policy>> {
    fn versions(&self) -> impl Iterator<Item = &Policy> {
        self.row.iter().flat_map(BTreeMap::values)
    }
}
