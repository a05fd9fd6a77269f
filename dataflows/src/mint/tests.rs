use super::*;
use crate::options::Kafka;
use dcmms_schemas::binding::{Source, SourcePartition};

fn options() -> Options {
    let kafka = Kafka { brokers: String::new(), properties: Default::default(), telemetry: vec![], domain: String::new() };
    Options {
        job: "t".into(),
        workers: 1,
        tick_ms: 0,
        ticks_in_flight_max: 4,
        messages_per_tick_max: 100,
        disorder_ms: 2_000,
        idle_after_ms: 0,
        future_max_ms: 60_000,
        dedupe: true,
        action_age_max_ms: None,
        checkpoint_every_ms: 60_000,
        kafka,
    }
}

fn sources(domain: &[bool]) -> Sources {
    let source = |topic: &str| Source { cluster: "c".into(), topic: topic.into(), topic_id: String::new() };
    domain.iter().enumerate().map(|(index, &domain)| SourcePartition { source: source("t"), partition: index as i32, domain }).collect()
}

fn minter(intake: &Arc<Intake>, domain: &[bool], seen: i64) -> Minter {
    let first = Binding { tick: 0, generation: 1, clock: Moment(50), upto: vec![0; domain.len()], watermarks: vec![], idle: vec![] };
    Minter::new(&options(), &sources(domain), Arc::clone(intake), Arc::new(move |_| Moment(seen)), first, 1)
}

#[test]
fn a_tick_covers_what_was_fetched_and_its_clock_never_runs_back() {
    let intake = Arc::new(Intake::new(&[0]));
    let mut minter = minter(&intake, &[false], 10_000_000);
    intake.advance(0, 7);
    let one = minter.mint(Moment(100)).expect("input waits");
    assert_eq!((one.tick, one.upto.clone(), one.clock, one.watermarks[0]), (1, vec![7], Moment(100), Moment(8_000_000)));
    intake.advance(0, 9);
    let two = minter.mint(Moment(90)).expect("input waits");
    assert_eq!((two.tick, two.upto.clone(), two.clock), (2, vec![9], Moment(100)));
    assert_eq!(minter.mint(Moment(101)), None, "nothing arrived and the heartbeat is not due");
}

#[test]
fn a_flood_is_cut_to_the_bound_and_nobody_starves() {
    let intake = Arc::new(Intake::new(&[0, 0]));
    let mut minter = minter(&intake, &[false, false], 0);
    intake.advance(0, 1_000);
    intake.advance(1, 3);
    let binding = minter.mint(Moment(0)).expect("input waits");
    assert!(binding.upto[0] <= 100 && binding.upto[0] >= 90 && binding.upto[1] >= 1, "{binding:?}");
}

#[test]
fn readings_wait_until_the_domain_was_read_once() {
    let intake = Arc::new(Intake::new(&[0, 0]));
    let mut minter = minter(&intake, &[false, true], 0);
    intake.advance(0, 5);
    intake.advance(1, 2);
    assert_eq!(minter.mint(Moment(0)), None);
    intake.ended(1, 2);
    assert_eq!(minter.mint(Moment(0)).expect("informed now").upto, vec![5, 2]);
}

#[test]
fn idle_needs_the_end_and_no_rest() {
    let intake = Arc::new(Intake::new(&[0]));
    let mut minter = minter(&intake, &[false], 0);
    intake.advance(0, 5);
    assert!(!minter.mint(Moment(0)).expect("input").idle[0], "the broker may have more");
    intake.ended(0, 6);
    assert!(minter.mint(Moment(0)).expect("the end moved the offset").idle[0]);
}
