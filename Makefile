# `make` lists the commands. PYTHON=… names an interpreter, VENV=… another place for the virtual environment, TEST_PROCESSES=… how
# many processes share the tests (many of them wait, so a core serves more than one); what is timed has the machine for itself.

VENV ?= .venv
PYTHON ?= $(firstword $(foreach name,python3 python3.14 python3.13 python3.12 python3.11,$(shell \
	$(name) -c 'import sys; sys.version_info >= (3, 11) and print(sys.executable)' 2>/dev/null)))
BIN := $(VENV)/bin
PEERS := $(VENV)-bench
RUNTIME := $(VENV)-runtime
TEST_PROCESSES ?= 3
# What failed is asked once more, alone: a machine that others use may have stood still for a moment. Both times are printed.
ALONE := --last-failed --last-failed-no-failures none --maxfail 3
FAILED := .pytest_cache/v/cache/lastfailed
PYTHONS ?= 3.12 3.13
SHARED := --numprocesses $(TEST_PROCESSES) --dist worksteal
# What another Python could break: machinery, rules, endpoints and the server; not pages, documents and the faults of machines.
FOR_OTHERS := $(addprefix tests/,api config database libs modules e2e/test_server.py test_factory.py test_runtime.py test_testing.py test_worker.py)

# Vite's range; a machine without such a Node gets one from PyPI.
NODE_FITS = npm --version >/dev/null 2>&1 && node -e 'const [major, minor] = process.versions.node.split(".").map(Number); \
	process.exit((major === 20 && minor >= 19) || (major === 22 && minor >= 12) || major > 22 ? 0 : 1)' >/dev/null 2>&1
SBOM ?= dist/sbom.cdx.json

# The tests start hundreds of processes: what the first one compiled, the others load.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

.PHONY: help
help: ## List the commands
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: $(VENV)/.installed $(VENV)/.node ## Install what is needed, prepare the database, serve on HOST:PORT (127.0.0.1:5000)
	@exec $(BIN)/python manager.py run

.PHONY: dev
dev: $(VENV)/.installed $(VENV)/.node ## Serve for development: reload, debugger, and Vite's server for the dashboard
	@exec $(BIN)/python manager.py runserver --dashboard

.PHONY: test
test: $(VENV)/.installed-dev $(VENV)/.node ## Run every test that can run here and say what was skipped
	@status=0; \
	$(BIN)/python -m pytest $(SHARED) -m "not timed" $(FIRST) $(WHICH) || \
		$(BIN)/python -m pytest $(ALONE) -m "not timed" $(AGAIN) $(WHICH) || status=$$?; \
	[ -n "$(UNTIMED)" ] || $(BIN)/python -m pytest -m timed $(THEN) $(WHICH) || \
		$(BIN)/python -m pytest $(ALONE) -m timed $(THEN) $(WHICH) || status=$$?; \
	[ $$status -eq 0 ] || ! [ -f $(FAILED) ] || { echo "Failed, and not green since:"; cat $(FAILED); echo; }; \
	exit $$status

UNJUDGED := --cov-report= --cov-fail-under=0

.PHONY: check
check: $(VENV)/.installed-dev $(VENV)/.node ## Check everything CI asks: format, lint, types, layers, tests, coverage
	$(BIN)/ruff format --check --quiet
	$(BIN)/ruff check --quiet
	$(BIN)/bandit --configfile pyproject.toml --quiet --recursive application benchmarks migrations manager.py gunicorn.conf.py
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/python manager.py build-dashboard
	$(BIN)/python manager.py build-dashboard --check
	$(BIN)/python -m benchmarks.in_process --check
	$(MAKE) test FIRST="--cov $(UNJUDGED)" AGAIN="--cov --cov-append $(UNJUDGED)" THEN="--cov --cov-append"

ROUNDS ?= 5
SECONDS_A_CELL ?= 3
WEB_DATABASES = $(filter sqlite postgresql,$(or $(DATABASES),sqlite postgresql))

.PHONY: bench
bench: bench-scheduler bench-web ## Measure ourselves beside others, on a quiet machine: DATABASES="sqlite postgresql mariadb", ROUNDS=5

.PHONY: bench-scheduler
bench-scheduler: $(VENV)/.installed-dev ## Measure the scheduler beside plain APScheduler: DATABASES="sqlite postgresql mariadb"
	@$(BIN)/python -m benchmarks.scheduler $(DATABASES)

.PHONY: bench-web
bench-web: $(VENV)/.installed-dev $(PEERS)/.installed $(RUNTIME)/.installed ## Measure the web API beside FastAPI, Django, Litestar, …: DATABASES="sqlite postgresql", ROUNDS=5, SECONDS_A_CELL=3, BENCH_OPTIONS=--quick
	@command -v wrk >/dev/null || { echo "make bench needs wrk, which makes the load (Debian, Ubuntu: apt install wrk)" >&2; exit 1; }
	@$(BIN)/python -m benchmarks.in_process
	@$(BIN)/python -m benchmarks.web $(addprefix --database ,$(WEB_DATABASES)) --rounds $(ROUNDS) --seconds $(SECONDS_A_CELL) \
		--peers $(PEERS)/bin/python --ours $(RUNTIME)/bin/python $(BENCH_OPTIONS)

GROWTH_FOLDER ?= docs/growth

.PHONY: bench-growth
bench-growth: $(VENV)/.installed-dev $(PEERS)/.installed $(RUNTIME)/.installed ## Measure and draw how the API grows with blogs, connections, workers, routes: GROWTH_OPTIONS=--full (1,000,000 blogs), GROWTH_FOLDER=docs/growth
	@$(BIN)/python -m benchmarks.growth --rounds $(ROUNDS) --seconds $(SECONDS_A_CELL) \
		--peers $(PEERS)/bin/python --ours $(RUNTIME)/bin/python --json dist/growth.json $(GROWTH_OPTIONS)
	@$(PEERS)/bin/python -m benchmarks.plotting dist/growth.json --folder $(GROWTH_FOLDER)

.PHONY: profile
profile: $(VENV)/.installed-dev ## Write dist/profile-*.html and .txt: where the time of a request goes
	@$(BIN)/python -m benchmarks.profiling

.PHONY: fuzz
fuzz: $(VENV)/.installed-dev ## Attack the API on every database for minutes: EXAMPLES=200 an operation, SEED=… repeats a run, PATHS='^/scheduler' takes a part
	@$(BIN)/python -m tests.contract.fuzzing
	@EXAMPLES=$${EXAMPLES:-200} $(BIN)/python -m pytest --timeout 1800 tests/contract/test_round_trip.py tests/contract/test_model.py

.PHONY: test-pythons
test-pythons: ## Run the tests on the other Pythons that are found (PYTHONS="3.12 3.13"), on SQLite: rules, endpoints, machinery
	@for version in $(PYTHONS); do \
		python=$$(PYENV_VERSION=$$(pyenv versions --bare 2>/dev/null | grep "^$$version" | tail -n 1) \
			python$$version -c 'import sys; print(sys.executable)' 2>/dev/null) || \
			{ echo "Python $$version is not here: skipped"; continue; }; \
		echo "With $$python:"; \
		TEST_DATABASES=sqlite $(MAKE) test VENV=.venv-$$version PYTHON=$$python UNTIMED=1 WHICH="-q $(FOR_OTHERS)" || exit 1; \
	done

.PHONY: openapi
openapi: $(VENV)/.installed ## Write docs/openapi.json, docs/openapi-v2.json and docs/asyncapi.json anew
	@$(BIN)/python manager.py openapi > docs/openapi.json
	@$(BIN)/python manager.py openapi --api v2 > docs/openapi-v2.json
	@$(BIN)/python manager.py asyncapi > docs/asyncapi.json

.PHONY: sbom
sbom: $(VENV)/.installed-dev ## Write dist/sbom.cdx.json: what requirements.txt installs, in CycloneDX
	@mkdir -p $(dir $(SBOM))
	@$(BIN)/python -W ignore::UserWarning -m cyclonedx_py requirements requirements.txt --pyproject pyproject.toml \
		--output-reproducible --output-file $(SBOM)
	@echo "$(SBOM)"

COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-header --no-emit-index-url \
	--generate-hashes --no-strip-extras

.PHONY: lock
lock: $(VENV)/.installed-dev ## Pin requirements*.txt from pyproject.toml, with the hashes of every file
	@$(COMPILE) pyproject.toml --output-file requirements.txt
	@$(COMPILE) pyproject.toml --group dev --constraints requirements.txt --output-file requirements-dev.txt
	@$(COMPILE) --group build --output-file requirements-build.txt
	@$(COMPILE) --group node --output-file requirements-node.txt
	@$(COMPILE) --group bench --constraints requirements.txt --output-file benchmarks/requirements.txt

# `pip install` wants a look at the index even where nothing is to do, so a file remembers that it was done.
PIP = $(@D)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes
INSTALL = $(PIP) --build-constraint requirements-build.txt

# The pip that Python brings may be too old to check what builds a package.
$(VENV)/.pip $(PEERS)/.pip $(RUNTIME)/.pip: %/.pip: requirements-build.txt | %/bin/python
	@$(PIP) --requirement requirements-build.txt
	@touch $@

# The second is for benchmarks: it has what is served with, as `make run` installs it, and nothing that tests need.
$(VENV)/.installed $(RUNTIME)/.installed: %/.installed: requirements.txt %/.pip
	@echo "Installing what requirements.txt pins (the first time takes a minute) ..."
	@$(INSTALL) --requirement requirements.txt
	@touch $@

$(VENV)/.installed-dev: requirements-dev.txt $(VENV)/.pip
	@echo "Installing what requirements-dev.txt pins (the first time takes a minute) ..."
	@$(INSTALL) --requirement requirements-dev.txt
	@touch $@ $(VENV)/.installed

$(PEERS)/.installed: benchmarks/requirements.txt $(PEERS)/.pip
	@echo "Installing what benchmarks/requirements.txt pins (the first time takes a minute) ..."
	@$(INSTALL) --requirement benchmarks/requirements.txt
	@touch $@

$(BIN)/python $(PEERS)/bin/python $(RUNTIME)/bin/python: %/bin/python:
	@test -n "$(PYTHON)" || { echo "Redprint needs Python 3.11 or newer: install it, or name one with PYTHON=..." >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "$(PYTHON) is older than 3.11: name a newer Python with PYTHON=..." >&2; exit 1; }
	@"$(PYTHON)" -m venv $* || { rm -rf $*; \
		echo "This Python cannot make virtual environments (Debian, Ubuntu: apt install python3-venv)" >&2; exit 1; }

# Without a Node the dashboard is not built, and its page says so; the server starts all the same.
$(VENV)/.node: | $(VENV)/.installed
	@if $(NODE_FITS); then touch $@; else \
		echo "Installing a Node to build the dashboard with ..."; \
		if $(INSTALL) --requirement requirements-node.txt; then touch $@; \
		else echo "No Node could be installed: the dashboard's page will say how to build it." >&2; fi; fi
