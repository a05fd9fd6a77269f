//! Starts a job's threads and ends them.

use crate::{
    options::{Options, Start},
    source::{Intake, Reader, SourceError, low_offsets},
    worker::{self, Shared},
};
use dcmms_operators::{chunk::Chunk, seen::Seen};
use dcmms_schemas::{binding::Binding, sealed::Outlet, time::Moment};
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

/// Starts reading, replays the recorded bindings and goes on minting after them.
///
/// Fails before anything is started when the broker no longer has what the bindings name.
pub fn run(options: Options, start: Start, outlet: Arc<dyn Outlet>) -> Result<Running, RunError> {
    let lows = low_offsets(&options.kafka, &start.sources, start.bindings.first(), start.bindings.last())?;
    let starts = starts(&start, &lows);
    if start.bindings.is_empty() {
        outlet.bind(first_binding(&start, &starts));
    }
    let intake = Arc::new(Intake::new(&starts));
    let (readers, queues) = read(&options, &start, &starts, &intake)?;
    let shared = Arc::new(Shared::new(options, start, starts, outlet, Arc::clone(&intake), Arc::new(Seen::default()), queues));
    let workers = spawn(&shared)?;
    Ok(Running { shared, intake, readers, workers })
}

impl Running {
    /// Asks for a clean end: no more ticks are minted, those under way are finished.
    pub fn stop(&self) {
        self.shared.stop();
    }

    /// True once every worker has ended, asked or not.
    pub fn ended(&self) -> bool {
        self.shared.ended()
    }

    /// Per source, the offset after the last one bound to a tick: how far a producer in this process may go on.
    pub fn consumed(&self) -> Vec<i64> {
        self.shared.consumed()
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

/// The first offset to read of each source: where the first tick began, or the oldest there is.
fn starts(start: &Start, lows: &[i64]) -> Vec<i64> {
    let first = start.bindings.first().map_or(&[][..], |binding| &binding.upto);
    lows.iter().enumerate().map(|(source, low)| first.get(source).copied().unwrap_or(*low)).collect()
}

/// Tick 0 contains nothing and names where tick 1 begins, so that a restart can tell a trimmed topic from a new one.
fn first_binding(start: &Start, starts: &[i64]) -> Binding {
    Binding {
        tick: 0,
        generation: start.generation,
        clock: Moment(0),
        upto: starts.to_vec(),
        watermarks: vec![Moment::MIN; starts.len()],
        idle: vec![false; starts.len()],
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
