# The two commands of the README; both set up everything they need in .venv.
PYTHON ?= python3
BIN := .venv/bin
TOOL := PYTHONPATH=tests $(BIN)/python -m tools.

.PHONY: help demo test quick lint fuzz soak attack bench lock reference translation wheel clean
.DEFAULT_GOAL := help

help:
	@echo "make demo   sample Zaken API, backfill, gateway and status page, until Ctrl-C"
	@echo "make test   everything the project promises, as tests"
	@echo "make quick  the tests that are quick, in a minute: while you work"
	@echo "make lint   ruff, mypy, and which way imports go"
	@echo "make fuzz   the served API under generated requests"
	@echo "make soak   the long tests: kills, a full disk, a locked store, a clock that jumps, 500 histories of clients, attacks"
	@echo "make attack wrong tokens, slow clients, slow sources, heavy questions and a held lock against a running server"
	@echo "make lock   the lock files and the list of licences anew, after a change of dependencies"
	@echo "make reference  docs/configuration.md, docs/commands.md and the table of docs/mapping.md anew, after a change of a key, an option or a rule"
	@echo "make wheel  what production installs, in dist/"
	@echo "make bench  how fast it answers, as docs/performance.md tells"

# Exactly what the lock file names, by hash; then ourselves, without asking for anything.
PIP_INSTALL := -m pip install --quiet --disable-pip-version-check --no-deps
.venv/installed: pyproject.toml requirements-dev.lock
	$(PYTHON) -m venv .venv
	$(BIN)/python $(PIP_INSTALL) --require-hashes --only-binary :all: --requirement requirements-dev.lock
	$(BIN)/python $(PIP_INSTALL) --no-build-isolation --no-index --editable .
	@touch $@

# After a change of dependencies in pyproject.toml. UPGRADE=--upgrade takes the newest that it allows.
COMPILE = .venv-lock/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
	--no-emit-index-url --no-emit-find-links --no-emit-package pip $(UPGRADE) pyproject.toml
UPGRADE ?=
lock:
	$(PYTHON) -m venv .venv-lock
	.venv-lock/bin/python -m pip install --quiet --disable-pip-version-check 'uv>=0.9,<1'
	$(COMPILE) --output-file requirements.lock
	$(COMPILE) --extra dev --constraint requirements.lock --output-file requirements-dev.lock
	$(MAKE) .venv/installed
	$(TOOL)licences

reference: .venv/installed
	$(TOOL)configuration_reference
	$(TOOL)command_reference
	$(TOOL)rules

# What the mapping makes of the objects of the tests, kept anew after a change of a rule that was meant.
translation: .venv/installed
	$(TOOL)translation

# What production installs beside requirements.lock, see docs/operation.md.
wheel: .venv/installed
	$(BIN)/python -m hatchling build --target wheel

demo: .venv/installed
	@$(BIN)/klantbrug demo

test: .venv/installed
	$(BIN)/python -m pytest -n auto --dist loadfile

# Without what is marked `slow` (see pyproject.toml): kills, processes, waits, whole sources.
quick: .venv/installed
	$(BIN)/python -m pytest -n auto --dist loadfile -m "not slow and not soak"

lint: .venv/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy gateway jobs mappings
	$(BIN)/lint-imports

# 20 cases for each operation and phase: about 5 minutes. CASES=1 is what CI does.
CASES ?= 20
fuzz: .venv/installed
	$(TOOL)fuzz --max-examples $(CASES)

soak: .venv/installed
	$(BIN)/python -m pytest -m soak
	$(MAKE) attack

# About 10 minutes, on a machine that does nothing else. The figures are in docs/reliability.md.
attack: .venv/installed
	$(BIN)/python -m bench.attack

# SCALE=10 compares with a tenth of it. The figures are in docs/performance.md.
SCALE ?= 1
bench: .venv/installed
	$(BIN)/python -m bench.read --scale $(SCALE)

clean:
	rm -rf .venv .venv-lock dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
