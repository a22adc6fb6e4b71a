{{/* Where any Pod of the chart may run. */}}
{{- define "chatt2.placement" -}}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . | quote }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* Where the operator runs. */}}
{{- define "chatt2.scheduling" -}}
{{- include "chatt2.placement" . }}
{{- with .Values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.topologySpreadConstraints }}
{{- $own := dict "matchLabels" (include "chatt2.selector" (dict "root" $ "component" "operator") | fromYaml) }}
topologySpreadConstraints:
{{- range . }}
- {{ toYaml (set (omit . "labelSelector") "labelSelector" (.labelSelector | default $own)) | nindent 2 | trim }}
{{- end }}
{{- end }}
{{- end }}
