# Everything a developer or a newcomer runs. `make` alone lists it.
#
# Only python3 (3.11 or newer) with pip is assumed; what else is needed goes into .venv, and
# what Debian must supply (venv, a browser for one test) is installed with apt-get.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3
VENV ?= .venv
CONSTRAINTS ?= constraints.txt
SEED ?= 1
OUTPUT ?= demo
# Test processes; 0 runs the tests in one, which is easier to debug.
JOBS ?= 2
# Branch coverage of the kernels without JIT, in percent, below which `make test` fails.
KERNEL_COVERAGE ?= 100
ARGS ?=
# Folders of peers that are measured but in no registry.
PEERS ?=

BIN := $(VENV)/bin
PYTEST := $(BIN)/python -m pytest
# The suites of the kernels; the rest of the tests would learn nothing from plain Python.
INTERPRETED := $(addprefix tests/test_,$(addsuffix .py, \
	every_stage jit finite selection echo_shapes along_track gpr_preprocess gain surroundings energy_prescreener \
	decay_prescreener prediction_prescreener clutter candidates coverage fast_time \
	sliding window_sums emi_bodies emi_coil emi_pulse windings \
	magnetic_soil ground radar_physics radar_near_field migration back_projection focus \
	volume subspace attributes inversion height resampling tones coil_filters levelling \
	rezero soil_tracking coil_statistics radar_feature_families radar_place_features trees \
	estimators evidence_kernels strips)) -m "not slow"
SOURCES := minesense tests benchmarks examples tools docs/conf.py

.PHONY: help demo test test-compiled test-interpreted test-bounds check format bench \
	bench-quick bench-quality residual docs fdtd fdtd-speed full-wave anchors peers constraints \
	env browser clean

help: ## list these targets
	@grep -hE '^[a-z-]+:.*## ' Makefile | sed -E 's/^([a-z-]+):.*## /\1\t/' | \
		while IFS=$$'\t' read -r target text; do printf '  make %-17s %s\n' "$$target" "$$text"; done

demo: $(VENV)/.installed-all ## make a synthetic field, sweep, detect, score and report it
	$(BIN)/minesense demo --seed $(SEED) --output $(OUTPUT)

test: $(VENV)/.installed-test browser ## run every test: compiled, interpreted, bounds checked
	@$(MAKE) --no-print-directory test-interpreted
	@$(MAKE) --no-print-directory test-bounds
	@$(MAKE) --no-print-directory test-compiled

# The kernels compiled by one test process serve the others and the commands they start; the
# cache is new in each run, since a kept one does not notice every edit.
test-compiled: $(VENV)/.installed-test
	@echo "== tests, compiled"
	@cache=$$(mktemp -d) && trap 'rm -rf "$$cache"' EXIT && \
		MINESENSE_CACHE=1 NUMBA_CACHE_DIR="$$cache" \
		$(PYTEST) -n $(JOBS) --benchmark-disable --durations=10 $(ARGS)

test-interpreted: $(VENV)/.installed-test
	@echo "== tests without JIT, branch coverage of the kernels"
	@NUMBA_DISABLE_JIT=1 $(PYTEST) -q -n $(JOBS) --benchmark-disable $(INTERPRETED) \
		--cov=minesense._kernels --cov-branch --cov-report=term-missing:skip-covered \
		--cov-fail-under=$(KERNEL_COVERAGE) --durations=10 $(ARGS)

test-bounds: $(VENV)/.installed-test
	@echo "== stages with bounds checks"
	@NUMBA_BOUNDSCHECK=1 $(PYTEST) -q -n $(JOBS) --benchmark-disable tests/test_every_stage.py

check: $(VENV)/.installed-check ## lint, format, types, imports, docstrings, tracked files
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/python tools/check_docstrings.py minesense
	$(BIN)/python tools/check_tracked_files.py

format: $(VENV)/.installed-check ## let ruff rewrite the sources
	$(BIN)/ruff check --fix $(SOURCES)
	$(BIN)/ruff format $(SOURCES)

bench: $(VENV)/.installed-test ## time everything beside what a user would write instead
	$(PYTEST) benchmarks --benchmark-json=benchmarks/results.json $(ARGS)

bench-quick: $(VENV)/.installed-test ## the same with few rounds: does it run, are ratios kept
	$(PYTEST) -q benchmarks --benchmark-min-rounds=1 --benchmark-max-time=0.2 \
		--benchmark-warmup=off --benchmark-columns=median,rounds $(ARGS)

# Part of the suite as a slow test; alone it compiles the kernels first.
bench-quality: $(VENV)/.installed-test ## fail if detection is worse than the stored reference
	@cache=$$(mktemp -d) && trap 'rm -rf "$$cache"' EXIT && \
		MINESENSE_CACHE=1 NUMBA_CACHE_DIR="$$cache" \
		$(PYTEST) -q -n 0 --benchmark-disable tests/test_bench_quality.py $(ARGS)

# gprMax is installed for these alone; it runs as a program of its own.
fdtd: $(VENV)/.installed-fdtd ## compute full-wave scenes that are missing, compare, draw
	$(BIN)/python -m benchmarks.fdtd.run
	$(BIN)/python -m benchmarks.fdtd.report

full-wave: $(VENV)/.installed-fdtd ## compute full-wave lanes that are missing, judge a detector on them
	$(BIN)/python -m benchmarks.full_wave.run
	$(BIN)/python -m benchmarks.full_wave.judge

fdtd-speed: $(VENV)/.installed-fdtd ## time a section with gprMax and with the fast model
	$(BIN)/python -m benchmarks.fdtd.speed

anchors: $(VENV)/.installed-test ## hold synthetic ground against blind trials and clearance
	$(BIN)/python -m benchmarks.anchors.run

residual: $(VENV)/.installed-test ## judge what may remain on SYNTHETIC fields with wrong records
	$(BIN)/python -m benchmarks.residual.run

# Peers go into an environment of their own below benchmarks/peers; PEERS names folders of
# those that no registry has.
peers: $(VENV)/.installed-test ## time operations beside installed peers, make their table
	$(BIN)/python -m benchmarks.peers.run $(if $(PEERS),--path $(PEERS)) $(ARGS)

docs: $(VENV)/.installed-docs ## build the documentation into docs/_build/html
	rm -rf docs/api/generated  # pages of modules that are no more would fail the build
	$(BIN)/python -m sphinx -W --keep-going -b html docs docs/_build/html

# Made with the oldest Python that is supported (PYTHON=...): what it can install, all can.
constraints: ## pin the newest versions of everything in constraints.txt
	rm -rf $(VENV)-constraints
	$(PYTHON) -m venv $(VENV)-constraints
	$(VENV)-constraints/bin/python -m pip install --upgrade -e '.[dev,fdtd]'
	{ grep '^#' constraints.txt; $(VENV)-constraints/bin/python -m pip freeze \
		--exclude-editable; } > constraints.new
	mv constraints.new constraints.txt
	rm -rf $(VENV)-constraints

clean: ## remove what was built; the environment stays
	rm -rf demo docs/_build docs/api/generated docs/auto_examples docs/sg_execution_times.rst \
		benchmarks/results.json .coverage .coverage.* .hypothesis .pytest_cache

env: $(VENV)/.installed-dev

# The test that opens the report looks for a browser by these names, and skips without one.
browser:
	@if ! command -v chromium chromium-browser google-chrome >/dev/null; then \
		tools/apt_install chromium || \
		echo "No browser: the test that opens the report will be skipped."; fi

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "minesense needs Python 3.11 or newer: make PYTHON=python3.13 ..." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || tools/apt_install python3-venv
	$(PYTHON) -m venv $(VENV)

# One stamp for each extra, made again when what it stands for changes.
$(VENV)/.installed-%: pyproject.toml $(CONSTRAINTS) | $(BIN)/python
	@echo "Installing minesense[$*] into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check \
		-c $(CONSTRAINTS) -e '.[$*]'
	@touch $@
