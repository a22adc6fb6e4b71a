{{/* What values.schema.json cannot say. */}}
{{- define "chatt2.refuse" -}}
{{- if and (gt (int .Values.replicas) 1) (not .Values.leaderElection.enabled) }}
{{- fail "replicas above 1 need leaderElection.enabled: without it all of them would register webhooks" }}
{{- end }}
{{- if and .Values.hub.ca.configMap .Values.hub.ca.secret }}
{{- fail "hub.ca takes a configMap or a secret, not both" }}
{{- end }}
{{- if and .Values.simulator.enabled .Values.namespaces (not (has .Release.Namespace .Values.namespaces)) }}
{{- fail (printf "simulator.enabled needs %q among namespaces: the sample lives there" .Release.Namespace) }}
{{- end }}
{{- if and .Values.simulator.enabled (or .Values.hub.ca.configMap .Values.hub.ca.secret) }}
{{- fail "simulator.enabled brings its own authority: leave hub.ca empty" }}
{{- end }}
{{- end }}
