//! Who works at the demo plant, when, and how fast they promised to be.

use chrono::{Datelike, NaiveDate, NaiveTime};
use chrono_tz::Tz;
use dcmms_api::demo::{Skill, Technician};
use dcmms_schemas::{
    calendar::{Calendar, Holiday, Opening},
    id::{CalendarId, PolicyId, SiteId, derived_id},
    sla::{Metric, Policy, Target},
    time::Moment,
};
use uuid::Uuid;

/// The same id in every seed of the same thing.
pub fn demo_id(kind: &str, name: &str) -> Uuid {
    derived_id(&format!("demo {kind}"), &[name.as_bytes()])
}

/// Name, discipline, skills, home site.
const CREW: [(&str, &str, &[&str], &str); 8] = [
    ("Asha Rao", "electrical", &["HV switching", "inverter service"], "RJ01"),
    ("Vikram Singh", "electrical", &["inverter service", "string testing"], "RJ01"),
    ("Meera Joshi", "instrumentation", &["met sensors", "SCADA"], "RJ01"),
    ("Rohan Patil", "mechanical", &["GWO", "work at height", "gearbox"], "MH02"),
    ("Sunita Kale", "electrical", &["GWO", "work at height", "HV switching"], "MH02"),
    ("Lena Vogt", "electrical", &["battery safety", "HV switching", "inverter service"], "DE03"),
    ("Jonas Krüger", "mechanical", &["pumps", "refrigerant"], "DE03"),
    ("Petra Nowak", "general", &["battery safety", "SCADA"], "DE03"),
];

/// The technicians of a site, as `(id, name)`.
pub fn crew_of(site: &str) -> Vec<(Uuid, &'static str)> {
    CREW.iter().filter(|(.., home)| *home == site).map(|(name, ..)| (demo_id("technician", name), *name)).collect()
}

/// All technicians with their certificates.
pub fn technicians(today: NaiveDate) -> Vec<Technician> {
    let years = |from: NaiveDate, years: i32| from.with_year(from.year() + years).unwrap_or(from);
    let person = |(nth, (name, discipline, skills, _)): (usize, &(&str, &str, &[&str], &str))| Technician {
        id: demo_id("technician", name),
        name: (*name).into(),
        phone: format!("+00 555 01{nth:02}"),
        discipline: (*discipline).into(),
        skills: skills
            .iter()
            .map(|skill| Skill {
                skill: (*skill).into(),
                issuer: "Demo academy".into(),
                valid_from: years(today, -1),
                valid_to: years(today, 1),
            })
            .collect(),
    };
    CREW.iter().enumerate().map(person).collect()
}

const INDIA: &str = "India O&M hours";
const GERMANY: &str = "Germany O&M hours";
const ALWAYS: &str = "Around the clock";

/// Business hours, with the public holidays of these years.
pub fn calendars(today: NaiveDate) -> Vec<Calendar> {
    let hours = |days: std::ops::RangeInclusive<u8>, from: u32, to: u32| {
        let at = |hour: u32| NaiveTime::from_hms_opt(hour, 0, 0).expect("an hour of the day");
        days.map(|weekday| Opening { weekday, from: at(from), to: at(to) }).collect()
    };
    let holidays = |days: &[(u32, u32, &str)]| {
        let year =
            |year: i32| days.iter().filter_map(move |(month, day, name)| Some((NaiveDate::from_ymd_opt(year, *month, *day)?, *name)));
        (today.year() - 1..=today.year() + 1).flat_map(year).map(|(date, name)| Holiday { date, name: name.into() }).collect()
    };
    let calendar = |name: &str, zone: Tz, openings, holidays| Calendar {
        id: CalendarId(demo_id("calendar", name)),
        name: name.into(),
        zone,
        openings,
        holidays,
    };
    vec![
        calendar(
            INDIA,
            Tz::Asia__Kolkata,
            hours(1..=6, 8, 18),
            holidays(&[(1, 26, "Republic Day"), (8, 15, "Independence Day"), (10, 2, "Gandhi Jayanti"), (12, 25, "Christmas")]),
        ),
        calendar(
            GERMANY,
            Tz::Europe__Berlin,
            hours(1..=5, 7, 17),
            holidays(&[
                (1, 1, "Neujahr"),
                (5, 1, "Tag der Arbeit"),
                (10, 3, "Tag der Deutschen Einheit"),
                (10, 31, "Reformationstag"),
                (12, 25, "Weihnachten"),
                (12, 26, "Zweiter Weihnachtstag"),
            ]),
        ),
        calendar(ALWAYS, Tz::UTC, hours(1..=7, 0, 0), Vec::new()),
    ]
}

/// Emergencies around the clock; everything else in the business hours of its site.
pub fn policies(sites: &[(&str, SiteId)], valid_from: Moment) -> Vec<Policy> {
    let policy =
        |name: String, rank: i32, calendar: &str, priorities: &[&str], sites: Vec<SiteId>, respond_h: i64, resolve_h: i64| Policy {
            id: PolicyId(demo_id("policy", &name)),
            version: 1,
            name,
            rank,
            calendar: CalendarId(demo_id("calendar", calendar)),
            order_types: Vec::new(),
            priorities: priorities.iter().map(|priority| (*priority).into()).collect(),
            sites,
            targets: vec![target(Metric::Respond, respond_h), target(Metric::Resolve, resolve_h)],
            valid_from,
        };
    let mut policies = vec![policy("Emergencies".into(), 10, ALWAYS, &["emergency"], Vec::new(), 1, 8)];
    for (country, calendar, codes) in [("India", INDIA, ["RJ01", "MH02"].as_slice()), ("Germany", GERMANY, &["DE03"])] {
        let here: Vec<SiteId> = sites.iter().filter(|(code, _)| codes.contains(code)).map(|(_, id)| *id).collect();
        policies.push(policy(format!("{country}, high"), 20, calendar, &["high"], here.clone(), 4, 16));
        policies.push(policy(format!("{country}, other"), 30, calendar, &["medium", "low"], here, 16, 60));
    }
    policies
}

fn target(metric: Metric, hours: i64) -> Target {
    let pause_reasons = ["parts", "access", "weather", "customer"].map(String::from).to_vec();
    Target { metric, minutes: hours * 60, pause_reasons, warn_percent: vec![50, 75, 90] }
}
