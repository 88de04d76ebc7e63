# Everything the project does, in one word each. Needs Python >= 3.11 and make; `make test` needs Node.js as well.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
RUN    := $(VENV)/.installed
NPM    := node_modules/.installed
# Most tests wait for a chain or a process, so a few more than there are cores; long files come first, many short ones last.
# Unit tests wait for nothing.
CORES   := $(shell python3 -c "import os; print(os.cpu_count() or 1)")
WORKERS ?= $(shell expr $(CORES) + 2)
TESTS   ?= tests/faults tests/chain tests/unit
COMPILE = $(BIN)/pip-compile -q --strip-extras --generate-hashes --allow-unsafe --no-header \
          --no-emit-index-url --no-emit-trusted-host --no-emit-find-links

# Whatever the environment says: a test that is compiled once need not be compiled by each process.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: demo test check style types layers unit faults bench figures fmt lock clean soak

demo: $(RUN)                       ## a live keeper on an embedded chain: no node, no key, no npm
	@$(BIN)/keeper demo

test: $(VENV)/.dev $(NPM)          ## every test, real contracts on Anvil included
	$(BIN)/pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(TESTS)

check: style types layers unit     ## format, lint, types, layers, unit tests; `make -j4 check` does all at once

style: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(VENV)/.dev
	$(BIN)/mypy

layers: $(VENV)/.dev
	$(BIN)/lint-imports --no-logo

unit: $(VENV)/.dev
	$(BIN)/pytest -q -n $(CORES) --disable-socket --allow-unix-socket tests/unit

faults: $(VENV)/.dev               ## every fault of docs/faults.md with the tests that name it
	$(BIN)/python -m tests.faults.coverage

bench: $(VENV)/.dev $(NPM)         ## benchmarks, each beside a peer and a floor
	$(BIN)/python -m bench $(ARGS)

figures: $(VENV)/.dev             ## the pictures of docs/strategies, drawn by the strategies themselves
	$(BIN)/python -m docs.figures.draw
	$(BIN)/python -m bench.peg_picture

soak: $(VENV)/.dev $(NPM)          ## the same tests with larger numbers
	KEEPER_SOAK=1 KEEPER_CASES=20000 $(BIN)/pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder tests

fmt: $(VENV)/.dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock: $(VENV)/.dev                 ## pin every dependency again, with hashes
	$(COMPILE) --extra build --extra local --extra postgres -o requirements.lock pyproject.toml
	$(COMPILE) --extra build --extra local --extra postgres --extra dev -c requirements.lock -o requirements-dev.lock pyproject.toml

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "keeper: expected Python 3.11 or newer, found " + sys.version.split()[0])'
	$(PYTHON) -m venv $(VENV)

$(RUN): requirements.lock pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: requirements-dev.lock pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements-dev.lock
	$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@ $(RUN)

$(NPM): package-lock.json
	@command -v npm >/dev/null || { echo "make test needs Node.js with npm: it installs Anvil and the real contracts' bytecode (Debian: apt-get install npm)"; exit 2; }
	npm ci --silent
	@touch $@

clean:
	rm -rf $(VENV) node_modules build dist *.egg-info .mypy_cache .ruff_cache .import_linter_cache .hypothesis
