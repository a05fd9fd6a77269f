//! librdkafka's own broker, inside of this process: for a machine without a Kafka server, and for tests.

use crate::config;
use anyhow::{Context, anyhow};
use dcmms_schemas::wire::REJECTS_TOPIC;
use rdkafka::mocking::MockCluster;
use std::{
    sync::mpsc::{Sender, channel},
    thread::JoinHandle,
};

/// A broker on loopback that lives as long as this value. It keeps 5 MiB or 100,000 messages per partition and silently drops
/// what is overrun, so every producer of readings in the process goes through a [`super::Pace`]; it forgets all at the end.
#[derive(Debug)]
pub struct Broker {
    brokers: String,
    end: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Broker {
    /// Starts it and makes the topics of the configuration.
    pub fn start(kafka: &config::Kafka) -> anyhow::Result<Broker> {
        let (end, ended) = channel();
        let (tell, told) = channel();
        let mut topics: Vec<(String, i32)> = kafka.telemetry_topics.iter().map(|name| (name.clone(), kafka.partitions)).collect();
        topics.extend([(kafka.domain_topic.clone(), 1), (REJECTS_TOPIC.to_owned(), 1)]);
        // The handle cannot leave its thread.
        let thread = std::thread::Builder::new().name("broker".into()).spawn(move || match open(&topics) {
            Ok(cluster) => {
                let _ = tell.send(Ok(cluster.bootstrap_servers()));
                let _ = ended.recv();
            }
            Err(error) => {
                let _ = tell.send(Err(error));
            }
        });
        let thread = thread.context("start the thread of the in-process broker")?;
        let brokers = told.recv().map_err(|_| anyhow!("the thread of the in-process broker ended"))??;
        Ok(Broker { brokers, end: Some(end), thread: Some(thread) })
    }

    /// Its address, for `bootstrap.servers`.
    pub fn brokers(&self) -> &str {
        &self.brokers
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(thread) = self.thread.take() {
            // A panic in it has been printed; there is nothing left to clean up.
            let _ = thread.join();
        }
    }
}

fn open(topics: &[(String, i32)]) -> anyhow::Result<MockCluster<'static, rdkafka::producer::DefaultProducerContext>> {
    let cluster = MockCluster::new(1).context("start the in-process broker")?;
    for (topic, partitions) in topics {
        cluster.create_topic(topic, *partitions, 1).with_context(|| format!("make topic {topic} in the in-process broker"))?;
    }
    Ok(cluster)
}
