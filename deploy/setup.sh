#!/usr/bin/env bash
# Installs what dCMMS is built and run with on Debian or Ubuntu, where it is missing: C compiler, make, pkg-config and OpenSSL's
# headers (librdkafka, zstd; TLS in releases), PostgreSQL's programs (private clusters of the demo and the tests), Java and Maven (the tests' Kafka broker).
# As root it installs; otherwise it prints the command that would. Rust is not installed: see https://rustup.rs.
set -euo pipefail

missing=()
need() { # package, then a test whether it is there
  local package=$1
  shift
  "$@" >/dev/null 2>&1 || missing+=("$package")
}
has_postgres() {
  command -v initdb || [ -x "$(pg_config --bindir 2>/dev/null)/initdb" ] || ls /usr/lib/postgresql/*/bin/initdb
}

need gcc command -v cc
need libc6-dev test -f /usr/include/stdio.h
need make command -v make
need pkg-config command -v pkg-config
need libssl-dev test -f /usr/include/openssl/ssl.h
need postgresql has_postgres
need openjdk-17-jre-headless command -v java
need maven command -v mvn
need curl command -v curl

if [ ${#missing[@]} -gt 0 ]; then
  if [ "$(id -u)" != 0 ]; then
    echo "missing: ${missing[*]}. Run as root:" >&2
    echo "  apt-get update && apt-get install --no-install-recommends ${missing[*]}" >&2
    exit 1
  fi
  command -v apt-get >/dev/null || { echo "missing: ${missing[*]}; install them with this system's package manager" >&2; exit 1; }
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends "${missing[@]}"
fi
command -v cargo >/dev/null || { echo "missing: Rust 1.95 or newer; see https://rustup.rs" >&2; exit 1; }
echo "everything that dCMMS is built and run with is here"
