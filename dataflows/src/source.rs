//! The inbound edge: Kafka partitions to chunks of raw messages, dealt out by worker.

mod batch;
mod ends;
mod hash;
mod identify;
mod intake;
mod reader;

pub use ends::Ends;
pub(crate) use hash::hash;
pub use identify::{identify, low_offsets};
pub use intake::Intake;
pub(crate) use reader::Reader;

use crate::options::Kafka;
use rdkafka::ClientConfig;

/// What can go wrong between the broker and us. The text says what we were doing; the source says why.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    #[error("create a Kafka client for {brokers}; check [kafka] brokers and properties")]
    Client { brokers: String, source: rdkafka::error::KafkaError },
    #[error("ask the Kafka brokers at {brokers} about topic {topic}")]
    Metadata { brokers: String, topic: String, source: rdkafka::error::KafkaError },
    #[error("topic {topic} does not exist at {brokers}; create it, or let `dcmms migrate` do so")]
    NoTopic { brokers: String, topic: String },
    #[error("ask the Kafka brokers at {brokers} for the id of topic {topic}: no answer")]
    NoIdentity { brokers: String, topic: String },
    #[error("assign partitions to the consumer of worker {worker}")]
    Assign { worker: usize, source: rdkafka::error::KafkaError },
    #[error(
        "{topic}/{partition}: the next offset to read is {wanted}, but the broker has {low}..{high}; \
         readings would be skipped, so nothing was started. Restore the topic, or start a new job on it"
    )]
    Gap { topic: String, partition: i32, wanted: i64, low: i64, high: i64 },
}

/// The settings every consumer of ours has; what the operator passes through comes last and may override the
/// tuning, but not the few keys that exactly-once stands on.
fn client_config(kafka: &Kafka, job: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config
        .set("queued.min.messages", "200000")
        .set("queued.max.messages.kbytes", "65536")
        .set("fetch.queue.backoff.ms", "10")
        .set("fetch.wait.max.ms", "100")
        .set("fetch.error.backoff.ms", "100")
        .set("reconnect.backoff.max.ms", "2000")
        .set("group.id", format!("dcmms-{job}"));
    for (key, value) in &kafka.properties {
        config.set(key, value);
    }
    config
        .set("bootstrap.servers", &kafka.brokers)
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        .set("enable.partition.eof", "true")
        // An offset out of range is a loud stop, never a silent jump.
        .set("auto.offset.reset", "error");
    config
}
