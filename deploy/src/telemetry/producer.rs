//! Readings into Kafka: ordered per key, acknowledged by the broker, and counted.

use anyhow::{Context, bail};
use rdkafka::{
    ClientConfig, ClientContext, Message,
    error::{KafkaError, RDKafkaErrorCode},
    producer::{BaseProducer, BaseRecord, DeliveryResult, Producer as _, ProducerContext},
};
use std::{
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// How long the last messages may take before we say that they did not arrive.
const FLUSH: Duration = Duration::from_secs(120);
/// How long one wait for room in the queue lasts, between looks at what failed.
const ROOM: Duration = Duration::from_millis(100);
/// How long one look at a closed gate lasts.
const LOOK: Duration = Duration::from_millis(2);

/// Sends to the telemetry topic; its calls block, so it belongs on a thread of its own. A full queue makes the sender wait; what the broker refuses for good ends the work.
pub struct Producer {
    inner: BaseProducer<Deliveries>,
    topic: String,
    gate: Option<Gate>,
    since_poll: u32,
}

/// Says whether a message of so many bytes may be sent now; asked again until it may.
pub type Gate = Box<dyn FnMut(usize) -> bool + Send>;

impl std::fmt::Debug for Producer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Producer").field("in_flight", &self.inner.in_flight_count()).finish()
    }
}

#[derive(Default)]
struct Deliveries {
    arrived: AtomicU64,
    failure: Mutex<Option<String>>,
}

impl ClientContext for Deliveries {}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, _: ()) {
        match result {
            Ok(_) => {
                self.arrived.fetch_add(1, Ordering::Relaxed);
            }
            Err((error, message)) => {
                let key = String::from_utf8_lossy(message.key().unwrap_or_default()).into_owned();
                let mut failure = self.failure.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                failure.get_or_insert_with(|| format!("message of {key}: {error}"));
            }
        }
    }
}

impl Producer {
    /// Takes the client settings of the configuration and adds what order and exactness need.
    pub fn new(settings: &ClientConfig, topic: &str) -> anyhow::Result<Producer> {
        let mut settings = settings.clone();
        for (key, value) in [
            // Retries neither double nor reorder.
            ("enable.idempotence", "true"),
            // As Java clients do it, so that a point stays in one partition whoever sends.
            ("partitioner", "murmur2_random"),
            ("linger.ms", "10"),
            ("compression.type", "lz4"),
            ("queue.buffering.max.messages", "100000"),
            ("queue.buffering.max.kbytes", "65536"),
        ] {
            if settings.get(key).is_none() {
                settings.set(key, value);
            }
        }
        let inner =
            settings.create_with_context(Deliveries::default()).context("make a Kafka producer; check kafka.* in the configuration")?;
        Ok(Producer { inner, topic: topic.to_owned(), gate: None, since_poll: 0 })
    }

    /// Lets a message pass only when the gate says so, as the in-process broker needs it.
    pub fn gated(mut self, gate: Gate) -> Producer {
        self.gate = Some(gate);
        self
    }

    /// Queues one JSON message (one reading or an array); waits while the queue is full.
    pub fn send(&mut self, key: &str, payload: &[u8]) -> anyhow::Result<()> {
        self.pass(key.len() + payload.len())?;
        let topic = self.topic.clone();
        self.put(BaseRecord::to(&topic).key(key).payload(payload))
    }

    fn pass(&mut self, bytes: usize) -> anyhow::Result<()> {
        while let Some(gate) = &mut self.gate
            && !gate(bytes)
        {
            self.inner.poll(LOOK);
            self.check()?;
        }
        Ok(())
    }

    fn put(&mut self, mut record: BaseRecord<'_, str, [u8]>) -> anyhow::Result<()> {
        self.since_poll += 1;
        if self.since_poll >= 256 {
            self.since_poll = 0;
            self.inner.poll(Duration::ZERO);
            self.check()?;
        }
        loop {
            match self.inner.send(record) {
                Ok(()) => return Ok(()),
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), refused)) => {
                    record = refused;
                    self.inner.poll(ROOM);
                    self.check()?;
                }
                Err((error, _)) => return Err(error).context("queue a message for Kafka"),
            }
        }
    }

    /// Messages the broker has acknowledged.
    pub fn arrived(&self) -> u64 {
        self.inner.context().arrived.load(Ordering::Relaxed)
    }

    /// Lets librdkafka work and reports what failed.
    pub fn poll(&mut self) -> anyhow::Result<()> {
        self.inner.poll(Duration::ZERO);
        self.check()
    }

    /// Waits until the broker has everything.
    pub fn flush(&mut self) -> anyhow::Result<()> {
        self.inner.flush(FLUSH).with_context(|| {
            format!("{} messages did not reach Kafka within {} s; is the broker up?", self.inner.in_flight_count(), FLUSH.as_secs())
        })?;
        self.check()
    }

    fn check(&self) -> anyhow::Result<()> {
        let failure = self.inner.context().failure.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
        match failure {
            Some(failure) => bail!("Kafka did not take a {failure}"),
            None => Ok(()),
        }
    }
}
