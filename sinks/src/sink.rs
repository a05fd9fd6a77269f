//! The handle that the workers hold, and what it shares with the tasks behind it.

use crate::bindings;
use dcmms_schemas::{
    binding::{Binding, Sources},
    checkpoint::KeptPart,
    sealed::{Outlet, Part},
    time::{Moment, Tick},
};
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Instant,
};
use tokio::sync::{Notify, mpsc::UnboundedSender, watch};

/// How far things are.
#[derive(Debug)]
pub(crate) struct Progress {
    pub(crate) bound: AtomicU64,
    pub(crate) durable: AtomicU64,
    pub(crate) closed: AtomicBool,
    pub(crate) sources: Sources,
    /// Watermarks of the ticks that are bound but not durable: as many as there are ticks in flight.
    watermarks: Mutex<BTreeMap<Tick, (Option<Moment>, Instant)>>,
    /// Hashes of what was read at ticks that are not durable.
    inputs: Mutex<BTreeMap<Tick, Vec<(u16, u64)>>>,
    /// Readings up to here are in sealed files.
    pub(crate) history: AtomicU64,
    /// How far a checkpoint wants them to be.
    pub(crate) wanted_history: AtomicU64,
    pub(crate) checkpointed: AtomicU64,
    /// Somebody asks for a checkpoint.
    pub(crate) asked: AtomicBool,
    /// What was said is written, and no more will be.
    pub(crate) finished: AtomicBool,
    /// Rung when one of these has moved on.
    pub(crate) moved: Notify,
}

impl Progress {
    pub(crate) fn new(sources: Sources, bindings: &[Binding], durable: Tick, history: Tick, checkpointed: Tick) -> Progress {
        let bound = bindings.last().map_or(durable, |binding| binding.tick.max(durable));
        let progress = Progress {
            bound: AtomicU64::new(bound),
            durable: AtomicU64::new(durable),
            closed: AtomicBool::new(false),
            sources,
            watermarks: Mutex::new(BTreeMap::new()),
            inputs: Mutex::new(BTreeMap::new()),
            history: AtomicU64::new(history),
            wanted_history: AtomicU64::new(0),
            checkpointed: AtomicU64::new(checkpointed),
            asked: AtomicBool::new(false),
            finished: AtomicBool::new(false),
            moved: Notify::new(),
        };
        progress.noted(bindings.iter().filter(|binding| binding.tick > durable).cloned());
        progress
    }

    /// Keeps the watermarks until the ticks are durable.
    pub(crate) fn noted(&self, bindings: impl Iterator<Item = Binding>) {
        let now = Instant::now();
        let mut watermarks = self.watermarks.lock().unwrap_or_else(PoisonError::into_inner);
        watermarks.extend(bindings.map(|binding| (binding.tick, (bindings::watermark(&binding, &self.sources), now))));
    }

    /// The watermark of a tick, `None` where there is none.
    pub(crate) fn watermark(&self, tick: Tick) -> Option<Moment> {
        self.watermarks.lock().unwrap_or_else(PoisonError::into_inner).get(&tick).and_then(|(watermark, _)| *watermark)
    }

    /// Hashes of what was read up to this tick: tick, source, hash.
    pub(crate) fn inputs(&self, upto: Tick) -> Vec<(Tick, u16, u64)> {
        let inputs = self.inputs.lock().unwrap_or_else(PoisonError::into_inner);
        inputs.range(..=upto).flat_map(|(tick, read)| read.iter().map(|(source, hash)| (*tick, *source, *hash))).collect()
    }

    /// Says how far tables and history are durable.
    pub(crate) fn landed(&self, tick: Tick, history: Tick) {
        let mut inputs = self.inputs.lock().unwrap_or_else(PoisonError::into_inner);
        *inputs = inputs.split_off(&(tick + 1));
        drop(inputs);
        self.history.store(history, Ordering::Release);
        let mut watermarks = self.watermarks.lock().unwrap_or_else(PoisonError::into_inner);
        let later = watermarks.split_off(&(tick + 1));
        for (_, bound) in std::mem::replace(&mut *watermarks, later).into_values() {
            metrics::histogram!("dcmms_sink_tick_seconds").record(bound.elapsed().as_secs_f64());
        }
        self.durable.store(tick, Ordering::Release);
        self.moved.notify_one();
    }
}

/// Where the workers hand things over. Its queues have no bound of their own, so that a worker never waits: what is in them is bounded by
/// the ticks in flight, because minting stops when [`Outlet::durable`] lags. When the last handle is dropped, or at [`Sink::stop`], what is
/// whole is written and the task ends.
#[derive(Debug)]
pub struct Sink {
    pub(crate) bindings: UnboundedSender<Binding>,
    pub(crate) parts: UnboundedSender<Part>,
    pub(crate) kept: UnboundedSender<KeptPart>,
    pub(crate) progress: Arc<Progress>,
    pub(crate) stop: watch::Sender<bool>,
}

impl Sink {
    /// Asks for a clean end: the ticks that are whole are written, the history's tail is sealed. Shares of ticks that are not whole are
    /// dropped; the bindings tell them again at the next start.
    pub fn stop(&self) {
        self.stop.send_replace(true);
    }

    /// True once after somebody asked for a checkpoint in the database.
    pub fn checkpoint_asked(&self) -> bool {
        self.progress.asked.swap(false, Ordering::AcqRel)
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

    fn read(&self, tick: Tick, read: Vec<(u16, u64)>) {
        // What is durable was recorded then.
        if tick > self.durable() {
            let mut inputs = self.progress.inputs.lock().unwrap_or_else(PoisonError::into_inner);
            inputs.entry(tick).or_default().extend(read);
        }
    }

    fn kept(&self, part: KeptPart) {
        let _ = self.kept.send(part);
    }

    fn checkpointed(&self) -> Tick {
        self.progress.checkpointed.load(Ordering::Acquire)
    }

    fn closed(&self) -> bool {
        self.progress.closed.load(Ordering::Acquire)
    }
}
