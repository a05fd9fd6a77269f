//! One transaction for all tables of a span.

use crate::{
    connection::{Connection, Patience, limited},
    error::{SinkError, doing},
    history::Seal,
    partitions::Known,
    rejects::{Files, Reach},
    staged::{Staged, Table, tick8},
};
use dcmms_schemas::time::{Moment, Tick};
use sqlx::{Connection as _, PgConnection};
use std::{sync::Arc, time::Instant};

/// Writes spans, one after the other.
#[derive(Debug)]
pub(crate) struct Writer {
    pub(crate) job: String,
    pub(crate) generation: u64,
    pub(crate) connection: Connection,
    pub(crate) durable: Tick,
    pub(crate) history: Tick,
    pub(crate) known: Known,
    pub(crate) files: Files,
    pub(crate) reach: Reach,
}

/// What a transaction moves on beside the tables.
struct Advance {
    upto: Tick,
    clock: Option<Moment>,
    watermark: Option<Moment>,
    history: Tick,
    commands: bool,
    /// Hashes of what was read: tick, source, hash.
    inputs: Vec<(Tick, u16, u64)>,
}

impl Writer {
    /// The file that the next rejects go to.
    pub(crate) fn rejects_file(&self) -> String {
        self.files.name(self.files.next(self.reach))
    }

    /// Writes a span and the seals of the history, exactly once, however often it takes.
    pub(crate) async fn write(
        &mut self,
        staged: Arc<Staged>,
        watermark: Option<Moment>,
        inputs: Vec<(Tick, u16, u64)>,
        seals: &[Seal],
    ) -> Result<(), SinkError> {
        let started = Instant::now();
        let advance = Advance {
            upto: staged.upto,
            clock: Some(staged.clock),
            watermark,
            history: seals.iter().map(|seal| seal.upto).fold(self.history, Tick::max),
            commands: staged.commands > 0,
            inputs,
        };
        self.persist(Some(&staged), &advance, seals).await?;
        metrics::histogram!("dcmms_sink_transaction_seconds").record(started.elapsed().as_secs_f64());
        metrics::histogram!("dcmms_sink_transaction_rows").record(staged.rows as f64);
        metrics::counter!("dcmms_sink_rows_total").increment(staged.rows);
        metrics::counter!("dcmms_sink_ticks_total").increment(staged.ticks);
        count(&self.job, &staged);
        Ok(())
    }

    /// Writes seals alone, at the end.
    pub(crate) async fn write_seals(&mut self, seals: &[Seal]) -> Result<(), SinkError> {
        let Some(history) = seals.iter().map(|seal| seal.upto).max() else { return Ok(()) };
        let advance = Advance { upto: self.durable, clock: None, watermark: None, history, commands: false, inputs: Vec::new() };
        self.persist(None, &advance, seals).await
    }

    async fn persist(&mut self, staged: Option<&Arc<Staged>>, advance: &Advance, seals: &[Seal]) -> Result<(), SinkError> {
        let mut patience = Patience::new(format!("job `{}` (PostgreSQL at {})", self.job, self.connection.server()));
        let mut reach = self.reach;
        loop {
            match limited(self.attempt(staged, advance, seals, &mut reach)).await {
                Ok(()) => break,
                Err(error) => {
                    self.connection.break_off();
                    self.known.forget();
                    metrics::counter!("dcmms_sink_retries_total").increment(1);
                    patience.wait_after(error).await?;
                }
            }
        }
        patience.over();
        (self.durable, self.history, self.reach) = (advance.upto, advance.history, reach);
        Ok(())
    }

    async fn attempt(
        &mut self,
        staged: Option<&Arc<Staged>>,
        advance: &Advance,
        seals: &[Seal],
        reach: &mut Reach,
    ) -> Result<(), SinkError> {
        let connection = self.connection.get().await?;
        let mut tx = connection.begin().await.map_err(doing("begin the transaction"))?;
        let (generation, durable, history): (i64, i64, i64) = sqlx::query_as(include_str!("../queries/job_lock_to_write.sql"))
            .bind(&self.job)
            .fetch_one(&mut *tx)
            .await
            .map_err(doing("lock the job"))?;
        if generation != self.generation as i64 {
            return Err(SinkError::Fenced { job: self.job.clone(), ours: self.generation, theirs: generation as u64 });
        }
        if (durable, history) == (tick8(advance.upto), tick8(advance.history)) {
            // The commit of an earlier try landed, only its answer was lost.
            return Ok(());
        }
        if (durable, history) != (tick8(self.durable), tick8(self.history)) {
            return Err(SinkError::Moved { job: self.job.clone(), expected: self.durable, found: durable as Tick });
        }
        if let Some(staged) = staged {
            self.known.ensure(&mut tx, &staged.partitions, staged.clock).await?;
            *reach = write_rejects(&self.files, self.reach, staged).await?;
            for table in &staged.tables {
                stage(&mut tx, table).await?;
            }
        }
        for seal in seals {
            seal.insert(&mut tx, &self.job).await?;
        }
        if !advance.inputs.is_empty() {
            write_inputs(&mut tx, &self.job, &advance.inputs).await?;
        }
        let file = (reach.bytes > 0).then(|| self.files.name(*reach));
        finish(&mut tx, &self.job, advance, file, reach.bytes).await?;
        tx.commit().await.map_err(doing("commit"))
    }
}

/// What became of messages and readings, as the books say it.
fn count(job: &str, staged: &Staged) {
    let books = &staged.books;
    let add = |outcome: &'static str, n: i64| {
        metrics::counter!("dcmms_readings_total", "job" => job.to_owned(), "outcome" => outcome).increment(n.max(0).unsigned_abs());
    };
    add("accepted", books.accepted);
    add("duplicate", books.duplicates);
    add("superseded", books.superseded);
    add("late", books.late);
    add("rejected", books.rejected);
    metrics::counter!("dcmms_messages_total", "job" => job.to_owned()).increment(books.messages.max(0).unsigned_abs());
    for (reason, n) in &staged.reasons {
        metrics::counter!("dcmms_rejects_total", "job" => job.to_owned(), "reason" => *reason).increment(*n);
    }
}

/// Appends the refused bytes. The job's row is locked by now, so a stale generation cannot write to the same file.
async fn write_rejects(files: &Files, reach: Reach, staged: &Arc<Staged>) -> Result<Reach, SinkError> {
    if staged.rejects.is_empty() {
        return Ok(reach);
    }
    let (files, staged) = (files.clone(), Arc::clone(staged));
    let written = tokio::task::spawn_blocking(move || files.write(files.next(reach), &staged.rejects));
    written.await.map_err(|_| SinkError::Thread("the rejects files"))?
}

/// Sends the rows and merges them.
async fn stage(tx: &mut PgConnection, table: &Table) -> Result<(), SinkError> {
    let mut copy = tx.copy_in_raw(table.copy).await.map_err(doing("begin to copy"))?;
    for buffer in &table.buffers {
        copy.send(buffer.as_slice()).await.map_err(doing("copy rows"))?;
    }
    copy.finish().await.map_err(doing(table.copy))?;
    for merge in &table.merges {
        let done = sqlx::query(merge.sql).execute(&mut *tx).await.map_err(doing(merge.doing))?;
        if let Some(expected) = merge.expected.filter(|expected| *expected != done.rows_affected()) {
            // Not a reason to stop: the tables now say what the engine says. But somebody should look.
            tracing::error!(expected, found = done.rows_affected(), "the tables were not what the engine took them for: {}", merge.doing);
            metrics::counter!("dcmms_sink_surprises_total").increment(1);
        }
    }
    Ok(())
}

/// Records what the ticks were made of, so that a replay can tell whether it reads the same.
async fn write_inputs(tx: &mut PgConnection, job: &str, inputs: &[(Tick, u16, u64)]) -> Result<(), SinkError> {
    sqlx::query(include_str!("../queries/bindings_inputs.sql"))
        .bind(job)
        .bind(inputs.iter().map(|(tick, ..)| tick8(*tick)).collect::<Vec<i64>>())
        .bind(inputs.iter().map(|(_, source, _)| i32::from(*source)).collect::<Vec<i32>>())
        .bind(inputs.iter().map(|(.., hash)| *hash as i64).collect::<Vec<i64>>())
        .execute(tx)
        .await
        .map_err(doing("record what was read"))?;
    Ok(())
}

/// Moves the job's row on and tells who listens.
async fn finish(tx: &mut PgConnection, job: &str, advance: &Advance, file: Option<String>, bytes: u64) -> Result<(), SinkError> {
    sqlx::query(include_str!("../queries/job_advance.sql"))
        .bind(job)
        .bind(tick8(advance.upto))
        .bind(advance.clock.map(Moment::utc))
        .bind(advance.watermark.map(Moment::utc))
        .bind(tick8(advance.history))
        .bind(file)
        .bind(bytes as i64)
        .bind(advance.commands)
        .execute(tx)
        .await
        .map_err(doing("advance the job"))?;
    Ok(())
}
