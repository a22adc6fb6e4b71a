# Releases. Versions of the tools are pinned in hack/release/tools/go.mod, what the image is made with in
# hack/image/go.mod.
RELEASE_TOOLS = bin/tools/cyclonedx-gomod bin/tools/actionlint

##@ Release

.PHONY: release
release: controlplane bin/tools/helm bin/tools/cyclonedx-gomod ## Write a release into dist (VERSION=v1.2.3).
	go run ./hack/release -version '$(VERSION)'

.PHONY: image
image: ## Make the image of the release in dist an OCI layout, dist/image (VERSION=v1.2.3, IMAGE_FLAGS='-push NAME:TAG').
	@rm -rf dist/image
	@go -C hack/image run . -dockerfile ../../Dockerfile -o ../../dist/image $(IMAGE_FLAGS) \
		linux/amd64=../../dist/chatt2-webhook-operator_$(VERSION:v%=%)_linux_amd64 \
		linux/arm64=../../dist/chatt2-webhook-operator_$(VERSION:v%=%)_linux_arm64

.PHONY: release-test
release-test: controlplane bin/tools/helm $(RELEASE_TOOLS) ## Test the release, the image and the workflows.
	bin/tools/actionlint
	RELEASE_TOOLS='$(CURDIR)/bin/tools' go test -count=1 ./hack/release
	go -C hack/image test -count=1 .

$(RELEASE_TOOLS): hack/release/tools/go.mod hack/release/tools/go.sum
	CGO_ENABLED=0 go -C hack/release/tools build -trimpath -o ../../../$@ $(PACKAGE_$(@F))
	@touch $@
PACKAGE_cyclonedx-gomod = github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod
PACKAGE_actionlint = github.com/rhysd/actionlint/cmd/actionlint
