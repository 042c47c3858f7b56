{{- define "globalroute.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" -}}
{{- end }}

{{- /* At most 40 characters: suffixes and the hashes of ReplicaSets and pods must fit behind it. */ -}}
{{- define "globalroute.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else if contains (include "globalroute.name" .) .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "globalroute.name" .) | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end }}

{{- define "globalroute.selectorLabels" -}}
app.kubernetes.io/name: {{ include "globalroute.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "globalroute.labels" -}}
{{ include "globalroute.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{- /* Labels of the replicas themselves; the pod of the uninstall hook is none of them. */ -}}
{{- define "globalroute.podLabels" -}}
{{ include "globalroute.selectorLabels" . }}
app.kubernetes.io/component: controller
{{- end }}

{{- define "globalroute.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "globalroute.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- required "serviceAccount.name is needed with serviceAccount.create=false" .Values.serviceAccount.name -}}
{{- end -}}
{{- end }}

{{- define "globalroute.keysSecret" -}}
{{- default (printf "%s-keys" (include "globalroute.fullname" .)) .Values.keys.existingSecret -}}
{{- end }}

{{- define "globalroute.image" -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) -}}
{{- end -}}
{{- end }}

{{- /* Restricted Pod Security. */ -}}
{{- define "globalroute.podSecurityContext" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
fsGroupChangePolicy: OnRootMismatch
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "globalroute.securityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{- /* Every address of a family, for a listener: call with a family. */ -}}
{{- define "globalroute.wildcard" -}}
{{- if eq . "IPv6" }}[::]{{ else }}0.0.0.0{{ end -}}
{{- end }}

{{- /* Not empty if the embedded proxy listens anywhere. */ -}}
{{- define "globalroute.hasProxy" -}}
{{- if or .Values.proxy.http.enabled .Values.proxy.https.enabled }}yes{{ end -}}
{{- end }}

{{- define "globalroute.families" -}}
ipFamilyPolicy: {{ .Values.ipFamilyPolicy }}
ipFamilies: {{ toJson .Values.ipFamilies }}
{{- end }}

{{- /* Annotations of what is there only while the release is uninstalled: call with the weight, smaller = earlier. */ -}}
{{- define "globalroute.uninstallHook" -}}
helm.sh/hook: pre-delete
helm.sh/hook-weight: {{ . | quote }}
helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
{{- end }}
