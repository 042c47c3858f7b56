{{- /* What a schema cannot say in words: values that do not go together, each with what to do. */ -}}
{{- define "globalroute.checks" -}}
{{- $https := .Values.proxy.https }}
{{- $certificates := concat $https.secrets (compact (list $https.defaultSecret)) }}
{{- if and $https.enabled (not $certificates) }}
{{- fail "proxy.https.enabled needs a certificate: name Secrets of type kubernetes.io/tls in proxy.https.secrets" }}
{{- end }}
{{- if and $certificates (not $https.enabled) }}
{{- fail "proxy.https.secrets and proxy.https.defaultSecret have no use without proxy.https.enabled=true" }}
{{- end }}
{{- if and $https.defaultSecret (has "default" $https.secrets) }}
{{- fail "proxy.https.secrets: a Secret named default is taken for proxy.https.defaultSecret: give it another name" }}
{{- end }}
{{- if and .Values.proxy.proxyProtocol.from (not .Values.proxy.proxyProtocol.enabled) }}
{{- fail "proxy.proxyProtocol.from has no use without proxy.proxyProtocol.enabled=true" }}
{{- end }}
{{- if and .Values.proxy.proxyProtocol.enabled (not (include "globalroute.hasProxy" .)) }}
{{- fail "proxy.proxyProtocol.enabled has no use without proxy.http.enabled=true or proxy.https.enabled=true" }}
{{- end }}
{{- if and (or .Values.proxy.upstreamCa.configMap .Values.proxy.upstreamCa.secret) (not (include "globalroute.hasProxy" .)) }}
{{- fail "proxy.upstreamCa has no use without proxy.http.enabled=true or proxy.https.enabled=true" }}
{{- end }}
{{- if and .Values.proxy.upstreamCa.configMap .Values.proxy.upstreamCa.secret }}
{{- fail "proxy.upstreamCa has a configMap and a secret: name one of them" }}
{{- end }}
{{- $xds := .Values.xds }}
{{- if and $xds.enabled (not $xds.secret) (not $xds.plaintext) }}
{{- fail "xds.enabled needs xds.secret, a Secret with tls.crt, tls.key and ca.crt: without TLS everybody who reaches it is told where the endpoints are (xds.plaintext=true, if the network is protected otherwise)" }}
{{- end }}
{{- if and $xds.secret $xds.plaintext }}
{{- fail "xds.secret and xds.plaintext exclude each other: TLS, or none" }}
{{- end }}
{{- if and (or $xds.secret $xds.plaintext) (not $xds.enabled) }}
{{- fail "xds.secret and xds.plaintext have no use without xds.enabled=true" }}
{{- end }}
{{- if and $xds.plaintext .Values.networkPolicy.enabled (not .Values.networkPolicy.xdsFrom) }}
{{- fail "xds.plaintext tells whoever reaches it where the endpoints are: name who may in networkPolicy.xdsFrom" }}
{{- end }}
{{- $sidecar := .Values.haproxy.sidecar }}
{{- if and .Values.haproxy.enabled (not $sidecar.enabled) (not .Values.haproxy.volume) }}
{{- fail "haproxy.enabled needs haproxy.sidecar.enabled=true, or haproxy.volume in which HAProxies find their configurations" }}
{{- end }}
{{- if and $sidecar.enabled (not .Values.haproxy.enabled) }}
{{- fail "haproxy.sidecar.enabled needs haproxy.enabled=true, which writes its configuration" }}
{{- end }}
{{- if and $sidecar.enabled (or (not $sidecar.fleet) (not $sidecar.member)) }}
{{- fail "haproxy.sidecar.enabled needs haproxy.sidecar.fleet and haproxy.sidecar.member: a ProxyFleet, and the member of it that the HAProxies are" }}
{{- end }}
{{- /* All containers of a pod share its ports. */}}
{{- $taken := dict }}
{{- $ports := list (list "dns.port" .Values.dns.port) (list "admin.port" .Values.admin.port) (list "metrics.port" .Values.metrics.port) (list "peers.port" .Values.peers.port) }}
{{- if .Values.proxy.http.enabled }}{{ $ports = append $ports (list "proxy.http.port" .Values.proxy.http.port) }}{{ end }}
{{- if $https.enabled }}{{ $ports = append $ports (list "proxy.https.port" $https.port) }}{{ end }}
{{- if $xds.enabled }}{{ $ports = append $ports (list "xds.port" $xds.port) }}{{ end }}
{{- if $sidecar.enabled }}
{{- range $sidecar.ports }}{{ $ports = append $ports (list (printf "the port %s of haproxy.sidecar.ports" .name) .containerPort) }}{{ end }}
{{- end }}
{{- range $ports }}
{{- $port := toString (int (last .)) }}
{{- if hasKey $taken $port }}
{{- fail (printf "%s and %s are both %s: give one of them another" (get $taken $port) (first .) $port) }}
{{- end }}
{{- $_ := set $taken $port (first .) }}
{{- end }}
{{- end }}
