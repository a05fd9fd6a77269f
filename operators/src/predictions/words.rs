//! A prediction in plain words.

use dcmms_schemas::{
    model::{FeatureOf, FeatureSpec, Model},
    plant::Position,
    prediction::Prediction,
};

/// `Cooling fan at B03/INV07: failure likely within 72 h (87 %)`
pub(super) fn title(model: &Model, position: Option<&Position>, prediction: &Prediction) -> String {
    let mut failure = model.failure.clone();
    if let Some(first) = failure.get_mut(0..1) {
        first.make_ascii_uppercase();
    }
    let place = position.map_or_else(|| prediction.position.to_string(), |position| position.code.clone());
    format!("{failure} at {place}: failure likely within {} h ({:.0} %)", model.horizon_hours, 100.0 * prediction.probability)
}

/// What spoke for it, strongest first: `cabinet temperature 11.0 K above its peers (+2.3), …`
pub(super) fn because(model: &Model, prediction: &Prediction) -> String {
    let told: Vec<String> = prediction
        .contributions
        .iter()
        .filter(|share| share.contribution > 0.0)
        .filter_map(|share| {
            let spec = model.features.iter().find(|spec| spec.name == share.feature)?;
            Some(format!("{} ({:+.1})", feature(spec, share.value), share.contribution))
        })
        .collect();
    if told.is_empty() { "nothing stands out; the base rate alone is above the threshold".to_owned() } else { told.join(", ") }
}

fn feature(spec: &FeatureSpec, value: f64) -> String {
    let (name, unit, step) = kind(&spec.kind);
    let side = if value < 0.0 { "below" } else { "above" };
    let size = format!("{:.1}{step}", value.abs());
    match spec.of {
        FeatureOf::Mean => format!("{name} {value:.1}{unit}"),
        FeatureOf::PeerDifference => format!("{name} {size} {side} its peers"),
        FeatureOf::PeerRatio => format!("{name} {:.0} % of its peers'", 100.0 * value),
        FeatureOf::Stddev => format!("{name} varying by {size}"),
        FeatureOf::DayDifference => format!("{name} {size} {side} the day before"),
    }
}

/// What people call a kind, its unit, and the unit of its differences. A kind that is not listed is called by its code.
fn kind(kind: &str) -> (&str, &'static str, &'static str) {
    match kind {
        "ac.power" => ("AC power", " kW", " kW"),
        "dc.power" => ("DC power", " kW", " kW"),
        "inv.temp.cabinet" => ("cabinet temperature", " °C", " K"),
        "met.poa" => ("irradiance", " W/m2", " W/m2"),
        "met.temp_ambient" => ("ambient temperature", " °C", " K"),
        "met.temp_module" => ("module temperature", " °C", " K"),
        "string.current" => ("string current", " A", " A"),
        "wtg.gearbox_temp" => ("gearbox temperature", " °C", " K"),
        "wtg.main_bearing_temp" => ("main bearing temperature", " °C", " K"),
        "wtg.rotor_speed" => ("rotor speed", " rpm", " rpm"),
        "bess.cell_v_max" => ("highest cell voltage", " V", " V"),
        "bess.cell_v_min" => ("lowest cell voltage", " V", " V"),
        "bess.module_temp_max" => ("module temperature", " °C", " K"),
        "pump.bearing_temp" => ("bearing temperature", " °C", " K"),
        "pump.vibration" => ("vibration", " mm/s", " mm/s"),
        other => (other, "", ""),
    }
}
