use super::{
    fault::{Fault, Kind},
    *,
};
use dcmms_schemas::time::HOUR;
use std::collections::HashMap;

const START: &str = "2026-06-10T00:00:00Z";

fn start() -> Moment {
    Moment::from(START.parse::<DateTime<Utc>>().expect("a time"))
}

/// All readings of a plant by key, stepped from the start.
fn history(schedule: &Schedule, hours: i64, period_us: i64) -> HashMap<String, Vec<(Moment, f64)>> {
    let mut plant = Plant::new(3, schedule);
    let mut samples = Vec::new();
    for at in plant::steps(start(), start().plus(hours * HOUR), period_us) {
        plant.step(at, &mut samples);
    }
    let mut history: HashMap<String, Vec<(Moment, f64)>> = HashMap::new();
    for sample in samples {
        history.entry(plant.points[sample.point].key.clone()).or_default().push((sample.at, sample.value));
    }
    history
}

fn fault(kind: Kind, target: &str, from_h: i64, full_h: i64, until_h: Option<i64>) -> Schedule {
    let at = |hours: i64| start().plus(hours * HOUR);
    Schedule(vec![Fault { kind, target: target.into(), from: at(from_h), full: at(full_h), until: until_h.map(at) }])
}

fn max(rows: &[(Moment, f64)]) -> f64 {
    rows.iter().map(|row| row.1).fold(f64::MIN, f64::max)
}

fn args(seed: u64, out: PathBuf) -> SimulateArgs {
    let at = |text: &str| Some(text.parse().expect("a time"));
    SimulateArgs {
        seed,
        period: "5m".into(),
        rate: None,
        points: None,
        from: at(START),
        to: at("2026-06-10T12:00:00Z"),
        live: false,
        speed: "max".into(),
        anchor: None,
        fault: vec!["default".into()],
        out: Some(out),
        create: false,
    }
}

#[test]
fn the_same_seed_writes_the_same_bytes() {
    let folder = tempfile::tempdir().expect("a folder");
    let written = |seed: u64, name: &str| {
        let path = folder.path().join(name);
        let count = to_file(&args(seed, path.clone()), Moment(0)).expect("simulated");
        assert!(count > 100, "{count}");
        std::fs::read(path).expect("a file")
    };
    for name in ["a.ndjson", "a.csv", "a.ndjson.gz"] {
        let once = written(7, name);
        assert!(once == written(7, &format!("again-{name}")), "{name} differs between two runs");
        assert!(once != written(8, &format!("other-{name}")), "{name} does not depend on the seed");
    }
}

#[test]
fn night_is_dark_and_noon_is_bright() {
    let history = history(&Schedule::default(), 24, 5 * MINUTE);
    let power = &history["RJ01/B01/INV03:ac.power"];
    // 19:00 to 24:00 UTC is half past midnight to half past five in Rajasthan; 5:30 to 8:30 UTC is about noon.
    let between = |from: i64, to: i64| power.iter().filter(move |row| (start().plus(from).0..start().plus(to).0).contains(&row.0.0));
    assert!(between(19 * HOUR, 23 * HOUR).all(|row| row.1 == 0.0), "an inverter works at night");
    assert!(between(5 * HOUR, 9 * HOUR).any(|row| row.1 > 300.0), "an inverter sleeps at noon");
    assert!(max(power) <= layout::INVERTER_KW + 0.1);
    assert!(max(&history["RJ01/MET1:met.poa"]) > 600.0);
}

#[test]
fn a_register_is_the_integral_of_power() {
    let history = history(&Schedule::default(), 48, MINUTE);
    for key in ["RJ01/B02/INV04", "MH02/T05"] {
        let power = &history[&format!("{key}:ac.power")];
        let energy = &history[&format!("{key}:ac.energy_export")];
        assert!(energy.windows(2).all(|pair| pair[0].1 <= pair[1].1), "{key} counts backwards");
        let integral: f64 = power.windows(2).map(|pair| (pair[0].1 + pair[1].1) / 2.0 / 60.0).sum();
        let counted = energy[energy.len() - 1].1 - energy[0].1;
        assert!((integral - counted).abs() < 0.001 * counted, "{key}: {integral} of power, {counted} counted");
        assert!(counted > 100.0, "{key} made only {counted} kWh");
    }
}

#[test]
fn no_healthy_cabinet_is_hot_and_a_failing_fan_trips_its_inverter() {
    let well = history(&Schedule::default(), 72, 5 * MINUTE);
    for (key, rows) in well.iter().filter(|(key, _)| key.ends_with(":inv.temp.cabinet")) {
        assert!(max(rows) < 65.0, "{key} is at {}", max(rows));
    }
    let ill = history(&fault(Kind::Fan, "DE03/PCS02", 6, 48, None), 72, 5 * MINUTE);
    let cabinet = &ill["DE03/PCS02:inv.temp.cabinet"];
    assert!(max(cabinet) > 75.0, "it only reached {}", max(cabinet));
    // Once tripped it gives no power until it has cooled.
    let power = &ill["DE03/PCS02:ac.power"];
    assert!(power.iter().filter(|row| row.0 > start().plus(48 * HOUR) && row.1 == 0.0).count() > 3, "it never tripped");
    assert_eq!(ill["DE03/PCS01:inv.temp.cabinet"], well["DE03/PCS01:inv.temp.cabinet"], "a fault reaches a neighbour");
}

#[test]
fn every_fault_shows_where_it_is() {
    let well = history(&Schedule::default(), 48, 5 * MINUTE);
    let cases = [
        (Kind::Soiling, "RJ01/B01", "RJ01/B01/INV02:ac.energy_export"),
        (Kind::String, "RJ01/B01/INV07", "RJ01/B01/INV07:ac.power"),
        (Kind::String, "RJ01/B01/INV07/S2", "RJ01/B01/INV07/S2:string.current"),
        (Kind::Gearbox, "MH02/T04", "MH02/T04:wtg.gearbox_temp"),
        (Kind::Cell, "DE03/PCS03/R02", "DE03/PCS03/R02:bess.cell_v_min"),
        (Kind::Bearing, "DE03/P03", "DE03/P03:pump.vibration"),
        (Kind::Freeze, "MH02/T09", "MH02/T09:met.wind"),
    ];
    for (kind, target, key) in cases {
        let ill = history(&fault(kind, target, 6, 12, None), 48, 5 * MINUTE);
        let mean = |rows: &[(Moment, f64)]| rows.iter().skip(200).map(|row| row.1).sum::<f64>() / (rows.len() - 200) as f64;
        let (ill, well) = (mean(&ill[key]), mean(&well[key]));
        assert!((ill - well).abs() > 0.000_1 * well.abs(), "{}: {key} is {well} well and {ill} ill", kind.name());
    }
}

#[test]
fn a_gap_loses_and_a_buffer_delivers_late() {
    let gap = history(&fault(Kind::Gap, "MH02/T11", 6, 6, Some(10)), 24, 5 * MINUTE);
    assert_eq!(gap["MH02/T11:ac.power"].len(), 288 - 47, "between 6:05 and 9:55 nothing is said");
    let held = history(&fault(Kind::Buffered, "MH02/T11", 6, 6, Some(10)), 24, 5 * MINUTE);
    assert_eq!(held["MH02/T11:ac.power"].len(), 288, "nothing is lost");
    assert!(held["MH02/T11:ac.power"].windows(2).all(|pair| pair[0].0 < pair[1].0), "the buffer comes oldest first");
    let skew = history(&fault(Kind::Skew, "MH02/T11", 6, 6, Some(10)), 24, 5 * MINUTE);
    assert!(skew["MH02/T11:ac.power"].iter().any(|row| row.0.0 % (5 * MINUTE) == 4 * MINUTE));
}

#[test]
fn load_is_even_and_complete() {
    let mut load = load::Load::new(100, SECOND, 1);
    let mut samples = Vec::new();
    for at in plant::steps(start(), start().plus(10 * SECOND), 10 * MILLISECOND) {
        let before = samples.len();
        load.step(at, &mut samples);
        assert!(samples.len() - before <= 1, "more than its share in one step");
    }
    assert_eq!(samples.len(), 999, "ten seconds less the last step");
    let mut seen = HashMap::new();
    for sample in &samples {
        assert!(seen.insert((sample.point, sample.at), ()).is_none(), "said twice");
    }
}

#[test]
fn the_plant_is_as_large_as_promised() {
    let sites = layout::sites();
    let assets: usize = sites.iter().flat_map(|site| &site.positions).filter(|position| !position.points.is_empty()).count();
    assert_eq!(sites.len(), 3);
    assert!(assets >= 50, "{assets}");
    for site in &sites {
        for (index, position) in site.positions.iter().enumerate() {
            let known = |code: &str| site.positions[..index].iter().any(|before| before.code == code);
            assert!(position.parent().is_none_or(known), "{} comes before its parent", position.code);
        }
    }
}

#[test]
fn faults_are_read_or_refused_precisely() {
    let read = |text: &str| Schedule::parse(&[text.to_owned()], Moment(0), Moment(0));
    let schedule = read("fan:RJ01/B01/INV02@2026-11-20T10:00:00Z/36h/8h").expect("sound");
    assert_eq!(schedule.0[0].until, Some(schedule.0[0].full.plus(8 * HOUR)));
    for (text, says) in [
        ("fan", "no ':' after the kind"),
        ("fann:X@2026-11-20T10:00:00Z/1h", "no kind of fault"),
        ("fan:X", "no '@'"),
        ("fan:X@yesterday/1h", "no RFC 3339 time"),
        ("fan:X@2026-11-20T10:00:00Z", "how long it takes"),
        ("fan:X@2026-11-20T10:00:00Z/soon", "no duration"),
    ] {
        let error = format!("{:#}", read(text).expect_err(text));
        assert!(error.contains(says), "{text}: {error}");
    }
}
