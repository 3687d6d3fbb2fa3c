{{/*
Names are fixed: the CRD, the leader Lease and the roles belong to the cluster, so there is
one operator per cluster, and messages of the operator name its roles.
*/}}

{{- define "chaosdemo-operator.labels" -}}
app.kubernetes.io/name: chaosdemo-operator
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- define "chaosdemo-operator.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end }}

{{/* Of every container that runs the image. */}}
{{- define "chaosdemo-operator.containerSecurityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{- define "chaosdemo-operator.podSecurityContext" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{/* The file of profiles: the values as they are, with paths in place of references. */}}
{{- define "chaosdemo-operator.diagnosisProfiles" -}}
{{- $profiles := list }}
{{- range .Values.diagnosis.profiles }}
{{- $profile := omit . "apiKeySecret" "caConfigMap" "egress" }}
{{- if .apiKeySecret }}
{{- $profile = merge $profile (dict "apiKeyFile" (printf "/etc/chaosdemo/diagnosis/%s/key/%s" .name .apiKeySecret.key)) }}
{{- end }}
{{- if .caConfigMap }}
{{- $profile = merge $profile (dict "caFile" (printf "/etc/chaosdemo/diagnosis/%s/ca/%s" .name .caConfigMap.key)) }}
{{- end }}
{{- $profiles = append $profiles $profile }}
{{- end }}
{{- dict "profiles" $profiles | toYaml }}
{{- end }}
