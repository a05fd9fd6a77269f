#!/usr/bin/env bash
# Starts a private PostgreSQL on loopback, keeping its data in DIR, waits until it answers, and prints its URL.
# One that runs already on DIR is left as it is. As root it runs as the user postgres, because PostgreSQL refuses root.
#
#   start.sh DIR [PORT]
set -euo pipefail
[ $# -ge 1 ] || { sed -n '2,5p' "$0" | cut -c3- >&2; exit 2; }
mkdir -p "$1"
dir=$(cd "$1" && pwd)
port=${2:-$(cat "$dir/port" 2>/dev/null || echo $((21000 + RANDOM % 9000)))}

bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1 || true)
[ -n "$bin" ] || bin=$(pg_config --bindir 2>/dev/null || true)
[ -x "$bin/initdb" ] || { echo "start PostgreSQL: no server found; run deploy/setup.sh, or apt-get install postgresql" >&2; exit 1; }
as() { if [ "$(id -u)" = 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi; }

if [ ! -f "$dir/data/PG_VERSION" ]; then
  [ "$(id -u)" != 0 ] || chown postgres "$dir"
  as "$bin/initdb" -D "$dir/data" -U dcmms --auth=trust -E UTF8 --locale=C >"$dir/initdb.log"
  cat >>"$dir/data/postgresql.conf" <<CONF
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
shared_buffers = 512MB
max_wal_size = 4GB
checkpoint_timeout = 15min
wal_compression = on
CONF
fi
if ! as "$bin/pg_ctl" -D "$dir/data" status >/dev/null 2>&1; then
  as "$bin/pg_ctl" -D "$dir/data" -o "-p $port" -l "$dir/log" -w start >/dev/null </dev/null
  echo "$port" >"$dir/port"
  as "$bin/psql" -qXtA -h 127.0.0.1 -p "$port" -U dcmms -d postgres -c "select 1 from pg_database where datname = 'dcmms'" | grep -q 1 ||
    as "$bin/createdb" -h 127.0.0.1 -p "$port" -U dcmms dcmms
fi
echo "postgres://dcmms@127.0.0.1:$(cat "$dir/port")/dcmms"
