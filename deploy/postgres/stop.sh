#!/usr/bin/env bash
# Stops the PostgreSQL that start.sh started on DIR.
set -euo pipefail
[ $# -eq 1 ] || { sed -n '2p' "$0" | cut -c3- >&2; exit 2; }
pid=$(head -n 1 "$1/data/postmaster.pid" 2>/dev/null || true)
[ -n "$pid" ] || exit 0
kill -INT "$pid" 2>/dev/null || true
for _ in $(seq 300); do kill -0 "$pid" 2>/dev/null || exit 0; sleep 0.1; done
echo "stop PostgreSQL: process $pid does not end" >&2
exit 1
