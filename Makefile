# The names a person types. Everything made here stays in .venv and .cache.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
LOWEST := .cache/lowest
ARGS ?=
PYTEST_ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help run test test-lowest check bench clean

help:  ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo 'Options of boxtop: make run ARGS="--demo"; of pytest: make test PYTEST_ARGS="-k config"'

run: $(BIN)/.run  ## Install boxtop into a private environment and start it
	@$(BIN)/boxtop $(ARGS)

test: $(BIN)/.test  ## Run the test suite, engines included where they can be had
	@sh tests/prepare.sh
	@sh scripts/libvirt.sh $(BIN)
	@$(BIN)/python -m pytest -n 3 --dist loadfile $(PYTEST_ARGS)

test-lowest: $(LOWEST)/bin/.test  ## Prove the lower bounds of the dependencies
	@$(LOWEST)/bin/python -m pytest -q -n 3 --dist loadfile tests/unit tests/ui $(PYTEST_ARGS)

check: $(BIN)/.check  ## Lint, formatting, types, layers
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports

bench: $(BIN)/.test  ## Measure boxtop (root, a quiet machine): table in docs/benchmarks.md
	@sh tests/prepare.sh
	@$(BIN)/python -m tests.bench $(ARGS)

clean:  ## Remove what was made here
	rm -rf .venv .cache .mypy_cache .ruff_cache .pytest_cache .import_linter_cache build *.egg-info

$(BIN)/.run: pyproject.toml
	@sh scripts/venv.sh $(VENV) $(PYTHON) -e .
	@touch $@

$(BIN)/.test: pyproject.toml
	@sh scripts/venv.sh $(VENV) $(PYTHON) -e '.[test]'
	@touch $@ $(BIN)/.run

$(BIN)/.check: pyproject.toml
	@sh scripts/venv.sh $(VENV) $(PYTHON) -e '.[test,check]'
	@touch $@ $(BIN)/.run $(BIN)/.test

$(LOWEST)/bin/.test: pyproject.toml scripts/lowest.py
	@mkdir -p .cache
	@rm -rf $(LOWEST)
	@$(PYTHON) scripts/lowest.py > .cache/lowest.txt
	@sh scripts/venv.sh $(LOWEST) $(PYTHON) -e '.[test]' -c .cache/lowest.txt
	@touch $@
