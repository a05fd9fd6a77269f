//! Where messages go. Implemented over Kafka by deploy, and by a vector in tests.

use bytes::Bytes;
use futures::future::BoxFuture;

/// One message for a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    pub key: String,
    pub payload: Bytes,
    /// What [`dcmms_schemas::wire::FORMAT_HEADER`] says; `None` sends no header, which means JSON.
    pub format: Option<&'static str>,
}

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
}
