# GNU make 3.81 or newer. lint, run and test live in .ci/run, which needs no make.
.DEFAULT_GOAL := help
.PHONY: help run build test fuzz lint check bench clean

CARGO ?= cargo
# Inputs that each random test of `make fuzz` is tried on: some 30 minutes on two cores.
CASES ?= 200000

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-7s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## Calculate the sample portfolio from its CSV files and print a table
	@.ci/run sample

build: ## Build the optimised command: release/perfcalc in cargo's target directory
	$(CARGO) build --locked --release -p perf-local

test: ## Run every test, the examples in the documentation and the published figures
	@.ci/run test

fuzz: ## Try the calculations on much more random input (CASES=200000)
	PROPTEST_CASES=$(CASES) $(CARGO) test --locked --release -p perf-core --test fuzz

lint: ## Check formatting, lints and documentation
	@.ci/run lint

check: ## lint, run and test: what CI runs
	@.ci/run

bench: ## Time perfcalc beside numpy and pyxirr and write docs/performance.md
	$(CARGO) build --locked --release -p perf-local
	$(CARGO) build --locked --release -p perf-core --example portfolio_times
	python3 -m venv target/bench
	target/bench/bin/pip install --quiet --requirement bench/requirements.txt
	python3 bench/compare.py target/release/perfcalc target/release/examples/portfolio_times target/bench/bin/python

clean: ## Remove everything that was built
	$(CARGO) clean
