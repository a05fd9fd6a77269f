//! Canonical quantities and their units. A point may measure something else; then its unit has to be said.

/// Quantity and UCUM unit.
const UNITS: [(&str, &str); 44] = [
    ("ac.power", "kW"),
    ("ac.reactive", "kvar"),
    ("ac.apparent", "kVA"),
    ("ac.pf", "1"),
    ("ac.frequency", "Hz"),
    ("ac.current", "A"),
    ("ac.voltage", "V"),
    ("ac.energy_export", "kWh"),
    ("ac.energy_import", "kWh"),
    ("dc.power", "kW"),
    ("dc.voltage", "V"),
    ("dc.current", "A"),
    ("inv.temp.cabinet", "Cel"),
    ("inv.temp.sink", "Cel"),
    ("inv.temp.transformer", "Cel"),
    ("inv.state", "1"),
    ("inv.throttle", "1"),
    ("string.current", "A"),
    ("met.poa", "W/m2"),
    ("met.ghi", "W/m2"),
    ("met.dni", "W/m2"),
    ("met.dhi", "W/m2"),
    ("met.temp_module", "Cel"),
    ("met.temp_ambient", "Cel"),
    ("met.humidity", "1"),
    ("met.pressure", "hPa"),
    ("met.wind", "m/s"),
    ("met.wind_direction", "deg"),
    ("met.rain", "mm"),
    ("met.soiling_ratio", "1"),
    ("tracker.angle", "deg"),
    ("bess.soc", "1"),
    ("bess.soh", "1"),
    ("bess.cell_v", "V"),
    ("bess.module_temp", "Cel"),
    ("bess.cycles", "1"),
    ("wtg.state", "1"),
    ("wtg.pitch", "deg"),
    ("wtg.rotor_speed", "rpm"),
    ("wtg.nacelle_dir", "deg"),
    ("wtg.gearbox_temp", "Cel"),
    ("wtg.main_bearing_temp", "Cel"),
    ("grid.curtail_setpoint", "kW"),
    ("pump.vibration", "mm/s"),
];

/// The unit of a canonical quantity; a phase or index after it (`ac.voltage.a`) changes nothing.
pub fn unit_of(kind: &str) -> Option<&'static str> {
    let fits = |known: &str| kind.strip_prefix(known).is_some_and(|rest| rest.is_empty() || rest.starts_with('.') || rest.starts_with('['));
    UNITS.iter().filter(|(known, _)| fits(known)).max_by_key(|(known, _)| known.len()).map(|(_, unit)| *unit)
}

/// Whether a quantity is a register that only grows.
pub fn counts(kind: &str) -> bool {
    kind.contains(".energy_") || kind == "bess.cycles"
}
