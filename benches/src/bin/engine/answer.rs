//! The rows of the one-minute windows, and whether two answers are the same.

use rustc_hash::FxHashMap;

/// What a window of a point came to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    pub(crate) n: u64,
    pub(crate) min: f64,
    pub(crate) max: f64,
    pub(crate) mean: f64,
    pub(crate) stddev: f64,
}

/// By point (as generated) and start of the minute in milliseconds.
pub(crate) type Rows = FxHashMap<(u32, i64), Row>;

/// Stops the benchmark when an answer is wrong: n, min and max exact, mean within 1e-9 and deviation within 1e-6. An
/// engine that counts repeats once, and of two readings of one moment the greater, has windows with fewer readings; those
/// are compared by what cannot differ.
pub(crate) fn check(name: &str, wanted: &Rows, rows: &Rows, repeats_count: bool) {
    assert_eq!(wanted.len(), rows.len(), "{name}: number of rows");
    let mut fewer = 0;
    for (key, wanted) in wanted {
        let row = rows.get(key).unwrap_or_else(|| panic!("{name}: no row for {key:?}"));
        assert_eq!(row.max, wanted.max, "{name}: maximum of {key:?}");
        if !repeats_count && row.n < wanted.n {
            assert!(row.min >= wanted.min, "{name}: minimum of {key:?}");
            fewer += wanted.n - row.n;
            continue;
        }
        assert_eq!(row.min, wanted.min, "{name}: minimum of {key:?}");
        assert_eq!(row.n, wanted.n, "{name}: count of {key:?}");
        let slack = 1.0 + wanted.mean.abs();
        assert!((row.mean - wanted.mean).abs() <= 1e-9 * slack, "{name}: mean of {key:?}: {row:?} against {wanted:?}");
        assert!((row.stddev - wanted.stddev).abs() <= 1e-6 * slack, "{name}: deviation of {key:?}: {row:?} against {wanted:?}");
    }
    let read: u64 = wanted.values().map(|row| row.n).sum();
    assert!(fewer * 100 < read, "{name}: {fewer} of {read} readings were left out");
}
