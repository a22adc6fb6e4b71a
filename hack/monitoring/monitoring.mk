##@ Monitoring

.PHONY: test-monitoring
test-monitoring: controlplane ## Test alerts and dashboard, in a real Prometheus, too (SHORT=1: not all that may go wrong).
	go -C hack/monitoring test -timeout 30m $(if $(SHORT),-short) .
