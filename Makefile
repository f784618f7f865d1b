# make run | test | ui — everything else is for engineers of the dock itself.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
DEV_STAMP := $(VENV)/.installed-dev
SPARK_STAMP := $(VENV)/.installed-spark
PEOPLE ?= 5000
# Homes of the tests stand in memory where there is room: they are many, small and written with care for crashes.
IN_MEMORY := $(shell [ "$$(df --output=avail -k /dev/shm 2>/dev/null | tail -1)" -gt 4000000 ] 2>/dev/null && echo --basetemp=/dev/shm/datadock-tests)

.DEFAULT_GOAL := help
.PHONY: help run test test-all test-unit test-spark java ui lint format lock debian clean bench

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 14

$(BIN)/uv:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv

$(STAMP): requirements.lock pyproject.toml | $(BIN)/uv
	VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --quiet --compile-bytecode --require-hashes -r requirements.lock
	VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --quiet --no-deps -e .
	@touch $@

$(DEV_STAMP): requirements-dev.lock $(STAMP)
	VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --quiet --compile-bytecode --require-hashes -r requirements-dev.lock
	@touch $@

$(SPARK_STAMP): requirements-spark.lock $(DEV_STAMP)
	VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --quiet --compile-bytecode --require-hashes -r requirements-spark.lock
	@touch $@

run: $(STAMP) ## install, write the demo company's files if none are there, build everything
	@$(BIN)/datadock demo generate --people $(PEOPLE) --seed 1 --if-missing
	@$(BIN)/datadock run

ui: $(STAMP) ## open the Dagster UI on the same data
	@$(BIN)/datadock ui

test: $(DEV_STAMP) debian ## install what the tests need and run them all
	@$(MAKE) --no-print-directory -j2 lint test-all

test-all: $(DEV_STAMP)
	$(BIN)/python -m pytest -m "not spark" -n 2 --dist loadfile --no-loadscope-reorder --durations 10 $(IN_MEMORY)

test-unit: $(DEV_STAMP) ## the fast tier
	$(BIN)/python -m pytest tests/unit -n 2 -m "not slow"

# Short jobs on a cold JVM: its best compiler would cost more than it saves.
test-spark: $(SPARK_STAMP) java ## install pyspark and Java, run the tests of engine: spark (minutes)
	JAVA_TOOL_OPTIONS="-XX:TieredStopAtLevel=1 -XX:+UseSerialGC" $(BIN)/python -m pytest tests -m spark --durations 5 $(IN_MEMORY)

lint: $(DEV_STAMP) ## ruff, mypy, sqlfluff
	$(BIN)/ruff check . && $(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/sqlfluff lint dbt_project/models dbt_project/tests

format: $(DEV_STAMP) ## ruff format and fixes
	$(BIN)/ruff check --fix . ; $(BIN)/ruff format .

debian: ## Debian packages that the page tests need (Chromium), where this user may install them
	@command -v chromium >/dev/null || if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null; \
	else echo "chromium is missing: tests that look at pages are skipped"; fi

java: # Debian's Java 17, where it is missing and this user may install it
	@command -v java >/dev/null || if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq openjdk-17-jre-headless >/dev/null; \
	else echo "java is missing: the tests of engine: spark are skipped"; fi

lock: | $(BIN)/uv ## compile the lock files anew
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --custom-compile-command "make lock" pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --custom-compile-command "make lock" pyproject.toml --group dev -o requirements-dev.lock
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --custom-compile-command "make lock" -c requirements.lock pyproject.toml --extra spark -o requirements-spark.lock

bench: $(DEV_STAMP) ## every benchmark, small and large (about 30 minutes)
	for bench in demo landing run identity identity_index french iris quality quality_contacts quality_linking; do $(BIN)/python benchmarks/$$bench.py; done

clean: ## remove what was built, never the home folder
	rm -rf build *.egg-info .pytest_cache .mypy_cache .ruff_cache dbt_project/target dbt_project/logs
