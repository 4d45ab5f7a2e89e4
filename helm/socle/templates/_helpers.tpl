{{- define "socle.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" -}}
{{- else if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "socle.release" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{/* Labels that select the pods of one component; call with (dict "root" $ "component" "web"). */}}
{{- define "socle.selector" -}}
{{ include "socle.release" .root }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{- define "socle.labels" -}}
{{ include "socle.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/part-of: {{ .root.Chart.Name }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "socle.host" -}}
{{- required "host: give the host of the syndicat's portal, e.g. socle.example.fr." .Values.host -}}
{{- end -}}

{{- define "socle.secretName" -}}
{{- required "existingSecret: name the Secret that holds SOCLE_SECRET_KEY, SOCLE_MASTER_KEY, SOCLE_DATABASE_URL, SOCLE_BROKER_URL and SOCLE_MAIL_URL; it must exist before the first install." .Values.existingSecret -}}
{{- end -}}

{{- define "socle.image" -}}
{{- $image := .Values.image -}}
{{- $repository := required "image.repository: say where the image of Socle is." $image.repository -}}
{{- if $image.digest -}}
{{- printf "%s@%s" $repository $image.digest -}}
{{- else if $image.tag -}}
{{- printf "%s:%s" $repository $image.tag -}}
{{- else -}}
{{- fail "image: give a tag or a digest, so that every pod runs the same code." -}}
{{- end -}}
{{- end -}}

{{/* Everything that is not secret, as a map. Names are those that environment.py reads. */}}
{{- define "socle.config" -}}
{{- $files := .Values.files -}}
SOCLE_BASE_HOST: {{ include "socle.host" . | quote }}
SOCLE_PORT: {{ .Values.publicPort | quote }}
SOCLE_PROXIES: {{ .Values.proxies | quote }}
SOCLE_HTTPS: "1"
SOCLE_DEMO: "0"
SOCLE_MAIL_FROM: {{ required "mail.from: give the address mails are sent from." .Values.mail.from | quote }}
SOCLE_HELP_MAIL: {{ .Values.help.mail | quote }}
SOCLE_HELP_PHONE: {{ .Values.help.phone | quote }}
SOCLE_HELP_HOURS: {{ .Values.help.hours | quote }}
SOCLE_DELIVERY_LEASE: {{ .Values.delivery.leaseSeconds | quote }}
SOCLE_ANTIVIRUS: {{ .Values.antivirus.address | quote }}
{{- if eq $files.kind "s3" }}
SOCLE_S3_BUCKET: {{ required "files.s3.bucket: name the bucket of the encrypted files, or choose files.kind: volume." $files.s3.bucket | quote }}
SOCLE_S3_ENDPOINT: {{ $files.s3.endpoint | quote }}
{{- /* Checksums of recent AWS clients are unknown to many S3 servers; every file has its own digest. */}}
AWS_REQUEST_CHECKSUM_CALCULATION: when_required
AWS_RESPONSE_CHECKSUM_VALIDATION: when_required
{{- with $files.s3.region }}
AWS_DEFAULT_REGION: {{ . | quote }}
{{- end }}
{{- else }}
SOCLE_FILES_DIR: /srv/socle/files
{{- end }}
{{- if include "socle.exercise" . }}
SOCLE_EXERCISE_URL: {{ printf "http://%s-exercise:8801" (include "socle.fullname" .) | quote }}
{{- end }}
SOCLE_POOLING: {{ .Values.postgresql.pooling }}
SOCLE_REPLICA_LAG: {{ .Values.postgresql.replicaLagSeconds | quote }}
SOCLE_CELL: main
SOCLE_PLACEMENT: {{ include "socle.placement" . | quote }}
PGSSLMODE: {{ .Values.postgresql.sslMode }}
{{- if hasPrefix "verify-" .Values.postgresql.sslMode }}
PGSSLROOTCERT: {{ printf "/etc/socle/ca/%s" .Values.caBundle.key }}
{{- $_ := required "caBundle.configMap: verifying PostgreSQL's certificate needs its authority." .Values.caBundle.configMap }}
{{- end }}
{{- if and .Values.caBundle.configMap (eq $files.kind "s3") $files.s3.endpoint }}
AWS_CA_BUNDLE: {{ printf "/etc/socle/ca/%s" .Values.caBundle.key }}
{{- end }}
{{- end -}}

{{/* The départements and bodies of each cell but the main one, as environment.py reads them. */}}
{{- define "socle.placement" -}}
{{- $cells := list -}}
{{- range $cell, $codes := .Values.postgresql.placement -}}
{{- $cells = append $cells (printf "%s=%s" $cell (join "," $codes)) -}}
{{- end -}}
{{- join " " $cells -}}
{{- end -}}

{{/* "yes" when the practice offices are to run, nothing otherwise. */}}
{{- define "socle.exercise" -}}
{{- if .Values.exercise.enabled -}}
{{- if not .Values.trainingInstallation -}}
{{- fail "exercise.enabled: the practice préfecture and trésorerie only run where trainingInstallation is true; never beside real acts." -}}
{{- end -}}
yes
{{- end -}}
{{- end -}}

{{- define "socle.secretEntry" -}}
- name: {{ .key }}
  valueFrom:
    secretKeyRef:
      name: {{ include "socle.secretName" .root }}
      key: {{ .key }}
{{- if .optional }}
      optional: true
{{- end }}
{{- end -}}

{{/* The secrets, named one by one: nothing else of the Secret enters a pod. */}}
{{- define "socle.secrets" -}}
{{- $root := . -}}
{{- $keys := list "SOCLE_SECRET_KEY" "SOCLE_MASTER_KEY" "SOCLE_DATABASE_URL" "SOCLE_BROKER_URL" "SOCLE_MAIL_URL" -}}
{{- if eq .Values.files.kind "s3" -}}
{{- $keys = concat $keys (list "AWS_ACCESS_KEY_ID" "AWS_SECRET_ACCESS_KEY") -}}
{{- end -}}
{{- if include "socle.exercise" . -}}
{{- $keys = append $keys "SOCLE_EXERCISE_TOKEN" -}}
{{- end -}}
{{- if .Values.postgresql.placement -}}
{{- $keys = append $keys "SOCLE_CELLS" -}}
{{- end -}}
{{- range $keys }}
{{ include "socle.secretEntry" (dict "root" $root "key" . "optional" false) }}
{{- end }}
{{- if not .Values.postgresql.placement }}
{{ include "socle.secretEntry" (dict "root" $root "key" "SOCLE_CELLS" "optional" true) }}
{{- end }}
{{- range list "SOCLE_MASTER_KEY_PREVIOUS" "SOCLE_PROXY_SECRET" "SOCLE_SENTRY_DSN" "SOCLE_DATABASE_REPLICA_URL" "SOCLE_CELLS_REPLICA" }}
{{ include "socle.secretEntry" (dict "root" $root "key" . "optional" true) }}
{{- end }}
{{- end -}}

{{/* What every pod of Socle shares: no token, no root, no service variables (a Service called
     "socle" would otherwise set SOCLE_PORT in every pod of its namespace). */}}
{{- define "socle.pod" -}}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile:
    type: RuntimeDefault
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
{{- range . }}
  - name: {{ . }}
{{- end }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
{{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
{{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "socle.container" -}}
image: {{ include "socle.image" . | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  privileged: false
  readOnlyRootFilesystem: true
  runAsNonRoot: true
  capabilities:
    drop: [ALL]
{{- end -}}

{{- define "socle.mounts" -}}
- name: tmp
  mountPath: /tmp
{{- if .root.Values.caBundle.configMap }}
- name: ca
  mountPath: /etc/socle/ca
  readOnly: true
{{- end }}
{{- if and .files (eq .root.Values.files.kind "volume") }}
- name: files
  mountPath: /srv/socle
{{- end }}
{{- end -}}

{{- define "socle.volumes" -}}
- name: tmp
  emptyDir:
    sizeLimit: {{ .tmpSize }}
{{- with .root.Values.caBundle.configMap }}
- name: ca
  configMap:
    name: {{ . }}
{{- end }}
{{- if and .files (eq .root.Values.files.kind "volume") }}
- name: files
  persistentVolumeClaim:
    claimName: {{ .root.Values.files.volume.existingClaim | default (printf "%s-files" (include "socle.fullname" .root)) }}
{{- end }}
{{- end -}}

{{/* Pods restart when what the ConfigMap says changes. */}}
{{- define "socle.annotations" -}}
checksum/config: {{ include "socle.config" . | sha256sum }}
{{- end -}}

{{- define "socle.spread" -}}
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "socle.selector" . | nindent 8 }}
  - maxSkew: 1
    topologyKey: topology.kubernetes.io/zone
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "socle.selector" . | nindent 8 }}
{{- end -}}

{{/* The autoscaler of a Deployment; call with (dict "root" $ "component" "web" "autoscaling" …). */}}
{{- define "socle.scaler" -}}
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  name: {{ include "socle.fullname" .root }}-{{ .component }}
  labels:
    {{- include "socle.labels" . | nindent 4 }}
spec:
  scaleTargetRef:
    apiVersion: apps/v1
    kind: Deployment
    name: {{ include "socle.fullname" .root }}-{{ .component }}
  minReplicas: {{ .autoscaling.minReplicas }}
  maxReplicas: {{ .autoscaling.maxReplicas }}
  metrics:
    - type: Resource
      resource:
        name: cpu
        target:
          type: Utilization
          averageUtilization: {{ .autoscaling.cpuPercent }}
{{- end -}}

{{/* One egress rule. An empty list of peers would mean "anywhere": it makes no rule at all. */}}
{{- define "socle.egress" -}}
{{- if .peers -}}
- to:
    {{- toYaml .peers | nindent 4 }}
  ports:
    {{- range .ports }}
    - protocol: TCP
      port: {{ . }}
    {{- end }}
{{- end -}}
{{- end -}}

{{- define "socle.dns" -}}
- to:
    {{- toYaml .Values.networkPolicy.egress.dns.peers | nindent 4 }}
  ports:
    {{- range .Values.networkPolicy.egress.dns.ports }}
    - protocol: UDP
      port: {{ . }}
    - protocol: TCP
      port: {{ . }}
    {{- end }}
{{- end -}}
