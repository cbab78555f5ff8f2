# Two commands: `make demo` shows what raphe does, `make test` says whether it is right.
# Needs Python >= 3.11 and make; everything else is installed into .venv from requirements.lock.

PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python3.14 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
INSTALLED := .venv/.installed

.PHONY: demo test lint types contracts lock clean

demo: $(INSTALLED)
	$(BIN)/raphe demo raphe-demo

# Tests run side by side; the threads of linear algebra would only wait for each other.
test: lint types contracts
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(INSTALLED)
	$(BIN)/mypy

contracts: $(INSTALLED)
	$(BIN)/lint-imports

# pip makes bytecode on one core, and Python none where PYTHONDONTWRITEBYTECODE is set, as in many containers, so that each
# command would compile every module anew, for seconds: it is made here, on all cores, but for the packages' tests.
$(INSTALLED): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "raphe needs Python 3.11 or newer; name one: make PYTHON=/path/to/python3" >&2; exit 2; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --no-compile --editable .
	-@$(BIN)/python -m compileall -qq -j 0 -x '/tests?/' src .venv/lib
	@touch $@

# Renews the lock from pyproject.toml; commit what it writes.
lock:
	$(PYTHON) -m venv .venv-lock && .venv-lock/bin/python -m pip install --quiet uv
	.venv-lock/bin/uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes \
		--no-header --upgrade --output-file requirements.lock
	rm -rf .venv-lock

clean:
	rm -rf .venv .venv-lock raphe-demo
