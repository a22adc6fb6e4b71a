# The Helm chart. Versions of its tools are pinned in hack/chart/tools/go.mod.
CHART = charts/chatt2-webhook-operator
CHART_TOOLS = bin/tools/helm bin/tools/helm3 bin/tools/helm-unittest bin/tools/helm-docs

##@ Helm chart

.PHONY: helm-generate
helm-generate: manifests bin/tools/helm-docs ## Bring CRD, alerts and dashboard into the chart, and its values into its README.
	go run ./hack/chart
	bin/tools/helm-docs --log-level warning --chart-search-root $(CHART)

.PHONY: helm-lint
helm-lint: $(CHART_TOOLS) ## Check the chart, with Helm 4 and 3, for every file in its folder ci.
	@for helm in helm helm3; do for values in $(CHART)/ci/*.yaml; do \
		bin/tools/$$helm lint --strict --quiet $(CHART) --values $$values; done; done

.PHONY: helm-test
helm-test: controlplane helm-lint ## Test the chart: what it renders, and install, upgrade and uninstall.
	bin/tools/helm-unittest --strict $(CHART)
	CHART_TOOLS='$(CURDIR)/bin/tools' go test -race -timeout 10m -parallel 6 ./hack/chart

# Real Helm 3 is built for a Kubernetes version; without that it takes itself to be from the time of 1.20.
CHART_KUBERNETES = -X helm.sh/helm/v3/pkg/chartutil.k8sVersionMinor=37 -X helm.sh/helm/v3/pkg/lint/rules.k8sVersionMinor=37
PACKAGE_helm = helm.sh/helm/v4/cmd/helm
PACKAGE_helm3 = helm.sh/helm/v3/cmd/helm
PACKAGE_helm-unittest = github.com/helm-unittest/helm-unittest/cmd/helm-unittest
PACKAGE_helm-docs = github.com/norwoodj/helm-docs/cmd/helm-docs
$(CHART_TOOLS): bin/tools/%: hack/chart/tools/go.mod hack/chart/tools/go.sum
	CGO_ENABLED=0 go -C hack/chart/tools build -trimpath -ldflags '-s -w $(CHART_KUBERNETES)' \
		-o ../../../$@ $(PACKAGE_$*)
	@touch $@
