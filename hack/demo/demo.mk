##@ Demo

.PHONY: demo
demo: controlplane build ## Tell the whole story on this machine, and leave it running (DEMO_EXIT=1: don't).
	go run ./hack/demo

.PHONY: demo-down
demo-down: ## End what the demo left running.
	go run ./hack/demo down
