use super::{map::Map, *};
use dcmms_schemas::reading::Quality;
use std::{fmt::Write as _, io::Write as _};

/// A mapping of one file with the given lines in `[[files]]`, `[files.time]` and `[[files.points]]`.
fn map_of(file: &str, time: &str, points: &str) -> String {
    format!(
        "sites = [{{ code = \"S\", zone = \"Europe/Berlin\" }}]\n[[files]]\nmatch = \"*\"\n{file}\n[files.time]\n{time}\n[[files.points]]\n{points}\n"
    )
}

const PLAIN: &str = "column = \"v\"\npoint = \"S/A:x\"\nunit = \"kW\"";
const STAMPED: &str = "column = \"t\"\nformat = \"%Y-%m-%d %H:%M\"\nzone = \"Europe/Berlin\"";

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Folder {
        Folder(tempfile::tempdir().expect("a folder"))
    }

    fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, bytes).expect("a file");
        path
    }
}

/// Reads a file to its end: readings as `(key, moment in ms, value, quality)`, refusals as `line: reason`.
fn read(map: &str, bytes: &[u8]) -> (Vec<(String, i64, f64, Quality)>, Vec<String>) {
    let folder = Folder::new();
    let path = folder.file("data.csv", bytes);
    let map = Map::parse(map).unwrap_or_else(|error| panic!("{error:#}"));
    let mut points = Points::default();
    let mut rows = Rows::open(&path, &map).unwrap_or_else(|error| panic!("{error:#}"));
    let (mut readings, mut refused) = (Vec::new(), Vec::new());
    while let Some(line) = rows.next(&mut points).expect("readable") {
        refused.extend(line.refused.iter().map(|refused| format!("{}: {}", refused.line, refused.reason)));
        if let Some(row) = line.row {
            for cell in row.cells {
                readings.push((points.keys[cell.point as usize].clone(), row.at.millis(), cell.value, cell.quality));
            }
        }
    }
    (readings, refused)
}

fn ms(rfc3339: &str) -> i64 {
    chrono::DateTime::parse_from_rfc3339(rfc3339).expect("a time").timestamp_millis()
}

#[test]
fn times_are_read_as_they_are_written() {
    let cases = [
        ("%d-%m-%Y %H:%M", "Asia/Kolkata", "15-05-2020 00:15", "2020-05-15T00:15:00+05:30"),
        ("%Y-%m-%d %H:%M:%S", "Asia/Kolkata", "2020-05-15 00:15:07", "2020-05-15T00:15:07+05:30"),
        ("%d %m %Y %H:%M", "Europe/Istanbul", "01 01 2018 00:10", "2018-01-01T00:10:00+03:00"),
        ("%m/%d/%Y %I:%M %p", "UTC", "12/31/2020 11:59 PM", "2020-12-31T23:59:00Z"),
        ("%Y-%m-%d", "Europe/Berlin", "2020-07-01", "2020-07-01T00:00:00+02:00"),
        ("%Y-%m-%dT%H:%M:%S%.f%z", "UTC", "2020-07-01T12:00:00.250+0530", "2020-07-01T12:00:00.250+05:30"),
        ("rfc3339", "UTC", "2020-07-01T12:00:00+02:00", "2020-07-01T12:00:00+02:00"),
        ("epoch_s", "UTC", "1593597600", "2020-07-01T10:00:00Z"),
        ("epoch_s", "UTC", "1593597600.5", "2020-07-01T10:00:00.500Z"),
        ("epoch_ms", "UTC", "1593597600123", "2020-07-01T10:00:00.123Z"),
    ];
    for (format, zone, written, meant) in cases {
        let map = map_of("", &format!("column = \"t\"\nformat = \"{format}\"\nzone = \"{zone}\""), PLAIN);
        let (readings, refused) = read(&map, format!("t,v\n{written},1\n").as_bytes());
        assert!(refused.is_empty(), "{format}: {refused:?}");
        assert_eq!(readings[0].1, ms(meant), "{format}: {written}");
    }
}

#[test]
fn an_hour_that_comes_twice_and_one_that_never_comes() {
    let twice = b"t,v\n2020-10-25 02:30,1\n";
    let never = b"t,v\n2020-03-29 02:30,1\n";
    let with = |more: &str| map_of("", &format!("{STAMPED}\n{more}"), PLAIN);
    assert_eq!(read(&with(""), twice).0[0].1, ms("2020-10-25T02:30:00+02:00"), "the earlier by default");
    assert_eq!(read(&with("overlap = \"later\""), twice).0[0].1, ms("2020-10-25T02:30:00+01:00"));
    assert!(read(&with("overlap = \"reject\""), twice).1[0].contains("exists twice"));
    assert!(read(&with(""), never).1[0].contains("does not exist"), "refused by default");
    assert_eq!(read(&with("gap = \"shift\""), never).0[0].1, ms("2020-03-29T02:30:00+01:00"));
}

#[test]
fn cells_are_read_as_they_are_written() {
    let semicolon = "delimiter = \";\"\ndecimal = \",\"";
    let cases: [(&str, &str, &str, f64); 6] = [
        ("", PLAIN, "t,v\n2020-01-01 00:00,25.184316133333333\n", 25.184316133333333),
        ("", PLAIN, "\u{feff}t,v\n2020-01-01 00:00, 1e-3 \n", 0.001),
        (semicolon, PLAIN, "t;v\n2020-01-01 00:00;1.234,5\n", 1234.5),
        ("delimiter = \"tab\"", PLAIN, "t\tv\n2020-01-01 00:00\t7\n", 7.0),
        ("columns = [\"t\", \"v\"]", PLAIN, "2020-01-01 00:00,7\n", 7.0),
        ("", "column = \"v\"\npoint = \"S/A:x\"\nscale = 1000.0\noffset = 1.0", "t,v\n2020-01-01 00:00,0.5\n", 501.0),
    ];
    for (file, points, text, value) in cases {
        let (readings, refused) = read(&map_of(file, STAMPED, points), text.as_bytes());
        assert!(refused.is_empty(), "{text:?}: {refused:?}");
        assert_eq!(readings[0].2.to_bits(), value.to_bits(), "{text:?}");
    }
}

#[test]
fn packed_files_are_unpacked_whatever_their_name() {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(b"t,v\n2020-01-01 00:00,3\n").expect("memory");
    let (readings, _) = read(&map_of("", STAMPED, PLAIN), &packed.finish().expect("memory"));
    assert_eq!(readings[0].2, 3.0);
}

#[test]
fn a_key_column_quality_skips_and_empty_cells() {
    let file = "missing = [\"\", \"NA\"]\nskip = [{ column = \"plant\", equals = [\"other\"] }]";
    let points = "column = \"v\"\npoint = \"S/{inv}:ac.power\"\nquality = { column = \"q\", uncertain = [\"1\"], bad = [\"2\"] }";
    let text = "t,inv,v,q,plant\n\
        2020-01-01 00:00,A,1,0,mine\n\
        2020-01-01 00:00,B,2,1,mine\n\
        2020-01-01 00:05,A,3,2,mine\n\
        2020-01-01 00:05,B,NA,0,mine\n\
        2020-01-01 00:05,C,9,0,other\n";
    let (readings, refused) = read(&map_of(file, STAMPED, points), text.as_bytes());
    let short: Vec<_> = readings.iter().map(|(key, _, value, quality)| (key.as_str(), *value, *quality)).collect();
    assert_eq!(
        short,
        [("S/A:ac.power", 1.0, Quality::Good), ("S/B:ac.power", 2.0, Quality::Uncertain), ("S/A:ac.power", 3.0, Quality::Bad)]
    );
    assert!(refused.is_empty());
}

#[test]
fn bad_rows_are_named_and_stop_nothing() {
    let text = b"t,v\n\
        2020-01-01 00:00,1\n\
        yesterday,2\n\
        2020-01-01 00:10,high\n\
        2020-01-01 00:15\n\
        2020-01-01 00:20,4,5\n\
        2020-01-01 00:25,NaN\n\
        2020-01-01 00:30,\xff\n\
        2020-01-01 00:35,8\n";
    let (readings, refused) = read(&map_of("", STAMPED, PLAIN), text);
    assert_eq!(readings.iter().map(|reading| reading.2).collect::<Vec<_>>(), [1.0, 8.0]);
    let expected =
        ["3: time \"yesterday\"", "4: \"high\" is no number", "5: 1 cells", "6: 3 cells", "7: \"NaN\" is not finite", "8: not UTF-8"];
    assert_eq!(refused.len(), expected.len(), "{refused:?}");
    for (refused, expected) in refused.iter().zip(expected) {
        assert!(refused.starts_with(expected), "{refused} does not begin with {expected}");
    }
}

#[test]
fn a_malformed_mapping_is_refused_with_its_line() {
    let cases = [
        (map_of("", STAMPED, PLAIN).replace("Europe/Berlin\" }", "Berlin\" }"), "line 1: \"Berlin\" is no IANA time zone"),
        (map_of("", "column = \"t\"\nformat = \"%Q\"", PLAIN), "line 7: time format \"%Q\""),
        (map_of("", "column = \"t\"\nformat = \"ISO\"", PLAIN), "none of rfc3339"),
        (map_of("decimal = \";\"", STAMPED, PLAIN), "line 4: decimal"),
        (map_of("", STAMPED, "column = \"v\"\npoint = \"X/A:x\""), "does not begin with a site's code (S)"),
        (map_of("", STAMPED, "column = \"v\"\npoint = \"S/{A:x\""), "without '}'"),
        (map_of("", STAMPED, "column = \"v\"\npoint = \"S/A\""), "no ':'"),
        (map_of("", STAMPED, "column = \"v\"\npoint = \"S/A:x\"\nresolution = 0.0"), "line 12: resolution"),
        (map_of("", STAMPED, "column = \"v\"\npoint = \"S/A:x\"\nunits = \"kW\""), "unknown field `units`"),
        (map_of("", STAMPED, PLAIN).replace("match", "mtach"), "unknown field `mtach`"),
        ("sites = [".into(), "line 1"),
    ];
    for (text, says) in cases {
        let error = format!("{:#}", Map::parse(&text).expect_err(says));
        assert!(error.contains(says), "{error}\n\ndoes not say {says:?}");
    }
}

#[test]
fn a_missing_column_is_named_with_those_that_exist() {
    let folder = Folder::new();
    let path = folder.file("a.csv", b"t,power\n");
    let map = Map::parse(&map_of("", STAMPED, PLAIN)).expect("sound");
    let error = format!("{:#}", Rows::open(&path, &map).expect_err("no column v"));
    assert!(error.contains("no column \"v\"") && error.contains("[\"t\", \"power\"]"), "{error}");
    let narrow = Map::parse(&map_of("", STAMPED, PLAIN).replace("match = \"*\"", "match = \"gen*.csv\"")).expect("sound");
    assert!(format!("{:#}", Rows::open(&path, &narrow).expect_err("no match")).contains("gen*.csv"));
}

fn args(files: Vec<PathBuf>, map: PathBuf) -> ReplayArgs {
    ReplayArgs { files, map, speed: Speed::Max, shift_to: None, rows_max: None, dry_run: true, rejects: None }
}

#[test]
fn files_are_merged_by_time_sorted_or_not() {
    let folder = Folder::new();
    let rows = |minutes: &[u32]| {
        let mut text = String::from("t,v\n");
        minutes.iter().for_each(|minute| writeln!(text, "2020-01-01 00:{minute:02},{minute}").expect("memory"));
        text
    };
    let first = folder.file("first.csv", rows(&[0, 10, 20, 30]).as_bytes());
    let second = folder.file("second.csv", rows(&[25, 5, 10, 40]).as_bytes());
    let map = folder.file("map.toml", map_of("", STAMPED, PLAIN).as_bytes());
    let found = surveyed(&args(vec![first, second], map)).expect("surveyed");
    assert_eq!((found.surveys[0].1.sorted, found.surveys[1].1.sorted), (true, false));
    let mut points = found.points;
    let files = found.surveys.iter().map(|(path, survey)| (Rows::open(path, &found.map).expect("open"), survey.clone())).collect();
    let mut merged = Merged::new(files, &mut points).expect("merged");
    let mut minutes = Vec::new();
    while let Some(row) = merged.next(&mut points).expect("a row") {
        minutes.push(row.cells[0].value);
    }
    assert_eq!(minutes, [0.0, 5.0, 10.0, 10.0, 20.0, 25.0, 30.0, 40.0]);
}

#[test]
fn the_shift_puts_the_first_row_now_at_speed_one_and_the_last_otherwise() {
    let folder = Folder::new();
    let data = folder.file("a.csv", b"t,v\n2020-01-01 00:00,1\n2020-01-01 01:00,2\n");
    let map = folder.file("map.toml", map_of("", STAMPED, PLAIN).as_bytes());
    let mut args = args(vec![data], map);
    let found = surveyed(&args).expect("surveyed");
    let (first, last) = (ms("2020-01-01T00:00:00+01:00"), ms("2020-01-01T01:00:00+01:00"));
    let now = Moment::from_millis(ms("2026-11-21T00:00:00Z"));
    assert_eq!(found.shift_us(&args, now), 0);
    args.shift_to = Some(ShiftTo::Now);
    assert_eq!(found.shift_us(&args, now), (now.millis() - last) * 1_000);
    args.speed = Speed::Times(1.0);
    assert_eq!(found.shift_us(&args, now), (now.millis() - first) * 1_000);
}

#[test]
fn refusals_are_written_to_a_file() {
    let folder = Folder::new();
    let data = folder.file("a.csv", b"t,v\nnever,1\n2020-01-01 01:00,2\n");
    let map = folder.file("map.toml", map_of("", STAMPED, PLAIN).as_bytes());
    let mut args = args(vec![data], map);
    args.rejects = Some(folder.0.path().join("bad.csv"));
    let found = surveyed(&args).expect("surveyed");
    assert_eq!((found.summary.rows, found.summary.readings, found.summary.refused), (1, 1, 1));
    let written = std::fs::read_to_string(args.rejects.expect("set")).expect("a file");
    assert!(written.lines().nth(1).is_some_and(|line| line.contains(",2,t,") && line.ends_with("\"never,1\"")), "{written}");
}

#[test]
fn the_sample_mappings_are_sound() {
    for text in [include_str!("../../samples/solar-plant1.toml"), include_str!("../../samples/wind-t1.toml")] {
        let map = Map::parse(text).unwrap_or_else(|error| panic!("{error:#}"));
        assert!(!map.rules.is_empty());
    }
}
