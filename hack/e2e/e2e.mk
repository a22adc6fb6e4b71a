# A real node, and the operator in it. Versions are pinned in hack/node/go.mod.

##@ Real node

.PHONY: e2e
e2e: controlplane bin/tools/helm $(KUSTOMIZE) ## Tell the story through Pods, on a real node or in the cluster of KUBECONFIG (IMG=: its image).
	E2E=1 IMG='$(IMG)' E2E_TOOLS='$(CURDIR)/bin/tools' go test -count=1 -timeout 40m -v $(E2E_FLAGS) ./hack/e2e

.PHONY: node-up
node-up: controlplane ## Bring a real Kubernetes node up on this machine (Linux, root).
	@go -C hack/node run ./bring up

.PHONY: node-down
node-down: ## Bring that node down.
	@go -C hack/node run ./bring down
