//! Operating a job on real servers: what was refused goes through again once though its sender is killed, partitions are added while the
//! job runs, and it drains and stops when it is asked to.

use crate::machine::{Installation, Servers, eventually};
use rdkafka::{
    ClientConfig, Message, Offset, TopicPartitionList,
    admin::{AdminClient, AdminOptions, NewPartitions},
    client::DefaultClientContext,
    consumer::{BaseConsumer, Consumer},
    error::KafkaError,
    producer::{BaseProducer, BaseRecord, Producer},
};
use std::{
    collections::BTreeSet,
    io::{Read, Write},
    time::Duration,
};

const TOPIC: &str = "dcmms.telemetry";
/// Readings of points that nobody has made: a few dozen batches.
const REFUSED: i64 = 20_000;
const TIMEOUT: Duration = Duration::from_secs(30);

const REJECTS: &str = "select coalesce(sum(n), 0)::bigint from derived.rejects";
const MESSAGES: &str = "select coalesce(sum(messages), 0)::bigint from derived.books";
const UNBALANCED: &str = "select count(*) from analysts.books where not balanced";
const UNDER_WAY: &str = "select count(*) from app.resend_files where batch_upto is not null and bytes > 0";
const UNFINISHED: &str = "select count(*) from app.resends where finished_at is null";
const REPORTED: &str = "select generation from derived.job_reports";
const GENERATION: &str = "select generation from derived.jobs";

#[tokio::test(flavor = "multi_thread")]
async fn rejects_are_replayed_once_and_a_job_grows_and_drains() {
    let servers = Servers::start();
    let plant = Installation::new(&servers, "operate").await;
    plant.run(&["migrate"]);
    let serving = plant.start(&["serve", "--listen", "127.0.0.1:0"]);
    let metrics = free_address();
    let job = plant.start(&["job", "run", "--set", &format!("metrics.listen={metrics}")]);
    speak(&plant, 0, REFUSED, None);
    eventually("everything is refused", async || plant.number(REJECTS).await == REFUSED).await;

    // The points are not made, so what goes through again is refused once more: that counts how often it went.
    plant.run(&["rejects", "replay", "--reason", "unknown_point", "--after-fix"]);
    eventually("a batch is under way", async || plant.number(UNDER_WAY).await > 0).await;
    serving.kill();
    assert!(plant.number(UNFINISHED).await > 0, "it was killed too late to show anything");
    let serving = plant.start(&["serve", "--listen", "127.0.0.1:0"]);
    eventually("the replay is done", async || plant.number(UNFINISHED).await == 0).await;
    eventually("it was refused once more", async || plant.number(REJECTS).await >= 2 * REFUSED).await;
    // Whatever there is, is read: nothing more can come.
    speak(&plant, 0, 1, None);
    eventually("the last one is read, too", async || plant.number(MESSAGES).await > 2 * REFUSED).await;
    assert_eq!((plant.number(REJECTS).await, plant.number(MESSAGES).await), (2 * REFUSED + 1, 2 * REFUSED + 1), "each went once");
    assert_eq!(plant.number("select sent from app.resends").await, REFUSED);
    let published = async || keys(&plant, "dcmms.rejects").len() as i64 == 2 * REFUSED + 1;
    eventually("everything refused is published", published).await;

    let generation = plant.number(GENERATION).await;
    grow(&plant, 3).await;
    speak(&plant, 0, 10, Some(2));
    eventually("the new partition is read", async || plant.number(MESSAGES).await == 2 * REFUSED + 11).await;
    assert_eq!(plant.number(GENERATION).await, generation + 1);
    let told = scrape(&metrics);
    for name in
        ["dcmms_job_partition_lag_messages", "dcmms_job_partition_lag_seconds", "dcmms_rejects_total", "dcmms_operator_records_in_total"]
    {
        assert!(told.contains(name), "{name} is missing in\n{told}");
    }
    eventually("the new generation reports", async || plant.number(REPORTED).await == generation + 1).await;
    let status = plant.run(&["job", "status"]);
    assert!(status.contains("dcmms.telemetry/2") && status.contains("Decode") && !status.contains("killed"), "{status}");
    assert!(plant.run(&["job", "graph"]).starts_with("digraph"));

    speak(&plant, 0, 5_000, None);
    let asked = plant.run(&["job", "stop", "--drain", "--wait"]);
    assert!(asked.contains("stopped"), "{asked}");
    job.ended();
    assert_eq!(plant.number(MESSAGES).await, 2 * REFUSED + 5_011, "it read on to the end");
    assert_eq!(plant.number(UNBALANCED).await, 0);
    assert!(plant.run(&["job", "list"]).contains("stopped, drained"));
    let listed = plant.run(&["rejects", "list"]);
    assert!(listed.contains("unknown_point"), "{listed}");
    assert!(plant.run(&["rejects", "show", "--limit", "1"]).contains("nobody"), "the bytes are shown");
    serving.stop();
}

fn client(plant: &Installation<'_>) -> ClientConfig {
    let mut client = ClientConfig::new();
    client.set("bootstrap.servers", plant.brokers());
    client
}

/// Readings of a point that nobody has made.
fn speak(plant: &Installation<'_>, from: i64, upto: i64, partition: Option<i32>) {
    let producer: BaseProducer = client(plant).set("queue.buffering.max.messages", "1000000").create().expect("a producer");
    for number in from..upto {
        let (key, payload) = (format!("k{number}"), format!(r#"{{"point":"X/Y:nobody","ts":{},"value":1}}"#, 1_700_000_000_000 + number));
        let mut record = BaseRecord::to(TOPIC).key(&key).payload(&payload);
        if let Some(partition) = partition {
            record = record.partition(partition);
        }
        producer.send(record).map_err(|(error, _)| error).expect("room in the queue");
    }
    producer.flush(TIMEOUT).expect("the broker takes it");
}

async fn grow(plant: &Installation<'_>, partitions: usize) {
    let admin: AdminClient<DefaultClientContext> = client(plant).create().expect("a client");
    let grown = admin.create_partitions([&NewPartitions::new(TOPIC, partitions)], &AdminOptions::new()).await;
    grown.expect("the broker answers").remove(0).expect("the topic grows");
}

/// The different keys of a topic's only partition.
fn keys(plant: &Installation<'_>, topic: &str) -> BTreeSet<Vec<u8>> {
    let consumer: BaseConsumer = client(plant).set("group.id", "test").set("enable.partition.eof", "true").create().expect("a consumer");
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(topic, 0, Offset::Beginning).expect("a place");
    consumer.assign(&list).expect("it is assigned");
    let mut keys = BTreeSet::new();
    loop {
        match consumer.poll(TIMEOUT) {
            Some(Ok(message)) => drop(keys.insert(message.key().expect("it has a key").to_vec())),
            Some(Err(KafkaError::PartitionEOF(_))) | None => return keys,
            Some(Err(error)) => panic!("{error}"),
        }
    }
}

fn free_address() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").to_string()
}

fn scrape(address: &str) -> String {
    let mut stream = std::net::TcpStream::connect(address).expect("metrics are served");
    stream.write_all(b"GET /metrics HTTP/1.0\r\n\r\n").expect("it is asked");
    let mut text = String::new();
    stream.read_to_string(&mut text).expect("it answers");
    text
}
