# The two commands of the README; both set up everything they need in .venv.
PYTHON ?= python3
BIN := .venv/bin
TOOL := PYTHONPATH=tests $(BIN)/python -m tools.

.PHONY: help demo test test-postgres slow-postgres quick lint fuzz soak attack bench lock reference translation viewer assets screenshots wheel sbom audit image-check clean
.DEFAULT_GOAL := help
# Reading the tests costs each of the processes that run them 16 seconds where nothing may be kept of it, and 5 else.
unexport PYTHONDONTWRITEBYTECODE

help:
	@echo "make demo   sample Zaken API, backfill, gateway and pages for operators, until Ctrl-C"
	@echo "make test   everything the project promises, as tests; on PostgreSQL too where there is one"
	@echo "make quick  the tests that are quick, in a minute: while you work"
	@echo "make lint   ruff, mypy, and which way imports go"
	@echo "make fuzz   the served API under generated requests"
	@echo "make soak   the long tests: kills, a full disk, a locked store, a clock that jumps, 500 histories of clients, attacks"
	@echo "make attack wrong tokens, slow clients, slow sources, heavy questions and a held lock against a running server"
	@echo "make lock   the lock files and the list of licences anew, after a change of dependencies"
	@echo "make reference  docs/configuration.md, docs/commands.md, docs/log-events.md and the table of docs/mapping.md anew, after a change of a key, an option, a rule or a log line"
	@echo "make viewer Swagger UI anew, of the version in tests/tools/viewer.py; needs npm"
	@echo "make assets the stylesheet of the operator's pages anew, after a change of assets/ or of a class in a template (needs npm)"
	@echo "make screenshots  the pictures of docs/handleiding.md anew, after a change of a page (needs Chromium)"
	@echo "make wheel  what production installs, in dist/"
	@echo "make sbom   what production installs, with licences, as CycloneDX; make audit asks for known vulnerabilities"
	@echo "make image-check  the commands of the Containerfile in a clean folder"
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
	--no-emit-index-url --no-emit-find-links --no-emit-package pip $(UPGRADE)
UPGRADE ?=
lock:
	$(PYTHON) -m venv .venv-lock
	.venv-lock/bin/python -m pip install --quiet --disable-pip-version-check 'uv>=0.9,<1'
	$(COMPILE) pyproject.toml --output-file requirements.lock
	$(COMPILE) pyproject.toml --extra dev --constraint requirements.lock --output-file requirements-dev.lock
	$(COMPILE) --group build --constraint requirements-dev.lock --output-file requirements-build.lock
	$(MAKE) .venv/installed
	$(TOOL)licences

reference: .venv/installed
	$(TOOL)configuration_reference
	$(TOOL)command_reference
	$(TOOL)rules
	$(TOOL)log_events

# Swagger UI anew, of the version in tests/tools/viewer.py; needs npm.
viewer: .venv/installed
	$(TOOL)viewer

# What the mapping makes of the objects of the tests, kept anew after a change of a rule that was meant.
translation: .venv/installed
	$(TOOL)translation

# gateway/pages/static/pages.css, of exactly the packages that the lock names. Only this needs npm.
assets:
	npm ci --prefix assets --no-audit --no-fund
	node assets/build.mjs

# docs/handleiding/*.png, of a sample source.
screenshots: .venv/installed
	$(TOOL)screenshots

# What production installs beside requirements.lock, see docs/operation.md.
wheel: .venv/installed
	$(BIN)/python -m hatchling build --target wheel

# What a production venv holds, with licences and who needs what: CycloneDX 1.6, from an environment made of the lock alone.
sbom: .venv/installed
	$(PYTHON) -m venv --clear --without-pip .venv-sbom
	$(BIN)/python -m pip --python .venv-sbom/bin/python install --quiet --disable-pip-version-check \
		--require-hashes --no-deps --only-binary :all: --requirement requirements.lock
	mkdir -p dist
	$(BIN)/cyclonedx-py environment --pyproject pyproject.toml --output-reproducible --sv 1.6 --of JSON \
		--output-file dist/klantbrug.cdx.json .venv-sbom/bin/python

# Known vulnerabilities of what the lock installs. It asks a service on the network; where that can't be reached it fails.
audit:
	$(PYTHON) -m venv .venv-audit
	.venv-audit/bin/python -m pip install --quiet --disable-pip-version-check 'pip-audit>=2.7,<3'
	.venv-audit/bin/pip-audit --require-hashes --disable-pip --requirement requirements.lock

# The commands of the Containerfile in a clean folder, where no container can be built.
image-check: .venv/installed
	$(TOOL)image_build

demo: .venv/installed
	@$(BIN)/klantbrug demo

# By whole files: some that share a running gateway (tests/telemetry/test_metrics.py, tests/server/test_serve.py) must go
# in their order, and `worksteal` may come back to the beginning of a file after its end. It would save 4 % (tests/ingest
# 128 and 123 s, the quick tests 88 and 85 s, on a busy machine), for as much work.
#
# Twice as many processes as cores, since slow tests wait: 14 minutes on two cores, 16 with a process on each.
#
# First all with the store in a file, then in PostgreSQL where there is one (KLANTBRUG_TEST_DATABASE is its url; else the
# database `test` on this machine) all that is not marked `slow`, and of those marked so the tests of the driver, the copy
# of a store and the pace that machines share (ALL_THERE); without the tests that just asked for no store. A first run
# that fails is the last. `make test-postgres` runs the slow ones there too: half an hour more; `make slow-postgres` just
# those, in another order for each commit. With UNTIL (seconds since 1970) none is begun there after it.
WORKERS ?= $(shell expr 2 '*' $$(getconf _NPROCESSORS_ONLN))
STORELESS := .venv/storeless.json
ALL_THERE := $(sort $(wildcard tests/store/test_postgres*.py)) tests/store/test_moving.py tests/machines/test_shared_pace.py
DATABASE = url=$$($(TOOL)database) || exit 1; test -z "$$url" || KLANTBRUG_TEST_DATABASE="$$url"
PYTEST := $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile
test: .venv/installed
	$(PYTEST) --note-storeless=$(STORELESS)
	@$(DATABASE) $(PYTEST) --leave-out=$(STORELESS) --slow-only-of="$(ALL_THERE)" $(if $(UNTIL),--until=$(UNTIL)) \
		$(ALL_THERE) tests

# Everything in PostgreSQL, without the tests that asked for no store when `make test` ran them.
test-postgres: .venv/installed
	@$(DATABASE) $(PYTEST) --leave-out=$(STORELESS)

slow-postgres: .venv/installed
	@$(DATABASE) $(PYTEST) --leave-out=$(STORELESS) -m "slow and not soak" $(addprefix --ignore=,$(ALL_THERE)) \
		--until=$(UNTIL) --order-of=$$(git rev-parse HEAD) tests

# Without what is marked `slow` (see pyproject.toml): kills, processes, waits, whole sources. Parts of files go to whichever
# process has none left.
quick: .venv/installed
	$(BIN)/python -m pytest -n auto --dist worksteal -m "not slow and not soak"

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
	rm -rf .venv .venv-lock .venv-sbom .venv-audit dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
