# `make run` and `make test` do everything, the installation into .venv included.

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
UNFINISHED := $(VENV)/.unfinished
# The interpreter that creates .venv: PYTHON if given, else the first of these that fits.
PYTHON ?=
CANDIDATES := python3 python3.12 python3.11 python3.10
FITS := import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 12))
# More arguments for the command behind a target: make run ARGS='--profile smoke'
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help run papers test lint lab bench clean elsewhere

help:
	@echo "make run    install once, run the notebooks on the best data present, write the report"
	@echo "make papers install once, run all published experiments, write the report that compares them"
	@echo "make test   install once, check style, types and layers, run the tests"
	@echo "make lab    open JupyterLab on the notebooks"
	@echo "make bench  print a table of timings"
	@echo "make lint   check style, types and layers only"
	@echo "make clean  remove .venv and caches; data/ and runs/ stay"
	@echo ""
	@echo "ARGS='...'   arguments for the command behind it:  make run ARGS='--profile smoke'"
	@echo "PYTHON=...   the Python (3.10, 3.11 or 3.12) that creates .venv:  make run PYTHON=python3.12"
	@echo "MER_DATA_ROOT=...   the folder above the data sets:  make run MER_DATA_ROOT=/path/to/data"

run: $(STAMP)
	$(BIN)/mer run $(ARGS)

papers: $(STAMP)
	$(BIN)/mer run papers $(ARGS)

test: lint
	$(BIN)/python -m pytest -n 2 $(ARGS)

lint: $(STAMP)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy mer_lib
	$(BIN)/lint-imports

lab: $(STAMP)
	$(BIN)/jupyter lab $(ARGS) notebooks

bench: $(STAMP)
	$(BIN)/python benchmarks/run.py $(ARGS)

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
	find mer_lib tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamp holds the folder that .venv was made in: the scripts of a moved or copied .venv do not run.
ifneq ($(shell cat $(STAMP) 2>/dev/null),$(shell pwd -P))
$(STAMP): elsewhere
endif

# An installation that was cut short leaves $(UNFINISHED) behind, and its .venv is then made anew.
$(STAMP): pyproject.toml constraints.txt
	@if [ -e $(UNFINISHED) ] || { [ -e $(STAMP) ] && [ "$$(cat $(STAMP))" != "$$(pwd -P)" ]; } \
	    || ! { $(BIN)/python -c '$(FITS)' && $(BIN)/python -m pip --version; } >/dev/null 2>&1; then \
	    found=; lacking=; \
	    for candidate in $(if $(PYTHON),"$(PYTHON)",$(CANDIDATES)); do \
	        "$$candidate" -c '$(FITS)' >/dev/null 2>&1 || continue; \
	        if "$$candidate" -c 'import ensurepip, venv' >/dev/null 2>&1; then found=$$candidate; break; fi; \
	        lacking=$$candidate; \
	    done; \
	    if [ -z "$$found" ] && [ -n "$$lacking" ]; then \
	        echo "$$lacking cannot create virtual environments: its module venv or ensurepip is missing."; \
	        echo "On Debian and Ubuntu: sudo apt install python3-venv (or python3.N-venv for python3.N)."; \
	        exit 1; \
	    elif [ -z "$$found" ]; then \
	        echo "Expected Python 3.10, 3.11 or 3.12; tried without success: $(or $(PYTHON),$(CANDIDATES))."; \
	        echo "Install one of them, or name it: make run PYTHON=/path/to/python3.12"; \
	        exit 1; \
	    fi; \
	    echo "Creating $(VENV) with $$found ($$("$$found" --version 2>&1))"; \
	    "$$found" -m venv --clear $(VENV) || exit 1; \
	fi >&2
	@echo "Installing into $(VENV): once, a few minutes, several GB with PyTorch"
	@touch $(UNFINISHED)
	$(BIN)/python -m pip install --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@rm -f $(UNFINISHED)
	@pwd -P > $(STAMP)
