{{/* What values.schema.json cannot say. */}}
{{- define "chatt2.refuse" -}}
{{- include "chatt2.refuseHub" .Values.hub }}
{{- include "chatt2.refusePorts" . }}
{{- if le (include "chatt2.seconds" .Values.orphanAfter | float64) 0.0 }}
{{- fail "orphanAfter must be above 0; to wait longer, set a long time, such as 8760h" }}
{{- end }}
{{- if not (regexMatch (include "chatt2.selectorPattern" .) .Values.watchLabelSelector) }}
{{- fail (printf "watchLabelSelector %q is not one that kubectl get --selector would take" .Values.watchLabelSelector) }}
{{- end }}
{{- if and .Values.rbac.create (not .Values.serviceAccount.create) (not .Values.serviceAccount.name) }}
{{- fail "serviceAccount.create=false needs serviceAccount.name, or rbac.create=false: otherwise every Pod of the namespace has the operator's rights" }}
{{- end }}
{{- if and (gt (int .Values.replicas) 1) (not .Values.leaderElection.enabled) }}
{{- fail "replicas above 1 need leaderElection.enabled: without it all of them would register webhooks" }}
{{- end }}
{{- if and .Values.hub.ca.configMap .Values.hub.ca.secret }}
{{- fail "hub.ca takes a configMap or a secret, not both" }}
{{- end }}
{{- range list "serviceMonitor" "prometheusRule" "dashboard" }}
{{- if and (get $.Values.metrics .).enabled (not $.Values.metrics.enabled) }}
{{- fail (printf "metrics.%s.enabled needs metrics.enabled: there would be nothing to scrape" .) }}
{{- end }}
{{- end }}
{{- if and .Values.simulator.enabled .Values.namespaces (not (has .Release.Namespace .Values.namespaces)) }}
{{- fail (printf "simulator.enabled needs %q among namespaces: the sample lives there" .Release.Namespace) }}
{{- end }}
{{- if and .Values.simulator.enabled (or .Values.hub.ca.configMap .Values.hub.ca.secret) }}
{{- fail "simulator.enabled brings its own authority: leave hub.ca empty" }}
{{- end }}
{{- end }}

{{/* What the operator would not start with. */}}
{{- define "chatt2.refuseHub" -}}
{{- $timeout := include "chatt2.seconds" .timeout | float64 }}
{{- if or (le $timeout 0.0) (ge $timeout 30.0) }}
{{- fail "hub.timeout must be above 0 and below 30s, which a step may take" }}
{{- end }}
{{- if le (include "chatt2.seconds" .settleTime | float64) $timeout }}
{{- fail "hub.settleTime must be longer than hub.timeout: a call may be carried out until then" }}
{{- end }}
{{- if lt (include "chatt2.seconds" .pollInterval | float64) 1.0 }}
{{- fail "hub.pollInterval must be at least 1s" }}
{{- end }}
{{- if lt (float64 .qps) 0.01 }}
{{- fail "hub.qps must be at least 0.01" }}
{{- end }}
{{- end }}

{{/* A duration in seconds. */}}
{{- define "chatt2.seconds" -}}
{{- $units := dict "h" 3600 "m" 60 "s" 1 "ms" 1e-3 "us" 1e-6 "ns" 1e-9 }}
{{- $sum := 0.0 }}
{{- range regexFindAll "[0-9.]+[a-z]+" . -1 }}
{{- $sum = addf $sum (mulf (regexFind "[0-9.]+" .) (get $units (regexFind "[a-z]+" .))) }}
{{- end }}
{{- $sum }}
{{- end }}

{{/* No two can listen at one port. */}}
{{- define "chatt2.refusePorts" -}}
{{- $names := dict }}
{{- $ports := dict "healthPort" .Values.healthPort }}
{{- if .Values.metrics.enabled }}
{{- $_ := set $ports "metrics.port" .Values.metrics.port }}
{{- end }}
{{- if ne .Values.pprofBindAddress "0" }}
{{- $_ := set $ports "pprofBindAddress" (regexFind "[0-9]+$" .Values.pprofBindAddress) }}
{{- end }}
{{- range $name, $port := $ports }}
{{- $port = $port | int64 | toString }}
{{- with get $names $port }}
{{- fail (printf "%s and %s are both port %s" . $name $port) }}
{{- end }}
{{- $_ := set $names $port $name }}
{{- end }}
{{- end }}

{{/* A label selector, as Kubernetes reads it. */}}
{{- define "chatt2.selectorPattern" -}}
{{- $word := "[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?" }}
{{- $domain := "[a-z0-9]([-a-z0-9]*[a-z0-9])?" }}
{{- $key := printf "(%s(\\.%s)*/)?%s" $domain $domain $word }}
{{- $value := printf "(%s)?" $word }}
{{- $is := printf "%s *(=|==|!=) *%s" $key $value }}
{{- $in := printf "%s +(in|notin) *\\( *%s( *, *%s)* *\\)" $key $value $value }}
{{- $than := printf "%s *[<>] *[0-9]+" $key }}
{{- $one := printf " *(!? *%s|%s|%s|%s) *" $key $is $in $than }}
{{- printf "^(%s(,%s)*)?$" $one $one }}
{{- end }}
