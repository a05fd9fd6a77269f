//! librdkafka says twice a second, on each of its threads, that a broker is away. Once a minute is enough to know.

use std::{
    collections::HashMap,
    fmt::{Debug, Write},
    sync::Mutex,
    time::{Duration, Instant},
};
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::layer::{Context, Filter};

const SAY_AGAIN: Duration = Duration::from_secs(60);
/// Different messages that are remembered; more than librdkafka has, so a limit and nothing else.
const KNOWN_MAX: usize = 1_000;

/// Lets a message of librdkafka pass once a minute. Two are the same when they differ in numbers alone.
#[derive(Debug, Default)]
pub(super) struct Repeats {
    said: Mutex<HashMap<String, Instant>>,
}

impl Repeats {
    fn passes(&self, message: &str, now: Instant) -> bool {
        if !message.starts_with("librdkafka:") {
            return true;
        }
        let kind: String = message.chars().filter(|character| !character.is_ascii_digit()).collect();
        let mut said = self.said.lock().expect("no holder of this lock panics");
        if said.get(&kind).is_some_and(|at| now.duration_since(*at) < SAY_AGAIN) {
            return false;
        }
        if said.len() >= KNOWN_MAX {
            said.clear();
        }
        said.insert(kind, now);
        true
    }
}

impl<S: Subscriber> Filter<S> for Repeats {
    fn enabled(&self, _: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        true
    }

    fn event_enabled(&self, event: &Event<'_>, _: &Context<'_, S>) -> bool {
        // Records of the `log` crate, which rdkafka writes to, all come with the first target.
        if !matches!(event.metadata().target(), "log" | "librdkafka") {
            return true;
        }
        let mut message = Message::default();
        event.record(&mut message);
        self.passes(&message.0, Instant::now())
    }
}

#[derive(Default)]
struct Message(String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if field.name() == "message" {
            // Writing to a string cannot fail.
            let _ = write!(self.0, "{value:?}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_but_for_numbers_is_said_once_a_minute() {
        let (repeats, start) = (Repeats::default(), Instant::now());
        assert!(repeats.passes("librdkafka: Global error: AllBrokersDown: 1/1 brokers are down", start));
        assert!(!repeats.passes("librdkafka: Global error: AllBrokersDown: 0/1 brokers are down", start + Duration::from_secs(59)));
        assert!(repeats.passes("librdkafka: FAIL: something else", start));
        assert!(repeats.passes("librdkafka: Global error: AllBrokersDown: 0/1 brokers are down", start + SAY_AGAIN));
        assert!(repeats.passes("ours", start) && repeats.passes("ours", start));
    }
}
