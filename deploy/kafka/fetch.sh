#!/usr/bin/env bash
# Fetches Apache Kafka's published jars with Maven, once, and prints the directory they are in.
# Needs Java 17 or newer and Maven (deploy/setup.sh installs them). DCMMS_KAFKA_CACHE chooses another directory.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
version=4.1.0
cache=${DCMMS_KAFKA_CACHE:-${XDG_CACHE_HOME:-${HOME:-/var/tmp}/.cache}/dcmms}/kafka-$version

if [ -f "$cache/complete" ]; then
  echo "$cache/jars"
  exit 0
fi
command -v mvn >/dev/null || { echo "fetch Kafka: Maven is missing; run deploy/setup.sh, or apt-get install maven" >&2; exit 1; }
mkdir -p "$cache"
exec 9>"$cache/lock"
flock 9 # another process may be fetching
if [ ! -f "$cache/complete" ]; then
  echo "fetching Apache Kafka $version (45 jars, 43 MB)" >&2
  # Maven wants to write beside the pom, which may be read-only.
  cp "$here/pom.xml" "$cache/pom.xml"
  if ! (cd "$cache" && mvn --batch-mode --quiet dependency:copy-dependencies -DoutputDirectory="$cache/jars" >"$cache/maven.log" 2>&1); then
    tail -n 20 "$cache/maven.log" >&2
    echo "fetch Kafka: Maven could not fetch the jars; the above is the end of $cache/maven.log" >&2
    exit 1
  fi
  touch "$cache/complete"
fi
echo "$cache/jars"
