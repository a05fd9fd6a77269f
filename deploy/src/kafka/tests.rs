use super::*;
use crate::config::Config;
use bytes::Bytes;
use dcmms_api::publish::{Message, Publish};
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
    let publisher = Publisher::new(kafka.client()).unwrap();
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
    let publisher = Publisher::new(kafka.client()).unwrap().paced(pace.clone(), ["dcmms.telemetry".to_owned()]);
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
