PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: run app test lint bench screenshots clean

run: $(VENV)/run sample/accreditations.csv
	$(BIN)/kpi run sample --round 2025-26

app: $(VENV)/app  # shows what `make run` made, or says what to do where there is nothing yet
	$(BIN)/kpi app

test: $(VENV)/develop
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder

lint: $(VENV)/develop
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# pandas has an environment of its own: where it is installed, pandera imports it
bench: $(VENV)/app $(VENV)-bench/made
	$(BIN)/python benchmarks/run.py --ten-years --pandas-python $(VENV)-bench/bin/python
	$(BIN)/python benchmarks/money.py
	$(BIN)/python benchmarks/draws.py
	$(BIN)/python benchmarks/intake.py
	$(BIN)/python benchmarks/app.py

# every page, light and dark, wide and narrow, into docs/screenshots
screenshots: $(VENV)/develop
	$(BIN)/python tests/browser/screenshots.py

sample/accreditations.csv: | $(VENV)/run
	$(BIN)/kpi sample sample

$(VENV)/run: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(PIP) --editable .
	touch $@

$(VENV)/app: $(VENV)/run
	$(PIP) --editable '.[app]'
	touch $@

$(VENV)/develop: $(VENV)/run
	$(PIP) --editable '.[test,lint]'
	touch $@

$(VENV)-bench/made: constraints.txt
	$(PYTHON) -m venv $(VENV)-bench
	$(VENV)-bench/bin/python -m pip install --quiet --disable-pip-version-check \
		--constraint constraints.txt pandas
	touch $@

clean:
	rm -rf $(VENV) $(VENV)-bench benchmarks/.cache sample rounds dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
