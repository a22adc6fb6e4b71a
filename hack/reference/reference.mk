# Reference pages. The version of crd-ref-docs is pinned in hack/reference/tools/go.mod.

##@ Reference

.PHONY: docs
docs: bin/tools/crd-ref-docs ## Write the reference pages in hack/reference.
	go run ./hack/reference
	@bin/tools/crd-ref-docs --source-path=api/v1alpha1 --config=hack/reference/crd-ref-docs.yaml --log-level=WARN \
		--renderer=markdown --output-path=hack/reference/api.md

bin/tools/crd-ref-docs: hack/reference/tools/go.mod hack/reference/tools/go.sum
	go -C hack/reference/tools build -o ../../../$@ github.com/elastic/crd-ref-docs
	@touch $@
