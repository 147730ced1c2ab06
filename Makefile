# GNU make 3.81 or newer. lint, run and test live in .ci/run, which needs no make.
.DEFAULT_GOAL := help
.PHONY: help run serve build test fuzz lint check bench bench-functions bench-instructions clean package stack destroy stacktest faults

CARGO ?= cargo
# Inputs that each random test of `make fuzz` is tried on: some 30 minutes on two cores.
CASES ?= 200000
# What the Lambda functions are built for: arm64, or x86_64 for this machine and the tests.
ARCHITECTURE ?= arm64
# Messages of `make faults`, and the seed of a run that is to be repeated.
MESSAGES ?= 50000
VENV := target/venv

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## Start the whole system, calculate and store the sample portfolio over HTTP, print it, stop
	@.ci/run sample

serve: ## Start the whole system and leave it running; prints a curl to paste
	$(CARGO) run --locked -p perf-local -- serve

build: ## Build the optimised command: release/perfcalc in cargo's target directory
	$(CARGO) build --locked --release -p perf-local

test: ## Run every test, on a local AWS too, the documentation's examples and the published figures
	@.ci/run test aws stack

fuzz: ## Try the calculations on much more random input (CASES=200000)
	PROPTEST_CASES=$(CASES) $(CARGO) test --locked --release -p perf-core --test fuzz

lint: ## Check formatting, lints and documentation
	@.ci/run lint

check: ## lint, run and test: what CI runs
	@.ci/run

package: ## Build the Lambda functions into target/lambda (ARCHITECTURE=arm64)
	@.ci/package $(ARCHITECTURE)

stack: $(VENV)/ready ## Deploy the template into a local AWS and leave it running
	@.ci/package x86_64
	@$(VENV)/bin/python tests/up.py start

destroy: $(VENV)/ready ## Stop what `make stack` has left running
	@$(VENV)/bin/python tests/up.py stop

stacktest: $(VENV)/ready ## Test the template, and the functions deployed into a local AWS
	@.ci/package x86_64
	@cd tests && FAULT_MESSAGES=$${FAULT_MESSAGES:-600} ../$(VENV)/bin/python -m pytest

faults: $(VENV)/ready ## Make every service fail under load (MESSAGES=50000)
	@.ci/package x86_64
	@cd tests && FAULT_MESSAGES=$(MESSAGES) ../$(VENV)/bin/python -m pytest -s faults

$(VENV)/ready: tests/requirements.txt
	python3 -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check --requirement tests/requirements.txt
	@touch $@

bench: target/bench/ready ## Time perfcalc beside numpy and pyxirr and write docs/performance.md
	$(CARGO) build --locked --release -p perf-local
	$(CARGO) build --locked --release -p perf-core --example workloads
	[ -e target/bench/data/ready ] || target/bench/bin/python bench/data.py target/bench/data
	@touch target/bench/data/ready
	rm -rf target/criterion
	$(CARGO) bench --locked -p perf-core --bench engine -- --warm-up-time 1 --measurement-time 2
	$(CARGO) bench --locked -p perf-local --bench services -- --warm-up-time 1 --measurement-time 2
	python3 bench/compare.py target/release/perfcalc target/release/examples/workloads \
	    target/bench/bin/python target/bench/data target/criterion

bench-functions: ## Time the Lambda functions on a loopback Runtime API and write docs/performance-lambda.md
	@.ci/package x86_64
	$(CARGO) build --locked --release -p perf-lambda --example hello
	$(CARGO) build --locked --release -p perf-core --example workloads
	@python3 bench/functions.py body > target/body.json
	python3 bench/functions.py target/release "$$(target/release/examples/workloads read target/body.json 2001)"

bench-instructions: ## Compare counted instructions with bench/instructions.json (needs valgrind)
	$(CARGO) build --locked --release -p perf-core --example workloads
	python3 bench/instructions.py target/release/examples/workloads

target/bench/ready: bench/requirements.txt
	python3 -m venv target/bench
	target/bench/bin/pip install --quiet --disable-pip-version-check --no-deps --requirement bench/requirements.txt
	@touch $@

clean: ## Remove everything that was built
	$(CARGO) clean
