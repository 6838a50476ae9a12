# Radar Console. Every target sets up what it needs in .venv; the machine needs only Python 3.11 or newer, and make.
#
#   make demo        the console on a real system that it starts itself
#   make test        every check and every test
#   make lint        only the checks: ruff, mypy, import-linter
#   make bench       the budgets of speed and memory, written to tests/bench/RESULTS.md
#   make snapshots   draw the snapshot tests' pictures anew, to be looked at before they are committed
#   make picture     draw the README's picture and its recording anew, from a running demo
#   make lock        resolve the dependencies anew
#   make clean       remove .venv and every cache

SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# The newest Python at hand that is new enough; PYTHON=/path/to/python overrides.
PYTHON ?= $(shell for name in python3.14 python3.13 python3.12 python3.11 python3; do \
	command -v $$name >/dev/null 2>&1 && $$name -c 'import sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& echo $$name && break; done)
# Processes for the tests: two more than there are cores, since some mostly wait (for nights to pass, for leases to run
# out). On two cores four took 8:31, three 9:41.
WORKERS ?= $(shell expr $$(getconf _NPROCESSORS_ONLN) + 2)
TESTS ?= tests
# Each prints its figures; the console's own begins the file of results.
BENCHES := $(filter-out console bare_app process_time __init__,$(basename $(notdir $(wildcard tests/bench/*.py))))
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help demo test lint bench snapshots picture lock clean setup
.DEFAULT_GOAL := help

help:
	@sed -n 's/^#   //p' Makefile

setup: $(READY)

# Editable by a plain path entry ("compat"): the default import hook of setuptools costs every start 15 ms.
$(READY): requirements.lock pyproject.toml
	@if [ -z "$(PYTHON)" ]; then \
		echo "Radar Console needs Python 3.11 or newer with its venv module (Debian: apt install python3-venv)." >&2; \
		exit 3; fi
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes --requirement requirements.lock
	PYTHONWARNINGS=ignore $(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --config-settings editable_mode=compat --editable .
	@touch $(READY)

demo: $(READY)
	@$(BIN)/radar demo

test: lint
	$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadgroup $(TESTS)

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

bench: $(READY)
	$(BIN)/python -m tests.bench.console
	@for part in $(BENCHES); do \
		{ echo; echo "## $$part"; echo '```'; $(BIN)/python -m tests.bench.$$part; echo '```'; } \
		| tee -a tests/bench/RESULTS.md; done

snapshots: $(READY)
	$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadgroup --snapshot-update tests/snapshots

picture: $(READY)
	$(BIN)/python -m tests.picture docs/health.svg
	$(BIN)/python -m tests.story docs/story.svg

# One lock for every platform and Python that pyproject.toml allows, without the address of any index.
lock:
	rm -rf $(VENV)-lock
	$(PYTHON) -m venv $(VENV)-lock
	$(VENV)-lock/bin/python -m pip install --quiet uv
	$(VENV)-lock/bin/uv pip compile --quiet --universal --python-version 3.11 --extra demo --extra dev --generate-hashes \
		--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" \
		--output-file requirements.lock pyproject.toml
	rm -rf $(VENV)-lock

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis build *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
