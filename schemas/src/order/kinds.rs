//! The small vocabularies of orders, each said once: the API, Postgres and the documents use these names.

use serde::{Deserialize, Serialize};

/// Declares an enum whose variants have one name on the wire, in the database and in documents.
macro_rules! names {
    ($(#[$doc:meta])* $kind:ident { $($(#[$variant_doc:meta])* $variant:ident = $name:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $kind {$(
            $(#[$variant_doc])*
            #[serde(rename = $name)]
            $variant,
        )+}

        impl $kind {
            /// All of them, in the order of the documents.
            pub const ALL: &'static [$kind] = &[$($kind::$variant),+];

            pub const fn name(self) -> &'static str {
                match self { $($kind::$variant => $name,)+ }
            }

            pub fn of(name: &str) -> Option<$kind> {
                match name { $($name => Some($kind::$variant),)+ _ => None }
            }
        }

        impl $crate::machine::Named for $kind {
            const ALL: &'static [$kind] = $kind::ALL;

            fn name(self) -> &'static str {
                $kind::name(self)
            }
        }

        impl std::fmt::Display for $kind {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.name())
            }
        }
    };
}
pub(crate) use names;

names!(
    /// What kind of work it is.
    OrderType {
        Corrective = "corrective",
        Preventive = "preventive",
        Predictive = "predictive",
        Condition = "condition",
        Inspection = "inspection",
        Emergency = "emergency",
        Project = "project",
        Commissioning = "commissioning",
        Decommission = "decommission",
        Calibration = "calibration",
        Cleaning = "cleaning",
        Vegetation = "vegetation",
        Rework = "rework",
    }
);

impl OrderType {
    /// Whether something failed, so that the failure must be reported before the work counts as done.
    pub const fn repairs(self) -> bool {
        matches!(self, OrderType::Corrective | OrderType::Emergency)
    }
}

names!(
    Priority { Emergency = "emergency", High = "high", Medium = "medium", Low = "low" }
);

names!(
    /// Where the order came from.
    Source { Manual = "manual", Alarm = "alarm", Prediction = "prediction", Pm = "pm", Request = "request" }
);

names!(
    /// Why work stands still. A policy says which of these stop its clock.
    HoldReason {
        Parts = "parts",
        Access = "access",
        Weather = "weather",
        Permit = "permit",
        Customer = "customer",
        Safety = "safety",
        ShiftEnd = "shift_end",
        Other = "other",
    }
);

names!(
    /// How a step of an order is answered.
    TaskKind {
        Step = "step",
        Number = "number",
        Text = "text",
        Choice = "choice",
        PassFail = "pass_fail",
        Meter = "meter",
        Photo = "photo",
        Signature = "signature",
        MeasureWithLimits = "measure_with_limits",
    }
);
