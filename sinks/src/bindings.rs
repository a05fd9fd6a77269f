//! Makes bindings durable: all that wait, in one insert.

use crate::{
    connection::{Connection, Patience, limited},
    error::{SinkError, doing},
    sink::Progress,
};
use dcmms_schemas::{
    binding::{Binding, SourcePartition},
    time::{Moment, Tick},
};
use sqlx::{PgConnection, types::Json};
use std::{
    collections::BTreeMap,
    sync::{Arc, atomic::Ordering},
};
use tokio::sync::mpsc::UnboundedReceiver;

/// Bindings in one insert. What waits is bounded by the ticks in flight.
const GROUP_MAX: usize = 1024;

/// The task behind [`dcmms_schemas::sealed::Outlet::bind`].
pub(crate) struct Writer {
    pub(crate) job: String,
    pub(crate) generation: u64,
    pub(crate) connection: Connection,
    pub(crate) progress: Arc<Progress>,
}

impl Writer {
    /// Runs until nobody can send any more.
    pub(crate) async fn run(mut self, mut bindings: UnboundedReceiver<Binding>) -> Result<(), SinkError> {
        let mut group = Vec::new();
        while bindings.recv_many(&mut group, GROUP_MAX).await > 0 {
            self.write(&group).await?;
            let last = group.last().expect("a group is not empty").tick;
            self.progress.noted(group.drain(..));
            self.progress.bound.store(last, Ordering::Release);
        }
        Ok(())
    }

    async fn write(&mut self, group: &[Binding]) -> Result<(), SinkError> {
        let mut patience = Patience::new(format!("bindings of job `{}` (PostgreSQL at {})", self.job, self.connection.server()));
        loop {
            let (job, generation) = (&self.job, self.generation);
            let attempt = async { insert(self.connection.get().await?, job, generation, group).await };
            match limited(attempt).await {
                Ok(()) => break,
                Err(error) => {
                    self.connection.break_off();
                    patience.wait_after(error).await?;
                }
            }
        }
        patience.over();
        Ok(())
    }
}

/// Inserts what is not there. Only one generation writes, so what is there is the same, from a try whose answer was lost.
async fn insert(connection: &mut PgConnection, job: &str, generation: u64, group: &[Binding]) -> Result<(), SinkError> {
    let known: i64 = sqlx::query_scalar(include_str!("../queries/bindings_insert.sql"))
        .bind(job)
        .bind(generation as i64)
        .bind(Json(group))
        .fetch_one(&mut *connection)
        .await
        .map_err(doing("insert bindings"))?;
    if known == 1 {
        return Ok(());
    }
    let theirs: i64 = sqlx::query_scalar("select generation from derived.jobs where job = $1")
        .bind(job)
        .fetch_one(connection)
        .await
        .map_err(doing("ask for the generation"))?;
    Err(SinkError::Fenced { job: job.to_owned(), ours: generation, theirs: theirs as u64 })
}

#[derive(sqlx::FromRow)]
struct Row {
    tick: i64,
    generation: i64,
    clock: i64,
    upto: Vec<i64>,
    watermarks: Vec<i64>,
    idle: Vec<bool>,
    inputs: Option<Vec<i64>>,
}

/// Hashes of what each source held at a tick, where they are recorded.
pub type Inputs = BTreeMap<Tick, Vec<Option<u64>>>;

/// All bindings of a job, in order, and what was read for them.
pub(crate) async fn load(connection: &mut PgConnection, job: &str) -> Result<(Vec<Binding>, Inputs), SinkError> {
    let rows: Vec<Row> = sqlx::query_as(include_str!("../queries/bindings_select.sql"))
        .bind(job)
        .fetch_all(connection)
        .await
        .map_err(doing("load the bindings"))?;
    let mut inputs = Inputs::new();
    let mut bindings = Vec::with_capacity(rows.len());
    for row in rows {
        if let Some(read) = row.inputs {
            inputs.insert(row.tick as Tick, read.into_iter().map(|hash| Some(hash as u64)).collect());
        }
        bindings.push(Binding {
            tick: row.tick as Tick,
            generation: row.generation as u64,
            clock: Moment(row.clock),
            upto: row.upto,
            watermarks: row.watermarks.into_iter().map(Moment).collect(),
            idle: row.idle,
        });
    }
    Ok((bindings, inputs))
}

/// Up to when telemetry is complete: the least watermark of the partitions that are not idle; the clock when all are.
/// `None` while a partition that is not idle has said nothing.
pub(crate) fn watermark(binding: &Binding, sources: &[SourcePartition]) -> Option<Moment> {
    let telemetry = (0..sources.len()).filter(|index| !sources[*index].domain);
    let least = telemetry.map(|index| binding.now(index as u16)).min().unwrap_or(binding.clock);
    (least > Moment::MIN).then_some(least)
}
