{{/*
The operator's flags. Each is given, so that `kubectl describe` shows them all; only what has no value when it is empty
is left out.
*/}}
{{- define "chatt2.flags" -}}
{{- with .Values.hub -}}
- --hub-url={{ include "chatt2.hubURL" $ }}
- --hub-allow-insecure={{ .allowInsecure }}
{{- if include "chatt2.hubCA" $ }}
- --hub-ca-file=/etc/chatt2/hub/ca.crt
{{- end }}
- --hub-poll-interval={{ .pollInterval }}
- --hub-qps={{ .qps }}
- --hub-burst={{ int64 .burst }}
- --hub-timeout={{ .timeout }}
- --hub-settle-time={{ .settleTime }}
{{- end }}
{{- with .Values.namespaces }}
- --namespaces={{ join "," . }}
{{- end }}
{{- with .Values.watchLabelSelector }}
- --watch-label-selector={{ . }}
{{- end }}
- --max-concurrent-reconciles={{ int64 .Values.maxConcurrentReconciles }}
- --orphan-after={{ .Values.orphanAfter }}
{{- with .Values.secrets }}
- --watch-secrets={{ .watch }}
- --protect-api-key-secrets={{ .protectAPIKeys }}
- --header-secrets-need-opt-in={{ .headersNeedOptIn }}
{{- end }}
- --leader-elect={{ .Values.leaderElection.enabled }}
{{- with .Values.leaderElection.namespace }}
- --leader-election-namespace={{ . }}
{{- end }}
- --metrics-bind-address={{ ternary (printf ":%d" (int64 .Values.metrics.port)) "0" .Values.metrics.enabled }}
- --metrics-secure={{ .Values.metrics.secure }}
- --health-probe-bind-address=:{{ int64 .Values.healthPort }}
- --pprof-bind-address={{ .Values.pprofBindAddress }}
{{- with .Values.log }}
- --zap-devel={{ .devel }}
{{- with .encoder }}
- --zap-encoder={{ . }}
{{- end }}
{{- with .level }}
- --zap-log-level={{ . }}
{{- end }}
{{- with .stacktraceLevel }}
- --zap-stacktrace-level={{ . }}
{{- end }}
{{- with .timeEncoding }}
- --zap-time-encoding={{ . }}
{{- end }}
{{- end }}
{{- with .Values.extraArgs }}
{{ toYaml . }}
{{- end }}
{{- end }}
