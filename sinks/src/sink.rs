//! The handle that the workers hold, and what it shares with the tasks behind it.

use crate::bindings;
use dcmms_schemas::{
    binding::{Binding, Sources},
    sealed::{Outlet, Part},
    time::{Moment, Tick},
};
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};
use tokio::sync::{mpsc::UnboundedSender, watch};

/// How far things are.
#[derive(Debug)]
pub(crate) struct Progress {
    pub(crate) bound: AtomicU64,
    pub(crate) durable: AtomicU64,
    pub(crate) closed: AtomicBool,
    pub(crate) sources: Sources,
    /// Watermarks of the ticks that are bound but not durable: as many as there are ticks in flight.
    watermarks: Mutex<BTreeMap<Tick, Option<Moment>>>,
}

impl Progress {
    pub(crate) fn new(sources: Sources, bindings: &[Binding], durable: Tick) -> Progress {
        let bound = bindings.last().map_or(durable, |binding| binding.tick.max(durable));
        let progress = Progress {
            bound: AtomicU64::new(bound),
            durable: AtomicU64::new(durable),
            closed: AtomicBool::new(false),
            sources,
            watermarks: Mutex::new(BTreeMap::new()),
        };
        progress.noted(bindings.iter().filter(|binding| binding.tick > durable).cloned());
        progress
    }

    /// Keeps the watermarks until the ticks are durable.
    pub(crate) fn noted(&self, bindings: impl Iterator<Item = Binding>) {
        let mut watermarks = self.watermarks.lock().unwrap_or_else(PoisonError::into_inner);
        watermarks.extend(bindings.map(|binding| (binding.tick, bindings::watermark(&binding, &self.sources))));
    }

    /// The watermark of a tick, `None` where there is none.
    pub(crate) fn watermark(&self, tick: Tick) -> Option<Moment> {
        self.watermarks.lock().unwrap_or_else(PoisonError::into_inner).get(&tick).copied().flatten()
    }

    /// Says that everything up to this tick is durable.
    pub(crate) fn landed(&self, tick: Tick) {
        let mut watermarks = self.watermarks.lock().unwrap_or_else(PoisonError::into_inner);
        *watermarks = watermarks.split_off(&(tick + 1));
        self.durable.store(tick, Ordering::Release);
    }
}

/// Where the workers hand things over. Its queues have no bound of their own, so that a worker never waits: what is in them is bounded by
/// the ticks in flight, because minting stops when [`Outlet::durable`] lags. When the last handle is dropped, or at [`Sink::stop`], what is
/// whole is written and the task ends.
#[derive(Debug)]
pub struct Sink {
    pub(crate) bindings: UnboundedSender<Binding>,
    pub(crate) parts: UnboundedSender<Part>,
    pub(crate) progress: Arc<Progress>,
    pub(crate) stop: watch::Sender<bool>,
}

impl Sink {
    /// Asks for a clean end: the ticks that are whole are written, the history's tail is sealed. Shares of ticks that are not whole are
    /// dropped; the bindings tell them again at the next start.
    pub fn stop(&self) {
        self.stop.send_replace(true);
    }
}

impl Outlet for Sink {
    fn bind(&self, binding: Binding) {
        // Nobody receives after the end; `closed` says so.
        let _ = self.bindings.send(binding);
    }

    fn bound(&self) -> Tick {
        self.progress.bound.load(Ordering::Acquire)
    }

    fn part(&self, part: Part) {
        let _ = self.parts.send(part);
    }

    fn durable(&self) -> Tick {
        self.progress.durable.load(Ordering::Acquire)
    }

    fn closed(&self) -> bool {
        self.progress.closed.load(Ordering::Acquire)
    }
}
