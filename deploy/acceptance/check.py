#!/usr/bin/env python3
"""Judges what dCMMS made of the two public data sets by DuckDB over the same CSV, and compares installations.

    check.py expect DATA EXPECTED.duckdb [ROWS_MAX]     every window of every point, as DuckDB sees it
    check.py compare EXPECTED.duckdb DUMP               the roll-ups of a dump against them; ends with 1 when one differs
    check.py same DUMP DUMP [TABLE ...]                 two dumps, table by table; ends with 1 when one differs

A dump is a folder of CSV files without tick columns, ids replaced by names and keys; real_input.sh makes them.
"""

import hashlib
import pathlib
import sys

import duckdb

LEVELS = ["1m", "15m", "1h", "1d"]
# The step at which the engine sums values of points whose resolution is not declared.
RESOLUTION = 1e-6
RELATIVE = 1e-9

# Per file: name, columns of time and key, format and zone of the time, value columns with point and scale.
FILES = [
    (
        "solar-plant1/Plant_1_Generation_Data.csv.gz",
        "DATE_TIME",
        "%d-%m-%Y %H:%M",
        "Asia/Kolkata",
        {
            "AC_POWER": ("'SP1/' || SOURCE_KEY || ':ac.power'", 1.0),
            "DC_POWER": ("'SP1/' || SOURCE_KEY || ':dc.power'", 1.0),
            "DAILY_YIELD": ("'SP1/' || SOURCE_KEY || ':ac.energy_daily'", 1.0),
            "TOTAL_YIELD": ("'SP1/' || SOURCE_KEY || ':ac.energy_export'", 1.0),
        },
    ),
    (
        "solar-plant1/Plant_1_Weather_Sensor_Data.csv.gz",
        "DATE_TIME",
        "%Y-%m-%d %H:%M:%S",
        "Asia/Kolkata",
        {
            "AMBIENT_TEMPERATURE": ("'SP1/MET1:met.temp_ambient'", 1.0),
            "MODULE_TEMPERATURE": ("'SP1/MET1:met.temp_module'", 1.0),
            "IRRADIATION": ("'SP1/MET1:met.poa'", 1000.0),
        },
    ),
    (
        "wind-t1/T1.csv.gz",
        "Date/Time",
        "%d %m %Y %H:%M",
        "Europe/Istanbul",
        {
            "LV ActivePower (kW)": ("'TR1/T01:ac.power'", 1.0),
            "Wind Speed (m/s)": ("'TR1/T01:met.wind'", 1.0),
            "Theoretical_Power_Curve (KWh)": ("'TR1/T01:wtg.power_expected'", 1.0),
            "Wind Direction (°)": ("'TR1/T01:met.wind_direction'", 1.0),
        },
    ),
]


def expect(data, target, rows_max=None):
    """Writes tables readings and rollups."""
    pathlib.Path(target).unlink(missing_ok=True)
    db = duckdb.connect(target)
    db.execute("create table readings (key varchar, moment timestamptz, zone varchar, value double)")
    for group in ("solar-plant1", "wind-t1"):
        db.execute("create or replace temp table group_rows (nth bigint, key varchar, moment timestamptz, zone varchar, value double)")
        offset = 0
        for name, time, form, zone, columns in FILES:
            if not name.startswith(group):
                continue
            db.execute(
                "create or replace temp table file as select row_number() over () as row, * "
                f"from read_csv('{data}/{name}', all_varchar = true, header = true, parallel = false)"
            )
            for column, (key, scale) in columns.items():
                value = f'"{column}"::double' + ("" if scale == 1.0 else f" * {scale}")
                db.execute(
                    f"insert into group_rows select row * 10 + {offset}, {key}, timezone('{zone}', strptime(\"{time}\", '{form}')), "
                    f"'{zone}', {value} from file where trim(\"{column}\") <> ''"
                )
            offset += 1
        limit = ""
        if rows_max:
            # The replay takes the first rows by time, then by file, then by line.
            limit = (
                "where (moment, nth % 10, nth // 10) in (select unnest(list_value(r)) from (select distinct (moment, nth % 10, nth // 10) as r "
                f"from group_rows order by r limit {rows_max}))"
            )
        db.execute(f"insert into readings select key, moment, zone, value from group_rows {limit}")
    # Of several values at one moment the greatest counts.
    db.execute("create temp table winners as select key, moment, zone, max(value) as value from readings group by all")
    windows = {
        "1m": "time_bucket(interval '1 minute', moment)",
        "15m": "time_bucket(interval '15 minutes', moment)",
        "1h": "timezone(zone, date_trunc('hour', timezone(zone, moment)))",
        "1d": "timezone(zone, date_trunc('day', timezone(zone, moment)))",
    }
    db.execute(
        "create table rollups (level varchar, key varchar, start bigint, n bigint, min double, max double, mean double, stddev double, "
        "first double, last double)"
    )
    for level, start in windows.items():
        db.execute(
            f"insert into rollups select '{level}', key, epoch_us({start}), count(*), min(value), max(value), "
            "favg(value), stddev_pop(value), arg_min(value, moment), arg_max(value, moment) from winners group by key, epoch_us("
            f"{start})"
        )
    total, points = db.execute("select count(*), count(distinct key) from readings").fetchone()
    for level, count in db.execute("select level, count(*) from rollups group by level").fetchall():
        print(f"expected {level}: {count} windows")
    print(f"expected: {total} readings of {points} points")


def compare(expected, dump):
    """Compares every roll-up of a dump with what is expected."""
    db = duckdb.connect(expected, read_only=True)
    bad = 0
    print(f"{'level':<6}{'expected':>10}{'found':>10}{'missing':>9}{'extra':>7}{'n':>6}{'min':>6}{'max':>6}{'first':>7}{'last':>6}{'mean':>6}{'stddev':>8}")
    for level in LEVELS:
        db.execute(
            "create or replace temp table found as select * from read_csv("
            f"'{dump}/rollups_{level}.csv', header = true, columns = {{'key': 'varchar', 'start': 'bigint', 'n': 'bigint', "
            "'n_uncertain': 'bigint', 'n_bad': 'bigint', 'min': 'double', 'max': 'double', 'mean': 'double', 'stddev': 'double', "
            "'first': 'double', 'first_at': 'varchar', 'last': 'double', 'last_at': 'varchar'})"
        )
        near = f"abs(f.{{0}} - e.{{0}}) > greatest({RESOLUTION}, {RELATIVE} * abs(e.{{0}})) or f.{{0}} is null"
        exact = ", ".join(f"count(*) filter (e.key is not null and f.key is not null and f.{c} is distinct from e.{c})" for c in ("n", "min", "max", "first", "last"))
        close = ", ".join(f"count(*) filter (e.key is not null and f.key is not null and ({near.format(c)}))" for c in ("mean", "stddev"))
        row = db.execute(
            f"select count(e.key), count(f.key), count(*) filter (f.key is null), count(*) filter (e.key is null), {exact}, {close} "
            f"from (from rollups where level = '{level}') e full join found f on f.key = e.key and f.start = e.start"
        ).fetchone()
        print(f"{level:<6}{row[0]:>10}{row[1]:>10}{row[2]:>9}{row[3]:>7}{row[4]:>6}{row[5]:>6}{row[6]:>6}{row[7]:>7}{row[8]:>6}{row[9]:>6}{row[10]:>8}")
        bad += sum(row[2:])
        if sum(row[2:]):
            shown = db.execute(
                f"select coalesce(e.key, f.key), coalesce(e.start, f.start), e.n, f.n, e.mean, f.mean, e.stddev, f.stddev from (from rollups where level = '{level}') e "
                "full join found f on f.key = e.key and f.start = e.start where e.key is null or f.key is null or f.n <> e.n or f.min <> e.min "
                f"or f.max <> e.max or f.first <> e.first or f.last <> e.last or {near.format('mean')} or {near.format('stddev')} limit 5"
            ).fetchall()
            for one in shown:
                print("   ", one)
    return bad


def digest(path):
    """A hash of a dump's table, whose rows are in order already."""
    return hashlib.md5(path.read_bytes()).hexdigest() if path.exists() else "missing"


def same(first, second, tables):
    """Compares two dumps table by table."""
    bad = 0
    names = tables or sorted(path.stem for path in pathlib.Path(first).glob("*.csv"))
    for name in names:
        one, two = pathlib.Path(first, name + ".csv"), pathlib.Path(second, name + ".csv")
        if digest(one) == digest(two):
            continue
        bad += 1
        lines = [set(path.read_text().splitlines()) if path.exists() else set() for path in (one, two)]
        print(f"  {name}: {len(lines[0] - lines[1])} rows only here, {len(lines[1] - lines[0])} only there")
        for line in sorted(lines[0] ^ lines[1])[:4]:
            print(f"    {'<' if line in lines[0] else '>'} {line}")
    return bad


def main():
    match sys.argv[1:]:
        case ["expect", data, target]:
            expect(data, target)
        case ["expect", data, target, rows]:
            expect(data, target, int(rows))
        case ["compare", expected, dump]:
            sys.exit(1 if compare(expected, dump) else 0)
        case ["same", first, second, *tables]:
            sys.exit(1 if same(first, second, tables) else 0)
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main()
