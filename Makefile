# `make demo` and `make test` do all the set-up themselves; nothing but python3 and make is needed.
PYTHON ?= python3
DEMO := .venv
TEST := .venv-test
JOBS ?= 2

.PHONY: demo test test-slow lint bench docs clean

# PyTorch is not installed here: the demo shows that nothing needs it.
$(DEMO)/.ready: pyproject.toml
	$(PYTHON) -m venv $(DEMO)
	$(DEMO)/bin/pip install --quiet --disable-pip-version-check -e ".[demo]"
	touch $@

# PyTorch is the tests' oracle and an optional backend.
$(TEST)/.ready: pyproject.toml
	$(PYTHON) -m venv $(TEST)
	$(TEST)/bin/pip install --quiet --disable-pip-version-check torch==2.13.0
	$(TEST)/bin/pip install --quiet --disable-pip-version-check -e ".[test]"
	touch $@

demo: $(DEMO)/.ready
	$(DEMO)/bin/torsh run examples/digits.py
	$(DEMO)/bin/torsh conform --quick --out report
	@echo "The report is in report/report.html"

test: $(TEST)/.ready lint
	$(TEST)/bin/python -m pytest -n $(JOBS) --dist worksteal -m "not slow"

test-slow: $(TEST)/.ready
	$(TEST)/bin/python -m pytest -n $(JOBS) --dist worksteal -m slow

lint: $(TEST)/.ready
	$(TEST)/bin/ruff check .
	$(TEST)/bin/ruff format --check --quiet .
	$(TEST)/bin/mypy

bench: $(TEST)/.ready
	$(TEST)/bin/python -m benchmarks

docs: $(TEST)/.ready
	$(TEST)/bin/pip install --quiet --disable-pip-version-check -e ".[docs]"
	$(TEST)/bin/python -m sphinx -W -b html docs docs/_build/html

clean:
	rm -rf $(DEMO) $(TEST) report docs/_build .pytest_cache .mypy_cache .ruff_cache
