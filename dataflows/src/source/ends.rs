//! Where the broker says that partitions end.

use super::{SourceError, client_config};
use crate::options::Kafka;
use dcmms_schemas::binding::SourcePartition;
use rdkafka::consumer::{BaseConsumer, Consumer};
use std::time::Duration;

/// How long the broker may take to answer.
const TIMEOUT: Duration = Duration::from_secs(5);

/// A client that asks for ends, and reads nothing.
pub struct Ends {
    brokers: String,
    consumer: BaseConsumer,
}

impl std::fmt::Debug for Ends {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ends").field("brokers", &self.brokers).finish_non_exhaustive()
    }
}

impl Ends {
    pub fn new(kafka: &Kafka) -> Result<Ends, SourceError> {
        let consumer = client_config(kafka, "ends").create();
        let consumer = consumer.map_err(|source| SourceError::Client { brokers: kafka.brokers.clone(), source })?;
        Ok(Ends { brokers: kafka.brokers.clone(), consumer })
    }

    /// The offset after the last message that may be read, per partition: as far as a reader gets. Waits for the broker.
    pub fn of(&self, sources: &[SourcePartition]) -> Result<Vec<i64>, SourceError> {
        let end = |source: &SourcePartition| {
            let topic = &source.source.topic;
            let asked = self.consumer.fetch_watermarks(topic, source.partition, TIMEOUT);
            let failed = |error| SourceError::Metadata { brokers: self.brokers.clone(), topic: topic.clone(), source: error };
            asked.map(|(_, high)| high).map_err(failed)
        };
        sources.iter().map(end).collect()
    }

    /// How many partitions a topic has now.
    pub fn partitions(&self, topic: &str) -> Result<usize, SourceError> {
        let failed = |source| SourceError::Metadata { brokers: self.brokers.clone(), topic: topic.to_owned(), source };
        let metadata = self.consumer.fetch_metadata(Some(topic), TIMEOUT).map_err(failed)?;
        Ok(metadata.topics().iter().find(|found| found.name() == topic).map_or(0, |found| found.partitions().len()))
    }
}
