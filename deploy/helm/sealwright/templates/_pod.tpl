{{- define "sealwright.name" -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{- define "sealwright.selector" -}}
app.kubernetes.io/name: sealwright
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end -}}

{{- define "sealwright.labels" -}}
{{ include "sealwright.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service | quote }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | quote }}
{{- end -}}

{{- define "sealwright.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end -}}

{{- /* Every name by which the server is reached, the one that clients know first. */ -}}
{{- define "sealwright.names" -}}
{{- $name := include "sealwright.name" . -}}
{{- $space := .Release.Namespace -}}
{{- $own := list (printf "%s.%s" $name $space) (printf "%s.%s.svc" $name $space) (printf "%s.%s.svc.cluster.local" $name $space) "localhost" -}}
{{- concat (list .Values.host) .Values.moreNames $own | uniq | toJson -}}
{{- end -}}

{{- define "sealwright.url" -}}
{{- $usual := ternary 443 80 (eq .scheme "https") -}}
{{ .scheme }}://{{ .host }}{{ if ne (int .port) $usual }}:{{ int .port }}{{ end }}
{{- end -}}

{{- /* settings.toml: what the chart knows, and over it what .Values.settings says. */ -}}
{{- define "sealwright.settings" -}}
{{- $listen := .Values.listen -}}
{{- $ports := .Values.service.ports -}}
{{- $known := dict
  "name" .Values.name
  "dns_names" (include "sealwright.names" . | fromJsonArray)
  "workers" (int .Values.workers)
  "listen" (dict
    "people" (printf "%s:%d" $listen.address (int $listen.people))
    "machines" (printf "%s:%d" $listen.address (int $listen.machines))
    "status" (printf "%s:%d" $listen.address (int $listen.status)))
  "urls" (dict
    "people" (include "sealwright.url" (dict "scheme" "https" "host" .Values.host "port" $ports.people))
    "machines" (include "sealwright.url" (dict "scheme" "https" "host" .Values.host "port" $ports.machines))
    "status" (include "sealwright.url" (dict "scheme" "http" "host" .Values.host "port" $ports.status))) -}}
{{- include "sealwright.toml" (mustMergeOverwrite $known (deepCopy .Values.settings)) -}}
{{- end -}}

{{- /* TOML in which a whole number is one: what values hold would be written with a point. */ -}}
{{- define "sealwright.toml" -}}
{{- range $name, $value := . }}{{ if not (kindIs "map" $value) }}
{{ $name }} = {{ toJson $value }}
{{- end }}{{ end }}
{{- range $section, $members := . }}{{ if kindIs "map" $members }}

[{{ $section }}]
{{- range $name, $value := $members }}
{{ $name }} = {{ toJson $value }}
{{- end }}{{ end }}{{ end }}
{{- end -}}

{{- define "sealwright.environment" -}}
- name: SEALWRIGHT_HOME
  value: /var/lib/sealwright
{{- if eq .Values.storage.kind "memory" }}
- name: SEALWRIGHT_DATABASE_URL
  value: "sqlite://"
{{- end }}
{{- if .Values.secretName }}
- name: SEALWRIGHT_KEY
  valueFrom:
    secretKeyRef:
      name: {{ .Values.secretName | quote }}
      key: SEALWRIGHT_KEY
{{- if eq .Values.storage.kind "postgresql" }}
- name: SEALWRIGHT_DATABASE_URL
  valueFrom:
    secretKeyRef:
      name: {{ .Values.secretName | quote }}
      key: SEALWRIGHT_DATABASE_URL
{{- end }}
{{- end }}
{{- end -}}

{{- define "sealwright.container" -}}
image: {{ include "sealwright.image" . | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
env:
  {{- include "sealwright.environment" . | nindent 2 }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
volumeMounts:
  - name: home
    mountPath: /var/lib/sealwright
  - name: settings
    mountPath: /etc/sealwright/settings
    readOnly: true
  - name: scratch
    mountPath: /tmp
  {{- if eq .Values.storage.kind "memory" }}
  - name: memory
    mountPath: /dev/shm
  {{- end }}
  {{- range $name, $secret := .Values.mountedSecrets }}
  - name: secret-{{ $name }}
    mountPath: /etc/sealwright/secrets/{{ $name }}
    readOnly: true
  {{- end }}
{{- end -}}

{{- define "sealwright.pod" -}}
metadata:
  labels:
    {{- include "sealwright.labels" . | nindent 4 }}
    {{- with .Values.podLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  annotations:
    # Other settings are another pod.
    checksum/settings: {{ include "sealwright.settings" . | sha256sum }}
    {{- with .Values.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  automountServiceAccountToken: false
  enableServiceLinks: false
  # Requests under way are given 20 seconds.
  terminationGracePeriodSeconds: 45
  {{- with .Values.imagePullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  securityContext:
    runAsNonRoot: true
    runAsUser: 10001
    runAsGroup: 10001
    fsGroup: 10001
    fsGroupChangePolicy: OnRootMismatch
    seccompProfile:
      type: RuntimeDefault
  initContainers:
    - name: init
      # The home directory is made where there is none; its settings are those of the chart, each time.
      command:
        - sh
        - -euc
        - |
          if [ ! -e "$SEALWRIGHT_HOME/settings.toml" ] || [ -e "$SEALWRIGHT_HOME/init.unfinished" ]; then
            sealwright init "$@"
          fi
          install -m 0600 /etc/sealwright/settings/settings.toml "$SEALWRIGHT_HOME/settings.toml"
        - init
        - {{ printf "--name=%s" .Values.name | quote }}
        {{- range include "sealwright.names" . | fromJsonArray }}
        - {{ printf "--dns=%s" . | quote }}
        {{- end }}
      {{- include "sealwright.container" . | nindent 6 }}
  containers:
    - name: sealwright
      args: [serve]
      {{- include "sealwright.container" . | nindent 6 }}
      ports:
        - name: people
          containerPort: {{ .Values.listen.people }}
        - name: machines
          containerPort: {{ .Values.listen.machines }}
        - name: status
          containerPort: {{ .Values.listen.status }}
      startupProbe:
        httpGet:
          path: /health
          port: status
        periodSeconds: 2
        timeoutSeconds: 5
        failureThreshold: 60
      # Without its database it takes no traffic, but another start would not bring the database back.
      readinessProbe:
        httpGet:
          path: /health
          port: status
        periodSeconds: 5
        timeoutSeconds: 5
        failureThreshold: 2
      # The server replaces workers of its own that hang; where it ends, so does the container.
      livenessProbe:
        tcpSocket:
          port: status
        periodSeconds: 15
        timeoutSeconds: 10
        failureThreshold: 4
      lifecycle:
        preStop:
          exec:
            # Until no one sends anything new here.
            command: [sleep, "5"]
      resources:
        {{- toYaml .Values.resources | nindent 8 }}
  volumes:
    - name: settings
      configMap:
        name: {{ include "sealwright.name" . | quote }}
    - name: scratch
      emptyDir:
        sizeLimit: 64Mi
    {{- if ne .Values.storage.kind "volume" }}
    - name: home
      emptyDir:
        sizeLimit: 256Mi
    {{- end }}
    {{- if eq .Values.storage.kind "memory" }}
    - name: memory
      emptyDir:
        medium: Memory
        sizeLimit: {{ .Values.storage.memoryLimit }}
    {{- end }}
    {{- range $name, $secret := .Values.mountedSecrets }}
    - name: secret-{{ $name }}
      secret:
        secretName: {{ $secret | quote }}
        defaultMode: 0440
    {{- end }}
  {{- with .Values.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.affinity }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.topologySpreadConstraints }}
  topologySpreadConstraints:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end -}}
