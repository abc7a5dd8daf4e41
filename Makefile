# The two main targets: `make serve` serves a demo library, `make test` runs all tests.
# Everything is installed into .venv, from PyPI, with the versions and hashes in the requirements files.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DATA ?= demo-library
PORT ?= 8080
SECONDS ?= 120

.PHONY: serve test check fuzz bench format requirements clean help

help: ## list these commands
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 24

serve: $(VENV)/installed ## serve a small demo library (DATA=folder, PORT=number)
	$(BIN)/tintype demo --data "$(DATA)" --port $(PORT)

test: $(VENV)/installed-dev ## run every test (ARGS="-k name" for some)
	$(BIN)/pytest -n 2 $(ARGS)

check: $(VENV)/installed-dev ## check style, types and import layers
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

fuzz: $(VENV)/installed-dev ## search for input that breaks a parser (SECONDS=120, ARGS="-k tiff")
	$(BIN)/python -m tests.fuzz.run $(SECONDS) $(ARGS)

bench: $(VENV)/installed-dev ## compare with other services, installed into .bench (ARGS="--help" lists options)
	$(BIN)/python -m benchmarks $(ARGS)

format: $(VENV)/installed-dev ## fix style automatically
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

requirements: $(VENV)/installed-dev ## update the pinned versions
	$(BIN)/uv pip compile -q --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-emit-find-links --no-header --no-annotate -o requirements.txt pyproject.toml
	$(BIN)/uv pip compile -q --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-emit-find-links --no-header --no-annotate -c requirements.txt -o requirements-dev.txt \
		--group dev pyproject.toml
	$(BIN)/uv pip compile -q --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-emit-find-links --no-header --no-annotate -o benchmarks/requirements.txt benchmarks/requirements.in

clean: ## remove environments and caches, but no image libraries
	rm -rf $(VENV) .bench .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .nox

$(VENV)/bin/python:
	sh scripts/make-environment.sh $(PYTHON) $(VENV)

$(VENV)/installed: $(VENV)/bin/python requirements.txt pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
	@touch $@

$(VENV)/installed-dev: $(VENV)/installed requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@
