##@ Load

# For example: make bench N=1000 SCENARIOS=create,quiet,restart BENCH_FLAGS='-profile create'
N ?= 1000,10000
.PHONY: bench
bench: controlplane build ## Measure the operator under load (N=, SCENARIOS=; takes half an hour).
	go run ./hack/bench -n '$(N)' -scenarios '$(SCENARIOS)' $(BENCH_FLAGS)
