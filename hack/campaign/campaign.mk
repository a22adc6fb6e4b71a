# What takes hours: faults at every call, crashes, wrong protocols and inputs.

##@ Proof

# For example: make campaign SEEDS=100000 SEED=1
SEEDS ?= 1000
SEED ?= 0
.PHONY: campaign
campaign: ## Let every call of the operator go wrong, and its process die, on a clock that stands still.
	CAMPAIGN=whole CAMPAIGN_SEEDS=$(SEEDS) CAMPAIGN_SEED=$(SEED) go test -count=1 -timeout 12h -v ./hack/campaign

# For example: make chaos ROUNDS=20 SEED=1
ROUNDS ?= 5
.PHONY: chaos
chaos: controlplane ## Kill, pause and cut off two replicas of the operator at random, ROUNDS times from SEED on.
	CHAOS_ROUNDS=$(ROUNDS) CHAOS_SEED=$(or $(filter-out 0,$(SEED)),1) go test -count=1 -timeout 12h -v -run TestChaos \
		./hack/process

.PHONY: mutants
mutants: controlplane ## Apply wrong protocols to the operator, one by one: each must be caught by the tests.
	go run ./hack/mutants $(if $(ONLY),-only '$(ONLY)')

FUZZTIME ?= 1m
.PHONY: fuzz
fuzz: ## Fuzz what comes from outside, each target for FUZZTIME (FUZZ=: the targets whose names contain this).
	hack/fuzz/run.sh '$(FUZZTIME)' '$(FUZZ)'
