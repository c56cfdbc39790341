# Tasks of a developer; `make` lists them. Each builds the virtual environment .venv when it is missing or out of date.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test quick interop lint fuzz mutants bench image-test wheel sbom lock clean FORCE

# Arguments handed on to the task: make test ARGS="tests/architecture -x"
ARGS ?=

# Tests wait as much as they compute: one process more than there are cores. PROCESSES=0: all in one, as a debugger likes it.
PROCESSES ?= $(shell echo $$(($$(nproc 2>/dev/null || echo 1) + 1)))
SIDE_BY_SIDE = --numprocesses $(PROCESSES) --dist loadfile --no-loadscope-reorder

# The tests start hundreds of processes: what one has compiled, the others read.
unexport PYTHONDONTWRITEBYTECODE

VENV := .venv
BUILD_VENV := .venv-build
PYTHON_IN_VENV := $(VENV)/bin/python
BUILD_PYTHON := $(BUILD_VENV)/bin/python
# Installs what locks name and tells how far it is.
INSTALL := .ci/install_locked.py
INSTALL_CHECKOUT := -m pip --disable-pip-version-check --no-input --quiet install \
	--no-index --no-deps --no-build-isolation --editable .

# $(call create_venv,FOLDER): an environment that starts is kept, any other is made anew.
create_venv = $(1)/bin/python -c 'import pip' 2>/dev/null \
	|| { python=$$(.ci/find-python) && echo "Creating $(1) with $$python" && "$$python" -m venv --clear $(1); }

help: ## List the tasks
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-10s %s\n", $$1, $$2}' Makefile

demo: $(VENV)/.runtime ## Start the demonstration: a small EHR page and synthetic patients
	@echo "Starting the demonstration"
	@$(VENV)/bin/sii-cds demo $(ARGS)

test: $(VENV)/.installed ## Run the tests (browser tests need Chromium; CI=true makes them required)
	$(PYTHON_IN_VENV) -m pytest $(SIDE_BY_SIDE) $(ARGS)

quick: $(VENV)/.installed ## Run the tests of the rule, the wording and the repository's rules (half a minute)
	$(PYTHON_IN_VENV) -m pytest -q tests/unit/clinical tests/unit/cards tests/architecture/test_import_rules.py \
		tests/architecture/test_layout.py tests/architecture/test_documented_links.py $(ARGS)

interop: $(VENV)/.installed ## Test with HAPI and Spark (Java 17, Maven), and behind nginx, HAProxy, Apache and Caddy
	$(PYTHON_IN_VENV) -m pytest tests/interop $(ARGS)

lint: $(VENV)/.installed ## Check style, formatting and types
	$(PYTHON_IN_VENV) -m ruff check .
	$(PYTHON_IN_VENV) -m ruff format --check .
	$(PYTHON_IN_VENV) -m mypy

fuzz: $(VENV)/.installed ## Fuzz every reader of foreign input (ARGS="hook --seconds 300": one, for longer)
	$(PYTHON_IN_VENV) -m tests.fuzz $(ARGS)

mutants: ## Mutation testing of the clinical core (docs/mutation-testing.md; half an hour)
	tests/mutation/run.sh $(ARGS)

bench: $(VENV)/.installed ## Measure speed beside bare Flask and HealthChain (ten minutes; ARGS=--quick: two)
	$(PYTHON_IN_VENV) -m tests.benchmarks $(ARGS)

image-test: $(VENV)/.installed ## Build the container image, start it and answer a hook inside (root; Debian's buildah, mmdebstrap)
	$(PYTHON_IN_VENV) -m tests.image

wheel: $(BUILD_VENV)/.installed ## Build the wheel that hosts install, into dist/
	$(BUILD_PYTHON) -m hatchling build --target wheel

# The files in place are the preferences, so only what pyproject.toml asks for changes.
COMPILE = $(BUILD_VENV)/bin/uv pip compile --quiet --universal --python $(BUILD_PYTHON) \
	--python-version 3.11 --only-binary :all: --generate-hashes --no-strip-extras --custom-compile-command 'make lock' $(ARGS)
sbom: ## List what a host runs (CycloneDX, from requirements.lock), into dist/
	@mkdir -p dist
	@$$(.ci/find-python) .ci/sbom.py > dist/sii-cds.cdx.json
	@echo dist/sii-cds.cdx.json

lock: $(BUILD_VENV)/.installed ## Lock the requirements of pyproject.toml (ARGS=--upgrade: to the newest versions)
	$(COMPILE) pyproject.toml --extra postgresql --extra reports --extra cohort --output-file requirements.lock
	$(COMPILE) pyproject.toml --extra postgresql --extra reports --extra cohort --group dev --constraints requirements.lock --output-file requirements-dev.lock
	$(COMPILE) --group build --constraints requirements.lock --output-file .ci/build-tools.lock
	$(COMPILE) --group lock --output-file .ci/lock-tools.lock
	$(COMPILE) --no-binary pyspark --group spark --output-file .ci/spark.lock

clean: ## Remove the environments, caches and build results
	rm -rf $(VENV) $(BUILD_VENV) .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache build dist
	find cds_service fhir_mappings tests -name __pycache__ -type d -prune -exec rm -rf {} +

# A system upgrade can leave an environment whose Python is gone: then the stamp means nothing.
$(VENV)/.installed: requirements-dev.lock pyproject.toml $(if $(wildcard $(PYTHON_IN_VENV)),,FORCE)
	@$(call create_venv,$(VENV))
	@$(PYTHON_IN_VENV) $(INSTALL) requirements-dev.lock
	@$(PYTHON_IN_VENV) $(INSTALL_CHECKOUT)
	@touch $(VENV)/.runtime $@

# What the service runs with, but for what a cohort is computed with (half of it), which the demonstration shows a
# finished page of. The tests install the rest into the same environment.
$(VENV)/.runtime: requirements.lock .ci/build-tools.lock pyproject.toml $(if $(wildcard $(PYTHON_IN_VENV)),,FORCE)
	@$(call create_venv,$(VENV))
	@$(PYTHON_IN_VENV) $(INSTALL) --without-extra cohort requirements.lock .ci/build-tools.lock
	@$(PYTHON_IN_VENV) $(INSTALL_CHECKOUT)
	@touch $@

$(BUILD_VENV)/.installed: .ci/build-tools.lock .ci/lock-tools.lock $(if $(wildcard $(BUILD_PYTHON)),,FORCE)
	@$(call create_venv,$(BUILD_VENV))
	@$(BUILD_PYTHON) $(INSTALL) .ci/build-tools.lock .ci/lock-tools.lock
	@touch $@
