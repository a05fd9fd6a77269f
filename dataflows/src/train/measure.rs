//! How good scores are, given the truth.

use super::Metrics;

/// Thresholds are kept between these, so that a model never proposes everything or nothing.
const THRESHOLD_RANGE: (f64, f64) = (0.05, 0.95);

pub(super) fn measure(scores: &[(f64, bool)], threshold: f64, taught: (usize, usize)) -> Metrics {
    let before = scores.iter().filter(|(_, failed)| *failed).count();
    let above = scores.iter().filter(|(score, _)| *score >= threshold).count();
    let hits = scores.iter().filter(|(score, failed)| *failed && *score >= threshold).count();
    let ratio = |of: usize, all: usize| (all > 0).then(|| of as f64 / all as f64);
    Metrics {
        taught: taught.0,
        taught_before_failure: taught.1,
        tested: scores.len(),
        tested_before_failure: before,
        prevalence: ratio(before, scores.len()).unwrap_or(0.0),
        threshold,
        precision: ratio(hits, above),
        recall: ratio(hits, before),
        average_precision: average_precision(scores),
    }
}

/// At each distinct score from the highest down: how many are at or above it, and how many of these failed.
fn steps(scores: &[(f64, bool)]) -> Vec<(f64, usize, usize)> {
    let mut sorted = scores.to_vec();
    sorted.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut steps: Vec<(f64, usize, usize)> = Vec::new();
    let mut hits = 0;
    for (index, (score, failed)) in sorted.into_iter().enumerate() {
        hits += usize::from(failed);
        match steps.last_mut() {
            Some(last) if last.0 == score => *last = (score, index + 1, hits),
            _ => steps.push((score, index + 1, hits)),
        }
    }
    steps
}

/// The area under the curve of precision over recall, in steps; `None` when nothing failed. Equal scores are one step, so that
/// their order says nothing.
pub fn average_precision(scores: &[(f64, bool)]) -> Option<f64> {
    let steps = steps(scores);
    let all = steps.last().map(|step| step.2).filter(|all| *all > 0)?;
    let mut before = 0;
    let mut area = 0.0;
    for (_, above, hits) in steps {
        area += (hits - before) as f64 / all as f64 * hits as f64 / above as f64;
        before = hits;
    }
    Some(area)
}

/// The score with the best F1.
pub fn best_threshold(scores: &[(f64, bool)]) -> f64 {
    let steps = steps(scores);
    let all = steps.last().map_or(0, |step| step.2);
    let f1 = |(_, above, hits): &(f64, usize, usize)| 2.0 * *hits as f64 / (*above + all).max(1) as f64;
    let best = steps.iter().max_by(|a, b| f1(a).total_cmp(&f1(b))).map_or(0.5, |step| step.0);
    best.clamp(THRESHOLD_RANGE.0, THRESHOLD_RANGE.1)
}
