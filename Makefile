# `make run` shows it, `make test` proves it; both install what they need into .venv with this machine's Python.
PYTHON ?= python3
UV := .venv/bin/uv
IN := .venv/bin

unexport PYTHONDONTWRITEBYTECODE  # every process would compile everything anew

.PHONY: run test test-long check bench
.DEFAULT_GOAL := run

run: .venv/installed
	$(IN)/meals up --demo

test: check
	$(IN)/pytest -m pure -n 2 tests/contracts tests/domain tests/starter
	$(IN)/pytest -m "not pure and not long" -n 3 --dist loadfile --no-loadscope-reorder

test-long: .venv/installed
	$(IN)/pytest -m long -n 2 --dist loadfile

check: .venv/installed
	$(IN)/ruff check
	$(IN)/ruff format --check
	$(IN)/mypy
	$(IN)/lint-imports

bench: .venv/installed
	$(IN)/python -m bench

.venv/installed: pyproject.toml uv.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; $(PYTHON) is older. Name another: make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv .venv
	$(IN)/pip install --quiet --disable-pip-version-check 'uv>=0.9'
	$(UV) sync --frozen --python $(IN)/python
	@touch $@
