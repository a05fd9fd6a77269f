use super::*;
use crate::config::Config;
use bytes::Bytes;
use dcmms_api::publish::{Ends, Message, Once, Publish};
use dcmms_schemas::wire::Format;
use rdkafka::{
    Message as _, Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer},
    message::Headers,
};

fn config(brokers: &str) -> config::Kafka {
    let mut config: Config = toml::from_str(config::DEFAULT).unwrap();
    config.kafka.brokers = brokers.into();
    config.kafka
}

fn message(key: usize) -> Message {
    Message { key: format!("k{}", key % 7), payload: Bytes::from(key.to_string()), format: (key == 0).then_some("arrow") }
}

/// Reads one partition to its end, and how many messages had a format.
fn read(kafka: &config::Kafka, topic: &str, partition: i32) -> (Vec<(String, String)>, usize) {
    let consumer: BaseConsumer = kafka.client().set("group.id", "test").set("enable.partition.eof", "true").create().unwrap();
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(topic, partition, Offset::Beginning).unwrap();
    consumer.assign(&list).unwrap();
    let (mut rows, mut formats) = (Vec::new(), 0);
    while let Some(Ok(message)) = consumer.poll(Duration::from_secs(30)) {
        let text = |bytes: Option<&[u8]>| String::from_utf8(bytes.unwrap().to_vec()).unwrap();
        formats += message.headers().map_or(0, Headers::count);
        rows.push((text(message.key()), text(message.payload())));
    }
    (rows, formats)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_published_can_be_read_in_the_order_of_its_key() {
    let broker = Broker::start(&config("")).unwrap();
    let kafka = config(broker.brokers());
    // The topics are there already, so nothing is to be made.
    ensure_topics(&kafka).await.unwrap();
    let publisher = Publisher::new(kafka.client(), "test").unwrap();
    publisher.publish("dcmms.telemetry", (0..500).map(message).collect()).await.unwrap();
    let parts: Vec<_> = (0..4).map(|partition| read(&kafka, "dcmms.telemetry", partition)).collect();
    assert_eq!(parts.iter().map(|(rows, _)| rows.len()).sum::<usize>(), 500);
    assert_eq!(parts.iter().map(|(_, formats)| formats).sum::<usize>(), 1);
    for (rows, _) in &parts {
        for key in 0..7 {
            let key = format!("k{key}");
            let values: Vec<usize> = rows.iter().filter(|(k, _)| *k == key).map(|(_, value)| value.parse().unwrap()).collect();
            assert!(values.is_sorted(), "{key}: {values:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paced_publisher_never_runs_further_ahead_than_there_is_room() {
    let broker = Broker::start(&config("")).unwrap();
    let kafka = config(broker.brokers());
    let pace = Pace::default();
    let publisher = Publisher::new(kafka.client(), "test").unwrap().paced(pace.clone(), ["dcmms.telemetry".to_owned()]);
    let large = |_| Message { key: "k".into(), payload: Bytes::from(vec![b'x'; 100_000]), format: None };
    let mut sending = tokio::spawn(async move { publisher.publish("dcmms.telemetry", (0..100).map(large).collect()).await });
    // Room for 26 messages of 100 kB: the rest waits until the reader says that it has some.
    let waited = tokio::time::timeout(Duration::from_millis(300), &mut sending).await;
    assert!(waited.is_err(), "100 messages went at once");
    assert!(!pace.try_pass(100_000));
    pace.consumed(100);
    sending.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_broker_that_is_away_is_named() {
    let mut kafka = config("127.0.0.1:1");
    kafka.properties.insert("socket.timeout.ms".into(), "1000".into());
    let error = tokio::time::timeout(Duration::from_secs(30), ensure_topics(&kafka)).await.unwrap().unwrap_err();
    assert!(format!("{error:#}").contains("ask the brokers at 127.0.0.1:1"), "{error:#}");
}

fn once(number: usize) -> Once {
    let (topic, partition) = ("dcmms.telemetry".to_owned(), i32::from(number % 2 == 1));
    let format = if number == 0 { Format::Arrow } else { Format::Json };
    Once { topic, partition, id: format!("t/0/{number}/0"), key: Some("k".into()), payload: Bytes::from(number.to_string()), format }
}

/// Another sender goes on with what one has begun and not finished, and the one wakes up again.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_sent_once_is_there_once() {
    let broker = Broker::start(&config("")).unwrap();
    let kafka = config(broker.brokers());
    let (first, second) = (Publisher::new(kafka.client(), "test").unwrap(), Publisher::new(kafka.client(), "test").unwrap());
    let partitions = [0, 1].map(|partition| ("dcmms.telemetry".to_owned(), partition));
    first.publish_once((0..4).map(once).collect(), None).await.unwrap();
    let ends = first.ends(partitions.into()).await.unwrap();
    let end = |ends: &Ends, partition| ends[&("dcmms.telemetry".to_owned(), partition)];
    assert_eq!((end(&ends, 0), end(&ends, 1)), (2, 2));
    // Half of the next batch gets through, then the first is gone.
    first.publish_once((4..7).map(once).collect(), None).await.unwrap();
    second.publish_once((4..10).map(once).collect(), Some(ends.clone())).await.unwrap();
    second.publish_once((4..10).map(once).collect(), Some(ends)).await.unwrap();
    let all: Vec<_> = [0, 1].into_iter().flat_map(|partition| read(&kafka, "dcmms.telemetry", partition).0).collect();
    let mut values: Vec<usize> = all.iter().map(|(_, value)| value.parse().unwrap()).collect();
    values.sort_unstable();
    assert_eq!(values, (0..10).collect::<Vec<_>>());
}
