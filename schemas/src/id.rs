//! Identities that cannot be mixed up.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Declares newtypes over [`Uuid`], one per kind of thing.
#[macro_export]
macro_rules! id {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub uuid::Uuid);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Ok(Self(text.parse()?))
            }
        }

        impl From<uuid::Uuid> for $name {
            fn from(id: uuid::Uuid) -> Self {
                Self(id)
            }
        }
    )+};
}

id!(
    /// A plant, park or works with one time zone.
    SiteId,
    /// A place in the tree with a required function; what is installed there may change.
    PositionId,
    /// An alarm rule; its versions say what it means when.
    RuleId,
    /// One occurrence of an alarm: hash of rule, point and onset.
    AlarmId,
    /// A work order.
    OrderId,
    /// A person who works on orders.
    TechnicianId,
    /// A business calendar.
    CalendarId,
    /// An SLA policy.
    PolicyId,
    /// A trained model; its versions are immutable.
    ModelId,
    /// A prediction: hash of model version, position and window.
    PredictionId,
    /// A command from the engine to the domain: hash of its cause.
    CommandId,
);

/// A point's dense number, given once by the database and never reused. The engine and every derived
/// table use it; the API shows the point's uuid and key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PointNumber(pub u32);

impl std::fmt::Display for PointNumber {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// The namespace of every id that is a hash of its cause.
const DERIVED: Uuid = Uuid::from_u128(0x6d63_6d6d_735f_6465_7269_7665_645f_6964);

/// Makes the same id from the same parts, on every worker and in every replay.
pub fn derived_id(kind: &str, parts: &[&[u8]]) -> Uuid {
    let mut name = Vec::with_capacity(64);
    name.extend_from_slice(kind.as_bytes());
    for part in parts {
        // A length before each part keeps ("ab","c") and ("a","bc") apart.
        name.extend_from_slice(&(part.len() as u64).to_be_bytes());
        name.extend_from_slice(part);
    }
    Uuid::new_v5(&DERIVED, &name)
}
