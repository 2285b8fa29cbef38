PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: run test lint bench clean

run: $(VENV)/run sample/colleges.csv
	$(BIN)/kpi run sample --round 2025-26

test: $(VENV)/develop
	$(BIN)/python -m pytest

lint: $(VENV)/develop
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(VENV)/develop
	$(BIN)/python benchmarks/run.py

sample/colleges.csv: | $(VENV)/run
	$(BIN)/kpi sample sample

$(VENV)/run: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(PIP) --editable .
	touch $@

$(VENV)/develop: $(VENV)/run
	$(PIP) --editable '.[test,lint,bench]'
	touch $@

clean:
	rm -rf $(VENV) sample rounds dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
