//! Which topics these are, as the broker itself knows them.
#![allow(unsafe_code)]

use super::{SourceError, client_config};
use crate::options::Kafka;
use dcmms_schemas::binding::{Binding, Source, SourcePartition, Sources};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka_sys as sys;
use std::ffi::{CStr, CString};
use std::time::Duration;

const TIMEOUT: Duration = Duration::from_secs(10);
/// How the cluster id of librdkafka's in-process broker begins.
const IN_PROCESS: &str = "mockCluster";

/// Asks the broker for the job's partitions: telemetry topics in the order given, then the domain topic.
pub fn identify(kafka: &Kafka) -> Result<Sources, SourceError> {
    let consumer = client(kafka)?;
    let mut sources = Sources::new();
    let topics = kafka.telemetry.iter().map(|topic| (topic, false)).chain([(&kafka.domain, true)]);
    for (topic, domain) in topics {
        let failed = |source| SourceError::Metadata { brokers: kafka.brokers.clone(), topic: topic.clone(), source };
        let metadata = consumer.fetch_metadata(Some(topic), TIMEOUT).map_err(failed)?;
        let found =
            metadata.topics().iter().find(|found| found.name() == topic && found.error().is_none() && !found.partitions().is_empty());
        let Some(found) = found else {
            return Err(SourceError::NoTopic { brokers: kafka.brokers.clone(), topic: topic.clone() });
        };
        let cluster = cluster_id(&consumer);
        // librdkafka's in-process broker has no topic ids and does not answer when asked for one.
        let topic_id = if cluster.starts_with(IN_PROCESS) { Some(String::new()) } else { topic_id(&consumer, topic) };
        let topic_id = topic_id.ok_or_else(|| SourceError::NoIdentity { brokers: kafka.brokers.clone(), topic: topic.clone() })?;
        let source = Source { cluster, topic: topic.clone(), topic_id };
        let mut partitions: Vec<i32> = found.partitions().iter().map(|partition| partition.id()).collect();
        partitions.sort_unstable();
        sources.extend(partitions.into_iter().map(|partition| SourcePartition { source: source.clone(), partition, domain }));
    }
    Ok(sources)
}

/// The broker's oldest offset of each source, having checked that everything after `last` is still there.
pub fn low_offsets(kafka: &Kafka, sources: &Sources, first: Option<&Binding>, last: Option<&Binding>) -> Result<Vec<i64>, SourceError> {
    let consumer = client(kafka)?;
    let mut lows = Vec::with_capacity(sources.len());
    for (index, source) in sources.iter().enumerate() {
        let topic = &source.source.topic;
        let failed = |error| SourceError::Metadata { brokers: kafka.brokers.clone(), topic: topic.clone(), source: error };
        let (low, high) = consumer.fetch_watermarks(topic, source.partition, TIMEOUT).map_err(failed)?;
        let gap = |wanted| SourceError::Gap { topic: topic.clone(), partition: source.partition, wanted, low, high };
        match first.and_then(|binding| binding.upto.get(index)) {
            Some(&start) if start < low => return Err(gap(start)),
            _ => {}
        }
        match last.and_then(|binding| binding.upto.get(index)) {
            Some(&next) if next > high => return Err(gap(next)),
            _ => {}
        }
        lows.push(low);
    }
    Ok(lows)
}

fn client(kafka: &Kafka) -> Result<BaseConsumer, SourceError> {
    client_config(kafka, "identify").create().map_err(|source| SourceError::Client { brokers: kafka.brokers.clone(), source })
}

/// The cluster's id, or nothing where the broker has none.
fn cluster_id(consumer: &BaseConsumer) -> String {
    // SAFETY: the client lives; the string is ours and is given back to librdkafka's allocator.
    unsafe {
        let client = consumer.client().native_ptr();
        let id = sys::rd_kafka_clusterid(client, TIMEOUT.as_millis() as i32);
        if id.is_null() {
            return String::new();
        }
        let text = CStr::from_ptr(id).to_string_lossy().into_owned();
        sys::rd_kafka_mem_free(client, id.cast());
        text
    }
}

/// The topic's id: empty where the broker is older than topic ids, nothing where it did not answer.
fn topic_id(consumer: &BaseConsumer, topic: &str) -> Option<String> {
    let name = CString::new(topic).ok()?;
    // SAFETY: every pointer is checked, used while its owner lives, and destroyed once, in reverse order.
    unsafe {
        let client = consumer.client().native_ptr();
        let queue = sys::rd_kafka_queue_new(client);
        let mut names = [name.as_ptr()];
        let topics = sys::rd_kafka_TopicCollection_of_topic_names(names.as_mut_ptr(), 1);
        sys::rd_kafka_DescribeTopics(client, topics, std::ptr::null(), queue);
        let event = sys::rd_kafka_queue_poll(queue, TIMEOUT.as_millis() as i32);
        let mut id = None;
        if !event.is_null() {
            let result = sys::rd_kafka_event_DescribeTopics_result(event);
            if !result.is_null() {
                id = Some(first_topic_id(result));
            }
            sys::rd_kafka_event_destroy(event);
        }
        sys::rd_kafka_TopicCollection_destroy(topics);
        sys::rd_kafka_queue_destroy(queue);
        id
    }
}

/// # Safety
/// `result` belongs to an event that lives.
unsafe fn first_topic_id(result: *const sys::rd_kafka_DescribeTopics_result_t) -> String {
    let mut count = 0;
    // SAFETY: as the caller promises; descriptions live as long as the result.
    unsafe {
        let topics = sys::rd_kafka_DescribeTopics_result_topics(result, &mut count);
        if topics.is_null() || count == 0 {
            return String::new();
        }
        let id = sys::rd_kafka_TopicDescription_topic_id(*topics);
        let unset =
            id.is_null() || (sys::rd_kafka_Uuid_most_significant_bits(id) == 0 && sys::rd_kafka_Uuid_least_significant_bits(id) == 0);
        if unset { String::new() } else { CStr::from_ptr(sys::rd_kafka_Uuid_base64str(id)).to_string_lossy().into_owned() }
    }
}
