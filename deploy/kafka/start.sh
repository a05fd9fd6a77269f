#!/usr/bin/env bash
# Starts one Apache Kafka broker (KRaft, no ZooKeeper) on loopback, keeping its data in DIR and everything in its topics,
# waits until it answers, and prints host:port. One that runs already on DIR is left as it is.
#
#   start.sh DIR [PORT]     without PORT the one of the last start on DIR, at first a free one
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
[ $# -ge 1 ] || { sed -n '2,6p' "$0" | cut -c3- >&2; exit 2; }
mkdir -p "$1"
dir=$(cd "$1" && pwd)
wanted=${2:-}

running() { # is the process that pid names this broker?
  [ -f "$dir/pid" ] && tr '\0' ' ' <"/proc/$(cat "$dir/pid")/cmdline" 2>/dev/null | grep -qF "$dir/server.properties"
}
answers() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
free_port() {
  local port
  for _ in $(seq 200); do
    port=$((20000 + RANDOM % 12000))
    answers "$port" || { echo "$port"; return; }
  done
  echo "start Kafka: found no free port" >&2
  exit 1
}

if running; then
  echo "127.0.0.1:$(cat "$dir/port")"
  exit 0
fi
command -v java >/dev/null || { echo "start Kafka: Java is missing; run deploy/setup.sh, or apt-get install openjdk-17-jre-headless" >&2; exit 1; }
jars=$("$here/fetch.sh")

port=$wanted
[ -n "$port" ] || port=$(cat "$dir/port" 2>/dev/null || true)
if [ -z "$port" ] || { [ -z "$wanted" ] && answers "$port"; }; then
  port=$(free_port)
fi
if answers "$port"; then
  echo "start Kafka: somebody listens on port $port already; give another one" >&2
  exit 1
fi
controller=$(free_port)
while [ "$controller" = "$port" ]; do controller=$(free_port); done
cat >"$dir/server.properties" <<PROPERTIES
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:$controller
listeners=PLAINTEXT://127.0.0.1:$port,CONTROLLER://127.0.0.1:$controller
advertised.listeners=PLAINTEXT://127.0.0.1:$port
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs=$dir/data
auto.create.topics.enable=false
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
log.retention.ms=-1
log.retention.bytes=-1
# A producer's sequence is remembered long, a message is as large as a bulk of 10,000 readings.
message.max.bytes=10485760
PROPERTIES

say=(-Dorg.slf4j.simpleLogger.defaultLogLevel=warn -Dorg.slf4j.simpleLogger.showDateTime=true)
if [ ! -f "$dir/data/meta.properties" ]; then
  id=$(java -cp "$jars/*" "${say[@]}" kafka.tools.StorageTool random-uuid)
  java -cp "$jars/*" "${say[@]}" kafka.tools.StorageTool format -t "$id" -c "$dir/server.properties" >"$dir/log" 2>&1 ||
    { tail -n 20 "$dir/log" >&2; echo "start Kafka: formatting $dir/data failed" >&2; exit 1; }
fi
# Its own session, so that Ctrl-C at our terminal is for us only.
setsid java -Xmx"${DCMMS_KAFKA_HEAP:-512m}" -XX:+UseG1GC -cp "$jars/*" "${say[@]}" kafka.Kafka "$dir/server.properties" </dev/null >>"$dir/log" 2>&1 &
pid=$!
echo "$pid" >"$dir/pid"
echo "$port" >"$dir/port"
for _ in $(seq 1800); do
  kill -0 "$pid" 2>/dev/null || { tail -n 20 "$dir/log" >&2; echo "start Kafka: it ended; its log is $dir/log" >&2; exit 1; }
  if answers "$port"; then
    echo "127.0.0.1:$port"
    exit 0
  fi
  sleep 0.1
done
"$here/stop.sh" "$dir"
echo "start Kafka: it did not answer within 180 s; its log is $dir/log" >&2
exit 1
