//! The task that stores checkpoints, says when they are complete, and removes those that nobody needs any more.

use super::{File, Keeping, Row, Store, file};
use crate::{
    connection::{Connection, Patience, limited},
    error::{SinkError, doing},
    sink::Progress,
};
use dcmms_schemas::{
    checkpoint::{Cut, KeptPart},
    time::Tick,
};
use sqlx::{Connection as _, types::Json};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};
use tokio::sync::mpsc::UnboundedReceiver;

/// How often the job looks whether somebody asks for a checkpoint.
const LOOK: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(crate) struct Task {
    pub(crate) job: String,
    pub(crate) generation: u64,
    pub(crate) workers: usize,
    pub(crate) store: Store,
    pub(crate) keeping: Keeping,
    pub(crate) connection: Connection,
    pub(crate) progress: Arc<Progress>,
    /// What is stored, oldest first.
    pub(crate) links: Vec<Link>,
    /// Shares of a checkpoint that not all workers have handed in; one is under way at a time, two at a stop.
    pub(crate) open: BTreeMap<Tick, Vec<KeptPart>>,
}

/// A stored checkpoint, as far as the task needs it.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    pub(crate) tick: Tick,
    pub(crate) chain: Vec<Tick>,
    paths: Vec<String>,
    complete: bool,
}

impl From<&Row> for Link {
    fn from(row: &Row) -> Link {
        Link {
            tick: row.tick as Tick,
            chain: row.chain.iter().map(|tick| *tick as Tick).collect(),
            paths: row.files.iter().map(|file| file.path.clone()).collect(),
            complete: row.is_complete(),
        }
    }
}

impl Task {
    /// Runs until the sink has finished; then what can be complete is.
    pub(crate) async fn run(mut self, mut parts: UnboundedReceiver<KeptPart>) -> Result<(), SinkError> {
        let mut look = tokio::time::interval(LOOK);
        let mut handed_in = true;
        while !self.progress.finished.load(Ordering::Acquire) {
            tokio::select! {
                part = parts.recv(), if handed_in => match part {
                    Some(part) => self.take(part).await?,
                    None => handed_in = false,
                },
                () = self.progress.moved.notified() => self.complete().await?,
                _ = look.tick() => self.look().await,
            }
        }
        while let Ok(part) = parts.try_recv() {
            self.take(part).await?;
        }
        self.complete().await
    }

    async fn take(&mut self, part: KeptPart) -> Result<(), SinkError> {
        let cut = part.cut;
        let shares = self.open.entry(cut.tick).or_default();
        shares.push(part);
        if shares.len() < self.workers {
            return Ok(());
        }
        let shares = self.open.remove(&cut.tick).unwrap_or_default();
        self.store(cut, shares).await?;
        self.complete().await
    }

    /// Stores the files, then says that they are there. A store that is full or away is waited for: the job goes on meanwhile,
    /// without newer checkpoints.
    async fn store(&mut self, cut: Cut, shares: Vec<KeptPart>) -> Result<(), SinkError> {
        let started = Instant::now();
        let mut files = Vec::with_capacity(shares.len());
        for KeptPart { worker, blocks, .. } in shares {
            let path = format!("{}/{}-{}-{worker}.checkpoint", self.job, cut.tick, self.generation);
            // Packing and hashing compute, so they do it beside the async threads.
            let packed = tokio::task::spawn_blocking(move || file::pack(path, &blocks)).await;
            let (stored, packed) = packed.map_err(|_| SinkError::Thread("the checkpoints"))?;
            let packed = bytes::Bytes::from(packed);
            let mut patience = Patience::new(format!("checkpoints of job `{}`", self.job));
            while let Err(error) = self.store.put(&stored.path, packed.clone()).await {
                patience.wait_after(error).await?;
            }
            patience.over();
            files.push(stored);
        }
        let length = cut.chain_length();
        let mut chain: Vec<Tick> = self.links.iter().rev().take(length - 1).map(|link| link.tick).collect();
        assert_eq!(chain.len(), length - 1, "a checkpoint follows those that it goes on from");
        chain.reverse();
        chain.push(cut.tick);
        let bytes: u64 = files.iter().map(|file| file.bytes).sum();
        self.insert(cut, &chain, &files, bytes).await?;
        self.links.push(Link { tick: cut.tick, chain, paths: files.into_iter().map(|file| file.path).collect(), complete: false });
        self.progress.wanted_history.store(cut.tick, Ordering::Release);
        metrics::histogram!("dcmms_checkpoint_store_seconds").record(started.elapsed().as_secs_f64());
        metrics::gauge!("dcmms_checkpoint_bytes").set(bytes as f64);
        Ok(())
    }

    async fn insert(&mut self, cut: Cut, chain: &[Tick], files: &[File], bytes: u64) -> Result<(), SinkError> {
        let chain: Vec<i64> = chain.iter().map(|tick| *tick as i64).collect();
        let mut patience = Patience::new(format!("checkpoints of job `{}` (PostgreSQL at {})", self.job, self.connection.server()));
        let inserted = loop {
            let attempt = async {
                let insert = sqlx::query(include_str!("../../queries/checkpoints_insert.sql"))
                    .bind(&self.job)
                    .bind(self.generation as i64)
                    .bind(cut.tick as i64)
                    .bind(cut.turn as i64)
                    .bind(&chain)
                    .bind(Json(files))
                    .bind(bytes as i64);
                insert.execute(self.connection.get().await?).await.map_err(doing("note a checkpoint"))
            };
            match limited(attempt).await {
                Ok(done) => break done.rows_affected(),
                Err(error) => {
                    self.connection.break_off();
                    patience.wait_after(error).await?;
                }
            }
        };
        patience.over();
        if inserted == 0 { self.check_fence().await } else { Ok(()) }
    }

    async fn check_fence(&mut self) -> Result<(), SinkError> {
        let theirs: i64 = sqlx::query_scalar("select generation from derived.jobs where job = $1")
            .bind(&self.job)
            .fetch_one(self.connection.get().await?)
            .await
            .map_err(doing("ask for the generation"))?;
        if theirs as u64 == self.generation {
            return Ok(());
        }
        Err(SinkError::Fenced { job: self.job.clone(), ours: self.generation, theirs: theirs as u64 })
    }

    /// Marks what has become complete, and prunes.
    async fn complete(&mut self) -> Result<(), SinkError> {
        let durable = self.progress.durable.load(Ordering::Acquire).min(self.progress.history.load(Ordering::Acquire));
        let Some(at) = self.links.iter().rposition(|link| !link.complete && link.tick <= durable) else { return Ok(()) };
        // Those before it are complete as well, because they are older.
        self.links[..=at].iter_mut().for_each(|link| link.complete = true);
        let tick = self.links[at].tick;
        let needed = needed(&self.links, self.keeping.keep);
        let (kept, gone): (Vec<Link>, Vec<Link>) =
            std::mem::take(&mut self.links).into_iter().partition(|link| needed.ticks.contains(&link.tick));
        self.links = kept;
        let mut patience = Patience::new(format!("checkpoints of job `{}` (PostgreSQL at {})", self.job, self.connection.server()));
        while let Err(error) = limited(self.mark(tick, &gone, needed.oldest)).await {
            self.connection.break_off();
            patience.wait_after(error).await?;
        }
        patience.over();
        self.progress.checkpointed.store(tick, Ordering::Release);
        metrics::gauge!("dcmms_checkpoint_tick").set(tick as f64);
        for path in gone.iter().flat_map(|link| &link.paths) {
            // A file that stays is an orphan, which the next start sweeps.
            if let Err(error) = self.store.delete(path).await {
                tracing::warn!(path, error = crate::error::chain(&error), "a checkpoint that nobody needs could not be removed");
            }
        }
        Ok(())
    }

    async fn mark(&mut self, tick: Tick, gone: &[Link], oldest: Option<Tick>) -> Result<(), SinkError> {
        let mut tx = self.connection.get().await?.begin().await.map_err(doing("begin to note that a checkpoint is complete"))?;
        let marked = sqlx::query(include_str!("../../queries/checkpoints_complete.sql"))
            .bind(&self.job)
            .bind(self.generation as i64)
            .bind(tick as i64)
            .execute(&mut *tx)
            .await
            .map_err(doing("note that a checkpoint is complete"))?;
        if marked.rows_affected() == 0 {
            // Fenced off, or an earlier try whose answer was lost has done all this.
            tx.rollback().await.map_err(doing("leave the checkpoints as they are"))?;
            return self.check_fence().await;
        }
        if !gone.is_empty() {
            sqlx::query(include_str!("../../queries/checkpoints_delete.sql"))
                .bind(&self.job)
                .bind(gone.iter().map(|link| link.tick as i64).collect::<Vec<_>>())
                .execute(&mut *tx)
                .await
                .map_err(doing("drop checkpoints that nobody needs"))?;
        }
        if let Some(oldest) = oldest {
            sqlx::query(include_str!("../../queries/bindings_prune.sql"))
                .bind(&self.job)
                .bind(oldest as i64)
                .execute(&mut *tx)
                .await
                .map_err(doing("drop bindings before the oldest checkpoint"))?;
        }
        tx.commit().await.map_err(doing("commit that a checkpoint is complete"))
    }

    /// Sees whether somebody asks for a checkpoint. A server that is away is asked again.
    async fn look(&mut self) {
        let attempt = async {
            let asked = sqlx::query(include_str!("../../queries/checkpoint_asked.sql")).bind(&self.job).bind(self.generation as i64);
            asked.execute(self.connection.get().await?).await.map_err(doing("see whether somebody asks for a checkpoint"))
        };
        match limited(attempt).await {
            Ok(done) if done.rows_affected() > 0 => self.progress.asked.store(true, Ordering::Release),
            Ok(_) => {}
            Err(_) => self.connection.break_off(),
        }
    }
}

/// What must stay.
#[derive(Debug, PartialEq)]
struct Needed {
    ticks: BTreeSet<Tick>,
    /// Bindings before it are not needed, because a start can go on from here at the latest; `None` while all are, so that the very
    /// beginning is the last resort.
    oldest: Option<Tick>,
}

/// The newest `keep` complete checkpoints, the newest that shares no file with the newest of all, and all that these are read from.
/// What is not complete yet stays too.
fn needed(links: &[Link], keep: usize) -> Needed {
    let complete: Vec<&Link> = links.iter().rev().filter(|link| link.complete).collect();
    let newest = complete.first().map_or(&[][..], |link| &link.chain);
    let apart = complete.iter().find(|link| link.chain.iter().all(|tick| !newest.contains(tick)));
    let mut ticks: BTreeSet<Tick> = links.iter().filter(|link| !link.complete).flat_map(|link| link.chain.clone()).collect();
    match apart {
        Some(apart) => ticks.extend(complete.iter().take(keep.max(1)).chain([apart]).flat_map(|link| link.chain.clone())),
        None => ticks.extend(links.iter().map(|link| link.tick)),
    }
    Needed { ticks, oldest: apart.map(|apart| apart.tick) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn links(turns: std::ops::RangeInclusive<u64>) -> Vec<Link> {
        let link = |turn: u64| {
            let first = turn + 1 - Cut { tick: turn, turn, at_once: false }.chain_length() as u64;
            Link { tick: 10 * turn, chain: (first..=turn).map(|turn| 10 * turn).collect(), paths: vec![], complete: true }
        };
        turns.map(link).collect()
    }

    #[test]
    fn nothing_goes_before_there_are_two_that_share_no_file() {
        let needed = needed(&links(0..=15), 2);
        assert_eq!((needed.ticks.len(), needed.oldest), (16, None));
    }

    #[test]
    fn one_that_shares_no_file_with_the_newest_stays() {
        let needed = needed(&links(0..=40), 3);
        // The newest three are read from 23..=40, the one apart, 24, from 9..=24.
        assert_eq!(needed.ticks, (9..=40).map(|turn| 10 * turn).collect());
        assert_eq!(needed.oldest, Some(240));
    }
}
