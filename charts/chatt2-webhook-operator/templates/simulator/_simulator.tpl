{{- define "chatt2.simulatorLabels" -}}
{{ include "chatt2.selector" . }}
{{ include "chatt2.commonLabels" .root }}
{{- end }}

{{/* What the simulator's and the receiver's Pods have in common; call it with root, component, args and mounts. */}}
{{- define "chatt2.simulatorDeployment" -}}
{{- $name := printf "%s-%s" (include "chatt2.fullname" .root) .component }}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ $name | quote }}
  namespace: {{ .root.Release.Namespace | quote }}
  labels:
    {{- include "chatt2.simulatorLabels" . | nindent 4 }}
spec:
  replicas: 1
  # All that it knows is in its memory.
  strategy:
    type: Recreate
  selector:
    matchLabels:
      {{- include "chatt2.selector" . | nindent 6 }}
  template:
    metadata:
      labels:
        {{- include "chatt2.selector" . | nindent 8 }}
        {{- with .root.Values.commonLabels }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
    spec:
      automountServiceAccountToken: false
      {{- with .root.Values.imagePullSecrets }}
      imagePullSecrets:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      securityContext:
        {{- toYaml .root.Values.podSecurityContext | nindent 8 }}
      containers:
      - name: {{ .component }}
        image: {{ include "chatt2.image" .root | quote }}
        imagePullPolicy: {{ .root.Values.image.pullPolicy }}
        args:
        {{- range .args }}
        - {{ . | quote }}
        {{- end }}
        ports:
        - name: https
          containerPort: 8443
        readinessProbe:
          {{- toYaml .readiness | nindent 10 }}
          periodSeconds: 5
        resources:
          {{- toYaml .root.Values.simulator.resources | nindent 10 }}
        securityContext:
          {{- toYaml .root.Values.securityContext | nindent 10 }}
        volumeMounts:
        {{- range .volumes }}
        - name: {{ .name }}
          mountPath: /etc/chatt2/{{ .name }}
          readOnly: true
        {{- end }}
      volumes:
      {{- toYaml .volumes | nindent 6 }}
      {{- with include "chatt2.placement" .root | trim }}
      {{- . | nindent 6 }}
      {{- end }}
---
apiVersion: v1
kind: Service
metadata:
  name: {{ $name | quote }}
  namespace: {{ .root.Release.Namespace | quote }}
  labels:
    {{- include "chatt2.simulatorLabels" . | nindent 4 }}
spec:
  selector:
    {{- include "chatt2.selector" . | nindent 4 }}
  ports:
  - name: https
    port: 443
    targetPort: https
{{- end }}

{{/* The files of a serving certificate, and the authority. */}}
{{- define "chatt2.tlsVolume" -}}
name: tls
secret:
  secretName: {{ include "chatt2.fullname" .root }}-simulator-tls
  items:
  - {key: ca.crt, path: ca.crt}
  - {key: {{ .component }}.crt, path: tls.crt}
  - {key: {{ .component }}.key, path: tls.key}
{{- end }}
