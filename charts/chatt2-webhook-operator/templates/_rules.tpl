{{/*
What the operator does with resources: config/rbac/role.yaml. Without the watch on Secrets it does not protect those with
an API key either, and patches none. With secrets.protectAPIKeys=false it patches those that were protected before, to
release them.
*/}}
{{- define "chatt2.managerRules" -}}
- apiGroups: [""]
  resources: [configmaps]
  verbs: [get, list, watch]
- apiGroups: [""]
  resources: [secrets]
  {{- if .Values.secrets.watch }}
  verbs: [create, delete, get, list, patch, update, watch]
  {{- else }}
  verbs: [create, delete, get, update]
  {{- end }}
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, patch]
- apiGroups: [hub.chatt2.me]
  resources: [chatt2webhooks]
  verbs: [list, patch, watch]
- apiGroups: [hub.chatt2.me]
  resources: [chatt2webhooks/finalizers]
  verbs: [update]
- apiGroups: [hub.chatt2.me]
  resources: [chatt2webhooks/status]
  verbs: [patch]
{{- end }}
