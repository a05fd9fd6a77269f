//! The demo's alarm rules.

use chrono::{DateTime, Utc};
use dcmms_api::setup::RulePlan;
use dcmms_schemas::rule::{Condition, OrderTemplate, Severity};

/// What alarms make people do.
fn order(order_type: &str, priority: &str, title: &str, description: &str) -> Option<OrderTemplate> {
    let text = String::from;
    Some(OrderTemplate { order_type: text(order_type), priority: text(priority), title: text(title), description: text(description) })
}

const fn high(limit: f64, deadband: f64, on_minutes: i64, off_minutes: i64) -> Condition {
    Condition::High { limit, deadband, on_delay_ms: on_minutes * 60_000, off_delay_ms: off_minutes * 60_000 }
}

const fn low(limit: f64, deadband: f64, on_minutes: i64, off_minutes: i64) -> Condition {
    Condition::Low { limit, deadband, on_delay_ms: on_minutes * 60_000, off_delay_ms: off_minutes * 60_000 }
}

/// Every rule holds since `valid_from`, so that the seeded past is judged too.
pub fn rules(valid_from: DateTime<Utc>) -> Vec<RulePlan> {
    let rule = |name: &str, class: Option<&str>, kind: Option<&str>, severity, condition, order| RulePlan {
        name: name.into(),
        point: None,
        site: None,
        class: class.map(String::from),
        kind: kind.map(String::from),
        group: None,
        valid_from,
        enabled: true,
        severity,
        condition,
        order,
    };
    let cabinet = Some("inv.temp.cabinet");
    let mut rules = vec![
        rule(
            "Inverter cabinet hot",
            Some("inverter"),
            cabinet,
            Severity::High,
            high(62.0, 4.0, 0, 30),
            order("corrective", "high", "Inverter cabinet is hot", "Check fans, filters and air ducts; derate until mended."),
        ),
        rule(
            "Gearbox hot",
            Some("turbine"),
            Some("wtg.gearbox_temp"),
            Severity::High,
            high(74.0, 3.0, 10, 60),
            order("inspection", "high", "Gearbox is hot", "Take an oil sample; look at cooler, filter and bearings."),
        ),
        rule(
            "Cell voltage low",
            Some("rack"),
            Some("bess.cell_v_min"),
            Severity::Medium,
            low(2.98, 0.03, 5, 30),
            order("inspection", "medium", "A cell falls behind", "Balance the rack; replace the module when the spread stays."),
        ),
        rule(
            "Pump vibrates",
            Some("pump"),
            Some("pump.vibration"),
            Severity::Medium,
            high(5.5, 0.5, 10, 60),
            order("corrective", "medium", "Pump vibrates", "Check bearing, alignment and mounting."),
        ),
        rule("Pump bearing hot", Some("pump"), Some("pump.bearing_temp"), Severity::Low, high(62.0, 2.0, 10, 60), None),
        rule(
            "Cabinet heats fast",
            Some("inverter"),
            cabinet,
            Severity::Info,
            Condition::Rate { limit_per_s: 0.05, on_delay_ms: 0, off_delay_ms: 0 },
            None,
        ),
        rule("Power silent", None, Some("ac.power"), Severity::Medium, Condition::Stale { after_ms: 3_600_000 }, None),
        rule(
            "Met station silent",
            Some("met_station"),
            Some("met.temp_ambient"),
            Severity::Low,
            Condition::Stale { after_ms: 3_600_000 },
            None,
        ),
        rule("Rack warm", Some("rack"), Some("bess.module_temp_max"), Severity::High, high(38.0, 1.0, 10, 60), None),
        rule("Storm", Some("met_station"), Some("met.wind"), Severity::Low, high(21.0, 3.0, 5, 60), None),
    ];
    // The nearest rule wins: one inverter stands in a warmer corner.
    let warm_corner = "RJ01/B02/INV04:inv.temp.cabinet";
    rules.push(RulePlan {
        point: Some(warm_corner.into()),
        class: None,
        kind: None,
        ..rule("Cabinet hot, warm corner", None, None, Severity::High, high(66.0, 4.0, 0, 30), None)
    });
    rules
}
