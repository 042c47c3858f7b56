{{- define "globalroute.haproxyCertificates" -}}
/etc/globalroute/haproxy-certificates
{{- end }}

{{- /* A HAProxy that shares the pod of a replica, and the volume that the replica writes its configuration to. */ -}}
{{- define "globalroute.haproxySidecar" -}}
{{- $sidecar := .Values.haproxy.sidecar -}}
name: haproxy
image: {{ $sidecar.image | quote }}
imagePullPolicy: {{ $sidecar.pullPolicy }}
command: [sh, -c]
args:
  - |
    {{- .Files.Get "files/haproxy.sh" | nindent 4 }}
  - haproxy
  - {{ printf "%s/%s/%s" .Values.haproxy.folder $sidecar.fleet $sidecar.member }}
  {{- range $sidecar.secrets }}
  - {{ include "globalroute.haproxyCertificates" $ }}/{{ . }}/tls.crt
  {{- end }}
ports:
  {{- range $sidecar.ports }}
  - {name: haproxy-{{ .name }}, containerPort: {{ .containerPort }}, protocol: TCP}
  {{- end }}
{{- with .Values.terminationDrainSeconds }}
{{- /* Load balancers learn a little later that it goes. */}}
lifecycle:
  preStop:
    sleep: {seconds: {{ . }}}
{{- end }}
resources: {{- toYaml $sidecar.resources | nindent 2 }}
securityContext: {{- include "globalroute.securityContext" . | nindent 2 }}
volumeMounts:
  - {name: haproxy, mountPath: {{ .Values.haproxy.folder }}}
  {{- /* In place of the controller's token, which whoever breaks into HAProxy must not find. */}}
  - {name: no-token, mountPath: /var/run/secrets/kubernetes.io/serviceaccount, readOnly: true}
  {{- if $sidecar.secrets }}
  - {name: haproxy-certificates, mountPath: {{ include "globalroute.haproxyCertificates" . }}, readOnly: true}
  {{- end }}
{{- end }}
