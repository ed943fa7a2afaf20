# Trueload. `make` lists what there is to do; every target builds the environment it needs.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
LOCKED := $(VENV)/.locked
READY := $(VENV)/.ready

.PHONY: help env demo test unit check format lint types imports bench fuzz accuracy chaos lock clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

env: $(READY) ## build .venv from requirements.lock (uv where it is installed, else venv and pip)

# Two steps, because pip refuses an editable install beside hashes: first everything that is
# pinned, then ourselves without an index and without dependencies.
$(LOCKED): requirements.lock
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Trueload needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Name another one: make env PYTHON=python3.12")'
	@echo "building $(VENV) (about a minute with pip)"
	@if command -v uv >/dev/null 2>&1; then \
	  uv venv --quiet --clear --python "$$($(PYTHON) -c 'import sys; print(sys.executable)')" $(VENV) && \
	  uv pip install --quiet --python $(BIN)/python --require-hashes --compile-bytecode -r requirements.lock ; \
	else \
	  $(PYTHON) -m venv --clear $(VENV) && \
	  $(BIN)/python -m pip --disable-pip-version-check install --quiet --quiet --require-hashes --compile -r requirements.lock ; \
	fi
	@touch $@

$(READY): $(LOCKED) pyproject.toml
	@if command -v uv >/dev/null 2>&1; then \
	  uv pip install --quiet --python $(BIN)/python --offline --no-deps --no-build-isolation -e . ; \
	else \
	  $(BIN)/python -m pip --disable-pip-version-check install --quiet --no-index --no-deps --no-build-isolation -e . ; \
	fi
	@touch $@

demo: env ## the main job: populate the CRM, grow its users, judge, write the report
	@$(BIN)/trueload run demo

# Compiled once, not by each of the many processes that tests start.
export PYTHONDONTWRITEBYTECODE :=

# A file's tests stay in one process: they share its applications, servers and datasets.
PYTEST := $(BIN)/python -m pytest
SIDE_BY_SIDE := -n 2 --dist loadfile --no-loadscope-reorder

# Much of it waits for servers: three at a time on two cores. Whole runs after all else, and
# two at a time: what they ask of a machine is little, and they measure.
test: env ## every test (browser tests install Debian's chromium where they may)
	@$(BIN)/python tests/chromium.py
	$(PYTEST) $(SIDE_BY_SIDE) -n 3 --ignore=tests/end_to_end
	$(PYTEST) $(SIDE_BY_SIDE) tests/end_to_end

unit: env ## the quick tests alone, on two cores: no servers, no browser, no simulations
	$(PYTEST) $(SIDE_BY_SIDE) --ignore=tests/end_to_end --hypothesis-profile=quick \
	  -m "not slow and not costly and not browser and not simulation"

check: format lint types imports test ## format, lint, types, import contracts, tests

format: env ## fail if a file is not formatted (ruff format mends it)
	$(BIN)/ruff format --check .

lint: env ## ruff
	$(BIN)/ruff check .

types: env ## mypy, strict
	$(BIN)/mypy

imports: env ## the import direction between the rooms
	$(BIN)/lint-imports

bench: env ## benchmarks: ratios against a named reference in the same run; fails below a bar
	@failed=0; for file in benchmarks/bench_*.py; do \
	  echo "== $$file"; $(BIN)/python $$file || failed=1; done; exit $$failed

fuzz: env ## at least 2,000 requests to the CRM on each database, made of its OpenAPI document
	$(BIN)/python -m tests.fuzz.fuzz_api --cases 2000 --database both

accuracy: env ## the statistics against known truth, in full: tables, hours; fails below a bar
	@failed=0; for file in tests/accuracy/*.py; do \
	  echo "== $$file"; $(BIN)/python $$file || failed=1; done; exit $$failed

chaos: env ## kill servers and runs under load: nothing acknowledged is lost, and a second of records
	@failed=0; for file in tests/chaos/kill_*.py; do \
	  echo "== $$file"; $(BIN)/python $$file || failed=1; done; exit $$failed

lock: ## pin the dependencies again (needs uv; the lock names no index)
	uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate --extra dev pyproject.toml -o requirements.lock

clean: ## remove what was built and cached (runs/ stays)
	rm -rf $(VENV) .cache .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis .coverage dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
