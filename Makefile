# heardback: the few commands a person needs. Everything happens in .venv; nothing outside this folder is touched,
# but for the account PostgreSQL runs under when you are root.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --require-virtualenv
DATA ?= .heardback
LICENCE ?= any
WORKERS ?= logical

.DEFAULT_GOAL := help
.PHONY: help demo run test lint bench train card clean

help: ## This list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/.all ## The whole loop once, on sample events (ARGS=--json for one JSON object)
	@$(BIN)/heardback demo $(ARGS)

run: $(VENV)/.all ## Everything on this machine, staying up; data kept in DATA (.heardback)
	@$(BIN)/heardback run --data-dir $(DATA) $(ARGS)

test: $(VENV)/.dev ## Every test that needs no extra server, on every core (WORKERS=0: one after the other)
	$(BIN)/pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder --cov --cov-report=term $(ARGS)
	$(BIN)/coverage report --include='*/domain/*,*/domain.py' --fail-under=95 --skip-covered

lint: $(VENV)/.dev ## Style, types, and which package may import which
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.dev ## Events per second and latency on this machine
	$(BIN)/python -m tests.load.bench $(ARGS)

train: $(VENV)/.training ## Trains and exports the model again, from the data sets in DATASETS (LICENCE=any or green)
	@test -n "$(DATASETS)" || { echo "Say where the data sets are: make train DATASETS=/path" >&2; exit 1; }
	test $(LICENCE) = green || $(BIN)/python -m heardback_scoring.training.teacher --data $(DATASETS)
	$(BIN)/python -m heardback_scoring.training.student --data $(DATASETS) --licence $(LICENCE)
	$(BIN)/python -m heardback_scoring.training.finish --data $(DATASETS) --licence $(LICENCE)
	$(BIN)/python -m heardback_scoring.training.export --licence $(LICENCE)
	test $(LICENCE) = green || $(BIN)/python -m heardback_scoring.training.satisfaction --data $(DATASETS)

card: $(VENV)/.training ## Scorecards of the shipped models, dev and test splits, and docs/model-card.md from them
	@test -n "$(DATASETS)" || { echo "Say where the data sets are: make card DATASETS=/path" >&2; exit 1; }
	$(BIN)/python -m heardback_scoring.training.export --precision float32 --target runs/float
	$(BIN)/heardback eval --data $(DATASETS) --json > runs/dev.json || test $$? = 1
	$(BIN)/heardback eval --data $(DATASETS) --json --split test > runs/test.json || test $$? = 1
	$(BIN)/python -m heardback_scoring.training.as_written --out runs/raw
	$(BIN)/heardback eval --data $(DATASETS) --json --split test --policies runs/raw > runs/test-raw.json || test $$? = 1
	$(BIN)/heardback eval --data $(DATASETS) --json --model runs/float/manifest.toml > runs/float.json || test $$? = 1
	$(BIN)/heardback eval --data $(DATASETS) --json --model green > runs/green.json || test $$? = 1
	$(BIN)/python -m tests.load.reading_speed --data $(DATASETS) --json > runs/speed.json
	$(BIN)/python -m heardback_scoring.training.card

clean: ## Removes the environment, caches and the data of `make run`
	rm -rf $(VENV) $(DATA) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "heardback needs Python 3.11 or newer; '$(PYTHON)' is $$($(PYTHON) --version 2>&1)." >&2; \
	  echo "Install one, or name it: make PYTHON=/path/to/python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { \
	  echo "The virtual environment could not be made. On Debian and Ubuntu: apt-get install python3-venv" >&2; \
	  rm -rf $(VENV); exit 1; }
	@touch $@

# One stamp per set of extras, made anew only when what is to be installed has changed.
$(VENV)/.%: $(VENV)/.made pyproject.toml constraints.txt
	@echo "installing heardback[$*] (the first time takes a minute or two)" >&2
	@$(PIP) install --quiet --progress-bar on -c constraints.txt -e '.[$*]'
	@touch $@
