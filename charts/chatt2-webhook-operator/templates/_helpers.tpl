{{- define "chatt2.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/*
Begin of the names of what is in the release's namespace. It leaves room for a suffix. The name of a release may have
dots, and an alias of the chart capitals, which Services may not.
*/}}
{{- define "chatt2.fullname" -}}
{{- $name := include "chatt2.name" . }}
{{- $full := printf "%s-%s" .Release.Name $name }}
{{- if .Values.fullnameOverride }}
{{- $full = .Values.fullnameOverride }}
{{- else if contains $name .Release.Name }}
{{- $full = .Release.Name }}
{{- end }}
{{- $full | replace "." "-" | lower | trunc 45 | trimSuffix "-" }}
{{- end }}

{{/*
Begin of the names of what is not only for the release's namespace, so that releases of one name in several namespaces do
not meet: what has no namespace, and the roles in namespaces that they share.
*/}}
{{- define "chatt2.clusterName" -}}
{{- printf "%s:%s" .Release.Namespace (include "chatt2.fullname" .) }}
{{- end }}

{{- define "chatt2.serviceAccount" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "chatt2.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{/* Call it with a dict of root and component. */}}
{{- define "chatt2.selector" -}}
app.kubernetes.io/name: {{ include "chatt2.name" .root | quote }}
app.kubernetes.io/instance: {{ .root.Release.Name | quote }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "chatt2.commonLabels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "chatt2.labels" -}}
{{ include "chatt2.selector" (dict "root" . "component" "operator") }}
{{ include "chatt2.commonLabels" . }}
{{- end }}

{{/* A tag that is all digits may be a number, and a file's number a floating-point one. */}}
{{- define "chatt2.tag" -}}
{{- kindIs "string" . | ternary . (int64 .) }}
{{- end }}

{{- define "chatt2.image" -}}
{{- with .Values.image -}}
{{ .repository }}:{{ include "chatt2.tag" .tag | default $.Chart.AppVersion }}{{ with .digest }}@{{ . }}{{ end }}
{{- end }}
{{- end }}

{{/* The operator, as bindings name it. */}}
{{- define "chatt2.subject" -}}
- kind: ServiceAccount
  name: {{ include "chatt2.serviceAccount" . | quote }}
  namespace: {{ .Release.Namespace | quote }}
{{- end }}

{{- define "chatt2.leaseNamespace" -}}
{{- default .Release.Namespace .Values.leaderElection.namespace }}
{{- end }}

{{/* Where the operator finds the Hub. */}}
{{- define "chatt2.hubURL" -}}
{{- if .Values.simulator.enabled }}
{{- printf "https://%s-simulator.%s.svc" (include "chatt2.fullname" .) .Release.Namespace }}
{{- else }}
{{- .Values.hub.url }}
{{- end }}
{{- end }}

{{/* The volume with the authorities of the Hub, if there is one. */}}
{{- define "chatt2.hubCA" -}}
{{- if .Values.simulator.enabled }}
secret:
  secretName: {{ include "chatt2.fullname" . }}-simulator-tls
  items: [{key: ca.crt, path: ca.crt}]
{{- else if .Values.hub.ca.secret }}
secret:
  secretName: {{ .Values.hub.ca.secret | quote }}
  items: [{key: {{ .Values.hub.ca.key | quote }}, path: ca.crt}]
{{- else if .Values.hub.ca.configMap }}
configMap:
  name: {{ .Values.hub.ca.configMap | quote }}
  items: [{key: {{ .Values.hub.ca.key | quote }}, path: ca.crt}]
{{- end }}
{{- end }}

{{- define "chatt2.hubPort" -}}
{{- $url := urlParse .Values.hub.url }}
{{- regexFind "[0-9]+$" (regexFind ":[0-9]+$" $url.host) | default (ternary "80" "443" (eq $url.scheme "http")) }}
{{- end }}
