//! One thread per worker that fetches its partitions and queues chunks.

use super::{
    SourceError, batch,
    batch::{BatchQueue, Event},
    client_config,
    intake::Intake,
};
use crate::options::Kafka;
use crossbeam_channel::{SendTimeoutError, Sender};
use dcmms_operators::chunk::Chunk;
use dcmms_schemas::binding::SourcePartition;
use rdkafka::{
    Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer},
};
use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

/// Messages asked of librdkafka at once.
const BATCH_MESSAGES: usize = 4_096;
/// How long a batch is waited for, and so how soon a stop is noticed.
const WAIT: Duration = Duration::from_millis(50);
/// The same trouble is said again after this long.
const SAY_AGAIN: Duration = Duration::from_secs(30);

/// What a reader thread is given: its partitions as (index among the sources, partition, first offset).
pub(crate) struct Reader {
    pub(crate) worker: usize,
    pub(crate) partitions: Vec<(u16, SourcePartition, i64)>,
    pub(crate) queue: Sender<Chunk>,
    pub(crate) intake: Arc<Intake>,
}

impl Reader {
    /// Connects and starts the thread; it ends when the intake is stopped or the worker hangs up.
    pub(crate) fn start(self, kafka: &Kafka, job: &str) -> Result<std::thread::JoinHandle<()>, SourceError> {
        let consumer: BaseConsumer =
            client_config(kafka, job).create().map_err(|source| SourceError::Client { brokers: kafka.brokers.clone(), source })?;
        let mut list = TopicPartitionList::new();
        for (_, partition, start) in &self.partitions {
            list.add_partition_offset(&partition.source.topic, partition.partition, Offset::Offset(*start))
                .map_err(|source| SourceError::Assign { worker: self.worker, source })?;
        }
        consumer.assign(&list).map_err(|source| SourceError::Assign { worker: self.worker, source })?;
        let name = format!("kafka-{}", self.worker);
        let thread = std::thread::Builder::new().name(name).spawn(move || self.run(&consumer)).expect("the system starts a thread");
        Ok(thread)
    }

    fn run(self, consumer: &BaseConsumer) {
        let mut queue = BatchQueue::new(consumer, BATCH_MESSAGES).expect("a consumer with a group has a queue");
        let by_name: HashMap<(String, i32), u16> =
            self.partitions.iter().map(|(source, partition, _)| ((partition.source.topic.clone(), partition.partition), *source)).collect();
        // Topic handles are stable, so the name is looked up once per handle and partition.
        let mut by_handle: HashMap<(usize, i32), Option<u16>> = HashMap::new();
        let mut chunks: HashMap<u16, Chunk> = HashMap::new();
        let mut trouble = Trouble::default();
        while !self.intake.stopped() {
            let mut ends = Vec::new();
            let mut resolve = |topic: *const _, partition| {
                let found = by_handle.entry((topic as usize, partition));
                *found.or_insert_with(|| by_name.get(&(batch::topic_name(topic), partition)).copied())
            };
            queue.drain(WAIT, |event| match event {
                Event::Message(message) => {
                    if let Some(source) = resolve(message.topic, message.partition) {
                        let chunk = chunks.entry(source).or_insert_with(|| Chunk::new(source));
                        chunk.push(message.offset, message.format, message.payload);
                    }
                }
                Event::End { topic, partition, offset } => ends.extend(resolve(topic, partition).map(|source| (source, offset))),
                Event::Error { code, text } => trouble.say(self.worker, code as i32, &text),
            });
            for (source, chunk) in chunks.drain() {
                let Some(next) = chunk.offsets.last().map(|last| last + 1) else { continue };
                if !self.hand_over(chunk) {
                    return;
                }
                self.intake.advance(usize::from(source), next);
            }
            for (source, offset) in ends {
                self.intake.ended(usize::from(source), offset);
            }
        }
    }

    /// Waits for room in the worker's queue, so that Kafka keeps what we cannot hold.
    fn hand_over(&self, mut chunk: Chunk) -> bool {
        loop {
            match self.queue.send_timeout(chunk, WAIT) {
                Ok(()) => return true,
                Err(SendTimeoutError::Timeout(back)) if !self.intake.stopped() => chunk = back,
                Err(_) => return false,
            }
        }
    }
}

/// Says the same trouble once, and again when it lasts.
#[derive(Default)]
struct Trouble {
    last: Option<(i32, Instant)>,
}

impl Trouble {
    fn say(&mut self, worker: usize, code: i32, text: &str) {
        let fresh = self.last.is_none_or(|(last, at)| last != code || at.elapsed() > SAY_AGAIN);
        if fresh {
            tracing::warn!(worker, code, text, "kafka is in trouble; nothing is lost, reading goes on when it is back");
            self.last = Some((code, Instant::now()));
        }
    }
}
