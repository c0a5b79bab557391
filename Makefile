# The two commands of the README; both set up everything they need in .venv.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: help demo test lint fuzz soak attack bench clean
.DEFAULT_GOAL := help

help:
	@echo "make demo   sample Zaken API, backfill, gateway and status page, until Ctrl-C"
	@echo "make test   everything the project promises, as tests"
	@echo "make lint   ruff and mypy"
	@echo "make fuzz   the served API under generated requests"
	@echo "make soak   the long tests: kills, a full disk, a locked store, a clock that jumps, 500 histories of clients"
	@echo "make attack clients that mean harm, and what all others notice of it: 3 minutes"
	@echo "make bench  how fast it answers, as docs/performance.md tells"

.venv/installed: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

demo: .venv/installed
	@$(BIN)/klantbrug demo

test: .venv/installed
	$(BIN)/python -m pytest -n auto --dist loadfile

lint: .venv/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy mappings

# 20 cases for each operation and phase: about 5 minutes. CASES=1 is what CI does.
CASES ?= 20
fuzz: .venv/installed
	$(BIN)/python tests/fuzz.py --max-examples $(CASES)

soak: .venv/installed
	$(BIN)/python -m pytest -m soak

# Its figures are in docs/performance.md.
attack: .venv/installed
	$(BIN)/python -m bench.attack

# SCALE=10 compares with a tenth of it. The figures are in docs/performance.md.
SCALE ?= 1
bench: .venv/installed
	$(BIN)/python -m bench.read --scale $(SCALE)

clean:
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache
