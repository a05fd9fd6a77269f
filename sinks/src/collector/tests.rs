use super::*;
use dcmms_schemas::{id::PointNumber, outcome::Latest, reading::Quality, sealed::Sealed};

fn part(worker: usize, tick: Tick, latest: usize) -> Part {
    let row = Latest { point: PointNumber(1), at: Moment(0), value: 0.0, quality: Quality::Good };
    let reading = HistoryRow { point: row.point, at: row.at, value: 0.0, quality: row.quality, seq: None, correction: false, late: false };
    let changes = Outcome { latest: vec![row; latest], history: vec![reading], ..Outcome::default() };
    Part { worker, workers: 2, sealed: Sealed { from: tick, upto: tick, clock: Moment(tick as i64), changes } }
}

fn ticks(ready: &Ready) -> Vec<Tick> {
    ready.ticks.iter().map(|tick| tick.tick).collect()
}

#[test]
fn a_tick_is_ready_when_every_worker_has_said_it() {
    let mut collector = Collector::new(2, 0, 0);
    for tick in 1..=3 {
        collector.take(part(0, tick, 1)).unwrap();
    }
    assert!(collector.ready().is_none());
    collector.take(part(1, 1, 1)).unwrap();
    collector.take(part(1, 2, 1)).unwrap();
    let ready = collector.ready().unwrap();
    assert_eq!(ticks(&ready), [1, 2]);
    assert_eq!(ready.ticks[0].outcome.latest.len(), 2);
    assert_eq!(ready.history.iter().map(|(tick, _, rows)| (*tick, rows.len())).collect::<Vec<_>>(), [(1, 2), (2, 2)]);
    assert!(collector.ready().is_none());
    assert_eq!(collector.waiting(), 1);
}

#[test]
fn a_transaction_has_a_bounded_number_of_ticks_and_rows() {
    let mut collector = Collector::new(1, 0, 0);
    for tick in 1..=100 {
        collector.take(part(0, tick, 0)).unwrap();
    }
    assert_eq!(collector.ready().unwrap().ticks.len(), TICKS_MAX);
    assert_eq!(collector.ready().unwrap().ticks.len(), 36);
    for tick in 101..=104 {
        collector.take(part(0, tick, ROWS_MAX / 2)).unwrap();
    }
    assert_eq!(ticks(&collector.ready().unwrap()), [101, 102]);
}

#[test]
fn a_replay_is_dropped_but_for_the_history_that_is_missing() {
    let mut collector = Collector::new(1, 5, 3);
    for tick in 2..=7 {
        collector.take(part(0, tick, 1)).unwrap();
    }
    let replayed = collector.ready().unwrap();
    assert!(replayed.replayed);
    assert_eq!(ticks(&replayed), [4, 5]);
    assert!(replayed.ticks.iter().all(|tick| tick.outcome.latest.is_empty()));
    assert_eq!(replayed.history.iter().map(|(tick, ..)| *tick).collect::<Vec<_>>(), [4, 5]);
    let fresh = collector.ready().unwrap();
    assert!(!fresh.replayed);
    assert_eq!(ticks(&fresh), [6, 7]);
}

#[test]
fn a_tick_left_out_or_said_twice_is_a_fault() {
    let faults: [&[Tick]; 4] = [&[7], &[6, 8], &[6, 6], &[4, 6]];
    for told in faults {
        let mut collector = Collector::new(1, 5, 5);
        let taken: Result<Vec<()>, SinkError> = told.iter().map(|tick| collector.take(part(0, *tick, 0))).collect();
        assert!(matches!(taken, Err(SinkError::Gap { .. })), "{told:?}");
    }
    assert!(matches!(Collector::new(1, 0, 0).take(part(1, 1, 0)), Err(SinkError::Gap { worker: 1, .. })));
}
