//! Where messages go. Implemented over Kafka by deploy, and by a vector in tests.

use bytes::Bytes;
use dcmms_schemas::wire::Format;
use futures::future::BoxFuture;
use std::collections::{BTreeMap, BTreeSet};

/// One message for a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    pub key: String,
    pub payload: Bytes,
    /// What [`dcmms_schemas::wire::FORMAT_HEADER`] says; `None` sends no header, which means JSON.
    pub format: Option<&'static str>,
}

/// A message that is to be in its partition once, however often it is tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Once {
    pub topic: String,
    pub partition: i32,
    /// What [`dcmms_schemas::wire::RESENT_HEADER`] says; no other message of the topic says the same.
    pub id: String,
    pub key: Option<String>,
    pub payload: Bytes,
    pub format: Format,
}

/// Where partitions end: the offset after their last message.
pub type Ends = BTreeMap<(String, i32), i64>;

/// The broker did not take the messages. Some may have got through: readings and domain events are deduplicated by
/// whoever reads them, so sending all of them again is safe.
#[derive(Debug, thiserror::Error)]
#[error("publish to {topic}: {reason}")]
pub struct PublishError {
    pub topic: String,
    pub reason: String,
}

/// Takes messages and answers once the broker has acknowledged all of them.
pub trait Publish: Send + Sync {
    fn publish(&self, topic: &str, messages: Vec<Message>) -> BoxFuture<'_, Result<(), PublishError>>;

    /// Where these partitions end now.
    fn ends(&self, partitions: BTreeSet<(String, i32)>) -> BoxFuture<'_, Result<Ends, PublishError>>;

    /// Sends the messages that are not there yet, all or none. `tried` says where the partitions ended before anybody tried
    /// to send these messages; `None` that nobody has. Whoever tried before, and is still about to, is fenced off.
    fn publish_once(&self, messages: Vec<Once>, tried: Option<Ends>) -> BoxFuture<'_, Result<(), PublishError>>;
}
