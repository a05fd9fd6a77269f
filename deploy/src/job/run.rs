//! A job under supervision: what waits is waited for, what falls is started again as the next generation, what cannot be
//! mended stops with its reason.

use super::attend::{Attendant, Wish};
use crate::{config::Config, kafka, shutdown::Stop, wait::until_it_works};
use anyhow::{Context, anyhow, bail};
use dcmms_dataflows::{Options, RunError, Running, SourceError, Start};
use dcmms_schemas::{binding::Sources, sealed::Outlet};
use dcmms_sinks::{Sink, SinkError};
use serde_json::json;
use sqlx::PgPool;
use std::{
    pin::pin,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::task::{JoinHandle, spawn_blocking};

/// How often a running job is looked at; a paced producer waits for this look.
const LOOK: Duration = Duration::from_millis(20);
/// A job that falls so often within so short a life is not mended by starting it again.
const FALLS_MAX: u32 = 5;
const LIFE_SHORT: Duration = Duration::from_secs(60);
/// How long the tick under way may take at a stop before we end without it; the next start tells it again.
const STOP: Duration = Duration::from_secs(30);

/// What a job needs to run in this process.
#[derive(Debug)]
pub struct Engine {
    pub config: Config,
    pub pool: PgPool,
    pub accept_new_source: bool,
    /// Told how much was read, for producers to the in-process broker.
    pub pace: Option<kafka::Pace>,
}

/// How one life of a job ended.
enum End {
    Asked,
    /// A topic has more partitions; the next generation reads them too.
    Grown,
    Fallen(anyhow::Error),
}

/// One generation of a job.
struct Life {
    running: Running,
    sink: Arc<Sink>,
    task: JoinHandle<Result<(), SinkError>>,
    generation: u64,
    /// Which sources are of readings.
    telemetry: Vec<bool>,
}

impl Engine {
    /// Runs until it is asked to stop, or until it cannot go on.
    pub async fn run(self, stop: Stop) -> anyhow::Result<()> {
        let mut falls = 0;
        let mut first_generation = None;
        loop {
            let started = Instant::now();
            let Some(life) = self.start(&stop).await? else { return Ok(()) };
            let first_generation = *first_generation.get_or_insert(life.generation);
            let why = match self.watch(life, &stop, first_generation).await? {
                End::Asked => return Ok(()),
                End::Grown => continue,
                End::Fallen(why) => why,
            };
            falls = if started.elapsed() < LIFE_SHORT { falls + 1 } else { 1 };
            if falls >= FALLS_MAX {
                return Err(why.context(format!("run the job; it fell {falls} times in a row")));
            }
            tracing::error!(error = format!("{why:#}"), falls, "the job fell; starting its next generation");
            tokio::select! {
                () = tokio::time::sleep(Duration::from_secs(1)) => {}
                () = stop.requested() => return Ok(()),
            }
        }
    }

    /// Waits for the servers and starts a generation; `None` when asked to stop meanwhile.
    async fn start(&self, stop: &Stop) -> anyhow::Result<Option<Life>> {
        let Some(sources) = self.sources(stop).await? else { return Ok(None) };
        let opening = dcmms_sinks::open(self.sink_options(sources));
        let opened = tokio::select! {
            opened = opening => opened.context("open the job's tables")?,
            () = stop.requested() => return Ok(None),
        };
        let sink = Arc::new(opened.sink);
        let outlet = Arc::clone(&sink) as Arc<dyn Outlet>;
        let telemetry = opened.sources.iter().map(|source| !source.domain).collect();
        let checkpoint = opened.checkpoint.as_ref().map_or(0, |checkpoint| checkpoint.binding.tick);
        let start = Start {
            generation: opened.generation,
            sources: opened.sources,
            bindings: opened.bindings,
            inputs: opened.inputs,
            durable: opened.durable,
            checkpoint: opened.checkpoint,
            fresh: opened.fresh,
        };
        let options = self.options();
        let (job, generation, durable, workers) = (options.job.clone(), start.generation, start.durable, options.workers);
        let again_ticks = start.bindings.iter().filter(|binding| binding.tick > checkpoint).count();
        tracing::info!(job, generation, durable, checkpoint, again_ticks, workers, "job starts");
        match spawn_blocking(move || dcmms_dataflows::run(options, start, outlet)).await.context("start the dataflow")? {
            Ok(running) => Ok(Some(Life { running, sink, task: opened.task, generation, telemetry })),
            Err(error) => {
                sink.stop();
                // Its own end adds nothing to why the dataflow did not start.
                let _ = opened.task.await;
                Err(error).context("start the dataflow")
            }
        }
    }

    /// Makes the topics that are missing and asks for the partitions; waits while Kafka is away.
    async fn sources(&self, stop: &Stop) -> anyhow::Result<Option<Sources>> {
        let engine = kafka::for_engine(&self.config.kafka);
        let what = format!("Kafka at {}", engine.brokers);
        let made =
            until_it_works(&what, stop, || async { kafka::ensure_topics(&self.config.kafka).await.map_err(|error| format!("{error:#}")) });
        if made.await.is_none() {
            return Ok(None);
        }
        let identified = until_it_works(&what, stop, || async {
            let engine = engine.clone();
            let sources = spawn_blocking(move || dcmms_dataflows::identify(&engine)).await.map_err(|error| format!("{error}"))?;
            sources.map_err(|error: SourceError| format!("{:#}", anyhow!(error)))
        });
        Ok(identified.await)
    }

    /// Watches one generation to its end.
    async fn watch(&self, life: Life, stop: &Stop, first_generation: u64) -> anyhow::Result<End> {
        let Life { running, sink, mut task, generation, telemetry } = life;
        let attendant = Attendant {
            gauge: running.gauge(),
            kafka: kafka::for_engine(&self.config.kafka),
            pool: self.pool.clone(),
            job: self.config.engine.job.clone(),
            generation,
            first_generation,
        };
        let mut attending = pin!(attendant.attend());
        let mut look = tokio::time::interval(LOOK);
        loop {
            tokio::select! {
                () = stop.requested() => {
                    stopped(running, &sink, task).await?;
                    return Ok(End::Asked);
                }
                wish = &mut attending => {
                    let end = match wish {
                        Wish::Stop { by } => {
                            tracing::info!(by, "the job was asked to stop");
                            End::Asked
                        }
                        Wish::Grown { topic } => {
                            tracing::info!(topic, "the topic has more partitions; the next generation of the job reads them too");
                            End::Grown
                        }
                    };
                    stopped(running, &sink, task).await?;
                    return Ok(end);
                }
                said = &mut task => {
                    running.stop();
                    spawn_blocking(move || running.join()).await.context("wait for the workers")?.ok();
                    return match said.context("the task of the sink broke off")? {
                        // What the sink gives up on, another start cannot mend: it waits by itself for what passes.
                        Err(error) => Err(error).context("write what the job says"),
                        Ok(()) => bail!("the sink ended before it was asked to"),
                    };
                }
                _ = look.tick() => {
                    self.tell_pace(&running, &telemetry);
                    if sink.checkpoint_asked() {
                        running.checkpoint();
                    }
                    if running.ended() {
                        return fallen(running, &sink, task).await;
                    }
                }
            }
        }
    }

    fn tell_pace(&self, running: &Running, telemetry: &[bool]) {
        if let Some(pace) = &self.pace {
            let consumed = running.consumed();
            let of_readings = consumed.iter().zip(telemetry).filter(|(_, telemetry)| **telemetry);
            pace.consumed(of_readings.map(|(upto, _)| u64::try_from(*upto).unwrap_or(0)).sum());
        }
    }

    fn options(&self) -> Options {
        let engine = &self.config.engine;
        Options {
            job: engine.job.clone(),
            workers: engine.workers,
            tick_ms: engine.tick_ms,
            ticks_in_flight_max: engine.ticks_in_flight_max,
            messages_per_tick_max: engine.messages_per_tick_max,
            disorder_ms: engine.disorder_ms,
            idle_after_ms: engine.idle_after_ms,
            future_max_ms: engine.future_max_ms,
            dedupe: engine.dedupe,
            action_age_max_ms: (engine.action_age_max_ms >= 0).then_some(engine.action_age_max_ms),
            checkpoint_every_ms: self.config.checkpoint.every_ms,
            kafka: kafka::for_engine(&self.config.kafka),
        }
    }

    fn sink_options(&self, sources: Sources) -> dcmms_sinks::Options {
        let (engine, history) = (&self.config.engine, &self.config.history);
        dcmms_sinks::Options {
            pool: self.pool.clone(),
            root: self.config.data.dir.clone(),
            job: engine.job.clone(),
            // What a replay of the recorded bindings depends on beside them; each would answer differently.
            fingerprint: json!({ "flow": dcmms_dataflows::FINGERPRINT, "dedupe": engine.dedupe, "future_max_ms": engine.future_max_ms }),
            sources,
            accept_new_source: self.accept_new_source,
            workers: engine.workers,
            history: dcmms_sinks::history::Limits {
                age_micros: i64::try_from(history.seal_after_ms).unwrap_or(i64::MAX / 1_000) * 1_000,
                bytes: usize::try_from(history.seal_bytes_max).unwrap_or(usize::MAX),
            },
            checkpoints: dcmms_sinks::checkpoints::Keeping {
                url: self.config.checkpoint.url.clone(),
                keep: self.config.checkpoint.keep as usize,
            },
        }
    }
}

/// Ends a generation; what takes too long the next start tells again.
async fn stopped(running: Running, sink: &Arc<Sink>, task: JoinHandle<Result<(), SinkError>>) -> anyhow::Result<()> {
    running.stop();
    match tokio::time::timeout(STOP, finish(running, sink, task)).await {
        Ok(ended) => ended.context("stop the job")?,
        Err(_) => tracing::warn!("the last ticks did not become durable in time; the next start tells them again"),
    }
    tracing::info!(durable = sink.durable(), "job stopped");
    Ok(())
}

/// Lets workers and sink finish what is under way.
async fn finish(running: Running, sink: &Arc<Sink>, task: JoinHandle<Result<(), SinkError>>) -> anyhow::Result<()> {
    spawn_blocking(move || running.join()).await.context("wait for the workers")??;
    sink.stop();
    Ok(task.await.context("wait for the sink")??)
}

/// The workers ended by themselves: because the sink gave up, or because they fell.
async fn fallen(running: Running, sink: &Arc<Sink>, task: JoinHandle<Result<(), SinkError>>) -> anyhow::Result<End> {
    let workers = spawn_blocking(move || running.join()).await.context("wait for the workers")?;
    sink.stop();
    task.await.context("wait for the sink")?.context("write what the job says")?;
    match workers {
        Err(RunError::Source(error @ (SourceError::Gap { .. } | SourceError::NoTopic { .. }))) => Err(error.into()),
        // Another start would read the same.
        Err(error @ RunError::Changed { .. }) => Err(error.into()),
        Err(error) => Ok(End::Fallen(error.into())),
        Ok(()) => Ok(End::Fallen(anyhow!("the workers ended before they were asked to"))),
    }
}
