//! What each worker thread does: take the next bound tick, feed it to the flow, step, and never block.

use crate::{
    cutting::Cutting,
    flow::{self, Flow},
    graph,
    mint::Minter,
    options::{Options, Start},
    running::RunError,
    source::{self, Intake},
};
use crossbeam_channel::{Receiver, Sender};
use dcmms_operators::{chunk::Chunk, control::Control, keep::Restored, seen::Seen};
use dcmms_schemas::{
    binding::Binding,
    domain::Event,
    sealed::Outlet,
    time::{Moment, Tick},
};
use std::{
    collections::VecDeque,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};
use timely::worker::Worker;

/// How long a worker with nothing to do sleeps before it looks at its queues again.
const PARK: Duration = Duration::from_millis(1);

/// True when this worker reads that source. Telemetry is dealt out in turn, the domain goes to worker 0.
pub(crate) fn reads(worker: usize, workers: usize, source: usize, domain: bool) -> bool {
    worker == if domain { 0 } else { source % workers }
}

/// Where a start begins.
pub(crate) struct Base {
    /// The tick up to which nothing is told.
    pub(crate) tick: Tick,
    /// It names the offset before the next tick, per source.
    pub(crate) binding: Binding,
    /// The state after that tick; none is the state before the first.
    pub(crate) restored: Option<Arc<Restored>>,
    /// The place of the next checkpoint in the row.
    pub(crate) turn: u64,
}

/// What the workers of a process share beside timely's own channels.
pub(crate) struct Shared {
    pub(crate) options: Options,
    pub(crate) start: Start,
    pub(crate) seen: Arc<Seen>,
    pub(crate) outlet: Arc<dyn Outlet>,
    pub(crate) base: Base,
    intake: Arc<Intake>,
    queues: Mutex<Vec<Option<Receiver<Chunk>>>>,
    released: Vec<(Sender<Arc<Binding>>, Receiver<Arc<Binding>>)>,
    stopping: AtomicBool,
    failed: AtomicBool,
    /// Somebody wants a checkpoint.
    asked: AtomicBool,
    /// The last tick there will be, known once a stop was asked for.
    last_tick: AtomicU64,
    ended: AtomicUsize,
    consumed: Mutex<Vec<i64>>,
    /// The newest binding that was given to the workers.
    newest: Mutex<Option<Arc<Binding>>>,
    /// What operators do.
    pub(crate) graph: graph::Seen,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("job", &self.options.job).finish_non_exhaustive()
    }
}

impl Shared {
    pub(crate) fn new(
        options: Options,
        start: Start,
        base: Base,
        outlet: Arc<dyn Outlet>,
        intake: Arc<Intake>,
        seen: Arc<Seen>,
        queues: Vec<Receiver<Chunk>>,
    ) -> Shared {
        let released = (0..options.workers).map(|_| crossbeam_channel::unbounded()).collect();
        Shared {
            released,
            queues: Mutex::new(queues.into_iter().map(Some).collect()),
            stopping: AtomicBool::new(false),
            failed: AtomicBool::new(false),
            asked: AtomicBool::new(false),
            last_tick: AtomicU64::new(Tick::MAX),
            ended: AtomicUsize::new(0),
            consumed: Mutex::new(base.binding.upto.clone()),
            newest: Mutex::new(None),
            graph: graph::Seen::default(),
            options,
            start,
            base,
            outlet,
            intake,
            seen,
        }
    }

    pub(crate) fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
    }

    pub(crate) fn checkpoint(&self) {
        self.asked.store(true, Ordering::Release);
    }

    pub(crate) fn ended(&self) -> bool {
        self.ended.load(Ordering::Acquire) == self.options.workers
    }

    pub(crate) fn consumed(&self) -> Vec<i64> {
        self.consumed.lock().expect("no holder of this lock panics").clone()
    }

    pub(crate) fn newest(&self) -> Option<Arc<Binding>> {
        self.newest.lock().expect("no holder of this lock panics").clone()
    }

    /// Gives a binding to every worker. The channels hold at most the ticks in flight, and at a start the replay's.
    fn release(&self, binding: &Arc<Binding>) {
        self.consumed.lock().expect("no holder of this lock panics").clone_from(&binding.upto);
        *self.newest.lock().expect("no holder of this lock panics") = Some(Arc::clone(binding));
        for (sender, _) in &self.released {
            // The receivers live in this same struct.
            let _ = sender.send(Arc::clone(binding));
        }
    }
}

/// The body of one worker thread. A panic anywhere ends all workers of the process: timely is fail-stop.
pub(crate) fn run(worker: &mut Worker, shared: &Arc<Shared>) -> Result<(), RunError> {
    let index = worker.index();
    let result = catch_unwind(AssertUnwindSafe(|| Driver::new(worker, shared).drive(worker)));
    let result = result.unwrap_or_else(|panic| {
        let why = panic.downcast_ref::<String>().cloned().or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        Err(RunError::Worker { worker: index, why: why.unwrap_or_else(|| "a panic without a message".to_owned()) })
    });
    if let Err(error) = &result {
        tracing::error!(worker = index, %error, "a worker failed; all workers of this process end");
        shared.failed.store(true, Ordering::Release);
        shared.intake.stop();
        for dataflow in worker.installed_dataflows() {
            worker.drop_dataflow(dataflow);
        }
    }
    shared.ended.fetch_add(1, Ordering::AcqRel);
    result
}

/// One worker's way through the ticks.
struct Driver {
    shared: Arc<Shared>,
    flow: Flow,
    gather: Gather,
    /// Bound ticks not fed yet, in order.
    waiting: VecDeque<Arc<Binding>>,
    released: Receiver<Arc<Binding>>,
    /// Only on worker 0.
    mint: Option<Mint>,
    fed: Tick,
}

/// Worker 0's part: minted ticks wait here until they are durable.
struct Mint {
    minter: Minter,
    minted: VecDeque<Arc<Binding>>,
    replay_upto: Tick,
    cutting: Cutting,
    /// The last tick of all has been minted.
    last: bool,
}

impl Driver {
    fn new(worker: &mut Worker, shared: &Arc<Shared>) -> Driver {
        let index = worker.index();
        let workers = shared.options.workers;
        let queue = shared.queues.lock().expect("no holder of this lock panics")[index].take().expect("each worker starts once");
        let sources = shared.start.sources.iter().enumerate();
        let mine: Vec<usize> =
            sources.filter(|(source, about)| reads(index, workers, *source, about.domain)).map(|(source, _)| source).collect();
        let mint = (index == 0).then(|| Mint::new(shared));
        shared.graph.watch(worker);
        let mut flow = flow::build(worker, shared);
        // Nothing comes before the first tick, so that the ticks under way are counted from there.
        flow.at(shared.base.tick + 1);
        Driver {
            flow,
            gather: Gather { mine, queue, stash: vec![VecDeque::new(); shared.start.sources.len()] },
            waiting: VecDeque::new(),
            released: shared.released[index].1.clone(),
            mint,
            fed: shared.base.tick,
            shared: Arc::clone(shared),
        }
    }

    fn drive(mut self, worker: &mut Worker) -> Result<(), RunError> {
        loop {
            if self.shared.outlet.closed() || self.shared.failed.load(Ordering::Acquire) {
                return Err(RunError::Closed);
            }
            if let Some(mint) = &mut self.mint {
                mint.turn(&self.shared);
            }
            self.waiting.extend(self.released.try_iter());
            let worked = self.feed_next()?;
            if self.fed >= self.shared.last_tick.load(Ordering::Acquire) {
                break;
            }
            worker.step_or_park(Some(if worked { Duration::ZERO } else { PARK }));
        }
        self.flow.close();
        Ok(())
    }

    /// Feeds the next bound tick when all its messages are here and not too many ticks are under way.
    fn feed_next(&mut self) -> Result<bool, RunError> {
        let Some(binding) = self.waiting.front() else { return Ok(false) };
        let behind = binding.tick.saturating_sub(self.shared.options.ticks_in_flight_max);
        if self.flow.probe.less_than(&behind) || !self.gather.complete(binding, &self.shared.intake) {
            return Ok(false);
        }
        let binding = self.waiting.pop_front().expect("it was just looked at");
        self.flow.at(binding.tick);
        let mut inputs = Vec::with_capacity(self.gather.mine.len());
        for source in self.gather.mine.clone() {
            let chunks = self.gather.take(source, binding.upto[source]);
            let hash = source::hash(&chunks);
            self.check(binding.tick, source, hash)?;
            inputs.push((source as u16, hash));
            if self.shared.start.sources[source].domain {
                chunks.iter().for_each(|chunk| self.flow.domain(chunk));
            } else {
                chunks.into_iter().for_each(|chunk| self.flow.raw.send(chunk));
            }
        }
        self.shared.outlet.read(binding.tick, inputs);
        if let Some(mint) = &mut self.mint {
            self.flow.control.send(Control::Binding(Arc::clone(&binding)));
            mint.cutting.at(binding.tick).into_iter().for_each(|cut| self.flow.control.send(Control::Cut(cut)));
        }
        self.flow.at(binding.tick + 1);
        self.fed = binding.tick;
        Ok(true)
    }

    /// A replay must read what was read.
    fn check(&self, tick: Tick, source: usize, hash: u64) -> Result<(), RunError> {
        let recorded = self.shared.start.inputs.get(&tick).and_then(|inputs| inputs.get(source).copied().flatten());
        if recorded.is_none_or(|recorded| recorded == hash) {
            return Ok(());
        }
        let partition = &self.shared.start.sources[source];
        Err(RunError::Changed { topic: partition.source.topic.clone(), partition: partition.partition, tick })
    }
}

impl Mint {
    fn new(shared: &Arc<Shared>) -> Mint {
        for binding in &shared.start.bindings {
            shared.release(&Arc::new(binding.clone()));
        }
        let last = shared.start.bindings.last().unwrap_or(&shared.base.binding).clone();
        let seen = Arc::clone(&shared.seen);
        let replay_upto = last.tick;
        let minter = Minter::new(
            &shared.options,
            &shared.start.sources,
            Arc::clone(&shared.intake),
            Arc::new(move |source| seen.greatest(source as u16)),
            last,
            shared.start.generation,
        );
        let kept = shared.base.restored.as_ref().map_or(0, |restored| restored.binding.tick);
        let cutting = Cutting::new(shared.options.checkpoint_every_ms, kept, shared.base.turn);
        Mint { minter, minted: VecDeque::new(), replay_upto, cutting, last: false }
    }

    /// Mints when it is time and the sink keeps up, and releases what has become durable.
    fn turn(&mut self, shared: &Shared) {
        let replayed = shared.outlet.durable() >= self.replay_upto;
        let in_flight = self.minter.last_tick().saturating_sub(shared.outlet.durable());
        if shared.stopping.load(Ordering::Acquire) {
            if !std::mem::replace(&mut self.last, true) && replayed {
                self.mint_last(shared);
            }
            shared.last_tick.store(self.minter.last_tick(), Ordering::Release);
        } else if replayed
            && in_flight < shared.options.ticks_in_flight_max
            && let Some(binding) = self.minter.mint(wall())
        {
            self.cutting.minted(&self.minter, &shared.asked, shared.outlet.checkpointed());
            self.bind(shared, binding);
        }
        let bound = shared.outlet.bound();
        while self.minted.front().is_some_and(|binding| binding.tick <= bound) {
            shared.release(&self.minted.pop_front().expect("it was just looked at"));
        }
    }
}

impl Mint {
    /// One more tick with a checkpoint, so that the next start has nothing to read again.
    fn mint_last(&mut self, shared: &Shared) {
        if let Some(binding) = self.minter.mint_last(wall()) {
            self.cutting.decide(binding.tick, true);
            self.bind(shared, binding);
        }
    }

    fn bind(&mut self, shared: &Shared, binding: Binding) {
        shared.outlet.bind(binding.clone());
        self.minted.push_back(Arc::new(binding));
    }
}

/// The time of day. Only bindings carry it further.
fn wall() -> Moment {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    Moment(since.map_or(0, |since| i64::try_from(since.as_micros()).unwrap_or(i64::MAX)))
}

/// The messages of this worker's partitions that are here but not fed yet.
struct Gather {
    mine: Vec<usize>,
    queue: Receiver<Chunk>,
    stash: Vec<VecDeque<Chunk>>,
}

impl Gather {
    /// True when every message of this binding is in the stash. Takes from the queue only while something is missing.
    fn complete(&mut self, binding: &Binding, intake: &Intake) -> bool {
        let missing = |stash: &[VecDeque<Chunk>], source: usize| {
            let here = stash[source].back().and_then(|chunk| chunk.offsets.last()).map_or(i64::MIN, |last| last + 1);
            here < binding.upto[source]
        };
        // Read before the queue is emptied: a chunk is queued before its offset is published.
        let fetched: Vec<bool> = self.mine.iter().map(|&source| intake.fetched(source) >= binding.upto[source]).collect();
        if self.mine.iter().any(|&source| missing(&self.stash, source)) {
            while let Ok(chunk) = self.queue.try_recv() {
                self.stash[usize::from(chunk.source)].push_back(chunk);
            }
        }
        fetched.into_iter().all(|fetched| fetched)
    }

    /// The chunks before `upto`, the last one cut where the tick ends.
    fn take(&mut self, source: usize, upto: i64) -> Vec<Chunk> {
        let stash = &mut self.stash[source];
        let mut taken = Vec::new();
        while let Some(mut chunk) = stash.pop_front() {
            let inside = chunk.offsets.partition_point(|&offset| offset < upto);
            if inside == chunk.offsets.len() {
                taken.push(chunk);
                continue;
            }
            if inside > 0 {
                let rest = chunk.split_off(inside);
                taken.push(chunk);
                chunk = rest;
            }
            stash.push_front(chunk);
            break;
        }
        taken
    }
}

/// Reads a domain message, or says why it cannot be read. Only our own relay writes them, so a bad one is a fault of ours.
pub(crate) fn domain_event(bytes: &[u8]) -> Result<Event, serde_json::Error> {
    serde_json::from_slice(bytes)
}
