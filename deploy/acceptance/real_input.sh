#!/usr/bin/env bash
# Replays two public data sets through a real Kafka into fresh installations and compares every roll-up with DuckDB over
# the same CSV; then kills, repeats and re-partitions, and expects the same tables.
#
#   real_input.sh DATA [VARIANT ...]
#
# DATA holds solar-plant1/Plant_1_*.csv.gz and wind-t1/T1.csv.gz (deploy/samples/README.md says where they come from).
# Variants: base again kill partitions1 partitions2 partitions8 workers2 tick50 tick5000 speed1000; without any: all.
#
# DCMMS   the binary; default: target/release/dcmms, built when it is missing
# WORK    where everything is kept; default: a temporary folder that is removed afterwards
# PATIENCE  how many times longer than usual to wait for anything, for a busy machine; default: 1
# Needs PostgreSQL's programs, Java (deploy/setup.sh installs both) and Python 3; DuckDB comes from PyPI into a venv.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
[ $# -ge 1 ] || { sed -n '2,14p' "$0" | cut -c3- >&2; exit 2; }
data=$(cd "$1" && pwd)
shift
variants=("$@")
[ ${#variants[@]} -gt 0 ] || variants=(base again kill partitions1 partitions2 partitions8 workers2 tick50 tick5000 speed1000)
dcmms=${DCMMS:-$root/target/release/dcmms}
[ -x "$dcmms" ] || (cd "$root" && cargo build --locked --release --bin dcmms)
keep=${WORK:-}
work=${WORK:-$(mktemp -d)}
mkdir -p "$work"
chmod 755 "$work"

# --- PostgreSQL, Kafka, DuckDB -------------------------------------------------------------------------------------

bin=$( (pg_config --bindir 2>/dev/null; ls -d /usr/lib/postgresql/*/bin 2>/dev/null) | while read -r dir; do [ -x "$dir/initdb" ] && echo "$dir"; done | tail -1)
[ -n "$bin" ] || { echo "PostgreSQL's programs are missing; run deploy/setup.sh" >&2; exit 1; }
as_postgres=()
[ "$(id -u)" != 0 ] || as_postgres=(runuser -u postgres --)
pg=$work/postgres
started=()

stop_all() {
  for pid in "${started[@]}"; do kill "$pid" 2>/dev/null || true; done
  for pid in "${started[@]}"; do wait "$pid" 2>/dev/null || true; done
  started=()
}
end() {
  stop_all
  for kafka in "$work"/*/kafka; do [ ! -d "$kafka" ] || "$root/deploy/kafka/stop.sh" "$kafka" || true; done
  [ ! -f "$pg/data/postmaster.pid" ] || "${as_postgres[@]}" "$bin/pg_ctl" -D "$pg/data" -m immediate -w stop >/dev/null || true
  [ -n "$keep" ] || rm -rf "$work"
}
trap end EXIT
trap "exit 130" INT TERM

mkdir -p "$pg"
[ "$(id -u)" != 0 ] || chown postgres "$pg"
[ -d "$pg/data" ] || "${as_postgres[@]}" "$bin/initdb" -D "$pg/data" -U dcmms -A trust -E UTF8 >/dev/null
"${as_postgres[@]}" "$bin/pg_ctl" -D "$pg/data" -l "$pg/log" -w -o "-c listen_addresses='' -c unix_socket_directories='$pg' -c shared_buffers=256MB -c max_wal_size=2GB" start >/dev/null
sql() { # database, then psql's arguments
  local database=$1
  shift
  psql -X -q -v ON_ERROR_STOP=1 -h "$pg" -U dcmms -d "$database" "$@"
}

if [ ! -x "$work/venv/bin/python" ]; then
  python3 -m venv "$work/venv"
  "$work/venv/bin/pip" install -q duckdb
fi
check() { "$work/venv/bin/python" "$here/check.py" "$@"; }

# --- one installation ----------------------------------------------------------------------------------------------

solar=("$data"/solar-plant1/Plant_1_Generation_Data.csv.gz "$data"/solar-plant1/Plant_1_Weather_Sensor_Data.csv.gz)
wind=("$data"/wind-t1/T1.csv.gz)

wait_for() { # what, seconds, command …
  local what=$1 left=$(($2 * 5 * ${PATIENCE:-1}))
  shift 2
  until "$@"; do
    left=$((left - 1))
    [ $left -gt 0 ] || { echo "waited too long for $what; logs are in $home" >&2; keep=yes; exit 1; }
    sleep 0.2
  done
}
number() { sql "$name" -At -c "$1"; }
at_least() { [ "$(number "$1")" -ge "$2" ]; }

# Sets $home, $name and the environment of a fresh installation, and starts its API and its job.
install() { # name partitions workers tick_ms
  name=acc_$1
  home=$work/$1
  mkdir -p "$home"
  sql postgres -c "drop database if exists $name" -c "create database $name"
  export DATABASE_URL="postgres://dcmms@localhost/$name?host=$pg"
  local attempt
  for attempt in $(seq $((2 * ${PATIENCE:-1}))); do
    DCMMS_KAFKA__BROKERS=$("$root/deploy/kafka/start.sh" "$home/kafka") && break
    echo "  Kafka did not start; attempt $attempt" >&2
  done
  export DCMMS_KAFKA__BROKERS DCMMS_DATA__DIR="$home/data" DCMMS_KAFKA__PARTITIONS=$2 DCMMS_ENGINE__WORKERS=$3 DCMMS_ENGINE__TICK_MS=$4
  export DCMMS_API__LISTEN=127.0.0.1:$((21000 + RANDOM % 8000))
  "$dcmms" migrate >"$home/migrate.log" 2>&1 || { cat "$home/migrate.log" >&2; exit 1; }
  "$dcmms" serve >"$home/serve.log" 2>&1 &
  started+=($!)
  start_job
  wait_for "the job" 60 at_least "select count(*) from derived.bindings" 1
}
start_job() {
  "$dcmms" job run >>"$home/job.log" 2>&1 &
  job=$!
  started+=("$job")
}
leave() {
  stop_all
  "$root/deploy/kafka/stop.sh" "$home/kafka"
}

replay() { # options of both replays
  "$dcmms" replay "${solar[@]}" --map "$root/deploy/samples/solar-plant1.toml" "$@" >>"$home/replay.log" 2>&1 || { tail -5 "$home/replay.log" >&2; exit 1; }
  "$dcmms" replay "${wind[@]}" --map "$root/deploy/samples/wind-t1.toml" "$@" >>"$home/replay.log" 2>&1 || { tail -5 "$home/replay.log" >&2; exit 1; }
}
# Waits until so many readings are durable and the engine's clock is half a minute further: silences have been noticed, and the
# rows of quarters, hours and days, which are said each 30 s, have had their turn.
settle() { # readings
  wait_for "$1 durable readings" 900 at_least "select coalesce(sum(readings), 0) from derived.books" "$1"
  local then
  then=$(date +%s)
  wait_for "the engine's clock" 120 at_least "select coalesce(max(extract(epoch from durable_clock))::bigint, 0) from derived.jobs" $((then + 34))
}
balanced() {
  number "select coalesce(bool_and(messages = decoded + unreadable and readings = accepted + duplicates + superseded + late + rejected), false) from derived.books"
}

# Every derived table's current rows as CSV: ordered, without ticks, with keys and names in place of ids.
dump() { # folder
  local to=$1 table key="join app.points p on p.number = d.point"
  mkdir -p "$to"
  copy() { sql "$name" -c "\\copy ($2) to '$to/$1.csv' csv header"; }
  for table in rollups_1m rollups_15m rollups_1h rollups_1d; do
    copy "$table" "select p.key, (extract(epoch from d.start) * 1000000)::bigint as start, d.n, d.n_uncertain, d.n_bad, d.min, d.max, d.mean, d.stddev, d.first, d.first_at, d.last, d.last_at from derived.$table d $key order by 1, 2"
  done
  copy latest "select p.key, d.at, d.value, d.quality from derived.latest d $key order by 1"
  copy scores "select p.key, d.at, d.score, d.value, d.expected from derived.scores d $key order by 1"
  copy scores_1m "select p.key, d.start, d.score from derived.scores_1m d $key order by 1, 2"
  copy anomalies "select p.key, d.at, d.score, d.value, d.expected from derived.anomalies d $key order by 1, 2"
  copy alarms "select r.name, d.version, p.key, d.severity, d.onset, d.raised, d.cleared, d.value, d.peak, d.threshold from derived.alarms d $key join app.rules r on r.id = d.rule where d.upto_tick is null order by r.name, p.key, d.onset"
  copy compliance "select s.code, d.month, d.metric, d.value, d.numerator, d.denominator, d.unit, d.basis, d.reason from derived.compliance d join app.sites s on s.id = d.site where d.upto_tick is null order by 1, 2, 3"
}

# --- variants ------------------------------------------------------------------------------------------------------

failures=0
say() { # variant, result, detail
  printf '%-12s %-6s %s\n' "$1" "$2" "$3" | tee -a "$work/results.txt"
  [ "$2" = ok ] || failures=$((failures + 1))
}
facts() {
  number "select 'readings ' || sum(readings) || ', accepted ' || sum(accepted) || ', duplicates ' || sum(duplicates) || ', late ' || sum(late) || ', rejected ' || sum(rejected) || '; alarms ' || (select count(*) from derived.alarms where upto_tick is null) from derived.books"
}
judge() { # variant: against DuckDB, and against the base's dump where there is one
  local result=ok
  dump "$home/dump"
  [ "$(balanced)" = t ] || { result=FAILED; echo "  the books do not balance"; }
  [ "$(number "select count(*) from derived.unknown_points")" = 0 ] || { result=FAILED; echo "  there are unknown points"; }
  check compare "${2:-$work/expected.duckdb}" "$home/dump" || result=FAILED
  if [ -d "${3:-$work/base/dump}" ] && [ "$1" != base ]; then
    check same "${3:-$work/base/dump}" "$home/dump" || result=FAILED
  fi
  say "$1" "$result" "$(facts)"
}

check expect "$data" "$work/expected.duckdb" | tee "$work/expected.txt"
readings=$(sed -n 's/^expected: \([0-9]*\) readings.*/\1/p' "$work/expected.txt")

for variant in "${variants[@]}"; do
  echo "== $variant"
  begun=$(date +%s)
  case $variant in
    base | partitions* | workers* | tick*)
      partitions=4 workers=1 tick=250
      case $variant in
        partitions*) partitions=${variant#partitions} ;;
        workers*) workers=${variant#workers} ;;
        tick*) tick=${variant#tick} ;;
      esac
      install "$variant" "$partitions" "$workers" "$tick"
      replay
      settle "$readings"
      judge "$variant"
      leave
      ;;
    again) # the same files twice into one installation: no row changes
      install again 4 1 250
      replay
      settle "$readings"
      dump "$home/first"
      replay
      settle $((2 * readings))
      dump "$home/second"
      result=ok
      check same "$home/first" "$home/second" || result=FAILED
      [ "$(balanced)" = t ] || result=FAILED
      say again "$result" "$(facts)"
      leave
      ;;
    kill) # kill -9 in the middle, then a new process under the same name
      install kill 4 1 250
      replay &
      replaying=$!
      wait_for "a third of the readings" 300 at_least "select coalesce(sum(readings), 0) from derived.books" $((readings / 3))
      kill -9 "$job"
      wait "$job" 2>/dev/null || true
      durable=$(number "select durable_tick from derived.jobs")
      start_job
      wait "$replaying"
      settle "$readings"
      echo "  killed at durable tick $durable, ended at $(number "select durable_tick from derived.jobs")"
      judge kill
      leave
      ;;
    speed1000) # a day of each set at 1,000 and at full speed
      rows=2100
      check expect "$data" "$work/expected_slice.duckdb" $rows >"$work/expected_slice.txt"
      slice=$(sed -n 's/^expected: \([0-9]*\) readings.*/\1/p' "$work/expected_slice.txt")
      for speed in max 1000; do
        install "speed_$speed" 4 1 250
        "$dcmms" replay "${solar[@]}" --map "$root/deploy/samples/solar-plant1.toml" --rows-max $rows --speed "$speed" >>"$home/replay.log" 2>&1
        # The turbine says less a day: its slice goes at full speed in both.
        "$dcmms" replay "${wind[@]}" --map "$root/deploy/samples/wind-t1.toml" --rows-max $rows >>"$home/replay.log" 2>&1
        settle "$slice"
        if [ "$speed" = max ]; then judge speed_max "$work/expected_slice.duckdb" /nonexistent; else judge speed1000 "$work/expected_slice.duckdb" "$work/speed_max/dump"; fi
        leave
      done
      ;;
    *)
      echo "there is no variant $variant" >&2
      exit 2
      ;;
  esac
  echo "   $(($(date +%s) - begun)) s"
done

echo
echo "== results"
cat "$work/results.txt"
[ "$failures" = 0 ] || { echo "$failures failed" >&2; exit 1; }
echo "all as expected"
