//! The cases, named before the code:
//!
//! | readings | expected |
//! |---|---|
//! | during warm-up | score 0, no anomaly |
//! | calm noise | few scores above 3, no anomaly |
//! | one spike | an anomaly, and the mean hardly moves |
//! | a fault that stays | one anomaly, not one per reading |
//! | a lesser and a greater spike soon after an anomaly | only the greater one is another |
//! | a daily pattern, and noon's value at midnight | an anomaly only with the season |
//! | a bad reading | nothing |
//! | a late spike | an anomaly in event order, its minute said again |
//! | a correction of a spike | its anomaly is taken back |
//! | any arrival inside the horizon | bit for bit what one pass in order says |

use super::*;
use dcmms_schemas::time::{HOUR, SECOND};
use proptest::{prelude::*, test_runner::RngSeed};
use std::collections::BTreeMap;

const POINT: PointNumber = PointNumber(3);
const QUICK: Tuning = Tuning { warm_up: 60, warm_up_us: 0, ..Tuning::STANDARD };

fn sample(at: Moment, value: f64) -> Sample {
    Sample { at, value, quality: Quality::Good, seq: None, correction: false, source: 0 }
}

/// Noise around 100 that is the same in every run: the sum of twelve steps of a linear congruence.
fn noise(count: usize) -> Vec<f64> {
    let mut state = 0x2545_f491_u64;
    let mut uniform = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1_u64 << 53) as f64
    };
    (0..count).map(|_| 100.0 + (0..12).map(|_| uniform()).sum::<f64>() - 6.0).collect()
}

fn every(step: i64, values: &[f64]) -> Vec<Sample> {
    values.iter().enumerate().map(|(index, value)| sample(Moment(index as i64 * step), *value)).collect()
}

fn played(tuning: &Tuning, samples: &[Sample]) -> (Vec<Scored>, ScoreChanges) {
    let mut detector = Detector::new(POINT, Arc::new(tuning.clone()));
    let mut changes = ScoreChanges::default();
    let scores = samples.iter().filter_map(|sample| detector.append(sample, &mut changes)).collect();
    changes.minutes.extend(detector.minute());
    (scores, changes)
}

#[test]
fn nothing_is_scored_during_warm_up() {
    let mut values = noise(60);
    values[30] = 500.0;
    let (scores, changes) = played(&QUICK, &every(SECOND, &values));
    assert!(scores.iter().all(|scored| scored.score == 0.0));
    assert_eq!(changes.anomalies, []);
    let day = Tuning { warm_up_us: 24 * HOUR, ..QUICK };
    let (scores, _) = played(&day, &every(30 * MINUTE, &[noise(80), vec![500.0]].concat()));
    assert!(scores[80].score > 4.5, "sixty readings and a day are over");
    assert_eq!(played(&day, &every(MINUTE, &[noise(80), vec![500.0]].concat())).0[80].score, 0.0, "a day is not");
}

#[test]
fn calm_noise_scores_as_its_probability() {
    let (scores, changes) = played(&Tuning { warm_up: 2_000, ..QUICK }, &every(SECOND, &noise(50_000)));
    let share = |from: f64| scores[2_000..].iter().filter(|scored| scored.score >= from).count() as f64 / 48_000.0;
    assert!((0.005..0.02).contains(&share(2.0)), "one in a hundred: {}", share(2.0));
    assert!((0.0002..0.004).contains(&share(3.0)), "one in a thousand: {}", share(3.0));
    assert!(changes.anomalies.len() < 20, "{} false anomalies of 48,000 readings", changes.anomalies.len());
}

#[test]
fn a_spike_is_an_anomaly_and_does_not_become_normal() {
    let mut values = noise(400);
    values[300] = 160.0;
    let (scores, changes) = played(&QUICK, &every(SECOND, &values));
    assert!(scores[300].score > 10.0 && (scores[300].expected - 100.0).abs() < 1.0, "{:?}", scores[300]);
    assert!((scores[301].expected - scores[300].expected).abs() < 0.1, "a reading counts at most eight scales");
    let at: Vec<i64> = changes.anomalies.iter().map(|(anomaly, _)| anomaly.at.0 / SECOND).collect();
    assert_eq!(at.iter().filter(|at| (295..=305).contains(*at)).count(), 1);
    let minute = changes.minutes.iter().find(|minute| minute.minute == Moment(300 * SECOND)).expect("minute 5 was said");
    assert_eq!(minute.score, scores[300].score);
}

#[test]
fn a_fault_that_stays_is_one_anomaly() {
    let values = [noise(300), noise(60).iter().map(|value| value + 30.0).collect()].concat();
    let (_, changes) = played(&QUICK, &every(SECOND, &values));
    let faults: Vec<&Anomaly> =
        changes.anomalies.iter().map(|(anomaly, _)| anomaly).filter(|anomaly| anomaly.at.0 >= 300 * SECOND).collect();
    assert_eq!(faults.len(), 1);
    assert_eq!(faults[0].at, Moment(300 * SECOND));
}

#[test]
fn soon_after_an_anomaly_only_a_greater_one_counts() {
    let mut values = noise(1_000);
    (values[900], values[920], values[940]) = (115.0, 108.0, 200.0);
    let (_, changes) = played(&QUICK, &every(SECOND, &values));
    let at: Vec<i64> = changes.anomalies.iter().map(|(anomaly, _)| anomaly.at.0 / SECOND).filter(|at| *at >= 890).collect();
    assert_eq!(at, [900, 940]);
}

#[test]
fn a_season_knows_what_an_hour_usually_says() {
    let noises = noise(15 * 48);
    let day = |index: usize| if (20..30).contains(&(index % 48)) { 300.0 } else { 0.0 };
    let mut values: Vec<f64> = noises.iter().enumerate().map(|(index, noise)| day(index) + noise).collect();
    let midnight = 14 * 48 + 4;
    values[midnight] += 300.0;
    let samples = every(30 * MINUTE, &values);
    let with = played(&Tuning { season: true, ..QUICK }, &samples).0[midnight];
    let without = played(&QUICK, &samples).0[midnight];
    assert!(with.score > 4.5 && (with.expected - 100.0).abs() < 5.0, "{with:?}");
    assert!(without.score < 4.5, "{without:?}");
}

#[test]
fn a_late_spike_and_its_correction() {
    let samples = every(SECOND, &noise(300));
    let mut detector = Detector::new(POINT, Arc::new(QUICK));
    let mut changes = ScoreChanges::default();
    samples.iter().for_each(|sample| _ = detector.append(sample, &mut changes));
    let before = changes.anomalies.len();
    let mut spiked = samples.clone();
    spiked[250].value = 300.0;
    changes = ScoreChanges::default();
    let newest = detector.rerun(spiked.iter(), spiked[250].at, &mut changes);
    assert_eq!(newest, played(&QUICK, &spiked).0.last().copied());
    assert!(changes.anomalies.iter().any(|(anomaly, diff)| anomaly.at == spiked[250].at && *diff == 1), "{:?}", changes.anomalies);
    assert_eq!(changes.minutes, [], "minute 4 is not over, and the ones before are as they were");
    let mut undone = ScoreChanges::default();
    detector.rerun(samples.iter(), spiked[250].at, &mut undone);
    let opposite = |rows: &[(Anomaly, Diff)]| rows.iter().map(|(row, diff)| (row.at, -diff)).collect::<std::collections::BTreeSet<_>>();
    let taken = undone.anomalies.iter().map(|(row, diff)| (row.at, *diff)).collect();
    assert_eq!(opposite(&changes.anomalies), taken);
    assert_eq!(detector.said.len(), before);
}

#[test]
fn a_bad_reading_is_not_looked_at() {
    let mut detector = Detector::new(POINT, Arc::new(QUICK));
    let mut changes = ScoreChanges::default();
    assert_eq!(detector.append(&Sample { quality: Quality::Bad, ..sample(Moment(0), 1.0) }, &mut changes), None);
    assert_eq!(detector.minute().map(|minute| minute.score), Some(0.0));
}

#[test]
fn state_is_small() {
    assert!(size_of::<Detector>() <= 216, "{} bytes", size_of::<Detector>());
    assert_eq!(size_of::<season::Season>(), 792);
}

const HORIZON: i64 = 90 * SECOND;

fn arrivals() -> impl Strategy<Value = Vec<Sample>> {
    let value = prop_oneof![9 => -20..20i64, 1 => -400..400i64];
    let quality = prop_oneof![9 => Just(Quality::Good), 1 => Just(Quality::Bad)];
    let one = (0..600i64, prop_oneof![3 => Just(0i64), 1 => 0..100i64], value, quality);
    prop::collection::vec(one, 1..250).prop_map(|mut readings| {
        readings.sort_by_key(|(at, delay, ..)| at + delay);
        readings.into_iter().map(|(at, _, value, quality)| Sample { quality, ..sample(Moment(at * SECOND), value as f64) }).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, rng_seed: RngSeed::Fixed(3), ..ProptestConfig::default() })]

    #[test]
    fn any_arrival_ends_as_one_pass_in_order(arrivals in arrivals(), season: bool) {
        let tuning = Tuning { warm_up: 20, warm_up_us: 0, quiet: 5, season, ..Tuning::STANDARD };
        let mut detector = Detector::new(POINT, Arc::new(tuning.clone()));
        let (mut buffer, mut accepted): (Vec<Sample>, Vec<Sample>) = (Vec::new(), Vec::new());
        let (mut minutes, mut anomalies, mut newest) = (BTreeMap::new(), BTreeMap::new(), None);
        for sample in arrivals {
            let front = buffer.last().map_or(Moment::MIN, |newest| newest.at);
            if sample.at < front.minus(HORIZON) || accepted.iter().any(|other| other.at == sample.at) {
                continue;
            }
            accepted.push(sample);
            buffer.push(sample);
            let mut changes = ScoreChanges::default();
            if sample.at > front {
                newest = detector.append(&sample, &mut changes).or(newest);
            } else {
                buffer.sort_by_key(|sample| sample.at);
                newest = detector.rerun(buffer.iter(), sample.at, &mut changes).or(newest);
            }
            minutes.extend(changes.minutes.iter().chain(&detector.minute()).map(|row| (row.minute, row.score.to_bits())));
            for (row, diff) in changes.anomalies {
                if diff > 0 {
                    prop_assert!(anomalies.insert(row.at, row).is_none());
                } else {
                    prop_assert_eq!(anomalies.remove(&row.at), Some(row));
                }
            }
            let front = buffer.last().map_or(Moment::MIN, |newest| newest.at);
            while buffer[0].at < front.minus(HORIZON) {
                detector.expire(&buffer.remove(0));
            }
        }
        accepted.sort_by_key(|sample| sample.at);
        let (scores, changes) = played(&tuning, &accepted);
        prop_assert_eq!(newest, scores.last().copied());
        let expected: BTreeMap<Moment, u64> = changes.minutes.iter().map(|row| (row.minute, row.score.to_bits())).collect();
        prop_assert_eq!(minutes, expected);
        prop_assert_eq!(anomalies.into_values().collect::<Vec<_>>(), changes.anomalies.into_iter().map(|(row, _)| row).collect::<Vec<_>>());
    }
}
