//! Messages that are sent once, however often their sender falls: Kafka's transactions, and looking for what is there.

use super::Pace;
use dcmms_api::publish::{Ends, Once};
use dcmms_schemas::wire::{FORMAT_HEADER, RESENT_HEADER};
use rdkafka::{
    ClientConfig, Offset, TopicPartitionList,
    client::ClientContext,
    consumer::{BaseConsumer, Consumer, ConsumerContext},
    error::{KafkaError, RDKafkaErrorCode},
    message::{Header, Headers, OwnedHeaders},
    producer::{FutureProducer, FutureRecord, Producer},
};
use std::{
    collections::{BTreeSet, HashSet},
    time::{Duration, Instant},
};

const TIMEOUT: Duration = Duration::from_secs(30);
const ROOM: Duration = Duration::from_millis(10);

/// One sender of all that are alive: making a new one fences the older ones off, and ends what they had begun.
pub(super) struct Sender {
    /// What every client has.
    client: ClientConfig,
    settings: ClientConfig,
    producer: tokio::sync::Mutex<Option<FutureProducer>>,
}

impl Sender {
    /// `name` is the same in every process that may take over.
    pub(super) fn new(client: ClientConfig, mut settings: ClientConfig, name: &str) -> Sender {
        settings.set("transactional.id", name).set("transaction.timeout.ms", "60000");
        Sender { client, settings, producer: tokio::sync::Mutex::new(None) }
    }

    /// Sends those that are not there yet. After an error nobody knows what is there: the next try finds out.
    pub(super) async fn send(
        &self,
        mut messages: Vec<Once>,
        tried: Option<Ends>,
        pace: Option<&(Pace, BTreeSet<String>)>,
    ) -> Result<(), KafkaError> {
        let mut place = self.producer.lock().await;
        let producer = match place.take() {
            Some(producer) => producer,
            None => self.fresh().await?,
        };
        if let Some(ends) = tried {
            let settings = self.client.clone();
            let there = tokio::task::spawn_blocking(move || there(&settings, &ends)).await.map_err(|_| KafkaError::Canceled)??;
            messages.retain(|once| !there.contains(&once.id));
        }
        transaction(&producer, &messages, pace).await?;
        // Kept only while all is well: a fault makes a new one, which fences this one off.
        *place = Some(producer);
        Ok(())
    }

    async fn fresh(&self) -> Result<FutureProducer, KafkaError> {
        let producer: FutureProducer = self.settings.create()?;
        let starting = producer.clone();
        tokio::task::spawn_blocking(move || starting.init_transactions(TIMEOUT)).await.map_err(|_| KafkaError::Canceled)??;
        Ok(producer)
    }
}

async fn transaction(producer: &FutureProducer, messages: &[Once], pace: Option<&(Pace, BTreeSet<String>)>) -> Result<(), KafkaError> {
    if messages.is_empty() {
        return Ok(());
    }
    producer.begin_transaction()?;
    let sent = send_all(producer, messages, pace).await;
    let ending = producer.clone();
    let failed = sent.is_err();
    let end = move || if failed { ending.abort_transaction(TIMEOUT) } else { ending.commit_transaction(TIMEOUT) };
    let ended = tokio::task::spawn_blocking(end).await.map_err(|_| KafkaError::Canceled)?;
    sent.and(ended)
}

async fn send_all(producer: &FutureProducer, messages: &[Once], pace: Option<&(Pace, BTreeSet<String>)>) -> Result<(), KafkaError> {
    let mut deliveries = Vec::with_capacity(messages.len());
    for once in messages {
        if let Some((pace, topics)) = pace
            && topics.contains(&once.topic)
        {
            pace.pass(once.key.as_ref().map_or(0, String::len) + once.payload.len()).await;
        }
        let mut headers = OwnedHeaders::new().insert(Header { key: RESENT_HEADER, value: Some(&once.id) });
        if let Some(format) = once.format.header() {
            headers = headers.insert(Header { key: FORMAT_HEADER, value: Some(format) });
        }
        let mut record =
            FutureRecord::<str, [u8]>::to(&once.topic).partition(once.partition).payload(once.payload.as_ref()).headers(headers);
        if let Some(key) = &once.key {
            record = record.key(key);
        }
        deliveries.push(loop {
            match producer.send_result(record) {
                Ok(delivery) => break delivery,
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), refused)) => {
                    record = refused;
                    tokio::time::sleep(ROOM).await;
                }
                Err((error, _)) => return Err(error),
            }
        });
    }
    for delivery in deliveries {
        delivery.await.map_err(|_| KafkaError::Canceled)?.map_err(|(error, _)| error)?;
    }
    Ok(())
}

/// Where these partitions end, transactions that are under way included.
pub(super) fn ends(settings: &ClientConfig, partitions: &BTreeSet<(String, i32)>) -> Result<Ends, KafkaError> {
    let consumer = reader(settings, "read_uncommitted")?;
    let end = |(topic, partition): &(String, i32)| {
        let (_, high) = consumer.fetch_watermarks(topic, *partition, TIMEOUT)?;
        Ok(((topic.clone(), *partition), high))
    };
    partitions.iter().map(end).collect()
}

/// Says what librdkafka reports, but for ends of partitions, which are asked for.
struct Reading;

impl ClientContext for Reading {
    fn error(&self, error: KafkaError, reason: &str) {
        if error.rdkafka_error_code() != Some(RDKafkaErrorCode::PartitionEOF) {
            tracing::warn!(%error, reason, "looking for what was sent before");
        }
    }
}

impl ConsumerContext for Reading {}

fn reader(settings: &ClientConfig, isolation: &str) -> Result<BaseConsumer<Reading>, KafkaError> {
    let mut settings = settings.clone();
    settings.set("group.id", "dcmms-resend").set("enable.auto.commit", "false").set("enable.partition.eof", "true");
    settings.set("isolation.level", isolation).set("auto.offset.reset", "error").create_with_context(Reading)
}

/// The ids of the messages after `ends` that are there for good. Our own transactions are over by now: the producer that asks
/// has fenced its forerunners off. Somebody else's that is still open hides what comes after it, so its end is waited for.
fn there(settings: &ClientConfig, ends: &Ends) -> Result<HashSet<String>, KafkaError> {
    let partitions = ends.keys().cloned().collect();
    let highs = self::ends(settings, &partitions)?;
    let committed = reader(settings, "read_committed")?;
    let deadline = Instant::now() + TIMEOUT;
    let mut there = HashSet::new();
    for ((topic, partition), from) in ends {
        let high = highs.get(&(topic.clone(), *partition)).copied().unwrap_or(*from);
        while committed.fetch_watermarks(topic, *partition, TIMEOUT)?.1 < high {
            if Instant::now() > deadline {
                return Err(KafkaError::MessageConsumption(RDKafkaErrorCode::ConcurrentTransactions));
            }
            std::thread::park_timeout(ROOM);
        }
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(topic, *partition, Offset::Offset(*from))?;
        committed.assign(&list)?;
        loop {
            match committed.poll(TIMEOUT) {
                None => return Err(KafkaError::MessageConsumption(RDKafkaErrorCode::OperationTimedOut)),
                Some(Err(KafkaError::PartitionEOF(_))) => break,
                Some(Err(error)) => return Err(error),
                Some(Ok(message)) => there.extend(id(&message)),
            }
        }
    }
    Ok(there)
}

fn id(message: &impl rdkafka::Message<Headers = rdkafka::message::BorrowedHeaders>) -> Option<String> {
    let header = message.headers()?.iter().find(|header| header.key == RESENT_HEADER)?;
    String::from_utf8(header.value?.to_vec()).ok()
}
