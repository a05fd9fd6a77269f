//! What every worker is told of a tick besides its readings.

use dcmms_schemas::{binding::Binding, checkpoint::Cut, domain::Event};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// One message of the control stream. Worker 0 sends all domain events of a tick in the order of their topic, then its
/// binding; both reach every worker. Between processes they travel as JSON, as they do everywhere else.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Control {
    Domain(#[serde(with = "json")] Arc<Event>),
    Binding(#[serde(with = "json")] Arc<Binding>),
    /// State is to be kept as it is after this tick. It changes nothing that is said.
    Cut(Cut),
}

/// An `Arc` as a JSON string inside any other format; the tagged rows of [`Event`] need a self-describing one.
mod json {
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::DeserializeOwned, de::Error as _, ser::Error as _};
    use std::sync::Arc;

    pub(super) fn serialize<T: Serialize, S: Serializer>(value: &Arc<T>, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&serde_json::to_string(&**value).map_err(S::Error::custom)?)
    }

    pub(super) fn deserialize<'de, T: DeserializeOwned, D: Deserializer<'de>>(deserializer: D) -> Result<Arc<T>, D::Error> {
        let text = String::deserialize(deserializer)?;
        Ok(Arc::new(serde_json::from_str(&text).map_err(D::Error::custom)?))
    }
}

/// What a tick was told: its events, in order, and its binding once that has arrived.
#[derive(Debug, Default)]
pub struct Told {
    pub events: Vec<Arc<Event>>,
    pub binding: Option<Arc<Binding>>,
    pub cut: Option<Cut>,
}

impl Told {
    pub fn push(&mut self, control: Control) {
        match control {
            Control::Domain(event) => self.events.push(event),
            Control::Binding(binding) => self.binding = Some(binding),
            Control::Cut(cut) => self.cut = Some(cut),
        }
    }
}
