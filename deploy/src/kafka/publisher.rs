//! The API's and the relay's way into Kafka.

use super::{
    Pace,
    once::{self, Sender},
};
use dcmms_api::publish::{Ends, Message, Once, Publish, PublishError};
use dcmms_schemas::wire::FORMAT_HEADER;
use futures::future::{BoxFuture, FutureExt};
use rdkafka::{
    ClientConfig,
    error::{KafkaError, RDKafkaErrorCode},
    message::{Header, OwnedHeaders},
    producer::{FutureProducer, FutureRecord, Producer as _},
};
use std::{collections::BTreeSet, time::Duration};

/// How long one wait for room in the producer's queue lasts.
const ROOM: Duration = Duration::from_millis(10);

/// Publishes and waits for the broker's acknowledgement.
pub struct Publisher {
    client: ClientConfig,
    producer: FutureProducer,
    once: Sender,
    paced: Option<(Pace, BTreeSet<String>)>,
}

impl std::fmt::Debug for Publisher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Publisher").field("in_flight", &self.producer.in_flight_count()).finish_non_exhaustive()
    }
}

impl Publisher {
    /// `name` is the same in every process of an installation: of those that send something once, the newest does.
    pub fn new(client: ClientConfig, name: &str) -> anyhow::Result<Publisher> {
        let mut settings = client.clone();
        for (key, value) in [
            // Retries neither double nor reorder.
            ("enable.idempotence", "true"),
            // As Java clients do it, so that a key stays in one partition whoever sends.
            ("partitioner", "murmur2_random"),
            ("linger.ms", "5"),
            ("compression.type", "lz4"),
            ("message.timeout.ms", "30000"),
        ] {
            if settings.get(key).is_none() {
                settings.set(key, value);
            }
        }
        let producer = settings.create().map_err(|error| anyhow::Error::new(error).context("make a Kafka producer; check [kafka]"))?;
        let once = Sender::new(client.clone(), settings, &format!("dcmms-resend-{name}"));
        Ok(Publisher { client, producer, once, paced: None })
    }

    /// Makes messages for these topics wait for the reader.
    pub fn paced(mut self, pace: Pace, topics: impl IntoIterator<Item = String>) -> Publisher {
        self.paced = Some((pace, topics.into_iter().collect()));
        self
    }

    async fn send(&self, topic: &str, messages: Vec<Message>) -> Result<(), KafkaError> {
        let mut deliveries = Vec::with_capacity(messages.len());
        for message in &messages {
            if let Some((pace, topics)) = &self.paced
                && topics.contains(topic)
            {
                pace.pass(message.key.len() + message.payload.len()).await;
            }
            let mut record = FutureRecord::to(topic).key(&message.key).payload(message.payload.as_ref());
            if let Some(format) = message.format {
                record = record.headers(OwnedHeaders::new().insert(Header { key: FORMAT_HEADER, value: Some(format) }));
            }
            // All are queued before the first is awaited, so a batch costs one round trip.
            deliveries.push(loop {
                match self.producer.send_result(record) {
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
            // The producer lives as long as we do, so no delivery is cancelled.
            delivery.await.map_err(|_| KafkaError::Canceled)?.map_err(|(error, _)| error)?;
        }
        Ok(())
    }
}

impl Publish for Publisher {
    fn publish(&self, topic: &str, messages: Vec<Message>) -> BoxFuture<'_, Result<(), PublishError>> {
        let topic = topic.to_owned();
        async move { self.send(&topic, messages).await.map_err(|error| PublishError { topic, reason: error.to_string() }) }.boxed()
    }

    fn ends(&self, partitions: BTreeSet<(String, i32)>) -> BoxFuture<'_, Result<Ends, PublishError>> {
        let client = self.client.clone();
        let asking = tokio::task::spawn_blocking(move || once::ends(&client, &partitions));
        async move { asking.await.map_err(|_| KafkaError::Canceled)? }
            .map(|ends: Result<Ends, KafkaError>| ends.map_err(|error| failed("the partitions of rejects", &error)))
            .boxed()
    }

    fn publish_once(&self, messages: Vec<Once>, tried: Option<Ends>) -> BoxFuture<'_, Result<(), PublishError>> {
        async move {
            let topic = messages.first().map(|once| once.topic.clone()).unwrap_or_default();
            self.once.send(messages, tried, self.paced.as_ref()).await.map_err(|error| failed(&topic, &error))
        }
        .boxed()
    }
}

fn failed(topic: &str, error: &KafkaError) -> PublishError {
    PublishError { topic: topic.to_owned(), reason: error.to_string() }
}
