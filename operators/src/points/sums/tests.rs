use super::*;
use proptest::prelude::*;

const MILLI: f64 = 0.001;

fn sums(values: &[f64], quantum: Quantum) -> Sums {
    let mut sums = Sums::EMPTY;
    for (index, value) in values.iter().enumerate() {
        sums.add(Moment(index as i64), *value, Quality::Good, quantum);
    }
    sums
}

fn stddev(values: &[f64], quantum: Quantum) -> f64 {
    sums(values, quantum).row(PointNumber(1), Level::Minute, Moment(0), quantum).stddev
}

#[test]
fn no_spread_is_no_spread_and_a_small_one_is_not_lost_on_a_large_mean() {
    let quantum = Quantum::new(MILLI);
    assert_eq!(stddev(&[0.1; 7], quantum), 0.0);
    assert_eq!(stddev(&[1e9, 1e9 + 0.002], quantum), 0.001);
    assert_eq!(stddev(&[-1e9, -1e9 - 0.002], quantum), 0.001);
}

#[test]
fn squares_that_wrap_around_still_give_the_spread() {
    let outermost = 9_007_199_254_740_990.0;
    let mut all = Sums::EMPTY;
    // Each merge doubles the number of readings: 2^25 of them at 2^106 squared steps are beyond 128 bits.
    let mut some = sums(&[outermost, outermost - 2.0], Quantum::UNIT);
    for _ in 0..24 {
        let before = some;
        some.merge(&before);
    }
    all.merge(&some);
    assert_eq!(all.n, 1 << 25);
    assert_eq!(all.variance(), 1.0);
}

#[test]
fn a_decimal_resolution_is_taken_as_meant() {
    for (resolution, value, steps) in
        [(0.001, 12.345, 12_345), (0.1, 0.3, 3), (1e-6, 1.000_001, 1_000_001), (0.25, 0.75, 3), (60.0, 120.0, 2)]
    {
        assert_eq!(Quantum::new(resolution).steps(value), Some(steps), "{resolution}");
    }
    assert_eq!(Quantum::new(f64::NAN), Quantum::new(1e-6));
    assert_eq!(Quantum::UNIT.steps(f64::NAN), None);
    assert_eq!(Quantum::UNIT.steps(1e16), None);
}

proptest! {
    #[test]
    fn merged_is_the_same_as_added(values in prop::collection::vec(-1e6..1e6f64, 1..60), at in any::<prop::sample::Index>()) {
        let quantum = Quantum::new(MILLI);
        let whole = sums(&values, quantum);
        let at = at.index(values.len());
        let mut left = sums(&values[..at], quantum);
        let mut right = Sums::EMPTY;
        for (index, value) in values.iter().enumerate().skip(at) {
            right.add(Moment(index as i64), *value, Quality::Good, quantum);
        }
        left.merge(&right);
        prop_assert_eq!(left, whole);
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let spread = (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / n).sqrt();
        prop_assert!((stddev(&values, quantum) - spread).abs() <= MILLI + 1e-9 * spread);
    }
}
