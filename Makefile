# The commands of this repository. Cargo's target directory is target/, or CARGO_TARGET_DIR where it is set.
CARGO ?= cargo

.PHONY: help setup build demo test lint fmt bench book

help: ## lists these
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1|/' | column -t -s '|'

setup: ## installs what is missing on this machine (as root), or says what
	@deploy/setup.sh

build: setup ## builds the binary as released: with TLS and SASL to Kafka
	$(CARGO) build --release --locked --bin dcmms --features dcmms-deploy/kafka-tls

demo: setup ## runs everything on a machine with nothing running; ARGS="--kafka" for a real broker
	$(CARGO) run --release --locked --bin dcmms -- demo $(ARGS)

test: setup ## all tests, on a real PostgreSQL and a real Kafka that they start themselves
	$(CARGO) test --workspace --locked

lint: ## formatting, clippy and documentation, warnings refused
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps --locked --quiet

fmt: ## formats the sources
	$(CARGO) fmt --all

bench: setup ## prints the figures of docs/performance.md with this machine, versions and load
	$(CARGO) run --release --locked --bin engine
	benches/end_to_end.sh $(ARGS)

book: ## builds the book in docs/ (needs mdbook: cargo install mdbook)
	mdbook build docs
