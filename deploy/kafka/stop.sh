#!/usr/bin/env bash
# Stops the broker that start.sh started on DIR: it is asked, and after 30 s made to. Nothing to do when none runs.
#
#   stop.sh DIR
set -euo pipefail
[ $# -eq 1 ] || { sed -n '2,4p' "$0" | cut -c3- >&2; exit 2; }
dir=$(cd "$1" 2>/dev/null && pwd) || exit 0
[ -f "$dir/pid" ] || exit 0
pid=$(cat "$dir/pid")
# The pid may be somebody else's by now.
ours() { tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | grep -qF "$dir/server.properties"; }
if ours; then
  kill "$pid"
  for _ in $(seq 300); do
    ours || break
    sleep 0.1
  done
  ours && kill -9 "$pid"
fi
rm -f "$dir/pid"
