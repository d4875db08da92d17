# What a contributor runs; CI runs the same. `make VENV=other` uses another environment.
VENV = .venv

.PHONY: install test-fast test check docs app

install:
	python3.12 -m venv $(VENV)
	$(VENV)/bin/pip install -q -r requirements.txt -e '.[dev]'

# without TensorFlow, browser or network
test-fast:
	$(VENV)/bin/python -m pytest tests/unit -n 2 --dist loadfile

test:
	$(VENV)/bin/python -m pytest -n 2 --dist loadfile

check:
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

# the documentation as a site in site/; every link and name in it is checked
docs:
	NO_MKDOCS_2_WARNING=1 $(VENV)/bin/mkdocs build --quiet --strict

app:
	$(VENV)/bin/femr app
