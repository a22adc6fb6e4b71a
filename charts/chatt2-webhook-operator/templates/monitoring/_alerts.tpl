{{/* The spec of files/rules.yaml without the alerts that are disabled. */}}
{{- define "chatt2.alerts" -}}
{{- $spec := (.Files.Get "files/rules.yaml" | fromYaml).spec }}
{{- $disabled := .Values.metrics.prometheusRule.disabled }}
{{- $known := list }}
{{- range $group := $spec.groups }}
{{- $kept := list }}
{{- range $group.rules }}
{{- $known = append $known .alert }}
{{- if not (has .alert $disabled) }}
{{- $kept = append $kept . }}
{{- end }}
{{- end }}
{{- $_ := set $group "rules" $kept }}
{{- end }}
{{- range $disabled }}
{{- if not (has . $known) }}
{{- fail (printf "metrics.prometheusRule.disabled: there is no alert %q" .) }}
{{- end }}
{{- end }}
{{- toYaml $spec }}
{{- end }}
