//! The thread that buffers, sorts and seals.

use super::{
    Limits, Seal,
    file::{self, Naming},
    values,
};
use crate::error::{SinkError, chain};
use dcmms_schemas::{
    outcome::HistoryRow,
    time::{DAY, Moment, Tick},
};
use std::{path::PathBuf, thread, time::Duration};
use tokio::sync::mpsc::{Receiver, Sender, UnboundedReceiver, UnboundedSender, channel, unbounded_channel};

/// Ticks that wait for the thread. When it is full the sink waits, so `durable` lags and minting stops.
const QUEUE_TICKS: usize = 16;
/// The pause between two tries on a full disk.
const FULL_PAUSE: Duration = Duration::from_secs(5);

/// A reading and the tick it came with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Stored {
    pub(crate) row: HistoryRow,
    pub(crate) tick: Tick,
}

#[derive(Debug)]
enum Message {
    Tick { tick: Tick, clock: Moment, rows: Vec<HistoryRow> },
    Seal,
}

/// The sink's end.
#[derive(Debug)]
pub(crate) struct History {
    to: Sender<Message>,
    sealed: UnboundedReceiver<Result<Seal, SinkError>>,
}

/// What the thread needs to know.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) root: PathBuf,
    pub(crate) job: String,
    pub(crate) shard: i32,
    pub(crate) generation: u64,
    pub(crate) limits: Limits,
}

/// Starts the thread. It ends when the sink drops its end; what was not sealed then is told again at the next start.
pub(crate) fn start(place: Place) -> History {
    let (to, messages) = channel(QUEUE_TICKS);
    let (seals, sealed) = unbounded_channel();
    let buffer = Buffer { place, rows: Vec::new(), from: None, upto: 0, opened: Moment::MIN, clock: Moment::MIN };
    thread::Builder::new()
        .name("history".to_owned())
        .spawn(move || run(buffer, messages, &seals))
        .expect("the system has room for a thread");
    History { to, sealed }
}

impl History {
    /// Hands over the readings of one tick; waits while the thread is behind.
    pub(crate) async fn take(&mut self, tick: Tick, clock: Moment, rows: Vec<HistoryRow>) -> Result<(), SinkError> {
        if self.to.send(Message::Tick { tick, clock, rows }).await.is_ok() {
            return Ok(());
        }
        // It has ended, and the last thing it said is why.
        while let Some(seal) = self.sealed.recv().await {
            seal?;
        }
        Err(SinkError::Thread("the history"))
    }

    /// Seals what was taken so far, though it is neither old nor large: a checkpoint waits for it.
    pub(crate) async fn seal(&mut self) {
        // A thread that has failed has said why, which the next call finds.
        let _ = self.to.send(Message::Seal).await;
    }

    /// What has been sealed since the last call.
    pub(crate) fn sealed(&mut self) -> Result<Vec<Seal>, SinkError> {
        let mut seals = Vec::new();
        while let Ok(seal) = self.sealed.try_recv() {
            seals.push(seal?);
        }
        Ok(seals)
    }

    /// Seals the tail and ends the thread.
    pub(crate) async fn finish(mut self) -> Result<Vec<Seal>, SinkError> {
        // A thread that has failed has said why, which the loop below finds.
        let _ = self.to.send(Message::Seal).await;
        drop(self.to);
        let mut seals = Vec::new();
        while let Some(seal) = self.sealed.recv().await {
            seals.push(seal?);
        }
        Ok(seals)
    }
}

fn run(mut buffer: Buffer, mut messages: Receiver<Message>, seals: &UnboundedSender<Result<Seal, SinkError>>) {
    while let Some(message) = messages.blocking_recv() {
        let due = match message {
            Message::Tick { tick, clock, rows } => buffer.take(tick, clock, rows),
            Message::Seal => true,
        };
        if !due {
            continue;
        }
        let Some(seal) = buffer.seal().transpose() else { continue };
        let failed = seal.is_err();
        if seals.send(seal).is_err() || failed {
            return;
        }
    }
}

/// Readings that are in no file yet: as much as `limits.bytes` and one tick more.
#[derive(Debug)]
struct Buffer {
    place: Place,
    rows: Vec<Stored>,
    from: Option<Tick>,
    upto: Tick,
    opened: Moment,
    clock: Moment,
}

impl Buffer {
    /// Takes the readings of a tick; true when it is time to seal.
    fn take(&mut self, tick: Tick, clock: Moment, rows: Vec<HistoryRow>) -> bool {
        if self.from.is_none() {
            (self.from, self.opened) = (Some(tick), clock);
        }
        (self.upto, self.clock) = (tick, clock);
        self.rows.extend(rows.into_iter().map(|row| Stored { row, tick }));
        let bytes = self.rows.len() * size_of::<Stored>();
        bytes >= self.place.limits.bytes || clock.0.saturating_sub(self.opened.0) >= self.place.limits.age_micros
    }

    /// Writes one file per UTC day. Two readings that differ in nothing but the order of arrival stay in that order.
    fn seal(&mut self) -> Result<Option<Seal>, SinkError> {
        let Some(from) = self.from.take() else { return Ok(None) };
        let started = std::time::Instant::now();
        let mut rows = std::mem::take(&mut self.rows);
        rows.sort_by_key(|stored| (stored.row.at.0.div_euclid(DAY), stored.row.point, stored.row.at, stored.tick));
        let Place { root, job, shard, generation, .. } = &self.place;
        let values = values::encoding(&rows).map_err(|source| SinkError::Parquet { path: root.clone(), source })?;
        let naming = Naming { root, job, shard: *shard, generation: *generation, from, upto: self.upto, values };
        let mut files = Vec::new();
        for day in rows.chunk_by(|a, b| a.row.at.0.div_euclid(DAY) == b.row.at.0.div_euclid(DAY)) {
            files.push(patiently(|| file::write(&naming, day[0].row.at.utc().date_naive(), day))?);
        }
        rows.clear();
        // Its room is used again, unless a flood made it larger than it should be.
        if rows.capacity() * size_of::<Stored>() <= 2 * self.place.limits.bytes {
            self.rows = rows;
        }
        metrics::histogram!("dcmms_history_seal_seconds").record(started.elapsed().as_secs_f64());
        metrics::counter!("dcmms_history_rows_total").increment(files.iter().map(|file| file.rows as u64).sum());
        metrics::counter!("dcmms_history_bytes_total").increment(files.iter().map(|file| file.bytes).sum());
        Ok(Some(Seal { upto: self.upto, files }))
    }
}

/// Tries again for ever while the disk is full; the sink waits meanwhile, and so does the intake.
fn patiently<T>(mut attempt: impl FnMut() -> Result<T, SinkError>) -> Result<T, SinkError> {
    let mut tries = 0u32;
    loop {
        match attempt() {
            Err(error) if error.is_transient() => {
                if tries.is_multiple_of(12) {
                    tracing::warn!(error = chain(&error), "the history cannot be written now; nothing is lost: intake is held back");
                }
                tries += 1;
                thread::park_timeout(FULL_PAUSE);
            }
            result => return result,
        }
    }
}
