use super::*;
use dcmms_operators::features::score;
use dcmms_schemas::model::FeatureOf;
use uuid::Uuid;

/// A small generator, so that the tests are the same on every run.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }

    /// Between -1 and 1.
    fn unit(&mut self) -> f64 {
        self.next() as f64 / f64::from(1u32 << 30) - 1.0
    }
}

const DAYS: i64 = 40;
const POSITIONS: u32 = 12;

fn position(n: u32) -> PositionId {
    PositionId(Uuid::from_u128(100 + u128::from(n)))
}

fn spec() -> TrainSpec {
    let feature = |kind: &str, of| FeatureSpec { name: format!("{kind}.{of:?}"), kind: kind.into(), of };
    TrainSpec {
        id: ModelId(Uuid::from_u128(1)),
        version: 1,
        name: "fan".into(),
        class: "inverter".into(),
        features: vec![
            feature("inv.temp.cabinet", FeatureOf::PeerDifference),
            feature("inv.temp.cabinet", FeatureOf::DayDifference),
            feature("ac.power", FeatureOf::Mean),
        ],
        hours: 3,
        horizon_hours: 48,
        failure: "cooling fan".into(),
        valid_from: Moment::MIN,
        threshold: None,
        test_share: TrainSpec::TEST_SHARE,
    }
}

/// Cabinets that run hot for two days before their fan fails; four fail, spread over the time.
fn past() -> (Vec<TrainingRow>, Vec<FailureFact>) {
    let mut noise = Noise(7);
    let at = |n: u32| Moment((4 + 8 * i64::from(n)) * 24 * HOUR);
    let failures: Vec<FailureFact> =
        (0..5).map(|n| FailureFact { position: position(n), at: at(n), restored: Some(at(n).plus(6 * HOUR)) }).collect();
    let mut rows = Vec::new();
    for n in 0..POSITIONS {
        for hour in 0..DAYS * 24 {
            let start = Moment(hour * HOUR);
            let sun = ((hour % 24 - 12) as f64 / 12.0 * std::f64::consts::PI).cos().max(0.0);
            let hot =
                failures.iter().any(|failure| failure.position == position(n) && start < failure.at && failure.at.0 - start.0 <= 48 * HOUR);
            let temperature = 25.0 + 15.0 * sun + if hot { 9.0 } else { 0.0 } + 1.5 * noise.unit();
            let row = |point, kind: &str, mean| TrainingRow {
                site: SiteId(Uuid::nil()),
                position: position(n),
                point: PointNumber(point),
                kind: kind.into(),
                start,
                mean,
                stddev: 1.0,
            };
            rows.push(row(2 * n, "inv.temp.cabinet", temperature));
            rows.push(row(2 * n + 1, "ac.power", 50.0 * sun + noise.unit()));
        }
    }
    (rows, failures)
}

#[test]
fn it_learns_that_a_cabinet_hotter_than_its_peers_will_fail() {
    let (rows, failures) = past();
    let (model, metrics) = fit(&rows, &failures, &spec()).expect("both sides are there");
    assert!(model.coefficients[0] > 1.0, "hotter than its peers speaks for a failure: {model:?}");
    assert!(metrics.average_precision.expect("some failed") > 0.9, "{metrics:?}");
    assert!(metrics.recall.expect("some failed") > 0.8 && metrics.precision.expect("some are above") > 0.8, "{metrics:?}");
    assert!(metrics.prevalence < 0.05 && metrics.tested_before_failure > 0, "{metrics:?}");
    let hot = score(&model, &[Some(9.0), Some(9.0), Some(20.0)]).expect("a score").0;
    let cool = score(&model, &[Some(0.0), Some(0.0), Some(20.0)]).expect("a score").0;
    assert!(hot >= model.threshold && cool < 0.05, "hot {hot}, cool {cool}, threshold {}", model.threshold);
}

/// The trap: linfa 0.8 calls the class with more rows positive, so a rare failure would come out upside down.
#[test]
fn coefficients_speak_of_failures_whichever_class_has_more_rows() {
    for (few, many) in [(false, true), (true, false)] {
        let inputs = Array2::from_shape_fn((100, 1), |(row, _)| {
            let failed = if row % 10 == 0 { few } else { many };
            (if failed { 1.0 } else { -1.0 }) + row as f64 / 1_000.0
        });
        let truth: Array1<bool> = (0..100).map(|row| if row % 10 == 0 { few } else { many }).collect();
        let (coefficients, intercept) = logistic(inputs.clone(), truth.clone()).expect("it fits");
        assert!(coefficients[0] > 1.0, "many are {many}: {coefficients:?}");
        let said = |value: f64| coefficients[0] * value + intercept > 0.0;
        assert!(said(1.1) && !said(-0.9), "many are {many}");
    }
}

#[test]
fn shuffled_labels_teach_nothing() {
    let (rows, failures) = past();
    let spec = spec();
    let mut all = examples(&rows, &failures, &spec);
    // A tenth of all labels are true, at random, so that average precision has little noise.
    let mut noise = Noise(3);
    all.iter_mut().for_each(|one| one.failed = noise.next().is_multiple_of(10));
    let (taught, tested): (Vec<&Example>, Vec<&Example>) = all.iter().partition(|one| one.hour.0 < DAYS * 16 * HOUR);
    let learnt = learn(&taught, &spec).expect("both sides are there");
    let scores = scores(&learnt, &tested);
    let prevalence = scores.iter().filter(|(_, failed)| *failed).count() as f64 / scores.len() as f64;
    let average_precision = average_precision(&scores).expect("some are true");
    assert!((average_precision - prevalence).abs() < 0.03, "{average_precision} against {prevalence}");
}

#[test]
fn what_is_down_or_not_known_yet_teaches_nothing() {
    let (rows, failures) = past();
    let spec = spec();
    let all = examples(&rows, &failures, &spec);
    let end = Moment(DAYS * 24 * HOUR);
    for one in &all {
        let of = failures.iter().filter(|failure| failure.position == one.position);
        let soon = of.clone().any(|failure| one.hour < failure.at && failure.at.0 - one.hour.0 <= 49 * HOUR);
        assert_eq!(one.failed, soon);
        assert!(of.clone().all(|failure| one.hour.plus(HOUR) <= failure.at || one.hour >= failure.at.plus(6 * HOUR)), "it was down");
        assert!(one.failed || one.hour.plus(49 * HOUR) <= end, "nobody knows yet");
    }
    assert_eq!(all.iter().filter(|one| one.failed).count(), 5 * 49);
}

#[test]
fn one_sided_pasts_are_refused_in_words() {
    let (rows, failures) = past();
    let none = fit(&rows, &[], &spec()).expect_err("nothing failed").to_string();
    assert!(none.starts_with("0 of ") && none.contains("report failures of cooling fan"), "{none}");
    let empty = fit(&[], &failures, &spec()).expect_err("no hours").to_string();
    assert!(empty.contains("inv.temp.cabinet, ac.power"), "{empty}");
    assert!(matches!(fit(&rows, &failures, &TrainSpec { features: vec![], ..spec() }), Err(TrainError::NoFeatures)));
}

#[test]
fn average_precision_of_known_rankings() {
    let of = |truth: &[bool]| {
        let scores: Vec<(f64, bool)> = truth.iter().enumerate().map(|(index, failed)| (-(index as f64), *failed)).collect();
        average_precision(&scores)
    };
    assert_eq!(of(&[true, true, false, false]), Some(1.0));
    assert_eq!(of(&[true, false, true, false]), Some(0.5 + 0.5 * 2.0 / 3.0));
    assert_eq!(of(&[false, false]), None);
    assert_eq!(average_precision(&[(0.5, true), (0.5, false), (0.5, false), (0.5, false)]), Some(0.25));
}
