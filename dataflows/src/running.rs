//! Starts a job's threads and ends them.

use crate::{
    options::{Options, Start},
    source::{Intake, Reader, SourceError, low_offsets},
    worker::{self, Base, Shared},
};
use dcmms_operators::{chunk::Chunk, keep::Restored, seen::Seen};
use dcmms_schemas::{
    binding::{Binding, Sources},
    checkpoint::Checkpoint,
    job::Graph,
    sealed::Outlet,
    time::{Moment, Tick},
};
use std::{sync::Arc, thread::JoinHandle};
use timely::WorkerConfig;

/// Chunks that wait between a reader and its worker; the reader waits when they are too many.
const CHUNKS_MAX: usize = 64;

/// Why a job ended other than by being asked to.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error("start {workers} workers: {why}")]
    Start { workers: usize, why: String },
    #[error("worker {worker} stopped: {why}")]
    Worker { worker: usize, why: String },
    #[error("the sink closed; its own error says why")]
    Closed,
    #[error(
        "{topic}/{partition}: what is read again for tick {tick} is not what was read the first time; the tables would be told two \
         histories, so nothing goes on. Restore the topic, or start a new job on it"
    )]
    Changed { topic: String, partition: i32, tick: Tick },
}

/// A running job.
pub struct Running {
    shared: Arc<Shared>,
    intake: Arc<Intake>,
    readers: Vec<JoinHandle<()>>,
    workers: timely::communication::WorkerGuards<Result<(), RunError>>,
}

impl std::fmt::Debug for Running {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Running").field("shared", &self.shared).finish_non_exhaustive()
    }
}

/// Starts reading, takes up the checkpoint, replays the bindings after it and goes on minting after them.
///
/// Fails before anything is started when the broker no longer has what the bindings name.
pub fn run(options: Options, mut start: Start, outlet: Arc<dyn Outlet>) -> Result<Running, RunError> {
    let checkpoint = start.checkpoint.take();
    let base = begins_at(&mut start, checkpoint.as_ref());
    let lows = low_offsets(&options.kafka, &start.sources, base.as_ref(), start.bindings.last().or(base.as_ref()))?;
    let mut base = base.unwrap_or_else(|| {
        let base = first_binding(&start, checkpoint.as_ref(), &lows);
        outlet.bind(base.clone());
        base
    });
    let starts: Vec<i64> = lows.iter().enumerate().map(|(source, low)| base.upto.get(source).copied().unwrap_or(*low)).collect();
    widen(&mut start.bindings, &starts);
    widen(std::slice::from_mut(&mut base), &starts);
    let intake = Arc::new(Intake::new(&starts));
    let (readers, queues) = read(&options, &start, &starts, &intake)?;
    let turn = checkpoint.as_ref().map_or(0, |checkpoint| checkpoint.turn + 1);
    let restored = checkpoint.map(|checkpoint| Arc::new(Restored::new(checkpoint)));
    let base = Base { tick: base.tick, binding: base, restored, turn };
    let shared = Arc::new(Shared::new(options, start, base, outlet, Arc::clone(&intake), Arc::new(Seen::default()), queues));
    let workers = spawn(&shared)?;
    Ok(Running { shared, intake, readers, workers })
}

/// The binding whose state is there: the checkpoint's, or the first; what is replayed stays in `start.bindings`. After a source was
/// replaced, the first binding is later than the checkpoint and names where the new one begins. `None`: there is no binding yet.
fn begins_at(start: &mut Start, checkpoint: Option<&Checkpoint>) -> Option<Binding> {
    let tick = checkpoint.map_or(0, |checkpoint| checkpoint.binding.tick);
    let at = start.bindings.iter().rposition(|binding| binding.tick <= tick).unwrap_or(0);
    let later = start.bindings.split_off((at + 1).min(start.bindings.len()));
    let base = start.bindings.pop();
    start.bindings = later;
    base
}

impl Running {
    /// Asks for a clean end: one more tick is minted with a checkpoint, and what is under way is finished.
    pub fn stop(&self) {
        self.shared.stop();
    }

    /// Asks for a checkpoint with the next tick, or as soon as the one under way is complete.
    pub fn checkpoint(&self) {
        self.shared.checkpoint();
    }

    /// True once every worker has ended, asked or not.
    pub fn ended(&self) -> bool {
        self.shared.ended()
    }

    /// Per source, the offset after the last one bound to a tick: how far a producer in this process may go on.
    pub fn consumed(&self) -> Vec<i64> {
        self.shared.consumed()
    }

    /// For whoever watches it from elsewhere.
    pub fn gauge(&self) -> Gauge {
        Gauge { shared: Arc::clone(&self.shared), intake: Arc::clone(&self.intake) }
    }

    /// Waits for the workers to end and says how they did.
    pub fn join(self) -> Result<(), RunError> {
        let results: Vec<_> = self.workers.join().into_iter().collect();
        self.intake.stop();
        for reader in self.readers {
            // A reader that panicked has said so; its worker then saw no more input, which is what matters here.
            let _ = reader.join();
        }
        results.into_iter().enumerate().try_for_each(|(worker, result)| result.map_err(|why| RunError::Worker { worker, why })?)
    }
}

/// Shows how far a running job is; asking costs the workers nothing.
#[derive(Clone)]
pub struct Gauge {
    shared: Arc<Shared>,
    intake: Arc<Intake>,
}

impl std::fmt::Debug for Gauge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gauge").field("shared", &self.shared).finish_non_exhaustive()
    }
}

impl Gauge {
    pub fn sources(&self) -> &Sources {
        &self.shared.start.sources
    }

    pub fn workers(&self) -> usize {
        self.shared.options.workers
    }

    /// The newest binding that is durable and given to the workers.
    pub fn newest(&self) -> Option<Arc<Binding>> {
        self.shared.newest()
    }

    /// The offset after the last message that waits in our queues.
    pub fn fetched(&self, source: usize) -> i64 {
        self.intake.fetched(source)
    }

    pub fn durable(&self) -> Tick {
        self.shared.outlet.durable()
    }

    /// Operators, channels and what went over them, all workers added up.
    pub fn graph(&self) -> Graph {
        self.shared.graph.graph()
    }
}

/// Lets ticks of before a partition was added cover nothing of it.
fn widen(bindings: &mut [Binding], starts: &[i64]) {
    for binding in bindings {
        binding.upto.extend(starts.iter().skip(binding.upto.len()));
        binding.watermarks.resize(starts.len(), Moment::MIN);
        binding.idle.resize(starts.len(), false);
    }
}

/// The tick before the first contains nothing and names where that begins, so that a restart can tell a trimmed topic from a new one.
fn first_binding(start: &Start, checkpoint: Option<&Checkpoint>, lows: &[i64]) -> Binding {
    Binding {
        tick: if start.fresh { start.durable } else { 0 },
        generation: start.generation,
        clock: checkpoint.map_or(Moment(0), |checkpoint| checkpoint.binding.clock),
        upto: lows.to_vec(),
        watermarks: vec![Moment::MIN; lows.len()],
        idle: vec![false; lows.len()],
    }
}

type Queues = Vec<crossbeam_channel::Receiver<Chunk>>;

/// Deals the partitions out, one reader thread and queue per worker; the domain goes to worker 0.
fn read(options: &Options, start: &Start, starts: &[i64], intake: &Arc<Intake>) -> Result<(Vec<JoinHandle<()>>, Queues), SourceError> {
    let mut readers = Vec::new();
    let mut queues = Vec::new();
    for worker in 0..options.workers {
        let (queue, receiver) = crossbeam_channel::bounded(CHUNKS_MAX);
        queues.push(receiver);
        let mine = start.sources.iter().enumerate().filter(|(index, source)| worker::reads(worker, options.workers, *index, source.domain));
        let partitions: Vec<_> = mine.map(|(index, source)| (index as u16, source.clone(), starts[index])).collect();
        if !partitions.is_empty() {
            readers.push(Reader { worker, partitions, queue, intake: Arc::clone(intake) }.start(&options.kafka, &options.job)?);
        }
    }
    Ok((readers, queues))
}

fn spawn(shared: &Arc<Shared>) -> Result<timely::communication::WorkerGuards<Result<(), RunError>>, RunError> {
    let workers = shared.options.workers;
    let config = if workers == 1 { timely::CommunicationConfig::Thread } else { timely::CommunicationConfig::Process(workers) };
    let config = timely::Config { communication: config, worker: WorkerConfig::default() };
    let shared = Arc::clone(shared);
    timely::execute(config, move |worker| worker::run(worker, &shared)).map_err(|why| RunError::Start { workers, why })
}
