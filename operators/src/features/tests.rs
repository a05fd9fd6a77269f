use super::*;
use dcmms_schemas::id::ModelId;
use uuid::Uuid;

fn spec(kind: &str, of: FeatureOf) -> FeatureSpec {
    FeatureSpec { name: format!("{kind}.{of:?}"), kind: kind.into(), of }
}

fn position(id: u128) -> PositionId {
    PositionId(Uuid::from_u128(id))
}

fn hour(mean: f64, stddev: f64, day: Option<f64>) -> Option<KindHour> {
    Some(KindHour { mean, stddev, day })
}

const ALL: [FeatureOf; 5] = [FeatureOf::Mean, FeatureOf::Stddev, FeatureOf::PeerDifference, FeatureOf::PeerRatio, FeatureOf::DayDifference];

#[test]
fn a_position_is_compared_with_its_peers_and_with_its_day() {
    let specs: Vec<_> = ALL.map(|of| spec("inv.temp.cabinet", of)).into();
    let member = |id, hour| Member { position: position(id), hours: vec![hour] };
    let members =
        [member(1, hour(40.0, 1.5, Some(36.0))), member(2, hour(50.0, 2.0, None)), member(3, hour(42.0, 0.0, Some(42.0))), member(4, None)];
    let values = features(&specs, &members);
    assert_eq!(values[0], [Some(40.0), Some(1.5), Some(-2.0), Some(40.0 / 42.0), Some(4.0)]);
    assert_eq!(values[1], [Some(50.0), Some(2.0), Some(8.0), Some(50.0 / 42.0), None]);
    assert_eq!(values[3], [None; 5]);
    let night = [member(1, hour(0.0, 0.0, None)), member(2, hour(3.0, 0.0, None)), member(3, hour(-3.0, 0.0, None))];
    assert_eq!(features(&specs, &night)[1][3], Some(1.0), "a ratio to nothing is no ratio");
}

#[test]
fn members_come_from_the_hours_of_their_points() {
    let specs = [spec("string.current", FeatureOf::Mean), spec("inv.temp.cabinet", FeatureOf::DayDifference)];
    let place = |point, id, kind| Place { point: PointNumber(point), position: position(id), kind };
    let places = [place(1, 7, 0), place(2, 7, 0), place(3, 7, 1), place(4, 8, 1)];
    let at = |hours: i64| Moment(hours * HOUR);
    let mut hours = Hours::new();
    let mut say = |point, start, mean| hours.insert((PointNumber(point), start), HourStat { mean, stddev: mean / 10.0, last_at: start });
    say(1, at(30), 4.0);
    say(2, at(30), 8.0);
    say(3, at(30), 50.0);
    say(3, at(29), 40.0);
    say(3, at(6), 30.0);
    say(3, at(5), 1_000.0);
    say(4, at(29), 1.0);
    let members = members(&specs, &places, &hours, at(30));
    assert_eq!(members.len(), 1, "the other position said nothing in this hour");
    assert_eq!(
        members[0].hours[0].map(|hour| (hour.mean, hour.day)),
        Some((6.0, None)),
        "the day is made only where a feature asks for it"
    );
    assert_eq!(members[0].hours[1].map(|hour| (hour.mean, hour.day)), Some((50.0, Some(35.0))), "24 hours before it, not 25");
}

fn model() -> Model {
    Model {
        id: ModelId(Uuid::nil()),
        version: 1,
        name: "fan".into(),
        class: "inverter".into(),
        features: ALL.iter().chain(&ALL[..2]).enumerate().map(|(index, of)| spec(&format!("kind{index}"), *of)).collect(),
        means: vec![10.0; 7],
        scales: vec![2.0, 2.0, 2.0, 0.0, 2.0, 2.0, 2.0],
        coefficients: vec![1.0, -3.0, 0.5, 9.0, 2.0, 0.1, 0.2],
        intercept: -1.0,
        threshold: 0.5,
        hours: 1,
        horizon_hours: 24,
        failure: "fan".into(),
        valid_from: Moment::MIN,
    }
}

#[test]
fn contributions_add_up_to_the_score_strongest_first() {
    let model = model();
    assert!(is_whole(&model));
    let (probability, shares) =
        score(&model, &[Some(12.0), Some(11.0), None, Some(99.0), Some(10.5), Some(10.0), Some(11.0)]).expect("a score");
    // 1 - 1.5 + 0 + 0.5 + 0 + 0.1 less the intercept.
    assert!((probability - 1.0 / (1.0 + 0.9f64.exp())).abs() < 1e-12, "{probability}");
    let told: Vec<_> = shares.iter().map(|share| share.contribution).collect();
    assert_eq!(told.len(), CONTRIBUTIONS_MAX);
    assert_eq!(told[..4], [-1.5, 1.0, 0.5, 0.1], "the feature that never varied says nothing");
    assert_eq!(score(&model, &[None; 7]), None);
    assert!(!is_whole(&Model { means: vec![], ..model }));
}
