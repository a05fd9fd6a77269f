//! Kafka as this process needs it: topics are made, messages are published, and, where there is no server, a broker runs
//! inside of the process.

mod broker;
mod once;
mod pace;
mod publisher;

pub use broker::Broker;
pub use pace::Pace;
pub use publisher::Publisher;

use crate::config;
use anyhow::{Context, bail};
use dcmms_api::relay::Target;
use dcmms_schemas::{
    binding::{SourcePartition, Sources},
    wire::REJECTS_TOPIC,
};
use rdkafka::{
    admin::{AdminClient, AdminOptions, NewTopic, TopicReplication},
    client::DefaultClientContext,
    error::RDKafkaErrorCode,
};
use std::time::Duration;

const TIMEOUT: Duration = Duration::from_secs(10);

/// The engine's view of the same settings.
pub fn for_engine(kafka: &config::Kafka) -> dcmms_dataflows::Kafka {
    dcmms_dataflows::Kafka {
        brokers: kafka.brokers.clone(),
        properties: kafka.properties.clone(),
        telemetry: kafka.telemetry_topics.clone(),
        domain: kafka.domain_topic.clone(),
    }
}

/// Makes the topics that are missing; those that exist are left as they are.
pub async fn ensure_topics(kafka: &config::Kafka) -> anyhow::Result<()> {
    let admin: AdminClient<DefaultClientContext> = kafka.client().create().context("make a Kafka client; check [kafka]")?;
    let existing = {
        let metadata = admin.inner().fetch_metadata(None, TIMEOUT).with_context(|| format!("ask the brokers at {}", kafka.brokers))?;
        metadata.topics().iter().map(|topic| topic.name().to_owned()).collect::<Vec<_>>()
    };
    let wanted = kafka.telemetry_topics.iter().map(|name| (name, kafka.partitions)).chain([(&kafka.domain_topic, 1)]);
    let missing: Vec<_> = wanted.filter(|(name, _)| !existing.contains(name)).collect();
    let replication = || TopicReplication::Fixed(kafka.replication);
    let mut topics: Vec<_> =
        missing.iter().map(|(name, partitions)| keeping_all(NewTopic::new(name, *partitions, replication()))).collect();
    if !existing.iter().any(|name| name == REJECTS_TOPIC) {
        // Nothing is read from it again, so the broker's own retention does.
        topics.push(NewTopic::new(REJECTS_TOPIC, 1, replication()));
    }
    if topics.is_empty() {
        return Ok(());
    }
    let options = AdminOptions::new().operation_timeout(Some(TIMEOUT));
    for made in admin.create_topics(&topics, &options).await.context("create topics")? {
        match made {
            Ok(topic) => tracing::info!(topic, "created a topic"),
            // Another process was first.
            Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
            Err((topic, code)) => bail!("create topic {topic}: {code}; create it yourself, or lower kafka.replication"),
        }
    }
    Ok(())
}

/// A restart reads from the first binding on, so nothing may be thrown away.
fn keeping_all(topic: NewTopic<'_>) -> NewTopic<'_> {
    topic.set("retention.ms", "-1").set("retention.bytes", "-1").set("cleanup.policy", "delete")
}

/// Which topic the relay speaks to, as the broker knows it.
pub fn relay_target(sources: &Sources) -> Option<Target> {
    let SourcePartition { source, .. } = sources.iter().find(|source| source.domain)?;
    Some(Target { cluster_id: source.cluster.clone(), topic_id: source.topic_id.clone() })
}

#[cfg(test)]
mod tests;
