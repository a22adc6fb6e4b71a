FROM --platform=$BUILDPLATFORM golang:1.26 AS builder
ARG TARGETOS TARGETARCH
WORKDIR /src
# Modules first: they change less often than the code.
COPY go.mod go.sum ./
RUN go mod download
COPY main.go ./
COPY api api
COPY internal internal
RUN CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH go build -trimpath -ldflags '-s -w' -o /chatt2-webhook-operator .

FROM gcr.io/distroless/static:nonroot
COPY --from=builder /chatt2-webhook-operator /
USER 65532:65532
ENTRYPOINT ["/chatt2-webhook-operator"]
