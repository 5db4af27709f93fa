# Two commands for a fresh machine: `make demo` shows the main job, `make test` runs every check. Day by day: `make quick`, `make serve`.

DEV := .venv/dev/bin
# One for each core; real clients wait for servers now and then, so on an idle machine one more may be quicker.
WORKERS ?= 2
SHARED := -n $(WORKERS) --dist loadfile --no-loadscope-reorder
# `make quick` runs one case of each test, chosen anew each time, and leaves out what takes long for faults that seldom happen.
SLOW := tests/architecture/test_patterns.py tests/architecture/test_client_setting.py tests/unit/ca/test_crash.py tests/unit/identity/imports/test_people.py
SLOWEST := --durations=25 --durations-min=2
# Anyone who has it set would rewrite the asserts of every test module, and compile the program for each command, again in each run.
unexport PYTHONDONTWRITEBYTECODE
.PHONY: demo test check quick serve unit interop bench bench-rows format docs lock clean

demo: ## Sign in once, get a certificate, call an mTLS server with it
	@scripts/debian-packages demo
	@scripts/environment run
	@.venv/run/bin/python -m demo $(DEMO)

test: check ## Every check and every test
	@scripts/install-step
	@scripts/install-go-clients
	@scripts/install-npm-clients
	@scripts/install-python-clients
	@scripts/install-java-clients
	@scripts/install-keycloak
	@$(DEV)/python -m tests.postgresql $(DEV)/coverage run -m pytest $(SHARED) $(SLOWEST)
	@$(DEV)/coverage combine -q && $(DEV)/python scripts/coverage-floors

check: dev-environment ## Lint, types, import contracts, budgets
	@$(DEV)/ruff check --quiet .
	@$(DEV)/ruff format --check --quiet .
	@$(DEV)/mypy
	@$(DEV)/lint-imports --no-logo > build/imports.log || { cat build/imports.log; exit 1; }

quick: check ## Lint, types, and the tests that find most, in a minute
	@$(DEV)/pytest tests/unit tests/architecture tests/vectors --cases=1 $(SLOW:%=--ignore=%) $(SHARED) -n 3

serve: dev-environment ## A scratch server in build/serve that starts again when the source changes
	@$(DEV)/python -m demo.scratch_server

unit: dev-environment ## The fast tests alone
	@$(DEV)/pytest tests/unit tests/architecture tests/properties tests/vectors $(SHARED)

interop: dev-environment ## Real clients against a live server
	@scripts/install-step
	@scripts/install-go-clients
	@scripts/install-npm-clients
	@scripts/install-python-clients
	@scripts/install-java-clients
	@scripts/install-keycloak
	@$(DEV)/pytest tests/interop $(SHARED)

bench: dev-environment ## Measure signing and renewing beside step-ca, in four minutes; writes build/bench.json
	@scripts/debian-packages bench
	@scripts/install-step
	@$(DEV)/python -m bench $(BENCH)

bench-rows: dev-environment ## Measure every path, on both engines; writes build/bench-rows.json
	@scripts/debian-packages bench
	@scripts/install-step
	@$(DEV)/python -m tests.postgresql --durable $(DEV)/python -m bench.rows $(BENCH)

format: dev-environment ## Put every file into the house style
	@$(DEV)/ruff format . && $(DEV)/ruff check --fix .

docs: dev-environment ## Write the generated reference pages
	@$(DEV)/python scripts/reference

lock: dev-environment ## Resolve the dependencies anew
	@$(DEV)/uv pip compile --quiet --generate-hashes --no-header --python-version 3.11 --extra install pyproject.toml -o requirements.lock
	@$(DEV)/uv pip compile --quiet --generate-hashes --no-header --python-version 3.11 --extra install --extra traces --extra dev pyproject.toml -o requirements-dev.lock

clean: ## Remove everything that was built
	rm -rf .venv build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .coverage*

.PHONY: dev-environment
dev-environment:
	@mkdir -p build
	@scripts/debian-packages test
	@scripts/environment dev
