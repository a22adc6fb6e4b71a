{{- define "chatt2.scheduling" -}}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
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
