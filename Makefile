# Blindprint. `make help` lists everything.
# Compiled output lives outside the clone, so that a second run is quick wherever the clone is.
export CARGO_TARGET_DIR ?= $(HOME)/.cache/blindprint/target
export BLINDPRINT_CACHE ?= $(HOME)/.cache/blindprint
BIN = $(CARGO_TARGET_DIR)/debug

.DEFAULT_GOAL := help
.PHONY: help demo test bench serve build prepare lint deny wasm fuzz

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: prepare build ## Start everything on embedded defaults, enrol and authenticate real faces (PEOPLE=8, PHOTOS=dir, KEEP=1)
	@scripts/interop
	@$(BIN)/blindprint-demo

test: prepare ## Install what the tests need and run all of them
	@scripts/test

bench: prepare ## Measure speed, sizes and accuracy, with both baselines; takes about half an hour the first time
	@scripts/bench

serve: prepare build ## Start the service on embedded defaults in ./blindprint-data
	@$(BIN)/blindprint serve

lint: prepare ## Formatting and clippy
	@scripts/lint

deny: prepare ## Check licences, sources and bans of all dependencies (installs cargo-deny, which takes minutes)
	@command -v cargo-deny >/dev/null || cargo install --quiet --locked cargo-deny
	@cargo deny check bans licenses sources

wasm: ## Check that the wallet's core compiles for wasm32
	@scripts/wasm

fuzz: prepare ## Fuzz every decoder for SECONDS seconds each (default 60)
	@scripts/fuzz $(or $(SECONDS),60)

build:
	@echo "Building the service, the matcher, the enclave and the wallet (the first time takes 10 to 15 minutes)…"
	@cargo build --workspace --bins

prepare:
	@scripts/prepare
