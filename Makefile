# Names for scripts/. Each script has --help; the logic is there.
.DEFAULT_GOAL := help
.PHONY: help demo up down test check-deploy lint format sanitize fuzz chaos bench

# A topic and a filter may hold a `$`; they reach the script as typed.
demo: export DEMO_TOPIC := $(value TOPIC)
test: export FILTER := $(value FILTER)

WORKERS ?= 1

help:      ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo:      ## one debate from nothing, then everything is stopped   TOPIC="…"
	@scripts/demo.sh

up:        ## the whole stack in the background   WORKERS=n PORTS=auto CONFIG=debug
	@scripts/up.sh --workers "$(WORKERS)"

down:      ## stop what `make up` started
	@scripts/down.sh

test:      ## every test, with private stores   FILTER=regex
	@scripts/test.sh

check-deploy: ## everything under deploy/ that needs no container engine   AREA=name
	@scripts/check-deploy.sh $(AREA)

lint:      ## formatting, shell scripts, text rules
	@scripts/lint.sh

format:    ## format the Swift sources
	@scripts/lint.sh --fix

sanitize:  ## drivers and ledger under AddressSanitizer and ThreadSanitizer
	@scripts/sanitize.sh

fuzz:      ## every fuzz target: a million executions or a minute
	@scripts/fuzz.sh

chaos:     ## faults at random on a whole stack, then every check   SEED=n DURATION=s FAULTS=n DEBATES=n JSON=file
	@scripts/chaos.sh $(if $(SEED),--seed $(SEED)) $(if $(DURATION),--seconds $(DURATION)) \
	  $(if $(FAULTS),--faults $(FAULTS)) $(if $(DEBATES),--debates $(DEBATES)) $(if $(JSON),--json $(JSON))

bench:     ## the benchmark runner
	@scripts/bench.sh
