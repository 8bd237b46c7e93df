# What a clone is good for: `make demo`, `make test` (the quick suite), `make check` (lint and every test) and
# `make test-oldest` and `make test-bare` (the main paths with old dependencies and without extras), `make coverage` and
# `make upstream` (other projects' own tests, run on skauto's classes). Each sets up .venv as far as it needs it.
#
# Needed from the system: Python 3.11 or later with its venv module (Debian: python3-venv). LightGBM also needs
# libgomp1; where that is missing, skauto says so and works without this one candidate, and its tests are skipped.

PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
# Two tests at a time, each on one thread: pools of threads that share the cores only wait for each other.
TEST := OMP_NUM_THREADS=1 $(RUN) -m pytest --numprocesses 2 --dist worksteal
PIP := $(RUN) -m pip --disable-pip-version-check --quiet

# scikit-optimize's tests are in no package; this is the commit of its release 0.10.2.
SKOPT_COMMIT := 328525dbdc9069b8e656024a777aba526a36b525
SKOPT_TESTS := https://raw.githubusercontent.com/holgern/scikit-optimize/$(SKOPT_COMMIT)/skopt/tests/test_searchcv.py

.PHONY: demo test test-oldest test-bare check lint pairs upstream coverage clean

demo: $(VENV)/.installed
	$(RUN) -m skauto demo

test: $(VENV)/.installed-test
	$(TEST) -m "not slow"

check: lint test-oldest test-bare
	$(TEST)

# The main paths with the oldest dependencies that pyproject.toml allows, and without any extra.
SMOKE := -m pytest -q -p no:cacheprovider -m smoke tests/smoke

test-oldest: $(VENV)-oldest/.installed
	$(VENV)-oldest/bin/python $(SMOKE)

test-bare: $(VENV)-bare/.installed
	$(VENV)-bare/bin/python $(SMOKE)

# Lines that the quick tests run, by file; the figure in docs/benchmarks.md is its last line.
coverage: $(VENV)/.installed-test
	$(PIP) install --constraint constraints.txt pytest-cov
	$(TEST) -m "not slow" --cov skauto --cov-report term:skip-covered

# Every row of the covering arrays of settings, and every test of fresh interpreters; `make check` runs those of the day.
pairs: $(VENV)/.installed-test
	SKAUTO_PAIRS=all $(TEST) tests/pairs
	SKAUTO_PAIRS=all $(TEST) tests/search tests/faults -k fresh

lint: $(VENV)/.installed-test
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) -m mypy

# Each folder of tests/upstream has a plugin that puts skauto's names in the place of the other project's.
UPSTREAM := $(RUN) -m pytest -o filterwarnings=default -o xfail_strict=false

upstream: $(VENV)/.installed-test
	$(UPSTREAM) -p tests.upstream.imbalanced_learn.rebind --pyargs \
		imblearn.over_sampling imblearn.under_sampling imblearn.combine
	$(UPSTREAM) -p tests.upstream.scikit_learn.rebind --pyargs \
		sklearn.model_selection.tests.test_search sklearn.model_selection.tests.test_successive_halving
	$(RUN) -m pytest tests/search/test_search_cv_checks.py
	$(UPSTREAM) tests/upstream/default_configuration.py
	$(MAKE) $(VENV)/scikit_optimize/test_searchcv.py
	$(UPSTREAM) -p tests.upstream.scikit_optimize.rebind $(VENV)/scikit_optimize/test_searchcv.py

$(VENV)/scikit_optimize/test_searchcv.py:
	mkdir -p $(@D)
	curl --fail --silent --show-error --location --output $@ $(SKOPT_TESTS)

clean:
	rm -rf $(VENV) $(VENV)-oldest $(VENV)-bare build *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis

# The stamps are older than these two files whenever what they ask for may have changed.
$(VENV)/.installed: pyproject.toml constraints.txt | $(RUN)
	$(PIP) install --constraint constraints.txt --editable .
	touch $@

$(VENV)/.installed-test: pyproject.toml constraints.txt | $(RUN)
	$(PIP) install --constraint constraints.txt --editable '.[test]'
	touch $@ $(VENV)/.installed

$(VENV)-oldest/.installed: pyproject.toml constraints-oldest.txt
	$(PYTHON) -m venv --clear $(VENV)-oldest
	$(VENV)-oldest/bin/pip --disable-pip-version-check --quiet install --constraint constraints-oldest.txt --editable . pytest
	touch $@

$(VENV)-bare/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv --clear $(VENV)-bare
	$(VENV)-bare/bin/pip --disable-pip-version-check --quiet install --constraint constraints.txt --editable . pytest
	touch $@

$(RUN):
	$(PYTHON) -m venv $(VENV) || (rm -rf $(VENV); exit 1)
