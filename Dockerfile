# One static binary and the authorities that vouch for the Hub: nothing to log in to, nothing to patch but these two.
# The builder is the Go that go.mod pins, by tag: what is released is built without it, by hack/release, and no digest
# was ever checked here.
# hack/image makes the same image without a container engine from what stands below the second FROM.
FROM --platform=$BUILDPLATFORM golang:1.26.8 AS builder
ARG TARGETOS TARGETARCH VERSION
WORKDIR /src
# Modules first: they change less often than the code.
COPY go.mod go.sum ./
RUN go mod download
COPY main.go ./
COPY api api
COPY internal internal
RUN CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH go build -trimpath -buildvcs=false \
    -ldflags "-s -w -X github.com/chatt2me/webhook-operator/internal/cli.released=$VERSION" \
    -o /chatt2-webhook-operator .

FROM scratch
LABEL org.opencontainers.image.title="chatt2-webhook-operator" \
      org.opencontainers.image.description="Keeps the webhooks of the Hub Chatt2.me as Kubernetes resources declare them" \
      org.opencontainers.image.source="https://github.com/chatt2me/webhook-operator"
COPY --from=builder /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=builder /chatt2-webhook-operator /chatt2-webhook-operator
USER 65532:65532
ENTRYPOINT ["/chatt2-webhook-operator"]
