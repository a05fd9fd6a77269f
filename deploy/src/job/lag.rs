//! Lag in seconds out of what the broker says its ends are.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

/// Ends that are remembered; every second one is forgotten when they are too many, so old ones lie further apart.
const SAMPLES_MAX: usize = 512;

/// When a partition's end was first seen where it was.
#[derive(Debug, Default)]
pub(super) struct Lag {
    seen: VecDeque<(Instant, i64)>,
}

impl Lag {
    /// For how long there has been something at or after `upto`: 0 when there is nothing. What was there before the first call
    /// is counted from then.
    pub(super) fn seconds(&mut self, now: Instant, upto: i64, high: i64) -> f64 {
        if self.seen.back().is_none_or(|(_, last)| *last < high) {
            self.seen.push_back((now, high));
        }
        while self.seen.len() > 1 && self.seen.front().is_some_and(|(_, end)| *end <= upto) {
            self.seen.pop_front();
        }
        if self.seen.len() > SAMPLES_MAX {
            let mut index = 0;
            self.seen.retain(|_| {
                index += 1;
                index % 2 == 1
            });
        }
        let waiting = self.seen.front().filter(|(_, end)| *end > upto);
        waiting.map_or(Duration::ZERO, |(since, _)| now.saturating_duration_since(*since)).as_secs_f64()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lag_counts_from_when_the_oldest_unread_message_came() {
        let mut lag = Lag::default();
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(lag.seconds(at(0), 100, 100), 0.0);
        assert_eq!(lag.seconds(at(2), 100, 150), 0.0, "it came just now");
        assert_eq!(lag.seconds(at(4), 120, 200), 2.0);
        assert_eq!(lag.seconds(at(6), 150, 200), 2.0, "what came at 2 is read, what came at 4 is not");
        assert_eq!(lag.seconds(at(8), 200, 200), 0.0);
        let mut behind = Lag::default();
        assert_eq!(behind.seconds(at(0), 0, 1_000), 0.0);
        assert_eq!(behind.seconds(at(9), 10, 1_000), 9.0, "at least");
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut lag = Lag::default();
        let start = Instant::now();
        for second in 0..10_000 {
            lag.seconds(start + Duration::from_secs(second), 0, second as i64 + 1);
        }
        assert!(lag.seen.len() <= SAMPLES_MAX);
        assert_eq!(lag.seconds(start + Duration::from_secs(10_000), 0, 10_001), 10_000.0, "the oldest is kept");
    }
}
