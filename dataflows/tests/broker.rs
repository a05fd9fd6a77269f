//! A job on librdkafka's in-process broker: what is produced is counted once, and a replay says the same.

use dcmms_dataflows::{Ends, Gauge, Inputs, Kafka, Options, Start, identify, run};
use dcmms_schemas::{
    binding::{Binding, Sources},
    books::Books,
    checkpoint::{Block, Checkpoint, Cut, KeptPart, Shards},
    domain::{Event, Row},
    id::{PointNumber, SiteId, derived_id},
    outcome::Outcome,
    plant::{Point, Site},
    sealed::{Outlet, Part},
    time::{Moment, Tick},
};
use rdkafka::{
    ClientConfig,
    mocking::MockCluster,
    producer::{BaseProducer, BaseRecord, DefaultProducerContext, Producer},
};
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// An outlet that is durable at once and remembers everything.
#[derive(Default)]
struct Recorder {
    bindings: Mutex<Vec<Binding>>,
    bound: AtomicU64,
    durable: AtomicU64,
    ticks: Mutex<BTreeMap<Tick, (usize, Outcome)>>,
    closed: AtomicBool,
    inputs: Mutex<BTreeMap<Tick, Vec<(u16, u64)>>>,
    kept: Mutex<BTreeMap<Tick, (Cut, usize, Vec<Block>)>>,
    checkpointed: AtomicU64,
}

impl Outlet for Recorder {
    fn bind(&self, binding: Binding) {
        self.bound.store(binding.tick, Ordering::Release);
        self.bindings.lock().unwrap().push(binding);
    }
    fn bound(&self) -> Tick {
        self.bound.load(Ordering::Acquire)
    }
    fn part(&self, part: Part) {
        let mut ticks = self.ticks.lock().unwrap();
        let (parts, outcome) = ticks.entry(part.sealed.upto).or_default();
        *parts += 1;
        outcome.append(part.sealed.changes);
        if *parts == part.workers {
            self.durable.fetch_max(part.sealed.upto, Ordering::AcqRel);
        }
    }
    fn durable(&self) -> Tick {
        self.durable.load(Ordering::Acquire)
    }
    fn read(&self, tick: Tick, read: Vec<(u16, u64)>) {
        self.inputs.lock().unwrap().entry(tick).or_default().extend(read);
    }
    fn kept(&self, part: KeptPart) {
        let mut kept = self.kept.lock().unwrap();
        let (cut, parts, blocks) = kept.entry(part.cut.tick).or_insert_with(|| (part.cut, 0, Vec::new()));
        *parts += 1;
        blocks.extend(part.blocks);
        if *parts == part.workers {
            self.checkpointed.store(cut.tick, Ordering::Release);
        }
    }
    fn checkpointed(&self) -> Tick {
        self.checkpointed.load(Ordering::Acquire)
    }
    fn closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }
}

impl Recorder {
    fn books(&self) -> Books {
        let mut books = Books::default();
        for (_, outcome) in self.ticks.lock().unwrap().values() {
            outcome.books.iter().for_each(|(_, more)| books.add(more));
        }
        books
    }

    /// What was said at each tick, in an order that does not depend on which worker said it.
    fn said(&self) -> BTreeMap<Tick, Vec<String>> {
        let ticks = self.ticks.lock().unwrap();
        let lines = |outcome: &Outcome| {
            let mut lines: Vec<String> = outcome.latest.iter().map(|row| format!("{row:?}")).collect();
            lines.extend(outcome.rollups.iter().map(|row| format!("{row:?}")));
            lines.extend(outcome.alarms.iter().map(|row| format!("{row:?}")));
            let mut books: BTreeMap<u16, Books> = BTreeMap::new();
            outcome.books.iter().for_each(|(source, more)| books.entry(*source).or_default().add(more));
            lines.extend(books.iter().map(|row| format!("{row:?}")));
            lines.extend(outcome.rejects.iter().map(|row| format!("{row:?}")));
            lines.extend(outcome.history.iter().map(|row| format!("{row:?}")));
            lines.sort();
            lines
        };
        ticks.iter().map(|(tick, (_, outcome))| (*tick, lines(outcome))).collect()
    }
}

const POINTS: u32 = 20;
const TELEMETRY: &str = "dcmms.telemetry";
const DOMAIN: &str = "dcmms.domain";

fn options(brokers: &str, workers: usize) -> Options {
    Options {
        job: "test".into(),
        workers,
        tick_ms: 20,
        ticks_in_flight_max: 8,
        messages_per_tick_max: 700,
        disorder_ms: 0,
        idle_after_ms: 200,
        future_max_ms: 60_000,
        dedupe: true,
        action_age_max_ms: None,
        checkpoint_every_ms: 60_000,
        kafka: Kafka { brokers: brokers.into(), properties: BTreeMap::new(), telemetry: vec![TELEMETRY.into()], domain: DOMAIN.into() },
    }
}

/// A start that has the bindings and nothing else.
fn begin(generation: u64, sources: &Sources, bindings: Vec<Binding>) -> Start {
    Start { generation, sources: sources.clone(), bindings, inputs: BTreeMap::new(), durable: 0, checkpoint: None, fresh: false }
}

fn producer(brokers: &str) -> BaseProducer<DefaultProducerContext> {
    ClientConfig::new().set("bootstrap.servers", brokers).create().expect("a producer")
}

fn send(producer: &BaseProducer, topic: &str, key: &str, payload: &str) {
    producer.send(BaseRecord::to(topic).key(key).payload(payload)).map_err(|(error, _)| error).expect("room in the queue");
    producer.poll(Duration::ZERO);
}

fn key(point: u32) -> String {
    format!("T1/P{point}:ac.power")
}

fn announce(producer: &BaseProducer) {
    let site = SiteId(derived_id("test-site", &[]));
    let zone = chrono_tz::Asia::Kolkata;
    let about = Site { id: site, code: "T1".into(), name: "Test".into(), zone, ac_kw: None, dc_kwp: None, poa_threshold: 50.0 };
    let mut rows = vec![Row::Site(about)];
    rows.extend((0..POINTS).map(|point| {
        Row::Point(Point {
            id: derived_id("test-point", &[&point.to_be_bytes()]),
            number: PointNumber(point + 1),
            key: key(point),
            site,
            position: None,
            kind: "ac.power".into(),
            unit: "kW".into(),
            counter: false,
            resolution: 0.001,
            horizon_ms: Point::HORIZON_MS_DEFAULT,
        })
    }));
    for row in rows {
        let key = format!("{}:{}", row.entity(), row.id());
        let event = Event { version: 1, at: Moment(0), removed: false, row };
        send(producer, DOMAIN, &key, &serde_json::to_string(&event).expect("an event is JSON"));
    }
    producer.flush(Duration::from_secs(10)).expect("the broker takes it");
}

fn readings(producer: &BaseProducer, from: u32, upto: u32) {
    for number in from..upto {
        let point = key(number % POINTS);
        let ts = 1_700_000_000_000_i64 + i64::from(number) * 500;
        let payload =
            if number % 97 == 0 { "not json".to_owned() } else { format!(r#"{{"point":"{point}","ts":{ts},"value":{number}.5}}"#) };
        send(producer, TELEMETRY, &point, &payload);
    }
    producer.flush(Duration::from_secs(10)).expect("the broker takes it");
}

fn until(what: &str, mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !done() {
        assert!(Instant::now() < deadline, "waited a minute for {what}");
        std::thread::park_timeout(Duration::from_millis(5));
    }
}

#[test]
fn every_message_counts_once_and_a_replay_says_the_same() {
    let cluster = MockCluster::new(1).expect("an in-process broker");
    cluster.create_topic(TELEMETRY, 3, 1).expect("a topic");
    cluster.create_topic(DOMAIN, 1, 1).expect("a topic");
    let brokers = cluster.bootstrap_servers();
    let producer = producer(&brokers);
    announce(&producer);
    readings(&producer, 0, 2_000);

    let sources = identify(&options(&brokers, 2).kafka).expect("the topics are there");
    assert_eq!(sources.len(), 4);
    let first = Arc::new(Recorder::default());
    let start = begin(1, &sources, vec![]);
    let running = run(options(&brokers, 2), start, Arc::clone(&first) as Arc<dyn Outlet>).expect("it starts");
    until("the first readings", || first.books().messages == 2_000);
    readings(&producer, 2_000, 5_000);
    until("the others", || first.books().messages == 5_000);
    until("idle partitions", || first.bindings.lock().unwrap().last().is_some_and(|binding| binding.idle.iter().all(|idle| *idle)));
    running.stop();
    running.join().expect("a clean end");
    let books = first.books();
    assert!(books.balanced(), "{books:?}");
    assert_eq!((books.unreadable, books.rejected), (52, 0), "{books:?}");

    // Another number of workers, the same ticks: the same words.
    for workers in [1, 3] {
        let again = Arc::new(Recorder::default());
        let bindings = first.bindings.lock().unwrap().clone();
        let last = bindings.last().expect("there were ticks").tick;
        again.bound.store(last, Ordering::Release);
        let start = begin(2, &sources, bindings);
        let running = run(options(&brokers, workers), start, Arc::clone(&again) as Arc<dyn Outlet>).expect("it starts again");
        until("the replay", || again.durable() >= last);
        running.stop();
        running.join().expect("a clean end");
        let (expected, mut said) = (first.said(), again.said());
        said.retain(|tick, _| *tick <= last);
        assert_eq!(said.len(), expected.len());
        for (tick, lines) in &expected {
            let first_difference = lines.iter().zip(&said[tick]).find(|(expected, said)| expected != said);
            assert_eq!((said[tick].len(), first_difference), (lines.len(), None), "tick {tick} with {workers} workers");
        }
    }
}

#[test]
fn a_trimmed_topic_is_a_loud_stop() {
    let cluster = MockCluster::new(1).expect("an in-process broker");
    cluster.create_topic(TELEMETRY, 1, 1).expect("a topic");
    cluster.create_topic(DOMAIN, 1, 1).expect("a topic");
    let brokers = cluster.bootstrap_servers();
    let sources = identify(&options(&brokers, 1).kafka).expect("the topics are there");
    let upto = vec![500, 0];
    let binding = |tick| Binding {
        tick,
        generation: 1,
        clock: Moment(0),
        upto: upto.clone(),
        watermarks: vec![Moment::MIN; 2],
        idle: vec![false; 2],
    };
    let start = Start { durable: 1, ..begin(2, &sources, vec![binding(0), binding(1)]) };
    let refused = run(options(&brokers, 1), start, Arc::new(Recorder::default())).expect_err("the broker has nothing at 500");
    assert!(refused.to_string().contains("the next offset to read is 500"), "{refused}");
}

/// What a start would find in the store of the checkpoint at `tick`.
fn checkpoint(recorder: &Recorder, tick: Tick) -> Checkpoint {
    let kept = recorder.kept.lock().unwrap();
    let (cut, ..) = kept[&tick];
    let mut shards = Shards::default();
    let first = kept.range(..=tick).rev().nth(cut.chain_length() - 1).map(|(tick, _)| *tick).expect("a chain is kept");
    kept.range(first..=tick).for_each(|(_, (_, _, blocks))| shards.layer(blocks.clone()));
    let bindings = recorder.bindings.lock().unwrap();
    let binding = bindings.iter().find(|binding| binding.tick == tick).expect("a cut is at a tick").clone();
    Checkpoint { binding, turn: cut.turn, shards }
}

/// Hashes of what was read, by the place of the source.
fn inputs(recorder: &Recorder) -> Inputs {
    let hashes = |read: &Vec<(u16, u64)>| {
        let mut read = read.clone();
        read.sort_unstable();
        read.into_iter().map(|(_, hash)| Some(hash)).collect()
    };
    recorder.inputs.lock().unwrap().iter().map(|(tick, read)| (*tick, hashes(read))).collect()
}

#[test]
fn a_start_from_a_checkpoint_goes_on_as_if_nothing_had_happened() {
    let cluster = MockCluster::new(1).expect("an in-process broker");
    cluster.create_topic(TELEMETRY, 3, 1).expect("a topic");
    cluster.create_topic(DOMAIN, 1, 1).expect("a topic");
    let brokers = cluster.bootstrap_servers();
    let producer = producer(&brokers);
    announce(&producer);
    let sources = identify(&options(&brokers, 2).kafka).expect("the topics are there");
    let first = Arc::new(Recorder::default());
    let often = |workers| Options { checkpoint_every_ms: 1, ..options(&brokers, workers) };
    let running = run(often(2), begin(1, &sources, vec![]), Arc::clone(&first) as Arc<dyn Outlet>).expect("it starts");
    for part in 0..10 {
        readings(&producer, part * 500, (part + 1) * 500);
        until("a part of the readings", || first.books().messages == i64::from(part + 1) * 500);
    }
    until("as many checkpoints as make the first one superfluous", || first.kept.lock().unwrap().len() > 20);
    running.stop();
    running.join().expect("a clean end");
    let (bindings, expected) = (first.bindings.lock().unwrap().clone(), first.said());
    let last = bindings.last().expect("there were ticks").tick;
    let ticks: Vec<Tick> = first.kept.lock().unwrap().keys().copied().collect();
    assert_eq!(ticks.last(), Some(&last), "a clean end keeps its last tick");
    assert!(first.kept.lock().unwrap()[&ticks[17]].0.turn > 16, "a chain without the first one is among them");

    for (workers, tick) in [(1, ticks[2]), (3, ticks[9]), (2, ticks[18])] {
        let again = Arc::new(Recorder::default());
        again.bound.store(last, Ordering::Release);
        let checkpoint = Some(checkpoint(&first, tick));
        let start = Start { inputs: inputs(&first), checkpoint, ..begin(2, &sources, bindings.clone()) };
        let running = run(options(&brokers, workers), start, Arc::clone(&again) as Arc<dyn Outlet>).expect("it starts again");
        until("the replay", || again.durable() >= last);
        running.stop();
        running.join().expect("a clean end");
        let mut said = again.said();
        said.retain(|tick, _| *tick <= last);
        let expected: BTreeMap<Tick, Vec<String>> = expected.range(tick + 1..).map(|(tick, lines)| (*tick, lines.clone())).collect();
        assert_eq!(said, expected, "after {tick} with {workers} workers");
    }
}

#[test]
fn a_replay_that_reads_something_else_is_a_loud_stop() {
    let cluster = MockCluster::new(1).expect("an in-process broker");
    cluster.create_topic(TELEMETRY, 1, 1).expect("a topic");
    cluster.create_topic(DOMAIN, 1, 1).expect("a topic");
    let brokers = cluster.bootstrap_servers();
    let producer = producer(&brokers);
    announce(&producer);
    readings(&producer, 0, 500);
    let sources = identify(&options(&brokers, 1).kafka).expect("the topics are there");
    let first = Arc::new(Recorder::default());
    let running = run(options(&brokers, 1), begin(1, &sources, vec![]), Arc::clone(&first) as Arc<dyn Outlet>).expect("it starts");
    until("the readings", || first.books().messages == 500);
    running.stop();
    running.join().expect("a clean end");
    let mut inputs = inputs(&first);
    let with_readings = first.ticks.lock().unwrap().iter().find(|(_, (_, outcome))| !outcome.history.is_empty()).map(|(tick, _)| *tick);
    let tick = with_readings.expect("some tick had readings");
    inputs.get_mut(&tick).expect("every tick is recorded")[0] = Some(1);
    let bindings = first.bindings.lock().unwrap().clone();
    let again = Arc::new(Recorder::default());
    let start = Start { inputs, ..begin(2, &sources, bindings) };
    let running = run(options(&brokers, 1), start, again as Arc<dyn Outlet>).expect("it starts again");
    until("the end", || running.ended());
    let failed = running.join().expect_err("what is read is not what was read").to_string();
    assert!(failed.starts_with(&format!("{TELEMETRY}/0: what is read again for tick {tick} is not")), "{failed}");
}

/// Until the job is started again a new partition waits; then it is read from its beginning, and earlier ticks stay as they were.
#[test]
fn partitions_that_were_added_are_read_from_the_next_start_on() {
    let cluster = MockCluster::new(1).expect("an in-process broker");
    cluster.create_topic(TELEMETRY, 3, 1).expect("a topic");
    cluster.create_topic(DOMAIN, 1, 1).expect("a topic");
    let brokers = cluster.bootstrap_servers();
    let producer = producer(&brokers);
    announce(&producer);
    readings(&producer, 0, 2_000);
    let all = identify(&options(&brokers, 2).kafka).expect("the topics are there");
    // As the job found the topic at first: two partitions; the third comes last in its order.
    let (mut known, added): (Vec<_>, Vec<_>) = all.into_iter().partition(|source| source.domain || source.partition < 2);
    let first = Arc::new(Recorder::default());
    let start = begin(1, &known, vec![]);
    let running = run(options(&brokers, 2), start, Arc::clone(&first) as Arc<dyn Outlet>).expect("it starts");
    let gauge = running.gauge();
    let ends = Ends::new(&options(&brokers, 2).kafka).expect("a client");
    assert_eq!(ends.partitions(TELEMETRY).expect("the broker answers"), 3);
    let reached = |gauge: &Gauge, ends: &[i64]| gauge.newest().is_some_and(|binding| binding.upto == ends);
    let two = ends.of(&known).expect("the broker answers");
    until("two partitions", || reached(&gauge, &two));
    until("their readings", || first.books().messages == two[0] + two[1]);
    let seen = gauge.graph();
    let decode = seen.nodes.iter().find(|node| node.name == "Decode").expect("every operator is seen");
    assert!(decode.records_in > 0 && decode.records_out > 0 && decode.busy_us > 0 && !decode.scope, "{decode:?}");
    assert!(seen.nodes.iter().any(|node| node.name == "job" && node.scope));
    assert!(seen.edges.iter().any(|edge| edge.from == decode.id && edge.records > 0));
    assert!(seen.nodes.iter().any(|node| node.rows_held > 0), "arrangements say what they hold");
    running.stop();
    running.join().expect("a clean end");

    known.extend(added);
    let again = Arc::new(Recorder::default());
    let bindings = first.bindings.lock().unwrap().clone();
    let last = bindings.last().expect("there were ticks").tick;
    again.bound.store(last, Ordering::Release);
    let start = begin(2, &known, bindings);
    let running = run(options(&brokers, 2), start, Arc::clone(&again) as Arc<dyn Outlet>).expect("it starts again");
    let (gauge, three) = (running.gauge(), ends.of(&known).expect("the broker answers"));
    until("three partitions", || reached(&gauge, &three));
    until("all readings", || again.books().messages == 2_000);
    running.stop();
    running.join().expect("a clean end");
    assert!(again.books().balanced());
    let (expected, said) = (first.said(), again.said());
    for (tick, lines) in expected {
        assert_eq!(said[&tick], lines, "tick {tick}");
    }
}
