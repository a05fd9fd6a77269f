//! What a rule may say, refused with sentences that help.

use super::{RuleVersionInput, view::ScopeInput};
use crate::check::Faults;
use dcmms_schemas::{
    order::kinds::{OrderType, Priority},
    rule::{Condition, OrderTemplate},
    time::{DAY, MILLISECOND},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

/// The longest delay, in milliseconds.
const DELAY_MS_MAX: i64 = 7 * DAY / MILLISECOND;

/// Reads condition and order template; everything wrong goes to `faults`, below `pointer`.
pub(super) fn version(faults: &mut Faults, pointer: &str, input: &RuleVersionInput) -> Option<(Condition, Option<OrderTemplate>)> {
    let read: Option<Condition> = strict(faults, &format!("{pointer}/condition"), &input.condition);
    if let Some(wanted) = &read {
        condition(faults, &format!("{pointer}/condition"), wanted);
    }
    let order = match &input.order {
        None | Some(Value::Null) => None,
        Some(said) => {
            let template: OrderTemplate = strict(faults, &format!("{pointer}/order"), said)?;
            order(faults, &format!("{pointer}/order"), &template);
            Some(template)
        }
    };
    Some((read?, order))
}

/// Reads a value and refuses fields that it does not have.
fn strict<T: Serialize + DeserializeOwned>(faults: &mut Faults, pointer: &str, said: &Value) -> Option<T> {
    let read: T = match serde_json::from_value(said.clone()) {
        Ok(read) => read,
        Err(error) => {
            faults.add(pointer, "bad_field", error.to_string());
            return None;
        }
    };
    let known = serde_json::to_value(&read).unwrap_or_default();
    for field in said.as_object().into_iter().flat_map(|fields| fields.keys()) {
        let fields = known.as_object().map(|known| known.keys().cloned().collect::<Vec<_>>().join(", ")).unwrap_or_default();
        faults.when(
            known.get(field).is_none(),
            &format!("{pointer}/{field}"),
            "unknown_field",
            format!("there is no {field:?}; it has {fields}"),
        );
    }
    Some(read)
}

fn condition(faults: &mut Faults, pointer: &str, condition: &Condition) {
    let mut delay = |field: &str, ms: i64| {
        let fine = (0..=DELAY_MS_MAX).contains(&ms);
        faults.when(
            !fine,
            &format!("{pointer}/{field}"),
            "out_of_range",
            format!("a delay is 0 to {DELAY_MS_MAX} ms (seven days), not {ms}"),
        );
    };
    match condition {
        Condition::High { deadband, on_delay_ms, off_delay_ms, .. } | Condition::Low { deadband, on_delay_ms, off_delay_ms, .. } => {
            delay("on_delay_ms", *on_delay_ms);
            delay("off_delay_ms", *off_delay_ms);
            faults.when(
                *deadband < 0.0,
                &format!("{pointer}/deadband"),
                "out_of_range",
                format!("a deadband is 0 or more, not {deadband}"),
            );
        }
        Condition::Stale { after_ms } => {
            let fine = (1..=DELAY_MS_MAX).contains(after_ms);
            let message = format!("after_ms is 1 to {DELAY_MS_MAX} (seven days), not {after_ms}");
            faults.when(!fine, &format!("{pointer}/after_ms"), "out_of_range", message);
        }
        Condition::Rate { limit_per_s, on_delay_ms, off_delay_ms } => {
            delay("on_delay_ms", *on_delay_ms);
            delay("off_delay_ms", *off_delay_ms);
            let message = format!("a rate is watched in either direction, so limit_per_s is above 0, not {limit_per_s}");
            faults.when(*limit_per_s <= 0.0, &format!("{pointer}/limit_per_s"), "out_of_range", message);
        }
    }
}

fn order(faults: &mut Faults, pointer: &str, template: &OrderTemplate) {
    let kinds: Vec<_> = OrderType::ALL.iter().map(|kind| kind.name()).collect();
    let fine = kinds.contains(&template.order_type.as_str());
    let message = format!("order_type is one of {}, not {:?}", kinds.join(", "), template.order_type);
    faults.when(!fine, &format!("{pointer}/order_type"), "bad_value", message);
    let priorities: Vec<_> = Priority::ALL.iter().map(|priority| priority.name()).collect();
    let fine = priorities.contains(&template.priority.as_str());
    let message = format!("priority is one of {}, not {:?}", priorities.join(", "), template.priority);
    faults.when(!fine, &format!("{pointer}/priority"), "bad_value", message);
    faults.name(&format!("{pointer}/title"), &template.title);
}

/// A scope says something.
pub(super) fn scope(faults: &mut Faults, scope: &ScopeInput) {
    let ScopeInput { point, site, class, kind } = scope;
    let empty = point.is_none() && site.is_none() && class.is_none() && kind.is_none();
    faults.when(empty, "/scope", "empty", "name at least one of point, site, class and kind: a rule for everything is a mistake");
}
