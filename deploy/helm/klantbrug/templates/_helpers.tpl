{{- define "klantbrug.name" -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{- define "klantbrug.labels" -}}
app.kubernetes.io/name: klantbrug
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end -}}

{{/* In: [root, component]. */}}
{{- define "klantbrug.selector" -}}
app.kubernetes.io/name: klantbrug
app.kubernetes.io/instance: {{ (index . 0).Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end -}}

{{- define "klantbrug.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end -}}

{{/* What must be said before anything is made. */}}
{{- define "klantbrug.required" -}}
{{- $_ := required "secrets.existingSecret: name a Secret that holds uuid.secret and the secrets of the sources" .Values.secrets.existingSecret -}}
{{- $_ := required "publicUrl: give the https address by which clients know it" .Values.publicUrl -}}
{{- if eq .Values.store.kind "postgresql" -}}
{{- $_ := required "store.postgresql.url: give the address of the database, without password" .Values.store.postgresql.url -}}
{{- end -}}
{{- if and .Values.ingress.enabled (not .Values.ingress.host) -}}
{{- fail "ingress.host: give the host name" -}}
{{- end -}}
{{- end -}}

{{/* In: [root, component, arguments, resources, whether it serves]. The pod of a gateway or of the jobs. */}}
{{- define "klantbrug.pod" -}}
{{- $root := index . 0 -}}
{{- $component := index . 1 -}}
{{- $values := $root.Values -}}
metadata:
  labels:
    {{- include "klantbrug.labels" $root | nindent 4 }}
    app.kubernetes.io/component: {{ $component }}
    {{- with $values.podLabels }}{{ toYaml . | nindent 4 }}{{ end }}
  annotations:
    # A change of the config makes new pods.
    checksum/config: {{ $values.config | sha256sum }}
    {{- with $values.podAnnotations }}{{ toYaml . | nindent 4 }}{{ end }}
spec:
  serviceAccountName: {{ include "klantbrug.name" $root }}
  automountServiceAccountToken: false
  enableServiceLinks: false
  terminationGracePeriodSeconds: 45
  {{- with $values.imagePullSecrets }}
  imagePullSecrets: {{- toYaml . | nindent 4 }}
  {{- end }}
  securityContext:
    runAsNonRoot: true
    runAsUser: 10001
    runAsGroup: 10001
    fsGroup: 10001
    fsGroupChangePolicy: OnRootMismatch
    seccompProfile: {type: RuntimeDefault}
  containers:
    - name: {{ $component }}
      image: {{ include "klantbrug.image" $root | quote }}
      imagePullPolicy: {{ $values.image.pullPolicy }}
      args: {{- toYaml (index . 2) | nindent 8 }}
      env:
        - {name: KLANTBRUG_GATEWAY__PUBLIC_URL, value: {{ $values.publicUrl | quote }}}
        - {name: KLANTBRUG_GATEWAY__TRUSTED_PROXIES, value: {{ $values.trustedProxies | toJson | quote }}}
        - {name: KLANTBRUG_GATEWAY__WORKERS, value: {{ $values.gateway.workers | quote }}}
        - {name: KLANTBRUG_GATEWAY__THREADS, value: {{ $values.gateway.threads | quote }}}
        - {name: KLANTBRUG_STORE__UUID_SECRET_FILE, value: /etc/klantbrug/secrets/uuid.secret}
        {{- if eq $values.store.kind "file" }}
        - {name: KLANTBRUG_STORE__PATH, value: /data/klantbrug.db}
        {{- else }}
        - {name: KLANTBRUG_STORE__URL, value: {{ $values.store.postgresql.url | quote }}}
        - {name: KLANTBRUG_STORE__PASSWORD_FILE, value: /etc/klantbrug/secrets/postgresql.password}
        {{- end }}
        {{- if $values.audit.existingClaim }}
        - {name: KLANTBRUG_AUDIT__DIRECTORY, value: /audit}
        - {name: KLANTBRUG_AUDIT__KEY_FILE, value: /etc/klantbrug/secrets/audit.key}
        {{- end }}
        {{- with $values.env }}{{ toYaml . | nindent 8 }}{{ end }}
      securityContext:
        allowPrivilegeEscalation: false
        readOnlyRootFilesystem: true
        capabilities: {drop: [ALL]}
      resources: {{- toYaml (index . 3) | nindent 8 }}
      {{- if index . 4 }}
      ports:
        - {name: http, containerPort: 8000}
      startupProbe:
        # A large store that is upgraded takes a minute.
        httpGet: {path: /health/live, port: http}
        periodSeconds: 5
        failureThreshold: 60
      livenessProbe:
        httpGet: {path: /health/live, port: http}
        periodSeconds: 10
        timeoutSeconds: 5
        failureThreshold: 3
      readinessProbe:
        httpGet: {path: /health/ready, port: http}
        periodSeconds: 5
        timeoutSeconds: 5
        failureThreshold: 2
      lifecycle:
        # Time for the service to hear that this pod goes, before it stops to answer.
        preStop: {exec: {command: [sleep, "5"]}}
      {{- end }}
      volumeMounts:
        - {name: config, mountPath: /etc/klantbrug/config.toml, subPath: config.toml, readOnly: true}
        - {name: secrets, mountPath: /etc/klantbrug/secrets, readOnly: true}
        - {name: tmp, mountPath: /tmp}
        - {name: data, mountPath: /data}
        {{- if $values.audit.existingClaim }}
        - {name: audit, mountPath: /audit}
        {{- end }}
  volumes:
    - name: config
      configMap: {name: {{ include "klantbrug.name" $root }}}
    # 288 is 0440: the group of the pod alone reads them.
    - name: secrets
      secret: {secretName: {{ $values.secrets.existingSecret }}, defaultMode: 288}
    - name: tmp
      emptyDir: {sizeLimit: 64Mi}
    - name: data
      {{- if eq $values.store.kind "file" }}
      persistentVolumeClaim: {claimName: {{ $values.store.file.existingClaim | default (include "klantbrug.name" $root) }}}
      {{- else }}
      emptyDir: {sizeLimit: 64Mi}
      {{- end }}
    {{- if $values.audit.existingClaim }}
    - name: audit
      persistentVolumeClaim: {claimName: {{ $values.audit.existingClaim }}}
    {{- end }}
  {{- with $values.nodeSelector }}
  nodeSelector: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $values.tolerations }}
  tolerations: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $values.affinity }}
  affinity: {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end -}}
