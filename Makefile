# Two commands for a new machine: `make demo` and `make test`. Each does all its own set-up.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -q

.PHONY: demo test test-all coverage mutants soak lint fix docs fidelity fairness validate browser postgres cluster bench attacks migrating pictures site clean

demo: $(VENV)/installed
	@code=0; $(BIN)/grade examples/submissions || code=$$?; \
	if [ $$code -gt 1 ]; then exit $$code; fi; \
	echo; echo "Class page: $(CURDIR)/graded/index.html"; \
	echo "Reports:    $(CURDIR)/graded/reports/"

# Kernels mostly wait, so there are more workers than cores; conftest.py orders and groups the tests.
WORKERS ?= 3
PYTEST := $(BIN)/python -m pytest -n $(WORKERS) --no-loadscope-reorder

test: $(VENV)/dev
	$(PYTEST) $(TESTS)

test-all: $(VENV)/dev
	$(PYTEST) --slow all $(TESTS)

# Branch coverage of what starts no kernel; it must not fall below `fail_under` in pyproject.toml.
coverage: $(VENV)/dev
	$(PYTEST) -m "not kernel and not browser" --cov --cov-report=term:skip-covered $(TESTS)

# ROOM=scoring, or several with commas; all of them without. AGAIN=1 tries what survived. See docs/testing.md.
mutants: $(VENV)/dev
	$(PIP) install -c constraints.txt -e '.[mutants]'
	$(BIN)/python tests/mutants.py $(ROOM)

soak: $(VENV)/dev
	$(BIN)/python -m pytest -m soak -s

lint: $(VENV)/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

fix: $(VENV)/dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(VENV)/dev
	$(BIN)/python docs/make_checks.py
	$(BIN)/python docs/make_rubric_keys.py
	$(BIN)/python docs/make_attacks.py
	$(MAKE) site

# The docs site, in build/site; a link that leads nowhere is an error.
site: $(VENV)/dev
	$(PIP) install -c constraints.txt -e '.[docs]'
	$(BIN)/python -m sphinx -b html -W --keep-going -q docs build/site

# The corpus of notebooks at each level of isolation: some minutes.
fidelity: $(VENV)/dev
	$(BIN)/python docs/make_fidelity.py

# What tests of points, names and answers come to, by kind: some minutes.
fairness: $(VENV)/dev
	$(BIN)/python docs/make_fairness.py

validate: $(VENV)/dev
	$(BIN)/grade validate hw5 attention --report docs/mutants.md

bench: $(VENV)/dev
	$(BIN)/python -m benchmarks.run $(BENCH)

attacks: $(VENV)/dev
	$(BIN)/python -m benchmarks.attacks $(ATTACKS)

# Points of assignments in nbgrader's and otter-grader's formats, by them and by us: some minutes.
migrating: $(VENV)/dev
	$(BIN)/python -m benchmarks.migrating $(MIGRATING)

# The pictures of docs/pictures, and what axe and a screen reader find on each screen: 2 minutes.
pictures: browser
	$(BIN)/python docs/make_pictures.py

browser: $(VENV)/dev
	$(PIP) install -c constraints.txt -e '.[browser]'

cluster: $(VENV)/dev
	$(PIP) install -c constraints.txt -e '.[cluster]'

postgres: $(VENV)/dev
	$(PIP) install -c constraints.txt -e '.[postgres]'

$(VENV)/installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed, this is " + sys.version.split()[0]) if sys.version_info < (3, 11) else 0'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing (once, a few minutes: PyTorch is large) ..."
	@$(PIP) install -c constraints.txt torch
	@$(PIP) install -c constraints.txt -e '.[notebooks]'
	@touch $@

$(VENV)/dev: $(VENV)/installed Makefile
	@$(PIP) install -c constraints.txt -e '.[dev,notebooks,release,archives,xlsx,canvas]'
	@touch $@

clean:
	rm -rf $(VENV) graded build dist .pytest_cache .mypy_cache .ruff_cache
