BIN := .venv/bin

.PHONY: setup test lint types check bench

setup:
	python3 -m venv .venv && $(BIN)/pip install -q -c constraints.txt -e '.[test]'

test:
	$(BIN)/python -m pytest -q -n 2 --dist loadfile

lint:
	$(BIN)/ruff check . && $(BIN)/ruff format --check .

types:
	$(BIN)/mypy --strict

check: lint types test

bench:
	$(BIN)/python -m pytest -q -m bench
