# Every command a person types. Each sets up what it needs in .venv; only Python 3.11+ and make are assumed.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
# The tests start hundreds of processes: each of them would compile all modules anew.
unexport PYTHONDONTWRITEBYTECODE
# `make quick FOLDER=budget` runs the tests in tests/budget; without it, the fast ones
FOLDER ?=
FAST := _generated _runtime/test_codec.py _runtime/test_arguments.py budget/test_ledger.py budget/test_headers.py \
	docs/test_paths.py overrides/naming test_errors.py test_pagination.py test_response.py
.DEFAULT_GOAL := help

.PHONY: help
help:  ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(BIN)/python:
	$(PYTHON) -m venv .venv

# what a user of the SDK has: enough for the demo
.venv/.demo: pyproject.toml | $(BIN)/python
	$(PIP) install --editable '.[testing]'
	@touch $@

# what a developer of the SDK has
.venv/.dev: pyproject.toml | $(BIN)/python
	@# dependency groups need pip 25.1; an older .venv has an older pip
	$(PIP) install --upgrade 'pip>=25.1'
	$(PIP) install --group dev --editable '.[otel,progress,redis,testing]'
	@touch $@ .venv/.demo

.PHONY: demo
demo: .venv/.demo  ## run examples/quickstart.py against an embedded local Whereby
	$(BIN)/python examples/quickstart.py

.PHONY: quick
quick: .venv/.dev  ## the inner loop: format, lint, types, the tests of one folder (FOLDER=budget) or the fast ones
	$(BIN)/ruff check --quiet --fix .
	$(BIN)/ruff format --quiet .
	$(BIN)/mypy --num-workers 2
	$(BIN)/python -m pytest -q -m 'not slow' $(addprefix tests/,$(or $(FOLDER),$(FAST)))

.PHONY: test
test: .venv/.dev  ## run the tests, but for the slow ones
	$(BIN)/python -m pytest -m 'not slow' -n auto --dist worksteal

# The slow tests of many processes that share a Redis live in real time: they get the machine for
# themselves.
.PHONY: test-all
test-all: .venv/.dev  ## run all tests
	$(BIN)/python -m pytest -n auto --dist worksteal --ignore tests/budget/redis
	$(BIN)/python -m pytest tests/budget/redis

.PHONY: check
check: .venv/.dev  ## format, lint, types, rules of dependency, generated code up to date, every override fits
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/python -m overrides types
	$(BIN)/lint-imports
	$(BIN)/python -m overrides check

.PHONY: generate
generate: .venv/.dev  ## openapi/whereby.json + overrides/ -> whereby_api_client/_generated/
	$(BIN)/python -m overrides generate

# RENAME=1 accepts new names of methods, ANYWAY=1 an earlier document, WITHOUT='POST /x' leaves that out
UPDATE = $(if $(RENAME),--rename) $(if $(ANYWAY),--anyway) $(if $(WITHOUT),--without '$(WITHOUT)') $(if $(SPEC),'$(SPEC)')
.PHONY: update-spec
update-spec: .venv/.dev  ## take in a new document: SPEC=path-or-URL, by default where Whereby has it
	$(BIN)/python -m overrides update $(UPDATE)

.PHONY: release-spec
release-spec: .venv/.dev  ## the same, with the version and the CHANGELOG entry: ready for one commit
	$(BIN)/python -m overrides update --release $(UPDATE)

.PHONY: format
format: .venv/.dev  ## format the hand-written code and fix what the linter can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.PHONY: matrix
matrix:  ## run the tests on every Python that is here, lowest and newest dependencies, httpx2
	$(PYTHON) .ci/matrix.py

.PHONY: docs
docs: .venv/.dev  ## build the documentation into docs/_build; a warning is an error
	$(BIN)/python -m sphinx -q -E -a --fail-on-warning --keep-going -b html docs docs/_build

.PHONY: release-check
release-check: .venv/.dev  ## build twice, look inside, install, try out: all but publishing
	$(PIP) install --group release
	$(BIN)/python .ci/release_check.py $(TAG)

.PHONY: bench
bench: .venv/.dev  ## run the benchmarks
	$(BIN)/python -m benchmarks

# the SDKs that ours is compared with have requirements of their own: an environment for them
.compare/.ready: pyproject.toml
	$(PYTHON) -m venv .compare
	.compare/bin/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	.compare/bin/python -m pip install --quiet --disable-pip-version-check --group compare --editable .
	@touch $@

.PHONY: compare
compare: .compare/.ready  ## compare with other SDKs: odd responses, deadlines, lost responses, secrets, limits
	.compare/bin/python -m benchmarks.compare

.PHONY: clean
clean:  ## remove everything that the other commands made
	rm -rf .venv .matrix .compare dist build docs/_build .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
