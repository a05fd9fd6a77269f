//! The domain as it was told: the one memory of it that all operators are told again from.

use super::{Keep, Keeper, Pages, Restored, shard_of_id};
use crate::{Flow, control::Control, ticks::Ticks};
use dcmms_schemas::domain::{Event, Row};
use rustc_hash::{FxHashMap, FxHashSet};
use std::sync::Arc;
use uuid::Uuid;

/// Keeps what was said of sites, positions, points, rules, calendars, policies and models. Orders are kept by the SLA clocks, which
/// are the only ones to look at them. Only worker 0 holds it: the newest event of an id as its JSON (some 350 bytes per point), and of
/// rules, policies and models all that still matter.
pub fn keep_domain<'s>(control: Flow<'s, Control>, keeper: &Keeper) {
    let is_first = control.scope().index() == 0;
    let keeper = keeper.clone();
    let mut told = keeper.enter(Told { is_first, ids: FxHashMap::default(), changed: FxHashSet::default() });
    let _nothing: Flow<'s, ()> = control.each_tick("KeepDomain", move |_, said| {
        if is_first {
            said.events.iter().for_each(|event| told.hear(event));
        }
        if let Some(cut) = said.cut {
            keeper.save(&mut told, cut);
        }
        vec![]
    });
}

/// Everything that was told, for [`Restored`].
pub(super) fn events(restored: &Restored) -> Vec<Arc<Event>> {
    let mut all = Vec::new();
    restored.entries::<(u8, Uuid)>(
        Told::NAME,
        |_| true,
        |_, values| {
            let newest = values.last().expect("a key that was found has a value");
            all.extend(lines(newest).map(|line| Arc::new(read(line))));
        },
    );
    // In an order that does not depend on the shards' files.
    all.sort_by_key(|event: &Arc<Event>| (event.row.entity(), event.row.id(), event.version));
    all
}

struct Told {
    is_first: bool,
    ids: FxHashMap<(u8, Uuid), Id>,
    changed: FxHashSet<(u8, Uuid)>,
}

/// What was said of one id.
struct Id {
    version: i64,
    /// Events as JSON, a line each, oldest first.
    lines: Vec<u8>,
}

impl Told {
    fn hear(&mut self, event: &Event) {
        let Some(kind) = kind(&event.row) else { return };
        let key = (kind, event.row.id());
        let id = self.ids.entry(key).or_insert(Id { version: i64::MIN, lines: Vec::new() });
        if id.version >= event.version {
            return;
        }
        id.version = event.version;
        if !goes_on(event) {
            id.lines.clear();
        } else if !id.lines.is_empty() {
            id.lines.push(b'\n');
        }
        serde_json::to_writer(&mut id.lines, event).expect("an event is JSON, and memory takes all that is written");
        id.lines.shrink_to_fit();
        self.changed.insert(key);
    }
}

/// The number of a kind in keys; `None` for orders.
fn kind(row: &Row) -> Option<u8> {
    match row {
        Row::Site(_) => Some(0),
        Row::Position(_) => Some(1),
        Row::Point(_) => Some(2),
        Row::Rule(_) => Some(3),
        Row::Calendar(_) => Some(4),
        Row::Policy(_) => Some(5),
        Row::Model(_) => Some(6),
        Row::Order(_) => None,
    }
}

/// Whether what was said of the id before still matters: a removed rule judges what lies before its removal, and policies and
/// models speak by the version that was valid at a time.
fn goes_on(event: &Event) -> bool {
    match &event.row {
        Row::Rule(_) => event.removed,
        Row::Policy(_) | Row::Model(_) => !event.removed,
        Row::Site(_) | Row::Position(_) | Row::Point(_) | Row::Calendar(_) | Row::Order(_) => false,
    }
}

fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.split(|byte| *byte == b'\n')
}

fn read(line: &[u8]) -> Event {
    serde_json::from_slice(line).expect("a checkpoint of this job's fingerprint is in this version's format")
}

impl Keep for Told {
    const NAME: &'static str = "domain";

    fn save(&mut self, pages: &mut Pages) {
        let changed = std::mem::take(&mut self.changed);
        for (key, id) in &self.ids {
            let shard = shard_of_id(key.1);
            if pages.wants_all(shard) || changed.contains(key) {
                pages.put_bytes(shard, key, &id.lines);
            }
        }
    }

    fn load(&mut self, restored: &Restored) {
        if !self.is_first {
            return;
        }
        restored.entries::<(u8, Uuid)>(
            Told::NAME,
            |_| true,
            |key, values| {
                let newest = values.last().expect("a key that was found has a value");
                let version = lines(newest).map(|line| read(line).version).max().unwrap_or(i64::MIN);
                self.ids.insert(key, Id { version, lines: newest.to_vec() });
            },
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::script::event;
    use dcmms_schemas::{
        checkpoint::{Checkpoint, Cut, Shards},
        id::RuleId,
        rule::{Rule, Scope},
        time::Moment,
    };

    fn rule(name: &str) -> Row {
        Row::Rule(Rule {
            id: RuleId(Uuid::from_u128(7)),
            name: name.to_owned(),
            scope: Scope::default(),
            group: "high".to_owned(),
            versions: vec![],
        })
    }

    fn told() -> Told {
        Told { is_first: true, ids: FxHashMap::default(), changed: FxHashSet::default() }
    }

    fn restored(cuts: Vec<Pages>) -> Restored {
        let mut shards = Shards::default();
        cuts.into_iter().for_each(|pages| shards.layer(pages.into_blocks().collect()));
        Restored::new(Checkpoint { binding: crate::script::binding(1, Moment(0)), turn: 0, shards })
    }

    fn cut(turn: u64) -> Pages {
        Pages::new(Told::NAME, Cut { tick: turn + 1, turn, at_once: false })
    }

    #[test]
    fn a_removed_rule_is_told_again_with_what_it_was() {
        let mut keeping = told();
        let removed = Event { removed: true, ..event(3, Moment(9), rule("b")) };
        for heard in [event(1, Moment(1), rule("a")), event(2, Moment(2), rule("b")), event(1, Moment(1), rule("old"))] {
            keeping.hear(&heard);
        }
        let mut first = cut(0);
        keeping.save(&mut first);
        keeping.hear(&removed);
        let mut second = cut(1);
        keeping.save(&mut second);
        let restored = restored(vec![first, second]);
        let events: Vec<Event> = restored.domain.iter().map(|event| (**event).clone()).collect();
        assert_eq!(events, [event(2, Moment(2), rule("b")), removed]);
        let mut again = told();
        again.load(&restored);
        again.hear(&event(3, Moment(3), rule("not newer")));
        assert!(again.changed.is_empty());
    }
}
