# The doors for people: `make run` to use it, `make test` to change it.
PYTHON ?= python3
export PATH := $(CURDIR)/.venv/bin:$(PATH)

.PHONY: run demo test soak contract bench

run: .venv/.runtime
	@python manage.py migrate --verbosity 0
	@exec python manage.py serve

demo: .venv/.runtime
	@DATA_DIR="$${DATA_DIR:-data}/demo" exec python manage.py demo

test: .venv/.tests
	ruff format --check .
	ruff check .
	mypy .
	lint-imports
	python manage.py check
	python manage.py makemigrations --check --dry-run
	python manage.py contract --check
	pytest -n 4 --dist loadfile

soak: .venv/.tests
	SOAK_SECONDS=$${SOAK_SECONDS:-180} pytest tests/test_removals_under_load.py

contract: .venv/.tests
	python manage.py contract

bench: .venv/.bench
	@python -m bench $(ARGS)

.venv/.runtime: requirements.txt
	$(PYTHON) -m venv .venv
	python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

.venv/.tests: .venv/.runtime tests/requirements.txt
	python -m pip install --quiet --disable-pip-version-check -r tests/requirements.txt
	@touch $@

.venv/.bench: .venv/.tests bench/requirements.txt
	python -m pip install --quiet --disable-pip-version-check -r bench/requirements.txt
	@touch $@
