#!/usr/bin/env bash
# The whole way under load on one machine: Apache Kafka, PostgreSQL, the job, and a producer that keeps its rate.
#
#   benches/end_to_end.sh [RATE] [SECONDS] [POINTS]      default: 72000 300 20000
#
# Prints what was reached and how long rows took to be committed; ends with the job's processor time and memory.
set -euo pipefail
cd "$(dirname "$0")/.."
rate=${1:-72000} seconds=${2:-300} points=${3:-20000} workers=${WORKERS:-1}
# The whole workspace, as `make build` does: another selection would build every dependency again with other features.
cargo build --release --locked -q --workspace
target=${CARGO_TARGET_DIR:-target}/release
dir=$(mktemp -d "${TMPDIR:-/tmp}/dcmms-bench.XXXXXX")
chmod 755 "$dir"
job=
finish() {
  [ -z "$job" ] || { kill -INT "$job" 2>/dev/null && wait "$job" 2>/dev/null || true; }
  deploy/kafka/stop.sh "$dir/kafka" || true
  deploy/postgres/stop.sh "$dir/postgres" || true
  rm -rf "$dir"
}
trap finish EXIT
brokers=$(deploy/kafka/start.sh "$dir/kafka")
url=$(deploy/postgres/start.sh "$dir/postgres")
export DATABASE_URL=$url DCMMS_KAFKA__BROKERS=$brokers DCMMS_DATA__DIR=$dir/data
"$target/dcmms" migrate
echo "machine: $(nproc) cores, $(awk '/MemTotal/ {printf "%.0f GiB", $2 / 1048576}' /proc/meminfo), $(grep -m1 'model name' /proc/cpuinfo | cut -d: -f2 | xargs); load before: $(cut -d' ' -f1-3 /proc/loadavg)"
echo "versions: $("$target/dcmms" --version), $(psql -V 2>/dev/null || true), $(java -version 2>&1 | head -n 1)"
"$target/dcmms" job run --workers "$workers" >"$dir/job.log" 2>&1 &
job=$!
status=0
"$target/load" --brokers "$brokers" --database "$url" --rate "$rate" --points "$points" --seconds "$seconds" || status=$?
ticks=$(getconf CLK_TCK)
for name in job kafka postgres; do
  case $name in
    job) pids=$job ;;
    kafka) pids=$(cat "$dir/kafka/pid") ;;
    postgres) pids=$(pgrep -P "$(head -n 1 "$dir/postgres/data/postmaster.pid")") ;;
  esac
  cpu=0 rss=0
  for pid in $pids; do
    [ -r "/proc/$pid/stat" ] || continue
    used=$(awk '{print $14 + $15}' "/proc/$pid/stat")
    cpu=$((cpu + used))
    rss=$((rss + $(awk '/VmHWM/ {print $2}' "/proc/$pid/status")))
  done
  echo "$name: $((cpu / ticks)) s of processor, $((rss / 1024)) MiB at most"
done
[ "$status" = 0 ] || { echo "--- the job's log:"; tail -n 30 "$dir/job.log"; }
exit "$status"
