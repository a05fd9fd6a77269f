//! Produces at a fixed rate and remembers when sampled readings were meant to leave.

use crate::{
    arguments::Arguments,
    plant::{LIMIT, Plant},
};
use dcmms_schemas::wire::TELEMETRY_TOPIC;
use rdkafka::{
    ClientConfig,
    producer::{BaseRecord, DefaultProducerContext, Producer, ThreadedProducer},
    types::RDKafkaErrorCode,
};
use std::{
    collections::{HashMap, VecDeque},
    io::Write,
    sync::Mutex,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// Every n-th point is watched.
pub(crate) const SAMPLE_EVERY: usize = 100;
/// One reading in so many is beyond the alarm limit.
const ALARM_EVERY: u64 = 20_000;
const SLICE: Duration = Duration::from_millis(5);

/// Readings of sampled points (number → moments in ms, oldest first) and alarms (number, moment) under way.
#[derive(Debug, Default)]
pub(crate) struct Sent {
    pub(crate) latest: HashMap<u32, VecDeque<i64>>,
    pub(crate) minutes: HashMap<(u32, i64), VecDeque<i64>>,
    pub(crate) alarms: HashMap<(u32, i64), i64>,
}

#[derive(Debug)]
pub(crate) struct Produced {
    pub(crate) messages: u64,
    pub(crate) bytes: u64,
    pub(crate) seconds: f64,
    /// The most that the producer fell behind its own schedule.
    pub(crate) behind_ms_max: u128,
}

pub(crate) fn run(arguments: &Arguments, plant: &Plant, sent: &Mutex<Sent>) -> Result<Produced, Box<dyn std::error::Error>> {
    let producer: ThreadedProducer<DefaultProducerContext> = ClientConfig::new()
        .set("bootstrap.servers", &arguments.brokers)
        .set("linger.ms", "5")
        .set("batch.num.messages", "10000")
        .set("queue.buffering.max.messages", "1000000")
        .set("compression.type", "none")
        .set("acks", "1")
        .create()?;
    let start = Instant::now();
    let wall_ms = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis() as i64;
    let mut produced = Produced { messages: 0, bytes: 0, seconds: 0.0, behind_ms_max: 0 };
    let mut payload = Vec::with_capacity(128);
    let mut said = 0;
    while start.elapsed().as_secs() < arguments.seconds {
        let elapsed = start.elapsed();
        let target = (elapsed.as_secs_f64() * arguments.rate_per_s as f64) as u64;
        while produced.messages < target {
            let number = produced.messages;
            // The moment it should have left, so that waiting for a slow broker counts.
            let due_ms = number * 1_000 / arguments.rate_per_s;
            produced.behind_ms_max = produced.behind_ms_max.max(elapsed.as_millis().saturating_sub(u128::from(due_ms)));
            send_one(&producer, plant, number, wall_ms + due_ms as i64, &mut payload, sent)?;
            produced.messages += 1;
            produced.bytes += payload.len() as u64;
        }
        if elapsed.as_secs() / 10 > said {
            said = elapsed.as_secs() / 10;
            println!("{:>4} s  {:>10} sent", elapsed.as_secs(), produced.messages);
        }
        std::thread::park_timeout(SLICE);
    }
    producer.flush(Duration::from_secs(60))?;
    produced.seconds = start.elapsed().as_secs_f64();
    Ok(produced)
}

fn send_one(
    producer: &ThreadedProducer<DefaultProducerContext>,
    plant: &Plant,
    number: u64,
    at_ms: i64,
    payload: &mut Vec<u8>,
    sent: &Mutex<Sent>,
) -> Result<(), Box<dyn std::error::Error>> {
    // A stride coprime to any sensible count spreads neighbours over partitions and workers.
    let index = (number.wrapping_mul(7_919) % plant.points.len() as u64) as usize;
    let point = &plant.points[index];
    let alarm = number.wrapping_mul(0x9e37_79b9_7f4a_7c15).is_multiple_of(ALARM_EVERY);
    let value = if alarm { LIMIT + 1.0 } else { 100.0 + (number % 9_973) as f64 / 1_000.0 };
    payload.clear();
    write!(payload, r#"{{"point":"{}","ts":{at_ms},"value":{value},"quality":"good"}}"#, point.key)?;
    if alarm || index.is_multiple_of(SAMPLE_EVERY) {
        let mut sent = sent.lock().expect("no holder of this lock panics");
        if alarm {
            sent.alarms.insert((point.number.0, at_ms), at_ms);
        }
        if index.is_multiple_of(SAMPLE_EVERY) {
            sent.latest.entry(point.number.0).or_default().push_back(at_ms);
            sent.minutes.entry((point.number.0, at_ms / 60_000)).or_default().push_back(at_ms);
        }
    }
    let mut record = BaseRecord::to(TELEMETRY_TOPIC).key(&point.key).payload(&payload[..]);
    while let Err((error, back)) = producer.send(record) {
        if error.rdkafka_error_code() != Some(RDKafkaErrorCode::QueueFull) {
            return Err(error.into());
        }
        std::thread::park_timeout(SLICE);
        record = back;
    }
    Ok(())
}
