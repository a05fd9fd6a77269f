//! Orders in a checkpoint. What was said of their clocks is not written: it is a function of the facts, the policies, the calendars
//! and the time, and is reckoned again.

use super::{Clocks, Held, Touched};
use crate::keep::{Keep, Pages, Restored, shard_of_id};
use dcmms_schemas::{id::OrderId, order::OrderFacts, time::Moment};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// An order as it is held; one that was forgotten is a key with `None`.
#[derive(Serialize, Deserialize)]
struct Kept<'a> {
    version: i64,
    facts: Option<Cow<'a, OrderFacts>>,
    closed: Option<Moment>,
}

impl Keep for Clocks {
    const NAME: &'static str = "sla";

    fn save(&mut self, pages: &mut Pages) {
        let changed = std::mem::take(&mut self.changed);
        for (order, held) in &self.orders {
            let shard = shard_of_id(order.0);
            if pages.wants_all(shard) || changed.contains(order) {
                let kept = Kept { version: held.version, facts: held.facts.as_ref().map(Cow::Borrowed), closed: held.closed };
                pages.put(shard, order, &Some(kept));
            }
        }
        for order in &self.forgotten {
            let shard = shard_of_id(order.0);
            if pages.wants_all(shard) || changed.contains(order) {
                pages.put(shard, order, &None::<Kept<'_>>);
            }
        }
    }

    fn load(&mut self, restored: &Restored) {
        self.now = restored.binding.clock;
        let mut touched = Touched::default();
        restored.domain.iter().for_each(|event| self.apply(event, &mut touched));
        let (index, peers) = (self.index as u128, self.peers as u128);
        let mine = |order: &OrderId| order.0.as_u128() % peers == index;
        restored.newest(Self::NAME, mine, |order: OrderId, kept: Option<Kept<'_>>| match kept {
            None => {
                self.forgotten.insert(order);
            }
            Some(Kept { version, facts, closed }) => {
                let facts = facts.map(Cow::into_owned);
                self.orders.insert(order, Held { version, facts, closed, ..Held::unknown() });
            }
        });
        let orders: Vec<OrderId> = self.orders.keys().copied().collect();
        // What they say was said before the cut.
        orders.into_iter().for_each(|order| self.derive(order, &mut Vec::new()));
        self.changed.clear();
    }
}
