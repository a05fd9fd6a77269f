//! How operators keep what they hold, and take it over again at a start.
//!
//! At the tick of a [`Cut`] each operator writes its state as it is after that tick: entries with a key, in the shard of that
//! key. Shards that the cut has whole get every entry, the others those that changed since the cut before. When all operators of a
//! worker have handed in their [`Pages`], these are the worker's share of the checkpoint. A start gives the same entries to
//! operators on any number of workers; each takes those that fall to it. What differential holds is not written: it is a function of
//! its inputs, which are entries of the operators before it and are told again at the tick of the cut.

mod domain;
mod pages;
mod restored;
#[cfg(test)]
mod tests;

pub use domain::keep_domain;
pub use pages::Pages;
pub use restored::{Restored, read, shard_of_id};

use dcmms_schemas::{
    checkpoint::{Block, Cut},
    time::Tick,
};
use std::{cell::RefCell, collections::BTreeMap, rc::Rc, sync::Arc};

/// An operator's state as entries.
pub trait Keep {
    /// Names its blocks.
    const NAME: &'static str;
    /// Writes what the cut asks for; from then on changes count anew.
    fn save(&mut self, pages: &mut Pages);
    /// Takes over what falls to this worker. Called once, before anything is told.
    fn load(&mut self, restored: &Restored);
}

/// One worker's desk: operators load from it when they are built, and hand in what they keep.
#[derive(Clone)]
pub struct Keeper {
    restored: Option<Arc<Restored>>,
    open: Rc<RefCell<Open>>,
    done: Rc<dyn Fn(Cut, Vec<Block>)>,
}

#[derive(Default)]
struct Open {
    operators: usize,
    /// Cuts that some operator has handed in and some has not.
    cuts: BTreeMap<Tick, (usize, Vec<Block>)>,
}

impl std::fmt::Debug for Keeper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keeper").field("restored", &self.restored.is_some()).finish_non_exhaustive()
    }
}

impl Keeper {
    /// `done` gets a worker's blocks when its last operator has handed in.
    pub fn new(restored: Option<Arc<Restored>>, done: impl Fn(Cut, Vec<Block>) + 'static) -> Keeper {
        Keeper { restored, open: Rc::default(), done: Rc::new(done) }
    }

    /// Starts from nothing and keeps nothing.
    pub fn none() -> Keeper {
        Keeper::new(None, |_, _| {})
    }

    /// Counts an operator in and gives it back what it held.
    pub fn enter<S: Keep>(&self, mut state: S) -> S {
        self.open.borrow_mut().operators += 1;
        if let Some(restored) = &self.restored {
            state.load(restored);
        }
        state
    }

    /// Lets an operator write all that a cut asks for.
    pub fn save<S: Keep>(&self, state: &mut S, cut: Cut) {
        let mut pages = Pages::new(S::NAME, cut);
        state.save(&mut pages);
        self.hand_in(pages);
    }

    /// Takes what an operator wrote, once per operator and cut.
    pub fn hand_in(&self, pages: Pages) {
        let cut = pages.cut();
        let blocks = {
            let mut open = self.open.borrow_mut();
            let operators = open.operators;
            let (handed_in, blocks) = open.cuts.entry(cut.tick).or_default();
            *handed_in += 1;
            blocks.extend(pages.into_blocks());
            if *handed_in < operators {
                return;
            }
            open.cuts.remove(&cut.tick).map(|(_, blocks)| blocks)
        };
        (self.done)(cut, blocks.unwrap_or_default());
    }

    /// What was taken over, if anything was.
    pub fn restored(&self) -> Option<&Arc<Restored>> {
        self.restored.as_ref()
    }

    /// The tick whose state was taken over.
    pub fn restored_tick(&self) -> Option<Tick> {
        self.restored.as_ref().map(|restored| restored.binding.tick)
    }
}
