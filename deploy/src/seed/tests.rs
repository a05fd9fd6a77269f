use super::*;
use dcmms_schemas::{
    order::stage::{Event, MOVES, Stage},
    time::HOUR,
};
use std::collections::HashMap;

fn anchor() -> Moment {
    Moment::from("2026-11-21T02:00:00Z".parse::<DateTime<Utc>>().expect("a time"))
}

fn year() -> Vec<demo::Order> {
    let sites = layout::sites();
    orders::orders(&sites, &Schedule::developed(simulate::past(anchor()), anchor()), anchor())
}

#[test]
fn a_year_of_orders_stands_in_every_state() {
    let orders = year();
    assert!(orders.len() >= 200, "{}", orders.len());
    let mut by_status: HashMap<&str, usize> = HashMap::new();
    for order in &orders {
        *by_status.entry(order.status.as_str()).or_default() += 1;
        assert!(order.created_at <= anchor().utc() && order.created_at > anchor().utc() - TimeDelta::days(366), "{}", order.title);
    }
    for stage in Stage::ALL {
        assert!(by_status.get(stage.name()).is_some_and(|count| *count > 0), "no order is {stage}: {by_status:?}");
    }
}

#[test]
fn every_move_is_one_of_the_machine_and_time_does_not_run_back() {
    for order in year() {
        assert_eq!(order.moves.last().map(|step| step.to_status.as_str()), Some(order.status.as_str()));
        for pair in order.moves.windows(2) {
            assert!(pair[0].at <= pair[1].at, "{}", order.title);
            let (from, to) = (Stage::of(&pair[0].to_status), Stage::of(&pair[1].to_status));
            let event = Event::of(&pair[1].event);
            let known = MOVES
                .iter()
                .any(|step| Some(step.event) == event && Some(step.to) == to && from.is_some_and(|from| step.from.contains(&from)));
            assert!(known, "{:?}", pair[1]);
        }
    }
}

#[test]
fn every_failed_fan_of_the_past_has_its_report() {
    let orders = year();
    let fans: Vec<_> = orders
        .iter()
        .filter(|order| order.title.starts_with("Inverter trips"))
        .filter_map(|order| order.failure.as_ref().map(|failure| (order, failure)))
        .collect();
    assert_eq!(fans.len(), 8);
    for (order, failure) in fans {
        assert_eq!(failure.mechanism, "PV-FAN");
        assert!(failure.failed_at <= failure.detected_at && failure.restored_at.is_some_and(|restored| restored > failure.detected_at));
        assert_eq!(order.resolved_at, failure.restored_at);
    }
}

#[test]
fn a_fan_is_failing_now_whatever_the_hour() {
    for hour in [0, 6, 12, 18] {
        let now = anchor().plus(hour * HOUR);
        let mut plant = Plant::new(SEED, &Schedule::developed(simulate::past(now), now));
        let mut samples = Vec::new();
        let mut hottest: HashMap<String, f64> = HashMap::new();
        for at in plant::steps(simulate::past(now), now, simulate::PAST_PERIOD_US) {
            samples.clear();
            plant.step(at, &mut samples);
            for sample in samples.iter().filter(|_| at >= now.minus(3 * HOUR)) {
                let hottest = hottest.entry(plant.points[sample.point].key.clone()).or_insert(f64::MIN);
                *hottest = hottest.max(sample.value);
            }
        }
        let failing = hottest["DE03/PCS02:inv.temp.cabinet"];
        let well = hottest["DE03/PCS01:inv.temp.cabinet"];
        assert!(failing > 62.0, "at hour {hour} it is only {failing}");
        assert!(well < 58.0, "at hour {hour} a healthy one is {well}");
    }
}

#[test]
fn the_plan_covers_the_plant() {
    let sites = layout::sites();
    let plan = plan(&sites, Utc::now());
    let plant = Plant::new(SEED, &Schedule::default());
    let keys: Vec<&str> = plan.points.iter().map(|point| point.key.as_str()).collect();
    assert_eq!(keys, plant.points.iter().map(|point| point.key.as_str()).collect::<Vec<_>>());
    assert!(plan.points.len() >= 200 && plan.positions.len() >= 50);
}
