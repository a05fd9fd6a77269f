//! The task behind the handle: whole ticks in, transactions out.

use crate::{
    collector::{Collector, Ready},
    connection::Connection,
    error::{SinkError, chain},
    history::{History, Seal},
    sink::Progress,
    span::Span,
    staged::Staged,
    writer::Writer,
};
use dcmms_schemas::{sealed::Part, time::Tick};
use sqlx::postgres::PgConnectOptions;
use std::sync::{Arc, atomic::Ordering};
use tokio::{
    sync::{mpsc::UnboundedReceiver, watch},
    task::JoinHandle,
};

/// Everything the task owns.
pub(crate) struct Task {
    pub(crate) parts: UnboundedReceiver<Part>,
    pub(crate) stop: watch::Receiver<bool>,
    pub(crate) collector: Collector,
    pub(crate) writer: Writer,
    pub(crate) history: History,
    pub(crate) progress: Arc<Progress>,
    pub(crate) bindings: JoinHandle<Result<(), SinkError>>,
    pub(crate) checkpoints: JoinHandle<Result<(), SinkError>>,
    pub(crate) options: PgConnectOptions,
}

impl Task {
    /// Runs until asked to stop, until the last handle is gone, or until something is wrong for good.
    pub(crate) async fn run(self) -> Result<(), SinkError> {
        let Task { parts, stop, mut collector, mut writer, mut history, progress, bindings, checkpoints, options } = self;
        let (job, generation) = (writer.job.clone(), writer.generation);
        let mut lander = Lander {
            collector: &mut collector,
            writer: &mut writer,
            history: &mut history,
            progress: &progress,
            seals: Vec::new(),
            sealing: 0,
        };
        let (abort, mut checkpoints) = (bindings.abort_handle(), Checkpoints(checkpoints));
        let landed = tokio::select! {
            landed = lander.follow(parts, stop, bindings) => landed,
            ended = &mut checkpoints.0 => match ended {
                Ok(Err(error)) => Err(error),
                Ok(Ok(())) | Err(_) => Err(SinkError::Thread("the checkpoints")),
            },
        };
        abort.abort();
        let seals = std::mem::take(&mut lander.seals);
        let result = match landed {
            Ok(()) => finish(&mut writer, history, seals, &progress, &mut checkpoints).await,
            Err(error) => Err(error),
        };
        progress.closed.store(true, Ordering::Release);
        note_end(&options, &job, generation, &result).await;
        result
    }
}

/// The task that stores checkpoints; it ends with this.
struct Checkpoints(JoinHandle<Result<(), SinkError>>);

impl Drop for Checkpoints {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Seals the tail of the history, adds it to the manifest, and lets the last checkpoint become complete.
async fn finish(
    writer: &mut Writer,
    history: History,
    mut seals: Vec<Seal>,
    progress: &Progress,
    checkpoints: &mut Checkpoints,
) -> Result<(), SinkError> {
    seals.extend(history.finish().await?);
    writer.write_seals(&seals).await?;
    progress.finished.store(true, Ordering::Release);
    progress.landed(writer.durable, writer.history);
    (&mut checkpoints.0).await.map_err(|_| SinkError::Thread("the checkpoints"))?
}

/// Lets people see how it ended. Once, as well as it goes: a server that is away learns it from the next start.
async fn note_end(options: &PgConnectOptions, job: &str, generation: u64, result: &Result<(), SinkError>) {
    let (state, failure) = match result {
        Ok(()) => ("stopped", None),
        // The job goes on elsewhere.
        Err(SinkError::Fenced { .. }) => return,
        Err(error) => ("failed", Some(chain(error))),
    };
    let mut connection = Connection::new(options, "dcmms sink end", false);
    let Ok(connection) = connection.get().await else { return };
    let noted = sqlx::query(include_str!("../queries/job_end.sql")).bind(job).bind(generation as i64).bind(state).bind(failure);
    if let Err(error) = noted.execute(connection).await {
        tracing::warn!(job, error = chain(&error), "the end of the job could not be noted");
    }
}

struct Lander<'a> {
    collector: &'a mut Collector,
    writer: &'a mut Writer,
    history: &'a mut History,
    progress: &'a Progress,
    /// Sealed, but not yet in the manifest.
    seals: Vec<Seal>,
    /// Up to where a checkpoint has had the history sealed.
    sealing: Tick,
}

impl Lander<'_> {
    /// Collects and writes. Whoever sends never waits; whoever mints does, because `durable` stands still meanwhile.
    async fn follow(
        &mut self,
        mut parts: UnboundedReceiver<Part>,
        mut stop: watch::Receiver<bool>,
        mut bindings: JoinHandle<Result<(), SinkError>>,
    ) -> Result<(), SinkError> {
        let mut bound = false;
        let mut going = true;
        while going {
            tokio::select! {
                // A stop first, else a flood of parts could keep it waiting.
                biased;
                ended = &mut bindings, if !bound => {
                    ended.map_err(|_| SinkError::Thread("the bindings"))??;
                    bound = true;
                }
                stopped = stop.wait_for(|stop| *stop) => going = stopped.is_err() && !parts.is_closed() && !bound,
                part = parts.recv() => match part {
                    Some(part) => self.collector.take(part)?,
                    None => going = false,
                },
            }
            while let Ok(part) = parts.try_recv() {
                self.collector.take(part)?;
            }
            while let Some(ready) = self.collector.ready() {
                self.land(ready).await?;
                while let Ok(part) = parts.try_recv() {
                    self.collector.take(part)?;
                }
            }
        }
        Ok(())
    }

    async fn land(&mut self, ready: Ready) -> Result<(), SinkError> {
        let Ready { ticks, history, replayed } = ready;
        for (tick, clock, rows) in history {
            self.history.take(tick, clock, rows).await?;
        }
        let wanted = self.progress.wanted_history.load(Ordering::Acquire);
        if wanted > self.sealing.max(self.writer.history) {
            self.history.seal().await;
            self.sealing = wanted;
        }
        self.seals.extend(self.history.sealed()?);
        if replayed {
            return Ok(());
        }
        let (job, file) = (self.writer.job.clone(), self.writer.rejects_file());
        // Adding up and encoding compute, so they do it beside the async threads.
        let staged = tokio::task::spawn_blocking(move || Staged::of(&Span::of(ticks), &job, &file));
        let staged = Arc::new(staged.await.map_err(|_| SinkError::Thread("the encoder"))?);
        let upto = staged.upto;
        self.writer.write(staged, self.progress.watermark(upto), self.progress.inputs(upto), &self.seals).await?;
        self.seals.clear();
        self.progress.landed(upto, self.writer.history);
        metrics::gauge!("dcmms_sink_waiting_ticks").set(self.collector.waiting() as f64);
        metrics::gauge!("dcmms_sink_durable_tick").set(upto as f64);
        Ok(())
    }
}
