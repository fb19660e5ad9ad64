# Two commands matter: `make demo` and `make test`.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; exit; }; done; echo python3)
PORT ?= 8000
RUN = .venv/bin/python

.PHONY: demo test lint bench install install-dev clean
.DEFAULT_GOAL := help

help:
	@echo "make demo   a demonstration laboratory with real cells, analysed, in your browser (PORT=8000)"
	@echo "make test   every test, browser tests included"
	@echo "make lint   style, import rules and types"
	@echo "make bench  how fast it is here"

install:
	@command -v $(PYTHON) >/dev/null 2>&1 || { echo "Karyosite needs Python 3.11 or newer, and there is none here. On Debian and Ubuntu: apt-get install python3 python3-venv"; exit 1; }
	@$(PYTHON) karyosite/bootstrap.py requirements.txt

install-dev: install
	@$(PYTHON) karyosite/bootstrap.py requirements.txt requirements-dev.txt

demo: install
	@$(RUN) manage.py up --demo --port $(PORT)

test: install-dev
	@$(RUN) -m tests.everything

lint: install-dev
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/lint-imports
	@.venv/bin/mypy

bench: install-dev
	@$(RUN) -m tests.bench

clean:
	rm -rf .venv staticfiles .pytest_cache .mypy_cache .ruff_cache
