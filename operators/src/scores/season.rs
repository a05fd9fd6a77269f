//! What a half-hour of the day usually says, apart for weekdays and weekends, in UTC.

use dcmms_schemas::time::{DAY, MINUTE, Moment};
use serde::{Deserialize, Serialize};

const HALF_HOURS: usize = 48;
/// The least share of a new visit in a slot's mean.
const VISIT_SHARE_MIN: f64 = 0.3;

/// The means of 96 slots. A slot learns from whole visits, not from readings, so that it does not matter how often a
/// point reports; the visit under way is summed apart and compared with the earlier ones.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Season {
    #[serde(with = "slots")]
    means: [f32; 2 * HALF_HOURS],
    #[serde(with = "slots")]
    visits: [u32; 2 * HALF_HOURS],
    /// Which half-hour since the epoch the visit is in.
    half_hour: i64,
    sum: f64,
    count: u32,
}

impl Default for Season {
    fn default() -> Season {
        Season { means: [0.0; 2 * HALF_HOURS], visits: [0; 2 * HALF_HOURS], half_hour: i64::MIN, sum: 0.0, count: 0 }
    }
}

impl Season {
    /// Takes a reading and gives what its half-hour usually says: of the same kind of day, else of the other kind, else
    /// nothing yet.
    pub(super) fn step(&mut self, at: Moment, value: f64) -> Option<f64> {
        let half_hour = at.0.div_euclid(30 * MINUTE);
        if half_hour != self.half_hour {
            self.leave();
            (self.half_hour, self.sum, self.count) = (half_hour, 0.0, 0);
        }
        self.sum += value;
        self.count += 1;
        let slot = slot(half_hour);
        let other = (slot + HALF_HOURS) % (2 * HALF_HOURS);
        [slot, other].into_iter().find(|slot| self.visits[*slot] > 0).map(|slot| f64::from(self.means[slot]))
    }

    fn leave(&mut self) {
        if self.count == 0 {
            return;
        }
        let slot = slot(self.half_hour);
        self.visits[slot] = self.visits[slot].saturating_add(1);
        let share = VISIT_SHARE_MIN.max(1.0 / f64::from(self.visits[slot]));
        let mean = f64::from(self.means[slot]);
        self.means[slot] = (mean + share * (self.sum / f64::from(self.count) - mean)) as f32;
    }
}

fn slot(half_hour: i64) -> usize {
    let in_day = half_hour.rem_euclid(DAY / (30 * MINUTE)) as usize;
    // Day 0 was a Thursday.
    let weekday = (half_hour.div_euclid(HALF_HOURS as i64) + 3).rem_euclid(7);
    if weekday >= 5 { in_day + HALF_HOURS } else { in_day }
}

/// Arrays longer than serde knows them.
mod slots {
    use super::HALF_HOURS;
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

    pub(super) fn serialize<T: Serialize, S: Serializer>(slots: &[T; 2 * HALF_HOURS], serializer: S) -> Result<S::Ok, S::Error> {
        slots.as_slice().serialize(serializer)
    }

    pub(super) fn deserialize<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<[T; 2 * HALF_HOURS], D::Error> {
        let slots = Vec::deserialize(deserializer)?;
        slots.try_into().map_err(|slots: Vec<T>| D::Error::invalid_length(slots.len(), &"two days of half-hours"))
    }
}
