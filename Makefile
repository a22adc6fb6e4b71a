# `make help` lists the targets. Names are those of kubebuilder v4.
SHELL = /usr/bin/env bash
.SHELLFLAGS = -o pipefail -ec
.DEFAULT_GOAL := help

IMG ?= chatt2-webhook-operator:dev
CONTAINER_TOOL ?= docker
KUBECTL ?= kubectl
export KUBEBUILDER_ASSETS = $(CURDIR)/bin/k8s

# Versions of the tools are pinned in hack/tools/go.mod.
CONTROLLER_GEN ?= bin/tools/controller-gen
KUSTOMIZE ?= bin/tools/kustomize
GOLANGCI_LINT ?= bin/tools/golangci-lint-kube-api-linter
GENERATED = api/v1alpha1/zz_generated.deepcopy.go config/crd/bases config/rbac/role.yaml hack/reference

##@ General

.PHONY: help
help: ## List the targets.
	@awk 'BEGIN {FS = ":.*##"; print "usage: make <target>"} \
		/^##@/ {printf "\n%s\n", substr($$0, 5)} \
		/^[a-z0-9-]+:.*##/ {printf "  %-16s%s\n", $$1, $$2}' $(MAKEFILE_LIST)

##@ Development

.PHONY: manifests
manifests: $(CONTROLLER_GEN) ## Generate the CRD and the operator's role from markers.
	$(CONTROLLER_GEN) crd paths=./api/... output:crd:dir=config/crd/bases
	$(CONTROLLER_GEN) rbac:roleName=manager-role paths=./internal/controller/... output:rbac:dir=config/rbac

.PHONY: generate
generate: $(CONTROLLER_GEN) ## Generate the DeepCopy methods.
	$(CONTROLLER_GEN) object paths=./api/...

.PHONY: verify
verify: manifests generate docs ## Fail when a generated file is not up to date.
	git diff --exit-code -- $(GENERATED)
	@! git ls-files --others --exclude-standard -- $(GENERATED) | grep . || { echo 'are generated, but not in git'; exit 1; }

.PHONY: verify-tidy
verify-tidy: ## Fail when a go.mod is not tidy.
	@for module in $$(git ls-files '*go.mod'); do go -C "$$(dirname "$$module")" mod tidy -diff; done

.PHONY: fmt
fmt: $(GOLANGCI_LINT) ## Format the code.
	$(GOLANGCI_LINT) fmt

.PHONY: vet
vet: ## Run go vet.
	go vet ./...

.PHONY: lint
lint: $(GOLANGCI_LINT) bin/tools/logcheck ## Run the linters: of Go, of the API (kube-api-linter) and of log calls (logcheck).
	$(GOLANGCI_LINT) run
	$(GOLANGCI_LINT) run --config .golangci-kal.yml ./api/...
	bin/tools/logcheck -check-contextual -check-value ./...

.PHONY: lint-fix
lint-fix: $(GOLANGCI_LINT) ## Run the linters and repair what they can.
	$(GOLANGCI_LINT) run --fix

.PHONY: test
test: controlplane ## Run every test, with the race detector, on a real API server.
	@echo "control plane: $$KUBEBUILDER_ASSETS"
	go test -race -timeout 20m -parallel 8 ./...

.PHONY: test-gitops
test-gitops: controlplane ## Test what Argo CD and Flux make of webhooks (UPDATE=-update: write the test data).
	go -C hack/gitops test -race -timeout 10m . $(if $(UPDATE),-args $(UPDATE))

##@ Try it

.PHONY: controlplane
controlplane: ## Put etcd, kube-apiserver, kube-controller-manager and kubectl into bin/k8s.
	@go -C hack/controlplane run ./build -o $(KUBEBUILDER_ASSETS)

.PHONY: run
run: ## Run the operator here, against the cluster of the current kubeconfig.
	go run . operator

##@ Build

.PHONY: build
build: ## Build the binary into bin.
	CGO_ENABLED=0 go build -trimpath -o bin/chatt2-webhook-operator .

.PHONY: docker-build
docker-build: ## Build the image IMG.
	$(CONTAINER_TOOL) build -t $(IMG) .

.PHONY: build-installer
build-installer: manifests $(KUSTOMIZE) ## Write all manifests, for the image IMG, into dist/install.yaml.
	@mkdir -p dist
	$(KUSTOMIZE) build config/default | sed 's|image: chatt2-webhook-operator:dev|image: $(IMG)|' > dist/install.yaml

##@ Deployment, into the cluster of the current kubeconfig

.PHONY: install uninstall deploy undeploy
install: manifests $(KUSTOMIZE) ## Install the CRD.
	$(KUSTOMIZE) build config/crd | $(KUBECTL) apply --server-side -f -

uninstall: $(KUSTOMIZE) ## Remove the CRD, and with it every Chatt2Webhook.
	$(KUSTOMIZE) build config/crd | $(KUBECTL) delete --ignore-not-found -f -

deploy: build-installer ## Install the CRD and the operator with the image IMG.
	$(KUBECTL) apply --server-side -f dist/install.yaml

undeploy: build-installer ## Remove the operator and the CRD.
	$(KUBECTL) delete --ignore-not-found -f dist/install.yaml

# A tool is built again when its pin changes. The touch is for a build that finds nothing to do.
PACKAGE_controller-gen = sigs.k8s.io/controller-tools/cmd/controller-gen
PACKAGE_kustomize = sigs.k8s.io/kustomize/kustomize/v5
PACKAGE_logcheck = sigs.k8s.io/logtools/logcheck
PACKAGE_golangci-lint-kube-api-linter = sigs.k8s.io/kube-api-linter/cmd/golangci-lint-kube-api-linter
bin/tools/%: hack/tools/go.mod hack/tools/go.sum
	go -C hack/tools build -o ../../$@ $(PACKAGE_$*)
	@touch $@

include $(wildcard hack/*/*.mk)
