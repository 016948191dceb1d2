# Every command a person types. Each sets up what it needs in .venv; only Python 3.11+ and make are assumed.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
.DEFAULT_GOAL := help

.PHONY: help
help:  ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(BIN)/python:
	$(PYTHON) -m venv .venv

# what a user of the SDK has: enough for the demo
.venv/.demo: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[testing]'
	@touch $@

# what a developer of the SDK has
.venv/.dev: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@ .venv/.demo

# ... and the packages that the benchmarks compare with
.venv/.bench: .venv/.dev
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[bench]'
	@touch $@

.PHONY: demo
demo: .venv/.demo  ## run examples/quickstart.py against an embedded local Whereby
	$(BIN)/python examples/quickstart.py

.PHONY: test
test: .venv/.dev  ## run the tests
	$(BIN)/python -m pytest -n auto --ignore tests/budget/redis
	@# processes that share a Redis live in real time: they get the machine for themselves
	$(BIN)/python -m pytest tests/budget/redis

.PHONY: check
check: .venv/.bench  ## format, lint, types, generated code up to date, overrides honest
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/pyright
	$(BIN)/python -m overrides check

.PHONY: generate
generate: .venv/.dev  ## openapi/whereby.json + overrides/ -> whereby_api_client/_generated/
	$(BIN)/python -m overrides generate

.PHONY: update-spec
update-spec: .venv/.dev  ## take in a new document: SPEC=path-or-URL, by default where Whereby has it
	$(BIN)/python -m overrides update $(if $(RENAME),--rename) $(if $(SPEC),'$(SPEC)')

.PHONY: format
format: .venv/.dev  ## format the hand-written code and fix what the linter can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.PHONY: bench
bench: .venv/.bench  ## run the benchmarks
	$(BIN)/python -m benchmarks

.PHONY: clean
clean:  ## remove everything that the other commands made
	rm -rf .venv dist build .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
