SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON := .venv/bin/python
NAME ?= dev
export PYTHONUNBUFFERED := 1

.PHONY: help
help: ## list every target
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-16s %s\n", $$1, $$2}'

# --- the two commands -------------------------------------------------------------------------------------------

.PHONY: demo
demo: install ## a real cluster, real Triton, real load: watch the operator keep the objective (KEEP=1 leaves it up)
	$(PYTHON) -m e2e.demo $(if $(KEEP),--keep) $(if $(DAY),--day $(DAY))

.PHONY: test
test: install fresh-results binaries ## everything the gate runs, with the number of tests
	@$(MAKE) --no-print-directory -j3 --output-sync=target what-waits e2e-karpenter what-computes
	@$(MAKE) --no-print-directory e2e demo-check
	@$(PYTHON) scripts/count_tests.py build/tests

.PHONY: what-waits what-computes
what-waits:
	@$(MAKE) --no-print-directory -j1 integration
what-computes:
	@for goal in verify unit replay; do $(MAKE) --no-print-directory -j1 $$goal || exit 1; done

# --- parts of the gate ------------------------------------------------------------------------------------------

.PHONY: install
install: ## make .venv from the lock
	@scripts/bootstrap.sh

.PHONY: fresh-results
fresh-results:
	@rm -rf build/tests && mkdir -p build/tests

.PHONY: verify
verify: lint types contracts generated ## static checks: lint, types, layers, generated files up to date

.PHONY: lint
lint: ## ruff: rules and formatting
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .

.PHONY: types
types: ## mypy, strict
	.venv/bin/mypy

.PHONY: contracts
contracts: ## import-linter: data flows one way, the core does no I/O
	PYTHONPATH=operator .venv/bin/lint-imports

.PHONY: generated
generated: ## fail when a generated file is out of date
	$(PYTHON) scripts/generate.py --check

.PHONY: generate
generate: ## write CRDs, reference pages, dashboards and the chart's copies
	$(PYTHON) scripts/generate.py

# Each compiles the simulator and replays for minutes: beside the rest of the unit tests, not after them.
REPLAY_TESTS := tests/unit/simulate tests/property/simulate tests/unit/cli/backtest/test_fleet.py \
  tests/unit/cli/backtest/test_real_run.py tests/unit/cli/scan/test_replay.py

.PHONY: unit
unit: ## unit and property tests, branch coverage of decide, account and api at least 90 % each
	mkdir -p build/tests
	.venv/bin/coverage run -m pytest tests/unit tests/property $(addprefix --ignore=,$(REPLAY_TESTS)) \
	  -q --junitxml=build/tests/unit.xml
	.venv/bin/coverage report
	@for package in decide account api; do \
	  total=$$(.venv/bin/coverage report --include "operator/inference_cost/$$package/*" --format total --fail-under 90) \
	    || { echo "branch coverage of $$package/ is below 90 %"; exit 1; }; \
	  echo "$$package: $$total % of lines and branches"; \
	done

.PHONY: replay
replay: ## tests of the replay, and the short benchmark against the recorded ratios
	mkdir -p build/tests
	.venv/bin/pytest $(REPLAY_TESTS) -q --timeout 600 --junitxml=build/tests/replay.xml
	$(PYTHON) -m benchmarks.replay --quick --check

.PHONY: binaries
binaries: install ## build Kubernetes, etcd, kwok, Prometheus and helm into the cache (about ten minutes, once)
	$(PYTHON) -m e2e.rig.binaries

.PHONY: browser
browser: install ## a headless Chromium for the tests that open pages, where there is none
	@scripts/browser.sh

# Against real processes on a busy machine a test that fails runs once more; what needed that is listed as RERUN.
ONCE_MORE := --reruns 1 -rR

.PHONY: integration
integration: binaries browser ## against a real API server, a real Prometheus and a real browser
	mkdir -p build/tests
	.venv/bin/pytest tests/integration -q $(ONCE_MORE) --junitxml=build/tests/integration.xml

.PHONY: e2e
e2e: binaries ## scenarios on a real cluster (PROVIDER=bundled|kind|current)
	mkdir -p build/tests
	.venv/bin/pytest e2e/scenarios -q $(ONCE_MORE) --junitxml=build/tests/e2e.xml $(if $(PROVIDER),--provider $(PROVIDER))

.PHONY: e2e-karpenter
e2e-karpenter: install ## scenarios in which real Karpenter buys the nodes (seven minutes; builds Karpenter the first time)
	mkdir -p build/tests
	.venv/bin/pytest e2e/karpenter -q --timeout 900 $(ONCE_MORE) --junitxml=build/tests/e2e-karpenter.xml

.PHONY: e2e-long
e2e-long: binaries ## what takes longer than a gate may: real KEDA, ten minutes away from a pool, 30 minutes beside Karpenter
	.venv/bin/pytest e2e/scenarios -q --long --timeout 1500
	.venv/bin/pytest e2e/karpenter -q -k nobody_fights --calm-minutes 30 --calm-report docs/karpenter-watch.md

.PHONY: demo-check
demo-check: binaries ## the whole demo, its result asserted and computed a second time
	mkdir -p build/tests
	.venv/bin/pytest tests/demo -q --junitxml=build/tests/demo.xml

.PHONY: race
race: install ## the operator, real KEDA and llm-d's law on the same requests to real Triton (40 minutes; ARGS="--help")
	OPENBLAS_NUM_THREADS=1 $(PYTHON) -m e2e.race $(ARGS)

.PHONY: calibrate
calibrate: install ## record how a real Triton batches, beside its simulation (ARGS="--rate 70 --seconds 60", --help)
	$(PYTHON) -m e2e.calibrate $(ARGS)

.PHONY: calibrate-baselines
calibrate-baselines: install ## record the real HPA and the real KEDA anew (9 minutes; builds KEDA the first time)
	$(PYTHON) -m e2e.baselines

# --- a cluster to play with -------------------------------------------------------------------------------------

.PHONY: cluster-up
cluster-up: install ## start a control plane without containers (NAME=dev)
	$(PYTHON) -m e2e.rig cluster-up --name $(NAME)

.PHONY: cluster-down
cluster-down: install ## stop it; nothing is left behind
	$(PYTHON) -m e2e.rig cluster-down --name $(NAME)

# --- maintenance ------------------------------------------------------------------------------------------------

.PHONY: format
format: ## format and fix what ruff can fix
	.venv/bin/ruff check --fix-only .
	.venv/bin/ruff format .

.PHONY: lock
lock: install ## resolve pyproject.toml into the two lock files
	scripts/lock.sh

.PHONY: bench
bench: install ## the published figures: time of a decision pass, of sharing out pools, the replay, spot (hours; DATA=folder of further traces)
	PYTHONPATH=. $(PYTHON) benchmarks/decide_pass.py
	$(PYTHON) -m benchmarks.joint_step
	$(PYTHON) -m benchmarks.replay $(if $(DATA),--data $(DATA))
	$(if $(DATA),$(PYTHON) -m benchmarks.spot --data $(DATA))

.PHONY: bench-check
bench-check: install ## the short replay: fails when ours got worse than benchmarks/recorded.json
	$(PYTHON) -m benchmarks.replay --quick --check

.PHONY: bench-speed
bench-speed: install ## seconds of the replay and its peak memory (ten minutes)
	$(PYTHON) -m benchmarks.replay_speed

.PHONY: clean
clean: ## remove run output (not the cache)
	rm -rf build .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage
